//! What a raster covers, and the files that it is made of.

use super::*;

fn bounds(ring: &Ring) -> (f64, f64, f64, f64) {
    ring.iter().fold(
        (
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ),
        |b, p| (b.0.min(p.0), b.1.min(p.1), b.2.max(p.0), b.3.max(p.1)),
    )
}

fn near(a: (f64, f64, f64, f64), b: (f64, f64, f64, f64), limit: f64) -> bool {
    let off = [a.0 - b.0, a.1 - b.1, a.2 - b.2, a.3 - b.3];
    off.iter().all(|v| v.abs() < limit)
}

#[test]
fn outlines_in_every_projection_hold_the_raster() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    let zero = |_: f64, _: f64| 0.0;
    let outline = |name: &str| describe(&at(name), &Trust::default()).unwrap().outline;
    write(
        &at("ll.tif"),
        4326,
        (4.0, 51.0),
        (0.01, -0.01),
        (100, 50),
        zero,
    );
    assert!(near(
        bounds(&outline("ll.tif")),
        (4.0, 50.5, 5.0, 51.0),
        1e-9
    ));
    write(
        &at("turned.tif"),
        4326,
        (179.5, 51.0),
        (0.01, -0.01),
        (100, 50),
        zero,
    );
    assert!(near(
        bounds(&outline("turned.tif")),
        (179.5, 50.5, 180.5, 51.0),
        1e-9
    ));
    // UTM: the corners of a tile of zone 1 lie on both sides of 180°
    write(
        &at("utm.tif"),
        32601,
        (240_000.0, 7_200_000.0),
        (1000.0, -1000.0),
        (100, 100),
        zero,
    );
    let ring = outline("utm.tif");
    let utm = crate::types::grid::utm::Utm::new(32601);
    let corner = utm.inverse_continuous(EastNorth::new(240_000.0, 7_200_000.0));
    let turns = ((ring[0].0 - corner.lon) / 360.0).round();
    assert!(
        (ring[0].0 - 360.0 * turns - corner.lon).abs() < 1e-6
            && (ring[0].1 - corner.lat).abs() < 1e-6
    );
    assert!(ring.windows(2).all(|w| (w[1].0 - w[0].0).abs() < 1.0));
    // the side between two corners bulges: the ring follows it
    write(
        &at("wide.tif"),
        3035,
        (2_500_000.0, 4_500_000.0),
        (10_000.0, -10_000.0),
        (400, 100),
        zero,
    );
    let (_, _, _, north) = bounds(&outline("wide.tif"));
    let ends = outline("wide.tif");
    assert!(north > ends[0].1 + 0.5);
    // around a pole the ring is closed along it
    for (epsg, pole) in [(3413, 90.0), (3031, -90.0)] {
        write(
            &at("pole.tif"),
            epsg,
            (-1e6, 1e6),
            (10_000.0, -10_000.0),
            (200, 200),
            zero,
        );
        let (west, south, east, north) = bounds(&outline("pole.tif"));
        assert!((east - west - 360.0).abs() < 1.0, "{west} {east}");
        assert!(south == pole || north == pole);
        let other = if pole > 0.0 { south } else { north };
        assert!((75.0..82.0).contains(&other.abs()), "{other}");
    }
}

#[test]
fn files_beside_and_behind_are_listed_with_their_places() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    for (k, name) in ["w.tif", "e.tif"].iter().enumerate() {
        let corner = (4.0 + k as f64, 51.0);
        write(
            &at(name),
            4326,
            corner,
            (0.01, -0.01),
            (100, 100),
            |_, _| 0.0,
        );
    }
    std::fs::write(at("e.tif.aux.xml"), "<PAMDataset/>").unwrap();
    let part = |name: &str, x: usize| {
        format!(
            r#"<SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>1</SourceBand><SrcRect xOff="0" yOff="0" xSize="100" ySize="100"/><DstRect xOff="{x}" yOff="0" xSize="100" ySize="100"/></SimpleSource>"#
        )
    };
    let text = |inside: &str| {
        format!(
            r#"<VRTDataset rasterXSize="200" rasterYSize="100"><SRS>EPSG:4326</SRS><GeoTransform>4, 0.01, 0, 51, 0, -0.01</GeoTransform><VRTRasterBand dataType="Float32" band="1">{inside}</VRTRasterBand></VRTDataset>"#
        )
    };
    std::fs::write(at("m.vrt"), text(&(part("w.tif", 0) + &part("e.tif", 100)))).unwrap();
    let whole = part("m.vrt", 0).replace(r#"xSize="100""#, r#"xSize="200""#);
    std::fs::write(at("outer.vrt"), text(&whole)).unwrap();
    let found = describe(&at("m.vrt"), &Trust::default()).unwrap();
    // of the VRT itself what it says counts, not its bytes
    assert!(found.files.is_empty());
    std::fs::write(
        at("grown.vrt"),
        text(&(part("w.tif", 0) + &part("e.tif", 100) + &part("w.tif", 5000)))
            .replace(r#"rasterXSize="200""#, r#"rasterXSize="5100""#),
    )
    .unwrap();
    let grown = describe(&at("grown.vrt"), &Trust::default()).unwrap();
    assert!(found.settings.is_some() && grown.settings == found.settings);
    std::fs::write(
        at("other.vrt"),
        text(&format!("<NoDataValue>0</NoDataValue>{}", part("w.tif", 0))),
    )
    .unwrap();
    let other = describe(&at("other.vrt"), &Trust::default()).unwrap();
    assert_ne!(other.settings, found.settings);
    let names: Vec<PathBuf> = found.parts.iter().map(|p| p.file.clone()).collect();
    // as GDAL finds them: with links resolved
    let real = dir.path().canonicalize().unwrap();
    assert_eq!(
        names,
        ["e.tif", "e.tif.aux.xml", "w.tif"].map(|n| real.join(n))
    );
    assert!(near(
        bounds(&found.parts[0].outline),
        (5.0, 50.0, 6.0, 51.0),
        1e-9
    ));
    assert!(near(
        bounds(&found.parts[2].outline),
        (4.0, 50.0, 5.0, 51.0),
        1e-9
    ));
    assert!(near(bounds(&found.outline), (4.0, 50.0, 6.0, 51.0), 1e-9));
    let outer = describe(&at("outer.vrt"), &Trust::default()).unwrap();
    let inner: Vec<&PathBuf> = outer.parts.iter().map(|p| &p.file).collect();
    assert!(inner.contains(&&real.join("m.vrt")) && inner.contains(&&real.join("w.tif")));
    // raw files have their header beside them
    let driver = DriverManager::get_driver_by_name("EHdr").unwrap();
    let tif = gdal::Dataset::open(at("w.tif")).unwrap();
    drop(
        tif.create_copy(&driver, at("raw.bil"), &Default::default())
            .unwrap(),
    );
    let raw = describe(&at("raw.bil"), &Trust::default()).unwrap();
    for name in ["raw.bil", "raw.hdr", "raw.prj"] {
        assert!(raw.files.contains(&at(name)), "{name}");
    }
    std::fs::write(at("bad.tif"), "").unwrap();
    assert!(describe(&at("bad.tif"), &Trust::default()).is_err());
}
