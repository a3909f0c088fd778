//! Finding and reading the files of the configuration.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::build::build;
use super::layers::{Merged, PREFIX, merge};
use super::settings::Config;
use gatepost_words::diagnostic::{Diagnostic, Source};

/// Where the configuration is looked for when no other is named.
pub const DEFAULT_FILE: &str = "/etc/gatepost/gatepost.toml";
/// Bytes of one file.
pub const FILE_BYTES_MAX: u64 = 4 << 20;
/// Files in `conf.d`.
pub const FILES_MAX: usize = 1_000;

/// Where to read the configuration from.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// The file that was named; `None` means [`DEFAULT_FILE`], which may be missing.
    pub file: Option<PathBuf>,
    /// The variables of the environment whose names begin with `GATEPOST__`.
    pub environment: BTreeMap<String, String>,
}

impl Paths {
    /// From this process: the named file, and the environment.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name
                .into_string()
                .ok()
                .filter(|name| name.starts_with(PREFIX))?;
            // What is not UTF-8 is shown with replacement characters in the error about it.
            Some((name, value.to_string_lossy().into_owned()))
        });
        Self {
            file,
            environment: variables.collect(),
        }
    }
}

/// A configuration that was loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What works and is probably not meant.
    pub warnings: Vec<Diagnostic>,
    /// The values with their places, for `config show`.
    pub merged: Merged,
    /// The files that were read, in order.
    pub files: Vec<Arc<Source>>,
}

impl Config {
    /// Loads the configuration. Loads the configuration.; exit status 78.
    pub fn load(paths: &Paths) -> Result<Loaded, Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let files = read_files(paths, &mut errors);
        let loaded = Self::from_sources(files, &paths.environment);
        match loaded {
            Ok(loaded) if errors.is_empty() => Ok(loaded),
            Ok(_) => Err(errors),
            Err(more) => {
                errors.extend(more);
                Err(errors)
            }
        }
    }

    /// The same from texts that were already read: pure.
    pub fn from_sources(
        files: Vec<Arc<Source>>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Loaded, Vec<Diagnostic>> {
        let merged = merge(&files, environment)?;
        let (config, more) = build(&merged)?;
        let mut warnings = merged.warnings.clone();
        warnings.extend(more);
        Ok(Loaded {
            config,
            warnings,
            merged,
            files,
        })
    }
}

fn read_files(paths: &Paths, errors: &mut Vec<Diagnostic>) -> Vec<Arc<Source>> {
    let main = paths
        .file
        .clone()
        .unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let mut files = Vec::new();
    match read(&main) {
        Ok(source) => files.push(source),
        Err(error) if error.kind() == ErrorKind::NotFound && paths.file.is_none() => {}
        Err(error) => errors.push(unreadable(&main, &error)),
    }
    for path in more_files(&main, errors) {
        match read(&path) {
            Ok(source) => files.push(source),
            Err(error) => errors.push(unreadable(&path, &error)),
        }
    }
    files
}

/// `conf.d/*.toml` next to the main file, in name order.
fn more_files(main: &Path, errors: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let directory = main.parent().unwrap_or(Path::new("")).join("conf.d");
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Vec::new();
        }
        Err(error) => {
            errors.push(unreadable(&directory, &error));
            return Vec::new();
        }
    };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let hidden = |path: &Path| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    };
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
                && !hidden(path)
        })
        .collect();
    paths.sort();
    if paths.len() > FILES_MAX {
        let message = format!("{} has more than {FILES_MAX} files", directory.display());
        errors.push(Diagnostic::error("C0101", message));
        paths.truncate(FILES_MAX);
    }
    paths
}

