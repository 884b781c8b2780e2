//! Algorithms on images and shapes that several stages use; nothing here knows of files.

pub mod cloud_objects;
pub mod keys;
pub mod morphology;
pub mod slope;
pub mod statistics;
pub mod usability;
pub mod water;
