//! Reading an observation, of this program or of any other.

use super::{Known, STOOD_IN, TERRAIN, name_of};
use crate::pipeline::error::PipelineError;
use crate::product::geotiff::{Layers, read_layers};
use crate::product::{AcquisitionId, layers};
use crate::types::band::Camera;
use crate::types::grid::GridSpec;
use crate::types::observation::{Angles, Observation, quality};
use crate::types::raster::BandStack;
use chrono::{DateTime, Utc};
use ndarray::Array2;
use std::path::Path;

/// Names of angles where VNIR and SWIR share one view.
const ONE_VIEW: [&str; 4] = ["SZA", "SAA", "VZA", "VAA"];

/// Reads an observation by its TOA file. Any north-up GeoTIFF in a UTM zone will do: bands described
/// BLUE RED NIR SWIR, or four without these names in that order; floats, or scaled integers with a no-data value.
/// Angles: six bands as in `_GEOMETRY`, or SZA SAA VZA VAA for both views. Without `_QUALITY` every value counts as
/// good; without `_TERRAIN` heights are 0 m. Camera and time come from the file's tags, else from a product name,
/// else from `known`. Tells too whether the heights of `_TERRAIN` are those of the sea.
///
/// # Errors
/// A file is missing or damaged, has other bands, or camera or time cannot be told.
pub(super) fn read(toa: &Path, known: &Known) -> Result<(Observation, bool), PipelineError> {
    let name = name_of(toa);
    let beside = |layer: &str| toa.with_file_name(format!("{name}_{layer}.tif"));
    let values = read_layers::<f32>(toa).map_err(PipelineError::from_stage)?;
    let grid = values.grid;
    let toa_bands = bands(&values, toa, layers::TOA.bands, &grid)?;
    let angle_file = known.angles.clone().unwrap_or_else(|| beside("GEOMETRY"));
    let angles = angles(&angle_file, &grid)?;
    let quality = quality_of(&beside("QUALITY"), &toa_bands, &grid)?;
    let terrain = Terrain::read(&beside("TERRAIN"), &grid)?;

    let tag = |key: &str| values.tags.iter().find(|t| t.0 == key).map(|t| t.1.clone());
    let id: Option<AcquisitionId> = name.parse().ok();
    let camera = tag("CAMERA")
        .and_then(|t| Camera::ALL.into_iter().find(|c| c.name() == t))
        .or(id.map(|i| i.camera))
        .or(known.camera);
    let time = tag("TIME")
        .and_then(|t| DateTime::parse_from_rfc3339(&t).ok())
        .map(|t| t.with_timezone(&Utc))
        .or(id.map(|i| i.time))
        .or(known.time);
    let untold = |what: &str| {
        PipelineError::Config(format!(
            "{}: the {what} is not in its tags or name; give --{what}",
            toa.display()
        ))
    };
    let stood_in = terrain.stood_in;
    let observation = Observation {
        grid,
        camera: camera.ok_or_else(|| untold("camera"))?,
        source: tag("SOURCE").unwrap_or_else(|| {
            let file = toa.file_name().unwrap_or_default();
            file.to_string_lossy().into_owned()
        }),
        time: time.ok_or_else(|| untold("time"))?,
        toa: BandStack {
            grid,
            bands: four(toa_bands.into_iter()),
        },
        quality: BandStack {
            grid,
            bands: quality,
        },
        angles,
        seconds: terrain.seconds,
        height: terrain.height,
        occluded: terrain.occluded,
    };
    Ok((observation, stood_in))
}

/// Sun and view angles: six bands, or four where VNIR and SWIR share one view.
fn angles(path: &Path, grid: &GridSpec) -> Result<Angles, PipelineError> {
    let geometry = read_layers::<f32>(path).map_err(PipelineError::from_stage)?;
    let one_view = geometry.bands.len() == ONE_VIEW.len();
    let names = match one_view {
        true => &ONE_VIEW[..],
        false => layers::GEOMETRY.bands,
    };
    let mut angles = bands(&geometry, path, names, grid)?;
    if one_view {
        angles.extend_from_within(2..4);
    }
    let mut angles = angles.into_iter();
    let mut next = || angles.next().unwrap_or_default();
    Ok(Angles {
        sza: next(),
        saa: next(),
        vnir_vza: next(),
        vnir_vaa: next(),
        swir_vza: next(),
        swir_vaa: next(),
    })
}

