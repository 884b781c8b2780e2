//! Displacements put into the tie points of a real-format segment.

use super::*;
use crate::pipeline::config::geometry_options::{self, GeometryOptions};
use crate::scene::{Ancillary, TileContext};
use crate::sources::dem::VerticalDatum;
use crate::sources::l1c::{L1cError, LineClock, Profile, Segment, StripWindow, Swath, TiePoints};
use crate::stages::reproject::{Kernel, Request, observe, observe_refined};
use crate::types::band::{Band, Camera, Strip};
use crate::types::geometry::{EastNorth, LonLat};
use crate::types::grid::tiles;
use crate::types::grid::utm::Utm;
use std::ops::Range;

/// Clear over the whole area, centre camera.
const SEGMENT: &str = "l1c/PROBAV_L1C_20180706_103143_2_V101.HDF5";
const TRUTH: &str = "truth/PROBAV_L1C_20180706_103143_2_V101.tif";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/archive")
        .join(name)
}

/// A segment whose tie points claim the place of the ground plus a displacement.
struct Displaced {
    inner: Segment,
    /// Metres east and north of all strips, and of SWIR beyond that.
    all: [f64; 2],
    swir: [f64; 2],
}

impl Swath for Displaced {
    fn name(&self) -> &str {
        self.inner.name()
    }
    fn camera(&self) -> Camera {
        self.inner.camera()
    }
    fn start(&self) -> DateTime<Utc> {
        self.inner.start()
    }
    fn shape(&self, strip: Strip) -> (usize, usize) {
        self.inner.shape(strip)
    }
    fn clock(&self, strip: Strip) -> LineClock {
        self.inner.clock(strip)
    }
    fn ties(&self, strip: Strip) -> Result<Arc<TiePoints>, L1cError> {
        let mut ties = (*self.inner.ties(strip)?).clone();
        let utm = Utm::new(32631);
        let more = match strip.band() {
            Band::Swir => self.swir,
            _ => [0.0; 2],
        };
        for level in &mut ties.levels {
            ndarray::Zip::from(&mut level.lon)
                .and(&mut level.lat)
                .for_each(|lon, lat| {
                    let EastNorth { east: e, north: n } = utm.forward(LonLat::new(*lon, *lat));
                    (*lon, *lat) = utm
                        .inverse(EastNorth::new(
                            e + self.all[0] + more[0],
                            n + self.all[1] + more[1],
                        ))
                        .xy();
                });
        }
        Ok(Arc::new(ties))
    }
    fn window(
        &self,
        strip: Strip,
        lines: Range<usize>,
        pixels: Range<usize>,
    ) -> Result<StripWindow, L1cError> {
        self.inner.window(strip, lines, pixels)
    }
}

fn checked(all: [f64; 2], swir: [f64; 2], refine: bool) -> Report {
    let inner = Segment::open(&fixture(SEGMENT), &Profile::default()).unwrap();
    let swath = Displaced { inner, all, swir };
    let ancillary = Ancillary {
        dem: vec![fixture("dem/dem.tif")],
        dem_vertical: VerticalDatum::Ellipsoid,
        ..Ancillary::default()
    };
    let tile = tiles::lookup("31UFR".parse().unwrap()).unwrap();
    let grid = tile.grid(Resolution::M100);
    let heights = TileContext::open(tile, &ancillary)
        .unwrap()
        .heights(&grid)
        .unwrap();
    let request = Request {
        grid,
        heights: &heights,
        kernel: Kernel::default(),
    };
    let ground = ReferenceFeatures::of_file(&fixture(TRUTH), &grid).unwrap();
    let first = observe(&swath, &request).unwrap().unwrap();
    let (_, report) = examine(
        first,
        refine,
        Some(&ground),
        |o| o,
        |o| check(&o.toa, None, Some(&ground)),
        |_, r| Ok(observe_refined(&swath, &request, Some(r)).unwrap()),
    )
    .unwrap();
    report
}

#[test]
fn displaced_tie_points_are_seen_and_put_right() {
    let report = checked([-36.0, 48.0], [0.0; 2], false);
    let (_, m) = report.last().leading().unwrap();
    assert!((m.bias[0] + 36.0).hypot(m.bias[1] - 48.0) < 4.0, "{m:?}");
    assert!(!report.is_refined());
    for (all, swir) in [
        ([-36.0, 48.0], [0.0, 0.0]),
        ([90.0, 120.0], [0.0, 0.0]),
        ([30.0, 0.0], [-40.0, 30.0]),
    ] {
        let report = checked(all, swir, true);
        assert!(report.is_refined(), "{all:?}\n{report}");
        for band in [Band::Red, Band::Nir, Band::Swir] {
            let m = report.last().absolute[band.index()]
                .as_ref()
                .unwrap()
                .as_ref()
                .unwrap();
            let left = m.bias[0].hypot(m.bias[1]);
            let least = if band == Band::Swir { 8.0 } else { 4.0 };
            assert!(left < least, "{all:?} {swir:?} {band}: {left}\n{report}");
        }
        let json = report.json();
        assert_eq!(json["verdict"], "accepted");
        assert_eq!(json["refinement"]["applied"], true);
    }
}

#[test]
fn what_is_in_place_stays_as_it_is() {
    let report = checked([0.0; 2], [0.0; 2], true);
    assert!(!report.is_refined(), "{report}");
    assert!(report.notes().is_empty(), "{report}");
    assert!(report.accuracy().unwrap().rmse < 20.0);
}

#[test]
fn the_background_of_a_tile_serves_at_its_own_season() {
    let dir = tempfile::tempdir().unwrap();
    let id: TileId = "31UFR".parse().unwrap();
    let grid = tiles::lookup(id).unwrap().grid(Resolution::M300);
    let config = Config {
        out: Some(dir.path().to_path_buf()),
        geometry: GeometryOptions {
            reference: Some(geometry_options::BACKGROUND.to_string()),
            refine: false,
        },
        ..Config::default()
    };
    let time: DateTime<Utc> = "2018-07-06T10:31:00Z".parse().unwrap();
    let get = || {
        let found = ReferenceCache::default()
            .get(&config, id, &grid, time)
            .unwrap();
        found.unwrap()
    };
    let texture = |d: f64| {
        Array2::from_shape_fn((grid.height, grid.width), |(r, c)| {
            let (x, y) = (c as f64 - d, r as f64);
            let wave = |a: f64, b: f64, k: f64| (a * x + b * y + k).sin();
            (0.2 + 0.03 * wave(0.9, 0.4, 0.0) * wave(0.07, 0.05, 1.0)
                + 0.03 * wave(-0.5, 0.8, 2.0)
                + 0.02 * wave(0.31, 0.27, 4.0)) as f32
        })
    };
    let mut toa = BandStack::filled(grid, f32::NAN);
    toa.bands[1] = texture(0.5);
    assert_eq!(get().source(), &Source::NoBackground);
    assert!(check(&toa, None, Some(&get())).leading().is_none());
    let mut background = crate::types::background::Background::empty(grid);
    for band in &mut background.coefficients {
        band.fill(0.0);
    }
    background.coefficients[1]
        .slice_mut(ndarray::s![0, .., ..])
        .assign(&texture(0.0));
    product::write_background(dir.path(), id, Resolution::M300, &background).unwrap();
    let found = check(&toa, None, Some(&get()));
    let (_, m) = found.leading().unwrap();
    assert!((m.bias[0] - 150.0).hypot(m.bias[1]) < 6.0, "{m:?}");
}
