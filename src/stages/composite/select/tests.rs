//! One observation per pixel, on small composites.

use super::*;
use chrono::{DateTime, TimeZone};

struct Owned {
    time: DateTime<Utc>,
    rho: [Array2<i16>; 4],
    sigma: [Array2<u16>; 4],
    usable: Array2<u8>,
}

fn acquisition(day: u32, minute: u32, rho: i16, sigma: u16, usable: u8) -> Owned {
    Owned {
        time: Utc.with_ymd_and_hms(2018, 5, day, 10, minute, 0).unwrap(),
        rho: std::array::from_fn(|b| Array2::from_elem((2, 3), rho + 100 * b as i16)),
        sigma: std::array::from_fn(|_| Array2::from_elem((2, 3), sigma)),
        usable: Array2::from_elem((2, 3), usable),
    }
}

fn run(acquisitions: &[Owned]) -> Composite {
    let m: Vec<Member<'_>> = acquisitions
        .iter()
        .map(|l| Member {
            time: l.time,
            rho: &l.rho,
            sigma: &l.sigma,
            usable: &l.usable,
        })
        .collect();
    composite(&m).unwrap()
}

/// A window that lies wholly in May 2018.
fn first_day() -> u32 {
    let w = window_of(Utc.with_ymd_and_hms(2018, 5, 10, 0, 0, 0).unwrap());
    use chrono::Datelike;
    window_start(w).day()
}

#[test]
fn the_medoid_is_a_real_observation_and_leaves_a_cloud_out() {
    let d = first_day();
    let c = run(&[
        acquisition(d, 0, 500, 40, 1),
        acquisition(d + 1, 0, 3500, 40, 1),
        acquisition(d + 3, 0, 520, 40, 1),
    ]);
    // the cloud draws the choice to the brighter of the two clear acquisitions, no further
    assert_eq!(c.rho[0][(1, 2)], 520);
    assert_eq!(c.count[(0, 0)], 3);
    assert_eq!(c.quality[(0, 0)], quality::CLEAR);
    assert_eq!(c.day[(0, 0)], 3);
}

#[test]
fn buffer_and_snow_only_where_nothing_is_clear() {
    let d = first_day();
    let mut clear = acquisition(d, 0, 500, 90, 1);
    clear.usable[(0, 0)] = usable::CLOUD;
    clear.usable[(0, 1)] = usable::CLOUD;
    let mut buffer = acquisition(d + 1, 0, 700, 20, usable::BUFFER);
    buffer.usable[(0, 1)] = usable::CLOUD;
    let snow = acquisition(d + 2, 0, 7000, 10, usable::SNOW);
    let c = run(&[clear, buffer, snow]);
    assert_eq!(
        (c.rho[0][(1, 1)], c.quality[(1, 1)], c.count[(1, 1)]),
        (500, 1, 1)
    );
    assert_eq!(
        (c.rho[0][(0, 0)], c.quality[(0, 0)], c.day[(0, 0)]),
        (700, 2, 1)
    );
    assert_eq!(
        (c.rho[0][(0, 1)], c.quality[(0, 1)], c.day[(0, 1)]),
        (7000, 3, 2)
    );
}

#[test]
fn clouds_shadows_and_outliers_leave_the_pixel_empty() {
    let d = first_day();
    for u in [0, 4, 5, 7, 8, 9, 77] {
        let c = run(&[acquisition(d, 0, 500, 40, u)]);
        assert_eq!(c.rho[2][(0, 0)], NODATA);
        assert_eq!(c.sigma[2][(0, 0)], NODATA_U16);
        assert_eq!((c.count[(0, 0)], c.day[(0, 0)]), (0, 255));
    }
}

#[test]
fn vnir_only_takes_swir_from_another_acquisition() {
    let d = first_day();
    let c = run(&[
        acquisition(d, 0, 500, 20, usable::VNIR_ONLY),
        acquisition(d + 2, 0, 900, 60, 1),
    ]);
    assert_eq!(c.rho[0][(0, 0)], 500);
    assert_eq!(c.rho[3][(0, 0)], 900 + 300);
    let alone = run(&[acquisition(d, 0, 500, 20, usable::VNIR_ONLY)]);
    assert_eq!(alone.rho[0][(0, 0)], 500);
    assert_eq!(alone.rho[3][(0, 0)], NODATA);
}

#[test]
fn one_overpass_counts_once_and_the_better_look_stays() {
    let d = first_day();
    let c = run(&[acquisition(d, 0, 500, 60, 1), acquisition(d, 2, 510, 30, 1)]);
    assert_eq!((c.rho[0][(0, 0)], c.count[(0, 0)]), (510, 1));
    // equal σ: further from the edge of its data
    let mut near = acquisition(d, 0, 500, 30, 1);
    near.usable[(0, 0)] = usable::NODATA;
    let c = run(&[near, acquisition(d, 2, 510, 30, 1)]);
    assert_eq!(c.rho[0][(0, 1)], 510);
}

#[test]
fn order_of_the_list_does_not_matter() {
    let d = first_day();
    let a = [
        acquisition(d, 0, 500, 40, 1),
        acquisition(d + 1, 0, 560, 40, 1),
        acquisition(d + 4, 0, 900, 40, 6),
    ];
    let b = [
        acquisition(d + 4, 0, 900, 40, 6),
        acquisition(d + 1, 0, 560, 40, 1),
        acquisition(d, 0, 500, 40, 1),
    ];
    assert_eq!(run(&a), run(&b));
}

#[test]
fn mixed_windows_and_shapes_are_refused() {
    let d = first_day();
    let (a, b) = (
        acquisition(d, 0, 500, 40, 1),
        acquisition(d + 6, 0, 500, 40, 1),
    );
    let member = |l: &'static Owned| Member {
        time: l.time,
        rho: &l.rho,
        sigma: &l.sigma,
        usable: &l.usable,
    };
    let (a, b): (&'static Owned, &'static Owned) = (Box::leak(Box::new(a)), Box::leak(Box::new(b)));
    assert!(matches!(
        composite(&[member(a), member(b)]),
        Err(CompositeError::Window { index: 1, .. })
    ));
    assert!(matches!(composite(&[]), Err(CompositeError::Empty)));
    let small: &'static Array2<u8> = Box::leak(Box::new(Array2::zeros((1, 1))));
    let odd = Member {
        usable: small,
        ..member(a)
    };
    assert!(matches!(
        composite(&[member(a), odd]),
        Err(CompositeError::Shape { index: 1, .. })
    ));
}
