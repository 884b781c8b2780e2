//! Terrain heights from any GDAL raster, with the vertical datum through PROJ.
