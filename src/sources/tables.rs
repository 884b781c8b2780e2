//! The radiative-transfer tables of `ancillary/rt`, made by 6SV and embedded in the program.
//!
//! A table gives path reflectance, transmittance and spherical albedo without gas against geometry, AOD550
//! and pressure, and gas transmittance against air mass and amount (docs/sources/atmosphere.md, The tables). How they
//! are interpolated was chosen by measured error against 6S (the same page, Interpolation of the tables):
//! four-point polynomials in the angles (continued through the zenith), AOD, air mass, √water and ozone
//! on the logarithm of gas transmittance; linear in pressure.
//!
//! Types of aerosol are mixed linearly: scattering terms of each type at the total AOD550, weighted by the types'
//! shares of it (external mixture in the linear approximation: docs/sources/atmosphere.md, Linear mixing of aerosol).

mod axis;
mod container;
mod gas;
mod scattering;

pub use crate::types::aerosol::{Aerosol, UnknownAerosol};
pub use gas::GasTransmittance;
pub use scattering::Scatter;

use crate::types::band::{Band, Camera};
use crate::types::error::{Class, Classified};
use container::Container;
use gas::{Gas, GasPath};
use scattering::{ScatterPath, Scattering};
use std::path::Path;
use std::sync::OnceLock;

/// Why a table could not be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TablesError {
    /// The file is not a table, or its contents contradict each other.
    #[error(
        "radiative-transfer table {name} cannot be used: {what}; make it again with scripts/pack-tables"
    )]
    Damaged {
        /// File or embedded table.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// The checksum does not match.
    #[error(
        "radiative-transfer table {name} is damaged: checksum {found:08x}, stated {stated:08x}; restore the file or make it again with scripts/pack-tables"
    )]
    Checksum {
        /// File or embedded table.
        name: String,
        /// CRC-32 in the file.
        stated: u32,
        /// CRC-32 of its bytes.
        found: u32,
    },
    /// The file could not be read.
    #[error("radiative-transfer table {name} could not be read: {reason}; check the path given")]
    Unreadable {
        /// File.
        name: String,
        /// The system's message.
        reason: String,
    },
}

impl Classified for TablesError {
    fn class(&self) -> Class {
        Class::Ancillary
    }
}

/// Smallest cosine of a zenith angle, 87°: beyond every table. Chosen.
const LEAST_COS: f32 = 0.05;
/// Slope of molecular optical depth with wavelength, logarithm over logarithm (docs/sources/atmosphere.md, Types that stand in
/// for a side camera).
const RAYLEIGH_SLOPE: f32 = -4.09;

/// Tables of one camera and aerosol type.
/// ```
/// use probav_ard::sources::tables::{Aerosol, load};
/// use probav_ard::types::band::{Band, Camera};
///
/// let table = load(Camera::Center, Aerosol::Continental)?;
/// // solar zenith 35°, view zenith 10°, relative azimuth 120°
/// let path = table.path(Band::Blue, 35.0, 10.0, 120.0);
/// let clean = path.scatter(1013.0, 0.0);
/// let hazy = path.scatter(1013.0, 0.3);
/// assert!(hazy.path > clean.path && hazy.t_down < clean.t_down);
/// // 2 g cm⁻² of water vapour, 0.33 cm-atm of ozone
/// let gas = table.path(Band::Nir, 35.0, 10.0, 120.0).gas(2.0, 0.33, 1013.0);
/// assert!(gas.water < 1.0);
/// # Ok::<(), probav_ard::sources::tables::TablesError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RtTable {
    camera: Camera,
    scattering: Scattering,
    gas: Gas,
    pressure_scale: [f32; 4],
    aod_scale: [f32; 4],
    /// All types in the order of [`Aerosol::ALL`], where this is a mixture; `self` is then continental.
    types: Vec<&'static RtTable>,
}

