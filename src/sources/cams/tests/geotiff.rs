//! GeoTIFFs of single fields, named as VITO's archive names them.

use super::{node, utc};
use crate::sources::cams::*;
use gdal::Metadata;
use gdal::spatial_ref::SpatialRef;

/// 0.4° around 4.5, 51.2; values linear in place and, hourly, in time.
fn truth(variable: Variable, lon: f64, lat: f64, hour: f64) -> f64 {
    let shape = (1.0 + 0.02 * (lon - 3.2) + 0.01 * (lat - 51.0)) * (1.0 + 0.03 * hour);
    match variable {
        Variable::Ozone => 0.006 * shape,
        Variable::Tcwv => 14.0 * shape,
        _ => 0.12 * shape,
    }
}

struct Field<'a> {
    name: &'a str,
    variable: Variable,
    hour: u32,
    /// Stored number = (value − offset) / scale.
    packing: (f64, f64),
    unit: &'a str,
    description: &'a str,
    tags: &'a [(&'a str, &'a str)],
    hole: bool,
    south_up: bool,
    west: f64,
}

const AOD: Field<'_> = Field {
    name: "CAMS_NRT_aod550_20180620T090000Z.tif",
    variable: Variable::Aod550,
    hour: 9,
    packing: (1.0, 0.0),
    unit: "",
    description: "",
    tags: &[],
    hole: false,
    south_up: false,
    west: 3.0,
};

impl Field<'_> {
    fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join(self.name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
        let mut data = driver
            .create_with_band_type::<f32, _>(&path, 10, 8, 1)
            .unwrap();
        let (north, step) = if self.south_up {
            (49.6, 0.4)
        } else {
            (52.8, -0.4)
        };
        data.set_geo_transform(&[self.west - 0.2, 0.4, 0.0, north, 0.0, step])
            .unwrap();
        data.set_spatial_ref(&SpatialRef::from_epsg(4326).unwrap())
            .unwrap();
        let mut values = Vec::new();
        for row in 0..8 {
            for col in 0..10 {
                let lat = north + step * (f64::from(row) + 0.5);
                let lon = self.west + 0.4 * f64::from(col);
                let lon = if lon > 180.0 { lon - 360.0 } else { lon };
                let v = truth(self.variable, lon, lat, f64::from(self.hour));
                let stored = (v - self.packing.1) / self.packing.0;
                values.push(if self.hole { -9999.0 } else { stored as f32 });
            }
        }
        for (key, value) in self.tags {
            data.set_metadata_item(key, value, "").unwrap();
        }
        let mut band = data.rasterband(1).unwrap();
        band.set_no_data_value(Some(-9999.0)).unwrap();
        band.set_scale(self.packing.0).unwrap();
        band.set_offset(self.packing.1).unwrap();
        band.set_description(self.description).unwrap();
        if !self.unit.is_empty() {
            band.set_metadata_item("units", self.unit, "").unwrap();
        }
        let mut buffer = gdal::raster::Buffer::new((10, 8), values);
        band.write((0, 0), (10, 8), &mut buffer).unwrap();
        path
    }
}

fn value(cams: &Cams, variable: Variable, time: &str) -> Result<f64, CamsError> {
    let (values, ..) = cams.field(variable, utc(time), &Place::new(&node(4.71, 51.33)))?;
    Ok(values[[0, 0]])
}

fn one(path: PathBuf) -> Result<Cams, CamsError> {
    Cams::open(&[path])
}

/// The archive's own tree: a folder a variable, year and month; hourly.
#[test]
fn the_tree_of_an_archive_gives_the_state_of_any_time() {
    let dir = tempfile::tempdir().unwrap();
    for (word, variable) in [
        ("aod550", Variable::Aod550),
        ("gtco3", Variable::Ozone),
        ("tcwv", Variable::Tcwv),
    ] {
        for hour in 8..14 {
            let name = format!("{word}/2018/06/CAMS_NRT_{word}_20180620T{hour:02}0000Z.tif");
            Field {
                name: &name,
                variable,
                hour,
                ..AOD
            }
            .write(dir.path());
        }
    }
    let cams = one(dir.path().to_path_buf()).unwrap();
    assert!(cams.problems().is_empty(), "{:?}", cams.problems());
    for (variable, time, hour) in [
        (Variable::Aod550, "2018-06-20T10:45:00", 10.75),
        (Variable::Ozone, "2018-06-20T10:45:00", 10.75),
        (Variable::Tcwv, "2018-06-20T08:00:00", 8.0),
    ] {
        let found = value(&cams, variable, time).unwrap();
        assert!((found / truth(variable, 4.71, 51.33, hour) - 1.0).abs() < 1e-5);
    }
    let nodes = node(4.71, 51.33);
    let state = cams
        .state(utc("2018-06-20T10:45:00"), &nodes, &Overrides::default())
        .unwrap();
    assert!(!state.fallback && state.origins == [Origin::Analysis; 3]);
    let coverage = cams.coverage();
    assert_eq!(coverage.len(), 18);
    let first = &coverage[0];
    assert_eq!((first.variable, first.monthly), (Variable::Aod550, false));
    assert_eq!(
        (first.first, first.last),
        (
            Some(utc("2018-06-20T08:00:00")),
            Some(utc("2018-06-20T08:00:00"))
        )
    );
    // one month's folder of one variable alone
    let part = one(dir.path().join("aod550/2018/06")).unwrap();
    assert!(value(&part, Variable::Aod550, "2018-06-20T12:30:00").is_ok());
    assert!(matches!(
        value(&part, Variable::Tcwv, "2018-06-20T12:30:00"),
        Err(CamsError::Missing { .. })
    ));
}

