//! The geometric check: sub-pixel displacement of an acquisition against a reference on the same grid,
//! and of its bands against each other.
//!
//! Edges are compared, not brightness: the double-angle gradient of an image (`features`) is the same for
//! an edge from dark to bright and from bright to dark, so that a harvested field, another season, another
//! band or another sensor still match. One displacement for all, in whole pixels, comes from the sum of the
//! correlations of all chips (`coarse`); each chip is then matched by iterative least squares (`chip`), and a
//! robust fit of low order over the chips decides (`fit`). Where pixels are few and coarser than the reference, the values
//! of all of them are matched at once (`dense`), and the chips tell only how they scatter about that. Clouds and shadows are left out by the mask; those
//! that the mask misses do not correlate with the reference and are left out by the fit.
//!
//! Sources: double angle for contrast-free orientation, Granlund 1978 (Comput. Graph. Image Process. 8);
//! iterative least-squares matching, Lucas and Kanade 1981 (IJCAI) and Gruen 1985 (S. Afr. J. Photogramm.
//! 14); both gradients averaged for unbiased and fast steps, Benhimane and Malis 2004 (IROS); biweight,
//! Beaton and Tukey 1974 (Technometrics 16).

mod block;
mod chip;
mod cluster_influence;
mod coarse;
mod dense;
mod features;
mod fit;
mod heights;
mod integer_shift;
mod kernel;
mod normal_equations;
mod reference_sample;

#[cfg(test)]
mod tests;

pub use features::Features;
pub use heights::{HeightError, Sight, height_error};

use crate::types::band::Band;
use crate::types::displacement::{Displacement, Refinement};
use crate::types::geometry::EastNorth;
use crate::types::grid::GridSpec;
use serde::Serialize;

/// Side of a chip, pixels (chosen: 1.6 km at 100 m, several fields wide; `docs/sources/registration.md`,
/// Chips).
pub(crate) const CHIP: usize = 16;
/// Most chips of one comparison (chosen: more add cost and no certainty; `docs/sources/registration.md`,
/// Chips).
const MOST_CHIPS: usize = 500;

/// One matched chip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chip {
    /// Row and column of its centre.
    pub at: [f64; 2],
    /// Displacement in pixels, along columns (east) and rows (south).
    pub d: [f64; 2],
    /// 1 σ of each component from the residuals of the match, pixels.
    pub sigma: f64,
    /// Correlation at the match, 0–1.
    pub correlation: f64,
}

/// Why a comparison gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MatchFailure {
    /// Too little clear ground in common.
    TooLittleGround,
    /// No displacement within the search range stands out.
    NoMatch,
    /// Chips disagree with each other.
    Scattered,
    /// The two do not lie on one grid.
    OtherGrid,
}

impl std::fmt::Display for MatchFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            MatchFailure::TooLittleGround => "too little clear ground in common with the reference",
            MatchFailure::NoMatch => "no displacement stands out",
            MatchFailure::Scattered => "chips disagree",
            MatchFailure::OtherGrid => "not on one grid",
        })
    }
}

/// Displacement of one image against another. Lengths in metres, east and north.
#[derive(Debug, Clone, Serialize)]
pub struct DisplacementEstimate {
    /// Mean displacement over the chips.
    pub bias: [f64; 2],
    /// 1 σ of each component of the bias.
    pub sigma: f64,
    /// Robust standard deviation of one component about the model.
    pub scatter: f64,
    /// Root mean square of the model over the chips: the displacement without the chips' own scatter.
    pub systematic: f64,
    /// Root mean square of the chips' displacement, bias included.
    pub rmse: f64,
    /// 90th percentile of the length of the chips' displacement.
    pub ce90: f64,
    /// Chips in agreement.
    pub chips: usize,
    /// Chips compared.
    pub compared: usize,
    /// The model of low order.
    #[serde(skip)]
    pub model: Displacement,
    /// Independent chips per chip, 0–1: neighbours may overlap.
    #[serde(skip)]
    pub overlap: f64,
    /// The chips in agreement, for what needs them one by one.
    #[serde(skip)]
    pub at: Vec<Chip>,
    /// What groups of pixels add to the error, metres, where all pixels were matched at once.
    #[serde(skip)]
    influences: Vec<cluster_influence::Influence>,
}

