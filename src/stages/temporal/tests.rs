//! Screening of synthetic archives.

use super::*;
use crate::types::background::{Background, OMEGA, days};
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

#[test]
fn thin_cloud_is_found_against_the_background_and_clear_days_are_not() {
    let mut a = Archive::new();
    for k in 0..12 {
        // thick cloud on a third of the days
        if k % 3 == 1 {
            let d = a.add(5 * k, |_, _| CLOUD);
            a.evidence(d, SURE);
        } else {
            a.add(5 * k, |_, _| FIELD);
        }
    }
    let d = a.add(61, |_, _| thin(FIELD, 0.07));
    let bg = a.background();
    assert!(bg.count.iter().all(|n| *n >= 8));
    let at = bg.at(a.0.dates[0].time);
    for b in 0..4 {
        assert!(
            at[b].iter().all(|v| (v - FIELD[b]).abs() < 0.006),
            "band {b}"
        );
    }
    let m = a.decide(d, &bg);
    assert!(
        m.qx.iter()
            .all(|q| q & qx::CONFIDENCE >= 2 && q & qx::CLOUD_TEMPORAL != 0)
    );
    assert!(m.sat.iter().all(|s| s & sat::NO_TEMPORAL == 0));
    assert!(m.sm.iter().all(|s| s & sm::BG_WEAK == 0));
    assert!(share(&a.decide(0, &bg), usable::USABLE) > 0.99);
    assert!(share(&a.decide(1, &bg), usable::CLOUD) > 0.99);
}

#[test]
fn harvest_is_not_cloud() {
    let mut a = Archive::new();
    for k in 0..20 {
        a.add(5 * k, |_, _| {
            if k < 12 {
                CROP
            } else {
                [0.080, 0.165, 0.285, 0.340]
            }
        });
    }
    for (k, m) in a.screened().iter().enumerate() {
        assert!(share(m, usable::USABLE) > 0.95, "date {k}");
    }
}

#[test]
fn a_white_roof_that_never_changes_is_vetoed() {
    let roof = [0.220, 0.260, 0.300, 0.310];
    let mut a = Archive::new();
    for k in 0..12 {
        let d = a.add(5 * k, |r, c| if r < 4 && c < 4 { roof } else { FIELD });
        // the single-date stage takes the roof for thick cloud, every time
        let m = &mut a.0.masks[d];
        for r in 0..4 {
            for c in 0..4 {
                m.qx[(r, c)] = SURE;
                m.sm[(r, c)] = crate::imaging::usability::with_class(m.sm[(r, c)], SURE, false);
                m.usable[(r, c)] = usable::CLOUD;
            }
        }
    }
    let cloudy = a.add(70, |_, _| CLOUD);
    a.evidence(cloudy, SURE);
    let all = a.screened();
    for m in &all[..12] {
        assert!(share(m, usable::USABLE) > 0.99);
    }
    assert!(share(&all[12], usable::CLOUD) > 0.99);
}

#[test]
fn a_place_that_is_always_cloudy_does_not_become_clear() {
    // five dates, all thick cloud of varying brightness: no ground was ever seen
    let mut a = Archive::new();
    for k in 0..5 {
        let d = a.add(5 * k, |_, _| CLOUD.map(|v| v * (0.9 + 0.03 * k as f32)));
        a.evidence(d, SURE);
    }
    let bg = a.background();
    assert!(bg.count.iter().all(|n| *n == 0));
    for m in a.screened() {
        assert!(share(&m, usable::CLOUD) > 0.99);
        assert!(m.sm.iter().all(|s| s & sm::BG_WEAK != 0));
        assert!(m.sat.iter().all(|s| s & sat::NO_TEMPORAL != 0));
    }
}

#[test]
fn a_short_archive_works_and_says_that_it_is_weak() {
    let mut a = Archive::new();
    for k in [0, 1, 3] {
        a.add(6 * k, |_, _| FIELD);
    }
    let d = a.add(13, |_, _| thin(FIELD, 0.12));
    let e = a.add(20, |_, _| CLOUD);
    a.evidence(e, SURE);
    let all = a.screened();
    assert!(share(&all[0], usable::USABLE) > 0.99);
    assert!(share(&all[d], usable::CLOUD) > 0.99);
    assert!(share(&all[e], usable::CLOUD) > 0.99);
    assert!(all[0].sm.iter().all(|s| s & sm::BG_WEAK != 0));
}

