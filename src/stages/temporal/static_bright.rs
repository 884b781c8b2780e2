//! Ground that is called cloud whenever it is seen, unlike its surroundings (docs/sources/masking.md, Static bright ground).

use super::series::{Series, State};

/// Share of the dates called cloud that is suspicious; chosen by us: few places are as cloudy.
const OFTEN: f32 = 0.85;
/// By how much that share must exceed that of the surroundings; chosen by us.
const ABOVE: f32 = 0.30;
/// Pixels to each side that are the surroundings; chosen by us: 2.1 km, along the row, so that blocks of rows need no halo.
const AROUND: usize = 10;
/// Multiple of the threshold above the reference that stays cloud; chosen by us: that of sure cloud.
const STAYS_CLOUD: f32 = 2.0;

/// Restores the cloudy observations of suspicious pixels unless BLUE is far above the background.
pub(super) fn undo(series: &mut Series, frequency: &[f32], c: usize) {
    if frequency[c].is_nan() || frequency[c] <= OFTEN {
        return;
    }
    let near = &frequency[c.saturating_sub(AROUND)..(c + AROUND + 1).min(frequency.len())];
    let mut around: Vec<f32> = near.iter().copied().filter(|f| f.is_finite()).collect();
    if frequency[c] - super::series::median(&mut around) <= ABOVE {
        return;
    }
    let limit = STAYS_CLOUD * series.threshold;
    let mut blue: Vec<f32> = series.observations.iter().map(|l| l.v[0]).collect();
    let middle = super::series::median(&mut blue);
    for l in &mut series.observations {
        let reference = if l.bg[0].is_finite() {
            l.bg[0].max(middle)
        } else {
            middle
        };
        if matches!(l.state, State::Flagged | State::Doubtful)
            && !l.is_snow()
            && l.v[0] - reference <= limit
        {
            l.state = State::Restored;
        }
    }
}
