//! Exports: of the stack for readers without Zarr (multi-band COG, NetCDF-4 with CF attributes), of acquisitions in the manner of
//! PROBA-V's own products.

mod cog;
mod item;
mod leftovers;
mod legacy;
mod netcdf;

pub use cog::cog;
pub(crate) use cog::{copy_as_cog, plain_file};
pub use item::item;
pub use legacy::{legacy, legacy_name};
pub use netcdf::netcdf;
pub(crate) use netcdf::{attribute, put_all};

use super::ProductError;
use super::stack::StackReader;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Rows copied at a time: by definition those of a chunk, so that every chunk is decoded once.
const ROWS: usize = super::stack::CHUNK_SIDE;

/// The steps asked for that the stack has.
fn within(stack: &StackReader, steps: &Range<i32>) -> Result<Range<i32>, ProductError> {
    let all = stack.steps();
    let cut = steps.start.max(all.start)..steps.end.min(all.end);
    if cut.is_empty() {
        return Err(ProductError::OutOfRange {
            what: format!("the range of steps {steps:?}"),
            path: stack.path().to_path_buf(),
        });
    }
    Ok(cut)
}

/// A scratch file beside the target, on the same file system; removed when dropped.
pub(crate) fn scratch(target: &Path, suffix: &str) -> Result<tempfile::TempPath, ProductError> {
    let parent = match target.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(ProductError::write(parent))?;
    leftovers::sweep(parent);
    tempfile::Builder::new()
        .prefix(&leftovers::prefix())
        .suffix(suffix)
        .tempfile_in(parent)
        .map(|f| f.into_temp_path())
        .map_err(ProductError::write(target))
}

/// Syncs a finished scratch file and gives it its name.
pub(crate) fn publish(scratch: tempfile::TempPath, target: &Path) -> Result<PathBuf, ProductError> {
    use std::os::unix::fs::PermissionsExt;
    let wrap = |e| ProductError::write(target)(e);
    let file = fs::File::open(&scratch).map_err(wrap)?;
    // temporary files are private; an export is as public as the umask of its folder's files allows
    file.set_permissions(fs::Permissions::from_mode(0o644))
        .and_then(|()| file.sync_all())
        .map_err(|e| ProductError::write(target)(e))?;
    scratch
        .persist(target)
        .map_err(|e| ProductError::write(target)(e.error))?;
    Ok(target.to_path_buf())
}
