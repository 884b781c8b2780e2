//! Orthorectification of a segment onto a grid.
//!
//! For every output pixel and every strip the (line, pixel) that looks at it is found through the strip's
//! tie points and the pixel's height, and the native samples there are interpolated once (`design.md`,
//! Geometry; `reference/grid_reprojection.md` §4). The stages are one file each: a local frame, the smooth
//! tie-point model, the mapping on sparse nodes, the window of native samples, the kernel, and the layers
//! of angles, time, occlusion and sampling distance.

mod angles;
mod cells;
mod directions;
mod explain;
mod frame;
mod job;
mod kernel;
mod layers;
mod mapping;
mod mean;
mod node_patch;
mod occlusion;
mod resample;
mod sampling;
mod simd;
mod tie_point_model;
mod window;

#[cfg(test)]
mod tests;

pub use explain::{Explanation, Outcome, Part, Removed, StripLook, TieCell, TieCorners, explain};
pub use kernel::{BadKernelName, Kernel};
pub use sampling::{Sampling, sampling};

use crate::sources::l1c::{L1cError, Swath};
use crate::types::band::{Band, Strip};
use crate::types::displacement::{Displacement, Refinement};
use crate::types::error::{Class, Classified};
use crate::types::grid::GridSpec;
use crate::types::observation::Observation;
use crate::types::raster::{BandStack, Raster};
use cells::Cells;
use chrono::TimeDelta;
use directions::Directions;
use job::{Job, Shared};
use kernel::{Phases, Weights};
use layers::{Layers, Sources, StripGeometry, hidden};
use mapping::{Mapping, Nodes};
use ndarray::Array2;
use resample::{Plane, UNSEEN, farther, single};
use simd::Isa;
use tie_point_model::Surface;
use window::Window;

/// Ground distance between nodes, metres, rounded to whole output pixels: twice the 16 native pixels of
/// `reference/grid_reprojection.md` §4, since positions are quadratic between nodes here, not linear.
const NODE_SPACING: f64 = 3200.0;

/// What can prevent an orthorectification.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReprojectError {
    /// The swath could not be read.
    #[error(transparent)]
    Swath(#[from] L1cError),
    /// The heights lie on another grid.
    #[error(
        "heights of {heights_pixel} m pixels do not fit the output grid of {grid_pixel} m pixels: give them on the output grid, or on its 3 × 3 subdivision"
    )]
    HeightGrid {
        /// Pixel size of the heights, metres.
        heights_pixel: f64,
        /// Pixel size of the output grid, metres.
        grid_pixel: f64,
    },
    /// No height is known anywhere on the grid.
    #[error(
        "no height is known on the grid (EPSG:{epsg}, upper left {ulx} {uly}): give a DEM that covers it, or heights of sea level"
    )]
    NoHeights {
        /// Zone of the grid.
        epsg: u32,
        /// Upper-left easting.
        ulx: f64,
        /// Upper-left northing.
        uly: f64,
    },
    /// The tie points of a strip are not evenly spaced.
    #[error("tie points of strip {strip} are not evenly spaced in the raster: check LN1 and LT1")]
    UnevenTies {
        /// The strip.
        strip: Strip,
    },
    /// Both levels of tie points have the same altitude.
    #[error(
        "both tie-point levels of strip {strip} have the same altitude: check ALTITUDE or the L1C profile"
    )]
    EqualLevels {
        /// The strip.
        strip: Strip,
    },
    /// One level and no view angles: nothing says how height displaces a pixel.
    #[error(
        "strip {strip} has tie points at one altitude and no view angles: the parallax of relief is unknown"
    )]
    NoParallax {
        /// The strip.
        strip: Strip,
    },
}

