//! 5. Run a tile: what `probav-ard run` does, from Rust, and a pixel's series read back from the stack.
//!
//! ```text
//! cargo run --release --example 05_run_a_tile
//! ```
//!
//! A `Config` holds everything a run can be told. Without a `WorkerCommand` the units run in this process.

use probav_ard::StackReader;
use probav_ard::pipeline::{self, Config, TileName};
use probav_ard::types::calendar::window_start;
use probav_ard::types::progress::Silent;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archive");
    let out = tempfile::tempdir()?;
    let tile = "31UFR".parse()?;
    let config = Config {
        tiles: vec![TileName(tile)],
        l1c: Some(archive.join("l1c")),
        cams: vec![archive.join("cams")],
        dem: vec![archive.join("dem/dem.tif")],
        dem_vertical: "ellipsoid".to_string(),
        landmask: vec![archive.join("landmask/landmask.tif")],
        out: Some(out.path().to_path_buf()),
        jobs: 0,
        ..Config::default()
    };
    let summary = pipeline::run(&config, None, &Silent)?;
    println!("{summary}");

    // a second run finds everything in place
    println!("again: {}", pipeline::run(&config, None, &Silent)?);

    let stack = StackReader::open(out.path(), tile)?;
    let (row, col) = (600, 480);
    let steps = stack.steps();
    let red = stack.read::<i16>("RED", steps.clone(), row..row + 1, col..col + 1)?;
    let sigma = stack.read::<u16>("RED_UNC", steps.clone(), row..row + 1, col..col + 1)?;
    println!("RED of row {row}, column {col}");
    for (k, step) in steps.enumerate() {
        let (value, sigma) = (red[(k, 0, 0)], sigma[(k, 0, 0)]);
        println!(
            "  {}  {:.4} ± {:.4}",
            window_start(step),
            f64::from(value) * 1e-4,
            f64::from(sigma) * 1e-4
        );
    }
    Ok(())
}
