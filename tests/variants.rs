//! The same segment written in other forms gives the same product.

#[path = "common/rewrite.rs"]
mod rewrite;

use assert_cmd::Command;
use ndarray::Array2;
use rewrite::{Storage, Variant};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Clear over the whole area, centre camera.
const SEGMENT: &str = "PROBAV_L1C_20180706_103143_2_V101.HDF5";

fn archive() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archive")
}

/// Layers of the product that `probav-ard run` makes of one segment.
struct Made {
    layers: Vec<(String, Vec<Array2<f64>>)>,
}

fn make(variant: &Variant) -> Made {
    let work = tempfile::tempdir().expect("temporary folder");
    let l1c = work.path().join("l1c");
    std::fs::create_dir(&l1c).expect("folder");
    rewrite::rewrite(
        &archive().join("l1c").join(SEGMENT),
        &l1c.join(SEGMENT),
        variant,
    )
    .expect("rewritten segment");
    let out = work.path().join("out");
    Command::cargo_bin("probav-ard")
        .expect("binary")
        .args([
            "run",
            "--tile",
            "31UFR",
            "--until",
            "acquisition",
            "--dem-vertical",
            "ellipsoid",
            "--jobs",
            "1",
            "--l1c",
        ])
        .arg(&l1c)
        .arg("--cams")
        .arg(archive().join("cams"))
        .arg("--dem")
        .arg(archive().join("dem/dem.tif"))
        .arg("--landmask")
        .arg(archive().join("landmask/landmask.tif"))
        .arg("--out")
        .arg(&out)
        .assert()
        .success();
    let year = out.join("tiles/31/U/FR/acquisitions/2018");
    let folder = std::fs::read_dir(&year)
        .expect("acquisitions")
        .next()
        .expect("one product")
        .expect("entry")
        .path();
    let id = folder
        .file_name()
        .expect("name")
        .to_string_lossy()
        .into_owned();
    let layers = ["BLUE", "RED", "NIR", "SWIR", "UNC", "SM", "SAT", "GEOMETRY"]
        .iter()
        .map(|layer| {
            let data =
                gdal::Dataset::open(folder.join(format!("{id}_{layer}.tif"))).expect("layer");
            let bands = (1..=data.raster_count())
                .map(|b| {
                    let band = data.rasterband(b).expect("band");
                    let (w, h) = band.size();
                    let pixels = band
                        .read_as::<f64>((0, 0), (w, h), (w, h), None)
                        .expect("pixels");
                    Array2::from_shape_vec((h, w), pixels.into_shape_and_vec().1).expect("shape")
                })
                .collect();
            ((*layer).to_string(), bands)
        })
        .collect();
    Made { layers }
}

fn original() -> &'static Made {
    static ORIGINAL: OnceLock<Made> = OnceLock::new();
    ORIGINAL.get_or_init(|| make(&Variant::default()))
}

/// Largest and root-mean-square difference of a layer where both have data; the share of cells that only one has.
fn difference(made: &Made, layer: &str, nodata: f64) -> (f64, f64, f64) {
    let of = |m: &Made| {
        m.layers
            .iter()
            .find(|l| l.0 == layer)
            .expect("layer")
            .1
            .clone()
    };
    let (mut top, mut squares, mut both, mut one) = (0f64, 0f64, 0usize, 0usize);
    for (a, b) in of(made).iter().zip(&of(original())) {
        for (x, y) in a.iter().zip(b) {
            match (*x == nodata, *y == nodata) {
                (false, false) => {
                    top = top.max((x - y).abs());
                    squares += (x - y).powi(2);
                    both += 1;
                }
                (true, true) => {}
                _ => one += 1,
            }
        }
    }
    assert!(both > 10_000, "{layer}: only {both} cells to compare");
    (
        top,
        (squares / both as f64).sqrt(),
        one as f64 / both as f64,
    )
}

fn assert_identical(variant: &Variant) {
    let made = make(variant);
    for ((name, a), (_, b)) in made.layers.iter().zip(&original().layers) {
        assert_eq!(a, b, "{name} differs");
    }
}

/// Same product but for rounding of positions: RMS within `rms` counts (0.0001), a few cells at the edges may come or go.
fn assert_close(variant: &Variant, rms: f64) {
    let made = make(variant);
    for band in ["BLUE", "RED", "NIR", "SWIR"] {
        let (_, d, one) = difference(&made, band, -32768.0);
        assert!(d <= rms, "{band}: RMS difference {d:.2} counts");
        assert!(
            one < 0.005,
            "{band}: {one:.4} of the cells in one product only"
        );
    }
    let (top, d, _) = difference(&made, "GEOMETRY", 65535.0);
    assert!(
        d <= 5.0,
        "angles: RMS difference {:.3} degrees, largest {:.3}",
        d / 100.0,
        top / 100.0
    );
}

#[test]
fn deflate_by_lines() {
    assert_identical(&Variant {
        storage: Storage::DeflateLines,
        ..Variant::default()
    });
}

#[test]
fn szip() {
    assert_identical(&Variant {
        storage: Storage::Szip,
        ..Variant::default()
    });
}

#[test]
fn contiguous() {
    assert_identical(&Variant {
        storage: Storage::Contiguous,
        ..Variant::default()
    });
}

#[test]
fn hyphenated_groups() {
    assert_identical(&Variant {
        hyphen: true,
        ..Variant::default()
    });
}

#[test]
fn other_table_of_quality_codes() {
    assert_identical(&Variant {
        other_q_table: true,
        ..Variant::default()
    });
}

#[test]
fn quality_codes_without_words() {
    assert_identical(&Variant {
        no_q_text: true,
        ..Variant::default()
    });
    assert_identical(&Variant {
        no_q_text: true,
        other_q_table: true,
        ..Variant::default()
    });
}

#[test]
fn pixel_0_in_the_east() {
    // tie points fall elsewhere and are rounded anew: ~0.3 m, far below a count on average
    assert_close(
        &Variant {
            flip: true,
            ..Variant::default()
        },
        3.0,
    );
}

#[test]
fn tie_points_every_16() {
    assert_close(
        &Variant {
            tie_step_16: true,
            ..Variant::default()
        },
        3.0,
    );
}

#[test]
fn angles_derived_where_none_are_stored() {
    assert_close(
        &Variant {
            no_angles: true,
            ..Variant::default()
        },
        3.0,
    );
}

#[test]
fn one_altitude_only() {
    assert_close(
        &Variant {
            one_altitude: true,
            ..Variant::default()
        },
        3.0,
    );
    assert_close(
        &Variant {
            one_altitude: true,
            no_angles: true,
            ..Variant::default()
        },
        10.0,
    );
}
