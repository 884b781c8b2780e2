//! Stacks of a landscape that is a smooth function of place and time.
// each test file uses some of it
#![allow(dead_code)]

use ndarray::{Array3, ArrayView3};
use probav_ard::product::stack::{StackRows, StackWriter};
use probav_ard::types::grid::utm::Utm;
use probav_ard::types::grid::{Resolution, Tile, tiles};
use serde_json::Value;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

/// Steps of every stack; they cross no New Year.
pub(crate) const STEPS: Range<i32> = 70..72;
/// Rows from the north that hold values; the others, which no test asks for, are empty and quickly written.
const ROWS: usize = 427;
/// Waves of so many degrees of longitude and latitude, about 3 km.
const WAVE: (f64, f64) = (0.042, 0.028);
/// Half the height of a wave, counts.
const HEIGHT: f64 = 1200.0;
/// Largest slope, counts a metre, of both waves at once: 2π · 1200 / (0.042° or 0.028° of at least 2.9 km).
const SLOPE: f64 = std::f64::consts::TAU * HEIGHT / 2900.0;
/// Half the diagonal of a pixel along the steepest slope, and the rounding of a count.
pub(crate) const NEAREST_BOUND: f64 = SLOPE * 1.415 * 70.8 + 1.0;
/// Two axes, each h²/8 times the second derivative, and two roundings.
pub(crate) const BILINEAR_BOUND: f64 =
    2.0 * 100.0 * 100.0 / 8.0 * SLOPE * std::f64::consts::TAU / 2900.0 + 1.5;

/// Reflectance counts at a place in a step.
pub(crate) fn truth(lon: f64, lat: f64, step: i32, band: usize) -> f64 {
    let x = std::f64::consts::TAU * lon.rem_euclid(360.0) / WAVE.0;
    let y = std::f64::consts::TAU * lat / WAVE.1;
    3000.0
        + 500.0 * band as f64
        + 40.0 * f64::from(step - STEPS.start)
        + HEIGHT * (x.sin() + y.cos())
}

/// Some tiles with their stacks.
pub(crate) struct Landscape {
    folder: tempfile::TempDir,
    pub(crate) tiles: Vec<Tile>,
}

impl Landscape {
    fn of(names: &[&str]) -> Landscape {
        let folder = tempfile::tempdir().unwrap();
        let named = |n: &&str| tiles::lookup(n.parse().unwrap()).unwrap();
        let tiles: Vec<Tile> = names.iter().map(named).collect();
        for (k, tile) in tiles.iter().enumerate() {
            write(folder.path(), tile, k as u8 + 1);
        }
        Landscape { folder, tiles }
    }

    /// 31UGR and 32ULA, made once.
    pub(crate) fn shared() -> &'static Landscape {
        static SHARED: OnceLock<Landscape> = OnceLock::new();
        SHARED.get_or_init(Landscape::own)
    }

    /// The same for one test alone.
    pub(crate) fn own() -> Landscape {
        Landscape::of(&BORDER)
    }

    /// A tile on each side of the antimeridian, in Fiji.
    pub(crate) fn antimeridian() -> Landscape {
        Landscape::of(&FIJI)
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }
}

const BORDER: [&str; 2] = ["31UGR", "32ULA"];
const FIJI: [&str; 2] = ["01KAB", "60KYG"];

fn write(root: &Path, tile: &Tile, number: u8) {
    let grid = tile.grid(Resolution::M100);
    let utm = Utm::new(tile.epsg);
    let mut writer = StackWriter::create(root, tile, STEPS).unwrap();
    let (rows, shape) = (61, (STEPS.len(), 61, grid.width));
    for first in (0..grid.height).step_by(rows) {
        if first >= ROWS {
            let none = Array3::from_elem(shape, i16::MIN);
            let (unknown, zero) = (none.mapv(|_| u16::MAX), none.mapv(|_| 0u8));
            let block = StackRows {
                rho: [none.view(); 4],
                unc: [unknown.view(); 4],
                provenance: zero.view(),
                days: zero.view(),
                n100: zero.view(),
                n300: zero.view(),
            };
            writer.write_rows(first, STEPS, &block).unwrap();
            continue;
        }
        let places: Vec<(f64, f64)> = (0..rows * grid.width)
            .map(|k| {
                utm.inverse(grid.centre(first + k / grid.width, k % grid.width))
                    .xy()
            })
            .collect();
        let waves: Vec<f64> = places
            .iter()
            .map(|p| truth(p.0, p.1, STEPS.start, 0))
            .collect();
        let rho: [Array3<i16>; 4] = std::array::from_fn(|band| {
            Array3::from_shape_fn(shape, |(t, r, c)| {
                let rest = 500.0 * band as f64 + 40.0 * t as f64;
                (waves[r * grid.width + c] + rest).round() as i16
            })
        });
        let unc = Array3::from_shape_fn(shape, |(t, r, c)| (rho[0][(t, r, c)] / 10) as u16);
        // observed north of 50.35°, predicted south of it
        let provenance = Array3::from_shape_fn(shape, |(_, r, c)| {
            if places[r * grid.width + c].1 > 50.35 {
                1
            } else {
                3
            }
        });
        let days = Array3::from_shape_fn(shape, |(t, r, c)| ((t + first + r + c) % 200) as u8);
        let own = Array3::from_elem(shape, number);
        let block = StackRows {
            rho: rho.each_ref().map(ArrayView3::from),
            unc: [unc.view(); 4],
            provenance: provenance.view(),
            days: days.view(),
            n100: own.view(),
            n300: own.view(),
        };
        writer.write_rows(first, STEPS, &block).unwrap();
    }
    writer.finish(Value::Null).unwrap();
}
