//! The geometric check of an acquisition against a reference, and the refinement of its mapping.

mod report;
#[cfg(test)]
mod tests;

pub use report::Report;
pub(crate) use report::{Source, applied};

use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::product::{self};
use crate::sources::reference::Reference;
use crate::stages::register::{self, Check, DisplacementEstimate, Features};
use crate::types::displacement::Refinement;
use crate::types::grid::{GridSpec, Resolution, TileId};
use crate::types::observation::Observation;
use crate::types::raster::BandStack;
use crate::types::status::{Masks, qx, sm};
use chrono::{DateTime, Utc};
use ndarray::{Array2, Zip};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows of a background that are read at once.
const ROWS: usize = 128;
/// What a second check must come to, as a share of the first, to be kept.
const BETTER: f64 = 0.7;
/// Share of the values that is clear ground from which on an image counts as free of cloud, of fine and of coarse
/// pixels: a coarse pixel beside a cloud holds some of it.
const CLOUDLESS: [f64; 2] = [0.6, 0.8];
/// Share of the chips that must agree where the masks see no clear ground: below it is the odd gap in a
/// full cover of cloud, too little to go by.
const SHOWS_GROUND: f64 = 0.08;
/// Pixel size, metres, above which pixels are coarse.
const FINE_FROM: f64 = 200.0;
/// Lines and pixels that a refinement may move the window of native samples by.
pub(crate) const MARGIN: usize = 12;

/// Features of the reference on a grid, and what they are of.
#[derive(Debug)]
pub(crate) struct ReferenceFeatures {
    grid: GridSpec,
    bands: [Option<Features>; 4],
    source: Source,
}

