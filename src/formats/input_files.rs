//! What a user names as a file or as a folder of files: the one search of all inputs (docs/inputs.md, What is searched).

use super::special_files;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Endings of transfers that have not come to their end, by browsers, wget, rsync, aria2 and editors.
const UNFINISHED: [&str; 9] = [
    ".part",
    ".partial",
    ".crdownload",
    ".filepart",
    ".download",
    ".aria2",
    ".tmp",
    ".swp",
    "~",
];

/// What a name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A file of the kind that is searched.
    Take,
    /// Belongs to such a file and is none itself: a mask or a preview that is delivered with a DEM.
    Companion,
    /// Looks like one, but its name does not say what is needed.
    Misnamed,
    /// Something else.
    Other,
}

/// Why a file or folder was left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its name begins with a dot, or it is the `lost+found` of a disk.
    Hidden,
    /// A transfer that has not come to its end, by its ending.
    Unfinished,
    /// See [`Verdict::Companion`].
    Companion,
    /// See [`Verdict::Misnamed`].
    Misnamed,
    /// A pipe, socket or device: only regular files are read.
    NotAFile,
    /// A link that leads nowhere.
    BrokenLink,
    /// A folder that this program writes its products to.
    Products,
    /// The system does not show it; its words.
    Unreadable(String),
}

impl Why {
    /// True where data may be missing for it; false for what nobody expects to be read.
    pub fn is_loss(&self) -> bool {
        matches!(self, Why::Unreadable(_) | Why::BrokenLink | Why::NotAFile)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Hidden => "hidden",
            Why::Unfinished => "an unfinished transfer by its ending",
            Why::Companion => "a companion of another file by its name",
            Why::Misnamed => "its name is not that of a file of this kind",
            Why::NotAFile => "a pipe, socket or device; only regular files are read",
            Why::BrokenLink => "a link that leads nowhere",
            Why::Products => "an output folder of this program",
            Why::Unreadable(reason) => return write!(f, "cannot be read: {reason}"),
        })
    }
}

/// A file or folder that was left, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The file or folder.
    pub path: PathBuf,
    /// The reason.
    pub why: Why,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

/// What a search took and what it left.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The files, in the order of the paths searched, those of a folder sorted by path; each once.
    pub files: Vec<PathBuf>,
    /// What was left.
    pub left: Vec<LeftOut>,
}

impl Found {
    /// One sentence for each reason: how many were left and which was the first.
    pub fn words(&self) -> Vec<String> {
        let mut by_reason: BTreeMap<String, Vec<&Path>> = BTreeMap::new();
        for left in &self.left {
            by_reason
                .entry(left.why.to_string())
                .or_default()
                .push(&left.path);
        }
        by_reason
            .into_iter()
            .map(|(why, paths)| match paths.as_slice() {
                [one] => format!("{} left out: {why}", one.display()),
                [first, ..] => format!(
                    "{} files or folders left out: {why}; the first is {}",
                    paths.len(),
                    first.display()
                ),
                [] => String::new(),
            })
            .collect()
    }
}

/// Takes names by their ending, in any case and without the dot.
pub fn by_ending(endings: &'static [&'static str]) -> impl Fn(&str) -> Verdict {
    move |name| {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        match ending.is_some_and(|e| endings.iter().any(|known| known.eq_ignore_ascii_case(e))) {
            true => Verdict::Take,
            false => Verdict::Other,
        }
    }
}

/// Searches files and folders. A folder stands for the files in it and below it whose names `judge` takes; links are
/// followed, and a folder or file that several links lead to is met once. A file that is named is taken whatever its name
/// is, GDAL's virtual paths (`/vsizip/…`) included; what is named and is not there is left for whoever opens it to say.
pub fn search(paths: &[PathBuf], judge: &dyn Fn(&str) -> Verdict) -> Found {
    let mut search = Search {
        judge,
        seen: HashSet::new(),
        found: Found::default(),
    };
    for path in paths {
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => search.folder(path, &meta),
            Ok(meta) if is_special(&meta) => search.leave(path.clone(), Why::NotAFile),
            Ok(meta) => search.take(path.clone(), &meta),
            Err(_) => search.found.files.push(path.clone()),
        }
    }
    search.found.left.sort();
    search.found
}

