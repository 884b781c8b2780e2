//! `probav-ard register`: how far an image lies from where it belongs.

use super::{Failure, print, print_json};
use probav_ard::pipeline::steps;
use std::path::PathBuf;

/// Measure the displacement of an image against a reference, and of its bands against each other
///
/// IMAGE is a GeoTIFF of this tool (an observation's or product's TOA, or one of its bands); a status map and
/// view angles are taken from the files beside it. Bands described BLUE, RED, NIR, SWIR are compared with
/// the bands of the same name; the first band of a reference without names stands for RED.
///
/// Example:
///   probav-ard register step/PROBAV_ARD_31UFS_20180621T104459_C_100M_TOA.tif --reference sentinel2.tif
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Orthorectified image
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// Any GDAL raster; without it only the bands are compared with each other
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Status map of the image [default: <name>_SM.tif beside it, where it is]
    #[arg(long, value_name = "FILE")]
    mask: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `register`: exit code 1 where the check was declined.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let report = steps::register::register(&steps::register::Request {
        image: args.image.clone(),
        reference: args.reference.clone(),
        mask: args.mask.clone(),
    })?;
    match args.json {
        true => print_json(&format!("{:#}\n", report.json())),
        false => print(&report),
    }
    let asked = args.reference.is_some();
    Ok(u8::from(asked && report.accuracy().is_none()))
}
