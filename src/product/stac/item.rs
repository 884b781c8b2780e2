//! Items of acquisitions and of screened masks.

use super::asset::{merge, projection};
use super::collection::Kind;
use super::footprint::Footprint;
use super::links::{self, Input};
use super::{VERSION, extension, rounded, software};
use crate::product::AcquisitionId;
use crate::types::grid::{GridSpec, TileId};
use crate::types::observation::Angles;
use crate::types::status::{sm, usable};
use chrono::SecondsFormat;
use ndarray::{Array2, Zip};
use serde_json::{Map, Value, json};

/// Folders between the output folder and an item: tiles, zone, band, square, kind, year, name.
const DEPTH: usize = 7;

/// Shares and means of one acquisition, percent and degrees.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::product) struct Summary {
    /// Cells with an observation, % of the grid.
    pub observed: f64,
    /// Cells with USABLE = 1, % of the observed.
    pub usable: f64,
    /// Cloud, % of the observed land with a decision; `None` without such land.
    pub cloud_over_land: Option<f64>,
    /// Snow, likewise.
    pub snow_over_land: Option<f64>,
}

impl Summary {
    /// From the masks: SM16 and USABLE, of one shape.
    pub(in crate::product) fn of(sm: &Array2<u16>, usable_mask: &Array2<u8>) -> Summary {
        let (mut seen, mut used, mut land, mut cloud, mut snow) = (0u64, 0u64, 0u64, 0u64, 0u64);
        let covered: u16 = sm::COVERED.iter().sum();
        Zip::from(sm).and(usable_mask).for_each(|status, u| {
            let class = status & sm::CLASS;
            seen += u64::from(status & covered != 0);
            used += u64::from(*u == usable::USABLE);
            if status & sm::LAND != 0 && status & covered != 0 && class != sm::UNDEFINED {
                land += 1;
                cloud += u64::from(class == sm::CLOUD);
                snow += u64::from(class == sm::SNOW);
            }
        });
        let share = |n: u64, of: u64| (of > 0).then(|| 100.0 * n as f64 / of as f64);
        Summary {
            observed: share(seen, sm.len() as u64).unwrap_or(0.0),
            usable: share(used, seen).unwrap_or(0.0),
            cloud_over_land: share(cloud, land),
            snow_over_land: share(snow, land),
        }
    }

    /// As JSON properties.
    pub(in crate::product) fn properties(&self) -> Value {
        let mut p = json!({
            "probav:observed_percent": rounded(self.observed, 2),
            "probav:usable_percent": rounded(self.usable, 2),
        });
        for (key, share) in [
            ("eo:cloud_cover", self.cloud_over_land),
            ("eo:snow_cover", self.snow_over_land),
        ] {
            if let Some(share) = share {
                p[key] = rounded(share, 2);
            }
        }
        p
    }
}

/// Mean angles over the cells that have them, as `view:` properties (VNIR view, Sun).
pub(in crate::product) fn view(angles: &Angles) -> Value {
    let mut p = json!({});
    let mut put = |key: &str, value: Option<f64>| {
        if let Some(value) = value {
            p[key] = rounded(value, 2);
        }
    };
    put("view:incidence_angle", mean(&angles.vnir_vza));
    put("view:azimuth", mean_azimuth(&angles.vnir_vaa));
    put("view:sun_azimuth", mean_azimuth(&angles.saa));
    put("view:sun_elevation", mean(&angles.sza).map(|z| 90.0 - z));
    p
}

fn mean(values: &Array2<f32>) -> Option<f64> {
    let (mut n, mut sum) = (0u32, 0.0);
    for v in values.iter().filter(|v| v.is_finite()) {
        n += 1;
        sum += f64::from(*v);
    }
    (n > 0).then(|| sum / f64::from(n))
}

/// Cells between those that a mean azimuth is taken from: azimuths vary slowly, the last digit kept is the same. Chosen
/// prime to the sides of the grids.
const AZIMUTH_STRIDE: usize = 59;

/// Direction of the mean vector.
fn mean_azimuth(values: &Array2<f32>) -> Option<f64> {
    let (mut east, mut north, mut n) = (0.0, 0.0, 0u32);
    for v in values
        .iter()
        .step_by(AZIMUTH_STRIDE)
        .filter(|v| v.is_finite())
    {
        let (s, c) = v.to_radians().sin_cos();
        east += f64::from(s);
        north += f64::from(c);
        n += 1;
    }
    (n > 0).then(|| east.atan2(north).to_degrees().rem_euclid(360.0))
}

