//! Cloud against the background (docs/sources/masking.md, Temporal cloud).

use super::TemporalParams;
use super::date::{Date, is_white};
use super::ground_visible::shows_ground;
use crate::imaging::cloud_objects::size::clean;
use crate::imaging::morphology::hysteresis;
use crate::types::status::qx;

/// Cloud of one date, row-major.
pub(super) struct Cloud {
    /// Confidence 0–3; cloud where it is 1 or more.
    pub confidence: Vec<u8>,
    /// Found by the rise above the background.
    pub temporal: Vec<bool>,
    /// Found by the spectral tests of the single-date stage, and not vetoed by the background.
    pub spectral: Vec<bool>,
    /// Clear land whose BLUE exceeds the background by more than [`VETO_SHARE`] of the threshold.
    pub haze: Vec<bool>,
}

/// Rise of HOT above the background that cloud has at least, reflectance; chosen by us: half of what MAJA asks for (0.016 to 0.025),
/// beside the test of BLUE (docs/sources/masking.md, Hagolle 2010; neutral on the simulated years, Temporal cloud).
const HOT_RISE: f32 = 0.010;
/// Relative rise of NIR per relative rise of BLUE above which crops grew (source: docs/sources/masking.md, Hagolle 2010).
const NIR_PER_BLUE: f32 = 1.2;
/// Sums of reflectance below which a relative change says nothing; chosen by us.
const DARK_PAIR: f32 = 0.02;
/// BLUE above the background of cloud over water that also brightens NIR and SWIR, reflectance; chosen by us: half the
/// threshold of BLUE alone.
const WATER_BLUE: f32 = 0.02;
/// SWIR of cloud over water, reflectance (source: docs/sources/masking.md, Hagolle 2010: MAJA's later settings).
const WATER_SWIR: f32 = 0.04;
/// NIR of cloud over water, reflectance; chosen by us: that of weak cloud over water on a single date.
const WATER_NIR: f32 = 0.05;
/// BLUE above the background from which thick cloud of the single-date stage is believed, reflectance; chosen by us
/// (docs/sources/masking.md, Temporal cloud).
const SURE_BLUE: f32 = 0.06;
/// Multiple of the threshold above which cloud is sure; chosen by us.
const SURE_RISE: f32 = 2.0;
/// Share of the threshold below which the background vetoes a spectral vote, and from which clear land is haze; chosen
/// by us.
const VETO_SHARE: f32 = 0.5;
/// Confidence of cloud that is sure by itself (definition: QX16).
const SURE: u8 = 3;

/// Whether the change from the background has the colour of cloud: soil brightens RED more than BLUE, crops change NIR
/// (docs/sources/masking.md, Hagolle 2010: the variation tests of MAJA).
fn is_white_change(rho: [f32; 3], bg: [f32; 3], water: bool) -> bool {
    let [db, dr, dn] = [0, 1, 2].map(|b| rho[b] - bg[b]);
    let hot = db - 0.5 * dr;
    let nir = dn / (rho[2] + bg[2]).max(DARK_PAIR);
    let grown = NIR_PER_BLUE * db / (rho[0] + bg[0]).max(DARK_PAIR);
    is_white(db, dr) && (water || hot > HOT_RISE && nir < grown)
}

/// What speaks for cloud at every pixel, row-major.
struct Evidence {
    /// Cloud by itself.
    strong: Vec<bool>,
    /// Cloud next to strong evidence.
    weak: Vec<bool>,
    /// BLUE above the background by the threshold, as white as cloud.
    temporal: Vec<bool>,
}

fn evidence(date: &Date, snow: &[bool], params: &TemporalParams) -> Evidence {
    let n = date.len();
    let mut e = Evidence {
        strong: vec![false; n],
        weak: vec![false; n],
        temporal: vec![false; n],
    };
    for (i, snow) in snow.iter().enumerate() {
        if !date.valid[i] || *snow {
            continue;
        }
        let single = date.qx[i] & qx::CONFIDENCE;
        if !date.known[i] {
            // without a background the single-date decision stands
            (e.strong[i], e.weak[i]) = (single >= 2, single >= 1);
            continue;
        }
        let db = date.excess(0, i);
        let white = is_white_change(
            [date.rho[0][i], date.rho[1][i], date.rho[2][i]],
            [date.bg[0][i], date.bg[1][i], date.bg[2][i]],
            date.water[i],
        );
        let threshold = if date.water[i] {
            params.blue_water
        } else {
            date.threshold(i, params)
        };
        let wet = date.water[i]
            && db > WATER_BLUE
            && date.rho[3][i] > WATER_SWIR
            && date.rho[2][i] > WATER_NIR
            && date.qx[i] & qx::GLINT == 0;
        e.temporal[i] = white && db > threshold || wet;
        // thick cloud by its own colour, and brighter than the ground has been
        let sure = single == u16::from(SURE) && db > SURE_BLUE;
        e.strong[i] = e.temporal[i] || sure;
        e.weak[i] = e.strong[i] || white && db > params.low * threshold;
    }
    e
}

/// Cloud of one date.
pub(super) fn detect(date: &Date, snow: &[bool], params: &TemporalParams) -> Cloud {
    let n = date.len();
    let mut e = evidence(date, snow, params);
    let ground = shows_ground(date, &e.temporal, params);
    for (i, seen) in ground.iter().enumerate() {
        if *seen {
            (e.strong[i], e.weak[i], e.temporal[i]) = (false, false, false);
        }
    }
    let mut cloud = hysteresis(&e.strong, &e.weak, date.cols);
    let single = |i: usize| (date.qx[i] & qx::CONFIDENCE) as u8;
    let filled = clean(&mut cloud, date.cols, date.pixel, |i| single(i) == SURE);
    let mut out = Cloud {
        confidence: vec![0; n],
        temporal: e.temporal,
        spectral: vec![false; n],
        haze: vec![false; n],
    };
    for i in 0..n {
        if !date.valid[i] || snow[i] {
            out.temporal[i] = false;
            continue;
        }
        let spectral = date.qx[i] & qx::CLOUD_SPECTRAL != 0;
        if !date.known[i] {
            out.confidence[i] = if cloud[i] { single(i) } else { 0 };
            out.spectral[i] = spectral;
            continue;
        }
        let (db, t) = (date.excess(0, i), date.threshold(i, params));
        out.temporal[i] &= cloud[i];
        out.confidence[i] = if cloud[i] && e.strong[i] {
            if db > SURE_RISE * t || single(i) == SURE {
                SURE
            } else {
                2
            }
        } else if filled[i] && !cloud[i] {
            2
        } else if cloud[i] {
            1
        } else {
            0
        };
        // static bright ground is vetoed by the background: no spectral vote without a rise of BLUE
        out.spectral[i] = spectral && db > VETO_SHARE * t && cloud[i];
        out.haze[i] = out.confidence[i] == 0 && db > VETO_SHARE * t && !date.water[i] && !ground[i];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harvest_and_ploughing_are_not_white() {
        let crop = [0.030, 0.040, 0.460];
        for soil in [
            [0.080, 0.165, 0.285],
            [0.110, 0.190, 0.265],
            [0.060, 0.105, 0.165],
        ] {
            assert!(!is_white_change(soil, crop, false), "{soil:?}");
        }
        // optical thickness 0.5 over the same crop
        assert!(is_white_change([0.095, 0.102, 0.46], crop, false));
        // and over yellow sand
        assert!(is_white_change(
            [0.200, 0.365, 0.450],
            [0.150, 0.340, 0.440],
            false
        ));
    }
}