#[test]
fn seasons_are_followed_over_two_years() {
    let truth = |day: f64, b: usize| {
        let w = (OMEGA * day).cos() as f32;
        [
            0.05 + 0.02 * w,
            0.08 + 0.03 * w,
            0.30 - 0.12 * w,
            0.22 + 0.02 * w,
        ][b]
    };
    let mut a = Archive::new();
    let start = days(Utc.with_ymd_and_hms(2018, 4, 1, 10, 45, 0).unwrap());
    let mut cloudy = Vec::new();
    for k in 0..140i64 {
        let at = start + 5.0 * k as f64;
        // half of the days cloudy, thin on every tenth
        let sky = (k * 7) % 10;
        let ground = [0, 1, 2, 3].map(|b| truth(at, b));
        let d = a.add(5 * k, |_, _| match sky {
            0..=3 => CLOUD,
            4 => thin(ground, 0.10),
            _ => ground,
        });
        if sky <= 3 {
            a.evidence(d, SURE);
        }
        cloudy.push(sky <= 4);
    }
    let bg = a.background();
    for d in a.0.dates.iter().step_by(9) {
        let at = bg.at(d.time);
        for (b, at) in at.iter().enumerate() {
            let expected = truth(days(d.time), b);
            assert!(
                (at[(3, 3)] - expected).abs() < 0.02,
                "{} band {b}: {} {expected}",
                d.time,
                at[(3, 3)]
            );
        }
    }
    for (k, (m, cloudy)) in a.screened().iter().zip(cloudy).enumerate() {
        let right = if cloudy {
            usable::CLOUD
        } else {
            usable::USABLE
        };
        assert!(
            share(m, right) > 0.95,
            "date {k}: {} {}",
            share(m, right),
            m.qx[(3, 3)]
        );
    }
}

#[test]
fn partial_snow_is_snow_in_a_snowy_scene() {
    let pure = [0.88, 0.87, 0.78, 0.11];
    let mut a = Archive::new();
    for k in 0..10 {
        a.add(5 * k, |_, _| FIELD);
    }
    let d = a.add(52, |r, _| {
        let f = if r < 12 { 1.0 } else { 0.3 };
        [0, 1, 2, 3].map(|b: usize| f * pure[b] + (1.0 - f) * FIELD[b])
    });
    for r in 0..12 {
        for c in 0..SIDE {
            a.0.masks[d].qx[(r, c)] = qx::SNOW;
        }
    }
    let all = a.screened();
    assert!(share(&all[d], usable::SNOW) > 0.95);
    assert!(all[d].sm.iter().all(|s| s & sm::CLASS == sm::SNOW));
    assert!(share(&all[3], usable::USABLE) > 0.99);
}

#[test]
fn shadow_near_a_cloud_is_found_without_an_object_match() {
    let mut a = Archive::new();
    for k in 0..10 {
        a.add(5 * k, |_, _| FIELD);
    }
    let d = a.add(52, |r, c| {
        if (8..14).contains(&r) && (8..14).contains(&c) {
            FIELD.map(|v| 0.4 * v)
        } else {
            FIELD
        }
    });
    let m = a.decide(d, &a.background());
    // no cloud in the tile: its cloud may lie beyond the edge
    assert!(m.qx[(10, 10)] & qx::SHADOW_TEMPORAL != 0);
    assert_eq!(m.usable[(10, 10)], usable::SHADOW);
    assert_eq!(m.usable[(20, 20)], usable::USABLE);
}

#[test]
fn spikes_that_escaped_are_removed() {
    let mut a = Archive::new();
    for k in 0..16 {
        a.add(5 * k, |_, _| {
            if k == 7 {
                [0.092, 0.135, 0.19, 0.25]
            } else {
                FIELD
            }
        });
    }
    let all = a.screened();
    // below the cloud threshold of 0.04, above the spike threshold of 0.025
    assert!(
        all[7]
            .usable
            .iter()
            .all(|u| matches!(*u, usable::OUTLIER | usable::CLOUD))
    );
    assert!(share(&all[7], usable::OUTLIER) > 0.9);
    assert!(all[7].qx.iter().all(|q| q >> qx::VERDICT_SHIFT != 2));
    assert!(share(&all[6], usable::USABLE) > 0.99 && share(&all[8], usable::USABLE) > 0.99);
}

