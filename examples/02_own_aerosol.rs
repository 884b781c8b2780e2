//! 2. An atmosphere of your own: the same scene with CAMS, and with an optical depth measured beside it.
//!
//! ```text
//! cargo run --release --example 02_own_aerosol
//! ```
//!
//! A number or a raster replaces AOD550, ozone or water vapour; the aerosol type chooses the tables. What was used
//! can be read from the scene afterwards.

use probav_ard::{
    AerosolModel, Ancillary, Parameters, Profile, Resolution, Scene, Segment, VerticalDatum, tiles,
};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archive");
    let file = archive.join("l1c/PROBAV_L1C_20180706_103143_2_V101.HDF5");
    let tile = tiles::lookup("31UFR".parse()?).ok_or("no such tile")?;
    let cams = Ancillary {
        dem: vec![archive.join("dem/dem.tif")],
        dem_vertical: VerticalDatum::Ellipsoid,
        cams: vec![archive.join("cams")],
        ..Ancillary::default()
    };

    // a Sun photometer at the site says 0.35, and smoke
    let mut photometer = cams.clone();
    photometer.overrides.aod = Some("0.35".parse()?);
    let smoke = Parameters {
        aerosol: AerosolModel::try_from("biomass".to_string())?,
        ..Parameters::default()
    };

    for (name, ancillary, parameters) in [
        ("CAMS, continental", &cams, &Parameters::default()),
        ("photometer, smoke", &photometer, &smoke),
    ] {
        let segment = Segment::open(&file, &Profile::default())?;
        let scene = Scene::of(segment, tile, Resolution::M100, ancillary, parameters)?
            .ok_or("the segment does not see the tile")?;
        println!("{name}");
        for line in &scene.coefficients.state.provenance {
            println!("    {line}");
        }
        // the darkest band feels the aerosol most
        let blue = &scene.surface.rho.bands[0];
        let usable: Vec<f32> = blue
            .indexed_iter()
            .filter(|((r, c), v)| scene.is_usable(*r, *c) && !v.is_nan())
            .map(|(_, v)| *v)
            .collect();
        println!(
            "    BLUE {:.4} over {} usable pixels",
            usable.iter().sum::<f32>() / usable.len().max(1) as f32,
            usable.len()
        );
    }
    Ok(())
}
