//! The inverse, pixel by pixel, with σ.

use super::budget::{Budget, across_spacing, sun_distance};
use super::coefficients::{Inverse, stored};
use super::lattice::{Lattice, Levels, MAX_LEVELS, poly};
use super::texture::{Roughness, Texture};
use crate::types::band::Band;
use crate::types::observation::{Observation, quality};
use crate::types::radiative_transfer::RtField;
use crate::types::raster::BandStack;
use crate::types::reflectance::SurfaceReflectance;
use chrono::Datelike;

/// Largest solar zenith angle that is corrected, degrees: the edge of the tables (docs/sources/atmosphere.md, The tables).
pub const MAX_SZA: f32 = 75.0;

/// Roughness of a pixel that was bridged over a bad detector counts this much more: its own samples are missing. Chosen:
/// docs/sources/atmosphere.md, Bridged detectors.
const BRIDGED: f32 = 9.0;

// fields of a node, in the order of the packed lattice
const A: usize = 0;
const INVERSE_B: usize = MAX_LEVELS;
const S: usize = 2 * MAX_LEVELS;
const SYSTEMATIC: usize = 3 * MAX_LEVELS;
const SYSTEMATIC_SLOPE: usize = SYSTEMATIC + 5;
const NOISE: usize = SYSTEMATIC + 10;
const NOISE_SLOPE: usize = NOISE + 1;
const CURVATURE: usize = NOISE + 2;
const CURVED_TERRAIN: usize = NOISE + 3;
const SLOPE: usize = NOISE + 4;
const SLOPING_TERRAIN: usize = NOISE + 5;
const HIDDEN: usize = NOISE + 6;
const FIELDS: usize = NOISE + 7;

/// Surface reflectance of an observation and its 1 σ.
///
/// ρ = y/(1 + S·y), y = (ρ_toa − A)/B. NaN where a band has no value, the height is unknown, or the Sun is lower
/// than [`MAX_SZA`] allows. Never clipped. Random part of σ: noise of the native sample averaged by the resampling,
/// and structure that the sampling cannot resolve; total: with the systematic inputs of `budget`, each through
/// ∂ρ/∂x = −[∂A·(1 − S·ρ)² + ∂B·ρ·(1 − S·ρ) + ∂S·B·ρ²]/B, which makes their variance a polynomial of fourth
/// degree in ρ that varies as slowly as the coefficients do.
pub fn correct(obs: &Observation, rt: &RtField, budget: &Budget) -> SurfaceReflectance {
    let levels = Levels::of(&rt.heights);
    let budget = &budget.for_origins(&rt.state.origins);
    let relief = relief(obs);
    let layers = Band::ALL.map(|band| match levels.len() {
        1 => correct_band::<1>(obs, rt, budget, &levels, band, &relief),
        2 => correct_band::<2>(obs, rt, budget, &levels, band, &relief),
        3 => correct_band::<3>(obs, rt, budget, &levels, band, &relief),
        4 => correct_band::<4>(obs, rt, budget, &levels, band, &relief),
        _ => correct_band::<MAX_LEVELS>(obs, rt, budget, &levels, band, &relief),
    });
    let [b, r, n, s] = layers.map(|l| l.map(|data| super::layer(&obs.grid, data)));
    let stack = |bands| BandStack {
        grid: obs.grid,
        bands,
    };
    let ([b0, b1, b2], [r0, r1, r2], [n0, n1, n2], [s0, s1, s2]) = (b, r, n, s);
    SurfaceReflectance {
        grid: obs.grid,
        rho: stack([b0, r0, n0, s0]),
        sigma: stack([b1, r1, n1, s1]),
        sigma_random: stack([b2, r2, n2, s2]),
    }
}

