//! Coefficients at the nodes of a tile.

use super::AtmosphereError;
use super::angles::{band_view, node_directions, used_nodes};
use super::lattice::Levels;
use crate::sources::tables::{GasTransmittance, RtPath, RtTable, Scatter};
use crate::types::band::Band;
use crate::types::geometry::relative_azimuth;
use crate::types::grid::{GridSpec, NodeGrid};
use crate::types::observation::Observation;
use crate::types::radiative_transfer::{
    AtmosphereState, BandCoefficients, RtField, Sensitivity, pressure_hpa,
};
use ndarray::{Array2, Array3};

/// Largest distance between nodes, metres. Bilinear interpolation of A, B and S over it costs less than 1e-4 of
/// surface reflectance for the view geometry of every camera (measured: `tests::nodes_cost_less_than_1e_4`).
const NODE_SPACING_M: f64 = 4800.0;

/// Scale height of aerosol above the surface in 6S, metres (`reference/atmosphere.md` §2, \[V\]).
const AEROSOL_SCALE_M: f32 = 2000.0;
/// Scale height of water vapour, metres (US62 column, `reference/atmosphere.md` §6, \[V\]).
const WATER_SCALE_M: f32 = 2300.0;
/// Offsets from the model's orography saturate here, smoothly, so that few height levels follow them
/// (same place, \[M\], which clamps).
const MAX_OFFSET_M: f32 = 1500.0;
/// AOD of the nominal aerosol that ρ_q keeps (`reference/masking.md` §10.1).
const NOMINAL_AOD: f32 = 0.10;

/// The nodes on which the state of the atmosphere is wanted for a pixel grid.
pub fn node_grid(grid: &GridSpec) -> NodeGrid {
    let step = (NODE_SPACING_M / grid.pixel).floor().max(1.0) as usize;
    NodeGrid { grid: *grid, step }
}

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
pub(super) fn inverse(rayleigh: &Scatter, mixed: &Scatter, gas: &GasTransmittance) -> Inverse {
    let dry = gas.ozone * gas.other;
    Inverse {
        a: dry * (rayleigh.path + (mixed.path - rayleigh.path) * gas.water_half),
        b: dry * gas.water * gas.overlap * mixed.t_down * mixed.t_up,
        s: mixed.spherical_albedo,
    }
}

/// AOD and water vapour at a height.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local {
    pub aod550: f32,
    pub tcwv: f32,
}