/// Why what was named holds nothing to take.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Nothing {
    /// A path is a pipe, socket or device.
    NotAFile(PathBuf),
    /// A place holds no file of the kind; in words, with what was left of it.
    In(String),
}

/// As [`search`], but every path must give a file.
///
/// # Errors
/// The first path that gives none.
pub(crate) fn search_each(
    paths: &[PathBuf],
    judge: &dyn Fn(&str) -> Verdict,
) -> Result<Found, Nothing> {
    for path in paths {
        let found = search(std::slice::from_ref(path), judge);
        if !found.files.is_empty() {
            continue;
        }
        let special = |l: &LeftOut| l.path == *path && l.why == Why::NotAFile;
        if found.left.iter().any(special) {
            return Err(Nothing::NotAFile(path.clone()));
        }
        let mut place = path.display().to_string();
        for words in found.words() {
            place.push_str(", ");
            place.push_str(&words);
        }
        return Err(Nothing::In(place));
    }
    let found = search(paths, judge);
    match found.files.is_empty() {
        true => Err(Nothing::In("an empty list of files".to_string())),
        false => Ok(found),
    }
}

/// The first folder of `paths` whose files have all failed: it, their number, and what became of the first.
pub(crate) fn all_failed<'a, E>(
    paths: &'a [PathBuf],
    judge: &dyn Fn(&str) -> Verdict,
    failed: impl Fn(&Path) -> Option<&'a E>,
) -> Option<(&'a Path, usize, &'a E)> {
    paths.iter().filter(|p| p.is_dir()).find_map(|folder| {
        let files = search(std::slice::from_ref(folder), judge).files;
        let first = failed(files.first()?)?;
        let all = files.iter().all(|f| failed(f).is_some());
        all.then_some((folder.as_path(), files.len(), first))
    })
}

struct Search<'a> {
    judge: &'a dyn Fn(&str) -> Verdict,
    /// Device and inode of every folder entered and file taken.
    seen: HashSet<(u64, u64)>,
    found: Found,
}

impl Search<'_> {
    fn folder(&mut self, path: &Path, meta: &std::fs::Metadata) {
        if !self.seen.insert((meta.dev(), meta.ino())) {
            return;
        }
        let listed = std::fs::read_dir(path).and_then(|entries| {
            entries
                .map(|e| e.map(|e| e.file_name()))
                .collect::<Result<Vec<_>, _>>()
        });
        let mut names = match listed {
            Ok(names) => names,
            Err(error) => return self.leave(path.to_owned(), Why::Unreadable(error.to_string())),
        };
        names.sort();
        if is_output(&names) {
            return self.leave(path.to_owned(), Why::Products);
        }
        for name in names {
            self.entry(path.join(&name), &name.to_string_lossy());
        }
    }

    fn entry(&mut self, path: PathBuf, name: &str) {
        let meta = match std::fs::metadata(&path) {
            Ok(meta) => meta,
            Err(error) => {
                let wanted = (self.judge)(name) != Verdict::Other || path.extension().is_none();
                return match error.kind() {
                    _ if !wanted || name.starts_with('.') => {}
                    std::io::ErrorKind::NotFound => self.leave(path, Why::BrokenLink),
                    _ => self.leave(path, Why::Unreadable(error.to_string())),
                };
            }
        };
        if meta.is_dir() {
            return match name.starts_with('.') || name == "lost+found" {
                true => self.leave(path, Why::Hidden),
                false => self.folder(&path, &meta),
            };
        }
        let core = UNFINISHED
            .iter()
            .find_map(|ending| name.strip_suffix(ending))
            .unwrap_or(name);
        match (self.judge)(core.trim_start_matches(['.', '_'])) {
            Verdict::Other => {}
            _ if name.starts_with('.') => self.leave(path, Why::Hidden),
            _ if core.len() < name.len() => self.leave(path, Why::Unfinished),
            verdict => match verdict {
                Verdict::Companion => self.leave(path, Why::Companion),
                _ if is_special(&meta) => self.leave(path, Why::NotAFile),
                Verdict::Misnamed => self.leave(path, Why::Misnamed),
                _ => self.take(path, &meta),
            },
        }
    }

    fn take(&mut self, path: PathBuf, meta: &std::fs::Metadata) {
        if self.seen.insert((meta.dev(), meta.ino())) {
            self.found.files.push(path);
        }
    }

    fn leave(&mut self, path: PathBuf, why: Why) {
        self.found.left.push(LeftOut { path, why });
    }
}

