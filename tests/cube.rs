//! Cubes against a landscape that is known everywhere: stacks of tiles in two UTM zones hold the same smooth function of
//! longitude, latitude and time, so that every pixel of a cube has a true value whatever its grid.

#[path = "cube/landscape.rs"]
mod landscape;

use landscape::{Landscape, STEPS, truth};
use probav_ard::cube::{
    Area, Crs, CubeError, Format, Gathered, GridChoice, Limits, MaskRule, Polygon, Request,
    Resample, Source, Summary, plan,
};
use probav_ard::product::geotiff::read_layers;
use probav_ard::product::stack::StackReader;
use probav_ard::types::error::{Class, Classified};
use std::path::Path;
use std::sync::atomic::AtomicBool;

static GO: AtomicBool = AtomicBool::new(false);
const LIMITS: Limits<'static> = Limits {
    max_cells: 100_000_000,
    stop: &GO,
};

fn request(area: Area, variables: &[&str]) -> Request {
    Request {
        area,
        source: Source::Stack,
        from: None,
        to: None,
        variables: variables.iter().map(|v| v.to_string()).collect(),
        mask: None,
        grid: GridChoice::default(),
        resample: Resample::Bilinear,
    }
}

fn on(mut request: Request, epsg: u32, resolution: f64) -> Request {
    request.grid = GridChoice {
        crs: Some(Crs::from_epsg(epsg).unwrap()),
        resolution: Some(resolution),
        anchor: None,
    };
    request
}

fn gather(root: &Path, request: &Request) -> (Gathered, Summary) {
    let plan = plan(root, request).unwrap();
    plan.gather(&LIMITS).unwrap()
}

/// Largest difference from the truth, counts, where a tile stands behind the pixel; and the mean.
fn errors(cube: &Gathered, variable: usize, band: usize) -> (f64, f64, usize) {
    let values = &cube.values[variable];
    let cols = values.dim().2;
    let (mut worst, mut sum, mut n) = (0.0f64, 0.0, 0);
    for ((t, r, c), v) in values.indexed_iter() {
        let pixel = r * cols + c;
        if cube.tiles[pixel].is_none() {
            assert_eq!(*v, -32768);
            continue;
        }
        let (lon, lat) = cube.positions[pixel];
        let off = f64::from(*v) - truth(lon, lat, STEPS.start + t as i32, band);
        worst = worst.max(off.abs());
        sum += off;
        n += 1;
    }
    (worst, sum / n as f64, n)
}

/// The tiles 31UGR and 32ULA share the ground from 6.2° to 7.3° E and no lattice; their centres are equally far at 6.77° E.
fn border() -> Area {
    Area::Bbox([6.6, 50.25, 6.9, 50.45], Crs::LON_LAT)
}

/// Positions by the other door into PROJ.
fn lon_lat_by_proj(epsg: u32, x: f64, y: f64) -> (f64, f64) {
    let way = proj::Proj::new_known_crs(&format!("EPSG:{epsg}"), "EPSG:4326", None).unwrap();
    way.convert((x, y)).unwrap()
}

#[test]
fn a_cube_across_two_zones_is_the_truth_on_any_grid() {
    let land = Landscape::shared();
    for (epsg, resolution) in [(4326, 0.0013), (3035, 100.0), (32631, 90.0)] {
        let wanted = on(request(border(), &["RED", "NIR"]), epsg, resolution);
        let (cube, summary) = gather(land.root(), &wanted);
        let grid = cube.grid.unwrap().0;
        assert!(summary.problems.is_empty() && summary.covered == summary.wanted);
        assert_eq!(summary.tiles.len(), 2, "{epsg}: both tiles give pixels");
        for (r, c) in [(0, 0), (grid.height - 1, 3), (7, grid.width - 1)] {
            let at = grid.centre(r, c);
            let proj = lon_lat_by_proj(epsg, at.east, at.north);
            let ours = cube.positions[r * grid.width + c];
            assert!((proj.0 - ours.0).abs() < 1e-8 && (proj.1 - ours.1).abs() < 1e-8);
        }
        for (variable, band) in [(0, 1), (1, 2)] {
            let (worst, mean, n) = errors(&cube, variable, band);
            assert!(n > 50_000, "{n}");
            assert!(worst <= landscape::BILINEAR_BOUND, "{epsg}: {worst}");
            assert!(mean.abs() < 1.0, "{epsg}: {mean}");
        }
        // the nearest pixel lies half a diagonal away at most, and as often on one side as on the other
        let (cube, _) = gather(
            land.root(),
            &Request {
                resample: Resample::Nearest,
                ..wanted
            },
        );
        let (worst, mean, _) = errors(&cube, 0, 1);
        assert!(worst <= landscape::NEAREST_BOUND, "{epsg}: {worst}");
        assert!(
            worst > landscape::BILINEAR_BOUND && mean.abs() < 2.0,
            "{mean}"
        );
    }
}

