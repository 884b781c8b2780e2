//! Small made-up acquisitions.

use chrono::{TimeZone, Utc};
use ndarray::Array2;
use probav_ard::imaging::usability::usable_of;
use probav_ard::product::stac::links::Input;
use probav_ard::product::{Acquisition, AcquisitionId};
use probav_ard::types::band::Camera;
use probav_ard::types::grid::{Resolution, Tile};
use probav_ard::types::observation::{Angles, Observation};
use probav_ard::types::raster::BandStack;
use probav_ard::types::reflectance::SurfaceReflectance;
use probav_ard::types::status::{Masks, sm};
use serde_json::json;
use std::path::{Path, PathBuf};

pub(crate) const SOURCE: &str = "PROBAV_L1C_20180503_104440_1_V101.HDF5";

pub(crate) fn tile(name: &str) -> Tile {
    let (epsg, ulx, uly) = match name {
        "31UFS" => (32631, 600_000.0, 5_700_000.0),
        // reaches across the antimeridian from the east
        "01KAB" => (32701, 99_960.0, 8_200_000.0),
        other => panic!("no such tile here: {other}"),
    };
    Tile {
        id: name.parse().unwrap(),
        epsg,
        ulx,
        uly,
    }
}

/// All that a product is made from, owned.
pub(crate) struct Scene {
    pub id: AcquisitionId,
    pub tile: Tile,
    pub observation: Observation,
    pub surface: SurfaceReflectance,
    pub masks: Masks,
}

impl Scene {
    /// A side camera's view of a tile: columns 40 to 299 are covered, SWIR from column 60; values vary from pixel
    /// to pixel, some are negative.
    pub(crate) fn new(tile_name: &str, day: u32) -> Scene {
        Scene::padded(tile_name, day, 0)
    }

    /// The same on a grid with a halo.
    pub(crate) fn padded(tile_name: &str, day: u32, halo: usize) -> Scene {
        Scene::make(tile_name, day, halo, Resolution::M300)
    }

    /// The centre camera's, 1098 × 1098.
    pub(crate) fn fine(tile_name: &str, day: u32) -> Scene {
        Scene::make(tile_name, day, 0, Resolution::M100)
    }

    fn make(tile_name: &str, day: u32, halo: usize, resolution: Resolution) -> Scene {
        let tile = tile(tile_name);
        let grid = tile.grid(resolution).padded(halo);
        let camera = match resolution {
            Resolution::M100 => Camera::Center,
            Resolution::M300 => Camera::Left,
        };
        let shape = (grid.height, grid.width);
        let east = grid.width - 2 * halo - 66;
        let covered = |c: usize| (40..east).contains(&c.wrapping_sub(halo));
        let value = |band: usize, r: usize, c: usize| {
            if !covered(c) || (band == 3 && c < 60 + halo) {
                f32::NAN
            } else {
                let phase = (r as f32 * 0.11).sin() * (c as f32 * 0.07).cos();
                0.05 + 0.08 * band as f32
                    + 0.1 * phase
                    + f32::from((r * 7 + c * 13) as u16 % 100) * 1e-4
            }
        };
        let band =
            |k: usize, gain: f32| Array2::from_shape_fn(shape, |(r, c)| gain * value(k, r, c));
        let bands = |gain: f32| BandStack {
            grid,
            bands: [band(0, gain), band(1, gain), band(2, gain), band(3, gain)],
        };
        let angle = |base: f32, slope: f32| {
            Array2::from_shape_fn(shape, |(r, c)| {
                if covered(c) {
                    base + slope * (r + c) as f32
                } else {
                    f32::NAN
                }
            })
        };
        let status = Array2::from_shape_fn(shape, |(r, c)| {
            if !covered(c) {
                return sm::UNDEFINED;
            }
            let swir = c >= 60 + halo;
            let seen: u16 = (0..4)
                .filter(|b| *b < 3 || swir)
                .map(|b| sm::COVERED[b] | sm::GOOD[b])
                .sum();
            let class = match (r / 20, c / 20) {
                (3, 7) => sm::CLOUD,
                (4, 8) => sm::SHADOW,
                (9, 9) => sm::SNOW,
                _ => sm::CLEAR,
            };
            seen | class | if r < 300 { sm::LAND } else { 0 }
        });
        let qx = status.mapv(|s| if s & sm::CLASS == sm::CLOUD { 3 } else { 0u16 });
        let usable = ndarray::Zip::from(&status)
            .and(&qx)
            .map_collect(|s, q| usable_of(*s, *q, false));
        let observation = Observation {
            grid,
            camera,
            source: SOURCE.to_string(),
            time: Utc.with_ymd_and_hms(2018, 5, day, 10, 45, 12).unwrap(),
            toa: bands(1.1),
            quality: BandStack::filled(grid, 0),
            angles: Angles {
                sza: angle(36.0, 0.002),
                saa: angle(150.0, 0.001),
                vnir_vza: angle(40.0, 0.01),
                vnir_vaa: angle(357.0, 0.01),
                swir_vza: angle(40.5, 0.01),
                swir_vaa: angle(100.0, 0.01),
            },
            seconds: Array2::zeros(shape),
            height: Array2::zeros(shape),
            occluded: Array2::from_elem(shape, false),
        };
        let surface = SurfaceReflectance {
            grid,
            rho: bands(1.0),
            sigma: bands(0.1),
            sigma_random: bands(0.05),
        };
        Scene {
            id: AcquisitionId {
                tile: tile.id,
                time: observation.time,
                camera,
                resolution,
            },
            tile,
            observation,
            surface,
            masks: Masks {
                sm: status,
                qx,
                sat: Array2::from_elem(shape, 1 << 5),
                usable,
            },
        }
    }

    pub(crate) fn acquisition(&self, toa: bool) -> Acquisition<'_> {
        Acquisition {
            id: self.id,
            grid: self.tile.grid(self.id.resolution),
            observation: &self.observation,
            surface: &self.surface,
            masks: &self.masks,
            inputs: vec![Input {
                kind: "Level-1C segment",
                name: SOURCE.to_string(),
                sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
                    .to_string(),
            }],
            record: json!({ "version": "0.1.0", "parameters": { "kernel": "cubic6" } }),
            toa,
            extras: Vec::new(),
            accuracy: Some(probav_ard::product::stac::accuracy::Accuracy {
                bias: [1.5, -2.25],
                sigma: 7.0,
                rmse: 10.0,
                ce90: 15.5,
                chips: 420,
                refined: false,
            }),
        }
    }

    pub(crate) fn write(&self, root: &Path) -> PathBuf {
        probav_ard::product::write_acquisition(root, &self.acquisition(true)).unwrap()
    }
}

/// Names in a folder, hidden ones too, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
