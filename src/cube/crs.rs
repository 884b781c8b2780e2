//! Reference systems of areas and grids, and the way to longitude and latitude.
//!
//! WGS 84 and its UTM zones are computed here (`types::grid::utm`, within a millimetre of PROJ); every other EPSG code goes
//! through PROJ as GDAL links it, without its network.

use super::CubeError;
use crate::product::geotiff::prepare;
use crate::types::geometry::{EastNorth, LonLat};
use crate::types::grid::utm::{Utm, wrap};
use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};
use std::str::FromStr;

/// EPSG code of longitude and latitude on WGS 84, by definition.
pub(super) const LON_LAT: u32 = 4326;

/// A reference system with coordinates in the order x, y (longitude before latitude).
///
/// ```
/// use probav_ard::cube::Crs;
///
/// let laea: Crs = "EPSG:3035".parse()?;
/// // the natural origin of the European grid is 10° E, 52° N
/// let (lon, lat) = laea.to_lon_lat(&[(4_321_000.0, 3_210_000.0)])?[0];
/// assert!((lon - 10.0).abs() < 1e-6 && (lat - 52.0).abs() < 1e-6);
/// assert!("EPSG:1".parse::<Crs>().is_err());
/// # Ok::<(), probav_ard::cube::CubeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crs {
    epsg: u32,
    geographic: bool,
}

impl Crs {
    /// WGS 84, longitude and latitude in degrees.
    pub const LON_LAT: Crs = Crs {
        epsg: LON_LAT,
        geographic: true,
    };

    /// The system of an EPSG code.
    ///
    /// # Errors
    /// [`CubeError::Request`] when PROJ does not know the code, or it is neither geographic nor projected in metres.
    pub fn from_epsg(epsg: u32) -> Result<Crs, CubeError> {
        if epsg == LON_LAT {
            return Ok(Crs::LON_LAT);
        }
        if is_utm(epsg) {
            return Ok(Crs {
                epsg,
                geographic: false,
            });
        }
        let bad = |why: &str| {
            CubeError::Request(format!(
                "EPSG:{epsg} {why}; give a geographic or projected system, as EPSG:4326 or EPSG:3035"
            ))
        };
        let srs = spatial_ref(epsg).map_err(|_| bad("is no reference system that PROJ knows"))?;
        match (srs.is_geographic(), srs.is_projected()) {
            (true, _) => Ok(Crs {
                epsg,
                geographic: true,
            }),
            (_, true) if srs.linear_units() == 1.0 => Ok(Crs {
                epsg,
                geographic: false,
            }),
            (_, true) => Err(bad("is not in metres")),
            _ => Err(bad("is neither geographic nor projected")),
        }
    }

    /// EPSG code.
    pub fn epsg(&self) -> u32 {
        self.epsg
    }

    /// True when coordinates are degrees.
    pub fn is_geographic(&self) -> bool {
        self.geographic
    }

    /// Well-known text.
    ///
    /// # Errors
    /// [`CubeError::Request`] when PROJ does not know the code.
    pub fn wkt(&self) -> Result<String, CubeError> {
        spatial_ref(self.epsg)
            .and_then(|s| s.to_wkt())
            .map_err(|e| self.failed(&e))
    }

    /// Parameter of the projection in the words of WKT 1, where it has it.
    pub(super) fn parameter(&self, name: &str) -> Option<f64> {
        spatial_ref(self.epsg).ok()?.get_proj_param(name).ok()?
    }

    /// Name of the projection in the words of WKT 1.
    pub(super) fn projection(&self) -> Option<String> {
        let srs = spatial_ref(self.epsg).ok()?;
        srs.get_attr_value("PROJECTION", 0).ok()?
    }

    /// Longitudes (−180…180) and latitudes, degrees, of points; not a number where a point has none.
    ///
    /// # Errors
    /// [`CubeError::Request`] when PROJ has no way between the systems.
    pub fn to_lon_lat(&self, points: &[(f64, f64)]) -> Result<Vec<(f64, f64)>, CubeError> {
        if self.epsg == LON_LAT {
            return Ok(points.iter().map(|p| (wrap(p.0), p.1)).collect());
        }
        if let Some(utm) = self.utm() {
            let inverse = |p: &(f64, f64)| utm.inverse(EastNorth::new(p.0, p.1)).xy();
            return Ok(points.iter().map(inverse).collect());
        }
        self.through_proj(points, false)
    }

    /// Coordinates of longitudes and latitudes, degrees; not a number where a point has none. Longitudes on
    /// WGS 84 stay as they are, beyond ±180° too.
    ///
    /// # Errors
    /// As [`Crs::to_lon_lat`].
    pub fn of_lon_lat(&self, points: &[(f64, f64)]) -> Result<Vec<(f64, f64)>, CubeError> {
        if self.epsg == LON_LAT {
            return Ok(points.to_vec());
        }
        if let Some(utm) = self.utm() {
            let forward = |p: &(f64, f64)| utm.forward(LonLat::new(p.0, p.1)).xy();
            return Ok(points.iter().map(forward).collect());
        }
        let wrapped: Vec<_> = points.iter().map(|p| (wrap(p.0), p.1)).collect();
        self.through_proj(&wrapped, true)
    }

