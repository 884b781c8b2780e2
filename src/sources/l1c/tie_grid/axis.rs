//! Where tie points lie along one axis of the raster.

use std::ops::Range;

/// How the spacing of tie points is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sources::l1c) enum StepSource {
    Attribute,
    Profile,
    Dimensions,
    /// Several whole numbers would fit.
    Ambiguous,
    /// No whole number fits: the real ratio.
    Ratio,
}

/// Positions of tie points along one axis of the raster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::sources::l1c) struct Axis {
    pub(in crate::sources::l1c) count: usize,
    pub(in crate::sources::l1c) step: f64,
    pub(in crate::sources::l1c) origin: f64,
    pub(in crate::sources::l1c) source: StepSource,
}

impl Axis {
    pub(in crate::sources::l1c) fn positions(&self) -> Vec<f64> {
        (0..self.count)
            .map(|i| self.origin + i as f64 * self.step)
            .collect()
    }

    /// Goes over from one part of the file to another.
    pub(super) fn narrow(&mut self, from: &Range<usize>, to: &Range<usize>) {
        self.origin += (to.start as f64 - from.start as f64) * self.step;
        self.count = to.len();
    }
}

/// Spacing of `count` tie points over `samples` (docs/sources/l1c.md, Tie points): the whole number s
/// with (count − 1) s ≥ samples − 1 > (count − 2) s. Of several the power of two is taken (the
/// processor works on such grids \[DATA\]), else the smallest.
pub(super) fn derived_step(samples: usize, count: usize) -> (f64, StepSource) {
    let (reach, gaps) = (samples - 1, count - 1);
    let smallest = reach.div_ceil(gaps).max(1);
    let fits = |s: usize| gaps * s >= reach && (gaps - 1) * s < reach;
    if !fits(smallest) {
        return (reach as f64 / gaps as f64, StepSource::Ratio);
    }
    if !fits(smallest + 1) {
        return (smallest as f64, StepSource::Dimensions);
    }
    let even = smallest.next_power_of_two();
    let step = if fits(even) { even } else { smallest };
    (step as f64, StepSource::Ambiguous)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_from_the_dimensions() {
        assert_eq!(derived_step(5200, 651), (8.0, StepSource::Dimensions));
        assert_eq!(derived_step(18_984, 2374), (8.0, StepSource::Dimensions));
        assert_eq!(derived_step(9492, 1188), (8.0, StepSource::Dimensions));
        assert_eq!(derived_step(1024, 65), (16.0, StepSource::Dimensions));
        assert_eq!(derived_step(5200, 5200), (1.0, StepSource::Dimensions));
        // 29 to 43 would fit
        assert_eq!(derived_step(88, 4), (32.0, StepSource::Ambiguous));
        // 9492 = 8 * 1186.5: BEAM's grid has one point less
        assert_eq!(derived_step(9492, 1187).1, StepSource::Ratio);
        assert_eq!(derived_step(2, 2), (1.0, StepSource::Ambiguous));
    }
}
