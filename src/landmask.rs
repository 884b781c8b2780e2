//! Land or sea, from any GDAL raster or the built-in coarse mask.
