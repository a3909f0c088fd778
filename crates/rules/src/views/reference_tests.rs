//! Compares the views of our own messages (`tests/views`) with what SpamAssassin made of them.
//!
//! `expected.jsonl` is the answer of SpamAssassin 4.0.1. Where SpamAssassin and the parity tool are
//! at hand, it is asked again; with `UPDATE_VIEWS=1` its answer becomes the expected one.
#![expect(
    clippy::disallowed_methods,
    reason = "a test that reads files and may ask another program"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::SystemTime;

use super::header_request::HeaderRequest;
use super::lazy::Views;
use crate::ruleset::ruleset::Ruleset;
use gatepost_mail::{Case, Facts, Limits, Message, Transaction};
use gatepost_words::Stage;
use gatepost_words::diagnostic::Source;

/// The texts of a view, or nothing.
type View = Option<Vec<Vec<u8>>>;
/// The views of a message by name.
type Texts = BTreeMap<String, View>;

/// As much JSON as the parity tool writes.
#[derive(Debug)]
enum Json {
    None,
    Text(Vec<u8>),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

struct Reader<'t>(&'t [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().expect("more JSON");
        self.0 = rest;
        *first
    }

    fn value(&mut self) -> Json {
        match self.byte() {
            b'"' => Json::Text(self.text()),
            b'[' => Json::List(self.items(b']', Self::value)),
            b'{' => Json::Map(
                self.items(b'}', |reader| {
                    assert_eq!(reader.byte(), b'"');
                    let name = String::from_utf8(reader.text()).expect("names are ASCII");
                    assert_eq!(reader.byte(), b':');
                    (name, reader.value())
                })
                .into_iter()
                .collect(),
            ),
            // A number or `null`.
            _ => {
                while self.0.first().is_some_and(|byte| !b",]}".contains(byte)) {
                    self.byte();
                }
                Json::None
            }
        }
    }

    fn items<T>(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut items = Vec::new();
        while self.0.first() != Some(&end) {
            items.push(item(self));
            if self.0.first() == Some(&b',') {
                self.byte();
            }
        }
        self.byte();
        items
    }

    fn text(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        loop {
            match self.byte() {
                b'"' => return text,
                b'\\' => text.push(match self.byte() {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'f' => 12,
                    b'u' => {
                        let digits: Vec<u8> = (0..4).map(|_| self.byte()).collect();
                        let code = u32::from_str_radix(&String::from_utf8_lossy(&digits), 16)
                            .expect("digits");
                        u8::try_from(code).expect("a byte")
                    }
                    byte => byte,
                }),
                byte => text.push(byte),
            }
        }
    }
}

/// One line of the parity tool.
fn read(line: &[u8]) -> (String, Texts) {
    let Json::Map(mut map) = Reader(line).value() else {
        panic!("no object")
    };
    let mut views = Texts::new();
    let texts = |json: Json| match json {
        Json::List(items) => Some(
            items
                .into_iter()
                .filter_map(|item| {
                    if let Json::Text(text) = item {
                        Some(text)
                    } else {
                        None
                    }
                })
                .collect(),
        ),
        Json::Text(text) => Some(vec![text]),
        _ => None,
    };
    for name in ["body", "rawbody", "uri"] {
        views.insert(
            name.to_owned(),
            texts(map.remove(name).unwrap_or(Json::None)),
        );
    }
    if let Some(Some(uri)) = views.get_mut("uri") {
        uri.sort();
        uri.dedup();
    }
    if let Some(Json::Map(headers)) = map.remove("headers") {
        views.extend(
            headers
                .into_iter()
                .map(|(name, value)| (format!("header {name}"), texts(value))),
        );
    }
    let Some(Json::Text(file)) = map.remove("file") else {
        panic!("no name")
    };
    (String::from_utf8(file).expect("names are ASCII"), views)
}

fn read_all(text: &[u8]) -> BTreeMap<String, Texts> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(read)
        .collect()
}

/// A line as the expected file has it: ASCII only.
fn written(file: &str, views: &Texts) -> String {
    let quoted = |text: &[u8]| {
        let shown = |byte: &u8| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(*byte)),
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("\\u{byte:04x}"),
        };
        format!("\"{}\"", text.iter().map(shown).collect::<String>())
    };
    let list = |view: &View| {
        view.as_ref().map_or("null".to_owned(), |texts| {
            format!(
                "[{}]",
                texts
                    .iter()
                    .map(|text| quoted(text))
                    .collect::<Vec<_>>()
                    .join(",")
            )
        })
    };
    let (headers, others): (Vec<_>, Vec<_>) = views
        .iter()
        .partition(|(name, _)| name.starts_with("header "));
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, view)| format!("\"{}\":{}", name.trim_start_matches("header "), list(view)))
        .collect();
    let others: Vec<_> = others
        .iter()
        .map(|(name, view)| format!(",\"{name}\":{}", list(view)))
        .collect();
    format!(
        "{{\"file\":\"{file}\"{},\"headers\":{{{}}}}}\n",
        others.concat(),
        headers.join(",")
    )
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/views")
}