/// Displacement of `image` against `reference`: a feature of the reference at x lies at x + d in the image.
///
/// # Errors
/// A reason why it cannot be told.
pub fn measure(
    image: &Features,
    reference: &Features,
) -> Result<DisplacementEstimate, MatchFailure> {
    if image.grid != reference.grid {
        return Err(MatchFailure::OtherGrid);
    }
    let places = coarse::places(image, reference);
    let few = dense::serves(image, reference);
    let start = match coarse::displacement(image, reference, &places) {
        Err(why) if few => integer_shift::displacement(image, reference).ok_or(why)?,
        found => found?,
    };
    let fit = |start: [f64; 2]| {
        let chips = chip::match_all(image, reference, &places.at, start);
        let fitted = fit::fit(&image.grid, &chips, places.at.len(), places.overlap);
        (fitted, chips)
    };
    if !few {
        return fit(start).0;
    }
    let dense = dense::solve(image, reference, start).ok_or(match places.at.is_empty() {
        true => MatchFailure::TooLittleGround,
        false => MatchFailure::Scattered,
    })?;
    let (fitted, chips) = fit(dense.shift);
    match fitted {
        // one shift for all is no answer where chips enough see a drift
        Ok(drift) if !drift.model.is_constant() => Ok(drift),
        fitted => Ok(fit::around(
            &image.grid,
            &dense,
            fitted.ok(),
            &chips,
            &places,
        )),
    }
}

/// The geometric check of one acquisition.
#[derive(Debug, Clone)]
pub struct Check {
    /// Each band (BLUE, RED, NIR, SWIR) against its band of the reference, where there is one.
    pub absolute: [Option<Result<DisplacementEstimate, MatchFailure>>; 4],
    /// BLUE, NIR and SWIR against RED of the same acquisition; none for RED.
    pub between: [Option<Result<DisplacementEstimate, MatchFailure>>; 4],
    /// Little of what is seen is cloud. Clouds move between the acquisitions of two bands, and thin ones escape the
    /// masks: elsewhere a bias between bands counts only against a reference of these bands.
    pub cloudless: bool,
}

/// Smallest bias between bands that is corrected, metres (chosen: a tenth of a pixel of 100 m; `docs/sources/registration.md`, What is corrected).
const LEAST_BETWEEN_M: f64 = 10.0;
/// Smallest displacement against the reference that is corrected, metres (chosen: above the 2 m to 4 m that
/// are left against a poor reference; `docs/sources/registration.md`, What is corrected).
const LEAST_ABSOLUTE_M: f64 = 6.0;
/// Smallest displacement left after a correction that calls for another, metres (chosen: half of that).
const LEAST_LEFT_M: f64 = 3.0;
/// Added to variances before they weigh, m²: two bands may be the same image (chosen, 1 mm).
const LEAST_VARIANCE: f64 = 1e-6;
/// Multiple of its σ that a displacement must have to be corrected (chosen: chance reaches
/// it once in 16,000).
const SIGNIFICANT: f64 = 4.0;

