//! How sure a shift of many pixels is: what groups of them add to its error.

use std::collections::BTreeMap;

/// Multiple of σ at which few groups are made to be as sure as many (chosen: the same as of a displacement
/// that is corrected).
const SIGNIFICANT: f64 = 4.0;

/// What one group of pixels adds to the error of the shift, columns and rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Influence {
    /// Number of the group, the same in every band of a grid.
    pub(super) group: usize,
    pub(super) d: [f64; 2],
}

impl Influence {
    /// The same in another unit.
    pub(super) fn times(self, unit: f64) -> Influence {
        Influence {
            d: self.d.map(|d| unit * d),
            ..self
        }
    }
}

/// Spread of a shift.
#[derive(Debug, Clone, Copy)]
pub(super) struct PooledSigma {
    /// 1 σ of each component.
    pub(super) sigma: f64,
    /// Groups that carry it.
    pub(super) groups: f64,
}

/// Spread of the weighted mean of shifts of one grid: the groups are independent, but one group's pixels are not in
/// any band, since all bands see the same ground.
pub(super) fn pooled_sigma(shifts: &[(f64, &[Influence])]) -> PooledSigma {
    let mut groups = BTreeMap::<usize, [f64; 2]>::new();
    for (weight, influences) in shifts {
        for influence in *influences {
            let sum = groups.entry(influence.group).or_default();
            *sum = [0, 1].map(|e| sum[e] + weight * influence.d[e]);
        }
    }
    let squares = groups.values().map(|[x, y]| x * x + y * y);
    let (sum, fourth) = squares.fold((0.0, 0.0), |(s, f), v| (s + v, f + v * v));
    // the square of the length of two normal components has a mean square twice the square of its mean
    let groups = (2.0 * sum * sum / fourth).min(groups.len() as f64);
    PooledSigma {
        // half the square of the length is that of one component
        sigma: uncertainty(groups) * (0.5 * sum).sqrt(),
        groups,
    }
}

/// Factor by which σ from a number of groups must be larger for [`SIGNIFICANT`] of it to be as rare as of a normal
/// distribution: Student's t with one degree of freedom less than there are groups (Wallace 1959, Ann. Math. Stat.
/// 30).
fn uncertainty(groups: f64) -> f64 {
    let freedom = groups - 1.0;
    if freedom < 0.5 {
        return f64::INFINITY;
    }
    let z2 = SIGNIFICANT * SIGNIFICANT;
    (freedom * ((z2 / freedom).exp() - 1.0) / z2).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of Student's t that a normal distribution reaches at 4 (two-sided, 6.33e-5): 9.08 at 6 degrees of
    /// freedom, 5.24 at 16.
    #[test]
    fn few_groups_are_less_sure() {
        assert!((uncertainty(7.0) * 4.0 - 9.08).abs() < 0.5);
        assert!((uncertainty(17.0) * 4.0 - 5.24).abs() < 0.2);
        assert!((uncertainty(1000.0) - 1.0).abs() < 0.01);
        assert!(uncertainty(1.2).is_infinite());
    }

    /// Of many normal errors of one size, all groups count; of one error that is all there is, one.
    #[test]
    fn groups_count_as_far_as_they_share_the_error() {
        let turn = |k: usize, step: f64| (k as f64 * step).sin() * 0.01;
        // lengths of two normal components: squares are exponential
        let even = |group: usize| {
            let share = (group as f64 + 0.5) / 200.0;
            let (length, angle) = ((-2.0 * share.ln()).sqrt(), 2.4 * group as f64);
            [length * angle.sin(), length * angle.cos()]
        };
        let influences: Vec<Influence> = (0..200)
            .map(|group| Influence {
                group,
                d: even(group),
            })
            .collect();
        let all = pooled_sigma(&[(1.0, &influences)]);
        assert!((190.0..=200.0).contains(&all.groups), "{all:?}");
        assert!((all.sigma / 200f64.sqrt() - 1.0).abs() < 0.05, "{all:?}");
        let one = |group: usize| match group {
            0 => [1.0, 0.0],
            k => [turn(k, 1.7), turn(k, 2.9)],
        };
        let influences: Vec<Influence> = (0..20)
            .map(|group| Influence {
                group,
                d: one(group),
            })
            .collect();
        assert!(pooled_sigma(&[(1.0, &influences)]).groups < 2.1);
    }

    /// Bands whose groups err together are no surer than one; bands that err on their own are.
    #[test]
    fn bands_that_see_the_same_ground_are_as_sure_as_one() {
        let band = |sign: &dyn Fn(usize) -> f64| -> Vec<Influence> {
            let influence = |group| Influence {
                group,
                d: [0.01 * sign(group), -0.01 * sign(group)],
            };
            (0..400).map(influence).collect()
        };
        let first = band(&|k| if k % 2 == 0 { 1.0 } else { -1.0 });
        let other = band(&|k| if k % 4 < 2 { 1.0 } else { -1.0 });
        let one = pooled_sigma(&[(1.0, &first)]).sigma;
        assert!((one - 0.2).abs() < 0.005, "{one}");
        let same = pooled_sigma(&[(0.5, &first), (0.5, &first)]).sigma;
        assert!((same - one).abs() < 1e-12);
        let apart = pooled_sigma(&[(0.5, &first), (0.5, &other)]).sigma;
        assert!((apart / one - 0.5f64.sqrt()).abs() < 0.02, "{apart} {one}");
    }
}
