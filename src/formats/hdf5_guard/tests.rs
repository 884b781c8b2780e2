//! Sound files of every form pass; what leads out of a file, is damaged or claims too much is refused by name.

use super::{Refusal, check, open};
use hdf5::types::{FixedAscii, FixedUnicode, VarLenArray, VarLenUnicode};
use std::path::{Path, PathBuf};

fn made(make: impl Fn(&hdf5::File)) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.h5");
    let file = hdf5::File::create(&path).unwrap();
    make(&file);
    file.close().unwrap();
    (folder, path)
}

fn refused(make: impl Fn(&hdf5::File)) -> String {
    let (_folder, path) = made(make);
    check(&path).unwrap_err()
}

#[derive(hdf5::H5Type, Clone, Copy)]
#[repr(C)]
struct Place {
    lon: f32,
    lat: f64,
    line: u16,
}

#[derive(hdf5::H5Type, Clone, Copy)]
#[repr(u8)]
enum Code {
    Good = 1,
}

#[test]
fn sound_files_of_every_form_pass() {
    let (_folder, path) = made(|f| {
        let group = f.create_group("a/b/c").unwrap();
        group
            .new_dataset::<i16>()
            .shape((30, 40))
            .chunk((8, 40))
            .shuffle()
            .deflate(4)
            .create("packed")
            .unwrap();
        group
            .new_dataset::<f32>()
            .shape((3, 4, 5, 6))
            .create("never written")
            .unwrap();
        group
            .new_dataset_builder()
            .with_data(&[1.5_f64, 2.5])
            .create("double")
            .unwrap();
        group
            .new_dataset_builder()
            .with_data(&[Place {
                lon: 1.0,
                lat: 2.0,
                line: 3,
            }])
            .create("compound")
            .unwrap();
        group
            .new_dataset_builder()
            .with_data(&[Code::Good])
            .create("enumeration")
            .unwrap();
        let list = VarLenArray::from_slice(&[1_i32, 2]);
        group
            .new_dataset_builder()
            .with_data(&[list])
            .create("lists")
            .unwrap();
        let text: VarLenUnicode = "ä".repeat(70_000).parse().unwrap();
        f.new_attr::<VarLenUnicode>()
            .create("long")
            .unwrap()
            .write_scalar(&text)
            .unwrap();
        f.new_attr::<FixedAscii<300>>()
            .shape(2)
            .create("fixed")
            .unwrap();
        f.new_attr::<FixedUnicode<8>>().create("one").unwrap();
        f.new_attr::<[u8; 3]>().create("array").unwrap();
        f.new_attr::<bool>().create("flag").unwrap();
        // circles within the file end
        f.link_hard("/", "a/root").unwrap();
        f.link_soft("/a/soft", "a/soft").unwrap();
        f.link_soft("/nowhere", "dangling").unwrap();
    });
    check(&path).unwrap();
    assert!(open(&path).unwrap().group("a/b").is_ok());
}

#[test]
fn files_of_the_archive_pass() {
    let l1c = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archive/l1c");
    let mut count = 0;
    for entry in std::fs::read_dir(l1c).unwrap() {
        check(&entry.unwrap().path()).unwrap();
        count += 1;
    }
    assert!(count > 5);
}

#[test]
fn what_leads_to_other_files_is_refused_by_name() {
    let other = "/etc/hostname";
    let external = refused(|f| {
        f.create_group("g")
            .unwrap()
            .link_external(other, "/x", "link")
            .unwrap()
    });
    assert!(external.contains("/g/link: an external link"), "{external}");
    let raw = refused(|f| {
        let builder = f.new_dataset::<u8>().shape(8);
        builder.external(other, 0, 8).create("raw").unwrap();
    });
    assert!(
        raw.contains("/raw: its values lie in an external file"),
        "{raw}"
    );
    let mapped = refused(|f| {
        let builder = f.new_dataset::<u8>().shape(4);
        builder
            .virtual_map("other.h5", "x", 4, .., 4, ..)
            .create("mapped")
            .unwrap();
    });
    assert!(mapped.contains("/mapped: a virtual dataset"), "{mapped}");
    // deep, and beside sound objects
    let deep = refused(|f| {
        f.new_dataset::<u8>().shape(8).create("sound").unwrap();
        f.create_group("a/b/c/d")
            .unwrap()
            .link_external("x.h5", "/", "out")
            .unwrap();
    });
    assert!(deep.contains("/a/b/c/d/out"), "{deep}");
}

