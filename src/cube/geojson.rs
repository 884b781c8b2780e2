//! Polygons from GeoJSON (RFC 7946).

use super::{CubeError, Polygon};
use serde_json::Value;
use std::path::Path;

/// Points of all polygons together; chosen: ten times a coast in detail.
const MAX_POINTS: usize = 100_000;
/// Bytes of a file; chosen: room for so many points with all their digits.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The polygons of a GeoJSON file.
///
/// # Errors
/// [`CubeError::Polygon`], naming the file and what is wrong.
pub fn polygons(path: &Path) -> Result<Vec<Polygon>, CubeError> {
    let bad = |message: String| CubeError::Polygon {
        path: path.to_path_buf(),
        message,
    };
    let size = std::fs::metadata(path).map_err(|e| bad(e.to_string()))?;
    if !size.is_file() || size.len() > MAX_BYTES {
        return Err(bad(format!("not a file of at most {MAX_BYTES} bytes")));
    }
    let text = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
    let value: Value = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
    let mut found = Vec::new();
    collect(&value, &mut found).map_err(bad)?;
    let points = found.iter().flat_map(|p| &p.rings).map(Vec::len).sum();
    match points {
        0 => Err(bad("holds no polygon".to_string())),
        n if n > MAX_POINTS => Err(bad(format!("{n} points, {MAX_POINTS} are allowed"))),
        _ => Ok(found),
    }
}

fn collect(value: &Value, found: &mut Vec<Polygon>) -> Result<(), String> {
    let list = |key: &str| {
        value[key]
            .as_array()
            .ok_or_else(|| format!("'{key}' is no list"))
    };
    match value["type"].as_str() {
        Some("FeatureCollection") => {
            let features = list("features")?;
            features.iter().try_for_each(|f| match f["type"].as_str() {
                Some("Feature") => collect(f, found),
                _ => Err("a member of 'features' is no Feature".to_string()),
            })
        }
        // deeper nesting than a geometry in a feature does not exist
        Some("Feature") => match value["geometry"]["type"].as_str() {
            Some("Polygon" | "MultiPolygon") => collect(&value["geometry"], found),
            other => Err(format!("a geometry of type {other:?}")),
        },
        Some("Polygon") => {
            found.push(polygon(list("coordinates")?)?);
            Ok(())
        }
        Some("MultiPolygon") => list("coordinates")?.iter().try_for_each(|p| {
            found.push(polygon(p.as_array().ok_or("a polygon is no list")?)?);
            Ok(())
        }),
        other => Err(format!("of type {other:?}")),
    }
}

fn polygon(rings: &[Value]) -> Result<Polygon, String> {
    let rings: Result<Vec<_>, String> = rings.iter().map(ring).collect();
    match rings? {
        none if none.is_empty() => Err("a polygon without rings".to_string()),
        rings => Ok(Polygon { rings }),
    }
}

fn ring(value: &Value) -> Result<Vec<(f64, f64)>, String> {
    let points = value.as_array().ok_or("a ring is no list")?;
    let place = |p: &Value| match (p[0].as_f64(), p[1].as_f64()) {
        (Some(lon), Some(lat)) if lon.abs() <= 360.0 && lat.abs() <= 90.0 => Ok((lon, lat)),
        _ => Err(format!("{p} is no longitude and latitude")),
    };
    let points: Vec<_> = points.iter().map(place).collect::<Result<_, String>>()?;
    match points.len() {
        0..4 => Err("a ring of fewer than four points".to_string()),
        _ => Ok(points),
    }
}
