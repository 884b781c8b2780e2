//! A raster leads nowhere that the user does not trust.

use super::*;
use std::os::unix::fs::symlink;

fn good(path: &Path, value: f32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let corner = (639_000.0, 5_559_000.0);
    write(path, 32631, corner, (100.0, -100.0), (120, 100), |_, _| {
        value
    });
}

const WHOLE: &str = r#"<SrcRect xOff="0" yOff="0" xSize="120" ySize="100"/><DstRect xOff="0" yOff="0" xSize="120" ySize="100"/>"#;

/// A VRT of 120 × 100 cells with this inside its band.
fn vrt(path: &Path, inside: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = format!(
        r#"<VRTDataset rasterXSize="120" rasterYSize="100"><SRS>EPSG:32631</SRS>
<GeoTransform>639000, 100, 0, 5559000, 0, -100</GeoTransform>
<VRTRasterBand dataType="Float32" band="1">{inside}</VRTRasterBand></VRTDataset>"#
    );
    std::fs::write(path, text).unwrap();
}

fn simple(source: &str) -> String {
    format!(
        r#"<SimpleSource><SourceFilename relativeToVRT="1">{source}</SourceFilename><SourceBand>1</SourceBand>{WHOLE}</SimpleSource>"#
    )
}

fn sample(paths: &[PathBuf], trust: &Trust) -> Result<Array2<f32>, GeoRasterError> {
    let g = grid(32631, 640_000.0, 5_558_000.0);
    GeoRaster::open(paths, Purpose::Heights, trust)?.sample(&g, ANY)
}

/// Opens a VRT alone, trusted for its own folder.
fn alone(path: &Path) -> Result<Array2<f32>, GeoRasterError> {
    let paths = [path.to_path_buf()];
    sample(&paths, &Trust::of(&paths))
}

#[test]
fn sources_below_the_folders_named_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("a/tiles/x.tif"), 7.0);
    good(&at("b/y & z.tif"), 8.0);
    vrt(&at("a/one.vrt"), &simple("tiles/x.tif"));
    vrt(&at("a/nested.vrt"), &simple("one.vrt"));
    vrt(&at("a/other.vrt"), &simple("../b/y &amp; z.tif"));
    let absolute = at("a/tiles/x.tif").display().to_string();
    vrt(&at("a/absolute.vrt"), &simple(&absolute));
    let all_are = |found: Array2<f32>, value: f32| found.iter().all(|v| *v == value);
    for name in ["a/one.vrt", "a/nested.vrt", "a/absolute.vrt"] {
        assert!(all_are(alone(&at(name)).unwrap(), 7.0), "{name}");
    }
    // a link to a mosaic is the mosaic, as it is for GDAL
    std::fs::create_dir(at("links")).unwrap();
    symlink(at("a/one.vrt"), at("links/dem.vrt")).unwrap();
    assert!(all_are(alone(&at("links/dem.vrt")).unwrap(), 7.0));
    // another folder must be named, or anything allowed
    let other = [at("a/other.vrt")];
    let error = sample(&other, &Trust::of(&other)).unwrap_err();
    assert!(matches!(error, GeoRasterError::Outside { .. }), "{error}");
    let both = Trust::of(&other).and(&[at("b")]);
    assert!(all_are(sample(&other, &both).unwrap(), 8.0));
    assert!(all_are(sample(&other, &Trust::Anywhere).unwrap(), 8.0));
}

