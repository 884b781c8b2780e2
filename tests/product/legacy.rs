//! Acquisitions in PROBA-V's own coding: read back as its users read it.

use crate::support::Scene;
use hdf5::types::FixedAscii;
use ndarray::Array2;
use probav_ard::product::AcquisitionReader;
use probav_ard::product::export;
use probav_ard::product::geotiff::read_layers;
use probav_ard::types::reflectance::NODATA;

#[test]
fn reflectance_status_and_angles_come_back_within_half_a_count() {
    let root = tempfile::tempdir().unwrap();
    let scene = Scene::new("31UFS", 3);
    scene.write(root.path());
    let folder = root.path().join("legacy");
    let written = export::legacy(root.path(), &scene.id, &folder).unwrap();
    assert_eq!(written.len(), 6);
    assert!(written.iter().all(|p| p.is_file()));

    let reader = AcquisitionReader::open(root.path(), &scene.id, true).unwrap();
    let rho = reader.rho(0..366).unwrap();
    let file = hdf5::File::open(&written[0]).unwrap();
    let red = file.dataset("LEVEL3/RADIOMETRY/RED/TOC").unwrap();
    let attribute = |name: &str| red.attr(name).unwrap().read_1d::<f32>().unwrap()[0];
    assert_eq!(
        (
            attribute("SCALE"),
            attribute("OFFSET"),
            attribute("NO_DATA")
        ),
        (2000.0, 0.0, -1.0)
    );
    let dn: Array2<i16> = red.read_2d().unwrap();
    for (at, count) in rho[1].indexed_iter() {
        if *count == NODATA {
            assert_eq!(dn[at], -1);
            continue;
        }
        assert_ne!(dn[at], -1, "a value that reads as no data");
        let value = f32::from(*count) * 1e-4;
        // half a count; a valid -1 moved by one
        let reach = if (value * 2000.0).round() == -1.0 {
            0.000_751
        } else {
            0.000_251
        };
        assert!(
            (f32::from(dn[at]) / 2000.0 - value).abs() <= reach,
            "{at:?}: {value}"
        );
    }

    let sm: Array2<u8> = file
        .dataset("LEVEL3/QUALITY/SM")
        .unwrap()
        .read_2d()
        .unwrap();
    assert_eq!(sm[(100, 100)], (scene.masks.sm[(100, 100)] & 0xFF) as u8);
    let sza = file.dataset("LEVEL3/GEOMETRY/SZA").unwrap();
    let counts: Array2<u8> = sza.read_2d().unwrap();
    let angle = f32::from(counts[(182, 169)]) / 2.0;
    let truth = scene.observation.angles.sza[(182, 169)];
    assert!((angle - truth).abs() <= 0.26, "{angle} {truth}");
    assert_eq!(counts[(0, 0)], 255);

    // centre of the upper-left pixel, as PROBA-V's files give it
    let mapping: Vec<FixedAscii<32>> = red.attr("MAPPING").unwrap().read_raw().unwrap();
    assert_eq!(
        (mapping.len(), mapping[3].as_str(), mapping[5].as_str()),
        (9, "600150", "300")
    );
    let tif = read_layers::<i16>(&written[2]).unwrap();
    assert_eq!(tif.bands[0], dn);
    assert_eq!(tif.nodata[0], Some(-1.0));
    assert!(
        written[2]
            .to_str()
            .unwrap()
            .ends_with("_S1_TOC_31UFS_20180503_104512_1_300M_V001_RED.tif")
    );
}
