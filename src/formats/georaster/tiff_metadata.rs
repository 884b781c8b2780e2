//! GDAL's own metadata in a TIFF, read without GDAL: they can name a file to read overviews from, which GDAL follows also
//! for the sources of a VRT.
//!
//! TIFF 6.0, section 2, and BigTIFF (libtiff): header, first directory, tag 42112 `GDAL_METADATA`.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Tag of GDAL's metadata, a definition of GDAL.
const GDAL_METADATA: u64 = 42_112;
/// Most bytes of metadata that are read; chosen: band statistics have some kilobytes.
const LONGEST: u64 = 4 << 20;
/// Most entries of a directory; chosen: TIFF has some hundred tags.
const MOST_ENTRIES: u64 = 4096;

/// GDAL's metadata of the first directory; empty where there are none, or the file is no TIFF.
pub(super) fn text(path: &Path) -> String {
    let bytes = File::open(path).ok().and_then(|mut file| read(&mut file));
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

/// Byte order, and whether positions have 64 bits.
struct Layout {
    little: bool,
    big: bool,
}

impl Layout {
    fn number(&self, bytes: &[u8]) -> u64 {
        let add = |v: u64, b: &u8| v << 8 | u64::from(*b);
        match self.little {
            true => bytes.iter().rev().fold(0, add),
            false => bytes.iter().fold(0, add),
        }
    }
}

fn read(file: &mut File) -> Option<Vec<u8>> {
    let head = take(file, 0, 16)?;
    let little = match head.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let version = Layout { little, big: false }.number(head.get(2..4)?);
    let layout = match version {
        42 => Layout { little, big: false },
        43 => Layout { little, big: true },
        _ => return None,
    };
    let (place, counted, entry, value) = match layout.big {
        true => (8..16, 8, 20, 12),
        false => (4..8, 2, 12, 8),
    };
    let directory = layout.number(head.get(place)?);
    let count = layout
        .number(&take(file, directory, counted)?)
        .min(MOST_ENTRIES);
    let entries = take(file, directory + counted, count * entry)?;
    let wide = if layout.big { 8 } else { 4 };
    for found in entries.chunks_exact(entry as usize) {
        if layout.number(found.get(..2)?) != GDAL_METADATA {
            continue;
        }
        let length = layout.number(found.get(4..value)?);
        let stored = found.get(value..value + wide)?;
        return match length <= wide as u64 {
            true => Some(stored.to_vec()),
            false => take(file, layout.number(stored), length.min(LONGEST)),
        };
    }
    None
}

/// Bytes at a place, as many as there are.
fn take(file: &mut File, at: u64, count: u64) -> Option<Vec<u8>> {
    file.seek(SeekFrom::Start(at)).ok()?;
    let mut bytes = Vec::new();
    file.take(count).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gdal::raster::RasterCreationOptions;
    use gdal::{DriverManager, Metadata};

    #[test]
    fn what_gdal_writes_into_a_tiff_is_found_in_every_layout() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tif");
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        for option in ["BIGTIFF=NO", "BIGTIFF=YES", "ENDIANNESS=BIG", "TILED=YES"] {
            let options = RasterCreationOptions::from_iter([option]);
            let mut data = driver
                .create_with_band_type_with_options::<u8, _>(&path, 40, 30, 1, &options)
                .unwrap();
            data.set_metadata_item("OVERVIEW_FILE", "/a/b.tif", "OVERVIEWS")
                .unwrap();
            drop(data);
            let found = text(&path);
            assert!(
                found.contains("OVERVIEW_FILE") && found.contains("/a/b.tif"),
                "{option}: {found}"
            );
            let whole = std::fs::read(&path).unwrap();
            for n in [0, 3, 8, 20, whole.len() / 2, whole.len() - 5] {
                std::fs::write(&path, &whole[..n]).unwrap();
                assert!(text(&path).len() <= whole.len());
            }
        }
        let data = driver.create_with_band_type::<u8, _>(&path, 40, 30, 1);
        drop(data.unwrap());
        assert_eq!(text(&path), "");
    }
}