impl RtTable {
    /// A table from packed files (bytes of `scripts/pack-tables`), for instance a user's own; the names
    /// appear in errors.
    ///
    /// # Errors
    /// [`TablesError`] when a file is damaged or not of the expected kind.
    pub fn from_bytes(
        camera: Camera,
        scattering: (&str, &[u8]),
        gas: (&str, &[u8]),
    ) -> Result<RtTable, TablesError> {
        let scattering = Scattering::read(&Container::read(scattering.0, scattering.1)?)?;
        let gas = Gas::read(&Container::read(gas.0, gas.1)?)?;
        Ok(RtTable {
            camera,
            scattering,
            gas,
            pressure_scale: [1.0; 4],
            aod_scale: [1.0; 4],
            types: Vec::new(),
        })
    }

    /// The built-in tables of every aerosol type, to be mixed by the shares that a state carries
    /// ([`crate::types::radiative_transfer::AtmosphereState::shares`]); without shares it is continental.
    ///
    /// # Errors
    /// [`TablesError`] when an embedded table is damaged.
    pub fn mixture(camera: Camera) -> Result<RtTable, TablesError> {
        let mut table = load(camera, Aerosol::Continental)?.clone();
        for aerosol in Aerosol::ALL {
            table.types.push(load(camera, aerosol)?);
        }
        Ok(table)
    }

    /// Camera that a packed scattering table was made for.
    ///
    /// # Errors
    /// [`TablesError`] when the file cannot be read or is no scattering table.
    pub fn camera_of(path: &Path) -> Result<Camera, TablesError> {
        let name = path.display().to_string();
        let file = Container::read(&name, &bytes_of(path)?)?;
        let camera = Scattering::read(&file)?.camera;
        Camera::from_code(camera)
            .ok_or_else(|| file.damaged(format!("it was made for a camera {camera}")))
    }

    /// A user's scattering table of the given camera, with the built-in gas tables.
    ///
    /// # Errors
    /// [`TablesError`] when the file cannot be read or used, or was made for another camera.
    pub fn from_file(camera: Camera, path: &Path) -> Result<RtTable, TablesError> {
        let name = path.display().to_string();
        let bytes = bytes_of(path)?;
        let table = RtTable::from_bytes(camera, (&name, &bytes), gas_of(camera))?;
        if table.scattering.camera == camera.code() {
            Ok(table)
        } else {
            Err(TablesError::Damaged {
                name,
                what: format!(
                    "it was made for camera {} but camera {} is asked for",
                    table.scattering.camera,
                    camera.code()
                ),
            })
        }
    }

    /// Camera the table is used for.
    pub fn camera(&self) -> Camera {
        self.camera
    }

    /// Name of the aerosol type.
    pub fn aerosol(&self) -> &str {
        &self.scattering.aerosol
    }

    /// True for tables of [`RtTable::mixture`].
    pub fn is_mixture(&self) -> bool {
        !self.types.is_empty()
    }

    /// Largest AOD550 of the table, of a mixture the lowest of its types'; larger values are held at each type's end.
    pub fn max_aod(&self) -> f32 {
        let end = |t: &RtTable| t.scattering.aod[t.scattering.aod.len() - 1];
        self.types.iter().map(|t| end(t)).fold(end(self), f32::min)
    }

    /// One line for `run.json`: aerosol, engine, and the rule where another camera's scattering stands in.
    pub fn provenance(&self) -> String {
        if self.is_mixture() {
            let each: Vec<String> = self.types.iter().map(|t| t.provenance()).collect();
            return format!("mixed by shares of AOD550: {}", each.join("; "));
        }
        let own = self.scattering.camera == self.camera.code();
        let rule = if own {
            String::new()
        } else {
            format!(
                "; scattering of camera {} at pressure × {:?} and AOD × {:?} (BLUE, RED, NIR, SWIR)",
                self.scattering.camera, self.pressure_scale, self.aod_scale
            )
        };
        format!(
            "{} aerosol, camera {}, {}{rule}; gas of camera {}",
            self.scattering.aerosol,
            self.camera.code(),
            self.scattering.engine,
            self.gas.camera
        )
    }

