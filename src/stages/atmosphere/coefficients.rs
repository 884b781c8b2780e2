//! Coefficients at the nodes of a tile.

mod checks;
mod node;

pub use node::Inverse;
pub(super) use node::{Local, local, node};

use super::AtmosphereError;
use super::angles::{band_view, node_directions, used_nodes};
use super::lattice::Levels;
use crate::sources::tables::RtTable;
use crate::types::band::Band;
use crate::types::geometry::{EastNorth, relative_azimuth};
use crate::types::grid::{GridSpec, NodeGrid};
use crate::types::observation::Observation;
use crate::types::radiative_transfer::{
    AtmosphereState, BandCoefficients, RtField, Sensitivity, pressure_hpa,
};
use ndarray::{Array2, Array3};
use node::{Node, upward};

/// Largest distance between nodes, metres. Bilinear interpolation of A, B and S over it costs less than 1e-4 of
/// surface reflectance for the view geometry of every camera (measured: `tests::nodes_cost_less_than_1e_4`). Chosen:
/// docs/sources/atmosphere.md, Nodes and height levels.
const NODE_SPACING_M: f64 = 4800.0;

/// Heights that can be terrain, metres (docs/sources/terrain.md, What is land).
const TERRAIN_M: (f32, f32) = (-1000.0, 9000.0);

/// Smallest cosine of a view zenith angle, 87°: keeps damaged angles finite. Chosen.
const LEAST_COS_VIEW: f32 = 0.05;

/// The nodes on which the state of the atmosphere is wanted for a pixel grid.
///
/// ```
/// use probav_ard::stages::atmosphere::node_grid;
/// use probav_ard::types::grid::GridSpec;
/// let tile = GridSpec { epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0, pixel: 100.0, width: 1098, height: 1098 };
/// assert_eq!(node_grid(&tile).shape(), (24, 24)); // every 4.8 km
/// ```
pub fn node_grid(grid: &GridSpec) -> NodeGrid {
    let step = (NODE_SPACING_M / grid.pixel).floor().max(1.0) as usize;
    NodeGrid { grid: *grid, step }
}

/// Level, node row, node column.
type At = (usize, usize, usize);

