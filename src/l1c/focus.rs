//! Which tie points of a segment can see a place.

use super::ellipsoid::{Vec3, dot, ecef, minus, norm, scaled};
use super::error::L1cError;
use super::footprint::{RADIUS, is_coarse, is_tiled, spread};
use super::segment::Segment;
use super::tie_grid::TieGrid;
use crate::band::Strip;
use std::ops::Range;

/// Strips of fewer tie lines are read whole.
const FEW: usize = 500;
/// Tie lines looked at first.
const LOOKED_AT: usize = 24;
/// Tie points of a line looked at.
const POINTS: usize = 65;
/// Tie lines between which the track of a column is a chord.
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
        let mut kept: [Option<Range<usize>>; 6] = Default::default();
        for (kept, parts) in kept.iter_mut().zip(&self.strips) {
            let long = |t: &&TieGrid| t.lines.count > FEW && !is_coarse(&t.levels[0].lon);
            if let Some(ties) = parts.as_ref().map(|p| &p.ties).filter(long) {
                *kept = self.near(ties, centre, reach)?;
            }
        }
        for (rows, parts) in kept.into_iter().zip(&mut self.strips) {
            if let (Some(rows), Some(parts)) = (rows, parts) {
                parts.ties.keep_rows(rows);
            }
        }
        let mut kept: [Option<Range<usize>>; 6] = Default::default();
        for strip in Strip::VNIR {
            let ties = self.strips[strip.index()].as_ref().map(|p| &p.ties);
            if let Some(ties) = ties.filter(|t| is_tiled(&t.levels[0].lon)) {
                kept[strip.index()] = self.beside(ties, centre, reach)?;
            }
        }
        for (columns, parts) in kept.into_iter().zip(&mut self.strips) {
            if let (Some(columns), Some(parts)) = (columns, parts) {
                parts.ties.keep_columns(columns);
            }
        }
        Ok(self)
    }

    /// Columns whose track on the ground comes within reach.
    fn beside(
        &self,
        ties: &TieGrid,
        centre: Vec3,
        reach: f64,
    ) -> Result<Option<Range<usize>>, L1cError> {
        let (path, level) = (&self.header.path, &ties.levels[0]);
        let mut lines = Vec::with_capacity(TRACK);
        for row in spread(ties.lines.count, TRACK) {
            let row = ties.rows.start + row;
            let all = ties.columns.clone();
            let (lon, lat) =
                ties.positions(path, &self.file, level, row..row + 1, all, &self.profile)?;
            let line: Vec<Vec3> = lon
                .iter()
                .zip(&lat)
                .map(|(x, y)| ecef(*x, *y, 0.0))
                .collect();
            lines.push(line);
        }
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
        let first = (0..lines[0].len()).find(|j| within(*j));
        let last = (0..lines[0].len()).rfind(|j| within(*j));
        // two columns at least make a grid
        Ok(first
            .zip(last)
            .filter(|(a, b)| a < b)
            .map(|(a, b)| ties.columns.start + a..ties.columns.start + b + 1))
    }

    /// Rows between the first and the last looked at that lie within reach, or can have such a row before the next.
    fn near(
        &self,
        ties: &TieGrid,
        centre: Vec3,
        reach: f64,
    ) -> Result<Option<Range<usize>>, L1cError> {
        let rows: Vec<usize> = spread(ties.lines.count, LOOKED_AT).collect();
        let (path, level) = (&self.header.path, &ties.levels[0]);
        let mut lines: Vec<Vec<Vec3>> = Vec::with_capacity(rows.len());
        for &row in &rows {
            let row = ties.rows.start + row;
            let all = ties.columns.clone();
            let (lon, lat) =
                ties.positions(path, &self.file, level, row..row + 1, all, &self.profile)?;
            let points = spread(ties.pixels.count, POINTS);
            lines.push(
                points
                    .map(|j| ecef(lon[(0, j)], lat[(0, j)], 0.0))
                    .collect(),
            );
        }
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
        let first = (0..=last).find(|k| within(*k));
        let end = (0..=last).rfind(|k| within(*k));
        // two rows at least make a grid
        Ok(first
            .zip(end)
            .filter(|(a, b)| a < b)
            .map(|(a, b)| ties.rows.start + rows[a]..ties.rows.start + rows[b] + 1))
    }
}

/// Distance of a point from a chord, metres.
fn distance(p: Vec3, a: Vec3, b: Vec3) -> f64 {
    let (along, away) = (minus(b, a), minus(p, a));
    let share = dot(along, away) / dot(along, along).max(f64::MIN_POSITIVE);
    norm(minus(away, scaled(along, share.clamp(0.0, 1.0))))
}
