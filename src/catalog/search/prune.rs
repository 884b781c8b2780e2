//! What need not be read.

use crate::catalog::part::{Part, PartFile};
use crate::catalog::query::Query;

/// False where no item of a file can match.
pub(super) fn file_may_match(part: &Part, query: &Query) -> bool {
    let collection = query.collections.is_empty() || query.collections.contains(&part.collection);
    let zone = query.tiles.is_empty() || query.tiles.iter().any(|t| t.zone() == part.zone);
    let time = query.datetime.is_none_or(|t| t.meets(part.from, part.to));
    let place = match (&query.region, part.around()) {
        (None, _) => true,
        (Some(region), Some(bbox)) => region.may_meet(&bbox),
        (Some(_), None) => false,
    };
    collection && zone && time && place
}

/// The row groups that may hold a match.
pub(super) fn row_groups(part: &Part, file: &PartFile, query: &Query) -> Vec<usize> {
    let mut may = vec![true; file.row_groups()];
    if !query.tiles.is_empty() {
        let codes: Vec<String> = query.tiles.iter().map(|t| format!("MGRS-{t}")).collect();
        let inside = |a: &String, b: &String| codes.iter().any(|c| a <= c && c <= b);
        keep(&mut may, file.texts("grid:code"), |(a, b)| inside(&a, &b));
    }
    if let Some(interval) = query.datetime {
        // an item with an interval may begin long before: only those with an instant are ruled out by it
        let begin = file.times("start_datetime").iter().all(Option::is_none);
        if begin {
            keep(&mut may, file.times("datetime"), |(a, b)| {
                interval.meets(a, b)
            });
        } else {
            let ends = file.times("end_datetime");
            let begins = file.times("start_datetime");
            let instants = file.times("datetime");
            for (i, m) in may.iter_mut().enumerate() {
                if let (Some((from, _)), Some((_, to)), None) = (begins[i], ends[i], instants[i]) {
                    *m &= interval.meets(from, to);
                }
            }
        }
    }
    if let Some(region) = &query.region
        && !part.crosses
    {
        keep(&mut may, file.boxes(), |(low, high)| {
            let around = crate::catalog::Bbox([low.0[0], low.0[1], high.0[2], high.0[3]]);
            region.may_meet(&around)
        });
    }
    for filter in query.filters.iter().filter(|f| f.number().is_some()) {
        keep(&mut may, file.numbers(&filter.property), |range| {
            filter.may_hold(range)
        });
    }
    may.iter()
        .enumerate()
        .filter_map(|(i, may)| may.then_some(i))
        .collect()
}

/// Rules out row groups whose range does not do; what the file does not tell rules nothing out.
fn keep<T>(may: &mut [bool], ranges: Vec<Option<T>>, does: impl Fn(T) -> bool) {
    for (m, range) in may.iter_mut().zip(ranges) {
        if let Some(range) = range {
            *m &= does(range);
        }
    }
}
