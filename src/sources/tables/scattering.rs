//! Path reflectance, transmittance and spherical albedo without gas.

use super::axis::{AngleStencil, Stencil};
use super::container::Container;
use super::{TablesError, ascending};
use crate::types::band::Band;

/// Largest number of (pressure, AOD) values kept per geometry; chosen, the built-in tables have 36.
pub(super) const MAX_BLOCK: usize = 64;

/// Wavelengths that a centroid can have, µm; chosen, around the sunlight that ground reflects.
const SOLAR_UM: (f32, f32) = (0.3, 3.0);
/// Nodes of an angle axis and its ends agree with whole steps to this, degrees; chosen.
const SAME_ANGLE: f32 = 1e-3;

/// Scattering table of one camera and aerosol type.
#[derive(Debug, Clone)]
pub(super) struct Scattering {
    pub pressure: Vec<f32>,
    pub aod: Vec<f32>,
    /// [`dimming`] of the AODs.
    dimming: Vec<f32>,
    sza: Regular,
    vza: Regular,
    raa: Regular,
    /// (band, sza, vza, raa, pressure, AOD)
    path: Vec<f32>,
    /// (band, sza, pressure, AOD)
    transmittance: Vec<f32>,
    /// (band, pressure, AOD)
    albedo: Vec<f32>,
    /// (band, pressure, AOD)
    tau_aerosol: Vec<f32>,
    pub centroid_um: [f32; 4],
    pub camera: u8,
    pub engine: String,
    /// Name of the aerosol type; a user's table may have one of its own.
    pub aerosol: String,
}

/// An axis at 0, step, 2·step, ….
#[derive(Debug, Clone, Copy)]
struct Regular {
    step: f32,
    count: usize,
}

impl Regular {
    fn of(file: &Container, name: &str, axis: &[f32]) -> Result<Regular, TablesError> {
        ascending(file, name, axis)?;
        let step = if axis.len() >= 4 { axis[1] } else { 0.0 };
        let regular = axis
            .iter()
            .enumerate()
            .all(|(k, &a)| (a - k as f32 * step).abs() < SAME_ANGLE);
        if step > 0.0 && regular {
            Ok(Regular {
                step,
                count: axis.len(),
            })
        } else {
            Err(file.damaged(format!(
                "axis {name} is not regular from 0 with four nodes or more"
            )))
        }
    }

    fn last(&self) -> f32 {
        self.step * (self.count - 1) as f32
    }
}

impl Scattering {
    pub(super) fn read(file: &Container) -> Result<Scattering, TablesError> {
        let header = &file.header;
        if header.kind != "scattering" {
            return Err(file.damaged(format!(
                "it is a table of kind {}, not scattering",
                header.kind
            )));
        }
        let axes = &header.axes;
        ascending(file, "pressure_hpa", &axes.pressure_hpa)?;
        ascending(file, "aod550", &axes.aod550)?;
        let (np, na) = (axes.pressure_hpa.len(), axes.aod550.len());
        if np * na > MAX_BLOCK || axes.aod550[0] != 0.0 {
            return Err(file.damaged(
                "its AOD axis does not begin at 0, or axes are longer than this program handles",
            ));
        }
        let sza = Regular::of(file, "sza_deg", &axes.sza_deg)?;
        let vza = Regular::of(file, "vza_deg", &axes.vza_deg)?;
        let raa = Regular::of(file, "raa_deg", &axes.raa_deg)?;
        if (raa.last() - 180.0).abs() > SAME_ANGLE {
            return Err(file.damaged("axis raa_deg does not end at 180"));
        }
        let centroid_um: [f32; 4] = header
            .centroid_um
            .as_slice()
            .try_into()
            .map_err(|_| file.damaged("centroid_um does not hold four bands"))?;
        if centroid_um
            .iter()
            .any(|c| !(SOLAR_UM.0..SOLAR_UM.1).contains(c))
        {
            return Err(file.damaged("centroid_um is outside 0.3 to 3 µm"));
        }
        if header.aerosol.is_empty() {
            return Err(file.damaged("it does not name its aerosol type"));
        }
        Ok(Scattering {
            path: file.array("rho_path", &[4, sza.count, vza.count, raa.count, np, na])?,
            transmittance: file.array("t_scat", &[4, sza.count, np, na])?,
            albedo: file.array("spherical_albedo", &[4, np, na])?,
            tau_aerosol: file.array("tau_aerosol", &[4, np, na])?,
            pressure: axes.pressure_hpa.clone(),
            dimming: axes.aod550.iter().map(|aod| dimming(*aod)).collect(),
            aod: axes.aod550.clone(),
            sza,
            vza,
            raa,
            centroid_um,
            camera: header.camera,
            engine: header.engine.clone(),
            aerosol: header.aerosol.clone(),
        })
    }

    /// Band aerosol optical depth per unit AOD550 at the highest pressure.
    pub(super) fn aerosol_depth_ratio(&self, band: Band) -> f32 {
        let (np, na) = (self.pressure.len(), self.aod.len());
        let at = (band.index() * np + np - 1) * na + na - 1;
        self.tau_aerosol[at] / self.aod[na - 1]
    }

