//! Datatypes that libhdf5 converts within bounds: whole numbers inside their bytes, IEEE floating point, texts, and what is
//! put together of them.

use hdf5::Datatype;
use hdf5_sys::h5t::{
    H5T_class_t, H5T_cset_t, H5T_norm_t, H5T_order_t, H5T_str_t, H5Tget_class, H5Tget_cset,
    H5Tget_ebias, H5Tget_fields, H5Tget_member_type, H5Tget_nmembers, H5Tget_norm, H5Tget_offset,
    H5Tget_order, H5Tget_precision, H5Tget_size, H5Tget_strpad, H5Tget_super,
};

/// Longest fixed text or element of any other kind, bytes; chosen: real ones have a few hundred.
const LARGEST_ELEMENT: usize = 1 << 20;
/// Datatypes within datatypes; chosen: NetCDF-4's own have three.
const DEEPEST: usize = 8;
/// Members of a compound or enumeration; chosen.
const MOST_MEMBERS: i32 = 1000;

/// Sign, exponent and mantissa of a floating-point format, bits.
#[derive(Debug, PartialEq, Eq)]
struct Fields {
    sign: usize,
    exponent: (usize, usize),
    mantissa: (usize, usize),
    bias: usize,
}

/// What the library says of a datatype.
struct Facts {
    class: H5T_class_t,
    size: usize,
    order: H5T_order_t,
    precision: usize,
    offset: i32,
}

/// The IEEE 754 formats of 2, 4 and 8 bytes (definition).
fn ieee(size: usize) -> Option<Fields> {
    let (exponent, mantissa, bias) = match size {
        2 => (5, 10, 15),
        4 => (8, 23, 127),
        8 => (11, 52, 1023),
        _ => return None,
    };
    Some(Fields {
        sign: 8 * size - 1,
        exponent: (mantissa, exponent),
        mantissa: (0, mantissa),
        bias,
    })
}

/// Checks a datatype and all that it is put together of.
///
/// # Errors
/// Words that say what is wrong.
pub(super) fn check(datatype: &Datatype) -> Result<(), String> {
    nested(datatype, DEEPEST)
}

fn nested(datatype: &Datatype, depth: usize) -> Result<(), String> {
    let facts = facts(datatype);
    if !(1..=LARGEST_ELEMENT).contains(&facts.size) {
        return Err(format!(
            "elements of {} bytes are damaged or absurd",
            facts.size
        ));
    }
    match facts.class {
        H5T_class_t::H5T_INTEGER | H5T_class_t::H5T_BITFIELD => whole(&facts),
        H5T_class_t::H5T_FLOAT => floating(datatype, &facts),
        H5T_class_t::H5T_STRING => text(datatype),
        H5T_class_t::H5T_OPAQUE | H5T_class_t::H5T_REFERENCE => Ok(()),
        H5T_class_t::H5T_COMPOUND
        | H5T_class_t::H5T_ENUM
        | H5T_class_t::H5T_VLEN
        | H5T_class_t::H5T_ARRAY => {
            if depth == 0 {
                return Err("datatypes are nested too deeply".to_owned());
            }
            for part in parts(datatype, facts.class)? {
                nested(&part, depth - 1)?;
            }
            Ok(())
        }
        _ => Err("its datatype is none that is known".to_owned()),
    }
}

fn facts(datatype: &Datatype) -> Facts {
    let id = datatype.id();
    // SAFETY: the handle is open while `datatype` is borrowed, `sync` holds the library's lock; the functions only look.
    hdf5::sync::sync(|| unsafe {
        Facts {
            class: H5Tget_class(id),
            size: H5Tget_size(id),
            order: H5Tget_order(id),
            precision: H5Tget_precision(id),
            offset: H5Tget_offset(id),
        }
    })
}