#[test]
fn whatever_leads_elsewhere_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("out/secret.tif"), 7.0);
    good(&at("in/good.tif"), 8.0);
    vrt(&at("out/secret.vrt"), &simple("secret.tif"));
    symlink(at("out/secret.tif"), at("in/link.tif")).unwrap();
    symlink(at("out"), at("in/folder")).unwrap();
    std::fs::copy(at("out/secret.vrt"), at("in/disguised.tif")).unwrap();
    let secret = at("out/secret.tif").display().to_string();
    vrt(&at("in/inner.vrt"), &simple(&secret));
    let raw = format!(
        r#"<SourceFilename relativeToVRT="0">{secret}</SourceFilename><ImageOffset>0</ImageOffset>"#
    );
    let inline = "&lt;VRTDataset rasterXSize='1' rasterYSize='1'/&gt;";
    let cases = [
        ("absolute", simple(&secret), "secret.tif"),
        ("dots", simple("../out/secret.tif"), "secret.tif"),
        ("link", simple("link.tif"), "link.tif"),
        ("folder", simple("folder/secret.tif"), "secret.tif"),
        ("entity", simple("..&#x2F;out&#47;secret.tif"), "secret.tif"),
        ("upper", simple("../out/secret.tif").replace("SourceFilename", "SOURCEFILENAME"), "secret.tif"),
        (
            "attribute",
            format!(r#"<SimpleSource SourceFilename="{secret}">{WHOLE}</SimpleSource>"#),
            "secret.tif",
        ),
        (
            "quotes",
            simple("good.tif").replace(
                r#"<SourceFilename relativeToVRT="1">good.tif"#,
                &format!(r#"<SourceFilename a="b>c" relativeToVRT="1">{secret}"#),
            ),
            "secret.tif",
        ),
        ("complex", simple(&secret).replace("SimpleSource", "ComplexSource"), "secret.tif"),
        ("raw", raw, "secret.tif"),
        ("nested", simple("inner.vrt"), "secret.tif"),
        (
            "overview",
            format!("{}<Overview><SourceFilename>{secret}</SourceFilename></Overview>", simple("good.tif")),
            "secret.tif",
        ),
        ("web", simple("/vsicurl/http://127.0.0.1:9/a.tif"), "/vsicurl/"),
        ("bucket", simple("/vsis3/bucket/a.tif"), "/vsis3/"),
        ("zip", simple("/vsizip/good.zip/a.tif"), "/vsizip/"),
        ("address", simple("http://127.0.0.1:9/a.tif"), "http:"),
        ("virtual", simple(&format!("vrt://{secret}?bands=1")), "vrt:"),
        ("subdataset", simple(&format!("HDF5:&quot;{secret}&quot;://a")), "HDF5:"),
        ("part", simple(&format!("GTIFF_DIR:1:{secret}")), "GTIFF_DIR"),
        ("inline", simple(inline), "VRTDataset"),
        ("service", simple("&lt;GDAL_WMS&gt;&lt;/GDAL_WMS&gt;"), "GDAL_WMS"),
        ("device", simple("/dev/zero"), "/dev/zero"),
        ("disguise", simple("disguised.tif"), "disguised.tif"),
        (
            "program",
            "<PixelFunctionLanguage>Python</PixelFunctionLanguage><PixelFunctionCode>import os</PixelFunctionCode>".to_string(),
            "PixelFunctionCode",
        ),
        (
            "root",
            simple("inner.vrt").replace("<SourceBand>", r#"<OpenOptions><OOI key="ROOT_PATH">/</OOI></OpenOptions><SourceBand>"#),
            "root_path",
        ),
        ("cdata", simple("<![CDATA[/etc/passwd]]>"), "CDATA"),
    ];
    for (name, inside, offender) in cases {
        let path = at(&format!("in/{name}.vrt"));
        vrt(&path, &inside);
        let error = alone(&path).expect_err(name);
        let known = matches!(
            error,
            GeoRasterError::Outside { .. } | GeoRasterError::Refused { .. }
        );
        assert!(known, "{name}: {error}");
        let words = error.to_string();
        assert!(words.contains(offender), "{name}: {words}");
        assert_eq!(words.lines().count(), 1);
        // in a folder it is set aside, and what is good is used
        let folder = [at("in")];
        let raster = GeoRaster::open(&folder, Purpose::Heights, &Trust::of(&folder)).unwrap();
        assert!(
            raster.notes().iter().any(|n| n.contains(offender)),
            "{name}"
        );
        std::fs::remove_file(path).unwrap();
    }
    // a warped VRT names its source in another way
    let warped = format!(
        r#"<VRTDataset rasterXSize="120" rasterYSize="100" subClass="VRTWarpedDataset"><GDALWarpOptions><SourceDataset relativeToVRT="0">{secret}</SourceDataset></GDALWarpOptions></VRTDataset>"#
    );
    std::fs::write(at("in/warped.vrt"), warped).unwrap();
    let error = alone(&at("in/warped.vrt")).unwrap_err();
    assert!(matches!(error, GeoRasterError::Outside { .. }), "{error}");
}

#[test]
fn a_vrt_or_service_under_another_ending_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("secret.tif"), 7.0);
    vrt(&at("a.vrt"), &simple("secret.tif"));
    let text = std::fs::read(at("a.vrt")).unwrap();
    let service = b"<GDAL_WMS><Service name=\"TMS\"><ServerUrl>http://127.0.0.1:9/</ServerUrl></Service></GDAL_WMS>";
    let mut marked = b"\xEF\xBB\xBF\n ".to_vec();
    marked.extend(&text);
    let mut hidden = b"II*\0".to_vec();
    hidden.extend(&text);
    for (name, bytes) in [
        ("dem.tif", &text[..]),
        ("dem.img", &text),
        ("dem.hgt", &text),
        ("dem.nc", &text),
        ("dem", &text),
        ("wms.tif", service),
        ("wms.xml", service),
        ("mark.tif", &marked),
        ("hidden.tif", &hidden),
        ("json.tif", b"{\"type\": \"group\"}"),
    ] {
        std::fs::write(at(name), bytes).unwrap();
        let error = alone(&at(name)).unwrap_err();
        assert!(
            matches!(error, GeoRasterError::Refused { .. }),
            "{name}: {error}"
        );
    }
    // what is written in another format than the ending says is not opened with that format's driver
    let driver = DriverManager::get_driver_by_name("HFA").unwrap();
    drop(
        driver
            .create_with_band_type::<f32, _>(at("erdas.tif"), 4, 4, 1)
            .unwrap(),
    );
    assert!(matches!(
        alone(&at("erdas.tif")),
        Err(GeoRasterError::Open { .. })
    ));
    for address in [
        "http://127.0.0.1:9/a.tif",
        "vrt:///etc/passwd",
        "WMS:http://127.0.0.1:9",
    ] {
        assert!(alone(Path::new(address)).is_err(), "{address}");
    }
}

