//! What lies in and beside a raster that could make GDAL read another file.

use super::GeoRasterError;
use super::endings::ending;
use super::tiff_metadata;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of a file's head that are looked at: GDAL's drivers tell formats by the first 1024. Chosen, four times that.
const HEAD: u64 = 4096;

/// Longest `.aux.xml` that is read, bytes; chosen: statistics and histograms have some kilobytes.
const LONGEST_AUX: u64 = 16 << 20;

/// Files beside a raster that GDAL opens as rasters, whatever is in them.
const RASTERS: [&str; 4] = ["ovr", "OVR", "msk", "MSK"];

/// Endings of files that GDAL reads beside a raster, appended to its name or in the place of its ending.
const BESIDE: [&str; 14] = [
    "aux.xml", "ovr", "OVR", "msk", "MSK", "aux", "hdr", "prj", "clr", "stx", "tfw", "wld", "rrd",
    "ige",
];

/// Holds a file against its ending, and what GDAL would read with it.
///
/// # Errors
/// [`GeoRasterError::Refused`] or [`GeoRasterError::Open`], naming the file.
pub(super) fn check(path: &Path) -> Result<(), GeoRasterError> {
    let head = head(path)?;
    if head.is_empty() {
        return Err(GeoRasterError::Open {
            path: path.to_path_buf(),
            reason: "it is empty".to_string(),
        });
    }
    if ending(path) != "vrt" && is_description(&head) {
        return Err(refused(
            path,
            "it is a VRT or the description of a web service under the ending of another format; a VRT ends in .vrt",
        ));
    }
    if tiff_metadata::text(path).contains("OVERVIEW_FILE") {
        return Err(refused(path, LEADS_ELSEWHERE));
    }
    let mut file = path.to_path_buf();
    // overviews may have overviews of their own
    while let Some(next) = RASTERS
        .iter()
        .map(|e| appended(&file, e))
        .find(|p| p.exists())
    {
        raster(&next)?;
        file = next;
    }
    for kind in RASTERS.iter().chain(&["aux"]) {
        for beside in [appended(path, kind), path.with_extension(kind)] {
            if beside != path && beside.exists() {
                raster(&beside)?;
            }
        }
    }
    let aux = appended(path, "aux.xml");
    match std::fs::metadata(&aux) {
        Ok(meta) if !meta.is_file() => Err(refused(&aux, "it is no regular file")),
        Ok(meta) if meta.len() > LONGEST_AUX => Err(refused(
            &aux,
            "a file of this size cannot be one; remove it",
        )),
        Ok(_) => {
            let text = std::fs::read(&aux).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).to_ascii_uppercase();
            match text.contains("OVERVIEW_FILE") {
                true => Err(refused(&aux, LEADS_ELSEWHERE)),
                false => Ok(()),
            }
        }
        Err(_) => Ok(()),
    }
}

/// The reason why overviews in another file are not followed.
pub(super) const LEADS_ELSEWHERE: &str = "its metadata name a file to read overviews from (OVERVIEW_FILE), which is not followed; remove them";

/// Files that GDAL may read with a raster, of those that there are.
pub(super) fn beside(path: &Path) -> Vec<PathBuf> {
    let both = |kind: &&str| [appended(path, kind), path.with_extension(kind)];
    let mut found: Vec<PathBuf> = BESIDE
        .iter()
        .flat_map(both)
        .filter(|p| p.is_file())
        .collect();
    found.retain(|p| p != path);
    found
}

/// A file beside a raster that GDAL opens as a raster: a TIFF or an Erdas file, nothing that names others.
fn raster(path: &Path) -> Result<(), GeoRasterError> {
    let head = head(path)?;
    let known = [&b"II"[..], b"MM", b"EHFA_HEADER_TAG"];
    match known.iter().any(|k| head.starts_with(k)) && !is_description(&head) {
        true => Ok(()),
        false => Err(refused(
            path,
            "it stands beside a raster as its overviews or mask and is no TIFF; remove it",
        )),
    }
}

/// True for the head of a file that tells GDAL where to read instead of holding values.
fn is_description(head: &[u8]) -> bool {
    let start = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let first = start.iter().find(|b| !b.is_ascii_whitespace());
    let holds = |word: &[u8]| {
        head.windows(word.len())
            .any(|w| w.eq_ignore_ascii_case(word))
    };
    matches!(first, Some(b'<' | b'{')) || holds(b"<VRTDataset") || holds(b"<GDAL_W")
}

/// The first bytes of a regular file.
fn head(path: &Path) -> Result<Vec<u8>, GeoRasterError> {
    let failed = |e: std::io::Error| GeoRasterError::Open {
        path: path.to_path_buf(),
        reason: e.to_string(),
    };
    // a pipe would wait for its writer for ever
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(refused(path, "it is no regular file"));
    }
    let mut head = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(HEAD).read_to_end(&mut head).map_err(failed)?;
    Ok(head)
}

fn appended(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn refused(path: &Path, reason: &str) -> GeoRasterError {
    GeoRasterError::Refused {
        path: path.to_path_buf(),
        reason: reason.to_string(),
    }
}
