//! The reference image of a geometric check: any GDAL raster, on a tile's grid.

use crate::formats::georaster::{Content, GeoRaster, GeoRasterError, Trust, open_dataset};
use crate::types::band::Band;
use crate::types::grid::GridSpec;
use gdal::Metadata;
use ndarray::{Array2, Axis};
use std::path::Path;

/// Most parts of a pixel along one side: finer rasters are averaged to these first. Chosen: docs/sources/terrain.md,
/// Reference images.
const MOST_PARTS: f64 = 3.0;
/// Metres in a degree of latitude, roughly; chosen: it only chooses the parts.
const DEGREE_M: f64 = 111_000.0;

/// Bands of a raster that serve as reference.
///
/// Bands described BLUE, RED, NIR or SWIR (any case) serve the band of that name; a raster without such
/// descriptions serves RED with its first band. Scale and offset do not matter: edges are compared.
/// ```
/// use probav_ard::sources::reference::Reference;
/// use probav_ard::types::band::Band;
/// use probav_ard::types::grid::GridSpec;
/// use std::path::Path;
///
/// let file = concat!(
///     env!("CARGO_MANIFEST_DIR"),
///     "/fixtures/archive/truth/PROBAV_L1C_20180621_104452_2_V101.tif"
/// );
/// let reference = Reference::open(Path::new(file))?;
/// let grid = GridSpec { epsg: 32631, ulx: 643_000.0, uly: 5_545_000.0, pixel: 100.0, width: 20, height: 20 };
/// let bands = reference.sample(&grid)?;
/// assert!(bands[Band::Red.index()].is_some());
/// # Ok::<(), probav_ard::formats::georaster::GeoRasterError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reference {
    bands: [Option<GeoRaster>; 4],
    /// Size of a cell, roughly, metres.
    cell: f64,
}

impl Reference {
    /// Looks at a raster without reading its values.
    ///
    /// # Errors
    /// [`GeoRasterError`] when GDAL cannot open it or it has no usable georeference.
    pub fn open(path: &Path) -> Result<Reference, GeoRasterError> {
        let open = |e: gdal::errors::GdalError| GeoRasterError::Open {
            path: path.to_path_buf(),
            reason: e.to_string(),
        };
        let trust = Trust::of(&[path.to_path_buf()]);
        let data = open_dataset(path, &trust)?;
        let geographic = data.spatial_ref().is_ok_and(|s| s.is_geographic());
        let unit = if geographic { DEGREE_M } else { 1.0 };
        let cell = unit * data.geo_transform().map_err(open)?[5].abs();
        let mut number: [Option<usize>; 4] = [None; 4];
        for i in 1..=data.raster_count() {
            let name = data.rasterband(i).map_err(open)?.description();
            let name = name.unwrap_or_default().trim().to_uppercase();
            if let Some(band) = Band::ALL.into_iter().find(|b| b.name() == name) {
                number[band.index()].get_or_insert(i);
            }
        }
        if number.iter().all(Option::is_none) {
            number[Band::Red.index()] = Some(1);
        }
        let mut bands = [None, None, None, None];
        for (band, number) in bands.iter_mut().zip(number) {
            if let Some(number) = number {
                *band = Some(GeoRaster::open_band(path, number, &trust)?);
            }
        }
        Ok(Reference { bands, cell })
    }

    /// The same on the 3 × 3 subdivision of a grid; `None` where the raster is not that fine.
    ///
    /// # Errors
    /// As [`Reference::sample`].
    pub fn sample_fine(
        &self,
        grid: &GridSpec,
    ) -> Result<Option<[Option<Array2<f32>>; 4]>, GeoRasterError> {
        match self.parts(grid) {
            3 => self.sample(&grid.subdivided(3)).map(Some),
            _ => Ok(None),
        }
    }

    /// Parts along one side of a pixel.
    fn parts(&self, grid: &GridSpec) -> usize {
        // a NaN becomes no part at all
        let parts = (grid.pixel / self.cell).round().clamp(1.0, MOST_PARTS) as usize;
        parts.max(1)
    }

    /// BLUE, RED, NIR, SWIR on a grid, where there are such bands; NaN where the raster holds nothing. A value
    /// is the mean of up to nine bilinear ones: a raster finer than the grid must not be point-sampled.
    ///
    /// # Errors
    /// [`GeoRasterError`] when the file vanished, is damaged, or cannot be projected.
    pub fn sample(&self, grid: &GridSpec) -> Result<[Option<Array2<f32>>; 4], GeoRasterError> {
        let any = Content::Continuous {
            min: f32::MIN,
            max: f32::MAX,
        };
        let parts = self.parts(grid);
        let mut out = [None, None, None, None];
        for (out, band) in out.iter_mut().zip(&self.bands) {
            if let Some(band) = band {
                let values = band.sample(&grid.subdivided(parts), any)?;
                *out = Some(match parts {
                    1 => values,
                    n => mean(&values, grid, n),
                });
            }
        }
        Ok(out)
    }
}

/// Mean of the parts of each pixel; NaN where one has no value.
fn mean(parts: &Array2<f32>, grid: &GridSpec, side: usize) -> Array2<f32> {
    let share = 1.0 / (side * side) as f32;
    let mut out = Array2::zeros((grid.height, grid.width));
    for (rows, mut line) in parts
        .axis_chunks_iter(Axis(0), side)
        .zip(out.axis_iter_mut(Axis(0)))
    {
        for row in rows.rows() {
            for (k, v) in row.iter().enumerate() {
                line[k / side] += share * v;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use gdal::DriverManager;
    use gdal::raster::Buffer;
    use gdal::spatial_ref::SpatialRef;

    fn write(path: &Path, names: &[&str]) {
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        let mut data = driver
            .create_with_band_type::<f32, _>(path, 20, 10, names.len())
            .unwrap();
        data.set_geo_transform(&[600_000.0, 100.0, 0.0, 5_700_000.0, 0.0, -100.0])
            .unwrap();
        data.set_spatial_ref(&SpatialRef::from_epsg(32631).unwrap())
            .unwrap();
        for (i, name) in names.iter().enumerate() {
            let mut band = data.rasterband(i + 1).unwrap();
            band.set_description(name).unwrap();
            let mut buffer = Buffer::new((20, 10), vec![i as f32; 200]);
            band.write((0, 0), (20, 10), &mut buffer).unwrap();
        }
    }

    #[test]
    fn bands_are_found_by_name_and_the_first_stands_for_red() {
        let dir = tempfile::tempdir().unwrap();
        let grid = GridSpec {
            epsg: 32631,
            ulx: 600_000.0,
            uly: 5_700_000.0,
            pixel: 100.0,
            width: 20,
            height: 10,
        };
        let values = |names: &[&str]| {
            let path = dir.path().join("r.tif");
            write(&path, names);
            let bands = Reference::open(&path).unwrap().sample(&grid).unwrap();
            bands.map(|b| b.map(|b| b[(5, 5)]))
        };
        assert_eq!(values(&["red", "NIR"]), [None, Some(0.0), Some(1.0), None]);
        assert_eq!(
            values(&["NIR", "x", "Blue"]),
            [Some(2.0), None, Some(0.0), None]
        );
        assert_eq!(values(&["", ""]), [None, Some(0.0), None, None]);
        assert!(Reference::open(&dir.path().join("none.tif")).is_err());
    }
}
