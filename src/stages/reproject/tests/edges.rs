//! The ends of a swath and missing samples within it.

use super::*;
use crate::stages::reproject::resample::UNSEEN;

#[test]
fn swath_edges_and_holes_are_exact() {
    let g = grid(100.0, 160);
    let mut s = Synthetic::over(g, 60_000.0);
    let c = s.seen_from(Strip::Red, 8000.0, 8000.0, 0.0);
    // a narrow strip that starts and ends inside the grid
    s.first = (c.1 - 70.0).round();
    s.pixels.0 = 101;
    s.lines = 96;
    let mut s = s.centred(0.0);
    let (l, p) = {
        let c = s.seen_from(Strip::Red, 8000.0, 8000.0, 0.0);
        (c.0, c.1)
    };
    assert!((0.0..96.0).contains(&l) && (0.0..101.0).contains(&p));
    s.holes = vec![
        (20..25, 0..101),
        (0..96, 30..33),
        (40..60, 50..70),
        (0..96, 80..81),
        (70..71, 0..101),
    ];
    let holes = s.holes.clone();
    let o = run(&s, g, 1).unwrap();
    let (mut covered, mut bridged) = (0, 0);
    for r in 0..160 {
        for c in 0..160 {
            let (x, y) = ((c as f64 + 0.5) * 100.0, (r as f64 + 0.5) * 100.0);
            // the strip is small: a linear guess from its middle would do, but the search is exact
            let (l, p, d) = s.seen_from(Strip::Red, x, y, 0.0);
            let on_border = [l, p].iter().any(|v| (v.fract().abs() - 0.5).abs() < 0.02);
            if on_border {
                continue;
            }
            let (i, j) = (l.round(), p.round());
            let inside = (0.0..96.0).contains(&i) && (0.0..101.0).contains(&j);
            let at = |h: &(std::ops::Range<usize>, std::ops::Range<usize>)| {
                h.0.contains(&(i as usize)) && h.1.contains(&(j as usize))
            };
            let wide = inside && holes[..3].iter().any(at);
            let thin = inside && holes[3..].iter().any(at);
            let v = o.toa[Band::Red][(r, c)];
            let f = o.quality[Band::Red][(r, c)];
            if !inside {
                assert!(v.is_nan() && f == UNSEEN, "{r} {c}: {l} {p} {v} {f}");
            } else if wide || thin && v.is_nan() {
                // where two bad ones cross nothing bridges
                assert!(
                    v.is_nan() && f == quality::MISSING,
                    "{r} {c}: {l} {p} {v} {f}"
                );
                let crossing = !wide;
                assert!(
                    !crossing
                        || holes[3].1.contains(&(j as usize))
                        || holes.iter().filter(|h| at(h)).count() > 1
                        || near_hole(&holes, i, j)
                );
            } else {
                covered += 1;
                bridged += usize::from(thin);
                assert_eq!(f & quality::INTERPOLATED != 0, thin, "{r} {c}: {l} {p}");
                assert!((f64::from(v) - y).abs() < 5.0, "{r} {c}: {l} {p}: {v} {y}");
                // the angles too, where the nodes around lie outside the strip
                let off = off(&o, (r, c), &d);
                assert!(off < 0.01, "{r} {c}: {off}°");
            }
        }
    }
    assert!(covered > 5000 && bridged > 100, "{covered} {bridged}");
}

/// Degrees between the view direction of a pixel and the true one.
fn near_hole(holes: &[(std::ops::Range<usize>, std::ops::Range<usize>)], i: f64, j: f64) -> bool {
    holes[..3].iter().any(|h| {
        (h.0.start as f64 - 1.0..=h.0.end as f64).contains(&i)
            && (h.1.start as f64 - 1.0..=h.1.end as f64).contains(&j)
    })
}
