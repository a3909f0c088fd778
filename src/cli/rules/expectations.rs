//! Message sets: messages next to a file that says which rules hit them, as
//! `path<TAB>total<TAB>RULE=score,…` a line.
#![expect(clippy::disallowed_methods, reason = "message sets are files")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::Exit;
use crate::cli::failure::Failure;
use gatepost_reader::{Unread, read_all};
use gatepost_words::verdict::Score;

/// The name of the file in a directory of messages.
pub(super) const FILE: &str = "expected.tsv";
/// Lines of one file.
const LINES: usize = 5_000_000;

/// What is expected of one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expectation {
    /// Where it is, from the root of the set.
    pub(super) path: String,
    /// The rules that hit, with their points.
    pub(super) hits: BTreeMap<String, Score>,
}

/// Where the expectations stand, and from where their paths count: the directory of the messages, or
/// the one that was named.
pub(super) fn places(named: &Path, root: Option<&Path>) -> (PathBuf, PathBuf) {
    if named.is_dir() {
        (named.join(FILE), root.unwrap_or(named).to_owned())
    } else {
        let sibling = named.parent().unwrap_or(Path::new(""));
        (named.to_owned(), root.unwrap_or(sibling).to_owned())
    }
}

/// Reads a file of expectations.
pub(super) fn read(file: &Path) -> Result<Vec<Expectation>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::input(file, &error))?;
    let mut all = Vec::new();
    for (number, line) in (1..=LINES).zip(text.lines()) {
        if !line.is_empty() {
            let wrong = |cause| {
                Failure::new(
                    Exit::BadInput,
                    format!("{}:{number}: {cause}", file.display()),
                )
            };
            all.push(parse(line).map_err(wrong)?);
        }
    }
    if all.is_empty() {
        return Err(Failure::new(
            Exit::BadInput,
            format!("{}: nothing is expected there", file.display()),
        ));
    }
    Ok(all)
}

fn parse(line: &str) -> Result<Expectation, String> {
    let mut columns = line.split('\t');
    let (Some(path), Some(total), Some(hits)) = (columns.next(), columns.next(), columns.next())
    else {
        return Err("not `path<TAB>total<TAB>RULE=score,…`".to_owned());
    };
    points(total)?;
    let hits = hits.split(',').filter(|hit| !hit.is_empty()).map(|hit| {
        let (rule, score) = hit
            .rsplit_once('=')
            .ok_or_else(|| format!("`{hit}` is not RULE=score"))?;
        Ok::<_, String>((rule.to_owned(), points(score)?))
    });
    Ok(Expectation {
        path: path.to_owned(),
        hits: hits.collect::<Result<_, _>>()?,
    })
}

fn points(text: &str) -> Result<Score, String> {
    let points = text.parse::<f64>().ok().filter(|points| points.is_finite());
    points
        .map(Score::from_points)
        .ok_or_else(|| format!("`{text}` is no number of points"))
}

/// A line of such a file.
pub(super) fn line(expectation: &Expectation) -> String {
    let total: Score = expectation.hits.values().copied().sum();
    let hits: Vec<String> = expectation
        .hits
        .iter()
        .map(|(rule, score)| format!("{rule}={:.3}", score.points()))
        .collect();
    format!(
        "{}\t{:.3}\t{}\n",
        expectation.path,
        total.points(),
        hits.join(",")
    )
}

/// The paths of the messages below a directory, from there, in the order in which directories are
/// read.
pub(super) fn messages_below(root: &Path, limit: usize) -> Vec<String> {
    let mut names = Vec::new();
    read_all(&[root.to_owned()], limit, &mut |item| {
        // A message beyond a limit stays in the set: it is reported when the set is compared.
        if matches!(
            item.raw,
            Err(Unread::NotAMessage(_) | Unread::PassedOver(_) | Unread::Nothing(_))
        ) {
            return true;
        }
        let path = Path::new(&item.name);
        let relative = path.strip_prefix(root).unwrap_or(path);
        // The messages of a mailbox have names that are no files: they cannot be reported apart in such
        // a set.
        if path.is_file() && relative != Path::new(FILE) {
            names.push(relative.display().to_string());
        }
        true
    });
    names
}

/// Writes a file of expectations.
pub(super) fn write(file: &Path, all: &[Expectation]) -> Result<(), Failure> {
    let text: String = all.iter().map(line).collect();
    std::fs::write(file, text)
        .map_err(|error| Failure::new(Exit::of_io(&error), format!("{}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_written() {
        for (text, count) in [
            ("a b/1.eml\t3.501\tA=2.500,B=-0.100,C_1=1.101\n", 3),
            ("1.eml\t0.000\t\n", 0),
            ("1.eml\t-1.000\tA=-1.000\n", 1),
        ] {
            let read = parse(text.trim_end_matches('\n')).unwrap();
            assert_eq!((read.hits.len(), line(&read).as_str()), (count, text));
        }
        for wrong in [
            "1.eml",
            "1.eml\t1.0",
            "1.eml\tx\t",
            "1.eml\t1\tA",
            "1.eml\t1\tA=",
            "1.eml\t1\tA=nan",
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_wrong_line_is_named_and_an_empty_file_is_no_clean_result() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        std::fs::write(&file, "1\t0\t\n\n2\tx\t\n").unwrap();
        let Err(Failure::Message(Exit::BadInput, message)) = read(&file) else {
            panic!("no failure")
        };
        assert!(
            message.ends_with("expected.tsv:3: `x` is no number of points"),
            "{message}"
        );
        std::fs::write(&file, "").unwrap();
        assert!(read(&file).is_err() && read(directory.path()).is_err());
    }

    #[test]
    fn messages_below_a_directory_have_paths_from_there() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("b")).unwrap();
        for name in [FILE, "b/2.eml", "1.eml"] {
            std::fs::write(directory.path().join(name), "To: a\n").unwrap();
        }
        assert_eq!(messages_below(directory.path(), 10), ["1.eml", "b/2.eml"]);
        let (file, root) = places(directory.path(), None);
        assert_eq!(
            (file, root),
            (directory.path().join(FILE), directory.path().to_owned())
        );
    }
}
