//! What a file declares is used, and said where the user says otherwise.

use super::*;
use gdal::spatial_ref::SpatialRef;

/// Metres above its level of every cell of the DEM written here.
const HEIGHT: f32 = 500.0;

struct File<'a> {
    srs: &'a str,
    unit: &'a str,
    value: f32,
    no_data: Option<f64>,
}

const PLAIN: File<'_> = File {
    srs: "EPSG:4326",
    unit: "",
    value: HEIGHT,
    no_data: None,
};

impl File<'_> {
    /// Two degrees around Estes Park, or 100 km in a projection of zone 13.
    fn write(&self, path: &Path) {
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        let mut data = driver
            .create_with_band_type::<f32, _>(path, 200, 200, 1)
            .unwrap();
        let srs = SpatialRef::from_definition(self.srs).unwrap();
        let transform =
            match srs.is_projected() || self.srs.contains("326") && !self.srs.contains("4326") {
                true => [390_000.0, 500.0, 0.0, 4_520_000.0, 0.0, -500.0],
                false => [-106.7, 0.01, 0.0, 41.3, 0.0, -0.01],
            };
        data.set_geo_transform(&transform).unwrap();
        data.set_spatial_ref(&srs).unwrap();
        let mut band = data.rasterband(1).unwrap();
        band.set_no_data_value(self.no_data).unwrap();
        band.fill(f64::from(self.value), None).unwrap();
        drop(data);
        if !self.unit.is_empty() {
            set_unit(path, self.unit);
        }
    }
}

/// The unit of a band as GDAL keeps it beside a file.
fn set_unit(path: &Path, unit: &str) {
    let text = format!(
        "<PAMDataset><PAMRasterBand band=\"1\"><UnitType>{unit}</UnitType></PAMRasterBand></PAMDataset>"
    );
    let mut aux = path.as_os_str().to_os_string();
    aux.push(".aux.xml");
    std::fs::write(aux, text).unwrap();
}

fn place() -> GridSpec {
    grid_at(32613, -105.7, 40.35, 40)
}

/// Heights and notes with a datum given.
fn heights(path: &Path, datum: VerticalDatum) -> Result<(f32, Vec<String>), DemError> {
    let dem = Dem::open(&[path.to_path_buf()], datum)?;
    let data = dem.heights(&place())?.data;
    Ok((data[(20, 20)], dem.notes().to_vec()))
}

#[test]
fn a_declared_level_is_used_and_a_contradiction_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dem.tif");
    let sea = sea_level(&place(), &VerticalDatum::Egm96).unwrap().data[(20, 20)];
    assert!((-17.0..-10.0).contains(&sea));
    use VerticalDatum::{Egm96, Ellipsoid};
    for (srs, given, wanted, is_contradicted) in [
        ("EPSG:4326+5773", Ellipsoid, HEIGHT + sea, true),
        ("EPSG:4326+5773", Egm96, HEIGHT + sea, false),
        ("EPSG:32613+5773", Ellipsoid, HEIGHT + sea, true),
        ("EPSG:4979", Egm96, HEIGHT, true),
        ("EPSG:4979", Ellipsoid, HEIGHT, false),
        ("EPSG:4326", Egm96, HEIGHT + sea, false),
        ("EPSG:4326", Ellipsoid, HEIGHT, false),
    ] {
        File { srs, ..PLAIN }.write(&path);
        let (height, notes) = heights(&path, given.clone()).unwrap();
        assert!(
            (height - wanted).abs() < 0.01,
            "{srs} {given}: {height} {wanted}"
        );
        assert_eq!(
            !notes.is_empty(),
            is_contradicted,
            "{srs} {given}: {notes:?}"
        );
        if let Some(note) = notes.first() {
            assert!(
                note.contains("dem.tif")
                    && note.contains(&format!("--dem-vertical {given} is not followed")),
                "{note}"
            );
        }
    }
    // a level that is not known is said, and the user's taken
    File {
        srs: "EPSG:4326+5703",
        ..PLAIN
    }
    .write(&path);
    let (height, notes) = heights(&path, Ellipsoid).unwrap();
    assert!(
        (height - HEIGHT).abs() < 0.01 && notes[0].contains("NAVD88"),
        "{notes:?}"
    );
}

/// EGM2008 where its grid may or may not be installed: never the ellipsoid, never silent.
#[test]
fn egm2008_is_never_taken_for_the_ellipsoid() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dem.tif");
    File {
        srs: "EPSG:4326+3855",
        ..PLAIN
    }
    .write(&path);
    let sea = sea_level(&place(), &VerticalDatum::Egm96).unwrap().data[(20, 20)];
    for given in [VerticalDatum::Ellipsoid, VerticalDatum::Egm96] {
        let (height, notes) = heights(&path, given).unwrap();
        assert!((height - HEIGHT - sea).abs() < 3.0, "{height}");
        assert!(notes[0].contains("EGM2008"), "{notes:?}");
    }
    // a user's own grid of the geoid serves whatever the file calls it
    let own = dir.path().join("geoid.tif");
    File {
        value: 45.0,
        ..PLAIN
    }
    .write(&own);
    let (height, notes) = heights(&path, VerticalDatum::Grid(own)).unwrap();
    assert!(
        (height - HEIGHT - 45.0).abs() < 0.01 && notes.is_empty(),
        "{notes:?}"
    );
}

