use super::*;
use proptest::prelude::*;

#[test]
fn every_camera_and_type_loads() {
    for camera in Camera::ALL {
        for aerosol in Aerosol::ALL {
            let table = load(camera, aerosol).unwrap();
            assert_eq!((table.camera(), table.aerosol()), (camera, aerosol.name()));
            assert!(table.max_aod() >= 1.2);
            assert_eq!(aerosol.name().parse::<Aerosol>(), Ok(aerosol));
        }
    }
    assert!("volcanic".parse::<Aerosol>().is_err());
}

#[test]
fn damage_is_a_typed_error() {
    let (name, good) = continental_of(Camera::Center);
    assert!(matches!(
        Container::read(name, b"").err(),
        Some(TablesError::Damaged { .. })
    ));
    for at in [12, 20, 500, good.len() - 1] {
        let mut bad = good.to_vec();
        bad[at] ^= 0x10;
        assert!(matches!(
            Container::read(name, &bad).err(),
            Some(TablesError::Checksum { .. })
        ));
    }
    for cut in [4, 13, 16, 400, good.len() / 2] {
        assert!(Container::read(name, &good[..cut]).is_err());
    }
    // a gas file where a scattering file is expected
    assert!(
        RtTable::from_bytes(
            Camera::Center,
            gas_of(Camera::Center),
            gas_of(Camera::Center)
        )
        .is_err()
    );
    assert!(RtTable::from_bytes(Camera::Center, (name, good), (name, good)).is_err());
}

/// A container with the checksum right and the header as given: what a careless writer could make.
fn container(header: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = (header.len() as u32).to_le_bytes().to_vec();
    body.extend(header.as_bytes());
    let mut packer = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut packed = vec![0; packer.zlib_compress_bound(payload.len())];
    let n = packer.zlib_compress(payload, &mut packed).unwrap();
    body.extend(&packed[..n]);
    let mut out = b"PVARDRT1".to_vec();
    out.extend(libdeflater::crc32(&body).to_le_bytes());
    out.extend(body);
    out
}

