use crate::support::tile;
use ndarray::Array2;
use probav_ard::product::geotiff::{Layer, read_layers, read_rows, write_layers};
use probav_ard::types::grid::Resolution;

#[test]
fn floats_keep_their_bits_names_and_tags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("step.tif");
    let grid = tile("31UFS").grid(Resolution::M300).padded(3);
    let a = Array2::from_shape_fn((grid.height, grid.width), |(r, c)| {
        if r == c {
            f32::NAN
        } else {
            (r * c) as f32 * 0.1
        }
    });
    let b = a.mapv(|v| -v);
    let layers = [("BLUE", &a), ("SZA", &b)].map(|(name, data)| Layer {
        name,
        data: data.view(),
        scale: None,
        nodata: Some(f64::NAN),
    });
    let tags = [("SOURCE".to_string(), "x.HDF5".to_string())];
    write_layers(&path, &grid, &layers, &tags).unwrap();
    let back = read_layers::<f32>(&path).unwrap();
    assert_eq!(back.grid, grid);
    assert_eq!(back.names, ["BLUE", "SZA"]);
    assert!(back.tags.contains(&tags[0]));
    for (one, two) in [(&a, &back.bands[0]), (&b, back.get("SZA").unwrap())] {
        assert!(
            one.iter()
                .zip(two)
                .all(|(x, y)| x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan()))
        );
    }
    let rows = read_rows::<f32>(&path, 10..20).unwrap();
    assert_eq!(rows.grid, grid.rows(10, 10));
    let whole = b.row(13);
    assert!(
        rows.bands[1]
            .row(3)
            .iter()
            .zip(whole)
            .all(|(x, y)| x == y || (x.is_nan() && y.is_nan()))
    );
    assert!(read_rows::<f32>(&path, 300..999).is_err());
    assert!(read_layers::<f32>(&folder.path().join("none.tif")).is_err());
    std::fs::write(&path, b"not a tiff").unwrap();
    assert!(read_layers::<f32>(&path).is_err());
}