#[test]
fn where_tiles_overlap_the_nearest_centre_gives_the_value() {
    let land = Landscape::shared();
    let (cube, _) = gather(land.root(), &on(request(border(), &["N100"]), 4326, 0.01));
    let centre = |epsg: u32, ulx: f64, uly: f64, lon: f64, lat: f64| {
        let way = proj::Proj::new_known_crs("EPSG:4326", &format!("EPSG:{epsg}"), None).unwrap();
        let (e, n) = way.convert((lon, lat)).unwrap();
        (e - ulx - 54_900.0).hypot(n - uly + 54_900.0)
    };
    let mut seen = std::collections::BTreeSet::new();
    for (k, (lon, lat)) in cube.positions.iter().enumerate() {
        let nearest = land
            .tiles
            .iter()
            .min_by(|a, b| {
                let d = |t: &probav_ard::Tile| centre(t.epsg, t.ulx, t.uly, *lon, *lat);
                d(a).total_cmp(&d(b))
            })
            .unwrap();
        assert_eq!(cube.tiles[k], Some(nearest.id));
        seen.insert(nearest.id);
        // N100 is the tile's own number here
        let cols = cube.values[0].dim().2;
        let own = land.tiles.iter().position(|t| t.id == nearest.id).unwrap();
        assert_eq!(cube.values[0][(0, k / cols, k % cols)], own as i32 + 1);
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn on_its_own_grid_a_tile_gives_its_stored_values() {
    let land = Landscape::shared();
    let inside = Area::Bbox([5.95, 50.2, 6.0, 50.22], Crs::LON_LAT);
    let plan = plan(land.root(), &request(inside, &["NIR", "PROVENANCE"])).unwrap();
    let home = plan.home().unwrap();
    assert_eq!(
        (home, plan.tiles()),
        (land.tiles[0].id, vec![land.tiles[0].id])
    );
    let (cube, _) = plan.gather(&LIMITS).unwrap();
    let grid = cube.grid.unwrap().0;
    let stack = StackReader::open(land.root(), home).unwrap();
    let at = stack.grid().locate(grid.centre(0, 0));
    assert_eq!((at.row.fract(), at.col.fract()), (0.0, 0.0));
    let (r, c) = (at.row as usize, at.col as usize);
    let rows = r..r + grid.height;
    let cols = c..c + grid.width;
    let nir = stack
        .read::<i16>("NIR", STEPS, rows.clone(), cols.clone())
        .unwrap();
    assert_eq!(nir.mapv(i32::from), cube.values[0]);
    let provenance = stack.read::<u8>("PROVENANCE", STEPS, rows, cols).unwrap();
    assert_eq!(provenance.mapv(i32::from), cube.values[1]);
    // the box in degrees lies in the grid around it
    let (w, n) = cube.positions[0];
    assert!(w < 5.9525 && n > 50.2175, "{w} {n}");

    // an area over both tiles takes the grid of the one that holds more of it, whose values come first
    let wide = Area::Bbox([5.95, 50.25, 7.5, 50.3], Crs::LON_LAT);
    let (cube, summary) = gather(land.root(), &request(wide, &["RED"]));
    assert_eq!(cube.grid.unwrap().0.epsg, 32631);
    assert_eq!(summary.tiles.len(), 2);
    let (worst, _, _) = errors(&cube, 0, 1);
    assert!(worst <= landscape::BILINEAR_BOUND, "{worst}");
    let pixel = cube.positions.iter().position(|p| p.0 > 7.0).unwrap();
    assert_eq!(cube.tiles[pixel], Some(land.tiles[0].id));
}

#[test]
fn points_are_series_and_a_point_outside_has_none() {
    let land = Landscape::shared();
    let points = vec![(5.9, 50.3), (120.0, 10.0), (7.5, 50.4)];
    let (cube, summary) = gather(
        land.root(),
        &request(Area::Points(points), &["BLUE", "NDVI", "NIR", "RED"]),
    );
    assert_eq!((summary.wanted, summary.covered), (3, 2));
    assert_eq!(cube.tiles[1], None);
    let (worst, _, n) = errors(&cube, 0, 0);
    assert_eq!(n, 2 * STEPS.len());
    assert!(worst <= landscape::BILINEAR_BOUND, "{worst}");
    for t in 0..STEPS.len() {
        let at = |v: usize| f64::from(cube.values[v][(t, 0, 2)]);
        let index = (at(2) - at(3)) / (at(2) + at(3)) * 10_000.0;
        assert!((at(1) - index).abs() <= 0.51);
    }
    let table = probav_ard::cube::csv(&cube);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2 * STEPS.len(), "none for the point outside");
    let value: f64 = rows[0][4].parse().unwrap();
    assert!((value - truth(5.9, 50.3, STEPS.start, 0) * 1e-4).abs() < 0.0025);
    assert_eq!(&rows[0][3], "2014-12-19T12:00:00Z");

    for outside in [(120.0, 10.0), (5.9, 51.8), (3.0, 50.3)] {
        let alone = plan(land.root(), &request(Area::Points(vec![outside]), &[]));
        let error = alone.and_then(|p| p.gather(&LIMITS).map(drop)).unwrap_err();
        assert!(matches!(error, CubeError::NoData(_)), "{error}");
        assert_eq!(error.class(), Class::Data);
    }
}

#[test]
fn polygons_leave_out_what_lies_outside_and_masks_what_was_not_observed() {
    let land = Landscape::shared();
    let ring = |w: f64, s: f64, e: f64, n: f64| vec![(w, s), (e, s), (e, n), (w, n), (w, s)];
    let hole = ring(6.72, 50.32, 6.78, 50.36);
    let polygon = Polygon {
        rings: vec![ring(6.65, 50.3, 6.85, 50.4), hole],
    };
    let mut wanted = on(
        request(Area::Polygons(vec![polygon]), &["RED", "PROVENANCE"]),
        3035,
        150.0,
    );
    wanted.mask = Some(MaskRule::Observed);
    let (cube, summary) = gather(land.root(), &wanted);
    let cols = cube.values[0].dim().2;
    let (mut inside, mut outside) = (0, 0);
    for (k, (lon, lat)) in cube.positions.iter().enumerate() {
        let within = |w: f64, s: f64, e: f64, n: f64| *lon > w && *lon < e && *lat > s && *lat < n;
        let wanted = within(6.65, 50.3, 6.85, 50.4) && !within(6.72, 50.32, 6.78, 50.36);
        assert_eq!(cube.tiles[k].is_some(), wanted, "{lon} {lat}");
        let red = cube.values[0][(0, k / cols, k % cols)];
        match wanted {
            false => {
                outside += 1;
                assert_eq!(red, -32768);
            }
            true => {
                inside += 1;
                // the nearest pixel decides
                let provenance = cube.values[1][(0, k / cols, k % cols)];
                assert_eq!(red == -32768, provenance != 1 && provenance != 2);
            }
        }
    }
    assert!(inside > 1000 && outside > 1000, "{inside} {outside}");
    assert_eq!(summary.wanted as usize, inside);
    assert!(summary.present > 0 && summary.present < summary.values);
}

#[test]
fn every_format_holds_the_same_values() {
    let land = Landscape::shared();
    let folder = tempfile::tempdir().unwrap();
    let wanted = on(
        request(border(), &["SWIR", "SWIR_UNC", "DAYS"]),
        3035,
        100.0,
    );
    let plan = plan(land.root(), &wanted).unwrap();
    let (cube, _) = plan.gather(&LIMITS).unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, format) in [
        ("a.nc", Format::NetCdf),
        ("a.tif", Format::GeoTiff),
        ("a.zarr", Format::Zarr),
    ] {
        plan.write(&path(name), format, &LIMITS).unwrap();
    }
    let file = netcdf::open(path("a.nc")).unwrap();
    let store = zarrs::filesystem::FilesystemStore::new(path("a.zarr")).unwrap();
    let store = std::sync::Arc::new(store);
    macro_rules! check {
        ($variable:literal, $k:literal, $kind:ty) => {
            let nc: Vec<$kind> = file.variable($variable).unwrap().get_values(..).unwrap();
            let array = zarrs::array::Array::open(store.clone(), concat!("/", $variable)).unwrap();
            let zarr: ndarray::ArrayD<$kind> =
                array.retrieve_array_subset(&array.subset_all()).unwrap();
            let tif = read_bands::<$kind>(&path(concat!("a_", $variable, ".tif")));
            for (i, v) in cube.values[$k].iter().enumerate() {
                assert_eq!(i32::from(nc[i]), *v);
                assert_eq!(i32::from(tif[i]), *v);
            }
            assert!(
                zarr.iter()
                    .zip(&cube.values[$k])
                    .all(|(a, b)| i32::from(*a) == *b)
            );
        };
    }
    check!("SWIR", 0, i16);
    check!("SWIR_UNC", 1, u16);
    check!("DAYS", 2, u8);
    let swir = file.variable("SWIR").unwrap();
    let scale = swir.attribute("scale_factor").unwrap();
    assert_eq!(scale.value().unwrap(), netcdf::AttributeValue::Float(1e-4));
    let times: Vec<f64> = file.variable("time").unwrap().get_values(..).unwrap();
    assert_eq!(times, [352.5, 357.5]);
    // the same request gives the same bytes
    let first = std::fs::read(path("a.zarr/SWIR/c/0/0/0")).unwrap();
    plan.write(&path("a.zarr"), Format::Zarr, &LIMITS).unwrap();
    assert_eq!(std::fs::read(path("a.zarr/SWIR/c/0/0/0")).unwrap(), first);
    let mut left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [
            "a.nc",
            "a.zarr",
            "a_DAYS.tif",
            "a_SWIR.tif",
            "a_SWIR_UNC.tif"
        ]
    );
}

