//! Light that reaches the sensor from the ground around a pixel.
//!
//! ρ_toa = A + B·[d·ρ_s + (1 − d)·⟨ρ⟩]/(1 − S·⟨ρ⟩) (docs/sources/atmosphere.md, Vermote 1997): d is the direct
//! share exp(−τ/μ_v)/T↑ of the upward transmittance, ⟨ρ⟩ the surroundings weighted by 6S's environment functions, the
//! share of light from within r kilometres (same source, \[M\]):
//!
//! ```text
//! molecules  F(r) = 1 − 0.930 exp(−0.08 r) − 0.070 exp(−1.10 r)
//! aerosol    F(r) = 1 − 0.375 exp(−0.20 r) − 0.625 exp(−1.83 r)
//! ```
//!
//! mixed by the diffuse transmittances of molecules and aerosol. The plain correction ρ_u stands for ⟨ρ⟩ = ρ_s, so that
//! ρ_s = {ρ_u/(1 − S·ρ_u)·(1 − S·⟨ρ⟩) − (1 − d)·⟨ρ⟩}/d; two rounds, the first with ρ_u for the surroundings.
//! Surroundings are sampled every 300 m to 2.25 km and every 1.5 km to 23 km; what lies beyond, or has no value, counts
//! as the rest does. Clouds count as ground of their brightness.

use super::lattice::Levels;
use super::normalise::NodeInterpolation;
use crate::types::band::Band;
use crate::types::observation::Observation;
use crate::types::radiative_transfer::RtField;
use crate::types::raster::BandStack;
use crate::types::reflectance::SurfaceReflectance;
use ndarray::{Array2, Zip};

/// An environment function: (share, decay per km) of its two terms.
type Environment = [(f64, f64); 2];

/// Of molecules: docs/sources/atmosphere.md, Vermote 1997.
const MOLECULES: Environment = [(0.930, 0.08), (0.070, 1.10)];
/// Of aerosol: the same source.
const AEROSOL: Environment = [(0.375, 0.20), (0.625, 1.83)];

/// Cell of the near field, metres; chosen (docs/sources/atmosphere.md, Adjacency, as the four below).
const CELL_M: f64 = 300.0;
/// Cells of the near field to each side: it then ends where cells of the far field do. Chosen.
const NEAR: usize = 7;
/// Near cells in a far cell, along each axis; chosen.
const RATIO: usize = 5;
/// Far cells to each side: 23 km; chosen.
const FAR: usize = 15;
/// Rounds, the first with the plain correction for the surroundings; chosen.
const ROUNDS: usize = 2;

/// Corrects a surface for the light of its surroundings, in place, with the σ it then has (noise grows by ∂ρ_s/∂ρ_u,
/// systematic parts are common to neighbours and stay), and returns what was added to each band.
pub fn adjacency(
    obs: &Observation,
    rt: &RtField,
    surface: &mut SurfaceReflectance,
) -> BandStack<f32> {
    let levels = Levels::of(&rt.heights);
    let interpolation = NodeInterpolation {
        obs,
        rt,
        levels: &levels,
    };
    let added = Band::ALL.map(|band| {
        let c = &rt.bands[band.index()];
        let albedo = interpolation.values(&c.s);
        let direct = interpolation.values(&c.direct_share);
        let molecules = interpolation.values(&c.molecule_share);
        let plain = surface.rho[band].clone();
        let mut rho = plain.clone();
        let mut around = Array2::zeros(plain.dim());
        for _ in 0..ROUNDS {
            around = surroundings(&rho, &molecules, surface.grid.pixel);
            Zip::from(&mut rho)
                .and(&plain)
                .and(&around)
                .and(&albedo)
                .and(&direct)
                .for_each(|r, u, e, s, d| {
                    *r = (u / (1.0 - s * u) * (1.0 - s * e) - (1.0 - d) * e) / d;
                });
        }
        let random = &mut surface.sigma_random.bands[band.index()];
        let total = &mut surface.sigma.bands[band.index()];
        for (at, noise) in random.indexed_iter_mut() {
            let (u, s) = (plain[at], albedo[at]);
            let gain = (1.0 - s * around[at]) / (direct[at] * (1.0 - s * u).powi(2));
            let systematic = (total[at].powi(2) - noise.powi(2)).max(0.0);
            *noise *= gain;
            total[at] = (systematic + noise.powi(2)).sqrt();
        }
        let difference = &rho - &plain;
        surface.rho.bands[band.index()] = rho;
        difference
    });
    BandStack {
        grid: surface.grid,
        bands: added,
    }
}

