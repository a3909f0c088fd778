//! The arguments of `gatepost rules …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::arguments::Format;

/// `rules`
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RulesCommand {
    /// List the rules with their scores and descriptions
    List(ListArguments),
    /// Load the rules, report what is suspicious, and run their test lines
    Check(RulesArguments),
    /// Run the test lines only, or compare what hits whole messages with what is expected
    Test(TestArguments),
    /// Count how often each rule hits spam and ham
    Hits(HitsArguments),
    /// Tell what another set of rules would change: hits, points and verdicts. Status 1 where
    /// something changes
    Diff(DiffArguments),
    /// Measure what each rule costs, worst first
    Bench(BenchArguments),
}

/// Which rules.
#[derive(Debug, Args)]
pub(in crate::cli) struct RulesArguments {
    /// Files and directories instead of the shipped and configured rules; `shipped` and
    /// `configured` stand for these
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// The same, as `scan` takes it; may be repeated, and is read before PATH
    #[arg(long, value_name = "PATH")]
    pub(super) rules: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
}

/// `rules list`
#[derive(Debug, Args)]
pub(in crate::cli) struct ListArguments {
    /// Which rules
    #[command(flatten)]
    pub(super) which: RulesArguments,
    /// Only what Gatepost cannot do of them, and why. Status 1 where there is any
    #[arg(long)]
    pub(super) unsupported: bool,
}

/// `rules test`
#[derive(Debug, Args)]
pub(in crate::cli) struct TestArguments {
    /// Which rules
    #[command(flatten)]
    pub(super) which: RulesArguments,
    /// Compare whole messages instead: a directory with messages and an expected.tsv
    /// (`path<TAB>total<TAB>RULE=score,...`), or such a file; may be repeated. Status 1 where
    /// something differs
    #[arg(long, value_name = "DIR|FILE")]
    pub(super) messages: Vec<PathBuf>,
    /// Directory from which the paths in the file count [default: the one where it is]
    #[arg(long, value_name = "DIR", requires = "messages")]
    pub(super) root: Option<PathBuf>,
    /// Write down what hits now, instead of comparing
    #[arg(long, requires = "messages")]
    pub(super) write: bool,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
}

/// Labelled mail.
#[derive(Debug, Args)]
pub(in crate::cli) struct MailArguments {
    /// Corpora: NAME[:train|:test] of a NAME.tar.zst with NAME.tsv next to it, or files,
    /// directories and mailboxes, whose messages are labelled by the directory that has `ham`,
    /// `spam` or `phish` in its name
    #[arg(value_name = "CORPUS")]
    pub(super) corpora: Vec<String>,
    /// Directory with the corpora
    #[arg(long = "corpora", value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
    /// Spam: files, directories, mailboxes; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(super) spam: Vec<PathBuf>,
    /// Ham, likewise
    #[arg(long, value_name = "PATH")]
    pub(super) ham: Vec<PathBuf>,
    /// Take out what earlier filters, receivers and collectors left in the messages, as `model train`
    /// does
    #[arg(long)]
    pub(super) clean: bool,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
}

/// `rules hits`
#[derive(Debug, Args)]
pub(in crate::cli) struct HitsArguments {
    /// Which mail
    #[command(flatten)]
    pub(super) messages: MailArguments,
    /// Files and directories instead of the shipped and configured rules; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(super) rules: Vec<PathBuf>,
    /// Sub-rules (`__...`) too
    #[arg(long)]
    pub(super) subrules: bool,
    /// Rules without any hit too
    #[arg(long)]
    pub(super) all: bool,
    /// The order of the rules
    #[arg(long, value_enum, default_value = "hits")]
    pub(super) sort: HitsOrder,
    /// Show also the N pairs of rules that hit the same messages most [without N: 20]
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "20")]
    pub(super) overlap: Option<usize>,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
}

/// What the table of hits is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum HitsOrder {
    /// Most hits first.
    Hits,
    /// Most spam first.
    Spam,
    /// Most ham first.
    Ham,
    /// Highest share of spam first.
    So,
    /// Most points first.
    Score,
    /// By name.
    Name,
}

/// `rules diff`
#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArguments {
    /// The rules before: a file or directory, or `shipped`, or `configured`
    #[arg(value_name = "OLD")]
    pub(super) old: PathBuf,
    /// The rules after, likewise
    #[arg(value_name = "NEW")]
    pub(super) new: PathBuf,
    /// Which mail
    #[command(flatten)]
    pub(super) messages: MailArguments,
    /// Rules that are in both, read before them; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(super) rules: Vec<PathBuf>,
    /// Sub-rules (`__...`) too
    #[arg(long)]
    pub(super) subrules: bool,
    /// Messages that are named for each change, at most
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(super) examples: usize,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
}

/// `rules bench`
#[derive(Debug, Args)]
pub(in crate::cli) struct BenchArguments {
    /// Files, directories and mailboxes with mail [default: a small sample of our own]
    #[arg(value_name = "MAIL")]
    pub(super) messages: Vec<PathBuf>,
    /// Files and directories with rules instead of the shipped and configured ones; may be
    /// repeated
    #[arg(long, value_name = "PATH")]
    pub(super) rules: Vec<PathBuf>,
    /// Rules to print
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(super) top: usize,
    /// How often the messages are scanned. The first time is always left out: caches are cold then
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) rounds: u16,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
}
