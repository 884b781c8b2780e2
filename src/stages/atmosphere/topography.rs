//! Illumination of slopes: SCS+C (Soenen, Peddle & Coburn 2005, IEEE TGRS 43(9), 2148–2159).
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

/// Slopes gentler than this teach nothing about C, as the tangent (5°).
const LEAST_SLOPE: f64 = 0.0875;
/// Fewest slopes that C is taken from.
const LEAST_PIXELS: usize = 300;
/// Slopes with a lower cos i hardly see the Sun and are left as they are.
const LEAST_COS: f64 = 0.1;
/// Factors stay within 1/3 and 3.
const LARGEST: f64 = 3.0;

/// Slope and illumination of a pixel.
#[derive(Clone, Copy)]
struct Lie {
    /// cos i, and what level ground has: cos α·cos θ_s of SCS.
    cos_i: f64,
    level: f64,
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
    let lies = Array2::from_shape_fn(surface.rho[Band::Red].dim(), |(r, c)| {
        lie(obs, &slopes, r, c)
    });
    let factors = Band::ALL.map(|band| {
        let rho = &surface.rho[band];
        let mut sums = [0.0f64; 5];
        for ((r, c), lie) in lies.indexed_iter() {
            let Some(lie) = lie.filter(|l| l.steep && l.cos_i > LEAST_COS) else {
                continue;
            };
            let value = f64::from(rho[(r, c)]);
            if value.is_finite() && keep(r, c) {
                let x = lie.cos_i;
                let terms = [1.0, x, x * x, value, x * value];
                sums.iter_mut().zip(terms).for_each(|(s, t)| *s += t);
            }
        }
        match offset(sums) {
            None => Array2::from_elem(rho.dim(), 1.0),
            Some(offset) => lies.mapv(|lie| match lie {
                Some(lie) if lie.cos_i > LEAST_COS => {
                    let factor = (lie.level + offset) / (lie.cos_i + offset);
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
    (spread > 1e-9 * n * n && m > 1e-6).then_some((b / m).max(0.0))
}

/// `None` without height or Sun.
fn lie(obs: &Observation, slopes: &Slopes<'_>, r: usize, c: usize) -> Option<Lie> {
    let slope = slopes.at(r, c)?;
    let (sza, saa) = (*obs.angles.sza.get((r, c))?, *obs.angles.saa.get((r, c))?);
    if sza.is_nan() || saa.is_nan() {
        return None;
    }
    let zenith = f64::from(sza).to_radians();
    Some(Lie {
        cos_i: slope.cos_incidence(zenith, slopes.azimuth(r, c, saa)),
        level: slope.cosine() * zenith.cos(),
        steep: slope.tangent() > LEAST_SLOPE,
    })
}
