//! What a geometric check found and did: for `run.json`, STAC and people.

use crate::pipeline::error::PipelineError;
use crate::product::stac::accuracy::Accuracy;
use crate::stages::register::{
    Check, DisplacementEstimate, HeightError, MatchFailure, height_error,
};
use crate::types::band::Band;
use crate::types::displacement::Refinement;
use crate::types::observation::Angles;
use serde_json::{Map, Value, json};
use std::fmt;
use std::path::Path;

/// What a check was made against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A raster of this name.
    File(String),
    /// The tile's own background.
    Background,
    /// The tile has no background yet.
    NoBackground,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::File(name) => name,
            Source::Background => "background of the tile",
            Source::NoBackground => "background of the tile, which has none yet",
        })
    }
}

/// What became of a refinement.
#[derive(Debug, Clone)]
enum Fate {
    /// None was called for, or none was asked for.
    None,
    /// Applied; the check afterwards.
    Applied(Refinement, Check),
    /// Not kept; the check afterwards, where there was one.
    Refused(Refinement, Option<Check>),
}

/// A geometric check and what followed from it.
#[derive(Debug, Clone)]
pub struct Report {
    source: Option<Source>,
    pixel: f64,
    /// The check of the mapping as the file gives it.
    pub before: Check,
    heights: Option<HeightError>,
    fate: Fate,
}

impl Report {
    /// Of a first check on pixels of a size in metres.
    pub fn new(source: Option<&Source>, pixel: f64, before: Check) -> Report {
        Report {
            source: source.cloned(),
            pixel,
            before,
            heights: None,
            fate: Fate::None,
        }
    }

    /// Asks whether wrong heights explain the displacement.
    pub fn look_for_heights(&mut self, angles: &Angles) {
        if let Some((band, m)) = self.before.leading() {
            let (zenith, azimuth) = match band {
                Band::Swir => (&angles.swir_vza, &angles.swir_vaa),
                _ => (&angles.vnir_vza, &angles.vnir_vaa),
            };
            let sight = |r, c| Some((*zenith.get((r, c))?, *azimuth.get((r, c))?));
            self.heights = height_error(m, self.pixel, &sight);
        }
    }

    /// A refinement was kept.
    pub fn applied(&mut self, refinement: Refinement, after: Check) {
        self.fate = Fate::Applied(refinement, after);
    }

    /// A refinement was not kept.
    pub fn refused(&mut self, refinement: Refinement, after: Option<Check>) {
        self.fate = Fate::Refused(refinement, after);
    }

    /// True when the mapping was refined.
    pub fn is_refined(&self) -> bool {
        matches!(self.fate, Fate::Applied(..))
    }

    /// What was removed from the mapping.
    pub fn refinement(&self) -> Option<&Refinement> {
        match &self.fate {
            Fate::Applied(refinement, _) => Some(refinement),
            _ => None,
        }
    }

    /// The check of what is delivered.
    pub fn last(&self) -> &Check {
        match &self.fate {
            Fate::Applied(_, after) => after,
            _ => &self.before,
        }
    }

    /// Why the check says nothing about the position; `None` where it does.
    fn declined(&self) -> Option<String> {
        if self.last().leading().is_some() {
            return None;
        }
        let reason = self
            .last()
            .absolute
            .iter()
            .flatten()
            .find_map(|m| m.as_ref().err());
        Some(match (&self.source, reason) {
            (None, _) => "no reference".to_string(),
            (Some(Source::NoBackground), _) => "the tile has no background yet".to_string(),
            (_, Some(reason)) => reason.to_string(),
            (_, None) => "the reference has no band of use".to_string(),
        })
    }

    /// What a user should know, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(h) = self.heights {
            notes.push(format!(
                "the displacement is that of heights wrong by {:.0} m (± {:.0} m): check --dem-vertical and the DEM",
                h.metres,
                h.sigma.max(1.0)
            ));
        }
        if let Fate::Refused(..) = self.fate {
            notes.push(
                "the refined mapping did not check better: the position is as the file gives it"
                    .to_string(),
            );
        }
        notes
    }

    /// For STAC; `None` where the check was declined.
    pub fn accuracy(&self) -> Option<Accuracy> {
        let (_, m) = self.last().leading()?;
        Some(Accuracy {
            bias: m.bias,
            sigma: m.scatter,
            rmse: m.rmse,
            ce90: m.ce90,
            chips: m.chips,
            refined: self.is_refined(),
        })
    }

    /// For `run.json`. Metres, east and north.
    pub fn json(&self) -> Value {
        let mut out = checked(self.last());
        out["reference"] = json!(self.source.as_ref().map(Source::to_string));
        match self.declined() {
            Some(reason) => {
                out["verdict"] = json!("declined");
                out["reason"] = json!(reason);
            }
            None => out["verdict"] = json!("accepted"),
        }
        if let Some(h) = self.heights {
            out["height_error"] = json!({ "metres": round(h.metres), "sigma": round(h.sigma) });
        }
        let displacement = |r: &Refinement| -> Value {
            let each = Band::ALL
                .iter()
                .zip(r)
                .map(|(b, d)| (b.to_string(), json!(d)));
            Value::Object(each.collect())
        };
        match &self.fate {
            Fate::None => {}
            Fate::Applied(r, _) => {
                out["refinement"] = json!({
                    "applied": true, "removed": displacement(r), "before": checked(&self.before),
                });
            }
            Fate::Refused(r, after) => {
                out["refinement"] = json!({
                    "applied": false, "tried": displacement(r), "after": after.as_ref().map(checked),
                });
            }
        }
        out
    }
}

