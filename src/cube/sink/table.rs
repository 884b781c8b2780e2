//! Comma-separated values.

use crate::cube::{CubeVariable, Gathered};
use crate::types::calendar::ORIGIN;
use chrono::{NaiveTime, SecondsFormat, TimeDelta};
use std::fmt::Write;

/// Milliseconds in a day, by definition.
const DAY_MS: f64 = 86_400_000.0;

/// A row for each point (or pixel of the area that a tile holds) and step: longitude, latitude, tile, centre of the step, values
/// in physical units; missing values are empty. On a grid the coordinates `x` and `y` come first.
pub fn csv(cube: &Gathered) -> String {
    let mut out = String::new();
    if cube.grid.is_some() {
        out.push_str("x,y,");
    }
    out.push_str("lon,lat,tile,time");
    for v in &cube.variables {
        let _ = write!(out, ",{}", v.spec.name);
    }
    out.push('\n');
    let times: Vec<String> = (0..cube.axis.len()).map(|k| time(cube, k)).collect();
    let cols = cube.values.first().map_or(1, |v| v.dim().2).max(1);
    for (pixel, (position, tile)) in cube.positions.iter().zip(&cube.tiles).enumerate() {
        let Some(tile) = tile else { continue };
        let (row, col) = (pixel / cols, pixel % cols);
        let mut place = String::new();
        if let Some((grid, _)) = &cube.grid {
            let (x, y) = grid.centre(row, col).xy();
            let _ = write!(place, "{x},{y},");
        }
        let _ = write!(place, "{:.7},{:.7},{tile}", position.0, position.1);
        for (step, time) in times.iter().enumerate() {
            let _ = write!(out, "{place},{time}");
            for (variable, values) in cube.variables.iter().zip(&cube.values) {
                out.push(',');
                out.push_str(&number(variable, values[(step, row, col)]));
            }
            out.push('\n');
        }
    }
    out
}

/// Centre of a step, RFC 3339.
pub(super) fn time(cube: &Gathered, step: usize) -> String {
    let zero = ORIGIN.and_time(NaiveTime::MIN).and_utc();
    let shift = TimeDelta::try_milliseconds((cube.axis.days(step) * DAY_MS).round() as i64);
    let time = shift
        .and_then(|s| zero.checked_add_signed(s))
        .unwrap_or(zero);
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A value in physical units with the digits that its scale has; empty for no data.
pub(super) fn number(variable: &CubeVariable, stored: i32) -> String {
    let digits = match variable.spec.scale {
        Some(scale) => (-scale.log10()).ceil().max(0.0) as usize,
        None => 0,
    };
    match variable.physical(stored) {
        Some(value) => format!("{value:.digits$}"),
        None => String::new(),
    }
}