    /// Fixes band and geometry: zenith angles and relative azimuth in degrees (0 = backscatter).
    pub fn path(&self, band: Band, sza: f32, vza: f32, raa: f32) -> RtPath<'_> {
        self.mixed_path(band, sza, vza, raa, None)
    }

    /// As [`RtTable::path`], with the types of a mixture weighted by their shares of AOD550 (in the order of
    /// [`Aerosol::ALL`]; they should add up to 1). Other tables ignore the shares.
    pub fn mixed_path(
        &self,
        band: Band,
        sza: f32,
        vza: f32,
        raa: f32,
        shares: Option<[f32; 5]>,
    ) -> RtPath<'_> {
        let inverse_cos = |zenith: f32| 1.0 / zenith.to_radians().cos().max(LEAST_COS);
        let geometry = (band, sza, vza, raa);
        let mut parts = match shares.filter(|_| self.is_mixture()) {
            None => [None, None, None, None, Some(self.part(geometry, 1.0))],
            Some(shares) => std::array::from_fn(|k| {
                let table = self.types.get(k)?;
                (shares[k] > 0.0).then(|| table.part(geometry, shares[k]))
            }),
        };
        if parts.iter().all(Option::is_none) {
            parts[0] = Some(self.part(geometry, 1.0));
        }
        RtPath {
            parts,
            gas: self
                .gas
                .at_air_mass(band, inverse_cos(sza) + inverse_cos(vza)),
            centroid_um: self.scattering.centroid_um[band.index()],
        }
    }

    fn part(&self, (band, sza, vza, raa): (Band, f32, f32, f32), weight: f32) -> Part<'_> {
        Part {
            scatter: self.scattering.at_geometry(band, sza, vza, raa),
            pressure_scale: self.pressure_scale[band.index()],
            aod_scale: self.aod_scale[band.index()],
            weight,
        }
    }

    /// Lets a camera-2 scattering table stand in for another camera: looked up at
    /// P · (λc/λ2)^−4.09 and AOD · (λc/λ2)^−α, λ the response centroids (docs/sources/atmosphere.md,
    /// Types that stand in for a side camera; \[V\] for continental aerosol with α = 1.2). Here α of each band is the slope of the table's own aerosol optical depth
    /// between its neighbours, so that it holds for every type.
    fn standing_in(mut self, centroid_um: [f32; 4]) -> RtTable {
        let own = self.scattering.centroid_um;
        let depth = Band::ALL.map(|b| self.scattering.aerosol_depth_ratio(b));
        for b in 0..4usize {
            let (lo, hi) = (b.saturating_sub(1), (b + 1).min(3));
            let slope = (depth[hi] / depth[lo]).ln() / (own[hi] / own[lo]).ln();
            let ratio = centroid_um[b] / own[b];
            self.pressure_scale[b] = ratio.powf(RAYLEIGH_SLOPE);
            self.aod_scale[b] = ratio.powf(slope);
        }
        self
    }
}

/// Tables of one band along one geometry.
pub struct RtPath<'a> {
    parts: [Option<Part<'a>>; 5],
    gas: GasPath<'a>,
    centroid_um: f32,
}

/// One type of aerosol in it.
struct Part<'a> {
    scatter: ScatterPath<'a>,
    pressure_scale: f32,
    aod_scale: f32,
    weight: f32,
}