    /// The zone, of a UTM system on WGS 84.
    pub(super) fn utm(&self) -> Option<Utm> {
        is_utm(self.epsg).then(|| Utm::new(self.epsg))
    }

    fn through_proj(
        &self,
        points: &[(f64, f64)],
        from_lon_lat: bool,
    ) -> Result<Vec<(f64, f64)>, CubeError> {
        let own = spatial_ref(self.epsg).map_err(|e| self.failed(&e))?;
        let degrees = spatial_ref(LON_LAT).map_err(|e| self.failed(&e))?;
        let (from, to) = match from_lon_lat {
            true => (&degrees, &own),
            false => (&own, &degrees),
        };
        let way = CoordTransform::new(from, to).map_err(|e| self.failed(&e))?;
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        if way.transform_coords(&mut x, &mut y, &mut []).is_ok() {
            return Ok(x.into_iter().zip(y).collect());
        }
        // one point without a place fails them all: the others are found singly
        let each = points.iter().map(|p| {
            let (mut x, mut y) = ([p.0], [p.1]);
            match way.transform_coords(&mut x, &mut y, &mut []) {
                Ok(()) if x[0].is_finite() && y[0].is_finite() => (x[0], y[0]),
                _ => (f64::NAN, f64::NAN),
            }
        });
        Ok(each.collect())
    }

    fn failed(&self, error: &gdal::errors::GdalError) -> CubeError {
        CubeError::Request(format!(
            "EPSG:{}: {error}; give another --grid or --crs",
            self.epsg
        ))
    }
}

impl FromStr for Crs {
    type Err = CubeError;

    /// `EPSG:3035`, or `CRS84` for longitude and latitude in any of its spellings.
    fn from_str(text: &str) -> Result<Crs, CubeError> {
        let name = text.trim().to_ascii_uppercase();
        if matches!(name.as_str(), "CRS84" | "OGC:CRS84" | "CRS:84")
            || name.ends_with("/OGC/1.3/CRS84")
        {
            return Ok(Crs::LON_LAT);
        }
        let code = name
            .strip_prefix("EPSG:")
            .or_else(|| name.strip_prefix("HTTP://WWW.OPENGIS.NET/DEF/CRS/EPSG/0/"))
            .unwrap_or(&name);
        let epsg = code.parse().map_err(|_| {
            CubeError::Request(format!(
                "'{text}' is no reference system; write EPSG and its code, as EPSG:3035"
            ))
        })?;
        Crs::from_epsg(epsg)
    }
}

fn is_utm(epsg: u32) -> bool {
    matches!(epsg, 32601..=32660 | 32701..=32760)
}

fn spatial_ref(epsg: u32) -> gdal::errors::Result<SpatialRef> {
    prepare();
    let mut srs = SpatialRef::from_epsg(epsg)?;
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(srs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_agree_with_proj() {
        // the other way into PROJ, with its own normalisation of axes
        for (epsg, points) in [
            (3035, [(4.5, 50.9), (10.0, 52.0), (-8.0, 40.1)]),
            (3857, [(4.5, 50.9), (179.5, -20.0), (-8.0, 40.1)]),
            (32631, [(4.5, 50.9), (0.2, 10.0), (6.2, 49.0)]),
        ] {
            let peer =
                proj::Proj::new_known_crs("EPSG:4326", &format!("EPSG:{epsg}"), None).unwrap();
            let crs = Crs::from_epsg(epsg).unwrap();
            let ours = crs.of_lon_lat(&points).unwrap();
            let back = crs.to_lon_lat(&ours).unwrap();
            for ((p, own), again) in points.iter().zip(&ours).zip(&back) {
                let theirs = peer.convert(*p).unwrap();
                assert!((own.0 - theirs.0).abs() < 1e-3 && (own.1 - theirs.1).abs() < 1e-3);
                assert!((again.0 - p.0).abs() < 1e-8 && (again.1 - p.1).abs() < 1e-8);
            }
        }
    }

    #[test]
    fn what_is_no_reference_system_is_refused() {
        for bad in ["", "EPSG:", "EPSG:99999", "EPSG:5773", "EPSG:2263", "utm31"] {
            assert!(bad.parse::<Crs>().is_err(), "{bad}");
        }
        assert_eq!("crs84".parse::<Crs>().unwrap(), Crs::LON_LAT);
        assert_eq!("3035".parse::<Crs>().unwrap().epsg(), 3035);
    }
}
