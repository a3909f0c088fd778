//! `--session FILE.toml`: the SMTP session under which the messages are judged.

use std::io::Read as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::cli::Exit;
use crate::cli::failure::Failure;
use gatepost_mail::{Client, ClientAddress, Mailbox, ReversePath, Transaction};
use gatepost_reader::Envelope;
use gatepost_words::clock::Clock;
use gatepost_words::diagnostic::{Diagnostic, Source};
use gatepost_words::open_regular;

/// The file, or its table `[session]` where it is a golden case.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Session {
    /// Name of the listener, and so of the policy profile.
    listener: Option<String>,
    /// Address of the client.
    client: Option<IpAddr>,
    /// Its verified host name.
    host: Option<String>,
    port: Option<u16>,
    helo: Option<String>,
    /// MAIL FROM, with or without angle brackets; `<>` is the null path.
    from: Option<String>,
    /// RCPT TO, likewise.
    to: Vec<String>,
    /// Login name of an authenticated client.
    authenticated: Option<String>,
    /// TLS version.
    tls: Option<String>,
    queue_id: Option<String>,
}

/// Reads the session; without a file nothing is known but the message.
pub(super) fn read(path: Option<&Path>) -> Result<Transaction, Failure> {
    let session = match path {
        None => Session::default(),
        Some(path) => {
            let failed = |error| Failure::input(path, &error);
            let mut file = open_regular(path).map_err(failed)?;
            let mut text = String::new();
            file.read_to_string(&mut text).map_err(failed)?;
            parse(&Arc::new(Source::new(path.display().to_string(), text)))
                .map_err(|diagnostic| Failure::Diagnostics(Exit::BadInput, vec![*diagnostic]))?
        }
    };
    Ok(transaction(session))
}

fn parse(source: &Arc<Source>) -> Result<Session, Box<Diagnostic>> {
    /// Golden cases keep the session in a table next to their expectations.
    #[derive(Deserialize)]
    struct Case {
        session: Session,
    }
    let case = toml::from_str::<Case>(&source.text).map(|case| case.session);
    let is_case = toml::from_str::<toml::Table>(&source.text)
        .is_ok_and(|table| table.contains_key("session"));
    let session = if is_case {
        case
    } else {
        toml::from_str::<Session>(&source.text)
    };
    session.map_err(|error| {
        let diagnostic = Diagnostic::error(
            "C0102",
            format!("cannot read the session: {}", error.message().trim()),
        );
        Box::new(diagnostic.at(source, error.span().unwrap_or(0..0), ""))
    })
}

fn transaction(session: Session) -> Transaction {
    let mut transaction = Transaction::new(
        session.listener.as_deref().unwrap_or("scan").into(),
        Clock::system().wall(),
    );
    transaction.client = Client {
        // What an MTA says of a client without a verified name; without any client nothing is said.
        host: session.host.unwrap_or_else(|| {
            if session.client.is_some() {
                "unknown"
            } else {
                ""
            }
            .to_owned()
        }),
        address: session
            .client
            .map_or(ClientAddress::Unknown, ClientAddress::Ip),
        port: session.port,
    };
    transaction.helo = session.helo;
    transaction.authenticated = session.authenticated;
    transaction.tls = session.tls;
    transaction.queue_id = session.queue_id;
    transaction.envelope.reverse_path =
        ReversePath::parse(session.from.unwrap_or_default().as_bytes());
    transaction.envelope.forward_paths = session
        .to
        .iter()
        .map(|path| Mailbox::parse(path.as_bytes()))
        .collect();
    transaction
}

/// Notes what a queue file says of its transaction.
pub(super) fn fill(transaction: &mut Transaction, envelope: &Envelope) {
    let address = envelope.client_address.as_deref();
    let address = address.and_then(|address| address.parse().ok());
    transaction.client.address = address.map_or(ClientAddress::Unknown, ClientAddress::Ip);
    if let Some(name) = &envelope.client_name {
        transaction.client.host.clone_from(name);
    }
    transaction.helo.clone_from(&envelope.helo);
    transaction
        .authenticated
        .clone_from(&envelope.authenticated);
    transaction.queue_id.clone_from(&envelope.queue_id);
    transaction.envelope.reverse_path = ReversePath::parse(envelope.sender.as_bytes());
    let recipients = envelope.recipients.iter();
    transaction.envelope.forward_paths = recipients
        .map(|path| Mailbox::parse(path.as_bytes()))
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_alone_or_within_a_golden_case() {
        for text in [
            "client = \"192.0.2.1\"\nfrom = \"<a@example.net>\"\nto = [\"b@example.com\"]\n",
            "why = \"x\"\n[session]\nclient = \"192.0.2.1\"\nfrom = \"a@example.net\"\nto = [\"<b@example.com>\"]\n[expect]\n",
        ] {
            let transaction = transaction(parse(&Arc::new(Source::new("s", text))).unwrap());
            assert_eq!(transaction.client.address.to_string(), "192.0.2.1");
            assert_eq!(
                transaction.envelope.reverse_path.to_string(),
                "<a@example.net>"
            );
            assert_eq!(
                transaction.envelope.forward_paths[0].to_string(),
                "b@example.com"
            );
        }
    }

    #[test]
    fn a_misspelt_key_is_reported_with_its_place() {
        let error = parse(&Arc::new(Source::new("s.toml", "hello = \"x\"\n"))).unwrap_err();
        assert!(
            error.to_string().starts_with("s.toml:1:1: error[C0102]"),
            "{error}"
        );
    }
}
