//! Orthorectification of a segment onto a grid.
//!
//! For every output pixel and every strip the (line, pixel) that sees it is found through the strip's
//! tie points and the pixel's height, and the native samples there are interpolated once
//! (`docs/sources/geometry.md`, Orthorectification). The steps are one file each: a local frame, the smooth
//! tie-point model, the mapping on sparse nodes, the window of native samples, the kernel, and the layers
//! of angles, time, occlusion and sampling distance.

mod angles;
mod cells;
mod directions;
mod error;
mod explain;
mod job;
mod kernel;
mod layers;
mod local_frame;
mod mapping;
mod mean;
mod node_patch;
mod nodes;
mod occlusion;
mod resample;
mod sampling;
mod simd;
mod strips;
mod tie_point_model;
mod timing;
mod window;
mod working_grid;

#[cfg(test)]
mod tests;

pub use error::ReprojectError;
pub use explain::{Explanation, Outcome, Part, Removed, StripView, TieCell, TieCorners, explain};
pub use kernel::{BadKernelName, Kernel};
pub use sampling::{Sampling, sampling};

use crate::sources::l1c::Swath;
use crate::types::band::Strip;
use crate::types::displacement::Refinement;
use crate::types::grid::GridSpec;
use crate::types::observation::Observation;
use crate::types::raster::Raster;
use cells::Cells;
use job::Shared;
use kernel::{Phases, Weights};
use layers::{Layers, Sources};
use simd::Isa;
use strips::{Bands, Strips, square};
use working_grid::WorkingGrid;

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The output grid.
    pub grid: GridSpec,
    /// Ellipsoidal heights, metres, on the output grid (a pixel is one interpolated value at its centre) or
    /// on its 3 × 3 subdivision (a pixel is the mean of nine interpolated values). A pixel whose height is
    /// NaN is not observed.
    pub heights: &'a Raster<f32>,
    /// Interpolation between native samples.
    pub kernel: Kernel,
}

/// One segment on one grid; `None` if the segment does not see the grid.
///
/// A pixel has a value in a band where it lies in the strip's raster and its nearest native sample is
/// valid, or is a single missing detector or line between two valid ones (then `INTERPOLATED`). A mean of
/// nine has a value where five or more of them do. SWIR comes from one strip per pixel, the one
/// whose end is farther. Angles and time are those of RED (of NIR or BLUE in a file without RED).
///
/// # Errors
/// The swath cannot be read, its tie points make no sense, or the heights do not fit the grid.
///
/// ```
/// use chrono::DateTime;
/// use ndarray::Array2;
/// use probav_ard::sources::l1c::{LineClock, StripInMemory, SwathInMemory, TieAngles, TieLevel, TiePoints};
/// use probav_ard::stages::reproject::{Kernel, Request, observe};
/// use probav_ard::types::band::{Band, Camera};
/// use probav_ard::types::geometry::EastNorth;
/// use probav_ard::types::grid::{GridSpec, utm::Utm};
/// use probav_ard::types::raster::Raster;
/// use std::sync::Arc;
///
/// // RED samples every 100 m, seen from straight above
/// let utm = Utm::new(32631);
/// let axis: Vec<f64> = (0..=10).map(|k| 8.0 * f64::from(k)).collect();
/// let place = |(i, j): (usize, usize)| utm.inverse(EastNorth::new(600_000.0 + 100.0 * axis[j], 5_700_000.0 - 100.0 * axis[i]));
/// let level = |altitude: f64| TieLevel {
///     altitude,
///     lon: Array2::from_shape_fn((11, 11), |k| place(k).lon),
///     lat: Array2::from_shape_fn((11, 11), |k| place(k).lat),
/// };
/// let plane = |degrees: f32| Array2::from_elem((11, 11), degrees);
/// let red = StripInMemory {
///     ties: Arc::new(TiePoints {
///         lines: axis.clone(),
///         pixels: axis.clone(),
///         levels: vec![level(0.0), level(5000.0)],
///         angles: Some(TieAngles { sza: plane(40.0), saa: plane(150.0), vza: plane(0.0), vaa: plane(0.0) }),
///     }),
///     toa: Array2::from_elem((81, 81), 0.2),
///     quality: Array2::zeros((81, 81)),
/// };
/// let swath = SwathInMemory {
///     name: "in memory".to_string(),
///     camera: Camera::Center,
///     start: DateTime::UNIX_EPOCH,
///     clock: LineClock { first: 0.0, period: 0.015 },
///     strips: [None, Some(red), None, None, None, None],
/// };
///
/// let grid = GridSpec { epsg: 32631, ulx: 602_000.0, uly: 5_698_000.0, pixel: 100.0, width: 20, height: 20 };
/// let request = Request { grid, heights: &Raster::filled(grid, 0.0), kernel: Kernel::default() };
/// let seen = observe(&swath, &request)?.expect("the swath lies over the grid");
/// assert!((seen.toa[Band::Red][(10, 10)] - 0.2).abs() < 1e-6);
/// assert!(seen.toa[Band::Nir][(10, 10)].is_nan(), "there is no NIR strip");
/// assert!((seen.angles.sza[(10, 10)] - 40.0).abs() < 1e-3);
/// # Ok::<(), probav_ard::stages::reproject::ReprojectError>(())
/// ```
pub fn observe(
    swath: &dyn Swath,
    request: &Request<'_>,
) -> Result<Option<Observation>, ReprojectError> {
    observe_refined(swath, request, None)
}

/// As [`observe`], with a displacement of each band removed: the mapping is moved before the one
/// resampling, nothing is interpolated twice.
///
/// # Errors
/// As [`observe`].
pub fn observe_refined(
    swath: &dyn Swath,
    request: &Request<'_>,
    refinement: Option<&Refinement>,
) -> Result<Option<Observation>, ReprojectError> {
    let grid = request.grid;
    let working = WorkingGrid::of(request)?;
    let (nodes, heights) = (&working.nodes, working.heights());
    let weights = Weights::of(request.kernel);
    let phases = (working.factor > 1).then(|| Phases::of(&weights)).flatten();
    let isa = Isa::detect();
    let strips = Strips {
        swath,
        refinement,
        shared: Shared {
            isa,
            nodes,
            heights,
            weights: &weights,
            phases: phases.as_ref(),
        },
    };
    let mut cells = Cells::new(nodes, grid, working.factor, heights);
    let mut bands = Bands::none(grid);
    let leading = strips.vnir(&mut cells, &mut bands)?;
    let swir = strips.swir(&cells, &mut bands)?;
    let Some((toa, quality)) = bands.stacked() else {
        return Ok(None);
    };
    let Layers {
        angles,
        lines,
        occluded,
    } = Sources {
        nodes,
        cells: &cells,
        isa,
        leading: leading.as_ref().map(|(_, g)| g),
        swir: swir.strips.each_ref().map(Option::as_ref),
        choice: &swir.choice,
        quality: &quality,
    }
    .layers();
    let clock = swath.clock(leading.as_ref().map_or(Strip::Swir2, |(s, _)| *s));
    let (time, seconds) = timing::times(lines, clock, swath.start());
    Ok(Some(Observation {
        grid,
        camera: swath.camera(),
        source: swath.name().to_string(),
        time,
        toa,
        quality,
        angles,
        seconds,
        height: square(&grid, cells.heights(nodes, heights), f32::NAN),
        occluded,
    }))
}
