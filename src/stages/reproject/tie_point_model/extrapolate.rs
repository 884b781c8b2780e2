//! Tie points beyond the outermost ones, by least-squares parabolas.

use super::PAD;

/// Tie points that a parabola goes through (chosen: enough to average the rounding of single precision, few
/// enough for a parabola).
const FIT: usize = 9;

/// Fills the padding of a tie array: columns first, then rows.
pub(super) fn extrapolate(data: &mut [[f64; 4]], rows: usize, cols: usize) {
    let n = cols - 2 * PAD;
    let weights: Vec<Vec<f64>> = (1..=PAD).map(|k| parabola(n.min(FIT), k)).collect();
    for i in PAD..rows - PAD {
        let row = &mut data[i * cols..(i + 1) * cols];
        for (k, w) in weights.iter().enumerate() {
            row[PAD - 1 - k] = weighted(w, |t| row[PAD + t]);
            row[cols - PAD + k] = weighted(w, |t| row[cols - PAD - 1 - t]);
        }
    }
    let n = rows - 2 * PAD;
    let weights: Vec<Vec<f64>> = (1..=PAD).map(|k| parabola(n.min(FIT), k)).collect();
    for j in 0..cols {
        for (k, w) in weights.iter().enumerate() {
            data[(PAD - 1 - k) * cols + j] = weighted(w, |t| data[(PAD + t) * cols + j]);
            data[(rows - PAD + k) * cols + j] =
                weighted(w, |t| data[(rows - PAD - 1 - t) * cols + j]);
        }
    }
}

fn weighted(weights: &[f64], get: impl Fn(usize) -> [f64; 4]) -> [f64; 4] {
    let mut sum = [0.0; 4];
    for (t, w) in weights.iter().enumerate() {
        for (s, v) in sum.iter_mut().zip(get(t)) {
            *s += w * v;
        }
    }
    sum
}

/// Weights of n equidistant points (0 nearest) for the value `k` steps before the first, by the
/// least-squares parabola through them (discrete orthogonal polynomials).
fn parabola(n: usize, k: usize) -> Vec<f64> {
    let c = (n as f64 - 1.0) / 2.0;
    let second = (n as f64 * n as f64 - 1.0) / 12.0;
    let basis = |t: f64| {
        let u = t - c;
        [1.0, u, u * u - second]
    };
    let norm = (0..n).fold([0.0; 3], |mut s, t| {
        for (s, b) in s.iter_mut().zip(basis(t as f64)) {
            *s += b * b;
        }
        s
    });
    let target = basis(-(k as f64));
    (0..n)
        .map(|t| {
            let b = basis(t as f64);
            (0..3.min(n)).map(|d| b[d] * target[d] / norm[d]).sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extrapolation_reproduces_a_parabola() {
        for n in 3..=9 {
            for k in 1..=3 {
                let f = |t: f64| 3.0 - 2.0 * t + 0.7 * t * t;
                let v: f64 = parabola(n, k)
                    .iter()
                    .enumerate()
                    .map(|(t, w)| w * f(t as f64))
                    .sum();
                assert!((v - f(-(k as f64))).abs() < 1e-9);
            }
        }
        assert!((parabola(2, 1)[0] - 2.0).abs() < 1e-12);
    }
}
