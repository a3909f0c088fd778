//! `[policy]`, and `[listener.policy]` of one listener: thresholds, faults, lists.

use crate::config::keys::{Applies, Key, Kind};
use crate::config::view::View;
use gatepost_words::verdict;

/// The keys.
pub(in crate::config) const KEYS: &[Key] = &[
    Key {
        path: "policy.required",
        kind: Kind::Points(-1000.0, 1000.0),
        default: Some("5.0"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "From this score on a mail is marked as spam in its headers and still delivered. A listener can have its own \
              value in [listener.policy], as for every key of [policy].",
        example: "6.5",
    },
    Key {
        path: "policy.quarantine",
        kind: Kind::Points(-1000.0, 1000.0),
        default: Some("8.0"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "From this score on a mail is put into the MTA's hold queue, where a person looks at it. Must not be below \
              `required`.",
        example: "10.0",
    },
    Key {
        path: "policy.reject",
        kind: Kind::Points(-1000.0, 1000.0),
        default: Some("15.0"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "From this score on a mail is refused with a 550 reply, so that the sender learns of it. Must not be below \
              `quarantine`; set it very high to never refuse.",
        example: "20.0",
    },
    Key {
        path: "policy.classifier_cap",
        kind: Kind::Points(0.0, 1000.0),
        default: Some("10.0"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "The most points that the classifier may add. Must stay below `reject`, so that a model alone never refuses \
              a mail.",
        example: "6.0",
    },
    Key {
        path: "policy.classifier_floor",
        kind: Kind::Points(0.0, 1000.0),
        default: Some("2.0"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "The most points that the classifier may take off a mail that it thinks wanted. Kept small, so that a model \
              cannot talk down what the rules found.",
        example: "1.0",
    },
    Key {
        path: "policy.on_limit_exceeded",
        kind: Kind::Choice(&["accept", "quarantine", "reject"]),
        default: Some("\"quarantine\""),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "What happens, at least, to a message that has more of something than [limits] allow (parts, nesting, header \
              fields, URLs): a part of it was not seen, so it is not called clean.",
        example: "\"accept\"",
    },
    Key {
        path: "policy.on_fault",
        kind: Kind::Choice(&["tempfail", "accept", "quarantine"]),
        default: Some("\"tempfail\""),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "The outcome for a message that could not be judged (deadline, overload, a bug of ours): ask the client to try \
              again, let it pass marked as not judged, or hold it. A fault never rejects.",
        example: "\"accept\"",
    },
    Key {
        path: "policy.refuse.clients",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "Clients that are refused when they connect: addresses, networks such as `192.0.2.0/24`, or patterns of verified \
              host names, in which `*` stands for any characters and `?` for one.",
        example: "[\"192.0.2.0/24\", \"*.dialup.example\"]",
    },
    Key {
        path: "policy.refuse.helo",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "Patterns of HELO names that are refused. One's own host name is a good entry: only forgers greet with it.",
        example: "[\"mx.example.com\"]",
    },
    Key {
        path: "policy.refuse.senders",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "Patterns of envelope senders that are refused, such as `*@example.net`; `<>` is the null sender of delivery \
              reports, which should not be refused.",
        example: "[\"*@bulk.example\"]",
    },
    Key {
        path: "policy.refuse.recipients",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.1.0",
        applies: Applies::Reload,
        doc: "Patterns of envelope recipients that are refused, in the same form as senders. The other recipients of the mail \
              are not affected.",
        example: "[\"retired@example.com\"]",
    },
    Key {
        path: "policy.defer.clients",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.2.0",
        applies: Applies::Reload,
        doc: "Clients that are asked to try again later when they connect, in the form of `policy.refuse.clients`. An entry of \
              `policy.refuse` is stronger.",
        example: "[\"198.51.100.0/24\"]",
    },
    Key {
        path: "policy.defer.helo",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.2.0",
        applies: Applies::Reload,
        doc: "Patterns of HELO names that are asked to try again later, in the form of `policy.refuse.helo`.",
        example: "[\"*.dynamic.example\"]",
    },
    Key {
        path: "policy.defer.senders",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.2.0",
        applies: Applies::Reload,
        doc: "Patterns of envelope senders that are asked to try again later, in the form of `policy.refuse.senders`.",
        example: "[\"*@new.example\"]",
    },
    Key {
        path: "policy.defer.recipients",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.2.0",
        applies: Applies::Reload,
        doc: "Patterns of envelope recipients that are asked to try again later, such as those of a mailbox that is being moved.",
        example: "[\"moving@example.com\"]",
    },
];

pub(in crate::config) fn profile(view: View<'_>, section: &str) -> gatepost_policy::Settings {
    let at = |name: &str| resolve(view, section, name);
    gatepost_policy::Settings {
        required: view.points(&at("required")),
        quarantine: view.points(&at("quarantine")),
        reject: view.points(&at("reject")),
        classifier_cap: view.points(&at("classifier_cap")),
        classifier_floor: view.points(&at("classifier_floor")),
        beyond_limits: match view.text(&at("on_limit_exceeded")) {
            "accept" => verdict::Disposition::Accept,
            "reject" => verdict::Disposition::Reject,
            _ => verdict::Disposition::Quarantine,
        },
        refuse: gatepost_policy::AdminLists {
            clients: view.list(&at("refuse.clients")),
            helo: view.list(&at("refuse.helo")),
            senders: view.list(&at("refuse.senders")),
            recipients: view.list(&at("refuse.recipients")),
        },
        defer: gatepost_policy::AdminLists {
            clients: view.list(&at("defer.clients")),
            helo: view.list(&at("defer.helo")),
            senders: view.list(&at("defer.senders")),
            recipients: view.list(&at("defer.recipients")),
        },
    }
}

pub(in crate::config) fn on_fault(view: View<'_>, section: &str) -> gatepost_words::FailurePolicy {
    match view.text(&resolve(view, section, "on_fault")) {
        "accept" => gatepost_words::FailurePolicy::Accept,
        "quarantine" => gatepost_words::FailurePolicy::Quarantine,
        _ => gatepost_words::FailurePolicy::Tempfail,
    }
}

/// A listener's own value where it has one, else that of `[policy]`.
fn resolve(view: View<'_>, section: &str, name: &str) -> String {
    let own = format!("{section}.{name}");
    if view.get(&own).is_some() {
        own
    } else {
        format!("policy.{name}")
    }
}
