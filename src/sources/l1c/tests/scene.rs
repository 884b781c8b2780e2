//! A small segment in every form that the reader must take, written to disk.

use super::model::{self, Pass};
use crate::types::band::{Camera, Strip};
use chrono::{DateTime, TimeZone, Utc};
use hdf5::types::{FixedAscii, VarLenUnicode};
use hdf5::{Dataset, Group, H5Type, Location};
use ndarray::{Array2, arr1};
use std::path::{Path, PathBuf};

/// How rasters lie in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    ShuffleDeflate,
    Deflate,
    Shuffle,
    Chunked,
    Contiguous,
    Szip,
    Fletcher,
    /// Chunks that divide neither lines nor pixels, other ones for Q.
    Odd,
    OneLine,
}

/// How angles lie in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    None,
    Float,
    /// Bytes with SCALE.
    Bytes,
}

/// One segment; the fields say what differs from the usual file.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) camera: Camera,
    pub(super) pass: Pass,
    pub(super) lines: usize,
    pub(super) pixels: usize,
    pub(super) first_column: [usize; 2],
    pub(super) storage: Storage,
    pub(super) hyphen: bool,
    pub(super) east_first: bool,
    pub(super) step: usize,
    pub(super) step_attributes: bool,
    pub(super) two_levels: bool,
    pub(super) altitudes: bool,
    pub(super) angles: Stored,
    pub(super) swap_swir: bool,
    pub(super) table: [u8; 7],
    pub(super) described: bool,
    pub(super) packing: (f32, f32, i16),
    pub(super) first_attributes: bool,
    pub(super) variable_strings: bool,
    pub(super) header: bool,
    pub(super) swir: bool,
    pub(super) name: &'static str,
}

impl Default for Scene {
    fn default() -> Self {
        Scene {
            camera: Camera::Left,
            pass: Pass {
                lon: 12.0,
                lat: 47.0,
            },
            lines: 64,
            pixels: 96,
            first_column: [1500, 300],
            storage: Storage::ShuffleDeflate,
            hyphen: false,
            east_first: false,
            step: 8,
            step_attributes: true,
            two_levels: true,
            altitudes: true,
            angles: Stored::Float,
            swap_swir: false,
            table: [0, 1, 2, 3, 4, 5, 6],
            described: true,
            packing: (2000.0, 0.0, -1),
            first_attributes: true,
            variable_strings: false,
            header: true,
            swir: true,
            name: "PROBAV_L1C_20180624_104727_1_V101.HDF5",
        }
    }
}

const WORDS: [&str; 7] = [
    "Correct",
    "Missing",
    "WasSaturated",
    "BecameSaturated",
    "BecameNegative",
    "Interpolated",
    "BorderCompressed",
];

