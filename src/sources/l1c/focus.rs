//! Which tie points of a segment can see a place.

use super::ellipsoid::{Vec3, dot, ecef, minus, norm, scaled};
use super::error::L1cError;
use super::footprint::{RADIUS, is_coarse, is_tiled, spread};
use super::segment::Segment;
use super::tie_grid::TieGrid;
use crate::types::band::Strip;
use std::ops::Range;

/// Strips of fewer tie lines are read whole; chosen, as the three numbers below: they decide cost, never the result.
const FEW: usize = 500;
/// Tie lines looked at first; chosen.
const LOOKED_AT: usize = 24;
/// Tie points of a line looked at; chosen.
const POINTS: usize = 65;
/// Tie lines between which the track of a column is a chord; chosen.
const TRACK: usize = 3;

impl Segment {
    /// The segment with no more tie lines, and of VNIR no more tie pixels, than can see what lies within `reach` metres
    /// of a place (degrees): a segment has up to thirty times as many lines as a tile, and five times as many pixels. A
    /// segment that does not see it stays whole.
    ///
    /// # Errors
    /// The tie points cannot be read, or make no sense where they were looked at.
    pub fn focused(mut self, lon: f64, lat: f64, reach: f64) -> Result<Segment, L1cError> {
        let centre = ecef(lon, lat, 0.0);
        for strip in Strip::ALL {
            let long = |t: &&TieGrid| t.lines.count > FEW && !is_coarse(&t.levels[0].lon);
            let rows = match self.grid(strip).filter(long) {
                Some(ties) => self.near(ties, centre, reach)?,
                None => None,
            };
            if let (Some(rows), Some(parts)) = (rows, &mut self.strips[strip.index()]) {
                parts.ties.keep_rows(rows);
            }
            let wide = |t: &&TieGrid| !strip.is_swir() && is_tiled(&t.levels[0].lon);
            let columns = match self.grid(strip).filter(wide) {
                Some(ties) => self.beside(ties, centre, reach)?,
                None => None,
            };
            if let (Some(columns), Some(parts)) = (columns, &mut self.strips[strip.index()]) {
                parts.ties.keep_columns(columns);
            }
        }
        Ok(self)
    }

    fn grid(&self, strip: Strip) -> Option<&TieGrid> {
        self.strips[strip.index()].as_ref().map(|p| &p.ties)
    }

    /// Tie points of one row of those that are read, `count` of them evenly spread.
    fn row(&self, ties: &TieGrid, row: usize, count: usize) -> Result<Vec<Vec3>, L1cError> {
        let row = ties.rows.start + row;
        let (lon, lat) = ties.positions(
            &self.header.path,
            &self.file,
            &ties.levels[0],
            row..row + 1,
            ties.columns.clone(),
            &self.profile,
        )?;
        let points = spread(ties.pixels.count, count);
        Ok(points
            .map(|j| ecef(lon[(0, j)], lat[(0, j)], 0.0))
            .collect())
    }

    /// Columns whose track on the ground comes within reach.
    fn beside(
        &self,
        ties: &TieGrid,
        centre: Vec3,
        reach: f64,
    ) -> Result<Option<Range<usize>>, L1cError> {
        let count = ties.pixels.count;
        let lines: Vec<Vec<Vec3>> = spread(ties.lines.count, TRACK)
            .map(|row| self.row(ties, row, count))
            .collect::<Result<_, _>>()?;
        let within = |j: usize| {
            // neighbours may lie far apart
            let k = if j == 0 { 1 } else { j - 1 };
            let beside = norm(minus(lines[0][k], lines[0][j]));
            lines.windows(2).any(|pair| {
                let (a, b) = (pair[0][j], pair[1][j]);
                // twice the height of the arc over its chord
                let bend = norm(minus(b, a)).powi(2) / (4.0 * RADIUS);
                distance(centre, a, b) <= reach + beside + bend
            })
        };
        let start = ties.columns.start;
        Ok(stretch(count, within).map(|(a, b)| start + a..start + b + 1))
    }

    /// Rows between the first and the last looked at that lie within reach, or can have such a row before the next.
    fn near(
        &self,
        ties: &TieGrid,
        centre: Vec3,
        reach: f64,
    ) -> Result<Option<Range<usize>>, L1cError> {
        let rows: Vec<usize> = spread(ties.lines.count, LOOKED_AT).collect();
        let lines: Vec<Vec<Vec3>> = rows
            .iter()
            .map(|row| self.row(ties, *row, POINTS))
            .collect::<Result<_, _>>()?;
        let gap = |k: usize| {
            let pairs = lines[k].iter().zip(&lines[k + 1]);
            pairs.fold(0.0, |most: f64, (a, b)| most.max(norm(minus(*a, *b))))
        };
        let last = rows.len() - 1;
        let within = |k: usize| {
            let along = gap(k.saturating_sub(1)).max(gap(k.min(last - 1)));
            let across = lines[k].windows(2);
            let across = across.fold(0.0, |most: f64, p| most.max(norm(minus(p[0], p[1]))));
            let nearest = lines[k].iter().map(|p| norm(minus(*p, centre)));
            nearest.fold(f64::INFINITY, f64::min) <= reach + along + across
        };
        let start = ties.rows.start;
        Ok(stretch(rows.len(), within).map(|(a, b)| start + rows[a]..start + rows[b] + 1))
    }
}

/// The first and the last of `n` that lie within, where they are two: less makes no grid.
fn stretch(n: usize, within: impl Fn(usize) -> bool) -> Option<(usize, usize)> {
    let first = (0..n).find(|k| within(*k))?;
    let last = (0..n).rfind(|k| within(*k))?;
    (first < last).then_some((first, last))
}

/// Distance of a point from a chord, metres.
fn distance(p: Vec3, a: Vec3, b: Vec3) -> f64 {
    let (along, away) = (minus(b, a), minus(p, a));
    let share = dot(along, away) / dot(along, along).max(f64::MIN_POSITIVE);
    norm(minus(away, scaled(along, share.clamp(0.0, 1.0))))
}
