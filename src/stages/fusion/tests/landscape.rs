//! A synthetic landscape as an archive in memory, its stack, and their difference.

use super::super::*;
use crate::types::grid::{GridSpec, Resolution};
use crate::types::progress::Silent;
use crate::types::status::usable;
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use ndarray::{Array2, Array4, s};
use std::ops::Range;

/// A repeatable source of noise.
pub(super) struct Noise(pub(super) u64);

impl Noise {
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
    pub(super) fn gauss(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// An archive without acquisitions over some 300 m cells (rows, columns).
pub(super) fn memory(cells: (usize, usize)) -> InMemory {
    InMemory::new(GridSpec {
        epsg: 32631,
        ulx: 600_000.0,
        uly: 5_700_000.0,
        pixel: 300.0,
        width: cells.1,
        height: cells.0,
    })
}

/// Adds an acquisition at 100 m (`kind` 0) or 300 m (1).
pub(super) fn add(m: &mut InMemory, kind: usize, day: f64, pixels: Pixels) {
    let acquisition = Acquisition {
        time: at(day),
        vza: [0.0, 30.0][kind],
    };
    m.push(
        [Resolution::M100, Resolution::M300][kind],
        acquisition,
        pixels,
    );
}

pub(super) fn at(day: f64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2014, 1, 1, 0, 0, 0).unwrap() + TimeDelta::seconds((day * 86_400.0) as i64)
}

/// The stack in memory, with the count of how often each (step, row) came.
pub(super) struct Stack {
    pub(super) first: i32,
    pub(super) rho: Array4<i16>,
    pub(super) unc: Array4<u16>,
    pub(super) provenance: ndarray::Array3<u8>,
    pub(super) days: ndarray::Array3<u8>,
    pub(super) n100: ndarray::Array3<u8>,
    pub(super) n300: ndarray::Array3<u8>,
    pub(super) written: Array2<u8>,
}

impl Stack {
    /// Mean σ of a band at a step, counts.
    pub(super) fn mean_unc(&self, step: usize, band: usize) -> f64 {
        let layer = self.unc.slice(s![step, band, .., ..]);
        layer.mapv(f64::from).mean().unwrap()
    }
}

impl Sink for Stack {
    fn write(&mut self, first_row: usize, block: &StackBlock) -> Result<(), StoreError> {
        let (_, n, _) = block.provenance.dim();
        let steps =
            (block.steps.start - self.first) as usize..(block.steps.end - self.first) as usize;
        let rows = first_row..first_row + n;
        for b in 0..4 {
            self.rho
                .slice_mut(s![steps.clone(), b, rows.clone(), ..])
                .assign(&block.rho[b]);
            self.unc
                .slice_mut(s![steps.clone(), b, rows.clone(), ..])
                .assign(&block.unc[b]);
        }
        for (to, from) in [
            (&mut self.provenance, &block.provenance),
            (&mut self.days, &block.days),
            (&mut self.n100, &block.n100),
            (&mut self.n300, &block.n300),
        ] {
            to.slice_mut(s![steps.clone(), rows.clone(), ..])
                .assign(from);
        }
        self.written
            .slice_mut(s![steps, rows])
            .mapv_inplace(|x| x + 1);
        Ok(())
    }
}

pub(super) fn run_with(
    series: &InMemory,
    steps: Range<i32>,
    params: &FusionParams,
) -> (Stack, Report) {
    let (t, g) = (steps.len(), series.grids[0]);
    let mut stack = Stack {
        first: steps.start,
        rho: Array4::from_elem((t, 4, g.height, g.width), 12_345),
        unc: Array4::from_elem((t, 4, g.height, g.width), 12_345),
        provenance: ndarray::Array3::from_elem((t, g.height, g.width), 99),
        days: ndarray::Array3::zeros((t, g.height, g.width)),
        n100: ndarray::Array3::zeros((t, g.height, g.width)),
        n300: ndarray::Array3::zeros((t, g.height, g.width)),
        written: Array2::zeros((t, g.height)),
    };
    let report = fuse(series, steps, params, &mut stack, &Silent).unwrap();
    assert!(
        stack.written.iter().all(|n| *n == 1),
        "every step of every row once"
    );
    (stack, report)
}

pub(super) fn run(series: &InMemory, steps: Range<i32>) -> Stack {
    run_with(series, steps, &FusionParams::default()).0
}

/// Truth of a synthetic landscape of fields: reflectance of a pixel on a day.
pub(super) fn truth(row: usize, col: usize, day: f64) -> [f64; 4] {
    let field = (row / 4 * 7 + col / 5 * 3) % 11;
    let phase = 120.0 + 12.0 * field as f64;
    let green =
        (-((day.rem_euclid(365.0) - phase) / 45.0).powi(2)).exp() * (0.6 + 0.04 * field as f64);
    let soil = 0.02 * ((field * 5) % 7) as f64 / 7.0;
    [
        0.06 + soil * 0.5 - 0.02 * green,
        0.11 + soil - 0.07 * green,
        0.20 + soil + 0.25 * green,
        0.25 + 2.0 * soil - 0.10 * green,
    ]
}

pub(super) type Surface<'a> = &'a dyn Fn(usize, usize, f64) -> [f64; 4];

/// Acquisitions of a surface: 100 m every 5 days, 300 m on two days of three, half of each under cloud in patches.
pub(super) fn simulate(
    cells: (usize, usize),
    days: Range<i32>,
    surface: Surface<'_>,
    seed: u64,
) -> InMemory {
    let mut m = memory(cells);
    let mut noise = Noise(seed);
    for day in days {
        for kind in 0..2 {
            let due = if kind == 0 {
                day.rem_euclid(5) == 1
            } else {
                day.rem_euclid(3) != 0
            };
            if !due {
                continue;
            }
            let g = m.grids[kind];
            let k = [1usize, 3][kind];
            let mut p = Pixels::empty(g.height, g.width);
            let clouds: Vec<f64> = (0..64).map(|_| noise.uniform()).collect();
            for r in 0..g.height {
                for c in 0..g.width {
                    let time = f64::from(day) + 0.45;
                    let mut sum = [0.0; 4];
                    for i in 0..k * k {
                        let v = surface(r * k + i / k, c * k + i % k, time);
                        (0..4).for_each(|b| sum[b] += v[b] / (k * k) as f64);
                    }
                    for b in 0..4 {
                        let s = [0.005, 0.004, 0.006, 0.006][b] * [1.0, 0.7][kind];
                        p.rho[b][(r, c)] = ((sum[b] + s * noise.gauss()) * 1e4).round() as i16;
                    }
                    let patch = (r * k / 12 * 8 + c * k / 12) % 64;
                    p.usable[(r, c)] = if clouds[patch] < 0.5 {
                        usable::CLOUD
                    } else {
                        usable::USABLE
                    };
                }
            }
            add(&mut m, kind, f64::from(day) + 0.45, p);
        }
    }
    m
}

/// Errors in reflectance over σ, per band.
pub(super) fn errors(stack: &Stack, surface: Surface<'_>) -> (Vec<f64>, Vec<f64>) {
    let (mut e, mut z) = (vec![], vec![]);
    for ((t, b, r, c), v) in stack.rho.indexed_iter() {
        let day = 5.0 * (f64::from(stack.first) + t as f64) + 2.5;
        let d = f64::from(*v) * 1e-4 - surface(r, c, day)[b];
        e.push(d);
        z.push(d.abs() / (f64::from(stack.unc[(t, b, r, c)]) * 1e-4));
    }
    (e, z)
}

pub(super) fn rms(e: &[f64]) -> f64 {
    (e.iter().map(|x| x * x).sum::<f64>() / e.len() as f64).sqrt()
}

pub(super) fn share(z: &[f64], limit: f64) -> f64 {
    z.iter().filter(|x| **x <= limit).count() as f64 / z.len() as f64
}
