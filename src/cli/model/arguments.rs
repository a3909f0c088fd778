//! Command line of `gatepost model`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::arguments::Format;
use crate::cli::learn::StateArguments;

/// `model`
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ModelCommand {
    /// Train a model on labelled messages and write it as ONNX
    Train(TrainArguments),
    /// Measure a model on labelled messages
    Eval(EvalArguments),
    /// Let a fresh site learner score and learn a stream of labelled messages, one by one (the
    /// TREC spam track's protocol)
    Replay(ReplayArguments),
    /// Change the spam of a corpus as attackers do, and measure how much of it is still caught at
    /// 0.5 % ham loss
    Robustness(RobustnessArguments),
    /// The old name of `robustness`
    #[command(hide = true)]
    Attack(RobustnessArguments),
    /// Explain which words of a message moved the probability, and how far
    Explain {
        /// The message, or - for standard input
        #[arg(value_name = "FILE")]
        path: PathBuf,
        /// How many words to list
        #[arg(long, value_name = "N", default_value_t = 20)]
        words: usize,
        #[command(flatten)]
        state: StateArguments,
    },
    /// Describe a model: what it was trained on, when, how
    Info {
        /// The model file [default: the one that is configured, or the built-in one]
        #[arg(value_name = "FILE")]
        path: Option<PathBuf>,
        /// Output format
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

/// `model train`
#[derive(Debug, Args)]
pub(in crate::cli) struct TrainArguments {
    /// Directory with corpora: NAME.tar.zst with NAME.tsv next to it; or directories, Maildirs and
    /// mailboxes called NAME, with `ham`, `spam` or `phish` in the names of their folders
    #[arg(long, value_name = "DIR")]
    pub(super) corpora: PathBuf,
    /// Corpus to train on, NAME or NAME:train or NAME:test; may be repeated [default: the training
    /// parts of all corpora that the shipped model was trained on]
    #[arg(long = "corpus", value_name = "NAME[:SPLIT]")]
    pub(super) names: Vec<String>,
    /// Leave a corpus out of those; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) without: Vec<String>,
    /// Where to write the model; its manifest is written next to it
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// Seed of the random numbers: the same seed gives the same file
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Most passes over the data
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) epochs: Option<u16>,
    /// The day that the manifest names, YYYY-MM-DD [default: today]
    #[arg(long, value_name = "DATE")]
    pub(super) date: Option<String>,
}

/// `model eval`
#[derive(Debug, Args)]
pub(in crate::cli) struct EvalArguments {
    /// Directory with corpora: NAME.tar.zst with NAME.tsv next to it; or directories, Maildirs and
    /// mailboxes called NAME, with `ham`, `spam` or `phish` in the names of their folders
    #[arg(long, value_name = "DIR")]
    pub(super) corpora: PathBuf,
    /// Corpus to measure on, NAME or NAME:train or NAME:test; may be repeated
    #[arg(
        long = "corpus",
        value_name = "NAME[:SPLIT]",
        default_value = "spamassassin:test"
    )]
    pub(super) names: Vec<String>,
    /// The model file [default: the one that is configured, or the built-in one]
    #[arg(long, value_name = "FILE")]
    pub(super) model: Option<PathBuf>,
    /// Write roc.svg and reliability.svg into this directory
    #[arg(long, value_name = "DIR")]
    pub(super) plots: Option<PathBuf>,
    /// Write a line for each message: path, label, score, decision, separated by tabs
    #[arg(long, value_name = "FILE", conflicts_with_all = ["site_labels", "old_local"])]
    pub(super) scores: Option<PathBuf>,
    /// Give the site the labels of the first N messages of the corpus, in shuffled order, and
    /// measure both experts together on the rest; may be repeated
    #[arg(long, value_name = "N", conflicts_with = "site_corpus")]
    pub(super) site_labels: Vec<usize>,
    /// The old name of `--site-labels`
    #[arg(
        long = "local",
        value_name = "N",
        hide = true,
        conflicts_with = "site_corpus"
    )]
    pub(super) old_local: Vec<usize>,
    /// Give a site learner the labels of that corpus first and measure it together with the
    /// model; may be repeated
    #[arg(long, value_name = "NAME[:SPLIT]")]
    pub(super) site_corpus: Vec<String>,
    /// The old name of `--site-corpus`
    #[arg(long = "learned", value_name = "NAME[:SPLIT]", hide = true, conflicts_with_all = ["site_labels", "old_local"])]
    pub(super) old_learned: Vec<String>,
}

