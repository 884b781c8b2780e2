//! Names of tiles.

use std::fmt;
use std::str::FromStr;

/// A tile name that does not have the form of a Sentinel-2 tile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a Sentinel-2 tile name: expected a zone 01-60, a latitude band C-X and two letters, as in 31UFS"
)]
pub struct BadTileName(pub String);

/// Name of a Sentinel-2 tile, always five upper-case characters, e.g. `31UFS`.
///
/// ```
/// use probav_ard::types::grid::TileId;
///
/// let id: TileId = "t31ufs".parse()?;
/// assert_eq!(id.as_str(), "31UFS");
/// assert_eq!((id.zone(), id.band_letter(), id.square()), (31, 'U', "FS"));
/// assert!("31IFS".parse::<TileId>().is_err(), "MGRS has no letter I");
/// # Ok::<(), probav_ard::types::grid::BadTileName>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId([u8; 5]);

impl TileId {
    /// The name.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// UTM zone, 1 to 60.
    pub fn zone(&self) -> u8 {
        (self.0[0] - b'0') * 10 + (self.0[1] - b'0')
    }

    /// Latitude band letter, C to X.
    pub fn band_letter(&self) -> char {
        char::from(self.0[2])
    }

    /// The two letters of the 100 km square.
    pub fn square(&self) -> &str {
        std::str::from_utf8(&self.0[3..]).unwrap_or_default()
    }

    /// Folder below `tiles/`: `31/U/FS`.
    pub fn path(&self) -> std::path::PathBuf {
        let name = self.as_str();
        [&name[..2], &name[2..3], &name[3..]].iter().collect()
    }
}

impl FromStr for TileId {
    type Err = BadTileName;

    /// Accepts lower case, a leading `T` (`T31UFS`), and a missing leading zero (`1UBT`).
    fn from_str(text: &str) -> Result<Self, BadTileName> {
        let bad = || BadTileName(text.to_string());
        let mut name = text.trim().to_ascii_uppercase();
        if name.len() == 6 && name.starts_with('T') {
            name.remove(0);
        }
        if name.len() == 4 {
            name.insert(0, '0');
        }
        let b: [u8; 5] = name.as_bytes().try_into().map_err(|_| bad())?;
        let letter = |c: u8| c.is_ascii_uppercase() && c != b'I' && c != b'O';
        let digits = b[0].is_ascii_digit() && b[1].is_ascii_digit();
        if !digits
            || !letter(b[2])
            || !(b'C'..=b'X').contains(&b[2])
            || !letter(b[3])
            || !letter(b[4])
        {
            return Err(bad());
        }
        let id = TileId(b);
        if (1..=60).contains(&id.zone()) {
            Ok(id)
        } else {
            Err(bad())
        }
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tile_names_are_normalised_or_refused() {
        assert_eq!("t31ufs".parse::<TileId>().unwrap().as_str(), "31UFS");
        assert_eq!("1UBT".parse::<TileId>().unwrap().as_str(), "01UBT");
        for bad in [
            "", "31UF", "61UFS", "00UFS", "31IFS", "31UOS", "31ZFS", "31UFSX", "é1UF",
        ] {
            assert!(bad.parse::<TileId>().is_err(), "{bad}");
        }
    }
}