impl ReferenceFeatures {
    /// Features of a raster on a grid.
    ///
    /// # Errors
    /// The raster cannot be read.
    pub(crate) fn of_file(
        path: &Path,
        grid: &GridSpec,
    ) -> Result<ReferenceFeatures, PipelineError> {
        let reference = Reference::open(path).map_err(PipelineError::from_stage)?;
        let fine = match is_coarse(grid) {
            true => reference
                .sample_fine(grid)
                .map_err(PipelineError::from_stage)?,
            false => None,
        };
        let bands = match fine {
            Some(fine) => {
                let found = fine.each_ref().map(Option::as_ref);
                found.map(|image| image.map(|image| Features::of_fine(*grid, image)))
            }
            None => {
                let images = reference.sample(grid).map_err(PipelineError::from_stage)?;
                edges(grid, images.each_ref().map(Option::as_ref), None)
            }
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(ReferenceFeatures {
            grid: *grid,
            bands,
            source: Source::File(name.into_owned()),
        })
    }

    /// What it is of.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }
}

/// The references a worker has used; a background, which depends on the time of the acquisition, is not kept.
#[derive(Debug, Default)]
pub(crate) struct ReferenceCache {
    kept: Vec<(PathBuf, Arc<ReferenceFeatures>)>,
}

impl ReferenceCache {
    /// The reference of an acquisition; `None` where the options name none.
    ///
    /// # Errors
    /// The raster or the background cannot be read.
    pub(crate) fn get(
        &mut self,
        config: &Config,
        tile: TileId,
        grid: &GridSpec,
        time: DateTime<Utc>,
    ) -> Result<Option<Arc<ReferenceFeatures>>, PipelineError> {
        let options = &config.geometry;
        if options.is_background() {
            return background(config.out(), tile, grid, time).map(|g| Some(Arc::new(g)));
        }
        let Some(path) = options.file() else {
            return Ok(None);
        };
        let same = |(p, g): &&(PathBuf, Arc<ReferenceFeatures>)| p == path && g.grid == *grid;
        if let Some((_, ground)) = self.kept.iter().find(same) {
            return Ok(Some(Arc::clone(ground)));
        }
        let ground = Arc::new(ReferenceFeatures::of_file(path, grid)?);
        if self.kept.len() > 1 {
            self.kept.remove(0);
        }
        self.kept.push((path.to_path_buf(), Arc::clone(&ground)));
        Ok(Some(ground))
    }
}

/// The tile's own reference at the season of an acquisition.
fn background(
    out: &Path,
    tile: TileId,
    grid: &GridSpec,
    time: DateTime<Utc>,
) -> Result<ReferenceFeatures, PipelineError> {
    let resolution = match grid.pixel {
        p if p == Resolution::M300.metres() => Resolution::M300,
        _ => Resolution::M100,
    };
    let none = || ReferenceFeatures {
        grid: *grid,
        bands: [None, None, None, None],
        source: Source::NoBackground,
    };
    let mut images: [Array2<f32>; 4] =
        std::array::from_fn(|_| Array2::from_elem((grid.height, grid.width), f32::NAN));
    for first in (0..grid.height).step_by(ROWS) {
        let rows = first..(first + ROWS).min(grid.height);
        let part = product::read_background(out, tile, resolution, rows.clone())
            .map_err(PipelineError::from_stage)?;
        let Some(part) = part else {
            return Ok(none());
        };
        for (image, values) in images.iter_mut().zip(part.at(time)) {
            image
                .slice_mut(ndarray::s![rows.clone(), ..])
                .assign(&values);
        }
    }
    Ok(ReferenceFeatures {
        grid: *grid,
        bands: edges(grid, images.each_ref().map(Some), None),
        source: Source::Background,
    })
}

/// True where pixels are few, and worth a reference that is kept as fine as it is.
fn is_coarse(grid: &GridSpec) -> bool {
    grid.pixel > FINE_FROM
}

fn edges(
    grid: &GridSpec,
    images: [Option<&Array2<f32>>; 4],
    clear: Option<&Array2<bool>>,
) -> [Option<Features>; 4] {
    let of = match is_coarse(grid) {
        true => Features::of_coarse,
        false => Features::new,
    };
    let mut found: Vec<Option<Features>> = images
        .par_iter()
        .map(|image| image.map(|image| of(*grid, image, clear)))
        .collect();
    std::array::from_fn(|b| found[b].take())
}

/// Where an acquisition shows the ground, as its own masks see it.
pub(crate) fn clear(masks: &Masks) -> Array2<bool> {
    const OTHER: u16 = qx::CLOUD_BUFFER
        | qx::SHADOW_OBJECT
        | qx::SHADOW_TEMPORAL
        | qx::SHADOW_BUFFER
        | qx::CONFIDENCE;
    let mut out = Array2::from_elem(masks.sm.dim(), false);
    Zip::from(&mut out)
        .and(&masks.sm)
        .and(&masks.qx)
        .for_each(|o, s, q| *o = s & sm::CLASS == sm::CLEAR && q & OTHER == 0);
    out
}

/// Compares the bands of an image with a reference and with each other: where its masks see the ground, and,
/// where that gives nothing, everywhere (masks of one date take bright ground for cloud; clouds do not
/// match).
pub(crate) fn check(
    toa: &BandStack<f32>,
    clear: Option<&Array2<bool>>,
    ground: Option<&ReferenceFeatures>,
) -> Check {
    let images = [0, 1, 2, 3].map(|b| Some(&toa.bands[b]));
    let reference = match ground {
        Some(g) => g.bands.each_ref().map(Option::as_ref),
        None => [None; 4],
    };
    let cloudless = clear.is_some_and(|c| {
        let (mut seen, mut ground) = (0u32, 0u32);
        for (v, c) in toa.bands[1].iter().zip(c) {
            seen += u32::from(!v.is_nan());
            ground += u32::from(!v.is_nan() && *c);
        }
        f64::from(ground) > CLOUDLESS[usize::from(is_coarse(&toa.grid))] * f64::from(seen)
    });
    let compare = |clear: Option<&Array2<bool>>| {
        let bands = edges(&toa.grid, images, clear);
        register::check(
            bands.each_ref().map(Option::as_ref),
            reference,
            clear.is_some() && cloudless,
        )
    };
    let found = compare(clear);
    let wanted = reference.iter().any(Option::is_some);
    if clear.is_some() && wanted && found.leading().is_none() {
        let bold = compare(None);
        let shows =
            |(_, m): (_, &DisplacementEstimate)| m.chips as f64 >= SHOWS_GROUND * m.compared as f64;
        if bold.leading().is_some_and(shows) {
            return bold;
        }
    }
    found
}

/// Checks an acquisition, and with `refine` observes it again without the displacement found; the second is kept if
/// its own check is better, and so is a third without what the second has left.
///
/// # Errors
/// Those of `again`.
pub(crate) fn examine<T>(
    first: T,
    refine: bool,
    ground: Option<&ReferenceFeatures>,
    seen: impl Fn(&T) -> &Observation,
    measure: impl Fn(&T) -> Check,
    mut again: impl FnMut(&T, &Refinement) -> Result<Option<T>, PipelineError>,
) -> Result<(T, Report), PipelineError> {
    let before = measure(&first);
    let pixel = seen(&first).grid.pixel;
    let mut report = Report::new(ground.map(|g| &g.source), pixel, before);
    report.look_for_heights(&seen(&first).angles);
    if !refine {
        return Ok((first, report));
    }
    let Some(refinement) = report.before.refinement() else {
        return Ok((first, report));
    };
    let Some(second) = again(&first, &refinement)? else {
        report.refused(refinement, None);
        return Ok((first, report));
    };
    let after = measure(&second);
    if after.error() >= BETTER * report.before.error() {
        report.refused(refinement, Some(after));
        return Ok((first, report));
    }
    // edges are drawn a little towards whole pixels: what is left of a large displacement is seen better
    if let Some(d) = after.left() {
        let finer = refinement.map(|r| r.moved(d[0], d[1]));
        if let Some(third) = again(&first, &finer)? {
            let last = measure(&third);
            if last.error() < after.error() {
                report.applied(finer, last);
                return Ok((third, report));
            }
        }
    }
    report.applied(refinement, after);
    Ok((second, report))
}
