//! Datatypes and attributes as their messages lie in an object header of version 1, which has no checksum: libhdf5 1.10
//! copies as many bytes as an attribute claims, whatever the length of the message, and does not survive an attribute that
//! it cannot decode while it lists them (docs/sources/l1c.md, Damaged HDF5).
//!
//! Headers of version 2 are left to the library: a checksum protects them.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Kinds of messages; definition (docs/sources/l1c.md, HDF5 file format).
const DATATYPE: u16 = 0x0003;
const ATTRIBUTE: u16 = 0x000c;
const ATTRIBUTES_ELSEWHERE: u16 = 0x0015;
const CONTINUATION: u16 = 0x0010;
/// Flag of a message that is shared: what lies here is only where it is; definition.
const SHARED: u8 = 2;
/// Blocks of one header; chosen: an object of a thousand attributes has some dozens.
const MOST_BLOCKS: usize = 1000;
/// Largest block, bytes; chosen: messages have at most 64 KiB.
const LARGEST_BLOCK: u64 = 16 << 20;

/// Checks the messages of the object whose header begins at `address` of the file; gives the names of its attributes, or
/// nothing where the library has to list them.
///
/// # Errors
/// Words: a message that is damaged or claims more than it holds, blocks outside the file.
pub(super) fn attributes(file: &File, address: u64) -> Result<Option<Vec<String>>, String> {
    let mut prefix = [0; 16];
    read(file, address, &mut prefix)?;
    if prefix[0] != 1 {
        return Ok(None);
    }
    let mut names = Some(Vec::new());
    let length = u64::from(u32::from_le_bytes([
        prefix[8], prefix[9], prefix[10], prefix[11],
    ]));
    let mut blocks = vec![(address.saturating_add(16), length)];
    let mut next = 0;
    while let Some(&(at, length)) = blocks.get(next) {
        next += 1;
        if next > MOST_BLOCKS || length > LARGEST_BLOCK {
            return Err("its header is damaged or absurd".to_owned());
        }
        let mut block = vec![0; length as usize];
        read(file, at, &mut block)?;
        let mut rest = block.as_slice();
        while let Some((head, body)) = rest.split_first_chunk::<8>() {
            let kind = u16::from_le_bytes([head[0], head[1]]);
            let size = usize::from(u16::from_le_bytes([head[2], head[3]]));
            let message = body.get(..size).ok_or("a message of its header is cut")?;
            rest = &body[size..];
            match kind {
                DATATYPE if head[4] & SHARED == 0 => datatype(message)?,
                ATTRIBUTE if head[4] & SHARED == 0 => {
                    let name = attribute(message)?;
                    if let Some(names) = &mut names {
                        names.push(name);
                    }
                }
                ATTRIBUTE | ATTRIBUTES_ELSEWHERE => names = None,
                CONTINUATION => {
                    let place = Bytes(message).eight(0).zip(Bytes(message).eight(8));
                    blocks.push(place.ok_or("a message of its header is cut")?);
                }
                _ => {}
            }
        }
    }
    Ok(names)
}

fn read(file: &File, at: u64, bytes: &mut [u8]) -> Result<(), String> {
    let outside = |_| "its header lies outside the file".to_owned();
    file.read_exact_at(bytes, at).map_err(outside)
}

/// Numbers at places of a message, where it reaches that far.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn one(&self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    fn two(&self, at: usize) -> Option<usize> {
        let bytes = self.0.get(at..at.checked_add(2)?)?;
        Some(usize::from(u16::from_le_bytes(bytes.try_into().ok()?)))
    }

    fn four(&self, at: usize) -> Option<u64> {
        let bytes = self.0.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?).into())
    }

    fn eight(&self, at: usize) -> Option<u64> {
        let bytes = self.0.get(at..at.checked_add(8)?)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }
}

/// A datatype message begins with a version and a class that are defined, and a floating-point one has a known mantissa.
fn datatype(message: &[u8]) -> Result<(), String> {
    let known = Bytes(message).four(4).is_some() && {
        let (version, class) = (message[0] >> 4, message[0] & 15);
        let mantissa = class != 1 || message[1] & 0x30 == 0x20;
        (1..=3).contains(&version) && class <= 10 && mantissa
    };
    match known {
        true => Ok(()),
        false => Err("a datatype message is damaged".to_owned()),
    }
}

