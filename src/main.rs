//! The `probav-ard` command.

fn main() {}
