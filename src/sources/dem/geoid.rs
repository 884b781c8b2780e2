//! Geoid undulation: height of the geoid above the WGS 84 ellipsoid.

use super::DemError;
use crate::formats::georaster::{Content, GeoRaster, Purpose, Trust};
use crate::types::geometry::LonLat;
use crate::types::grid::utm::Utm;
use crate::types::grid::{GridSpec, NodeGrid};
use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, CoordTransformOptions, SpatialRef};
use ndarray::Array2;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Distance between exact undulations, metres. Published grids have 4.6 km (2.5') to 28 km (15') cells,
/// so bilinear values between them are good to a few centimetres. Chosen: docs/sources/terrain.md, PROJ.
const SPACING_M: f64 = 2000.0;

/// Larger numbers are no undulations, metres: none exceeds 110 m. Chosen.
const LARGEST_M: f32 = 200.0;

/// What the heights of a DEM are above.
///
/// ```
/// use probav_ard::sources::dem::VerticalDatum;
///
/// let datum: VerticalDatum = "egm2008".parse()?;
/// assert_eq!(datum, VerticalDatum::Egm2008);
/// assert_eq!("my/geoid.tif".parse(), Ok(VerticalDatum::Grid("my/geoid.tif".into())));
/// assert!("sea level".parse::<VerticalDatum>().is_err());
/// assert_eq!(VerticalDatum::default().to_string(), "egm96");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum VerticalDatum {
    /// The WGS 84 ellipsoid: nothing is added.
    Ellipsoid,
    /// The EGM96 geoid (SRTM, ASTER, most DEMs older than 2019).
    #[default]
    Egm96,
    /// The EGM2008 geoid (Copernicus DEM).
    Egm2008,
    /// A grid of undulations in metres: any raster that GDAL reads (`.gtx`, `.tif`).
    Grid(PathBuf),
}

impl FromStr for VerticalDatum {
    type Err = String;

    /// `ellipsoid`, `egm96`, `egm2008`, or the path of a grid file (recognised by a dot or a slash).
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "ellipsoid" => Ok(VerticalDatum::Ellipsoid),
            "egm96" => Ok(VerticalDatum::Egm96),
            "egm2008" | "egm08" => Ok(VerticalDatum::Egm2008),
            other if other.contains(['.', '/']) => Ok(VerticalDatum::Grid(text.trim().into())),
            _ => Err(format!(
                "'{text}' is not a vertical datum: say ellipsoid, egm96, egm2008, or the path of a .gtx or .tif grid"
            )),
        }
    }
}

impl fmt::Display for VerticalDatum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VerticalDatum::Ellipsoid => f.write_str("ellipsoid"),
            VerticalDatum::Egm96 => f.write_str("egm96"),
            VerticalDatum::Egm2008 => f.write_str("egm2008"),
            VerticalDatum::Grid(path) => write!(f, "{}", path.display()),
        }
    }
}

