//! Least squares on 1, cos ωt, sin ωt, cos 2ωt, sin 2ωt.

/// Coefficients; unused ones are 0.
pub(super) type Coefficients = [f32; 5];

/// The functions at a time: [`crate::types::background::basis`], once a date and not once a pixel.
pub(super) type Basis = [f32; 5];

/// Pivots below this are none; chosen: far below those that the damping leaves.
const SINGULAR: f64 = 1e-12;

/// Value of a model at a time.
pub(super) fn value(c: &Coefficients, at: &Basis) -> f32 {
    at.iter().zip(c).map(|(b, c)| b * c).sum()
}

/// Weighted least squares with `terms` of 1, 3 or 5 basis functions, the harmonics damped by `ridge`
/// and the mean not (docs/sources/masking.md, Roerink 2000). `None` without weight.
///
/// `points`: the functions at a time, the value, its weight.
#[allow(clippy::needless_range_loop)] // elimination reads best with indices
pub(super) fn fit(points: &[(Basis, f32, f32)], terms: usize, ridge: f32) -> Option<Coefficients> {
    let terms = terms.clamp(1, 5);
    let mut a = [[0f64; 6]; 5];
    for (b, y, w) in points {
        for i in 0..terms {
            for j in i..terms {
                a[i][j] += f64::from(w * b[i]) * f64::from(b[j]);
            }
            a[i][5] += f64::from(w * b[i]) * f64::from(*y);
        }
    }
    if a[0][0] <= 0.0 {
        return None;
    }
    for i in 0..terms {
        if i > 0 {
            a[i][i] += f64::from(ridge);
        }
        for j in 0..i {
            a[i][j] = a[j][i];
        }
    }
    // Gaussian elimination with partial pivoting; the ridge keeps it well posed
    for k in 0..terms {
        let pivot = (k..terms).max_by(|x, y| a[*x][k].abs().total_cmp(&a[*y][k].abs()))?;
        a.swap(k, pivot);
        if a[k][k].abs() < SINGULAR {
            return None;
        }
        for i in k + 1..terms {
            let f = a[i][k] / a[k][k];
            for j in k..6 {
                a[i][j] -= f * a[k][j];
            }
        }
    }
    let mut out = [0f32; 5];
    let mut x = [0f64; 5];
    for k in (0..terms).rev() {
        let rest: f64 = (k + 1..terms).map(|j| a[k][j] * x[j]).sum();
        x[k] = (a[k][5] - rest) / a[k][k];
        out[k] = x[k] as f32;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_is_recovered() {
        let truth = [0.3, 0.1, -0.05, 0.02, 0.01];
        let points: Vec<(Basis, f32, f32)> = (0..73)
            .map(|k| {
                let at = crate::types::background::basis(f64::from(k) * 5.0);
                (at, value(&truth, &at), 1.0)
            })
            .collect();
        let c = fit(&points, 5, 1e-6).unwrap();
        for (a, b) in c.iter().zip(truth) {
            assert!((a - b).abs() < 1e-4);
        }
        // a constant needs no more than one point; no point gives nothing
        assert_eq!(fit(&points[..1], 1, 0.1).unwrap()[0], points[0].1);
        assert!(fit(&[], 3, 0.1).is_none());
    }
}
