//! Ground that is called cloud whenever it is seen, unlike its surroundings (`reference/masking.md`
//! §10.5, static commission).

use super::TemporalParams;
use super::series::{Series, State};

/// Flag frequency that is suspicious, and by how much it must exceed that of the surroundings (§10.5).
const OFTEN: f32 = 0.85;
const ABOVE: f32 = 0.30;
/// Pixels to each side that are the surroundings: along the row, so that blocks of rows need no halo.
const AROUND: usize = 10;

/// Restores the cloudy observations of suspicious pixels unless BLUE is far above the background.
pub(super) fn undo(series: &mut Series, frequency: &[f32], c: usize, _params: &TemporalParams) {
    if frequency[c].is_nan() || frequency[c] <= OFTEN {
        return;
    }
    let near = &frequency[c.saturating_sub(AROUND)..(c + AROUND + 1).min(frequency.len())];
    let mut around: Vec<f32> = near.iter().copied().filter(|f| f.is_finite()).collect();
    if frequency[c] - super::series::median(&mut around) <= ABOVE {
        return;
    }
    let limit = 2.0 * series.threshold;
    let mut blue: Vec<f32> = series.looks.iter().map(|l| l.v[0]).collect();
    let usual = super::series::median(&mut blue);
    for l in &mut series.looks {
        let reference = if l.bg[0].is_finite() {
            l.bg[0].max(usual)
        } else {
            usual
        };
        if matches!(l.state, State::Flagged | State::Doubtful)
            && !l.is_snow()
            && l.v[0] - reference <= limit
        {
            l.state = State::Restored;
        }
    }
}
