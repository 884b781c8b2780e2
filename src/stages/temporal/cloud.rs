//! Cloud against the background (`reference/masking.md` §10.4, §10.5).

use super::TemporalParams;
use super::date::Date;
use super::ground_visible::shows_ground;
use crate::imaging::morphology::{Components, fill_holes, hysteresis};
use crate::types::status::qx;

/// Cloud of one date, row-major.
pub(super) struct Cloud {
    pub confidence: Vec<u8>,
    pub temporal: Vec<bool>,
    pub spectral: Vec<bool>,
    pub haze: Vec<bool>,
}

/// Whether the change from the background has the colour of cloud: soil brightens RED more than BLUE,
/// crops change NIR (Hagolle's variation tests, MAJA; `reference/masking.md` §5.1 \[V\]).
pub fn is_white_change(rho: [f32; 3], bg: [f32; 3], water: bool) -> bool {
    let [db, dr, dn] = [0, 1, 2].map(|b| rho[b] - bg[b]);
    let hot = db - 0.5 * dr;
    let nir = dn / (rho[2] + bg[2]).max(0.02);
    dr < 1.5 * db + 0.005 && (water || hot > 0.010 && nir < 1.2 * db / (rho[0] + bg[0]).max(0.02))
}

struct Evidence {
    strong: Vec<bool>,
    weak: Vec<bool>,
    temporal: Vec<bool>,
}

fn evidence(date: &Date, snow: &[bool], params: &TemporalParams) -> Evidence {
    let n = date.len();
    let mut e = Evidence {
        strong: vec![false; n],
        weak: vec![false; n],
        temporal: vec![false; n],
    };
    for (i, white) in snow.iter().enumerate() {
        if !date.valid[i] || *white {
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
            && db > 0.02
            && date.rho[3][i] > 0.04
            && date.rho[2][i] > 0.05
            && date.qx[i] & qx::GLINT == 0;
        e.temporal[i] = white && db > threshold || wet;
        // thick cloud by its own colour, and brighter than the ground has been
        let sure = single == 3 && db > 0.06;
        e.strong[i] = e.temporal[i] || sure;
        e.weak[i] = e.strong[i] || white && db > params.low * threshold;
    }
    e
}

/// Cloud of one date.
pub(super) fn detect(date: &Date, snow: &[bool], params: &TemporalParams) -> Cloud {
    let n = date.len();
    let mut e = evidence(date, snow, params);
    let rescued = shows_ground(date, &e.temporal, params);
    for (i, back) in rescued.iter().enumerate() {
        if *back {
            (e.strong[i], e.weak[i], e.temporal[i]) = (false, false, false);
        }
    }
    let mut cloud = hysteresis(&e.strong, &e.weak, date.cols);
    let parts = Components::of(&cloud, date.cols);
    let least = ((2e4 / (date.pixel * date.pixel)).round() as u32).max(1);
    let single = |i: usize| (date.qx[i] & qx::CONFIDENCE) as u8;
    for (i, c) in cloud.iter_mut().enumerate() {
        *c &= parts.area_at(i) >= least || single(i) == 3;
    }
    let mut filled = cloud.clone();
    fill_holes(
        &mut filled,
        date.cols,
        ((9e4 / (date.pixel * date.pixel)).round() as u32).max(1),
    );
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
            if db > 2.0 * t || single(i) == 3 { 3 } else { 2 }
        } else if filled[i] && !cloud[i] {
            2
        } else if cloud[i] {
            1
        } else {
            0
        };
        // static bright ground is vetoed by the background: no spectral vote without a rise of BLUE
        out.spectral[i] = spectral && db > 0.5 * t && cloud[i];
        out.haze[i] = out.confidence[i] == 0 && db > 0.5 * t && !date.water[i] && !rescued[i];
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
