//! The command line as a table: clap reads it, and help, manual pages and completions are made from
//! it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::learn::LearnCommand;
use super::model::ModelCommand;
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
    /// Check configuration, rules, model, learner, files and sockets with the rights of the daemon's
    /// user: all that `run` needs.
    Check {
        /// Look with the rights of this user, by name or number [default: that of gatepost.service,
        /// where there is one]
        #[arg(long = "as", value_name = "USER")]
        user: Option<String>,
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
    /// List and show what was recorded of messages.
    #[command(subcommand)]
    Records(RecordsCommand),
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

/// `records`
#[derive(Debug, Subcommand)]
pub(super) enum RecordsCommand {
    /// List the newest records, oldest first
    List(ListRecords),
    /// Show one record
    Show {
        /// A verdict id, queue id or Message-ID
        id: String,
        /// Output format
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

/// `records list`
#[derive(Debug, Args)]
pub(super) struct ListRecords {
    /// Not before this time: 2026-11-23, 2026-11-23T09:51:07Z, or 30m, 2h, 7d ago
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<String>,
    /// With this verdict
    #[arg(long, value_parser = ["accept", "defer", "quarantine", "reject", "fault"])]
    pub(super) verdict: Option<String>,
    /// With this in the envelope sender, in any case
    #[arg(long, value_name = "TEXT")]
    pub(super) from: Option<String>,
    /// With this in an envelope recipient, in any case
    #[arg(long, value_name = "TEXT")]
    pub(super) to: Option<String>,
    /// With a hit of this rule, shadow rules included
    #[arg(long, value_name = "RULE")]
    pub(super) rule: Option<String>,
    /// With this in the subject, in any case
    #[arg(long, value_name = "TEXT")]
    pub(super) subject: Option<String>,
    /// So many at most
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) limit: u32,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
}

/// `scan`
#[derive(Debug, Args)]
pub(super) struct ScanArguments {
    /// Message files, directories, Maildirs (their cur/ and new/), mailboxes (mbox), queue files of
    /// Postfix, gzip, bzip2 and zstd included; or - for standard input
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
