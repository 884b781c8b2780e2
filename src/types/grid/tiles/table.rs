//! Reads the embedded table.

use crate::types::grid::{Tile, TileId};
use std::sync::OnceLock;

static COMPRESSED: &[u8] = include_bytes!("../../../../grids/s2_tiles.csv.zst");

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Name and corner.
    pub tile: Tile,
    /// Touches Natural Earth 1:10m land.
    pub land: bool,
}

/// The table is part of the program, so damage cannot occur at run time; a row that cannot be read is left out,
/// and the tests count the rows.
fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let bytes = zstd::decode_all(COMPRESSED).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    })
}

/// Every row, sorted by name.
pub(super) fn read() -> Vec<Entry> {
    text().lines().skip(1).filter_map(row).collect()
}

/// One row, without reading the others.
pub(super) fn find(id: TileId) -> Option<Entry> {
    let (_, from) = text().split_once(&format!("\n{id},"))?;
    let rest = from.lines().next()?;
    row(&format!("{id},{rest}"))
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
