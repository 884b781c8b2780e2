//! Every term of one pixel's correction.

use super::angles::band_view;
use super::coefficients::{Inverse, Local, local, node};
use super::correct::{TERMS, terms};
use super::{AtmosphereError, Budget, MAX_SZA};
use crate::sources::tables::{GasTransmittance, RtTable, Scatter};
use crate::types::band::Band;
use crate::types::geometry::relative_azimuth;
use crate::types::grid::NodeGrid;
use crate::types::observation::Observation;
use crate::types::radiative_transfer::{AtmosphereState, pressure_hpa};
use ndarray::Array2;
use serde::Serialize;

/// What the correction of one band at one point needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PointInput {
    /// Solar zenith angle, degrees.
    pub sza: f32,
    /// View zenith angle of the band, degrees.
    pub vza: f32,
    /// Relative azimuth, 0 to 180°, 0 = backscatter.
    pub raa: f32,
    /// Surface pressure, hPa.
    pub pressure: f32,
    /// AOD550 at the surface.
    pub aod550: f32,
    /// Water vapour above the surface, g cm⁻².
    pub tcwv: f32,
    /// Ozone, cm-atm.
    pub ozone: f32,
    /// Shares of the types of aerosol, where they are mixed ([`AtmosphereState::shares`]).
    pub shares: Option<[f32; 5]>,
}

/// Every term of the correction of one band.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BandPoint {
    /// The band's name.
    pub band: &'static str,
    /// Inputs.
    pub input: PointInput,
    /// Scattering by molecules alone.
    pub rayleigh: Scatter,
    /// Scattering by molecules and aerosol.
    pub mixed: Scatter,
    /// Gas transmittances.
    pub gas: GasTransmittance,
    /// A, B and S of the inverse.
    pub inverse: Inverse,
    /// Their change with AOD550, water vapour (g cm⁻²), ozone (cm-atm) and pressure (hPa), per unit.
    pub sensitivity: [Inverse; 4],
    /// TOA reflectance.
    pub toa: f32,
    /// Surface reflectance; NaN above [`MAX_SZA`].
    pub rho: f32,
    /// TOA reflectance with gas and molecules removed.
    pub rayleigh_corrected: f32,
}

/// The correction of one pixel, every term.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Row in the observation's grid.
    pub row: usize,
    /// Column.
    pub col: usize,
    /// Height, metres above the ellipsoid.
    pub height: f32,
    /// Height of the model's orography, where AOD and water vapour were moved from it.
    pub model_height: Option<f32>,
    /// Tables used.
    pub tables: String,
    /// BLUE, RED, NIR, SWIR.
    pub bands: Vec<BandPoint>,
}

/// All terms of one band for exact inputs (no nodes): the reference for the tile path and for `correct --explain`.
pub(super) fn point(table: &RtTable, band: Band, input: PointInput, toa: f32) -> BandPoint {
    let path = table.mixed_path(band, input.sza, input.vza, input.raa, input.shares);
    let at = Local {
        aod550: input.aod550,
        tcwv: input.tcwv,
    };
    let n = node(&path, input.pressure, at, input.ozone);
    let Inverse { a, b, s } = n.inverse;
    let y = (toa - a) / b;
    let t_rayleigh = n.rayleigh.t_down * n.rayleigh.t_up;
    let gas = n.gas.ozone * n.gas.other * n.gas.water;
    BandPoint {
        band: band.name(),
        input,
        rayleigh: n.rayleigh,
        mixed: n.mixed,
        gas: n.gas,
        inverse: n.inverse,
        sensitivity: n.sensitivity,
        toa,
        rho: if input.sza <= MAX_SZA {
            y / (1.0 + s * y)
        } else {
            f32::NAN
        },
        rayleigh_corrected: (toa / gas - n.rayleigh.path) / t_rayleigh,
    }
}