/// The numbers of one check.
fn checked(check: &Check) -> Value {
    let mut out = json!({});
    if let Some((band, m)) = check.leading() {
        out = measured(m);
        out["band"] = json!(band.name());
    }
    let table = |results: &[Option<Result<DisplacementEstimate, MatchFailure>>; 4]| -> Value {
        let mut map = Map::new();
        for (band, result) in Band::ALL.iter().zip(results) {
            match result {
                Some(Ok(m)) => {
                    map.insert(band.to_string(), measured(m));
                }
                Some(Err(why)) => {
                    map.insert(band.to_string(), json!({ "declined": why.to_string() }));
                }
                None => {}
            }
        }
        map.into()
    };
    out["bands"] = table(&check.absolute);
    out["bands_against_red"] = table(&check.between);
    out
}

fn measured(m: &DisplacementEstimate) -> Value {
    json!({
        "bias_m": [round(m.bias[0]), round(m.bias[1])],
        "sigma_m": round(m.sigma),
        "rmse_m": round(m.rmse),
        "ce90_m": round(m.ce90),
        "chips": m.chips,
        "compared": m.compared,
        "model": if m.model.is_constant() { "shift" } else { "drift" },
    })
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            writeln!(f, "reference: {source}")?;
        }
        writeln!(
            f,
            "{:<14}{:>9}{:>9}{:>8}{:>8}{:>8}{:>7}  model",
            "metres", "east", "north", "1 sigma", "rmse", "ce90", "chips"
        )?;
        let mut block = |check: &Check, after: bool| -> fmt::Result {
            for (between, results) in [(false, &check.absolute), (true, &check.between)] {
                for (band, result) in Band::ALL.iter().zip(results) {
                    let mut name = band.to_string();
                    if between {
                        name += " - RED";
                    }
                    if after {
                        name += " *";
                    }
                    match result {
                        Some(Ok(m)) => writeln!(
                            f,
                            "{name:<14}{:>9.1}{:>9.1}{:>8.1}{:>8.1}{:>8.1}{:>7}  {}",
                            m.bias[0],
                            m.bias[1],
                            m.sigma,
                            m.rmse,
                            m.ce90,
                            m.chips,
                            if m.model.is_constant() {
                                "shift"
                            } else {
                                "drift"
                            }
                        )?,
                        Some(Err(why)) => writeln!(f, "{name:<14}declined: {why}")?,
                        None => {}
                    }
                }
            }
            Ok(())
        };
        block(&self.before, false)?;
        match &self.fate {
            Fate::Applied(_, after) => {
                block(after, true)?;
                writeln!(f, "* after refinement, which is kept")?;
            }
            Fate::Refused(_, Some(after)) => {
                block(after, true)?;
                writeln!(f, "* after refinement, which is not kept")?;
            }
            _ => {}
        }
        for note in self.notes() {
            writeln!(f, "{note}")?;
        }
        Ok(())
    }
}

/// The refinement that a product was made with, from its `run.json`.
///
/// # Errors
/// The file cannot be read, or tells of none.
pub(crate) fn applied(run: &Path) -> Result<Refinement, PipelineError> {
    let bad = |why: &str| {
        PipelineError::Config(format!(
            "{}: {why}; give the run.json of a product made with --refine",
            run.display()
        ))
    };
    let text = std::fs::read_to_string(run).map_err(|e| bad(&e.to_string()))?;
    let record: Value = serde_json::from_str(&text).map_err(|e| bad(&e.to_string()))?;
    let told = &record["geometric_check"]["refinement"];
    if told["applied"] != true {
        return Err(bad("no refinement was applied"));
    }
    let of = |band: Band| {
        serde_json::from_value(told["removed"][band.to_string()].clone())
            .map_err(|e| bad(&format!("the refinement of {band} is not readable ({e})")))
    };
    Ok([
        of(Band::Blue)?,
        of(Band::Red)?,
        of(Band::Nir)?,
        of(Band::Swir)?,
    ])
}
