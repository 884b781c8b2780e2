//! What acquisitions are checked against, and whether they are refined.

use crate::pipeline::error::PipelineError;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The word for the tile's own background as reference.
pub const BACKGROUND: &str = "background";

/// The geometric check and refinement; off by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeometryOptions {
    /// What acquisitions are checked against: a raster, or `background`, the tile's own multi-date
    /// reference of an earlier screening.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Remove a displacement that the check finds, before the one resampling.
    pub refine: bool,
}

impl GeometryOptions {
    /// True when acquisitions are checked.
    pub fn is_on(&self) -> bool {
        self.reference.is_some() || self.refine
    }

    /// The reference where it is a file.
    pub fn file(&self) -> Option<&Path> {
        let text = self.reference.as_deref()?;
        (text != BACKGROUND).then(|| Path::new(text))
    }

    /// True when the reference is the tile's own background.
    pub fn is_background(&self) -> bool {
        self.reference.as_deref() == Some(BACKGROUND)
    }

    /// Checks the options.
    ///
    /// # Errors
    /// The reference is neither a file nor `background`.
    pub fn validate(&self) -> Result<(), PipelineError> {
        match self.file() {
            Some(path) if !path.is_file() => Err(PipelineError::Config(format!(
                "{}: no such reference raster; check --reference, a file or the word 'background'",
                path.display()
            ))),
            _ => Ok(()),
        }
    }
}