impl BandPoint {
    /// (part, 1 σ of the surface reflectance) for every systematic input of a budget.
    pub fn systematic(&self, budget: &Budget) -> Vec<(&'static str, f32)> {
        let band = Band::ALL
            .into_iter()
            .find(|b| b.name() == self.band)
            .unwrap_or(Band::Blue);
        let parts = terms(
            &self.inverse,
            &self.sensitivity,
            budget,
            band,
            self.input.aod550,
        );
        TERMS
            .into_iter()
            .zip(parts)
            .map(|(name, [p0, p1, p2])| (name, (p0 + self.rho * (p1 + self.rho * p2)).abs()))
            .collect()
    }

    /// ∂ρ/∂x of input `k`: AOD550, water vapour (g cm⁻²), ozone (cm-atm), pressure (hPa); NaN for another.
    pub fn slope(&self, k: usize) -> f32 {
        let Inverse { b, s, .. } = self.inverse;
        self.sensitivity.get(k).map_or(f32::NAN, |d| {
            let open = 1.0 - s * self.rho;
            -(d.a * open * open + d.b * self.rho * open + d.s * b * self.rho * self.rho) / b
        })
    }

    /// ∂ρ/∂ρ_toa.
    pub fn gain(&self) -> f32 {
        (1.0 - self.inverse.s * self.rho).powi(2) / self.inverse.b
    }
}

/// Every term of the correction of pixel (row, col) of an observation.
///
/// ```
/// use ndarray::Array2;
/// use probav_ard::sources::tables::{Aerosol, load};
/// use probav_ard::stages::atmosphere::{Budget, explain, node_grid};
/// use probav_ard::types::band::Camera;
/// use probav_ard::types::grid::GridSpec;
/// use probav_ard::types::observation::{Angles, Observation};
/// use probav_ard::types::radiative_transfer::{AtmosphereState, Origin};
/// use probav_ard::types::raster::BandStack;
///
/// let grid = GridSpec { epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0, pixel: 300.0, width: 8, height: 8 };
/// let everywhere = |value: f32| Array2::from_elem((8, 8), value);
/// let observation = Observation {
///     grid,
///     camera: Camera::Left,
///     source: "synthetic".into(),
///     time: "2018-06-20T11:05:00Z".parse()?,
///     toa: BandStack::filled(grid, 0.25),
///     quality: BandStack::filled(grid, 0),
///     angles: Angles {
///         sza: everywhere(40.0),
///         saa: everywhere(150.0),
///         vnir_vza: everywhere(35.0),
///         vnir_vaa: everywhere(100.0),
///         swir_vza: everywhere(36.0),
///         swir_vaa: everywhere(95.0),
///     },
///     seconds: everywhere(0.0),
///     height: everywhere(0.0),
///     occluded: Array2::from_elem((8, 8), false),
/// };
/// let nodes = node_grid(&grid);
/// let at_nodes = |value: f32| Array2::from_elem(nodes.shape(), value);
/// let state = AtmosphereState {
///     nodes,
///     aod550: at_nodes(0.15),
///     ozone: at_nodes(0.33),
///     tcwv: at_nodes(2.0),
///     model_height: None,
///     shares: None,
///     origins: [Origin::Given; 3],
///     provenance: Vec::new(),
///     fallback: false,
/// };
/// let table = load(Camera::Left, Aerosol::Continental)?;
/// let point = explain(table, &observation, &state, 4, 4)?;
/// for band in &point.bands {
///     println!("{}: {:.4} at the ground, path {:.4}", band.band, band.rho, band.mixed.path);
///     for (source, sigma) in band.systematic(&Budget::default()) {
///         println!("  {source} {sigma:.4}");
///     }
/// }
/// // more aerosol in the model means less light left for BLUE ground
/// assert!(point.bands[0].slope(0) < 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`AtmosphereError::Shape`] when the pixel lies outside the grid or a field has another shape.
pub fn explain(
    table: &RtTable,
    obs: &Observation,
    state: &AtmosphereState,
    row: usize,
    col: usize,
) -> Result<Point, AtmosphereError> {
    let at = Place { row, col };
    let height = at.pixel("height", &obs.height)?;
    let model_height = match &state.model_height {
        Some(z) => Some(at.node(&state.nodes, "model height", z)?),
        None => None,
    };
    let Local { aod550, tcwv } = local(
        at.node(&state.nodes, "AOD550", &state.aod550)?,
        at.node(&state.nodes, "water vapour", &state.tcwv)?,
        model_height,
        height,
    );
    let ozone = at.node(&state.nodes, "ozone", &state.ozone)?;
    let shares = at.shares(state)?;
    let angles = &obs.angles;
    let sza = at.pixel("solar zenith", &angles.sza)?;
    let saa = at.pixel("solar azimuth", &angles.saa)?;
    let vnir = (
        at.pixel("VNIR view zenith", &angles.vnir_vza)?,
        at.pixel("VNIR view azimuth", &angles.vnir_vaa)?,
    );
    let swir = (
        at.pixel("SWIR view zenith", &angles.swir_vza)?,
        at.pixel("SWIR view azimuth", &angles.swir_vaa)?,
    );
    let of_band = |band: Band| {
        let (vza, vaa) = band_view(band, vnir, swir);
        let input = PointInput {
            sza,
            vza,
            raa: relative_azimuth(saa, vaa),
            pressure: pressure_hpa(height),
            aod550,
            tcwv,
            ozone,
            shares,
        };
        let toa = at.pixel("TOA reflectance", &obs.toa[band])?;
        Ok(point(table, band, input, toa))
    };
    Ok(Point {
        row,
        col,
        height,
        model_height,
        tables: table.provenance(),
        bands: Band::ALL
            .into_iter()
            .map(of_band)
            .collect::<Result<_, AtmosphereError>>()?,
    })
}

