//! The whole fusion against truth: a synthetic landscape built here, and a crop of the benchmark.

use super::provenance as origin;
use super::*;
use crate::grid::GridSpec;
use crate::progress::Silent;
use crate::reflectance::{NODATA, NODATA_U16};
use crate::status::usable;
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use ndarray::{Array2, Array4, s};
use std::ops::Range;

/// A repeatable source of noise.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
    fn gauss(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// An archive in memory: looks of both resolutions.
#[derive(Clone)]
struct Memory {
    cells: (usize, usize),
    looks: [Vec<Look>; 2],
    pixels: [Vec<Pixels>; 2],
}

impl Memory {
    fn new(cells: (usize, usize)) -> Self {
        Memory {
            cells,
            looks: [vec![], vec![]],
            pixels: [vec![], vec![]],
        }
    }
    fn grid(&self, kind: usize) -> GridSpec {
        let k = [3, 1][kind];
        GridSpec {
            epsg: 32631,
            ulx: 600_000.0,
            uly: 5_700_000.0,
            pixel: [100.0, 300.0][kind],
            width: self.cells.1 * k,
            height: self.cells.0 * k,
        }
    }
    fn add(&mut self, kind: usize, day: f64, pixels: Pixels) {
        self.looks[kind].push(Look {
            time: at(day),
            vza: [0.0, 30.0][kind],
        });
        self.pixels[kind].push(pixels);
    }
}

fn at(day: f64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2014, 1, 1, 0, 0, 0).unwrap() + TimeDelta::seconds((day * 86_400.0) as i64)
}

impl Series for Memory {
    fn fine_grid(&self) -> GridSpec {
        self.grid(0)
    }
    fn coarse_grid(&self) -> GridSpec {
        self.grid(1)
    }
    fn fine(&self) -> &[Look] {
        &self.looks[0]
    }
    fn coarse(&self) -> &[Look] {
        &self.looks[1]
    }
    fn read_fine(&self, look: usize, rows: Range<usize>) -> Result<Pixels, StoreError> {
        Ok(self.pixels[0][look].rows(rows))
    }
    fn read_coarse(&self, look: usize) -> Result<Pixels, StoreError> {
        Ok(self.pixels[1][look].clone())
    }
}

