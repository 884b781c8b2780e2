//! Footprints: GeoJSON, well-known binary, and whether two places meet.

use super::CatalogError;
use geo::{BoundingRect, Geometry, Intersects, Rect};
use geo_traits::to_geo::ToGeoGeometry;
use serde::Deserialize;
use serde_json::Value;

/// West, south, east, north, degrees; west > east crosses the antimeridian (RFC 7946, 5.2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bbox(pub [f64; 4]);

impl Bbox {
    /// `W,S,E,N` in degrees.
    ///
    /// ```
    /// use probav_ard::catalog::Bbox;
    /// assert_eq!(Bbox::parse("179,-20,-179,-10").unwrap(), Bbox([179.0, -20.0, -179.0, -10.0]));
    /// assert!(Bbox::parse("0,10,1,5").is_err());
    /// ```
    ///
    /// # Errors
    /// [`CatalogError::Query`] when these are not four numbers on the globe, or south lies north of north.
    pub fn parse(text: &str) -> Result<Bbox, CatalogError> {
        let bad = || {
            CatalogError::Query(format!(
                "'{text}' is no box: expected west,south,east,north in degrees, longitudes within ±180 and south ≤ north"
            ))
        };
        let all: Result<Vec<f64>, _> = text.split(',').map(|t| t.trim().parse()).collect();
        let Ok([w, s, e, n]) = <[f64; 4]>::try_from(all.map_err(|_| bad())?) else {
            return Err(bad());
        };
        let fits = w.abs() <= 180.0 && e.abs() <= 180.0 && s.abs() <= 90.0 && n.abs() <= 90.0;
        if fits && s <= n {
            Ok(Bbox([w, s, e, n]))
        } else {
            Err(bad())
        }
    }

    /// True across the antimeridian.
    pub(super) fn crosses(&self) -> bool {
        self.0[0] > self.0[2]
    }

    /// One box, or two on either side of the antimeridian.
    fn pieces(&self) -> Vec<Rect> {
        let [w, s, e, n] = self.0;
        let rect = |w: f64, e: f64| Rect::new((w, s), (e, n));
        if w > e {
            vec![rect(w, 180.0), rect(-180.0, e)]
        } else {
            vec![rect(w, e)]
        }
    }

    /// True when both share a point.
    pub(super) fn meets(&self, other: &Bbox) -> bool {
        let theirs = other.pieces();
        self.pieces()
            .iter()
            .any(|a| theirs.iter().any(|b| a.intersects(b)))
    }

    /// The smallest box around both; the whole circle where one crosses the antimeridian.
    pub(super) fn around(&self, other: &Bbox) -> Bbox {
        let whole = |b: &Bbox| {
            if b.crosses() {
                (-180.0, 180.0)
            } else {
                (b.0[0], b.0[2])
            }
        };
        let ((aw, ae), (bw, be)) = (whole(self), whole(other));
        Bbox([
            aw.min(bw),
            self.0[1].min(other.0[1]),
            ae.max(be),
            self.0[3].max(other.0[3]),
        ])
    }
}

/// A place asked for: any of several geometries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Region {
    parts: Vec<(Bbox, Geometry)>,
}

impl Region {
    /// A box in longitude and latitude.
    pub fn of_bbox(bbox: &Bbox) -> Region {
        let part = |r: Rect| (of_rect(&r), Geometry::Polygon(r.to_polygon()));
        Region {
            parts: bbox.pieces().into_iter().map(part).collect(),
        }
    }

    /// A GeoJSON geometry, feature or collection of features; polygons across the antimeridian have to be split
    /// there (RFC 7946, 3.1.9).
    ///
    /// # Errors
    /// [`CatalogError::Query`] when the text is no GeoJSON or holds no geometry.
    pub fn of_geojson(text: &str) -> Result<Region, CatalogError> {
        let read: geojson::GeoJson = text
            .parse()
            .map_err(|e| CatalogError::Query(format!("no GeoJSON: {e}")))?;
        let all = geo::GeometryCollection::<f64>::try_from(&read)
            .map_err(|e| CatalogError::Query(format!("no usable geometry: {e}")))?;
        let parts: Vec<_> = all
            .into_iter()
            .filter_map(|g| Some((of_rect(&g.bounding_rect()?), g)))
            .collect();
        if parts.is_empty() {
            return Err(CatalogError::Query(
                "GeoJSON without a geometry".to_string(),
            ));
        }
        Ok(Region { parts })
    }

