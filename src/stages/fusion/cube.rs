//! The smoothed 300 m series of one window, compact, and its view from 100 m pixels.

use super::simd::{GROUP, LANES, nearest, to_count};

/// Reflectance per count of the stored series; chosen by us: less than half the step of the product's coding, ±1.3 in
/// all.
const UNIT: f32 = 4e-5;
/// σ codes per octave; chosen by us: within 3 %, the unit test below.
const OCTAVE: f32 = 16.0;
/// σ (in units of the noise) of code 0; chosen by us: with 16 codes an octave up to 245.
const SMALLEST: f32 = 1.0 / 256.0;
/// Codes of a σ (definition: of eight bits).
const CODES: usize = 256;
/// R̄ until the first smoothing says what it is, reflectance²; chosen: σ of 0.01, never used.
const BEFORE_SMOOTHING: f32 = 1e-4;
/// Distance of a 100 m pixel from the centre of its cell, in cells (definition).
const THIRD: f32 = 1.0 / 3.0;
/// 100 m columns upsampled together: three groups of lanes over 16 cells (definition).
pub(super) const TILE: usize = 3 * LANES;

/// Gain group of the coarse series' σ codes (definition: that of RED and NIR).
pub(super) const SD_GROUP: usize = 1;
const _: () = assert!(GROUP[1] == SD_GROUP && GROUP[2] == SD_GROUP);

/// State of a cell's series.
pub(super) mod known {
    /// No value yet.
    pub(crate) const NO: u8 = 0;
    /// From the cell's own acquisitions.
    pub(crate) const OWN: u8 = 1;
    /// Copied from the nearest cell that has a series.
    pub(crate) const DONOR: u8 = 2;
    /// From the cell's own acquisitions, SWIR (never seen here) from the nearest cell that has it.
    pub(crate) const SWIR_DONOR: u8 = 3;
}

/// Series of every cell: layout row, step, band, column.
#[derive(Debug, Clone)]
pub(super) struct CoarseCube {
    pub rows: usize,
    pub cols: usize,
    pub steps: usize,
    /// Level in counts of [`UNIT`], \[row\]\[step\]\[band\]\[col\].
    pub level: Vec<i16>,
    /// Code of the level's σ in units of the noise (RED and NIR group), \[row\]\[step\]\[col\].
    pub sd: Vec<u8>,
    /// 300 m acquisitions: bits 0–4 the days, bits 5–7 their number up to 7, \[row\]\[step\]\[col\].
    pub seen: Vec<u8>,
    /// [`known`], \[row\]\[col\].
    pub known: Vec<u8>,
    /// Mean noise variance R̄ of an acquisition per band, reflectance².
    pub noise: [f32; 4],
    /// False where no acquisition of the window has SWIR anywhere.
    pub swir: bool,
    /// Variance of the level in units of R̄, per band relative to the RED and NIR group.
    pub spread: [f32; 4],
}

/// Code of a σ.
pub(super) fn encode_sd(variance: f32) -> u8 {
    let sd = variance.max(0.0).sqrt().max(SMALLEST);
    nearest((sd / SMALLEST).log2() * OCTAVE).clamp(0.0, (CODES - 1) as f32) as u8
}

/// Variances of every code.
pub(super) fn variances() -> [f32; 256] {
    std::array::from_fn(|i| (SMALLEST * (i as f32 / OCTAVE).exp2()).powi(2))
}

/// Counts of a level.
#[inline(always)]
pub(super) fn encode_level(x: f32) -> i16 {
    to_count(x / UNIT)
}

impl CoarseCube {
    pub(super) fn new(rows: usize, cols: usize, steps: usize) -> Self {
        CoarseCube {
            rows,
            cols,
            steps,
            level: vec![0; rows * cols * steps * 4],
            sd: vec![u8::MAX; rows * cols * steps],
            seen: vec![0; rows * cols * steps],
            known: vec![known::NO; rows * cols],
            noise: [BEFORE_SMOOTHING; 4],
            spread: [1.0; 4],
            swir: true,
        }
    }

    /// Level of a cell.
    #[inline(always)]
    pub(super) fn at(&self, row: usize, step: usize, band: usize, col: usize) -> f32 {
        f32::from(self.level[((row * self.steps + step) * 4 + band) * self.cols + col]) * UNIT
    }

    /// Level at a date: steps `a`, `b` with weight `h` on `b`.
    #[inline(always)]
    pub(super) fn at_date(
        &self,
        row: usize,
        a: usize,
        b: usize,
        h: f32,
        band: usize,
        col: usize,
    ) -> f32 {
        let x = self.at(row, a, band, col);
        x + h * (self.at(row, b, band, col) - x)
    }