/// The stack in memory, with the count of how often each (step, row) came.
struct Stack {
    first: i32,
    rho: Array4<i16>,
    unc: Array4<u16>,
    provenance: ndarray::Array3<u8>,
    days: ndarray::Array3<u8>,
    n100: ndarray::Array3<u8>,
    n300: ndarray::Array3<u8>,
    written: Array2<u8>,
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

fn run_with(series: &Memory, steps: Range<i32>, params: &FusionParams) -> (Stack, Report) {
    let (t, g) = (steps.len(), series.grid(0));
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

fn run(series: &Memory, steps: Range<i32>) -> Stack {
    run_with(series, steps, &FusionParams::default()).0
}

/// Truth of a synthetic landscape of fields: reflectance of a pixel on a day.
fn truth(row: usize, col: usize, day: f64) -> [f64; 4] {
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

type Surface<'a> = &'a dyn Fn(usize, usize, f64) -> [f64; 4];

/// Looks of a surface: 100 m every 5 days, 300 m on two days of three, half of each under cloud in patches.
fn simulate(cells: (usize, usize), days: Range<i32>, surface: Surface<'_>, seed: u64) -> Memory {
    let mut m = Memory::new(cells);
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
            let g = m.grid(kind);
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
            m.add(kind, f64::from(day) + 0.45, p);
        }
    }
    m
}

/// Errors in reflectance over σ, per band.
fn errors(stack: &Stack, surface: Surface<'_>) -> (Vec<f64>, Vec<f64>) {
    let (mut e, mut z) = (vec![], vec![]);
    for ((t, b, r, c), v) in stack.rho.indexed_iter() {
        let day = 5.0 * (f64::from(stack.first) + t as f64) + 2.5;
        let d = f64::from(*v) * 1e-4 - surface(r, c, day)[b];
        e.push(d);
        z.push(d.abs() / (f64::from(stack.unc[(t, b, r, c)]) * 1e-4));
    }
    (e, z)
}

fn rms(e: &[f64]) -> f64 {
    (e.iter().map(|x| x * x).sum::<f64>() / e.len() as f64).sqrt()
}

fn share(z: &[f64], limit: f64) -> f64 {
    z.iter().filter(|x| **x <= limit).count() as f64 / z.len() as f64
}

#[test]
fn a_landscape_is_recovered_within_its_sigma() {
    let m = simulate((16, 16), 0..365, &truth, 5);
    let stack = run(&m, 0..73);
    assert!(stack.rho.iter().all(|v| *v != NODATA) && stack.unc.iter().all(|v| *v != NODATA_U16));
    let (e, z) = errors(&stack, &truth);
    assert!(rms(&e) < 0.012, "rmse {}", rms(&e));
    // σ covers: the noise model assumes more than this noise, so it may only be on the safe side
    assert!(
        share(&z, 1.0) > 0.6 && share(&z, 2.0) > 0.9,
        "{} {}",
        share(&z, 1.0),
        share(&z, 2.0)
    );
    assert!(
        share(&z, 0.1) < 0.35,
        "σ is not just large: {}",
        share(&z, 0.1)
    );
}

#[test]
fn a_gap_of_both_resolutions_is_bridged_and_sigma_grows() {
    let mut m = simulate((16, 16), 0..365, &truth, 6);
    // nothing at 100 m for 50 days; nothing at all for 20
    for kind in 0..2 {
        let days = [170..220, 185..205][kind].clone();
        for (look, p) in m.looks[kind].iter().zip(&mut m.pixels[kind]) {
            let day = (look.time - at(0.0)).num_days();
            if days.contains(&day) {
                p.usable.fill(usable::CLOUD);
            }
        }
    }
    let stack = run(&m, 0..73);
    let (mut e, mut z) = (vec![], vec![]);
    for t in 37..41 {
        for ((b, r, c), v) in stack.rho.index_axis(ndarray::Axis(0), t).indexed_iter() {
            let d = f64::from(*v) * 1e-4 - truth(r, c, 5.0 * t as f64 + 2.5)[b];
            e.push(d);
            z.push(d.abs() / (f64::from(stack.unc[(t, b, r, c)]) * 1e-4));
            if t == 39 {
                assert_eq!(stack.provenance[(t, r, c)], origin::PREDICTED);
                // the middle of the gap is 197.5; looks end before 185 and begin again at 205
                assert!(stack.days[(t, r, c)] >= 7);
            }
        }
    }
    assert!(rms(&e) < 0.025, "rmse {}", rms(&e));
    assert!(share(&z, 2.0) > 0.88, "{}", share(&z, 2.0));
    let mean = |t: usize| {
        stack
            .unc
            .slice(s![t, 2, .., ..])
            .mapv(f64::from)
            .mean()
            .unwrap()
    };
    assert!(mean(39) > mean(30), "{} {}", mean(39), mean(30));
}

#[test]
fn an_abrupt_change_is_followed() {
    // a harvest in one field on day 200
    let surface = |r: usize, c: usize, day: f64| {
        let mut v = truth(r, c, day);
        if (12..30).contains(&r) && (12..30).contains(&c) && day >= 200.0 {
            v = [0.07, 0.13, 0.19, 0.27];
        }
        v
    };
    let m = simulate((16, 16), 0..365, &surface, 7);
    let stack = run(&m, 0..73);
    for (t, limit) in [(38usize, 0.05), (42, 0.05), (50, 0.025)] {
        let part = stack.rho.slice(s![t, 2, 14..28, 14..28]);
        let e: Vec<f64> = part
            .indexed_iter()
            .map(|((r, c), v)| {
                f64::from(*v) * 1e-4 - surface(r + 14usize, c + 14usize, 5.0 * t as f64 + 2.5)[2]
            })
            .collect();
        assert!(rms(&e) < limit, "step {t}: {}", rms(&e));
    }
}

#[test]
fn undetected_clouds_are_weighed_down() {
    let clean = simulate((12, 12), 0..365, &truth, 8);
    let mut dirty = clean.clone();
    let mut noise = Noise(99);
    for p in &mut dirty.pixels[0] {
        for r in 0..36 {
            for c in 0..36 {
                if noise.uniform() < 0.04 {
                    (0..4).for_each(|b| p.rho[b][(r, c)] += 2000);
                }
            }
        }
    }
    let (a, _) = errors(&run(&clean, 0..73), &truth);
    let (b, _) = errors(&run(&dirty, 0..73), &truth);
    assert!(rms(&b) < 1.25 * rms(&a), "{} {}", rms(&a), rms(&b));
}

#[test]
fn same_bytes_whatever_the_threads_and_blocks() {
    let m = simulate((12, 20), 0..200, &truth, 9);
    let go = |threads: usize, rows: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let params = FusionParams {
            block_rows: rows,
            ..FusionParams::default()
        };
        pool.install(|| run_with(&m, 0..40, &params).0)
    };
    let a = go(1, 61);
    for (threads, rows) in [(2, 61), (2, 7), (1, 1)] {
        let b = go(threads, rows);
        assert!(
            a.rho == b.rho && a.unc == b.unc && a.provenance == b.provenance,
            "{threads} {rows}"
        );
        assert!(a.days == b.days && a.n100 == b.n100 && a.n300 == b.n300);
    }
}