#[test]
fn contradictory_headers_are_refused() {
    let arrays =
        r#"[{"name":"t_o3","shape":[4,1,1],"coding":"f32","offset":18446744073709551615}]"#;
    for (header, payload) in [
        ("not json".to_string(), vec![]),
        (r#"{"kind":"gas","camera":2,"axes":{},"payload_bytes":999999999999,"arrays":[]}"#.into(), vec![]),
        (r#"{"kind":"gas","camera":2,"axes":{},"payload_bytes":8,"arrays":[]}"#.into(), vec![0; 4]),
        (r#"{"kind":"gas","camera":2,"axes":{},"payload_bytes":0,"arrays":[]}"#.into(), vec![]),
        (format!(r#"{{"kind":"gas","camera":2,"axes":{{"air_mass":[2],"pressure_hpa":[1000],"h2o_g_cm2":[0],"o3_cm_atm":[0]}},"payload_bytes":0,"arrays":{arrays}}}"#), vec![]),
        (r#"{"kind":"scattering","camera":2,"axes":{"pressure_hpa":[1,1],"aod550":[0]},"payload_bytes":0,"arrays":[]}"#.into(), vec![]),
    ] {
        let bytes = container(&header, &payload);
        let read = Container::read("test", &bytes)
            .and_then(|c| Gas::read(&c).map(|_| ()).and(Scattering::read(&c).map(|_| ())));
        assert!(matches!(read, Err(TablesError::Damaged { .. })), "{header}");
    }
}

#[test]
fn terms_are_physical_and_continuous() {
    for camera in Camera::ALL {
        for aerosol in Aerosol::ALL {
            let table = load(camera, aerosol).unwrap();
            for band in Band::ALL {
                for (sza, vza, raa) in [(0.0, 0.0, 0.0), (35.0, 20.0, 100.0), (70.0, 60.0, 40.0)] {
                    let path = table.path(band, sza, vza, raa);
                    let mut last = path.scatter(1000.0, 0.0);
                    for k in 1..=120 {
                        let now = path.scatter(1000.0, k as f32 * 0.01);
                        assert!(now.t_down < last.t_down && now.t_up < last.t_up);
                        assert!(now.spherical_albedo > 0.0 && now.spherical_albedo < 0.5);
                        assert!((now.path - last.path).abs() < 0.02);
                        last = now;
                    }
                    // a thicker atmosphere scatters more and transmits less
                    let (low, high) = (path.scatter(700.0, 0.0), path.scatter(1013.0, 0.0));
                    assert!(low.path < high.path, "{camera} {aerosol} {band}");
                    assert!(low.t_down > high.t_down);
                    let (dry, wet) = (path.gas(0.5, 0.3, 1000.0), path.gas(4.0, 0.4, 1000.0));
                    assert!(wet.water <= dry.water && wet.ozone <= dry.ozone);
                    assert!(wet.water_half >= wet.water && wet.water_half <= 1.0);
                }
            }
        }
    }
}

#[test]
fn the_field_is_smooth_through_nadir() {
    // stepping across nadir in the principal plane: forward side to backscatter side
    let table = load(Camera::Center, Aerosol::Continental).unwrap();
    let path = |x: f32| {
        let raa = if x < 0.0 { 180.0 } else { 0.0 };
        table
            .path(Band::Blue, 40.0, x.abs(), raa)
            .scatter(1000.0, 0.2)
            .path
    };
    let slope = |x: f32| (path(x + 0.5) - path(x - 0.5)) / 1.0;
    assert!((slope(0.25) - slope(-0.25)).abs() < 5e-5);
    assert!((path(0.0) - path(0.01)).abs() < 1e-5);
    // at nadir the azimuth does not matter
    let at = |raa: f32| {
        table
            .path(Band::Blue, 40.0, 0.0, raa)
            .scatter(1000.0, 0.2)
            .path
    };
    assert!((at(0.0) - at(120.0)).abs() < 2e-5);
}

#[test]
fn types_mix_by_their_shares() {
    for camera in Camera::ALL {
        let mixture = RtTable::mixture(camera).unwrap();
        let at = |shares: Option<[f32; 5]>| {
            mixture
                .mixed_path(Band::Red, 40.0, 30.0, 100.0, shares)
                .scatter(950.0, 0.4)
        };
        let of = |aerosol: Aerosol| {
            load(camera, aerosol)
                .unwrap()
                .path(Band::Red, 40.0, 30.0, 100.0)
                .scatter(950.0, 0.4)
        };
        assert_eq!(at(None), of(Aerosol::Continental));
        assert_eq!(at(Some([0.0, 0.0, 1.0, 0.0, 0.0])), of(Aerosol::Maritime));
        assert_eq!(at(Some([0.0; 5])), of(Aerosol::Continental));
        let (half, a, b) = (
            at(Some([0.0, 0.5, 0.0, 0.0, 0.5])),
            of(Aerosol::Desert),
            of(Aerosol::Biomass),
        );
        assert!((half.path - 0.5 * (a.path + b.path)).abs() < 1e-6);
        assert!((half.t_down - 0.5 * (a.t_down + b.t_down)).abs() < 1e-6);
        // without aerosol all types are the same air
        let clear = |shares| {
            mixture
                .mixed_path(Band::Blue, 40.0, 30.0, 100.0, shares)
                .scatter(950.0, 0.0)
                .path
        };
        assert!((clear(None) - clear(Some([0.0, 0.0, 0.0, 1.0, 0.0]))).abs() < 2e-4);
    }
}

#[test]
fn the_stand_in_rule_reproduces_own_tables() {
    // measured for continental aerosol, where side cameras have tables of their own
    for camera in [Camera::Left, Camera::Right] {
        let own = load(camera, Aerosol::Continental).unwrap();
        let ruled = RtTable::from_bytes(camera, continental_of(Camera::Center), gas_of(camera))
            .unwrap()
            .standing_in(own.scattering.centroid_um);
        assert!(ruled.provenance().contains("scattering of camera 2"));
        for band in Band::ALL {
            for (sza, vza, raa) in [(30.0, 40.0, 60.0), (55.0, 50.0, 150.0)] {
                let a = own.path(band, sza, vza, raa).scatter(1000.0, 0.3);
                let b = ruled.path(band, sza, vza, raa).scatter(1000.0, 0.3);
                assert!((a.path - b.path).abs() < 3e-4, "{band} {a:?} {b:?}");
                assert!((a.t_down * a.t_up - b.t_down * b.t_up).abs() < 1e-3);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut with_magic = b"PVARDRT1".to_vec();
        with_magic.extend(&bytes);
        prop_assert!(Container::read("test", &bytes).is_err());
        prop_assert!(Container::read("test", &with_magic).is_err());
    }

    #[test]
    fn any_input_gives_a_finite_answer(
        sza in -10.0f32..120.0, vza in -10.0f32..120.0, raa in -400.0f32..400.0,
        aod in -1.0f32..30.0, water in -1.0f32..100.0, ozone in -1.0f32..10.0, pressure in 200.0f32..1200.0,
    ) {
        let path = load(Camera::Center, Aerosol::Continental).unwrap().path(Band::Nir, sza, vza, raa);
        let s = path.scatter(pressure, aod);
        let g = path.gas(water, ozone, pressure);
        prop_assert!([s.path, s.t_down, s.t_up, s.spherical_albedo, g.water, g.ozone, g.other, g.overlap].iter().all(|v| v.is_finite()));
    }
}