/// `grid:` and `mgrs:` properties of a tile.
pub(in crate::product) fn tile_properties(tile: TileId) -> Value {
    json!({
        "grid:code": format!("MGRS-{tile}"),
        "mgrs:utm_zone": tile.zone(),
        "mgrs:latitude_band": tile.band_letter().to_string(),
        "mgrs:grid_square": tile.square(),
    })
}

/// What an item of one acquisition is made from.
#[derive(Debug)]
pub(in crate::product) struct ItemParts<'a> {
    /// Identity.
    pub id: AcquisitionId,
    /// Grid of every layer.
    pub grid: GridSpec,
    /// Footprint.
    pub footprint: Footprint,
    /// More properties, e.g. [`Summary::properties`] and [`view`].
    pub properties: Vec<Value>,
    /// What it was made from.
    pub inputs: &'a [Input],
    /// Assets by key, in order.
    pub assets: Map<String, Value>,
}

/// The item.
pub(in crate::product) fn item(parts: ItemParts<'_>) -> Value {
    let id = parts.id;
    let mut properties = json!({
        "datetime": id.time.to_rfc3339_opts(SecondsFormat::Secs, true),
        "platform": "proba-v",
        "instruments": ["vegetation"],
        "gsd": parts.grid.pixel,
        "probav:camera": id.camera.name(),
        "processing:level": "L2A",
        "processing:software": software(),
    });
    merge(&mut properties, projection(&parts.grid));
    merge(&mut properties, tile_properties(id.tile));
    for more in parts.properties {
        merge(&mut properties, more);
    }
    let kind = Kind::of(id.resolution);
    let mut links = links::place(kind, DEPTH);
    links.extend(links::derived_from(parts.inputs));
    json!({
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": used_extensions(&properties, &parts.assets),
        "id": id.to_string(),
        "collection": kind.id(),
        "geometry": parts.footprint.geometry,
        "bbox": parts.footprint.bbox_json(),
        "properties": properties,
        "links": links,
        "assets": parts.assets,
    })
}

/// The extensions whose fields occur: a schema may refuse an item that declares it and does not use it.
pub(super) fn used_extensions(
    properties: &Value,
    assets: &Map<String, Value>,
) -> Vec<&'static str> {
    let all = [
        ("proj:", extension::PROJECTION),
        ("raster:", extension::RASTER),
        ("eo:", extension::EO),
        ("grid:", extension::GRID),
        ("mgrs:", extension::MGRS),
        ("view:", extension::VIEW),
        ("processing:", extension::PROCESSING),
        ("classification:", extension::CLASSIFICATION),
        ("file:", extension::FILE),
        ("cube:", extension::DATACUBE),
        ("zarr:", extension::ZARR),
        ("accuracy:", extension::ACCURACY),
    ];
    let has = |value: &Value, prefix: &str| {
        let keys = |v: &Value| {
            v.as_object()
                .is_some_and(|o| o.keys().any(|k| k.starts_with(prefix)))
        };
        keys(value)
            || value["bands"]
                .as_array()
                .is_some_and(|b| b.iter().any(keys))
    };
    all.into_iter()
        .filter(|(prefix, _)| has(properties, prefix) || assets.values().any(|a| has(a, prefix)))
        .map(|(_, uri)| uri)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_land_only_and_skip_the_undecided() {
        let seen = sm::COVERED[1] | sm::LAND;
        let sm = ndarray::arr2(&[[
            seen | sm::CLOUD,
            seen,
            seen | sm::SNOW,
            seen | sm::UNDEFINED,
            sm::COVERED[1] | sm::CLOUD, // sea
            sm::UNDEFINED | sm::LAND,   // not observed
        ]]);
        let usable = ndarray::arr2(&[[
            usable::CLOUD,
            usable::USABLE,
            usable::SNOW,
            0,
            usable::CLOUD,
            0,
        ]]);
        let s = Summary::of(&sm, &usable);
        assert_eq!(s.cloud_over_land, Some(100.0 / 3.0));
        assert_eq!(s.snow_over_land, Some(100.0 / 3.0));
        assert_eq!((s.observed, s.usable), (500.0 / 6.0, 20.0));
        assert_eq!(
            Summary::of(&Array2::zeros((2, 2)), &Array2::zeros((2, 2))).cloud_over_land,
            None
        );
    }

    #[test]
    fn azimuths_average_across_north() {
        let values = ndarray::Array2::from_shape_fn((14, 14), |(r, c)| {
            if (r * 14 + c) % 2 == 0 { 350.0 } else { 30.0 }
        });
        assert!((mean_azimuth(&values).unwrap() - 10.0).abs() < 1e-3);
    }
}
