//! Files to values. Every guess about a foreign format lives in the room of that format; rooms do not import each other.

pub mod cams;
pub mod dem;
pub mod l1c;
pub mod landmask;
pub mod reference;
pub mod tables;
