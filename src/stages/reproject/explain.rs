//! Every number behind one pixel, so that the step can be checked by hand.

use super::kernel::{REACH, Weights};
use super::mapping::{Mapping, PixelRun};
use super::nodes::Nodes;
use super::simd::{Isa, nearest};
use super::strips::{map_strip, read_window};
use super::window::Window;
use super::working_grid::WorkingGrid;
use super::{Kernel, ReprojectError, Request, observe_refined};
use crate::sources::l1c::{Swath, TiePoints};
use crate::types::band::Strip;
use crate::types::displacement::{Displacement, Refinement};
use crate::types::geometry::{EastNorth, LonLat, RowCol};
use crate::types::grid::GridSpec;
use crate::types::grid::utm::Utm;
use crate::types::observation::Observation;
use chrono::{DateTime, Utc};

/// One output pixel: where it is, what each strip contributes, and what came out.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The output grid.
    pub grid: GridSpec,
    /// Row and column.
    pub pixel: (usize, usize),
    /// Easting and northing of its centre, metres.
    pub centre: EastNorth,
    /// Longitude and latitude of its centre, degrees.
    pub geodetic: LonLat,
    /// Kernel.
    pub kernel: Kernel,
    /// What is removed from the mapping of each band.
    pub refinement: Option<Refinement>,
    /// The strips that have the pixel in or beside their raster.
    pub strips: Vec<StripView>,
    /// What [`observe_refined`] gives for the pixel; `None` if the segment does not see the grid.
    pub result: Option<Outcome>,
}

/// What one strip contributes.
#[derive(Debug, Clone)]
pub struct StripView {
    /// The strip.
    pub strip: Strip,
    /// Its lines and pixels.
    pub shape: (usize, usize),
    /// The tie points around the place that sees the middle of the pixel.
    pub ties: TieCell,
    /// View zenith and azimuth at the middle, degrees, from the two levels of tie points.
    pub view: (f64, f64),
    /// Where the mapping is refined, what that does at the pixel.
    pub removed: Option<Removed>,
    /// The sample at the centre of the pixel, or the nine of which a 300 m pixel is the mean.
    pub parts: Vec<Part>,
}

/// A refinement at one pixel of one strip.
#[derive(Debug, Clone, Copy)]
pub struct Removed {
    /// Displacement east and north, metres.
    pub displacement: [f64; 2],
    /// Line and pixel of the middle without it; `None` where there is none.
    pub unrefined: Option<(f64, f64)>,
}

/// Four neighbouring tie points.
#[derive(Debug, Clone)]
pub struct TieCell {
    /// Raster lines of the two tie rows.
    pub lines: [f64; 2],
    /// Raster pixels of the two tie columns.
    pub pixels: [f64; 2],
    /// Ground positions per level, ascending altitude.
    pub levels: Vec<TieCorners>,
}

/// Ground positions of four tie points at one altitude.
#[derive(Debug, Clone, Copy)]
pub struct TieCorners {
    /// Metres above the ellipsoid.
    pub altitude: f64,
    /// Longitude and latitude, degrees: first row left to right, then second row.
    pub corners: [(f64, f64); 4],
}

/// One interpolated sample.
#[derive(Debug, Clone)]
pub struct Part {
    /// Row and column on the grid of the heights.
    pub pixel: (usize, usize),
    /// Ellipsoidal height, metres.
    pub height: f32,
    /// Line and pixel from the sparse nodes, as the resampling uses them.
    pub place: (f64, f64),
    /// Line and pixel by Newton's method on the tie-point model, and the distance in metres between the ground
    /// that the model sees from there and the wanted one; `None` where it finds none.
    pub exact: Option<(f64, f64, f64)>,
    /// Line and pixel of the nearest sample; `None` outside the raster.
    pub nearest: Option<(i64, i64)>,
    /// Bits of [`crate::types::observation::quality`].
    pub flags: u8,
    /// Line and pixel of the first tap.
    pub first_tap: (i64, i64),
    /// Weights of the six lines and of the six pixels.
    pub weights: [[f32; 6]; 2],
    /// TOA reflectance of the taps, line by line, as the kernel uses them (bridged and continued ones included).
    pub taps: [[f32; 6]; 6],
    /// Sum of the taps with their weights.
    pub value: f32,
}

/// Values of one pixel of an [`crate::types::observation::Observation`].
#[derive(Debug, Clone)]
pub struct Outcome {
    /// TOA reflectance BLUE, RED, NIR, SWIR.
    pub toa: [f32; 4],
    /// Bits of [`crate::types::observation::quality`].
    pub quality: [u8; 4],
    /// Solar zenith and azimuth, view zenith and azimuth of VNIR and of SWIR, degrees.
    pub angles: [f32; 6],
    /// UTC of the observation.
    pub time: DateTime<Utc>,
    /// Seconds of the RED acquisition relative to `time`.
    pub seconds: f32,
    /// Ellipsoidal height, metres.
    pub height: f32,
    /// Terrain stands before the pixel.
    pub occluded: bool,
}

