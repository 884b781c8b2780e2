//! The choice of one observation per pixel.
//!
//! 1. Class: clear (USABLE 1, and 2 for the VNIR bands) before buffer before snow; the next class is
//!    looked at only where the one before is empty.
//! 2. Overlaps: of several acquisitions of one overpass (within [`OVERPASS`]) one stays, the one with the
//!    smallest σ relative to the reflectance scale of its band, then the one further from the edge of its data.
//! 3. Of three or more overpasses the medoid: the observation with the smallest sum of distances to the
//!    others, in units of the members' σ. It is a real spectrum of one day, and an undetected cloud is
//!    never the medoid of three. Of two, the one with the smaller σ.
//!
//! SWIR comes from the same observation, or, where that has VNIR only, from the medoid of those with SWIR.

use super::member::{Composite, CompositeError, Member, quality};
use crate::types::calendar::{WINDOW_DAYS, window_of, window_start};
use crate::types::reflectance::{NODATA, NODATA_U16};
use crate::types::status::usable;
use chrono::{TimeDelta, Utc};
use ndarray::Array2;
use rayon::prelude::*;

/// Acquisitions closer in time than this belong to one overpass; chosen by us: the next overpass comes an orbit of 101
/// minutes later at best (docs/sources/fusion.md, Composite).
const OVERPASS: TimeDelta = TimeDelta::minutes(30);
/// Distances from the edge of data are compared up to this many pixels; chosen by us: further in, edges matter no more.
const EDGE_CAP: u8 = 20;
/// σ counts below this are taken as this, 0.002 of reflectance; chosen by us (docs/sources/fusion.md, Composite).
const SIGMA_FLOOR: f32 = 20.0;
/// Pixels per parallel piece; chosen by us: fixed, so that results never depend on threads.
const PIECE: usize = 8192;

/// One candidate of one pixel.
#[derive(Clone, Copy)]
struct Candidate {
    member: usize,
    rho: [f32; 4],
    sigma: [f32; 4],
    swir: bool,
    edge: u8,
}

/// What a pixel gets.
#[derive(Clone, Copy)]
struct Choice {
    rho: [i16; 4],
    sigma: [u16; 4],
    count: u8,
    quality: u8,
    day: u8,
}

/// Composite of the members of one window and one resolution.
///
/// ```
/// use chrono::{TimeZone, Utc};
/// use ndarray::Array2;
/// use probav_ard::stages::composite::{Member, composite};
/// use probav_ard::types::status::usable;
///
/// // three clear days of one window, the second of them with a cloud that no mask found
/// let rho = [500, 3500, 520].map(|count| [0; 4].map(|_| Array2::from_elem((2, 2), count)));
/// let sigma = [0; 4].map(|_| Array2::from_elem((2, 2), 40));
/// let usable = Array2::from_elem((2, 2), usable::USABLE);
/// let members: Vec<Member<'_>> = rho
///     .iter()
///     .zip(1..)
///     .filter_map(|(rho, day)| {
///         let time = Utc.with_ymd_and_hms(2014, 1, day, 10, 30, 0).single()?;
///         Some(Member { time, rho, sigma: &sigma, usable: &usable })
///     })
///     .collect();
/// let c = composite(&members)?;
/// // one real observation, and not the cloud
/// assert_eq!((c.rho[0][(0, 0)], c.day[(0, 0)], c.count[(0, 0)]), (520, 2, 3));
/// # Ok::<(), probav_ard::stages::composite::CompositeError>(())
/// ```
///
/// # Errors
/// [`CompositeError`] when there is no member, or when members differ in shape or window.
pub fn composite(members: &[Member<'_>]) -> Result<Composite, CompositeError> {
    let (shape, window) = common(members)?;
    // time order first, so that the order in which members are listed does not matter
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|i| members[*i].time);
    let overpass = overpasses(members, &order);
    let several = (1..order.len()).any(|i| overpass[order[i]] == overpass[order[i - 1]]);
    let edges: Vec<Option<Array2<u8>>> = members
        .par_iter()
        .map(|m| several.then(|| edge_distance(m.usable)))
        .collect();
    let days = days_within(members, window);
    let (rows, cols) = shape;
    let choices: Vec<Choice> = (0..rows * cols)
        .into_par_iter()
        .with_min_len(PIECE)
        .map_init(Vec::new, |list, i| {
            let at = (i / cols.max(1), i % cols.max(1));
            choose(members, &order, &overpass, &edges, &days, at, list)
        })
        .collect();
    let layer = |f: &dyn Fn(&Choice) -> u8| {
        Array2::from_shape_fn(shape, |(r, c)| f(&choices[r * cols + c]))
    };
    Ok(Composite {
        rho: std::array::from_fn(|b| {
            Array2::from_shape_fn(shape, |(r, c)| choices[r * cols + c].rho[b])
        }),
        sigma: std::array::from_fn(|b| {
            Array2::from_shape_fn(shape, |(r, c)| choices[r * cols + c].sigma[b])
        }),
        count: layer(&|c| c.count),
        quality: layer(&|c| c.quality),
        day: layer(&|c| c.day),
    })
}

