//! Resamples a swath exported by `scripts/bench-peers geometry` and writes the values, for comparison with
//! their exact answers and with other programs.
//!
//! ```text
//! cargo run --release --example resample_benchmark -- CASE/case.json PATTERN OUT.f32 [--repeat N] [--kernel NAME] [--mean N]
//! ```
//!
//! `case.json` names the grid, the camera and the strips; beside it lie `<strip>_tie.f32` (level, latitude and
//! longitude, line, pixel), `<strip>_<PATTERN>.f32` (samples, NaN where missing) and `heights.f32`, all raw
//! little-endian. Strips without a file of the pattern are left out. The output holds BLUE, RED, NIR and SWIR
//! one after the other. `--mean N` makes means over cells of N × N pixels of the grid (N is 1 or 3). Printed as
//! JSON: CPU seconds of each repetition (the whole process while it resamples), and bytes that the peak of
//! resident memory rose by in the first one, with the bytes of the result.

use chrono::DateTime;
use ndarray::{Array2, Array4, s};
use probav_ard::sources::l1c::{
    LineClock, StripInMemory, SwathInMemory, TieAngles, TieLevel, TiePoints,
};
use probav_ard::stages::reproject::{Kernel, Request, observe};
use probav_ard::types::band::{Camera, Strip};
use probav_ard::types::grid::GridSpec;
use probav_ard::types::observation::{Observation, quality};
use probav_ard::types::raster::Raster;
use serde::Deserialize;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

#[path = "../benches/shared/handover.rs"]
mod handover;

use handover::Inflated;

/// Spacing of the tie points, samples, and their two altitudes, metres.
const STEP: usize = 8;
const ALTITUDES: [f64; 2] = [0.0, 5000.0];
/// Time between VNIR lines, seconds.
const PERIOD: f64 = 0.015;

#[derive(Deserialize)]
struct Case {
    epsg: u32,
    ulx: f64,
    uly: f64,
    pixel: f64,
    size: usize,
    camera: String,
    strips: Vec<StripCase>,
}

#[derive(Deserialize)]
struct StripCase {
    /// As the swath calls it.
    name: String,
    /// As [`Strip`] calls it.
    strip: String,
    lines: usize,
    pixels: usize,
}

fn floats(path: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let (words, _) = bytes.as_chunks::<4>();
    Ok(words.iter().map(|w| f32::from_le_bytes(*w)).collect())
}

fn load(folder: &Path, case: &Case, pattern: &str) -> Result<SwathInMemory, Box<dyn Error>> {
    let camera = Camera::ALL
        .into_iter()
        .find(|c| c.name().eq_ignore_ascii_case(&case.camera))
        .ok_or("unknown camera")?;
    let mut strips = [const { None }; 6];
    for s in &case.strips {
        let strip = Strip::ALL
            .into_iter()
            .find(|k| k.name() == s.strip)
            .ok_or_else(|| format!("unknown strip {}", s.strip))?;
        let samples = folder.join(format!("{}_{pattern}.f32", s.name));
        if !samples.exists() {
            continue;
        }
        let toa = Array2::from_shape_vec((s.lines, s.pixels), floats(&samples)?)?;
        let quality = toa.mapv(|v| if v.is_nan() { quality::MISSING } else { 0 });
        let ties = ties(&folder.join(format!("{}_tie.f32", s.name)), s)?;
        strips[strip.index()] = Some(StripInMemory {
            ties: Arc::new(ties),
            toa,
            quality,
        });
    }
    Ok(SwathInMemory {
        name: "BENCHMARK.HDF5".to_string(),
        camera,
        start: DateTime::UNIX_EPOCH,
        clock: LineClock {
            first: 0.5 * PERIOD,
            period: PERIOD,
        },
        strips,
    })
}

