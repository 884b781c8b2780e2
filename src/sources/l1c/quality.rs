//! Quality codes of the `Q` rasters.

use crate::types::observation::quality;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a quality code means \[READ\] (docs/sources/l1c.md, Quality codes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Meaning {
    /// No bad indicator.
    Correct,
    /// No value, because of a bad detector.
    Missing,
    /// The raw count was 4095.
    WasSaturated,
    /// Saturated during the TOA computation.
    BecameSaturated,
    /// Became negative during the TOA computation.
    BecameNegative,
    /// Interpolated from neighbours.
    Interpolated,
    /// Uncertain because of on-board compression at a border.
    BorderCompressed,
}

impl Meaning {
    /// All meanings, in the order of table B.
    pub const ALL: [Meaning; 7] = [
        Meaning::Correct,
        Meaning::Missing,
        Meaning::WasSaturated,
        Meaning::BecameSaturated,
        Meaning::BecameNegative,
        Meaning::Interpolated,
        Meaning::BorderCompressed,
    ];

    /// Bits of [`crate::types::observation::quality`].
    pub const fn bits(self) -> u8 {
        match self {
            Meaning::Correct => 0,
            Meaning::Missing => quality::MISSING,
            Meaning::WasSaturated | Meaning::BecameSaturated => quality::SATURATED,
            Meaning::BecameNegative => quality::NEGATIVE,
            Meaning::Interpolated => quality::INTERPOLATED,
            Meaning::BorderCompressed => quality::BORDER,
        }
    }

    /// The meaning of a word, whatever its case.
    fn from_word(word: &str) -> Option<Meaning> {
        Meaning::ALL
            .into_iter()
            .find(|m| format!("{m:?}").eq_ignore_ascii_case(word))
    }
}

/// Code of each meaning in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Codes {
    /// Sorted by meaning.
    pub codes: BTreeMap<Meaning, u8>,
}

impl Codes {
    /// Table A of docs/sources/l1c.md, Quality codes: Correct is 6 \[READ\].
    pub(super) fn table_a() -> Codes {
        Codes::numbered((0..7).rev())
    }

    /// Table B there: Correct is 0 \[INF\].
    pub(super) fn table_b() -> Codes {
        Codes::numbered(0..7)
    }

    fn numbered(codes: impl Iterator<Item = u8>) -> Codes {
        let codes = Meaning::ALL.into_iter().zip(codes).collect();
        Codes { codes }
    }

    /// Codes of a list; `None` unless Correct and Missing are in it and no code has two meanings.
    pub(super) fn from_map(codes: &BTreeMap<Meaning, u8>) -> Option<Codes> {
        let distinct: std::collections::BTreeSet<u8> = codes.values().copied().collect();
        let complete =
            codes.contains_key(&Meaning::Correct) && codes.contains_key(&Meaning::Missing);
        (complete && distinct.len() == codes.len()).then(|| Codes {
            codes: codes.clone(),
        })
    }

    /// The table that the most frequent value of a file points to.
    pub(super) fn from_mode(most_frequent: u8) -> Option<Codes> {
        match most_frequent {
            6 => Some(Codes::table_a()),
            0 => Some(Codes::table_b()),
            _ => None,
        }
    }

    /// Reads the code list of a description, like `0=Correct, 1=Missing` or `Correct: 0; Missing: 1`.
    ///
    /// ```
    /// use probav_ard::sources::l1c::{Codes, Meaning};
    /// let codes = Codes::from_text("Quality indicator codes: 6=Correct, 5=Missing").unwrap();
    /// assert_eq!(codes.codes[&Meaning::Missing], 5);
    /// assert!(Codes::from_text("Quality indicator").is_none());
    /// ```
    pub fn from_text(text: &str) -> Option<Codes> {
        let tokens = tokens(text);
        let before = pairs(&tokens, |number, word| (number, word));
        let after = pairs(&tokens, |word, number| (number, word));
        let best = if after.len() > before.len() {
            after
        } else {
            before
        };
        Codes::from_map(&best)
    }

    /// Bits of [`crate::types::observation::quality`] of each code; a code without meaning is missing.
    pub(super) fn table(&self) -> [u8; 256] {
        let mut table = [quality::MISSING; 256];
        for (meaning, &code) in &self.codes {
            table[usize::from(code)] = meaning.bits();
        }
        table
    }
}

/// A number or a word of a description, with what stands between it and the one before.
struct Token<'a> {
    text: &'a str,
    joined: bool,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let kind = |c: char| {
        if c.is_ascii_digit() {
            1
        } else if c.is_ascii_alphabetic() {
            2
        } else {
            0
        }
    };
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut joined = false;
    let mut previous = 0;
    for (i, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let now = kind(c);
        if now != previous {
            if previous != 0 {
                tokens.push(Token {
                    text: &text[start..i],
                    joined,
                });
                joined = true;
            }
            start = i;
        }
        if now == 0 && !matches!(c, ' ' | '=' | ':' | '-' | '(' | ')' | '"' | '\'' | '\t') {
            joined = false;
        }
        previous = now;
    }
    tokens
}

/// Meanings and codes of neighbouring tokens; `order` puts (number, word) right.
fn pairs<'a>(
    tokens: &'a [Token<'a>],
    order: impl Fn(&'a str, &'a str) -> (&'a str, &'a str),
) -> BTreeMap<Meaning, u8> {
    let mut found = BTreeMap::new();
    for pair in tokens.windows(2).filter(|p| p[1].joined) {
        let (number, word) = order(pair[0].text, pair[1].text);
        if let (Ok(code), Some(meaning)) = (number.parse(), Meaning::from_word(word)) {
            found.entry(meaning).or_insert(code);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_read() {
        let b = "Quality indicator codes: 0=Correct, 1=Missing, 2=WasSaturated, 3=BecameSaturated, \
                 4=BecameNegative, 5=Interpolated, 6=BorderCompressed";
        assert_eq!(Codes::from_text(b), Some(Codes::table_b()));
        let a = "BorderCompressed: 0; Interpolated: 1; BecameNegative: 2; BecameSaturated: 3; \
                 WasSaturated: 4; Missing: 5; Correct: 6";
        assert_eq!(Codes::from_text(a), Some(Codes::table_a()));
        let spaced = "0 CORRECT 1 MISSING 2 WASSATURATED";
        let codes = Codes::from_text(spaced).expect("spaced");
        assert_eq!(codes.codes[&Meaning::WasSaturated], 2);
        assert_eq!(
            Codes::from_text("Correct (7), Missing (9)")
                .expect("brackets")
                .codes[&Meaning::Missing],
            9
        );
    }

    #[test]
    fn other_texts_are_not() {
        for text in [
            "",
            "Quality indicator",
            "0=Correct",
            "1=Correct, 1=Missing",
            "999=Correct, 1=Missing",
            "é0=Corréct, 1=Missing",
        ] {
            assert_eq!(Codes::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn tables_agree_with_the_note() {
        assert_eq!(Codes::table_a().codes[&Meaning::Correct], 6);
        assert_eq!(Codes::table_a().codes[&Meaning::BorderCompressed], 0);
        assert_eq!(Codes::table_a().codes[&Meaning::BecameNegative], 2);
        let bits = Codes::table_b().table();
        assert_eq!(bits[0], 0);
        assert_eq!(bits[1], quality::MISSING);
        assert_eq!(bits[3], quality::SATURATED);
        assert_eq!(bits[200], quality::MISSING);
    }
}
