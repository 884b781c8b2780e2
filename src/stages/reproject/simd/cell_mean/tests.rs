//! Against nine interpolated values.

use super::super::super::kernel::{Kernel, Weights};
use super::super::{Isa, cell_mean, interpolate, lattice};
use super::*;

/// Waves of eight samples and more along any direction, on a turned and sheared lattice: the one sum is the
/// mean of nine interpolated values to fourth order, on every instruction set.
#[test]
fn one_sum_is_the_mean_of_nine() {
    let (rows, stride) = (60, 50);
    let image =
        |i: f32, j: f32| 0.3 + 0.05 * (0.7 * i + 0.2 * j).sin() + 0.04 * (0.3 * i - 0.6 * j).cos();
    let mut values: Vec<f32> = (0..rows * stride)
        .map(|k| image((k / stride) as f32, (k % stride) as f32))
        .collect();
    values.extend([0.0; 2]);
    let s = Samples {
        values: &values,
        stride,
        rows,
    };
    let slope = ([0.13f32; 400], [-0.09f32; 400]);
    let l = Lattice {
        east: [-0.22, 0.6],
        south: [0.95, 0.15],
        up: [0.02, 1.4],
    };
    let centres: (Vec<f32>, Vec<f32>) = (0..400)
        .map(|k| {
            let k = k as f32;
            (8.0 + (k * 0.618) % 40.0, 8.0 + (k * 0.414) % 30.0)
        })
        .unzip();
    let weights = Weights::of(Kernel::Cubic6);
    let table = Phases::of(&weights).unwrap();
    let means = |isa: Isa| {
        let [mut along, mut across, mut mixed] = [[0.0f32; 400]; 3];
        let out: [&mut [f32]; 3] = [&mut along, &mut across, &mut mixed];
        lattice(isa, &l, [&slope.0, &slope.1], out);
        let places = Places {
            lines: &centres.0,
            pixels: &centres.1,
            along: &along,
            across: &across,
            mixed: &mixed,
        };
        let mut out = vec![0.0; 400];
        cell_mean(isa, s, &table, places, &mut out);
        out
    };
    let (plain, wide) = (means(Isa::Baseline), means(Isa::detect()));
    let a = [l.east[0] + l.up[0] * 0.13, l.east[1] + l.up[1] * 0.13];
    let b = [l.south[0] - l.up[0] * 0.09, l.south[1] - l.up[1] * 0.09];
    for k in 0..400 {
        assert!((plain[k] - wide[k]).abs() < 1e-6);
        let (mut lines, mut pixels) = (Vec::new(), Vec::new());
        for y in [-1.0, 0.0, 1.0] {
            for x in [-1.0, 0.0, 1.0] {
                lines.push(centres.0[k] + x * a[0] + y * b[0]);
                pixels.push(centres.1[k] + x * a[1] + y * b[1]);
            }
        }
        let mut nine = [0.0; 9];
        interpolate(Isa::Baseline, s, &weights, &lines, &pixels, &mut nine);
        let mean = nine.iter().sum::<f32>() / 9.0;
        // one count is 1e-4
        assert!((mean - plain[k]).abs() < 3e-4, "{k}: {mean} {}", plain[k]);
    }
}

#[test]
fn a_mean_that_leaves_the_window_is_none() {
    let values = vec![0.5; 12 * 12 + 2];
    let s = Samples {
        values: &values,
        stride: 12,
        rows: 12,
    };
    let table = Phases::of(&Weights::of(Kernel::Cubic)).unwrap();
    let lines = [6.0, 1.0, 11.5, f32::NAN, -1e30, 6.0];
    let pixels = [6.0, 6.0, 6.0, 6.0, 6.0, 0.4];
    let places = Places {
        lines: &lines,
        pixels: &pixels,
        along: &[1.0, 1.0, 1.0, f32::NAN, 1e30, 1.0],
        across: &[0.5, 0.5, 0.5, 0.5, f32::NAN, 0.9],
        mixed: &[0.0, 0.1, f32::NAN, 0.0, 0.0, 0.0],
    };
    for isa in [Isa::Baseline, Isa::detect()] {
        let mut out = [0.0; 6];
        cell_mean(isa, s, &table, places, &mut out);
        assert!((out[0] - 0.5).abs() < 1e-6);
        assert!(out[1..].iter().all(|v| v.is_nan()));
    }
}