/// Tie points of both levels. The view angles are those of the line between the levels, the Sun is somewhere.
fn ties(path: &Path, case: &StripCase) -> Result<TiePoints, Box<dyn Error>> {
    let axis = |n: usize| -> Vec<f64> {
        (0..(n + STEP - 2) / STEP + 1)
            .map(|k| (k * STEP) as f64)
            .collect()
    };
    let (lines, pixels) = (axis(case.lines), axis(case.pixels));
    let shape = (lines.len(), pixels.len());
    let all = Array4::from_shape_vec((2, 2, shape.0, shape.1), floats(path)?)?;
    let part = |level: usize, axis: usize| all.slice(s![level, axis, .., ..]).mapv(f64::from);
    let levels: Vec<TieLevel> = (0..2)
        .map(|k| TieLevel {
            altitude: ALTITUDES[k],
            lat: part(k, 0),
            lon: part(k, 1),
        })
        .collect();
    let view = |k: (usize, usize)| {
        let (low, high) = (&levels[0], &levels[1]);
        let north = (high.lat[k] - low.lat[k]) * 111_200.0;
        let turn = (high.lon[k] - low.lon[k] + 540.0).rem_euclid(360.0) - 180.0;
        let east = turn * 111_300.0 * low.lat[k].to_radians().cos();
        let zenith = (north.hypot(east) / ALTITUDES[1]).atan().to_degrees();
        (zenith, east.atan2(north).to_degrees().rem_euclid(360.0))
    };
    let angles = TieAngles {
        sza: Array2::from_shape_fn(shape, |(i, j)| 40.0 + 8e-3 * i as f32 + 4e-3 * j as f32),
        saa: Array2::from_elem(shape, 150.0),
        vza: Array2::from_shape_fn(shape, |k| view(k).0 as f32),
        vaa: Array2::from_shape_fn(shape, |k| view(k).1 as f32),
    };
    Ok(TiePoints {
        lines,
        pixels,
        levels,
        angles: Some(angles),
    })
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `t` is a valid place for the answer
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + 1e-9 * t.tv_nsec as f64
}

/// Returns freed memory to the system, so that what a run takes shows in its peak.
fn give_back() {
    // SAFETY: takes no pointer and may be called at any time
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Bytes of a line of `/proc/self/status`.
fn status(key: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|l| l.starts_with(key))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: resample_benchmark CASE.json PATTERN OUT.f32 [--repeat N] [--kernel NAME]";
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().ok_or(usage);
    let (file, pattern, out) = (next()?, next()?, next()?);
    let (mut repeat, mut kernel, mut mean) = (1usize, Kernel::default(), 1usize);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or(usage)?;
        match flag.as_str() {
            "--repeat" => repeat = value.parse()?,
            "--mean" => mean = value.parse::<usize>()?.max(1),
            "--kernel" => kernel = value.parse()?,
            _ => return Err(usage.into()),
        }
    }
    let case: Case = serde_json::from_str(&fs::read_to_string(&file)?)?;
    let folder = Path::new(&file).parent().ok_or(usage)?;
    let swath = Inflated::new(load(folder, &case, &pattern)?);
    let fine = GridSpec {
        epsg: case.epsg,
        ulx: case.ulx,
        uly: case.uly,
        pixel: case.pixel,
        width: case.size,
        height: case.size,
    };
    let grid = GridSpec {
        pixel: fine.pixel * mean as f64,
        width: fine.width / mean,
        height: fine.height / mean,
        ..fine
    };
    let mut heights = Raster::filled(fine, 0.0);
    heights.data =
        Array2::from_shape_vec((case.size, case.size), floats(&folder.join("heights.f32"))?)?;
    let request = Request {
        grid,
        heights: &heights,
        kernel,
    };
    let mut seconds = Vec::new();
    let mut last: Option<Observation> = None;
    let mut peak = 0;
    for k in 0..repeat.max(1) {
        drop(last.take());
        if k == 0 {
            give_back();
        }
        swath.prepare();
        let before = status("VmRSS:").unwrap_or(0);
        // the peak starts anew where the system lets it
        let _ = fs::write("/proc/self/clear_refs", "5");
        let start = cpu();
        last = observe(&swath, &request)?;
        seconds.push(cpu() - start);
        if k == 0 {
            peak = status("VmHWM:").unwrap_or(0).saturating_sub(before);
        }
    }
    let observation = last.ok_or("the swath does not see the tile")?;
    let mut bytes = Vec::with_capacity(16 * grid.len());
    for band in &observation.toa.bands {
        bytes.extend(band.iter().flat_map(|v| v.to_le_bytes()));
    }
    fs::write(&out, bytes)?;
    // four values and flags, six angles, seconds, height, occlusion
    let result = grid.len() * (4 * 4 + 4 + 6 * 4 + 4 + 4 + 1);
    println!(
        "{}",
        serde_json::json!({"cpu_s": seconds, "peak_bytes": peak, "result_bytes": result})
    );
    Ok(())
}
