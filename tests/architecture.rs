//! The house rules that a compiler does not know: which room may name which, how long a file may
//! be, that every file says what it is for. Tests are the only checks there are: nothing else runs
//! in CI.
#![expect(
    clippy::disallowed_methods,
    reason = "a test that reads the source tree"
)]
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test that cannot read the source tree has failed"
)]

#[path = "support/plain_words.rs"]
mod plain_words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Crate, and the crates of ours that it may depend on. The table of `src/lib.rs`, as data: Cargo
/// refuses what is not in a manifest, this test what is in a manifest and not here.
const CRATES: &[(&str, &[&str])] = &[
    ("words", &[]),
    ("mail", &["words"]),
    ("milter", &[]),
    ("byte-regex", &[]),
    ("rules", &["words", "mail", "byte-regex"]),
    ("store", &["words"]),
    ("reader", &["words"]),
    ("gather", &["words", "mail"]),
    ("learn", &["words", "mail", "store"]),
    ("policy", &["words", "mail"]),
    ("records", &["words", "mail"]),
    ("telemetry", &["words", "records"]),
    (
        "engine",
        &[
            "words",
            "mail",
            "rules",
            "gather",
            "learn",
            "policy",
            "records",
            "telemetry",
        ],
    ),
    ("training", &["words", "mail", "reader", "learn"]),
];

/// Room of the program, and the rooms of the program that it may name next to itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("session", &[]),
    ("server", &["session"]),
    ("config", &[]),
    ("daemon", &["session", "server", "config"]),
    ("cli", &["session", "server", "config", "daemon", "manual"]),
    ("manual", &[]),
    ("lib", &["*"]),
    ("main", &["*"]),
];

/// Wings of `crates/rules`, lowest first, and the wings that each may name next to itself. A wing names
/// only wings above it in this list, so that no circle can grow between them.
const RULES_WINGS: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("received", &[]),
    ("lists", &[]),
    ("views", &["limits", "received", "lists"]),
    ("evals", &["received", "lists", "views"]),
    ("ruleset", &["limits", "lists", "views", "evals"]),
    ("matcher", &["limits", "views", "ruleset"]),
    ("syntax", &["limits", "lists", "views", "evals", "ruleset"]),
    ("lint", &["views", "ruleset", "matcher"]),
    ("report", &["views", "evals", "ruleset", "syntax"]),
];

/// Lines of one source file; 500 is the aim, and a file that has grown past this must be cut.
const FILE_LINES_MAX: usize = 500;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "no source file found under {folder}");
    files
}

/// The sources of program, crates and tests.
fn all_sources() -> Vec<(PathBuf, String)> {
    let folders = ["src", "crates", "tests"];
    folders.into_iter().flat_map(sources).collect()
}

fn room_of(path: &Path) -> String {
    let relative = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .unwrap();
    let first = relative
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The rooms that a line of code names through `crate::`, groups (`use crate::{a, b::c}`) included.
fn rooms_named(text: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    let mut rest = text;
    let mut offset = 0;
    while let Some(found) = rest.find("crate::") {
        let start = offset + found;
        let after = &rest[found + "crate::".len()..];
        let line = text[..start].matches('\n').count() + 1;
        let line_text = text.lines().nth(line - 1).unwrap_or_default().trim_start();
        if !line_text.starts_with("//") && !text[..start].ends_with('$') {
            if let Some(group) = after.strip_prefix('{') {
                let mut depth = 1;
                let mut word = String::new();
                let mut at_start = true;
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 1 => at_start = true,
                        c if c.is_alphanumeric() || c == '_' => {
                            if depth == 1 && at_start {
                                word.push(c);
                            }
                            continue;
                        }
                        c if c.is_whitespace() => continue,
                        _ => {}
                    }
                    if !word.is_empty() {
                        named.push((line, std::mem::take(&mut word)));
                        at_start = c == ',';
                    }
                    if depth == 0 {
                        break;
                    }
                }
            } else {
                let word: String = after
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                named.push((line, word));
            }
        }
        offset = start + "crate::".len();
        rest = &text[offset..];
    }
    named
}

