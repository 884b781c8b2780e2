//! 1. One tile: from a Level-1C segment to surface reflectance with its uncertainty and masks, in memory.
//!
//! ```text
//! cargo run --release --example 01_one_tile
//! ```
//!
//! A `Segment` is one file of one camera. `Scene::of` finds the halo that this acquisition needs, orthorectifies
//! tile and halo, looks up the atmosphere, masks and corrects: what `probav-ard run` does, without a file written.

use probav_ard::{
    Ancillary, Parameters, Profile, Resolution, Scene, Segment, VerticalDatum, tiles,
};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archive");

    // the file is opened and checked; nothing is read yet but what describes it
    let file = archive.join("l1c/PROBAV_L1C_20180626_105203_2_V101.HDF5");
    let segment = Segment::open(&file, &Profile::default())?;
    println!(
        "{}",
        segment
            .inspect()?
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
    );

    // what a scene needs beside the segment; what is left out is replaced by a stand-in and said in its notes
    let ancillary = Ancillary {
        dem: vec![archive.join("dem/dem.tif")],
        dem_vertical: VerticalDatum::Ellipsoid,
        landmask: vec![archive.join("landmask/landmask.tif")],
        cams: vec![archive.join("cams")],
        ..Ancillary::default()
    };

    let tile = tiles::lookup("31UFR".parse()?).ok_or("no such tile")?;
    let scene = Scene::of(
        segment,
        tile,
        Resolution::M100,
        &ancillary,
        &Parameters::default(),
    )?
    .ok_or("the segment does not see the tile")?;

    let grid = scene.observation.grid;
    println!(
        "{} {} {}x{} pixels of {} m",
        tile.id, scene.observation.time, grid.height, grid.width, grid.pixel
    );
    for note in &scene.notes {
        println!("note: {note}");
    }

    // bands come in the order BLUE, RED, NIR, SWIR everywhere
    let mean = |band: usize, of: &dyn Fn(usize, usize) -> f32| {
        let (mut sum, mut n) = (0.0, 0u32);
        for row in 0..grid.height {
            for col in 0..grid.width {
                let value = of(row, col);
                if scene.is_usable(row, col) && !value.is_nan() {
                    sum += f64::from(value);
                    n += 1;
                }
            }
        }
        (
            ["BLUE", "RED", "NIR", "SWIR"][band],
            sum / f64::from(n.max(1)),
            n,
        )
    };
    for band in 0..4 {
        let (name, rho, n) = mean(band, &|r, c| scene.surface.rho.bands[band][(r, c)]);
        let (_, toa, _) = mean(band, &|r, c| scene.observation.toa.bands[band][(r, c)]);
        let (_, sigma, _) = mean(band, &|r, c| scene.surface.sigma.bands[band][(r, c)]);
        println!("{name:5} TOA {toa:.4}  surface {rho:.4} ± {sigma:.4}  mean of {n} usable pixels");
    }
    Ok(())
}
