//! Names of L1C files.

use crate::types::band::Camera;
use chrono::{DateTime, NaiveDateTime, Utc};

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
    /// STUB
    pub fn judge(name: &str) -> crate::formats::input_files::Verdict {
        match FileName::parse(name) {
            Some(_) => crate::formats::input_files::Verdict::Take,
            None => crate::formats::input_files::Verdict::Other,
        }
    }

    /// Parses a file name without folders; the extension may have any case.
    ///
    /// ```
    /// let name = probav_ard::sources::l1c::FileName::parse("PROBAV_L1C_20180624_104727_2_V101.HDF5").unwrap();
    /// assert_eq!(name.camera, probav_ard::types::band::Camera::Center);
    /// assert_eq!(name.version, 101);
    /// ```
    pub fn parse(name: &str) -> Option<FileName> {
        let (stem, extension) = name.rsplit_once('.')?;
        if !extension.eq_ignore_ascii_case("hdf5") {
            return None;
        }
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
}
