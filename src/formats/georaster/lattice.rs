//! Files on one lattice of cells, and their interpolation on a grid.

use super::declared::DeclaredVertical;
use super::mapping::Mapping;
use super::seam::Seams;
use super::source::{Crs, Member, Source};
use super::window::{Extent, Window};
use super::{Content, GeoRasterError};
use crate::types::grid::GridSpec;
use ndarray::{Array2, Axis, Zip};
use std::path::PathBuf;

/// Phase and pixel size agree when no cell is misplaced by more than this share of a cell. Chosen: docs/sources/terrain.md,
/// Sampling a raster on a grid.
const TOLERANCE: f64 = 0.05;

/// Cells that one window may hold (1.2 GB): a tile needs some twenty million. Chosen.
const MAX_CELLS: u64 = 300_000_000;

/// Cells that are read of files for one window: a tile with its halo has 0.9 × 10⁹ cells of 5 m, and more take minutes.
/// Chosen: docs/sources/terrain.md, Sampling a raster on a grid.
const MAX_SOURCE_CELLS: u64 = 2_000_000_000;

/// Beyond so many cells, 2⁴⁰, a position is no longer exact; chosen.
const FARTHEST: f64 = 1e12;
/// Numbers up to this are whole numbers in double precision, with a margin; definition (IEEE 754).
const WHOLE: f64 = 1e15;

/// Files of one projection, pixel size and phase, with heights above one level.
#[derive(Debug, Clone)]
pub(super) struct Lattice {
    crs: Crs,
    x0: f64,
    y0: f64,
    dx: f64,
    dy: f64,
    /// Columns of a full turn, where the lattice is one of longitudes and closes on itself.
    turn: Option<i64>,
    members: Vec<Member>,
}

/// What is filled in a pass over a lattice.
struct Pass<'a> {
    grid: &'a GridSpec,
    mapping: &'a Mapping,
    content: Content,
    out: &'a mut Array2<f32>,
    seams: &'a mut Seams,
    /// Cells between two files that were interpolated.
    bridged: usize,
}

/// How a grid meets a lattice: cells averaged by `fx × fy`, and positions in averaged cells.
#[derive(Debug, Clone, Copy)]
struct Scale {
    x0: f64,
    y0: f64,
    dx: f64,
    dy: f64,
    fx: usize,
    fy: usize,
}

impl Scale {
    /// Fractional (row, column) in averaged cells, 0 = centre of the first.
    fn locate(&self, x: f64, y: f64) -> (f64, f64) {
        (
            (y - self.y0) / self.dy / self.fy as f64 - 0.5,
            (x - self.x0) / self.dx / self.fx as f64 - 0.5,
        )
    }
}

impl Lattice {
    /// The lattice of one file.
    pub(super) fn new(source: Source) -> Lattice {
        let turns = 360.0 / source.dx.abs();
        let closes = source.crs.is_geographic() && (turns - turns.round()).abs() < TOLERANCE;
        Lattice {
            crs: source.crs.clone(),
            x0: source.x0,
            y0: source.y0,
            dx: source.dx,
            dy: source.dy,
            turn: closes.then_some(turns.round() as i64),
            members: vec![Member {
                source,
                col: 0,
                row: 0,
            }],
        }
    }

    /// Takes a file that fits; false where it does not.
    pub(super) fn accept(&mut self, source: &Source) -> bool {
        let drift = |a: f64, b: f64, n: usize| ((a - b) / a).abs() * n as f64;
        if source.crs != self.crs
            || Some(&source.declared.vertical)
                != self.sources().next().map(|s| &s.declared.vertical)
            || drift(self.dx, source.dx, source.width) > TOLERANCE
            || drift(self.dy, source.dy, source.height) > TOLERANCE
        {
            return false;
        }
        let (col, row) = (
            (source.x0 - self.x0) / self.dx,
            (source.y0 - self.y0) / self.dy,
        );
        let off = |v: f64| (v - v.round()).abs();
        if off(col) > TOLERANCE || off(row) > TOLERANCE || col.abs().max(row.abs()) > FARTHEST {
            return false;
        }
        self.members.push(Member {
            source: source.clone(),
            col: col.round() as i64,
            row: row.round() as i64,
        });
        true
    }

