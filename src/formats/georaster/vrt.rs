//! What a VRT refers to, read before GDAL opens it: GDAL follows any path and address that one names.

use super::GeoRasterError;
use super::endings::ending;
use super::sidecar;
use super::trust::{Trust, folder_of};
use super::xml::{self, Piece};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// VRTs within VRTs are followed this deep; chosen: a mosaic of mosaics has two.
const DEEPEST: usize = 8;

/// Elements and attributes that name a file, in small letters (GDAL's documentation of the VRT format).
const NAMES: [&str; 4] = ["sourcefilename", "sourcedataset", "dempath", "rpc_dem"];
/// Items of metadata that GDAL opens as a file, in small letters.
const METADATA: [&str; 4] = ["x_dataset", "y_dataset", "rpc_dem", "overview_file"];
/// Elements that hold one source and the part of the raster that it fills.
const SOURCES: [&str; 4] = [
    "simplesource",
    "complexsource",
    "averagedsource",
    "kernelfilteredsource",
];
/// Elements that say where a raster lies, in small letters.
const PLACE: [&str; 2] = ["geotransform", "overviewlist"];
/// Attributes of its size, in small letters.
const SIZE: [&str; 2] = ["rasterxsize", "rasterysize"];
/// Options of opening a source that name no file.
const OPTIONS: [&str; 2] = ["overview_level", "num_threads"];

/// A file behind a VRT.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Behind {
    /// The file, as GDAL finds it.
    pub file: PathBuf,
    /// Column, row, columns and rows of the VRT that it fills; `None` where it may fill all.
    pub fills: Option<[f64; 4]>,
}

/// The files that a VRT names itself, each once for every place it fills.
///
/// # Errors
/// [`GeoRasterError`]: the VRT is no XML, or it names what is no file.
pub(super) fn sources(path: &Path) -> Result<Vec<Behind>, GeoRasterError> {
    let text = read(path)?;
    let pieces = xml::pieces(&text).map_err(|reason| refused(path, reason))?;
    let real = path.canonicalize().ok();
    let folder = real.as_deref().and_then(folder_of).unwrap_or_default();
    let mut reader = Reader {
        path,
        folder,
        open: Vec::new(),
        found: Vec::new(),
        first_of_source: 0,
    };
    for piece in &pieces {
        reader.take(piece)?;
    }
    Ok(reader.found)
}

/// What a VRT says beside its sources, its size and its place: a mosaic that grows at its far end says the same.
///
/// # Errors
/// As [`sources`].
pub(super) fn settings(path: &Path) -> Result<String, GeoRasterError> {
    let text = read(path)?;
    let pieces = xml::pieces(&text).map_err(|reason| refused(path, reason))?;
    let mut said = String::new();
    let (mut depth, mut left) = (0usize, None);
    for piece in pieces {
        match &piece {
            Piece::Begin(name, _) => {
                let elsewhere = SOURCES.contains(&name.as_str()) || PLACE.contains(&name.as_str());
                if left.is_none() && elsewhere {
                    left = Some(depth);
                }
                depth += 1;
            }
            Piece::End => depth = depth.saturating_sub(1),
            Piece::Text(_) => {}
        }
        if left.is_none() {
            said.push_str(&match piece {
                Piece::Begin(name, mut attributes) => {
                    attributes.retain(|(key, _)| !SIZE.contains(&key.as_str()));
                    format!("<{name} {attributes:?}>")
                }
                Piece::Text(text) => text,
                Piece::End => "</>".to_string(),
            });
        }
        if left == Some(depth) {
            left = None;
        }
    }
    Ok(said)
}

/// Holds everything behind a VRT, at any depth, against what the user trusts, and visits each file once with the part of
/// the outermost raster that it fills.
///
/// # Errors
/// [`GeoRasterError`] naming the VRT and what it refers to.
pub(super) fn follow(
    path: &Path,
    trust: &Trust,
    visit: &mut dyn FnMut(&Path, Option<[f64; 4]>),
) -> Result<(), GeoRasterError> {
    let own = path.canonicalize().ok().and_then(|p| folder_of(&p));
    let trust = match trust.clone() {
        Trust::Within(mut folders) => {
            folders.extend(own);
            Trust::Within(folders)
        }
        Trust::Anywhere => Trust::Anywhere,
    };
    let mut walk = Walk {
        trust,
        seen: HashSet::from([path.to_path_buf()]),
        visit,
    };
    walk.vrt(path, None, DEEPEST)
}

struct Walk<'a> {
    trust: Trust,
    seen: HashSet<PathBuf>,
    visit: &'a mut dyn FnMut(&Path, Option<[f64; 4]>),
}

impl Walk<'_> {
    fn vrt(
        &mut self,
        path: &Path,
        within: Option<[f64; 4]>,
        deeper: usize,
    ) -> Result<(), GeoRasterError> {
        if deeper == 0 {
            return Err(refused(path, "VRTs within it never end".to_string()));
        }
        for behind in sources(path)? {
            let fills = within.or(behind.fills);
            self.check(path, &behind.file)?;
            (self.visit)(&behind.file, fills);
            let is_vrt = ending(&behind.file) == "vrt" && behind.file.is_file();
            if is_vrt && self.seen.insert(behind.file.clone()) {
                self.vrt(&behind.file, fills, deeper - 1)?;
            }
        }
        Ok(())
    }

    /// A file that is not there cannot be read by anybody: GDAL says so where it is needed.
    fn check(&self, path: &Path, file: &Path) -> Result<(), GeoRasterError> {
        let Ok(meta) = std::fs::metadata(file) else {
            return Ok(());
        };
        let outside = |reason| GeoRasterError::Outside {
            path: path.to_path_buf(),
            refers_to: file.display().to_string(),
            reason,
        };
        if !meta.is_file() {
            return Err(outside("which is no regular file"));
        }
        if !self.trust.allows(file) {
            return Err(outside("outside the folders that were named"));
        }
        if ending(file) != "vrt" {
            sidecar::check(file)?;
        }
        Ok(())
    }
}

