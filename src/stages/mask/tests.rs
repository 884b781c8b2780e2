//! Whole single-date runs on synthetic scenes.

use super::*;
use crate::types::band::Camera;
use crate::types::grid::GridSpec;
use crate::types::observation::Angles;
use crate::types::raster::BandStack;
use crate::types::status::{qx, sat, sm, usable};
use chrono::TimeZone;

const SIDE: usize = 120;
const FIELD: [f32; 4] = [0.060, 0.105, 0.165, 0.230];
const CLOUD: [f32; 4] = [0.74, 0.74, 0.76, 0.55];

/// A level scene of one material at 100 m, Sun in the south-east at 45°, nadir view, SWIR 5° from the south.
struct Scenery {
    obs: Observation,
    normalised: Normalised,
    land: Array2<u8>,
}

impl Scenery {
    fn of(material: [f32; 4]) -> Scenery {
        let grid = GridSpec {
            epsg: 32631,
            ulx: 500_000.0 - 50.0 * SIDE as f64,
            uly: 5_500_000.0,
            pixel: 100.0,
            width: SIDE,
            height: SIDE,
        };
        let all = |v: f32| Array2::from_elem((SIDE, SIDE), v);
        // fields differ a little, so that nothing is exactly flat
        let texture = Array2::from_shape_fn((SIDE, SIDE), |(r, c)| {
            1.0 + 0.06 * (((r / 4) * 7 + (c / 5) * 13) % 5) as f32 / 4.0
        });
        let bands = BandStack {
            grid,
            bands: material.map(|v| texture.mapv(|t| v * t)),
        };
        Scenery {
            obs: Observation {
                grid,
                camera: Camera::Center,
                source: "made in code".into(),
                time: chrono::Utc.with_ymd_and_hms(2018, 5, 5, 10, 45, 0).unwrap(),
                toa: bands.clone(),
                quality: BandStack::filled(grid, 0),
                angles: Angles {
                    sza: all(45.0),
                    saa: all(135.0),
                    vnir_vza: all(0.5),
                    vnir_vaa: all(100.0),
                    swir_vza: all(5.0),
                    swir_vaa: all(180.0),
                },
                seconds: all(0.0),
                height: all(50.0),
                occluded: Array2::from_elem((SIDE, SIDE), false),
            },
            normalised: Normalised {
                q: bands,
                aod550: all(0.1),
            },
            land: Array2::from_elem((SIDE, SIDE), 1),
        }
    }

    fn paint(
        &mut self,
        rows: std::ops::Range<usize>,
        cols: std::ops::Range<usize>,
        bands: &[usize],
        v: [f32; 4],
    ) {
        for r in rows {
            for c in cols.clone() {
                for b in bands {
                    self.normalised.q.bands[*b][(r, c)] = v[*b];
                    self.obs.toa.bands[*b][(r, c)] = v[*b];
                }
            }
        }
    }

    fn input(&self) -> Input<'_> {
        Input {
            obs: &self.obs,
            normalised: &self.normalised,
            surface: None,
            land: &self.land,
            background: None,
            halo: None,
            aux_missing: false,
        }
    }

    fn masks(&self) -> Masks {
        single_date(&self.input(), &MaskParams::default())
    }
}

const ALL: [usize; 4] = [0, 1, 2, 3];

fn class(m: &Masks, r: usize, c: usize) -> u16 {
    m.sm[(r, c)] & sm::CLASS
}

#[test]
fn clear_land_of_every_kind_stays_clear() {
    let sand = [0.15, 0.34, 0.44, 0.56];
    for material in [
        FIELD,
        [0.11, 0.19, 0.265, 0.36],
        [0.03, 0.04, 0.46, 0.20],
        [0.018, 0.028, 0.24, 0.105],
        [0.115, 0.14, 0.20, 0.225],
        sand,
        [0.215, 0.45, 0.56, 0.67],
        // the haze of AOD 0.5 against a CAMS value 40 % too low: 0.10 per unit in BLUE, 0.06, 0.035, 0.01
        [0.17, 0.352, 0.447, 0.562],
    ] {
        let m = Scenery::of(material).masks();
        assert!(
            m.usable.iter().all(|u| *u == usable::USABLE),
            "{material:?}"
        );
    }
}

