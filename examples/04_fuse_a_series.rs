//! 4. Fuse a series: a field seen every tenth day at 100 m, with six weeks of cloud, and every second day at 300 m.
//!
//! ```text
//! cargo run --release --example 04_fuse_a_series
//! ```
//!
//! `fusion::InMemory` takes any surface reflectance of the four bands: PROBA-V products, or your own. What comes out has
//! a value, a σ and an origin for every five days.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use ndarray::Array2;
use probav_ard::fusion::{
    Acquisition, FusionParams, InMemory, Pixels, Sink, StackBlock, StoreError, fuse, provenance,
};
use probav_ard::types::calendar::{window_centre, window_of};
use probav_ard::types::grid::{GridSpec, Resolution};
use probav_ard::types::progress::Silent;
use probav_ard::types::status::usable;

/// Cells of 300 m along a side; each holds 3 × 3 pixels of 100 m.
const CELLS: usize = 12;

/// NIR reflectance of a crop on a day of the year, 1 = 10,000 counts: bare in spring, green in June; `late` days later on
/// every other field.
fn nir(day: f64, late: f64) -> f64 {
    let growth = (-((day - 170.0 - late) / 45.0).powi(2)).exp();
    0.18 + 0.27 * growth
}

fn counts(reflectance: f64) -> i16 {
    (reflectance * 10_000.0).round() as i16
}

/// Fields of 100 m pixels: stripes three pixels wide and one of them late.
fn late(col: usize) -> f64 {
    if col % 9 < 4 { 0.0 } else { 25.0 }
}

fn pixels(resolution: Resolution, day: f64) -> Pixels {
    let n = CELLS * if resolution == Resolution::M100 { 3 } else { 1 };
    let value = |col: usize| match resolution {
        Resolution::M100 => nir(day, late(col)),
        Resolution::M300 => (0..3).map(|k| nir(day, late(3 * col + k))).sum::<f64>() / 3.0,
    };
    let band = |factor: f64| Array2::from_shape_fn((n, n), |(_, c)| counts(value(c) * factor));
    Pixels {
        // the visible bands go down as the leaves come
        rho: [band(0.2), band(0.25), band(1.0), band(0.6)],
        sigma: None,
        usable: Array2::from_elem((n, n), usable::USABLE),
    }
}

/// Keeps NIR, its σ and its origin of one pixel.
struct OnePixel {
    row: usize,
    col: usize,
    series: Vec<(i32, i16, u16, u8)>,
}

impl Sink for OnePixel {
    fn write(&mut self, first_row: usize, block: &StackBlock) -> Result<(), StoreError> {
        let rows = block.rho[2].dim().1;
        if (first_row..first_row + rows).contains(&self.row) {
            for (k, step) in block.steps.clone().enumerate() {
                let at = (k, self.row - first_row, self.col);
                self.series.push((
                    step,
                    block.rho[2][at],
                    block.unc[2][at],
                    block.provenance[at],
                ));
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let coarse = GridSpec {
        epsg: 32631,
        ulx: 600_000.0,
        uly: 5_700_000.0,
        pixel: 300.0,
        width: CELLS,
        height: CELLS,
    };
    let new_year: DateTime<Utc> = Utc
        .with_ymd_and_hms(2018, 1, 1, 10, 30, 0)
        .single()
        .ok_or("no such day")?;
    let mut series = InMemory::new(coarse);
    for day in 60..300 {
        let at = |vza| Acquisition {
            time: new_year + TimeDelta::days(day),
            vza,
        };
        let under_cloud = (150..192).contains(&day);
        if day % 10 == 0 && !under_cloud {
            series.push(
                Resolution::M100,
                at(10.0),
                pixels(Resolution::M100, day as f64),
            );
        }
        if day % 2 == 0 {
            series.push(
                Resolution::M300,
                at(35.0),
                pixels(Resolution::M300, day as f64),
            );
        }
    }

    let steps =
        window_of(new_year + TimeDelta::days(120))..window_of(new_year + TimeDelta::days(220));
    let mut pixel = OnePixel {
        row: 17,
        col: 14,
        series: Vec::new(),
    };
    fuse(
        &series,
        steps,
        &FusionParams::default(),
        &mut pixel,
        &Silent,
    )?;

    println!("day of year    truth    fused  ± 1 sigma   from");
    for (step, rho, sigma, from) in &pixel.series {
        let day = (window_centre(*step) - new_year).num_days();
        let origin = provenance::CLASSES
            .iter()
            .find(|c| c.0 == *from)
            .map_or("", |c| c.2);
        println!(
            "{day:11} {:8.4} {:8.4}  {:8.4}    {origin}",
            nir(day as f64, late(pixel.col)),
            f64::from(*rho) * 1e-4,
            f64::from(*sigma) * 1e-4
        );
    }
    Ok(())
}
