//! `correct`: an observation to surface reflectance, and every term of one pixel.

use super::{ObservationFiles, cams_at, start_of, tile_of, write};
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::tasks::acquire::layers as extra_layers;
use crate::product::Extra;
use crate::product::geotiff::{Layers, read_layers};
use crate::product::layers::{self, LayerSpec};
use crate::scene::{
    AtmosphereSource, Correction, NoLaps, SceneBuilder, TileContext, UnmaskedScene, after_masking,
};
use crate::stages::atmosphere::{self, BandPoint, Point};
use crate::types::band::Band;
use crate::types::geometry::{EastNorth, LonLat, RowCol};
use crate::types::grid::utm::Utm;
use crate::types::observation::Observation;
use crate::types::reflectance::{self, NODATA, NODATA_U16, SurfaceReflectance};
use crate::types::status::{sm, usable};
use ndarray::Array2;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// Surface reflectance of the four bands in one file.
const SR: LayerSpec = LayerSpec {
    name: "SR",
    title: "Surface reflectance",
    ..layers::TOA
};

/// Corrects an observation to surface reflectance and writes `<name>_SR.tif` and `<name>_UNC.tif` below `folder`.
/// Returns the files, and what a user should know.
///
/// Further corrections and their layers as configured, the layers as floats. Slopes are judged by what `mask` keeps,
/// else by the usable pixels of `<name>_USABLE.tif` beside the observation, else by all.
/// With a `mask`, pixels that it does not call usable become no data: a USABLE layer keeps 1 and 2 (2 without SWIR),
/// a status map SM keeps its classes clear and snow, any other single band keeps what is not 0.
///
/// # Errors
/// CAMS, the tables or the mask are unusable, or the output is.
pub fn correct(
    config: &Config,
    observed: &ObservationFiles,
    mask: Option<&Path>,
    folder: &Path,
) -> Result<(Vec<PathBuf>, Vec<String>), PipelineError> {
    let (name, seen) = (observed.name(), observed.observation());
    let keep = mask.map(|path| Keep::read(path, seen)).transpose()?;
    let judged = match observed.beside(layers::USABLE.name) {
        Some(path) if mask.is_none() => Some(Keep::read(&path, seen)?),
        _ => None,
    };
    let Lit {
        mut scene,
        mut notes,
        ..
    } = Lit::read(config, observed, None)?;
    let slopes = keep.as_ref().or(judged.as_ref());
    if slopes.is_none() && config.corrections.contains(&Correction::Topography) {
        notes.push(format!(
            "{name}: no masks beside it: slopes are judged by all pixels, clouds too"
        ));
    }
    let more = after_masking(
        &config.corrections,
        &scene.observation,
        &mut scene.surface,
        |r, c| slopes.is_none_or(|k| k.0[(r, c)] != 0),
    );
    scene.applied.extend(more);
    let mut surface = scene.surface;
    if let Some(keep) = &keep {
        keep.apply(&mut surface);
    }
    let mut extras = extra_layers::applied(&scene.applied);
    extras.extend(extra_layers::parts_of_sigma(config, &surface));
    let mut files = Vec::new();
    for Extra { spec, bands, .. } in &extras {
        let path = folder.join(format!("{name}_{}.tif", spec.name));
        let nan = Some(f64::NAN);
        write(&path, seen, spec, bands, None, nan).map_err(PipelineError::from_stage)?;
        files.push(path);
    }
    let rho = surface.rho.bands.map(|b| b.mapv(reflectance::encode));
    let sigma = surface
        .sigma
        .bands
        .map(|b| b.mapv(|s| reflectance::encode_u16(s, reflectance::SCALE)));
    let scale = Some(layers::SCALE_F64);
    let sr = folder.join(format!("{name}_SR.tif"));
    write(&sr, seen, &SR, &rho, scale, Some(f64::from(NODATA)))
        .map_err(PipelineError::from_stage)?;
    let unc = folder.join(format!("{name}_UNC.tif"));
    let nodata = Some(f64::from(NODATA_U16));
    write(&unc, seen, &layers::UNC, &sigma, scale, nodata).map_err(PipelineError::from_stage)?;
    files.splice(0..0, [sr, unc]);
    Ok((files, notes))
}

/// An observation lit by the atmosphere it was seen through.
struct Lit {
    scene: UnmaskedScene,
    notes: Vec<String>,
    point: Option<Point>,
}

