//! The macros asked for with each stage. libmilter can only be asked by name, and would also find those of earlier stages.

use ::milter::{ContextApi, Stage};

use crate::milter::Macros;

/// What is asked of the MTA with each stage; equal to what the native front-end asks.
pub(super) const WANTED: [(Stage, &str); 7] = [
    (Stage::Connect, "j {daemon_name} {client_addr} {client_port} {client_ptr} v _"),
    (Stage::Helo, "{tls_version} {cipher} {cipher_bits}"),
    (Stage::Mail, "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}"),
    (Stage::Rcpt, "i {rcpt_addr} {rcpt_host} {rcpt_mailer}"),
    (Stage::Data, "i"),
    (Stage::Eom, "i"),
    (Stage::Eoh, "i"),
];

/// What MTAs send beside that where they do not take our list: Postfix's and Sendmail's defaults.
fn defaults(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "{daemon_addr} {if_name} {if_addr}",
        Stage::Helo => "{cert_subject} {cert_issuer} {verify}",
        Stage::Mail => "{auth_ssf}",
        Stage::Eom => "{msg_id}",
        _ => "",
    }
}

/// The macros of one stage. A value that is not UTF-8 is left out: the crate cannot give it.
pub(super) fn of_stage(api: &ContextApi, stage: Stage) -> Macros {
    let mut macros = Macros::default();
    let wanted = WANTED.iter().find(|(known, _)| *known == stage).map_or("", |(_, names)| names);
    for name in wanted.split(' ').chain(defaults(stage).split(' ')).filter(|name| !name.is_empty()) {
        if let Ok(Some(value)) = api.macro_value(name) {
            macros.set(name.as_bytes(), value.as_bytes());
        }
    }
    macros
}
