//! The inverse, pixel by pixel, with σ.

use super::budget::{Budget, sun_distance};
use super::lattice::{Lattice, Levels, poly};
use super::texture::Texture;
use crate::band::Band;
use crate::observation::{Observation, quality};
use crate::raster::BandStack;
use crate::reflectance::SurfaceReflectance;
use crate::rt::{BandCoefficients, RtField};
use chrono::Datelike;

/// Largest solar zenith angle that is corrected, degrees: the edge of the tables (`reference/atmosphere.md` §6).
pub const MAX_SZA: f32 = 75.0;

/// Roughness of a pixel that was bridged over a bad detector counts this much more: its own samples are missing.
const BRIDGED: f32 = 9.0;

// fields of a node, in the order of the packed lattice
const A: usize = 0;
const INVERSE_B: usize = 4;
const S: usize = 8;
const SYSTEMATIC: usize = 12;
const SYSTEMATIC_SLOPE: usize = 17;
const NOISE: usize = 22;
const NOISE_SLOPE: usize = 23;
const FIELDS: usize = 24;

/// Surface reflectance of an observation and its 1 σ.
///
/// ρ = y/(1 + S·y), y = (ρ_toa − A)/B. NaN where a band has no value, the height is unknown, or the Sun is lower
/// than [`MAX_SZA`] allows. Never clipped. Random part of σ: noise of the native sample averaged by the resampling,
/// and structure that the sampling cannot resolve; total: with the systematic inputs of `budget`, each through
/// ∂ρ/∂x = −[∂A·(1 − S·ρ)² + ∂B·ρ·(1 − S·ρ) + ∂S·B·ρ²]/B, which makes their variance a polynomial of fourth
/// degree in ρ that varies as slowly as the coefficients do.
pub fn correct(obs: &Observation, rt: &RtField, budget: &Budget) -> SurfaceReflectance {
    let nan = || BandStack::filled(obs.grid, f32::NAN);
    let mut out = SurfaceReflectance {
        grid: obs.grid,
        rho: nan(),
        sigma: nan(),
        sigma_random: nan(),
    };
    let levels = Levels::of(&rt.heights);
    for band in Band::ALL {
        match levels.len() {
            1 => correct_band::<1>(obs, rt, budget, &levels, band, &mut out),
            2 => correct_band::<2>(obs, rt, budget, &levels, band, &mut out),
            3 => correct_band::<3>(obs, rt, budget, &levels, band, &mut out),
            _ => correct_band::<4>(obs, rt, budget, &levels, band, &mut out),
        }
    }
    out
}

fn correct_band<const N: usize>(
    obs: &Observation,
    rt: &RtField,
    budget: &Budget,
    levels: &Levels,
    band: Band,
    out: &mut SurfaceReflectance,
) {
    let lattice = pack(obs, rt, budget, levels, band);
    let b = band.index();
    let roughness = if obs.grid.pixel > 150.0 {
        budget.resampling.roughness_300[b]
    } else {
        budget.resampling.roughness[b]
    };
    let rough = roughness * roughness;
    let mut texture = Texture::new(&obs.toa[band]);
    let (mut line, mut t, mut mean_square) = (Vec::new(), Vec::new(), Vec::new());
    let rows = obs.toa[band].outer_iter().zip(obs.height.outer_iter());
    let angles = obs.angles.sza.outer_iter();
    let flags = obs.quality[band].outer_iter();
    let results = out.rho[band]
        .outer_iter_mut()
        .zip(out.sigma[band].outer_iter_mut())
        .zip(out.sigma_random[band].outer_iter_mut());
    for (r, ((((toa, height), sza), flags), ((mut rho, mut sigma), mut random))) in
        rows.zip(angles).zip(flags).zip(results).enumerate()
    {
        let (Some(toa), Some(rho), Some(sigma), Some(random)) = (
            toa.as_slice(),
            rho.as_slice_mut(),
            sigma.as_slice_mut(),
            random.as_slice_mut(),
        ) else {
            continue;
        };
        if toa.iter().all(|v| v.is_nan()) {
            continue;
        }
        lattice.row(r, &mut line);
        levels.normalise(height.iter().copied(), &mut t);
        texture.row(r, &mut mean_square);
        for (v, &f) in mean_square.iter_mut().zip(flags) {
            *v *= if f & quality::INTERPOLATED == 0 {
                rough
            } else {
                rough * BRIDGED
            };
        }
        let step = lattice.step;
        for (c, toa) in toa.chunks(step).enumerate() {
            let from = c * step;
            let cell = lattice.cell::<FIELDS>(&line, c);
            if cell.0[0].is_nan() {
                continue;
            }
            let span = from..from + toa.len();
            let pixels = Pixels {
                toa,
                t: &t[span.clone()],
                texture: &mean_square[span.clone()],
            };
            invert::<N>(
                &cell,
                &pixels,
                &mut rho[span.clone()],
                &mut sigma[span.clone()],
                &mut random[span],
            );
        }
        for (c, _) in sza.iter().enumerate().filter(|(_, z)| **z > MAX_SZA) {
            (rho[c], sigma[c], random[c]) = (f32::NAN, f32::NAN, f32::NAN);
        }
    }
}

/// Inputs of the pixels between two node columns.
struct Pixels<'a> {
    toa: &'a [f32],
    /// Normalised height.
    t: &'a [f32],
    /// Variance of unresolved structure.
    texture: &'a [f32],
}

