//! Everything a user finds on disk.
