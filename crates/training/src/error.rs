//! Why training or measuring stopped.

use std::path::PathBuf;

use thiserror::Error;

use gatepost_learn::classifier::ModelError;

/// Why there is no model, or no figure.
#[derive(Debug, Error)]
pub enum TrainError {
    /// A file of a corpus cannot be read.
    #[error("{}: {source}; a corpus is NAME.tar.zst with its NAME.tsv next to it (`--corpora DIR`)", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A directory or mailbox that was named as a corpus is empty.
    #[error("{}: there is no message in it", path.display())]
    NoMessage {
        /// Which one.
        path: PathBuf,
    },
    /// A line of the list of messages is not as it should be.
    #[error("{}:{line}: {cause}", path.display())]
    List {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        cause: String,
    },
    /// One class is missing or tiny.
    #[error(
        "there are {ham} ham and {spam} spam to train on, and at least {least} of each are needed; give more corpora"
    )]
    TooLittle {
        /// Ham found.
        ham: usize,
        /// Spam found.
        spam: usize,
        /// Needed of each.
        least: usize,
    },
    /// The written model does not load.
    #[error("the trained model is not usable: {0}")]
    Model(#[from] ModelError),
}
