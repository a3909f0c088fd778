//! Finding and reading rule files: the built-in ones, then the site's.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{self, BUILTIN_RULES};
use gatepost_rules::with_includes;
use gatepost_words::diagnostic::{Diagnostic, Source};

/// Bytes of one rule file.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Files of one directory.
const FILES_MAX: usize = 10_000;
/// How deep sub-directories are looked into.
const DEPTH_MAX: usize = 8;

/// The built-in rules.
pub fn builtin_rules() -> Vec<Arc<Source>> {
    BUILTIN_RULES
        .iter()
        .map(|(path, text)| Arc::new(Source::new(format!("shipped/{path}"), *text)))
        .collect()
}

/// The rules of the configuration: built-in ones first, so that the site's later lines win.
pub fn configured_rules(rules: &config::Rules) -> Result<Vec<Arc<Source>>, Vec<Diagnostic>> {
    let mut sources = if rules.shipped {
        builtin_rules()
    } else {
        Vec::new()
    };
    let wanted: Vec<&PathBuf> = rules
        .paths
        .iter()
        .filter(|path| !rules.may_be_missing || path.exists())
        .collect();
    sources.extend(read_all(&wanted)?);
    in_order(sources)
}

/// Of several directories all `*.pre` files are read first, as SpamAssassin does: what they switch
/// on must be known before the first condition that asks for it. After them come the files that
/// they include.
fn in_order(mut sources: Vec<Arc<Source>>) -> Result<Vec<Arc<Source>>, Vec<Diagnostic>> {
    sources.sort_by_key(|source| {
        Path::new(&source.name)
            .extension()
            .is_none_or(|extension| extension != "pre")
    });
    // What cannot be read is reported by the loader, at the line that asks for it.
    let (sources, errors) = with_includes(&sources, &mut |path| {
        read(Path::new(path)).ok().map(Arc::new)
    });
    if errors.is_empty() {
        Ok(sources)
    } else {
        Err(errors)
    }
}

/// The rules of the command line, or those of the configuration where it names none.
pub fn chosen_rules(
    rules: &config::Rules,
    paths: &[PathBuf],
) -> Result<Vec<Arc<Source>>, Vec<Diagnostic>> {
    if paths.is_empty() {
        configured_rules(rules)
    } else {
        named(rules, paths)
    }
}

/// The rules of the command line, which replace all others. The word `shipped` stands for the
/// shipped ones, `configured` for those that the daemon would load; a file of such a name is
/// written `./shipped`.
fn named(rules: &config::Rules, paths: &[PathBuf]) -> Result<Vec<Arc<Source>>, Vec<Diagnostic>> {
    let mut sources = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        let read = match path.to_str() {
            Some("shipped") => Ok(builtin_rules()),
            Some("configured") => configured_rules(rules),
            _ => read_all(&[path]),
        };
        match read {
            Ok(read) => sources.extend(read),
            Err(more) => errors.extend(more),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    match paths.first() {
        // A command line that names rules means some: judging by none at all would look like a
        // clean result.
        Some(path) if sources.is_empty() => Err(vec![unreadable(
            path,
            &io::Error::other("no rule file there; their names end in .cf"),
        )]),
        _ => in_order(sources),
    }
}

fn read_all(paths: &[&PathBuf]) -> Result<Vec<Arc<Source>>, Vec<Diagnostic>> {
    let mut sources = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        match files_of(path) {
            Err(error) => errors.push(unreadable(path, &error)),
            Ok(files) => {
                for file in files {
                    match read(&file) {
                        Ok(source) => sources.push(Arc::new(source)),
                        Err(error) => errors.push(unreadable(&file, &error)),
                    }
                }
            }
        }
    }
    if errors.is_empty() {
        Ok(sources)
    } else {
        Err(errors)
    }
}

/// A file is itself; a directory is read as SpamAssassin reads one: `*.pre`, then `*.cf`, each in
/// name order. A directory without any rule file of its own, such as our `rules/`, stands for its
/// sub-directories, in name order.
fn files_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let mut directories = vec![(path.to_owned(), 0)];
    while let Some((directory, depth)) = directories.pop() {
        let (own, below) = listing(&directory)?;
        if own.is_empty() && depth < DEPTH_MAX {
            directories.extend(
                below
                    .into_iter()
                    .rev()
                    .map(|directory| (directory, depth + 1)),
            );
        }
        files.extend(own);
        if files.len() > FILES_MAX {
            return Err(io::Error::other(format!(
                "more than {FILES_MAX} rule files"
            )));
        }
    }
    Ok(files)
}