#[test]
fn ground_that_changes_for_good_is_given_back() {
    // a building site: BLUE up by 0.055 with hardly more in RED, from half of the series on
    let site = [0.115, 0.150, 0.200, 0.225];
    let mut a = Archive::new();
    for k in 0..40 {
        a.add(5 * k, |_, _| if k < 25 { FIELD } else { site });
    }
    let all = a.screened();
    for (k, m) in all.iter().enumerate().skip(27) {
        assert!(share(m, usable::USABLE) > 0.95, "date {k}");
    }
}

#[test]
fn no_data_gives_no_background_and_no_panic() {
    let mut a = Archive::new();
    for k in 0..4 {
        let d = a.add(5 * k, |_, _| [f32::NAN; 4]);
        a.0.masks[d].sm.fill(sm::UNDEFINED);
        a.0.masks[d].usable.fill(usable::NODATA);
    }
    let bg = a.background();
    assert!(bg.coefficients.iter().all(|c| c.iter().all(|v| v.is_nan())));
    let all = a.screened();
    assert!(
        all.iter()
            .all(|m| m.usable.iter().all(|u| *u == usable::NODATA))
    );
    // an archive without dates
    let empty = Archive::new();
    assert!(empty.screened().is_empty());
    // a background of another grid is no background
    let mut b = Archive::new();
    b.add(0, |_, _| FIELD);
    let other = Background::empty(GridSpec {
        width: 3,
        height: 3,
        ..grid()
    });
    let m = b.decide(0, &other);
    assert!(share(&m, usable::USABLE) > 0.99);
}

#[test]
fn missing_swir_is_screened_in_vnir() {
    let mut a = Archive::new();
    for k in 0..10 {
        a.add(5 * k, |_, _| [FIELD[0], FIELD[1], FIELD[2], f32::NAN]);
    }
    let d = a.add(52, |_, _| {
        let t = thin(FIELD, 0.1);
        [t[0], t[1], t[2], f32::NAN]
    });
    let all = a.screened();
    assert!(share(&all[d], usable::CLOUD) > 0.99);
    assert!(share(&all[2], usable::CLOUD) < 0.01);
}

#[test]
fn blocks_of_rows_give_what_the_whole_gives() {
    let mut a = Archive::new();
    for k in 0..18usize {
        a.add(5 * k as i64, |r, c| {
            if (r + c + k) % 5 == 0 { CLOUD } else { FIELD }
        });
    }
    let bg = a.background();
    let whole = clean_up(&a.0, &bg, &TemporalParams::default());
    let half = |rows: std::ops::Range<usize>| {
        let cut = ndarray::s![rows.clone(), ..];
        let block = SeriesBlock {
            grid: grid().rows(rows.start, rows.len()),
            dates: a.0.dates.clone(),
            rho: a
                .0
                .rho
                .iter()
                .map(|r| [0, 1, 2, 3].map(|b: usize| r[b].slice(cut).to_owned()))
                .collect(),
            masks: a
                .0
                .masks
                .iter()
                .map(|m| Masks {
                    sm: m.sm.slice(cut).to_owned(),
                    qx: m.qx.slice(cut).to_owned(),
                    sat: m.sat.slice(cut).to_owned(),
                    usable: m.usable.slice(cut).to_owned(),
                })
                .collect(),
        };
        let part = background(&block, &TemporalParams::default());
        (clean_up(&block, &part, &TemporalParams::default()), part)
    };
    for rows in [0..10, 10..SIDE] {
        let (masks, part) = half(rows.clone());
        assert_eq!(
            part.count,
            bg.count.slice(ndarray::s![.., rows.clone(), ..]).to_owned()
        );
        for (m, w) in masks.iter().zip(&whole) {
            assert_eq!(m.qx, w.qx.slice(ndarray::s![rows.clone(), ..]).to_owned());
            assert_eq!(
                m.usable,
                w.usable.slice(ndarray::s![rows.clone(), ..]).to_owned()
            );
        }
    }
}
