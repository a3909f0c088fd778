//! The command line as a table: clap reads it, and help, manual pages and completions are made from
//! it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::learn::{LearnCommand, StateArguments};
use super::rules::RulesCommand;

/// Versions and features, for `--version`.
const VERSION: &str = if cfg!(feature = "libmilter") {
    concat!(env!("CARGO_PKG_VERSION"), " (features: libmilter)")
} else {
    concat!(env!("CARGO_PKG_VERSION"), " (features: none)")
};

/// A mail filter daemon that Postfix and Sendmail ask, over the milter protocol, before they accept
/// a message.
#[derive(Debug, Parser)]
#[command(name = "gatepost", version = VERSION, arg_required_else_help = true, max_term_width = 100)]
pub(super) struct Arguments {
    /// Configuration file [default: /etc/gatepost/gatepost.toml, if there]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve: the daemon, in the foreground. SIGHUP reloads, SIGTERM drains.
    Run,
    /// Judge messages offline: files, directories, mailboxes, or standard input.
    Scan(ScanArguments),
    /// Explain a verdict id, rule, error code or configuration key: what, why, and what to do.
    Explain {
        /// A verdict id, a rule's name, an error code such as R0102, or a key such as
        /// limits.message
        what: String,
    },
    /// Check configuration, rules, model, learner and sockets: all that `run` does short of
    /// serving.
    Check {
        /// Output format
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// List, check, test, measure or compare rules.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Give messages labels for the site's own learner, list and retract them.
    #[command(subcommand)]
    Learn(LearnCommand),
    /// Train, measure or describe a model.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Show the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Reload rules, model, policy and limits in the running daemon.
    Reload,
    /// Print the metrics of the running daemon in Prometheus' text format.
    Metrics,
    /// The old name of `metrics`.
    #[command(hide = true)]
    Stats,
    /// Write completions, manual pages, the sample configuration or its schema.
    #[command(subcommand)]
    Generate(GenerateCommand),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `scan`
#[derive(Debug, Args)]
pub(super) struct ScanArguments {
    /// Mail files, directories (all files in them), mailboxes (mbox), or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
    /// TOML file with the SMTP session: client, host, helo, from, to
    #[arg(long, value_name = "FILE")]
    pub(super) session: Option<PathBuf>,
    /// Rules to use instead of the shipped and configured ones: a file, or a directory; may be
    /// repeated
    #[arg(long, value_name = "PATH")]
    pub(super) rules: Vec<PathBuf>,
    /// Rules only, no classifier
    #[arg(long)]
    pub(super) no_model: bool,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
}

/// `model`
#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// Train a model on labelled mail and write it as ONNX
    Train(TrainArguments),
    /// Measure a model on labelled mail
    Eval(EvalArguments),
    /// Let a fresh site learner score and learn a stream of labelled mail, one by one (the TREC
    /// spam track's protocol)
    Replay(ReplayArguments),
    /// Attack the spam of a corpus as spammers do, and measure how much of it is still caught at
    /// 0.5 % ham loss
    Attack(AttackArguments),
    /// Tell which words of a mail pushed the judgement, and how far
    Explain {
        /// The mail, or - for standard input
        #[arg(value_name = "FILE")]
        path: PathBuf,
        /// How many words to tell
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
pub(super) struct TrainArguments {
    /// Directory with corpora: NAME.tar.zst with NAME.tsv beside it
    #[arg(long, value_name = "DIR")]
    pub(super) corpora: PathBuf,
    /// Corpus to train on, NAME or NAME:train or NAME:test; may be repeated [default: the training
    /// parts of all corpora that the shipped model was trained on]
    #[arg(long = "corpus", value_name = "NAME[:SPLIT]")]
    pub(super) names: Vec<String>,
    /// Leave a corpus out of those; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) without: Vec<String>,
    /// Where to write the model; its manifest is written beside it
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// Seed of the random numbers: the same seed gives the same file
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Most passes over the data
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) epochs: Option<u16>,
    /// The day that the manifest tells, YYYY-MM-DD [default: today]
    #[arg(long, value_name = "DATE")]
    pub(super) date: Option<String>,
}

/// `model eval`
#[derive(Debug, Args)]
pub(super) struct EvalArguments {
    /// Directory with corpora: NAME.tar.zst with NAME.tsv beside it
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
    /// Write what was said of each message: path, label, score, decision, with tabs between them
    #[arg(long, value_name = "FILE", conflicts_with = "local")]
    pub(super) scores: Option<PathBuf>,
    /// Let the site teach the first N messages of the corpus, in shuffled order, and measure both
    /// experts together on the rest; may be repeated
    #[arg(long = "local", value_name = "N", conflicts_with = "learned")]
    pub(super) local: Vec<usize>,
    /// Let a site learner learn that corpus first and judge together with the model; may be
    /// repeated
    #[arg(long = "learned", value_name = "NAME[:SPLIT]")]
    pub(super) learned: Vec<String>,
}

/// `model attack`
#[derive(Debug, Args)]
pub(super) struct AttackArguments {
    /// Directory with corpora: NAME.tar.zst with NAME.tsv beside it
    #[arg(long, value_name = "DIR")]
    pub(super) corpora: PathBuf,
    /// Corpus whose spam is attacked
    #[arg(long, value_name = "NAME[:SPLIT]", default_value = "spamassassin:test")]
    pub(super) corpus: String,
    /// Corpus whose ham the attackers know
    #[arg(
        long,
        value_name = "NAME[:SPLIT]",
        default_value = "spamassassin:train"
    )]
    pub(super) known: String,
    /// Let the site have taught the known corpus; else the model alone judges
    #[arg(long)]
    pub(super) taught: bool,
    /// The model file [default: the one that is configured, or the built-in one]
    #[arg(long, value_name = "FILE")]
    pub(super) model: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
}

