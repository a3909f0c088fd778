//! The forms of the `from` clause, family by family of mailers. The first form that fits is taken.

use std::sync::LazyLock;

use memchr::memmem;

use super::notation::{Form, Found};

/// Whether mailers of a family look for the name of an address, so that a missing name says
/// something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    Never,
    Always,
    /// Always, but `unknown` is also what they write when they did not look.
    Unsure,
}

/// Mailers that write alike.
struct Family {
    /// The family is tried where one of these texts is in the field (after `!`: where it does
    /// not); everywhere when there is none.
    marks: &'static [&'static str],
    lookup: Lookup,
    forms: &'static [&'static str],
}

const fn family(
    marks: &'static [&'static str],
    lookup: Lookup,
    forms: &'static [&'static str],
) -> Family {
    Family {
        marks,
        lookup,
        forms,
    }
}

use Lookup::{Always, Never, Unsure};

/// The handovers. Families with marks of their own first, then what many mailers write.
const HANDOVERS: &[Family] = &[
    // Submission in a browser.
    family(
        &["Mail authenticated user "],
        Never,
        &["{ip} {gap}by {by} with HTTP"],
    ),
    family(&["with HTTP"], Never, &["{ip} ([{address}]) by {by}"]),
    family(&[" via HTTP"], Never, &["[{ip}] by {by} via HTTP{end}"]),
    family(&[".hotmail.msn.com "], Never, &["{ip} {gap}by {by} "]),
    // Microsoft: IIS, Exchange.
    family(
        &[" SMTPSVC"],
        Never,
        &["{helo?} ([{ip}]{comment}) by {by} with Microsoft SMTPSVC"],
    ),
    family(
        &[" with Microsoft SMTP Server ", " with mapi id "],
        Never,
        &[
            "{helo} ({[}{ip}{zone}{]}) by {by} {gap}with Microsoft SMTP Server {version}",
            "{helo} ({[}{ip}{zone}{]}) by {by} {gap}with mapi id {version}",
        ],
    ),
    // Mailers that name themselves.
    family(&["[XMail "], Never, &["{helo} ({[}{ip}{]}{port}) by {by} "]),
    family(
        &["(ecelerity"],
        Never,
        &[
            "([{ip}{port}] helo={helo}) by {by} ",
            "{word} ([{ip}{port}]) by {by} ",
        ],
    ),
    family(&["(Scalix SMTP Relay"], Never, &["{helo} ({ip}) by {by}"]),
    family(
        &[" (Lotus Domino "],
        Never,
        &["{helo} ([{ip}]) by {by} (Lotus"],
    ),
    family(
        &["(LHLO "],
        Never,
        &["{name} (LHLO {helo?}) ({ip}) by {by} with LMTP"],
    ),
    family(
        &[" via smtpd (for "],
        Never,
        &["{helo} ([{ip}]) by {by} via smtpd (for {word}) with SMTP("],
    ),
    family(
        &["(softdnserr "],
        Never,
        &["{helo} (softdnserr [{ip}]){gap} by {by} "],
    ),
    family(
        &["Exim"],
        Never,
        &[
            "[{ip}] ({comment}) by {by} ",
            "{name and helo} ([{ip}]{comment}) by {by} ",
            "{name and helo} [{ip}]{port} by {by} ",
            "{name} ({helo}) [{ip}{port}]{port} {gap}by {by} ",
            "{name} {gap}[{ip}{port}] {gap}by {by} ",
        ],
    ),
    // Postfix, Sendmail and who writes like them: greeting first, name in the comment.
    family(&[], Always, &["{helo} ({name} [{ip}]) by {by} "]),
    family(
        &["!(qmail-"],
        Always,
        &["{helo} ({name} [{ip}]{gap}) by {by} ("],
    ),
    family(
        &["(qpsmtpd/"],
        Never,
        &["{name} ({greeting} {helo?}) ({ip}) by {by} (qpsmtpd/"],
    ),
    family(
        &["helo="],
        Never,
        &["{name} ([{ip}] helo={helo}) by {by} with "],
    ),
    family(
        &["(<unknown"],
        Never,
        &["{helo} (<unknown{word?}>[{ip}]) by {by} "],
    ),
    family(&[], Always, &["{helo} ({dotted name}[{ip}]) by {by} "]),
    family(&["@["], Always, &["{helo} ({ident}@[{ip}{gap}) by {by} ("]),
    family(
        &[],
        Never,
        &["{name} ({greeting} {helo?}) [{ip}] by {by} ({comment}) with "],
    ),
    // qmail and its relatives: name first, greeting in a comment, a bare address in the next.
    family(
        &[],
        Unsure,
        &[
            "{name} ({greeting} {bare helo}) ({ident@}{[}{ip}{]}){sender} by {by}{qmail}",
            "{name and helo} ({ident@}{[}{ip}{]}){sender} by {by}{qmail}",
        ],
    ),
    // Addresses alone.
    family(
        &[],
        Never,
        &[
            "{word} ( [{ip}]){gap} by {by} ",
            "({helo} [{ip}]) by {by} ",
            "[{ip}] by {by} ",
            "({[}{ip}{]}) by {by} ",
            "{helo} [({ip})] by {by} ({address}) ",
        ],
    ),
    family(
        &[],
        Always,
        &[
            "{helo} [{ip}] by {by} [{address}] with ",
            "{helo} ([{ip}]) by {by} (",
            "{helo} ({name} [{ip}]){gap} by {by}",
            "{helo} ([{ip}{port}]){gap} by {by} ",
        ],
    ),
    family(
        &[],
        Always,
        &[
            "{name} ({greeting} {comment}) ({ident}@{[}{ip}{]}){gap} by {by} ",
            "{name} ({greeting} {bare helo}) ({[}{ip}{]}){gap} by {by} ",
            "{name and helo} ({ident@}{[}{ip}{]}){gap} by {by} ",
        ],
    ),
    family(
        &[" via smap "],
        Always,
        &[
            "{name}({ip}) by {by} via smap ",
            "{name}({ip}, {greeting} {helo?}) by {by} via smap ",
        ],
    ),
    family(
        &[],
        Always,
        &["{name} ({greeting} {helo?}) ({ident@}{ip}{gap}) by {by} with "],
    ),
    family(
        &[" (CommuniGate Pro"],
        Always,
        &["{name and helo} ([{ip}] verified) by {by} ("],
    ),
    family(
        &["(account "],
        Never,
        &["[{ip}] (account {word} {greeting} {helo?}) by {by} ("],
    ),
    family(
        &["with login)"],
        Never,
        &["{helo} ({word}@{ip} with login) by {by} with SMTP"],
    ),
    family(
        &["(unverified ["],
        Never,
        &["{helo} (unverified [{ip}]) by {by} "],
    ),
    family(
        &[],
        Never,
        &[
            "{ip} by {by} (SMTPL",
            "{ip} by {by} (InterScan",
            "{ip} by {by} with ",
            "[{ip}] ({greeting} {helo?}) by {by} (",
            "{helo} ([{ip}] [{word}]) by {by} with ",
        ],
    ),
    family(&[], Always, &["{helo} ({name}[{ip}]) by {by} "]),
    family(
        &[],
        Never,
        &[
            "[{ip}]{word} ({greeting} {helo?}) by {by} ",
            "{ip} ({greeting} {helo?}) by {by} ",
            "{helo} [{ip}] by {by} ",
            "{name}({ip}) by {by} ",
            "[{ip}] ({comment}) by {by} ",
            "{name}({ip}), claiming to be \"{helo}\" via {word} by {by},",
            "{name}({ip}) via {word} by {by},",
            "X-Originating-IP: {ip}{end}",
        ],
    ),
];