/// Compares bands with a reference and with each other; `bands` and `reference` in the order of
/// [`Band::ALL`], where they exist; see [`Check::cloudless`].
///
/// ```
/// use ndarray::Array2;
/// use probav_ard::stages::register::{Features, check};
/// use probav_ard::types::band::Band;
/// use probav_ard::types::grid::GridSpec;
///
/// let grid = GridSpec { epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0, pixel: 100.0, width: 160, height: 160 };
/// // a texture, and the same one pixel further east
/// let texture = |row: usize, col: usize| {
///     let mixed = ((row * 1000 + col) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
///     ((mixed ^ mixed >> 32).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f32
/// };
/// let ground = Array2::from_shape_fn((160, 160), |(r, c)| texture(r, c + 1));
/// let image = Array2::from_shape_fn((160, 160), |(r, c)| texture(r, c));
/// let (image, ground) = (Features::new(grid, &image, None), Features::new(grid, &ground, None));
///
/// let found = check([None, Some(&image), None, None], [None, Some(&ground), None, None], true);
/// let (band, displacement) = found.leading().expect("the match is clear");
/// assert_eq!(band, Band::Red);
/// assert!((displacement.bias[0] - 100.0).abs() < 1.0 && displacement.bias[1].abs() < 1.0);
/// ```
pub fn check(
    bands: [Option<&Features>; 4],
    reference: [Option<&Features>; 4],
    cloudless: bool,
) -> Check {
    let red = bands[Band::Red.index()];
    let pairs: Vec<(bool, usize)> = (0..4).flat_map(|b| [(true, b), (false, b)]).collect();
    let mut results: Vec<Option<Result<DisplacementEstimate, MatchFailure>>> = pairs
        .iter()
        .map(|&(absolute, b)| {
            let image = bands[b]?;
            let other = if absolute {
                reference[b]?
            } else if b == Band::Red.index() {
                return None;
            } else {
                red?
            };
            Some(measure(image, other))
        })
        .collect();
    let mut take = |k: usize| results[k].take();
    Check {
        absolute: confirmed(std::array::from_fn(|b| take(2 * b))),
        between: std::array::from_fn(|b| take(2 * b + 1)),
        cloudless,
    }
}

/// What one band alone tells over less ground than a chip needs has nothing to confirm it: it is declined.
fn confirmed(
    mut absolute: [Option<Result<DisplacementEstimate, MatchFailure>>; 4],
) -> [Option<Result<DisplacementEstimate, MatchFailure>>; 4] {
    let mut told = absolute.iter_mut().flatten().filter(|m| m.is_ok());
    if let (Some(only), None) = (told.next(), told.next())
        && only.as_ref().is_ok_and(|m| m.compared == 0)
    {
        *only = Err(MatchFailure::TooLittleGround);
    }
    absolute
}

impl Check {
    /// The measure that stands for the acquisition: RED, else NIR, else BLUE, else SWIR.
    pub fn leading(&self) -> Option<(Band, &DisplacementEstimate)> {
        [Band::Red, Band::Nir, Band::Blue, Band::Swir]
            .into_iter()
            .find_map(|b| match &self.absolute[b.index()] {
                Some(Ok(m)) => Some((b, m)),
                _ => None,
            })
    }

    /// One number for how far off the acquisition is, metres: against the reference and, where that bias can
    /// be trusted, between its bands; infinite where there is nothing to go by.
    pub fn error(&self) -> f64 {
        let absolute: Vec<f64> = self
            .absolute
            .iter()
            .flatten()
            .flatten()
            .map(|m| m.systematic.powi(2))
            .collect();
        let between: Vec<f64> = (0..4)
            .filter_map(|b| self.against_red(b))
            // what may be chance must not stand against a displacement that is none
            .map(|(d, sigma)| match d[0].hypot(d[1]) {
                length if length > SIGNIFICANT * sigma => length * length,
                _ => 0.0,
            })
            .collect();
        let wanted = self.absolute.iter().any(Option::is_some);
        if (wanted && absolute.is_empty()) || (absolute.is_empty() && between.is_empty()) {
            return f64::INFINITY;
        }
        let mean = absolute.iter().sum::<f64>() / absolute.len().max(1) as f64;
        (mean + between.iter().sum::<f64>()).sqrt()
    }

    /// Bias of a band against RED and its σ, metres, where it can be told: from the displacement of both
    /// against the reference, else from comparing them with each other.
    fn against_red(&self, band: usize) -> Option<([f64; 2], f64)> {
        let red = Band::Red.index();
        match (
            &self.absolute[band],
            &self.absolute[red],
            &self.between[band],
        ) {
            _ if band == red => None,
            (Some(Ok(own)), Some(Ok(red)), _) => Some((
                [0, 1].map(|e| own.bias[e] - red.bias[e]),
                own.sigma.hypot(red.sigma),
            )),
            (None, _, Some(Ok(m))) if self.cloudless => Some((m.bias, m.sigma)),
            _ => None,
        }
    }

