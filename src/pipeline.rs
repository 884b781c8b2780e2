//! What runs, in which order, for which tile.
