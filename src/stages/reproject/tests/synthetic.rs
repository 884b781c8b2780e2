//! Swaths with an analytic scene, for tests: a circular orbit, a pushbroom camera, and sample values that
//! are an exact function of the ground position, so that the right answer at every pixel is known.

use crate::sources::l1c::{
    L1cError, LineClock, StripWindow, Swath, TieAngles, TieLevel, TiePoints,
};
use crate::types::band::{Camera, Strip};
use crate::types::ellipsoid::{ecef, geodetic};
use crate::types::geometry::{Direction, EastNorth, LonLat};
use crate::types::grid::GridSpec;
use crate::types::grid::utm::Utm;
use crate::types::observation::quality;
use chrono::{DateTime, TimeZone, Utc};
use ndarray::Array2;
use std::ops::Range;
use std::sync::Arc;

/// Orbit radius, metres, inclination and rates, radians (`docs/sources/l1c.md`: altitude 820 km, inclination 98.7°).
const RADIUS: f64 = 6_378_137.0 + 820e3;
const INCLINATION: f64 = 1.7226;
const EARTH_RATE: f64 = 7.292_115e-5;
const MU: f64 = 3.986_004_418e14;
/// Line period of VNIR, seconds.
const PERIOD: f64 = 0.015;

/// What the samples of a strip are.
pub(crate) type Scene = fn(Strip, f64, f64) -> f64;

/// A swath in memory, its samples made when asked for.
pub(crate) struct Synthetic {
    pub camera: Camera,
    /// Roll of the camera, radians; positive looks right of the track (west).
    pub roll: f64,
    /// Argument of latitude and ascending node at time 0.
    u0: f64,
    node: f64,
    /// The grid whose upper-left corner is the origin of the scene.
    grid: GridSpec,
    utm: Utm,
    /// Lines of a VNIR strip; pixels of a VNIR and of a SWIR strip.
    pub lines: usize,
    pub pixels: (usize, usize),
    /// First detector of the VNIR strips; detector 0 lies left of the axis by half of 5200.
    pub first: f64,
    /// Time of the middle line, seconds.
    pub middle: f64,
    /// Height at metres right of and below the corner.
    pub terrain: fn(f64, f64) -> f64,
    pub scene: Scene,
    /// Missing samples: lines × pixels of every VNIR strip.
    pub holes: Vec<(Range<usize>, Range<usize>)>,
    pub tie_step: usize,
    pub levels: Vec<f64>,
    pub angles: bool,
    /// Pixel 0 on the other side.
    pub flip: bool,
    /// Tie points in single precision, as files have them.
    pub single_precision: bool,
}

/// Position itself in BLUE (right) and RED (down) and SWIR (right), 700 and 800 m waves in NIR.
pub(crate) fn position_scene(strip: Strip, x: f64, y: f64) -> f64 {
    match strip {
        Strip::Red => y,
        Strip::Nir => waves(x, y),
        _ => x,
    }
}

/// Two crossing waves of 0.05 about 0.3.
pub(crate) fn waves(x: f64, y: f64) -> f64 {
    let k = std::f64::consts::TAU;
    0.3 + 0.05 * (k * (0.866 * x + 0.5 * y) / 700.0 + 0.3).sin()
        + 0.05 * (k * (-0.342 * x + 0.94 * y) / 800.0).sin()
}

/// Relief of 1800 m about 900 m in waves of 9 to 14 km.
pub(crate) fn mountains(x: f64, y: f64) -> f64 {
    900.0
        + 500.0 * (x / 1500.0 + 0.3).sin()
        + 400.0 * (y / 1700.0 - x / 4100.0).sin()
        + 300.0 * (x / 2300.0 + y / 2000.0).cos()
}

pub(crate) fn flat(_: f64, _: f64) -> f64 {
    0.0
}

