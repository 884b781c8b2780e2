//! The variables, their units and plausible values.

use std::fmt;

/// Ozone mass of 1 cm-atm at standard conditions, kg m⁻² (1 Dobson unit = 2.1415e-5 kg m⁻², a definition:
/// docs/sources/atmosphere.md, Variables and units).
pub(super) const OZONE_KG_M2_PER_CM_ATM: f64 = 2.1415e-2;

/// Standard gravity, m s⁻², a definition (geopotential to height).
const GRAVITY: f64 = 9.80665;

/// What is read from CAMS files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Variable {
    /// Aerosol optical depth at 550 nm, `aod550`.
    Aod550,
    /// Total column ozone, `gtco3`.
    #[serde(rename = "gtco3")]
    Ozone,
    /// Total column water vapour, `tcwv`.
    Tcwv,
    /// Surface geopotential, `z`.
    #[serde(rename = "z")]
    Geopotential,
    /// AOD550 of one kind of aerosol.
    #[serde(untagged)]
    Species(Species),
}

/// Kinds of aerosol whose AOD550 CAMS has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Species {
    /// Dust, `duaod550`.
    #[serde(rename = "duaod550")]
    Dust,
    /// Sea salt, `ssaod550`.
    #[serde(rename = "ssaod550")]
    SeaSalt,
    /// Sulphate, `suaod550`.
    #[serde(rename = "suaod550")]
    Sulphate,
    /// Organic matter, `omaod550`.
    #[serde(rename = "omaod550")]
    OrganicMatter,
    /// Black carbon, `bcaod550`.
    #[serde(rename = "bcaod550")]
    BlackCarbon,
    /// Nitrate, `niaod550`: in newer versions of the model.
    #[serde(rename = "niaod550")]
    Nitrate,
    /// Ammonium, `amaod550`: in newer versions of the model.
    #[serde(rename = "amaod550")]
    Ammonium,
}

impl Species {
    /// All kinds; the last two may be missing.
    pub(super) const ALL: [Species; 7] = [
        Species::Dust,
        Species::SeaSalt,
        Species::Sulphate,
        Species::OrganicMatter,
        Species::BlackCarbon,
        Species::Nitrate,
        Species::Ammonium,
    ];

    /// True for the kinds that every version of the model has.
    pub(super) fn is_required(self) -> bool {
        !matches!(self, Species::Nitrate | Species::Ammonium)
    }

    fn name(self) -> &'static str {
        match self {
            Species::Dust => "duaod550",
            Species::SeaSalt => "ssaod550",
            Species::Sulphate => "suaod550",
            Species::OrganicMatter => "omaod550",
            Species::BlackCarbon => "bcaod550",
            Species::Nitrate => "niaod550",
            Species::Ammonium => "amaod550",
        }
    }

    /// ECMWF's parameter number (table 210 of ecCodes).
    fn number(self) -> i64 {
        match self {
            Species::SeaSalt => 210_208,
            Species::Dust => 210_209,
            Species::OrganicMatter => 210_210,
            Species::BlackCarbon => 210_211,
            Species::Sulphate => 210_212,
            Species::Nitrate => 210_250,
            Species::Ammonium => 210_251,
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Variable::Aod550 => "aod550",
            Variable::Ozone => "gtco3",
            Variable::Tcwv => "tcwv",
            Variable::Geopotential => "z",
            Variable::Species(s) => s.name(),
        })
    }
}

impl Variable {
    const ALL: [Variable; 4] = [
        Variable::Aod550,
        Variable::Ozone,
        Variable::Tcwv,
        Variable::Geopotential,
    ];

    /// By name, or by ECMWF's parameter number (docs/sources/atmosphere.md, Variables and units).
    pub(super) fn identify(name: &str, param: Option<i64>) -> Option<Variable> {
        let number = |v: &Variable| match v {
            Variable::Aod550 => 210_207,
            Variable::Ozone => 210_206,
            Variable::Tcwv => 137,
            Variable::Geopotential => 129,
            Variable::Species(s) => s.number(),
        };
        Variable::ALL
            .into_iter()
            .chain(Species::ALL.map(Variable::Species))
            .find(|v| name.eq_ignore_ascii_case(&v.to_string()) || param == Some(number(v)))
    }

