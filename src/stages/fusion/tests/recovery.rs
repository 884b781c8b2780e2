//! What is seen often is recovered within its σ, whatever comes between.

use super::super::provenance as origin;
use super::super::*;
use super::landscape::*;
use crate::types::reflectance::{NODATA, NODATA_U16};
use crate::types::status::usable;
use ndarray::s;

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
        for (acquisition, p) in m.acquisitions[kind].iter().zip(&mut m.pixels[kind]) {
            let day = (acquisition.time - at(0.0)).num_days();
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
                // the middle of the gap is 197.5; acquisitions end before 185 and begin again at 205
                assert!(stack.days[(t, r, c)] >= 7);
            }
        }
    }
    assert!(rms(&e) < 0.025, "rmse {}", rms(&e));
    assert!(share(&z, 2.0) > 0.88, "{}", share(&z, 2.0));
    let mean = |t: usize| stack.mean_unc(t, 2);
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