/// All bands of a GeoTIFF on any grid.
fn read_bands<T: gdal::raster::GdalType + Copy>(path: &Path) -> Vec<T> {
    let data = gdal::Dataset::open(path).unwrap();
    assert_eq!(data.spatial_ref().unwrap().auth_code().unwrap(), 3035);
    let size = data.raster_size();
    let bands = 1..=data.raster_count();
    bands
        .flat_map(|k| {
            let band = data.rasterband(k).unwrap();
            let all = band.read_as::<T>((0, 0), size, size, None).unwrap();
            all.into_shape_and_vec().1
        })
        .collect()
}

#[test]
fn a_cube_crosses_the_antimeridian() {
    let land = Landscape::antimeridian();
    let area = Area::Bbox([179.45, -16.6, -179.85, -16.3], Crs::LON_LAT);
    for (epsg, resolution) in [(4326, 0.004), (32701, 400.0)] {
        let wanted = on(request(area.clone(), &["RED"]), epsg, resolution);
        let (cube, summary) = gather(land.root(), &wanted);
        let grid = cube.grid.unwrap().0;
        assert!(grid.width < 250 && grid.height < 120, "{grid:?}");
        let from = |zone: &str| summary.tiles.iter().any(|t| t.0.as_str().starts_with(zone));
        assert!(from("01") && from("60"), "{:?}", summary.tiles);
        let (worst, _, n) = errors(&cube, 0, 1);
        assert!(
            worst <= landscape::BILINEAR_BOUND && n > 5000,
            "{worst} {n}"
        );
    }
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let land = Landscape::shared();
    let refused = |request: &Request| {
        let done = plan(land.root(), request).and_then(|p| p.gather(&LIMITS).map(drop));
        done.unwrap_err()
    };
    let error = refused(&request(border(), &["RED", "GREEN"]));
    assert_eq!(error.class(), Class::Usage);
    let words = error.to_string();
    assert!(words.contains("GREEN") && words.contains("BLUE_UNC") && words.contains("NDVI"));
    let mut late = request(border(), &[]);
    late.from = chrono::NaiveDate::from_ymd_opt(2019, 1, 1);
    let error = refused(&late);
    assert!(matches!(error, CubeError::NoData(_)));
    assert!(error.to_string().contains("2014-12-17"), "{error}");
    let mut masked = request(border(), &[]);
    masked.mask = Some(MaskRule::Usable);
    assert_eq!(refused(&masked).class(), Class::Usage);
    // degrees need a resolution, and a whole hemisphere is no UTM cube
    let mut degrees = on(request(border(), &[]), 4326, 1.0);
    degrees.grid.resolution = None;
    assert_eq!(refused(&degrees).class(), Class::Usage);
    let wide = Area::Bbox([-30.0, 50.0, 40.0, 51.0], Crs::LON_LAT);
    assert!(refused(&request(wide, &[])).to_string().contains("--grid"));
    let large = on(request(border(), &[]), 3035, 1.0);
    assert!(matches!(refused(&large), CubeError::TooLarge { .. }));
}