/// Explains the pixel that holds a place, with a displacement of each band removed as in
/// [`observe_refined`]; `None` if the grid does not hold it.
///
/// # Errors
/// As [`observe_refined`].
pub fn explain(
    swath: &dyn Swath,
    request: &Request<'_>,
    refinement: Option<&Refinement>,
    place: LonLat,
) -> Result<Option<Explanation>, ReprojectError> {
    let grid = request.grid;
    let utm = Utm::new(grid.epsg);
    let RowCol { row, col } = grid.locate(utm.forward(place));
    let (row, col) = (row.round(), col.round());
    let inside = row >= 0.0 && col >= 0.0 && row < grid.height as f64 && col < grid.width as f64;
    if !inside {
        return Ok(None);
    }
    let pixel = (row as usize, col as usize);
    let centre = grid.centre(pixel.0, pixel.1);
    let result = observe_refined(swath, request, refinement)?.map(|o| Outcome::of(&o, pixel));
    let working = WorkingGrid::of(request)?;
    let explained = Pixel {
        swath,
        working: &working,
        weights: &Weights::of(request.kernel),
        at: pixel,
        centre,
    };
    let mut strips = Vec::new();
    for strip in Strip::ALL {
        let shift = refinement.map(|r| r[strip.band().index()]);
        strips.extend(explained.seen_by(strip, shift)?);
    }
    Ok(Some(Explanation {
        grid,
        pixel,
        centre,
        geodetic: utm.inverse(centre),
        kernel: request.kernel,
        refinement: refinement.copied(),
        strips,
        result,
    }))
}

impl Outcome {
    fn of(o: &Observation, pixel: (usize, usize)) -> Outcome {
        let angles = [
            &o.angles.sza,
            &o.angles.saa,
            &o.angles.vnir_vza,
            &o.angles.vnir_vaa,
            &o.angles.swir_vza,
            &o.angles.swir_vaa,
        ];
        Outcome {
            toa: [0, 1, 2, 3].map(|b| o.toa.bands[b][pixel]),
            quality: [0, 1, 2, 3].map(|b| o.quality.bands[b][pixel]),
            angles: angles.map(|a| a[pixel]),
            time: o.time,
            seconds: o.seconds[pixel],
            height: o.height[pixel],
            occluded: o.occluded[pixel],
        }
    }
}

/// The output pixel that is explained.
struct Pixel<'a> {
    swath: &'a dyn Swath,
    working: &'a WorkingGrid<'a>,
    weights: &'a Weights,
    /// Row and column.
    at: (usize, usize),
    /// Easting and northing of its centre.
    centre: EastNorth,
}

/// Samples beyond a raster within which a pixel counts as beside it (chosen).
const BESIDE: f64 = 2.0;

impl Pixel<'_> {
    /// What a strip contributes; `None` where it has the pixel neither in nor beside its raster.
    fn seen_by(
        &self,
        strip: Strip,
        shift: Option<Displacement>,
    ) -> Result<Option<StripView>, ReprojectError> {
        let (nodes, factor) = (&self.working.nodes, self.working.factor);
        let Some((mapping, _)) = map_strip(self.swath, strip, nodes, shift, false)? else {
            return Ok(None);
        };
        let Some(window) = read_window(self.swath, strip, &mapping, factor)? else {
            return Ok(None);
        };
        let view = Viewer {
            nodes,
            mapping: &mapping,
            window: &window,
            weights: self.weights,
            heights: self.working.heights(),
        };
        let (row, col) = (self.at.0 * factor, self.at.1 * factor);
        let parts: Vec<Part> = (0..factor * factor)
            .map(|k| view.part(row + k / factor, col + k % factor))
            .collect();
        let middle = &parts[parts.len() / 2];
        let Some((line, at, _)) = middle.exact else {
            return Ok(None);
        };
        let shape = self.swath.shape(strip);
        let beside = |x: f64, n: usize| x > -BESIDE && x < n as f64 - 1.0 + BESIDE;
        if !beside(line, shape.0) || !beside(at, shape.1) {
            return Ok(None);
        }
        let removed = match &shift {
            None => None,
            Some(shift) => Some(self.removed(strip, shift, middle)?),
        };
        let Some(ties) = cell(&*self.swath.ties(strip)?, line, at) else {
            return Ok(None);
        };
        Ok(Some(StripView {
            strip,
            shape,
            ties,
            view: mapping.model().view(&nodes.frame, line, at).angles(),
            removed,
            parts,
        }))
    }

    /// What a refinement does at the middle of the pixel.
    fn removed(
        &self,
        strip: Strip,
        shift: &Displacement,
        middle: &Part,
    ) -> Result<Removed, ReprojectError> {
        let nodes = &self.working.nodes;
        let (row, col) = middle.pixel;
        let block = (row / nodes.step, col / nodes.step);
        let height = f64::from(middle.height);
        let still = map_strip(self.swath, strip, nodes, None, false)?;
        Ok(Removed {
            displacement: shift.at(self.centre.east, self.centre.north),
            unrefined: still.and_then(|(m, _)| m.exact(nodes, block, (row, col), height)),
        })
    }
}

