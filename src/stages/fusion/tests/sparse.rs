//! Archives with little in them.

use super::super::provenance as origin;
use super::super::*;
use super::landscape::*;
use crate::types::reflectance::{NODATA, NODATA_U16};
use crate::types::status::usable;
use ndarray::{Array2, s};
use std::ops::Range;

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
    // and no acquisitions at all
    let none = run(&memory((4, 4)), -5..3);
    assert!(none.rho.iter().all(|v| *v == NODATA));
}

#[test]
fn a_single_look_of_either_kind_fills_the_steps_with_growing_sigma() {
    for kind in 0..2 {
        let all = simulate((6, 6), 30..33, &truth, 12);
        let mut m = memory((6, 6));
        let mut p = all.pixels[kind][0].clone();
        p.usable.fill(usable::USABLE);
        add(&mut m, kind, 31.45, p);
        let stack = run(&m, 0..20);
        assert!(stack.rho.iter().all(|v| *v != NODATA));
        let sigma = |t: usize| stack.mean_unc(t, 2) * 1e-4;
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
        // the level stays that of the acquisition: a trend is never made up
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
    // 25 days, 5 centre and 6 side acquisitions, a part of the tile covered, a cloud that never goes away
    let all = simulate((20, 20), 100..125, &truth, 13);
    let mut m = memory((20, 20));
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
            add(
                &mut m,
                kind,
                (all.acquisitions[kind][i].time - at(0.0)).num_seconds() as f64 / 86_400.0,
                p,
            );
        }
    }
    assert!((4..=6).contains(&m.acquisitions[0].len()) && m.acquisitions[1].len() <= 6);
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
    m.acquisitions[1].clear();
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
    m.acquisitions[0].clear();
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
fn swir_never_seen_comes_from_elsewhere_or_is_no_data() {
    let mut m = simulate((12, 12), 0..200, &truth, 20);
    let blind = |m: &mut InMemory, from: usize| {
        for kind in 0..2 {
            let k = [3, 1][kind];
            for p in &mut m.pixels[kind] {
                let mut part = p.usable.slice_mut(s![.., from * k..]);
                part.mapv_inplace(|u| {
                    if u == usable::USABLE {
                        usable::VNIR_ONLY
                    } else {
                        u
                    }
                });
            }
        }
    };
    blind(&mut m, 8);
    let stack = run(&m, 0..40);
    assert!(stack.rho.iter().all(|v| *v != NODATA));
    let mean = |cols: Range<usize>, b: usize| {
        stack
            .unc
            .slice(s![.., b, .., cols])
            .mapv(f64::from)
            .mean()
            .unwrap()
    };
    assert!(
        mean(27..36, 3) > 1.2 * mean(0..21, 3),
        "{} {}",
        mean(27..36, 3),
        mean(0..21, 3)
    );
    assert!(mean(27..36, 2) < 1.2 * mean(0..21, 2));
    blind(&mut m, 0);
    let stack = run(&m, 0..40);
    for ((_, b, _, _), v) in stack.rho.indexed_iter() {
        assert_eq!(*v == NODATA, b == 3);
    }
}

#[test]
fn own_sigma_lowers_the_weight_of_a_look() {
    let mut m = simulate((8, 8), 0..100, &truth, 17);
    // one acquisition in the middle is off by 0.05 and says so
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
    let step = (m.acquisitions[0][i].time - at(0.0)).num_days() as usize / 5;
    let off = |m: &InMemory| {
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
