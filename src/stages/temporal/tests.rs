//! Screening of synthetic archives.

mod background;
mod clean_up;
mod dates;

use super::*;
use crate::types::background::{Background, OMEGA};
use crate::types::calendar::days_since_origin;
use crate::types::reflectance::encode;
use crate::types::status::{qx, sat, sm, usable};
use chrono::TimeZone;

const SIDE: usize = 24;
const FIELD: [f32; 4] = [0.060, 0.105, 0.165, 0.230];
const CROP: [f32; 4] = [0.030, 0.040, 0.460, 0.200];
const CLOUD: [f32; 4] = [0.74, 0.74, 0.76, 0.55];

fn grid() -> GridSpec {
    GridSpec {
        epsg: 32631,
        ulx: 500_000.0,
        uly: 5_500_000.0,
        pixel: 100.0,
        width: SIDE,
        height: SIDE,
    }
}

fn angles() -> Angles {
    let all = |v: f32| Array2::from_elem((SIDE, SIDE), v);
    Angles {
        sza: all(45.0),
        saa: all(135.0),
        vnir_vza: all(0.5),
        vnir_vaa: all(100.0),
        swir_vza: all(5.0),
        swir_vaa: all(180.0),
    }
}

/// A series that starts empty; every date is one material with a little noise.
struct Archive(SeriesBlock);

impl Archive {
    fn new() -> Archive {
        Archive(SeriesBlock {
            grid: grid(),
            dates: Vec::new(),
            rho: Vec::new(),
            masks: Vec::new(),
        })
    }

    /// Adds a date `day` days after 2018-04-01 with reflectance of (row, column); returns its index.
    fn add(&mut self, day: i64, rho: impl Fn(usize, usize) -> [f32; 4]) -> usize {
        let time =
            Utc.with_ymd_and_hms(2018, 4, 1, 10, 45, 0).unwrap() + chrono::Duration::days(day);
        let k = self.0.dates.len();
        let noise =
            |r: usize, c: usize| 0.002 * ((((r * 31 + c * 17 + k * 53) % 13) as f32) / 6.0 - 1.0);
        self.0.rho.push([0, 1, 2, 3].map(|b: usize| {
            Array2::from_shape_fn((SIDE, SIDE), |(r, c)| encode(rho(r, c)[b] + noise(r, c)))
        }));
        let clear =
            sm::LAND | sm::GOOD.iter().sum::<u16>() | sm::COVERED.iter().sum::<u16>() | sm::BG_WEAK;
        let all = |v| Array2::from_elem((SIDE, SIDE), v);
        self.0.masks.push(Masks {
            sm: all(clear),
            qx: Array2::zeros((SIDE, SIDE)),
            sat: Array2::from_elem((SIDE, SIDE), sat::NO_TEMPORAL),
            usable: Array2::from_elem((SIDE, SIDE), usable::USABLE),
        });
        self.0.dates.push(DateMeta {
            id: format!("{k}"),
            time,
            camera: Camera::Center,
        });
        k
    }

    /// The single-date stage's word on a whole date.
    fn evidence(&mut self, date: usize, q: u16) {
        let m = &mut self.0.masks[date];
        m.qx.fill(q);
        m.sm.mapv_inplace(|s| crate::imaging::usability::with_class(s, q, false));
        m.usable = crate::imaging::usability::usable_layer(&m.sm, &m.qx);
    }

    fn background(&self) -> Background {
        background(&self.0, &TemporalParams::default())
    }

    fn decide(&self, date: usize, bg: &Background) -> Masks {
        let angles = angles();
        let input = DateInput {
            grid: grid(),
            time: self.0.dates[date].time,
            camera: Camera::Center,
            rho: &self.0.rho[date],
            masks: &self.0.masks[date],
            angles: &angles,
        };
        decide(&input, bg, &TemporalParams::default())
    }

    /// All three steps.
    fn screened(mut self) -> Vec<Masks> {
        let bg = self.background();
        self.0.masks = (0..self.0.dates.len())
            .map(|k| self.decide(k, &bg))
            .collect();
        clean_up(&self.0, &bg, &TemporalParams::default())
    }
}

const SURE: u16 = 3 | qx::CLOUD_SPECTRAL;

fn share(m: &Masks, value: u8) -> f32 {
    m.usable.iter().filter(|u| **u == value).count() as f32 / m.usable.len() as f32
}

fn thin(ground: [f32; 4], r: f32) -> [f32; 4] {
    [0, 1, 2, 3].map(|b| ground[b] * (1.0 - 0.9 * r) + r * [1.0, 1.0, 1.0, 0.72][b])
}
