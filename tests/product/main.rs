//! Products on disk: what is written is what is read, valid for others, and whole or absent.

mod acquisition;
mod atomicity;
mod background;
mod everything;
mod geotiff;
mod legacy;
mod legends;
mod schemas;
mod stac;
mod stack;
mod support;
