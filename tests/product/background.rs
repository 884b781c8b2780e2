use crate::support::tile;
use ndarray::{Array3, s};
use probav_ard::product::{read_background, write_background};
use probav_ard::types::background::Background;
use probav_ard::types::grid::Resolution;

#[test]
fn backgrounds_come_back_by_rows_to_half_a_count() {
    let root = tempfile::tempdir().unwrap();
    let tile = tile("31UFS");
    let grid = tile.grid(Resolution::M300);
    let (h, w) = (grid.height, grid.width);
    let field = |n: usize, k: f32| {
        Array3::from_shape_fn((n, h, w), |(i, r, c)| {
            if c < 10 {
                f32::NAN
            } else {
                k * (0.01 * (i + 1) as f32 + 1e-5 * (r * 3 + c) as f32 - 0.002)
            }
        })
    };
    let background = Background {
        grid,
        coefficients: [field(5, 1.0), field(5, -1.0), field(5, 2.0), field(5, 0.5)],
        sigma: field(4, 1.0).mapv(f32::abs),
        count: Array3::from_shape_fn((1, h, w), |(_, r, c)| (r + c) as u16),
    };
    assert!(
        read_background(root.path(), tile.id, Resolution::M300, 0..10)
            .unwrap()
            .is_none()
    );
    for _ in 0..2 {
        write_background(root.path(), tile.id, Resolution::M300, &background).unwrap();
    }
    let back = read_background(root.path(), tile.id, Resolution::M300, 120..150)
        .unwrap()
        .unwrap();
    assert_eq!(back.grid, grid.rows(120, 30));
    assert_eq!(back.count, background.count.slice(s![.., 120..150, ..]));
    for b in 0..4 {
        let whole = background.coefficients[b].slice(s![.., 120..150, ..]);
        for (x, y) in whole.iter().zip(&back.coefficients[b]) {
            assert!(
                (x.is_nan() && y.is_nan()) || (x - y).abs() <= 0.51e-4,
                "{x} {y}"
            );
        }
    }
    for (x, y) in background
        .sigma
        .slice(s![.., 120..150, ..])
        .iter()
        .zip(&back.sigma)
    {
        assert!(
            (x.is_nan() && y.is_nan()) || (x - y).abs() <= 0.51e-4,
            "{x} {y}"
        );
    }
}
