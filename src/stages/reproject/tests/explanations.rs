//! An explained pixel tells what the observation holds.

use super::*;
use crate::types::geometry::LonLat;

#[test]
fn an_explanation_adds_up() {
    let g = grid(100.0, 60);
    let mut s = Synthetic::over(g, 60_000.0).narrow(900.0);
    s.terrain = mountains;
    for (grid, factor) in [
        (g, 1),
        (
            GridSpec {
                pixel: 300.0,
                width: 20,
                height: 20,
                ..g
            },
            3,
        ),
    ] {
        let h = heights(&grid.subdivided(factor), mountains);
        let request = Request {
            grid,
            heights: &h,
            kernel: Kernel::Cubic6,
        };
        let place = crate::types::grid::utm::Utm::new(grid.epsg).inverse(grid.centre(11, 7));
        let x = explain(&s, &request, None, place).unwrap().unwrap();
        assert_eq!(x.pixel, (11, 7));
        let red = x.strips.iter().find(|s| s.strip == Strip::Red).unwrap();
        assert_eq!(red.parts.len(), factor * factor);
        let result = x.result.unwrap();
        let mean = red.parts.iter().map(|p| p.value).sum::<f32>() / red.parts.len() as f32;
        // values are metres down the grid
        assert!(
            (mean - result.toa[1]).abs() < 0.5,
            "{mean} {}",
            result.toa[1]
        );
        let middle = &red.parts[red.parts.len() / 2];
        let (l, p, misfit) = middle.exact.unwrap();
        assert!(misfit < 1e-3, "{misfit}");
        assert!((middle.place.0 - l).abs() < 0.02 && (middle.place.1 - p).abs() < 0.02);
        let (tl, tp) = (red.ties.lines, red.ties.pixels);
        assert!(tl[0] <= l && l < tl[1] && tp[0] <= p && p < tp[1]);
        let (zenith, _) = red.view;
        assert!((zenith as f32 - result.angles[2]).abs() < 0.05);
        assert!(
            explain(&s, &request, None, LonLat::new(place.lon + 1.0, place.lat))
                .unwrap()
                .is_none()
        );
    }
}

/// What is removed on the ground is what the line and pixel move by, and the exact place still closes on the ground.
#[test]
fn a_refined_explanation_tells_both_places() {
    let g = grid(100.0, 120);
    let swath = Synthetic::over(g, 30_000.0).centred(0.0);
    let heights = Raster::filled(g, 0.0f32);
    let request = Request {
        grid: g,
        heights: &heights,
        kernel: Kernel::Cubic6,
    };
    let place = crate::types::grid::utm::Utm::new(g.epsg).inverse(g.centre(40, 70));
    let removed = [Displacement::constant(30.0, -40.0); 4];
    let still = explain(&swath, &request, None, place).unwrap().unwrap();
    let moved = explain(&swath, &request, Some(&removed), place)
        .unwrap()
        .unwrap();
    assert!(still.refinement.is_none() && moved.refinement == Some(removed));
    for (a, b) in still.strips.iter().zip(&moved.strips) {
        assert!(a.removed.is_none());
        let told = b.removed.unwrap();
        assert_eq!(told.displacement, [30.0, -40.0]);
        let (l, p, _) = a.parts[0].exact.unwrap();
        let (l0, p0) = told.unrefined.unwrap();
        assert!((l - l0).abs() < 1e-6 && (p - p0).abs() < 1e-6);
        let (l1, p1, misfit) = b.parts[0].exact.unwrap();
        assert!(misfit < 1e-3);
        // 50 m on the ground, by lines of sight that share nothing with the mapping
        let at = |l, p| {
            let (lon, lat, _) = swath.ground(b.strip, l, p, 0.0);
            swath.local(lon, lat)
        };
        let (from, to) = (at(l0, p0), at(l1, p1));
        assert!((to.0 - from.0 - 30.0).abs() < 0.5, "{}", to.0 - from.0);
        assert!((to.1 - from.1 - 40.0).abs() < 0.5, "{}", to.1 - from.1);
    }
}
