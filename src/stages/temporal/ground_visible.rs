//! Faint cloud that is no cloud: the ground shows through unchanged (docs/sources/masking.md, Ground that shows through).

use super::TemporalParams;
use super::date::Date;
use crate::imaging::morphology::box_mean;

/// Half the side of the correlation window, pixels: 11 × 11; chosen by us: 1.1 km, over which cloud varies.
const RADIUS: usize = 5;
/// Least share of the window that must be seen; chosen by us: 48 pixels (MAJA asks for 15 of 49).
const SHARE: f32 = 0.40;
/// Faint: BLUE less than this above the background, reflectance; chosen by us: 2.5 times the threshold of cloud.
const FAINT: f32 = 0.10;
/// The window's offset must be as even as an aerosol's: spread of the BLUE excess in it, reflectance; chosen by us.
const EVEN: f32 = 0.006;
/// Least spread of RED in the background that a correlation can be read from, reflectance; chosen by us: twice the noise.
const CONTRAST: f32 = 0.010;
/// Variance that keeps the correlation finite, reflectance²; chosen far below that of one count.
const NO_SPREAD: f32 = 1e-9;

/// Pixels flagged by the temporal test whose surroundings look like the background, evenly brightened:
/// aerosol that CAMS missed, not cloud, whose thickness varies over a kilometre.
pub(super) fn shows_ground(date: &Date, flagged: &[bool], params: &TemporalParams) -> Vec<bool> {
    let n = date.len();
    if !flagged.iter().any(|f| *f) {
        return vec![false; n];
    }
    let ok: Vec<bool> = (0..n).map(|i| date.valid[i] && date.known[i]).collect();
    let mean = |f: &dyn Fn(usize) -> f32| -> Vec<f32> {
        let v: Vec<f32> = (0..n)
            .map(|i| if ok[i] { f(i) } else { f32::NAN })
            .collect();
        box_mean(&v, date.cols, RADIUS)
    };
    let (x, y) = (&date.rho[1], &date.bg[1]);
    let (mx, my) = (mean(&|i| x[i]), mean(&|i| y[i]));
    let (xx, yy, xy) = (
        mean(&|i| x[i] * x[i]),
        mean(&|i| y[i] * y[i]),
        mean(&|i| x[i] * y[i]),
    );
    let (d, dd) = (
        mean(&|i| date.excess(0, i)),
        mean(&|i| date.excess(0, i).powi(2)),
    );
    let seen = {
        let v: Vec<f32> = ok.iter().map(|o| if *o { 1.0 } else { 0.0 }).collect();
        box_mean(&v, date.cols, RADIUS)
    };
    (0..n)
        .map(|i| {
            if !flagged[i] || date.excess(0, i) >= FAINT || seen[i] < SHARE {
                return false;
            }
            let (vx, vy, c) = (
                xx[i] - mx[i] * mx[i],
                yy[i] - my[i] * my[i],
                xy[i] - mx[i] * my[i],
            );
            let correlation = c / (vx.max(NO_SPREAD) * vy.max(NO_SPREAD)).sqrt();
            let uneven = (dd[i] - d[i] * d[i]).max(0.0).sqrt();
            correlation > params.correlation && uneven < EVEN && vy > CONTRAST * CONTRAST
        })
        .collect()
}
