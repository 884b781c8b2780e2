//! Cost of the fusion: one thread, a window of 146 steps, 43 % of the 100 m and half of the 300 m acquisitions clear.
//! `items` are pixel-steps (four bands each): nanoseconds per item = 1 / throughput.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use divan::counter::ItemsCount;
use ndarray::Array2;
use probav_ard::stages::fusion::{
    Acquisition, FusionParams, InMemory, Pixels, Sink, StackBlock, StoreError, fuse,
};
use probav_ard::types::grid::{GridSpec, Resolution};
use probav_ard::types::progress::Silent;
use probav_ard::types::status::usable;

fn main() {
    divan::main();
}

fn hash(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A wavy landscape with seasons; clouds are fixed blocks chosen by a hash of acquisition and place.
fn landscape(cells: usize) -> InMemory {
    let start: DateTime<Utc> = Utc
        .with_ymd_and_hms(2014, 1, 1, 10, 0, 0)
        .single()
        .unwrap_or_default();
    let mut out = InMemory::new(GridSpec {
        epsg: 32631,
        ulx: 600_000.0,
        uly: 5_700_000.0,
        pixel: 300.0,
        width: cells,
        height: cells,
    });
    for day in 0..730i64 {
        let kind = usize::from(day % 5 != 1);
        if kind == 1 && day % 10 == 0 {
            continue;
        }
        let side = cells * [3, 1][kind];
        let size = [1, 3][kind];
        let clear = [43, 50][kind];
        let mut p = Pixels::empty(side, side);
        p.usable = Array2::from_shape_fn((side, side), |(r, c)| {
            let place = (r * size / 25 * 1000 + c * size / 25) as u64;
            match hash(place + day as u64 * 1_000_003) % 100 < clear {
                true => usable::USABLE,
                false => usable::CLOUD,
            }
        });
        for (b, base) in [600.0, 900.0, 2500.0, 2000.0].into_iter().enumerate() {
            p.rho[b] = Array2::from_shape_fn((side, side), |(r, c)| {
                let (x, y) = ((c * size) as f64 * 0.17, (r * size) as f64 * 0.11);
                let season = (day as f64 / 58.0 + x.sin() + y.cos()).sin();
                let noise = hash((day as u64 * 7919 + r as u64) * 104_729 + c as u64) % 100;
                (base * (1.0 + 0.4 * season) + noise as f64) as i16
            });
        }
        let acquisition = Acquisition {
            time: start + TimeDelta::days(day),
            vza: 30.0,
        };
        out.push([Resolution::M100, Resolution::M300][kind], acquisition, p);
    }
    out
}

/// Takes the stack and lets it go.
struct Drain;

impl Sink for Drain {
    fn write(&mut self, _: usize, block: &StackBlock) -> Result<(), StoreError> {
        divan::black_box(block);
        Ok(())
    }
}

/// `cells` 300 m cells along a side; learning weighs less the larger the area.
#[divan::bench(args = [64, 128], sample_count = 3, sample_size = 1)]
fn fuse_two_years(bencher: divan::Bencher<'_, '_>, cells: usize) {
    let series = landscape(cells);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let Ok(pool) = pool else { return };
    bencher
        .counter(ItemsCount::new(9 * cells * cells * 146))
        .bench_local(|| {
            pool.install(|| {
                fuse(
                    &series,
                    0..146,
                    &FusionParams::default(),
                    &mut Drain,
                    &Silent,
                )
            })
        });
}
