//! Reading acquisition products back, whole or by blocks of rows.

use super::geotiff::{Layers, read_rows};
use super::layers::{self, ANGLE_STEP, LayerSpec};
use super::record::RUN;
use super::{AcquisitionId, ProductError, layout};
use crate::types::grid::{GridSpec, TileId};
use crate::types::observation::Angles;
use crate::types::reflectance::decode_u16;
use crate::types::status::Masks;
use gdal::raster::GdalType;
use ndarray::Array2;
use serde_json::Value;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The acquisitions of a tile, in order of time; empty when there are none. Only finished products count.
///
/// # Errors
/// [`ProductError::Read`] when a folder exists and cannot be listed.
pub fn list_acquisitions(root: &Path, tile: TileId) -> Result<Vec<AcquisitionId>, ProductError> {
    let mut ids = acquisition_folders(root, tile)?;
    ids.retain(|id| id.exists(root));
    Ok(ids)
}

/// Names of the folders of a tile's acquisitions, in order of time, whatever is in them.
///
/// # Errors
/// As [`list_acquisitions`].
pub(crate) fn acquisition_folders(
    root: &Path,
    tile: TileId,
) -> Result<Vec<AcquisitionId>, ProductError> {
    let mut ids = Vec::new();
    for year in names_in(&layout::acquisitions_folder(root, tile))? {
        for name in names_in(&year)? {
            let id = name
                .file_name()
                .and_then(|n| n.to_str())
                .and_then(|n| n.parse().ok());
            ids.extend(id.filter(|id: &AcquisitionId| id.tile == tile));
        }
    }
    ids.sort();
    Ok(ids)
}

fn names_in(folder: &Path) -> Result<Vec<PathBuf>, ProductError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(e) => return Err(ProductError::read(folder)(e)),
    };
    entries
        .map(|e| e.map(|e| e.path()).map_err(ProductError::read(folder)))
        .collect()
}

/// One acquisition product. Files are opened per call: a series of hundreds needs no open files.
///
/// ```
/// use probav_ard::product::{AcquisitionId, AcquisitionReader};
/// use probav_ard::types::status::usable;
/// # use ndarray::Array2;
/// # use probav_ard::product::geotiff::{Layer, write_layers};
/// # use probav_ard::types::grid::{Resolution, Tile};
/// # let folder = tempfile::tempdir().unwrap();
/// # let root = folder.path();
/// # let tile = Tile { id: "31UFS".parse().unwrap(), epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0 };
/// # let id: AcquisitionId = "PROBAV_ARD_31UFS_20180503T104512_L_300M".parse().unwrap();
/// # let grid = tile.grid(Resolution::M300);
/// # let values = Array2::from_elem((366, 366), usable::USABLE);
/// # for name in ["SM", "USABLE"] {
/// #     let layer = Layer { name, data: values.view(), scale: None, nodata: None };
/// #     write_layers(&id.folder(root).join(id.file_name(name)), &grid, &[layer], &[]).unwrap();
/// # }
/// let id: AcquisitionId = "PROBAV_ARD_31UFS_20180503T104512_L_300M".parse().unwrap();
/// let product = AcquisitionReader::open(root, &id, true).unwrap();
/// let rows = product.usable(100..200).unwrap();
/// assert_eq!(rows.dim(), (100, product.grid().width));
/// assert!(rows.iter().all(|v| *v == usable::USABLE));
/// ```
#[derive(Debug, Clone)]
pub struct AcquisitionReader {
    id: AcquisitionId,
    folder: PathBuf,
    screened: Option<PathBuf>,
    grid: GridSpec,
}

impl AcquisitionReader {
    /// Opens a product. With `prefer_screened`, masks come from the screened product where it exists.
    ///
    /// # Errors
    /// [`ProductError::Read`] when the product does not exist, [`ProductError::Damaged`] when its first layer is
    /// not readable or has not the size of a tile.
    pub fn open(
        root: &Path,
        id: &AcquisitionId,
        prefer_screened: bool,
    ) -> Result<AcquisitionReader, ProductError> {
        let folder = id.folder(root);
        let first = folder.join(id.file_name(layers::SM.name));
        let grid = read_rows::<u16>(&first, 0..0)?.grid;
        let size = id.resolution.size();
        let grid = GridSpec {
            height: size,
            ..grid
        };
        if grid.width != size || grid.pixel != id.resolution.metres() {
            return Err(ProductError::damaged(&first)("not on the grid of its tile"));
        }
        let screened = (prefer_screened && id.is_screened(root)).then(|| id.screened_folder(root));
        Ok(AcquisitionReader {
            id: *id,
            folder,
            screened,
            grid,
        })
    }

    /// The name.
    pub fn id(&self) -> &AcquisitionId {
        &self.id
    }

    /// The grid of every layer.
    pub fn grid(&self) -> GridSpec {
        self.grid
    }

    /// True when masks come from the screened product.
    pub fn is_screened(&self) -> bool {
        self.screened.is_some()
    }

    /// Surface reflectance counts of rows, in band order; scale 0.0001, no data −32768.
    ///
    /// # Errors
    /// [`ProductError::Read`], [`ProductError::Damaged`], [`ProductError::OutOfRange`].
    pub fn rho(&self, rows: Range<usize>) -> Result<[Array2<i16>; 4], ProductError> {
        let [b, r, n, s] = layers::REFLECTANCE;
        let one = |spec: LayerSpec| -> Result<Array2<i16>, ProductError> {
            let [band] = self.layer(&self.folder, &spec, rows.clone())?;
            Ok(band)
        };
        Ok([one(b)?, one(r)?, one(n)?, one(s)?])
    }

