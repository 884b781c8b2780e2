use crate::schemas::validate;
use crate::support::{names, tile};
use gdal::Metadata;
use ndarray::{Array3, ArrayView3};
use probav_ard::product::export;
use probav_ard::product::geotiff::read_layers;
use probav_ard::product::layout;
use probav_ard::product::stack::{StackReader, StackRows, StackWriter, VARIABLES, variable};
use probav_ard::types::calendar::window_start;
use probav_ard::types::grid::Tile;
use probav_ard::types::reflectance::{NODATA, NODATA_U16};
use serde_json::{Value, json};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Rows after which values repeat, so that a long block is made once.
pub(crate) const PERIOD: usize = 61;

/// Values of one cell; what lies west of column 30 is never covered.
fn rho(step: i32, row: usize, col: usize, band: usize) -> i16 {
    if col < 30 {
        NODATA
    } else {
        ((step * 31 + (row % PERIOD) as i32 * 7 + col as i32 * 3 + band as i32 * 1000) % 9000 - 50)
            as i16
    }
}

struct Block {
    rho: [Array3<i16>; 4],
    unc: [Array3<u16>; 4],
    bytes: [Array3<u8>; 4],
}

fn block(steps: Range<i32>, rows: Range<usize>, cols: usize) -> Block {
    let shape = (steps.len(), rows.len(), cols);
    let at = |t: usize, r: usize| (steps.start + t as i32, rows.start + r);
    Block {
        rho: std::array::from_fn(|b| {
            Array3::from_shape_fn(shape, |(t, r, c)| {
                let (step, row) = at(t, r);
                rho(step, row, c, b)
            })
        }),
        unc: std::array::from_fn(|b| {
            Array3::from_shape_fn(shape, |(t, r, c)| {
                let (step, row) = at(t, r);
                if c < 30 {
                    NODATA_U16
                } else {
                    (step + (row % PERIOD) as i32 + b as i32 + 300) as u16
                }
            })
        }),
        bytes: std::array::from_fn(|k| {
            Array3::from_shape_fn(shape, |(t, r, c)| {
                let (step, row) = at(t, r);
                (step.rem_euclid(5) as usize + row % PERIOD + c + k) as u8 % 6
            })
        }),
    }
}

fn rows_of(b: &Block) -> StackRows<'_> {
    let [provenance, days, n100, n300] = b.bytes.each_ref().map(ArrayView3::from);
    StackRows {
        rho: b.rho.each_ref().map(ArrayView3::from),
        unc: b.unc.each_ref().map(ArrayView3::from),
        provenance,
        days,
        n100,
        n300,
    }
}

/// Writes a stack whose steps come in windows with the given borders, in blocks of `every` rows.
pub(crate) fn write(root: &Path, tile: &Tile, borders: &[i32], every: usize) -> PathBuf {
    let steps = borders[0]..borders[borders.len() - 1];
    let mut writer = StackWriter::create(root, tile, steps).unwrap();
    for window in borders.windows(2) {
        let window = window[0]..window[1];
        let repeated = block(window.clone(), 0..PERIOD, 1098);
        for first in (0..1098).step_by(every) {
            let rows = first..(first + every).min(1098);
            let made;
            let b = if every == PERIOD {
                &repeated
            } else {
                made = block(window.clone(), rows, 1098);
                &made
            };
            writer
                .write_rows(first, window.clone(), &rows_of(b))
                .unwrap();
        }
    }
    writer.finish(json!({ "stage": "fuse" })).unwrap()
}

