//! What CAMS files hold, for `doctor` and for people.

use super::layer::Layer;
use super::time::utc;
use super::{Cams, Variable, select};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

/// One variable of one file.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Coverage {
    /// The file.
    pub path: PathBuf,
    /// The variable.
    pub variable: Variable,
    /// First valid time; `None` for a field without time.
    pub first: Option<DateTime<Utc>>,
    /// Last valid time.
    pub last: Option<DateTime<Utc>>,
    /// Usual distance of valid times (the median), hours.
    pub step_hours: Option<f64>,
    /// True for monthly means.
    pub monthly: bool,
    /// Number of forecast runs; 0 for analyses and reanalyses.
    pub runs: usize,
    /// West, south, east, north of the outer grid points, degrees; east may exceed 180.
    pub bbox: [f64; 4],
    /// Grid spacing (latitude, longitude), degrees.
    pub spacing: [f64; 2],
}

impl Coverage {
    pub(super) fn of(layer: &Layer) -> Coverage {
        let times: BTreeSet<i64> = layer.steps.iter().filter_map(|s| s.valid).collect();
        let runs: BTreeSet<i64> = layer.steps.iter().filter_map(|s| s.run).collect();
        let times: Vec<i64> = times.into_iter().collect();
        let mut steps: Vec<i64> = times.windows(2).map(|w| w[1] - w[0]).collect();
        steps.sort_unstable();
        let ((south, north), (west, east)) = (layer.lat.range(), layer.lon.range());
        Coverage {
            path: layer.path.clone(),
            variable: layer.variable,
            first: times.first().map(|t| utc(*t)),
            last: times.last().map(|t| utc(*t)),
            step_hours: steps.get(steps.len() / 2).map(|s| *s as f64 / 3600.0),
            monthly: layer.is_monthly(),
            runs: runs.len(),
            bbox: [west, south, east, north],
            spacing: [layer.lat.step(), layer.lon.step()],
        }
    }
}

impl Cams {
    /// Spans of time, ascending, for which a variable's files have steps without a gap, whatever their area; monthly
    /// means do not count.
    pub fn spans(&self, variable: Variable) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let layers = self.layers.iter().filter(|l| l.variable == variable);
        let steps = layers.filter(|l| !l.is_monthly()).flat_map(|l| &l.steps);
        let times: BTreeSet<i64> = steps.filter_map(|s| s.valid).collect();
        let times: Vec<i64> = times.into_iter().collect();
        let found = select::spans(&times);
        found.into_iter().map(|(a, b)| (utc(a), utc(b))).collect()
    }

    /// Months of which a variable's files have means, as `2018-06`.
    pub fn months(&self, variable: Variable) -> Vec<String> {
        let layers = self.layers.iter().filter(|l| l.variable == variable);
        let steps = layers.filter(|l| l.is_monthly()).flat_map(|l| &l.steps);
        let months: BTreeSet<String> = steps
            .filter_map(|s| s.valid)
            .map(|t| utc(t).format("%Y-%m").to_string())
            .collect();
        months.into_iter().collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |t: &Option<DateTime<Utc>>| {
            t.map_or("no time".to_string(), |t| {
                t.format("%Y-%m-%dT%H:%MZ").to_string()
            })
        };
        let [w, s, e, n] = self.bbox;
        write!(
            f,
            "{:7} {} to {}, every {} h, {} runs, {w:.2}…{e:.2}°E {s:.2}…{n:.2}°N at {:.2}°, {}",
            self.variable.to_string(),
            time(&self.first),
            time(&self.last),
            self.step_hours.unwrap_or(0.0),
            self.runs,
            self.spacing[0],
            self.path.display()
        )
    }
}