/// Forms of fields that tell of no handover between hosts.
const NO_HANDOVERS: &[&str] = &[
    // The machine itself handed the message on.
    "Unknown/Local (",
    "{local} ({local})",
    "{local} ({local}[",
    "{local} ({word}@{local})",
    "{word} ({local}) ",
    "{word} ({word}@{local}) ",
    "{word} ({word}@{word} [{local}]) ",
    "{word} ({word} [local]) by {word} (OpenSMTPD) with ",
    "{word} ([unix socket]) by {word} (Cyrus v",
    "localhost (localhost [[UNIX: localhost]]) by ",
    "([{local}]) with MailEnable ",
    // A user or a program did.
    "{word}@{word} by {word} ",
    "(AUTH: {word}) by {word} with ",
    "{word} named {word} by gmailapi.google.com with HTTPREST{end}",
    "{word} {word} by {word} with local-",
    // Names without an address.
    "{word} by {word} with ",
    "{word} by {word} via ",
    "{word} by {word} for ",
    "{word} by {word} (",
    "{word} with {word} by ",
    "{word} via {word} by ",
    "{word} for {word} by ",
    "{word} id {word}{end}",
    "{word} (unverified) by {word} ",
    "{word} (unknown) by {word} (SG) with ",
    "{word} ({word}) by {word} (Content Technologies ",
    "{word} ({word}) by {word} (LSMTP for ",
    "facebook.com ({comment}) by facebook.com with Thrift id {word}{end}",
    "[<{gap} (Jetsend",
];

