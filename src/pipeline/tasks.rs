//! What one unit of work does: an acquisition, the screening of a tile, its stack.

pub mod acquire;
mod clip;
pub mod geometric_check;
pub mod screen;
pub mod stack;
mod swath;
