//! Tiles and resolutions by their names in configurations, ledgers and records (`#[serde(with = …)]`).

pub mod tile_name {
    //! A [`TileId`] as its name.
    use crate::types::grid::TileId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the name.
    pub fn serialize<S: Serializer>(tile: &TileId, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(tile.as_str())
    }

    /// Reads the name.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<TileId, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

pub mod resolution_code {
    //! A [`Resolution`] as its code, `100M` or `300M`.
    use crate::types::grid::Resolution;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the name.
    pub fn serialize<S: Serializer>(resolution: &Resolution, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(resolution.code())
    }

    /// Reads the name.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Resolution, D::Error> {
        match String::deserialize(d)?.as_str() {
            "100M" => Ok(Resolution::M100),
            "300M" => Ok(Resolution::M300),
            other => Err(D::Error::custom(format!(
                "'{other}' is neither 100M nor 300M"
            ))),
        }
    }
}
