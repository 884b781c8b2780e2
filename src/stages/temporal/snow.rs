//! Snow against the background (`reference/masking.md` §10.2, SNOW_T, and cloud over snow).

use super::date::Date;
use super::{DateInput, TemporalParams};
use crate::imaging::cloud_objects::parallax::Paths;
use crate::imaging::morphology::dilate;
use crate::types::status::qx;

/// Share of the land that must be snow by its own colour before partial snow is believed anywhere, and
/// how far from snow it is believed otherwise, metres.
const SEASON: f32 = 0.01;
const NEAR_M: f64 = 3000.0;
/// RED and SWIR of snow that covers everything; SWIR depends on grain size, hence the margin of
/// [`is_cloud_over_snow`].
const SNOW: (f32, f32) = (0.87, 0.11);
/// Rise of SWIR above the background, absolute and as a share of the rise of BLUE, that the cloud
/// would show further along the parallax if the pixel were its rim.
const RIM: (f32, f32) = (0.05, 0.30);

/// Whether the change from the background has the colour of snow: BLUE up, SWIR not (it falls towards
/// the 0.11 of snow, while cloud raises it by a third of its BLUE or more).
pub fn is_snow_change(rho: [f32; 4], bg: [f32; 4]) -> bool {
    let [blue, _, nir, swir] = rho;
    let (db, ds) = (blue - bg[0], swir - bg[3]);
    db > 0.03 && ds < 0.05 * db && swir < 0.30 && nir > 0.07
}

/// Bright cloud over snow: SWIR above what a mixture of snow and this background would have
/// (`reference/masking.md` §10.2).
pub fn is_cloud_over_snow(red: f32, swir: f32, bg: [f32; 4]) -> bool {
    let share = ((red - bg[1]) / (SNOW.0 - bg[1]).max(0.1)).clamp(0.0, 1.0);
    let mixed = bg[3] + share * (SNOW.1 - bg[3]);
    red > 0.35 && swir > (mixed + 0.08).max(0.20)
}

/// Snow of one date.
pub(super) fn detect(date: &Date, input: &DateInput, _params: &TemporalParams) -> Vec<bool> {
    let n = date.len();
    let at = |a: &[Vec<f32>; 4], i: usize| [a[0][i], a[1][i], a[2][i], a[3][i]];
    // snow of the single-date stage, less bright cloud over snow
    let first: Vec<bool> = (0..n)
        .map(|i| {
            let [_, red, _, swir] = at(&date.rho, i);
            let over = date.known[i] && is_cloud_over_snow(red, swir, at(&date.bg, i));
            date.valid[i] && date.qx[i] & qx::SNOW != 0 && !over
        })
        .collect();
    let land = (0..n).filter(|i| date.valid[*i] && date.land[*i]).count();
    let seen = first.iter().filter(|s| **s).count();
    if seen == 0 {
        return first;
    }
    let season = seen as f32 > SEASON * land as f32;
    let near = if season {
        vec![true; n]
    } else {
        dilate(
            &first,
            date.cols,
            ((NEAR_M / date.pixel).round() as usize).max(1),
        )
    };
    let rise: Vec<f32> = (0..n).map(|i| date.excess(3, i)).collect();
    let mut paths = Paths::new(input.angles, &input.grid);
    (0..n)
        .map(|i| {
            let (rho, bg) = (at(&date.rho, i), at(&date.bg, i));
            let candidate = first[i]
                || near[i]
                    && date.valid[i]
                    && date.known[i]
                    && date.land[i]
                    && is_snow_change(rho, bg);
            let pure = rho[2] < 0.95 * rho[1] && rho[1] > 0.40;
            candidate
                && (pure || !date.known[i] || {
                    let limit = RIM.0.max(RIM.1 * date.excess(0, i));
                    paths.brightest(&rise, i) < limit
                })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_snow_darkens_swir() {
        let field = [0.06, 0.105, 0.165, 0.23];
        let mix = |f: f32| {
            [0, 1, 2, 3].map(|b: usize| f * [0.88, 0.87, 0.78, 0.11][b] + (1.0 - f) * field[b])
        };
        assert!(is_snow_change(mix(0.3), field) && is_snow_change(mix(0.9), field));
        // thin and thick water cloud over the same field
        assert!(!is_snow_change([0.13, 0.17, 0.22, 0.25], field));
        assert!(!is_snow_change([0.74, 0.74, 0.76, 0.55], field));
    }
}