#[test]
fn cloud_casts_its_shadow_away_from_the_sun() {
    let mut s = Scenery::of(FIELD);
    s.paint(60..72, 60..74, &ALL, CLOUD);
    // 2 km above ground, Sun at 45° in the south-east: 14 pixels to the north and to the west
    let dark = FIELD.map(|v| 0.4 * v);
    s.paint(46..58, 46..60, &ALL, dark);
    // as dark, but on the sunny side: a lake shore or wet soil, not this cloud's shadow
    s.paint(76..88, 76..90, &ALL, dark);
    let m = s.masks();
    assert_eq!(class(&m, 66, 66), sm::CLOUD);
    assert_eq!(class(&m, 50, 52), sm::SHADOW);
    assert!(m.qx[(50, 52)] & qx::SHADOW_OBJECT != 0);
    assert_eq!(class(&m, 82, 82), sm::CLEAR);
    assert_eq!(m.usable[(66, 66)], usable::CLOUD);
    assert_eq!(m.usable[(50, 52)], usable::SHADOW);
    // two pixels of buffer, undone by its own bit
    assert_eq!(m.usable[(66, 75)], usable::BUFFER);
    assert!(m.qx[(66, 75)] & qx::CLOUD_BUFFER != 0 && class(&m, 66, 75) == sm::CLEAR);
    assert_eq!(m.usable[(66, 80)], usable::USABLE);
}

#[test]
fn swir_that_looks_past_a_cloud_is_marked() {
    let mut s = Scenery::of(FIELD);
    s.paint(60..72, 60..74, &ALL, CLOUD);
    s.paint(46..58, 46..60, &ALL, FIELD.map(|v| 0.4 * v));
    let m = s.masks();
    // SWIR looks from the south: the cloud at 2 km appears 1.7 pixels further north
    assert!(m.qx[(58, 66)] & qx::SWIR_PARALLAX != 0);
    assert!(m.qx[(74, 66)] & qx::SWIR_PARALLAX == 0);
}

#[test]
fn rim_of_a_cloud_is_not_snow() {
    let mut s = Scenery::of([0.03, 0.04, 0.30, 0.16]);
    // VNIR sees the cloud in rows 60–75, SWIR four rows further north: its southern rim shows ground
    s.paint(60..76, 50..70, &[0, 1, 2], [0.59, 0.58, 0.66, 0.0]);
    s.paint(56..72, 50..70, &[3], [0.0, 0.0, 0.0, 0.45]);
    let m = s.masks();
    for r in [62, 70, 73, 75] {
        assert_eq!(class(&m, r, 60), sm::CLOUD, "row {r}");
    }
    assert!(m.qx.iter().all(|q| q & qx::SNOW == 0));
}

#[test]
fn lowland_snow_is_snow_and_cloud_over_it_is_cloud() {
    let mut s = Scenery::of([0.84, 0.83, 0.74, 0.10]);
    s.paint(0..40, 0..SIDE, &ALL, FIELD);
    // half snow at the edge
    let half = [0, 1, 2, 3].map(|b: usize| 0.5 * FIELD[b] + 0.5 * [0.88, 0.87, 0.78, 0.11][b]);
    s.paint(40..42, 0..SIDE, &ALL, half);
    s.paint(80..100, 40..80, &ALL, [0.86, 0.85, 0.86, 0.50]);
    let m = s.masks();
    assert_eq!(class(&m, 60, 20), sm::SNOW);
    assert_eq!(m.usable[(60, 20)], usable::SNOW);
    assert_eq!(class(&m, 41, 20), sm::SNOW);
    assert_eq!(class(&m, 90, 60), sm::CLOUD);
    assert_eq!(class(&m, 20, 20), sm::CLEAR);
}

#[test]
fn sea_is_water_and_cloud_over_it_is_found() {
    let mut s = Scenery::of([0.038, 0.017, 0.010, 0.004]);
    s.land.fill(0);
    s.paint(30..60, 30..60, &ALL, [0.14, 0.12, 0.12, 0.09]);
    let m = s.masks();
    assert_eq!(class(&m, 45, 45), sm::CLOUD);
    assert_eq!(class(&m, 90, 90), sm::CLEAR);
    assert!(m.qx[(90, 90)] & qx::WATER != 0 && m.sm[(90, 90)] & sm::LAND == 0);
}