/// Bits of quality; without a file every value counts as good.
fn quality_of(
    path: &Path,
    toa: &[Array2<f32>],
    grid: &GridSpec,
) -> Result<[Array2<u8>; 4], PipelineError> {
    if !path.exists() {
        let missing = |v: &Array2<f32>| v.mapv(|x| if x.is_nan() { quality::MISSING } else { 0 });
        return Ok(four(toa.iter().map(missing)));
    }
    let file = read_layers::<u8>(path).map_err(PipelineError::from_stage)?;
    let found = named(&file, path, layers::TOA.bands, grid)?;
    Ok(four(found.into_iter().cloned()))
}

/// What an observation knows of its terrain.
struct Terrain {
    height: Array2<f32>,
    seconds: Array2<f32>,
    occluded: Array2<bool>,
    /// Its heights are those of the sea.
    stood_in: bool,
}

impl Terrain {
    /// Without a file, level ground at 0 m.
    fn read(path: &Path, grid: &GridSpec) -> Result<Terrain, PipelineError> {
        let shape = (grid.height, grid.width);
        if !path.exists() {
            return Ok(Terrain {
                height: Array2::zeros(shape),
                seconds: Array2::zeros(shape),
                occluded: Array2::from_elem(shape, false),
                stood_in: false,
            });
        }
        let file = read_layers::<f32>(path).map_err(PipelineError::from_stage)?;
        let stood_in = heights_stood_in(path, &file);
        let mut found = bands(&file, path, &TERRAIN, grid)?.into_iter();
        let mut next = || found.next().unwrap_or_default();
        Ok(Terrain {
            height: next(),
            seconds: next(),
            occluded: next().mapv(|v| v > 0.5),
            stood_in,
        })
    }
}

fn four<T: Default + Clone>(mut items: impl Iterator<Item = Array2<T>>) -> [Array2<T>; 4] {
    std::array::from_fn(|_| items.next().unwrap_or_default())
}

/// The bands of these names, on this grid; without any of the names, as many bands in this order.
fn named<'a, T>(
    file: &'a Layers<T>,
    path: &Path,
    names: &[&str],
    grid: &GridSpec,
) -> Result<Vec<&'a Array2<T>>, PipelineError> {
    Ok(positions(file, path, names, grid)?
        .into_iter()
        .map(|k| &file.bands[k])
        .collect())
}

/// Where the bands of [`named`] lie in the file.
fn positions<T>(
    file: &Layers<T>,
    path: &Path,
    names: &[&str],
    grid: &GridSpec,
) -> Result<Vec<usize>, PipelineError> {
    if file.grid != *grid {
        return Err(PipelineError::Config(format!(
            "{}: lies on another grid than the TOA file",
            path.display()
        )));
    }
    let at = |name: &str| file.names.iter().position(|n| n.eq_ignore_ascii_case(name));
    if file.bands.len() == names.len() && names.iter().all(|name| at(name).is_none()) {
        return Ok((0..names.len()).collect());
    }
    names
        .iter()
        .map(|name| {
            at(name).ok_or_else(|| {
                PipelineError::Config(format!(
                    "{}: has no band described {name}; expected {}",
                    path.display(),
                    names.join(" ")
                ))
            })
        })
        .collect()
}

/// The same as physical values, NaN where there is no data.
fn bands(
    file: &Layers<f32>,
    path: &Path,
    names: &[&str],
    grid: &GridSpec,
) -> Result<Vec<Array2<f32>>, PipelineError> {
    let value = |k: usize| {
        let (scale, nodata) = (file.scales[k], file.nodata[k]);
        file.bands[k].mapv(|v| {
            if Some(f64::from(v)) == nodata {
                f32::NAN
            } else {
                (f64::from(v) * scale) as f32
            }
        })
    };
    let found = positions(file, path, names, grid)?;
    Ok(found.into_iter().map(value).collect())
}

/// True where the heights of a TERRAIN file are those of the sea: its tag says so, or, of a product, its record, in which
/// no DEM is named.
fn heights_stood_in(terrain: &Path, file: &Layers<f32>) -> bool {
    if file.tags.iter().any(|t| t.0 == STOOD_IN.0) {
        return true;
    }
    let record = std::fs::read(terrain.with_file_name("run.json")).ok();
    let record: Option<serde_json::Value> =
        record.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let dem = record.and_then(|r| r["recipe"]["dem"].as_array().map(Vec::is_empty));
    dem == Some(true)
}
