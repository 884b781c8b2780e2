//! A window of (averaged) cells, filled from several files.

mod bridge;
mod merge;

use super::source::{Member, Source};
use super::{Content, GeoRasterError};
use gdal::raster::{RasterBand, ResampleAlg};
use ndarray::{Array2, s};

/// Numbers beyond this are the usual undeclared no data of 32-bit floats (−3.4e38, 1e38); chosen.
const NO_DATA: f32 = 1e37;
/// Rows read at once; chosen.
const ROWS: usize = 256;

/// The source cells of a lattice that a file holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    rows: (i64, i64),
    cols: (i64, i64),
}

impl Extent {
    /// The cells of a file moved by `turn` columns.
    pub(super) fn of(member: &Member, turn: i64) -> Extent {
        let (row, col) = (member.row, member.col + turn);
        Extent {
            rows: (row, row + member.source.height as i64),
            cols: (col, col + member.source.width as i64),
        }
    }

    /// The cells of both.
    fn meet(&self, other: &Extent) -> Extent {
        let both = |a: (i64, i64), b: (i64, i64)| (a.0.max(b.0), a.1.min(b.1));
        Extent {
            rows: both(self.rows, other.rows),
            cols: both(self.cols, other.cols),
        }
    }

    fn cells(&self) -> u64 {
        let n = |r: (i64, i64)| u64::try_from(r.1 - r.0).unwrap_or(0);
        n(self.rows).saturating_mul(n(self.cols))
    }
}

/// Cells `rows.0..rows.1 × cols.0..cols.1` of a lattice averaged by `fx × fy`.
#[derive(Debug, Clone)]
pub(super) struct Window {
    rows: (i64, i64),
    cols: (i64, i64),
    fx: usize,
    fy: usize,
    /// Sum of the values, then their mean; NaN where there is none.
    data: Array2<f32>,
    /// Number of source cells behind each value, while averaging.
    weight: Array2<f32>,
}

/// A stretch of source cells that makes `n` averaged cells of `per` cells each.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    /// First cell within the file.
    source: usize,
    /// Cells of the file.
    len: usize,
    /// First averaged cell within the window.
    target: usize,
    /// Averaged cells.
    n: usize,
}

impl Window {
    /// A window without cells allocated yet.
    pub(super) fn new(rows: (i64, i64), cols: (i64, i64), fx: usize, fy: usize) -> Window {
        Window {
            rows,
            cols,
            fx,
            fy,
            data: Array2::zeros((0, 0)),
            weight: Array2::zeros((0, 0)),
        }
    }

    /// The part that a file, moved by `turn` columns, can fill.
    pub(super) fn overlap(&self, member: &Member, turn: i64) -> Option<Window> {
        let meet = |wanted: (i64, i64), start: i64, n: usize, f: usize| {
            let f = f as i64;
            let end = start + n as i64;
            let part = (
                wanted.0.max(start.div_euclid(f)),
                wanted.1.min(-(-end).div_euclid(f)),
            );
            (part.0 < part.1).then_some(part)
        };
        let rows = meet(self.rows, member.row, member.source.height, self.fy)?;
        let cols = meet(self.cols, member.col + turn, member.source.width, self.fx)?;
        Some(Window::new(rows, cols, self.fx, self.fy))
    }

    /// The smallest window that holds both.
    pub(super) fn union(&self, other: &Window) -> Window {
        let hull = |a: (i64, i64), b: (i64, i64)| (a.0.min(b.0), a.1.max(b.1));
        Window::new(
            hull(self.rows, other.rows),
            hull(self.cols, other.cols),
            self.fx,
            self.fy,
        )
    }

    fn shape(&self) -> (usize, usize) {
        let n = |r: (i64, i64)| usize::try_from(r.1 - r.0).unwrap_or(0);
        (n(self.rows), n(self.cols))
    }

    /// Number of cells.
    pub(super) fn cells(&self) -> u64 {
        let (h, w) = self.shape();
        h as u64 * w as u64
    }

    /// Source cells behind the part that a file can fill.
    pub(super) fn source_cells(&self, extent: &Extent) -> u64 {
        let (fx, fy) = (self.fx as i64, self.fy as i64);
        let own = Extent {
            rows: (self.rows.0 * fy, self.rows.1 * fy),
            cols: (self.cols.0 * fx, self.cols.1 * fx),
        };
        own.meet(extent).cells()
    }

    fn averages(&self) -> bool {
        self.fx * self.fy > 1
    }

    /// Makes room, everything empty.
    pub(super) fn allocate(&mut self) {
        if self.averages() {
            self.data = Array2::zeros(self.shape());
            self.weight = Array2::zeros(self.shape());
        } else {
            self.data = Array2::from_elem(self.shape(), f32::NAN);
        }
    }