/// Two files side by side, one above the geoid and one above the ellipsoid, of the same ground.
#[test]
fn each_file_has_its_own_level() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.tif"), dir.path().join("b.tif"));
    let sea = sea_level(&place(), &VerticalDatum::Egm96).unwrap().data[(20, 20)];
    File {
        srs: "EPSG:4326+5773",
        ..PLAIN
    }
    .write(&a);
    File {
        srs: "EPSG:4979",
        value: HEIGHT + sea,
        ..PLAIN
    }
    .write(&b);
    for files in [[a.clone(), b.clone()], [b, a]] {
        let dem = Dem::open(&files, VerticalDatum::Egm96).unwrap();
        let heights = dem.heights(&place()).unwrap().data;
        assert!(heights.iter().all(|h| (h - HEIGHT - sea).abs() < 0.2));
        assert_eq!(dem.notes().len(), 1);
    }
}

#[test]
fn a_declared_unit_is_converted_and_an_unknown_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dem.tif");
    for (unit, value) in [
        ("m", 500.0),
        ("metre", 500.0),
        ("ft", 500.0 / 0.3048),
        ("US survey foot", 500.0 * 3937.0 / 1200.0),
        ("dm", 5000.0),
        ("cm", 50_000.0),
        ("mm", 500_000.0),
        ("km", 0.5),
    ] {
        File {
            unit,
            value,
            ..PLAIN
        }
        .write(&path);
        let (height, notes) = heights(&path, VerticalDatum::Ellipsoid).unwrap();
        assert!(
            (height - 500.0).abs() < 0.01 && notes.is_empty(),
            "{unit}: {height}"
        );
    }
    for unit in ["K", "fathom", "degree", "m s-1"] {
        File { unit, ..PLAIN }.write(&path);
        let error = heights(&path, VerticalDatum::Ellipsoid).unwrap_err();
        let words = error.to_string();
        assert!(
            matches!(error, DemError::Raster(GeoRasterError::Unit { .. })),
            "{words}"
        );
        assert!(words.contains(unit) && words.contains("dem.tif"), "{words}");
        // in a folder it is set aside
        std::fs::remove_file(dir.path().join("dem.tif.aux.xml")).unwrap();
        let folder = dir.path().join("folder");
        std::fs::create_dir_all(&folder).unwrap();
        PLAIN.write(&folder.join("good.tif"));
        File {
            unit,
            value: 9.0,
            ..PLAIN
        }
        .write(&folder.join("bad.tif"));
        let (height, notes) = heights(&folder, VerticalDatum::Ellipsoid).unwrap();
        assert!(
            (height - 500.0).abs() < 0.01 && notes[0].contains(unit),
            "{notes:?}"
        );
    }
    // the unit of the vertical system counts where the band has none: NAVD88 in US survey feet
    std::fs::remove_file(dir.path().join("dem.tif.aux.xml")).ok();
    File {
        srs: "EPSG:4326+6360",
        value: 500.0 * 3937.0 / 1200.0,
        ..PLAIN
    }
    .write(&path);
    let (height, _) = heights(&path, VerticalDatum::Ellipsoid).unwrap();
    assert!((height - 500.0).abs() < 0.01, "{height}");
}

/// No data that is a height on the ground is told of; the usual ones are not.
#[test]
fn no_data_that_could_be_a_height_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dem.tif");
    for (no_data, is_said) in [
        (Some(0.0), true),
        (Some(255.0), true),
        (Some(-32768.0), false),
        (Some(-9999.0), false),
        (Some(f64::NAN), false),
        (None, false),
    ] {
        File { no_data, ..PLAIN }.write(&path);
        let (height, notes) = heights(&path, VerticalDatum::Ellipsoid).unwrap();
        assert_eq!(height, HEIGHT);
        assert_eq!(
            notes.iter().any(|n| n.contains("no data")),
            is_said,
            "{no_data:?}"
        );
    }
    // undeclared ones are no heights
    for value in [-9999.0, -32768.0, 32767.0, 9.97e36, -3.4e38] {
        File { value, ..PLAIN }.write(&path);
        let (height, _) = heights(&path, VerticalDatum::Ellipsoid).unwrap();
        assert!(height.is_nan(), "{value}");
    }
}

/// Sea level lies on the geoid that the DEM declares.
#[test]
fn the_sea_beside_a_dem_has_its_level() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dem.tif");
    for (srs, given, wanted) in [
        (
            "EPSG:4326+5773",
            VerticalDatum::Ellipsoid,
            VerticalDatum::Egm96,
        ),
        ("EPSG:4979", VerticalDatum::Egm96, VerticalDatum::Ellipsoid),
        ("EPSG:4326", VerticalDatum::Egm96, VerticalDatum::Egm96),
    ] {
        File { srs, ..PLAIN }.write(&path);
        let dem = Dem::open(std::slice::from_ref(&path), given).unwrap();
        assert_eq!(dem.sea_datum(), wanted, "{srs}");
    }
}