fn invert<const N: usize>(
    (base, slope): &([f32; FIELDS], [f32; FIELDS]),
    pixels: &Pixels<'_>,
    rho: &mut [f32],
    sigma: &mut [f32],
    random: &mut [f32],
) {
    let n = pixels.toa.len();
    let (toa, t, texture) = (&pixels.toa[..n], &pixels.t[..n], &pixels.texture[..n]);
    let (rho, sigma, random) = (&mut rho[..n], &mut sigma[..n], &mut random[..n]);
    for k in 0..n {
        let x = k as f32;
        let field = |f: usize| base[f] + slope[f] * x;
        let (toa, t) = (toa[k], t[k]);
        let a = poly::<N, FIELDS>(base, slope, A, x, t);
        let inverse_b = poly::<N, FIELDS>(base, slope, INVERSE_B, x, t);
        let s = poly::<N, FIELDS>(base, slope, S, x, t);
        let y = (toa - a) * inverse_b;
        let shrink = 1.0 / (1.0 + s * y);
        let value = y * shrink;
        let gain = inverse_b * shrink * shrink;
        let noise = field(NOISE) + field(NOISE_SLOPE) * toa.max(0.0) + texture[k];
        let variance = gain * gain * noise;
        let q = |p: usize| field(SYSTEMATIC + p) + field(SYSTEMATIC_SLOPE + p) * t;
        let systematic = (((q(4) * value + q(3)) * value + q(2)) * value + q(1)) * value + q(0);
        rho[k] = value;
        random[k] = variance.sqrt();
        sigma[k] = (variance + systematic.max(0.0)).sqrt();
    }
}

/// The fields of a band at every node.
fn pack(obs: &Observation, rt: &RtField, budget: &Budget, levels: &Levels, band: Band) -> Lattice {
    let c = &rt.bands[band.index()];
    let au = sun_distance(obs.time.ordinal());
    let gain = if obs.grid.pixel > 150.0 {
        budget.resampling.noise_gain_300[band.index()]
    } else {
        budget.resampling.noise_gain[band.index()]
    };
    let top = levels.len() - 1;
    Lattice::new(&rt.nodes, &rt.used, FIELDS, |i, j, node| {
        levels.powers(|l| c.a[(l, i, j)], &mut node[A..]);
        levels.powers(|l| 1.0 / c.b[(l, i, j)], &mut node[INVERSE_B..]);
        levels.powers(|l| c.s[(l, i, j)], &mut node[S..]);
        let low = systematic(c, budget, band, rt.aod550[(0, i, j)], (0, i, j));
        let high = systematic(c, budget, band, rt.aod550[(top, i, j)], (top, i, j));
        for p in 0..5 {
            node[SYSTEMATIC + p] = 0.5 * (low[p] + high[p]);
            node[SYSTEMATIC_SLOPE + p] = 0.5 * (high[p] - low[p]);
        }
        let mu = rt.sza[(i, j)].to_radians().cos();
        let (constant, per_toa) = budget.noise.variance(rt.camera, band, mu, au);
        node[NOISE] = gain * constant;
        node[NOISE_SLOPE] = gain * per_toa;
        for k in levels.len()..4 {
            (node[A + k], node[INVERSE_B + k], node[S + k]) = (0.0, 0.0, 0.0);
        }
    })
}

/// Variance of the systematic part as a polynomial in ρ, lowest power first.
fn systematic(
    c: &BandCoefficients,
    budget: &Budget,
    band: Band,
    aod550: f32,
    at: (usize, usize, usize),
) -> [f32; 5] {
    let mut total = [0.0; 5];
    for term in terms(c, budget, band, aod550, at) {
        let [p0, p1, p2] = term;
        for (sum, v) in total.iter_mut().zip([
            p0 * p0,
            2.0 * p0 * p1,
            2.0 * p0 * p2 + p1 * p1,
            2.0 * p1 * p2,
            p2 * p2,
        ]) {
            *sum += v;
        }
    }
    total
}

/// Names of [`terms`], in order.
pub(super) const TERMS: [&str; 8] = [
    "aod",
    "water_vapour",
    "ozone",
    "pressure",
    "aerosol_type",
    "calibration",
    "calibration_band",
    "table",
];

/// Error of ρ by each systematic input, 1 σ, as a polynomial p0 + p1·ρ + p2·ρ².
pub(super) fn terms(
    c: &BandCoefficients,
    budget: &Budget,
    band: Band,
    aod550: f32,
    at: (usize, usize, usize),
) -> [[f32; 3]; 8] {
    let (a, b, s) = (c.a[at], c.b[at], c.s[at]);
    let by = |k: usize, sigma: f32| {
        let d = &c.sensitivity[k];
        let (da, db, ds) = (d.a[at], d.b[at], d.s[at]);
        [
            -da / b * sigma,
            (2.0 * da * s - db) / b * sigma,
            (-da * s * s / b + db * s / b - ds) * sigma,
        ]
    };
    // ∂ρ/∂ρ_toa · ρ_toa: the effect of a relative error of calibration
    let radiance = |sigma: f32| {
        [
            a / b * sigma,
            (1.0 - 2.0 * a * s / b) * sigma,
            (a * s * s / b - s) * sigma,
        ]
    };
    [
        by(0, budget.aod_absolute + budget.aod_relative * aod550),
        by(1, budget.tcwv),
        by(2, budget.ozone),
        by(3, budget.pressure),
        by(0, budget.aerosol_type * aod550),
        radiance(budget.calibration),
        radiance(budget.calibration_band[band.index()]),
        [budget.table, 0.0, 0.0],
    ]
}
