//! Tests on small files made here. Geometry comes from a forward model (orbit, rays, ellipsoid) that
//! shares nothing with the reader.

mod broken;
mod damage;
mod flips;
mod geometry;
mod hostile;
mod model;
mod scene;
mod storage;

use super::{L1cError, Profile, Segment};
use scene::Scene;

/// Opens a scene's file.
fn open(scene: &Scene) -> (tempfile::TempDir, Segment) {
    open_with(scene, &Profile::default())
}

fn open_with(scene: &Scene, profile: &Profile) -> (tempfile::TempDir, Segment) {
    let folder = tempfile::tempdir().expect("folder");
    let path = scene.write(folder.path());
    let segment = Segment::open(&path, profile).expect("segment");
    (folder, segment)
}

/// Everything a run asks of a segment.
fn use_all(path: &std::path::Path, profile: &Profile) -> Result<(), L1cError> {
    use super::Swath;
    let segment = Segment::open(path, profile)?;
    segment.footprint()?;
    segment.inspect()?.to_string();
    for strip in crate::types::band::Strip::ALL {
        let (lines, pixels) = segment.shape(strip);
        if segment.has(strip) {
            segment.ties(strip)?;
        }
        segment.window(strip, 0..lines, 0..pixels)?;
    }
    Ok(())
}