/// Roughness of the heights, row after row.
fn relief(obs: &Observation) -> Roughness {
    let mut all = Roughness::default();
    if obs.height.dim() != (obs.grid.height, obs.grid.width) {
        all.curvature = vec![0.0; obs.grid.len()];
        all.slope = vec![0.0; obs.grid.len()];
        return all;
    }
    all.curvature.reserve_exact(obs.grid.len());
    all.slope.reserve_exact(obs.grid.len());
    let mut texture = Texture::new(&obs.height);
    let mut row = Roughness::default();
    for r in 0..obs.grid.height {
        texture.row(r, &mut row);
        all.curvature.extend_from_slice(&row.curvature);
        all.slope.extend_from_slice(&row.slope);
    }
    all
}

/// Reflectance, σ and its random part of one band, row after row (written once, while in cache).
fn correct_band<const N: usize>(
    obs: &Observation,
    rt: &RtField,
    budget: &Budget,
    levels: &Levels,
    band: Band,
    relief: &Roughness,
) -> [Vec<f32>; 3] {
    let lattice = pack(obs, rt, budget, levels, band);
    let mut texture = Texture::new(&obs.toa[band]);
    let (mut line, mut t, mut rough) = (Vec::new(), Vec::new(), Roughness::default());
    let mut out = [(); 3].map(|()| Vec::with_capacity(obs.grid.len()));
    let rows = obs.toa[band]
        .outer_iter()
        .zip(obs.height.outer_iter())
        .zip(obs.angles.sza.outer_iter())
        .zip(obs.quality[band].outer_iter());
    for (r, (((toa, height), sza), flags)) in rows.enumerate() {
        let start = r * obs.grid.width;
        out.iter_mut()
            .for_each(|o| o.resize(start + obs.grid.width, f32::NAN));
        let Some(toa) = toa.as_slice() else {
            continue;
        };
        if toa.iter().all(|v| v.is_nan()) {
            continue;
        }
        lattice.row(r, &mut line);
        levels.normalise(height.iter().copied(), &mut t);
        texture.row(r, &mut rough);
        for (v, &f) in rough.curvature.iter_mut().zip(flags) {
            if f & quality::INTERPOLATED != 0 {
                *v *= BRIDGED;
            }
        }
        let [rho, sigma, random] = out.each_mut().map(|o| &mut o[start..]);
        for (c, toa) in toa.chunks(lattice.step).enumerate() {
            let cell = lattice.cell::<FIELDS>(&line, c);
            if cell.0[0].is_nan() {
                continue;
            }
            let from = c * lattice.step;
            let span = from..from + toa.len();
            let pixels = Pixels {
                toa,
                t: &t[span.clone()],
                curvature: &rough.curvature[span.clone()],
                slope: &rough.slope[span.clone()],
                curved_terrain: &relief.curvature[start..][span.clone()],
                sloping_terrain: &relief.slope[start..][span.clone()],
            };
            let (rho, sigma) = (&mut rho[span.clone()], &mut sigma[span.clone()]);
            invert::<N>(&cell, &pixels, rho, sigma, &mut random[span]);
        }
        for (c, _) in sza.iter().enumerate().filter(|(_, z)| **z > MAX_SZA) {
            (rho[c], sigma[c], random[c]) = (f32::NAN, f32::NAN, f32::NAN);
        }
    }
    out
}

/// Inputs of the pixels between two node columns.
struct Pixels<'a> {
    toa: &'a [f32],
    /// Normalised height.
    t: &'a [f32],
    /// Mean square of the local Laplacian of the TOA reflectance.
    curvature: &'a [f32],
    /// Mean square of its local gradient.
    slope: &'a [f32],
    /// The same of the heights.
    curved_terrain: &'a [f32],
    sloping_terrain: &'a [f32],
}