    /// Levels of all cells at a date: \[row\]\[band\]\[col\]; steps `a`, `b` with weight `h` on `b`.
    pub(super) fn field(&self, a: usize, b: usize, h: f32) -> Vec<f32> {
        let line = 4 * self.cols;
        let mut out = vec![0.0; self.rows * line];
        for (r, out) in out.chunks_exact_mut(line.max(1)).enumerate() {
            let x = &self.level[(r * self.steps + a) * line..][..line];
            let y = &self.level[(r * self.steps + b) * line..][..line];
            for ((o, x), y) in out.iter_mut().zip(x).zip(y) {
                let x = f32::from(*x) * UNIT;
                *o = x + h * (f32::from(*y) * UNIT - x);
            }
        }
        out
    }

    /// Code of the level's σ.
    #[inline(always)]
    pub(super) fn sd_at(&self, row: usize, step: usize, col: usize) -> u8 {
        self.sd[(row * self.steps + step) * self.cols + col]
    }

    /// 300 m acquisitions of a cell in a step.
    #[inline(always)]
    pub(super) fn seen_at(&self, row: usize, step: usize, col: usize) -> u8 {
        self.seen[(row * self.steps + step) * self.cols + col]
    }

    /// Cells of a vertically upsampled row, padded: one before the first, and up to whole groups after.
    pub(super) fn padded_cols(&self) -> usize {
        self.cols.div_ceil(LANES) * LANES + 2
    }

    /// Vertical neighbours of a 100 m row: cell rows and the weight of the second. A cell's centre is
    /// the centre of its middle row.
    pub(super) fn vertical(&self, fine_row: usize) -> (usize, usize, f32) {
        let i = (fine_row / 3).min(self.rows - 1);
        match fine_row % 3 {
            0 => (i, i.saturating_sub(1), THIRD),
            1 => (i, i, 0.0),
            _ => (i, (i + 1).min(self.rows - 1), THIRD),
        }
    }

    /// The same of a 100 m column.
    #[inline(always)]
    pub(super) fn horizontal(&self, fine_col: usize) -> (usize, usize, f32) {
        let c = fine_col / 3;
        match fine_col % 3 {
            0 => (c, c.saturating_sub(1), THIRD),
            1 => (c, c, 0.0),
            _ => (c, (c + 1).min(self.cols - 1), THIRD),
        }
    }

    /// Series of a 100 m row at cell columns: \[step·4 + band\]\[padded column\].
    pub(super) fn row(&self, fine_row: usize, out: &mut Vec<f32>) {
        let (i, j, w) = self.vertical(fine_row);
        let (width, n) = (self.padded_cols(), self.steps * 4);
        out.resize(n * width, 0.0);
        for (k, line) in out.chunks_exact_mut(width).enumerate() {
            let a = &self.level[(i * n + k) * self.cols..][..self.cols];
            let b = &self.level[(j * n + k) * self.cols..][..self.cols];
            let (w0, w1) = ((1.0 - w) * UNIT, w * UNIT);
            for ((o, a), b) in line[1..].iter_mut().zip(a).zip(b) {
                *o = f32::from(*a) * w0 + f32::from(*b) * w1;
            }
            pad(line, self.cols);
        }
    }
}

/// Repeats the first and the last value of a padded line into its margins.
pub(super) fn pad(line: &mut [f32], cols: usize) {
    line[0] = line[1];
    let last = line[cols];
    line[cols + 1..].fill(last);
}

/// Horizontal upsampling of one tile: 18 cells (one on either side) to 48 pixels.
#[inline(always)]
pub(super) fn upsample(cells: &[f32], out: &mut [f32; TILE]) {
    let Some(c) = cells.first_chunk::<{ LANES + 2 }>() else {
        return;
    };
    for i in 0..LANES {
        let (a, b, d) = (c[i], c[i + 1], c[i + 2]);
        out[3 * i] = b + THIRD * (a - b);
        out[3 * i + 1] = b;
        out[3 * i + 2] = b + THIRD * (d - b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upsampling_reproduces_a_plane() {
        let (rows, cols) = (5, 7);
        let mut cube = CoarseCube::new(rows, cols, 1);
        for r in 0..rows {
            for c in 0..cols {
                // value = 0.003·x + 0.006·y at the cell's centre, in 100 m pixels
                let v = 0.003 * (3 * c + 1) as f32 + 0.006 * (3 * r + 1) as f32;
                for b in 0..4 {
                    cube.level[(r * 4 + b) * cols + c] = encode_level(v);
                }
            }
        }
        let (mut line, mut out) = (Vec::new(), [0.0; TILE]);
        for y in 1..3 * rows - 1 {
            cube.row(y, &mut line);
            upsample(&line[..cube.padded_cols()], &mut out);
            for (x, v) in out.iter().enumerate().take(3 * cols - 1).skip(1) {
                let want = 0.003 * x as f32 + 0.006 * y as f32;
                assert!((v - want).abs() < 3e-5, "{y} {x} {v} {want}");
            }
        }
    }

    #[test]
    fn sigma_codes_are_within_three_percent() {
        let table = variances();
        for v in [0.001f32, 0.05, 0.4, 3.0, 200.0, 10_000.0] {
            let back = table[usize::from(encode_sd(v))];
            assert!((back / v - 1.0).abs() < 0.06, "{v} {back}");
        }
    }
}
