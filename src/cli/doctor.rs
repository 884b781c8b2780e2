//! `probav-ard doctor`: what is installed, and what the ancillary data cover.

use super::ancillary::Ancillary;
use super::bars::Bars;
use super::run::workers;
use super::{Failure, Global, print};
use probav_ard::pipeline::{self, Config};
use probav_ard::sources::cams::{Cams, Variable};
use probav_ard::sources::dem::{self, VerticalDatum};
use probav_ard::sources::tables::{self, Aerosol};
use probav_ard::types::band::Camera;
use probav_ard::types::grid::{Resolution, tiles};
use probav_ard::types::text::plain;
use serde::Serialize;
use std::path::PathBuf;

/// Check the installation and what ancillary data cover
///
/// Libraries, drivers, geoid grids, tables. With the options of `run`, or its configuration: what of each input a run would use,
/// what it would leave and why, and what bears on each tile; with --cams, coverage by file, variable and date.
///
/// Examples:
///   probav-ard doctor --cams cams/
///   probav-ard doctor --config run.toml
#[derive(Debug, clap::Args, Serialize)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Sentinel-2 tile, e.g. 31UFS (several: repeat, or with commas)
    #[arg(long = "tile", value_name = "TILE", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tiles: Vec<String>,
    /// Folder with PROBAV_L1C_* files, searched with its subfolders
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    l1c: Option<PathBuf>,
    #[command(flatten)]
    #[serde(flatten)]
    ancillary: Ancillary,
}

/// Prints one line a finding; exit code 3 where something needed is missing.
pub(super) fn run(args: &Args, global: &Global, bars: &Bars) -> Result<u8, Failure> {
    let mut missing = 0;
    let mut line = |what: &str, found: Result<String, String>| {
        missing += usize::from(found.is_err());
        let (mark, text) = match found {
            Ok(text) => ("ok", text),
            Err(text) => ("MISSING", text),
        };
        print(&format!("{what:<22} {mark:<8} {}\n", plain(&text)));
    };
    line("GDAL", Ok(gdal::version::version_info("RELEASE_NAME")));
    for driver in ["COG", "GTiff", "VRT"] {
        let found = gdal::DriverManager::get_driver_by_name(driver).map(|d| d.long_name());
        line(
            &format!("GDAL driver {driver}"),
            found.map_err(|e| e.to_string()),
        );
    }
    let (major, minor, patch) = hdf5::library_version();
    line("HDF5", Ok(format!("{major}.{minor}.{patch}")));
    // any inhabited place tells whether PROJ finds the geoid grid
    if let Some(tile) = tiles::at_point(4.4, 51.2).first() {
        let grid = tile.grid(Resolution::M300).rows(0, 1);
        let found =
            dem::sea_level(&grid, &VerticalDatum::Egm96).map(|_| "egm96_15.gtx".to_string());
        line("geoid EGM96", found.map_err(|e| e.to_string()));
    }
    for camera in Camera::ALL {
        let found = tables::load(camera, Aerosol::Continental).map(|t| t.provenance());
        line(
            &format!("tables {camera}"),
            found.map_err(|e| e.to_string()),
        );
    }
    let overrides = toml::Table::try_from(args).map_err(|e| Failure::usage(e.to_string()))?;
    let config = Config::load(args.ancillary.file(), overrides)?;
    let stock = pipeline::take_stock(&config, Some(&workers(global)?), bars)?;
    bars.clear();
    print(&stock);
    // only what a worker could open: a damaged file costs its own worker
    if !stock.cams().is_empty() {
        cams(stock.cams())?;
    }
    Ok(match (missing, stock.is_short()) {
        (0, false) => 0,
        (0, true) => 1,
        _ => 3,
    })
}

fn cams(paths: &[PathBuf]) -> Result<(), Failure> {
    let cams = Cams::open(paths)?;
    for c in cams.coverage() {
        let time = |t: Option<chrono::DateTime<chrono::Utc>>| {
            t.map_or("no time".to_string(), |t| {
                t.format("%Y-%m-%dT%H:%MZ").to_string()
            })
        };
        let step = c
            .step_hours
            .map_or(String::new(), |h| format!(", every {h} h"));
        let [w, s, e, n] = c.bbox;
        print(&format!(
            "{:<22} {:<8} {} to {}{step}, {w:.1} {s:.1} {e:.1} {n:.1}, {}\n",
            "CAMS",
            c.variable.to_string(),
            time(c.first),
            time(c.last),
            plain(&c.path.display().to_string())
        ));
    }
    let needed = [Variable::Aod550, Variable::Ozone, Variable::Tcwv];
    let day = |t: chrono::DateTime<chrono::Utc>| t.format("%Y-%m-%d %H:%M").to_string();
    for variable in needed {
        let spans = cams.spans(variable);
        let said = |mark: &str, text: String| {
            print(&format!(
                "{:<22} {mark:<8} {variable}: {text}\n",
                "CAMS by date"
            ));
        };
        if spans.is_empty() {
            said("MISSING", "no fields of days".to_string());
        }
        for (k, (from, to)) in spans.iter().enumerate() {
            said("ok", format!("{} to {} UTC", day(*from), day(*to)));
            if let Some((next, _)) = spans.get(k + 1) {
                said("GAP", format!("{} to {} UTC", day(*to), day(*next)));
            }
        }
        let months = cams.months(variable);
        if let (Some(first), Some(last)) = (months.first(), months.last()) {
            let count = months.len();
            said(
                "ok",
                format!("monthly means of {count} months, {first} to {last}"),
            );
        }
    }
    for problem in cams.problems() {
        let problem = problem.to_string();
        print(&format!("{:<22} PROBLEM  {}\n", "CAMS", plain(&problem)));
    }
    Ok(())
}