#[test]
fn blocks_of_any_size_give_the_same_stack() {
    let root = tempfile::tempdir().unwrap();
    let tile = tile("31UFS");
    let steps = -2..3;
    let path = write(root.path(), &tile, &[-2, 3], 100);
    assert_eq!(path, layout::stack_zarr(root.path(), tile.id));
    let stack = StackReader::open(root.path(), tile.id).unwrap();
    assert_eq!(stack.steps(), steps);
    assert_eq!(
        stack.grid(),
        tile.grid(probav_ard::types::grid::Resolution::M100)
    );
    let cut = stack.read::<i16>("NIR", -1..2, 120..130, 20..40).unwrap();
    for ((t, r, c), v) in cut.indexed_iter() {
        assert_eq!(*v, rho(-1 + t as i32, 120 + r, 20 + c, 2));
    }
    let unc = stack
        .read::<u16>("SWIR_UNC", 2..3, 1097..1098, 28..33)
        .unwrap();
    assert_eq!(
        unc.as_slice().unwrap(),
        [NODATA_U16, NODATA_U16, 365, 365, 365]
    );
    assert!(stack.read::<i16>("RED", -3..0, 0..1, 0..1).is_err());
    assert!(stack.read::<i16>("GREEN", 0..1, 0..1, 0..1).is_err());
    assert!(stack.read::<u8>("RED", 0..1, 0..1, 0..1).is_err());

    // other windows and blocks: the same bytes, file by file
    let other = tempfile::tempdir().unwrap();
    let twin = write(other.path(), &tile, &[-2, 0, 3], 37);
    let mut files = 0;
    for array in names(&path) {
        for (one, two) in walk(&path.join(&array))
            .iter()
            .zip(walk(&twin.join(&array)))
        {
            assert_eq!(fs::read(one).unwrap(), fs::read(&two).unwrap(), "{one:?}");
            files += 1;
        }
    }
    // 12 variables and 4 axes with their metadata, that of the grid mapping and of the group
    assert_eq!(files, 2 * (12 + 4) + 2);
}

fn walk(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    names(path)
        .iter()
        .flat_map(|n| walk(&path.join(n)))
        .collect()
}

#[test]
fn a_new_generation_replaces_the_old_and_can_be_exported() {
    let root = tempfile::tempdir().unwrap();
    let tile = tile("01KAB");
    write(root.path(), &tile, &[0, 1], 1098);
    let path = write(root.path(), &tile, &[70, 76], PERIOD);
    let folder = path.parent().unwrap();
    let name = layout::stack_name(tile.id);
    let mut expected: Vec<String> = VARIABLES
        .iter()
        .map(|v| format!("{name}_{}.vrt", v.name))
        .collect();
    expected.extend(["zarr", "OVERVIEW.png"].map(|end| {
        let mark = if end == "zarr" { '.' } else { '_' };
        format!("{name}{mark}{end}")
    }));
    expected.push(format!("{name}_PROVENANCE.qml"));
    expected.extend(["checksums.json", "item.json", "run.json"].map(String::from));
    expected.sort();
    assert_eq!(names(folder), expected);
    assert_eq!(names(folder.parent().unwrap()), ["stack"]);
    let stack = StackReader::open(root.path(), tile.id).unwrap();
    assert_eq!(stack.steps(), 70..76);
    assert_eq!(stack.record().unwrap()["stage"], "fuse");
    let series = stack
        .read::<i16>("BLUE", 70..76, 700..701, 500..501)
        .unwrap();
    for (t, v) in series.iter().enumerate() {
        assert_eq!(*v, rho(70 + t as i32, 700, 500, 0));
    }
    let meta: Value =
        serde_json::from_slice(&fs::read(path.join("RED/zarr.json")).unwrap()).unwrap();
    assert_eq!(
        meta["chunk_grid"]["configuration"]["chunk_shape"],
        json!([6, 1152, 1152])
    );
    let codec = &meta["codecs"][0];
    assert_eq!(codec["name"], "sharding_indexed");
    assert_eq!(codec["configuration"]["chunk_shape"], json!([6, 64, 64]));
    assert_eq!(meta["attributes"]["_FillValue"], NODATA);
    let meta: Value =
        serde_json::from_slice(&fs::read(path.join("PROVENANCE/zarr.json")).unwrap()).unwrap();
    let classes = variable("PROVENANCE").unwrap().classes;
    let values: Vec<u8> = classes.iter().map(|c| c.0).collect();
    let meanings: Vec<String> = classes.iter().map(|c| c.1.replace('-', "_")).collect();
    assert_eq!(meta["attributes"]["flag_values"], json!(values));
    assert_eq!(meta["attributes"]["flag_meanings"], meanings.join(" "));
    let item: Value = serde_json::from_slice(&fs::read(folder.join("item.json")).unwrap()).unwrap();
    let problems = validate(&item);
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(item["properties"]["start_datetime"], "2014-12-17T00:00:00Z");
    assert_eq!(item["properties"]["end_datetime"], "2015-01-16T00:00:00Z");
    assert_eq!(item["geometry"]["type"], "MultiPolygon");
    // exports across New Year
    let cog = export::cog(&stack, "NIR", 71..76, &root.path().join("x/nir.tif")).unwrap();
    let layers = read_layers::<i16>(&cog).unwrap();
    let dates: Vec<String> = (71..76).map(|s| window_start(s).to_string()).collect();
    assert_eq!(layers.names, dates);
    assert_eq!(layers.bands[2][(500, 600)], rho(73, 500, 600, 2));
    assert_eq!(layers.nodata[0], Some(f64::from(NODATA)));
    assert_eq!(layers.scales[0], 1e-4);
    let nc = export::netcdf(&stack, 71..75, &root.path().join("x/stack.nc")).unwrap();
    let file = netcdf::open(&nc).unwrap();
    let times: Vec<f64> = file.variable("time").unwrap().get_values(..).unwrap();
    assert_eq!(times, [357.5, 362.5, 367.5, 372.5]);
    let bounds: Vec<f64> = file
        .variable("time_bnds")
        .unwrap()
        .get_values((2, ..))
        .unwrap();
    assert_eq!(bounds, [365.0, 370.0]);
    let red = file.variable("RED").unwrap();
    assert_eq!(red.fill_value::<i16>().unwrap(), Some(NODATA));
    let values: Vec<i16> = red.get_values((3, 1000, 28..33)).unwrap();
    let expected: Vec<i16> = (28..33).map(|c| rho(74, 1000, c, 1)).collect();
    assert_eq!(values, expected);
    assert_eq!(names(&root.path().join("x")), ["nir.tif", "stack.nc"]);
    assert!(export::netcdf(&stack, 200..210, &root.path().join("x/none.nc")).is_err());
}