fn read(path: &Path) -> std::io::Result<Arc<Source>> {
    let mut text = String::new();
    gatepost_words::open_regular(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(std::io::Error::other(format!(
            "larger than {} MiB",
            FILE_BYTES_MAX >> 20
        )));
    }
    Ok(Arc::new(Source::new(path.display().to_string(), text)))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let source = Arc::new(Source::new(path.display().to_string(), ""));
    Diagnostic::error("C0101", format!("cannot read the configuration: {error}")).at(
        &source,
        0..0,
        "",
    )
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files")]
mod tests {
    use super::*;

    fn loaded(files: &[(&str, &str)], named: &str) -> Result<Loaded, Vec<Diagnostic>> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("conf.d")).unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        Config::load(&Paths {
            file: Some(directory.path().join(named)),
            environment: BTreeMap::new(),
        })
    }

    #[test]
    fn later_files_win_key_by_key_and_in_name_order() {
        let files = [
            (
                "gatepost.toml",
                "[policy]\nrequired = 1.0\nquarantine = 9.0\n[rules]\npaths = [\"/a\", \"/b\"]\n",
            ),
            ("conf.d/20.toml", "policy.required = 3.0\n"),
            (
                "conf.d/10.toml",
                "policy.required = 2.0\nrules.paths = [\"/c\"]\n",
            ),
            ("conf.d/.hidden.toml", "nonsense = 1\n"),
            ("conf.d/old.toml.bak", "nonsense = 1\n"),
        ];
        let config = loaded(&files, "gatepost.toml").unwrap().config;
        assert!((config.policy.required - 3.0).abs() < 1e-9);
        assert!((config.policy.quarantine - 9.0).abs() < 1e-9);
        assert_eq!(config.rules.paths, [PathBuf::from("/c")]);
    }

    #[test]
    fn a_named_file_must_be_there_and_readable() {
        let errors = loaded(&[], "missing.toml").unwrap_err();
        assert_eq!(
            errors
                .iter()
                .map(|diagnostic| diagnostic.code)
                .collect::<Vec<_>>(),
            ["C0101"]
        );
        assert!(
            errors[0].to_string().contains("missing.toml"),
            "{}",
            errors[0]
        );
    }

    #[test]
    fn a_file_has_its_limit_at_n_and_n_plus_one() {
        for (length, fits) in [(FILE_BYTES_MAX, true), (FILE_BYTES_MAX + 1, false)] {
            let text = "#".repeat(usize::try_from(length).unwrap());
            assert_eq!(loaded(&[("a.toml", &text)], "a.toml").is_ok(), fits);
        }
    }

    #[test]
    fn without_any_file_the_defaults_of_the_rooms_are_in_force() {
        let config = Config::from_sources(Vec::new(), &BTreeMap::new())
            .unwrap()
            .config;
        assert_eq!(config.policy, gatepost_policy::Settings::default());
        assert_eq!(config.engine, gatepost_engine::Settings::default());
        assert_eq!(
            config.dns.gather,
            gatepost_engine::GatherSettings::default()
        );
        assert_eq!(config.listeners.len(), 1);
        assert_eq!(config.listeners[0].name.as_ref(), "inbound");
        assert_eq!(config.listeners[0].mode, 0o660);
        assert!(config.rules.may_be_missing);
    }

    #[test]
    fn the_environment_wins_over_files() {
        let source = Arc::new(Source::new(
            "a.toml",
            "policy.required = 6.0\nrules.paths = [\"/a\"]\n",
        ));
        let environment: BTreeMap<String, String> = [
            ("GATEPOST__POLICY__REQUIRED", "6.5"),
            ("GATEPOST__RULES__PATHS", "/b,/c"),
            ("GATEPOST__RULES__SHIPPED", "false"),
            ("GATEPOST__LIMITS__MESSAGE", "1024"),
            ("GATEPOST__POLICY__REFUSE__HELO", "mx.example.com"),
            ("HOME", "/"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let config = Config::from_sources(vec![source], &environment)
            .unwrap()
            .config;
        assert!((config.policy.required - 6.5).abs() < 1e-9);
        assert_eq!(
            config.rules.paths,
            [PathBuf::from("/b"), PathBuf::from("/c")]
        );
        assert!(!config.rules.shipped);
        assert_eq!(config.limits.message, 1024);
        assert_eq!(config.policy.refuse.helo, ["mx.example.com"]);
    }
}
