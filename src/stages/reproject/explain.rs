//! Every number behind one pixel, so that the step can be checked by hand.

use super::kernel::{REACH, Weights};
use super::mapping::{Mapping, Nodes};
use super::simd::{Isa, nearest};
use super::window::Window;
use super::{Kernel, ReprojectError, Request, look, nodes, observe_refined, see, subdivision};
use crate::sources::l1c::{Swath, TiePoints};
use crate::types::band::Strip;
use crate::types::displacement::Refinement;
use crate::types::grid::GridSpec;
use crate::types::grid::utm::Utm;
use chrono::{DateTime, Utc};

/// One output pixel: where it is, what each strip contributes, and what came out.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The output grid.
    pub grid: GridSpec,
    /// Row and column.
    pub pixel: (usize, usize),
    /// Easting and northing of its centre, metres.
    pub centre: (f64, f64),
    /// Longitude and latitude of its centre, degrees.
    pub geodetic: (f64, f64),
    /// Kernel.
    pub kernel: Kernel,
    /// What is removed from the mapping of each band.
    pub refinement: Option<Refinement>,
    /// The strips that have the pixel in or beside their raster.
    pub strips: Vec<StripLook>,
    /// What [`observe_refined`] gives for the pixel; `None` if the segment does not see the grid.
    pub result: Option<Outcome>,
}

/// What one strip contributes.
#[derive(Debug, Clone)]
pub struct StripLook {
    /// The strip.
    pub strip: Strip,
    /// Its lines and pixels.
    pub shape: (usize, usize),
    /// The tie points around the place that looks at the middle of the pixel.
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
    /// Seconds of the RED look relative to `time`.
    pub seconds: f32,
    /// Ellipsoidal height, metres.
    pub height: f32,
    /// Terrain stands before the pixel.
    pub occluded: bool,
}

/// Explains the pixel that holds a longitude and latitude (degrees), with a displacement of each band removed as in
/// [`observe_refined`]; `None` if the grid does not hold them.
///
/// # Errors
/// As [`observe_refined`].
pub fn explain(
    swath: &dyn Swath,
    request: &Request<'_>,
    refinement: Option<&Refinement>,
    (lon, lat): (f64, f64),
) -> Result<Option<Explanation>, ReprojectError> {
    let grid = request.grid;
    let utm = Utm::new(grid.epsg);
    let (easting, northing) = utm.forward(lon, lat);
    let (row, col) = grid.locate(easting, northing);
    let (row, col) = (row.round(), col.round());
    let inside = row >= 0.0 && col >= 0.0 && row < grid.height as f64 && col < grid.width as f64;
    if !inside {
        return Ok(None);
    }
    let pixel = (row as usize, col as usize);
    let centre = grid.centre(pixel.0, pixel.1);
    let result = observe_refined(swath, request, refinement)?.map(|o| Outcome {
        toa: [0, 1, 2, 3].map(|b| o.toa.bands[b][pixel]),
        quality: [0, 1, 2, 3].map(|b| o.quality.bands[b][pixel]),
        angles: [
            &o.angles.sza,
            &o.angles.saa,
            &o.angles.vnir_vza,
            &o.angles.vnir_vaa,
            &o.angles.swir_vza,
            &o.angles.swir_vaa,
        ]
        .map(|a| a[pixel]),
        time: o.time,
        seconds: o.seconds[pixel],
        height: o.height[pixel],
        occluded: o.occluded[pixel],
    });
    let factor = subdivision(&grid, &request.heights.grid)?;
    let heights = request.heights.data.as_standard_layout();
    let heights = heights.as_slice().unwrap_or(&[]);
    let nodes = nodes(&request.heights.grid, factor, heights)?;
    let weights = Weights::of(request.kernel);
    let mut strips = Vec::new();
    for strip in Strip::ALL {
        let shift = refinement.map(|r| r[strip.band().index()]);
        let Some((mapping, _)) = see(swath, strip, &nodes, shift, false)? else {
            continue;
        };
        let Some(window) = look(swath, strip, &mapping, factor)? else {
            continue;
        };
        let view = Viewer {
            nodes: &nodes,
            mapping: &mapping,
            window: &window,
            weights: &weights,
            heights,
        };
        let parts: Vec<Part> = (0..factor * factor)
            .map(|k| view.part(pixel.0 * factor + k / factor, pixel.1 * factor + k % factor))
            .collect();
        let middle = parts[parts.len() / 2].exact;
        let Some((line, at, _)) = middle else {
            continue;
        };
        let shape = swath.shape(strip);
        let beside = |x: f64, n: usize| x > -2.0 && x < n as f64 + 1.0;
        if !beside(line, shape.0) || !beside(at, shape.1) {
            continue;
        }
        let removed = match &shift {
            None => None,
            Some(shift) => {
                let middle = parts[parts.len() / 2].pixel;
                let height = f64::from(parts[parts.len() / 2].height);
                let block = (middle.0 / nodes.step, middle.1 / nodes.step);
                let still = see(swath, strip, &nodes, None, false)?;
                Some(Removed {
                    displacement: shift.at(centre.0, centre.1),
                    unrefined: still
                        .and_then(|(m, _)| m.exact(&nodes, block, middle.0, middle.1, height)),
                })
            }
        };
        let Some(ties) = cell(&*swath.ties(strip)?, line, at) else {
            continue;
        };
        strips.push(StripLook {
            strip,
            shape,
            ties,
            view: mapping.surface().view(&nodes.frame, line, at).angles(),
            removed,
            parts,
        });
    }
    Ok(Some(Explanation {
        grid,
        pixel,
        centre,
        geodetic: utm.inverse(centre.0, centre.1),
        kernel: request.kernel,
        refinement: refinement.copied(),
        strips,
        result,
    }))
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

/// A strip ready to be looked at pixel by pixel.
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
        self.mapping.locate(
            isa,
            nodes,
            block,
            row,
            (col, 1),
            &relative,
            origin,
            &mut l,
            &mut p,
        );
        let mut index = [0];
        nearest(isa, w.rows, w.stride, &l, &p, &mut index);
        let (l, p) = (l[0], p[0]);
        let exact = self
            .mapping
            .exact(nodes, block, row, col, f64::from(height))
            .map(|(line, pixel)| {
                let at = self.mapping.surface().at(line, pixel, f64::from(height)).at;
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
