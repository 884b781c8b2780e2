//! A variable at the nodes: patches of several files put together, then bilinear.

use super::axis::{UNEVEN, same_lattice};
use super::layer::Layer;
use super::place::Place;
use super::select::{Bracket, Fields, Runs, brackets, nearest};
use super::time::utc;
use super::{CamsError, Variable, name_of};
use crate::types::grid::utm::wrap;
use crate::types::radiative_transfer::Origin;
use chrono::{DateTime, Utc};
use ndarray::Array2;
use std::collections::BTreeSet;
use std::ops::Range;

/// Coordinates closer than this are the same, degrees (32-bit longitudes are good to 3e-5); chosen.
const SAME_DEG: f64 = 2e-3;

/// A node one cell beyond the edge may be further by this share of a cell; chosen, rounding.
const ROUNDING: f64 = 1e-6;

/// Values in the file's unit at the nodes, their origin, and a line about it.
type Found = (Array2<f64>, Origin, String);

/// Fields of one valid time that one file may have: more are copies. Chosen: two, of which the second fills holes.
const COPIES: usize = 2;

/// Values of a variable, in the file's unit, at the nodes (NaN further than one cell outside the files),
/// and a line saying where they came from.
pub(super) fn at_nodes(
    layers: &[&Layer],
    variable: Variable,
    time: DateTime<Utc>,
    place: &Place,
) -> Result<Found, CamsError> {
    in_families(layers, variable, place, |family| {
        in_family(family, variable, time, place)
    })
}

/// The same from the fields of the day that are nearest in time, see [`nearest`].
pub(super) fn near_in_time(
    layers: &[&Layer],
    variable: Variable,
    time: DateTime<Utc>,
    place: &Place,
) -> Result<Found, CamsError> {
    in_families(layers, variable, place, |family| {
        nearest_in_family(family, variable, time, place)
    })
}

/// The first answer of the grids on which files lie.
fn in_families(
    layers: &[&Layer],
    variable: Variable,
    place: &Place,
    ask: impl Fn(&[&Layer]) -> Result<Found, CamsError>,
) -> Result<Found, CamsError> {
    let mut error = None;
    // a worse reason never hides a better one: hole, then time, then area
    let rank = |e: &CamsError| match e {
        CamsError::OutsideArea { .. } => 0,
        CamsError::OutsideTime { .. } => 1,
        CamsError::Gap { .. } => 2,
        _ => 3,
    };
    for family in families(layers) {
        match ask(&family) {
            Ok(found) => return Ok(found),
            Err(e) => {
                if error.as_ref().is_none_or(|old| rank(&e) > rank(old)) {
                    error = Some(e);
                }
            }
        }
    }
    Err(error.unwrap_or_else(|| outside(variable, place)))
}

pub(super) fn outside(variable: Variable, place: &Place) -> CamsError {
    let (lon, lat) = place.centre();
    CamsError::OutsideArea { variable, lat, lon }
}

/// Layers of one lattice each: their fields can be put together.
pub(super) fn families<'a>(layers: &[&'a Layer]) -> Vec<Vec<&'a Layer>> {
    let mut families: Vec<Vec<&Layer>> = Vec::new();
    for layer in layers {
        let fits = |f: &&mut Vec<&Layer>| {
            f.first().is_some_and(|first| {
                same_lattice(&first.lat, &layer.lat) && same_lattice(&first.lon, &layer.lon)
            })
        };
        match families.iter_mut().find(fits) {
            Some(family) => family.push(layer),
            None => families.push(vec![layer]),
        }
    }
    families
}

fn in_family(
    family: &[&Layer],
    variable: Variable,
    time: DateTime<Utc>,
    place: &Place,
) -> Result<Found, CamsError> {
    let near = near(family, place);
    if near.is_empty() {
        return Err(outside(variable, place));
    }
    if variable == Variable::Geopotential {
        let fields: Fields = (0..near.len()).map(|k| (k, 0)).collect();
        let values =
            Patch::read(&near, &fields, place)?.at(place, variable, time, &near, &fields)?;
        return Ok((values, Origin::Analysis, sources(&near, &fields)));
    }
    let mut error = None;
    for bracket in brackets(&runs(&near), variable, time)? {
        match between_steps(&bracket, &near, variable, place) {
            Ok(values) if values.iter().all(|v| v.is_nan()) => {
                error = error.or_else(|| Some(outside(variable, place)));
            }
            Ok(values) => {
                let origin = match bracket.before.0 {
                    None => Origin::Analysis,
                    Some(_) => Origin::Forecast,
                };
                return Ok((values, origin, words(&bracket, &near)));
            }
            Err(e) => error = error.or(Some(e)),
        }
    }
    Err(error.unwrap_or_else(|| outside(variable, place)))
}

