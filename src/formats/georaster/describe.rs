//! What a raster covers and which files it is made of, without reading its values: what the identity of an input needs.

use super::endings::{Purpose, ending};
use super::source::{Crs, Opening, Source, x_first};
use super::trust::Trust;
use super::{GeoRasterError, sidecar, vrt};
use crate::types::geometry::{EastNorth, LonLat};
use crate::types::grid::utm::Utm;
use gdal::spatial_ref::{CoordTransform, SpatialRef};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Points along each side of an outline: between them a side of 1000 km in UTM or a polar projection is straight in
/// longitude and latitude to about 1 km. Chosen.
const POINTS: usize = 24;
/// Points along each side of a part of a VRT, of which there are thousands; chosen.
const POINTS_OF_PART: usize = 4;

/// A closed ring of longitudes and latitudes, degrees; the first point is not repeated. Longitudes are continuous: a ring
/// across 180° goes on beyond it, one around a pole is closed along it.
pub type Ring = Vec<(f64, f64)>;

/// One file behind a VRT, and where its values lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The file.
    pub file: PathBuf,
    /// Where it is used.
    pub outline: Ring,
}

/// A raster as an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// What it covers.
    pub outline: Ring,
    /// Every file that its values depend on wherever one looks: the file itself, files beside it, and what a VRT refers
    /// to without saying where; of a VRT not the file itself. Sorted, each once.
    pub files: Vec<PathBuf>,
    /// What a VRT says beside its sources, its size and its place.
    pub settings: Option<String>,
    /// Files behind a VRT that matter only within their own outlines, those beside them included; sorted.
    pub parts: Vec<Part>,
}

/// Describes a raster.
///
/// ```
/// use probav_ard::formats::georaster::{Trust, describe};
///
/// let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/archive/dem/dem.tif");
/// let found = describe(file.as_ref(), &Trust::default())?;
/// assert_eq!(found.files, [std::path::Path::new(file)]);
/// assert!(found.parts.is_empty() && found.outline.len() > 4);
/// # Ok::<(), probav_ard::formats::georaster::GeoRasterError>(())
/// ```
///
/// # Errors
/// [`GeoRasterError`] when it cannot be used as a raster, or refers to files outside the folders trusted.
pub fn describe(path: &Path, trust: &Trust) -> Result<Description, GeoRasterError> {
    let opening = Opening {
        purpose: Purpose::Values,
        trust: Arc::new(trust.clone()),
        band: 1,
    };
    let source = Source::open(path, &opening)?;
    let place = Place::of(&source);
    let whole = [0.0, 0.0, source.width as f64, source.height as f64];
    let mut files = BTreeSet::from([path.to_path_buf()]);
    let mut parts = Vec::new();
    if path.is_file() {
        files.extend(sidecar::beside(path));
    }
    let mut settings = None;
    if ending(path) == "vrt" && path.is_file() {
        settings = Some(vrt::settings(path)?);
        files.remove(path);
        vrt::follow(path, trust, &mut |file, fills| {
            let mut all = sidecar::beside(file);
            all.push(file.to_path_buf());
            match fills {
                Some(part) => {
                    let outline = place.ring(part, POINTS_OF_PART);
                    parts.extend(all.into_iter().map(|file| Part {
                        file,
                        outline: outline.clone(),
                    }));
                }
                None => files.extend(all),
            }
        })?;
    }
    parts.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(Description {
        outline: place.ring(whole, POINTS),
        files: files.into_iter().collect(),
        settings,
        parts,
    })
}

/// The way from pixels to longitude and latitude.
struct Place<'a> {
    source: &'a Source,
    /// For projections that PROJ must know.
    transform: Option<CoordTransform>,
}

impl Place<'_> {
    fn of(source: &Source) -> Place<'_> {
        let transform = match &source.crs {
            Crs::Geographic(wkt) | Crs::Other(wkt) => transform(wkt),
            Crs::Wgs84 | Crs::Utm(_) => None,
        };
        Place { source, transform }
    }

    /// Outline of a part (column, row, columns, rows); the whole globe where a point of it has no place.
    fn ring(&self, [col, row, width, height]: [f64; 4], points: usize) -> Ring {
        let corners = [
            (col, row),
            (col + width, row),
            (col + width, row + height),
            (col, row + height),
        ];
        let s = self.source;
        let mut x = Vec::with_capacity(4 * points);
        let mut y = Vec::with_capacity(4 * points);
        for k in 0..4 {
            let (a, b) = (corners[k], corners[(k + 1) % 4]);
            for i in 0..points {
                let f = i as f64 / points as f64;
                x.push(s.x0 + s.dx * (a.0 + f * (b.0 - a.0)));
                y.push(s.y0 + s.dy * (a.1 + f * (b.1 - a.1)));
            }
        }
        let known = match (&s.crs, &self.transform) {
            (Crs::Wgs84, _) => true,
            (Crs::Utm(epsg), _) => {
                let utm = Utm::new(*epsg);
                for (x, y) in x.iter_mut().zip(&mut y) {
                    let LonLat { lon, lat } = utm.inverse(EastNorth::new(*x, *y));
                    (*x, *y) = (lon, lat);
                }
                true
            }
            (_, Some(to)) => to.transform_coords(&mut x, &mut y, &mut []).is_ok(),
            (_, None) => false,
        };
        let sound = x.iter().chain(&y).all(|v| v.is_finite()) && y.iter().all(|v| v.abs() <= 91.0);
        match known && sound {
            true => closed(x.into_iter().zip(y).collect()),
            false => globe(),
        }
    }
}

fn transform(wkt: &str) -> Option<CoordTransform> {
    let from = x_first(SpatialRef::from_wkt(wkt).ok()?);
    let to = x_first(SpatialRef::from_epsg(4326).ok()?);
    CoordTransform::new(&from, &to).ok()
}

/// Makes longitudes continuous; a ring that goes once around is closed over its pole.
fn closed(mut ring: Ring) -> Ring {
    for k in 1..ring.len() {
        let turns = ((ring[k].0 - ring[k - 1].0) / 360.0).round();
        ring[k].0 -= 360.0 * turns;
    }
    let (Some(first), Some(last)) = (ring.first().copied(), ring.last().copied()) else {
        return ring;
    };
    let around = ((last.0 - first.0) / 360.0).round();
    if around != 0.0 {
        let north: f64 = ring.iter().map(|p| p.1).sum();
        let pole = if north < 0.0 { -90.0 } else { 90.0 };
        let end = first.0 + 360.0 * around;
        ring.extend([(end, first.1), (end, pole), (first.0, pole)]);
    }
    ring
}

fn globe() -> Ring {
    vec![
        (-180.0, -90.0),
        (180.0, -90.0),
        (180.0, 90.0),
        (-180.0, 90.0),
    ]
}
