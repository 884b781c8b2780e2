//! The stages of the chain, in order: the one list that keys, provenance and documentation use.

/// One stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stage {
    /// Name.
    pub name: &'static str,
    /// Raised whenever the stage may give other values for the same input: every key that depends on
    /// it changes, and products are made again.
    pub version: u32,
    /// What it does, one line.
    pub does: &'static str,
}

/// Stages of an acquisition, in the order of work.
pub(crate) const ACQUIRE: &[Stage] = &[
    stage(
        "l1c",
        3,
        "reads the lines and pixels of the segment that can touch the tile",
    ),
    stage("dem", 1, "ellipsoidal heights on the grid"),
    stage("landmask", 1, "land and sea on the grid"),
    stage(
        "reproject",
        2,
        "orthorectified TOA reflectance, angles and quality",
    ),
    stage(
        "cams",
        2,
        "aerosol, ozone and water vapour at the time of the observation",
    ),
    stage(
        "atmosphere",
        4,
        "radiative transfer, normalised and surface reflectance with its uncertainty",
    ),
    stage(
        "mask",
        3,
        "single-date status: cloud, shadow, snow, water, quality",
    ),
    stage("product", 3, "the acquisition product on disk"),
];

/// Stages of an acquisition that is checked against a reference.
pub(crate) const GEOMETRY: &[Stage] = &[stage(
    "register",
    3,
    "displacement against a reference and between bands",
)];

/// Stages of temporal screening.
pub(crate) const SCREEN: &[Stage] = &[stage(
    "temporal",
    1,
    "background of the tile's own archive, temporal cloud, shadow and snow tests, clean-up",
)];

/// Stages of the stack.
pub(crate) const STACK: &[Stage] = &[
    stage("composite", 1, "5-daily composites at 100 m and 300 m"),
    stage(
        "fusion",
        1,
        "gap-free series with uncertainty and provenance",
    ),
    stage("stack", 2, "the stack product on disk"),
];

const fn stage(name: &'static str, version: u32, does: &'static str) -> Stage {
    Stage {
        name,
        version,
        does,
    }
}

/// Versions of stages as a JSON object, with the version of the package.
pub(crate) fn versions(stages: &[Stage]) -> serde_json::Value {
    let mut map = serde_json::Map::new();
    for s in stages {
        map.insert(s.name.to_string(), s.version.into());
    }
    map.into()
}
