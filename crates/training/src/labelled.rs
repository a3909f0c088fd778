//! The messages of a corpus with their labels, one after the other: for measuring rules.

use super::corpus::{Corpus, clean};
use super::error::TrainError;
use super::settings::Progress;
use gatepost_words::Class;
use gatepost_words::bytes::Cursor;

/// In which form the messages of a corpus are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As they are stored, but without the mbox line that no MTA hands over.
    Stored,
    /// Also without the marks that earlier filters, receivers and collectors left, as models are
    /// trained on them.
    Cleaned,
}

/// One message of a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Its path in the archive.
    pub path: String,
    /// Its class; `None` where the list does not say.
    pub class: Option<Class>,
    /// Its bytes.
    pub raw: Vec<u8>,
}

impl Form {
    /// A message in that form.
    pub fn of(self, stored: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Cleaned => clean(&stored),
            Self::Stored if stored.starts_with(b"From ") => {
                let mut cursor = Cursor::new(&stored);
                cursor.take_through(b'\n');
                cursor.rest().to_vec()
            }
            Self::Stored => stored,
        }
    }
}

impl Corpus {
    /// Gives each selected message to `take`, in the order of the archive.
    pub fn labelled(
        &self,
        form: Form,
        progress: &mut dyn FnMut(Progress),
        take: &mut dyn FnMut(Labelled),
    ) -> Result<(), TrainError> {
        self.read(progress, |sample| {
            let raw = if form == Form::Cleaned {
                sample.raw
            } else {
                form.of(sample.stored)
            };
            take(Labelled {
                path: sample.path,
                class: sample.class,
                raw,
            });
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn forms_of_a_message() {
        for (stored, plain, cleaned) in [
            (
                "From a\nX-Spam-Flag: YES\nA: 1\n\nx\n",
                "X-Spam-Flag: YES\nA: 1\n\nx\n",
                "A: 1\r\n\r\nx\r\n",
            ),
            ("From a", "", "\r\n"),
            (
                "A: 1\n\nFrom a\n",
                "A: 1\n\nFrom a\n",
                "A: 1\r\n\r\nFrom a\r\n",
            ),
        ] {
            let text = |form: Form| String::from_utf8(form.of(stored.as_bytes().to_vec())).unwrap();
            assert_eq!(text(Form::Stored), plain, "{stored:?}");
            if stored.contains('\n') {
                assert_eq!(text(Form::Cleaned), cleaned, "{stored:?}");
            }
        }
    }
}
