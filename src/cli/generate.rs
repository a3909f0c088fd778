//! `gatepost generate`: completions, manual pages, sample configuration, schema; all from the same
//! tables.
#![expect(clippy::disallowed_methods, reason = "manual pages are files")]

use std::path::Path;

use clap::CommandFactory as _;

use super::Exit;
use super::arguments::{Arguments, GenerateCommand};
use super::failure::Failure;
use super::terminal::Output;
use crate::config;

/// Prints or writes what was asked for.
pub(super) fn generate(command: GenerateCommand) -> Result<Exit, Failure> {
    let mut out = Output::new();
    match command {
        GenerateCommand::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "gatepost", &mut script);
            out.bytes(&script)?;
        }
        GenerateCommand::Man { directory } => manual_pages(&directory)?,
        GenerateCommand::SampleConfig => out.text(&config::sample())?,
        GenerateCommand::Schema => out.line(format_args!("{:#}", config::schema()))?,
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// One page for each subcommand, and one for the configuration file.
fn manual_pages(directory: &Path) -> Result<(), Failure> {
    if !directory.is_dir() {
        return Err(Failure::new(
            Exit::Unavailable,
            format!("{} is no directory", directory.display()),
        ));
    }
    clap_mangen::generate_to(Arguments::command(), directory)
        .and_then(|()| std::fs::write(directory.join("gatepost.toml.5"), configuration_page()))
        .map_err(|error| {
            Failure::new(
                Exit::of_io(&error),
                format!("{}: {error}", directory.display()),
            )
        })
}

/// gatepost.toml(5), in roff's `man` macros.
fn configuration_page() -> String {
    let mut page = format!(
        ".TH GATEPOST.TOML 5 \"\" \"gatepost {}\"\n.SH NAME\ngatepost.toml \\- configuration of gatepost(1)\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut section = "";
    for key in config::KEYS {
        if key.section() != section {
            section = key.section();
            page.push_str(&roff_line(".SH", &format!("[{section}]")));
        }
        page.push_str(".TP\n");
        page.push_str(&roff_line(".B", key.name()));
        page.push_str(&escape(key.doc));
        let default = key.default.unwrap_or("none, has to be given");
        page.push_str(&escape(&format!(
            "\nValue: {}. Default: {default}.\n",
            key.kind.describe()
        )));
    }
    page
}

fn roff_line(macro_name: &str, text: &str) -> String {
    format!("{macro_name} {}\n", escape(text))
}

/// Backslashes and leading dots have a meaning for roff.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            if line.starts_with(['.', '\'']) {
                format!("\\&{line}")
            } else {
                line.to_owned()
            }
        })
        .collect();
    lines.join("\n") + if text.ends_with('\n') { "\n" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::{configuration_page, escape};
    use crate::config::KEYS;

    #[test]
    fn the_page_has_every_key_and_no_accidental_macro() {
        let page = configuration_page();
        for key in KEYS {
            assert!(
                page.contains(&format!(".B {}\n", escape(key.name()))),
                "{}",
                key.path
            );
        }
        let known = [".TH ", ".SH ", ".TP", ".B "];
        for line in page.lines().filter(|line| line.starts_with('.')) {
            assert!(known.iter().any(|known| line.starts_with(known)), "{line}");
        }
    }
}