#[test]
fn names_and_tags_tell_variable_and_time() {
    let dir = tempfile::tempdir().unwrap();
    for (k, field) in [
        Field {
            name: "cams_nrt_AOD550_20180620t0900.TIFF",
            ..AOD
        },
        Field {
            name: "eac4-aod550-2018062009.tif",
            ..AOD
        },
        Field {
            name: "aod550/2018/06/20180620T090000Z.tif",
            ..AOD
        },
        Field {
            name: "x.tif",
            description: "aod550 2018-06-20T09:00:00Z",
            ..AOD
        },
        Field {
            name: "y.tif",
            tags: &[
                ("variable", "aod550"),
                ("valid_time", "2018-06-20T09:00:00"),
            ],
            ..AOD
        },
        Field {
            name: "z_20180620_090000.tif",
            description: "aod550",
            ..AOD
        },
        Field {
            name: "south_up_aod550_20180620T09.tif",
            south_up: true,
            ..AOD
        },
        Field {
            name: "east_aod550_20180620T09.tif",
            west: 363.0,
            ..AOD
        },
        Field {
            name: "packed_aod550_20180620T09.tif",
            packing: (0.001, -0.05),
            ..AOD
        },
        Field {
            name: "unit_aod550_20180620T09.tif",
            unit: "~",
            ..AOD
        },
    ]
    .into_iter()
    .enumerate()
    {
        let path = field.write(&dir.path().join(k.to_string()));
        let cams = one(path).unwrap_or_else(|e| panic!("{}: {e}", field.name));
        let found = value(&cams, Variable::Aod550, "2018-06-20T09:00:00").unwrap();
        assert!(
            (found / truth(Variable::Aod550, 4.71, 51.33, 9.0) - 1.0).abs() < 1e-5,
            "{}",
            field.name
        );
    }
    // ECMWF's delivery names run and lead
    let name = "z_cams_c_ecmf_20180620000000_prod_fc_sfc_009_aod550.tif";
    let path = Field { name, ..AOD }.write(dir.path());
    let cams = one(path).unwrap();
    assert!(value(&cams, Variable::Aod550, "2018-06-20T09:00:00").is_ok());
    assert_eq!(cams.coverage()[0].runs, 1);
}

#[test]
fn what_is_not_told_or_not_possible_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let write = |field: Field<'_>| one(field.write(dir.path()));
    for name in [
        "dem.tif",
        "aod550.tif",
        "aod550_20180620.tif",
        "20180620T090000Z.tif",
        "aod550_tcwv_20180620T09.tif",
    ] {
        let error = write(Field { name, ..AOD }).unwrap_err();
        assert!(
            matches!(error, CamsError::Nameless { .. }),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(name));
    }
    let unit = write(Field {
        unit: "percent",
        ..AOD
    })
    .unwrap_err();
    assert!(
        matches!(
            unit,
            CamsError::Unit {
                variable: Variable::Aod550,
                ..
            }
        ),
        "{unit}"
    );
    // ozone in Dobson units that says nothing of them is no ozone in kg m-2
    let dobson = Field {
        name: "gtco3_20180620T09.tif",
        packing: (1.0 / 46_696.0, 0.0),
        variable: Variable::Ozone,
        ..AOD
    };
    let path = dobson.write(dir.path());
    let mut data = gdal::Dataset::open_ex(
        &path,
        gdal::DatasetOptions {
            open_flags: gdal::GdalOpenFlags::GDAL_OF_UPDATE,
            ..Default::default()
        },
    )
    .unwrap();
    data.rasterband(1).unwrap().set_scale(1.0).unwrap();
    data.flush_cache().unwrap();
    drop(data);
    let error = value(&one(path).unwrap(), Variable::Ozone, "2018-06-20T09:00:00").unwrap_err();
    assert!(matches!(error, CamsError::Implausible { .. }), "{error}");
    let hole = write(Field { hole: true, ..AOD }).unwrap();
    let error = value(&hole, Variable::Aod550, "2018-06-20T09:00:00").unwrap_err();
    assert!(matches!(error, CamsError::Hole { .. }), "{error}");
    // a VRT in disguise, and one cut short
    let path = dir.path().join("CAMS_NRT_aod550_20180620T100000Z.tif");
    std::fs::write(&path, "<VRTDataset rasterXSize=\"1\" rasterYSize=\"1\"/>").unwrap();
    assert!(matches!(one(path.clone()), Err(CamsError::Open { .. })));
    let whole = std::fs::read(AOD.write(dir.path())).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let found = one(path).and_then(|c| value(&c, Variable::Aod550, "2018-06-20T10:00:00"));
    assert!(found.is_err());
}

/// A foreign raster in the folder is named and hides nothing.
#[test]
fn other_rasters_of_a_folder_are_problems_with_their_names() {
    let dir = tempfile::tempdir().unwrap();
    AOD.write(dir.path());
    Field {
        name: "landmask.tif",
        ..AOD
    }
    .write(dir.path());
    std::fs::write(dir.path().join("CAMS_NRT_aod550_20180620T100000Z.tif"), "").unwrap();
    let cams = one(dir.path().to_path_buf()).unwrap();
    assert!(value(&cams, Variable::Aod550, "2018-06-20T09:00:00").is_ok());
    let told: Vec<String> = cams.problems().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2);
    assert!(
        told.iter().any(|p| p.contains("landmask.tif"))
            && told.iter().any(|p| p.contains("it is empty"))
    );
}