#[test]
fn windows_fade_without_a_jump() {
    let m = simulate((8, 8), 0..500, &truth, 10);
    let params = FusionParams {
        window: 60,
        overlap: 24,
        fade: 12,
        ..FusionParams::default()
    };
    let (stack, report) = run_with(&m, 0..100, &params);
    assert_eq!(report.windows.len(), 3);
    let (e, _) = errors(&stack, &truth);
    assert!(rms(&e) < 0.014, "{}", rms(&e));
    // the error may not jump where one window takes over from another any more than elsewhere
    let jump = |t: usize| {
        let d: Vec<f64> = (0..24 * 24)
            .map(|i| {
                let (r, c) = (i / 24, i % 24);
                let err = |t: usize| {
                    f64::from(stack.rho[(t, 2, r, c)]) * 1e-4 - truth(r, c, 5.0 * t as f64 + 2.5)[2]
                };
                err(t + 1) - err(t)
            })
            .collect();
        rms(&d)
    };
    let all: Vec<f64> = (0..99).map(jump).collect();
    let usual = rms(&all);
    for (t, j) in all.iter().enumerate() {
        assert!(*j < 4.0 * usual, "step {t}: {j} against {usual}");
    }
}

#[test]
fn nothing_usable_gives_no_data() {
    let mut m = simulate((4, 4), 0..60, &truth, 11);
    m.pixels
        .iter_mut()
        .flatten()
        .for_each(|p| p.usable.fill(usable::CLOUD));
    let (stack, report) = run_with(&m, 0..12, &FusionParams::default());
    assert!(!report.windows[0].known);
    assert!(stack.rho.iter().all(|v| *v == NODATA) && stack.unc.iter().all(|v| *v == NODATA_U16));
    assert!(
        stack.provenance.iter().all(|v| *v == origin::NODATA)
            && stack.days.iter().all(|d| *d == 255)
    );
    // and no looks at all
    let none = run(&Memory::new((4, 4)), -5..3);
    assert!(none.rho.iter().all(|v| *v == NODATA));
}

#[test]
fn a_single_look_of_either_kind_fills_the_steps_with_growing_sigma() {
    for kind in 0..2 {
        let all = simulate((6, 6), 30..33, &truth, 12);
        let mut m = Memory::new((6, 6));
        let mut p = all.pixels[kind][0].clone();
        p.usable.fill(usable::USABLE);
        m.add(kind, 31.45, p);
        let stack = run(&m, 0..20);
        assert!(stack.rho.iter().all(|v| *v != NODATA));
        let sigma = |t: usize| {
            stack
                .unc
                .slice(s![t, 2, .., ..])
                .mapv(f64::from)
                .mean()
                .unwrap()
                * 1e-4
        };
        assert!(
            sigma(19) > 1.5 * sigma(6) && sigma(0) > sigma(6),
            "{kind} {} {} {}",
            sigma(0),
            sigma(6),
            sigma(19)
        );
        let step = stack.provenance.slice(s![6, .., ..]);
        let want = [origin::OBSERVED, origin::FUSED_300M][kind];
        assert!(step.iter().all(|x| *x == want));
        assert!(
            stack
                .provenance
                .slice(s![7.., .., ..])
                .iter()
                .all(|x| *x == origin::EXTRAPOLATED)
        );
        assert_eq!(stack.days[(6, 0, 0)], 1);
        assert_eq!(stack.days[(19, 0, 0)], 66);
        // the level stays that of the look: a trend is never made up
        let e: Vec<f64> = stack
            .rho
            .index_axis(ndarray::Axis(0), 19)
            .indexed_iter()
            .map(|((b, r, c), v)| f64::from(*v) * 1e-4 - truth(r, c, 32.0)[b])
            .collect();
        assert!(rms(&e) < 0.02, "{}", rms(&e));
    }
}

