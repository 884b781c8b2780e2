//! 5-daily composites of the acquisitions of a tile.