fn invert<const N: usize>(
    (base, change): &([f32; FIELDS], [f32; FIELDS]),
    pixels: &Pixels<'_>,
    rho: &mut [f32],
    sigma: &mut [f32],
    random: &mut [f32],
) {
    let n = pixels.toa.len();
    let (toa, t) = (&pixels.toa[..n], &pixels.t[..n]);
    let (curvature, slope) = (&pixels.curvature[..n], &pixels.slope[..n]);
    let (curved, sloping) = (&pixels.curved_terrain[..n], &pixels.sloping_terrain[..n]);
    let (rho, sigma, random) = (&mut rho[..n], &mut sigma[..n], &mut random[..n]);
    for k in 0..n {
        // an i32 is turned into a float four at a time
        let x = k as i32 as f32;
        let field = |f: usize| base[f] + change[f] * x;
        let (toa, t) = (toa[k], t[k]);
        let a = poly::<N, FIELDS>(base, change, A, x, t);
        let inverse_b = poly::<N, FIELDS>(base, change, INVERSE_B, x, t);
        let s = poly::<N, FIELDS>(base, change, S, x, t);
        let y = (toa - a) * inverse_b;
        let shrink = 1.0 / (1.0 + s * y);
        let value = y * shrink;
        let gain = inverse_b * shrink * shrink;
        let unresolved = (field(CURVATURE) + field(CURVED_TERRAIN) * curved[k]) * curvature[k]
            + (field(SLOPE) + field(SLOPING_TERRAIN) * sloping[k]) * slope[k];
        let noise = field(NOISE) + field(NOISE_SLOPE) * toa.max(0.0) + unresolved;
        let variance = gain * gain * noise + field(HIDDEN) * value * value;
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
    let resampling = budget.resampling.of(band, obs.grid.pixel);
    let vza = &rt.vza[usize::from(band == Band::Swir)];
    let top = levels.len() - 1;
    Lattice::new(&rt.nodes, &rt.used, FIELDS, |i, j, node| {
        node.fill(0.0);
        levels.powers(|l| c.a[(l, i, j)], &mut node[A..]);
        levels.powers(|l| 1.0 / c.b[(l, i, j)], &mut node[INVERSE_B..]);
        levels.powers(|l| c.s[(l, i, j)], &mut node[S..]);
        let variance = |at: (usize, usize, usize)| {
            let (here, slopes) = stored(c, at);
            systematic(&terms(&here, &slopes, budget, band, rt.aod550[at]))
        };
        let (low, high) = (variance((0, i, j)), variance((top, i, j)));
        for p in 0..5 {
            node[SYSTEMATIC + p] = 0.5 * (low[p] + high[p]);
            node[SYSTEMATIC_SLOPE + p] = 0.5 * (high[p] - low[p]);
        }
        let mu = rt.sza[(i, j)].to_radians().cos();
        let (constant, per_toa) = budget.noise.variance(rt.camera, band, mu, au);
        let spacing = across_spacing(vza[(i, j)]);
        node[NOISE] = resampling.noise_gain * spacing * constant;
        node[NOISE_SLOPE] = resampling.noise_gain * spacing * per_toa;
        node[HIDDEN] = resampling.hidden.powi(2);
        let displaced = vza[(i, j)].to_radians().tan() / obs.grid.pixel as f32;
        let sparse = spacing.powf(resampling.sparse);
        node[CURVATURE] = (resampling.roughness * sparse).powi(2);
        node[CURVED_TERRAIN] = (resampling.terrain * displaced).powi(2);
        node[SLOPE] = (resampling.position * sparse).powi(2);
        node[SLOPING_TERRAIN] = (resampling.slope * displaced).powi(2);
    })
}

/// Variance of the systematic part as a polynomial in ρ, lowest power first.
fn systematic(parts: &[[f32; 3]]) -> [f32; 5] {
    let mut total = [0.0; 5];
    for [p0, p1, p2] in parts {
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
///
/// `slopes`: change of the coefficients with AOD550, water vapour, ozone and pressure.
pub(super) fn terms(
    at: &Inverse,
    slopes: &[Inverse; 4],
    budget: &Budget,
    band: Band,
    aod550: f32,
) -> [[f32; 3]; TERMS.len()] {
    let Inverse { a, b, s } = *at;
    let by = |k: usize, sigma: f32| {
        let d = &slopes[k];
        [
            -d.a / b * sigma,
            (2.0 * d.a * s - d.b) / b * sigma,
            (-d.a * s * s / b + d.b * s / b - d.s) * sigma,
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
