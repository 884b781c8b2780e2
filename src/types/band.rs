//! Spectral bands, detector strips and cameras.

use std::fmt;

/// The four spectral bands, in the order used everywhere (BLUE, RED, NIR, SWIR).
///
/// ```
/// use probav_ard::types::band::{Band, Strip};
///
/// assert_eq!(Band::ALL.map(Band::name), ["BLUE", "RED", "NIR", "SWIR"]);
/// // SWIR is seen by three strips side by side
/// assert!(Strip::SWIR.iter().all(|strip| strip.band() == Band::Swir));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Band {
    /// 0.463 µm.
    Blue,
    /// 0.655 µm.
    Red,
    /// 0.836 µm.
    Nir,
    /// 1.602 µm.
    Swir,
}

impl Band {
    /// All bands in product order.
    pub const ALL: [Band; 4] = [Band::Blue, Band::Red, Band::Nir, Band::Swir];

    /// Position in product order, 0 to 3.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Upper-case name used in file names, band descriptions and STAC.
    pub const fn name(self) -> &'static str {
        match self {
            Band::Blue => "BLUE",
            Band::Red => "RED",
            Band::Nir => "NIR",
            Band::Swir => "SWIR",
        }
    }

    /// STAC `eo:common_name`.
    pub const fn common_name(self) -> &'static str {
        match self {
            Band::Blue => "blue",
            Band::Red => "red",
            Band::Nir => "nir",
            Band::Swir => "swir16",
        }
    }

    /// Centroid of the centre camera's spectral response, µm (`docs/sources/atmosphere.md`).
    pub const fn centre_um(self) -> f64 {
        match self {
            Band::Blue => 0.4637,
            Band::Red => 0.6550,
            Band::Nir => 0.8359,
            Band::Swir => 1.6024,
        }
    }

    /// Full width at half maximum of the centre camera's response, µm (same source).
    pub const fn fwhm_um(self) -> f64 {
        match self {
            Band::Blue => 0.048,
            Band::Red => 0.081,
            Band::Nir => 0.134,
            Band::Swir => 0.069,
        }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The six detector strips of one camera. SWIR is three strips of 1024 pixels side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Strip {
    /// BLUE, 5200 pixels.
    Blue,
    /// RED, 5200 pixels.
    Red,
    /// NIR, 5200 pixels.
    Nir,
    /// SWIR, first strip.
    Swir1,
    /// SWIR, middle strip.
    Swir2,
    /// SWIR, third strip.
    Swir3,
}

impl Strip {
    /// All strips.
    pub const ALL: [Strip; 6] = [
        Strip::Blue,
        Strip::Red,
        Strip::Nir,
        Strip::Swir1,
        Strip::Swir2,
        Strip::Swir3,
    ];
    /// The three VNIR strips in band order.
    pub const VNIR: [Strip; 3] = [Strip::Blue, Strip::Red, Strip::Nir];
    /// The three SWIR strips.
    pub const SWIR: [Strip; 3] = [Strip::Swir1, Strip::Swir2, Strip::Swir3];

    /// Position in [`Strip::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Group name in the L1C file.
    pub const fn name(self) -> &'static str {
        match self {
            Strip::Blue => "BLUE",
            Strip::Red => "RED",
            Strip::Nir => "NIR",
            Strip::Swir1 => "SWIR1",
            Strip::Swir2 => "SWIR2",
            Strip::Swir3 => "SWIR3",
        }
    }

    /// The band this strip measures.
    pub const fn band(self) -> Band {
        match self {
            Strip::Blue => Band::Blue,
            Strip::Red => Band::Red,
            Strip::Nir => Band::Nir,
            _ => Band::Swir,
        }
    }

    /// True for the three SWIR strips.
    pub const fn is_swir(self) -> bool {
        matches!(self, Strip::Swir1 | Strip::Swir2 | Strip::Swir3)
    }
}

impl fmt::Display for Strip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The three cameras; code 1, 2, 3 in L1C file names (`docs/sources/l1c.md`).
///
/// ```
/// use probav_ard::types::band::Camera;
///
/// assert_eq!(Camera::from_code(2), Some(Camera::Center));
/// assert_eq!(Camera::ALL.map(Camera::letter), ['L', 'C', 'R']);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Camera {
    /// Camera 1; looks east on a descending pass.
    Left,
    /// Camera 2; near nadir.
    Center,
    /// Camera 3; looks west on a descending pass.
    Right,
}

impl Camera {
    /// All cameras in code order.
    pub const ALL: [Camera; 3] = [Camera::Left, Camera::Center, Camera::Right];

    /// Camera of an L1C code (1, 2 or 3).
    pub const fn from_code(code: u8) -> Option<Camera> {
        match code {
            1 => Some(Camera::Left),
            2 => Some(Camera::Center),
            3 => Some(Camera::Right),
            _ => None,
        }
    }

    /// L1C code: 1, 2 or 3.
    pub const fn code(self) -> u8 {
        self as u8 + 1
    }

    /// One letter for product names: L, C or R.
    pub const fn letter(self) -> char {
        match self {
            Camera::Left => 'L',
            Camera::Center => 'C',
            Camera::Right => 'R',
        }
    }

    /// Camera of a product letter.
    pub const fn from_letter(letter: char) -> Option<Camera> {
        match letter {
            'L' => Some(Camera::Left),
            'C' => Some(Camera::Center),
            'R' => Some(Camera::Right),
            _ => None,
        }
    }

    /// Upper-case name: LEFT, CENTER or RIGHT.
    pub const fn name(self) -> &'static str {
        match self {
            Camera::Left => "LEFT",
            Camera::Center => "CENTER",
            Camera::Right => "RIGHT",
        }
    }
}

impl fmt::Display for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camera_codes_round_trip() {
        for camera in Camera::ALL {
            assert_eq!(Camera::from_code(camera.code()), Some(camera));
            assert_eq!(Camera::from_letter(camera.letter()), Some(camera));
        }
        assert_eq!(Camera::from_code(0), None);
    }
}
