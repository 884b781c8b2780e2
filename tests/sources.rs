//! Sources lead somewhere: what a comment cites is there, and every threshold tells where it comes from.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
}

fn below(folders: &[&str], ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in folders {
        files(&root().join(folder), ending, &mut found);
    }
    found
}

/// Text of comments as one line each block, so that a citation broken over lines is whole.
fn comments(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line.trim_start().strip_prefix("//") {
            Some(comment) => {
                out.push(' ');
                out.push_str(comment.trim_start_matches(['/', '!']).trim());
            }
            None => out.push('\n'),
        }
    }
    out
}

/// Pages of `docs/sources` that a text cites, each with what follows the name.
fn citations(comments: &str) -> Vec<(String, String)> {
    comments
        .match_indices("docs/sources/")
        .filter_map(|(at, start)| {
            let rest = &comments[at + start.len()..];
            let (page, after) = rest.split_once(".md")?;
            let after = after.lines().next().unwrap_or_default();
            Some((page.to_string(), after.chars().take(80).collect()))
        })
        .collect()
}

/// Words that tell where a number comes from.
const ORIGINS: [&str; 6] = ["docs/", "source", "tuned", "chosen", "defin", "measured"];

fn tells_origin(doc: &str) -> bool {
    let words = doc.to_lowercase();
    let year = |w: &str| {
        let digits: String = w.chars().filter(char::is_ascii_digit).collect();
        digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20"))
    };
    ORIGINS.iter().any(|o| words.contains(o)) || words.split_whitespace().any(year)
}

/// Numbers with a name in a text, constants and fields of parameter structs, whose comment says nothing of an origin.
fn without_origin(text: &str, params: bool) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let (mut doc, mut found) = (String::new(), Vec::new());
    for line in code.lines().map(str::trim_start) {
        if let Some(comment) = line.strip_prefix("///") {
            doc.push_str(comment);
            continue;
        }
        if line.starts_with("#[") || line.starts_with("//") {
            continue;
        }
        let bare = line
            .strip_prefix("pub(super) ")
            .or(line.strip_prefix("pub(crate) "))
            .or(line.strip_prefix("pub "))
            .unwrap_or(line);
        let number = |kind: &str| {
            let kind = kind.trim().trim_start_matches('[').trim_start_matches('(');
            // bytes are codes of classes, not thresholds
            [
                "f32", "f64", "usize", "i16", "i32", "i64", "u16", "u32", "u64",
            ]
            .iter()
            .any(|k| kind.starts_with(k))
        };
        let named = match bare
            .strip_prefix("const ")
            .filter(|rest| !rest.starts_with("fn "))
        {
            Some(rest) => rest.split_once(':').filter(|(_, kind)| number(kind)),
            None if params && bare != line => bare
                .split_once(':')
                .filter(|(name, kind)| !name.contains(['(', ' ']) && number(kind)),
            None => None,
        };
        if let Some((name, _)) = named
            && !tells_origin(&doc)
        {
            found.push(name.to_string());
        }
        doc.clear();
    }
    found
}

/// Numbers without a name that something is compared with; halves and whole units need none.
fn bare_thresholds(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut found = Vec::new();
    for line in code.lines().map(|l| l.split("//").next().unwrap()) {
        for (at, _) in line.match_indices(['<', '>']) {
            // arrows compare nothing
            if line[..at].ends_with(['=', '-']) {
                continue;
            }
            let rest = line[at + 1..].trim_start_matches('=').trim_start();
            let number: String = rest
                .trim_start_matches('-')
                .chars()
                .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '_' | 'e' | '-'))
                .collect();
            let value = number.trim_end_matches(['-', '_', 'e']).replace('_', "");
            let named = ["0.0", "0.5", "1.0", "2.0", "0.", "1."].contains(&value.as_str());
            if value.contains('.') && !value.starts_with('.') && !value.contains("..") && !named {
                found.push(line.trim().to_string());
            }
        }
    }
    found
}