#[test]
fn arrows_between_rooms_point_down() {
    let arrows: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let room = room_of(&path);
        let Some(allowed) = arrows.get(room.as_str()) else {
            wrong.push(format!(
                "{}: room `{room}` is not in the table of rooms",
                path.display()
            ));
            continue;
        };
        for (line, named) in rooms_named(&text) {
            let is_room = arrows.contains_key(named.as_str());
            let is_allowed = allowed.contains(&"*") || allowed.contains(&named.as_str());
            if is_room && named != room && !is_allowed {
                wrong.push(format!(
                    "{}:{line}: `{room}` may not name `{named}`",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The text before the first inline test module: tests may name any wing.
fn without_tests(text: &str) -> &str {
    let end = text.find("#[cfg(test)]\nmod tests {");
    end.map_or(text, |end| &text[..end])
}

#[test]
fn wings_of_rules_name_only_wings_below_them() {
    let mut known: Vec<&str> = Vec::new();
    for (wing, allowed) in RULES_WINGS {
        for named in *allowed {
            assert!(
                known.contains(named),
                "`{wing}` may only name a wing above it in the table, not `{named}`"
            );
        }
        known.push(wing);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rules/src");
    let mut wrong = Vec::new();
    for (path, text) in sources("crates/rules/src") {
        let relative = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let wing = relative.split('/').next().unwrap().trim_end_matches(".rs");
        let is_test = ["tests", "rule_tables"].contains(&wing) || relative.ends_with("_tests.rs");
        if wing == "lib" || is_test || relative.ends_with("/tests.rs") {
            continue;
        }
        let Some((_, allowed)) = RULES_WINGS.iter().find(|(name, _)| *name == wing) else {
            wrong.push(format!(
                "{relative}: `{wing}` is not a wing of crates/rules"
            ));
            continue;
        };
        for (line, named) in rooms_named(without_tests(&text)) {
            if named != wing && !allowed.contains(&named.as_str()) {
                wrong.push(format!(
                    "{relative}:{line}: `{wing}` may not name `{named}`"
                ));
            }
        }
        // A path through `super::super::` would leave the wing without being seen above.
        let depth = relative.matches('/').count();
        if text.contains(&"super::".repeat(depth + 1)) && depth > 0 && !is_test {
            wrong.push(format!("{relative}: name other wings through `crate::`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The crates of ours in one section of a manifest.
fn dependencies(manifest: &str, wanted: &str) -> Vec<String> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section == wanted
            && let Some(rest) = line.strip_prefix("gatepost-")
        {
            let name: String = rest.chars().take_while(|c| !".= ".contains(*c)).collect();
            found.push(name);
        }
    }
    found
}

#[test]
fn arrows_between_crates_point_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let mut folders: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut known: Vec<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(folders, known, "the table of crates and crates/ differ");
    for (number, (name, allowed)) in CRATES.iter().enumerate() {
        let above: Vec<&str> = CRATES[..number].iter().map(|(name, _)| *name).collect();
        for named in *allowed {
            assert!(
                above.contains(named),
                "`{name}` may only name a crate above it, not `{named}`"
            );
        }
        let manifest = std::fs::read_to_string(folder.join(name).join("Cargo.toml")).unwrap();
        for named in dependencies(&manifest, "[dependencies]") {
            assert!(
                allowed.contains(&named.as_str()),
                "`{name}` may not depend on `{named}`"
            );
        }
    }
}

#[test]
fn only_one_crate_links_tract() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut linking = Vec::new();
    for (name, _) in CRATES {
        let manifest = folder.join("crates").join(name).join("Cargo.toml");
        if std::fs::read_to_string(manifest)
            .unwrap()
            .contains("tract-onnx")
        {
            linking.push(*name);
        }
    }
    assert_eq!(linking, ["learn"]);
}

#[test]
fn the_search_for_names_sees_groups_and_paths() {
    let text =
        "use crate::{alpha, beta::{x, y}, gamma};\nlet z = crate::delta::f();\n// crate::comment\n";
    let names: Vec<String> = rooms_named(text)
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert_eq!(names, ["alpha", "beta", "gamma", "delta"]);
}

#[test]
fn every_room_and_crate_is_on_the_map() {
    let lib =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for (room, _) in ROOMS
        .iter()
        .filter(|(room, _)| !matches!(*room, "lib" | "main"))
    {
        assert!(
            lib.contains(&format!("pub mod {room};")),
            "`{room}` is not in src/lib.rs"
        );
    }
    for line in lib.lines().filter_map(|line| line.strip_prefix("pub mod ")) {
        let room = line.trim_end_matches(';');
        assert!(
            ROOMS.iter().any(|(known, _)| *known == room),
            "`{room}` is not in the table of rooms"
        );
    }
    for (name, _) in CRATES {
        let identifier = name.replace('-', "_");
        assert!(
            lib.contains(&format!("[`gatepost_{identifier}`]")),
            "the map does not show the crate `{name}`"
        );
    }
}

/// What may lie at the top level of the repository: anything else is stray.
const TOP_LEVEL: &[&str] = &[
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "contrib",
    "crates",
    "fuzz",
    "models",
    "rules",
    "src",
    "target",
    "tests",
];

#[test]
fn nothing_stray_is_at_the_top_level() {
    let mut stray = Vec::new();
    for entry in std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()) {
            stray.push(name);
        }
    }
    assert!(stray.is_empty(), "not known at the top level: {stray:?}");
}

#[test]
fn every_file_says_what_it_is_for_and_stays_readable() {
    let mut wrong = Vec::new();
    for (path, text) in all_sources() {
        let code = text
            .lines()
            .find(|line| !line.trim().is_empty() && !line.starts_with("#!"))
            .unwrap_or_default();
        if !code.starts_with("//!") {
            wrong.push(format!(
                "{}: does not begin with a `//!` line that says what it is for",
                path.display()
            ));
        }
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            wrong.push(format!(
                "{}: {lines} lines; cut it by thought",
                path.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn shop_windows_hold_no_code() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("crates")) {
        if path
            .file_name()
            .is_some_and(|name| name == "mod.rs" || name == "lib.rs")
            && !path
                .parent()
                .is_some_and(|folder| folder.ends_with("tests") || folder.ends_with("testing"))
            && text
                .lines()
                .any(|line| !line.starts_with("//") && line.contains("fn "))
        {
            wrong.push(format!(
                "{}: mod.rs holds documentation, `mod` lines and re-exports only",
                path.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let mut section = "";
    let mut checked = 0;
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section == "[workspace.dependencies]" && line.contains('=') {
            assert!(line.contains(" # "), "no reason given: {line}");
            checked += 1;
        }
    }
    assert!(checked > 10, "the dependency section was not found");
}
