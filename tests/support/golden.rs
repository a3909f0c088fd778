//! Golden messages: `NAME.eml` next to `NAME.toml`, which a person wrote: why the case exists, the SMTP
//! session, what must hold.
//!
//! Expectations are never generated. How to add a case: `tests/README.md`.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use gatepost_engine::{Generation, Scratch, judge};
use gatepost_mail::{
    Client, ClientAddress, Facts, Mailbox, Message, ReversePath, Specimen, Transaction,
};
use gatepost_words::verdict::Verdict;
use serde::Deserialize;

/// What stands in a `.toml` next to a mail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// One sentence: why this case exists.
    why: String,
    #[serde(default)]
    session: Session,
    expect: Expect,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    client: Option<String>,
    host: Option<String>,
    helo: Option<String>,
    authenticated: Option<String>,
    from: Option<String>,
    #[serde(default)]
    to: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// With the shipped rules and the shipped model.
    disposition: String,
    /// Whether the mail is marked as spam.
    spam: Option<bool>,
    /// Rules that must hit.
    #[serde(default)]
    fires: Vec<String>,
    /// Rules that must not hit.
    #[serde(default)]
    silent: Vec<String>,
    /// Anomalies that must be seen.
    #[serde(default)]
    anomalies: Vec<String>,
    /// No other anomaly than those listed may be seen.
    #[serde(default)]
    only_these_anomalies: bool,
    subject: Option<String>,
    /// Each must stand in one of the rendered texts.
    #[serde(default)]
    text: Vec<String>,
    /// None may stand in a rendered text.
    #[serde(default)]
    not_text: Vec<String>,
    /// Each must be among the normalised URLs.
    #[serde(default)]
    urls: Vec<String>,
    /// The media types of all entities, in order.
    entities: Option<Vec<String>>,
    /// The file names of all entities that have one, in order.
    file_names: Option<Vec<String>>,
}

/// Runs every case under `folder` against `generation`; all failures are reported together. Returns how
/// many cases there were.
pub fn run_all(folder: &Path, generation: &Generation) -> Result<usize, String> {
    let mut failures = Vec::new();
    let mut count = 0;
    for mail in messages(folder) {
        count += 1;
        let problems = run(&mail, generation).unwrap_or_else(|problem| vec![problem]);
        for problem in problems {
            failures.push(format!(
                "{}: {problem}",
                mail.strip_prefix(folder).unwrap_or(&mail).display()
            ));
        }
    }
    if failures.is_empty() {
        Ok(count)
    } else {
        Err(failures.join("\n"))
    }
}

/// All `.eml` files under `folder`, in name order.
pub fn messages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("a readable directory").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "eml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn run(mail: &Path, generation: &Generation) -> Result<Vec<String>, String> {
    let raw = std::fs::read(mail).map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(mail.with_extension("toml"))
        .map_err(|error| format!("its .toml: {error}"))?;
    let case: Case = toml::from_str(&text).map_err(|error| format!("its .toml: {error}"))?;
    if case.why.trim().len() < 10 {
        return Err("say why this case exists".to_owned());
    }
    let specimen = Specimen {
        transaction: transaction(&case.session),
        raw,
        facts: Facts::default(),
    };
    let mut scratch = Scratch::default();
    let verdict = judge(generation, &specimen, &mut scratch)
        .map_err(|fault| format!("could not be judged: {fault}"))?;
    let again = judge(generation, &specimen, &mut scratch);
    let mut problems = compare_verdict(&case.expect, &verdict);
    if again.as_ref() != Ok(&verdict) {
        problems.push("judged again, the verdict differs".to_owned());
    }
    problems.extend(compare_message(
        &case.expect,
        &specimen.message(generation.limits()),
    ));
    Ok(problems)
}

