//! `include PATH`: which other files a rule file wants, and getting them through a caller that may read
//! files.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::lines::{first_word, lines};
use crate::limits::{INCLUDE_DEPTH, INCLUDES_LIMIT};
use gatepost_words::diagnostic::{Diagnostic, Source};

/// An `include` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Include {
    /// The file: relative paths start at the including file's directory. Also the name that its
    /// source must have.
    pub(crate) path: String,
    /// Where the path is in the including file.
    pub(crate) span: Range<usize>,
}

/// All `include` lines of a source, also those in blocks that will be skipped.
pub(crate) fn includes(source: &Source) -> Vec<Include> {
    let mut found = Vec::new();
    for line in lines(&source.text) {
        let mut at = 0;
        let (mut word, mut offset, mut value) = first_word(&line.text);
        if word.eq_ignore_ascii_case("lang") {
            let (_, language, rest) = first_word(value);
            at = offset + language;
            (word, offset, value) = first_word(rest);
        }
        if word.eq_ignore_ascii_case("include") && !value.is_empty() {
            let start = at + offset;
            found.push(Include {
                path: target(&source.name, value),
                span: line.span(start..start + value.len()),
            });
        }
    }
    found
}

/// The path that an `include` line of a file means.
pub(crate) fn target(including: &str, value: &str) -> String {
    let base = Path::new(including).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for component in base.join(value.trim().trim_matches('"')).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(path.components().next_back(), Some(Component::Normal(_))) =>
            {
                path.pop();
            }
            other => path.push(other),
        }
    }
    path.display().to_string()
}

/// The sources with every file that they include, directly or not, after them: what
/// [`super::Ruleset::load`] wants. `read` gets a path and gives its source, under that very name,
/// or nothing when it cannot be read; then loading tells so.
pub fn with_includes(
    sources: &[Arc<Source>],
    read: &mut dyn FnMut(&str) -> Option<Arc<Source>>,
) -> (Vec<Arc<Source>>, Vec<Diagnostic>) {
    let mut all = sources.to_vec();
    let mut seen: BTreeSet<String> = sources.iter().map(|source| source.name.clone()).collect();
    let mut reported = Vec::new();
    let mut pending: Vec<(Arc<Source>, usize)> = sources
        .iter()
        .rev()
        .map(|source| (Arc::clone(source), 0))
        .collect();
    let mut count = 0;
    while let Some((source, depth)) = pending.pop() {
        for include in includes(&source) {
            if !seen.insert(include.path.clone()) {
                continue;
            }
            if depth == INCLUDE_DEPTH || count == INCLUDES_LIMIT {
                let message = format!(
                    "files may be included {INCLUDE_DEPTH} deep, and {INCLUDES_LIMIT} of them altogether"
                );
                reported.push(Diagnostic::error("R0114", message).at(
                    &source,
                    include.span,
                    "not read",
                ));
                return (all, reported);
            }
            count += 1;
            if let Some(found) = read(&include.path) {
                all.push(Arc::clone(&found));
                pending.push((found, depth + 1));
            }
        }
    }
    (all, reported)
}

#[cfg(test)]
mod tests {
    use super::{Arc, Source, includes, target, with_includes};
    use crate::limits::{INCLUDE_DEPTH, INCLUDES_LIMIT};

    fn source(name: &str, text: &str) -> Arc<Source> {
        Arc::new(Source::new(name, text))
    }

    #[test]
    fn paths_start_at_the_including_file() {
        for (from, value, wanted) in [
            ("/etc/r/a.cf", "b.inc", "/etc/r/b.inc"),
            ("/etc/r/a.cf", "./x/../b.inc", "/etc/r/b.inc"),
            ("/etc/r/a.cf", "../b.inc", "/etc/b.inc"),
            ("/etc/r/a.cf", "/b.inc", "/b.inc"),
            ("a.cf", "b.inc", "b.inc"),
            ("a.cf", "../b.inc", "../b.inc"),
            ("a.cf", "\"b c.inc\"", "b c.inc"),
        ] {
            assert_eq!(target(from, value), wanted, "{from} {value}");
        }
        let found = includes(&source(
            "d/a.cf",
            "body A /x/\n  include b.inc # c\nlang en Include c.inc\n#include d\n",
        ));
        assert_eq!(
            found
                .iter()
                .map(|one| one.path.as_str())
                .collect::<Vec<_>>(),
            ["d/b.inc", "d/c.inc"]
        );
        assert_eq!(found[1].span, 47..52);
    }

    #[test]
    fn depth_and_count_are_limited() {
        let chain = |depth: usize| {
            let mut read = |path: &str| {
                let number: usize = path.parse().unwrap();
                Some(source(
                    path,
                    &if number < depth {
                        format!("include {}", number + 1)
                    } else {
                        String::new()
                    },
                ))
            };
            with_includes(&[source("a.cf", "include 1")], &mut read)
        };
        let (all, reported) = chain(INCLUDE_DEPTH);
        assert_eq!((all.len(), reported.len()), (INCLUDE_DEPTH + 1, 0));
        assert_eq!(chain(INCLUDE_DEPTH + 1).1.len(), 1);
        let many = |count: usize| {
            let text = (0..count)
                .map(|number| format!("include {number}\n"))
                .collect::<Vec<_>>()
                .concat();
            with_includes(&[source("a.cf", &text)], &mut |path| Some(source(path, "")))
        };
        assert_eq!(many(INCLUDES_LIMIT).1.len(), 0);
        assert_eq!(many(INCLUDES_LIMIT + 1).1.len(), 1);
        assert_eq!(many(3).0.len(), 4);
    }

    #[test]
    fn a_circle_is_read_once_and_what_is_missing_left_out() {
        let mut read =
            |path: &str| (path == "b.cf").then(|| source(path, "include a.cf\ninclude none.cf"));
        let (all, reported) = with_includes(&[source("a.cf", "include b.cf")], &mut read);
        assert_eq!((all.len(), reported.len()), (2, 0));
    }
}
