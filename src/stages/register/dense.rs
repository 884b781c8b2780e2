//! One shift for all pixels at once, where they are few and the reference is finer than they are.
//!
//! A chip is matched on its own and must be sure of itself; over a small or half clouded area of coarse pixels few chips
//! are, and they waste what the others know. Edges (`features`) waste more: they are made of differences of smoothed
//! values, and what is finest tells places best. Here the image's own values are compared with the reference as its
//! pixels see it (`reference_sample`), with a gain and an offset for every block of pixels (`block`), one shift and one blur for all:
//! how much wider the image sees than the reference says depends on the place in the swath, and pixels that lie slanted
//! to the grid would pull the shift along. The unknowns come from iterative least squares (Gauss and Newton), with a
//! weight for every pixel by how well it agrees: 1/(c + r²), c the median of r² in its block (Cauchy's estimate of
//! location, Holland and Welsch 1977, Commun. Stat. A6): fields that changed and clouds that the mask missed count
//! little. σ is that of an M-estimate (Huber 1981, Robust Statistics, section 7.6), with sums over groups in place of pixels,
//! which are not independent (White 1980, Econometrica 48; Liang and Zeger 1986, Biometrika 73), and grows where the
//! groups are few (`cluster_influence`).
//!
//! The reference ([`Features::of_fine`]) is moved under the image, which stays as it is: interpolated coarse samples
//! would be drawn towards whole pixels.

use super::block::{Block, Pixel, median_square, within};
use super::cluster_influence::{Influence, pooled_sigma};
use super::features::Features;
use super::normal_equations::{Matrix, UNKNOWNS, Vector, add, add_product, inverse, times};
use super::reference_sample::ReferenceSample;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// Most pixels that are solved at once: with more the chips know enough (chosen).
const MOST: usize = 150_000;
/// Least number of pixels (chosen; `docs/sources/registration.md`, Few pixels).
const LEAST: usize = 256;
/// Least steps: weights and blur settle too (chosen).
const FEWEST: usize = 5;
/// Most steps (chosen).
const STEPS: usize = 25;
/// A step below this ends the search, pixels (chosen: far below σ).
const SETTLED: f64 = 0.002;
/// Longest step, pixels (chosen).
const LONGEST: f64 = 0.5;
/// Farthest from the start, pixels (chosen, as of a chip).
const FAR: f64 = 1.5;
/// Least correlation within the blocks, root mean square over the pixels: after the search unrelated ground reaches 0.2
/// to 0.4, the same ground 0.6 and more (measured).
const CORRELATION: f64 = 0.5;
/// Share of the median over all pixels that is added to that of a block: a few pixels may agree by chance
/// (chosen).
const COMMON: f64 = 0.1;
/// Least median of the squared residuals, as a share of the mean square of the pattern: two images that are
/// the same leave nothing to weigh (chosen).
const LEAST_SHARE: f64 = 1e-6;
/// Largest σ of the shift, pixels (chosen, as of a fit of chips).
const UNSURE: f64 = 0.12;
/// What relief and a blur of another shape leave, pixels: 1 m to 4 m over known displacements of 300 m pixels
/// (measured: `docs/sources/registration.md`, Few pixels).
const FLOOR: f64 = 0.01;
/// Side of the groups that err on their own, pixels, a part of a block: groups of 2 and of 8 give nearly the same σ
/// (measured).
const GROUP: usize = 4;

/// The shift that all pixels share.
#[derive(Debug, Clone)]
pub(super) struct Dense {
    /// Of columns and of rows, pixels.
    pub(super) shift: [f64; 2],
    /// 1 σ of each component, pixels.
    pub(super) sigma: f64,
    /// Groups of pixels that carry the information.
    pub(super) groups: f64,
    /// What the groups add to its error, pixels.
    pub(super) influences: Vec<Influence>,
}

/// True where this can be used: the reference is finer than the image, and the pixels of both are few.
pub(super) fn serves(image: &Features, reference: &Features) -> bool {
    let both = |(a, b): (&u8, &u8)| usize::from(a & b);
    let common = image.exact.iter().zip(&reference.exact).map(both);
    image.values.is_some() && reference.fine.is_some() && common.sum::<usize>() <= MOST
}

/// The shift of all pixels from a first guess (columns, rows); `None` where they do not agree on one.
pub(super) fn solve(image: &Features, reference: &Features, start: [f64; 2]) -> Option<Dense> {
    let pair = Pair {
        values: image.values.as_deref()?,
        fine: reference.fine.as_deref()?,
        size: [image.grid.height, image.grid.width],
    };
    let (found, correlation) = pair.search(start)?;
    tracing::debug!(?found.shift, found.sigma, correlation, "all pixels at once");
    // NaN is unsure
    (correlation >= CORRELATION && found.sigma <= UNSURE).then_some(found)
}

/// The image, and the reference that moves under it.
struct Pair<'a> {
    /// Image values, NaN where they do not count.
    values: &'a [f32],
    fine: &'a [f32],
    /// Rows and columns of the image.
    size: [usize; 2],
}

