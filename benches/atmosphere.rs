//! Cost of the atmosphere on a full tile, one thread: `cargo bench --bench atmosphere`.

use chrono::TimeZone;
use ndarray::Array2;
use probav_ard::sources::tables::{self, Aerosol, RtTable};
use probav_ard::stages::atmosphere::{Budget, coefficients, correct, node_grid, normalise};
use probav_ard::types::band::Camera;
use probav_ard::types::grid::GridSpec;
use probav_ard::types::observation::{Angles, Observation};
use probav_ard::types::radiative_transfer::{AtmosphereState, Origin, RtField};
use probav_ard::types::raster::BandStack;

fn main() {
    divan::main();
}

struct Tile {
    obs: Observation,
    state: AtmosphereState,
    table: &'static RtTable,
}

fn tile(relief: f32) -> Tile {
    let size = 1098;
    let grid = GridSpec {
        epsg: 32631,
        ulx: 600_000.0,
        uly: 5_700_000.0,
        pixel: 100.0,
        width: size,
        height: size,
    };
    let field = |f: &dyn Fn(f32, f32) -> f32| {
        Array2::from_shape_fn((size, size), |(r, c)| f(r as f32, c as f32))
    };
    let mut toa = BandStack::filled(grid, 0.0);
    for (k, band) in toa.bands.iter_mut().enumerate() {
        *band = field(&|r, c| 0.1 + 0.05 * k as f32 + 0.02 * (r * 0.3).sin() * (c * 0.2).cos());
    }
    let (vza, vaa) = (
        field(&|_, c| (c * 0.007 - 2.0).abs() + 1.0),
        field(&|_, c| 100.0 + 0.01 * c),
    );
    let obs = Observation {
        grid,
        camera: Camera::Center,
        source: "bench".into(),
        time: chrono::Utc
            .with_ymd_and_hms(2018, 5, 3, 10, 45, 12)
            .single()
            .unwrap_or_default(),
        toa,
        quality: BandStack::filled(grid, 0),
        angles: Angles {
            sza: field(&|r, _| 40.0 + r * 0.0008),
            saa: field(&|_, c| 150.0 + c * 0.001),
            vnir_vza: vza.clone(),
            vnir_vaa: vaa.clone(),
            swir_vza: vza,
            swir_vaa: vaa,
        },
        seconds: Array2::zeros((size, size)),
        height: field(&|r, c| relief * (0.5 + 0.5 * (r * 0.01).sin() * (c * 0.013).cos())),
        occluded: Array2::from_elem((size, size), false),
    };
    let nodes = node_grid(&grid);
    let flat = |v: f32| Array2::from_elem(nodes.shape(), v);
    let state = AtmosphereState {
        nodes,
        aod550: flat(0.2),
        ozone: flat(0.33),
        tcwv: flat(2.0),
        model_height: None,
        shares: None,
        origins: [Origin::Given; 3],
        provenance: vec![],
        fallback: false,
    };
    let Ok(table) = tables::load(Camera::Center, Aerosol::Continental) else {
        panic!("the embedded table cannot be read");
    };
    Tile { obs, state, table }
}

fn field(t: &Tile) -> RtField {
    match coefficients(t.table, &t.obs, &t.state) {
        Ok(rt) => rt,
        Err(e) => panic!("{e}"),
    }
}

#[divan::bench(args = [200.0, 3000.0])]
fn nodes(bencher: divan::Bencher, relief: f32) {
    let t = tile(relief);
    bencher.bench_local(|| field(&t));
}

#[divan::bench(args = [200.0, 3000.0])]
fn inverse_with_sigma(bencher: divan::Bencher, relief: f32) {
    let t = tile(relief);
    let rt = field(&t);
    bencher.bench_local(|| correct(&t.obs, &rt, &Budget::default()));
}

#[divan::bench(args = [200.0, 3000.0])]
fn normalised(bencher: divan::Bencher, relief: f32) {
    let t = tile(relief);
    let rt = field(&t);
    bencher.bench_local(|| normalise(&t.obs, &rt));
}

#[divan::bench]
fn unpack_tables(bencher: divan::Bencher) {
    let scattering = include_bytes!("../ancillary/rt/scattering-continental-cam2.pvrt");
    let gas = include_bytes!("../ancillary/rt/gas-cam2.pvrt");
    bencher.bench_local(|| {
        RtTable::from_bytes(Camera::Center, ("scattering", scattering), ("gas", gas))
    });
}
