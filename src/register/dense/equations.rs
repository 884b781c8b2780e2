//! Normal equations of a few parameters, and how sure their solution is.

/// Multiple of σ at which few blocks are made to be as sure as many.
const SIGNIFICANT: f64 = 4.0;

/// Parameters of a drift: 1, column and row of both components.
pub(super) const MOST_TERMS: usize = 6;
/// One value a parameter.
pub(super) type Vector = [f64; MOST_TERMS];
/// One value a pair of parameters.
pub(super) type Matrix = [Vector; MOST_TERMS];

/// Sums over pixels and over blocks.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    /// Normal equations.
    pub(super) a: Matrix,
    pub(super) b: Vector,
    /// What the change of the weights takes from the curvature.
    pub(super) less: Matrix,
    /// Products of the blocks' scores.
    pub(super) scores: Matrix,
    /// Information of the blocks, and its square.
    pub(super) information: [f64; 2],
}

impl Default for Sums {
    fn default() -> Sums {
        let zero = [[0.0; MOST_TERMS]; MOST_TERMS];
        Sums {
            a: zero,
            b: [0.0; MOST_TERMS],
            less: zero,
            scores: zero,
            information: [0.0; 2],
        }
    }
}

impl Sums {
    /// The sum of both.
    pub(super) fn plus(mut self, other: Sums) -> Sums {
        for p in 0..MOST_TERMS {
            self.b[p] += other.b[p];
            for q in 0..MOST_TERMS {
                self.a[p][q] += other.a[p][q];
                self.less[p][q] += other.less[p][q];
                self.scores[p][q] += other.scores[p][q];
            }
        }
        self.information = [0, 1].map(|k| self.information[k] + other.information[k]);
        self
    }
}

/// Solution of the first `n` positive definite equations; `None` where they are not.
pub(super) fn solved(a: &Matrix, b: &Vector, n: usize) -> Option<Vector> {
    let (mut a, mut b) = (*a, *b);
    for i in 0..n {
        let pivot = a[i];
        if pivot[i].is_nan() || pivot[i] <= 0.0 {
            return None;
        }
        for k in i + 1..n {
            let f = a[k][i] / pivot[i];
            for (v, p) in a[k].iter_mut().zip(pivot).skip(i) {
                *v -= f * p;
            }
            b[k] -= f * b[i];
        }
    }
    let mut x = [0.0; MOST_TERMS];
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| a[i][j] * x[j]).sum();
        x[i] = (b[i] - known) / a[i][i];
    }
    Some(x)
}

/// Factor by which σ from a number of blocks must be larger for [`SIGNIFICANT`] of it to be as rare as of a normal
/// distribution: Student's t with one degree of freedom less than there are blocks (Wallace 1959, Ann. Math. Stat.
/// 30).
pub(super) fn uncertainty(blocks: f64) -> f64 {
    let freedom = blocks - 1.0;
    if freedom < 0.5 {
        return f64::INFINITY;
    }
    let z2 = SIGNIFICANT * SIGNIFICANT;
    (freedom * ((z2 / freedom).exp() - 1.0) / z2).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_solution_solves_and_what_is_not_positive_is_refused() {
        let mut a = [[0.0; MOST_TERMS]; MOST_TERMS];
        for (i, row) in a.iter_mut().enumerate() {
            for (j, v) in row.iter_mut().enumerate() {
                *v = 1.0 / (1.0 + i.abs_diff(j) as f64);
            }
        }
        let b = [1.0, -2.0, 0.5, 3.0, 0.0, 0.0];
        let x = solved(&a, &b, 4).unwrap();
        for i in 0..4 {
            let sum: f64 = (0..4).map(|j| a[i][j] * x[j]).sum();
            assert!((sum - b[i]).abs() < 1e-12);
        }
        a[1][1] = 0.1;
        assert!(solved(&a, &b, 4).is_none());
    }

    /// Quantiles of Student's t that a normal distribution reaches at 4 (two-sided, 6.33e-5): 9.08 at 6 degrees of
    /// freedom, 5.24 at 16.
    #[test]
    fn few_blocks_are_less_sure() {
        assert!((uncertainty(7.0) * 4.0 - 9.08).abs() < 0.5);
        assert!((uncertainty(17.0) * 4.0 - 5.24).abs() < 0.2);
        assert!((uncertainty(1000.0) - 1.0).abs() < 0.01);
        assert!(uncertainty(1.2).is_infinite());
    }
}