impl RtPath<'_> {
    /// Scattering terms at a surface pressure in hPa and an AOD550.
    pub fn scatter(&self, pressure: f32, aod: f32) -> Scatter {
        let mut sum = Scatter::default();
        for p in self.parts.iter().flatten() {
            let at = p.scatter.at(pressure * p.pressure_scale, aod * p.aod_scale);
            sum.add(&at, p.weight);
        }
        sum
    }

    /// Optical depth of molecules at a surface pressure in hPa: Hansen & Travis 1974 (docs/sources/atmosphere.md),
    /// equation 2.30, at the centroid of the band's response; within 5 % of 6S, whose bands are wide (`cases::optical_depth_of_molecules`).
    pub fn rayleigh_depth(&self, pressure: f32) -> f32 {
        let w = self.centroid_um.powi(-2);
        0.008_569 * w * w * (1.0 + 0.0113 * w + 0.000_13 * w * w) * pressure / 1013.25
    }

    /// Gas transmittances for columns above the surface: water vapour g cm⁻², ozone cm-atm.
    pub fn gas(&self, water: f32, ozone: f32, pressure: f32) -> GasTransmittance {
        self.gas.at(water, ozone, pressure)
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, TablesError> {
    std::fs::read(path).map_err(|e| TablesError::Unreadable {
        name: path.display().to_string(),
        reason: e.to_string(),
    })
}

/// An axis must ascend and be finite.
fn ascending(file: &Container, name: &str, axis: &[f32]) -> Result<(), TablesError> {
    let finite = axis.iter().all(|v| v.is_finite());
    if finite && !axis.is_empty() && axis.windows(2).all(|w| w[0] < w[1]) {
        Ok(())
    } else {
        Err(file.damaged(format!("axis {name} is empty or does not ascend")))
    }
}

macro_rules! packed {
    ($name:literal) => {
        (
            concat!("ancillary/rt/", $name),
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/ancillary/rt/", $name)).as_slice(),
        )
    };
}

fn gas_of(camera: Camera) -> (&'static str, &'static [u8]) {
    match camera {
        Camera::Left => packed!("gas-cam1.pvrt"),
        Camera::Center => packed!("gas-cam2.pvrt"),
        Camera::Right => packed!("gas-cam3.pvrt"),
    }
}

fn continental_of(camera: Camera) -> (&'static str, &'static [u8]) {
    match camera {
        Camera::Left => packed!("scattering-continental-cam1.pvrt"),
        Camera::Center => packed!("scattering-continental-cam2.pvrt"),
        Camera::Right => packed!("scattering-continental-cam3.pvrt"),
    }
}

fn read(camera: Camera, aerosol: Aerosol) -> Result<RtTable, TablesError> {
    let centre_only = match aerosol {
        Aerosol::Continental => {
            return RtTable::from_bytes(camera, continental_of(camera), gas_of(camera));
        }
        Aerosol::Desert => packed!("scattering-desert-cam2.pvrt"),
        Aerosol::Maritime => packed!("scattering-maritime-cam2.pvrt"),
        Aerosol::Urban => packed!("scattering-urban-cam2.pvrt"),
        Aerosol::Biomass => packed!("scattering-biomass-cam2.pvrt"),
    };
    let table = RtTable::from_bytes(camera, centre_only, gas_of(camera))?;
    if camera == Camera::Center {
        Ok(table)
    } else {
        let centroids = load(camera, Aerosol::Continental)?.scattering.centroid_um;
        Ok(table.standing_in(centroids))
    }
}

/// The built-in tables of a camera and aerosol type, unpacked at the first call and kept.
///
/// Types other than continental were computed for the centre camera only; for the side cameras their
/// scattering is looked up at an equivalent pressure and AOD, with the camera's own gas tables
/// ([`RtTable::provenance`] says so).
///
/// # Errors
/// [`TablesError`] when an embedded table is damaged.
pub fn load(camera: Camera, aerosol: Aerosol) -> Result<&'static RtTable, TablesError> {
    static TABLES: [[OnceLock<Result<RtTable, TablesError>>; 5]; 3] =
        [const { [const { OnceLock::new() }; 5] }; 3];
    TABLES[camera as usize][aerosol as usize]
        .get_or_init(|| read(camera, aerosol))
        .as_ref()
        .map_err(Clone::clone)
}

#[cfg(test)]
mod tests;
