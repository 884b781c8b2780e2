//! The background of an archive.

use super::*;

#[test]
fn a_short_archive_works_and_says_that_it_is_weak() {
    let mut a = Archive::new();
    for k in [0, 1, 3] {
        a.add(6 * k, |_, _| FIELD);
    }
    let d = a.add(13, |_, _| thin(FIELD, 0.12));
    let e = a.add(20, |_, _| CLOUD);
    a.evidence(e, SURE);
    let all = a.screened();
    assert!(share(&all[0], usable::USABLE) > 0.99);
    assert!(share(&all[d], usable::CLOUD) > 0.99);
    assert!(share(&all[e], usable::CLOUD) > 0.99);
    assert!(all[0].sm.iter().all(|s| s & sm::BG_WEAK != 0));
}

#[test]
fn seasons_are_followed_over_two_years() {
    let truth = |day: f64, b: usize| {
        let w = (OMEGA * day).cos() as f32;
        [
            0.05 + 0.02 * w,
            0.08 + 0.03 * w,
            0.30 - 0.12 * w,
            0.22 + 0.02 * w,
        ][b]
    };
    let mut a = Archive::new();
    let start = days_since_origin(Utc.with_ymd_and_hms(2018, 4, 1, 10, 45, 0).unwrap());
    let mut cloudy = Vec::new();
    for k in 0..140i64 {
        let at = start + 5.0 * k as f64;
        // half of the days cloudy, thin on every tenth
        let sky = (k * 7) % 10;
        let ground = [0, 1, 2, 3].map(|b| truth(at, b));
        let d = a.add(5 * k, |_, _| match sky {
            0..=3 => CLOUD,
            4 => thin(ground, 0.10),
            _ => ground,
        });
        if sky <= 3 {
            a.evidence(d, SURE);
        }
        cloudy.push(sky <= 4);
    }
    let bg = a.background();
    for d in a.0.dates.iter().step_by(9) {
        let at = bg.at(d.time);
        for (b, at) in at.iter().enumerate() {
            let expected = truth(days_since_origin(d.time), b);
            assert!(
                (at[(3, 3)] - expected).abs() < 0.02,
                "{} band {b}: {} {expected}",
                d.time,
                at[(3, 3)]
            );
        }
    }
    for (k, (m, cloudy)) in a.screened().iter().zip(cloudy).enumerate() {
        let right = if cloudy {
            usable::CLOUD
        } else {
            usable::USABLE
        };
        assert!(
            share(m, right) > 0.95,
            "date {k}: {} {}",
            share(m, right),
            m.qx[(3, 3)]
        );
    }
}

#[test]
fn no_data_gives_no_background_and_no_panic() {
    let mut a = Archive::new();
    for k in 0..4 {
        let d = a.add(5 * k, |_, _| [f32::NAN; 4]);
        a.0.masks[d].sm.fill(sm::UNDEFINED);
        a.0.masks[d].usable.fill(usable::NODATA);
    }
    let bg = a.background();
    assert!(bg.coefficients.iter().all(|c| c.iter().all(|v| v.is_nan())));
    let all = a.screened();
    assert!(
        all.iter()
            .all(|m| m.usable.iter().all(|u| *u == usable::NODATA))
    );
    // an archive without dates
    let empty = Archive::new();
    assert!(empty.screened().is_empty());
    // a background of another grid is no background
    let mut b = Archive::new();
    b.add(0, |_, _| FIELD);
    let other = Background::empty(GridSpec {
        width: 3,
        height: 3,
        ..grid()
    });
    let m = b.decide(0, &other);
    assert!(share(&m, usable::USABLE) > 0.99);
}
