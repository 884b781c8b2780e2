//! Normal equations of the unknowns that all pixels share.

/// Two of the shift (columns, rows), three of the blur (columns, rows, both) (by definition).
pub(super) const UNKNOWNS: usize = 5;
/// Least share of a diagonal element that must be left after the unknowns before it (chosen: above rounding).
const LEAST_PIVOT: f64 = 1e-9;

pub(super) type Vector = [f64; UNKNOWNS];
pub(super) type Matrix = [Vector; UNKNOWNS];

/// Adds the weighted product of a vector with itself.
pub(super) fn add_product(a: &mut Matrix, weight: f64, v: &Vector) {
    for (row, x) in a.iter_mut().zip(v) {
        add(row, weight * x, v);
    }
}

/// Adds a multiple of a vector.
pub(super) fn add(sum: &mut Vector, times: f64, v: &Vector) {
    sum.iter_mut().zip(v).for_each(|(s, v)| *s += times * v);
}

pub(super) fn times(a: &Matrix, v: &Vector) -> Vector {
    a.map(|row| row.iter().zip(v).map(|(a, v)| a * v).sum())
}

/// Inverse by Cholesky's decomposition; `None` where the matrix is not positive definite.
pub(super) fn inverse(a: &Matrix) -> Option<Matrix> {
    let mut l = [[0.0; UNKNOWNS]; UNKNOWNS];
    for i in 0..UNKNOWNS {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            let left = a[i][j] - known;
            if i != j {
                l[i][j] = left / l[j][j];
            } else if left > LEAST_PIVOT * a[i][i] && left > 0.0 {
                l[i][i] = left.sqrt();
            } else {
                return None;
            }
        }
    }
    let mut out = [[0.0; UNKNOWNS]; UNKNOWNS];
    for (column, row) in out.iter_mut().enumerate() {
        let mut y = [0.0; UNKNOWNS];
        for i in 0..UNKNOWNS {
            let known: f64 = (0..i).map(|k| l[i][k] * y[k]).sum();
            y[i] = (f64::from(u8::from(i == column)) - known) / l[i][i];
        }
        for i in (0..UNKNOWNS).rev() {
            let known: f64 = (i + 1..UNKNOWNS).map(|k| l[k][i] * row[k]).sum();
            row[i] = (y[i] - known) / l[i][i];
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverse_undoes_and_what_is_not_positive_has_none() {
        let mut a = [[0.0; UNKNOWNS]; UNKNOWNS];
        for k in 0..7 {
            let v = std::array::from_fn(|i| (((3 * k + 1) * (i * i + 1)) as f64).sin());
            add_product(&mut a, 1.0 + k as f64, &v);
        }
        let x = [0.3, -0.7, 1.1, 0.0, 2.0];
        let found = times(&inverse(&a).unwrap(), &times(&a, &x));
        assert!(found.iter().zip(x).all(|(f, x)| (f - x).abs() < 1e-9));
        // one product has rank one
        let mut flat = [[0.0; UNKNOWNS]; UNKNOWNS];
        add_product(&mut flat, 1.0, &x);
        assert!(inverse(&flat).is_none());
        assert!(inverse(&a.map(|row| row.map(|v| -v))).is_none());
        assert!(inverse(&a.map(|row| row.map(|_| f64::NAN))).is_none());
    }
}
