//! Shapes in masks: connected components, dilation, holes, hysteresis. Shared by the single-date and
//! the temporal stage.

pub mod flood;

use ndarray::Array2;
use std::borrow::Cow;

/// Row-major values of an array, borrowed where its memory already is row-major.
pub fn flat<T: Clone>(a: &Array2<T>) -> Cow<'_, [T]> {
    match a.as_slice() {
        Some(s) => Cow::Borrowed(s),
        None => Cow::Owned(a.iter().cloned().collect()),
    }
}

/// 8-connected components of a mask, numbered from 1 in scan order.
#[derive(Debug, Clone)]
pub struct Components {
    /// Component of every pixel, row-major, 0 = none.
    pub labels: Vec<u32>,
    /// Pixels of component k at index k − 1.
    pub areas: Vec<u32>,
}

fn root(parent: &mut [u32], mut i: u32) -> u32 {
    while parent[i as usize] != i {
        parent[i as usize] = parent[parent[i as usize] as usize];
        i = parent[i as usize];
    }
    i
}

impl Components {
    /// Labels a row-major mask of `cols` columns: runs of a row joined with those they touch in the
    /// row above, by union-find (Rosenfeld and Pfaltz 1966).
    pub fn of(mask: &[bool], cols: usize) -> Components {
        let cols = cols.max(1);
        let (mut runs, mut parent): (Vec<(u32, u32, u32)>, Vec<u32>) = (Vec::new(), Vec::new());
        let (mut above, mut here) = (0..0, 0..0);
        for (row, line) in mask.chunks(cols).enumerate() {
            let first = runs.len();
            let mut c = 0;
            while c < line.len() {
                if !line[c] {
                    c += 1;
                    continue;
                }
                let start = c;
                while c < line.len() && line[c] {
                    c += 1;
                }
                runs.push((row as u32, start as u32, c as u32));
                parent.push(parent.len() as u32);
            }
            std::mem::swap(&mut above, &mut here);
            here = first..runs.len();
            let mut k = above.start;
            for i in here.clone() {
                let (_, a, b) = runs[i];
                // runs of the row above that end before this one starts touch none of the later ones
                while k < above.end && runs[k].2 < a {
                    k += 1;
                }
                let mut j = k;
                while j < above.end && runs[j].1 <= b {
                    let (x, y) = (root(&mut parent, i as u32), root(&mut parent, j as u32));
                    parent[x.max(y) as usize] = x.min(y);
                    j += 1;
                }
            }
        }
        let mut number = vec![0u32; parent.len()];
        let mut areas: Vec<u32> = Vec::new();
        let mut labels = vec![0u32; mask.len()];
        for (i, &(row, a, b)) in runs.iter().enumerate() {
            let r = root(&mut parent, i as u32) as usize;
            if number[r] == 0 {
                areas.push(0);
                number[r] = areas.len() as u32;
            }
            areas[number[r] as usize - 1] += b - a;
            let line = row as usize * cols;
            labels[line + a as usize..line + b as usize].fill(number[r]);
        }
        Components { labels, areas }
    }

    /// Area in pixels of the component at a pixel, 0 outside.
    pub fn area_at(&self, pixel: usize) -> u32 {
        match self.labels[pixel] {
            0 => 0,
            k => self.areas[k as usize - 1],
        }
    }
}

/// Mask grown by `radius` pixels in the Chebyshev metric (a square of 2·radius + 1).
///
/// ```
/// use probav_ard::imaging::morphology::dilate;
///
/// let row = |text: &str| text.chars().map(|c| c == '#').collect::<Vec<bool>>();
/// assert_eq!(dilate(&row("...#......"), 10, 2), row(".#####...."));
/// ```
pub fn dilate(mask: &[bool], cols: usize, radius: usize) -> Vec<bool> {
    let cols = cols.max(1);
    if radius == 0 || !mask.contains(&true) {
        return mask.to_vec();
    }
    let rows = mask.len() / cols;
    let mut wide = vec![false; mask.len()];
    for (line, out) in mask.chunks(cols).zip(wide.chunks_mut(cols)) {
        let mut done = 0;
        for (c, _) in line.iter().enumerate().filter(|(_, m)| **m) {
            let end = (c + radius + 1).min(cols);
            let start = c.saturating_sub(radius).max(done);
            if start < end {
                out[start..end].fill(true);
                done = end;
            }
        }
    }
    let mut out = vec![false; mask.len()];
    // rows since the last set pixel of each column, downwards then upwards
    let radius = u16::try_from(radius).unwrap_or(u16::MAX - 1);
    for upwards in [false, true] {
        let mut since = vec![u16::MAX; cols];
        for k in 0..rows {
            let row = if upwards { rows - 1 - k } else { k };
            let (w, o) = (&wide[row * cols..][..cols], &mut out[row * cols..][..cols]);
            for ((s, w), o) in since.iter_mut().zip(w).zip(o) {
                *s = if *w { 0 } else { s.saturating_add(1) };
                *o |= *s <= radius;
            }
        }
    }
    out
}

