//! Closed rings of points (x, y) in a plane: convex hull, the part on one side of a line, containment and
//! intersection. A ring is given without its first point repeated unless said otherwise.

/// A point (x, y).
pub type Point = (f64, f64);

/// A line parallel to an axis, and the side of it that is kept; the line itself belongs to both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HalfPlane {
    /// x ≥ the value.
    Right(f64),
    /// x ≤ the value.
    Left(f64),
    /// y ≥ the value.
    Above(f64),
    /// y ≤ the value.
    Below(f64),
}

impl HalfPlane {
    fn holds(self, (x, y): Point) -> bool {
        match self {
            HalfPlane::Right(limit) => x >= limit,
            HalfPlane::Left(limit) => x <= limit,
            HalfPlane::Above(limit) => y >= limit,
            HalfPlane::Below(limit) => y <= limit,
        }
    }

    /// Where the edge between two points on different sides meets the line.
    fn crossing(self, a: Point, b: Point) -> Point {
        match self {
            HalfPlane::Right(limit) | HalfPlane::Left(limit) => {
                let t = (limit - a.0) / (b.0 - a.0);
                (limit, a.1 + t * (b.1 - a.1))
            }
            HalfPlane::Above(limit) | HalfPlane::Below(limit) => {
                let t = (limit - a.1) / (b.1 - a.1);
                (a.0 + t * (b.0 - a.0), limit)
            }
        }
    }
}

/// The part of a ring in a half plane (Sutherland and Hodgman 1974, Communications of the ACM 17, clip by
/// one line). Of a ring that is not convex, parts stay joined along the line.
///
/// ```
/// use probav_ard::types::rings::{HalfPlane, area, clip};
///
/// let square = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)];
/// let left = clip(&square, HalfPlane::Left(0.5));
/// assert_eq!(area(&left), 1.0);
/// ```
pub fn clip(ring: &[Point], to: HalfPlane) -> Vec<Point> {
    let mut out = Vec::with_capacity(ring.len() + 4);
    for (a, b) in edges(ring) {
        if to.holds(a) {
            out.push(a);
        }
        if to.holds(a) != to.holds(b) {
            out.push(to.crossing(a, b));
        }
    }
    out
}

/// True when the part of a ring inside a rectangle (west, south, east, north) has area.
pub(super) fn overlaps(ring: &[Point], (west, south, east, north): (f64, f64, f64, f64)) -> bool {
    let outside = |f: &dyn Fn(&Point) -> bool| ring.iter().all(f);
    if outside(&|p| p.0 <= west)
        || outside(&|p| p.0 >= east)
        || outside(&|p| p.1 <= south)
        || outside(&|p| p.1 >= north)
    {
        return false;
    }
    let sides = [
        HalfPlane::Right(west),
        HalfPlane::Left(east),
        HalfPlane::Above(south),
        HalfPlane::Below(north),
    ];
    let part = sides
        .iter()
        .fold(ring.to_vec(), |part, side| clip(&part, *side));
    area(&part) > 0.0
}

/// Area enclosed by a ring.
pub fn area(ring: &[Point]) -> f64 {
    let twice: f64 = edges(ring).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum();
    twice.abs() / 2.0
}

/// Convex hull, counter-clockwise where x grows to the right and y upwards, from its leftmost point on
/// (Andrew's monotone chain; Andrew 1979, Information Processing Letters 9). Fewer than three different
/// points are handed back as they are.
///
/// ```
/// use probav_ard::types::rings::convex_hull;
///
/// let points = vec![(0.0, 0.0), (1.0, 0.0), (0.4, 0.5), (1.0, 1.0), (0.0, 1.0)];
/// assert_eq!(convex_hull(points), [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]);
/// ```
pub fn convex_hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let chain = |points: &mut dyn Iterator<Item = Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for p in points {
            while chain.len() >= 2 && turn(chain[chain.len() - 2], chain[chain.len() - 1], p) <= 0.0
            {
                chain.pop();
            }
            chain.push(p);
        }
        chain.pop();
        chain
    };
    let mut lower = chain(&mut points.iter().copied());
    lower.extend(chain(&mut points.iter().rev().copied()));
    lower
}

/// True where a point lies inside a ring (even-odd rule).
pub fn contains(ring: &[Point], (x, y): Point) -> bool {
    edges(ring).fold(false, |within, ((x0, y0), (x1, y1))| {
        let hit = (y0 > y) != (y1 > y) && x < (x1 - x0) * (y - y0) / (y1 - y0) + x0;
        within != hit
    })
}

/// True when two rings share any point. Rings of fewer than three points meet nothing.
pub fn meet(a: &[Point], b: &[Point]) -> bool {
    if a.len() < 3 || b.len() < 3 {
        return false;
    }
    contains(a, b[0]) || contains(b, a[0]) || edges(a).any(|p| edges(b).any(|q| cross(p, q)))
}

type Edge = (Point, Point);

fn edges(ring: &[Point]) -> impl Iterator<Item = Edge> + '_ {
    (0..ring.len()).map(|i| (ring[i], ring[(i + 1) % ring.len()]))
}

/// Twice the area of the triangle, positive where it turns to the left.
fn turn(o: Point, a: Point, b: Point) -> f64 {
    (a.0 - o.0) * (b.1 - o.1) - (a.1 - o.1) * (b.0 - o.0)
}

fn cross((a, b): Edge, (c, d): Edge) -> bool {
    (turn(a, b, c) > 0.0) != (turn(a, b, d) > 0.0) && (turn(c, d, a) > 0.0) != (turn(c, d, b) > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIAMOND: [Point; 4] = [(0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (1.0, 0.0)];

    fn square(x: f64, y: f64, half: f64) -> Vec<Point> {
        vec![
            (x - half, y - half),
            (x + half, y - half),
            (x + half, y + half),
            (x - half, y + half),
        ]
    }

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

    #[test]
    fn two_halves_make_the_whole() {
        let halves = [HalfPlane::Left(0.25), HalfPlane::Right(0.25)];
        let areas = halves.map(|h| area(&clip(&DIAMOND, h)));
        assert!((areas[0] + areas[1] - 2.0).abs() < 1e-12);
        assert!((areas[1] - 0.75 * 0.75).abs() < 1e-12);
    }

    #[test]
    fn rings_meet_by_containment_and_crossing() {
        let a = square(10.0, 50.0, 5.0);
        assert!(meet(&a, &square(10.0, 50.0, 1.0)));
        assert!(meet(&square(10.0, 50.0, 1.0), &a));
        assert!(meet(&a, &square(15.0, 50.0, 2.0)));
        assert!(!meet(&a, &square(18.0, 50.0, 2.0)));
        // a cross has no vertex of one ring inside the other
        let bar = vec![(0.0, 49.0), (20.0, 49.0), (20.0, 51.0), (0.0, 51.0)];
        assert!(meet(&square(10.0, 50.0, 4.0), &bar));
    }

    #[test]
    fn hulls_leave_out_the_inside() {
        let points = vec![
            (0.0, 0.0),
            (1.0, 0.0),
            (1.0, 1.0),
            (0.0, 1.0),
            (0.5, 0.5),
            (0.5, 0.0),
        ];
        assert_eq!(
            convex_hull(points),
            vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
        );
        assert_eq!(convex_hull(vec![(0.0, 0.0); 5]).len(), 1);
    }
}
