//! The terms of one band at one node and height.

use crate::sources::tables::{GasTransmittance, RtPath, Scatter};

/// Scale height of aerosol above the surface in 6S, metres \[V\] (docs/sources/atmosphere.md, Moving aerosol and water to the
/// pixel, as the two below).
const AEROSOL_SCALE_M: f32 = 2000.0;
/// Scale height of water vapour, metres: columns of the US62 profile \[V\], same source.
const WATER_SCALE_M: f32 = 2300.0;
/// Offsets from the model's orography saturate here, smoothly, so that few height levels follow them; metres. Chosen.
const MAX_OFFSET_M: f32 = 1500.0;
/// AOD550 of the nominal aerosol that ρ_q keeps; chosen (docs/sources/atmosphere.md, Normalised reflectance).
const NOMINAL_AOD: f32 = 0.10;

/// Differences by which slopes are taken: small against the curvature of the tables, large against rounding. Chosen:
/// docs/sources/atmosphere.md, Nodes and height levels.
mod difference {
    /// AOD550; chosen.
    pub(super) const AOD: f32 = 0.02;
    /// Water vapour, g cm⁻²; chosen.
    pub(super) const WATER: f32 = 0.1;
    /// Ozone, cm-atm; chosen.
    pub(super) const OZONE: f32 = 0.01;
    /// Pressure, hPa; chosen.
    pub(super) const PRESSURE: f32 = 5.0;
}

/// Smallest diffuse transmittance that is divided by; chosen, below any of the tables.
const LEAST_DIFFUSE: f32 = 1e-6;
/// Smallest direct share of the upward transmittance: the adjacency correction divides by it. Chosen.
const LEAST_DIRECT: f32 = 0.05;

/// The three coefficients that invert a pixel, or their change with an input.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Inverse {
    /// A: TOA reflectance over a black surface.
    pub a: f32,
    /// B: two-way transmittance.
    pub b: f32,
    /// S: spherical albedo.
    pub s: f32,
}

/// Coefficients from scattering and gas terms (see the module's equations).
fn inverse(rayleigh: &Scatter, mixed: &Scatter, gas: &GasTransmittance) -> Inverse {
    let dry = gas.ozone * gas.other;
    Inverse {
        a: dry * (rayleigh.path + (mixed.path - rayleigh.path) * gas.water_half),
        b: dry * gas.water * gas.overlap * mixed.t_down * mixed.t_up,
        s: mixed.spherical_albedo,
    }
}

/// AOD and water vapour at a height.
#[derive(Debug, Clone, Copy)]
pub(in crate::stages::atmosphere) struct Local {
    pub aod550: f32,
    pub tcwv: f32,
}

/// Moves AOD and water vapour from the model's orography to a height, where the orography is known.
pub(in crate::stages::atmosphere) fn local(
    aod550: f32,
    tcwv: f32,
    model_height: Option<f32>,
    height: f32,
) -> Local {
    let Some(z0) = model_height else {
        return Local { aod550, tcwv };
    };
    let offset = MAX_OFFSET_M * ((height - z0) / MAX_OFFSET_M).tanh();
    Local {
        aod550: aod550 * (-offset / AEROSOL_SCALE_M).exp(),
        tcwv: tcwv * (-offset / WATER_SCALE_M).exp(),
    }
}

/// Everything that is stored for one band at one node and level.
pub(in crate::stages::atmosphere) struct Node {
    pub inverse: Inverse,
    pub rayleigh: Scatter,
    pub mixed: Scatter,
    pub gas: GasTransmittance,
    pub path_excess: f32,
    pub sensitivity: [Inverse; 4],
}

/// All terms at a pressure, and their slopes by small differences.
pub(in crate::stages::atmosphere) fn node(
    path: &RtPath<'_>,
    pressure: f32,
    at: Local,
    ozone: f32,
) -> Node {
    let Local { aod550, tcwv } = at;
    let rayleigh = path.scatter(pressure, 0.0);
    let mixed = path.scatter(pressure, aod550);
    let gas = path.gas(tcwv, ozone, pressure);
    let here = inverse(&rayleigh, &mixed, &gas);
    let slope = |to: Inverse, from: Inverse, step: f32| Inverse {
        a: (to.a - from.a) / step,
        b: (to.b - from.b) / step,
        s: (to.s - from.s) / step,
    };
    let (da, dw, doz, dp) = (
        difference::AOD,
        difference::WATER,
        difference::OZONE,
        difference::PRESSURE,
    );
    let below = (aod550 - da).max(0.0);
    let aod = slope(
        inverse(&rayleigh, &path.scatter(pressure, aod550 + da), &gas),
        inverse(&rayleigh, &path.scatter(pressure, below), &gas),
        aod550 + da - below,
    );
    let water = slope(
        inverse(&rayleigh, &mixed, &path.gas(tcwv + dw, ozone, pressure)),
        here,
        dw,
    );
    let ozone_slope = slope(
        inverse(&rayleigh, &mixed, &path.gas(tcwv, ozone + doz, pressure)),
        here,
        doz,
    );
    let p = pressure - dp;
    let pressure_slope = slope(
        here,
        inverse(
            &path.scatter(p, 0.0),
            &path.scatter(p, aod550),
            &path.gas(tcwv, ozone, p),
        ),
        dp,
    );
    Node {
        inverse: here,
        rayleigh,
        mixed,
        gas,
        path_excess: mixed.path - path.scatter(pressure, NOMINAL_AOD).path,
        sensitivity: [aod, water, ozone_slope, pressure_slope],
    }
}

/// Direct share of the upward transmittance, and the share of molecules in its diffuse part; `air` is the optical depth of
/// molecules, `mu` the cosine of the view zenith angle.
pub(super) fn upward(n: &Node, air: f32, mu: f32) -> (f32, f32) {
    let direct = (-(air + n.mixed.tau_aerosol) / mu).exp();
    let diffuse = (n.mixed.t_up - direct).max(LEAST_DIFFUSE);
    let of_molecules = (n.rayleigh.t_up - (-air / mu).exp()).max(0.0);
    let share = (of_molecules / diffuse).clamp(0.0, 1.0);
    ((direct / n.mixed.t_up).clamp(LEAST_DIRECT, 1.0), share)
}