#[test]
fn an_incomplete_stack_never_appears() {
    let root = tempfile::tempdir().unwrap();
    let tile = tile("31UFS");
    write(root.path(), &tile, &[5, 6], 1098);
    let mut writer = StackWriter::create(root.path(), &tile, 0..2).unwrap();
    let b = block(0..2, 0..100, 1098);
    writer.write_rows(0, 0..2, &rows_of(&b)).unwrap();
    assert!(writer.write_rows(1050, 0..2, &rows_of(&b)).is_err());
    assert!(writer.write_rows(100, 1..3, &rows_of(&b)).is_err());
    assert!(writer.write_rows(100, 0..1, &rows_of(&b)).is_err());
    assert!(writer.finish(Value::Null).is_err());
    assert_eq!(
        StackReader::open(root.path(), tile.id).unwrap().steps(),
        5..6
    );
    assert_eq!(names(&layout::tile_folder(root.path(), tile.id)), ["stack"]);
    assert!(StackWriter::create(root.path(), &tile, 3..3).is_err());
}
#[test]
fn gdal_reads_every_step_of_the_store_by_its_date() {
    let root = tempfile::tempdir().unwrap();
    let tile = tile("31UFS");
    let zarr = write(root.path(), &tile, &[70, 73, 76], 1098);
    let folder = zarr.parent().unwrap();
    let open = |name: &str| {
        gdal::Dataset::open(folder.join(format!("PROBAV_ARD_31UFS_P5D_{name}.vrt"))).unwrap()
    };
    let nir = open("NIR");
    assert_eq!(nir.raster_count(), 6);
    assert_eq!(nir.spatial_ref().unwrap().auth_code().unwrap(), 32631);
    assert_eq!(
        nir.geo_transform().unwrap(),
        [600_000.0, 100.0, 0.0, 5_700_000.0, 0.0, -100.0]
    );
    for step in 70..76 {
        let band = nir.rasterband((step - 70 + 1) as usize).unwrap();
        assert_eq!(band.description().unwrap(), window_start(step).to_string());
        assert_eq!(
            (band.scale(), band.no_data_value()),
            (Some(1e-4), Some(f64::from(NODATA)))
        );
        // the last block of a row is cut by the border of the tile
        let (col, row) = (1050, 1000);
        let found = band
            .read_as::<i16>((col, row), (48, 98), (48, 98), None)
            .unwrap();
        for (k, value) in found.data().iter().enumerate() {
            let (r, c) = (row as usize + k / 48, col as usize + k % 48);
            assert_eq!(*value, rho(step, r, c, 2), "{step} {r} {c}");
        }
    }
    // the shard is a GeoTIFF by itself
    let shard = gdal::Dataset::open(zarr.join("NIR/c/0/0/0")).unwrap();
    assert_eq!(shard.driver().short_name(), "GTiff");
    assert_eq!(shard.geo_transform().unwrap(), nir.geo_transform().unwrap());
    let provenance = open("PROVENANCE");
    assert!(provenance.rasterband(1).unwrap().color_table().is_some());
}