/// ⟨ρ⟩ at every pixel; NaN only where nothing at all is known.
fn surroundings(rho: &Array2<f32>, molecules: &Array2<f32>, pixel: f64) -> Array2<f32> {
    let step = (CELL_M / pixel).round().max(1.0) as usize;
    let size = step as f64 * pixel;
    let near = cells(rho, step);
    let far = coarser(&near);
    let [m, a] = [MOLECULES, AEROSOL].map(|function| environment(&near, &far, &function, size));
    Array2::from_shape_fn(rho.dim(), |(r, c)| {
        let at = |field: &Array2<f64>| bilinear(field, r, c, step);
        let share = f64::from(molecules[(r, c)]).clamp(0.0, 1.0);
        (share * at(&m) + (1.0 - share) * at(&a)) as f32
    })
}

/// Sums and numbers of values.
struct Cells {
    sum: Array2<f64>,
    count: Array2<f64>,
}

fn cells(rho: &Array2<f32>, step: usize) -> Cells {
    let shape = (rho.nrows().div_ceil(step), rho.ncols().div_ceil(step));
    let (mut sum, mut count) = (Array2::zeros(shape), Array2::zeros(shape));
    for ((r, c), v) in rho.indexed_iter().filter(|(_, v)| !v.is_nan()) {
        sum[(r / step, c / step)] += f64::from(v.clamp(0.0, 1.0));
        count[(r / step, c / step)] += 1.0;
    }
    // to means, so that cells at an edge weigh by their share
    let full = (step * step) as f64;
    sum.mapv_inplace(|v| v / full);
    count.mapv_inplace(|v| v / full);
    Cells { sum, count }
}

fn coarser(near: &Cells) -> Cells {
    let (rows, cols) = near.sum.dim();
    let shape = (rows.div_ceil(RATIO), cols.div_ceil(RATIO));
    let (mut sum, mut count) = (Array2::zeros(shape), Array2::zeros(shape));
    let full = (RATIO * RATIO) as f64;
    for ((r, c), v) in near.sum.indexed_iter() {
        sum[(r / RATIO, c / RATIO)] += v / full;
        count[(r / RATIO, c / RATIO)] += near.count[(r, c)] / full;
    }
    Cells { sum, count }
}

/// Weights of the cells within `reach` of a cell, `size` metres wide; those within `inner` cells are 0.
fn kernel(function: &Environment, size: f64, reach: usize, inner: Option<usize>) -> Array2<f64> {
    /// Parts of a cell along each axis over which the density is summed; chosen.
    const PARTS: i32 = 6;
    let km = size / 1000.0;
    // dF/dr/(2πr): weight of a unit of area
    let density = |r: f64| -> f64 {
        let slope: f64 = function.iter().map(|(a, k)| a * k * (-k * r).exp()).sum();
        slope / (std::f64::consts::TAU * r)
    };
    let within = |r: f64| {
        1.0 - function
            .iter()
            .map(|(a, k)| a * (-k * r).exp())
            .sum::<f64>()
    };
    let side = 2 * reach + 1;
    Array2::from_shape_fn((side, side), |(i, j)| {
        let (y, x) = (i as f64 - reach as f64, j as f64 - reach as f64);
        let apart = (y.abs().max(x.abs())) as usize;
        if inner.is_some_and(|n| apart <= n) {
            return 0.0;
        }
        if apart == 0 {
            // the disc of the cell's area
            return within(km / std::f64::consts::PI.sqrt());
        }
        let mut sum = 0.0;
        for a in 0..PARTS {
            for b in 0..PARTS {
                let part = |k: i32| (f64::from(k) + 0.5) / f64::from(PARTS) - 0.5;
                sum += density((y + part(a)).hypot(x + part(b)) * km);
            }
        }
        sum * km * km / f64::from(PARTS * PARTS)
    })
}

