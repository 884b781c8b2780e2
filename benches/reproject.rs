//! Cost of orthorectification of a full tile, four bands with angles, inflated data in memory:
//! `RAYON_NUM_THREADS=1 cargo bench --bench reproject`.

use chrono::{DateTime, Utc};
use ndarray::{Array2, s};
use probav_ard::sources::l1c::{L1cError, LineClock, StripWindow, Swath, TiePoints};
use probav_ard::stages::reproject::{Kernel, Request, observe};
use probav_ard::types::band::{Camera, Strip};
use probav_ard::types::grid::GridSpec;
use probav_ard::types::observation::{Observation, quality};
use probav_ard::types::raster::Raster;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

// what the swath of the tests imports
use probav_ard::{sources, types};

#[allow(dead_code)]
#[path = "../src/stages/reproject/tests/synthetic.rs"]
mod synthetic;

#[path = "shared/handover.rs"]
mod handover;

use handover::{Handover, Rectangle};
use synthetic::{Synthetic, mountains};

fn main() {
    divan::main();
}

/// Tie points and samples of a full-width segment, in memory.
struct Inflated {
    swath: Synthetic,
    ties: Vec<Arc<TiePoints>>,
    toa: Vec<Array2<f32>>,
    quality: Vec<Array2<u8>>,
    handover: Handover,
}

impl Inflated {
    fn new(swath: Synthetic) -> Inflated {
        let all = Strip::ALL;
        let ties = all.map(|s| swath.ties(s).unwrap_or_else(|e| panic!("{e}")));
        let toa = all.map(|s| {
            Array2::from_shape_fn(swath.shape(s), |(i, j)| {
                0.2 + 0.1 * (i as f32 * 0.31).sin() * (j as f32 * 0.17).cos()
            })
        });
        // a few bad detectors, as every camera has
        let quality = all.map(|s| {
            let mut q = Array2::zeros(swath.shape(s));
            for bad in [377, 378, 800, 2212, 4100] {
                if bad < q.dim().1 {
                    q.slice_mut(s![.., bad]).fill(quality::MISSING);
                }
            }
            q
        });
        Inflated {
            swath,
            ties: ties.to_vec(),
            toa: toa.to_vec(),
            quality: quality.to_vec(),
            handover: Handover::default(),
        }
    }

    fn prepare(&self) {
        self.handover.prepare(|strip, asked| self.cut(strip, asked));
    }

    fn cut(&self, strip: Strip, (lines, pixels): &Rectangle) -> StripWindow {
        StripWindow {
            line0: lines.start,
            pixel0: pixels.start,
            toa: part(&self.toa[strip.index()], lines, pixels),
            quality: part(&self.quality[strip.index()], lines, pixels),
        }
    }
}

impl Swath for Inflated {
    fn name(&self) -> &str {
        self.swath.name()
    }

    fn camera(&self) -> Camera {
        self.swath.camera()
    }

    fn start(&self) -> DateTime<Utc> {
        self.swath.start()
    }

    fn shape(&self, strip: Strip) -> (usize, usize) {
        self.swath.shape(strip)
    }

    fn clock(&self, strip: Strip) -> LineClock {
        self.swath.clock(strip)
    }

    fn ties(&self, strip: Strip) -> Result<Arc<TiePoints>, L1cError> {
        Ok(Arc::clone(&self.ties[strip.index()]))
    }

    fn window(
        &self,
        strip: Strip,
        lines: Range<usize>,
        pixels: Range<usize>,
    ) -> Result<StripWindow, L1cError> {
        let cut = |strip: Strip, asked: &Rectangle| self.cut(strip, asked);
        Ok(self.handover.window(strip, (lines, pixels), cut))
    }
}

/// A rectangle, copied row by row.
fn part<T: Copy>(whole: &Array2<T>, lines: &Range<usize>, pixels: &Range<usize>) -> Array2<T> {
    let mut values = Vec::with_capacity(lines.len() * pixels.len());
    for row in whole.rows().into_iter().skip(lines.start).take(lines.len()) {
        values.extend_from_slice(&row.to_slice().unwrap_or(&[])[pixels.clone()]);
    }
    Array2::from_shape_vec((lines.len(), pixels.len()), values).unwrap_or_else(|e| panic!("{e}"))
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
    Inflated::new(swath.centred(0.0))
});

static SIDE: LazyLock<Inflated> = LazyLock::new(|| {
    let mut swath = Synthetic::over(tile(300.0), 900_000.0);
    swath.camera = Camera::Left;
    swath.roll = -33.6f64.to_radians();
    swath.lines = 1680;
    Inflated::new(swath.centred(0.0))
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

fn look(swath: &Inflated, grid: GridSpec, heights: &Raster<f32>) -> Option<Observation> {
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
        .bench_local_values(|()| look(swath, grid, &heights));
}

#[divan::bench(args = [false, true], sample_count = 20)]
fn side_300_m(bencher: divan::Bencher, relief: bool) {
    let grid = tile(300.0);
    let heights = heights(grid.subdivided(3), relief);
    let swath = &*SIDE;
    bencher
        .with_inputs(|| swath.prepare())
        .bench_local_values(|()| look(swath, grid, &heights));
}
