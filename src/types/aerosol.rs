//! Types of aerosol: what tables are made for and CAMS's kinds are mixed into.

use std::str::FromStr;

/// An aerosol name that is none of the five types.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an aerosol type: expected continental, desert, maritime, urban or biomass")]
pub struct UnknownAerosol(pub String);

/// Aerosol types of 6S for which tables exist.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Aerosol {
    /// 6S continental model, the default.
    #[default]
    Continental,
    /// Background desert dust.
    Desert,
    /// Maritime.
    Maritime,
    /// Urban.
    Urban,
    /// Biomass burning smoke.
    Biomass,
}

impl Aerosol {
    /// All types.
    pub const ALL: [Aerosol; 5] = [
        Aerosol::Continental,
        Aerosol::Desert,
        Aerosol::Maritime,
        Aerosol::Urban,
        Aerosol::Biomass,
    ];

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Aerosol::Continental => "continental",
            Aerosol::Desert => "desert",
            Aerosol::Maritime => "maritime",
            Aerosol::Urban => "urban",
            Aerosol::Biomass => "biomass",
        }
    }
}

impl std::fmt::Display for Aerosol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Aerosol {
    type Err = UnknownAerosol;
    fn from_str(text: &str) -> Result<Self, UnknownAerosol> {
        Aerosol::ALL
            .into_iter()
            .find(|a| a.name() == text.trim().to_ascii_lowercase())
            .ok_or_else(|| UnknownAerosol(text.to_string()))
    }
}
