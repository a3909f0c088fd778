//! What a configuration key is. The keys themselves are in `table`; sample file, manual, schema,
//! `explain`, validation and did-you-mean are projections of that one table.

/// One configuration key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Dotted path, such as `limits.message`. Paths that begin with `listener.` live in each
    /// `[[listener]]`.
    pub path: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// The default, as it would be written in TOML; `None` where the key has to be given.
    pub default: Option<&'static str>,
    /// The version of Gatepost that brought the key.
    pub since: &'static str,
    /// When a changed value takes effect.
    pub applies: Applies,
    /// One paragraph: what it does, and why one would change it.
    pub doc: &'static str,
    /// A value other than the default, as it would be written in TOML.
    pub example: &'static str,
}

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// With `gatepost reload` or SIGHUP.
    Reload,
    /// When the daemon is started again.
    Restart,
}

impl Applies {
    /// The word of manual and sample file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Restart => "restart",
        }
    }
}

/// What a value looks like, with its range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Any text; may be empty.
    Text,
    /// A name for logs and metrics: 1 to 32 of `a-z 0-9 _ -`.
    Name,
    /// A file; empty means none.
    Path,
    /// A milter socket, `unix:/path` or `inet:PORT@ADDRESS`.
    Socket,
    /// Permission bits in octal, such as `"0660"`.
    Mode,
    /// `true` or `false`.
    Boolean,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number within these bounds.
    Integer(i64, i64),
    /// Points of score within these bounds.
    Points(f64, f64),
    /// Bytes within these bounds: a number, or text such as `"50MiB"`.
    Size(u64, u64),
    /// Milliseconds within these bounds, written as text such as `"20s"`.
    Duration(u64, u64),
    /// A list of texts, none of them empty.
    List,
    /// A list of IP addresses, each with a port if it is not the usual one.
    Servers,
}

impl Kind {
    /// The range or the form, in words: `a size from 1KiB to 1GiB, such as "50MiB"`.
    pub fn describe(self) -> String {
        use super::units::{show_duration, show_size};
        match self {
            Self::Text => "a text".to_owned(),
            Self::Name => "a name of 1 to 32 characters out of a-z, 0-9, `-` and `_`".to_owned(),
            Self::Path => "the path of a file, or an empty text for none".to_owned(),
            Self::Socket => "a socket: \"unix:/PATH\" or \"inet:PORT@ADDRESS\"".to_owned(),
            Self::Mode => "permission bits in octal, from \"0000\" to \"0777\"".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Integer(min, max) => format!("a whole number from {min} to {max}"),
            Self::Points(min, max) => format!("a number of points from {min:.1} to {max:.1}"),
            Self::Size(min, max) => format!(
                "a size from {} to {}, such as \"50MiB\"",
                show_size(min),
                show_size(max)
            ),
            Self::Duration(min, max) => {
                format!(
                    "a duration from {} to {}, such as \"20s\"",
                    show_duration(min),
                    show_duration(max)
                )
            }
            Self::List => "a list of texts, such as [\"a\", \"b\"]".to_owned(),
            Self::Servers => {
                "a list of IP addresses, such as [\"127.0.0.1\", \"[::1]:5353\"]".to_owned()
            }
        }
    }
}

impl Key {
    /// Everything before the last dot: `limits`, `policy.refuse`, `listener`.
    pub fn section(&self) -> &'static str {
        self.path
            .rsplit_once('.')
            .map_or("", |(section, _)| section)
    }

    /// Whether it belongs to each `[[listener]]`.
    pub fn is_of_listener(&self) -> bool {
        self.path.starts_with("listener.")
    }

    /// Everything after the last dot.
    pub fn name(&self) -> &'static str {
        self.path
            .rsplit_once('.')
            .map_or(self.path, |(_, name)| name)
    }

    /// The environment variable that sets it; `None` for the keys of a listener.
    pub fn variable(&self) -> Option<String> {
        (!self.is_of_listener())
            .then(|| format!("GATEPOST__{}", self.path.replace('.', "__").to_uppercase()))
    }
}
