//! OGC CoverageJSON 1.0: points as a collection of PointSeries, an area as one Grid.

use super::table::{number, time};
use crate::cube::{Crs, Gathered};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::ops::Range;

/// A cube as CoverageJSON, values in physical units, `null` for no data. Points outside all data are left out.
pub fn coverage_json(cube: &Gathered) -> String {
    let times: Vec<String> = (0..cube.axis.len()).map(|k| time(cube, k)).collect();
    let parameters: Map<String, Value> = cube
        .variables
        .iter()
        .map(|v| {
            let words = json!({
                "type": "Parameter",
                "description": { "en": v.spec.long_name },
                "unit": { "symbol": v.spec.units },
                "observedProperty": { "label": { "en": v.spec.name } },
            });
            (v.spec.name.to_string(), words)
        })
        .collect();
    let crs = cube.grid.map_or(Crs::LON_LAT, |g| g.1);
    let referencing = json!([
        { "coordinates": ["x", "y"], "system": system(&crs) },
        { "coordinates": ["t"], "system": { "type": "TemporalRS", "calendar": "Gregorian" } },
    ]);
    let mut out = String::new();
    match &cube.grid {
        Some((grid, _)) => {
            let x: Vec<f64> = (0..grid.width).map(|c| grid.centre(0, c).east).collect();
            let y: Vec<f64> = (0..grid.height).map(|r| grid.centre(r, 0).north).collect();
            let coverage = json!({
                "type": "Coverage",
                "domain": {
                    "type": "Domain",
                    "domainType": "Grid",
                    "axes": { "x": { "values": x }, "y": { "values": y }, "t": { "values": times } },
                    "referencing": referencing,
                },
                "parameters": parameters,
            });
            let shape = [times.len(), grid.height, grid.width];
            let pixels = 0..grid.height * grid.width;
            with_ranges(&mut out, &coverage, cube, &pixels, &["t", "y", "x"], &shape);
        }
        None => {
            let head = json!({
                "type": "CoverageCollection",
                "domainType": "PointSeries",
                "parameters": parameters,
                "referencing": referencing,
            });
            open(&mut out, &head, "coverages");
            out.push('[');
            let points = cube.positions.iter().enumerate();
            let covered = points.filter(|(k, _)| cube.tiles[*k].is_some());
            for (n, (k, p)) in covered.enumerate() {
                if n > 0 {
                    out.push(',');
                }
                let axes = json!({
                    "x": { "values": [p.0] }, "y": { "values": [p.1] }, "t": { "values": times },
                });
                let coverage = json!({
                    "type": "Coverage",
                    "domain": { "type": "Domain", "domainType": "PointSeries", "axes": axes },
                });
                with_ranges(
                    &mut out,
                    &coverage,
                    cube,
                    &(k..k + 1),
                    &["t"],
                    &[times.len()],
                );
            }
            out.push_str("]}");
        }
    }
    out.push('\n');
    out
}

/// An object up to the value of one more member.
fn open(out: &mut String, head: &Value, member: &str) {
    let text = head.to_string();
    out.push_str(text.strip_suffix('}').unwrap_or(&text));
    let _ = write!(out, ",\"{member}\":");
}

/// A coverage with the values of some pixels, all steps. Values are written one by one: a tree of them would need ten times
/// their memory.
fn with_ranges(
    out: &mut String,
    coverage: &Value,
    cube: &Gathered,
    pixels: &Range<usize>,
    axes: &[&str],
    shape: &[usize],
) {
    open(out, coverage, "ranges");
    out.push('{');
    for (n, (variable, values)) in cube.variables.iter().zip(&cube.values).enumerate() {
        let integer = variable.spec.scale.is_none();
        let head = json!({
            "type": "NdArray",
            "dataType": if integer { "integer" } else { "float" },
            "axisNames": axes,
            "shape": shape,
        });
        if n > 0 {
            out.push(',');
        }
        let _ = write!(out, "\"{}\":", variable.spec.name);
        open(out, &head, "values");
        let cols = values.dim().2.max(1);
        let each =
            (0..values.dim().0).flat_map(|t| pixels.clone().map(move |k| (t, k / cols, k % cols)));
        for (n, at) in each.enumerate() {
            out.push(if n == 0 { '[' } else { ',' });
            match number(variable, values[at]) {
                none if none.is_empty() => out.push_str("null"),
                digits => out.push_str(&digits),
            }
        }
        out.push_str("]}");
    }
    out.push_str("}}");
}

fn system(crs: &Crs) -> Value {
    match *crs == Crs::LON_LAT {
        true => json!({
            "type": "GeographicCRS", "id": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        }),
        false => json!({
            "type": if crs.is_geographic() { "GeographicCRS" } else { "ProjectedCRS" },
            "id": format!("http://www.opengis.net/def/crs/EPSG/0/{}", crs.epsg()),
        }),
    }
}