#[test]
fn no_decision_compares_with_a_number_that_has_no_name() {
    let rooms = ["mask", "temporal", "composite", "fusion", "register"];
    let folders = rooms.map(|r| format!("src/stages/{r}"));
    let mut wrong = Vec::new();
    for path in below(&folders.each_ref().map(String::as_str), "rs") {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if !name.contains("/tests") {
            let text = std::fs::read_to_string(&path).unwrap();
            wrong.extend(
                bare_thresholds(&text)
                    .iter()
                    .map(|l| format!("{name}: {l}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(bare_thresholds("if brightness > 0.31 {").len(), 1);
    assert!(bare_thresholds("if share > 0.5 && x < LIMIT { // > 0.3").is_empty());
}

#[test]
fn nothing_cites_what_is_not_in_the_repository() {
    let mut all = Vec::new();
    for ending in ["rs", "py", "md", "toml"] {
        all.extend(below(
            &["src", "tests", "benches", "examples", "docs"],
            ending,
        ));
    }
    assert!(all.len() > 200);
    for path in all {
        if path.ends_with("tests/sources.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.display();
        assert!(!text.contains("design.md"), "{name} cites design.md");
        assert!(
            !text.contains("../shared"),
            "{name} cites a folder beside the repository"
        );
        for (at, _) in text.match_indices("reference/") {
            let word = text[at..].split_whitespace().next().unwrap();
            assert!(!word.contains(".md"), "{name} cites {word}");
        }
        if path.extension().is_some_and(|e| e == "rs") {
            assert!(
                !text.contains('§'),
                "{name} has a bare paragraph sign: name the document and the section"
            );
        }
    }
}

#[test]
fn every_cited_page_and_entry_is_there() {
    let mut count = 0;
    for path in below(&["src", "benches", "examples", "tests"], "rs") {
        if path.ends_with("tests/sources.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (page, after) in citations(&comments(&text)) {
            let name = path.strip_prefix(root()).unwrap().display();
            let file = root().join(format!("docs/sources/{page}.md"));
            let words = std::fs::read_to_string(&file)
                .unwrap_or_else(|e| panic!("{name} cites docs/sources/{page}.md: {e}"));
            count += 1;
            // a name after the page is one of its headings
            let Some(entry) = after.trim_start_matches('`').strip_prefix(", ") else {
                continue;
            };
            let headings = words.lines().filter(|l| l.starts_with('#'));
            let known = headings
                .map(|h| h.trim_start_matches('#').trim().to_lowercase())
                .any(|h| !h.is_empty() && entry.to_lowercase().starts_with(&h));
            let is_name = entry.starts_with(char::is_uppercase);
            assert!(
                known || !is_name,
                "{name}: docs/sources/{page}.md has no entry for '{entry}'"
            );
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn every_threshold_of_the_decisions_tells_where_it_comes_from() {
    let rooms = ["mask", "temporal", "composite", "fusion", "register"];
    let folders = rooms.map(|r| format!("src/stages/{r}"));
    let mut wrong = Vec::new();
    let mut paths = below(&folders.each_ref().map(String::as_str), "rs");
    paths.extend(rooms.map(|r| root().join(format!("src/stages/{r}.rs"))));
    for path in paths {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if name.contains("/tests") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let params = name.contains("params");
        wrong.extend(
            without_origin(&text, params)
                .iter()
                .map(|n| format!("{name}: {n}")),
        );
    }
    assert!(
        wrong.is_empty(),
        "{} numbers without origin:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_number_without_origin_is_found() {
    let bad = "/// Widest buffer, pixels.\npub const WIDEST: usize = 7;\nconst NAKED: f32 = 0.3;\n";
    assert_eq!(without_origin(bad, false), ["WIDEST", "NAKED"]);
    let good = "/// Widest buffer, pixels (docs/sources/masking.md, Buffers).\npub const WIDEST: usize = 7;\n";
    assert!(without_origin(good, false).is_empty());
    let field = "pub struct P {\n    /// Low.\n    pub low: f32,\n    /// High, chosen.\n    pub high: f32,\n}";
    assert_eq!(without_origin(field, true), ["low"]);
    assert!(tells_origin("Roerink, Menenti and Verhoef 2000") && !tells_origin("of 300 m"));
}
