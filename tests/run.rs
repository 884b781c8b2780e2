//! The whole chain on the fixture archive, through the command line: what it makes against truth.

#[path = "run/archive.rs"]
mod archive;
#[path = "run/ceos.rs"]
mod ceos;

use archive::{AREA, Inputs, TILE, finished, fixture, program};
use ndarray::{Array2, s};
use predicates::prelude::*;
use probav_ard::product::stack::StackReader;
use probav_ard::product::{AcquisitionId, AcquisitionReader, geotiff, list_acquisitions};
use probav_ard::types::band::Band;
use probav_ard::types::grid::{Resolution, TileId};
use probav_ard::types::reflectance::decode;
use probav_ard::types::status::{Masks, sm, usable};

fn tile() -> TileId {
    TILE.parse().unwrap()
}

/// Truth of one acquisition on the area's 100 m cells.
struct Truth {
    rho: [Array2<i16>; 4],
    label: Array2<i16>,
    tau: Array2<f32>,
    sun: Array2<i16>,
    coverage: Array2<i16>,
}

impl Truth {
    fn of(reader: &AcquisitionReader) -> Truth {
        let record = reader.record().unwrap();
        let stem = record["source"].as_str().unwrap().trim_end_matches(".HDF5");
        let layers =
            geotiff::read_layers::<i16>(&fixture().join(format!("truth/{stem}.tif"))).unwrap();
        let get = |name: &str| layers.get(name).unwrap().clone();
        Truth {
            rho: Band::ALL.map(|b| get(b.name())),
            label: get("label"),
            tau: get("tau_x50").mapv(|t| f32::from(t) / 50.0),
            sun: get("sun_percent"),
            coverage: get("coverage"),
        }
    }

    /// Cells that are clear, fully covered, and `margin` cells away from anything else.
    fn clear(&self, margin: usize) -> Array2<bool> {
        let n = self.label.nrows();
        let good = |r: usize, c: usize| {
            self.label[(r, c)] == 0
                && self.coverage[(r, c)] == 15
                && self.tau[(r, c)] < 0.02
                && self.sun[(r, c)] >= 99
        };
        Array2::from_shape_fn((n, n), |(r, c)| {
            let around = |i: usize| i.saturating_sub(margin)..(i + margin + 1).min(n);
            around(r).all(|i| around(c).all(|j| good(i, j)))
        })
    }
}

/// The products of a resolution.
fn readers(resolution: Resolution) -> Vec<AcquisitionReader> {
    let out = finished();
    list_acquisitions(&out, tile())
        .unwrap()
        .iter()
        .filter(|id| id.resolution == resolution)
        .map(|id| AcquisitionReader::open(&out, id, false).unwrap())
        .collect()
}

/// The truth area of a layer.
fn area<T: Clone>(layer: &Array2<T>, resolution: Resolution) -> Array2<T> {
    let k = (resolution.metres() / 100.0) as usize;
    let (row, col, size) = (AREA.0 / k, AREA.1 / k, AREA.2 / k);
    layer.slice(s![row..row + size, col..col + size]).to_owned()
}

fn masks(reader: &AcquisitionReader) -> Masks {
    let all = 0..reader.grid().height;
    reader.masks(all).unwrap()
}

/// (bias, RMSE, number) of pairs.
fn errors(pairs: impl Iterator<Item = (f32, f32)>) -> (f64, f64, usize) {
    let (mut sum, mut squares, mut n) = (0.0, 0.0, 0);
    for (value, truth) in pairs {
        let d = f64::from(value - truth);
        sum += d;
        squares += d * d;
        n += 1;
    }
    let count = n.max(1) as f64;
    (sum / count, (squares / count).sqrt(), n)
}

#[test]
fn every_segment_becomes_a_product() {
    let ids: Vec<AcquisitionId> = list_acquisitions(&finished(), tile()).unwrap();
    let count = |r| ids.iter().filter(|id| id.resolution == r).count();
    assert_eq!((count(Resolution::M100), count(Resolution::M300)), (5, 6));
    for resolution in [Resolution::M100, Resolution::M300] {
        for reader in readers(resolution) {
            let record = reader.record().unwrap();
            assert_eq!(record["atmosphere"]["fallback"], false);
            assert!(record["counts"]["covered"].as_u64().unwrap() > 500);
        }
    }
}

