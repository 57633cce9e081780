//! The map of rooms holds: an import that points up or aside fails here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The rooms, top to bottom, and the rooms that each may use.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "app",
            "chat",
            "clients",
            "config",
            "domain",
            "formats",
            "logging",
            "recognition",
            "services",
            "storage",
            "tasks",
            "telegram",
            "web",
        ],
    ),
    // The process: it builds the services and keeps the folder; the doors come from cli.
    (
        "app",
        &["chat", "clients", "config", "domain", "recognition", "services", "storage", "tasks"],
    ),
    (
        "telegram",
        &["chat", "clients", "config", "domain", "formats", "services", "storage", "tasks"],
    ),
    (
        "web",
        &[
            "chat",
            "clients",
            "config",
            "domain",
            "formats",
            "recognition",
            "services",
            "storage",
            "tasks",
        ],
    ),
    ("chat", &["config", "domain", "formats", "recognition", "services", "storage", "tasks"]),
    ("services", &["clients", "config", "domain", "formats", "recognition", "storage", "tasks"]),
    ("recognition", &["domain", "formats"]),
    // Storage fills the plain types that recognition is given, and calls nothing of it.
    ("storage", &["config", "domain", "formats", "recognition"]),
    ("clients", &["config", "domain", "formats"]),
    ("formats", &["domain"]),
    ("logging", &["config"]),
    ("tasks", &[]),
    ("config", &["domain"]),
    ("domain", &[]),
];

/// Crates that belong to one floor: `teloxide` and `axum` are wires, SQL has one room.
const WIRES: &[(&str, &[&str])] = &[
    ("teloxide", &["telegram", "cli"]),
    ("axum", &["web", "cli"]),
    ("axum_extra", &["web"]),
    ("maud", &["web"]),
    ("clap", &["cli"]),
    // A service opens the transaction and hands it down; the SQL itself is storage's.
    ("rusqlite", &["storage", "services", "app", "cli"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each source file with its room, without its tests and comments.
fn files() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&src, &mut paths);
    paths
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(&src).expect("inside src").to_owned();
            let first = inside.components().next().expect("a name").as_os_str();
            let room = first.to_string_lossy().trim_end_matches(".rs").to_owned();
            let text = std::fs::read_to_string(&path).expect("text");
            let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            (room, inside, lines.collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

/// The names that follow `prefix` in the text: `crate::web` gives `web`; braces are opened.
fn named(text: &str, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => names.push(std::mem::take(&mut word)),
                    c if depth == 1 => word.push(c),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            names.push(word);
        } else {
            names.push(rest.to_owned());
        }
    }
    let word = |name: &String| {
        let name = name.trim();
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        name[..end].to_owned()
    };
    names.iter().map(word).filter(|name| !name.is_empty()).collect()
}

#[test]
fn no_import_points_up() {
    let rooms: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (room, path, code) in files() {
        if matches!(room.as_str(), "main" | "lib") {
            continue;
        }
        let Some(allowed) = rooms.get(room.as_str()) else {
            wrong.push(format!("{}: the room «{room}» is not on the map", path.display()));
            continue;
        };
        for used in named(&code, "crate::") {
            let known = rooms.contains_key(used.as_str());
            if known && used != room && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}: {room} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wire_stays_in_its_door_and_sql_in_its_room() {
    let mut wrong = Vec::new();
    for (room, path, code) in files() {
        for (name, homes) in WIRES {
            let used = code.contains(&format!("{name}::")) || code.contains(&format!("use {name}"));
            if used && !homes.contains(&room.as_str()) {
                wrong.push(format!("{}: {room} uses {name}", path.display()));
            }
        }
        // A statement begins a string and goes on as SQL does.
        let sql = [
            ("select ", " from "),
            ("insert into ", "("),
            ("update ", " set "),
            ("delete from ", ""),
        ];
        let statement = |(begins, goes_on): &(&str, &str)| {
            code.split('"')
                .any(|text| text.trim_start().starts_with(begins) && text.contains(goes_on))
        };
        if room != "storage" && sql.iter().any(statement) {
            wrong.push(format!("{}: SQL outside storage", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rooms_that_there_are_stand_on_the_map_in_the_readme_and_the_library() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = std::fs::read_to_string(root.join("src/lib.rs")).expect("lib.rs");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("README.md");
    let map: Vec<_> = library
        .lines()
        .skip_while(|line| !line.starts_with("//! ```text"))
        .skip(1)
        .take_while(|line| !line.starts_with("//! ```"))
        .map(|line| line.trim_start_matches("//!").trim().to_owned())
        .collect();
    assert!(map.len() >= 8, "the map is in lib.rs: {map:?}");
    for line in &map {
        assert!(readme.lines().any(|l| l.trim() == line), "README.md lacks «{line}»");
    }
    for (room, _) in ROOMS {
        let named = map.iter().any(|line| {
            let head = line.split(['─', '—']).next().unwrap_or(line);
            head.split(',').any(|name| name.trim() == *room)
        });
        assert!(named, "the map lacks «{room}»");
    }
}

#[test]
fn an_import_is_seen_in_every_spelling() {
    let text =
        "use crate::web::x;\nuse crate::{domain::Money, chat::{Event, Screen}};\nmy_crate::a";
    assert_eq!(named(text, "crate::"), ["web", "domain", "chat"]);
}
