//! Illumination of slopes: SCS+C (docs/sources/atmosphere.md, Soenen 2005, also for what is chosen here).
//!
//! ρ_n = ρ·(cos α·cos θ_s + C)/(cos i + C), cos i = cos θ_s·cos α + sin θ_s·sin α·cos(φ_s − φ_α), with slope α and aspect
//! φ_α of the grid's heights ([`crate::imaging::slope`]) and C = b/m of each band from ρ = b + m·cos i over the scene's
//! usable slopes. It removes what the average ground of the scene shows; sky light and the light of facing slopes are
//! in C. Cast shadows stay.

use crate::imaging::slope::Slopes;
use crate::types::band::Band;
use crate::types::observation::Observation;
use crate::types::raster::BandStack;
use crate::types::reflectance::SurfaceReflectance;
use ndarray::Array2;

/// Slopes gentler than this teach nothing about C, as the tangent (5°); chosen.
const LEAST_SLOPE: f64 = 0.0875;
/// Fewest slopes that C is taken from; chosen.
const LEAST_PIXELS: usize = 300;
/// Slopes with a lower cos i hardly see the Sun and are left as they are; chosen.
const LEAST_COS: f64 = 0.1;
/// Factors stay within 1/3 and 3; chosen.
const LARGEST: f64 = 3.0;

/// Smallest variance of cos i that a line is fitted to; chosen, above rounding.
const LEAST_SPREAD: f64 = 1e-9;
/// Smallest rise of reflectance with cos i that counts as one; chosen, above rounding.
const LEAST_RISE: f64 = 1e-6;

/// Slope and illumination of a pixel.
#[derive(Clone, Copy)]
struct Illumination {
    /// cos i.
    cos_i: f64,
    /// What level ground has in SCS: cos α·cos θ_s.
    level_ground: f64,
    /// Steep enough to teach something about C.
    steep: bool,
}

/// Normalises a surface to level ground, in place and with its σ, and returns the factor that each band was multiplied
/// by: 1 on ground that is level, dark, or without known height, and everywhere in bands whose C cannot be told.
/// `keep`: pixels that C is taken from.
pub fn topography(
    obs: &Observation,
    surface: &mut SurfaceReflectance,
    keep: impl Fn(usize, usize) -> bool,
) -> BandStack<f32> {
    let slopes = Slopes::new(&obs.grid, &obs.height);
    let illuminations = Array2::from_shape_fn(surface.rho[Band::Red].dim(), |(r, c)| {
        illumination(obs, &slopes, r, c)
    });
    let factors = Band::ALL.map(|band| {
        let rho = &surface.rho[band];
        let mut sums = [0.0f64; 5];
        for ((r, c), slope) in illuminations.indexed_iter() {
            let Some(slope) = slope.filter(|s| s.steep && s.cos_i > LEAST_COS) else {
                continue;
            };
            let value = f64::from(rho[(r, c)]);
            if value.is_finite() && keep(r, c) {
                let x = slope.cos_i;
                let terms = [1.0, x, x * x, value, x * value];
                sums.iter_mut().zip(terms).for_each(|(s, t)| *s += t);
            }
        }
        match offset(sums) {
            None => Array2::from_elem(rho.dim(), 1.0),
            Some(offset) => illuminations.mapv(|slope| match slope {
                Some(slope) if slope.cos_i > LEAST_COS => {
                    let factor = (slope.level_ground + offset) / (slope.cos_i + offset);
                    factor.clamp(1.0 / LARGEST, LARGEST) as f32
                }
                _ => 1.0,
            }),
        }
    });
    super::scale(surface, &factors);
    BandStack {
        grid: surface.grid,
        bands: factors,
    }
}

/// C = b/m of sums of 1, x, x², y, xy; none where reflectance does not rise with cos i.
fn offset([n, x, xx, y, xy]: [f64; 5]) -> Option<f64> {
    if n < LEAST_PIXELS as f64 {
        return None;
    }
    let spread = n * xx - x * x;
    let m = (n * xy - x * y) / spread;
    let b = (y - m * x) / n;
    (spread > LEAST_SPREAD * n * n && m > LEAST_RISE).then_some((b / m).max(0.0))
}

/// `None` without height or Sun.
fn illumination(
    obs: &Observation,
    slopes: &Slopes<'_>,
    r: usize,
    c: usize,
) -> Option<Illumination> {
    let slope = slopes.at(r, c)?;
    let (sza, saa) = (*obs.angles.sza.get((r, c))?, *obs.angles.saa.get((r, c))?);
    if sza.is_nan() || saa.is_nan() {
        return None;
    }
    let zenith = f64::from(sza).to_radians();
    Some(Illumination {
        cos_i: slope.cos_incidence(zenith, slopes.azimuth(r, c, saa)),
        level_ground: slope.cosine() * zenith.cos(),
        steep: slope.tangent() > LEAST_SLOPE,
    })
}