fn empty(shape: At) -> BandCoefficients {
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

fn store(c: &mut BandCoefficients, at: At, n: &Node) {
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
pub(super) fn stored(c: &BandCoefficients, at: At) -> (Inverse, [Inverse; 4]) {
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
/// RED takes the VNIR view angles, SWIR its own; BLUE and NIR those of RED moved along the track. Only nodes around
/// observed pixels are filled.
///
/// The example corrects a patch of 20 × 20 pixels, all of one reflectance, for a middling atmosphere.
///
/// ```
/// use ndarray::Array2;
/// use probav_ard::sources::tables::{Aerosol, load};
/// use probav_ard::stages::atmosphere::{Budget, coefficients, correct, node_grid, normalise};
/// use probav_ard::types::band::{Band, Camera};
/// use probav_ard::types::grid::GridSpec;
/// use probav_ard::types::observation::{Angles, Observation};
/// use probav_ard::types::radiative_transfer::{AtmosphereState, Origin};
/// use probav_ard::types::raster::BandStack;
///
/// let grid = GridSpec { epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0, pixel: 100.0, width: 20, height: 20 };
/// let everywhere = |degrees: f32| Array2::from_elem((20, 20), degrees);
/// let observation = Observation {
///     grid,
///     camera: Camera::Center,
///     source: "synthetic".into(),
///     time: "2018-06-20T10:45:00Z".parse()?,
///     toa: BandStack::filled(grid, 0.2),
///     quality: BandStack::filled(grid, 0),
///     angles: Angles {
///         sza: everywhere(35.0),
///         saa: everywhere(150.0),
///         vnir_vza: everywhere(10.0),
///         vnir_vaa: everywhere(280.0),
///         swir_vza: everywhere(11.0),
///         swir_vaa: everywhere(285.0),
///     },
///     seconds: everywhere(0.0),
///     height: everywhere(100.0),
///     occluded: Array2::from_elem((20, 20), false),
/// };
/// let nodes = node_grid(&grid);
/// let at_nodes = |value: f32| Array2::from_elem(nodes.shape(), value);
/// let state = AtmosphereState {
///     nodes,
///     aod550: at_nodes(0.15),
///     ozone: at_nodes(0.33), // cm-atm
///     tcwv: at_nodes(2.0),   // g cm⁻²
///     model_height: None,
///     shares: None,
///     origins: [Origin::Given; 3],
///     provenance: Vec::new(),
///     fallback: false,
/// };
///
/// let table = load(Camera::Center, Aerosol::Continental)?;
/// let rt = coefficients(table, &observation, &state)?;
/// let surface = correct(&observation, &rt, &Budget::default());
/// // BLUE loses the light of the air, NIR gains what the air took away
/// assert!(surface.rho[Band::Blue][(10, 10)] < 0.2 && surface.rho[Band::Nir][(10, 10)] > 0.2);
/// assert!(surface.sigma[Band::Blue][(10, 10)] >= surface.sigma_random[Band::Blue][(10, 10)]);
///
/// // for the masks: gas, molecules and part of the aerosol removed
/// let normalised = normalise(&observation, &rt);
/// assert!(normalised.q[Band::Blue][(10, 10)] < 0.2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`AtmosphereError`] when grids, shapes or cameras do not match, a value of the state at a node in use is
/// missing or implausible, or no angle is known near an observed pixel.
pub fn coefficients(
    table: &RtTable,
    obs: &Observation,
    state: &AtmosphereState,
) -> Result<RtField, AtmosphereError> {
    checks::inputs(table, obs, state)?;
    let nodes = state.nodes;
    let used = used_nodes(&nodes, |r, c| obs.is_observed(r, c));
    let directions = Directions::at_nodes(obs, &nodes, &used)?;
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
            let (sza, vza, raa) = directions.geometry(band, ij);
            let path = table.mixed_path(band, sza, vza, raa, shares);
            for (l, &h) in heights.iter().enumerate() {
                let at = local(state.aod550[ij].max(0.0), state.tcwv[ij].max(0.0), z0, h);
                aod550[(l, i, j)] = at.aod550;
                held += usize::from(band == Band::Blue && at.aod550 > table.max_aod());
                let n = node(&path, pressure_hpa(h), at, state.ozone[ij]);
                let c = &mut bands[band.index()];
                store(c, (l, i, j), &n);
                let mu = vza.to_radians().cos().max(LEAST_COS_VIEW);
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
    let Directions { sun, vnir, swir } = directions;
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

/// Zenith and azimuth, degrees, of Sun and view at the nodes in use.
struct Directions {
    sun: Array2<(f32, f32)>,
    vnir: Array2<(f32, f32)>,
    swir: Array2<(f32, f32)>,
}

impl Directions {
    /// Where only one of the two view angles is known it stands for both.
    fn at_nodes(
        obs: &Observation,
        nodes: &NodeGrid,
        used: &Array2<bool>,
    ) -> Result<Directions, AtmosphereError> {
        let known = |name: &'static str, zenith, azimuth| {
            let found = node_directions(nodes, zenith, azimuth, used);
            let mut missing = found
                .indexed_iter()
                .filter(|(ij, d)| used[*ij] && d.0.is_nan());
            match missing.next() {
                None => Ok(found),
                Some(((i, j), _)) => {
                    let EastNorth {
                        east: easting,
                        north: northing,
                    } = nodes.position(i, j);
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
        let sun = known("solar angles", &angles.sza, &angles.saa)?;
        let swir_only = angles.vnir_vza.iter().all(|z| z.is_nan());
        let vnir_only = angles.swir_vza.iter().all(|z| z.is_nan());
        let vnir = match swir_only {
            true => known("view angles", &angles.swir_vza, &angles.swir_vaa)?,
            false => known("VNIR view angles", &angles.vnir_vza, &angles.vnir_vaa)?,
        };
        let swir = match vnir_only {
            true => vnir.clone(),
            false => known("SWIR view angles", &angles.swir_vza, &angles.swir_vaa)?,
        };
        Ok(Directions { sun, vnir, swir })
    }

    /// Solar zenith, view zenith and relative azimuth of a band at a node, degrees.
    fn geometry(&self, band: Band, ij: (usize, usize)) -> (f32, f32, f32) {
        let (sza, saa) = self.sun[ij];
        let (vza, vaa) = band_view(band, self.vnir[ij], self.swir[ij]);
        (sza, vza, relative_azimuth(saa, vaa))
    }
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
        let (lowest, highest) = TERRAIN_M;
        Levels::heights_for(low.max(lowest), high.clamp(lowest, highest))
    } else {
        vec![0.0]
    }
}