impl Synthetic {
    /// A swath whose sub-satellite track passes `offset` metres west of the grid's centre.
    pub(crate) fn over(grid: GridSpec, offset: f64) -> Synthetic {
        let utm = Utm::new(grid.epsg);
        let side = (
            grid.width as f64 * grid.pixel,
            grid.height as f64 * grid.pixel,
        );
        let LonLat { lon, lat } = utm.inverse(EastNorth::new(
            grid.ulx + 0.5 * side.0 - offset,
            grid.uly - 0.5 * side.1,
        ));
        let mut s = Synthetic {
            camera: Camera::Center,
            roll: 0.0,
            u0: 0.0,
            node: 0.0,
            grid,
            utm,
            lines: 400,
            pixels: (5200, 1024),
            first: 0.0,
            middle: 0.0,
            terrain: flat,
            scene: position_scene,
            holes: Vec::new(),
            tie_step: 8,
            levels: vec![0.0, 5000.0],
            angles: true,
            flip: false,
            single_precision: false,
        };
        // descending: latitude falls with the argument of latitude from 90° to 270°
        let (mut low, mut high) = (std::f64::consts::FRAC_PI_2, 1.5 * std::f64::consts::PI);
        for _ in 0..60 {
            s.u0 = 0.5 * (low + high);
            if geodetic(s.satellite(0.0)).1 > lat {
                low = s.u0;
            } else {
                high = s.u0;
            }
        }
        s.node = (lon - geodetic(s.satellite(0.0)).0).to_radians();
        s
    }

    /// The middle line moved onto the middle of the grid, at a height.
    pub(crate) fn centred(mut self, height: f64) -> Synthetic {
        let side = (
            self.grid.width as f64 * self.grid.pixel,
            self.grid.height as f64 * self.grid.pixel,
        );
        let at = self.seen_from(Strip::Red, 0.5 * side.0, 0.5 * side.1, height);
        self.middle += (at.0 - 0.5 * self.lines as f64) * PERIOD;
        self
    }

    /// Only the detectors around the middle of the grid: tie points take time to make.
    pub(crate) fn narrow(self, height: f64) -> Synthetic {
        let mut s = self.centred(height);
        let side = 0.5 * s.grid.width as f64 * s.grid.pixel;
        let at = s.seen_from(Strip::Red, side, side, height).1;
        s.first += (at - 320.0).round();
        s.pixels.0 = 640;
        s
    }

    fn satellite(&self, t: f64) -> [f64; 3] {
        let u = self.u0 + t * (MU / RADIUS.powi(3)).sqrt();
        let o = self.node - EARTH_RATE * t;
        let (su, cu) = u.sin_cos();
        let (so, co) = o.sin_cos();
        let (si, ci) = INCLINATION.sin_cos();
        [
            RADIUS * (co * cu - so * su * ci),
            RADIUS * (so * cu + co * su * ci),
            RADIUS * su * si,
        ]
    }

    fn is_flipped(&self) -> bool {
        self.flip
    }

    /// Tangents of the along-track and across-track direction of a pixel, before roll.
    fn ray(&self, strip: Strip, pixel: f64) -> (f64, f64) {
        let (n, along, tangent): (usize, f64, fn(f64, f64) -> f64) = match strip {
            Strip::Blue => (self.pixels.0, -0.006, |q, _| (q - 2600.2) * 1.2e-4),
            Strip::Red => (self.pixels.0, 0.0, |q, _| (q - 2599.5) * 1.2e-4),
            Strip::Nir => (self.pixels.0, 0.008, |q, _| (q - 2598.9) * 1.2e-4),
            Strip::Swir1 => (self.pixels.1, -0.062, |_, p| -0.333 + p * 2.23e-4),
            Strip::Swir2 => (self.pixels.1, -0.073, |_, p| -0.114 + p * 2.23e-4),
            Strip::Swir3 => (self.pixels.1, -0.062, |_, p| 0.105 + p * 2.23e-4),
        };
        let p = if self.is_flipped() {
            n as f64 - 1.0 - pixel
        } else {
            pixel
        };
        let u = tangent(p + self.first, p);
        (along, u * (1.0 + 0.004 * u * u) + 2e-6 * (9.0 * u).sin())
    }

