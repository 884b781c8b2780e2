//! Grid points that the messages of a GRIB file claim: they are unpacked whole, and a message of a few bytes can claim
//! billions of equal ones (WMO Manual on Codes, WMO-No. 306, FM 92: sections 0 to 3).

use super::MAX_MESSAGES;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Most grid points of a message, 160 MB in double precision; chosen: a global field of 0.1° has 6.5 million.
const MAX_POINTS: u64 = 20_000_000;

/// Bytes of a message that hold its grid; chosen: what comes before is a few hundred bytes.
const HEAD: usize = 4096;

/// `Err` with the reason where a message claims more points than can be. What is no message ends the search: GDAL says
/// what is wrong with it.
pub(super) fn check(path: &Path) -> Result<(), String> {
    let mut file = File::open(path).map_err(|e| e.to_string())?;
    let mut at = 0u64;
    let mut head = Vec::with_capacity(HEAD);
    for _ in 0..MAX_MESSAGES {
        head.clear();
        let read = file.seek(SeekFrom::Start(at)).and_then(|_| {
            let part = file.by_ref().take(HEAD as u64);
            let mut part = part;
            part.read_to_end(&mut head)
        });
        read.map_err(|e| e.to_string())?;
        let Some((points, length)) = message(&head) else {
            return Ok(());
        };
        if points > MAX_POINTS {
            return Err(format!(
                "a message of {points} points cannot be a field of CAMS; cut the area, e.g. with `grib_copy` or `cdo sellonlatbox`"
            ));
        }
        if length == 0 {
            return Ok(());
        }
        at += length;
    }
    Ok(())
}

/// Points and length in bytes of the message at the beginning.
fn message(head: &[u8]) -> Option<(u64, u64)> {
    let number = |from: usize, n: usize| -> Option<u64> {
        let bytes = head.get(from..from + n)?;
        Some(bytes.iter().fold(0, |v, b| v << 8 | u64::from(*b)))
    };
    if !head.starts_with(b"GRIB") {
        return None;
    }
    match head.get(7)? {
        1 => {
            let section1 = number(8, 3)? as usize;
            let has_grid = head.get(8 + 7)? & 0x80 != 0;
            let grid = 8 + section1;
            let points = match has_grid {
                true => number(grid + 6, 2)? * number(grid + 8, 2)?,
                false => 0,
            };
            Some((points, number(4, 3)?))
        }
        2 => {
            let mut at = 16;
            // sections 1 and 2 may come first
            while *head.get(at + 4)? != 3 {
                at += usize::try_from(number(at, 4)?.max(5)).ok()?;
            }
            Some((number(at + 6, 4)?, number(8, 8)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cams");
        std::fs::read(folder.join(name)).unwrap()
    }

    #[test]
    fn points_are_those_of_the_grid_and_a_claim_of_billions_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.grib");
        for (name, at, claim) in [
            ("made_forecast_grib1.grib", 6, &[0xFF, 0xFF, 0xFF, 0xFF][..]),
            ("made_forecast_grib2.grib", 6, &[0xFF, 0xFF, 0xFF, 0xF0]),
        ] {
            let mut bytes = fixture(name);
            let (points, length) = message(&bytes).unwrap();
            assert!(
                (4..10_000).contains(&points) && length < bytes.len() as u64,
                "{points}"
            );
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(check(&path), Ok(()));
            // the same claim in the second message
            let second = length as usize;
            let grid = match bytes[7] {
                1 => second + 8 + bytes[second + 10] as usize,
                // sections 1 and 2 of the fixture have 21 and 17 bytes
                _ => second + 16 + 21 + 17,
            };
            bytes[grid + at..grid + at + 4].copy_from_slice(claim);
            std::fs::write(&path, &bytes).unwrap();
            assert!(check(&path).unwrap_err().contains("points"), "{name}");
            for n in 0..64 {
                std::fs::write(&path, &bytes[..n]).unwrap();
                assert_eq!(check(&path), Ok(()));
            }
        }
    }
}