impl Scene {
    pub(super) fn start(&self) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2018, 6, 24, 10, 47, 27).unwrap()
    }

    pub(super) fn shape(&self, strip: Strip) -> (usize, usize) {
        if strip.is_swir() {
            (self.lines / 2, self.pixels / 2)
        } else {
            (self.lines, self.pixels)
        }
    }

    fn period(strip: Strip) -> f64 {
        if strip.is_swir() { 0.03004 } else { 0.01502 }
    }

    /// Lines before line 0, different for each strip.
    pub(super) fn first_line(&self, strip: Strip) -> usize {
        if self.first_attributes {
            10 * strip.index() + 5
        } else {
            0
        }
    }

    /// Seconds from the start to the centre of a line.
    pub(super) fn seconds(&self, strip: Strip, line: f64) -> f64 {
        (self.first_line(strip) as f64 + line + 0.5) * Self::period(strip)
    }

    /// The ground point of a raster position, and the satellite.
    pub(super) fn ground(
        &self,
        strip: Strip,
        line: f64,
        pixel: f64,
        h: f64,
    ) -> (model::V, model::V) {
        let width = if strip.is_swir() { 1024.0 } else { 5200.0 };
        let column = self.first_column[usize::from(strip.is_swir())] as f64 + pixel + 0.5;
        let from_left = if self.east_first {
            column
        } else {
            width - column
        };
        let detector = match strip {
            Strip::Swir1 if self.swap_swir => Strip::Swir3,
            Strip::Swir3 if self.swap_swir => Strip::Swir1,
            s => s,
        };
        let (nadir, along) = model::look(self.camera, detector, from_left);
        let t = self.seconds(strip, line);
        (self.pass.ground(t, nadir, along, h), self.pass.position(t))
    }

    pub(super) fn tie_positions(&self, samples: usize) -> Vec<f64> {
        (0..=(samples - 1).div_ceil(self.step))
            .map(|k| (k * self.step) as f64)
            .collect()
    }

    /// Reflectance of a sample before packing.
    pub(super) fn reflectance(strip: Strip, line: usize, pixel: usize) -> f64 {
        let k = line * 31 + pixel * 7 + strip.index() * 101;
        0.05 + (k % 1500) as f64 / 2000.0
    }

    /// Meaning (index into the table) of a sample.
    pub(super) fn meaning(strip: Strip, line: usize, pixel: usize) -> usize {
        let k = line * 13 + pixel * 29 + strip.index();
        if k.is_multiple_of(41) { k % 7 } else { 0 }
    }

    /// True where the count is the no-data value although Q says Correct.
    pub(super) fn is_empty(line: usize, pixel: usize) -> bool {
        line == 3 && pixel % 11 == 5
    }

    pub(super) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join(self.name);
        let file = hdf5::File::create(&path).expect("create");
        if self.header {
            for (name, value) in [
                ("OBSERVATION_START_DATE", "2018-06-24"),
                ("OBSERVATION_START_TIME", "10:47:27"),
                ("OBSERVATION_END_DATE", "2018-06-24"),
                ("OBSERVATION_END_TIME", "10:47:29"),
                ("CAMERA", self.camera.name()),
                ("PRODUCT_REFERENCE", "PROBAV_L1C_20180624_104727_1_V101"),
            ] {
                self.text(&file, name, value);
            }
            number(&file, "PRODUCT_VERSION", 101_i32);
        }
        let [b, c] = self.levels();
        let (b, c) = (
            file.create_group(b).expect("1B"),
            file.create_group(c).expect("1C"),
        );
        for strip in Strip::ALL {
            if self.swir || !strip.is_swir() {
                self.write_rasters(&c, strip);
                self.write_ties(&b, strip);
            }
        }
        path
    }

    pub(super) fn levels(&self) -> [&'static str; 2] {
        if self.hyphen {
            ["LEVEL-1B", "LEVEL-1C"]
        } else {
            ["LEVEL1B", "LEVEL1C"]
        }
    }

    fn text(&self, at: &Location, name: &str, value: &str) {
        if self.variable_strings {
            let value: VarLenUnicode = value.parse().expect("text");
            at.new_attr::<VarLenUnicode>()
                .create(name)
                .expect("attribute")
                .write_scalar(&value)
                .expect("write");
        } else {
            let value = FixedAscii::<300>::from_ascii(value).expect("text");
            at.new_attr_builder()
                .with_data(&arr1(&[value]))
                .create(name)
                .expect("attribute");
        }
    }

    fn write_rasters(&self, level: &Group, strip: Strip) {
        let group = level.create_group(strip.name()).expect("strip");
        if self.first_attributes {
            number(&group, "FIRST_LINE", self.first_line(strip) as i32);
            number(
                &group,
                "FIRST_COLUMN",
                self.first_column[usize::from(strip.is_swir())] as i32,
            );
        }
        let (scale, offset, no_data) = self.packing;
        let toa = Array2::from_shape_fn(self.shape(strip), |(i, j)| {
            if Scene::is_empty(i, j) {
                no_data
            } else {
                (Scene::reflectance(strip, i, j) * f64::from(scale) + f64::from(offset)).round()
                    as i16
            }
        });
        let q = Array2::from_shape_fn(self.shape(strip), |(i, j)| {
            self.table[Scene::meaning(strip, i, j)]
        });
        let toa = self.dataset(&group, "TOA", &toa, false);
        number(&toa, "SCALE", scale);
        number(&toa, "OFFSET", offset);
        number(&toa, "NO_DATA", no_data);
        let q = self.dataset(&group, "Q", &q, true);
        let list: Vec<String> = WORDS
            .iter()
            .zip(self.table)
            .map(|(w, c)| format!("{c}={w}"))
            .collect();
        let text = if self.described {
            format!("Quality indicator codes: {}", list.join(", "))
        } else {
            "Quality indicator".into()
        };
        self.text(&q, "DESCRIPTION", &text);
    }

    fn dataset<T: H5Type>(
        &self,
        group: &Group,
        name: &str,
        data: &Array2<T>,
        quality: bool,
    ) -> Dataset {
        let (rows, columns) = data.dim();
        let builder = group.new_dataset_builder();
        let lines = 16.min(rows);
        let builder = match self.storage {
            Storage::ShuffleDeflate => builder.chunk((lines, columns)).shuffle().deflate(6),
            Storage::Deflate => builder.chunk((lines, columns)).deflate(1),
            Storage::Shuffle => builder.chunk((lines, columns)).shuffle(),
            Storage::Chunked => builder.chunk((lines, columns)),
            Storage::Contiguous => builder,
            Storage::Szip => builder
                // szip wants at least 8 values in a chunk
                .chunk((if columns < 8 { rows } else { 1 }, columns))
                .szip(hdf5::filters::SZip::NearestNeighbor, 8),
            Storage::Fletcher => builder.chunk((lines, columns)).deflate(2).fletcher32(),
            Storage::Odd if quality => builder.chunk((11.min(rows), 5.min(columns))).deflate(6),
            Storage::Odd => builder
                .chunk((7.min(rows), 13.min(columns)))
                .shuffle()
                .deflate(6),
            Storage::OneLine => builder.chunk((1, columns)).shuffle().deflate(6),
        };
        builder.with_data(data).create(name).expect("dataset")
    }

    fn write_ties(&self, level: &Group, strip: Strip) {
        let group = level.create_group(strip.name()).expect("strip");
        let (lines, pixels) = self.shape(strip);
        let (rows, columns) = (self.tie_positions(lines), self.tie_positions(pixels));
        let size = (rows.len(), columns.len());
        for (k, h) in [(1, 0.0), (2, 5000.0)] {
            if k == 2 && !self.two_levels {
                break;
            }
            let places = Array2::from_shape_fn(size, |(i, j)| {
                model::geodetic(self.ground(strip, rows[i], columns[j], h).0)
            });
            for (name, values) in [
                ("LN", places.mapv(|p| p.0 as f32)),
                ("LT", places.mapv(|p| p.1 as f32)),
            ] {
                let d = self.dataset(&group, &format!("{name}{k}"), &values, false);
                if self.altitudes {
                    number(&d, "ALTITUDE", h as f32);
                }
                if self.step_attributes {
                    number(&d, "LINE_STEP", self.step as i32);
                    number(&d, "PIXEL_STEP", self.step as i32);
                }
            }
        }
        if self.angles == Stored::None {
            return;
        }
        let view = Array2::from_shape_fn(size, |(i, j)| self.view(strip, rows[i], columns[j]));
        let sun = Array2::from_shape_fn(size, |(i, j)| self.sun(strip, rows[i], columns[j]));
        for (name, values, scale) in [
            ("VZA", view.mapv(|v| v.0), 2.0),
            ("VAA", view.mapv(|v| v.1), 0.6667),
            ("SZA", sun.mapv(|v| v.0), 2.0),
            ("SAA", sun.mapv(|v| v.1), 0.6667),
        ] {
            if self.angles == Stored::Float {
                self.dataset(&group, name, &values.mapv(|v| v as f32), false);
            } else {
                let d = self.dataset(
                    &group,
                    name,
                    &values.mapv(|v| (v * scale).round() as u8),
                    false,
                );
                number(&d, "SCALE", scale as f32);
                number(&d, "OFFSET", 0.0_f32);
                number(&d, "NO_DATA", 255_u8);
            }
        }
    }

    /// True view zenith and azimuth of a raster position.
    pub(super) fn view(&self, strip: Strip, line: f64, pixel: f64) -> (f64, f64) {
        let (ground, satellite) = self.ground(strip, line, pixel, 0.0);
        model::direction(ground, satellite)
    }

    /// True solar zenith and azimuth.
    pub(super) fn sun(&self, strip: Strip, line: f64, pixel: f64) -> (f64, f64) {
        let time = self.start().timestamp() as f64 + self.seconds(strip, line);
        model::sun(self.ground(strip, line, pixel, 0.0).0, time)
    }
}

pub(super) fn number<T: H5Type + Clone>(at: &Location, name: &str, value: T) {
    at.new_attr_builder()
        .with_data(&arr1(&[value]))
        .create(name)
        .expect("attribute");
}