    /// Mean displacement of the bands against the reference, after the bias `between` them, and its σ, metres.
    fn common(&self, between: &[[f64; 2]; 4]) -> Option<([f64; 2], f64)> {
        let found: Vec<(&DisplacementEstimate, [f64; 2])> = self
            .absolute
            .iter()
            .zip(between)
            .filter_map(|(m, b)| match m {
                Some(Ok(m)) => Some((m, [m.bias[0] - b[0], m.bias[1] - b[1]])),
                _ => None,
            })
            .collect();
        if found.is_empty() {
            return None;
        }
        let weight = |m: &DisplacementEstimate| 1.0 / (m.sigma * m.sigma + LEAST_VARIANCE);
        let total: f64 = found.iter().map(|(m, _)| weight(m)).sum();
        let mean = [0, 1].map(|e| {
            let sum: f64 = found.iter().map(|(m, d)| weight(m) * d[e]).sum();
            sum / total
        });
        // bands that disagree by more than their σ make the mean less certain
        let off = |d: &[f64; 2]| (d[0] - mean[0]).powi(2) + (d[1] - mean[1]).powi(2);
        let spread: f64 = found.iter().map(|(m, d)| weight(m) * off(d)).sum();
        let freedom = (2 * found.len() - 2).max(1) as f64;
        let own = ((spread / freedom).max(1.0) / total).sqrt();
        // and as they see the same ground, what changed there does not average out between them: group by group where that
        // is known, else the mean is taken to be no surer than the surest
        let shared = if found.iter().all(|(m, _)| !m.influences.is_empty()) {
            let shifts: Vec<_> = found
                .iter()
                .map(|(m, _)| (weight(m) / total, m.influences.as_slice()))
                .collect();
            cluster_influence::pooled_sigma(&shifts).sigma
        } else {
            found
                .iter()
                .map(|(m, _)| m.sigma)
                .fold(f64::INFINITY, f64::min)
        };
        Some((mean, own.max(shared)))
    }

    /// What is left after a correction, metres, where that is worth another.
    pub fn left(&self) -> Option<[f64; 2]> {
        let (d, sigma) = self.common(&[[0.0; 2]; 4])?;
        (d[0].hypot(d[1]) > LEAST_LEFT_M.max(SIGNIFICANT * sigma)).then_some(d)
    }

    /// What should be removed from each band; `None` where nothing is significant.
    pub fn refinement(&self) -> Option<Refinement> {
        let between: [[f64; 2]; 4] = std::array::from_fn(|b| match self.against_red(b) {
            Some((d, sigma)) if d[0].hypot(d[1]) > LEAST_BETWEEN_M.max(SIGNIFICANT * sigma) => d,
            _ => [0.0; 2],
        });
        let common = self.common(&between).and_then(|(pooled, sigma)| {
            let (band, m) = self.leading()?;
            let length = pooled[0].hypot(pooled[1]);
            let drift = !m.model.is_constant();
            (drift || length > LEAST_ABSOLUTE_M.max(SIGNIFICANT * sigma)).then(|| {
                let own = between[band.index()];
                // the shape of the leading band about the mean of all
                let more = [0, 1].map(|e| pooled[e] - (m.bias[e] - own[e]));
                m.model.moved(more[0] - own[0], more[1] - own[1])
            })
        });
        if common.is_none() && between.iter().all(|b| *b == [0.0; 2]) {
            return None;
        }
        let common = common.unwrap_or(Displacement::constant(0.0, 0.0));
        Some(between.map(|b| common.moved(b[0], b[1])))
    }
}

/// Row and column of a chip's centre as a position of the grid.
fn position(grid: &GridSpec, chip: &Chip) -> EastNorth {
    grid.at(chip.at[0], chip.at[1])
}
