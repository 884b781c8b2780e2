//! Readers below the sources: any GDAL raster sampled onto a grid, and the search of input folders.

pub(crate) mod external_storage;
pub mod georaster;
pub mod input_files;
