//! The closed rule of the tiling grid, as a proof of the table (`docs/sources/geometry.md`, ESA 2015).
//!
//! Column c = easting letter, signed row r = 100 km row from the equator;
//! ULX = ⌊100000 c / 60⌋ · 60, ULY = ⌈100000 (r + 1) / 60⌉ · 60 counted from the equator,
//! then + 10,000,000 in the south.

use std::collections::BTreeSet;

/// First row, first and last column of an ordinary zone from that row on.
const COLUMNS: [(i32, i32, i32); 13] = [
    (-93, 5, 5),
    (-91, 4, 5),
    (-81, 4, 6),
    (-71, 3, 6),
    (-60, 3, 7),
    (-47, 2, 7),
    (-29, 2, 8),
    (29, 2, 7),
    (47, 3, 7),
    (60, 3, 6),
    (71, 4, 6),
    (81, 4, 5),
    (91, 5, 5),
];

/// Row ranges (inclusive), zone, first and last column: Norway and Svalbard. First > last: no tile.
const EXCEPTIONS: [(i32, i32, i32, i32, i32); 21] = [
    (63, 69, 31, 3, 5),
    (63, 70, 32, 2, 6),
    (79, 80, 31, 4, 7),
    (79, 79, 32, 5, 6),
    (79, 80, 33, 3, 7),
    (79, 79, 34, 5, 6),
    (79, 80, 35, 3, 7),
    (79, 79, 36, 5, 6),
    (79, 80, 37, 3, 6),
    (80, 93, 32, 1, 0),
    (80, 93, 34, 1, 0),
    (80, 93, 36, 1, 0),
    (81, 90, 31, 4, 6),
    (81, 85, 33, 3, 6),
    (86, 90, 33, 4, 6),
    (81, 85, 35, 3, 6),
    (86, 90, 35, 4, 6),
    (81, 85, 37, 3, 5),
    (91, 93, 33, 4, 5),
    (91, 93, 35, 4, 5),
    (91, 93, 37, 4, 5),
];

/// First row of each latitude band.
const BANDS: [(i32, char); 20] = [
    (-93, 'C'),
    (-80, 'D'),
    (-71, 'E'),
    (-62, 'F'),
    (-53, 'G'),
    (-44, 'H'),
    (-35, 'J'),
    (-27, 'K'),
    (-18, 'L'),
    (-9, 'M'),
    (0, 'N'),
    (9, 'P'),
    (18, 'Q'),
    (27, 'R'),
    (35, 'S'),
    (44, 'T'),
    (53, 'U'),
    (62, 'V'),
    (71, 'W'),
    (80, 'X'),
];

fn columns(row: i32, zone: i32) -> (i32, i32) {
    if let Some(x) = EXCEPTIONS
        .iter()
        .find(|x| (x.0..=x.1).contains(&row) && x.2 == zone)
    {
        return (x.3, x.4);
    }
    let (_, first, last) = COLUMNS.iter().rev().find(|c| c.0 <= row).copied().unwrap();
    // an ordinary zone drops its western sliver where the number of columns is odd; zone 1 keeps it
    // and zone 60 drops its easternmost instead
    let sliver = (last - first + 1) % 2 == 1;
    match zone {
        1 if sliver => (first - 1, last),
        60 if sliver => (first, last - 1),
        _ => (first, last),
    }
}

#[test]
fn the_rule_and_the_table_agree_in_every_row() {
    let eastings = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
    let northings = b"ABCDEFGHJKLMNPQRSTUV";
    let mut made = BTreeSet::new();
    for row in -93..=93 {
        for zone in 1..=60 {
            let (first, last) = columns(row, zone);
            for c in first..=last {
                let shift = if zone % 2 == 0 { 5 } else { 0 };
                let band = BANDS.iter().rev().find(|b| b.0 <= row).unwrap().1;
                let e = char::from(eastings[((zone - 1) % 3 * 8 + c - 1) as usize]);
                let n = char::from(northings[(row + shift).rem_euclid(20) as usize]);
                let south = if row < 0 { 10_000_000 } else { 0 };
                let epsg = if row < 0 { 32700 } else { 32600 } + zone;
                let ulx = (100_000 * c).div_euclid(60) * 60;
                let uly = -(-100_000 * (row + 1)).div_euclid(60) * 60 + south;
                made.insert((format!("{zone:02}{band}{e}{n}"), epsg as u32, ulx, uly));
            }
        }
    }
    let table: BTreeSet<_> = super::all()
        .iter()
        .map(|t| (t.id.to_string(), t.epsg, t.ulx as i32, t.uly as i32))
        .collect();
    assert_eq!(made.len(), 56_686);
    assert_eq!(made, table);
}
