//! View-angle normalisation to nadir: the c-factor (docs/sources/atmosphere.md, Roy 2016).
//!
//! ρ_N = ρ·R(θ_s, 0)/R(θ_s, θ_v, φ) with R = f_iso + f_vol·K_RossThick + f_geo·K_LiSparse-R (the same page, Wanner
//! 1995; h/b = 2, b/r = 1) and one global set of MODIS coefficients, their Table 5 (\[D\]): blue, red,
//! NIR and 1.6 µm. The Sun stays where it was. The coefficients describe mean vegetated land to about 60° of view; water
//! and snow do not behave so.

use super::angles::band_view;
use crate::types::band::Band;
use crate::types::geometry::relative_azimuth;
use crate::types::observation::Observation;
use crate::types::raster::BandStack;
use crate::types::reflectance::SurfaceReflectance;
use ndarray::Array2;
use std::f32::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// f_iso, f_geo, f_vol of BLUE, RED, NIR, SWIR: Roy 2016, Table 5 \[D\].
const COEFFICIENTS: [[f32; 3]; 4] = [
    [0.0774, 0.0079, 0.0372],
    [0.1690, 0.0227, 0.0574],
    [0.3093, 0.0330, 0.1535],
    [0.3430, 0.0453, 0.1154],
];

/// Kernels (geometric, volumetric) of zenith angles and relative azimuth (0 = backscatter), degrees.
fn kernels(sza: f32, vza: f32, raa: f32) -> [f32; 2] {
    let (s, v) = (sza.to_radians(), vza.to_radians());
    let cos_phi = raa.to_radians().cos();
    let cos_phase = (s.cos() * v.cos() + s.sin() * v.sin() * cos_phi).clamp(-1.0, 1.0);
    let phase = cos_phase.acos();
    let volume = ((FRAC_PI_2 - phase) * cos_phase + phase.sin()) / (s.cos() + v.cos()) - FRAC_PI_4;
    // spheres as high as wide: equivalent angles are the angles themselves
    let (ts, tv) = (s.tan(), v.tan());
    let secants = 1.0 / s.cos() + 1.0 / v.cos();
    let distance = (ts * ts + tv * tv - 2.0 * ts * tv * cos_phi).max(0.0);
    let sideways = ts * tv * raa.to_radians().sin();
    let cos_t = (2.0 * (distance + sideways * sideways).sqrt() / secants).clamp(-1.0, 1.0);
    let t = cos_t.acos();
    let overlap = (t - t.sin() * cos_t) * secants / PI;
    let geometric = overlap - secants + 0.5 * (1.0 + cos_phase) / (s.cos() * v.cos());
    [geometric, volume]
}

/// Factor that takes a band's reflectance from a view to nadir under the same Sun; degrees.
pub(super) fn nadir_factor(band: Band, sza: f32, vza: f32, raa: f32) -> f32 {
    let [iso, geo, vol] = COEFFICIENTS[band.index()];
    let reflectance = |vza: f32| {
        let [g, v] = kernels(sza, vza, raa);
        iso + geo * g + vol * v
    };
    reflectance(0.0) / reflectance(vza)
}

/// Normalises a surface to nadir, in place and with its σ, and returns the factor that each band was multiplied by; 1
/// where an angle is unknown.
pub fn nadir(obs: &Observation, surface: &mut SurfaceReflectance) -> BandStack<f32> {
    let a = &obs.angles;
    let factors = Band::ALL.map(|band| {
        Array2::from_shape_fn(surface.rho[band].dim(), |at| {
            let of = |field: &Array2<f32>| field.get(at).copied().unwrap_or(f32::NAN);
            let view = band_view(
                band,
                (of(&a.vnir_vza), of(&a.vnir_vaa)),
                (of(&a.swir_vza), of(&a.swir_vaa)),
            );
            let raa = relative_azimuth(of(&a.saa), view.1);
            let factor = nadir_factor(band, of(&a.sza), view.0, raa);
            if factor.is_finite() && factor > 0.0 {
                factor
            } else {
                1.0
            }
        })
    });
    super::scale(surface, &factors);
    BandStack {
        grid: surface.grid,
        bands: factors,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_by_hand() {
        assert!(kernels(0.0, 0.0, 0.0).iter().all(|k| k.abs() < 1e-6));
        // 45° and 0°: phase 45°, D = 1
        let [geometric, volume] = kernels(45.0, 0.0, 30.0);
        assert!((volume + 0.0459).abs() < 1e-3, "{volume}");
        assert!((geometric + 1.107).abs() < 1e-3, "{geometric}");
        for (a, b, phi) in [(20.0, 50.0, 10.0), (60.0, 35.0, 140.0)] {
            let (one, other) = (kernels(a, b, phi), kernels(b, a, phi));
            assert!(one.iter().zip(other).all(|(x, y)| (x - y).abs() < 1e-4));
        }
    }

    #[test]
    fn backscatter_is_darkened_and_forward_scatter_brightened() {
        for band in Band::ALL {
            assert_eq!(nadir_factor(band, 40.0, 0.0, 77.0), 1.0);
            let back = nadir_factor(band, 45.0, 40.0, 5.0);
            let forward = nadir_factor(band, 45.0, 40.0, 175.0);
            assert!(back < 0.9 && forward > 1.0, "{band} {back} {forward}");
        }
    }
}
