//! The command line: the one room that speaks to people, and the one that puts all others together.
//!
//! Every subcommand is one file. Standard output carries what was asked for, standard error
//! everything else; text that came from mail is shown through `mail::text::ForTerminal` only; the
//! exit status is one of [`Exit`].

mod arguments;
mod bar;
mod check;
mod check_learner;
mod config_show;
mod control;
mod exit;
mod explain;
mod failure;
mod generate;
mod generation;
mod learn;
mod learner;
mod model;
mod model_explain;
mod pipeline;
mod program;
mod rule_files;
mod rules;
mod run;
mod scan;
mod terminal;

pub use exit::Exit;
pub use generation::{load_generation, shipped_generation};
pub use program::main;