#[test]
fn a_part_that_cannot_be_read_is_named_and_the_rest_is_there() {
    let land = Landscape::own();
    let id = land.tiles[1].id;
    let zarr = probav_ard::product::layout::stack_zarr(land.root(), id);
    for entry in std::fs::read_dir(zarr.join("RED/c/0")).unwrap() {
        let shard = entry.unwrap().path().join("0");
        std::fs::write(&shard, b"not a shard at all").unwrap();
    }
    let (cube, summary) = gather(
        land.root(),
        &on(request(border(), &["RED", "NIR"]), 4326, 0.005),
    );
    assert!(
        summary
            .problems
            .iter()
            .any(|p| p.contains(id.as_str()) && p.contains("RED"))
    );
    for (k, tile) in cube.tiles.iter().enumerate() {
        let cols = cube.values[0].dim().2;
        let at = (0, k / cols, k % cols);
        assert_eq!(cube.values[0][at] == -32768, *tile == Some(id));
        assert!(cube.values[1][at] != -32768);
    }
    // a group that does not open is as if it were not there
    std::fs::write(zarr.join("zarr.json"), b"{").unwrap();
    let (cube, summary) = gather(land.root(), &on(request(border(), &["RED"]), 4326, 0.005));
    assert_eq!(summary.problems.len(), 1);
    assert!(cube.tiles.iter().all(|t| *t == Some(land.tiles[0].id)));
    let (worst, _, _) = errors(&cube, 0, 1);
    assert!(worst <= landscape::BILINEAR_BOUND, "{worst}");
}

