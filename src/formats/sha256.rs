//! SHA-256 as hexadecimal digits, of bytes and of whole files.

use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// Bytes read at a time; chosen.
const BLOCK: usize = 1 << 20;

/// Of some bytes (FIPS 180-4).
///
/// ```
/// let sum = probav_ard::formats::sha256::of(b"abc");
/// assert!(sum.starts_with("ba7816bf8f01cfea") && sum.len() == 64);
/// ```
pub fn of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Of what is left to read, with its length in bytes.
///
/// # Errors
/// Those of reading.
pub fn of_reader(reader: &mut impl Read) -> io::Result<(u64, String)> {
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; BLOCK];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok((size, hex(&hash.finalize()))),
            n => {
                hash.update(&buffer[..n]);
                size += n as u64;
            }
        }
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_bytes_is_that_of_the_standard() {
        // SHA-256 of "abc", FIPS 180-2 appendix B.1
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of(b"abc"), sum);
        assert_eq!(of_reader(&mut &b"abc"[..]).unwrap(), (3, sum.to_string()));
    }
}