impl Classified for ReprojectError {
    fn class(&self) -> Class {
        match self {
            ReprojectError::Swath(e) => e.class(),
            ReprojectError::HeightGrid { .. } => Class::Usage,
            ReprojectError::NoHeights { .. } => Class::Ancillary,
            _ => Class::Data,
        }
    }
}

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
    let factor = subdivision(&grid, &request.heights.grid)?;
    let heights = request.heights.data.as_standard_layout();
    let heights = heights.as_slice().unwrap_or(&[]);
    if grid.is_empty() || heights.len() != grid.len() * factor * factor {
        return Err(ReprojectError::HeightGrid {
            heights_pixel: request.heights.grid.pixel,
            grid_pixel: grid.pixel,
        });
    }
    let nodes = nodes(&request.heights.grid, factor, heights)?;
    let mut cells = Cells::new(&nodes, grid, factor, heights);
    let weights = Weights::of(request.kernel);
    let phases = (factor > 1).then(|| Phases::of(&weights)).flatten();
    let isa = Isa::detect();
    let shared = Shared {
        isa,
        nodes: &nodes,
        heights,
        weights: &weights,
        phases: phases.as_ref(),
    };
    let shift = |strip: Strip| refinement.map(|r| r[strip.band().index()]);
    let mut bands: [Option<(Array2<f32>, Array2<u8>)>; 4] = [None, None, None, None];
    let mut leading: Option<(Strip, StripGeometry)> = None;
    for strip in [Strip::Red, Strip::Nir, Strip::Blue] {
        let Some((mapping, directions)) =
            see(swath, strip, &nodes, shift(strip), leading.is_none())?
        else {
            continue;
        };
        let Some(window) = look(swath, strip, &mapping, factor)? else {
            continue;
        };
        if let Some(directions) = &directions {
            cells.hidden = hidden(&nodes, &cells, heights, directions, isa);
        }
        let mut plane = Plane::empty(grid.len(), 1);
        let job = Job {
            shared,
            cells: &cells,
            mapping: &mapping,
            window: &window,
        };
        single(&job, &mut plane);
        bands[strip.band().index()] = Some((
            square(&grid, plane.toa, f32::NAN),
            square(&grid, plane.flags, UNSEEN),
        ));
        if let Some(directions) = directions {
            leading = Some((
                strip,
                StripGeometry {
                    mapping,
                    directions,
                },
            ));
        }
    }
    let mut swir: [Option<StripGeometry>; 3] = [None, None, None];
    let mut plane = Plane::empty(grid.len(), 3);
    for (k, strip) in Strip::SWIR.into_iter().enumerate() {
        let Some((mapping, directions)) = see(swath, strip, &nodes, shift(strip), true)? else {
            continue;
        };
        let Some(window) = look(swath, strip, &mapping, factor)? else {
            continue;
        };
        let job = Job {
            shared,
            cells: &cells,
            mapping: &mapping,
            window: &window,
        };
        farther(&job, k as u8, swath.shape(strip).1, &mut plane);
        swir[k] = directions.map(|directions| StripGeometry {
            mapping,
            directions,
        });
    }
    let choice = plane.choice;
    if swir.iter().any(Option::is_some) {
        bands[Band::Swir.index()] = Some((
            square(&grid, plane.toa, f32::NAN),
            square(&grid, plane.flags, UNSEEN),
        ));
    }
    let (toa, flags) = stack(bands, grid);
    if flags
        .bands
        .iter()
        .all(|b| b.iter().all(|f| *f & UNSEEN == UNSEEN))
    {
        return Ok(None);
    }
    let Layers {
        angles,
        lines,
        occluded,
    } = Sources {
        nodes: &nodes,
        cells: &cells,
        isa,
        leading: leading.as_ref().map(|(_, g)| g),
        swir: [0, 1, 2].map(|k| swir[k].as_ref()),
        choice: &choice,
        quality: &flags,
    }
    .layers();
    let clock = swath.clock(leading.as_ref().map_or(Strip::Swir2, |(s, _)| *s));
    // the whole second nearest to the middle of the observed lines
    let (low, high) = extremes(lines.as_slice().unwrap_or(&[]));
    let middle = if low <= high {
        clock.first + 0.5 * f64::from(low + high) * clock.period
    } else {
        clock.first
    };
    let middle = if middle.is_finite() { middle } else { 0.0 };
    let start = swath.start();
    let nanoseconds = f64::from(start.timestamp_subsec_nanos()) * 1e-9;
    let whole = (middle + nanoseconds).round();
    let time = start + TimeDelta::milliseconds((whole * 1e3) as i64)
        - TimeDelta::nanoseconds(i64::from(start.timestamp_subsec_nanos()));
    let (first, period) = (
        (clock.first - (whole - nanoseconds)) as f32,
        clock.period as f32,
    );
    let mut seconds = lines;
    seconds.mapv_inplace(|l| first + l * period);
    Ok(Some(Observation {
        grid,
        camera: swath.camera(),
        source: swath.name().to_string(),
        time,
        toa,
        quality: flags,
        angles,
        seconds,
        height: square(&grid, cells.heights(&nodes, heights), f32::NAN),
        occluded,
    }))
}