impl Lit {
    /// With every term of the pixel at (row, column), where one is asked for.
    fn read(
        config: &Config,
        observed: &ObservationFiles,
        pixel: Option<(usize, usize)>,
    ) -> Result<Lit, PipelineError> {
        let seen = observed.observation();
        let mut notes = observed.notes().to_vec();
        let cams = cams_at(config, start_of(seen), &mut notes)?;
        let context = TileContext::open(tile_of(&seen.grid)?, &config.ancillary()?)?;
        let parameters = config.parameters();
        let atmosphere = AtmosphereSource::default();
        let builder = SceneBuilder::new(
            &context,
            &parameters,
            seen.camera,
            &cams,
            &atmosphere,
            &NoLaps,
        )?;
        let scene = builder.unmasked(observed, false)?;
        let scene = scene.ok_or_else(|| observed.nothing_observed())?;
        notes.extend(scene.notes.iter().cloned());
        let point = match pixel {
            Some((row, col)) => {
                let state = builder.state(seen, &mut Vec::new())?;
                let point = atmosphere::explain(builder.table(), seen, &state, row, col);
                Some(point.map_err(PipelineError::from_stage)?)
            }
            None => None,
        };
        Ok(Lit {
            scene,
            notes,
            point,
        })
    }
}

/// What a mask lets through: 0 nothing, 1 all bands, 2 all but SWIR.
struct Keep(Array2<u8>);

impl Keep {
    fn read(path: &Path, seen: &Observation) -> Result<Keep, PipelineError> {
        let file: Layers<f64> = read_layers(path).map_err(PipelineError::from_stage)?;
        let wrong = |what: &str| PipelineError::Config(format!("{}: {what}", path.display()));
        if file.grid != seen.grid {
            return Err(wrong(
                "lies on another grid than the TOA file; give a mask of the same pixels",
            ));
        }
        let described = |name: &str| file.names.iter().any(|n| n.eq_ignore_ascii_case(name));
        let [band] = file.bands.as_slice() else {
            return Err(wrong("a mask has one band"));
        };
        let nodata = file.nodata.first().copied().flatten();
        Ok(Keep(band.mapv(|v| {
            let kept = if described(layers::USABLE.name) {
                match v as u8 {
                    usable::USABLE => return 1,
                    usable::VNIR_ONLY => return 2,
                    _ => false,
                }
            } else if described(layers::SM.name) {
                matches!(v as u16 & sm::CLASS, sm::CLEAR | sm::SNOW)
            } else {
                v != 0.0 && !v.is_nan() && Some(v) != nodata
            };
            u8::from(kept)
        })))
    }

    fn word(&self, row: usize, col: usize) -> &'static str {
        match self.0.get((row, col)) {
            Some(1) => "kept",
            Some(2) => "kept without SWIR",
            _ => "left out",
        }
    }

    fn apply(&self, surface: &mut SurfaceReflectance) {
        for stack in [
            &mut surface.rho,
            &mut surface.sigma,
            &mut surface.sigma_random,
        ] {
            for band in Band::ALL {
                let values = stack.bands[band.index()].iter_mut();
                for (v, keep) in values.zip(&self.0) {
                    if *keep == 0 || (*keep == 2 && band == Band::Swir) {
                        *v = f32::NAN;
                    }
                }
            }
        }
    }
}

/// One part of σ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// What it comes from.
    pub name: &'static str,
    /// 1 σ of the surface reflectance, BLUE, RED, NIR, SWIR.
    pub sigma: [f32; 4],
}

/// The correction of one pixel, every term.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Longitude and latitude asked for, degrees.
    pub place: [f64; 2],
    /// Inputs and terms.
    pub point: Point,
    /// What the mask says of the pixel, where one was given.
    pub mask: Option<&'static str>,
    /// Where the state of the atmosphere came from.
    pub atmosphere: Vec<String>,
    /// What stood in for something missing.
    pub notes: Vec<String>,
    /// Parts of σ: the random part first.
    pub parts: Vec<Part>,
    /// Surface reflectance as the products have it (coefficients interpolated from nodes), BLUE, RED, NIR, SWIR.
    pub rho: [f32; 4],
    /// Its total σ.
    pub sigma: [f32; 4],
}

