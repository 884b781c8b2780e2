//! The file format of `ancillary/rt`: a checksummed header and named arrays (drawn in `scripts/pack-tables`).

use super::TablesError;
use serde::Deserialize;

/// First bytes of a file; definition of the format.
const MAGIC: &[u8; 8] = b"PVARDRT1";
/// No table of this kind needs more: refuses a damaged length before allocating it. Chosen.
const MAX_PAYLOAD: usize = 1 << 28;

/// Axes of a packed file; those a kind does not use stay empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Axes {
    pub aod550: Vec<f32>,
    pub sza_deg: Vec<f32>,
    pub vza_deg: Vec<f32>,
    pub raa_deg: Vec<f32>,
    pub pressure_hpa: Vec<f32>,
    pub air_mass: Vec<f32>,
    pub h2o_g_cm2: Vec<f32>,
    pub o3_cm_atm: Vec<f32>,
}

/// Header of a packed file.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Header {
    pub kind: String,
    pub camera: u8,
    #[serde(default)]
    pub aerosol: String,
    #[serde(default)]
    pub engine: String,
    pub axes: Axes,
    #[serde(default)]
    pub centroid_um: Vec<f32>,
    #[serde(default)]
    pub overlap: Vec<[f32; 3]>,
    payload_bytes: usize,
    arrays: Vec<Entry>,
}

#[derive(Debug, Clone, Deserialize)]
struct Entry {
    name: String,
    shape: Vec<usize>,
    coding: String,
    offset: usize,
    #[serde(default)]
    scale: Vec<f32>,
}

/// A packed file in memory: header and inflated payload.
pub(super) struct Container {
    pub header: Header,
    name: String,
    payload: Vec<u8>,
}

impl Container {
    /// Reads and verifies a packed file; `name` appears in errors.
    pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Container, TablesError> {
        let damaged = |what: &str| TablesError::Damaged {
            name: name.to_string(),
            what: what.to_string(),
        };
        let word = |at: usize| {
            bytes
                .get(at..at + 4)
                .and_then(|b| b.try_into().ok())
                .map(u32::from_le_bytes)
                .ok_or_else(|| damaged("it is cut short"))
        };
        if bytes.get(..8) != Some(MAGIC.as_slice()) {
            return Err(damaged("it does not begin with PVARDRT1"));
        }
        let (stated, length) = (word(8)?, word(12)? as usize);
        let found = libdeflater::crc32(&bytes[12..]);
        if stated != found {
            return Err(TablesError::Checksum {
                name: name.to_string(),
                stated,
                found,
            });
        }
        let split = 16usize.saturating_add(length);
        let text = bytes
            .get(16..split)
            .ok_or_else(|| damaged("it is cut short"))?;
        let header: Header = serde_json::from_slice(text).map_err(|e| damaged(&e.to_string()))?;
        if header.payload_bytes > MAX_PAYLOAD {
            return Err(damaged("its stated size is not credible"));
        }
        let mut payload = vec![0; header.payload_bytes];
        let written = libdeflater::Decompressor::new()
            .zlib_decompress(&bytes[split..], &mut payload)
            .map_err(|e| damaged(&e.to_string()))?;
        if written != payload.len() {
            return Err(damaged("its payload is shorter than stated"));
        }
        Ok(Container {
            header,
            name: name.to_string(),
            payload,
        })
    }

    /// The error of this file for a reason.
    pub(super) fn damaged(&self, what: impl Into<String>) -> TablesError {
        TablesError::Damaged {
            name: self.name.clone(),
            what: what.into(),
        }
    }

    /// Values of an array, C order; its shape must be `shape` and every value finite.
    pub(super) fn array(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, TablesError> {
        let entry = self
            .header
            .arrays
            .iter()
            .find(|e| e.name == name)
            .ok_or_else(|| self.damaged(format!("array {name} is missing")))?;
        if entry.shape != shape {
            return Err(self.damaged(format!(
                "array {name} has shape {:?} but its axes say {shape:?}",
                entry.shape
            )));
        }
        let width: usize = match entry.coding.as_str() {
            "f32" => 4,
            "u16sqrt" => 2,
            other => {
                return Err(self.damaged(format!("array {name} has the unknown coding {other}")));
            }
        };
        let bytes = shape
            .iter()
            .try_fold(width, |n, &side| n.checked_mul(side))
            .and_then(|n| entry.offset.checked_add(n))
            .and_then(|end| self.payload.get(entry.offset..end))
            .ok_or_else(|| self.damaged(format!("array {name} reaches beyond the payload")))?;
        let values = if width == 4 {
            bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect()
        } else {
            if shape.len() != 6 || entry.scale.len() != shape[0] {
                return Err(self.damaged(format!(
                    "array {name}: u16sqrt needs six axes and a scale a band"
                )));
            }
            unpack_sqrt(bytes, shape, &entry.scale)
        };
        if values.iter().all(|v: &f32| v.is_finite()) {
            Ok(values)
        } else {
            Err(self.damaged(format!("array {name} holds values that are not finite")))
        }
    }
}

/// Undoes `u16sqrt`: byte planes, differences along the last and the fourth axis, square and scale.
fn unpack_sqrt(bytes: &[u8], shape: &[usize], scale: &[f32]) -> Vec<f32> {
    let count = bytes.len() / 2;
    let (low, high) = bytes.split_at(count);
    let mut counts: Vec<u16> = low
        .iter()
        .zip(high)
        .map(|(&l, &h)| u16::from_le_bytes([l, h]))
        .collect();
    let (aod, block, raa) = (shape[5], shape[4] * shape[5], shape[3]);
    for run in counts.chunks_exact_mut(aod.max(1)) {
        for k in 1..run.len() {
            run[k] = run[k].wrapping_add(run[k - 1]);
        }
    }
    for plane in counts.chunks_exact_mut((raa * block).max(1)) {
        for k in block..plane.len() {
            plane[k] = plane[k].wrapping_add(plane[k - block]);
        }
    }
    let per_band = (count / shape[0].max(1)).max(1);
    let mut values = Vec::with_capacity(count);
    for (band, &s) in counts.chunks_exact(per_band).zip(scale) {
        values.extend(band.iter().map(|&c| {
            let root = f32::from(c) * s;
            root * root
        }));
    }
    values
}
