//! The macros asked for with each stage. libmilter can only be asked by name, and would also find
//! those of earlier stages.

use ::milter::{ContextApi, Stage};

use gatepost_milter::{Macros, SYMBOL_LISTS};

/// The stages in the order of their `SMFIM_*` numbers.
const STAGES: [Stage; 7] = [
    Stage::Connect,
    Stage::Helo,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Data,
    Stage::Eom,
    Stage::Eoh,
];

/// What is asked of the MTA with each stage: what the native front-end asks.
pub(super) fn wanted() -> impl Iterator<Item = (Stage, &'static str)> {
    STAGES
        .into_iter()
        .zip(SYMBOL_LISTS.iter().map(|(_, names)| *names))
}

/// What MTAs send in addition where they do not take our list: Postfix's and Sendmail's defaults.
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
    let wanted = wanted()
        .find(|(known, _)| *known == stage)
        .map_or("", |(_, names)| names);
    for name in wanted
        .split(' ')
        .chain(defaults(stage).split(' '))
        .filter(|name| !name.is_empty())
    {
        if let Ok(Some(value)) = api.macro_value(name) {
            macros.set(name.as_bytes(), value.as_bytes());
        }
    }
    macros
}
