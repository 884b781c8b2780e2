//! Temporal screening along the archive of a tile.
