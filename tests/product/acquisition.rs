use crate::support::{SOURCE, Scene, names};
use ndarray::s;
use probav_ard::product::{AcquisitionReader, list_acquisitions, write_screened};
use probav_ard::types::reflectance::{NODATA, NODATA_U16, encode, encode_u16};
use probav_ard::types::status::usable;
use std::fs;

#[test]
fn every_layer_comes_back_as_it_was_written() {
    let root = tempfile::tempdir().unwrap();
    let scene = Scene::new("31UFS", 3);
    let folder = scene.write(root.path());
    assert!(
        folder.ends_with("tiles/31/U/FS/acquisitions/2018/PROBAV_ARD_31UFS_20180503T104512_L_300M")
    );
    let layers = [
        "BLUE", "GEOMETRY", "NIR", "QX", "RED", "SAT", "SM", "SWIR", "TOA", "UNC", "USABLE",
    ];
    let mut expected: Vec<String> = layers.iter().map(|l| scene.id.file_name(l)).collect();
    expected.extend([
        format!("{}_QUICKLOOK.png", scene.id),
        format!("{}_SM.qml", scene.id),
        format!("{}_USABLE.tif.aux.xml", scene.id),
        "checksums.json".into(),
        "item.json".into(),
        "run.json".into(),
    ]);
    expected.sort();
    assert_eq!(names(&folder), expected);

    let reader = AcquisitionReader::open(root.path(), &scene.id, true).unwrap();
    assert!(!reader.is_screened());
    assert_eq!(reader.grid(), scene.acquisition(true).grid);
    for rows in [0..366, 100..231, 365..366, 7..7] {
        let cut = s![rows.clone(), ..];
        let rho = reader.rho(rows.clone()).unwrap();
        let sigma = reader.sigma(rows.clone()).unwrap();
        let toa = reader.toa(rows.clone()).unwrap().unwrap();
        for b in 0..4 {
            assert_eq!(rho[b], scene.surface.rho.bands[b].slice(cut).mapv(encode));
            assert_eq!(
                sigma[b],
                scene.surface.sigma.bands[b]
                    .slice(cut)
                    .mapv(|v| encode_u16(v, 1e-4))
            );
            assert_eq!(
                toa[b],
                scene.observation.toa.bands[b].slice(cut).mapv(encode)
            );
        }
        let masks = reader.masks(rows.clone()).unwrap();
        assert_eq!(masks.sm, scene.masks.sm.slice(cut));
        assert_eq!(masks.qx, scene.masks.qx.slice(cut));
        assert_eq!(masks.sat, scene.masks.sat.slice(cut));
        assert_eq!(masks.usable, scene.masks.usable.slice(cut));
        assert_eq!(reader.usable(rows.clone()).unwrap(), masks.usable);
        let angles = reader.angles(rows.clone()).unwrap();
        let worst = ndarray::Zip::from(&angles.vnir_vaa)
            .and(scene.observation.angles.vnir_vaa.slice(cut))
            .fold(0f32, |worst, a, b| {
                if b.is_nan() {
                    assert!(a.is_nan());
                    worst
                } else {
                    worst.max((a - b).abs())
                }
            });
        assert!(worst <= 0.0051, "{worst}");
    }
    // negative reflectance survives, nodata is nodata
    let rho = reader.rho(0..366).unwrap();
    assert!(rho[0].iter().any(|v| *v < 0 && *v != NODATA));
    assert_eq!(rho[0][(0, 0)], NODATA);
    assert_eq!(reader.sigma(0..1).unwrap()[0][(0, 0)], NODATA_U16);
    assert_eq!(reader.record().unwrap()["source"], SOURCE);
    assert_eq!(reader.record().unwrap()["parameters"]["kernel"], "cubic6");
    assert!(reader.rho(0..367).is_err());
}

#[test]
fn a_halo_is_clipped_away() {
    let root = tempfile::tempdir().unwrap();
    let scene = Scene::padded("31UFS", 3, 40);
    scene.write(root.path());
    let reader = AcquisitionReader::open(root.path(), &scene.id, false).unwrap();
    assert_eq!(reader.grid(), scene.acquisition(false).grid);
    let inner = scene.surface.rho.bands[1]
        .slice(s![40..406, 40..406])
        .mapv(encode);
    assert_eq!(reader.rho(0..366).unwrap()[1], inner);
}

#[test]
fn the_same_values_give_the_same_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let scene = Scene::new("31UFS", 3);
    let (one, two) = (scene.write(a.path()), scene.write(b.path()));
    for name in names(&one) {
        assert_eq!(
            fs::read(one.join(&name)).unwrap(),
            fs::read(two.join(&name)).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn lists_are_in_order_of_time_and_hold_finished_products_only() {
    let root = tempfile::tempdir().unwrap();
    let (late, early) = (Scene::new("31UFS", 9), Scene::new("31UFS", 2));
    late.write(root.path());
    early.write(root.path());
    let year = late.id.folder(root.path()).parent().unwrap().to_path_buf();
    fs::create_dir(year.join("PROBAV_ARD_31UFS_20180504T104512_L_300M")).unwrap();
    fs::create_dir(year.join(".tmp-PROBAV_ARD_31UFS_20180505T104512_L_300M.1-0")).unwrap();
    fs::write(year.join("notes.txt"), "x").unwrap();
    assert_eq!(
        list_acquisitions(root.path(), late.tile.id).unwrap(),
        [early.id, late.id]
    );
    assert!(
        list_acquisitions(root.path(), "01KAB".parse().unwrap())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn screened_masks_are_preferred_and_replaceable() {
    let root = tempfile::tempdir().unwrap();
    let scene = Scene::new("31UFS", 3);
    scene.write(root.path());
    for code in [usable::CLOUD, usable::OUTLIER] {
        let mut masks = scene.masks.clone();
        masks.usable.fill(code);
        write_screened(root.path(), &scene.id, &masks, serde_json::json!({})).unwrap();
        let screened = AcquisitionReader::open(root.path(), &scene.id, true).unwrap();
        assert!(screened.is_screened());
        assert_eq!(
            screened.masks(5..9).unwrap().usable,
            masks.usable.slice(s![5..9, ..])
        );
        assert_eq!(
            screened.masks(5..9).unwrap().sat,
            masks.sat.slice(s![5..9, ..])
        );
    }
    let raw = AcquisitionReader::open(root.path(), &scene.id, false).unwrap();
    assert_eq!(raw.masks(0..366).unwrap(), scene.masks);
    let missing = Scene::new("31UFS", 4);
    assert!(
        write_screened(
            root.path(),
            &missing.id,
            &scene.masks,
            serde_json::json!({})
        )
        .is_err()
    );
}

#[test]
fn damaged_layers_are_errors_not_panics() {
    let root = tempfile::tempdir().unwrap();
    let scene = Scene::new("31UFS", 3);
    let folder = scene.write(root.path());
    let path = folder.join(scene.id.file_name("NIR"));
    let whole = fs::read(&path).unwrap();
    let reader = AcquisitionReader::open(root.path(), &scene.id, false).unwrap();
    for keep in [0, 4, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..keep]).unwrap();
        // a file cut by its last byte may still decode
        let read = reader.rho(0..366);
        assert!(read.is_err() || keep == whole.len() - 1, "{keep}");
    }
    fs::remove_file(&path).unwrap();
    assert!(reader.rho(0..366).is_err());
}
