//! Orthorectification of a segment onto a grid.
