//! The floors of the house: imports go down, never up and never sideways between rooms of one floor.

use std::collections::BTreeSet;
use std::path::Path;

/// Floors from the ground up.
const FLOORS: [&str; 12] = [
    "types", "imaging", "formats", "sources", "stages", "scene", "product", "catalog", "cube",
    "pipeline", "serve", "cli",
];
/// Floors whose rooms know nothing of each other.
const APART: [&str; 2] = ["sources", "stages"];
/// Rooms of the pipeline from the ground up; a step is one way to use what lies below, execution another.
const PIPELINE: [&str; 5] = ["config", "plan", "tasks", "execute", "steps"];

/// One file: its path below `src` without ending, and its text.
struct File {
    rooms: Vec<String>,
    text: String,
}

fn files(folder: &Path, below: &[String], found: &mut Vec<File>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut rooms = below.to_vec();
        rooms.push(path.file_stem().unwrap().to_str().unwrap().to_string());
        if path.is_dir() {
            files(&path, &rooms, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push(File { rooms, text });
        }
    }
}

/// Code without comments and without tests.
fn code(file: &File) -> String {
    if file.rooms.iter().any(|r| r == "tests") {
        return String::new();
    }
    let before_tests = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = before_tests.lines().map(|l| l.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// First two rooms of every path into this package.
fn imports(code: &str) -> BTreeSet<(String, Option<String>)> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut found = BTreeSet::new();
    for start in ["crate::", "probav_ard::"] {
        for (at, _) in code.match_indices(start) {
            let rest = &code[at + start.len()..];
            let floor = word(rest);
            let room = rest[floor.len()..].strip_prefix("::").map(word);
            found.insert((floor, room.filter(|r| !r.is_empty())));
        }
    }
    found
}

fn height(floors: &[&str], name: &str) -> Option<usize> {
    floors.iter().position(|f| *f == name)
}

/// What is wrong with the imports of a file, one sentence each.
fn wrong(file: &File) -> Vec<String> {
    let name = file.rooms.join("/");
    let floor = match file.rooms[0].as_str() {
        "lib" => return Vec::new(),
        "main" => "cli",
        floor => floor,
    };
    let Some(own) = height(&FLOORS, floor) else {
        return vec![format!("{name} stands on no floor")];
    };
    let mut all = Vec::new();
    for (other, room) in imports(&code(file)) {
        if other.is_empty() {
            all.push(format!(
                "{name} groups imports of several floors: name each on a line"
            ));
            continue;
        }
        let Some(theirs) = height(&FLOORS, &other) else {
            // what the front page re-exports is for users, not for the house
            if other.chars().next().is_some_and(char::is_lowercase) && own < FLOORS.len() - 1 {
                all.push(format!("{name} imports {other}, which is no floor"));
            }
            continue;
        };
        if theirs > own {
            all.push(format!("{name} imports {other}, which lies above it"));
        }
        let (Some(mine), Some(room)) = (file.rooms.get(1), room) else {
            continue;
        };
        if other != floor || *mine == room {
            continue;
        }
        if APART.contains(&floor) && room.chars().all(|c| !c.is_uppercase()) {
            all.push(format!(
                "{name} imports {other}/{room}, a room of its own floor"
            ));
        }
        if floor == "pipeline"
            && let (Some(a), Some(b)) = (height(&PIPELINE, mine), height(&PIPELINE, &room))
            && (b > a || (mine == "steps" && room == "execute"))
        {
            all.push(format!(
                "{name} imports pipeline/{room}, which lies above it"
            ));
        }
    }
    all
}

#[test]
fn no_import_runs_upward_or_between_rooms_of_one_floor() {
    let mut house = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &[],
        &mut house,
    );
    assert!(house.len() > 200);
    let all: Vec<String> = house.iter().flat_map(wrong).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn an_import_that_runs_the_wrong_way_is_found() {
    let file = |path: &str, text: &str| File {
        rooms: path.split('/').map(str::to_string).collect(),
        text: text.to_string(),
    };
    for (path, text) in [
        ("types/grid", "use crate::imaging::rings;"),
        ("stages/mask/cloud", "use crate::stages::fusion::InMemory;"),
        ("sources/dem", "fn f() { crate::sources::cams::f() }"),
        ("scene/builder", "use crate::{product, types};"),
        ("scene/builder", "use crate::product::Extra;"),
        ("product/stac", "use crate::pipeline::Config;"),
        (
            "pipeline/plan/index",
            "use crate::pipeline::tasks::acquire;",
        ),
        ("pipeline/steps/mask", "use crate::pipeline::execute::pool;"),
        ("loose", ""),
    ] {
        assert_eq!(wrong(&file(path, text)).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        (
            "stages/mask/cloud",
            "use crate::types::grid::GridSpec;\n/// [`crate::pipeline`]",
        ),
        ("stages/mask/cloud", "use crate::stages::mask::halo;"),
        (
            "stages/mask",
            "#[cfg(test)]\nmod tests {\n    use crate::pipeline::Config;\n}",
        ),
        ("pipeline/execute/run", "use crate::pipeline::plan::index;"),
        ("main", "use probav_ard::pipeline;"),
    ] {
        assert!(wrong(&file(path, text)).is_empty(), "{path}: {text}");
    }
}
