//! Small files that claim more than can be held.

use super::{node, utc};
use crate::sources::cams::*;

/// A file of compressed zeros: lengths of time, latitude and longitude, and of the blocks of the field.
fn bomb(path: &Path, [times, lats, lons]: [usize; 3], blocks: [usize; 3], step: f64) {
    let mut file = netcdf::create(path).unwrap();
    for (name, len) in [("time", times), ("latitude", lats), ("longitude", lons)] {
        file.add_dimension(name, len).unwrap();
    }
    for (name, len, unit, start) in [
        ("time", times, "seconds since 1970-01-01", 1_529_485_200.0),
        ("latitude", lats, "degrees_north", 50.0),
        ("longitude", lons, "degrees_east", 3.0),
    ] {
        let mut v = file.add_variable::<f64>(name, &[name]).unwrap();
        v.set_compression(9, true).unwrap();
        v.put_attribute("units", unit).unwrap();
        let step = if name == "time" { 3600.0 } else { step };
        let values: Vec<f64> = (0..len).map(|k| start + step * k as f64).collect();
        v.put_values(&values, netcdf::Extents::All).unwrap();
    }
    let dims = ["time", "latitude", "longitude"];
    let mut v = file.add_variable::<f32>("aod550", &dims).unwrap();
    v.set_compression(9, true).unwrap();
    v.set_chunking(&blocks).unwrap();
}

fn ask(path: &Path) -> Result<Array2<f64>, CamsError> {
    let cams = Cams::open(&[path.to_path_buf()])?;
    let place = Place::new(&node(4.5, 50.5));
    let found = cams.field(Variable::Aod550, utc("2018-06-20T10:30:00"), &place)?;
    Ok(found.0)
}

#[test]
fn blocks_axes_and_times_that_no_field_has_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.nc");
    for (lengths, blocks, step, word) in [
        // one block of the whole field: 3.4 GB of zeros for any part of it
        ([60, 3750, 3750], [60, 3750, 3750], 0.001, "blocks of"),
        (
            [4, 30_000, 30_000],
            [1, 30_000, 30_000],
            0.0001,
            "blocks of",
        ),
        ([4, 100_001, 10], [1, 100, 10], 0.0001, "cannot be"),
        ([4, 10, 200_000], [1, 10, 100], 0.0001, "cannot be"),
        ([300_000, 4, 4], [1, 4, 4], 0.4, "cannot be"),
    ] {
        bomb(&path, lengths, blocks, step);
        assert!(std::fs::metadata(&path).unwrap().len() < 2 << 20);
        let words = ask(&path).unwrap_err().to_string();
        // what is more than the file can hold is refused before the reader looks at it
        let refused = words.contains(word) || words.contains("more than a file of");
        assert!(refused && words.contains("a.nc"), "{lengths:?}: {words}");
    }
}

/// 100,000 latitudes and longitudes are believed, but not that so many lie around one tile.
#[test]
fn a_field_too_fine_for_a_tile_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.nc");
    bomb(&path, [4, 100_000, 100_000], [1, 1000, 1000], 0.00001);
    // as much as such a file would hold, so that only the place is at fault
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(200 << 20).unwrap();
    let cams = Cams::open(std::slice::from_ref(&path)).unwrap();
    let place = Place::new(&super::tile(4.5, 50.5));
    let error = cams
        .field(Variable::Aod550, utc("2018-06-20T10:30:00"), &place)
        .unwrap_err()
        .to_string();
    assert!(error.contains("cells around the place"), "{error}");
}

/// The same time again and again is read twice, not 200,000 times.
#[test]
fn copies_of_a_time_are_not_read_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.nc");
    let mut file = netcdf::create(&path).unwrap();
    let n = 100_000;
    for (name, len) in [("time", n), ("latitude", 4), ("longitude", 4)] {
        file.add_dimension(name, len).unwrap();
    }
    for (name, unit, start, step, len) in [
        ("time", "seconds since 1970-01-01", 1_529_490_600.0, 0.0, n),
        ("latitude", "degrees_north", 50.0, 0.4, 4),
        ("longitude", "degrees_east", 4.0, 0.4, 4),
    ] {
        let mut v = file.add_variable::<f64>(name, &[name]).unwrap();
        v.put_attribute("units", unit).unwrap();
        let values: Vec<f64> = (0..len).map(|k| start + step * k as f64).collect();
        v.put_values(&values, netcdf::Extents::All).unwrap();
    }
    let mut v = file
        .add_variable::<f32>("aod550", &["time", "latitude", "longitude"])
        .unwrap();
    v.set_compression(1, true).unwrap();
    let first = vec![0.2f32; 16];
    v.put_values(&first, (..1, .., ..)).unwrap();
    drop(file);
    let cams = Cams::open(std::slice::from_ref(&path)).unwrap();
    let place = Place::new(&node(4.5, 50.5));
    let near = field::near_in_time(
        &cams.layers.iter().collect::<Vec<_>>(),
        Variable::Aod550,
        utc("2018-06-20T10:30:00"),
        &place,
    );
    assert!((near.unwrap().0[[0, 0]] - 0.2).abs() < 1e-6);
}