/// The bits of a whole number lie inside its bytes.
fn whole(facts: &Facts) -> Result<(), String> {
    let bits = 8 * facts.size;
    let inside = usize::try_from(facts.offset)
        .ok()
        .and_then(|offset| offset.checked_add(facts.precision))
        .is_some_and(|end| facts.precision >= 1 && end <= bits);
    if !(matches!(facts.size, 1 | 2 | 4 | 8) && inside && is_ordered(facts)) {
        return Err(format!(
            "its whole numbers of {} bytes claim {} bits from bit {}",
            facts.size, facts.precision, facts.offset
        ));
    }
    Ok(())
}

/// A text ends and is encoded in a way that is defined.
fn text(datatype: &Datatype) -> Result<(), String> {
    let id = datatype.id();
    // SAFETY: as in `facts`.
    let (ending, encoding) = hdf5::sync::sync(|| unsafe { (H5Tget_strpad(id), H5Tget_cset(id)) });
    let ends = matches!(
        ending,
        H5T_str_t::H5T_STR_NULLTERM | H5T_str_t::H5T_STR_NULLPAD | H5T_str_t::H5T_STR_SPACEPAD
    );
    match ends
        && matches!(
            encoding,
            H5T_cset_t::H5T_CSET_ASCII | H5T_cset_t::H5T_CSET_UTF8
        ) {
        true => Ok(()),
        false => Err("its texts end or are encoded in a way that is not defined".to_owned()),
    }
}

/// Little or big endian; anything else is a VAX or damage.
fn is_ordered(facts: &Facts) -> bool {
    matches!(
        facts.order,
        H5T_order_t::H5T_ORDER_LE | H5T_order_t::H5T_ORDER_BE
    )
}

fn floating(datatype: &Datatype, facts: &Facts) -> Result<(), String> {
    let id = datatype.id();
    let mut bits = [0_usize; 5];
    let [sign, exponent, exponent_size, mantissa, mantissa_size] = &mut bits;
    // SAFETY: as in `facts`; the five places are valid and distinct.
    let (status, bias, norm) = hdf5::sync::sync(|| unsafe {
        (
            H5Tget_fields(id, sign, exponent, exponent_size, mantissa, mantissa_size),
            H5Tget_ebias(id),
            H5Tget_norm(id),
        )
    });
    let found = Fields {
        sign: bits[0],
        exponent: (bits[1], bits[2]),
        mantissa: (bits[3], bits[4]),
        bias,
    };
    let whole = facts.offset == 0 && facts.precision == 8 * facts.size && is_ordered(facts);
    if status < 0
        || norm != H5T_norm_t::H5T_NORM_IMPLIED
        || !whole
        || ieee(facts.size) != Some(found)
    {
        return Err(format!(
            "its floating-point numbers of {} bytes are not those of IEEE 754",
            facts.size
        ));
    }
    Ok(())
}

/// Datatypes that a datatype is put together of.
fn parts(datatype: &Datatype, class: H5T_class_t) -> Result<Vec<Datatype>, String> {
    let damaged = |_| "a part of its datatype cannot be read".to_owned();
    let id = datatype.id();
    if class != H5T_class_t::H5T_COMPOUND {
        // SAFETY: as in `facts`; the handle that comes back is owned by the `Datatype` made of it, which checks it.
        let base = hdf5::sync::sync(|| unsafe { hdf5::from_id(H5Tget_super(id)) });
        return base.map(|base| vec![base]).map_err(damaged);
    }
    // SAFETY: as in `facts`.
    let count = hdf5::sync::sync(|| unsafe { H5Tget_nmembers(id) });
    if !(1..=MOST_MEMBERS).contains(&count) {
        return Err(format!("its datatype has {count} members"));
    }
    (0..count.unsigned_abs())
        .map(|k| {
            // SAFETY: as above, and `k` is a member.
            let member = hdf5::sync::sync(|| unsafe { hdf5::from_id(H5Tget_member_type(id, k)) });
            member.map_err(damaged)
        })
        .collect()
}