fn is_special(meta: &std::fs::Metadata) -> bool {
    !meta.is_dir() && special_files::kind(meta).is_some()
}

/// An output folder of this program lies below the input: its products are no inputs.
fn is_output(names: &[std::ffi::OsString]) -> bool {
    ["ledger", "tiles"]
        .iter()
        .all(|wanted| names.iter().any(|name| name == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, path.to_str().unwrap()).unwrap();
    }

    fn names(found: &Found, root: &Path) -> Vec<String> {
        let relative = |p: &PathBuf| p.strip_prefix(root).unwrap_or(p).display().to_string();
        found.files.iter().map(relative).collect()
    }

    #[test]
    fn a_folder_stands_for_its_files_at_any_depth_in_any_case() {
        let root = tempfile::tempdir().unwrap();
        for name in ["b.TIF", "sub/x/a.tif", "c.txt", "d.tif/e.tiff"] {
            touch(&root.path().join(name));
        }
        let virtual_path = PathBuf::from("/vsizip/x.zip/y.tif");
        let named = [virtual_path, root.path().to_owned()];
        let found = search(&named, &by_ending(&["tif", "tiff"]));
        let wanted = [
            "/vsizip/x.zip/y.tif",
            "b.TIF",
            "d.tif/e.tiff",
            "sub/x/a.tif",
        ];
        assert_eq!(names(&found, root.path()), wanted);
        assert!(found.left.is_empty());
        assert_eq!(search(&[], &by_ending(&["tif"])), Found::default());
    }

    #[test]
    fn links_are_followed_once_and_circles_end() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("data");
        touch(&root.path().join("store/a.tif"));
        std::fs::create_dir(&data).unwrap();
        symlink(root.path().join("store"), data.join("one")).unwrap();
        symlink(root.path().join("store"), data.join("two")).unwrap();
        symlink(&data, root.path().join("store/back")).unwrap();
        symlink(root.path().join("store/a.tif"), data.join("z.tif")).unwrap();
        symlink("nowhere.tif", data.join("broken.tif")).unwrap();
        let found = search(std::slice::from_ref(&data), &by_ending(&["tif"]));
        assert_eq!(names(&found, &data), ["one/a.tif"]);
        assert_eq!(found.left.len(), 1);
        assert_eq!(found.left[0].why, Why::BrokenLink);
    }

    #[test]
    fn what_is_no_input_is_left_and_counted() {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "._a.tif",
            "a.tif.part",
            "b.tif.crdownload",
            ".git/c.tif",
            "lost+found/d.tif",
            "out/ledger/x",
            "out/tiles/e.tif",
            ".hidden.txt",
            "good.tif",
        ] {
            touch(&root.path().join(name));
        }
        let path = std::ffi::CString::new(root.path().join("pipe.tif").to_str().unwrap()).unwrap();
        // SAFETY: the path is a C string that outlives the call.
        assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
        let found = search(&[root.path().to_owned()], &by_ending(&["tif"]));
        assert_eq!(names(&found, root.path()), ["good.tif"]);
        let count = |why: Why| found.left.iter().filter(|l| l.why == why).count();
        assert_eq!(
            (
                count(Why::Hidden),
                count(Why::Unfinished),
                count(Why::Products)
            ),
            (3, 2, 1)
        );
        assert_eq!(count(Why::NotAFile), 1);
        let words = found.words().join("\n");
        assert!(
            words.contains("2 files or folders left out: an unfinished"),
            "{words}"
        );
        // what is named itself is taken, hidden or not
        let named = [root.path().join("._a.tif")];
        assert_eq!(search(&named, &by_ending(&["tif"])).files, named);
    }
}
