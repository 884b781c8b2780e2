//! Readers below the sources: any GDAL raster sampled onto a grid, the search of input folders, and what is checked of
//! foreign files before they are read.

pub mod gdal_session;
pub mod georaster;
pub mod hdf5_guard;
pub mod input_files;
pub mod sha256;
pub mod special_files;