/// `model robustness`
#[derive(Debug, Args)]
pub(in crate::cli) struct RobustnessArguments {
    /// Directory with corpora: NAME.tar.zst with NAME.tsv next to it; or directories, Maildirs and
    /// mailboxes called NAME, with `ham`, `spam` or `phish` in the names of their folders
    #[arg(long, value_name = "DIR")]
    pub(super) corpora: PathBuf,
    /// Corpus whose spam is changed
    #[arg(long, value_name = "NAME[:SPLIT]", default_value = "spamassassin:test")]
    pub(super) corpus: String,
    /// Corpus whose ham the attackers know
    #[arg(
        long,
        value_name = "NAME[:SPLIT]",
        default_value = "spamassassin:train"
    )]
    pub(super) attacker_ham: String,
    /// The old name of `--attacker-ham`
    #[arg(
        long = "known",
        value_name = "NAME[:SPLIT]",
        hide = true,
        conflicts_with = "attacker_ham"
    )]
    pub(super) old_known: Option<String>,
    /// Give the site the labels of the corpus that the attackers know; else the model alone judges
    #[arg(long)]
    pub(super) with_site: bool,
    /// The old name of `--with-site`
    #[arg(long = "taught", hide = true)]
    pub(super) old_taught: bool,
    /// The model file [default: the one that is configured, or the built-in one]
    #[arg(long, value_name = "FILE")]
    pub(super) model: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
}

/// `model replay`
#[derive(Debug, Args)]
pub(in crate::cli) struct ReplayArguments {
    /// Index of the stream: `spam PATH` or `ham PATH` a line, the path relative to the index; the
    /// messages are files, or members of NAME.tar.zst next to NAME.index
    #[arg(value_name = "INDEX")]
    pub(super) index: PathBuf,
    /// Output format [default: text on a terminal, else json]
    #[arg(long, value_enum)]
    pub(super) format: Option<Format>,
    /// Labels come N messages late
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(super) delay: u32,
    /// Labels come only for the mail of one person: the recipient with the most ham
    #[arg(long)]
    pub(super) partial: bool,
    /// Labels come only for the first N messages
    #[arg(long, value_name = "N")]
    pub(super) first: Option<usize>,
    /// Percent of the labels that are wrong
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = percent)]
    pub(super) noise: f64,
    /// Labels are asked for, where the learner is unsure, for at most that percentage of the
    /// messages
    #[arg(long, value_name = "P", value_parser = percent)]
    pub(super) budget: Option<f64>,
    /// Write the learning curve to this file, as SVG
    #[arg(long, value_name = "FILE")]
    pub(super) plot: Option<PathBuf>,
    /// Write a line for each message: path, label, score, decision, separated by tabs
    #[arg(long, value_name = "FILE")]
    pub(super) scores: Option<PathBuf>,
    /// Learn only where the answer was wrong or its logit nearer to 0 than this
    #[arg(long, value_name = "LOGIT", value_parser = logit)]
    pub(super) margin: Option<f64>,
    /// The old name of `--margin`
    #[arg(long = "thick", value_name = "LOGIT", value_parser = logit, hide = true, conflicts_with = "margin")]
    pub(super) old_thick: Option<f64>,
    /// Seed of noise, budget and confidence intervals
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

fn percent(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=100.0).contains(&value) {
        Ok(value)
    } else {
        Err("a percentage is in 0..=100".to_owned())
    }
}

fn logit(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=100.0).contains(&value) {
        Ok(value)
    } else {
        Err("a distance from 0 is in 0..=100".to_owned())
    }
}
