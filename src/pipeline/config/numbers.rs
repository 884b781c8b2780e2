//! The range of every number and day of a configuration, checked before anything runs.

use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::types::setting::{self, OutOfRange, Setting};
use chrono::NaiveDate;

/// Most worker processes; chosen, more than a machine has cores.
const MOST_JOBS: f64 = 1024.0;
/// Longest silence of a worker, seconds; chosen: a day.
const LONGEST_TIMEOUT: f64 = 86_400.0;
/// Memory of a worker, MiB; chosen: an acquisition needs some hundreds, and no machine has more than 16 TiB.
const MEMORY_MIB: std::ops::RangeInclusive<f64> = 512.0..=16_777_216.0;
/// First and last year that days may lie in: those of the mission and one on either side (docs/sources/l1c.md, Mission).
const YEARS: [i32; 2] = [2012, 2022];

/// Checks every number and day.
///
/// # Errors
/// [`OutOfRange`] with the key, the value and what is allowed; its class is that of wrong arguments.
pub(super) fn check(config: &Config) -> Result<(), PipelineError> {
    let out = |wrong: OutOfRange| PipelineError::from_stage(wrong);
    setting::check(own(config)).map_err(out)?;
    let inside = |table: &str, checked: Result<(), OutOfRange>| {
        checked.map_err(|wrong| out(wrong.within(table)))
    };
    inside("budget", config.budget.validate())?;
    inside("mask", config.mask.validate())?;
    inside("temporal", config.temporal.validate())?;
    config
        .fusion
        .validate()
        .map_err(PipelineError::from_stage)?;
    days(config.from, config.to)
}

/// Numbers that lie in no table.
fn own(config: &Config) -> Vec<Setting> {
    let mut all = vec![
        Setting::new(
            "jobs",
            config.jobs as f64,
            0.0..=MOST_JOBS,
            "worker processes",
        ),
        Setting::new(
            "timeout",
            config.timeout as f64,
            1.0..=LONGEST_TIMEOUT,
            "seconds",
        ),
        Setting::new("memory", config.memory as f64, MEMORY_MIB, "MiB"),
        Setting::new(
            "dem_gap",
            config.dem_gap,
            0.0..=1.0,
            "a share of the observed land",
        ),
    ];
    // a text that is no number is the path of a raster
    for (key, text, most, unit) in [
        ("aod", &config.aod, 5.0, "optical depth"),
        ("ozone", &config.ozone, 1.0, "cm-atm"),
        ("tcwv", &config.tcwv, 10.0, "g cm-2"),
    ] {
        if let Some(Ok(value)) = text.as_ref().map(|t| t.trim().parse::<f64>()) {
            all.push(Setting::new(key, value, 0.0..=most, unit));
        }
    }
    all
}

/// Days lie within the mission's years and in their order.
fn days(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<(), PipelineError> {
    for (key, day) in [("from", from), ("to", to)] {
        if let Some(day) = day
            && !(YEARS[0]..=YEARS[1]).contains(&chrono::Datelike::year(&day))
        {
            let [first, last] = YEARS;
            return Err(PipelineError::Config(format!(
                "{key} = {day}: give a day of the years {first} to {last}, those of the mission"
            )));
        }
    }
    match (from, to) {
        (Some(from), Some(to)) if from > to => Err(PipelineError::Config(format!(
            "--from {from} lies after --to {to}"
        ))),
        _ => Ok(()),
    }
}
