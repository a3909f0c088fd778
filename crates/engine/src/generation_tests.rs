//! Whatever judging reads is in a generation's name: each input is changed, one by one, and the name
//! must be another. The inputs are taken apart without `..`: one that is added does not compile here
//! until it is changed too.

use std::collections::BTreeSet;

use super::*;
use crate::testing;
use gatepost_policy::{AdminLists, Settings};
use gatepost_words::diagnostic::Source;
use gatepost_words::verdict::Disposition;

fn of(settings: &Settings) -> Generation {
    testing::generation("", settings, FailurePolicy::Tempfail)
}

/// What a file without rules gives.
fn no_rules() -> Ruleset {
    let source = Source {
        name: "test.cf".to_owned(),
        text: String::new(),
    };
    Ruleset::load(&[Arc::new(source)]).0.unwrap()
}

/// Demands that all these names are different from one another and from the plain one.
fn all_differ(generations: &[Generation]) {
    let plain = of(&Settings::default());
    let count = generations.len() + 1;
    let mut names: BTreeSet<String> = BTreeSet::new();
    names.insert(plain.id().to_string());
    names.extend(generations.iter().map(|changed| changed.id().to_string()));
    assert_eq!(names.len(), count, "two different inputs have one name");
}

#[test]
fn the_same_inputs_give_the_same_name() {
    let plain = of(&Settings::default());
    assert_eq!(plain.id(), of(&Settings::default()).id());
    assert_eq!(plain.with_limits(Limits::default()).id(), plain.id());
    assert_eq!(
        plain.with_gather(GatherSettings::default()).id(),
        plain.id()
    );
}

#[test]
fn every_limit_changes_the_name() {
    let default = Limits::default();
    let Limits {
        message,
        depth,
        parts,
        headers,
        header_bytes,
        header_line,
        recipients,
        decoded_factor,
        urls,
        html,
    } = default;
    let changed = [
        Limits {
            message: message + 1,
            ..default
        },
        Limits {
            depth: depth + 1,
            ..default
        },
        Limits {
            parts: parts + 1,
            ..default
        },
        Limits {
            headers: headers + 1,
            ..default
        },
        Limits {
            header_bytes: header_bytes + 1,
            ..default
        },
        Limits {
            header_line: header_line + 1,
            ..default
        },
        Limits {
            recipients: recipients + 1,
            ..default
        },
        Limits {
            decoded_factor: decoded_factor + 1,
            ..default
        },
        Limits {
            urls: urls + 1,
            ..default
        },
        Limits {
            html: html + 1,
            ..default
        },
    ];
    let plain = of(&Settings::default());
    all_differ(&changed.map(|limits| plain.with_limits(limits)));
}

/// Each list with one entry.
fn lists() -> Vec<AdminLists> {
    let AdminLists {
        clients,
        helo,
        senders,
        recipients,
    } = AdminLists::default();
    let with = |mut list: Vec<String>| {
        list.push("example.net".to_owned());
        list
    };
    vec![
        AdminLists {
            clients: with(clients),
            ..AdminLists::default()
        },
        AdminLists {
            clients: vec!["192.0.2.0/24".to_owned()],
            ..AdminLists::default()
        },
        AdminLists {
            helo: with(helo),
            ..AdminLists::default()
        },
        AdminLists {
            senders: with(senders),
            ..AdminLists::default()
        },
        AdminLists {
            recipients: with(recipients),
            ..AdminLists::default()
        },
    ]
}

#[test]
fn every_field_of_a_policy_changes_the_name() {
    let default = Settings::default();
    let Settings {
        required,
        quarantine,
        reject,
        classifier_cap,
        classifier_floor,
        beyond_limits,
        refuse: _,
        defer: _,
    } = default.clone();
    assert_ne!(beyond_limits, Disposition::Reject);
    let mut changed = vec![
        Settings {
            required: required + 0.1,
            ..default.clone()
        },
        Settings {
            quarantine: quarantine + 0.1,
            ..default.clone()
        },
        Settings {
            reject: reject + 0.1,
            ..default.clone()
        },
        Settings {
            classifier_cap: classifier_cap + 0.1,
            ..default.clone()
        },
        Settings {
            classifier_floor: classifier_floor + 0.1,
            ..default.clone()
        },
        Settings {
            beyond_limits: Disposition::Reject,
            ..default.clone()
        },
    ];
    changed.extend(lists().into_iter().map(|refuse| Settings {
        refuse,
        ..default.clone()
    }));
    changed.extend(lists().into_iter().map(|defer| Settings {
        defer,
        ..default.clone()
    }));
    all_differ(&changed.iter().map(of).collect::<Vec<_>>());
}

#[test]
fn everything_else_that_judging_reads_changes_the_name() {
    let settings = Settings::default();
    let plain = of(&settings);
    let default = GatherSettings::default();
    let GatherSettings {
        wanted: Wanted { client_names },
        timeout,
        awaited_from,
    } = default;
    assert_ne!(awaited_from, Stage::Connect);
    let wanted = Wanted {
        client_names: !client_names,
    };
    let profile = |on_fault| Profile {
        policy: plain.default.policy.clone(),
        on_fault,
    };
    let listener = |name: &str| {
        let profiles = BTreeMap::from([(name.into(), profile(FailurePolicy::Tempfail))]);
        Generation::new(no_rules(), None, profile(FailurePolicy::Tempfail), profiles)
    };
    let domains = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        plain.with_trust(TrustedAuthservIds::none(), &names)
    };
    all_differ(&[
        testing::generation("body A /x/\n", &settings, FailurePolicy::Tempfail),
        testing::generation("", &settings, FailurePolicy::Accept),
        testing::generation("", &settings, FailurePolicy::Quarantine),
        listener("inbound"),
        listener("outbound"),
        plain.with_trust(TrustedAuthservIds::new(&["mx.example.com".to_owned()]), &[]),
        domains(&["example.com"]),
        domains(&["example.com", "example.net"]),
        domains(&["example.comexample.net"]),
        plain.with_gather(GatherSettings { wanted, ..default }),
        plain.with_gather(GatherSettings {
            timeout: timeout * 2,
            ..default
        }),
        plain.with_gather(GatherSettings {
            awaited_from: Stage::Connect,
            ..default
        }),
    ]);
}

#[test]
fn a_model_changes_the_name() {
    // A model is too large for a test of this crate: its id takes part as a list of none or one.
    let encode = |id: Option<&str>| {
        let mut out = Encoder::default();
        out.list("model", id);
        out.as_bytes().to_vec()
    };
    assert_ne!(encode(None), encode(Some("")));
    assert_ne!(encode(Some("a")), encode(Some("b")));
}
