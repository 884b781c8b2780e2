//! Length of a NetCDF-3 file: the library reads zeros beyond the end of a truncated one, which unpack to
//! plausible values. The header says how long the file must be (NetCDF classic format specification).

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Longest header that is believed, bytes; chosen.
const MAX_HEADER: u64 = 64 << 20;

/// `Err` with the reason where a NetCDF-3 file is shorter than its header says; other files pass.
pub(super) fn check_length(path: &Path) -> Result<(), String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let size = file.metadata().map_err(|e| e.to_string())?.len();
    let mut header = Header {
        bytes: BufReader::new(file).take(MAX_HEADER),
        wide: false,
        offset_wide: false,
    };
    let magic = header.raw::<4>().unwrap_or_default();
    (header.wide, header.offset_wide) = match &magic {
        b"CDF\x01" => (false, false),
        b"CDF\x02" => (false, true),
        b"CDF\x05" => (true, true),
        _ => return Ok(()),
    };
    let needed = header
        .end_of_data()
        .ok_or_else(|| "its NetCDF-3 header is damaged or cut off".to_string())?;
    // the last variable may lack its padding to four bytes
    if size + 3 < needed {
        return Err(format!("it is truncated: {size} bytes of {needed}"));
    }
    Ok(())
}

struct Header<R> {
    bytes: R,
    /// Counts are 64 bit (format 5).
    wide: bool,
    /// File positions are 64 bit (formats 2 and 5).
    offset_wide: bool,
}

impl<R: Read> Header<R> {
    fn raw<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut buffer = [0; N];
        self.bytes.read_exact(&mut buffer).ok()?;
        Some(buffer)
    }

    fn word(&mut self) -> Option<u64> {
        Some(u64::from(u32::from_be_bytes(self.raw()?)))
    }

    fn long(&mut self, wide: bool) -> Option<u64> {
        if wide {
            Some(u64::from_be_bytes(self.raw()?))
        } else {
            self.word()
        }
    }

    fn count(&mut self) -> Option<u64> {
        self.long(self.wide)
    }

    fn skip(&mut self, n: u64) -> Option<()> {
        let skipped = std::io::copy(&mut self.bytes.by_ref().take(n), &mut std::io::sink()).ok()?;
        (skipped == n).then_some(())
    }

    /// Passes a name, which must be text: the library's binding would panic otherwise.
    fn name(&mut self) -> Option<()> {
        let n = self.count()?;
        let mut name = Vec::new();
        let read = self.bytes.by_ref().take(n).read_to_end(&mut name).ok()?;
        if read as u64 != n || std::str::from_utf8(&name).is_err() {
            return None;
        }
        self.skip(n.checked_next_multiple_of(4)? - n)
    }

    /// Number of entries of a list.
    fn list(&mut self) -> Option<u64> {
        self.word()?;
        self.count()
    }

    fn attributes(&mut self) -> Option<()> {
        for _ in 0..self.list()? {
            self.name()?;
            let size = type_size(self.word()?)?;
            let n = self.count()?;
            let bytes = n.checked_mul(size)?.checked_next_multiple_of(4)?;
            self.skip(bytes)?;
        }
        Some(())
    }

    /// First byte after the last value.
    fn end_of_data(&mut self) -> Option<u64> {
        let records = self.count()?;
        let streaming = records
            == if self.wide {
                u64::MAX
            } else {
                u64::from(u32::MAX)
            };
        let mut dims = Vec::new();
        for _ in 0..self.list()? {
            self.name()?;
            dims.push(self.count()?);
        }
        self.attributes()?;
        let (mut end, mut first, mut record) = (0u64, u64::MAX, 0u64);
        let (mut of_records, mut last_size) = (0, 0u64);
        for _ in 0..self.list()? {
            self.name()?;
            let mut shape = Vec::new();
            for _ in 0..self.count()? {
                let id = usize::try_from(self.count()?).ok()?;
                shape.push(*dims.get(id)?);
            }
            self.attributes()?;
            let size = type_size(self.word()?)?;
            self.count()?;
            let begin = self.long(self.offset_wide)?;
            let by_record = shape.first() == Some(&0);
            let cells = shape.iter().skip(usize::from(by_record));
            let bytes = cells.copied().try_fold(size, u64::checked_mul)?;
            if by_record {
                first = first.min(begin);
                record = record.checked_add(bytes.checked_next_multiple_of(4)?)?;
                of_records += 1;
                last_size = bytes;
            } else {
                end = end.max(begin.checked_add(bytes)?);
            }
        }
        if of_records == 1 {
            // a single record variable is not padded
            record = last_size;
        }
        if of_records > 0 && !streaming && records > 0 {
            end = end.max(first.checked_add(record.checked_mul(records)?)?);
        }
        Some(end)
    }
}

/// Bytes of a value.
fn type_size(code: u64) -> Option<u64> {
    Some(match code {
        1 | 2 | 7 => 1,
        3 | 8 => 2,
        4 | 5 | 9 => 4,
        6 | 10 | 11 => 8,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_files_are_as_long_as_they_say() {
        let dir = tempfile::tempdir().unwrap();
        let cut = dir.path().join("cut.nc");
        for name in [
            "eac4_20200701_gtco3_tcwv_classic.nc",
            "macc_20121101_aod550_tcwv_global.nc",
        ] {
            let whole = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("fixtures/cams")
                .join(name);
            assert_eq!(check_length(&whole), Ok(()));
            let bytes = std::fs::read(&whole).unwrap();
            for n in [bytes.len() - 4, bytes.len() / 2, 100, 5] {
                std::fs::write(&cut, &bytes[..n]).unwrap();
                assert!(check_length(&cut).is_err(), "{name} {n}");
            }
            let mut foreign = bytes.clone();
            let at = bytes.windows(4).position(|w| w == b"tcwv").unwrap();
            foreign[at] = 0xE9;
            std::fs::write(&cut, &foreign).unwrap();
            assert!(check_length(&cut).is_err(), "{name}");
        }
    }
}