/// Sums over pixels.
#[derive(Default)]
struct Sums {
    /// Normal equations.
    a: Matrix,
    b: Vector,
    /// What a pixel that moves adds to the curvature of the sum that is least, as a share of its weight, in the mean of
    /// all (Huber 1981, section 7.6): pixels that disagree more pull less. One half where residuals are as Cauchy's.
    curvature: f64,
    groups: BTreeMap<usize, Vector>,
    /// Correlation within the blocks.
    correlation: f64,
}

impl Sums {
    /// What the groups add to the error; `None` where the sum has no least.
    fn influences(&self) -> Option<Vec<Influence>> {
        let inverse = inverse(&self.a).filter(|_| self.curvature > 0.0)?;
        let influence = |(&group, score): (&usize, &Vector)| {
            let [x, y, ..] = times(&inverse, score);
            Influence {
                group,
                d: [x / self.curvature, y / self.curvature],
            }
        };
        Some(self.groups.iter().map(influence).collect())
    }
}

impl Pair<'_> {
    /// The shift at which the weighted squares are least, and the correlation there; `None` where the search does not
    /// settle.
    fn search(&self, start: [f64; 2]) -> Option<(Dense, f64)> {
        let mut weights = vec![1.0; self.values.len()];
        let (mut d, mut blur) = (start, [0.0; 3]);
        for count in 1..=STEPS {
            let blocks = self.blocks(d, blur, &weights);
            let sums = reweigh(&blocks, &mut weights)?;
            let step = times(&inverse(&sums.a)?, &sums.b);
            let length = step[0].hypot(step[1]);
            let short = (LONGEST / length).min(1.0);
            d = [d[0] + short * step[0], d[1] + short * step[1]];
            for (blur, step) in blur.iter_mut().zip(&step[2..]) {
                *blur += short * step;
            }
            let away = (d[0] - start[0]).hypot(d[1] - start[1]);
            if away.is_nan() || away > FAR {
                return None;
            }
            if length < SETTLED && count >= FEWEST {
                let influences = sums.influences()?;
                let spread = pooled_sigma(&[(1.0, &influences)]);
                let found = Dense {
                    shift: d,
                    sigma: spread.sigma.hypot(FLOOR),
                    groups: spread.groups,
                    influences,
                };
                return Some((found, sums.correlation));
            }
        }
        None
    }

    /// All blocks at a shift and a blur.
    fn blocks(&self, d: [f64; 2], blur: [f64; 3], weights: &[f64]) -> Vec<Block> {
        let [height, width] = self.size;
        let across = width.div_ceil(GROUP);
        let line = |rows: Range<usize>| {
            within(width).filter_map(move |cols| {
                let rows = rows.clone();
                let places = rows.flat_map(|r| cols.clone().map(move |c| (r, c)));
                let pixel = |(r, c): (usize, usize)| {
                    let at = r * width + c;
                    let value = f64::from(self.values[at]);
                    if value.is_nan() {
                        return None;
                    }
                    let place = [r as f64 - d[1], c as f64 - d[0]];
                    ReferenceSample::at(self.fine, self.size, place).map(|seen| Pixel {
                        at,
                        group: r / GROUP * across + c / GROUP,
                        value,
                        seen,
                    })
                };
                let pixels: Vec<Pixel> = places.filter_map(pixel).collect();
                Block::fit(&pixels, blur, weights)
            })
        };
        let lines: Vec<Range<usize>> = within(height).collect();
        lines.into_par_iter().flat_map_iter(line).collect()
    }
}

/// Weights of the pixels by their residuals, and the sums with them; `None` where there is too little.
fn reweigh(blocks: &[Block], weights: &mut [f64]) -> Option<Sums> {
    let pixels = || blocks.iter().flat_map(|b| &b.pixels);
    let count = pixels().count();
    if count < LEAST {
        return None;
    }
    let pattern: f64 = blocks.iter().map(|b| b.pattern).sum();
    let common = median_square(pixels().map(|p| p.e)).max(LEAST_SHARE * pattern / count as f64);
    if common.is_nan() || common <= 0.0 {
        return None;
    }
    let explained: f64 = blocks
        .iter()
        .map(|b| b.pixels.len() as f64 * b.explained())
        .sum();
    let mut sums = Sums {
        correlation: (explained / count as f64).sqrt(),
        ..Sums::default()
    };
    let (mut bent, mut total) = (0.0, 0.0);
    for block in blocks {
        let scale = block.median + COMMON * common;
        for p in &block.pixels {
            let square = p.e * p.e;
            let weight = 1.0 / (scale + square);
            weights[p.at] = weight;
            add_product(&mut sums.a, weight, &p.by);
            bent += (scale - square) * weight * weight;
            total += weight;
            add(&mut sums.b, -weight * p.e, &p.by);
            let group = sums.groups.entry(p.group).or_insert([0.0; UNKNOWNS]);
            add(group, weight * p.e, &p.by);
        }
    }
    sums.curvature = bent / total;
    Some(sums)
}