/// A pixel whose values are read.
struct Place {
    row: usize,
    col: usize,
}

impl Place {
    /// Value of a field of pixels.
    fn pixel(&self, field: &'static str, a: &Array2<f32>) -> Result<f32, AtmosphereError> {
        a.get((self.row, self.col))
            .copied()
            .ok_or_else(|| AtmosphereError::Shape {
                field,
                found: a.shape().to_vec(),
                expected: vec![self.row + 1, self.col + 1],
            })
    }

    /// Value of a field of nodes.
    fn node(
        &self,
        nodes: &NodeGrid,
        field: &'static str,
        a: &Array2<f32>,
    ) -> Result<f32, AtmosphereError> {
        bilinear(nodes, a, self.row, self.col).ok_or_else(|| AtmosphereError::Shape {
            field,
            found: a.shape().to_vec(),
            expected: vec![nodes.shape().0, nodes.shape().1],
        })
    }

    /// Shares of the types of aerosol, where they are mixed.
    fn shares(&self, state: &AtmosphereState) -> Result<Option<[f32; 5]>, AtmosphereError> {
        let Some(all) = &state.shares else {
            return Ok(None);
        };
        let mut at = [0.0; 5];
        for (v, share) in at.iter_mut().zip(all) {
            *v = self.node(&state.nodes, "share of an aerosol type", share)?;
        }
        Ok(Some(at))
    }
}

/// Bilinear value of a node field at a pixel; None outside it.
pub(super) fn bilinear(
    nodes: &NodeGrid,
    field: &Array2<f32>,
    row: usize,
    col: usize,
) -> Option<f32> {
    let step = nodes.step.max(1);
    let (i, j) = (row / step, col / step);
    let (y, x) = (
        (row % step) as f32 / step as f32,
        (col % step) as f32 / step as f32,
    );
    let (rows, cols) = field.dim();
    let at = |a: usize, b: usize| {
        field
            .get((a.min(rows.wrapping_sub(1)), b.min(cols.wrapping_sub(1))))
            .copied()
    };
    let (top, bottom) = (
        at(i, j)? * (1.0 - x) + at(i, j + 1)? * x,
        at(i + 1, j)? * (1.0 - x) + at(i + 1, j + 1)? * x,
    );
    (i < rows && j < cols).then_some(top * (1.0 - y) + bottom * y)
}