/// The tie points around a place, the outermost beyond them.
fn cell(ties: &TiePoints, line: f64, pixel: f64) -> Option<TieCell> {
    let before = |positions: &[f64], x: f64| {
        let last = positions.len().checked_sub(2)?;
        Some(
            positions
                .partition_point(|p| *p <= x)
                .saturating_sub(1)
                .min(last),
        )
    };
    let (i, j) = (before(&ties.lines, line)?, before(&ties.pixels, pixel)?);
    let corners = |l: &crate::sources::l1c::TieLevel| {
        [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(a, b)| {
            let k = (i + a, j + b);
            (l.lon[k], l.lat[k])
        })
    };
    Some(TieCell {
        lines: [ties.lines[i], ties.lines[i + 1]],
        pixels: [ties.pixels[j], ties.pixels[j + 1]],
        levels: ties
            .levels
            .iter()
            .map(|l| TieCorners {
                altitude: l.altitude,
                corners: corners(l),
            })
            .collect(),
    })
}

/// A strip ready to be read pixel by pixel.
struct Viewer<'a> {
    nodes: &'a Nodes,
    mapping: &'a Mapping,
    window: &'a Window,
    weights: &'a Weights,
    heights: &'a [f32],
}

impl Viewer<'_> {
    fn part(&self, row: usize, col: usize) -> Part {
        let (nodes, w) = (self.nodes, self.window);
        let height = self.heights[row * nodes.grid.width + col];
        let block = (row / nodes.step, col / nodes.step);
        let relative = nodes.relative(&[height]);
        let origin = (w.origin.0 as f64, w.origin.1 as f64);
        let (mut l, mut p) = ([0.0f32], [0.0f32]);
        let isa = Isa::Baseline;
        let run = PixelRun {
            block,
            row,
            first: col,
            every: 1,
        };
        self.mapping
            .locate(isa, nodes, run, &relative, origin, [&mut l, &mut p]);
        let mut index = [0];
        nearest(isa, w.rows, w.stride, &l, &p, &mut index);
        let (l, p) = (l[0], p[0]);
        let exact = self
            .mapping
            .exact(nodes, block, (row, col), f64::from(height))
            .map(|(line, pixel)| {
                let at = self.mapping.model().at(line, pixel, f64::from(height)).at;
                let to = self.mapping.target(nodes, row as f64, col as f64);
                (line, pixel, (at[0] - to[0]).hypot(at[1] - to[1]))
            });
        let sample = index[0] as usize;
        let (i, fi) = self.weights.cell(l, w.rows);
        let (j, fj) = self.weights.cell(p, w.stride);
        let weights = [self.weights.at(fi), self.weights.at(fj)];
        let tap = |r: usize, c: usize| {
            let at = (i + r + 1 - REACH) * w.stride + j + c + 1 - REACH;
            w.values.get(at).copied().unwrap_or(f32::NAN)
        };
        let taps: [[f32; 6]; 6] = std::array::from_fn(|r| std::array::from_fn(|c| tap(r, c)));
        let value = taps
            .iter()
            .zip(weights[0])
            .map(|(line, w)| w * line.iter().zip(weights[1]).map(|(v, w)| v * w).sum::<f32>())
            .sum();
        let raster = |k: usize, origin: i64| k as i64 + origin;
        Part {
            pixel: (row, col),
            height,
            place: (f64::from(l) + origin.0, f64::from(p) + origin.1),
            exact,
            nearest: (index[0] != u32::MAX).then(|| {
                (
                    raster(sample / w.stride, w.origin.0),
                    raster(sample % w.stride, w.origin.1),
                )
            }),
            flags: w.flags_at(index[0], l, p),
            first_tap: (
                raster(i, w.origin.0) + 1 - REACH as i64,
                raster(j, w.origin.1) + 1 - REACH as i64,
            ),
            weights,
            taps,
            value,
        }
    }
}
