//! Text of others, such as file names and attributes, as it may be shown on a terminal and in a log.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with everything that a terminal would obey, or that would forge a line, written out: control characters, line
/// and paragraph separators, marks that turn the direction of writing, invisible characters.
///
/// ```
/// use probav_ard::types::text::plain;
///
/// assert_eq!(plain("an ordinary näme.tif"), "an ordinary näme.tif");
/// assert_eq!(plain("x\n ERROR all lost\u{1b}[2J"), "x\\n ERROR all lost\\u{1b}[2J");
/// ```
pub fn plain(text: &str) -> Cow<'_, str> {
    written_out(text, |_| false)
}

/// As [`plain`], for text of several lines: its line ends stay.
pub fn plain_lines(text: &str) -> Cow<'_, str> {
    written_out(text, |c| c == '\n')
}

/// As [`plain_lines`], for text that is JSON: what is written out stays JSON of the same value.
///
/// ```
/// assert_eq!(probav_ard::types::text::plain_json("{\"name\": \"a\u{202e}b\"}"), "{\"name\": \"a\\u202eb\"}");
/// ```
pub fn plain_json(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| !is_obeyed(c) || c == '\n';
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if harmless(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    Cow::Owned(out)
}

fn written_out(text: &str, kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_obeyed(c) && !kept(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_obeyed(c) && !kept(c) {
            // a String takes whatever is written to it
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Characters that change what is shown elsewhere (definition: Unicode's categories Cc and Zl, Zp, and the format
/// characters of the bidirectional algorithm and of no width).
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_comes_through() {
        for (text, shown) in [
            ("a\u{1b}]0;title\u{7}", "a\\u{1b}]0;title\\u{7}"),
            ("one\r\ntwo", "one\\r\\ntwo"),
            ("c1 \u{9b}31m", "c1 \\u{9b}31m"),
            ("gpj\u{202e}fit.exe", "gpj\\u{202e}fit.exe"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("line\u{2028}separator", "line\\u{2028}separator"),
            ("\u{7f}", "\\u{7f}"),
        ] {
            assert_eq!(plain(text), shown);
        }
    }

    #[test]
    fn ordinary_text_is_left_and_not_copied() {
        for text in ["", "ärger 東京 Ω", "C:\\x", "emoji 🛰"] {
            assert!(matches!(plain(text), Cow::Borrowed(same) if same == text));
        }
        assert!(matches!(plain_lines("a\nb\n"), Cow::Borrowed(_)));
        assert_eq!(plain_lines("a\nb\u{1b}"), "a\nb\\u{1b}");
    }
}
