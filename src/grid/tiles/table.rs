//! Reads the embedded table.

use crate::grid::{Tile, TileId};

static COMPRESSED: &[u8] = include_bytes!("../../../grids/s2_tiles.csv.zst");

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Name and corner.
    pub tile: Tile,
    /// Touches Natural Earth 1:10m land.
    pub land: bool,
}

/// Every row, sorted by name. The table is part of the program, so damage cannot occur at run time;
/// a row that cannot be read is left out, and the tests count the rows.
pub(super) fn read() -> Vec<Entry> {
    let bytes = zstd::decode_all(COMPRESSED).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.lines().skip(1).filter_map(row).collect()
}

fn row(line: &str) -> Option<Entry> {
    let mut fields = line.split(',');
    let id: TileId = fields.next()?.parse().ok()?;
    let epsg = fields.next()?.parse().ok()?;
    let ulx: i32 = fields.next()?.parse().ok()?;
    let uly: i32 = fields.next()?.parse().ok()?;
    let land = fields.next()? == "1";
    let tile = Tile {
        id,
        epsg,
        ulx: f64::from(ulx),
        uly: f64::from(uly),
    };
    Some(Entry { tile, land })
}
