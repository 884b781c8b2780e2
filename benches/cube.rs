//! Cost of cubes from a stack of seven years: one point's four-band series, and 20 km × 20 km × a year × four bands.
//!
//! The stack is noise with a season in its middle and empty around it; it is written once, some hundred megabytes in the folder
//! for temporary files.

use divan::counter::ItemsCount;
use ndarray::{Array3, ArrayView3};
use probav_ard::cube::{Area, Crs, Format, GridChoice, Limits, Request, Resample, Source, plan};
use probav_ard::product::stack::{StackRows, StackWriter};
use probav_ard::types::grid::{Resolution, Tile, tiles};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

fn main() {
    divan::main();
}

/// Steps of the stack: seven years, or as many as `CUBE_BENCH_YEARS` says.
fn steps() -> i32 {
    let years = std::env::var("CUBE_BENCH_YEARS").ok();
    73 * years.and_then(|y| y.parse().ok()).unwrap_or(7)
}

/// Rows and columns with values.
const INSIDE: std::ops::Range<usize> = 420..680;

fn hash(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn tile() -> Option<Tile> {
    tiles::lookup("31UFS".parse().ok()?)
}

/// The stack, made once.
fn root() -> &'static Path {
    static ROOT: OnceLock<Option<tempfile::TempDir>> = OnceLock::new();
    let made = ROOT.get_or_init(|| {
        let folder = tempfile::tempdir().ok()?;
        write(folder.path())?;
        Some(folder)
    });
    made.as_ref()
        .map_or(Path::new("."), tempfile::TempDir::path)
}

fn write(root: &Path) -> Option<()> {
    let tile = tile()?;
    let mut writer = StackWriter::create(root, &tile, 0..steps()).ok()?;
    let rows = 61;
    for first in (0..1098).step_by(rows) {
        let shape = (steps() as usize, rows, 1098);
        let inside = |r: usize, c: usize| INSIDE.contains(&(first + r)) && INSIDE.contains(&c);
        let rho = Array3::from_shape_fn(shape, |(t, r, c)| match inside(r, c) {
            false => i16::MIN,
            true => {
                let season = (t as f64 / 11.6).sin() * 800.0;
                let noise = hash((t * 1098 * 1098 + (first + r) * 1098 + c) as u64) % 60;
                (2000.0 + season + 3.0 * (r + c) as f64 + noise as f64) as i16
            }
        });
        let unc = rho.mapv(|v| {
            if v == i16::MIN {
                u16::MAX
            } else {
                v as u16 / 20
            }
        });
        let one = Array3::from_elem(shape, 1);
        let block = StackRows {
            rho: [rho.view(); 4],
            unc: [unc.view(); 4],
            provenance: one.view(),
            days: one.view(),
            n100: one.view(),
            n300: ArrayView3::from(&one),
        };
        writer.write_rows(first, 0..steps(), &block).ok()?;
    }
    writer.finish(serde_json::Value::Null).ok().map(drop)
}

fn request(area: Area, from: i32, to: i32) -> Request {
    Request {
        area,
        source: Source::Stack,
        from: chrono::NaiveDate::from_ymd_opt(from, 1, 1),
        to: chrono::NaiveDate::from_ymd_opt(to, 12, 31),
        variables: Vec::new(),
        mask: None,
        grid: GridChoice::default(),
        resample: Resample::Nearest,
    }
}

static GO: AtomicBool = AtomicBool::new(false);
const LIMITS: Limits<'static> = Limits {
    max_cells: u64::MAX,
    stop: &GO,
};

/// Easting and northing of the centre of the tile.
fn centre() -> (f64, f64) {
    tile().map_or((0.0, 0.0), |t| {
        t.grid(Resolution::M100).centre(550, 550).xy()
    })
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn a_point_of_seven_years(bencher: divan::Bencher<'_, '_>) {
    let root = root();
    let at = Crs::from_epsg(32631).and_then(|c| c.to_lon_lat(&[centre()]));
    let request = request(Area::Points(at.unwrap_or_default()), 2014, 2020);
    bencher
        .counter(ItemsCount::new(4 * steps() as usize))
        .bench(|| plan(root, &request).and_then(|p| p.gather(&LIMITS)));
}

#[divan::bench(args = ["nc", "zarr", "tif"], sample_count = 3, sample_size = 1)]
fn twenty_km_of_a_year(bencher: divan::Bencher<'_, '_>, ending: &str) {
    let root = root();
    let (e, n) = centre();
    let Ok(crs) = Crs::from_epsg(32631) else {
        return;
    };
    let bbox = [e - 10_000.0, n - 10_000.0, e + 10_000.0, n + 10_000.0];
    let request = request(Area::Bbox(bbox, crs), 2014, 2014);
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    let target = folder.path().join(format!("cube.{ending}"));
    let Ok(format) = Format::of(&target) else {
        return;
    };
    bencher
        .counter(ItemsCount::new(4usize * 73 * 200 * 200))
        .bench(|| plan(root, &request).and_then(|p| p.write(&target, format, &LIMITS)));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn twenty_km_of_a_year_bilinear_in_another_system(bencher: divan::Bencher<'_, '_>) {
    let root = root();
    let (e, n) = centre();
    let Ok(crs) = Crs::from_epsg(32631) else {
        return;
    };
    let bbox = [e - 10_000.0, n - 10_000.0, e + 10_000.0, n + 10_000.0];
    let mut request = request(Area::Bbox(bbox, crs), 2014, 2014);
    request.grid.crs = Crs::from_epsg(3035).ok();
    request.resample = Resample::Bilinear;
    bencher
        .counter(ItemsCount::new(4usize * 73 * 200 * 200))
        .bench(|| plan(root, &request).and_then(|p| p.gather(&LIMITS)));
}
