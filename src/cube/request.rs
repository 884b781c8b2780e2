//! What is asked for.

use super::{Area, Crs};
use chrono::NaiveDate;

/// One cube.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where.
    pub area: Area,
    /// From what.
    pub source: Source,
    /// First day; `None`: of the data.
    pub from: Option<NaiveDate>,
    /// Last day, inclusive; `None`: of the data.
    pub to: Option<NaiveDate>,
    /// Names of variables in any case; empty: BLUE, RED, NIR, SWIR.
    pub variables: Vec<String>,
    /// Which values are left out; `None`: as [`MaskRule::of`] the source.
    pub mask: Option<MaskRule>,
    /// On what grid.
    pub grid: GridChoice,
    /// How values between pixel centres come about.
    pub resample: Resample,
}

/// What the values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The gap-free 5-daily stacks, 100 m.
    Stack,
    /// Single overpasses of the centre camera, 100 m.
    Acquisitions100,
    /// Single overpasses of the side cameras, 300 m.
    Acquisitions300,
}

impl Source {
    /// Every source.
    pub const ALL: [Source; 3] = [
        Source::Stack,
        Source::Acquisitions100,
        Source::Acquisitions300,
    ];

    /// Its name in arguments and addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Source::Stack => "stack",
            Source::Acquisitions100 => "acquisitions-100m",
            Source::Acquisitions300 => "acquisitions-300m",
        }
    }

    /// Side of its pixels, metres.
    pub const fn pixel_m(self) -> f64 {
        match self {
            Source::Stack | Source::Acquisitions100 => 100.0,
            Source::Acquisitions300 => 300.0,
        }
    }
}

/// Which values are left out, as no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskRule {
    /// None.
    None,
    /// Stack only: values of steps in which the pixel was not observed, at 100 m or 300 m.
    Observed,
    /// Acquisitions only: pixels that USABLE does not call usable (screened masks where there are any).
    Usable,
}

impl MaskRule {
    /// The rule where none is asked for: nothing of a stack, unusable pixels of acquisitions.
    pub const fn of(source: Source) -> MaskRule {
        match source {
            Source::Stack => MaskRule::None,
            _ => MaskRule::Usable,
        }
    }

    /// Its name in arguments and attributes.
    pub const fn name(self) -> &'static str {
        match self {
            MaskRule::None => "none",
            MaskRule::Observed => "observed",
            MaskRule::Usable => "usable",
        }
    }
}

/// The grid of the cube. All `None`: the grid of the tile that holds the area.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GridChoice {
    /// Reference system; `None`: of the tile that holds most of the area.
    pub crs: Option<Crs>,
    /// Side of a pixel in units of the system; `None`: that of the source, where the system is in metres.
    pub resolution: Option<f64>,
    /// A corner of any pixel; `None`: of the tile's grid, or (0, 0) where a system is given.
    pub anchor: Option<(f64, f64)>,
}

/// How values between pixel centres come about. Flags and counts are always taken from the nearest pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resample {
    /// The value of the nearest pixel.
    #[default]
    Nearest,
    /// Bilinear among the four neighbours; missing ones are left out, the weights of the others add up to one. A value
    /// exists where the nearest pixel has one.
    Bilinear,
}

impl Resample {
    /// Its name in arguments and attributes.
    pub const fn name(self) -> &'static str {
        match self {
            Resample::Nearest => "nearest",
            Resample::Bilinear => "bilinear",
        }
    }
}
