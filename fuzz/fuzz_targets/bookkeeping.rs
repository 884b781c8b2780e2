//! Ledger, index, `run.json` and `checksums.json`: whatever is in them, lines that can be read count and the rest is counted.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    probav_ard::pipeline::fuzzing::bookkeeping(bytes);
});
