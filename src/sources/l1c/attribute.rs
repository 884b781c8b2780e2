//! Attributes as text or numbers, whatever their type: scalars, arrays of one, fixed or variable
//! strings; all of these occur in Level 2A and 3 (docs/sources/l1c.md, Other readers).

use hdf5::types::{FixedAscii, FixedUnicode, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5::{Attribute, Location};

/// Longest text looked at, bytes; chosen.
const LONGEST: usize = 4096;
/// Most elements looked at; chosen: real ones are scalars or arrays of one.
const MOST: usize = 64;

/// First element as text; `None` if there is no such attribute or it is no text.
pub(super) fn text(location: &Location, name: &str) -> Option<String> {
    let attribute = find(location, name)?;
    // bytes, not as_str: nothing has checked that they are UTF-8
    let bytes = match attribute.dtype().ok()?.to_descriptor().ok()? {
        TypeDescriptor::FixedAscii(n) if n <= LONGEST => first::<FixedAscii<LONGEST>>(&attribute)?
            .as_bytes()
            .to_vec(),
        TypeDescriptor::FixedUnicode(n) if n <= LONGEST => {
            first::<FixedUnicode<LONGEST>>(&attribute)?
                .as_bytes()
                .to_vec()
        }
        TypeDescriptor::VarLenAscii => first::<VarLenAscii>(&attribute)?.as_bytes().to_vec(),
        TypeDescriptor::VarLenUnicode => first::<VarLenUnicode>(&attribute)?.as_bytes().to_vec(),
        _ => return None,
    };
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
    let clean = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    Some(clean.to_owned())
}

/// First element as a number; texts that are numbers count.
pub(super) fn number(location: &Location, name: &str) -> Option<f64> {
    let attribute = find(location, name)?;
    match attribute.dtype().ok()?.to_descriptor().ok()? {
        TypeDescriptor::Integer(_) | TypeDescriptor::Unsigned(_) | TypeDescriptor::Float(_) => {
            first::<f64>(&attribute)
        }
        _ => text(location, name)?.parse().ok(),
    }
}

/// True if the attribute exists, whatever it is.
pub(super) fn exists(location: &Location, name: &str) -> bool {
    location.attr(name).is_ok()
}

fn find(location: &Location, name: &str) -> Option<Attribute> {
    let attribute = location.attr(name).ok()?;
    let elements = attribute
        .shape()
        .iter()
        .try_fold(1_usize, |n, &d| n.checked_mul(d))?;
    (1..=MOST).contains(&elements).then_some(attribute)
}

fn first<T: hdf5::H5Type>(attribute: &Attribute) -> Option<T> {
    attribute.read_raw::<T>().ok()?.into_iter().next()
}