fn nearest_in_family(
    family: &[&Layer],
    variable: Variable,
    time: DateTime<Utc>,
    place: &Place,
) -> Result<Found, CamsError> {
    let near = near(family, place);
    let Some((bracket, seconds)) = nearest(&runs(&near), time) else {
        return Err(outside(variable, place));
    };
    let values = between_steps(&bracket, &near, variable, place)?;
    if values.iter().all(|v| v.is_nan()) {
        return Err(outside(variable, place));
    }
    let origin = Origin::NearInTime {
        minutes: (seconds / 60.0).round() as u16,
    };
    let words = words(&bracket, &near);
    Ok((values, origin, format!("{words} (near in time)")))
}

/// Fields by run and time.
fn runs(layers: &[&Layer]) -> Runs {
    let mut runs = Runs::new();
    for (k, layer) in layers.iter().enumerate() {
        for (s, step) in layer.steps.iter().enumerate() {
            if let Some(valid) = step.valid {
                let series = runs.entry(step.run).or_default();
                let fields = series.entry(valid).or_default();
                let own = fields.iter().rev().take_while(|(l, _)| *l == k).count();
                if own < COPIES {
                    fields.push((k, s));
                }
            }
        }
    }
    runs
}

/// Values at the nodes, linear between two steps.
fn between_steps(
    bracket: &Bracket,
    layers: &[&Layer],
    variable: Variable,
    place: &Place,
) -> Result<Array2<f64>, CamsError> {
    let read = |(_, valid, fields): &(Option<i64>, i64, Fields)| {
        Patch::read(layers, fields, place)?.at(place, variable, utc(*valid), layers, fields)
    };
    let a = read(&bracket.before)?;
    if bracket.weight == 0.0 {
        return Ok(a);
    }
    let b = read(&bracket.after)?;
    Ok(&a + &((&b - &a) * bracket.weight))
}

/// The layers that reach the nodes: files of other areas must not take part in the choice of times.
pub(super) fn near<'a>(family: &[&'a Layer], place: &Place) -> Vec<&'a Layer> {
    family
        .iter()
        .filter(|l| !parts(l, place).is_empty())
        .copied()
        .collect()
}

/// Rows and columns of a layer around the nodes; columns once for every turn of longitude.
type Parts = Vec<(Range<usize>, Range<usize>, f64)>;

fn parts(layer: &Layer, place: &Place) -> Parts {
    let (west, south, east, north) = place.bounds();
    let rows = layer.lat.around(south, north);
    if rows.is_empty() {
        return Vec::new();
    }
    (-2..=2)
        .map(|turn| f64::from(turn) * 360.0)
        .map(|turn| {
            (
                rows.clone(),
                layer.lon.around(west - turn, east - turn),
                turn,
            )
        })
        .filter(|(_, cols, _)| !cols.is_empty())
        .collect()
}

/// The part of a field around the nodes, put together from the files that share the step.
pub(super) struct Patch {
    /// Latitudes, ascending.
    lat: Vec<f64>,
    /// Longitudes, ascending.
    lon: Vec<f64>,
    /// Cell size (latitude, longitude), degrees.
    cell: (f64, f64),
    /// Values, (latitude, longitude); NaN = missing in the file.
    values: Array2<f64>,
    /// Cells that a file holds.
    held: Array2<bool>,
}

impl Patch {
    pub(super) fn read(
        layers: &[&Layer],
        fields: &Fields,
        place: &Place,
    ) -> Result<Patch, CamsError> {
        let mut pieces = Vec::new();
        let mut cell = (1.0, 1.0);
        for (k, s) in fields {
            let Some((layer, step)) = layers.get(*k).and_then(|l| Some((l, l.steps.get(*s)?)))
            else {
                continue;
            };
            cell = (layer.lat.step(), layer.lon.step());
            for (rows, cols, turn) in parts(layer, place) {
                let lon: Vec<f64> = layer.lon.values(&cols).iter().map(|v| v + turn).collect();
                let lat = layer.lat.values(&rows).to_vec();
                pieces.push((lat, lon, layer.read(step, &rows, &cols)?));
            }
        }
        let lat = merged(pieces.iter().flat_map(|p| &p.0));
        let lon = merged(pieces.iter().flat_map(|p| &p.1));
        let mut patch = Patch {
            values: Array2::from_elem((lat.len(), lon.len()), f64::NAN),
            held: Array2::from_elem((lat.len(), lon.len()), false),
            lat,
            lon,
            cell,
        };
        for (lat, lon, values) in &pieces {
            for ((i, j), v) in values.indexed_iter() {
                let at = (index(&patch.lat, lat[i]), index(&patch.lon, lon[j]));
                if let (Some(row), Some(col)) = at
                    && patch.values[[row, col]].is_nan()
                {
                    patch.values[[row, col]] = *v;
                    patch.held[[row, col]] = true;
                }
            }
        }
        Ok(patch)
    }