#[test]
fn missing_swir_still_gives_a_decision() {
    let mut s = Scenery::of(FIELD);
    s.paint(60..72, 60..74, &ALL, CLOUD);
    let nan = [f32::NAN; 4];
    s.paint(0..SIDE, 0..SIDE, &[3], nan);
    s.obs.angles.swir_vza.fill(f32::NAN);
    s.obs.angles.swir_vaa.fill(f32::NAN);
    let m = s.masks();
    assert_eq!(class(&m, 66, 66), sm::CLOUD);
    assert_eq!(class(&m, 20, 20), sm::CLEAR);
    assert_eq!(m.usable[(20, 20)], usable::VNIR_ONLY);
    assert!(m.sat[(20, 20)] & sat::NO_SNOW != 0 && m.sm[(20, 20)] & sm::COVERED[3] == 0);
}

#[test]
fn nothing_known_is_undefined_and_never_panics() {
    let mut s = Scenery::of([f32::NAN; 4]);
    for a in [
        &mut s.obs.angles.sza,
        &mut s.obs.angles.saa,
        &mut s.obs.angles.vnir_vza,
        &mut s.obs.angles.vnir_vaa,
    ] {
        a.fill(f32::NAN);
    }
    s.obs.height.fill(f32::NAN);
    let m = s.masks();
    assert!(m.usable.iter().all(|u| *u == usable::NODATA));
    assert!(m.sm.iter().all(|v| v & sm::CLASS == sm::UNDEFINED));
    assert!(m.sat.iter().all(|v| v & sat::NO_SINGLE_DATE != 0));
    let field = cloud_halo(&s.input(), &MaskParams::default());
    assert!(field.cloud.iter().all(|c| *c == 0) && field.valid.iter().all(|v| !v));
    // reflectance without angles: cloud is decided, shadow is not
    let mut s = Scenery::of(FIELD);
    s.paint(60..72, 60..74, &ALL, CLOUD);
    s.obs.angles.saa.fill(f32::NAN);
    let m = s.masks();
    assert_eq!(class(&m, 66, 66), sm::CLOUD);
    assert!(m.sat[(20, 20)] & sat::NO_SHADOW != 0);
}

#[test]
fn low_sun_is_flagged_and_the_lowest_undefined() {
    let mut s = Scenery::of(FIELD);
    s.obs.angles.sza.fill(72.0);
    let m = s.masks();
    assert!(m.sm[(5, 5)] & sm::LOW_SUN != 0 && class(&m, 5, 5) == sm::CLEAR);
    assert_eq!(m.usable[(5, 5)], usable::LOW_SUN);
    s.obs.angles.sza.fill(83.0);
    assert_eq!(class(&s.masks(), 5, 5), sm::UNDEFINED);
}

#[test]
fn terrain_hides_the_sun_on_the_far_side_of_a_ridge() {
    let mut s = Scenery::of(FIELD);
    // a ridge of 1000 m along row + column = const, across the sunbeam from the south-east
    s.obs.height = Array2::from_shape_fn((SIDE, SIDE), |(r, c)| {
        if (r + c).abs_diff(120) < 3 {
            1050.0
        } else {
            50.0
        }
    });
    let m = s.masks();
    // 1000 m of shadow at 45°: 10 pixels along the beam to the north-west, 7 rows and 7 columns
    assert!(m.qx[(56, 56)] & qx::TERRAIN_SHADOW != 0);
    assert!(m.qx[(40, 40)] & qx::TERRAIN_SHADOW == 0);
    assert!(m.qx[(66, 66)] & qx::TERRAIN_SHADOW == 0);
    assert_eq!(m.usable[(56, 56)], usable::LOW_SUN);
}