    /// Fixes band and geometry (degrees): everything left depends on pressure and AOD.
    /// SZA up to half a step beyond the table is extrapolated, then held.
    pub(super) fn at_geometry(&self, band: Band, sza: f32, vza: f32, raa: f32) -> ScatterPath<'_> {
        let b = band.index();
        let block = self.pressure.len() * self.aod.len();
        let sza = sza.clamp(0.0, self.sza.last() + 0.5 * self.sza.step);
        let vza = vza.clamp(0.0, self.vza.last() + 0.5 * self.vza.step);
        let ss = AngleStencil::new(sza, self.sza.step, self.sza.count);
        let sv = AngleStencil::new(vza, self.vza.step, self.vza.count);
        let x = raa.clamp(0.0, 180.0) / self.raa.step;
        // the field is even about 0° and 180°: fold nodes beyond the ends
        let first = x.floor() as isize - 1;
        let sr = cubic_weights(x - first as f32);
        let last = self.raa.count as isize - 1;
        let fold = |r: isize| {
            let r = r.abs();
            (if r > last { 2 * last - r } else { r }) as usize
        };
        let mut path = [0.0; MAX_BLOCK];
        let path = &mut path;
        let out = &mut path[..block];
        for (i, wi) in (ss.first..).zip(ss.weights) {
            for (j, wj) in (sv.first..).zip(sv.weights) {
                // one step through a zenith turns the azimuth by 180°
                let turned = (i < 0) != (j < 0);
                let row =
                    (b * self.sza.count + i.unsigned_abs()) * self.vza.count + j.unsigned_abs();
                for (r, wr) in (first..).zip(sr) {
                    let w = wi * wj * wr;
                    let r = if turned { last - r } else { r };
                    let start = (row * self.raa.count + fold(r)) * block;
                    for (o, v) in out.iter_mut().zip(&self.path[start..start + block]) {
                        *o += w * v;
                    }
                }
            }
        }
        ScatterPath {
            table: self,
            path: *path,
            down: self.transmittance_at(b, &ss),
            up: self.transmittance_at(b, &AngleStencil::new(vza, self.sza.step, self.sza.count)),
            albedo: b * block,
        }
    }

    fn transmittance_at(&self, b: usize, stencil: &AngleStencil) -> [f32; MAX_BLOCK] {
        let block = self.pressure.len() * self.aod.len();
        let mut out = [0.0; MAX_BLOCK];
        for (i, w) in (stencil.first..).zip(stencil.weights) {
            let start = (b * self.sza.count + i.unsigned_abs()) * block;
            for (o, v) in out
                .iter_mut()
                .zip(&self.transmittance[start..start + block])
            {
                *o += w * v;
            }
        }
        out
    }
}

/// Share of the AOD in [`dimming`]; tuned against 6S (docs/sources/atmosphere.md, Interpolation of the tables).
const HALF: f32 = 0.5;

/// What terms are interpolated along instead of AOD550 itself: they saturate with it as exponentials do. Half the AOD serves
/// all types: against 6S (`fixtures/atmosphere/cases_aerosols.csv`), with the four AODs 0.1, 0.3, 0.6 and 1.2 around a value,
/// the RMSE of reflectance falls from 33 to 9e-4 (urban, BLUE) and from 12 to 8e-4 (maritime, RED), and nowhere rises.
fn dimming(aod: f32) -> f32 {
    1.0 - (-HALF * aod).exp()
}

fn cubic_weights(u: f32) -> [f32; 4] {
    AngleStencil::new(u, 1.0, 4).weights
}

/// Scattering of one band and geometry, without gas.
pub(super) struct ScatterPath<'a> {
    table: &'a Scattering,
    path: [f32; MAX_BLOCK],
    down: [f32; MAX_BLOCK],
    up: [f32; MAX_BLOCK],
    albedo: usize,
}

/// Scattering terms of one band, without gas.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Scatter {
    /// Path reflectance of molecules and aerosol.
    pub path: f32,
    /// Total (direct and diffuse) transmittance from the Sun to the surface.
    pub t_down: f32,
    /// Total transmittance from the surface to the sensor.
    pub t_up: f32,
    /// Spherical albedo of the atmosphere seen from below.
    pub spherical_albedo: f32,
    /// Optical depth of the aerosol in the band.
    pub tau_aerosol: f32,
}

impl Scatter {
    /// Adds another type's terms with a weight.
    pub(super) fn add(&mut self, other: &Scatter, weight: f32) {
        self.path += weight * other.path;
        self.t_down += weight * other.t_down;
        self.t_up += weight * other.t_up;
        self.spherical_albedo += weight * other.spherical_albedo;
        self.tau_aerosol += weight * other.tau_aerosol;
    }
}

impl ScatterPath<'_> {
    /// Terms at a pressure in hPa (linear, extrapolated beyond the table) and an AOD550 (cubic in [`dimming`], held at the
    /// ends).
    pub(super) fn at(&self, pressure: f32, aod: f32) -> Scatter {
        let t = self.table;
        let na = t.aod.len();
        let sp = Stencil::lagrange(&t.pressure, pressure, 2);
        let sa = Stencil::lagrange(&t.dimming, dimming(aod.clamp(0.0, t.aod[na - 1])), 4);
        let of = |values: &[f32], offset: usize| -> f32 {
            (0..sp.len)
                .map(|k| sp.weights[k] * sa.apply(values, offset + (sp.first + k) * na, 1))
                .sum()
        };
        Scatter {
            path: of(&self.path, 0),
            t_down: of(&self.down, 0),
            t_up: of(&self.up, 0),
            spherical_albedo: of(&t.albedo, self.albedo),
            tau_aerosol: of(&t.tau_aerosol, self.albedo),
        }
    }
}