    /// The files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.sources().map(|s| &s.path)
    }

    /// The files with all that is known of them.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.members.iter().map(|m| &m.source)
    }

    /// Level that the heights are above, as the files declare it.
    pub(super) fn vertical(&self) -> Option<&DeclaredVertical> {
        self.sources().next()?.declared.vertical.as_ref()
    }

    /// Writes samples into the cells of `out` that are NaN; returns the number of cells between two files that were
    /// interpolated.
    pub(super) fn fill(
        &self,
        grid: &GridSpec,
        content: Content,
        out: &mut Array2<f32>,
        seams: &mut Seams,
    ) -> Result<usize, GeoRasterError> {
        seams.next_lattice();
        let mapping = match Mapping::new(grid, &self.crs) {
            Ok(mapping) => mapping,
            Err(reason) => {
                tracing::debug!(file = %self.first().display(), reason, "raster out of reach");
                return Ok(0);
            }
        };
        let mut pass = Pass {
            grid,
            mapping: &mapping,
            content,
            out,
            seams,
            bridged: 0,
        };
        if !self.crs.is_geographic() {
            self.pass(0.0, &[0], &mut pass)?;
        } else if let Some(n) = self.turn {
            self.pass(0.0, &[-2 * n, -n, 0, n, 2 * n], &mut pass)?;
        } else {
            for turn in -2..=2 {
                self.pass(f64::from(turn) * 360.0, &[0], &mut pass)?;
            }
        }
        Ok(pass.bridged)
    }

    fn first(&self) -> PathBuf {
        self.paths().next().cloned().unwrap_or_default()
    }

    /// One pass with the lattice moved by `shift` and every file repeated at the `turns` (columns).
    fn pass(&self, shift: f64, turns: &[i64], pass: &mut Pass<'_>) -> Result<(), GeoRasterError> {
        let size = pass.mapping.pixel_size();
        let factor = |pixel: f64, cell: f64| ((pixel / cell.abs() / 2.0) as usize).max(1);
        let scale = Scale {
            x0: self.x0 + shift,
            y0: self.y0,
            dx: self.dx,
            dy: self.dy,
            fx: factor(size.0, self.dx),
            fy: factor(size.1, self.dy),
        };
        // positions in cells: both are linear, so what lies between the nodes stays what it was
        let cells = pass.mapping.map(|x, y| scale.locate(x, y));
        let Some(wanted) = wanted(&cells, &scale) else {
            return Ok(());
        };
        let Some((mut window, placed)) = self.window(&wanted, turns) else {
            return Ok(());
        };
        self.check_size(&window, &placed, &scale, pass)?;
        window.allocate();
        let mut earlier = Vec::with_capacity(placed.len());
        for (member, turn) in placed {
            window.take(member, turn, pass.content, &earlier)?;
            earlier.push(Extent::of(member, turn));
        }
        window.finish();
        pass.bridged += window.bridge(&earlier);
        // land without a coast, sea without an island: nothing to interpolate
        if let Some(value) = window.uniform().filter(|_| window.holds(&wanted)) {
            pass.out
                .mapv_inplace(|v| if v.is_nan() { value } else { v });
            return Ok(());
        }
        let width = pass.grid.width;
        Zip::indexed(pass.out.axis_iter_mut(Axis(0))).par_for_each(|row, mut line| {
            cells.row(row, width, &mut |col, r, c| {
                if line[col].is_nan() {
                    line[col] = window.bilinear(r, c);
                }
            });
        });
        pass.seams.look(pass.out, &cells, &window);
        Ok(())
    }

    /// Refuses to hold or to read what does not fit.
    fn check_size(
        &self,
        window: &Window,
        placed: &[(&Member, i64)],
        scale: &Scale,
        pass: &Pass<'_>,
    ) -> Result<(), GeoRasterError> {
        let too_large = |path: PathBuf, cells| GeoRasterError::TooLarge {
            path,
            cells,
            pixel: pass.grid.pixel,
        };
        if window.cells() > MAX_CELLS {
            return Err(too_large(self.first(), window.cells()));
        }
        let of = |(member, turn): &(&Member, i64)| window.source_cells(&Extent::of(member, *turn));
        let plain: u64 = placed.iter().map(of).sum();
        if plain <= MAX_SOURCE_CELLS {
            return Ok(());
        }
        // GDAL averages from overviews where there are some; what is counted is read whole
        let mut cells = 0u64;
        for one in placed {
            let overview = match pass.content {
                Content::Continuous { .. } => one.0.source.overview(scale.fx.min(scale.fy))?,
                Content::Indicator => 1,
            };
            cells = cells.saturating_add(of(one) / (overview as u64).pow(2));
            if cells > MAX_SOURCE_CELLS {
                return Err(too_large(one.0.source.path.clone(), plain));
            }
        }
        Ok(())
    }

    /// The part of the wanted cells that files hold, and those files.
    fn window(&self, wanted: &Window, turns: &[i64]) -> Option<(Window, Vec<(&Member, i64)>)> {
        let mut placed = Vec::new();
        let mut held: Option<Window> = None;
        for member in &self.members {
            for turn in turns {
                if let Some(part) = wanted.overlap(member, *turn) {
                    placed.push((member, *turn));
                    held = Some(held.map_or(part.clone(), |h| h.union(&part)));
                }
            }
        }
        held.map(|h| (h, placed))
    }
}

/// The cells that a grid needs, given its positions in cells (row, column).
fn wanted(cells: &Mapping, scale: &Scale) -> Option<Window> {
    let (mut rows, mut cols) = (Bounds::default(), Bounds::default());
    cells.x.iter().for_each(|r| rows.add(*r));
    cells.y.iter().for_each(|c| cols.add(*c));
    // two cells around: one for interpolation, one for the sag between exact positions
    Some(Window::new(
        rows.whole(2)?,
        cols.whole(2)?,
        scale.fx,
        scale.fy,
    ))
}

/// Range of a coordinate.
#[derive(Debug, Clone, Copy)]
struct Bounds(f64, f64);

impl Default for Bounds {
    fn default() -> Self {
        Bounds(f64::INFINITY, f64::NEG_INFINITY)
    }
}

impl Bounds {
    fn add(&mut self, v: f64) {
        self.0 = self.0.min(v);
        self.1 = self.1.max(v);
    }

    /// Whole cells, with a margin; `None` where the range is beyond exact integers.
    fn whole(&self, margin: i64) -> Option<(i64, i64)> {
        let exact = self.0.abs().max(self.1.abs()) < WHOLE;
        exact.then(|| {
            (
                self.0.floor() as i64 - margin,
                self.1.ceil() as i64 + margin + 1,
            )
        })
    }
}
