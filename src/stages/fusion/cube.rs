//! The smoothed 300 m series of one window, compact, and its view from 100 m pixels.

use super::simd::{LANES, nearest};

/// Reflectance per count of the stored series: half the step of the product's coding, ±1.3.
const UNIT: f32 = 4e-5;
/// σ codes per octave.
const OCTAVE: f32 = 16.0;
/// σ (in units of the noise) of code 0.
const SMALLEST: f32 = 1.0 / 256.0;
/// 100 m columns upsampled together: three groups of lanes over 16 cells.
pub(super) const TILE: usize = 3 * LANES;

/// State of a cell's series.
pub(super) mod known {
    /// No value yet.
    pub const NO: u8 = 0;
    /// From the cell's own looks.
    pub const OWN: u8 = 1;
    /// Copied from the nearest cell that has a series.
    pub const DONOR: u8 = 2;
    /// From the cell's own looks, SWIR (never seen here) from the nearest cell that has it.
    pub const SWIR_DONOR: u8 = 3;
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
    /// 300 m looks: bits 0–4 the days, bits 5–7 their number up to 7, \[row\]\[step\]\[col\].
    pub seen: Vec<u8>,
    /// [`known`], \[row\]\[col\].
    pub known: Vec<u8>,
    /// Mean noise variance R̄ of a look per band, reflectance².
    pub noise: [f32; 4],
    /// False where no look of the window has SWIR anywhere.
    pub swir: bool,
    /// Variance of the level in units of R̄, per band relative to the RED and NIR group.
    pub spread: [f32; 4],
}

/// Code of a σ.
pub(super) fn encode_sd(variance: f32) -> u8 {
    let sd = variance.max(0.0).sqrt().max(SMALLEST);
    nearest((sd / SMALLEST).log2() * OCTAVE).clamp(0.0, 255.0) as u8
}

/// Variances of every code.
pub(super) fn variances() -> [f32; 256] {
    std::array::from_fn(|i| (SMALLEST * (i as f32 / OCTAVE).exp2()).powi(2))
}

/// Counts of a level.
#[inline(always)]
pub(super) fn encode_level(x: f32) -> i16 {
    nearest(x / UNIT).clamp(-32767.0, 32767.0) as i16
}

impl CoarseCube {
    pub fn new(rows: usize, cols: usize, steps: usize) -> Self {
        CoarseCube {
            rows,
            cols,
            steps,
            level: vec![0; rows * cols * steps * 4],
            sd: vec![u8::MAX; rows * cols * steps],
            seen: vec![0; rows * cols * steps],
            known: vec![known::NO; rows * cols],
            noise: [1e-4; 4],
            spread: [1.0; 4],
            swir: true,
        }
    }

    /// Level of a cell.
    #[inline(always)]
    pub fn at(&self, row: usize, step: usize, band: usize, col: usize) -> f32 {
        f32::from(self.level[((row * self.steps + step) * 4 + band) * self.cols + col]) * UNIT
    }

    /// Level at a date: steps `a`, `b` with weight `h` on `b`.
    #[inline(always)]
    pub fn at_date(&self, row: usize, a: usize, b: usize, h: f32, band: usize, col: usize) -> f32 {
        let x = self.at(row, a, band, col);
        x + h * (self.at(row, b, band, col) - x)
    }

    /// Levels of all cells at a date: \[row\]\[band\]\[col\]; steps `a`, `b` with weight `h` on `b`.
    pub fn field(&self, a: usize, b: usize, h: f32) -> Vec<f32> {
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
    pub fn sd_at(&self, row: usize, step: usize, col: usize) -> u8 {
        self.sd[(row * self.steps + step) * self.cols + col]
    }

    /// 300 m looks of a cell in a step.
    #[inline(always)]
    pub fn seen_at(&self, row: usize, step: usize, col: usize) -> u8 {
        self.seen[(row * self.steps + step) * self.cols + col]
    }

    /// Cells of a vertically upsampled row, padded: one before the first, and up to whole groups after.
    pub fn padded_cols(&self) -> usize {
        self.cols.div_ceil(LANES) * LANES + 2
    }

    /// Vertical neighbours of a 100 m row: cell rows and the weight of the second. A cell's centre is
    /// the centre of its middle row.
    pub fn vertical(&self, fine_row: usize) -> (usize, usize, f32) {
        let i = (fine_row / 3).min(self.rows - 1);
        match fine_row % 3 {
            0 => (i, i.saturating_sub(1), 1.0 / 3.0),
            1 => (i, i, 0.0),
            _ => (i, (i + 1).min(self.rows - 1), 1.0 / 3.0),
        }
    }

    /// Series of a 100 m row at cell columns: \[step·4 + band\]\[padded column\].
    pub fn row(&self, fine_row: usize, out: &mut Vec<f32>) {
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
    const T: f32 = 1.0 / 3.0;
    for i in 0..LANES {
        let (a, b, d) = (c[i], c[i + 1], c[i + 2]);
        out[3 * i] = b + T * (a - b);
        out[3 * i + 1] = b;
        out[3 * i + 2] = b + T * (d - b);
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
