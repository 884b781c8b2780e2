//! A synthetic scene with realistic geometry.

use crate::stages::atmosphere::node_grid;
use crate::types::band::Camera;
use crate::types::geometry::Direction;
use crate::types::grid::GridSpec;
use crate::types::observation::{Angles, Observation};
use crate::types::radiative_transfer::AtmosphereState;
use crate::types::raster::BandStack;
use chrono::TimeZone;
use ndarray::Array2;

fn grid(size: usize, pixel: f64) -> GridSpec {
    GridSpec {
        epsg: 32631,
        ulx: 600_000.0,
        uly: 5_700_000.0,
        pixel,
        width: size,
        height: size,
    }
}

/// Angles of a descending pass at 820 km whose track lies `offset` metres east of the grid's centre, curved Earth;
/// `tan_psi` is the forward tilt of the strip.
fn view(grid: &GridSpec, offset: f64, tan_psi: f64, r: usize, c: usize) -> (f32, f32) {
    const RADIUS: f64 = 6_371_000.0;
    const ALTITUDE: f64 = 820_000.0;
    let half = grid.width as f64 * grid.pixel / 2.0;
    let (x, y) = (c as f64 * grid.pixel - half, half - r as f64 * grid.pixel);
    // track heading 190°: unit vectors along (forward) and across (right) it
    let (sin, cos) = 190f64.to_radians().sin_cos();
    let (along, across) = ((sin, cos), (cos, -sin));
    let right = (offset - x) * across.0 - y * across.1;
    let central = right / RADIUS;
    let zenith =
        ((RADIUS + ALTITUDE) * central.sin()).atan2((RADIUS + ALTITUDE) * central.cos() - RADIUS);
    let (h, f) = (zenith.tan(), -tan_psi);
    let d = Direction {
        east: h * across.0 + f * along.0,
        north: h * across.1 + f * along.1,
        up: 1.0,
    };
    let (z, a) = d.angles();
    (z as f32, a as f32)
}

pub(super) struct Scene {
    pub(super) obs: Observation,
    pub(super) state: AtmosphereState,
}

/// A scene with a Sun at `sza` in the middle, a track `offset` m away, relief to `relief` m, constant surface.
pub(super) fn scene(
    camera: Camera,
    size: usize,
    pixel: f64,
    offset: f64,
    sza: f32,
    relief: f32,
) -> Scene {
    let grid = grid(size, pixel);
    let nodes = node_grid(&grid);
    let field =
        |f: &dyn Fn(usize, usize) -> f32| Array2::from_shape_fn((size, size), |(r, c)| f(r, c));
    // 0.009° of latitude and longitude a kilometre
    let km = |r: usize| (r as f32 - size as f32 / 2.0) * pixel as f32 / 1000.0;
    let obs = Observation {
        grid,
        camera,
        source: "synthetic.HDF5".into(),
        time: chrono::Utc
            .with_ymd_and_hms(2018, 5, 3, 10, 45, 12)
            .unwrap(),
        toa: BandStack::filled(grid, 0.1),
        quality: BandStack::filled(grid, 0),
        angles: Angles {
            sza: field(&|r, c| sza + 0.008 * km(r) - 0.002 * km(c)),
            saa: field(&|r, c| 152.0 + 0.004 * km(r) + 0.016 * km(c)),
            vnir_vza: field(&|r, c| view(&grid, offset, 0.0326, r, c).0),
            vnir_vaa: field(&|r, c| view(&grid, offset, 0.0326, r, c).1),
            swir_vza: field(&|r, c| view(&grid, offset, seam(c, size), r, c).0),
            swir_vaa: field(&|r, c| view(&grid, offset, seam(c, size), r, c).1),
        },
        seconds: Array2::zeros((size, size)),
        height: field(&|r, c| {
            relief * (0.5 + 0.5 * (0.07 * r as f32).sin() * (0.05 * c as f32).cos())
        }),
        occluded: Array2::from_elem((size, size), false),
    };
    let state = AtmosphereState {
        nodes,
        aod550: Array2::from_shape_fn(nodes.shape(), |(i, j)| {
            0.2 + 0.003 * i as f32 - 0.001 * j as f32
        }),
        ozone: Array2::from_elem(nodes.shape(), 0.33),
        tcwv: Array2::from_elem(nodes.shape(), 2.2),
        model_height: None,
        shares: None,
        origins: [crate::types::radiative_transfer::Origin::Given; 3],
        provenance: vec![],
        fallback: false,
    };
    Scene { obs, state }
}

/// SWIR strips 1 and 2 meet in the middle of the grid.
fn seam(c: usize, size: usize) -> f64 {
    if c < size / 2 { -0.0293 } else { -0.0406 }
}