#[test]
fn a_short_archive_gives_a_stack_without_a_missing_step() {
    // 25 days, 5 centre and 6 side looks, a part of the tile covered, a cloud that never goes away
    let all = simulate((20, 20), 100..125, &truth, 13);
    let mut m = Memory::new((20, 20));
    for kind in 0..2 {
        for (i, p) in all.pixels[kind].iter().enumerate().step_by([1, 3][kind]) {
            let mut p = p.clone();
            let k = [3, 1][kind];
            for r in 0..20 * k {
                for c in 0..20 * k {
                    if c >= 14 * k {
                        p.usable[(r, c)] = usable::NODATA;
                    } else if r < 2 * k && c < 2 * k {
                        p.usable[(r, c)] = usable::CLOUD;
                    }
                }
            }
            m.add(
                kind,
                (all.looks[kind][i].time - at(0.0)).num_seconds() as f64 / 86_400.0,
                p,
            );
        }
    }
    assert!((4..=6).contains(&m.looks[0].len()) && m.looks[1].len() <= 6);
    let (stack, report) = run_with(&m, 19..26, &FusionParams::default());
    assert_eq!(report.covered_cells, 20 * 14);
    for ((t, b, r, c), v) in stack.rho.indexed_iter() {
        let covered = c < 42;
        assert_eq!(*v != NODATA, covered, "{t} {b} {r} {c}");
        assert_eq!(stack.unc[(t, b, r, c)] != NODATA_U16, covered);
    }
    assert_eq!(stack.provenance[(3, 1, 1)], origin::NEIGHBOUR);
    assert_eq!(stack.provenance[(3, 1, 50)], origin::NODATA);
    let known = |v: &f64| v.is_finite();
    let (mut e, mut z) = (vec![], vec![]);
    for ((t, b, r, c), v) in stack.rho.indexed_iter() {
        if c < 42 && (r >= 6 || c >= 6) && (1..6).contains(&t) {
            let d = f64::from(*v) * 1e-4 - truth(r, c, 5.0 * (19 + t) as f64 + 2.5)[b];
            e.push(d);
            z.push(d.abs() / (f64::from(stack.unc[(t, b, r, c)]) * 1e-4));
        }
    }
    assert!(e.iter().all(known) && rms(&e) < 0.02, "{}", rms(&e));
    assert!(share(&z, 2.0) > 0.88, "{}", share(&z, 2.0));
}

#[test]
fn without_300m_looks_the_100m_series_stands_alone() {
    let mut m = simulate((12, 12), 0..365, &truth, 14);
    m.looks[1].clear();
    m.pixels[1].clear();
    let stack = run(&m, 0..73);
    let (e, z) = errors(&stack, &truth);
    assert!(rms(&e) < 0.02, "{}", rms(&e));
    assert!(share(&z, 2.0) > 0.88, "{}", share(&z, 2.0));
    assert!(stack.n300.iter().all(|n| *n == 0));
}

#[test]
fn without_100m_looks_the_coarse_series_is_given_with_a_sigma_that_says_so() {
    let mut m = simulate((12, 12), 0..365, &truth, 15);
    let with = run(&m, 0..73);
    m.looks[0].clear();
    m.pixels[0].clear();
    let stack = run(&m, 0..73);
    let (e, z) = errors(&stack, &truth);
    assert!(rms(&e) < 0.04, "{}", rms(&e));
    assert!(share(&z, 2.0) > 0.88, "{}", share(&z, 2.0));
    let mean = |s: &Stack| s.unc.mapv(f64::from).mean().unwrap();
    assert!(mean(&stack) > 1.5 * mean(&with));
}

#[test]
fn looks_without_swir_still_serve_the_other_bands() {
    let full = simulate((12, 12), 0..365, &truth, 16);
    let mut m = full.clone();
    for (i, p) in m.pixels.iter_mut().flatten().enumerate() {
        if i % 2 == 0 {
            p.usable.mapv_inplace(|u| {
                if u == usable::USABLE {
                    usable::VNIR_ONLY
                } else {
                    u
                }
            });
            p.rho[3].fill(7777);
        }
    }
    let band = |s: &Stack, b: usize| {
        let e: Vec<f64> = s
            .rho
            .index_axis(ndarray::Axis(1), b)
            .indexed_iter()
            .map(|((t, r, c), v)| f64::from(*v) * 1e-4 - truth(r, c, 5.0 * t as f64 + 2.5)[b])
            .collect();
        rms(&e)
    };
    let (a, b) = (run(&full, 0..73), run(&m, 0..73));
    assert!(
        band(&b, 2) < 1.1 * band(&a, 2),
        "{} {}",
        band(&b, 2),
        band(&a, 2)
    );
    assert!(
        band(&b, 3) < 1.8 * band(&a, 3),
        "{} {}",
        band(&b, 3),
        band(&a, 3)
    );
}