struct Reader<'a> {
    path: &'a Path,
    folder: PathBuf,
    /// Elements that are open: name, and attributes.
    open: Vec<(String, Vec<(String, String)>)>,
    found: Vec<Behind>,
    /// Number of files found before the source that is open.
    first_of_source: usize,
}

impl Reader<'_> {
    fn take(&mut self, piece: &Piece) -> Result<(), GeoRasterError> {
        match piece {
            Piece::Begin(name, attributes) => {
                if name == "pixelfunctioncode" {
                    let reason = "it holds a program (PixelFunctionCode), which is never run; write the result to a GeoTIFF with `gdal_translate`";
                    return Err(refused(self.path, reason.to_string()));
                }
                if SOURCES.contains(&name.as_str()) {
                    self.first_of_source = self.found.len();
                }
                for (key, value) in attributes {
                    match NAMES.contains(&key.as_str()) {
                        true => self.name(value, false)?,
                        false => self.plain(value)?,
                    }
                }
                if name == "dstrect" {
                    self.fills(attributes);
                }
                if name == "ooi" {
                    let key = value(attributes, "key").to_ascii_lowercase();
                    if !OPTIONS.contains(&key.as_str()) {
                        return Err(refused(
                            self.path,
                            format!(
                                "it opens a file with the option '{key}', which is not followed; write it without"
                            ),
                        ));
                    }
                }
                self.open.push((name.clone(), attributes.clone()));
            }
            Piece::Text(text) => {
                let Some((name, attributes)) = self.open.last() else {
                    return Ok(());
                };
                let key = value(attributes, "key").to_ascii_lowercase();
                let argument = value(attributes, "name").to_ascii_lowercase();
                let names_a_file = NAMES.contains(&name.as_str())
                    || (name == "mdi" && METADATA.contains(&key.as_str()))
                    || (name == "argument" && argument.contains("filename"));
                let relative = value(attributes, "relativetovrt").trim();
                let relative = relative.parse::<i64>().is_ok_and(|n| n != 0);
                match names_a_file {
                    true => self.name(text, relative)?,
                    false => self.plain(text)?,
                }
            }
            Piece::End => {
                self.open.pop();
            }
        }
        Ok(())
    }

    /// A text that names a file.
    fn name(&mut self, text: &str, relative: bool) -> Result<(), GeoRasterError> {
        self.plain(text)?;
        let outside = |reason| GeoRasterError::Outside {
            path: self.path.to_path_buf(),
            refers_to: text.chars().take(200).collect(),
            reason,
        };
        if text.contains("://") || text.contains('<') || text.contains('{') {
            return Err(outside("an address or a description, not a file"));
        }
        let file = match relative {
            true => self.folder.join(text),
            false => PathBuf::from(text),
        };
        let there = std::fs::metadata(&file).is_ok();
        if !there && text.contains([':', '?', '"']) {
            return Err(outside("which asks a driver of GDAL for a part of a file"));
        }
        self.found.push(Behind { file, fills: None });
        Ok(())
    }

    /// A text that names no file must not be one for GDAL's virtual file systems either.
    fn plain(&self, text: &str) -> Result<(), GeoRasterError> {
        match text.trim_start().starts_with("/vsi") {
            false => Ok(()),
            true => Err(GeoRasterError::Outside {
                path: self.path.to_path_buf(),
                refers_to: text.chars().take(200).collect(),
                reason: "on a virtual file system or the network",
            }),
        }
    }

    /// The files of the source that is open fill this part.
    fn fills(&mut self, attributes: &[(String, String)]) {
        let number = |key: &str| value(attributes, key).trim().parse::<f64>().ok();
        let part = ["xoff", "yoff", "xsize", "ysize"].map(number);
        if let [Some(x), Some(y), Some(w), Some(h)] = part {
            for behind in &mut self.found[self.first_of_source..] {
                behind.fills = Some([x, y, w, h]);
            }
        }
    }
}

fn value<'a>(attributes: &'a [(String, String)], key: &str) -> &'a str {
    let found = attributes.iter().find(|(k, _)| k == key);
    found.map_or("", |(_, v)| v.as_str())
}

fn refused(path: &Path, reason: String) -> GeoRasterError {
    GeoRasterError::Refused {
        path: path.to_path_buf(),
        reason,
    }
}

fn read(path: &Path) -> Result<String, GeoRasterError> {
    let open = |e: std::io::Error| GeoRasterError::Open {
        path: path.to_path_buf(),
        reason: e.to_string(),
    };
    if std::fs::metadata(path).map_err(open)?.len() > xml::LONGEST {
        return Err(refused(path, "a VRT of this size cannot be".to_string()));
    }
    let bytes = std::fs::read(path).map_err(open)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
