//! Clipping values on a padded grid to the tile: the last step before writing.

use crate::types::geometry::RowCol;
use crate::types::grid::GridSpec;
use crate::types::observation::{Angles, Observation};
use crate::types::raster::BandStack;
use crate::types::reflectance::{Normalised, SurfaceReflectance};
use ndarray::{Array2, s};

/// Where one grid lies in another of the same pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clip {
    row: usize,
    col: usize,
    height: usize,
    width: usize,
}

impl Clip {
    /// The place of `inner` in `outer`; `None` unless it lies within, pixel on pixel.
    pub fn of(inner: &GridSpec, outer: &GridSpec) -> Option<Clip> {
        let RowCol { row, col } = outer.locate(inner.centre(0, 0));
        let whole = |x: f64| (x >= 0.0 && x.fract() == 0.0).then_some(x as usize);
        let clip = Clip {
            row: whole(row)?,
            col: whole(col)?,
            height: inner.height,
            width: inner.width,
        };
        let fits = clip.row + clip.height <= outer.height && clip.col + clip.width <= outer.width;
        (fits && inner.epsg == outer.epsg && inner.pixel == outer.pixel).then_some(clip)
    }

    /// The part of an array.
    pub fn array<T: Clone>(&self, a: &Array2<T>) -> Array2<T> {
        let (r, c) = (self.row, self.col);
        a.slice(s![r..r + self.height, c..c + self.width])
            .to_owned()
    }

    fn grid(&self, outer: &GridSpec) -> GridSpec {
        GridSpec {
            ulx: outer.ulx + self.col as f64 * outer.pixel,
            uly: outer.uly - self.row as f64 * outer.pixel,
            width: self.width,
            height: self.height,
            ..*outer
        }
    }

    /// The part of four bands.
    pub fn bands<T: Clone>(&self, b: &BandStack<T>) -> BandStack<T> {
        BandStack {
            grid: self.grid(&b.grid),
            bands: std::array::from_fn(|i| self.array(&b.bands[i])),
        }
    }

    /// The part of an observation.
    pub fn observation(&self, o: &Observation) -> Observation {
        Observation {
            grid: self.grid(&o.grid),
            camera: o.camera,
            source: o.source.clone(),
            time: o.time,
            toa: self.bands(&o.toa),
            quality: self.bands(&o.quality),
            angles: Angles {
                sza: self.array(&o.angles.sza),
                saa: self.array(&o.angles.saa),
                vnir_vza: self.array(&o.angles.vnir_vza),
                vnir_vaa: self.array(&o.angles.vnir_vaa),
                swir_vza: self.array(&o.angles.swir_vza),
                swir_vaa: self.array(&o.angles.swir_vaa),
            },
            seconds: self.array(&o.seconds),
            height: self.array(&o.height),
            occluded: self.array(&o.occluded),
        }
    }

    /// The part of normalised reflectance.
    pub fn normalised(&self, n: &Normalised) -> Normalised {
        Normalised {
            q: self.bands(&n.q),
            aod550: self.array(&n.aod550),
        }
    }

    /// The part of surface reflectance.
    pub fn surface(&self, s: &SurfaceReflectance) -> SurfaceReflectance {
        SurfaceReflectance {
            grid: self.grid(&s.grid),
            rho: self.bands(&s.rho),
            sigma: self.bands(&s.sigma),
            sigma_random: self.bands(&s.sigma_random),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clip_of_a_padded_grid_is_the_grid() {
        let inner = GridSpec {
            epsg: 32631,
            ulx: 600_000.0,
            uly: 5_700_000.0,
            pixel: 300.0,
            width: 4,
            height: 3,
        };
        let outer = inner.padded(2);
        let clip = Clip::of(&inner, &outer).unwrap();
        let mut bands = BandStack::filled(outer, 0);
        bands.bands[3][(2, 2)] = 7;
        let part = clip.bands(&bands);
        assert_eq!(part.grid, inner);
        assert_eq!(part.bands[3][(0, 0)], 7);
        assert!(Clip::of(&outer, &inner).is_none());
        let shifted = GridSpec {
            ulx: 600_020.0,
            ..inner
        };
        assert!(Clip::of(&shifted, &outer).is_none());
    }
}
