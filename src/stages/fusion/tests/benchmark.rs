//! A crop of the fusion benchmark, against linear interpolation.

use super::super::*;
use super::landscape::*;
use crate::types::status::usable;
use ndarray::Array4;

/// The crop of the benchmark (`fixtures/fusion/README.md`).
struct Crop {
    series: InMemory,
    truth: Array4<f64>,
    window: ndarray::Array3<u8>,
}

fn crop() -> Crop {
    let raw =
        zstd::decode_all(&include_bytes!("../../../../fixtures/fusion/temperate.zst")[..]).unwrap();
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
    let mut series = memory((n / 3, n / 3));
    for (kind, count, side) in [(0, a, n), (1, b, n / 3)] {
        let all = planes(count * 4 * side * side);
        for (i, acquisition) in all.chunks_exact(4 * side * side).enumerate() {
            let mut p = Pixels::empty(side, side);
            for (j, v) in acquisition.iter().enumerate().filter(|(_, v)| **v != -9999) {
                let (b, r, c) = (j / (side * side), j / side % side, j % side);
                p.rho[b][(r, c)] = v * 8;
                p.usable[(r, c)] = usable::USABLE;
            }
            let day = word(4 + kind * a + i);
            add(&mut series, kind, f64::from(day) + 0.5, p);
            if kind == 1 {
                series.acquisitions[1][i].vza = vza(i);
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
fn linear(m: &InMemory, steps: usize) -> Array4<f64> {
    let g = m.grids[0];
    let mut out = Array4::zeros((steps, 4, g.height, g.width));
    for r in 0..g.height {
        for c in 0..g.width {
            for b in 0..4 {
                let mut seen: Vec<(usize, f64)> = vec![];
                for t in 0..steps {
                    let mut v: Vec<f64> = m.acquisitions[0]
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
