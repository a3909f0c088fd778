//! Where labelled mail comes from: published corpora, and plain files, directories and mailboxes.
#![cfg_attr(
    test,
    expect(clippy::disallowed_methods, reason = "the tests make messages to read")
)]

use std::path::{Path, PathBuf};

use super::arguments::MailArguments;
use super::expectations;
use super::label::Label;
use crate::cli::Exit;
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::terminal::{eprint_line, escaped};
use gatepost_reader::{Item, Unread, read_all, read_one};
use gatepost_training::{Corpus, Form, Labelled, Split};
use gatepost_words::Class;

/// Names of skipped messages that are reported.
const NAMED: usize = 5;

/// One mail to look at.
pub(super) struct Mail {
    /// Its place among all messages, from 0.
    pub(super) number: usize,
    /// What it is known to be.
    pub(super) label: Label,
    /// Where it is: a path, in an archive behind the name of that.
    pub(super) name: String,
    /// Its bytes.
    pub(super) raw: Vec<u8>,
}

/// The messages that could not be looked at.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    /// How many.
    pub(super) count: usize,
    /// Of these, files that are not messages.
    pub(super) not_messages: usize,
    /// Folders and links that were left out on purpose.
    passed_over: usize,
    /// The first of them, with the reason.
    pub(super) named: Vec<String>,
}

impl Skipped {
    /// The exit status that the command has at least: what is not a message is wrong input.
    pub(super) fn exit(&self) -> Exit {
        if self.not_messages > 0 {
            Exit::BadInput
        } else {
            Exit::Done
        }
    }

    /// Counts one more.
    pub(super) fn add(&mut self, name: &str, why: &str) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(format!("{name}: {why}"));
        }
    }

    /// Notes something that is not read on purpose.
    fn pass_over(&mut self, name: &str, why: &str) {
        self.passed_over += 1;
        if self.named.len() < NAMED {
            self.named.push(format!("{name}: {why}"));
        }
    }

    /// Tells them on standard error.
    pub(super) fn tell(&self) {
        for named in &self.named {
            eprint_line(format_args!("gatepost: skipped {}", escaped(named)));
        }
        let all = self.count + self.passed_over;
        if all > self.named.len() {
            let more = all - self.named.len();
            eprint_line(format_args!("gatepost: and {more} more were skipped"));
        }
        if self.not_messages > 0 {
            let count = self.not_messages;
            eprint_line(format_args!("gatepost: {count} files are not messages"));
        }
    }
}

/// One thing that was named on the command line.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    Corpus(Corpus),
    /// Files, directories, mailboxes; without a label each mail has that of its directory.
    Path(PathBuf, Option<Label>),
    /// One mail in each of these files, `root` before their names.
    Files {
        root: PathBuf,
        names: Vec<String>,
    },
}

/// The messages that were named.
#[derive(Debug)]
pub(super) struct Messages {
    sources: Vec<Source>,
    form: Form,
    /// Bytes of one mail (`limits.message`).
    limit: usize,
}

impl Messages {
    /// What the arguments name; an error where it is not there.
    pub(super) fn named(arguments: &MailArguments, limit: usize) -> Result<Self, Failure> {
        let mut sources = Vec::new();
        for name in &arguments.corpora {
            sources.push(find(name, arguments.directory.as_deref())?);
        }
        for (paths, label) in [(&arguments.spam, Label::Spam), (&arguments.ham, Label::Ham)] {
            for path in paths {
                there(path)?;
                sources.push(Source::Path(path.clone(), Some(label)));
            }
        }
        if sources.is_empty() {
            return Err(Failure::new(
                Exit::Usage,
                "no mail is named: give a CORPUS, --spam PATH or --ham PATH",
            ));
        }
        Ok(Self {
            sources,
            form: if arguments.clean {
                Form::Cleaned
            } else {
                Form::Stored
            },
            limit,
        })
    }

    /// One mail in each of the files.
    pub(super) fn files(root: &Path, names: Vec<String>, limit: usize) -> Self {
        Self {
            sources: vec![Source::Files {
                root: root.to_owned(),
                names,
            }],
            form: Form::Stored,
            limit,
        }
    }

