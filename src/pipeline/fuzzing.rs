//! A door for the fuzz targets to what is private.

use super::plan::{index, ledger, on_disk};

/// Reads bytes as every kind of bookkeeping.
pub fn bookkeeping(bytes: &[u8]) {
    ledger::fuzz(bytes);
    index::fuzz(bytes);
    on_disk::fuzz(bytes);
}