/// The name of an attribute whose values lie inside its message.
fn attribute(message: &[u8]) -> Result<String, String> {
    let claim = claimed(&Bytes(message)).filter(|c| {
        let end = c.begin.checked_add(c.bytes);
        end.is_some_and(|end| end <= message.len() as u64)
    });
    let claim = claim.ok_or("an attribute claims more than its message holds")?;
    if let Some(kind) = claim.datatype {
        datatype(kind)?;
    }
    let name = claim.name.split(|b| *b == 0).next().unwrap_or_default();
    String::from_utf8(name.to_vec()).map_err(|_| "the name of an attribute is no text".to_owned())
}

/// What an attribute message claims.
struct Claim<'a> {
    /// With the zero at its end.
    name: &'a [u8],
    /// Unless it lies elsewhere.
    datatype: Option<&'a [u8]>,
    /// Where the values begin in the message.
    begin: u64,
    bytes: u64,
}

/// What an attribute message claims; `None` where it is cut.
fn claimed<'a>(message: &Bytes<'a>) -> Option<Claim<'a>> {
    let version = message.one(0)?;
    let shared = version > 1 && message.one(1)? & 1 != 0;
    let sizes = [message.two(2)?, message.two(4)?, message.two(6)?];
    // version 1 fills each part up to eight bytes, version 3 has a byte for the encoding of the name
    let [name, kind, space] = match version {
        1 => sizes.map(|n| n.next_multiple_of(8)),
        _ => sizes,
    };
    let name_at = if version == 3 { 9 } else { 8 };
    let kind_at = name_at + name;
    let space_at = kind_at + kind;
    // a name without its end would be read on
    let text = message.0.get(name_at..kind_at)?;
    text.contains(&0).then_some(())?;
    message.0.get(kind_at..space_at + space)?;
    let element = match shared {
        true => 0,
        false => message.four(kind_at + 4)?,
    };
    let rank = usize::from(message.one(space_at + 1)?);
    let (first, null) = match message.one(space_at)? {
        1 => (space_at + 8, false),
        2 => (space_at + 4, message.one(space_at + 3)? == 2),
        _ => return None,
    };
    let mut elements = u64::from(!null);
    for k in 0..rank {
        elements = elements.checked_mul(message.eight(first + 8 * k)?)?;
    }
    // dimensions end inside the dataspace
    (first + 8 * rank <= space_at + space).then_some(())?;
    Some(Claim {
        name: text,
        datatype: message.0.get(kind_at..space_at).filter(|_| !shared),
        begin: (space_at + space) as u64,
        bytes: elements.checked_mul(element)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An attribute message of version 1: two whole numbers of four bytes.
    fn message(element: u8, count: u8) -> Vec<u8> {
        let mut m = vec![1, 0, 5, 0, 12, 0, 16, 0];
        m.extend(b"name\0\0\0\0");
        m.extend([0x10, 8, 0, 0, element, 0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0]);
        m.extend([1, 1, 0, 0, 0, 0, 0, 0, count, 0, 0, 0, 0, 0, 0, 0]);
        m.extend([7, 0, 0, 0, 8, 0, 0, 0]);
        m
    }

    #[test]
    fn values_that_fit_their_message_pass_and_others_do_not() {
        assert_eq!(attribute(&message(4, 2)).as_deref(), Ok("name"));
        assert_eq!(attribute(&message(4, 1)).as_deref(), Ok("name"));
        for (element, count) in [(4, 3), (8, 2), (255, 1), (4, 255)] {
            assert!(
                attribute(&message(element, count)).is_err(),
                "{element} {count}"
            );
        }
    }

    #[test]
    fn a_message_cut_anywhere_is_refused() {
        let whole = message(4, 2);
        for length in 0..whole.len() {
            assert!(attribute(&whole[..length]).is_err(), "{length}");
        }
        let mut endless = whole.clone();
        endless[8..16].fill(b'x');
        assert!(attribute(&endless).is_err(), "a name without its end");
    }

    #[test]
    fn versions_and_classes_that_are_not_defined_are_refused() {
        let float: [u8; 8] = [0x11, 0x20, 31, 0, 4, 0, 0, 0];
        assert_eq!(datatype(&float), Ok(()));
        for (at, value) in [(0, 0x01), (0, 0x51), (0, 0x1b), (1, 0x30), (1, 0x00)] {
            let mut bad = float;
            bad[at] = value;
            assert!(datatype(&bad).is_err(), "{at} {value}");
        }
        assert!(datatype(&float[..7]).is_err());
    }
}
