//! 3. Masks only: cloud, shadow and snow of a side camera's 300 m acquisition, with what lies outside the tile.
//!
//! ```text
//! cargo run --release --example 03_masks_only
//! ```
//!
//! Clouds of the halo cast shadows into the tile: `scene.halo` holds them. Every bit of a mask has its name and its
//! words in one table, `types::status`.

use probav_ard::types::status::{QX_FIELDS, USABLE_CLASSES};
use probav_ard::{
    Ancillary, Parameters, Profile, Resolution, Scene, Segment, VerticalDatum, tiles,
};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archive");
    let file = archive.join("l1c/PROBAV_L1C_20180623_100046_3_V101.HDF5");
    let ancillary = Ancillary {
        dem: vec![archive.join("dem/dem.tif")],
        dem_vertical: VerticalDatum::Ellipsoid,
        landmask: vec![archive.join("landmask/landmask.tif")],
        cams: vec![archive.join("cams")],
        ..Ancillary::default()
    };
    let segment = Segment::open(&file, &Profile::default())?;
    let tile = tiles::lookup("31UFR".parse()?).ok_or("no such tile")?;
    let scene = Scene::of(
        segment,
        tile,
        Resolution::M300,
        &ancillary,
        &Parameters::default(),
    )?
    .ok_or("the segment does not see the tile")?;

    println!("USABLE");
    for (value, _, words) in USABLE_CLASSES {
        let n = scene.masks.usable.iter().filter(|u| *u == value).count();
        println!("  {value} {words:36} {n:7} pixels");
    }
    println!("QX, flags that are set");
    for field in QX_FIELDS.iter().filter(|f| f.width == 1) {
        let n = scene
            .masks
            .qx
            .iter()
            .filter(|q| *q >> field.offset & 1 == 1)
            .count();
        if n > 0 {
            println!(
                "  bit {:2} {:48} {n:7} pixels",
                field.offset, field.description
            );
        }
    }
    if let Some(halo) = &scene.halo {
        let clouds = halo.cloud.iter().filter(|c| **c >= 2).count();
        println!(
            "halo: {} x {} pixels of 300 m around {} x {}, {clouds} of them cloud",
            halo.grid.height,
            halo.grid.width,
            scene.observation.grid.height,
            scene.observation.grid.width
        );
    }
    Ok(())
}
