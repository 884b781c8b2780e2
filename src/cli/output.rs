//! Standard output and standard error: what is shown obeys no escape of a file name, and what cannot be written is said once.

use probav_ard::types::text;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::OnceLock;

/// The first failure to write standard output.
static LOST: OnceLock<String> = OnceLock::new();

/// Prints a table or a line to standard output. Control characters in it are written out, line ends are its own.
pub(crate) fn print(what: &dyn Display) {
    write(text::plain_lines(&what.to_string()).as_bytes());
}

/// Prints JSON to standard output.
pub(crate) fn print_json(what: &str) {
    write(text::plain_json(what).as_bytes());
}

/// Prints to standard error; nothing can be said of a failure.
pub(crate) fn eprint(what: &dyn Display) {
    let _ = io::stderr().write_all(text::plain_lines(&what.to_string()).as_bytes());
}

fn write(bytes: &[u8]) {
    remember(io::stdout().write_all(bytes));
}

/// A reader that has gone away has had enough; anything else is a loss.
fn remember(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error.to_string());
    }
}

/// Writes out what is held back; words of the system where standard output was lost.
pub(super) fn lost() -> Option<&'static str> {
    remember(io::stdout().flush());
    LOST.get().map(String::as_str)
}
