//! An orthorectified look as GeoTIFFs of one name:
//!
//! | file | bands | type |
//! |---|---|---|
//! | `<name>_TOA.tif` | BLUE RED NIR SWIR | float32 TOA reflectance, NaN = no data |
//! | `<name>_QUALITY.tif` | BLUE RED NIR SWIR | uint8, bits of [`crate::types::observation::quality`] |
//! | `<name>_GEOMETRY.tif` | SZA SAA VNIR_VZA VNIR_VAA SWIR_VZA SWIR_VAA | float32 degrees |
//! | `<name>_TERRAIN.tif` | HEIGHT SECONDS OCCLUDED INCIDENCE VNIR_ACROSS VNIR_ALONG SWIR_ACROSS SWIR_ALONG | float32: ellipsoidal metres; seconds of the RED look from the look's time; 1 = hidden by terrain; degrees between the Sun and the ground's normal; metres on level ground between native samples |

use crate::pipeline::error::PipelineError;
use crate::product::geotiff::{Layer, Layers, read_layers, write_layers};
use crate::product::{AcquisitionId, Extra, ProductError, layers};
use crate::types::band::Camera;
use crate::types::grid::GridSpec;
use crate::types::observation::{Angles, Observation, quality};
use crate::types::raster::BandStack;
use chrono::{DateTime, Utc};
use ndarray::Array2;
use std::path::{Path, PathBuf};

/// What a look needs of its terrain.
const TERRAIN: [&str; 3] = ["HEIGHT", "SECONDS", "OCCLUDED"];

/// Writes a look with its layer of terrain; returns its files.
///
/// # Errors
/// A file cannot be written.
pub fn write(
    seen: &Observation,
    terrain: &Extra,
    folder: &Path,
    name: &str,
) -> Result<Vec<PathBuf>, ProductError> {
    let tags = [
        ("SOURCE".to_string(), seen.source.clone()),
        ("CAMERA".to_string(), seen.camera.name().to_string()),
        ("TIME".to_string(), seen.time.to_rfc3339()),
    ];
    let path = |layer: &str| folder.join(format!("{name}_{layer}.tif"));
    let files = ["TOA", "QUALITY", "GEOMETRY", "TERRAIN"].map(path);
    let angles = seen.angles.layers();
    floats(
        &files[0],
        &seen.grid,
        layers::TOA.bands,
        &seen.toa.bands.each_ref(),
        &tags,
    )?;
    let quality: Vec<Layer<'_, u8>> = layers::TOA
        .bands
        .iter()
        .zip(&seen.quality.bands)
        .map(|(name, data)| Layer {
            name,
            data: data.view(),
            scale: None,
            nodata: None,
        })
        .collect();
    write_layers(&files[1], &seen.grid, &quality, &tags)?;
    floats(
        &files[2],
        &seen.grid,
        layers::GEOMETRY.bands,
        &angles,
        &tags,
    )?;
    let lie: Vec<&Array2<f32>> = terrain.bands.iter().collect();
    let named = terrain.spec.tags(name);
    let tags: Vec<_> = tags.iter().cloned().chain(named).collect();
    floats(&files[3], &seen.grid, terrain.spec.bands, &lie, &tags)?;
    Ok(files.to_vec())
}

fn floats(
    path: &Path,
    grid: &GridSpec,
    names: &[&str],
    data: &[&Array2<f32>],
    tags: &[(String, String)],
) -> Result<(), ProductError> {
    let layers: Vec<Layer<'_, f32>> = names
        .iter()
        .zip(data)
        .map(|(name, data)| Layer {
            name,
            data: data.view(),
            scale: None,
            nodata: Some(f64::NAN),
        })
        .collect();
    write_layers(path, grid, &layers, tags)
}

/// What a look's own files may leave open.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Camera.
    pub camera: Option<Camera>,
    /// Time of observation.
    pub time: Option<DateTime<Utc>>,
    /// File of angles, where it is not `<name>_GEOMETRY.tif` beside the TOA file.
    pub angles: Option<PathBuf>,
}

/// Names of angles where VNIR and SWIR share one view.
const ONE_VIEW: [&str; 4] = ["SZA", "SAA", "VZA", "VAA"];

/// Name of a look: that of its TOA file without `_TOA` and ending.
pub fn name_of(toa: &Path) -> String {
    let stem = toa.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_suffix("_TOA").unwrap_or(&stem).to_string()
}

/// True where a look brings its own heights (`<name>_TERRAIN.tif`).
pub fn has_terrain(toa: &Path) -> bool {
    toa.with_file_name(format!("{}_TERRAIN.tif", name_of(toa)))
        .exists()
}

/// Reads a look by its TOA file; returns its name too. Any north-up GeoTIFF in a UTM zone will do: bands described
/// BLUE RED NIR SWIR, or four without these names in that order; floats, or scaled integers with a no-data value.
/// Angles: six bands as in `_GEOMETRY`, or SZA SAA VZA VAA for both views. Without `_QUALITY` every value counts as
/// good; without `_TERRAIN` heights are 0 m. Camera and time come from the file's tags, else from a product name,
/// else from `known`.
///
/// # Errors
/// A file is missing or damaged, has other bands, or camera or time cannot be told.
pub fn read(toa: &Path, known: &Known) -> Result<(String, Observation), PipelineError> {
    let name = name_of(toa);
    let beside = |layer: &str| toa.with_file_name(format!("{name}_{layer}.tif"));
    let values = read_layers::<f32>(toa).map_err(PipelineError::from_stage)?;
    let angle_file = known.angles.clone().unwrap_or_else(|| beside("GEOMETRY"));
    let geometry = read_layers::<f32>(&angle_file).map_err(PipelineError::from_stage)?;
    let grid = values.grid;
    let toa_bands = bands(&values, toa, layers::TOA.bands, &grid)?;
    let one_view = geometry.bands.len() == ONE_VIEW.len();
    let names = match one_view {
        true => &ONE_VIEW[..],
        false => layers::GEOMETRY.bands,
    };
    let mut angles = bands(&geometry, &angle_file, names, &grid)?;
    if one_view {
        angles.extend_from_within(2..4);
    }
    let mut angles = angles.into_iter();
    let mut next = || angles.next().unwrap_or_default();
    let angles = Angles {
        sza: next(),
        saa: next(),
        vnir_vza: next(),
        vnir_vaa: next(),
        swir_vza: next(),
        swir_vaa: next(),
    };

    let missing = |v: &Array2<f32>| v.mapv(|x| if x.is_nan() { quality::MISSING } else { 0 });
    let quality = if beside("QUALITY").exists() {
        let q = read_layers::<u8>(&beside("QUALITY")).map_err(PipelineError::from_stage)?;
        let q = named(&q, &beside("QUALITY"), layers::TOA.bands, &grid)?;
        four(q.into_iter().cloned())
    } else {
        four(toa_bands.iter().map(missing))
    };
    let shape = (grid.height, grid.width);
    let (height, seconds, occluded) = if beside("TERRAIN").exists() {
        let t = read_layers::<f32>(&beside("TERRAIN")).map_err(PipelineError::from_stage)?;
        let mut t = bands(&t, &beside("TERRAIN"), &TERRAIN, &grid)?.into_iter();
        let mut next = || t.next().unwrap_or_default();
        (next(), next(), next().mapv(|v| v > 0.5))
    } else {
        (
            Array2::zeros(shape),
            Array2::zeros(shape),
            Array2::from_elem(shape, false),
        )
    };

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
        seconds,
        height,
        occluded,
    };
    Ok((name, observation))
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