fn messages() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory()).expect("tests/views");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut messages: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    messages.sort();
    messages
}

/// Our views of a message, those that `names` ask for.
fn ours(raw: &[u8], rules: &Ruleset, names: &Texts) -> Texts {
    let message = Message::parse(raw, &Limits::default());
    let transaction = Transaction::new("test".into(), SystemTime::UNIX_EPOCH);
    let facts = Facts::default();
    let case = Case {
        stage: Stage::EndOfMessage,
        transaction: &transaction,
        message: &message,
        facts: &facts,
    };
    let views = Views::new(&case, &rules.lists);
    let header = |request: &str| views.header(&HeaderRequest::parse(request).ok()?);
    let view = |name: &str| match name {
        "body" => Some(views.body().to_vec()),
        "rawbody" => Some(views.rawbody().to_vec()),
        "uri" => Some(views.uri().to_vec()),
        name => header(name.strip_prefix("header ").unwrap_or(name)).map(|value| vec![value]),
    };
    names
        .keys()
        .map(|name| (name.clone(), view(name)))
        .collect()
}

/// What the SpamAssassin of this machine makes of the messages; `None`, with the reason printed, where
/// there is none.
fn live() -> Option<BTreeMap<String, Texts>> {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/parity/sa_hits.pl");
    // The answers that are kept were made with the modules that Debian only recommends: without
    // them, addresses and internationalised hosts are read in another way.
    let modules = [
        "-MMail::SpamAssassin",
        "-MEmail::Address::XS",
        "-MNet::LibIDN2",
    ];
    let has_modules = Command::new("perl")
        .args(modules)
        .args(["-e", "1"])
        .output()
        .is_ok_and(|out| out.status.success());
    if !tool.exists() || !has_modules {
        eprintln!(
            "views: SpamAssassin with Email::Address::XS and Net::LibIDN2, or {}, is not here; compared with the file only",
            tool.display()
        );
        return None;
    }
    let out = std::env::temp_dir().join(format!("gatepost-views-{}.jsonl", std::process::id()));
    let status = Command::new("perl")
        .arg(&tool)
        .args([
            "--rules".as_ref(),
            directory().as_os_str(),
            "--site".as_ref(),
            directory().as_os_str(),
        ])
        .args(["--views".as_ref(), out.as_os_str()])
        .args(messages())
        .output()
        .expect("perl runs");
    assert!(
        status.status.success(),
        "{}",
        String::from_utf8_lossy(&status.stderr)
    );
    let text = std::fs::read(&out).expect("views");
    std::fs::remove_file(&out).expect("removed");
    Some(read_all(&text))
}

#[test]
fn views_are_those_of_spamassassin() {
    let file = directory().join("expected.jsonl");
    let live = live();
    if let Some(live) = live
        .as_ref()
        .filter(|_| std::env::var_os("UPDATE_VIEWS").is_some())
    {
        let lines: String = live
            .iter()
            .map(|(file, views)| written(file, views))
            .collect();
        std::fs::write(&file, lines).expect("written");
    }
    let expected = read_all(&std::fs::read(&file).expect("expected.jsonl"));
    if let Some(live) = live {
        assert!(
            live == expected,
            "SpamAssassin says something else than expected.jsonl; UPDATE_VIEWS=1 renews it"
        );
    }
    let settings = std::fs::read_to_string(directory().join("settings.cf")).expect("settings.cf");
    let (rules, _) = Ruleset::load(&[Arc::new(Source::new("settings.cf".to_owned(), settings))]);
    let rules = rules.expect("settings.cf loads");
    let mut different = Vec::new();
    for path in messages() {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        let wanted = expected
            .get(&name)
            .unwrap_or_else(|| panic!("{name} is not in expected.jsonl"));
        for (view, got) in ours(&std::fs::read(&path).expect("mail"), &rules, wanted) {
            let wanted = &wanted[&view];
            if &got != wanted {
                let show = |view: &View| {
                    view.as_ref().map(|texts| {
                        texts
                            .iter()
                            .map(|text| text.escape_ascii().to_string())
                            .collect::<Vec<_>>()
                    })
                };
                different.push(format!(
                    "{name} {view}\n  wanted {:?}\n  got    {:?}\n",
                    show(wanted),
                    show(&got)
                ));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.concat());
}