    /// Unit in the files.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Variable::Aod550 | Variable::Species(_) => "1",
            Variable::Ozone | Variable::Tcwv => "kg m-2",
            Variable::Geopotential => "m2 s-2",
        }
    }

    /// Unit of [`crate::types::radiative_transfer::AtmosphereState`].
    pub(super) fn scene_unit(self) -> &'static str {
        match self {
            Variable::Aod550 | Variable::Species(_) => "(no unit)",
            Variable::Ozone => "cm-atm",
            Variable::Tcwv => "g cm-2",
            Variable::Geopotential => "m",
        }
    }

    /// The option that replaces it.
    pub(super) fn option(self) -> &'static str {
        match self {
            Variable::Aod550 => "--aod",
            Variable::Ozone => "--ozone",
            Variable::Tcwv => "--tcwv",
            Variable::Geopotential => "model height",
            Variable::Species(_) => "--aerosol",
        }
    }

    /// What to check when a user's number is out of range.
    pub(super) fn unit_hint(self) -> &'static str {
        match self {
            Variable::Ozone => "ozone is in cm-atm, Dobson units divided by 1000",
            Variable::Tcwv => "water vapour is in g cm-2, kg m-2 divided by 10",
            _ => "check the number",
        }
    }

    /// Smallest and largest plausible value in the file's unit, chosen wider than any atmosphere. Ozone from 47 to 934 DU; slightly negative
    /// AOD and water vapour come from packing.
    pub(super) fn plausible(self) -> (f64, f64) {
        match self {
            Variable::Aod550 | Variable::Species(_) => (-0.05, 20.0),
            Variable::Ozone => (0.001, 0.02),
            Variable::Tcwv => (-0.5, 150.0),
            Variable::Geopotential => (-10_000.0, 90_000.0),
        }
    }

    /// Largest value of the user that is accepted, in the scene's unit; chosen so that other units are noticed.
    pub(super) fn override_max(self) -> f32 {
        match self {
            Variable::Aod550 | Variable::Species(_) => 5.0,
            Variable::Ozone => 1.0,
            Variable::Tcwv => 10.0,
            Variable::Geopotential => 9000.0,
        }
    }

    /// From the file's unit to the scene's: cm-atm, g cm⁻², metres; NaN stays NaN.
    pub(super) fn convert(self, value: f64) -> f32 {
        // slightly negative values come from packing; `max` would turn NaN into a number
        let positive = if value < 0.0 { 0.0 } else { value };
        (match self {
            Variable::Aod550 | Variable::Species(_) => positive,
            Variable::Ozone => value / OZONE_KG_M2_PER_CM_ATM,
            Variable::Tcwv => positive / 10.0,
            Variable::Geopotential => value / GRAVITY,
        }) as f32
    }

    /// True where a unit attribute is one of the spellings of [`Variable::unit`]. No attribute means
    /// "no unit" (CF conventions), which only AOD may have.
    pub(super) fn accepts(self, unit: Option<&str>) -> bool {
        let text = unit.unwrap_or("").trim().to_ascii_lowercase();
        let plain: String = text
            .replace("**", "")
            .chars()
            .filter(|c| !" ^._*".contains(*c))
            .collect();
        match self {
            Variable::Aod550 | Variable::Species(_) => {
                ["", "~", "1", "-", "dimensionless", "none", "unitless"].contains(&plain.as_str())
            }
            Variable::Ozone | Variable::Tcwv => ["kgm-2", "kg/m2"].contains(&plain.as_str()),
            Variable::Geopotential => ["m2s-2", "m2/s2"].contains(&plain.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_units() {
        for unit in [
            "kg m**-2",
            "kg m-2",
            "kg m^-2",
            " kg/m2",
            "kg m**-2 ",
            "kg.m-2",
        ] {
            assert!(Variable::Tcwv.accepts(Some(unit)), "{unit}");
        }
        for unit in ["Dobson", "DU", "g m-2", "kg m-3", "kg kg-1", "", "mol m-2"] {
            assert!(!Variable::Ozone.accepts(Some(unit)), "{unit}");
        }
        assert!(Variable::Aod550.accepts(Some("~")) && Variable::Aod550.accepts(None));
        assert!(!Variable::Ozone.accepts(None));
        assert!(Variable::Geopotential.accepts(Some("m**2 s**-2")));
    }

    #[test]
    fn conversions() {
        assert!((Variable::Ozone.convert(0.0064245) - 0.3).abs() < 1e-6);
        assert!((Variable::Tcwv.convert(15.0) - 1.5).abs() < 1e-6);
        assert_eq!(Variable::Aod550.convert(-0.001), 0.0);
        assert!(Variable::Aod550.convert(f64::NAN).is_nan());
    }

    #[test]
    fn variables_are_known_by_name_or_number() {
        assert_eq!(Variable::identify("aod550", None), Some(Variable::Aod550));
        assert_eq!(
            Variable::identify("p206.210", Some(210_206)),
            Some(Variable::Ozone)
        );
        assert_eq!(Variable::identify("t2m", Some(167)), None);
    }
}
