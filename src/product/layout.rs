//! Where products lie below the output folder.
//!
//! ```
//! use probav_ard::product::layout;
//! let tile = "31UFS".parse().unwrap();
//! let zarr = layout::stack_zarr("OUT".as_ref(), tile);
//! assert_eq!(zarr.to_str(), Some("OUT/tiles/31/U/FS/stack/PROBAV_ARD_31UFS_P5D.zarr"));
//! ```

use super::AcquisitionId;
use crate::types::grid::{Resolution, TileId};
use chrono::Datelike;
use std::path::{Path, PathBuf};

/// `OUT/tiles/31/U/FS`.
pub fn tile_folder(root: &Path, tile: TileId) -> PathBuf {
    root.join("tiles").join(tile.path())
}

/// `…/acquisitions`, with one folder per year.
pub fn acquisitions_folder(root: &Path, tile: TileId) -> PathBuf {
    tile_folder(root, tile).join("acquisitions")
}

/// `…/screened`, with one folder per year.
pub fn screened_root(root: &Path, tile: TileId) -> PathBuf {
    tile_folder(root, tile).join("screened")
}

/// `…/background/PROBAV_ARD_31UFS_100M`.
pub fn background_folder(root: &Path, tile: TileId, resolution: Resolution) -> PathBuf {
    tile_folder(root, tile)
        .join("background")
        .join(format!("PROBAV_ARD_{tile}_{}", resolution.code()))
}

/// `…/stack`, swapped as a whole with each generation.
pub fn stack_folder(root: &Path, tile: TileId) -> PathBuf {
    tile_folder(root, tile).join("stack")
}

/// `PROBAV_ARD_31UFS_P5D`, the name of a tile's stack.
pub fn stack_name(tile: TileId) -> String {
    format!("PROBAV_ARD_{tile}_P5D")
}

/// `…/stack/PROBAV_ARD_31UFS_P5D.zarr`.
pub fn stack_zarr(root: &Path, tile: TileId) -> PathBuf {
    stack_folder(root, tile).join(format!("{}.zarr", stack_name(tile)))
}

/// `OUT/items`, the index of the catalogue.
pub fn items_folder(root: &Path) -> PathBuf {
    root.join("items")
}

/// `OUT/catalog`.
pub fn catalog_folder(root: &Path) -> PathBuf {
    root.join("catalog")
}

impl AcquisitionId {
    fn below(&self, folder: PathBuf) -> PathBuf {
        folder
            .join(format!("{:04}", self.time.year()))
            .join(self.to_string())
    }

    /// Folder of the acquisition product.
    pub fn folder(&self, root: &Path) -> PathBuf {
        self.below(acquisitions_folder(root, self.tile))
    }

    /// Folder of its screened masks.
    pub fn screened_folder(&self, root: &Path) -> PathBuf {
        self.below(screened_root(root, self.tile))
    }

    /// File name of a layer: `<id>_<layer>.tif`.
    pub fn file_name(&self, layer: &str) -> String {
        format!("{self}_{layer}.tif")
    }

    /// True when the acquisition product exists; products appear whole or not at all.
    pub fn exists(&self, root: &Path) -> bool {
        self.folder(root).join(super::stac::ITEM).is_file()
    }

    /// True when its screened masks exist.
    pub fn is_screened(&self, root: &Path) -> bool {
        self.screened_folder(root).join(super::stac::ITEM).is_file()
    }
}
