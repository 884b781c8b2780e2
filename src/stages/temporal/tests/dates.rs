//! Decisions of single dates against the background.

use super::*;

#[test]
fn thin_cloud_is_found_against_the_background_and_clear_days_are_not() {
    let mut a = Archive::new();
    for k in 0..12 {
        // thick cloud on a third of the days
        if k % 3 == 1 {
            let d = a.add(5 * k, |_, _| CLOUD);
            a.evidence(d, SURE);
        } else {
            a.add(5 * k, |_, _| FIELD);
        }
    }
    let d = a.add(61, |_, _| thin(FIELD, 0.07));
    let bg = a.background();
    assert!(bg.count.iter().all(|n| *n >= 8));
    let at = bg.at(a.0.dates[0].time);
    for b in 0..4 {
        assert!(
            at[b].iter().all(|v| (v - FIELD[b]).abs() < 0.006),
            "band {b}"
        );
    }
    let m = a.decide(d, &bg);
    assert!(
        m.qx.iter()
            .all(|q| q & qx::CONFIDENCE >= 2 && q & qx::CLOUD_TEMPORAL != 0)
    );
    assert!(m.sat.iter().all(|s| s & sat::NO_TEMPORAL == 0));
    assert!(m.sm.iter().all(|s| s & sm::BG_WEAK == 0));
    assert!(share(&a.decide(0, &bg), usable::USABLE) > 0.99);
    assert!(share(&a.decide(1, &bg), usable::CLOUD) > 0.99);
}

#[test]
fn harvest_is_not_cloud() {
    let mut a = Archive::new();
    for k in 0..20 {
        a.add(5 * k, |_, _| {
            if k < 12 {
                CROP
            } else {
                [0.080, 0.165, 0.285, 0.340]
            }
        });
    }
    for (k, m) in a.screened().iter().enumerate() {
        assert!(share(m, usable::USABLE) > 0.95, "date {k}");
    }
}

#[test]
fn a_white_roof_that_never_changes_is_vetoed() {
    let roof = [0.220, 0.260, 0.300, 0.310];
    let mut a = Archive::new();
    for k in 0..12 {
        let d = a.add(5 * k, |r, c| if r < 4 && c < 4 { roof } else { FIELD });
        // the single-date stage takes the roof for thick cloud, every time
        let m = &mut a.0.masks[d];
        for r in 0..4 {
            for c in 0..4 {
                m.qx[(r, c)] = SURE;
                m.sm[(r, c)] = crate::imaging::usability::with_class(m.sm[(r, c)], SURE, false);
                m.usable[(r, c)] = usable::CLOUD;
            }
        }
    }
    let cloudy = a.add(70, |_, _| CLOUD);
    a.evidence(cloudy, SURE);
    let all = a.screened();
    for m in &all[..12] {
        assert!(share(m, usable::USABLE) > 0.99);
    }
    assert!(share(&all[12], usable::CLOUD) > 0.99);
}

#[test]
fn a_place_that_is_always_cloudy_does_not_become_clear() {
    // five dates, all thick cloud of varying brightness: no ground was ever seen
    let mut a = Archive::new();
    for k in 0..5 {
        let d = a.add(5 * k, |_, _| CLOUD.map(|v| v * (0.9 + 0.03 * k as f32)));
        a.evidence(d, SURE);
    }
    let bg = a.background();
    assert!(bg.count.iter().all(|n| *n == 0));
    for m in a.screened() {
        assert!(share(&m, usable::CLOUD) > 0.99);
        assert!(m.sm.iter().all(|s| s & sm::BG_WEAK != 0));
        assert!(m.sat.iter().all(|s| s & sat::NO_TEMPORAL != 0));
    }
}

#[test]
fn partial_snow_is_snow_in_a_snowy_scene() {
    let pure = [0.88, 0.87, 0.78, 0.11];
    let mut a = Archive::new();
    for k in 0..10 {
        a.add(5 * k, |_, _| FIELD);
    }
    let d = a.add(52, |r, _| {
        let f = if r < 12 { 1.0 } else { 0.3 };
        [0, 1, 2, 3].map(|b: usize| f * pure[b] + (1.0 - f) * FIELD[b])
    });
    for r in 0..12 {
        for c in 0..SIDE {
            a.0.masks[d].qx[(r, c)] = qx::SNOW;
        }
    }
    let all = a.screened();
    assert!(share(&all[d], usable::SNOW) > 0.95);
    assert!(all[d].sm.iter().all(|s| s & sm::CLASS == sm::SNOW));
    assert!(share(&all[3], usable::USABLE) > 0.99);
}

#[test]
fn shadow_near_a_cloud_is_found_without_an_object_match() {
    let mut a = Archive::new();
    for k in 0..10 {
        a.add(5 * k, |_, _| FIELD);
    }
    let d = a.add(52, |r, c| {
        if (8..14).contains(&r) && (8..14).contains(&c) {
            FIELD.map(|v| 0.4 * v)
        } else {
            FIELD
        }
    });
    let m = a.decide(d, &a.background());
    // no cloud in the tile: its cloud may lie beyond the edge
    assert!(m.qx[(10, 10)] & qx::SHADOW_TEMPORAL != 0);
    assert_eq!(m.usable[(10, 10)], usable::SHADOW);
    assert_eq!(m.usable[(20, 20)], usable::USABLE);
}

#[test]
fn missing_swir_is_screened_in_vnir() {
    let mut a = Archive::new();
    for k in 0..10 {
        a.add(5 * k, |_, _| [FIELD[0], FIELD[1], FIELD[2], f32::NAN]);
    }
    let d = a.add(52, |_, _| {
        let t = thin(FIELD, 0.1);
        [t[0], t[1], t[2], f32::NAN]
    });
    let all = a.screened();
    assert!(share(&all[d], usable::CLOUD) > 0.99);
    assert!(share(&all[2], usable::CLOUD) < 0.01);
}