#[test]
fn own_sigma_lowers_the_weight_of_a_look() {
    let mut m = simulate((8, 8), 0..100, &truth, 17);
    // one look in the middle is off by 0.05 and says so
    let i = 10;
    m.pixels[0][i].usable.fill(usable::USABLE);
    m.pixels[0][i]
        .rho
        .iter_mut()
        .for_each(|b| b.mapv_inplace(|v| v + 500));
    let params = FusionParams {
        calibrate: false,
        ..FusionParams::default()
    };
    let step = (m.looks[0][i].time - at(0.0)).num_days() as usize / 5;
    let off = |m: &Memory| {
        let s = run_with(m, 0..20, &params).0;
        let part = s.rho.slice(s![step, 0, .., ..]);
        let e: Vec<f64> = part
            .indexed_iter()
            .map(|((r, c), v)| f64::from(*v) * 1e-4 - truth(r, c, 5.0 * step as f64 + 2.5)[0])
            .collect();
        rms(&e)
    };
    let silent = off(&m);
    let shape = m.pixels[0][i].usable.dim();
    m.pixels[0][i].sigma = Some(std::array::from_fn(|_| Array2::from_elem(shape, 600)));
    assert!(off(&m) < silent, "{} {silent}", off(&m));
}

#[test]
fn hostile_input_is_an_error_or_a_stack_never_a_panic() {
    let mut m = simulate((4, 4), 0..30, &truth, 18);
    for (i, p) in m.pixels.iter_mut().flatten().enumerate() {
        let v = [i16::MAX, i16::MIN + 1, 0][i % 3];
        p.rho.iter_mut().for_each(|b| b.fill(v));
        p.usable.fill([1, 2, 255][i % 3]);
        p.sigma = Some(std::array::from_fn(|_| {
            Array2::from_elem(p.usable.dim(), [0, 65_535, 65_534][i % 3])
        }));
    }
    run(&m, -2..9);
    m.pixels[1][0].usable = Array2::zeros((1, 1));
    let mut stack = NoSink;
    let e = fuse(&m, 0..6, &FusionParams::default(), &mut stack, &Silent).unwrap_err();
    assert!(
        matches!(
            e,
            FusionError::Shape {
                resolution: "300 m",
                index: 0,
                ..
            }
        ),
        "{e}"
    );
    let bad = FusionParams {
        nu: f32::NAN,
        ..FusionParams::default()
    };
    assert!(matches!(
        fuse(&m, 0..6, &bad, &mut stack, &Silent),
        Err(FusionError::Parameter { name: "nu", .. })
    ));
}

struct NoSink;
impl Sink for NoSink {
    fn write(&mut self, _: usize, _: &StackBlock) -> Result<(), StoreError> {
        Err(StoreError::of_class(
            crate::error::Class::System,
            "disk full",
        ))
    }
}

#[test]
fn a_sink_that_fails_stops_the_fusion_with_its_class() {
    let m = simulate((4, 4), 0..30, &truth, 19);
    let e = fuse(&m, 0..6, &FusionParams::default(), &mut NoSink, &Silent).unwrap_err();
    assert_eq!(
        crate::error::Classified::class(&e),
        crate::error::Class::System
    );
    assert_eq!(e.to_string(), "fusion: writing rows 0-11: disk full");
}

/// The crop of the benchmark (`fixtures/fusion/README.md`).
struct Crop {
    series: Memory,
    truth: Array4<f64>,
    window: ndarray::Array3<u8>,
}