    /// True when a box comes near.
    pub(super) fn may_meet(&self, bbox: &Bbox) -> bool {
        self.parts.iter().any(|(b, _)| b.meets(bbox))
    }

    /// True when a footprint shares a point with the region.
    pub(super) fn meets(&self, footprint: &Geometry) -> bool {
        self.parts.iter().any(|(_, g)| g.intersects(footprint))
    }
}

fn of_rect(r: &Rect) -> Bbox {
    Bbox([r.min().x, r.min().y, r.max().x, r.max().y])
}

/// Well-known binary of a GeoJSON geometry, hexadecimal, with the name of its type.
pub(super) fn to_wkb(geometry: &Value) -> Result<(String, String), String> {
    let read = geojson::Geometry::deserialize(geometry).map_err(|e| e.to_string())?;
    let name = geometry["type"].as_str().unwrap_or_default().to_string();
    let geometry = Geometry::<f64>::try_from(read).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    wkb::writer::write_geometry(&mut bytes, &geometry, &wkb::writer::WriteOptions::default())
        .map_err(|e| e.to_string())?;
    Ok((crate::formats::sha256::hex(&bytes), name))
}

/// A geometry from its well-known binary.
pub(super) fn read_wkb(bytes: &[u8]) -> Option<Geometry> {
    wkb::reader::read_wkb(bytes).ok()?.try_to_geometry()
}

/// GeoJSON of a geometry in hexadecimal well-known binary.
pub(super) fn from_wkb(hex: &str) -> Option<Value> {
    let digits: Option<Vec<u8>> = (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok())
        .collect();
    let geometry = read_wkb(&digits?)?;
    serde_json::to_value(geojson::Geometry::from(&geometry)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn geojson_goes_through_binary_unchanged() {
        for geometry in [
            json!({ "type": "Polygon", "coordinates": [[[0.1, 1.0], [2.0, 1.5], [1.0, 3.123456], [0.1, 1.0]]] }),
            json!({ "type": "MultiPolygon", "coordinates": [
                [[[179.0, 1.0], [180.0, 1.0], [180.0, 2.0], [179.0, 1.0]]],
                [[[-180.0, 1.0], [-179.0, 1.0], [-180.0, 2.0], [-180.0, 1.0]]]] }),
        ] {
            let (hex, name) = to_wkb(&geometry).unwrap();
            assert_eq!(name, geometry["type"]);
            assert_eq!(from_wkb(&hex).unwrap(), geometry);
        }
    }

    #[test]
    fn boxes_meet_across_the_antimeridian() {
        let fiji = Bbox([177.0, -19.0, -178.0, -16.0]);
        assert!(fiji.meets(&Bbox([-179.0, -18.0, -170.0, -17.0])));
        assert!(fiji.meets(&Bbox([178.0, -18.0, 179.0, -17.0])));
        assert!(!fiji.meets(&Bbox([-10.0, -18.0, 10.0, -17.0])));
        assert!(Bbox([170.0, 0.0, -170.0, 1.0]).meets(&Bbox([175.0, 0.5, -175.0, 2.0])));
    }

    #[test]
    fn a_box_that_only_the_hull_touches_is_not_met() {
        // a triangle: the upper right corner of its box is empty
        let region = Region::of_geojson(
            r#"{"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [0, 10], [0, 0]]]}"#,
        )
        .unwrap();
        let corner = Bbox([8.0, 8.0, 9.0, 9.0]);
        assert!(region.may_meet(&corner));
        assert!(!region.meets(&Region::of_bbox(&corner).parts[0].1));
        assert!(region.meets(&Region::of_bbox(&Bbox([1.0, 1.0, 2.0, 2.0])).parts[0].1));
    }
}