#[test]
fn surface_reflectance_is_unbiased_at_100_m() {
    // RMSE against the plain area mean is ruled by the sensor's point spread: a perfect processor reaches
    // 0.003, 0.006, 0.011, 0.017 here (fixtures/archive/README.md)
    let bound = [0.005, 0.009, 0.016, 0.024];
    let readers = readers(Resolution::M100);
    for band in Band::ALL {
        let mut pairs = Vec::new();
        for reader in &readers {
            let truth = Truth::of(reader);
            let clear = truth.clear(3);
            let rho = reader.rho(0..1098).unwrap();
            let rho = area(&rho[band.index()], Resolution::M100);
            for ((at, value), clear) in rho.indexed_iter().zip(&clear) {
                if *clear {
                    pairs.push((decode(*value), decode(truth.rho[band.index()][at])));
                }
            }
        }
        let (bias, rmse, n) = errors(pairs.into_iter());
        assert!(n > 10_000, "{n} clear cells");
        assert!(bias.abs() < 0.001, "{band}: bias {bias}");
        assert!(rmse < bound[band.index()], "{band}: RMSE {rmse}");
    }
}

#[test]
fn surface_reflectance_is_unbiased_at_300_m() {
    let bound = [0.004, 0.006, 0.009, 0.018];
    let readers = readers(Resolution::M300);
    for band in Band::ALL {
        let mut pairs = Vec::new();
        for reader in &readers {
            let truth = Truth::of(reader);
            let clear = truth.clear(3);
            let rho = reader.rho(0..366).unwrap();
            let rho = area(&rho[band.index()], Resolution::M300);
            for ((r, c), value) in rho.indexed_iter() {
                let cells = s![3 * r..3 * r + 3, 3 * c..3 * c + 3];
                if clear.slice(cells).iter().all(|c| *c) {
                    let mean = truth.rho[band.index()]
                        .slice(cells)
                        .mapv(decode)
                        .mean()
                        .unwrap();
                    pairs.push((decode(*value), mean));
                }
            }
        }
        let (bias, rmse, n) = errors(pairs.into_iter());
        assert!(n > 500, "{n} clear cells");
        assert!(bias.abs() < 0.0015, "{band}: bias {bias}");
        assert!(rmse < bound[band.index()], "{band}: RMSE {rmse}");
    }
}

#[test]
fn masks_find_clouds_and_spare_clear_land() {
    let (mut opaque, mut missed, mut clear, mut lost, mut used, mut dirty) = (0, 0, 0, 0, 0, 0);
    for reader in readers(Resolution::M100) {
        let truth = Truth::of(&reader);
        let masks = masks(&reader);
        let (status, use_) = (
            area(&masks.sm, Resolution::M100),
            area(&masks.usable, Resolution::M100),
        );
        let plain = truth.clear(5);
        for ((at, status), use_) in status.indexed_iter().zip(&use_) {
            if truth.coverage[at] != 15 {
                continue;
            }
            if truth.tau[at] > 1.0 {
                opaque += 1;
                missed += u32::from(status & sm::CLASS != sm::CLOUD);
            }
            if plain[at] {
                clear += 1;
                lost += u32::from(*use_ != usable::USABLE);
            }
            if *use_ == usable::USABLE {
                used += 1;
                dirty += u32::from(truth.tau[at] > 0.3 || truth.sun[at] < 75);
            }
        }
    }
    assert!(opaque > 5_000 && clear > 10_000 && used > 10_000);
    let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole);
    assert!(
        share(missed, opaque) < 0.05,
        "{missed} of {opaque} opaque cells missed"
    );
    assert!(
        share(lost, clear) < 0.08,
        "{lost} of {clear} clear cells lost"
    );
    assert!(
        share(dirty, used) < 0.03,
        "{dirty} of {used} usable cells are not clear"
    );
}

#[test]
fn screened_masks_exist_for_every_acquisition() {
    let out = finished();
    for id in list_acquisitions(&out, tile()).unwrap() {
        let screened = AcquisitionReader::open(&out, &id, true).unwrap();
        assert!(screened.is_screened(), "{id}");
    }
}

#[test]
fn the_stack_has_no_missing_step_where_anything_was_seen() {
    let out = finished();
    let stack = StackReader::open(&out, tile()).unwrap();
    let steps = stack.steps();
    // 21 June to 13 July 2018 touch five windows counted from 2014-01-01
    assert_eq!(steps.len(), 5);
    let (row, col, size) = AREA;
    for band in Band::ALL {
        let rho = stack
            .read::<i16>(band.name(), steps.clone(), row..row + size, col..col + size)
            .unwrap();
        let missing = rho.iter().filter(|v| decode(**v).is_nan()).count();
        assert_eq!(missing, 0, "{band}");
        let name = format!("{}_UNC", band.name());
        let sigma = stack
            .read::<u16>(&name, steps.clone(), row..row + size, col..col + size)
            .unwrap();
        assert!(sigma.iter().all(|v| (1..65_535).contains(v)), "{name}");
    }
}