    /// Reads the cells of one file, moved by `turn` columns. Where cells are not averaged, one that already has a value
    /// keeps it; else see [`Window::merge`].
    fn read(&mut self, member: &Member, turn: i64, content: Content) -> Result<(), GeoRasterError> {
        let source = &member.source;
        let failed = |e: gdal::errors::GdalError| GeoRasterError::Read {
            path: source.path.clone(),
            reason: e.to_string(),
        };
        source.read(|data| {
            let band = data.rasterband(source.opening.band).map_err(failed)?;
            let reader = Reader::new(&band, source, content);
            let col_spans = spans(
                self.cols,
                member.col + turn,
                source.width,
                self.fx,
                usize::MAX,
            );
            let most = (ROWS / self.fy).max(1);
            for down in spans(self.rows, member.row, source.height, self.fy, most) {
                for across in &col_spans {
                    reader.add(&down, across, self).map_err(failed)?;
                }
            }
            Ok(())
        })
    }

    /// Turns sums into means.
    pub(super) fn finish(&mut self) {
        if self.averages() {
            ndarray::Zip::from(&mut self.data)
                .and(&self.weight)
                .for_each(|v, w| *v = if *w > 0.0 { *v / *w } else { f32::NAN });
            self.weight = Array2::zeros((0, 0));
        }
    }

    /// Adds the values of `part` (`per` × 1 source cells a cell), each of a weight, to the cells of `row` from
    /// `col` on.
    fn add(&mut self, row: usize, col: usize, part: &[f32], per: usize, weight: f32) {
        let cells = col..col + part.len() / per;
        let mut data = self.data.slice_mut(s![row, cells.clone()]);
        if self.weight.is_empty() {
            for (cell, value) in data.iter_mut().zip(part) {
                if cell.is_nan() {
                    *cell = *value;
                }
            }
            return;
        }
        let mut weights = self.weight.slice_mut(s![row, cells]);
        for ((cell, sum), values) in data
            .iter_mut()
            .zip(&mut weights)
            .zip(part.chunks_exact(per))
        {
            for value in values.iter().filter(|v| !v.is_nan()) {
                *cell += value * weight;
                *sum += weight;
            }
        }
    }

    /// The value of all cells, where it is one.
    pub(super) fn uniform(&self) -> Option<f32> {
        let first = *self.data.first()?;
        self.data.iter().all(|v| *v == first).then_some(first)
    }

    /// True if the cells of the other are all there.
    pub(super) fn holds(&self, other: &Window) -> bool {
        let within = |a: (i64, i64), b: (i64, i64)| b.0 <= a.0 && a.1 <= b.1;
        within(other.rows, self.rows) && within(other.cols, self.cols)
    }

    /// Bilinear value at fractional lattice coordinates (averaged cells, 0 = centre of cell 0), over
    /// the cells that hold data; NaN where the cell that contains the point does not.
    #[inline]
    pub(super) fn bilinear(&self, row: f64, col: f64) -> f32 {
        let (row, col) = (row - self.rows.0 as f64, col - self.cols.0 as f64);
        let (height, width) = self.data.dim();
        if row >= 0.0 && col >= 0.0 {
            // truncation is the floor of what is not negative
            let (i, j) = (row as usize, col as usize);
            if i + 1 < height && j + 1 < width {
                let (fy, fx) = ((row - i as f64) as f32, (col - j as f64) as f32);
                let at = |r, c| self.data[(r, c)];
                let above = at(i, j) + fx * (at(i, j + 1) - at(i, j));
                let below = at(i + 1, j) + fx * (at(i + 1, j + 1) - at(i + 1, j));
                let value = above + fy * (below - above);
                if !value.is_nan() {
                    return value;
                }
            }
        }
        self.bilinear_with_gaps(row, col)
    }

    /// [`Window::bilinear`] at window coordinates, where a cell may hold nothing or lie outside.
    fn bilinear_with_gaps(&self, row: f64, col: f64) -> f32 {
        let cell = |r: f64, c: f64| {
            let inside = r >= 0.0 && c >= 0.0;
            let value = inside
                .then(|| self.data.get((r as usize, c as usize)))
                .flatten();
            value.copied().unwrap_or(f32::NAN)
        };
        if cell((row + 0.5).floor(), (col + 0.5).floor()).is_nan() {
            return f32::NAN;
        }
        let (i, j) = (row.floor(), col.floor());
        let (fy, fx) = (row - i, col - j);
        let corners = [
            (cell(i, j), (1.0 - fy) * (1.0 - fx)),
            (cell(i, j + 1.0), (1.0 - fy) * fx),
            (cell(i + 1.0, j), fy * (1.0 - fx)),
            (cell(i + 1.0, j + 1.0), fy * fx),
        ];
        let (mut sum, mut weight) = (0.0, 0.0);
        for (value, w) in corners {
            if !value.is_nan() {
                sum += f64::from(value) * w;
                weight += w;
            }
        }
        (sum / weight) as f32
    }
}

