//! `probav-ard export`: a stack as one file, acquisitions in the manner of PROBA-V's own products.

use super::Failure;
use super::values::tile_id;
use chrono::{NaiveDate, NaiveTime};
use probav_ard::product::stack::{StackReader, VARIABLES};
use probav_ard::product::{export, list_acquisitions};
use probav_ard::types::calendar::window_of;
use probav_ard::types::grid::TileId;
use std::path::PathBuf;

/// Export the stack of a tile to a multi-band COG or to NetCDF-4, or its acquisitions in PROBA-V's own coding
///
/// The ending of the target decides: .tif holds one variable, a band a step, described by the first day of the
/// step; .nc holds all variables with CF metadata; .json is a STAC item of the whole store as openEO's local
/// client opens it. With --legacy the target is a folder: each acquisition of the
/// days becomes an HDF5 file in the layout of PROBA-V's Level 3 and GeoTIFFs by band (DN/2000, no data -1, 8-bit
/// status map), on the tile's UTM grid.
///
/// Examples:
///   probav-ard export --tile 31UFS --out OUT --variable NIR nir.tif
///   probav-ard export --tile 31UFS --out OUT --from 2018-01-01 --to 2018-12-31 2018.nc
///   probav-ard export --tile 31UFS --out OUT --from 2018-05-03 --to 2018-05-03 --legacy FOLDER
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// File to write, .tif, .nc or .json; with --legacy a folder
    #[arg(value_name = "TARGET")]
    target: PathBuf,
    /// Sentinel-2 tile
    #[arg(long, value_name = "TILE", value_parser = tile_id)]
    tile: TileId,
    /// Folder that `run` wrote to
    #[arg(long, value_name = "DIR", env = "PROBAV_ARD_OUT")]
    out: PathBuf,
    /// Variable of a COG
    #[arg(long, value_name = "NAME", default_value = "NIR")]
    variable: String,
    /// First day, YYYY-MM-DD [default: of the stack]
    #[arg(long, value_name = "DAY")]
    from: Option<NaiveDate>,
    /// Last day, inclusive [default: of the stack]
    #[arg(long, value_name = "DAY")]
    to: Option<NaiveDate>,
    /// Acquisitions in the coding and layout of PROBA-V's own products instead of the stack
    #[arg(long)]
    legacy: bool,
}

/// Runs `export`.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    if args.legacy {
        return legacy(args);
    }
    let stack = StackReader::open(&args.out, args.tile)?;
    let all = stack.steps();
    let window = |day: NaiveDate| window_of(day.and_time(NaiveTime::MIN).and_utc());
    let first = args.from.map_or(all.start, |d| window(d).max(all.start));
    let last = args.to.map_or(all.end, |d| (window(d) + 1).min(all.end));
    if first >= last {
        return Err(Failure::usage(format!(
            "the stack of {} has no step in these days",
            args.tile
        )));
    }
    let name = args.variable.to_ascii_uppercase();
    let ending = args.target.extension().map(|e| e.to_ascii_lowercase());
    let written = match ending.as_ref().and_then(|e| e.to_str()) {
        Some("tif" | "tiff") if !VARIABLES.iter().any(|v| v.name == name) => {
            let names: Vec<&str> = VARIABLES.iter().map(|v| v.name).collect();
            return Err(Failure::usage(format!(
                "the stack has no variable {name}; it has {}",
                names.join(" ")
            )));
        }
        Some("tif" | "tiff") => export::cog(&stack, &name, first..last, &args.target)?,
        Some("nc" | "nc4") => export::netcdf(&stack, first..last, &args.target)?,
        Some("json") => export::item(&stack, &args.target)?,
        _ => {
            return Err(Failure::usage(format!(
                "{}: name the target .tif, .nc or .json",
                args.target.display()
            )));
        }
    };
    super::values::list(&[written]);
    Ok(0)
}

/// Exports every acquisition of the days asked for.
fn legacy(args: &Args) -> Result<u8, Failure> {
    let mut written = Vec::new();
    for id in list_acquisitions(&args.out, args.tile)? {
        let day = id.time.date_naive();
        let early = args.from.is_some_and(|from| day < from);
        let late = args.to.is_some_and(|to| day > to);
        if !early && !late {
            written.extend(export::legacy(&args.out, &id, &args.target)?);
        }
    }
    if written.is_empty() {
        return Err(Failure::usage(format!(
            "{} has no acquisition of {} in these days",
            args.out.display(),
            args.tile
        )));
    }
    super::values::list(&written);
    Ok(0)
}