/// Shape and window of all members.
fn common(members: &[Member<'_>]) -> Result<((usize, usize), i32), CompositeError> {
    let first = members.first().ok_or(CompositeError::Empty)?;
    let shape = first.usable.dim();
    let window = window_of(first.time);
    for (index, m) in members.iter().enumerate() {
        let shapes = m
            .rho
            .iter()
            .map(Array2::dim)
            .chain(m.sigma.iter().map(Array2::dim));
        if let Some(found) = shapes.chain([m.usable.dim()]).find(|s| *s != shape) {
            return Err(CompositeError::Shape {
                index,
                found,
                expected: shape,
            });
        }
        let found = window_of(m.time);
        if found != window {
            return Err(CompositeError::Window {
                index,
                found,
                expected: window,
            });
        }
    }
    Ok((shape, window))
}

/// Day of each member within the window, 0 to 4.
fn days_within(members: &[Member<'_>], window: i32) -> Vec<u8> {
    let start = window_start(window)
        .and_time(chrono::NaiveTime::MIN)
        .and_utc();
    members
        .iter()
        .map(|m| {
            let day = m
                .time
                .with_timezone(&Utc)
                .signed_duration_since(start)
                .num_days();
            day.clamp(0, WINDOW_DAYS - 1) as u8
        })
        .collect()
}

/// Number of the overpass of each member.
fn overpasses(members: &[Member<'_>], order: &[usize]) -> Vec<usize> {
    let mut out = vec![0; members.len()];
    for pair in order.windows(2) {
        let apart = members[pair[1]].time - members[pair[0]].time >= OVERPASS;
        out[pair[1]] = out[pair[0]] + usize::from(apart);
    }
    out
}

/// Chessboard distance to the nearest pixel without data, capped; the border of the array is no edge.
fn edge_distance(mask: &Array2<u8>) -> Array2<u8> {
    let (rows, cols) = mask.dim();
    let mut d = mask.map(|u| if *u == usable::NODATA { 0 } else { EDGE_CAP });
    let relax = |d: &mut Array2<u8>, r: usize, c: usize, near: &[(isize, isize)]| {
        for (dr, dc) in near {
            if let (Some(i), Some(j)) = (r.checked_add_signed(*dr), c.checked_add_signed(*dc))
                && let Some(v) = d.get((i, j)).copied()
            {
                d[(r, c)] = d[(r, c)].min(v + 1);
            }
        }
    };
    for r in 0..rows {
        for c in 0..cols {
            relax(&mut d, r, c, &[(-1, -1), (-1, 0), (-1, 1), (0, -1)]);
        }
    }
    for r in (0..rows).rev() {
        for c in (0..cols).rev() {
            relax(&mut d, r, c, &[(1, 1), (1, 0), (1, -1), (0, 1)]);
        }
    }
    d
}

/// Class of a USABLE value, [`quality::EMPTY`] for what is never composited.
fn class_of(value: u8) -> u8 {
    match value {
        usable::USABLE | usable::VNIR_ONLY => quality::CLEAR,
        usable::BUFFER => quality::BUFFER,
        usable::SNOW => quality::SNOW,
        _ => quality::EMPTY,
    }
}

fn choose(
    members: &[Member<'_>],
    order: &[usize],
    overpass: &[usize],
    edges: &[Option<Array2<u8>>],
    days: &[u8],
    at: (usize, usize),
    list: &mut Vec<Candidate>,
) -> Choice {
    for class in [quality::CLEAR, quality::BUFFER, quality::SNOW] {
        list.clear();
        for &i in order {
            let m = &members[i];
            if class_of(m.usable[at]) != class || (0..3).any(|b| m.rho[b][at] == NODATA) {
                continue;
            }
            let swir = m.usable[at] != usable::VNIR_ONLY && m.rho[3][at] != NODATA;
            let new = Candidate {
                member: i,
                rho: std::array::from_fn(|b| f32::from(m.rho[b][at])),
                sigma: std::array::from_fn(|b| f32::from(m.sigma[b][at]).max(SIGMA_FLOOR)),
                swir,
                edge: edges[i].as_ref().map_or(EDGE_CAP, |e| e[at]),
            };
            match list.last_mut() {
                Some(last) if overpass[last.member] == overpass[i] => {
                    if better(&new, last) {
                        *last = new;
                    }
                }
                _ => list.push(new),
            }
        }
        if list.is_empty() {
            continue;
        }
        let vnir = list[medoid(list, &[0, 1, 2])];
        let swir = if vnir.swir {
            Some(vnir)
        } else {
            let with: Vec<Candidate> = list.iter().copied().filter(|c| c.swir).collect();
            (!with.is_empty()).then(|| with[medoid(&with, &[0, 1, 2, 3])])
        };
        let band = |b: usize| if b < 3 { Some(vnir) } else { swir };
        return Choice {
            rho: std::array::from_fn(|b| band(b).map_or(NODATA, |c| members[c.member].rho[b][at])),
            sigma: std::array::from_fn(|b| {
                band(b).map_or(NODATA_U16, |c| members[c.member].sigma[b][at])
            }),
            count: u8::try_from(list.len()).unwrap_or(u8::MAX),
            quality: class,
            day: days[vnir.member],
        };
    }
    Choice {
        rho: [NODATA; 4],
        sigma: [NODATA_U16; 4],
        count: 0,
        quality: quality::EMPTY,
        day: u8::MAX,
    }
}

/// Sum of σ over the VNIR bands.
fn spread(c: &Candidate) -> f32 {
    c.sigma[..3].iter().sum()
}

/// Of two acquisitions of one overpass: with SWIR first, then the smaller σ, then further from the edge.
fn better(new: &Candidate, old: &Candidate) -> bool {
    (new.swir, -spread(new), new.edge) > (old.swir, -spread(old), old.edge)
}

/// Position of the medoid; of two the one with the smaller σ; the earliest of equals.
fn medoid(list: &[Candidate], bands: &[usize]) -> usize {
    let cost = |i: usize| -> f32 {
        if list.len() < 3 {
            return spread(&list[i]);
        }
        list.iter()
            .map(|o| {
                let d: f32 = bands
                    .iter()
                    .map(|&b| {
                        let v = list[i].sigma[b].powi(2) + o.sigma[b].powi(2);
                        (list[i].rho[b] - o.rho[b]).powi(2) / v
                    })
                    .sum();
                d.sqrt()
            })
            .sum()
    };
    let mut best = (0, cost(0));
    for i in 1..list.len() {
        let c = cost(i);
        if c < best.1 {
            best = (i, c);
        }
    }
    best.0
}

#[cfg(test)]
mod tests;
