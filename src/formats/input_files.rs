//! What a user names as a file or as a folder of files.

use std::io;
use std::path::{Path, PathBuf};

/// The files of `paths`: a folder stands for the files directly in it whose ending (lower case, without the dot) is one of
/// `endings`, sorted by name; anything else, GDAL's virtual paths included, stands for itself.
///
/// # Errors
/// The path of a folder that cannot be listed, and why.
pub fn members<'a>(
    paths: &'a [PathBuf],
    endings: &[&str],
) -> Result<Vec<PathBuf>, (&'a Path, io::Error)> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let unreadable = |e| (path.as_path(), e);
        let first = files.len();
        for item in std::fs::read_dir(path).map_err(unreadable)? {
            let file = item.map_err(unreadable)?.path();
            let ending = file.extension().map(|e| e.to_string_lossy().to_lowercase());
            if ending.is_some_and(|e| endings.contains(&e.as_str())) && !file.is_dir() {
                files.push(file);
            }
        }
        files[first..].sort();
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_its_files_and_the_rest_for_itself() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.TIF", "a.tif", "c.txt"] {
            std::fs::write(dir.path().join(name), b"").unwrap();
        }
        std::fs::create_dir(dir.path().join("d.tif")).unwrap();
        let virtual_path = PathBuf::from("/vsizip/x.zip/y.tif");
        let named = [virtual_path.clone(), dir.path().to_owned()];
        let wanted = [
            virtual_path,
            dir.path().join("a.tif"),
            dir.path().join("b.TIF"),
        ];
        assert_eq!(members(&named, &["tif"]).unwrap(), wanted);
        assert!(members(&[], &["tif"]).unwrap().is_empty());
    }
}