/// Rock as white as the fringe of a cloud, and no whiter beside a cloud than elsewhere; thin cloud on it is whiter.
#[test]
fn ground_that_is_white_everywhere_is_no_fringe_of_a_cloud() {
    const ROCK: [f32; 4] = [0.122, 0.160, 0.205, 0.250];
    const THIN: [f32; 4] = [0.190, 0.215, 0.260, 0.280];
    let mut s = Scenery::of(FIELD);
    s.paint(0..SIDE, 60..SIDE, &ALL, ROCK);
    s.paint(40..60, 70..90, &ALL, CLOUD);
    s.paint(40..60, 90..93, &ALL, THIN);
    let m = s.masks();
    let confidence = |r, c| m.qx[(r, c)] & qx::CONFIDENCE;
    assert!(confidence(50, 80) > 0 && confidence(50, 91) > 0);
    // 300 m from the cloud's northern edge and 400 m from its western one
    assert_eq!((confidence(37, 80), confidence(50, 66)), (0, 0));
    assert_eq!(class(&m, 37, 80), sm::CLEAR);
}

#[test]
fn a_cloud_beyond_the_edge_shades_the_tile_through_the_halo() {
    let mut s = Scenery::of(FIELD);
    // its shadow reaches the south-east corner of the tile
    s.paint(100..112, 100..112, &ALL, FIELD.map(|v| 0.4 * v));
    let grid = GridSpec {
        pixel: 300.0,
        width: SIDE / 3,
        height: SIDE / 3,
        ..s.obs.grid
    }
    .padded(10);
    let mut field = CloudHalo {
        grid,
        cloud: Array2::zeros((grid.height, grid.width)),
        snow: Array2::from_elem((grid.height, grid.width), false),
        valid: Array2::from_elem((grid.height, grid.width), true),
    };
    let before = single_date(
        &Input {
            halo: Some(&field),
            ..s.input()
        },
        &MaskParams::default(),
    );
    assert_eq!(before.usable[(106, 106)], usable::USABLE);
    // 3 km high: 21 pixels towards the Sun, pixels 121–133, cells 40–44 of the tile, 50–54 of the field
    field.cloud.slice_mut(ndarray::s![50..54, 50..54]).fill(3);
    let after = single_date(
        &Input {
            halo: Some(&field),
            ..s.input()
        },
        &MaskParams::default(),
    );
    assert_eq!(after.usable[(106, 106)], usable::SHADOW);
    assert!(after.sat[(0, 0)] & sat::NO_SHADOW == 0);
}

#[test]
fn halo_covers_the_reach_of_twelve_kilometres_towards_the_sun() {
    let s = Scenery::of(FIELD);
    let diagonal = |m: crate::types::grid::Margin| (m.south as f64).hypot(m.east as f64);
    // the Sun in the south-east: 12 km × tan 45° ≈ 12 km, 40 cells of 300 m
    let halo = halo_margin(&s.obs);
    assert!((39.0..=43.0).contains(&diagonal(halo)), "{halo:?}");
    assert_eq!((halo.north, halo.west), (4, 4));
    let mut low = Scenery::of(FIELD);
    low.obs.angles.sza.fill(74.0);
    // capped at 20 km
    let capped = halo_margin(&low.obs);
    assert!((66.0..=69.0).contains(&diagonal(capped)), "{capped:?}");
}

#[test]
fn saturation_is_reported_per_band() {
    let mut s = Scenery::of(FIELD);
    s.paint(60..72, 60..74, &ALL, [1.1, 1.1, 1.1, 0.6]);
    for r in 60..72 {
        for c in 60..74 {
            s.obs.quality.bands[1][(r, c)] = crate::types::observation::quality::SATURATED;
        }
    }
    let m = s.masks();
    assert!(m.sat[(66, 66)] & sat::SATURATED[1] != 0 && m.sat[(66, 66)] & sat::SATURATED[0] == 0);
    assert!(m.sm[(66, 66)] & sm::SATURATED != 0 && m.sm[(66, 66)] & sm::GOOD[1] == 0);
    assert_eq!(class(&m, 66, 66), sm::CLOUD);
    assert_eq!(m.usable[(66, 66)], usable::BAD);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let mut s = Scenery::of(FIELD);
    s.paint(60..72, 60..74, &ALL, CLOUD);
    s.paint(46..58, 46..60, &ALL, FIELD.map(|v| 0.4 * v));
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let four = rayon::ThreadPoolBuilder::new()
        .num_threads(4)
        .build()
        .unwrap();
    assert_eq!(one.install(|| s.masks()), four.install(|| s.masks()));
}
