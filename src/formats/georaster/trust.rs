//! Which files a raster may lead to.

use std::path::{Path, PathBuf};

/// Where the files may lie that a raster refers to: a VRT is a list of other files, and whoever writes one into a
/// folder of inputs could have any file of the machine read, or any address on the network.
///
/// ```
/// use probav_ard::formats::georaster::Trust;
///
/// let trust = Trust::of(&["/data/dem".into(), "/data/more/alps.vrt".into()]);
/// assert_ne!(trust, Trust::Anywhere);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Below these folders, links resolved.
    Within(Vec<PathBuf>),
    /// Anywhere, the network included: what an explicit option of the user allows.
    Anywhere,
}

impl Default for Trust {
    /// Below the folder of the raster itself.
    fn default() -> Self {
        Trust::Within(Vec::new())
    }
}

impl Trust {
    /// Below the folders named, and below the folders of the files named.
    pub fn of(paths: &[PathBuf]) -> Trust {
        let folders = paths.iter().filter_map(|path| match path.is_dir() {
            true => path.canonicalize().ok(),
            false => folder_of(path),
        });
        Trust::Within(folders.collect())
    }

    /// These folders and those of other paths.
    pub fn and(self, paths: &[PathBuf]) -> Trust {
        match (self, Trust::of(paths)) {
            (Trust::Within(mut folders), Trust::Within(more)) => {
                folders.extend(more);
                Trust::Within(folders)
            }
            _ => Trust::Anywhere,
        }
    }

    /// True for a file that lies below a folder of the list; links are followed first.
    pub(super) fn allows(&self, file: &Path) -> bool {
        match (self, file.canonicalize()) {
            (Trust::Anywhere, _) => true,
            (Trust::Within(folders), Ok(file)) => folders.iter().any(|f| file.starts_with(f)),
            (Trust::Within(_), Err(_)) => false,
        }
    }
}

/// The folder in which a file lies, links in its path resolved; `None` where there is none.
pub(super) fn folder_of(path: &Path) -> Option<PathBuf> {
    let parent = path.parent()?;
    let parent = match parent.as_os_str().is_empty() {
        true => Path::new("."),
        false => parent,
    };
    parent.canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_do_not_lead_out_of_a_folder() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for folder in ["in/deep", "out"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        std::fs::write(at("in/deep/a.tif"), "a").unwrap();
        std::fs::write(at("out/b.tif"), "b").unwrap();
        symlink(at("out/b.tif"), at("in/link.tif")).unwrap();
        symlink(at("out"), at("in/folder")).unwrap();
        let trust = Trust::of(&[at("in")]);
        assert!(trust.allows(&at("in/deep/a.tif")) && trust.allows(&at("in/deep/../deep/a.tif")));
        for other in [
            "out/b.tif",
            "in/link.tif",
            "in/folder/b.tif",
            "in/../out/b.tif",
            "in/none.tif",
        ] {
            assert!(!trust.allows(&at(other)), "{other}");
        }
        assert!(
            trust
                .clone()
                .and(&[at("out/b.tif")])
                .allows(&at("in/link.tif"))
        );
        assert!(Trust::Anywhere.allows(&at("in/none.tif")));
        assert_eq!(trust.and(&[]), Trust::of(&[at("in")]));
    }
}
