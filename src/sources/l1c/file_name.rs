//! Names of L1C files.

use crate::formats::input_files::Verdict;
use crate::types::band::Camera;
use chrono::{DateTime, NaiveDateTime, Utc};

/// Endings of HDF5 files, in lower case.
const ENDINGS: [&str; 3] = ["hdf5", "h5", "he5"];
/// Endings of what is delivered beside a segment and is none itself: metadata, checksums, pictures.
const COMPANIONS: [&str; 11] = [
    "xml", "md5", "sha256", "txt", "json", "png", "jpg", "jpeg", "html", "kml", "aux",
];

/// What the name of an L1C file says:
/// `PROBAV_L1C_<YYYYMMDD>_<hhmmss>_<camera>_V<vvv>.HDF5` (docs/sources/l1c.md, File name).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileName {
    /// Start of the segment, UTC.
    pub start: DateTime<Utc>,
    /// Camera.
    pub camera: Camera,
    /// Version; its hundreds are the collection (3, 101, 201: Collection 0, 1, 2).
    pub version: u16,
}

impl FileName {
    /// Parses a file name without folders: letters of any case, the endings .HDF5, .h5 and .he5, and the ` (1)` that
    /// programs add to the name of a copy.
    ///
    /// ```
    /// use probav_ard::sources::l1c::FileName;
    ///
    /// let name = FileName::parse("PROBAV_L1C_20180624_104727_2_V101.HDF5").unwrap();
    /// assert_eq!(name.camera, probav_ard::types::band::Camera::Center);
    /// assert_eq!(name.version, 101);
    /// assert_eq!(FileName::parse("probav_l1c_20180624_104727_2_v101 (1).h5"), Some(name));
    /// ```
    pub fn parse(name: &str) -> Option<FileName> {
        let (stem, ending) = name.rsplit_once('.')?;
        if !ENDINGS
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
        {
            return None;
        }
        let stem = without_copy_number(stem).to_ascii_uppercase();
        let mut parts = stem.strip_prefix("PROBAV_L1C_")?.split('_');
        let date = digits(parts.next()?, 8)?;
        let time = digits(parts.next()?, 6)?;
        let camera = digits(parts.next()?, 1)?.parse().ok()?;
        let version = digits(parts.next()?.strip_prefix('V')?, 3)?.parse().ok()?;
        if parts.next().is_some() {
            return None;
        }
        let start = NaiveDateTime::parse_from_str(&format!("{date}{time}"), "%Y%m%d%H%M%S").ok()?;
        Some(FileName {
            start: start.and_utc(),
            camera: Camera::from_code(camera)?,
            version,
        })
    }

    /// What a name promises to a search of folders: a segment; a companion of one; something that looks like a segment by
    /// its words or its ending but does not say which; or something else.
    pub fn judge(name: &str) -> Verdict {
        if FileName::parse(name).is_some() {
            return Verdict::Take;
        }
        let name = name.to_ascii_lowercase();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let named = name.contains("probav") && name.contains("l1c");
        if named && COMPANIONS.contains(&ending) {
            Verdict::Companion
        } else if named || ENDINGS.contains(&ending) {
            Verdict::Misnamed
        } else {
            Verdict::Other
        }
    }
}

/// The stem without the ` (1)` or `(1)` of a copy.
fn without_copy_number(stem: &str) -> &str {
    let inner = stem.strip_suffix(')').and_then(|s| s.rsplit_once('('));
    match inner {
        Some((before, number))
            if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
        {
            before.trim_end_matches(' ')
        }
        _ => stem,
    }
}

fn digits(text: &str, count: usize) -> Option<&str> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn real_names_are_understood() {
        for (name, camera, version) in [
            ("PROBAV_L1C_20131025_115650_2_V003.HDF5", Camera::Center, 3),
            ("PROBAV_L1C_20160505_232748_3_V101.hdf5", Camera::Right, 101),
            ("PROBAV_L1C_20180429_230542_1_V201.HDF5", Camera::Left, 201),
        ] {
            let parsed = FileName::parse(name).expect(name);
            assert_eq!((parsed.camera, parsed.version), (camera, version));
            assert_eq!(FileName::judge(name), Verdict::Take);
        }
        let parsed = FileName::parse("PROBAV_L1C_20131025_115650_2_V003.HDF5").expect("name");
        let start = Utc.with_ymd_and_hms(2013, 10, 25, 11, 56, 50).unwrap();
        assert_eq!(parsed.start, start);
    }

    #[test]
    fn other_names_are_not() {
        for name in [
            "",
            "PROBAV_L1C_20131025_115650_2_V003",
            "PROBAV_L1C_20131025_115650_0_V003.HDF5",
            "PROBAV_L1C_20131325_115650_2_V003.HDF5",
            "PROBAV_L1C_20131025_115650_2_V03.HDF5",
            "PROBAV_L1C_20131025_115650_2_V003_X.HDF5",
            "PROBAV_L2A_20131025_115650_2_100M_V003.HDF5",
            "PROBAV_L1C_2013é025_115650_2_V003.HDF5",
        ] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn other_cases_endings_and_copies_are_the_same_segment() {
        let usual = FileName::parse("PROBAV_L1C_20180621_104452_2_V101.HDF5");
        assert!(usual.is_some());
        for name in [
            "probav_l1c_20180621_104452_2_v101.hdf5",
            "PROBAV_L1C_20180621_104452_2_V101.h5",
            "Probav_L1C_20180621_104452_2_V101.He5",
            "PROBAV_L1C_20180621_104452_2_V101 (1).HDF5",
            "PROBAV_L1C_20180621_104452_2_V101(12).HDF5",
        ] {
            assert_eq!(FileName::parse(name), usual, "{name}");
            assert_eq!(FileName::judge(name), Verdict::Take, "{name}");
        }
    }

    #[test]
    fn names_that_only_look_like_segments_are_told_from_others() {
        for (name, verdict) in [
            (
                "PROBAV_L1C_20180621_104452_2_V101 ().HDF5",
                Verdict::Misnamed,
            ),
            ("PROBAV_L1C_20180621_104452_2_V101", Verdict::Misnamed),
            (
                "PROBAV_L1C_20180621_104452_2_V101.HDF5.1",
                Verdict::Misnamed,
            ),
            ("renamed probav l1c of June.zip", Verdict::Misnamed),
            ("scene_17.h5", Verdict::Misnamed),
            (
                "PROBAV_L2A_20180621_104452_2_100M_V101.HDF5",
                Verdict::Misnamed,
            ),
            ("PROBAV_L1C_20180621_104452_2_V101.xml", Verdict::Companion),
            (
                "PROBAV_L1C_20180621_104452_2_V101.HDF5.md5",
                Verdict::Companion,
            ),
            ("cams_20180620.nc", Verdict::Other),
            ("README", Verdict::Other),
            ("", Verdict::Other),
        ] {
            assert_eq!(FileName::judge(name), verdict, "{name}");
        }
    }
}