/// Splits the overlap of a file (`n` cells from lattice position `start`) with the averaged cells
/// `wanted` into whole averaged cells, at most `most` at once, and the partial ones at its ends.
fn spans(wanted: (i64, i64), start: i64, n: usize, f: usize, most: usize) -> Vec<Span> {
    let step = f as i64;
    let end = start + n as i64;
    let from = start.max(wanted.0 * step);
    let to = end.min(wanted.1 * step);
    let mut out = Vec::new();
    let mut at = from;
    while at < to {
        let cell = at.div_euclid(step);
        let whole = (to - at) / step;
        let (len, count) = if at == cell * step && whole > 0 {
            let count = whole.min(i64::try_from(most).unwrap_or(i64::MAX));
            (count * step, count)
        } else {
            (((cell + 1) * step).min(to) - at, 1)
        };
        out.push(Span {
            source: (at - start) as usize,
            len: len as usize,
            target: (cell - wanted.0) as usize,
            n: count as usize,
        });
        at += len;
    }
    out
}

/// A band of an open file and the meaning of its numbers.
struct Reader<'a> {
    band: &'a RasterBand<'a>,
    mask: Option<RasterBand<'a>>,
    nodata: Option<f32>,
    scale: f32,
    offset: f32,
    content: Content,
}

impl<'a> Reader<'a> {
    fn new(band: &'a RasterBand<'a>, source: &Source, content: Content) -> Reader<'a> {
        let masked = band
            .mask_flags()
            .is_ok_and(|m| !m.is_all_valid() && !m.is_nodata());
        let unit = source.metres;
        Reader {
            band,
            mask: if masked {
                band.open_mask_band().ok()
            } else {
                None
            },
            nodata: band.no_data_value().map(|v| v as f32),
            scale: (band.scale().unwrap_or(1.0) * unit) as f32,
            offset: (band.offset().unwrap_or(0.0) * unit) as f32,
            content,
        }
    }

    /// Stored numbers into values, NaN where they are none.
    fn decode(&self, numbers: &mut [f32]) {
        // NaN equals nothing: no number is no data where the file declares none
        let nodata = self.nodata.unwrap_or(f32::NAN);
        let empty = |raw: f32| raw == nodata || raw.is_nan() || raw.abs() > NO_DATA;
        let (scale, offset) = (self.scale, self.offset);
        match self.content {
            Content::Indicator => numbers.iter_mut().for_each(|v| {
                let set = f32::from(u8::from(*v != 0.0));
                *v = if empty(*v) { f32::NAN } else { set };
            }),
            Content::Continuous { min, max } => numbers.iter_mut().for_each(|v| {
                let value = *v * scale + offset;
                let valid = !empty(*v) && value >= min && value <= max;
                *v = if valid { value } else { f32::NAN };
            }),
        }
    }

    fn add(&self, down: &Span, across: &Span, window: &mut Window) -> gdal::errors::Result<()> {
        let at = (across.source as isize, down.source as isize);
        let cells = (across.len, down.len);
        // GDAL averages a quantity (from overviews where there are some); a share must be counted here
        let size = match self.content {
            Content::Continuous { .. } => (across.n, down.n),
            Content::Indicator => cells,
        };
        let read = |band: &RasterBand<'_>| -> gdal::errors::Result<Vec<f32>> {
            let mut buffer = vec![0f32; size.0 * size.1];
            band.read_into_slice(at, cells, size, &mut buffer, Some(ResampleAlg::Average))?;
            Ok(buffer)
        };
        let mut values = read(self.band)?;
        self.decode(&mut values);
        if let Some(mask) = &self.mask {
            for (v, m) in values.iter_mut().zip(read(mask)?) {
                if m == 0.0 {
                    *v = f32::NAN;
                }
            }
        }
        let (per_row, per_col) = (size.1 / down.n, size.0 / across.n);
        let weight = (cells.0 * cells.1) as f32 / (size.0 * size.1) as f32;
        for (row, line) in values.chunks_exact(size.0).enumerate() {
            let row = down.target + row / per_row;
            window.add(row, across.target, line, per_col, weight);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_every_cell_once() {
        for (wanted, start, n, f, most) in [
            ((0, 10), -3, 17, 4, 100),
            ((-5, 5), -7, 3, 5, 100),
            ((-2, 3), -9, 40, 3, 2),
            ((0, 7), 0, 7, 1, 3),
        ] {
            let parts = spans(wanted, start, n, f, most);
            let mut next = None;
            for p in &parts {
                assert!(next.is_none_or(|v| v == p.source), "{parts:?}");
                next = Some(p.source + p.len);
                assert!(p.n <= most && (p.n == 1 || p.len == p.n * f));
                let first = (start + p.source as i64).div_euclid(f as i64) - wanted.0;
                assert_eq!(first, p.target as i64);
            }
            let from = start.max(wanted.0 * f as i64);
            let to = (start + n as i64).min(wanted.1 * f as i64);
            let total: usize = parts.iter().map(|p| p.len).sum();
            assert_eq!(total as i64, to - from);
        }
    }
}