fn crop() -> Crop {
    let raw = zstd::decode_all(&include_bytes!("../../fixtures/fusion/temperate.zst")[..]).unwrap();
    let word = |i: usize| i32::from_le_bytes(raw[4 * i..4 * i + 4].try_into().unwrap());
    let [n, t, a, b] = std::array::from_fn(|i| word(i) as usize);
    let vza = |i: usize| f32::from_bits(word(4 + a + b + i) as u32);
    let mut next = 4 * (4 + a + 2 * b);
    let window =
        ndarray::Array3::from_shape_vec((t, n, n), raw[next..next + t * n * n].to_vec()).unwrap();
    next += t * n * n;
    let mut planes = |count: usize| -> Vec<i16> {
        let (low, high) = (
            &raw[next..next + count],
            &raw[next + count..next + 2 * count],
        );
        next += 2 * count;
        low.iter()
            .zip(high)
            .map(|(l, h)| i16::from_le_bytes([*l, *h]))
            .collect()
    };
    let mut truth = Array4::from_shape_vec((t, 4, n, n), planes(t * 4 * n * n))
        .unwrap()
        .mapv(f64::from);
    truth.accumulate_axis_inplace(ndarray::Axis(0), |p, x| *x += p);
    let mut series = Memory::new((n / 3, n / 3));
    for (kind, count, side) in [(0, a, n), (1, b, n / 3)] {
        let all = planes(count * 4 * side * side);
        for (i, look) in all.chunks_exact(4 * side * side).enumerate() {
            let mut p = Pixels::empty(side, side);
            for (j, v) in look.iter().enumerate().filter(|(_, v)| **v != -9999) {
                let (b, r, c) = (j / (side * side), j / side % side, j % side);
                p.rho[b][(r, c)] = v * 8;
                p.usable[(r, c)] = usable::USABLE;
            }
            let day = word(4 + kind * a + i);
            series.add(kind, f64::from(day) + 0.5, p);
            if kind == 1 {
                series.looks[1][i].vza = vza(i);
            }
        }
    }
    Crop {
        series,
        truth: truth.mapv(|v| v * 8e-4),
        window,
    }
}

/// Linear interpolation of the medians of each step, ends held.
fn linear(m: &Memory, steps: usize) -> Array4<f64> {
    let g = m.grid(0);
    let mut out = Array4::zeros((steps, 4, g.height, g.width));
    for r in 0..g.height {
        for c in 0..g.width {
            for b in 0..4 {
                let mut seen: Vec<(usize, f64)> = vec![];
                for t in 0..steps {
                    let mut v: Vec<f64> = m.looks[0]
                        .iter()
                        .zip(&m.pixels[0])
                        .filter(|(l, p)| {
                            (l.time - at(0.0)).num_days() as usize / 5 == t && p.usable[(r, c)] == 1
                        })
                        .map(|(_, p)| f64::from(p.rho[b][(r, c)]) * 1e-4)
                        .collect();
                    v.sort_by(f64::total_cmp);
                    if !v.is_empty() {
                        seen.push((t, (v[(v.len() - 1) / 2] + v[v.len() / 2]) / 2.0));
                    }
                }
                for t in 0..steps {
                    let after = seen.iter().position(|s| s.0 >= t).unwrap_or(seen.len() - 1);
                    let (hi, lo) = (seen[after], seen[after.saturating_sub(1)]);
                    out[(t, b, r, c)] = if t >= hi.0 || t <= lo.0 {
                        if t >= hi.0 { hi.1 } else { lo.1 }
                    } else {
                        lo.1 + (hi.1 - lo.1) * (t - lo.0) as f64 / (hi.0 - lo.0) as f64
                    };
                }
            }
        }
    }
    out
}

#[test]
fn fusion_beats_linear_interpolation_in_every_window_of_the_benchmark() {
    let crop = crop();
    let steps = crop.window.dim().0;
    let stack = run(&crop.series, 0..steps as i32);
    let simple = linear(&crop.series, steps);
    let five = |v: [f64; 4]| {
        let (r, n) = (v[1].clamp(0.005, 1.0), v[2].clamp(0.005, 1.0));
        [v[0], v[1], v[2], v[3], (n - r) / (n + r)]
    };
    let get = |a: &Array4<f64>, (t, r, c): (usize, usize, usize)| {
        five(std::array::from_fn(|b| a[(t, b, r, c)]))
    };
    let fused = stack.rho.mapv(|v| f64::from(v) * 1e-4);
    for (name, bit) in [
        ("all", 0),
        ("obs", 1),
        ("short", 2),
        ("long", 4),
        ("event", 8),
        ("contam", 16),
    ] {
        let (mut ours, mut theirs) = ([0.0; 5], [0.0; 5]);
        for (i, w) in crop.window.indexed_iter() {
            if bit != 0 && w & bit == 0 {
                continue;
            }
            let (x, y, z) = (get(&fused, i), get(&simple, i), get(&crop.truth, i));
            for k in 0..5 {
                ours[k] += (x[k] - z[k]).powi(2);
                theirs[k] += (y[k] - z[k]).powi(2);
            }
        }
        for k in 0..5 {
            assert!(
                ours[k] < theirs[k],
                "{name}, channel {k}: {} against {}",
                ours[k].sqrt(),
                theirs[k].sqrt()
            );
        }
    }
}