    /// Bilinear values at the nodes; NaN further than one cell outside.
    pub(super) fn at(
        &self,
        place: &Place,
        variable: Variable,
        time: DateTime<Utc>,
        layers: &[&Layer],
        fields: &Fields,
    ) -> Result<Array2<f64>, CamsError> {
        let mut out = Array2::from_elem(place.lon.dim(), f64::NAN);
        for ((ij, lon), lat) in place.lon.indexed_iter().zip(&place.lat) {
            let rows = between(&self.lat, *lat, self.cell.0);
            let cols = between(&self.lon, *lon, self.cell.1);
            let (Some(rows), Some(cols)) = (rows, cols) else {
                continue;
            };
            let mut sum = 0.0;
            let mut held = true;
            for (row, wy) in rows {
                for (col, wx) in cols {
                    if wy * wx > 0.0 {
                        held &= self.held[[row, col]];
                        sum += wy * wx * self.values[[row, col]];
                    }
                }
            }
            if !held {
                continue;
            }
            if sum.is_nan() {
                let first = fields.first().and_then(|f| layers.get(f.0));
                return Err(CamsError::Hole {
                    path: first.map(|l| l.path.clone()).unwrap_or_default(),
                    variable,
                    time,
                    lat: *lat,
                    lon: wrap(*lon),
                });
            }
            out[ij] = sum;
        }
        Ok(out)
    }
}

/// Coordinates of several pieces, ascending, each once.
fn merged<'a>(values: impl Iterator<Item = &'a f64>) -> Vec<f64> {
    let mut all: Vec<f64> = values.copied().collect();
    all.sort_by(f64::total_cmp);
    all.dedup_by(|a, b| (*a - *b).abs() < SAME_DEG);
    all
}

/// Index of a coordinate.
fn index(axis: &[f64], value: f64) -> Option<usize> {
    let k = axis.partition_point(|v| *v < value - SAME_DEG);
    axis.get(k)
        .filter(|v| (**v - value).abs() <= SAME_DEG)
        .map(|_| k)
}

/// The two neighbours of a value and their weights; the end twice where the value lies up to one cell
/// beyond it; `None` further out or where cells between two files are missing.
fn between(axis: &[f64], value: f64, cell: f64) -> Option<[(usize, f64); 2]> {
    let (first, last) = (*axis.first()?, *axis.last()?);
    let reach = cell * (1.0 + ROUNDING);
    let end = axis.len() - 1;
    if value <= first {
        return (first - value <= reach).then_some([(0, 1.0), (0, 0.0)]);
    }
    if value >= last {
        return (value - last <= reach).then_some([(end, 1.0), (end, 0.0)]);
    }
    let k = axis.partition_point(|v| *v <= value).clamp(1, end);
    let (a, b) = (axis[k - 1], axis[k]);
    let f = (value - a) / (b - a);
    (b - a <= UNEVEN * cell).then_some([(k - 1, 1.0 - f), (k, f)])
}

/// Names of the files behind some fields.
fn sources(layers: &[&Layer], fields: &Fields) -> String {
    let names: BTreeSet<String> = fields
        .iter()
        .filter_map(|(k, _)| layers.get(*k).map(|l| name_of(&l.path)))
        .collect();
    names.into_iter().collect::<Vec<_>>().join(" + ")
}

/// Where values came from, in words.
fn words(bracket: &Bracket, layers: &[&Layer]) -> String {
    let (a, b) = (&bracket.before, &bracket.after);
    let files: BTreeSet<String> = [&a.2, &b.2].iter().map(|f| sources(layers, f)).collect();
    let files = files.into_iter().collect::<Vec<_>>().join(" + ");
    let step = |(run, valid, _): &(Option<i64>, i64, Fields)| {
        let time = utc(*valid).format("%Y-%m-%dT%H:%MZ");
        match run {
            None => time.to_string(),
            Some(run) => format!(
                "{time} (run {}, +{} h)",
                utc(*run).format("%Y-%m-%dT%HZ"),
                (valid - run) as f64 / 3600.0
            ),
        }
    };
    if bracket.weight == 0.0 {
        format!("{files}, {}", step(a))
    } else {
        format!(
            "{files}, {} and {}, weight of the second {:.3}",
            step(a),
            step(b),
            bracket.weight
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_and_edges() {
        let axis = [0.0, 1.0, 2.0, 5.0];
        assert_eq!(between(&axis, 0.25, 1.0), Some([(0, 0.75), (1, 0.25)]));
        assert_eq!(between(&axis, 1.0, 1.0), Some([(1, 1.0), (2, 0.0)]));
        assert_eq!(between(&axis, -0.9, 1.0), Some([(0, 1.0), (0, 0.0)]));
        assert_eq!(between(&axis, -1.1, 1.0), None);
        assert_eq!(between(&axis, 3.0, 1.0), None);
        assert_eq!(between(&[], 3.0, 1.0), None);
    }

    #[test]
    fn coordinates_of_pieces_are_merged() {
        let (a, b) = ([0.4f64, 0.8], [0.800_000_1, 1.2]);
        let all = merged(a.iter().chain(&b));
        assert_eq!(all.len(), 3);
        assert_eq!(index(&all, 0.8), Some(1));
        assert_eq!(index(&all, 0.9), None);
    }
}