fn transaction(session: &Session) -> Transaction {
    let mut transaction = Transaction::new(
        "golden".into(),
        UNIX_EPOCH + Duration::from_secs(1_795_000_001),
    );
    let address = session
        .client
        .as_deref()
        .map(|text| text.parse().expect("an IP address"));
    transaction.client = Client {
        host: session
            .host
            .clone()
            .unwrap_or_else(|| "mail.example.net".to_owned()),
        address: address.map_or(ClientAddress::Unknown, ClientAddress::Ip),
        port: None,
    };
    transaction.authenticated.clone_from(&session.authenticated);
    transaction.helo = Some(
        session
            .helo
            .clone()
            .unwrap_or_else(|| "mail.example.net".to_owned()),
    );
    let from = session
        .from
        .clone()
        .unwrap_or_else(|| "<sender@example.net>".to_owned());
    transaction.envelope.reverse_path = ReversePath::parse(from.as_bytes());
    transaction.envelope.forward_paths = session
        .to
        .iter()
        .map(|path| Mailbox::parse(path.as_bytes()))
        .collect();
    transaction
}

fn compare_verdict(expect: &Expect, verdict: &Verdict) -> Vec<String> {
    let mut problems = Vec::new();
    let hits: Vec<&str> = verdict.hits().map(|hit| &*hit.rule).collect();
    let reported = || {
        format!(
            "score {} model {:?} hits {hits:?}",
            verdict.score,
            verdict.classifier()
        )
    };
    if verdict.disposition.name() != expect.disposition {
        problems.push(format!(
            "disposition {}, expected {}; {}",
            verdict.disposition,
            expect.disposition,
            reported()
        ));
    }
    if expect.spam.is_some_and(|spam| spam != verdict.is_spam()) {
        problems.push(format!(
            "marked as spam: {}; {}",
            verdict.is_spam(),
            reported()
        ));
    }
    for rule in expect
        .fires
        .iter()
        .filter(|rule| !hits.contains(&rule.as_str()))
    {
        problems.push(format!("{rule} should hit; {}", reported()));
    }
    for rule in expect
        .silent
        .iter()
        .filter(|rule| hits.contains(&rule.as_str()))
    {
        problems.push(format!("{rule} should not hit"));
    }
    for anomaly in expect
        .anomalies
        .iter()
        .filter(|anomaly| !verdict.anomalies.contains(&anomaly.as_str()))
    {
        problems.push(format!(
            "anomaly {anomaly} is missing; seen {:?}",
            verdict.anomalies
        ));
    }
    if expect.only_these_anomalies {
        for anomaly in verdict
            .anomalies
            .iter()
            .filter(|anomaly| !expect.anomalies.iter().any(|e| e == *anomaly))
        {
            problems.push(format!("anomaly {anomaly} was not expected"));
        }
    }
    problems
}

fn compare_message(expect: &Expect, message: &Message<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let subject = message.subject();
    if expect
        .subject
        .as_ref()
        .is_some_and(|expected| *expected != subject)
    {
        problems.push(format!("subject is {subject:?}"));
    }
    let texts: Vec<&str> = message.texts.iter().map(|text| &*text.rendered).collect();
    for part in expect
        .text
        .iter()
        .filter(|part| !texts.iter().any(|text| text.contains(part.as_str())))
    {
        problems.push(format!("no text contains {part:?}; texts: {texts:?}"));
    }
    for part in expect
        .not_text
        .iter()
        .filter(|part| texts.iter().any(|text| text.contains(part.as_str())))
    {
        problems.push(format!("a text contains {part:?}"));
    }
    let urls: Vec<&str> = message.urls.iter().map(|url| &*url.normalized).collect();
    for url in expect
        .urls
        .iter()
        .filter(|url| !urls.contains(&url.as_str()))
    {
        problems.push(format!("URL {url:?} is missing; seen {urls:?}"));
    }
    let entities: Vec<String> = message
        .entities
        .iter()
        .map(|entity| entity.media_type.to_string())
        .collect();
    if expect
        .entities
        .as_ref()
        .is_some_and(|expected| *expected != entities)
    {
        problems.push(format!("entities are {entities:?}"));
    }
    let names: Vec<String> = message
        .entities
        .iter()
        .filter_map(|entity| entity.file_name.clone())
        .collect();
    if expect
        .file_names
        .as_ref()
        .is_some_and(|expected| *expected != names)
    {
        problems.push(format!("file names are {names:?}"));
    }
    problems
}
