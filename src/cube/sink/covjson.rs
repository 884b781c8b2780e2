//! OGC CoverageJSON 1.0: points as a collection of PointSeries, an area as one Grid.

use super::table::{number, time};
use crate::cube::{Crs, Gathered};
use serde_json::{Map, Value, json};

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
    let document = match &cube.grid {
        Some((grid, _)) => {
            let x: Vec<f64> = (0..grid.width).map(|c| grid.centre(0, c).east).collect();
            let y: Vec<f64> = (0..grid.height).map(|r| grid.centre(r, 0).north).collect();
            let domain = json!({
                "type": "Domain",
                "domainType": "Grid",
                "axes": { "x": { "values": x }, "y": { "values": y }, "t": { "values": times } },
                "referencing": referencing,
            });
            let shape = [times.len(), grid.height, grid.width];
            let all = |_: usize| 0..grid.height * grid.width;
            json!({
                "type": "Coverage",
                "domain": domain,
                "parameters": parameters,
                "ranges": ranges(cube, all(0), &["t", "y", "x"], &shape),
            })
        }
        None => {
            let points = cube.positions.iter().enumerate();
            let covered = points.filter(|(k, _)| cube.tiles[*k].is_some());
            let coverages: Vec<Value> = covered
                .map(|(k, p)| {
                    json!({
                        "type": "Coverage",
                        "domain": {
                            "type": "Domain",
                            "domainType": "PointSeries",
                            "axes": {
                                "x": { "values": [p.0] }, "y": { "values": [p.1] },
                                "t": { "values": times },
                            },
                        },
                        "ranges": ranges(cube, k..k + 1, &["t"], &[times.len()]),
                    })
                })
                .collect();
            json!({
                "type": "CoverageCollection",
                "domainType": "PointSeries",
                "parameters": parameters,
                "referencing": referencing,
                "coverages": coverages,
            })
        }
    };
    format!("{document}\n")
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

/// Values of pixels, all steps of each variable.
fn ranges(
    cube: &Gathered,
    pixels: std::ops::Range<usize>,
    axes: &[&str],
    shape: &[usize],
) -> Value {
    let mut out = Map::new();
    for (variable, values) in cube.variables.iter().zip(&cube.values) {
        let cols = values.dim().2.max(1);
        let steps = 0..values.dim().0;
        let each = steps.flat_map(|t| pixels.clone().map(move |k| (t, k / cols, k % cols)));
        let numbers: Vec<Value> = each
            // the text keeps the digits of the scale, which the product of binary numbers does not
            .map(|at| serde_json::from_str(&number(variable, values[at])).unwrap_or(Value::Null))
            .collect();
        let integer = variable.spec.scale.is_none();
        let range = json!({
            "type": "NdArray",
            "dataType": if integer { "integer" } else { "float" },
            "axisNames": axes,
            "shape": shape,
            "values": numbers,
        });
        out.insert(variable.spec.name.to_string(), range);
    }
    Value::Object(out)
}