/// The rule files of a directory, in the order in which they are read, and its sub-directories in
/// name order.
fn listing(directory: &Path) -> io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut files, mut below) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
        {
            continue;
        }
        let rank = match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => {
                below.push(path);
                continue;
            }
            Some("pre") => 0,
            Some("cf") => 1,
            _ => continue,
        };
        files.push((rank, path));
    }
    files.sort();
    below.sort();
    Ok((files.into_iter().map(|(_, path)| path).collect(), below))
}

fn read(path: &Path) -> io::Result<Source> {
    let mut bytes = Vec::new();
    gatepost_words::open_regular(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "larger than {} MiB",
            FILE_BYTES_MAX >> 20
        )));
    }
    Ok(Source::from_bytes(path.display().to_string(), &bytes))
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let source = Arc::new(Source::new(path.display().to_string(), ""));
    Diagnostic::error("R0101", format!("cannot read rules: {error}")).at(&source, 0..0, "")
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files")]
mod tests {
    use super::*;

    fn nothing() -> config::Rules {
        config::Rules {
            shipped: false,
            paths: Vec::new(),
            may_be_missing: true,
            public_suffix_list: None,
        }
    }

    #[test]
    fn of_several_directories_all_pre_files_come_first() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["stock", "site"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        for name in [
            "stock/20.cf",
            "stock/10.cf",
            "site/local.cf",
            "site/v3.pre",
            "site/init.pre",
        ] {
            std::fs::write(path(name), "").unwrap();
        }
        let read = named(&nothing(), &[path("stock"), path("site")]).unwrap();
        let names: Vec<_> = read
            .iter()
            .map(|source| source.name.rsplit('/').next().unwrap())
            .collect();
        assert_eq!(names, ["init.pre", "v3.pre", "10.cf", "20.cf", "local.cf"]);
    }

    #[test]
    fn words_stand_for_sets() {
        let count = |words: &[&str]| {
            let paths: Vec<PathBuf> = words.iter().map(PathBuf::from).collect();
            named(&nothing(), &paths).map(|sources| sources.len())
        };
        assert_eq!(count(&["shipped"]).unwrap(), BUILTIN_RULES.len());
        assert!(
            count(&["configured"]).is_err(),
            "a set without a file is no set"
        );
        assert!(count(&["./shipped"]).is_err());
    }

    #[test]
    fn a_directory_is_read_as_spamassassin_reads_one() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b.cf", "a.cf", "z.pre", ".c.cf", "notes.txt", "local.cf"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        std::fs::create_dir(directory.path().join("sub.cf")).unwrap();
        let names: Vec<String> = named(&nothing(), &[directory.path().to_owned()])
            .unwrap()
            .iter()
            .map(|source| source.name.rsplit('/').next().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["z.pre", "a.cf", "b.cf", "local.cf"]);
    }

    #[test]
    fn a_directory_of_directories_stands_for_them() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b", "a", "a/deeper"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        assert_eq!(
            named(&nothing(), &[directory.path().to_owned()]).unwrap_err()[0].code,
            "R0101"
        );
        for name in ["b/1.cf", "a/2.cf", "a/deeper/3.cf"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let names: Vec<String> = named(&nothing(), &[directory.path().to_owned()])
            .unwrap()
            .iter()
            .map(|source| source.name.rsplit('/').next().unwrap().to_owned())
            .collect();
        assert_eq!(
            names,
            ["2.cf", "1.cf"],
            "a directory with rule files of its own is read as SpamAssassin reads it"
        );
    }

    #[test]
    fn a_missing_path_is_an_error_unless_it_is_the_default() {
        let missing = PathBuf::from("/nonexistent/gatepost");
        let mut rules = config::Rules {
            shipped: false,
            paths: vec![missing],
            may_be_missing: true,
            public_suffix_list: None,
        };
        assert!(configured_rules(&rules).unwrap().is_empty());
        rules.may_be_missing = false;
        assert_eq!(configured_rules(&rules).unwrap_err()[0].code, "R0101");
    }

    #[test]
    fn a_file_has_its_limit_at_n_and_n_plus_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.cf");
        for (length, fits) in [(FILE_BYTES_MAX, true), (FILE_BYTES_MAX + 1, false)] {
            std::fs::write(&path, "#".repeat(usize::try_from(length).unwrap())).unwrap();
            assert_eq!(named(&nothing(), std::slice::from_ref(&path)).is_ok(), fits);
        }
    }
}