    /// 1 σ counts of rows, in band order; scale 0.0001, no data 65535.
    ///
    /// # Errors
    /// As [`AcquisitionReader::rho`].
    pub fn sigma(&self, rows: Range<usize>) -> Result<[Array2<u16>; 4], ProductError> {
        self.layer(&self.folder, &layers::UNC, rows)
    }

    /// Random part of σ of rows where the product has the layer; coded as [`AcquisitionReader::sigma`].
    ///
    /// # Errors
    /// As [`AcquisitionReader::rho`].
    pub fn sigma_random(
        &self,
        rows: Range<usize>,
    ) -> Result<Option<[Array2<u16>; 4]>, ProductError> {
        self.optional(&layers::UNC_RANDOM, rows)
    }

    /// Systematic part of σ of rows where the product has the layer; coded as [`AcquisitionReader::sigma`].
    ///
    /// # Errors
    /// As [`AcquisitionReader::rho`].
    pub fn sigma_systematic(
        &self,
        rows: Range<usize>,
    ) -> Result<Option<[Array2<u16>; 4]>, ProductError> {
        self.optional(&layers::UNC_SYSTEMATIC, rows)
    }

    /// The mask layers of rows: the screened ones where asked for and present (SAT has no screened form).
    ///
    /// # Errors
    /// As [`AcquisitionReader::rho`].
    pub fn masks(&self, rows: Range<usize>) -> Result<Masks, ProductError> {
        let folder = self.screened.as_deref().unwrap_or(&self.folder);
        let [sm] = self.layer(folder, &layers::SM, rows.clone())?;
        let [qx] = self.layer(folder, &layers::QX, rows.clone())?;
        let [usable] = self.layer(folder, &layers::USABLE, rows.clone())?;
        let [sat] = self.layer(&self.folder, &layers::SAT, rows)?;
        Ok(Masks {
            sm,
            qx,
            sat,
            usable,
        })
    }

    /// Only USABLE of rows, with the preference of [`AcquisitionReader::masks`].
    ///
    /// # Errors
    /// As [`AcquisitionReader::rho`].
    pub fn usable(&self, rows: Range<usize>) -> Result<Array2<u8>, ProductError> {
        let folder = self.screened.as_deref().unwrap_or(&self.folder);
        let [usable] = self.layer(folder, &layers::USABLE, rows)?;
        Ok(usable)
    }

    /// Angle counts of rows: SZA, SAA, VNIR VZA, VNIR VAA, SWIR VZA, SWIR VAA; 0.01°, no data 65535.
    ///
    /// # Errors
    /// As [`AcquisitionReader::rho`].
    pub fn geometry(&self, rows: Range<usize>) -> Result<[Array2<u16>; 6], ProductError> {
        self.layer(&self.folder, &layers::GEOMETRY, rows)
    }

    /// Angles of rows, degrees, NaN where unknown.
    ///
    /// # Errors
    /// As [`AcquisitionReader::rho`].
    pub fn angles(&self, rows: Range<usize>) -> Result<Angles, ProductError> {
        let [sza, saa, vnir_vza, vnir_vaa, swir_vza, swir_vaa] = self
            .geometry(rows)?
            .map(|counts| counts.mapv(|v| decode_u16(v, ANGLE_STEP)));
        Ok(Angles {
            sza,
            saa,
            vnir_vza,
            vnir_vaa,
            swir_vza,
            swir_vaa,
        })
    }

    /// TOA reflectance counts of rows where the product has the layer.
    ///
    /// # Errors
    /// As [`AcquisitionReader::rho`].
    pub fn toa(&self, rows: Range<usize>) -> Result<Option<[Array2<i16>; 4]>, ProductError> {
        self.optional(&layers::TOA, rows)
    }

    /// `run.json` of the acquisition.
    ///
    /// # Errors
    /// [`ProductError::Read`], [`ProductError::Damaged`].
    pub fn record(&self) -> Result<Value, ProductError> {
        read_json(&self.folder.join(RUN))
    }

    /// `item.json` of the acquisition.
    ///
    /// # Errors
    /// [`ProductError::Read`], [`ProductError::Damaged`].
    pub fn item(&self) -> Result<Value, ProductError> {
        read_json(&self.folder.join(super::stac::ITEM))
    }

    /// A layer that not every product has.
    fn optional<T: GdalType + Copy, const N: usize>(
        &self,
        spec: &LayerSpec,
        rows: Range<usize>,
    ) -> Result<Option<[Array2<T>; N]>, ProductError> {
        if !self.folder.join(self.id.file_name(spec.name)).is_file() {
            return Ok(None);
        }
        self.layer(&self.folder, spec, rows).map(Some)
    }

    fn layer<T: GdalType + Copy, const N: usize>(
        &self,
        folder: &Path,
        spec: &LayerSpec,
        rows: Range<usize>,
    ) -> Result<[Array2<T>; N], ProductError> {
        let path = folder.join(self.id.file_name(spec.name));
        let Layers { grid, bands, .. } = read_rows(&path, rows)?;
        if grid.width != self.grid.width
            || grid.ulx != self.grid.ulx
            || grid.pixel != self.grid.pixel
        {
            return Err(ProductError::damaged(&path)(
                "its grid is not that of the product",
            ));
        }
        let found = bands.len();
        bands
            .try_into()
            .map_err(|_| ProductError::damaged(&path)(format!("{found} bands instead of {N}")))
    }
}

pub(super) fn read_json(path: &Path) -> Result<Value, ProductError> {
    let text = fs::read(path).map_err(ProductError::read(path))?;
    serde_json::from_slice(&text).map_err(ProductError::damaged(path))
}
