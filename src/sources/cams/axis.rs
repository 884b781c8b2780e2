//! Latitude and longitude axes as stored, in either direction.

use std::ops::Range;

/// Longest axis that is believed (0.0036° global); chosen.
const MAX_LEN: usize = 100_000;

/// A step may be this much longer than the shortest: Gaussian latitudes vary by 2 %. Chosen.
pub(super) const UNEVEN: f64 = 1.5;

/// Largest latitude, degrees, with rounding; definition.
pub(super) const LARGEST_LATITUDE: f64 = 90.001;
/// Largest longitude believed, degrees: two turns. Chosen.
const LARGEST_LONGITUDE: f64 = 720.0;
/// A full turn, degrees, with rounding; definition.
const FULL_TURN: f64 = 360.001;
/// Steps of one grid agree to this share; chosen.
const SAME_STEP: f64 = 1e-3;
/// Phases of one grid agree to this share of a step; chosen.
const SAME_PHASE: f64 = 0.01;

/// Distance of grid points that is assumed where a file has one, degrees: that of the reanalysis, the wider of the two
/// grids of CAMS (0.75 and 0.4). Chosen: docs/sources/atmosphere.md, Choice of the steps.
const SINGLE_DEG: f64 = 0.75;

/// Coordinates of an axis in stored order, strictly monotonic; longitudes are continuous.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    values: Vec<f64>,
    /// Mean distance of neighbours; where there are none, what is assumed.
    step: f64,
}

impl Axis {
    /// Checks latitudes; `Err` says what is wrong.
    pub(super) fn latitude(values: Vec<f64>) -> Result<Axis, String> {
        if let Some(v) = values.iter().find(|v| v.abs() > LARGEST_LATITUDE) {
            return Err(format!(
                "a latitude of {v} is beyond 90: is it a longitude?"
            ));
        }
        Axis::new(values)
    }

    /// Checks longitudes and makes them continuous (…, 359.6, 0, … or …, 179.6, −180, …).
    pub(super) fn longitude(mut values: Vec<f64>) -> Result<Axis, String> {
        if let Some(v) = values.iter().find(|v| v.abs() > LARGEST_LONGITUDE) {
            return Err(format!("a longitude of {v} is out of range"));
        }
        for k in 1..values.len() {
            let turns = ((values[k] - values[k - 1]) / 360.0).round();
            values[k] -= 360.0 * turns;
        }
        let axis = Axis::new(values)?;
        if axis.extent() > FULL_TURN {
            return Err("the longitudes go round more than once".to_string());
        }
        Ok(axis)
    }

    fn new(values: Vec<f64>) -> Result<Axis, String> {
        if values.is_empty() {
            return Err("it has no values".to_string());
        }
        if values.iter().any(|v| !v.is_finite()) {
            return Err("it has missing values".to_string());
        }
        if values.len() == 1 {
            return Ok(Axis {
                values,
                step: SINGLE_DEG,
            });
        }
        let steps: Vec<f64> = values.windows(2).map(|w| w[1] - w[0]).collect();
        let up = steps.iter().all(|s| *s > 0.0);
        if !up && !steps.iter().all(|s| *s < 0.0) {
            return Err("its values are neither ascending nor descending".to_string());
        }
        let mut axis = Axis { values, step: 0.0 };
        axis.step = axis.extent() / (axis.values.len() - 1) as f64;
        let (shortest, longest) = steps.iter().fold((f64::INFINITY, 0f64), |m, s| {
            (m.0.min(s.abs()), m.1.max(s.abs()))
        });
        if longest > UNEVEN * shortest {
            return Err(format!(
                "its steps are uneven ({shortest} to {longest}): a part is missing"
            ));
        }
        Ok(axis)
    }

    /// Length check before reading.
    pub(super) fn believable(len: usize) -> bool {
        (1..=MAX_LEN).contains(&len)
    }

