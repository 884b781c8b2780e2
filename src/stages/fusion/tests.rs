//! The whole fusion against truth: a synthetic landscape built here, and a crop of the benchmark.

mod benchmark;
mod hostile;
mod landscape;
mod recovery;
mod sparse;
