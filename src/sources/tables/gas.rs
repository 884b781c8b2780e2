//! Transmittance of absorbing gases against total air mass, amount and pressure.

use super::axis::Stencil;
use super::container::Container;
use super::{TablesError, ascending};
use crate::types::band::Band;

/// Largest number of (pressure, amount) values kept per air mass; chosen, the built-in tables have fewer.
pub(super) const MAX_SLICE: usize = 128;

/// Largest transmittance in a file: 1 with rounding; definition.
const FULL: f32 = 1.0001;
/// Smallest transmittance whose logarithm is taken; chosen, below any of the tables.
const LEAST_TRANSMITTANCE: f32 = 1e-6;

/// Logarithms of the gas transmittances of one camera.
#[derive(Debug, Clone)]
pub(super) struct Gas {
    air_mass: Vec<f32>,
    pressure: Vec<f32>,
    root_h2o: Vec<f32>,
    o3: Vec<f32>,
    /// (band, air mass, pressure, √water)
    ln_h2o: Vec<f32>,
    /// (band, air mass, ozone)
    ln_o3: Vec<f32>,
    /// (band, air mass, pressure)
    ln_other: Vec<f32>,
    overlap: [[f32; 3]; 4],
    absorbs: [[bool; 3]; 4],
    pub camera: u8,
}

/// Gas transmittances along one sun–surface–sensor path.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct GasTransmittance {
    /// Ozone.
    pub ozone: f32,
    /// O₂, CO₂, N₂O, CH₄, CO.
    pub other: f32,
    /// Water vapour, whole column.
    pub water: f32,
    /// Water vapour, half the column (the water above the aerosol in 6S's coupling).
    pub water_half: f32,
    /// Joint transmittance of all gases over the product of the species' (spectral overlap inside the band).
    pub overlap: f32,
}

impl Gas {
    pub(super) fn read(file: &Container) -> Result<Gas, TablesError> {
        let header = &file.header;
        if header.kind != "gas" {
            return Err(file.damaged(format!("it is a table of kind {}, not gas", header.kind)));
        }
        let axes = &header.axes;
        for (name, axis) in [
            ("air_mass", &axes.air_mass),
            ("pressure_hpa", &axes.pressure_hpa),
            ("h2o_g_cm2", &axes.h2o_g_cm2),
            ("o3_cm_atm", &axes.o3_cm_atm),
        ] {
            ascending(file, name, axis)?;
        }
        let (m, p) = (axes.air_mass.len(), axes.pressure_hpa.len());
        let (u, o) = (axes.h2o_g_cm2.len(), axes.o3_cm_atm.len());
        if p * u > MAX_SLICE || o > MAX_SLICE {
            return Err(file.damaged("its gas axes are longer than this program handles"));
        }
        let logarithms = |name: &str, shape: &[usize]| -> Result<Vec<f32>, TablesError> {
            let mut values = file.array(name, shape)?;
            if values.iter().any(|&t| !(0.0..=FULL).contains(&t)) {
                return Err(file.damaged(format!("{name} holds a transmittance outside 0 to 1")));
            }
            values
                .iter_mut()
                .for_each(|t| *t = t.clamp(LEAST_TRANSMITTANCE, 1.0).ln());
            Ok(values)
        };
        let (ln_h2o, ln_o3, ln_other) = (
            logarithms("t_h2o", &[4, m, p, u])?,
            logarithms("t_o3", &[4, m, o])?,
            logarithms("t_other", &[4, m, p])?,
        );
        let overlap: [[f32; 3]; 4] = header
            .overlap
            .as_slice()
            .try_into()
            .map_err(|_| file.damaged("overlap coefficients are not given for four bands"))?;
        let absorbs = std::array::from_fn(|b| {
            [&ln_h2o, &ln_o3, &ln_other].map(|v| {
                let n = v.len() / 4;
                v[b * n..(b + 1) * n].iter().any(|&l| l != 0.0)
            })
        });
        Ok(Gas {
            air_mass: axes.air_mass.clone(),
            pressure: axes.pressure_hpa.clone(),
            root_h2o: axes.h2o_g_cm2.iter().map(|u| u.sqrt()).collect(),
            o3: axes.o3_cm_atm.clone(),
            ln_h2o,
            ln_o3,
            ln_other,
            overlap,
            absorbs,
            camera: header.camera,
        })
    }