/// Weighted mean of the surroundings of every near cell.
fn environment(near: &Cells, far: &Cells, function: &Environment, size: f64) -> Array2<f64> {
    let close = kernel(function, size, NEAR, None);
    let wide = kernel(
        function,
        size * RATIO as f64,
        FAR,
        Some((NEAR - RATIO / 2) / RATIO),
    );
    let (close_sum, close_weight) = (convolve(&near.sum, &close), convolve(&near.count, &close));
    let (wide_sum, wide_weight) = (convolve(&far.sum, &wide), convolve(&far.count, &wide));
    Array2::from_shape_fn(near.sum.dim(), |(r, c)| {
        let sum = close_sum[(r, c)] + bilinear(&wide_sum, r, c, RATIO);
        let weight = close_weight[(r, c)] + bilinear(&wide_weight, r, c, RATIO);
        if weight > 0.0 { sum / weight } else { f64::NAN }
    })
}

fn convolve(field: &Array2<f64>, kernel: &Array2<f64>) -> Array2<f64> {
    let (rows, cols) = field.dim();
    let reach = kernel.nrows() / 2;
    let mut out = Array2::zeros((rows, cols));
    for ((i, j), &w) in kernel.indexed_iter().filter(|(_, w)| **w != 0.0) {
        let span = |shift: usize, n: usize| {
            let from = reach.saturating_sub(shift);
            let to = (n + reach).saturating_sub(shift).min(n);
            from.min(to)..to
        };
        let (r, c) = (span(i, rows), span(j, cols));
        for row in r {
            let source = field.row(row + i - reach);
            let mut target = out.row_mut(row);
            for col in c.clone() {
                target[col] += w * source[col + j - reach];
            }
        }
    }
    out
}

/// Value at a fine pixel of a field whose cells are `step` pixels wide; held at the edges.
fn bilinear(field: &Array2<f64>, row: usize, col: usize, step: usize) -> f64 {
    let place = |k: usize, n: usize| {
        let x = ((k as f64 + 0.5) / step as f64 - 0.5).clamp(0.0, (n - 1) as f64);
        let low = (x as usize).min(n.saturating_sub(2));
        (low, (low + 1).min(n - 1), x - low as f64)
    };
    let (a, b, y) = place(row, field.nrows());
    let (l, r, x) = place(col, field.ncols());
    let at = |i: usize| field[(i, l)] + x * (field[(i, r)] - field[(i, l)]);
    let (top, bottom) = (at(a), at(b));
    top + y * (bottom - top)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(function: &Environment, km: f64) -> f64 {
        1.0 - function
            .iter()
            .map(|(a, k)| a * (-k * km).exp())
            .sum::<f64>()
    }

    #[test]
    fn a_disc_weighs_what_the_environment_function_says() {
        // the centre of a bright disc on black ground, 100 m pixels
        let size = 501;
        for function in [MOLECULES, AEROSOL] {
            for radius in [0.8, 1.5, 4.0, 10.0] {
                let disc = Array2::from_shape_fn((size, size), |(r, c)| {
                    let km = (r as f64 - 250.0).hypot(c as f64 - 250.0) * 0.1;
                    f32::from(km < radius)
                });
                let near = cells(&disc, 3);
                let found = environment(&near, &coarser(&near), &function, 300.0)[(83, 83)];
                // what lies beyond the kernel counts as the rest
                let truth = within(&function, radius) / within(&function, 25.0);
                assert!(
                    (found - truth).abs() < 0.04,
                    "{radius} km: {found}, not {truth}"
                );
            }
        }
    }

    #[test]
    fn uniform_ground_is_its_own_surroundings_even_with_holes() {
        let mut rho = Array2::from_elem((160, 200), 0.3f32);
        rho.slice_mut(ndarray::s![40..90, 20..120]).fill(f32::NAN);
        let around = surroundings(&rho, &Array2::from_elem((160, 200), 0.4), 100.0);
        assert!(around.iter().all(|v| (v - 0.3).abs() < 1e-6));
    }
}
