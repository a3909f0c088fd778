//! The public suffix list of the site, in place of the built-in one.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use gatepost_mail::PublicSuffixList;
use gatepost_words::diagnostic::{Diagnostic, Source};

/// Reads the list that the configuration names and makes it that of the process. To be called
/// before anything is judged; without effect where none is named.
pub fn use_public_suffix_list(config: &Config) -> Result<(), Vec<Diagnostic>> {
    let Some(path) = &config.rules.public_suffix_list else {
        return Ok(());
    };
    let name = path.display().to_string();
    let text = read(path).map_err(|error| {
        let source = Arc::new(Source::new(name.clone(), ""));
        let message = format!("cannot read the public suffix list: {error}");
        vec![Diagnostic::error("C0110", message).at(&source, 0..0, "")]
    })?;
    let list = PublicSuffixList::parse(&Arc::new(Source::new(name, text)))?;
    // A process that loads its configuration twice keeps the first list.
    let is_used = match list.make_current() {
        Ok(()) => true,
        Err(list) => list.digest() == PublicSuffixList::current().digest(),
    };
    if is_used {
        return Ok(());
    }
    let message = "another public suffix list is in use already: this is a bug of Gatepost";
    Err(vec![Diagnostic::error("C0110", message)])
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let limit = PublicSuffixList::BYTES_MAX as u64 + 1;
    gatepost_words::open_regular(path)?
        .take(limit)
        .read_to_string(&mut text)?;
    Ok(text)
}