/// Sets holes of at most `max_area` pixels (components of the complement, which may touch the border).
///
/// ```
/// use probav_ard::imaging::morphology::fill_holes;
///
/// let mut cloud = "####.####...####".chars().map(|c| c == '#').collect::<Vec<bool>>();
/// // a hole of one pixel closes, one of three stays
/// fill_holes(&mut cloud, 16, 2);
/// assert!(cloud[4] && !cloud[10]);
/// ```
pub fn fill_holes(mask: &mut [bool], cols: usize, max_area: u32) {
    let inverse: Vec<bool> = mask.iter().map(|m| !m).collect();
    let holes = Components::of(&inverse, cols);
    for (i, m) in mask.iter_mut().enumerate() {
        *m |= holes.labels[i] != 0 && holes.area_at(i) <= max_area;
    }
}

/// Components of `weak` that hold at least one pixel of `strong` (Canny's hysteresis); `strong` itself
/// belongs to the result.
pub fn hysteresis(strong: &[bool], weak: &[bool], cols: usize) -> Vec<bool> {
    let any: Vec<bool> = strong.iter().zip(weak).map(|(s, w)| *s || *w).collect();
    let parts = Components::of(&any, cols);
    let mut keep = vec![false; parts.areas.len() + 1];
    for (label, s) in parts.labels.iter().zip(strong) {
        keep[*label as usize] |= *s;
    }
    keep[0] = false;
    parts.labels.iter().map(|l| keep[*l as usize]).collect()
}

/// Mean over a square window of 2·radius + 1 pixels, NaN ignored; NaN where the window has no value.
pub fn box_mean(values: &[f32], cols: usize, radius: usize) -> Vec<f32> {
    let cols = cols.max(1);
    let rows = values.len() / cols;
    let (mut sum, mut count) = (vec![0f32; values.len()], vec![0f32; values.len()]);
    let add = |out: &mut f32, n: &mut f32, v: f32, sign: f32| {
        if v.is_finite() {
            *out += sign * v;
            *n += sign;
        }
    };
    for row in 0..rows {
        let line = &values[row * cols..][..cols];
        let (mut s, mut n) = (0.0, 0.0);
        for v in &line[..radius.min(cols)] {
            add(&mut s, &mut n, *v, 1.0);
        }
        for c in 0..cols {
            if c + radius < cols {
                add(&mut s, &mut n, line[c + radius], 1.0);
            }
            if c > radius {
                add(&mut s, &mut n, line[c - radius - 1], -1.0);
            }
            (sum[row * cols + c], count[row * cols + c]) = (s, n);
        }
    }
    let (mut s, mut n) = (vec![0f32; cols], vec![0f32; cols]);
    let mut out = vec![f32::NAN; values.len()];
    let shift = |s: &mut [f32], n: &mut [f32], row: usize, sign: f32| {
        for c in 0..cols {
            s[c] += sign * sum[row * cols + c];
            n[c] += sign * count[row * cols + c];
        }
    };
    for row in 0..radius.min(rows) {
        shift(&mut s, &mut n, row, 1.0);
    }
    for row in 0..rows {
        if row + radius < rows {
            shift(&mut s, &mut n, row + radius, 1.0);
        }
        if row > radius {
            shift(&mut s, &mut n, row - radius - 1, -1.0);
        }
        for c in 0..cols {
            if n[c] > 0.5 {
                out[row * cols + c] = s[c] / n[c];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(rows: &[&str]) -> Vec<bool> {
        rows.iter()
            .flat_map(|r| r.chars().map(|c| c == '#'))
            .collect()
    }

    #[test]
    fn components_join_diagonals_and_u_shapes() {
        let c = Components::of(&mask(&["#.#.#", "#.#..", ".#..#", "....."]), 5);
        assert_eq!(c.areas, vec![5, 1, 1]);
        assert_eq!(c.labels[0], c.labels[2]);
        assert_eq!(c.area_at(1), 0);
    }

    #[test]
    fn dilation_equals_the_definition() {
        let (rows, cols) = (13usize, 17usize);
        let m: Vec<bool> = (0..rows * cols).map(|i| i * 7919 % 23 == 0).collect();
        for radius in [0, 1, 3, 20] {
            let d = dilate(&m, cols, radius);
            for r in 0..rows {
                for c in 0..cols {
                    let near = (0..rows * cols).any(|i| {
                        m[i] && (i / cols).abs_diff(r) <= radius && (i % cols).abs_diff(c) <= radius
                    });
                    assert_eq!(d[r * cols + c], near, "{radius} {r} {c}");
                }
            }
        }
    }

    #[test]
    fn holes_close_only_when_small() {
        let mut m = mask(&["#####", "#.#.#", "###.#", "###.#", "#####"]);
        fill_holes(&mut m, 5, 2);
        assert!(m[6]);
        assert!(!m[8]);
    }

    #[test]
    fn weak_pixels_need_a_strong_neighbour() {
        let strong = mask(&["#....", ".....", "....."]);
        let weak = mask(&[".##..", "....#", "....#"]);
        let kept = hysteresis(&strong, &weak, 5);
        assert_eq!(kept, mask(&["###..", ".....", "....."]));
    }

    #[test]
    fn box_mean_ignores_nan() {
        let v = [1.0, f32::NAN, 3.0, 5.0];
        let m = box_mean(&v, 4, 1);
        assert_eq!(m, vec![1.0, 2.0, 4.0, 4.0]);
        assert!(box_mean(&[f32::NAN; 4], 2, 1).iter().all(|v| v.is_nan()));
    }
}