    /// Smallest and largest value.
    pub(super) fn range(&self) -> (f64, f64) {
        let ends = (self.values.first(), self.values.last());
        match ends {
            (Some(a), Some(b)) => (a.min(*b), a.max(*b)),
            _ => (f64::NAN, f64::NAN),
        }
    }

    fn extent(&self) -> f64 {
        let (a, b) = self.range();
        b - a
    }

    /// Mean distance of neighbours.
    pub(super) fn step(&self) -> f64 {
        self.step
    }

    /// An axis of one value has the steps of the other axis of its grid, where that has some.
    pub(super) fn paired(mut lat: Axis, mut lon: Axis) -> (Axis, Axis) {
        match (lat.values.len(), lon.values.len()) {
            (1, n) if n > 1 => lat.step = lon.step,
            (n, 1) if n > 1 => lon.step = lat.step,
            _ => {}
        }
        (lat, lon)
    }

    /// Indices of the values within `low..=high` and one beyond on each side.
    pub(super) fn around(&self, low: f64, high: f64) -> Range<usize> {
        let step = self.step() * UNEVEN;
        let near = |v: &f64| *v > low - step && *v < high + step;
        let start = self.values.iter().position(near);
        match start {
            Some(start) => {
                let n = self.values[start..].iter().take_while(|v| near(v)).count();
                start..start + n
            }
            None => 0..0,
        }
    }

    /// Values of a range of indices.
    pub(super) fn values(&self, range: &Range<usize>) -> &[f64] {
        self.values.get(range.clone()).unwrap_or(&[])
    }
}

/// Two axes are of one grid when step and phase agree to a hundredth of a step.
pub(super) fn same_lattice(a: &Axis, b: &Axis) -> bool {
    let (step, other) = (a.step(), b.step());
    if (step - other).abs() > SAME_STEP * step {
        return false;
    }
    let phase = (a.range().0 - b.range().0) / step;
    (phase - phase.round()).abs() < SAME_PHASE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longitudes_become_continuous() {
        let axis = Axis::longitude(vec![359.2, 359.6, 0.0, 0.4]).unwrap();
        assert_eq!(axis.range(), (359.2, 360.4));
        let axis = Axis::longitude(vec![179.5, -179.75, -179.0]).unwrap();
        assert_eq!(axis.range(), (179.5, 181.0));
        assert!(Axis::longitude((0..=480).map(|k| f64::from(k) * 0.75).collect()).is_ok());
        assert!(Axis::longitude((0..=500).map(|k| f64::from(k) * 0.75).collect()).is_err());
    }

    #[test]
    fn broken_axes_are_refused() {
        for bad in [
            vec![],
            vec![1.0, f64::NAN],
            vec![1.0, 2.0, 1.5],
            vec![0.0, 1.0, 3.0],
            vec![0.0, 0.0],
        ] {
            assert!(Axis::latitude(bad.clone()).is_err(), "{bad:?}");
        }
        assert!(
            Axis::latitude(vec![0.0, 3.0, 357.0])
                .unwrap_err()
                .contains("longitude")
        );
    }

    #[test]
    fn one_value_holds_for_a_cell_of_its_grid() {
        let one = || Axis::latitude(vec![50.0]).unwrap();
        assert_eq!((one().step(), one().range()), (0.75, (50.0, 50.0)));
        assert_eq!(one().around(49.5, 50.5), 0..1);
        assert!(one().around(52.0, 53.0).is_empty());
        let three = Axis::longitude(vec![4.0, 4.4, 4.8]).unwrap();
        let (lat, lon) = Axis::paired(one(), three);
        assert!((lat.step() - 0.4).abs() < 1e-9 && (lon.step() - 0.4).abs() < 1e-9);
    }

    #[test]
    fn windows_reach_one_cell_beyond() {
        let down = Axis::latitude((0..10).map(|k| 50.0 - f64::from(k)).collect()).unwrap();
        let around = down.around(44.5, 45.5);
        assert!(around.contains(&4) && around.contains(&6), "{around:?}");
        assert!(down.around(80.0, 81.0).is_empty());
    }
}
