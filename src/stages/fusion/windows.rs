//! Windows of steps and the cross-fade between them (docs/sources/fusion.md, Windows).

use super::archive::StackBlock;
use super::output::RowOut;
use super::params::FusionParams;
use crate::types::reflectance::{NODATA, NODATA_U16};
use ndarray::Array3;
use std::ops::Range;

/// One window of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// Steps learnt and fused.
    pub steps: Range<i32>,
    /// Steps handed to the sink: from the start of the fade-in to the start of the fade-out.
    pub written: Range<i32>,
    /// Steps that fade from the window before into this one (empty for the first).
    pub fade_in: Range<i32>,
    /// Steps that fade into the window after (empty for the last).
    pub fade_out: Range<i32>,
}

/// Windows over `steps`: each as long as `params.window`, the last ends with the steps.
pub(super) fn plan(steps: &Range<i32>, params: &FusionParams) -> Vec<Window> {
    let n = steps.len();
    if n == 0 {
        return Vec::new();
    }
    let (length, stride) = (params.window, params.window - params.overlap);
    let mut starts = vec![0usize];
    while let Some(last) = starts.last().copied().filter(|s| s + length < n) {
        starts.push((last + stride).min(n - length));
    }
    let range = |a: usize, b: usize| steps.start + a as i32..steps.start + b as i32;
    let fades: Vec<Range<i32>> = starts
        .windows(2)
        .map(|s| {
            // in the middle of what both share
            let middle = (s[1] + s[0] + length) / 2;
            let a = middle - params.fade / 2;
            range(a, a + params.fade)
        })
        .collect();
    starts
        .iter()
        .enumerate()
        .map(|(i, start)| {
            let all = range(*start, (start + length).min(n));
            let fade_in = match i.checked_sub(1) {
                Some(k) => fades[k].clone(),
                None => all.start..all.start,
            };
            let fade_out = fades.get(i).cloned().unwrap_or(all.end..all.end);
            Window {
                written: fade_in.start..fade_out.start,
                steps: all,
                fade_in,
                fade_out,
            }
        })
        .collect()
}

/// The fade-out of one window, kept until the next one comes: \[step of the fade\]\[row\]\[column\].
#[derive(Debug, Default)]
pub(super) struct FadeOut {
    rho: [Vec<i16>; 4],
    unc: [Vec<u16>; 4],
    provenance: Vec<u8>,
    days: Vec<u8>,
}

impl FadeOut {
    pub(super) fn new(fade: usize, rows: usize, cols: usize) -> Self {
        let n = fade * rows * cols;
        FadeOut {
            rho: std::array::from_fn(|_| vec![NODATA; n]),
            unc: std::array::from_fn(|_| vec![NODATA_U16; n]),
            provenance: vec![0; n],
            days: vec![u8::MAX; n],
        }
    }
}

/// Where a row of a window goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub window: &'a Window,
    /// Row of the tile.
    pub row: usize,
    /// First row of the block.
    pub first: usize,
    /// Rows and columns of the tile.
    pub shape: (usize, usize),
    /// Padded columns of the row's arrays.
    pub width: usize,
}