    /// Fixes band and air mass 1/cos SZA + 1/cos VZA (only the sum matters:
    /// docs/sources/atmosphere.md, Interpolation of the tables, \[V\]).
    pub(super) fn at_air_mass(&self, band: Band, air_mass: f32) -> GasPath<'_> {
        let b = band.index();
        let (nm, np) = (self.air_mass.len(), self.pressure.len());
        let (nu, no) = (self.root_h2o.len(), self.o3.len());
        let m = air_mass.clamp(self.air_mass[0], self.air_mass[nm - 1]);
        let stencil = Stencil::lagrange(&self.air_mass, m, 4);
        let slice = |table: &[f32], len: usize, wanted: bool| {
            let mut out = [0.0; MAX_SLICE];
            for k in (0..stencil.len).filter(|_| wanted) {
                let start = (b * nm + stencil.first + k) * len;
                for (o, v) in out.iter_mut().zip(&table[start..start + len]) {
                    *o += stencil.weights[k] * v;
                }
            }
            out
        };
        GasPath {
            gas: self,
            band: b,
            ln_h2o: slice(&self.ln_h2o, np * nu, self.absorbs[b][0]),
            ln_o3: slice(&self.ln_o3, no, self.absorbs[b][1]),
            ln_other: slice(&self.ln_other, np, self.absorbs[b][2]),
        }
    }
}

/// Gas tables of one band at one air mass.
pub(super) struct GasPath<'a> {
    gas: &'a Gas,
    band: usize,
    ln_h2o: [f32; MAX_SLICE],
    ln_o3: [f32; MAX_SLICE],
    ln_other: [f32; MAX_SLICE],
}

impl GasPath<'_> {
    /// Transmittances for columns above the surface: water g cm⁻², ozone cm-atm, pressure hPa.
    pub(super) fn at(&self, water: f32, ozone: f32, pressure: f32) -> GasTransmittance {
        let gas = self.gas;
        let nu = gas.root_h2o.len();
        let sp = Stencil::lagrange(&gas.pressure, pressure, 2);
        let h2o = |amount: f32| {
            if !gas.absorbs[self.band][0] {
                return 1.0;
            }
            let root = amount.max(0.0).sqrt().clamp(0.0, gas.root_h2o[nu - 1]);
            let su = Stencil::lagrange(&gas.root_h2o, root, 4);
            let ln: f32 = (0..sp.len)
                .map(|k| sp.weights[k] * su.apply(&self.ln_h2o, (sp.first + k) * nu, 1))
                .sum();
            ln.min(0.0).exp()
        };
        let t_o3 = if gas.absorbs[self.band][1] {
            let amount = ozone.clamp(0.0, gas.o3[gas.o3.len() - 1]);
            Stencil::lagrange(&gas.o3, amount, 4)
                .apply(&self.ln_o3, 0, 1)
                .min(0.0)
                .exp()
        } else {
            1.0
        };
        let t_other = if gas.absorbs[self.band][2] {
            sp.apply(&self.ln_other, 0, 1).min(0.0).exp()
        } else {
            1.0
        };
        let water_full = h2o(water);
        let [wo, wx, ox] = gas.overlap[self.band];
        let (w, o, x) = (1.0 - water_full, 1.0 - t_o3, 1.0 - t_other);
        GasTransmittance {
            ozone: t_o3,
            other: t_other,
            water: water_full,
            water_half: h2o(water / 2.0),
            overlap: 1.0 + wo * w * o + wx * w * x + ox * o * x,
        }
    }
}