/// The form in capitals that old gateways write after `FROM`.
const CAPITALS: &[&str] = &[
    "{helo} ({name} [{ip}]) BY {by} ({comment}) WITH SMTP ID {id}",
    "{helo} ({name} [{ip}]) BY {by} ID {id}",
];

/// What a virus scanner in front of a mailer writes after `(from `.
const GATEWAY: &str = "{helo?} [{ip}]) by {by} (NAVGW ";

static HANDOVER_FORMS: LazyLock<Vec<(&'static Family, Vec<Form>)>> = LazyLock::new(|| {
    HANDOVERS
        .iter()
        .map(|family| {
            (
                family,
                family.forms.iter().map(|form| Form::new(form)).collect(),
            )
        })
        .collect()
});
static NO_HANDOVER_FORMS: LazyLock<Vec<Form>> =
    LazyLock::new(|| NO_HANDOVERS.iter().map(|form| Form::new(form)).collect());
static CAPITAL_FORMS: LazyLock<Vec<Form>> =
    LazyLock::new(|| CAPITALS.iter().map(|form| Form::new(form)).collect());

/// Reads what is after `from `.
pub(super) fn handover<'t>(text: &'t str, steps: &mut u32) -> Option<(Found<'t>, Lookup)> {
    HANDOVER_FORMS.iter().find_map(|(family, forms)| {
        let has = |mark: &str| match mark.strip_prefix('!') {
            Some(absent) => memmem::find(text.as_bytes(), absent.as_bytes()).is_none(),
            None => memmem::find(text.as_bytes(), mark.as_bytes()).is_some(),
        };
        let is_marked = || family.marks.is_empty() || family.marks.iter().any(|mark| has(mark));
        // Nearly all forms fail at their first characters, so that the marks are looked for last.
        let found = forms
            .iter()
            .find_map(|form| form.find(text, steps))
            .filter(|_| is_marked())?;
        Some((found, family.lookup))
    })
}

/// Reads what is after `(from `.
pub(super) fn behind_gateway<'t>(text: &'t str, steps: &mut u32) -> Option<Found<'t>> {
    static FORM: LazyLock<Form> = LazyLock::new(|| Form::new(GATEWAY));
    FORM.find(text, steps)
}

/// Reads what is after `FROM `.
pub(super) fn in_capitals<'t>(text: &'t str, steps: &mut u32) -> Option<Found<'t>> {
    CAPITAL_FORMS.iter().find_map(|form| form.find(text, steps))
}

/// Whether what is after `from ` is known to be no handover.
pub(super) fn is_no_handover(text: &str, steps: &mut u32) -> bool {
    NO_HANDOVER_FORMS
        .iter()
        .any(|form| form.find(text, steps).is_some())
}
