//! Snow against the background, and cloud over snow (docs/sources/masking.md, Snow against the background).

use super::DateInput;
use super::date::Date;
use crate::imaging::cloud_objects::parallax::Paths;
use crate::imaging::morphology::dilate;
use crate::types::status::qx;

/// Share of the land that must be snow by its own colour before partial snow is believed anywhere; chosen by us.
const SEASON: f32 = 0.01;
/// How far from snow partial snow is believed otherwise, metres; chosen by us.
const NEAR_M: f64 = 3000.0;
/// RED of snow that covers everything, reflectance (source: docs/sources/masking.md, Snow: spectrum of the simulated scenes).
const SNOW_RED: f32 = 0.87;
/// SWIR of snow that covers everything, reflectance; it depends on grain size, hence [`OVER_SNOW_MARGIN`] (source as [`SNOW_RED`]).
const SNOW_SWIR: f32 = 0.11;
/// Rise of SWIR above the background that the cloud would show further along the parallax if the pixel were its rim,
/// reflectance; chosen by us.
const RIM_RISE: f32 = 0.05;
/// The same as a share of the rise of BLUE; chosen by us: cloud raises SWIR by a third of its BLUE or more.
const RIM_SHARE: f32 = 0.30;
/// Rise of BLUE that snow makes at least, reflectance; source: docs/sources/masking.md, Snow against the background
/// (tuned on the simulated years: 82 % of mixed snow found instead of 52 to 55 %).
const RISE_BLUE: f32 = 0.03;
/// Most that SWIR rises under snow, as a share of the rise of BLUE; chosen by us where the tuned rule had a fall of 0.015,
/// so that snow over ground as dark as snow is found.
const RISE_SWIR_SHARE: f32 = 0.05;
/// SWIR above which ground is not under snow, reflectance; chosen by us (0.25 in the tuned rule).
const BRIGHTEST_SWIR: f32 = 0.30;
/// NIR below which ground is water rather than snow, reflectance; chosen by us (0.11 in the tuned rule).
const DARKEST_NIR: f32 = 0.07;
/// RED of cloud over snow at least, reflectance; chosen by us (docs/sources/masking.md, Snow against the background).
const OVER_SNOW_RED: f32 = 0.35;
/// SWIR of cloud over snow at least, reflectance; chosen with [`OVER_SNOW_RED`].
const OVER_SNOW_SWIR: f32 = 0.20;
/// SWIR above the mixture of snow and ground that is cloud, reflectance; chosen by us.
const OVER_SNOW_MARGIN: f32 = 0.08;
/// Least difference in RED between snow and ground that a share of snow can be read from, reflectance; chosen by us.
const LEAST_CONTRAST: f32 = 0.1;
/// NIR / RED of pure snow at most; chosen by us as on a single date.
const PURE_SLOPE: f32 = 0.95;
/// RED of pure snow at least, reflectance; chosen by us as on a single date.
const PURE_RED: f32 = 0.40;

/// Whether the change from the background has the colour of snow: BLUE up, SWIR not (it falls towards
/// the 0.11 of snow, while cloud raises it by a third of its BLUE or more).
fn is_snow_change(rho: [f32; 4], bg: [f32; 4]) -> bool {
    let [blue, _, nir, swir] = rho;
    let (db, ds) = (blue - bg[0], swir - bg[3]);
    db > RISE_BLUE && ds < RISE_SWIR_SHARE * db && swir < BRIGHTEST_SWIR && nir > DARKEST_NIR
}

/// Bright cloud over snow: SWIR above what a mixture of snow and this background would have.
fn is_cloud_over_snow(red: f32, swir: f32, bg: [f32; 4]) -> bool {
    let share = ((red - bg[1]) / (SNOW_RED - bg[1]).max(LEAST_CONTRAST)).clamp(0.0, 1.0);
    let mixed = bg[3] + share * (SNOW_SWIR - bg[3]);
    red > OVER_SNOW_RED && swir > (mixed + OVER_SNOW_MARGIN).max(OVER_SNOW_SWIR)
}

/// Snow of one date.
pub(super) fn detect(date: &Date, input: &DateInput) -> Vec<bool> {
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
            let pure = rho[2] < PURE_SLOPE * rho[1] && rho[1] > PURE_RED;
            candidate
                && (pure || !date.known[i] || {
                    let limit = RIM_RISE.max(RIM_SHARE * date.excess(0, i));
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