impl VerticalDatum {
    /// PROJ's names of the grid, in the order tried.
    fn proj_grids(&self) -> &'static [&'static str] {
        match self {
            VerticalDatum::Egm96 => &["egm96_15.gtx", "us_nga_egm96_15.tif"],
            VerticalDatum::Egm2008 => &["us_nga_egm08_25.tif", "egm08_25.gtx"],
            VerticalDatum::Ellipsoid | VerticalDatum::Grid(_) => &[],
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            VerticalDatum::Egm2008 => {
                "put us_nga_egm08_25.tif of the PROJ-data collection into PROJ's data folder (`projsync --file us_nga_egm08_25.tif`)"
            }
            _ => {
                "on Debian `apt-get install proj-data`; elsewhere `projsync --file us_nga_egm96_15.tif`"
            }
        }
    }

    /// True where PROJ finds the grid, or none is needed.
    pub(super) fn is_there(&self) -> bool {
        let grids = self.proj_grids();
        grids.is_empty() || from_proj(grids, &[0.0], &[0.0]).is_some()
    }

    /// Adds the undulation to heights on a grid, shape (height, width); NaN stays NaN.
    pub(super) fn add_undulation(
        &self,
        grid: &GridSpec,
        heights: &mut Array2<f32>,
    ) -> Result<(), DemError> {
        if *self == VerticalDatum::Ellipsoid || grid.is_empty() {
            return Ok(());
        }
        let step = ((SPACING_M / grid.pixel) as usize).max(1);
        let nodes = NodeGrid { grid: *grid, step };
        let n = self.at_nodes(&nodes)?;
        let last = (n.nrows() - 1, n.ncols() - 1);
        for ((row, col), h) in heights.indexed_iter_mut() {
            let (i, j) = (row / step, col / step);
            let (below, right) = ((i + 1).min(last.0), (j + 1).min(last.1));
            let fy = (row - i * step) as f64 / step as f64;
            let fx = (col - j * step) as f64 / step as f64;
            let upper = n[[i, j]] + fx * (n[[i, right]] - n[[i, j]]);
            let lower = n[[below, j]] + fx * (n[[below, right]] - n[[below, j]]);
            *h += (upper + fy * (lower - upper)) as f32;
        }
        Ok(())
    }

    /// Undulation in metres at nodes, all finite.
    fn at_nodes(&self, nodes: &NodeGrid) -> Result<Array2<f64>, DemError> {
        let utm = Utm::new(nodes.grid.epsg);
        let shape = nodes.shape();
        let (name, values) = match self {
            VerticalDatum::Grid(path) => {
                let spacing = nodes.step as f64 * nodes.grid.pixel;
                let first = nodes.position(0, 0);
                let coarse = GridSpec {
                    ulx: first.east - spacing / 2.0,
                    uly: first.north + spacing / 2.0,
                    pixel: spacing,
                    width: shape.1,
                    height: shape.0,
                    ..nodes.grid
                };
                let any = Content::Continuous {
                    min: -LARGEST_M,
                    max: LARGEST_M,
                };
                let named = std::slice::from_ref(path);
                let values = GeoRaster::open(named, Purpose::Values, &Trust::of(named))
                    .and_then(|r| r.sample(&coarse, any))
                    .map_err(DemError::GeoidFile)?;
                (path.display().to_string(), values.mapv(f64::from))
            }
            _ => {
                let (x, y): (Vec<f64>, Vec<f64>) = ndarray::indices(shape)
                    .into_iter()
                    .map(|(i, j)| utm.inverse(nodes.position(i, j)).xy())
                    .unzip();
                let grids = self.proj_grids();
                let (name, z) = from_proj(grids, &x, &y).ok_or_else(|| DemError::GeoidMissing {
                    datum: self.to_string(),
                    grid: grids.join("' or '"),
                    hint: self.hint(),
                })?;
                let values = Array2::from_shape_vec(shape, z)
                    .unwrap_or_else(|_| Array2::from_elem(shape, f64::NAN));
                (name.to_string(), values)
            }
        };
        match values.indexed_iter().find(|(_, v)| !v.is_finite()) {
            None => Ok(values),
            Some(((i, j), _)) => {
                let LonLat { lon, lat } = utm.inverse(nodes.position(i, j));
                Err(DemError::GeoidCoverage {
                    grid: name,
                    lat,
                    lon,
                })
            }
        }
    }
}

/// Undulation at longitudes `x` and latitudes `y` (degrees) from the first of the grids that PROJ finds,
/// and its name; `None` where it finds none.
fn from_proj(grids: &[&'static str], x: &[f64], y: &[f64]) -> Option<(&'static str, Vec<f64>)> {
    for grid in grids {
        let Ok(shift) = vgridshift(grid) else {
            continue;
        };
        let (mut lon, mut lat, mut z) = (x.to_vec(), y.to_vec(), vec![0.0; x.len()]);
        if shift.transform_coords(&mut lon, &mut lat, &mut z).is_ok() {
            return Some((grid, z));
        }
    }
    None
}

/// PROJ's vertical grid shift: adds the undulation to z.
fn vgridshift(grid: &str) -> gdal::errors::Result<CoordTransform> {
    let mut wgs84 = SpatialRef::from_epsg(4979)?;
    wgs84.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    let mut options = CoordTransformOptions::new()?;
    // the operation sees latitude first, as EPSG:4979 has it
    let operation = format!(
        "+proj=pipeline +step +proj=axisswap +order=2,1 \
         +step +proj=unitconvert +xy_in=deg +xy_out=rad \
         +step +proj=vgridshift +grids={grid} +multiplier=1 \
         +step +proj=unitconvert +xy_in=rad +xy_out=deg +step +proj=axisswap +order=2,1"
    );
    options.set_coordinate_operation(&operation, false)?;
    CoordTransform::new_with_options(&wgs84, &wgs84, &options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_that_proj_lacks_is_noticed() {
        assert!(from_proj(&["no_such_grid.gtx"], &[4.0], &[50.0]).is_none());
        let found = from_proj(&["no_such_grid.gtx", "egm96_15.gtx"], &[4.0], &[50.0]);
        assert!(found.is_some_and(|(_, z)| (40.0..48.0).contains(&z[0])));
    }
}
