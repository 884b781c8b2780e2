//! Writes one of everything for `scripts/check-interop`, and tells what a full acquisition costs:
//! `PRODUCT_OUT=/tmp/out cargo nextest run --test product --run-ignored only everything`.

use crate::stack;
use crate::support::Scene;
use probav_ard::product::{export, write_acquisition, write_screened};
use serde_json::json;
use std::path::PathBuf;

fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

#[test]
#[ignore = "writes to PRODUCT_OUT for other programs"]
fn everything() {
    let root = PathBuf::from(std::env::var_os("PRODUCT_OUT").expect("PRODUCT_OUT"));
    let fine = Scene::fine("31UFS", 3);
    write_acquisition(&root, &fine.acquisition(true)).unwrap();
    let before = cpu_seconds();
    for _ in 0..5 {
        write_acquisition(&root, &fine.acquisition(true)).unwrap();
    }
    println!(
        "full 100 m acquisition: {:.3} s CPU",
        (cpu_seconds() - before) / 5.0
    );
    for scene in [&fine, &Scene::new("31UFS", 4), &Scene::new("01KAB", 4)] {
        scene.write(&root);
        write_screened(&root, &scene.id, &scene.masks, json!({})).unwrap();
    }
    let before = cpu_seconds();
    let path = stack::write(&root, &fine.tile, &[-3, 40, 80], stack::PERIOD);
    println!("stack of 83 steps: {:.1} s CPU", cpu_seconds() - before);
    let reader = probav_ard::product::stack::StackReader::open_path(&path).unwrap();
    export::cog(&reader, "NIR", 0..12, &root.join("exports/nir.tif")).unwrap();
    export::netcdf(&reader, 70..76, &root.join("exports/stack.nc")).unwrap();
    probav_ard::catalog::update(&root).unwrap();
    probav_ard::catalog::tree(&root, None).unwrap();
}
