//! `probav-ard reproject`: a segment onto a tile's grid.

use super::ancillary::Ancillary;
use super::explain::Words;
use super::values::{folder, list, resolution, tile_id, warn};
use super::{Failure, eprint, print};
use probav_ard::pipeline::steps;
use probav_ard::types::band::Camera;
use probav_ard::types::geometry::LonLat;
use probav_ard::types::grid::{Resolution, TileId};
use std::path::PathBuf;

/// Orthorectify a segment onto a tile
///
/// Writes TOA reflectance, quality, angles and terrain as GeoTIFFs; `mask` and `correct` read them.
///
/// Example:
///   probav-ard reproject --tile 31UFS --dem dem.tif --out step/ PROBAV_L1C_20180621_104452_2_V101.HDF5
///
/// With --explain nothing is written: every number behind one pixel is printed, from its height to the taps of
/// the kernel, so that the step can be checked by hand:
///   probav-ard reproject --tile 31UFS --dem dem.tif --explain 4.35 50.85 PROBAV_L1C_20180621_104452_2_V101.HDF5
/// With --refine and --reference the numbers are those of the refined mapping, with --refined-as those of a product.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Level-1C file
    #[arg(value_name = "FILE")]
    segment: PathBuf,
    /// Sentinel-2 tile
    #[arg(long, value_name = "TILE", value_parser = tile_id)]
    tile: TileId,
    /// Pixel size in metres, 100 or 300 [default: 100 for the centre camera, 300 for the others]
    #[arg(long, value_name = "METRES", value_parser = resolution)]
    resolution: Option<Resolution>,
    /// Folder for the GeoTIFFs
    #[arg(long, value_name = "DIR", required_unless_present = "explain")]
    out: Option<PathBuf>,
    /// Print every number behind the pixel at a longitude and latitude, degrees
    #[arg(long, num_args = 2, value_names = ["LON", "LAT"], allow_negative_numbers = true, conflicts_with = "out")]
    explain: Option<Vec<f64>>,
    /// Explain with the refinement that a product was made with
    #[arg(long, value_name = "RUN_JSON", requires = "explain")]
    refined_as: Option<PathBuf>,
    #[command(flatten)]
    ancillary: Ancillary,
    /// Also write the tile with its surroundings at 300 m (<name>_HALO_*.tif), from which `mask` knows the clouds whose
    /// shadows fall into the tile
    #[arg(long)]
    halo: bool,
}

/// Runs `reproject`.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let config = args.ancillary.config()?;
    let tile = steps::tile(args.tile)?;
    let camera = args
        .segment
        .file_name()
        .and_then(|n| probav_ard::sources::l1c::FileName::parse(&n.to_string_lossy()))
        .map(|n| n.camera);
    let resolution = args.resolution.unwrap_or(match camera {
        Some(Camera::Left | Camera::Right) => Resolution::M300,
        _ => Resolution::M100,
    });
    if let Some(&[lon, lat]) = args.explain.as_deref() {
        let place = LonLat::new(lon, lat);
        let run = args.refined_as.as_deref();
        let Some(explained) =
            steps::explain_pixel(&config, &args.segment, tile, resolution, place, run)?
        else {
            return Err(Failure::usage(format!(
                "{lon} {lat} lies outside tile {}: `probav-ard grid` names the tiles of a place",
                tile.id
            )));
        };
        warn(&explained.notes);
        if let Some(report) = &explained.report {
            eprint(report);
        }
        print(&Words {
            explained: &explained.explanation,
            undulation: explained.undulation,
        });
        return Ok(0);
    }
    let Some(out) = &args.out else {
        return Err(Failure::usage("give --out"));
    };
    folder(out)?;
    let made = steps::reproject(&config, &args.segment, tile, resolution, args.halo, out)?;
    let Some(made) = made else {
        tracing::error!("{} does not see tile {}", args.segment.display(), tile.id);
        return Ok(1);
    };
    warn(&made.notes);
    if let Some(report) = made.report {
        eprint(&report);
    }
    list(&made.files);
    Ok(0)
}
