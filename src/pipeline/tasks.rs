//! What one unit of work does: an acquisition, the screening of a tile, its stack.

pub(super) mod acquire;
pub(super) mod geometric_check;
pub(super) mod screen;
pub(super) mod stack;
