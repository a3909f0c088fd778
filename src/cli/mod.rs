//! The command line: the one room that speaks to people, in print and by exit status.
//!
//! Every subcommand is one file. Standard output carries what was asked for, standard error
//! everything else; text that came from mail is shown through `mail::text::ForTerminal` only; the
//! exit status is one of [`Exit`].

mod arguments;
mod check;
mod check_dns;
mod check_learner;
mod check_report;
mod check_unit;
mod check_user;
mod config_show;
mod control;
mod deprecated;
mod exit;
mod explain;
mod failure;
mod generate;
mod learn;
mod loading;
mod model;
mod pipeline;
mod program;
mod progress;
mod record_text;
mod records;
mod rules;
mod run;
mod scan;
mod site_report;
mod terminal;

pub use exit::Exit;
pub use program::main;