/// `model replay`
#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// Index of the stream: `spam PATH` or `ham PATH` a line, the path relative to the index; the
    /// messages are files, or lie in NAME.tar.zst beside NAME.index
    #[arg(value_name = "INDEX")]
    pub(super) index: PathBuf,
    /// How to print [default: text on a terminal, else json]
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
    /// Write what was said of each message: path, label, score, decision, with tabs between them
    #[arg(long, value_name = "FILE")]
    pub(super) scores: Option<PathBuf>,
    /// Learn only where the answer was wrong or its logit nearer to 0 than this
    #[arg(long, value_name = "LOGIT", value_parser = logit)]
    pub(super) thick: Option<f64>,
    /// Seed of noise, budget and confidence intervals
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

fn percent(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=100.0).contains(&value) {
        Ok(value)
    } else {
        Err("a percentage lies in 0..=100".to_owned())
    }
}

fn logit(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=100.0).contains(&value) {
        Ok(value)
    } else {
        Err("a distance from 0 lies in 0..=100".to_owned())
    }
}

/// `config`
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the values in force, as TOML, each with the place where it was set
    Show {
        /// Only what differs from the defaults
        #[arg(long)]
        changed: bool,
        /// The defaults, whatever files and environment say
        #[arg(long = "default", conflicts_with = "changed")]
        defaults: bool,
        /// What is in force in the running daemon, and what waits for its restart
        #[arg(long, conflicts_with = "defaults")]
        running: bool,
        /// One key or section, such as limits or limits.message
        #[arg(value_name = "KEY")]
        key: Option<String>,
    },
}

/// `generate`
#[derive(Debug, Subcommand)]
pub(super) enum GenerateCommand {
    /// Print the completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a directory
    Man {
        /// The directory; must exist
        directory: PathBuf,
    },
    /// Print the commented sample configuration
    SampleConfig,
    /// Print the JSON schema of the configuration
    Schema,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn the_table_is_consistent() {
        Arguments::command().debug_assert();
    }
}