    /// Seconds of a line centre.
    fn time(&self, strip: Strip, line: f64) -> f64 {
        let factor = if strip.is_swir() { 2.0 } else { 1.0 };
        // strips start later the farther ahead they see, so that their lines meet on the ground
        let ahead = self.ray(strip, 0.0).0 * 820e3 / 6670.0;
        self.middle + (factor * (line + 0.5) - 0.5 * self.lines as f64) * PERIOD - ahead
    }

    /// Longitude and latitude that (line, pixel) sees at an ellipsoidal height, and the satellite.
    pub(crate) fn ground(
        &self,
        strip: Strip,
        line: f64,
        pixel: f64,
        h: f64,
    ) -> (f64, f64, [f64; 3]) {
        let t = self.time(strip, line);
        let p = self.satellite(t);
        let q = self.satellite(t + 0.01);
        let norm = |v: [f64; 3]| {
            let n = (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt();
            v.map(|c| c / n)
        };
        let z = norm(p.map(|c| -c));
        // Earth-fixed velocity: yaw-steered, scan lines across the ground track
        let v = [q[0] - p[0], q[1] - p[1], q[2] - p[2]];
        let y = norm([
            z[1] * v[2] - z[2] * v[1],
            z[2] * v[0] - z[0] * v[2],
            z[0] * v[1] - z[1] * v[0],
        ]);
        let x = [
            y[1] * z[2] - y[2] * z[1],
            y[2] * z[0] - y[0] * z[2],
            y[0] * z[1] - y[1] * z[0],
        ];
        let (along, across) = self.ray(strip, pixel);
        let jitter = (6e-6 * (2.03 * t + 1.0).sin(), 5e-6 * (1.34 * t).sin());
        let a = (across.atan() + self.roll + jitter.0).tan();
        let b = along + jitter.1;
        let d = norm([0, 1, 2].map(|k| z[k] + b * x[k] + a * y[k]));
        // down the ray until the geodetic height is right
        let mut s = 820e3;
        let mut g = (0.0, 0.0, 0.0);
        for _ in 0..60 {
            g = geodetic([0, 1, 2].map(|k| p[k] + s * d[k]));
            let down = -Direction::from_ecef(d, g.0, g.1).up;
            let step = (g.2 - h) / down;
            s += step;
            if step.abs() < 1e-6 {
                break;
            }
        }
        (g.0, g.1, p)
    }

    /// Metres right of and below the corner.
    pub(crate) fn local(&self, lon: f64, lat: f64) -> (f64, f64) {
        let EastNorth { east: e, north: n } = self.utm.forward(LonLat { lon, lat });
        (e - self.grid.ulx, self.grid.uly - n)
    }

    /// Where (line, pixel) meets the terrain.
    fn on_terrain(&self, strip: Strip, line: f64, pixel: f64) -> (f64, f64) {
        let mut h = (self.terrain)(0.0, 0.0);
        for _ in 0..40 {
            let (lon, lat, _) = self.ground(strip, line, pixel, h);
            let (x, y) = self.local(lon, lat);
            let next = (self.terrain)(x, y);
            if (next - h).abs() < 1e-4 {
                return (x, y);
            }
            h = next;
        }
        let (lon, lat, _) = self.ground(strip, line, pixel, h);
        self.local(lon, lat)
    }

    /// (line, pixel) that sees a place, by a search that shares nothing with the code under test; and
    /// the direction to the satellite.
    pub(crate) fn seen_from(&self, strip: Strip, x: f64, y: f64, h: f64) -> (f64, f64, Direction) {
        let (mut l, mut p) = (
            0.5 * self.shape(strip).0 as f64,
            0.5 * self.shape(strip).1 as f64,
        );
        for _ in 0..40 {
            let at = |l: f64, p: f64| {
                let (lon, lat, _) = self.ground(strip, l, p, h);
                self.local(lon, lat)
            };
            let (a, b, c) = (at(l, p), at(l + 1.0, p), at(l, p + 1.0));
            let (j, k) = ((b.0 - a.0, b.1 - a.1), (c.0 - a.0, c.1 - a.1));
            let det = j.0 * k.1 - j.1 * k.0;
            let (ex, ey) = (x - a.0, y - a.1);
            l += (k.1 * ex - k.0 * ey) / det;
            p += (j.0 * ey - j.1 * ex) / det;
        }
        let (lon, lat, s) = self.ground(strip, l, p, h);
        let g = ecef(lon, lat, h);
        (
            l,
            p,
            Direction::from_ecef([s[0] - g[0], s[1] - g[1], s[2] - g[2]], lon, lat),
        )
    }
}

impl Swath for Synthetic {
    fn name(&self) -> &str {
        "SYNTHETIC.HDF5"
    }

