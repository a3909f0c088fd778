//! Corpora that are no published archive: directories, Maildirs and mailboxes of the engineer's own,
//! read as every other command reads them. The label of a message is in the name of its directory.
#![cfg_attr(
    test,
    expect(clippy::disallowed_methods, reason = "the tests make messages to read")
)]

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::corpus::{Corpus, PROGRESS_EVERY, Sample, Split, clean};
use super::error::TrainError;
use super::settings::Progress;
use gatepost_mail::Limits;
use gatepost_reader::{Item, Unread, folder_class, read_all};
use gatepost_words::hex;

/// Of 256 first bytes of a digest, those of the part for training: 70 %.
const TRAIN_BELOW: u8 = 179;

impl Corpus {
    /// The path of that name, where there is no archive of it.
    pub(super) fn stored(&self) -> Option<PathBuf> {
        let archive = self.directory.join(format!("{}.tar.zst", self.name));
        let path = self.directory.join(&self.name);
        (!archive.exists() && path.exists()).then_some(path)
    }

    /// Gives each selected message to `take`, in name order. Parts are cut by digest: the same message
    /// is always in the same one.
    pub(super) fn read_stored(
        &self,
        path: &Path,
        progress: &mut dyn FnMut(Progress),
        mut take: impl FnMut(Sample),
    ) -> Result<(), TrainError> {
        let mut done = 0;
        read_all(&[path.to_owned()], Limits::default().message, &mut |item| {
            let Item { name, raw, .. } = item;
            let raw = match raw {
                Ok(raw) => raw,
                Err(why) => {
                    progress(skipped(name, &why));
                    return true;
                }
            };
            let digest = Sha256::digest(&raw);
            let is_train = digest.first().is_some_and(|byte| *byte < TRAIN_BELOW);
            if self
                .split
                .is_some_and(|split| (split == Split::Train) != is_train)
            {
                return true;
            }
            take(Sample {
                class: folder_class(&name),
                raw: clean(&raw),
                stored: raw,
                sha256: hex::encode(&digest),
                when: String::new(),
                path: name,
            });
            done += 1;
            if done % PROGRESS_EVERY == 0 {
                progress(Progress::Reading {
                    corpus: self.describe(),
                    done,
                    total: done,
                });
            }
            true
        });
        if done == 0 {
            return Err(TrainError::NoMessage {
                path: path.to_owned(),
            });
        }
        Ok(())
    }
}

fn skipped(name: String, why: &Unread) -> Progress {
    Progress::Skipped {
        name,
        why: why.to_string(),
        is_wrong: matches!(why, Unread::NotAMessage(_) | Unread::Failed(_)),
    }
}

#[cfg(test)]
mod tests {
    use gatepost_words::Class;

    use super::*;

    #[test]
    fn a_directory_is_a_corpus_with_labels_by_folder_and_parts_by_digest() {
        let directory = tempfile::tempdir().unwrap();
        for number in 0..40 {
            for folder in ["ham", "spam"] {
                let path = directory.path().join("own").join(folder);
                std::fs::create_dir_all(&path).unwrap();
                let text = format!("Subject: {folder} {number}\n\nx\n");
                std::fs::write(path.join(number.to_string()), text).unwrap();
            }
        }
        std::fs::write(directory.path().join("own/logo.png"), "\u{89}PNG").unwrap();
        let read = |split| {
            let corpus = Corpus {
                directory: directory.path().to_owned(),
                name: "own".to_owned(),
                split,
            };
            let (mut classes, mut wrong) = (Vec::new(), 0);
            let mut progress = |progress| {
                wrong += usize::from(matches!(progress, Progress::Skipped { is_wrong: true, .. }));
            };
            let take = |sample: Sample| classes.push(sample.class);
            corpus.read(&mut progress, take).unwrap();
            let count = |class| {
                classes
                    .iter()
                    .filter(|found| **found == Some(class))
                    .count()
            };
            (count(Class::Ham), count(Class::Spam), wrong)
        };
        assert_eq!(read(None), (40, 40, 1));
        let (train, test) = (read(Some(Split::Train)), read(Some(Split::Test)));
        assert_eq!((train.0 + test.0, train.1 + test.1), (40, 40));
        assert!(train.0 > test.0 && test.0 > 0);
    }
}