/// Working pixels along one side of an output pixel.
fn subdivision(grid: &GridSpec, heights: &GridSpec) -> Result<usize, ReprojectError> {
    [1, 3]
        .into_iter()
        .find(|f| grid.subdivided(*f) == *heights)
        .ok_or(ReprojectError::HeightGrid {
            heights_pixel: heights.pixel,
            grid_pixel: grid.pixel,
        })
}

/// Least and largest of the finite values; infinity and its negative where there are none.
fn extremes(values: &[f32]) -> (f32, f32) {
    // several chains side by side: one alone waits for itself
    const LANES: usize = 32;
    let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    for chunk in values.chunks(LANES) {
        for ((low, high), &v) in low.iter_mut().zip(&mut high).zip(chunk) {
            let finite = v.abs() < f32::INFINITY;
            *low = if finite & (v < *low) { v } else { *low };
            *high = if finite & (v > *high) { v } else { *high };
        }
    }
    (
        low.iter().fold(f32::INFINITY, |a, b| a.min(*b)),
        high.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b)),
    )
}

/// Nodes of the working grid for the range of its heights.
fn nodes(grid: &GridSpec, factor: usize, heights: &[f32]) -> Result<Nodes, ReprojectError> {
    let (low, high) = extremes(heights);
    if low > high {
        return Err(ReprojectError::NoHeights {
            epsg: grid.epsg,
            ulx: grid.ulx,
            uly: grid.uly,
        });
    }
    let cells = (NODE_SPACING / (grid.pixel * factor as f64)).round() as usize;
    let step = factor * cells.clamp(4, 64);
    Ok(Nodes::new(*grid, step, f64::from(low), f64::from(high)))
}

/// Mapping and, if wanted, directions of a strip; `None` if it does not see the grid.
fn see(
    swath: &dyn Swath,
    strip: Strip,
    nodes: &Nodes,
    shift: Option<Displacement>,
    with_directions: bool,
) -> Result<Option<(Mapping, Option<Directions>)>, ReprojectError> {
    let shape = swath.shape(strip);
    if shape.0 == 0 || shape.1 == 0 {
        return Ok(None);
    }
    let ties = swath.ties(strip)?;
    let range = (
        nodes.heights.0 - nodes.heights.1,
        nodes.heights.0 + nodes.heights.1,
    );
    let Some(surface) = Surface::new(strip, &ties, &nodes.frame, nodes.bounds(), range)? else {
        return Ok(None);
    };
    let Some(mapping) = Mapping::new(nodes, surface, shape, shift) else {
        return Ok(None);
    };
    let directions = with_directions.then(|| Directions::new(nodes, &mapping, &ties));
    Ok(Some((mapping, directions)))
}

/// Samples of a strip, ready for means where they are made.
fn look(
    swath: &dyn Swath,
    strip: Strip,
    mapping: &Mapping,
    factor: usize,
) -> Result<Option<Window>, ReprojectError> {
    let mut window = Window::read(swath, strip, mapping.reach)?;
    if let Some(window) = window.as_mut().filter(|_| factor > 1) {
        window.survey();
    }
    Ok(window)
}

/// Bands side by side; an absent one is unseen.
fn stack(
    bands: [Option<(Array2<f32>, Array2<u8>)>; 4],
    grid: GridSpec,
) -> (BandStack<f32>, BandStack<u8>) {
    let shape = (grid.height, grid.width);
    let pairs = bands.map(|b| {
        b.unwrap_or_else(|| {
            (
                Array2::from_elem(shape, f32::NAN),
                Array2::from_elem(shape, UNSEEN),
            )
        })
    });
    let [a, b, c, d] = pairs;
    (
        BandStack {
            grid,
            bands: [a.0, b.0, c.0, d.0],
        },
        BandStack {
            grid,
            bands: [a.1, b.1, c.1, d.1],
        },
    )
}

/// Values row by row as an array; `none` everywhere if they are not as many as the pixels.
fn square<T: Clone>(grid: &GridSpec, values: Vec<T>, none: T) -> Array2<T> {
    let shape = (grid.height, grid.width);
    Array2::from_shape_vec(shape, values).unwrap_or_else(|_| Array2::from_elem(shape, none))
}