#[test]
fn the_verb_tells_what_it_did_and_how_it_ended() {
    let land = Landscape::shared();
    let folder = tempfile::tempdir().unwrap();
    let cube = |args: &[&str]| {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("probav-ard");
        command
            .current_dir(folder.path())
            .arg("cube")
            .arg(land.root());
        command.args(args).assert()
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let done = cube(&["--point", "5.9,50.3", "-o", "p.csv"]).success();
    assert!(text(&done.get_output().stdout).contains("p.csv"));
    assert!(folder.path().join("p.csv").is_file());
    let done = cube(&["--point", "100,10", "-o", "q.csv"]).code(1);
    assert!(text(&done.get_output().stderr).contains("nothing of stack"));
    assert!(!folder.path().join("q.csv").exists());
    cube(&["--point", "5.9,50.3", "--variables", "GREEN", "-o", "q.csv"]).code(2);
    cube(&["--point", "5.9", "-o", "q.csv"]).code(2);
    cube(&["--point", "5.9,50.3", "-o", "q.xyz"]).code(2);
    cube(&["--point", "5.9,50.3", "-o", "q.nc"]).code(2);
    cube(&["-o", "q.nc"]).code(2);
    std::fs::write(folder.path().join("bad.geojson"), b"{\"type\":\"Point\"}").unwrap();
    let done = cube(&["--polygon", "bad.geojson", "-o", "q.nc"]).code(2);
    assert!(text(&done.get_output().stderr).contains("bad.geojson"));
    let ring = "[[5.9,50.3],[6.1,50.3],[6.1,50.4],[5.9,50.4],[5.9,50.3]]";
    let polygon = format!("{{\"type\":\"Polygon\",\"coordinates\":[{ring}]}}");
    std::fs::write(folder.path().join("good.geojson"), polygon).unwrap();
    let done = cube(&[
        "--polygon",
        "good.geojson",
        "--variables",
        "nir",
        "-o",
        "q.tif",
    ])
    .success();
    assert!(text(&done.get_output().stdout).contains("from tile"));
    let tif = read_layers::<i16>(&folder.path().join("q.tif")).unwrap();
    assert_eq!(tif.names, ["2014-12-17", "2014-12-22"]);
    // more of the area than the tiles hold is said
    let far = cube(&[
        "--bbox",
        "5.9,50.3,7.9,50.31",
        "--variables",
        "RED",
        "-o",
        "q.nc",
    ])
    .success();
    assert!(text(&far.get_output().stderr).contains("no tile on disk"));
}
