//! Snow against the background (`reference/masking.md` §10.2, SNOW_T, and cloud over snow).

use super::decide::Date;
use super::{DateInput, TemporalParams};
use crate::morphology::dilate;
use crate::objects::parallax::Paths;
use crate::status::qx;

/// Share of the land that must be snow by its own colour before partial snow is believed anywhere, and
/// how far from snow it is believed otherwise, metres.
const SEASON: f32 = 0.01;
const NEAR_M: f64 = 3000.0;
/// SWIR that SWIR would show of the cloud if the pixel were a cloud's rim (§10.2).
const RIM_SWIR: f32 = 0.30;

/// Whether the change from the background has the colour of snow: BLUE up, SWIR down.
pub fn is_snow_change(rho: [f32; 4], bg: [f32; 4]) -> bool {
    let [blue, red, nir, swir] = rho;
    let ndsi = (red - swir) / (red + swir).max(1e-3);
    blue - bg[0] > 0.03 && swir - bg[3] < -0.015 && ndsi > 0.15 && swir < 0.25 && nir > 0.11
}

/// Snow of one date.
pub(super) fn detect(date: &Date, input: &DateInput, _params: &TemporalParams) -> Vec<bool> {
    let n = date.len();
    let at = |a: &[Vec<f32>; 4], i: usize| [a[0][i], a[1][i], a[2][i], a[3][i]];
    // snow of the single-date stage, less bright cloud over snow
    let first: Vec<bool> = (0..n)
        .map(|i| {
            let [_, red, _, swir] = at(&date.rho, i);
            let over = date.known[i] && red > 0.35 && swir > (date.bg[3][i] + 0.10).max(0.20);
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
    let mut paths = Paths::new(input.angles, &input.grid);
    (0..n)
        .map(|i| {
            first[i]
                || near[i]
                    && date.valid[i]
                    && date.known[i]
                    && date.land[i]
                    && is_snow_change(at(&date.rho, i), at(&date.bg, i))
                    && paths.brightest(&date.rho[3], i) < RIM_SWIR.max(date.bg[3][i] + 0.05)
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
