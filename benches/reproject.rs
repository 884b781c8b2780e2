//! Cost of orthorectification of a full tile, four bands with angles, inflated data in memory:
//! `RAYON_NUM_THREADS=1 cargo bench --bench reproject`.

use ndarray::{Array2, s};
use probav_ard::sources::l1c::{StripInMemory, Swath, SwathInMemory};
use probav_ard::stages::reproject::{Kernel, Request, observe};
use probav_ard::types::band::{Camera, Strip};
use probav_ard::types::grid::GridSpec;
use probav_ard::types::observation::{Observation, quality};
use probav_ard::types::raster::Raster;
use std::sync::LazyLock;

// what the swath of the tests imports
use probav_ard::{sources, types};

#[allow(dead_code)]
#[path = "../src/stages/reproject/tests/synthetic.rs"]
mod synthetic;

#[path = "shared/handover.rs"]
mod handover;

use handover::Inflated;
use synthetic::{Synthetic, mountains};

fn main() {
    divan::main();
}

/// Tie points and samples of a full-width segment, in memory.
fn inflated(swath: Synthetic) -> Inflated {
    let strips = Strip::ALL.map(|s| {
        let shape = swath.shape(s);
        // a few bad detectors, as every camera has
        let mut flags = Array2::zeros(shape);
        for bad in [377, 378, 800, 2212, 4100]
            .into_iter()
            .filter(|b| *b < shape.1)
        {
            flags.slice_mut(s![.., bad]).fill(quality::MISSING);
        }
        Some(StripInMemory {
            ties: swath.ties(s).unwrap_or_else(|e| panic!("{e}")),
            toa: Array2::from_shape_fn(shape, |(i, j)| {
                0.2 + 0.1 * (i as f32 * 0.31).sin() * (j as f32 * 0.17).cos()
            }),
            quality: flags,
        })
    });
    Inflated::new(SwathInMemory {
        name: swath.name().to_string(),
        camera: swath.camera(),
        start: swath.start(),
        clock: swath.clock(Strip::Red),
        strips,
    })
}

/// Tile 33TWN at a resolution.
fn tile(pixel: f64) -> GridSpec {
    let size = (109_800.0 / pixel) as usize;
    GridSpec {
        epsg: 32633,
        ulx: 499_980.0,
        uly: 5_300_040.0,
        pixel,
        width: size,
        height: size,
    }
}

static CENTRE: LazyLock<Inflated> = LazyLock::new(|| {
    let mut swath = Synthetic::over(tile(100.0), 150_000.0);
    swath.lines = 1536;
    inflated(swath.centred(0.0))
});

static SIDE: LazyLock<Inflated> = LazyLock::new(|| {
    let mut swath = Synthetic::over(tile(300.0), 900_000.0);
    swath.camera = Camera::Left;
    swath.roll = -33.6f64.to_radians();
    swath.lines = 1680;
    inflated(swath.centred(0.0))
});

fn heights(grid: GridSpec, relief: bool) -> Raster<f32> {
    let mut raster = Raster::filled(grid, 0.0);
    for ((r, c), h) in raster.data.indexed_iter_mut() {
        let (x, y) = ((c as f64 + 0.5) * grid.pixel, (r as f64 + 0.5) * grid.pixel);
        // level land still rolls by a few metres
        *h = if relief {
            mountains(x, y)
        } else {
            mountains(x, y) * 0.02
        } as f32;
    }
    raster
}

fn observation(swath: &Inflated, grid: GridSpec, heights: &Raster<f32>) -> Option<Observation> {
    let request = Request {
        grid,
        heights,
        kernel: Kernel::Cubic6,
    };
    observe(swath, &request).unwrap_or_else(|e| panic!("{e}"))
}

#[divan::bench(args = [false, true], sample_count = 20)]
fn centre_100_m(bencher: divan::Bencher, relief: bool) {
    let grid = tile(100.0);
    let heights = heights(grid, relief);
    let swath = &*CENTRE;
    bencher
        .with_inputs(|| swath.prepare())
        .bench_local_values(|()| observation(swath, grid, &heights));
}

#[divan::bench(args = [false, true], sample_count = 20)]
fn side_300_m(bencher: divan::Bencher, relief: bool) {
    let grid = tile(300.0);
    let heights = heights(grid.subdivided(3), relief);
    let swath = &*SIDE;
    bencher
        .with_inputs(|| swath.prepare())
        .bench_local_values(|()| observation(swath, grid, &heights));
}