#[test]
fn the_stack_follows_the_clear_date() {
    let out = finished();
    let stack = StackReader::open(&out, tile()).unwrap();
    let reader = readers(Resolution::M100)
        .into_iter()
        .find(|r| r.id().to_string().contains("20180706"))
        .unwrap();
    let truth = Truth::of(&reader);
    let step = probav_ard::types::calendar::window_of(reader.id().time);
    let (row, col, size) = AREA;
    let red = stack
        .read::<i16>("RED", step..step + 1, row..row + size, col..col + size)
        .unwrap();
    let pairs = red
        .iter()
        .zip(&truth.rho[Band::Red.index()])
        .map(|(v, t)| (decode(*v), decode(*t)));
    let (bias, rmse, _) = errors(pairs);
    assert!(
        bias.abs() < 0.004 && rmse < 0.02,
        "bias {bias}, RMSE {rmse}"
    );
}

#[test]
fn a_second_run_does_nothing_and_says_so() {
    let out = finished();
    let before = tree(&out);
    Inputs::fixture()
        .run(&out)
        .assert()
        .success()
        .stdout(predicate::str::contains("nothing to do: 14 units"));
    assert_eq!(tree(&out), before);
    Inputs::fixture()
        .run(&out)
        .arg("--dry-run")
        .assert()
        .success()
        .stdout(predicate::str::contains("nothing to do"));
}

/// The background of earlier screening serves as reference; asking for the check makes the acquisitions stale, once.
#[test]
fn the_position_is_measured_against_the_background_of_the_tile() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let run = |more: &[&str]| {
        Inputs::fixture()
            .run(&out)
            .args([
                "--camera",
                "C",
                "--from",
                "2018-06-26",
                "--to",
                "2018-07-06",
            ])
            .args(["--jobs", "2"])
            .args(more)
            .assert()
            .success()
    };
    run(&["--until", "screen"]);
    let check = ["--until", "acquisition", "--reference", "background"];
    run(&check).stdout(predicate::str::contains("3 made"));
    for id in list_acquisitions(&out, tile()).unwrap() {
        let reader = AcquisitionReader::open(&out, &id, false).unwrap();
        let found = &reader.record().unwrap()["geometric_check"];
        let bias = |k: usize| found["bias_m"][k].as_f64().unwrap();
        // the scenes have no displacement, so neither has their background
        assert!(bias(0).hypot(bias(1)) < 10.0, "{id}: {found}");
        assert!(found["chips"].as_u64().unwrap() > 50, "{id}: {found}");
    }
    run(&check).stdout(predicate::str::contains("nothing to do"));
}

#[test]
fn a_dry_run_says_what_and_why_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    Inputs::fixture()
        .run(&out)
        .arg("-n")
        .assert()
        .success()
        .stdout(predicate::str::contains(
            "20180706_103143_2_V101.HDF5 100M: new",
        ))
        .stdout(predicate::str::contains("13 units to do"));
    assert!(!out.exists());
    // another parameter: the same products would be made again
    Inputs::fixture()
        .run(&finished())
        .args(["-n", "--kernel", "bilinear"])
        .assert()
        .success()
        .stdout(predicate::str::contains(
            "parameters.kernel cubic6 → bilinear",
        ));
}

#[test]
fn help_and_mistakes_of_usage_are_exit_codes_0_and_2() {
    program().args(["run", "--help"]).assert().success();
    program().args(["run", "--nonsense"]).assert().code(2);
    let dir = tempfile::tempdir().unwrap();
    let mut inputs = Inputs::fixture();
    inputs.l1c = dir.path().join("none");
    inputs
        .run(&dir.path().join("out"))
        .assert()
        .code(2)
        .stderr(predicate::str::contains("no such file or folder"));
    Inputs::fixture()
        .run(&dir.path().join("out"))
        .args(["--tile", "31UFX"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains(
            "does not exist in the Sentinel-2 grid",
        ));
}

/// Every file below a folder with its size and time of modification, the shared lock aside.
fn tree(folder: &std::path::Path) -> Vec<(std::path::PathBuf, u64, std::time::SystemTime)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let meta = entry.metadata().unwrap();
            if meta.is_dir() {
                folders.push(entry.path());
            } else {
                files.push((entry.path(), meta.len(), meta.modified().unwrap()));
            }
        }
    }
    files.sort();
    files
}
