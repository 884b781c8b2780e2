//! Cloud objects: where their shadow falls and where SWIR sees them, for a given height. Shared by the
//! single-date and the temporal stage.

pub mod buffer;
pub mod heights;
mod map;
pub mod parallax;
pub mod shadow;
pub mod size;

use crate::imaging::morphology::Components;
use crate::types::geometry::EastNorth;
use crate::types::grid::{GridSpec, utm};
use crate::types::observation::Angles;
use std::collections::HashMap;

/// Lowest and highest cloud considered, metres above the ground (Zhu 2012, Frantz 2018: `docs/sources/cloud_objects.md`).
pub const HEIGHTS_M: (f32, f32) = (200.0, 12_000.0);

/// Longest reach of shadows and parallax that is followed, metres (chosen: beyond it shadows are too faint and
/// too long to match; `docs/sources/cloud_objects.md`, Height from shadow).
pub const REACH_CAP_M: f32 = 20_000.0;

/// Zenith angle, degrees, from which directions are no longer followed (chosen: shadows are beyond all reach there).
const MOST_ZENITH: f32 = 89.0;
/// Mean radius of the Earth, metres (IUGG 1980).
const EARTH_RADIUS_M: f64 = 6_371_000.0;

/// Movement on the map per metre of height, metres: columns grow eastwards, rows southwards.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ShiftPerMetre {
    /// Columns (grid east).
    pub east: f32,
    /// Rows (grid south).
    pub south: f32,
}

impl ShiftPerMetre {
    /// Horizontal movement per metre climbed along a direction; azimuth from grid north.
    pub fn along(zenith: f32, azimuth: f32) -> ShiftPerMetre {
        let t = zenith.to_radians().tan();
        let (sin, cos) = azimuth.to_radians().sin_cos();
        ShiftPerMetre {
            east: t * sin,
            south: -t * cos,
        }
    }

    /// Difference of two movements.
    pub fn minus(self, other: ShiftPerMetre) -> ShiftPerMetre {
        ShiftPerMetre {
            east: self.east - other.east,
            south: self.south - other.south,
        }
    }

    /// Length, metres per metre of height.
    pub fn length(self) -> f32 {
        self.east.hypot(self.south)
    }
}

/// Directions at one place, from the ground towards satellite and Sun.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    /// Towards the satellite, VNIR.
    pub view: ShiftPerMetre,
    /// Towards the satellite, SWIR; `None` where SWIR did not see it.
    pub swir: Option<ShiftPerMetre>,
    /// Towards the Sun.
    pub sun: ShiftPerMetre,
}

impl Sight {
    /// Directions at a pixel, `None` where a VNIR or solar angle is missing. Azimuths are turned from
    /// true to grid north.
    pub fn at(angles: &Angles, grid: &GridSpec, row: usize, col: usize) -> Option<Sight> {
        let at = |a: &ndarray::Array2<f32>| a.get((row, col)).copied().unwrap_or(f32::NAN);
        let turn = convergence(grid, row, col);
        let slope = |z: f32, a: f32| {
            let ok = z.is_finite() && a.is_finite() && (0.0..MOST_ZENITH).contains(&z);
            ok.then(|| ShiftPerMetre::along(z, a - turn))
        };
        Some(Sight {
            view: slope(at(&angles.vnir_vza), at(&angles.vnir_vaa))?,
            swir: slope(at(&angles.swir_vza), at(&angles.swir_vaa)),
            sun: slope(at(&angles.sza), at(&angles.saa))?,
        })
    }

    /// From where a cloud is seen on the map to its shadow, per metre of height: back towards the
    /// sensor, then away from the Sun (Zhu 2012: `docs/sources/cloud_objects.md`).
    pub fn shadow(&self) -> ShiftPerMetre {
        self.view.minus(self.sun)
    }

    /// From where VNIR sees a cloud to where SWIR sees it, per metre of height
    /// (`docs/sources/cloud_objects.md`, Parallax of SWIR).
    pub fn parallax(&self) -> Option<ShiftPerMetre> {
        self.swir.map(|s| self.view.minus(s))
    }
}

/// Grid convergence in degrees (azimuth of grid north from true north), spherical: enough for the
/// bearing of a shadow (error below 0.02°).
fn convergence(grid: &GridSpec, row: usize, col: usize) -> f32 {
    let EastNorth {
        east: easting,
        north: northing,
    } = grid.centre(row, col);
    let radius = EARTH_RADIUS_M * utm::SCALE;
    let north = if grid.is_north() {
        northing
    } else {
        northing - utm::FALSE_NORTHING_SOUTH
    };
    let (x, y) = ((easting - utm::FALSE_EASTING) / radius, north / radius);
    (x.tanh() * y.tan()).atan().to_degrees() as f32
}

/// A part of a cloud small enough to have one height.
#[derive(Debug, Clone)]
pub struct Object {
    /// Component the part was cut from (number in [`Components`]).
    pub component: u32,
    /// Area of the whole component, pixels.
    pub area: u32,
    /// Row-major pixels.
    pub pixels: Vec<u32>,
    /// Mean row.
    pub row: f32,
    /// Mean column.
    pub col: f32,
}

