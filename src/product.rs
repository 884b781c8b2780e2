//! Everything a user finds on disk: names and layout, acquisition products, screened masks, the
//! background, the stack, exports, STAC and pictures.
//!
//! Three promises hold for every product: its folder appears whole, by one rename
//! ([`publish::Staging`]); the same values give the same bytes; a full disk or an unwritable folder
//! is a typed error and leaves nothing behind. Every folder lists its files with their checksums ([`checksums`]).
//!
//! ```text
//! OUT/tiles/31/U/FS/acquisitions/2018/PROBAV_ARD_31UFS_20180503T104512_C_100M/   [`acquisition`]
//!                  /screened/2018/PROBAV_ARD_31UFS_20180503T104512_C_100M/       [`screened`]
//!                  /background/PROBAV_ARD_31UFS_100M/                            [`background`]
//!                  /stack/PROBAV_ARD_31UFS_P5D.zarr                              [`stack`]
//! ```

mod acquisition;
mod background;
pub mod checksums;
mod error;
pub mod export;
mod folder;
pub mod geotiff;
mod id;
pub mod layers;
pub mod layout;
mod palette;
pub mod publish;
mod quicklook;
mod reader;
pub mod record;
mod screened;
pub mod stac;
pub mod stack;
mod style;
mod verify;
mod window;

pub use acquisition::{Acquisition, Extra, write_acquisition};
pub use background::{read_background, write_background};
pub use error::ProductError;
pub use id::{AcquisitionId, BadAcquisitionId};
pub(crate) use reader::acquisition_folders;
pub use reader::{AcquisitionReader, list_acquisitions};
pub use screened::write_screened;
pub use verify::{Verified, verify};
