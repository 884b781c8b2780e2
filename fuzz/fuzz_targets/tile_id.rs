//! Names of tiles and of acquisition products.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probav_ard::product::AcquisitionId;
use probav_ard::sources::l1c::FileName;
use probav_ard::types::grid::{TileId, tiles};

fuzz_target!(|text: &str| {
    if let Ok(id) = text.parse::<TileId>() {
        assert_eq!(id.to_string().parse::<TileId>().ok(), Some(id));
        let _ = tiles::lookup(id);
    }
    if let Ok(id) = text.parse::<AcquisitionId>() {
        assert_eq!(id.to_string().parse::<AcquisitionId>().ok(), Some(id));
    }
    let _ = FileName::parse(text);
    let _ = FileName::judge(text);
});