/// Cuts components into parts of at most `side` × `side` pixels along a fixed lattice, in scan order.
pub fn cut(parts: &Components, cols: usize, side: usize) -> Vec<Object> {
    let (cols, side) = (cols.max(1), side.max(1));
    let across = cols.div_ceil(side);
    let mut index: HashMap<(u32, usize), usize> = HashMap::new();
    let mut out: Vec<Object> = Vec::new();
    // the part of the previous pixel usually serves again
    let mut last = ((0u32, usize::MAX), 0usize);
    for (i, label) in parts.labels.iter().enumerate() {
        if *label == 0 {
            continue;
        }
        let area = parts.areas[*label as usize - 1];
        let (r, c) = (i / cols, i % cols);
        let whole = area as usize <= side * side / 2;
        let block = if whole {
            usize::MAX - 1
        } else {
            r / side * across + c / side
        };
        let key = (*label, block);
        if last.0 != key {
            let k = *index.entry(key).or_insert_with(|| {
                out.push(Object {
                    component: *label,
                    area,
                    pixels: Vec::new(),
                    row: 0.0,
                    col: 0.0,
                });
                out.len() - 1
            });
            last = (key, k);
        }
        out[last.1].pixels.push(i as u32);
    }
    for o in &mut out {
        let n = o.pixels.len() as f64;
        let (mut r, mut c) = (0.0, 0.0);
        for p in &o.pixels {
            r += f64::from(*p / cols as u32);
            c += f64::from(*p % cols as u32);
        }
        (o.row, o.col) = ((r / n) as f32, (c / n) as f32);
    }
    out
}

/// The nearest whole number. Rounding by the standard library is a call where the processor's own is not assumed, and this
/// is the innermost step of every projection.
fn nearest(v: f32) -> i32 {
    (v + 0.5f32.copysign(v)) as i32
}

/// Rounded displacement in pixels of a height: (rows, columns).
pub fn shift(slope: ShiftPerMetre, height: f32, pixel: f32) -> (i32, i32) {
    let px = |v: f32| nearest(v * height / pixel);
    (px(slope.south), px(slope.east))
}

/// Row and column of a row-major index.
fn place(index: usize, cols: usize) -> (i32, i32) {
    // 32-bit division: this is the innermost step of every projection, and grids are far below 2³¹ pixels
    let (i, wide) = (index as u32, cols as u32);
    ((i / wide) as i32, (i % wide) as i32)
}

/// The row-major index of a place moved by (rows, columns), `None` beyond the grid.
fn landed(from: (i32, i32), by: (i32, i32), rows: usize, cols: usize) -> Option<usize> {
    let (r, c) = (from.0 + by.0, from.1 + by.1);
    let inside = (0..rows as i32).contains(&r) && (0..cols as i32).contains(&c);
    inside.then(|| r as usize * cols + c as usize)
}

/// A row-major index moved by (rows, columns), `None` beyond the grid.
pub fn moved(index: usize, by: (i32, i32), rows: usize, cols: usize) -> Option<usize> {
    landed(place(index, cols), by, rows, cols)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn sight(sza: f32, saa: f32, vza: f32, vaa: f32) -> Sight {
        let one = |v: f32| Array2::from_elem((1, 1), v);
        let angles = Angles {
            sza: one(sza),
            saa: one(saa),
            vnir_vza: one(vza),
            vnir_vaa: one(vaa),
            swir_vza: one(f32::NAN),
            swir_vaa: one(f32::NAN),
        };
        let grid = GridSpec {
            epsg: 32631,
            ulx: 500_000.0 - 50.0,
            uly: 5_600_000.0,
            pixel: 100.0,
            width: 1,
            height: 1,
        };
        Sight::at(&angles, &grid, 0, 0).unwrap()
    }

    #[test]
    fn shadows_fall_away_from_the_sun() {
        // Sun in the south-east at 45°, nadir view: shadow 1 m per metre to the north-west
        let s = sight(45.0, 135.0, 0.0, 0.0).shadow();
        assert!(s.east < -0.7 && s.south < -0.7, "{s:?}");
        // overhead Sun, satellite in the west at 45°: the cloud is seen 1 m too far east, so its true
        // foot, where the shadow lies, is to the west
        let s = sight(0.0, 0.0, 45.0, 270.0).shadow();
        assert!((s.east + 1.0).abs() < 1e-3 && s.south.abs() < 1e-3, "{s:?}");
        // Sun and satellite in the same direction: the cloud hides its own shadow
        let s = sight(40.0, 110.0, 40.0, 110.0).shadow();
        assert!(s.length() < 1e-5);
    }

    #[test]
    fn convergence_is_that_of_the_projection() {
        // 3° east of the central meridian at latitude 50.5°: γ = Δλ sin φ ≈ 2.31°
        let grid = GridSpec {
            epsg: 32631,
            ulx: 712_600.0,
            uly: 5_598_000.0,
            pixel: 100.0,
            width: 1,
            height: 1,
        };
        assert!(
            (convergence(&grid, 0, 0) - 2.31).abs() < 0.05,
            "{}",
            convergence(&grid, 0, 0)
        );
        let south = GridSpec {
            epsg: 32731,
            uly: 1e7 - 5_598_000.0,
            ..grid
        };
        assert!((convergence(&south, 0, 0) + 2.31).abs() < 0.05);
    }

    #[test]
    fn large_clouds_are_cut_and_small_ones_kept() {
        let (rows, cols) = (40usize, 40usize);
        let mut mask = vec![false; rows * cols];
        for r in 0..rows {
            for c in 0..20 {
                mask[r * cols + c] = true;
            }
        }
        mask[5 * cols + 30] = true;
        let parts = Components::of(&mask, cols);
        let objects = cut(&parts, cols, 20);
        assert_eq!(objects.len(), 3);
        assert_eq!(objects.iter().map(|o| o.pixels.len()).sum::<usize>(), 801);
        assert!(
            objects
                .iter()
                .any(|o| o.pixels.len() == 1 && o.row == 5.0 && o.col == 30.0)
        );
    }
}
