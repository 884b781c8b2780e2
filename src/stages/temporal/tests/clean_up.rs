//! Clean-up along time.

use super::*;

#[test]
fn spikes_that_escaped_are_removed() {
    let mut a = Archive::new();
    for k in 0..16 {
        a.add(5 * k, |_, _| {
            if k == 7 {
                [0.092, 0.135, 0.19, 0.25]
            } else {
                FIELD
            }
        });
    }
    let all = a.screened();
    // below the cloud threshold of 0.04, above the spike threshold of 0.025
    assert!(
        all[7]
            .usable
            .iter()
            .all(|u| matches!(*u, usable::OUTLIER | usable::CLOUD))
    );
    assert!(share(&all[7], usable::OUTLIER) > 0.9);
    assert!(all[7].qx.iter().all(|q| q >> qx::VERDICT_SHIFT != 2));
    assert!(share(&all[6], usable::USABLE) > 0.99 && share(&all[8], usable::USABLE) > 0.99);
}

#[test]
fn ground_that_changes_for_good_is_given_back() {
    // a building site: BLUE up by 0.055 with hardly more in RED, from half of the series on
    let site = [0.115, 0.150, 0.200, 0.225];
    let mut a = Archive::new();
    for k in 0..40 {
        a.add(5 * k, |_, _| if k < 25 { FIELD } else { site });
    }
    let all = a.screened();
    for (k, m) in all.iter().enumerate().skip(27) {
        assert!(share(m, usable::USABLE) > 0.95, "date {k}");
    }
}

#[test]
fn blocks_of_rows_give_what_the_whole_gives() {
    let mut a = Archive::new();
    for k in 0..18usize {
        a.add(5 * k as i64, |r, c| {
            if (r + c + k) % 5 == 0 { CLOUD } else { FIELD }
        });
    }
    let bg = a.background();
    let whole = clean_up(&a.0, &bg, &TemporalParams::default());
    let half = |rows: std::ops::Range<usize>| {
        let cut = ndarray::s![rows.clone(), ..];
        let block = SeriesBlock {
            grid: grid().rows(rows.start, rows.len()),
            dates: a.0.dates.clone(),
            rho: a
                .0
                .rho
                .iter()
                .map(|r| [0, 1, 2, 3].map(|b: usize| r[b].slice(cut).to_owned()))
                .collect(),
            masks: a
                .0
                .masks
                .iter()
                .map(|m| Masks {
                    sm: m.sm.slice(cut).to_owned(),
                    qx: m.qx.slice(cut).to_owned(),
                    sat: m.sat.slice(cut).to_owned(),
                    usable: m.usable.slice(cut).to_owned(),
                })
                .collect(),
        };
        let part = background(&block, &TemporalParams::default());
        (clean_up(&block, &part, &TemporalParams::default()), part)
    };
    for rows in [0..10, 10..SIDE] {
        let (masks, part) = half(rows.clone());
        assert_eq!(
            part.count,
            bg.count.slice(ndarray::s![.., rows.clone(), ..]).to_owned()
        );
        for (m, w) in masks.iter().zip(&whole) {
            assert_eq!(m.qx, w.qx.slice(ndarray::s![rows.clone(), ..]).to_owned());
            assert_eq!(
                m.usable,
                w.usable.slice(ndarray::s![rows.clone(), ..]).to_owned()
            );
        }
    }
}
