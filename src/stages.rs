//! The stages: pure functions on values. No file access, no globals, no clock; a stage never imports another stage.

pub mod atmosphere;
pub mod composite;
pub mod fusion;
pub mod mask;
pub mod register;
pub mod reproject;
pub mod temporal;