/// Moves AOD and water vapour from the model's orography to a height, where the orography is known.
pub(super) fn local(aod550: f32, tcwv: f32, model_height: Option<f32>, height: f32) -> Local {
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
pub(super) struct Node {
    pub inverse: Inverse,
    pub rayleigh: Scatter,
    pub mixed: Scatter,
    pub gas: GasTransmittance,
    pub path_excess: f32,
    pub sensitivity: [Inverse; 4],
}

/// All terms at a pressure, and their slopes by small differences.
pub(super) fn node(path: &RtPath<'_>, pressure: f32, at: Local, ozone: f32) -> Node {
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
    // differences small against the curvature of the tables, large against rounding
    let (da, dw, doz, dp) = (0.02, 0.1, 0.01, 5.0);
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

/// Direct share of the upward transmittance, and the share of molecules in its diffuse part.
fn upward(n: &Node, air: f32, mu: f32) -> (f32, f32) {
    let direct = (-(air + n.mixed.tau_aerosol) / mu).exp();
    let diffuse = (n.mixed.t_up - direct).max(1e-6);
    let of_molecules = (n.rayleigh.t_up - (-air / mu).exp()).max(0.0);
    let share = (of_molecules / diffuse).clamp(0.0, 1.0);
    ((direct / n.mixed.t_up).clamp(0.05, 1.0), share)
}

fn empty(shape: (usize, usize, usize)) -> BandCoefficients {
    let nan = || Array3::from_elem(shape, f32::NAN);
    BandCoefficients {
        a: nan(),
        b: nan(),
        s: nan(),
        gas: nan(),
        path_rayleigh: nan(),
        t_rayleigh: nan(),
        path_excess: nan(),
        direct_share: nan(),
        molecule_share: nan(),
        sensitivity: std::array::from_fn(|_| Sensitivity {
            a: nan(),
            b: nan(),
            s: nan(),
        }),
    }
}

fn store(c: &mut BandCoefficients, at: (usize, usize, usize), n: &Node) {
    c.a[at] = n.inverse.a;
    c.b[at] = n.inverse.b;
    c.s[at] = n.inverse.s;
    c.gas[at] = n.gas.ozone * n.gas.other * n.gas.water;
    c.path_rayleigh[at] = n.rayleigh.path;
    c.t_rayleigh[at] = n.rayleigh.t_down * n.rayleigh.t_up;
    c.path_excess[at] = n.path_excess;
    for (store, d) in c.sensitivity.iter_mut().zip(&n.sensitivity) {
        store.a[at] = d.a;
        store.b[at] = d.b;
        store.s[at] = d.s;
    }
}

/// Coefficients and their slopes stored at (level, node row, node column).
pub(super) fn stored(c: &BandCoefficients, at: (usize, usize, usize)) -> (Inverse, [Inverse; 4]) {
    let here = Inverse {
        a: c.a[at],
        b: c.b[at],
        s: c.s[at],
    };
    let slopes = c.sensitivity.each_ref().map(|d| Inverse {
        a: d.a[at],
        b: d.b[at],
        s: d.s[at],
    });
    (here, slopes)
}

/// The coefficients of a tile, at the nodes of `state`.
///
/// RED takes the VNIR view angles, SWIR its own; BLUE and NIR those of RED moved along the track. Only nodes around observed pixels are filled.
///
/// # Errors
/// [`AtmosphereError`] when grids, shapes or cameras do not match, a value of the state at a node in use is
/// missing or implausible, or no angle is known near an observed pixel.
pub fn coefficients(
    table: &RtTable,
    obs: &Observation,
    state: &AtmosphereState,
) -> Result<RtField, AtmosphereError> {
    check(table, obs, state)?;
    let nodes = state.nodes;
    let used = used_nodes(&nodes, |r, c| obs.is_observed(r, c));
    let directions = |name: &'static str, zenith, azimuth| {
        let found = node_directions(&nodes, zenith, azimuth, &used);
        let missing = found
            .indexed_iter()
            .find(|(ij, d)| used[*ij] && d.0.is_nan())
            .map(|(ij, _)| ij);
        match missing {
            None => Ok(found),
            Some((i, j)) => {
                let (easting, northing) = nodes.position(i, j);
                Err(AtmosphereError::NoAngles {
                    angle: name,
                    source_file: obs.source.clone(),
                    easting,
                    northing,
                })
            }
        }
    };
    let angles = &obs.angles;
    let sun = directions("solar angles", &angles.sza, &angles.saa)?;
    let swir_only = angles.vnir_vza.iter().all(|z| z.is_nan());
    let vnir_only = angles.swir_vza.iter().all(|z| z.is_nan());
    let vnir = match swir_only {
        true => directions("view angles", &angles.swir_vza, &angles.swir_vaa)?,
        false => directions("VNIR view angles", &angles.vnir_vza, &angles.vnir_vaa)?,
    };
    let swir = match vnir_only {
        true => vnir.clone(),
        false => directions("SWIR view angles", &angles.swir_vza, &angles.swir_vaa)?,
    };

    let heights = levels(obs, &nodes, &used);
    let shape = (heights.len(), used.nrows(), used.ncols());
    let mut bands: [BandCoefficients; 4] = std::array::from_fn(|_| empty(shape));
    let mut aod550 = Array3::from_elem(shape, f32::NAN);
    let mut held = 0usize;
    for ((i, j), _) in used.indexed_iter().filter(|(_, u)| **u) {
        let ij = (i, j);
        let z0 = state.model_height.as_ref().map(|z| z[ij]);
        let shares = state.shares.as_ref().map(|s| s.each_ref().map(|a| a[ij]));
        for band in Band::ALL {
            let view = band_view(band, vnir[ij], swir[ij]);
            let raa = relative_azimuth(sun[ij].1, view.1);
            let path = table.mixed_path(band, sun[ij].0, view.0, raa, shares);
            for (l, &h) in heights.iter().enumerate() {
                let at = local(state.aod550[ij].max(0.0), state.tcwv[ij].max(0.0), z0, h);
                aod550[(l, i, j)] = at.aod550;
                held += usize::from(band == Band::Blue && at.aod550 > table.max_aod());
                let n = node(&path, pressure_hpa(h), at, state.ozone[ij]);
                let c = &mut bands[band.index()];
                store(c, (l, i, j), &n);
                let mu = view.0.to_radians().cos().max(0.05);
                let air = path.rayleigh_depth(pressure_hpa(h));
                let shares = upward(&n, air, mu);
                (c.direct_share[(l, i, j)], c.molecule_share[(l, i, j)]) = shares;
            }
        }
    }
    let mut notes = vec![table.provenance()];
    if held > 0 {
        notes.push(format!(
            "AOD550 above {} held there at {held} nodes: the table ends",
            table.max_aod()
        ));
    }
    Ok(RtField {
        nodes,
        camera: obs.camera,
        heights,
        sza: sun.mapv(|d| d.0),
        vza: [vnir.mapv(|d| d.0), swir.mapv(|d| d.0)],
        used,
        aod550,
        bands,
        state: state.clone(),
        notes,
    })
}

/// Height levels that span the relief of the observed part.
fn levels(obs: &Observation, nodes: &NodeGrid, used: &Array2<bool>) -> Vec<f32> {
    let step = nodes.step;
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for (r, row) in obs.height.outer_iter().enumerate() {
        let of_row = used.row((r / step).min(used.nrows() - 1));
        for (j, cell) in row.to_vec().chunks(step).enumerate() {
            if of_row.get(j).copied().unwrap_or(false) {
                low = cell.iter().copied().fold(low, f32::min);
                high = cell.iter().copied().fold(high, f32::max);
            }
        }
    }
    if low.is_finite() && high.is_finite() {
        Levels::heights_for(low.max(-1000.0), high.clamp(-1000.0, 9000.0))
    } else {
        vec![0.0]
    }
}

fn check(
    table: &RtTable,
    obs: &Observation,
    state: &AtmosphereState,
) -> Result<(), AtmosphereError> {
    if state.nodes.grid != obs.grid || state.nodes.step == 0 {
        return Err(AtmosphereError::Grid {
            source_file: obs.source.clone(),
        });
    }
    if table.camera() != obs.camera {
        return Err(AtmosphereError::Camera {
            table: table.camera(),
            camera: obs.camera,
            source_file: obs.source.clone(),
        });
    }
    let shape = |field, found: &[usize], expected: (usize, usize)| {
        if found == [expected.0, expected.1] {
            Ok(())
        } else {
            Err(AtmosphereError::Shape {
                field,
                found: found.to_vec(),
                expected: vec![expected.0, expected.1],
            })
        }
    };
    let pixels = (obs.grid.height, obs.grid.width);
    let a = &obs.angles;
    for (name, field) in [
        ("solar zenith", &a.sza),
        ("solar azimuth", &a.saa),
        ("VNIR view zenith", &a.vnir_vza),
        ("VNIR view azimuth", &a.vnir_vaa),
        ("SWIR view zenith", &a.swir_vza),
        ("SWIR view azimuth", &a.swir_vaa),
        ("height", &obs.height),
    ] {
        shape(name, field.shape(), pixels)?;
    }
    for band in &obs.toa.bands {
        shape("TOA reflectance", band.shape(), pixels)?;
    }
    let at_nodes = state.nodes.shape();
    let used = used_nodes(&state.nodes, |r, c| obs.is_observed(r, c));
    // wider than any atmosphere on record; a value in another unit falls outside
    for (variable, unit, field, low, high) in [
        ("AOD550", "", &state.aod550, -0.01, 10.0),
        ("ozone", "cm-atm", &state.ozone, 0.05, 0.8),
        ("water vapour", "g cm⁻²", &state.tcwv, -0.01, 10.0),
    ] {
        shape(variable, field.shape(), at_nodes)?;
        plausible(variable, unit, field, low, high, &used, &state.nodes)?;
    }
    for share in state.shares.iter().flatten() {
        let name = "share of an aerosol type";
        shape(name, share.shape(), at_nodes)?;
        plausible(name, "", share, 0.0, 1.001, &used, &state.nodes)?;
    }
    if let Some(z) = &state.model_height {
        shape("model height", z.shape(), at_nodes)?;
        plausible("model height", "m", z, -1000.0, 9000.0, &used, &state.nodes)?;
    }
    Ok(())
}

fn plausible(
    variable: &'static str,
    unit: &'static str,
    field: &Array2<f32>,
    low: f32,
    high: f32,
    used: &Array2<bool>,
    nodes: &NodeGrid,
) -> Result<(), AtmosphereError> {
    match field
        .indexed_iter()
        .find(|(ij, v)| used[*ij] && !(low..=high).contains(*v))
    {
        None => Ok(()),
        Some(((i, j), &value)) => {
            let (easting, northing) = nodes.position(i, j);
            Err(AtmosphereError::Implausible {
                variable,
                value,
                unit,
                low,
                high,
                easting,
                northing,
            })
        }
    }
}
