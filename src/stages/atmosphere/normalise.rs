//! TOA reflectance normalised for masking.

use super::correct::MAX_SZA;
use super::lattice::{Lattice, Levels, MAX_LEVELS, poly};
use crate::types::band::Band;
use crate::types::observation::Observation;
use crate::types::radiative_transfer::RtField;
use crate::types::raster::BandStack;
use crate::types::reflectance::Normalised;
use ndarray::{Array2, Array3};

/// Normalised reflectance for the masks, ρ_q (docs/sources/atmosphere.md, Normalised reflectance):
///
/// ρ_rc = (ρ_toa/T_gas − ρ_R)/(T_R↓·T_R↑), and
/// ρ_q = ρ_rc − (1 − c)·[ρ_a(AOD) − ρ_a(0.10)] with c = clip((ρ_rc,BLUE − 0.05)/0.5, 0, 1),
/// ρ_a the path reflectance of the aerosol; without a value in BLUE, c = 0. Pressure, and AOD where it moves with
/// height, per pixel. NaN where a band has no value or the Sun is lower than [`MAX_SZA`] allows.
pub fn normalise(obs: &Observation, rt: &RtField) -> Normalised {
    let levels = Levels::of(&rt.heights);
    match levels.len() {
        1 => fill::<1>(obs, rt, &levels),
        2 => fill::<2>(obs, rt, &levels),
        3 => fill::<3>(obs, rt, &levels),
        4 => fill::<4>(obs, rt, &levels),
        _ => fill::<MAX_LEVELS>(obs, rt, &levels),
    }
}

fn fill<const N: usize>(obs: &Observation, rt: &RtField, levels: &Levels) -> Normalised {
    let interpolation = NodeInterpolation { obs, rt, levels };
    let aod550 = interpolation.run::<N, 1, 0>([&rt.aod550], [], |[aod], []| aod);
    let corrected = |[gas, path, t]: [f32; 3], toa: f32| (toa / gas - path) / t;
    let c = &rt.bands[Band::Blue.index()];
    let quantities = [&c.gas, &c.path_rayleigh, &c.t_rayleigh];
    let blue = interpolation.run::<N, 3, 1>(quantities, [&obs.toa[Band::Blue]], |values, [toa]| {
        corrected(values, toa)
    });
    let mut bands = Band::ALL.map(|band| {
        let c = &rt.bands[band.index()];
        let quantities = [&c.gas, &c.path_rayleigh, &c.t_rayleigh, &c.path_excess];
        let inputs = [&obs.toa[band], &blue];
        interpolation.run::<N, 4, 2>(quantities, inputs, |[gas, path, t, excess], [toa, blue]| {
            let opaque = if blue.is_nan() {
                0.0
            } else {
                ((blue - OPAQUE_FROM) * OPAQUE_SLOPE).clamp(0.0, 1.0)
            };
            corrected([gas, path, t], toa) - (1.0 - opaque) * excess
        })
    });
    for (at, _) in obs.angles.sza.indexed_iter().filter(|(_, z)| **z > MAX_SZA) {
        bands.iter_mut().for_each(|b| b[at] = f32::NAN);
    }
    Normalised {
        q: BandStack {
            grid: obs.grid,
            bands,
        },
        aod550,
    }
}

/// Rayleigh-corrected BLUE from which a pixel begins to hide the aerosol below; chosen (docs/sources/atmosphere.md, Normalised
/// reflectance).
const OPAQUE_FROM: f32 = 0.05;
/// Growth of that share with BLUE: all hidden after 0.5 of reflectance; chosen.
const OPAQUE_SLOPE: f32 = 2.0;

/// Room for four quantities.
const FIELDS: usize = 4 * MAX_LEVELS;

/// Interpolation of quantities at nodes and levels to pixels.
pub(super) struct NodeInterpolation<'a> {
    pub obs: &'a Observation,
    pub rt: &'a RtField,
    pub levels: &'a Levels,
}

impl NodeInterpolation<'_> {
    /// One quantity at every pixel of cells in use.
    pub(super) fn values(&self, quantity: &Array3<f32>) -> Array2<f32> {
        let same = |[v]: [f32; 1], _: [f32; 0]| v;
        match self.levels.len() {
            1 => self.run::<1, 1, 0>([quantity], [], same),
            2 => self.run::<2, 1, 0>([quantity], [], same),
            3 => self.run::<3, 1, 0>([quantity], [], same),
            4 => self.run::<4, 1, 0>([quantity], [], same),
            _ => self.run::<MAX_LEVELS, 1, 0>([quantity], [], same),
        }
    }

    /// `f` of `Q` interpolated quantities and `I` pixel values at every pixel of cells in use, NaN elsewhere.
    fn run<const N: usize, const Q: usize, const I: usize>(
        &self,
        quantities: [&Array3<f32>; Q],
        inputs: [&Array2<f32>; I],
        f: impl Fn([f32; Q], [f32; I]) -> f32,
    ) -> Array2<f32> {
        let (rt, levels) = (self.rt, self.levels);
        let lattice = Lattice::new(&rt.nodes, &rt.used, MAX_LEVELS * Q, |i, j, node| {
            node.fill(0.0);
            for (values, powers) in quantities.iter().zip(node.chunks_exact_mut(MAX_LEVELS)) {
                levels.powers(|l| values[(l, i, j)], powers);
            }
        });
        let (mut line, mut t) = (Vec::new(), Vec::new());
        let grid = self.obs.grid;
        let mut values = Vec::with_capacity(grid.len());
        for (r, height) in self.obs.height.outer_iter().enumerate() {
            values.resize((r + 1) * grid.width, f32::NAN);
            let out = &mut values[r * grid.width..];
            let inputs = inputs.map(|a| a.row(r).to_slice().unwrap_or(&[]));
            if inputs.iter().any(|row| row.len() != grid.width) {
                continue;
            }
            lattice.row(r, &mut line);
            levels.normalise(height.iter().copied(), &mut t);
            for (c, out) in out.chunks_mut(lattice.step).enumerate() {
                let (base, slope) = lattice.cell::<FIELDS>(&line, c);
                if base[0].is_nan() {
                    continue;
                }
                let n = out.len();
                let from = c * lattice.step;
                let t = &t[from..from + n];
                let inputs = inputs.map(|row| &row[from..from + n]);
                for k in 0..n {
                    // an i32 is turned into a float four at a time
                    let x = k as i32 as f32;
                    let quantity = std::array::from_fn(|q| {
                        poly::<N, FIELDS>(&base, &slope, MAX_LEVELS * q, x, t[k])
                    });
                    out[k] = f(quantity, std::array::from_fn(|i| inputs[i][k]));
                }
            }
        }
        super::layer(&grid, values)
    }
}