#[test]
fn files_beside_a_raster_lead_nowhere_either() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("a.tif"), 7.0);
    good(&at("secret.tif"), 9.0);
    vrt(&at("m.vrt"), &simple("a.tif"));
    vrt(&at("secret.vrt"), &simple("secret.tif"));
    let link = std::fs::read(at("secret.vrt")).unwrap();
    let aux = br#"<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">secret.tif</MDI></Metadata></PAMDataset>"#;
    for (name, bytes) in [
        ("a.tif.ovr", &link[..]),
        ("a.tif.msk", &link),
        ("a.tif.OVR", &link),
        ("a.aux", &link),
        ("a.tif.aux.xml", aux),
    ] {
        std::fs::write(at(name), bytes).unwrap();
        for raster in ["a.tif", "m.vrt"] {
            let error = alone(&at(raster)).unwrap_err();
            let named = matches!(&error, GeoRasterError::Refused { path, .. } if *path == at(name));
            assert!(named, "{name} by {raster}: {error}");
        }
        std::fs::remove_file(at(name)).unwrap();
    }
    // within the file itself
    use gdal::Metadata;
    let update = gdal::DatasetOptions {
        open_flags: gdal::GdalOpenFlags::GDAL_OF_UPDATE,
        ..Default::default()
    };
    let mut data = gdal::Dataset::open_ex(at("a.tif"), update).unwrap();
    data.set_metadata_item(
        "OVERVIEW_FILE",
        at("secret.tif").to_str().unwrap(),
        "OVERVIEWS",
    )
    .unwrap();
    drop(data);
    for name in ["a.tif", "m.vrt"] {
        let error = alone(&at(name)).unwrap_err();
        assert!(
            matches!(&error, GeoRasterError::Refused { path, .. } if path.ends_with("a.tif")),
            "{error}"
        );
    }
    // sound overviews and statistics are what they were
    good(&at("b.tif"), 7.0);
    let mut data = gdal::Dataset::open(at("b.tif")).unwrap();
    data.build_overviews("AVERAGE", &[2, 4], &[]).unwrap();
    data.rasterband(1)
        .unwrap()
        .get_statistics(true, false)
        .unwrap();
    drop(data);
    assert!(at("b.tif.ovr").exists());
    assert!(alone(&at("b.tif")).unwrap().iter().all(|v| *v == 7.0));
}

#[test]
fn circles_and_missing_sources_end() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    vrt(&at("a.vrt"), &simple("b.vrt"));
    vrt(&at("b.vrt"), &simple("a.vrt"));
    vrt(&at("self.vrt"), &simple("self.vrt"));
    vrt(&at("gone.vrt"), &simple("gone.tif"));
    for name in ["a.vrt", "self.vrt", "gone.vrt"] {
        // nothing of it can be read, and nobody waits or falls over
        let found = alone(&at(name));
        assert!(found.is_err() || found.unwrap().iter().all(|v| v.is_nan() || *v == 0.0));
    }
}
