//! Shares of the types of aerosol from CAMS's optical depths by kind.
//!
//! | type of the tables | share of AOD550 |
//! |---|---|
//! | desert | dust |
//! | maritime | sea salt |
//! | biomass | organic matter and black carbon, as far as they exceed sulphate, nitrate and ammonium: smoke |
//! | continental | the rest |
//! | urban | none: 6S's urban type is 22 % soot by volume, more than CAMS has anywhere over a tile |
//!
//! Shares are of the sum of the kinds, so the total stays `aod550`. The rule is a choice \[M\] (docs/sources/atmosphere.md, Kinds and types of aerosol): CAMS's kinds are
//! chemical, 6S's types are mixtures that occur together, and continental already holds soot and dust.

use super::place::Place;
use super::{Cams, CamsError, Species, Variable};
use chrono::{DateTime, Utc};
use ndarray::Array2;

/// Shares in the order of [`crate::types::aerosol::Aerosol::ALL`]: continental, desert, maritime, urban, biomass, of the
/// optical depths by kind in the order of [`Species::ALL`].
fn shares(kinds: [f64; 7]) -> [f32; 5] {
    if kinds.iter().any(|v| v.is_nan()) {
        return [f32::NAN; 5];
    }
    let [dust, salt, sulphate, organic, black, nitrate, ammonium] = kinds.map(|v| v.max(0.0));
    let (salts, carbon) = (sulphate + nitrate + ammonium, organic + black);
    let smoke = (carbon - salts).max(0.0);
    let total = dust + salt + salts + carbon;
    if total <= 0.0 {
        return [1.0, 0.0, 0.0, 0.0, 0.0];
    }
    let [desert, maritime, biomass] = [dust, salt, smoke].map(|v| (v / total) as f32);
    let rest = (1.0 - desert - maritime - biomass).max(0.0);
    [rest, desert, maritime, 0.0, biomass]
}

impl Cams {
    /// Shares of AOD550 of the types of aerosol at the nodes, in the order of [`crate::types::aerosol::Aerosol::ALL`], by the
    /// rule of this module, and a line about their origin. Interpolated as [`Cams::state`] does; monthly means and
    /// climatologies are no answer.
    ///
    /// # Errors
    /// [`CamsError`]: a kind other than nitrate and ammonium is missing, and as for [`Cams::state`].
    pub fn shares(
        &self,
        time: DateTime<Utc>,
        nodes: &crate::types::grid::NodeGrid,
    ) -> Result<([Array2<f32>; 5], String), CamsError> {
        let place = Place::new(nodes);
        let mut kinds: Vec<Array2<f64>> = Vec::with_capacity(7);
        let mut words = String::new();
        for species in Species::ALL {
            match self.field(Variable::Species(species), time, &place) {
                Ok((values, _, origin)) => {
                    words = origin;
                    kinds.push(values);
                }
                Err(CamsError::Missing { .. }) if !species.is_required() => {
                    kinds.push(Array2::zeros(nodes.shape()));
                }
                Err(error) => return Err(error),
            }
        }
        let mut out: [Array2<f32>; 5] = std::array::from_fn(|_| Array2::zeros(nodes.shape()));
        for ((i, j), _) in kinds[0].indexed_iter() {
            let at = shares(std::array::from_fn(|k| kinds[k][(i, j)]));
            out.iter_mut().zip(at).for_each(|(o, v)| o[(i, j)] = v);
        }
        Ok((out, format!("aerosol types by kinds of CAMS: {words}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_become_types() {
        let only = |k: usize| shares(std::array::from_fn(|j| if j == k { 0.3 } else { 0.0 }));
        assert_eq!(only(0), [0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(only(1), [0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(only(2), [1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(only(3), [0.0, 0.0, 0.0, 0.0, 1.0]);
        // a European summer: carbon does not exceed the salts
        let mixed = shares([0.02, 0.01, 0.06, 0.05, 0.01, 0.02, 0.01]);
        assert!((mixed.iter().sum::<f32>() - 1.0).abs() < 1e-6 && mixed[4] == 0.0);
        assert!((mixed[1] - 0.02 / 0.18).abs() < 1e-6);
        assert_eq!(shares([0.0; 7]), [1.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(shares([f64::NAN; 7])[0].is_nan());
    }
}
