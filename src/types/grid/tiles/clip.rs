//! Does a ring overlap a rectangle: Sutherland–Hodgman clipping against the four sides.

/// True when the part of a closed ring inside the rectangle (west, south, east, north) has area.
pub(super) fn overlaps(
    ring: &[(f64, f64)],
    (west, south, east, north): (f64, f64, f64, f64),
) -> bool {
    let outside = |f: &dyn Fn(&(f64, f64)) -> bool| ring.iter().all(f);
    if outside(&|p| p.0 <= west)
        || outside(&|p| p.0 >= east)
        || outside(&|p| p.1 <= south)
        || outside(&|p| p.1 >= north)
    {
        return false;
    }
    let mut part = ring.to_vec();
    for (axis, limit, sign) in [
        (0, west, 1.0),
        (0, east, -1.0),
        (1, south, 1.0),
        (1, north, -1.0),
    ] {
        part = half_plane(&part, axis, limit, sign);
    }
    area(&part) > 0.0
}

/// The part of a closed ring where `sign · coordinate ≥ sign · limit`.
fn half_plane(ring: &[(f64, f64)], axis: usize, limit: f64, sign: f64) -> Vec<(f64, f64)> {
    let depth = |p: &(f64, f64)| sign * (if axis == 0 { p.0 } else { p.1 } - limit);
    let mut kept = Vec::with_capacity(ring.len() + 4);
    for w in ring.windows(2) {
        let (a, b) = (depth(&w[0]), depth(&w[1]));
        if a >= 0.0 {
            kept.push(w[0]);
        }
        if (a >= 0.0) != (b >= 0.0) {
            let f = a / (a - b);
            kept.push((
                w[0].0 + f * (w[1].0 - w[0].0),
                w[0].1 + f * (w[1].1 - w[0].1),
            ));
        }
    }
    if let Some(first) = kept.first().copied() {
        kept.push(first);
    }
    kept
}

/// Area enclosed by a closed ring.
fn area(ring: &[(f64, f64)]) -> f64 {
    let twice: f64 = ring
        .windows(2)
        .map(|w| w[0].0 * w[1].1 - w[1].0 * w[0].1)
        .sum();
    twice.abs() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIAMOND: [(f64, f64); 5] = [(0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (1.0, 0.0), (0.0, 1.0)];

    #[test]
    fn corners_of_the_bounding_box_are_not_the_shape() {
        assert!(!overlaps(&DIAMOND, (0.6, 0.6, 1.0, 1.0)));
        assert!(overlaps(&DIAMOND, (0.4, 0.4, 1.0, 1.0)));
    }

    #[test]
    fn boxes_inside_and_around() {
        assert!(overlaps(&DIAMOND, (-0.1, -0.1, 0.1, 0.1)));
        assert!(overlaps(&DIAMOND, (-9.0, -9.0, 9.0, 9.0)));
        assert!(!overlaps(&DIAMOND, (1.0, -1.0, 2.0, 1.0)));
    }
}