    /// Gives each mail to `take`, in order, until that returns false. A source without any mail is
    /// an error: a misspelt part would look like a clean result.
    pub(super) fn read(
        &self,
        bar: &Progress,
        take: &mut dyn FnMut(Mail) -> bool,
    ) -> Result<Skipped, Failure> {
        let mut reading = Reading {
            messages: self,
            bar,
            take,
            number: 0,
            seen: 0,
            skipped: Skipped::default(),
            done: false,
        };
        for source in &self.sources {
            reading.seen = 0;
            match source {
                Source::Corpus(corpus) => reading.corpus(corpus)?,
                Source::Path(path, label) => reading.path(path, *label),
                Source::Files { root, names } => reading.files(root, names),
            }
            if reading.seen == 0 && !reading.done {
                return Err(Failure::new(
                    Exit::BadInput,
                    format!("{}: there is no mail", describe(source)),
                ));
            }
        }
        Ok(reading.skipped)
    }
}

struct Reading<'a> {
    messages: &'a Messages,
    bar: &'a Progress,
    take: &'a mut dyn FnMut(Mail) -> bool,
    number: usize,
    /// Messages of the source that is read now.
    seen: usize,
    skipped: Skipped,
    /// Whether no more is wanted.
    done: bool,
}

impl Reading<'_> {
    fn corpus(&mut self, corpus: &Corpus) -> Result<(), Failure> {
        let bar = self.bar;
        let mut reported = false;
        bar.doing(&corpus.name);
        let mut progress = |progress| {
            if let (false, gatepost_training::Progress::Reading { total, done, .. }) =
                (reported, progress)
            {
                bar.more(total.saturating_sub(done));
                reported = true;
            }
        };
        let Messages { form, limit, .. } = *self.messages;
        let mut take = |Labelled { path, class, raw }| {
            let raw = if raw.len() > limit {
                Err(Unread::Failed(too_large(limit)))
            } else {
                Ok(raw)
            };
            self.item(path, raw, Label::of(class.map(Class::is_spam)));
        };
        corpus
            .labelled(form, &mut progress, &mut take)
            .map_err(|error| Failure::new(Exit::BadInput, error.to_string()))
    }

    fn path(&mut self, path: &Path, label: Option<Label>) {
        self.bar.doing(&path.display().to_string());
        let form = self.messages.form;
        read_all(&[path.to_owned()], self.messages.limit, &mut |item| {
            // What `rules test --messages` expects of the messages of a directory is no mail of it.
            if Path::new(&item.name)
                .file_name()
                .is_some_and(|name| name == expectations::FILE)
            {
                return true;
            }
            let label = label.unwrap_or_else(|| Label::by_path(&item.name));
            let Item { name, raw, .. } = item;
            self.item(name, raw.map(|raw| form.of(raw)), label)
        });
    }

    fn files(&mut self, root: &Path, names: &[String]) {
        self.bar.more(names.len());
        for name in names {
            let item = read_one(&root.join(name), self.messages.limit);
            if !self.item(name.clone(), item.raw, Label::by_path(name)) {
                return;
            }
        }
    }

    fn item(&mut self, name: String, raw: Result<Vec<u8>, Unread>, label: Label) -> bool {
        if self.done {
            return false;
        }
        let raw = match raw {
            Ok(raw) => Ok(raw),
            Err(Unread::Nothing(_)) => return true,
            Err(Unread::PassedOver(why)) => {
                self.skipped.pass_over(&name, &why);
                return true;
            }
            Err(why) => Err(why),
        };
        let number = self.number;
        self.number += 1;
        self.seen += 1;
        self.bar.one();
        match raw {
            Ok(raw) => {
                self.done = !(self.take)(Mail {
                    number,
                    label,
                    name,
                    raw,
                });
            }
            Err(why) => {
                self.skipped.not_messages += usize::from(matches!(why, Unread::NotAMessage(_)));
                self.skipped.add(&name, &why.to_string());
            }
        }
        !self.done
    }
}

fn too_large(limit: usize) -> String {
    format!("larger than {limit} bytes (limits.message)")
}

fn describe(source: &Source) -> String {
    match source {
        Source::Corpus(Corpus {
            name,
            split: Some(Split::Train),
            ..
        }) => format!("{name}:train"),
        Source::Corpus(Corpus {
            name,
            split: Some(Split::Test),
            ..
        }) => format!("{name}:test"),
        Source::Corpus(corpus) => corpus.name.clone(),
        Source::Path(path, _) => path.display().to_string(),
        Source::Files { root, .. } => root.display().to_string(),
    }
}

