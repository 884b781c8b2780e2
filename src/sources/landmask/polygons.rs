//! Reads the packed polygons (`ancillary/landmask.md`).

use std::sync::OnceLock;

static PACKED: &[u8] = include_bytes!("../../../ancillary/landmask.bin");

/// Units of a vertex per degree, a definition of the format (`ancillary/landmask.md`).
pub(super) const UNIT: f64 = 1000.0;

/// A vertex: longitude and latitude in thousandths of a degree.
pub(super) type Vertex = (i32, i32);

/// Rings of the embedded mask; each closes on its first vertex. The bytes are part of the program: damage
/// cannot occur at run time, and the tests would see an empty list.
pub(super) fn rings() -> &'static [Vec<Vertex>] {
    static RINGS: OnceLock<Vec<Vec<Vertex>>> = OnceLock::new();
    RINGS.get_or_init(|| unpack(PACKED).unwrap_or_default())
}

fn unpack(packed: &[u8]) -> Option<Vec<Vec<Vertex>>> {
    let body = packed.strip_prefix(b"PVLAND01")?;
    let (size, stream) = body.split_first_chunk::<4>()?;
    let mut raw = vec![0; u32::from_le_bytes(*size) as usize];
    let n = libdeflater::Decompressor::new()
        .zlib_decompress(stream, &mut raw)
        .ok()?;
    let mut bytes = raw.get(..n)?.iter().copied();
    let count = varint(&mut bytes)?;
    (0..count).map(|_| ring(&mut bytes)).collect()
}

fn ring(bytes: &mut impl Iterator<Item = u8>) -> Option<Vec<Vertex>> {
    let n = varint(bytes)?;
    let mut last: Vertex = (0, 0);
    (0..n)
        .map(|_| {
            last.0 = last.0.checked_add(zigzag(bytes)?)?;
            last.1 = last.1.checked_add(zigzag(bytes)?)?;
            Some(last)
        })
        .collect()
}

fn varint(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let mut value = 0u32;
    for shift in (0..32).step_by(7) {
        let byte = bytes.next()?;
        value |= u32::from(byte & 127) << shift;
        if byte < 128 {
            return Some(value);
        }
    }
    None
}

fn zigzag(bytes: &mut impl Iterator<Item = u8>) -> Option<i32> {
    let value = varint(bytes)?;
    Some((value >> 1) as i32 ^ -((value & 1) as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ring_stays_on_the_globe() {
        let rings = rings();
        assert!(rings.len() > 4000);
        for ring in rings {
            assert!(ring.len() >= 3);
            assert!(
                ring.iter()
                    .all(|v| v.0.abs() <= 180_000 && v.1.abs() <= 90_000)
            );
        }
    }

    #[test]
    fn damage_is_noticed() {
        let mut bytes = PACKED.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        assert!(unpack(&bytes).is_none());
        assert!(unpack(&PACKED[..1000]).is_none());
        assert!(unpack(b"").is_none());
    }
}
