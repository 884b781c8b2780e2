//! Times of the fields of a NetCDF variable.

use super::{Reader, check_blocks, text};
use crate::sources::cams::layer::{Role, Step};
use crate::sources::cams::time::{TimeUnit, unit_seconds};
use crate::sources::cams::{CamsError, Variable};

/// Most fields that a variable of one file may have; chosen: 22 years of hours, some megabytes to describe.
const MAX_STEPS: usize = 200_000;

/// Largest lead of a forecast in its own unit that is believed; chosen.
const LONGEST_LEAD: f64 = 1e7;
/// `valid_time` may differ from run plus lead by this much, seconds; chosen: rounding to minutes.
const ROUNDING_S: i64 = 60;

/// Values of a time coordinate in seconds, and the names of its dimensions.
type Seconds = (Vec<i64>, Vec<String>);

impl Reader<'_> {
    fn time_error(&self, reason: String) -> CamsError {
        CamsError::Time {
            path: self.path.to_path_buf(),
            reason,
        }
    }

    /// Values of a coordinate in seconds (since 1970 where the unit has an origin), and its dimensions.
    fn seconds(&self, name: &str) -> Result<Option<Seconds>, CamsError> {
        let bad = |reason: String| self.time_error(format!("'{name}': {reason}"));
        let Some(variable) = self.file.variable(name) else {
            return Ok(None);
        };
        if variable.len() > MAX_STEPS {
            return Err(bad(format!("{} values cannot be", variable.len())));
        }
        check_blocks(&variable).map_err(bad)?;
        let units = text(&variable, "units").ok_or_else(|| bad("it has no unit".to_string()))?;
        let values: Vec<f64> = variable
            .get_values(netcdf::Extents::All)
            .map_err(|e| bad(e.to_string()))?;
        let seconds: Option<Vec<i64>> = if let Some(unit) = unit_seconds(&units) {
            let whole = |v: &f64| {
                (v.is_finite() && v.abs() < LONGEST_LEAD).then(|| (v * unit).round() as i64)
            };
            values.iter().map(whole).collect()
        } else {
            let unit =
                TimeUnit::parse(&units, text(&variable, "calendar").as_deref()).map_err(bad)?;
            values.iter().map(|v| unit.seconds(*v)).collect()
        };
        let seconds =
            seconds.ok_or_else(|| bad("it has missing or impossible values".to_string()))?;
        let dims = variable.dimensions().iter().map(|d| d.name()).collect();
        Ok(Some((seconds, dims)))
    }

    /// The fields of a variable: all combinations of its time dimensions.
    pub(super) fn steps(
        &self,
        roles: &[Role],
        names: &[String],
        known: Variable,
    ) -> Result<Vec<Step>, CamsError> {
        let dimension = |role: Role| {
            let at = roles.iter().position(|r| *r == role)?;
            names.get(at).map(String::as_str)
        };
        let (time, period, reference) = (
            dimension(Role::Time),
            dimension(Role::Period),
            dimension(Role::Reference),
        );
        if time.is_some() && (period.is_some() || reference.is_some()) {
            return Err(CamsError::Layout {
                path: self.path.to_path_buf(),
                variable: known,
                reason: format!(
                    "dimensions are ({}): valid time beside forecast time",
                    names.join(", ")
                ),
            });
        }
        if let Some(name) = time {
            let (valid, _) = self
                .seconds(name)?
                .ok_or_else(|| self.time_error(format!("dimension '{name}' has no values")))?;
            return Ok(valid
                .iter()
                .enumerate()
                .map(|(k, v)| Step {
                    valid: Some(*v),
                    run: None,
                    time: k,
                    reference: 0,
                })
                .collect());
        }
        self.forecast_steps(period, reference)
    }

    /// Fields of a forecast, or the single field of a file without time dimensions.
    fn forecast_steps(
        &self,
        period: Option<&str>,
        reference: Option<&str>,
    ) -> Result<Vec<Step>, CamsError> {
        let first = |names: &[&str]| -> Result<Option<Seconds>, CamsError> {
            for name in names {
                if let Some(found) = self.seconds(name)? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        };
        let periods = first(&[period.unwrap_or("forecast_period"), "step"])?;
        let runs = first(&[reference.unwrap_or("forecast_reference_time")])?;
        let valid = first(&["valid_time", "time"])?;
        if period.is_none() && reference.is_none() && runs.is_none() {
            let valid = valid.and_then(|(v, _)| v.first().copied());
            return Ok(vec![Step {
                valid,
                run: None,
                time: 0,
                reference: 0,
            }]);
        }
        let (leads, runs) = (
            periods.map(|p| p.0).unwrap_or_else(|| vec![0]),
            runs.map(|r| r.0).ok_or_else(|| {
                self.time_error("a forecast without forecast_reference_time".to_string())
            })?,
        );
        if leads.len().saturating_mul(runs.len()) > MAX_STEPS {
            return Err(self.time_error("more fields than can be".to_string()));
        }
        // valid_time is stored in the order its own dimensions name, as a rule the transposed one
        let stored = valid.filter(|(v, _)| v.len() == leads.len() * runs.len());
        let mut steps = Vec::with_capacity(leads.len() * runs.len());
        for (r, run) in runs.iter().enumerate() {
            for (p, lead) in leads.iter().enumerate() {
                let valid = run + lead;
                if let Some((values, dims)) = &stored {
                    let lead_first = dims.first().map(String::as_str) == period && dims.len() == 2;
                    let k = if lead_first {
                        p * runs.len() + r
                    } else {
                        r * leads.len() + p
                    };
                    if values
                        .get(k)
                        .is_some_and(|v| (v - valid).abs() > ROUNDING_S)
                    {
                        return Err(self.time_error(
                            "valid_time is not forecast_reference_time + forecast_period"
                                .to_string(),
                        ));
                    }
                }
                steps.push(Step {
                    valid: Some(valid),
                    run: Some(*run),
                    time: p,
                    reference: r,
                });
            }
        }
        Ok(steps)
    }
}
