//! All objects of a file, each once, within bounds.

use super::links::{self, Kind};
use super::{Refusal, attributes, datatype, header, storage};
use hdf5::{Group, Location, LocationType};
use hdf5_sys::h5o::{H5O_INFO_BASIC, H5O_info1_t, H5Oget_info_by_name2};
use hdf5_sys::h5p::H5P_DEFAULT;
use std::collections::HashSet;
use std::ffi::CString;
use std::fs::File;
use std::mem::MaybeUninit;

/// Objects of one file; chosen: a Level-1C file has about a hundred.
const MOST_OBJECTS: usize = 10_000;
/// Groups within groups; chosen: Level-1C has three.
const DEEPEST: usize = 16;
/// Attributes of one object; chosen: real ones have some dozens.
const MOST_ATTRIBUTES: usize = 1000;

/// Looks through all objects of a file of `size` bytes, open for the library and as `bytes`.
pub(super) fn look_through(file: &hdf5::File, bytes: &File, size: u64) -> Result<(), Refusal> {
    let root = file
        .group("/")
        .map_err(|_| damaged("/", "cannot be opened"))?;
    let mut walk = Walk {
        bytes,
        base: file.userblock(),
        size,
        left: MOST_OBJECTS,
        claimed: 0,
        seen: HashSet::new(),
    };
    let names = walk.enter(&root, ".", "/")?.unwrap_or_default();
    walk.attributes(&root, "/", names)?;
    walk.members(&root, "", DEEPEST)
}

/// Names of attributes, unless the library has to list them.
type Names = Option<Vec<String>>;

struct Walk<'a> {
    bytes: &'a File,
    /// Bytes before the first that addresses count from.
    base: u64,
    size: u64,
    /// Objects that may still come.
    left: usize,
    /// Bytes claimed by the datasets met.
    claimed: u64,
    /// Places of the objects met: hard links can form circles.
    seen: HashSet<u64>,
}

fn damaged(object: &str, reason: impl Into<String>) -> Refusal {
    Refusal::Damaged {
        object: object.to_owned(),
        reason: reason.into(),
    }
}

impl Walk<'_> {
    fn members(&mut self, group: &Group, path: &str, depth: usize) -> Result<(), Refusal> {
        let wrong = |reason: String| damaged(if path.is_empty() { "/" } else { path }, reason);
        if depth == 0 {
            return Err(wrong("groups are nested too deeply".to_owned()));
        }
        for (name, kind) in links::of(group, self.left).map_err(wrong)? {
            let object = format!("{path}/{name}");
            let outside = |reason: &str| Refusal::Outside {
                object: object.clone(),
                reason: reason.to_owned(),
            };
            match kind {
                Kind::Hard => self.object(group, &name, &object, depth)?,
                Kind::Soft => {}
                Kind::External => return Err(outside("an external link to another file")),
                Kind::UserDefined => return Err(outside("a user-defined link")),
            }
        }
        Ok(())
    }

    fn object(
        &mut self,
        group: &Group,
        name: &str,
        object: &str,
        depth: usize,
    ) -> Result<(), Refusal> {
        let unreadable = |_| damaged(object, "cannot be opened");
        let Some(names) = self.enter(group, name, object)? else {
            return Ok(());
        };
        let kind = group.loc_type_by_name(name).map_err(unreadable)?;
        match kind {
            LocationType::Group => {
                let group = group.group(name).map_err(unreadable)?;
                self.attributes(&group, object, names)?;
                self.members(&group, object, depth - 1)
            }
            LocationType::Dataset => {
                let dataset = group.dataset(name).map_err(unreadable)?;
                let layout = storage::inside_the_file(&dataset, object)?;
                let kind = dataset
                    .dtype()
                    .map_err(|_| damaged(object, "its datatype cannot be read"))?;
                datatype::check(&kind).map_err(|reason| damaged(object, reason))?;
                let bytes = storage::claimed(&dataset, layout, kind.size(), self.size)
                    .map_err(|reason| damaged(object, reason))?;
                self.claimed = self.claimed.saturating_add(bytes);
                if self.claimed > storage::allowed(self.size) {
                    let reason = "the datasets claim more than the file can hold";
                    return Err(damaged(object, reason));
                }
                self.attributes(&dataset, object, names)
            }
            _ => {
                let named = group.committed_datatype(name).map_err(unreadable)?;
                datatype::check(named.as_datatype()).map_err(|reason| damaged(object, reason))
            }
        }
    }

    /// Counts an object and checks its header; nothing where it has been met before, else the names of its attributes.
    fn enter(&mut self, group: &Group, name: &str, object: &str) -> Result<Option<Names>, Refusal> {
        let address = address(group, name).ok_or_else(|| damaged(object, "cannot be opened"))?;
        if !self.seen.insert(address) {
            return Ok(None);
        }
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| damaged(object, "there are too many objects"))?;
        header::attributes(self.bytes, self.base.saturating_add(address))
            .map(Some)
            .map_err(|reason| damaged(object, reason))
    }

    /// Attributes lie whole in the file: more bytes than it has is damage.
    fn attributes(&self, at: &Location, object: &str, names: Names) -> Result<(), Refusal> {
        let names = match names {
            Some(names) if names.len() > MOST_ATTRIBUTES => {
                return Err(damaged(
                    object,
                    format!("more than {MOST_ATTRIBUTES} attributes"),
                ));
            }
            Some(names) => names,
            None => {
                attributes::of(at, MOST_ATTRIBUTES).map_err(|reason| damaged(object, reason))?
            }
        };
        for name in names {
            let wrong = |reason: String| damaged(object, format!("attribute {name}: {reason}"));
            let opened = || "it cannot be read".to_owned();
            let attribute = at.attr(&name).map_err(|_| wrong(opened()))?;
            let kind = attribute.dtype().map_err(|_| wrong(opened()))?;
            datatype::check(&kind).map_err(wrong)?;
            let shape = attribute.get_shape().map_err(|_| wrong(opened()))?;
            let bytes = storage::elements(&shape).and_then(|n| n.checked_mul(kind.size() as u64));
            if bytes.is_none_or(|b| b > self.size) {
                return Err(wrong(format!("{shape:?} values do not fit into the file")));
            }
        }
        Ok(())
    }
}

/// Where the header of an object begins; the library looks at nothing else of it.
fn address(group: &Group, name: &str) -> Option<u64> {
    let name = CString::new(name).ok()?;
    let mut info = MaybeUninit::<H5O_info1_t>::uninit();
    hdf5::sync::sync(|| {
        // SAFETY: the handle is open while `group` is borrowed, the name is a C string, `sync` holds the library's lock, and
        // the structure is read only where the library says that it has filled it.
        unsafe {
            let place = info.as_mut_ptr();
            (H5Oget_info_by_name2(
                group.id(),
                name.as_ptr(),
                place,
                H5O_INFO_BASIC,
                H5P_DEFAULT,
            ) >= 0)
                .then(|| info.assume_init_ref().addr)
        }
    })
}