/// Every term of the correction of the pixel at a longitude and latitude, degrees.
///
/// # Errors
/// The place lies outside the observation; CAMS, the tables or the mask are unusable.
pub fn explain(
    config: &Config,
    observed: &ObservationFiles,
    mask: Option<&Path>,
    lon: f64,
    lat: f64,
) -> Result<Explanation, PipelineError> {
    let seen = observed.observation();
    let utm = Utm::new(seen.grid.epsg);
    let RowCol { row, col } = seen.grid.locate(utm.forward(LonLat { lon, lat }));
    let inside = |v: f64, n: usize| {
        (v.is_finite() && v > -0.5 && v < n as f64 - 0.5).then(|| v.round() as usize)
    };
    let (Some(row), Some(col)) = (inside(row, seen.grid.height), inside(col, seen.grid.width))
    else {
        let LonLat { lon: w, lat: s } = utm.inverse(EastNorth::new(
            seen.grid.ulx,
            seen.grid.uly - seen.grid.height as f64 * seen.grid.pixel,
        ));
        let LonLat { lon: e, lat: n } = utm.inverse(EastNorth::new(
            seen.grid.ulx + seen.grid.width as f64 * seen.grid.pixel,
            seen.grid.uly,
        ));
        return Err(PipelineError::Config(format!(
            "{lon}, {lat} lies outside the observation, which reaches from {w:.4}, {s:.4} to {e:.4}, {n:.4} (longitude, latitude)"
        )));
    };
    let keep = mask.map(|path| Keep::read(path, seen)).transpose()?;
    let lit = Lit::read(config, observed, Some((row, col)))?;
    let (scene, point) = (lit.scene, lit.point);
    let point = point.ok_or_else(|| observed.nothing_observed())?;
    let (surface, state) = (&scene.surface, &scene.coefficients.state);
    let at = |stack: &crate::types::raster::BandStack<f32>| {
        stack.bands.each_ref().map(|b| b[(row, col)])
    };
    let budget = config.budget.for_origins(&state.origins);
    let mut parts = vec![Part {
        name: "random",
        sigma: at(&surface.sigma_random),
    }];
    for (b, band) in point.bands.iter().enumerate() {
        for (k, (name, sigma)) in band.systematic(&budget).into_iter().enumerate() {
            if b == 0 {
                let sigma = [f32::NAN; 4];
                parts.push(Part { name, sigma });
            }
            parts[k + 1].sigma[b] = sigma;
        }
    }
    Ok(Explanation {
        place: [lon, lat],
        mask: keep.as_ref().map(|k| k.word(row, col)),
        atmosphere: state.provenance.clone(),
        notes: lit.notes,
        parts,
        rho: at(&surface.rho),
        sigma: at(&surface.sigma),
        point,
    })
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p = &self.point;
        let [lon, lat] = self.place;
        writeln!(
            f,
            "longitude {lon}, latitude {lat}: row {}, column {}",
            p.row, p.col
        )?;
        write!(f, "height {:.1} m", p.height)?;
        match p.model_height {
            Some(z) => writeln!(f, "; AOD and water vapour moved from the model's {z:.1} m")?,
            None => writeln!(f)?,
        }
        if let Some(word) = self.mask {
            writeln!(f, "mask: {word}")?;
        }
        writeln!(f, "tables: {}", p.tables)?;
        for line in &self.atmosphere {
            writeln!(f, "{line}")?;
        }
        writeln!(
            f,
            "{:36} {:>10} {:>10} {:>10} {:>10}",
            "", "BLUE", "RED", "NIR", "SWIR"
        )?;
        let mut row = |name: &str, values: [f32; 4]| {
            write!(f, "{name:<36}")?;
            values.iter().try_for_each(|v| write!(f, " {v:>10.5}"))?;
            writeln!(f)
        };
        let of = |value: &dyn Fn(&BandPoint) -> f32| {
            std::array::from_fn(|b| p.bands.get(b).map_or(f32::NAN, value))
        };
        type Term = (&'static str, fn(&BandPoint) -> f32);
        const TERMS: [Term; 28] = [
            ("solar zenith, degrees", |b| b.input.sza),
            ("view zenith, degrees", |b| b.input.vza),
            ("relative azimuth (0 backscatter)", |b| b.input.raa),
            ("pressure, hPa", |b| b.input.pressure),
            ("AOD550", |b| b.input.aod550),
            ("water vapour, g cm-2", |b| b.input.tcwv),
            ("ozone, cm-atm", |b| b.input.ozone),
            ("TOA reflectance", |b| b.toa),
            ("path reflectance, molecules", |b| b.rayleigh.path),
            ("path reflectance, with aerosol", |b| b.mixed.path),
            ("transmittance down", |b| b.mixed.t_down),
            ("transmittance up", |b| b.mixed.t_up),
            ("spherical albedo S", |b| b.mixed.spherical_albedo),
            ("gas: ozone", |b| b.gas.ozone),
            ("gas: water vapour", |b| b.gas.water),
            ("gas: water vapour, half", |b| b.gas.water_half),
            ("gas: others", |b| b.gas.other),
            ("gas: overlap", |b| b.gas.overlap),
            ("A, over a black surface", |b| b.inverse.a),
            ("B, two-way transmittance", |b| b.inverse.b),
            ("y = (TOA - A)/B", |b| (b.toa - b.inverse.a) / b.inverse.b),
            ("surface = y/(1 + S y)", |b| b.rho),
            ("without gas and molecules", |b| b.rayleigh_corrected),
            ("change with TOA", |b| b.gain()),
            ("change with AOD550, x 0.1", |b| 0.1 * b.slope(0)),
            ("change with water vapour, x 0.1", |b| 0.1 * b.slope(1)),
            ("change with ozone, x 0.01", |b| 0.01 * b.slope(2)),
            ("change with pressure, x 10 hPa", |b| 10.0 * b.slope(3)),
        ];
        for (name, value) in TERMS {
            row(name, of(&value))?;
        }
        for part in &self.parts {
            row(
                &format!("sigma: {}", part.name.replace('_', " ")),
                part.sigma,
            )?;
        }
        row("sigma, total (as in products)", self.sigma)?;
        row("surface (as in products)", self.rho)
    }
}