    fn camera(&self) -> Camera {
        self.camera
    }

    fn start(&self) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2018, 5, 3, 10, 45, 12).unwrap()
    }

    fn shape(&self, strip: Strip) -> (usize, usize) {
        if strip.is_swir() {
            (self.lines / 2, self.pixels.1)
        } else {
            (self.lines, self.pixels.0)
        }
    }

    fn clock(&self, strip: Strip) -> LineClock {
        let factor = if strip.is_swir() { 2.0 } else { 1.0 };
        LineClock {
            first: 0.5 * factor * PERIOD,
            period: factor * PERIOD,
        }
    }

    fn ties(&self, strip: Strip) -> Result<Arc<TiePoints>, L1cError> {
        let (n, m) = self.shape(strip);
        let axis = |n: usize| -> Vec<f64> {
            (0..(n - 1).div_ceil(self.tie_step) + 1)
                .map(|k| (k * self.tie_step) as f64)
                .collect()
        };
        let (lines, pixels) = (axis(n), axis(m));
        let shape = (lines.len(), pixels.len());
        let round = |v: f64| {
            if self.single_precision {
                f64::from(v as f32)
            } else {
                v
            }
        };
        let level = |altitude: f64| {
            let at = |(i, j): (usize, usize)| self.ground(strip, lines[i], pixels[j], altitude);
            TieLevel {
                altitude,
                lon: Array2::from_shape_fn(shape, |k| round(at(k).0)),
                lat: Array2::from_shape_fn(shape, |k| round(at(k).1)),
            }
        };
        let levels: Vec<TieLevel> = self.levels.iter().map(|a| level(*a)).collect();
        let angles = self.angles.then(|| {
            let view = |(i, j): (usize, usize)| {
                let (lon, lat, s) = self.ground(strip, lines[i], pixels[j], 0.0);
                let g = ecef(lon, lat, 0.0);
                Direction::from_ecef([s[0] - g[0], s[1] - g[1], s[2] - g[2]], lon, lat).angles()
            };
            TieAngles {
                sza: Array2::from_shape_fn(shape, |(i, j)| {
                    (40.0 + 1e-3 * lines[i] + 5e-4 * pixels[j]) as f32
                }),
                saa: Array2::from_elem(shape, 150.0),
                vza: Array2::from_shape_fn(shape, |k| view(k).0 as f32),
                vaa: Array2::from_shape_fn(shape, |k| view(k).1 as f32),
            }
        });
        Ok(Arc::new(TiePoints {
            lines,
            pixels,
            levels,
            angles,
        }))
    }

    fn window(
        &self,
        strip: Strip,
        lines: Range<usize>,
        pixels: Range<usize>,
    ) -> Result<StripWindow, L1cError> {
        let shape = (lines.len(), pixels.len());
        let mut toa = Array2::from_shape_fn(shape, |(i, j)| {
            let (x, y) =
                self.on_terrain(strip, (lines.start + i) as f64, (pixels.start + j) as f64);
            (self.scene)(strip, x, y) as f32
        });
        let mut flags = Array2::zeros(shape);
        if !strip.is_swir() {
            for (l, p) in &self.holes {
                for i in l.start.max(lines.start)..l.end.min(lines.end) {
                    for j in p.start.max(pixels.start)..p.end.min(pixels.end) {
                        toa[(i - lines.start, j - pixels.start)] = f32::NAN;
                        flags[(i - lines.start, j - pixels.start)] = quality::MISSING;
                    }
                }
            }
        }
        Ok(StripWindow {
            line0: lines.start,
            pixel0: pixels.start,
            toa,
            quality: flags,
        })
    }
}
