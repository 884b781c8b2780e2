//! Interpolation weights along one axis of a table.

/// Up to four neighbouring nodes and their Lagrange weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stencil {
    /// Index of the first node used.
    pub first: usize,
    /// Number of nodes used, 1 to 4.
    pub len: usize,
    /// Weights; they add up to 1.
    pub weights: [f32; 4],
}

impl Stencil {
    /// Nodes and weights for `x` on ascending `nodes`; polynomial through `points` (≤ 4) nodes around
    /// `x`, extrapolating beyond the ends (callers clamp `x` where that is not wanted).
    pub(super) fn lagrange(nodes: &[f32], x: f32, points: usize) -> Stencil {
        let len = points.min(nodes.len()).clamp(1, 4);
        let above = nodes.partition_point(|&n| n <= x);
        let first = above
            .saturating_sub(1 + (len - 1) / 2)
            .min(nodes.len().saturating_sub(len));
        let mut weights = [0.0; 4];
        for (a, weight) in weights.iter_mut().enumerate().take(len) {
            let mut product = 1.0f64;
            for b in (0..len).filter(|&b| b != a) {
                let (na, nb) = (f64::from(nodes[first + a]), f64::from(nodes[first + b]));
                product *= (f64::from(x) - nb) / (na - nb);
            }
            *weight = product as f32;
        }
        Stencil {
            first,
            len,
            weights,
        }
    }

    /// Weighted sum of values at the nodes, `stride` apart from `offset`.
    #[inline]
    pub(super) fn apply(&self, values: &[f32], offset: usize, stride: usize) -> f32 {
        (0..self.len)
            .map(|k| self.weights[k] * values[offset + (self.first + k) * stride])
            .sum()
    }
}

/// Four nodes of a regular angle axis that starts at 0, and cubic weights. Indices may be −1: the value
/// there is that of node 1 with the relative azimuth turned by 180° (the field continues through the
/// zenith), so nothing is one-sided near nadir or an overhead Sun.
#[derive(Debug, Clone, Copy)]
pub(super) struct AngleStencil {
    /// Index of the first of four nodes, −1 or more.
    pub first: isize,
    /// Weights.
    pub weights: [f32; 4],
}

impl AngleStencil {
    /// Weights at `angle` on an axis of `count` nodes `step` apart.
    pub(super) fn new(angle: f32, step: f32, count: usize) -> AngleStencil {
        let x = angle / step;
        let first = (x.floor() as isize - 1).clamp(-1, count as isize - 4);
        AngleStencil {
            first,
            weights: cubic(x - first as f32),
        }
    }
}

/// Weights of the cubic through nodes 0, 1, 2, 3 at `u`.
fn cubic(u: f32) -> [f32; 4] {
    let (a, b, c, d) = (u, u - 1.0, u - 2.0, u - 3.0);
    [
        -b * c * d / 6.0,
        a * c * d / 2.0,
        -a * b * d / 2.0,
        a * b * c / 6.0,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cubics_are_reproduced_on_uneven_nodes() {
        let nodes = [0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8];
        let f = |x: f32| 1.0 + 2.0 * x - 3.0 * x * x + 0.5 * x * x * x;
        let values: Vec<f32> = nodes.iter().map(|&x| f(x)).collect();
        for x in [0.0, 0.01, 0.1, 0.17, 0.45, 0.79, 0.8] {
            let s = Stencil::lagrange(&nodes, x, 4);
            assert!((s.apply(&values, 0, 1) - f(x)).abs() < 1e-6, "{x}");
        }
    }

    #[test]
    fn short_axes_use_what_they_have() {
        let s = Stencil::lagrange(&[700.0, 1013.0], 1020.0, 4);
        assert_eq!((s.first, s.len), (0, 2));
        assert!((s.apply(&[700.0, 1013.0], 0, 1) - 1020.0).abs() < 1e-3);
        assert_eq!(Stencil::lagrange(&[1.0], 5.0, 4).weights[0], 1.0);
    }

    #[test]
    fn angle_weights_reproduce_a_cubic_through_the_zenith() {
        let f = |x: f32| 0.3 - 0.2 * x + 0.05 * x * x * x;
        for angle in [0.0, 2.0, 5.0, 33.3, 74.9] {
            let s = AngleStencil::new(angle, 5.0, 16);
            let sum: f32 = (0..4)
                .map(|k| s.weights[k] * f(s.first as f32 + k as f32))
                .sum();
            let expected = f(angle / 5.0);
            assert!((sum - expected).abs() < 2e-5 * expected.abs().max(1.0));
        }
    }
}
