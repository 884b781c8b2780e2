//! Illumination of slopes: SCS+C (Soenen, Peddle & Coburn 2005, IEEE TGRS 43(9), 2148–2159).
//!
//! ρ_n = ρ·(cos α·cos θ_s + C)/(cos i + C), cos i = cos θ_s·cos α + sin θ_s·sin α·cos(φ_s − φ_α), with slope α and aspect
//! φ_α of the grid's heights (Horn 1981, 3 × 3 pixels) and C = b/m of each band from ρ = b + m·cos i over the scene's
//! usable slopes. It removes what the average ground of the scene shows; sky light and the light of facing slopes are
//! in C. Cast shadows stay.

use crate::band::Band;
use crate::grid::utm::Utm;
use crate::observation::Observation;
use crate::raster::BandStack;
use crate::reflectance::SurfaceReflectance;
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
    let north = convergence(obs);
    let lies = Array2::from_shape_fn(surface.rho[Band::Red].dim(), |(r, c)| lie(obs, north, r, c));
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

/// Angle from grid north to true north at the middle of the grid, radians, clockwise positive.
fn convergence(obs: &Observation) -> f64 {
    let utm = Utm::new(obs.grid.epsg);
    let (e, n) = obs
        .grid
        .at(obs.grid.height as f64 / 2.0, obs.grid.width as f64 / 2.0);
    let (lon, lat) = utm.inverse(e, n);
    let (e1, n1) = utm.forward(lon, lat + 0.01);
    (e1 - e).atan2(n1 - n)
}

/// `None` without height or Sun.
fn lie(obs: &Observation, north: f64, r: usize, c: usize) -> Option<Lie> {
    let h = &obs.height;
    let (rows, cols) = h.dim();
    let own = *h.get((r, c))?;
    // beyond the edge, and where a height is missing, the pixel's own
    let at = |dr: isize, dc: isize| {
        let r = r.saturating_add_signed(dr).min(rows - 1);
        let c = c.saturating_add_signed(dc).min(cols - 1);
        let v = h[(r, c)];
        f64::from(if v.is_nan() { own } else { v })
    };
    let (sza, saa) = (*obs.angles.sza.get((r, c))?, *obs.angles.saa.get((r, c))?);
    if own.is_nan() || sza.is_nan() || saa.is_nan() {
        return None;
    }
    let run = 8.0 * obs.grid.pixel;
    let east =
        (at(-1, 1) + 2.0 * at(0, 1) + at(1, 1) - at(-1, -1) - 2.0 * at(0, -1) - at(1, -1)) / run;
    let up_north =
        (at(-1, -1) + 2.0 * at(-1, 0) + at(-1, 1) - at(1, -1) - 2.0 * at(1, 0) - at(1, 1)) / run;
    let slope = east.hypot(up_north);
    let cos_slope = 1.0 / (1.0 + slope * slope).sqrt();
    let (sin, cos) = f64::from(sza).to_radians().sin_cos();
    let azimuth = f64::from(saa).to_radians() + north;
    // the normal is (−∂h/∂E, −∂h/∂N, 1)·cos α
    let cos_i = cos_slope * (cos - sin * (azimuth.sin() * east + azimuth.cos() * up_north));
    Some(Lie {
        cos_i,
        level: cos_slope * cos,
        steep: slope > LEAST_SLOPE,
    })
}