/// Moves a finished row into the block, fading it with the end of the window before and leaving its own.
pub(super) fn place(at: Place<'_>, row: &RowOut, ending: &mut FadeOut, block: &mut StackBlock) {
    let Place { window, .. } = at;
    let cols = at.shape.1;
    for step in window.written.start..window.fade_out.end {
        let t = (step - window.steps.start) as usize * at.width;
        let kept = |fade: &Range<i32>| {
            let k = (step - fade.start) as usize;
            (k * at.shape.0 + at.row) * cols..(k * at.shape.0 + at.row + 1) * cols
        };
        if window.fade_out.contains(&step) {
            let to = kept(&window.fade_out);
            for b in 0..4 {
                ending.rho[b][to.clone()].copy_from_slice(&row.rho[b][t..t + cols]);
                ending.unc[b][to.clone()].copy_from_slice(&row.unc[b][t..t + cols]);
            }
            ending.provenance[to.clone()].copy_from_slice(&row.provenance[t..t + cols]);
            ending.days[to].copy_from_slice(&row.days[t..t + cols]);
            continue;
        }
        let (k, r) = ((step - window.written.start) as usize, at.row - at.first);
        let to = (k * block.provenance.dim().1 + r) * cols;
        copy(&mut block.n100, to, &row.n100[t..t + cols]);
        copy(&mut block.n300, to, &row.n300[t..t + cols]);
        copy(&mut block.provenance, to, &row.provenance[t..t + cols]);
        copy(&mut block.days, to, &row.days[t..t + cols]);
        for b in 0..4 {
            copy(&mut block.rho[b], to, &row.rho[b][t..t + cols]);
            copy(&mut block.unc[b], to, &row.unc[b][t..t + cols]);
        }
        if window.fade_in.contains(&step) {
            let weight =
                (step - window.fade_in.start + 1) as f32 / (window.fade_in.len() + 1) as f32;
            fade(ending, kept(&window.fade_in), block, [k, r], weight);
        }
    }
}

/// Copies a row into an array in standard layout.
fn copy<T: Copy>(array: &mut Array3<T>, to: usize, row: &[T]) {
    let target = array
        .as_slice_mut()
        .and_then(|s| s.get_mut(to..to + row.len()));
    if let Some(target) = target {
        target.copy_from_slice(row);
    }
}

/// Fades a row of the block with what the window before left.
fn fade(ending: &FadeOut, kept: Range<usize>, block: &mut StackBlock, at: [usize; 2], weight: f32) {
    for (c, j) in kept.enumerate() {
        let here = [at[0], at[1], c];
        let (origin, days) = (block.provenance[here], block.days[here]);
        for b in 0..4 {
            let old = (ending.rho[b][j], ending.unc[b][j]);
            let new = (block.rho[b][here], block.unc[b][here]);
            (block.rho[b][here], block.unc[b][here]) = mix(old, new, weight);
        }
        // the window that knows the nearer acquisition
        if origin == 0 || (ending.provenance[j] != 0 && ending.days[j] < days) {
            block.provenance[here] = ending.provenance[j];
            block.days[here] = ending.days[j];
        }
    }
}

/// Linear mean of values and variances; one side alone where the other has no data.
fn mix(old: (i16, u16), new: (i16, u16), weight: f32) -> (i16, u16) {
    if old.0 == NODATA {
        return new;
    }
    if new.0 == NODATA {
        return old;
    }
    let rho = f32::from(old.0) * (1.0 - weight) + f32::from(new.0) * weight;
    let var = f32::from(old.1).powi(2) * (1.0 - weight) + f32::from(new.1).powi(2) * weight;
    (rho.round() as i16, var.sqrt().round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_step_is_written_once(start in -300i32..300, n in 0i32..900) {
            let steps = start..start + n;
            let windows = plan(&steps, &FusionParams::default());
            let mut next = steps.start;
            for (i, w) in windows.iter().enumerate() {
                prop_assert_eq!(w.written.start, next);
                next = w.written.end;
                prop_assert!(w.steps.start <= w.written.start && w.fade_out.end <= w.steps.end);
                prop_assert!(w.steps.len() <= 146);
                if i > 0 {
                    let before = &windows[i - 1];
                    prop_assert_eq!(&before.fade_out, &w.fade_in);
                    prop_assert!(w.fade_in.start >= w.steps.start + 8 && w.fade_in.end <= before.steps.end - 8);
                    prop_assert!(w.fade_in.end <= w.written.end);
                }
            }
            prop_assert_eq!(next, steps.end.max(steps.start));
        }
    }

    #[test]
    fn fading_is_linear_and_skips_missing_values() {
        assert_eq!(mix((1000, 30), (2000, 40), 0.5), (1500, 35));
        assert_eq!(mix((NODATA, NODATA_U16), (2000, 40), 0.1), (2000, 40));
        assert_eq!(mix((1000, 30), (NODATA, NODATA_U16), 0.9), (1000, 30));
    }
}