#[test]
fn a_link_of_a_kind_of_its_own_is_refused() {
    let (_folder, path) = made(|f| f.link_external("x.h5", "/", "target").unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(6).position(|w| w == b"target").unwrap();
    // the kind of the link, 64 for an external one, lies shortly before its name
    let kind = (at - 12..at).rev().find(|&k| bytes[k] == 64).unwrap();
    bytes[kind] = 65;
    std::fs::write(&path, bytes).unwrap();
    let words = check(&path).unwrap_err();
    assert!(words.contains("/target: a user-defined link"), "{words}");
}

#[test]
fn damaged_datatypes_are_refused_before_anything_is_read() {
    // version and class, bits of the class, size, offset, precision as they lie in a datatype message
    let int32: [u8; 12] = [0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0];
    let float32: [u8; 20] = [
        0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0,
    ];
    let make = |f: &hdf5::File| {
        f.new_attr::<i32>()
            .create("number")
            .unwrap()
            .write_scalar(&7)
            .unwrap();
        f.new_dataset_builder()
            .with_data(&[1.0_f32, 2.0])
            .create("values")
            .unwrap();
    };
    for (pattern, place, value, words) in [
        (
            &int32[..],
            10,
            0,
            "attribute number: its whole numbers of 4 bytes claim 0 bits",
        ),
        (&int32[..], 10, 160, "claim 160 bits"),
        (&int32[..], 8, 16, "claim 32 bits from bit 16"),
        (
            &int32[..],
            4,
            6,
            "/: an attribute claims more than its message holds",
        ),
        (
            &float32[..],
            12,
            87,
            "/values: its floating-point numbers of 4 bytes are not those of IEEE 754",
        ),
        (&float32[..], 13, 9, "not those of IEEE 754"),
        (&float32[..], 16, 255, "not those of IEEE 754"),
        (&float32[..], 10, 48, "not those of IEEE 754"),
    ] {
        let (_folder, path) = made(make);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes
            .windows(pattern.len())
            .position(|w| w == pattern)
            .unwrap();
        bytes[at + place] = value;
        std::fs::write(&path, bytes).unwrap();
        match check(&path) {
            Err(told) => assert!(told.contains(words), "{place} {value}: {told}"),
            Ok(()) => panic!("byte {place} = {value} passed"),
        }
    }
}

#[test]
fn bombs_meet_a_limit_and_their_name() {
    // sparse: no bytes behind these sizes
    let sparse = refused(|f| {
        f.new_dataset::<f32>()
            .shape((100_000, 100_000))
            .chunk((100, 100))
            .deflate(1)
            .create("sparse")
            .unwrap();
    });
    assert!(
        sparse.contains("/sparse: [100000, 100000] values"),
        "{sparse}"
    );
    let chunk = refused(|f| {
        let wide = f
            .new_dataset::<u8>()
            .shape((7000, 9000))
            .chunk((7000, 9000))
            .deflate(1);
        wide.create("wide").unwrap();
        let wider = f
            .new_dataset::<u8>()
            .shape((9000, 9000))
            .chunk((9000, 9000))
            .deflate(1);
        wider.create("wider").unwrap();
    });
    assert!(chunk.contains("/wider: "), "{chunk}");
    let plain = refused(|f| {
        f.new_dataset::<f64>()
            .shape(1 << 40)
            .create("plain")
            .unwrap();
    });
    assert!(plain.contains("/plain"), "{plain}");
    let many = refused(|f| {
        for k in 0..40 {
            f.new_dataset::<u8>()
                .shape((8000, 8000))
                .chunk((80, 80))
                .create(format!("d{k}").as_str())
                .unwrap();
        }
    });
    assert!(many.contains("claim more than the file can hold"), "{many}");
    let deep = refused(|f| {
        f.create_group(&vec!["g"; 40].join("/")).unwrap();
    });
    assert!(deep.contains("nested too deeply"), "{deep}");
    let attributes = refused(|f| {
        let group = f.create_group("g").unwrap();
        for k in 0..1001 {
            group
                .new_attr::<u8>()
                .create(format!("a{k}").as_str())
                .unwrap();
        }
    });
    assert!(
        attributes.contains("/g: more than 1000 attributes"),
        "{attributes}"
    );
}

#[test]
fn no_file_without_locks_is_taken_for_damaged() {
    let (_folder, path) = made(|f| drop(f.create_group("g").unwrap()));
    let held = std::fs::File::open(&path).unwrap();
    held.lock().unwrap();
    check(&path).unwrap();
}

#[test]
fn other_files_say_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, b"").unwrap();
    assert!(matches!(open(&empty), Err(Refusal::NotHdf5)));
    assert!(
        matches!(open(Path::new("/dev/null")), Err(Refusal::Special(kind)) if kind == "a device")
    );
    assert!(matches!(
        open(&folder.path().join("absent")),
        Err(Refusal::System(_))
    ));
    let (_folder, path) = made(|f| drop(f.create_group("g").unwrap()));
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(open(&path), Err(Refusal::Library(words)) if words.contains("truncated")));
}
