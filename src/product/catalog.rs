//! A static STAC tree, on request.
