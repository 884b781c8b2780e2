//! `probav-ard cube`: an area and a time as one file.

use super::values::tile_id;
use super::{Failure, print};
use chrono::NaiveDate;
use clap::ValueEnum;
use probav_ard::cube::{
    self, Area, Crs, Format, GridChoice, Limits, MaskRule, Plan, Request, Resample, Summary,
};
use probav_ard::types::grid::TileId;
use probav_ard::types::text::plain;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Cut an area and a range of days out of the products, across tiles and UTM zones
///
/// The ending of the target decides: .zarr and .nc hold all variables with CF metadata; .tif holds one variable, a
/// band a step (several variables make several files, <name>_<VARIABLE>.tif); .csv and .covjson hold points, or small
/// areas, in physical units.
///
/// Without --grid the cube lies on the grid of the tile that holds most of the area. Where tiles overlap, the tile
/// whose centre is nearest gives the value; on a tile's own grid that tile comes first.
///
/// Examples:
///   probav-ard cube OUT --bbox 5.8,50.6,6.2,50.9 --from 2018-01-01 --to 2018-12-31 -o area.nc
///   probav-ard cube OUT --point 5.9,50.7 --point 6.1,50.8 --variables RED,NIR,NDVI -o points.csv
///   probav-ard cube OUT --polygon field.geojson --grid EPSG:3035 --resolution 100 --resample bilinear -o field.zarr
///   probav-ard cube OUT --tile 31UFS --variables NIR --mask observed -o nir.tif
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
#[command(group(clap::ArgGroup::new("area").required(true).args(["bbox", "polygon", "point", "tile"])))]
pub(crate) struct Args {
    /// Folder that `run` wrote to
    #[arg(value_name = "OUT", env = "PROBAV_ARD_OUT")]
    out: PathBuf,
    /// Rectangle; west beyond east goes across the antimeridian
    #[arg(
        long,
        value_name = "W,S,E,N",
        allow_hyphen_values = true,
        help_heading = "Area"
    )]
    bbox: Option<String>,
    /// Reference system of --bbox
    #[arg(
        long,
        value_name = "EPSG:CODE",
        default_value = "EPSG:4326",
        help_heading = "Area"
    )]
    crs: String,
    /// GeoJSON file with polygons; what lies outside is no data
    #[arg(long, value_name = "FILE", help_heading = "Area")]
    polygon: Option<PathBuf>,
    /// Point, degrees; may be given more than once
    #[arg(
        long,
        value_name = "LON,LAT",
        allow_hyphen_values = true,
        help_heading = "Area"
    )]
    point: Vec<String>,
    /// Whole Sentinel-2 tile, from its own products only
    #[arg(long, value_name = "TILE", value_parser = tile_id, help_heading = "Area")]
    tile: Option<TileId>,
    /// First day, YYYY-MM-DD [default: of the data]
    #[arg(long, value_name = "DAY", help_heading = "Content")]
    from: Option<NaiveDate>,
    /// Last day, inclusive [default: of the data]
    #[arg(long, value_name = "DAY", help_heading = "Content")]
    to: Option<NaiveDate>,
    /// Variables, comma-separated [default: BLUE,RED,NIR,SWIR]
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        help_heading = "Content"
    )]
    variables: Vec<String>,
    /// What the values come from
    #[arg(long, value_enum, default_value = "stack", help_heading = "Content")]
    source: SourceName,
    /// Values left out [default: none of a stack, unusable pixels of acquisitions]
    #[arg(long, value_enum, help_heading = "Content")]
    mask: Option<MaskName>,
    /// `native`, or a reference system
    #[arg(
        long,
        value_name = "GRID",
        default_value = "native",
        help_heading = "Grid"
    )]
    grid: String,
    /// Side of a pixel in units of the grid [default: of the products, where the grid is in metres]
    #[arg(long, value_name = "UNITS", help_heading = "Grid")]
    resolution: Option<f64>,
    /// A corner of any pixel of the grid [default: of the tile's grid, or 0,0 with --grid]
    #[arg(
        long,
        value_name = "ULX,ULY",
        allow_hyphen_values = true,
        help_heading = "Grid"
    )]
    anchor: Option<String>,
    /// How values between pixel centres come about; flags and counts are always those of the nearest pixel
    #[arg(long, value_enum, default_value = "nearest", help_heading = "Grid")]
    resample: ResampleName,
    /// Most cells (pixels x steps x variables) of a cube
    #[arg(long, value_name = "N", default_value_t = MAX_CELLS)]
    max_cells: u64,
    /// File to write: .zarr, .nc, .tif, .csv or .covjson
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Cells of a cube unless more are asked for; chosen: four bands of a tile for seven years fit.
const MAX_CELLS: u64 = 10_000_000_000;

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SourceName {
    /// The gap-free 5-daily stack
    Stack,
    /// Single overpasses of the centre camera, 100 m
    #[value(name = "acquisitions-100m", alias = "acquisitions")]
    Acquisitions100,
    /// Single overpasses of the side cameras, 300 m
    #[value(name = "acquisitions-300m")]
    Acquisitions300,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MaskName {
    /// Steps of the stack in which the pixel was not observed
    Observed,
    /// Pixels of acquisitions that are not usable
    Usable,
    /// Nothing
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ResampleName {
    /// The nearest pixel
    Nearest,
    /// The four neighbours, by distance
    Bilinear,
}

impl Args {
    fn request(&self) -> Result<Request, Failure> {
        let area = match (&self.bbox, &self.polygon, self.tile) {
            (Some(bbox), _, _) => Area::Bbox(numbers("--bbox", bbox)?, self.crs.parse()?),
            (_, Some(path), _) => Area::Polygons(cube::polygons(path)?),
            (_, _, Some(tile)) => Area::Tile(tile),
            _ => {
                let pair = |text: &String| numbers("--point", text).map(|[x, y]| (x, y));
                Area::Points(self.point.iter().map(pair).collect::<Result<_, _>>()?)
            }
        };
        let crs = match self.grid.to_ascii_lowercase().as_str() {
            "native" => None,
            _ => Some(self.grid.parse::<Crs>()?),
        };
        let anchor = self.anchor.as_deref().map(|a| numbers("--anchor", a));
        Ok(Request {
            area,
            source: match self.source {
                SourceName::Stack => cube::Source::Stack,
                SourceName::Acquisitions100 => cube::Source::Acquisitions100,
                SourceName::Acquisitions300 => cube::Source::Acquisitions300,
            },
            from: self.from,
            to: self.to,
            variables: self.variables.clone(),
            mask: self.mask.map(|m| match m {
                MaskName::Observed => MaskRule::Observed,
                MaskName::Usable => MaskRule::Usable,
                MaskName::None => MaskRule::None,
            }),
            grid: GridChoice {
                crs,
                resolution: self.resolution,
                anchor: anchor.transpose()?.map(|[x, y]| (x, y)),
            },
            resample: match self.resample {
                ResampleName::Nearest => Resample::Nearest,
                ResampleName::Bilinear => Resample::Bilinear,
            },
        })
    }
}

/// Runs `cube`.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let format = Format::of(&args.output)?;
    let plan = cube::plan(&args.out, &args.request()?)?;
    let stop = Arc::new(AtomicBool::new(false));
    super::signals::stop_on_signal(&stop);
    let limits = Limits {
        max_cells: args.max_cells,
        stop: &stop,
    };
    let summary = match plan.write(&args.output, format, &limits) {
        Err(cube::CubeError::Stopped) => return Ok(130),
        done => done?,
    };
    tell(&plan, &summary);
    super::values::list(&summary.files);
    let outside = plan.grid().is_none() && summary.covered < summary.wanted;
    Ok(u8::from(outside || !summary.problems.is_empty()))
}

/// What was written, and what was not.
fn tell(plan: &Plan, summary: &Summary) {
    let steps = plan.axis().len();
    let last = plan.axis().span(steps.saturating_sub(1)).end;
    print(&format!(
        "{} steps, {} to {}\n",
        steps,
        plan.axis().label(0),
        last.date_naive()
    ));
    if let Some(grid) = plan.grid() {
        let tile = match plan.home() {
            Some(tile) => format!(", the grid of tile {tile}"),
            None => String::new(),
        };
        print(&format!(
            "{} x {} pixels of {} in EPSG:{}{tile}\n",
            grid.width, grid.height, grid.pixel, grid.epsg
        ));
    }
    for (tile, pixels) in &summary.tiles {
        print(&format!("{pixels:>9} from tile {tile}\n"));
    }
    if summary.covered < summary.wanted {
        let kind = match plan.grid() {
            Some(_) => "pixels of the area are",
            None => "points are",
        };
        tracing::warn!(
            "{} of {} {kind} in no tile on disk and have no values",
            summary.wanted - summary.covered,
            summary.wanted
        );
    }
    if summary.present == 0 && summary.values > 0 {
        tracing::warn!(
            "all values are missing: the area was not observed in these days, or all is masked"
        );
    }
    for problem in &summary.problems {
        tracing::error!("{}", plain(problem));
    }
}

/// Numbers separated by commas.
fn numbers<const N: usize>(option: &str, text: &str) -> Result<[f64; N], Failure> {
    let each: Result<Vec<f64>, _> = text.split(',').map(|t| t.trim().parse()).collect();
    each.ok()
        .and_then(|v| <[f64; N]>::try_from(v).ok())
        .ok_or_else(|| Failure::usage(format!("{option} {text}: not {N} numbers with commas")))
}