/// `NAME[:SPLIT]` of an archive with its list, in `directory` or as a path; else any path.
fn find(name: &str, directory: Option<&Path>) -> Result<Source, Failure> {
    let (base, split) = match name.rsplit_once(':') {
        Some((base, "train")) => (base, Some(Split::Train)),
        Some((base, "test")) => (base, Some(Split::Test)),
        _ => (name, None),
    };
    let base = base.strip_suffix(".tar.zst").unwrap_or(base);
    let places = directory.into_iter().chain([Path::new("")]);
    for path in places.map(|directory| directory.join(base)) {
        let (Some(parent), Some(file)) = (
            path.parent(),
            path.file_name().and_then(|file| file.to_str()),
        ) else {
            continue;
        };
        if parent.join(format!("{file}.tar.zst")).is_file() {
            return Ok(Source::Corpus(Corpus {
                directory: parent.to_owned(),
                name: file.to_owned(),
                split,
            }));
        }
    }
    let path = PathBuf::from(name);
    if path.exists() {
        return Ok(Source::Path(path, None));
    }
    let place = directory
        .map(|directory| format!(" in {}", directory.display()))
        .unwrap_or_default();
    let hint = if directory.is_none() {
        "; corpora are looked for in --corpora DIR"
    } else {
        ""
    };
    let message =
        format!("{name}: no such file or directory, and no corpus {base}.tar.zst{place}{hint}");
    Err(Failure::new(Exit::BadInput, message))
}

fn there(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::BadInput,
        format!("{}: no such file or directory", path.display()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments() -> MailArguments {
        MailArguments {
            corpora: Vec::new(),
            directory: None,
            spam: Vec::new(),
            ham: Vec::new(),
            clean: false,
            jobs: None,
        }
    }

    /// Number, label and name of a mail that was read.
    type Seen = (usize, Label, String);

    fn read(arguments: &MailArguments) -> Result<(Vec<Seen>, Skipped), Failure> {
        let mut seen = Vec::new();
        let skipped = Messages::named(arguments, 10)?.read(&Progress::new(), &mut |mail| {
            seen.push((
                mail.number,
                mail.label,
                mail.name.rsplit('/').next().unwrap().to_owned(),
            ));
            true
        })?;
        Ok((seen, skipped))
    }

    #[test]
    fn directories_give_labels_options_win_and_what_is_too_large_is_skipped() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["ham", "spam", "empty"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        for (name, text) in [
            ("ham/1", "To: a\n\n1"),
            ("spam/2", "To: a\n\n2"),
            ("spam/3", "To: a\n\n12345"),
            ("expected.tsv", "1"),
        ] {
            std::fs::write(path(name), text).unwrap();
        }
        let all = MailArguments {
            corpora: vec![directory.path().display().to_string()],
            ..arguments()
        };
        let (seen, skipped) = read(&all).unwrap();
        assert_eq!(
            seen,
            [
                (0, Label::Ham, "1".to_owned()),
                (1, Label::Spam, "2".to_owned())
            ]
        );
        assert_eq!(
            (skipped.count, skipped.named[0].contains("limits.message")),
            (1, true)
        );
        let (seen, _) = read(&MailArguments {
            ham: vec![path("spam/2")],
            ..arguments()
        })
        .unwrap();
        assert_eq!(seen, [(0, Label::Ham, "2".to_owned())]);
        for wrong in [
            MailArguments {
                ham: vec![path("missing")],
                ..arguments()
            },
            MailArguments {
                spam: vec![path("empty")],
                ..arguments()
            },
            MailArguments {
                corpora: vec!["no such corpus".to_owned()],
                ..arguments()
            },
            arguments(),
        ] {
            assert!(read(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn archives_are_found_in_the_directory_of_corpora_and_as_paths() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.tar.zst"), "").unwrap();
        let corpus = |split| {
            Source::Corpus(Corpus {
                directory: directory.path().to_owned(),
                name: "a".to_owned(),
                split,
            })
        };
        let path = directory.path().join("a").display().to_string();
        assert_eq!(
            find("a:test", Some(directory.path())).unwrap(),
            corpus(Some(Split::Test))
        );
        assert_eq!(find(&path, None).unwrap(), corpus(None));
        assert_eq!(
            find(&format!("{path}.tar.zst"), None).unwrap(),
            corpus(None)
        );
        assert_eq!(
            find(&format!("{path}:train"), None).unwrap(),
            corpus(Some(Split::Train))
        );
        assert!(find("a:tset", Some(directory.path())).is_err());
    }
}
