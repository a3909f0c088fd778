//! The one table of configuration keys.

use super::keys::{Key, Kind};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;

/// Every key, in the order in which the sample file and the manual show them.
pub const KEYS: &[Key] = &[
    Key {
        path: "listener.name",
        kind: Kind::Name,
        default: None,
        since: "0.1.0",
        doc: "The name of the listener and of its policy profile. It stands in logs, metrics and verdict records; two \
              listeners cannot share one.",
        example: "\"submission\"",
    },
    Key {
        path: "listener.socket",
        kind: Kind::Socket,
        default: None,
        since: "0.1.0",
        doc: "Where the MTA connects: `unix:/PATH`, `inet:PORT@ADDRESS` or `inet6:PORT@[ADDRESS]`, with an address of this machine. A socket \
              file needs no port and is protected by its permissions; behind a chrooted Postfix (Debian) it has to lie \
              below /var/spool/postfix.",
        example: "\"inet:8891@127.0.0.1\"",
    },
    Key {
        path: "listener.mode",
        kind: Kind::Mode,
        default: Some("\"0660\""),
        since: "0.1.0",
        doc: "Permission bits of a UNIX socket, in octal. Whoever may write to the socket may ask for verdicts, so it \
              should be open to the MTA's group and to nobody else.",
        example: "\"0600\"",
    },
    Key {
        path: "listener.group",
        kind: Kind::Text,
        default: Some("\"\""),
        since: "0.1.0",
        doc: "The group that a UNIX socket is given, by name or number; empty leaves the group of the process. With \
              Postfix this is usually `postfix`.",
        example: "\"postfix\"",
    },
    Key {
        path: "listener.front_end",
        kind: Kind::Choice(&["native", "libmilter"]),
        default: Some("\"native\""),
        since: "0.1.0",
        doc: "Who speaks the milter protocol on this listener: Gatepost's own event loop, or Sendmail's libmilter. The \
              second is there only in a build with the cargo feature `libmilter`, and for one listener at most.",
        example: "\"libmilter\"",
    },
    Key {
        path: "policy.required",
        kind: Kind::Points(-1000.0, 1000.0),
        default: Some("5.0"),
        since: "0.1.0",
        doc: "From this score on a mail is marked as spam in its headers and still delivered. A listener can have its own \
              value in [listener.policy], as for every key of [policy].",
        example: "6.5",
    },
    Key {
        path: "policy.quarantine",
        kind: Kind::Points(-1000.0, 1000.0),
        default: Some("8.0"),
        since: "0.1.0",
        doc: "From this score on a mail is put into the MTA's hold queue, where a person looks at it. Must not be below \
              `required`.",
        example: "10.0",
    },
    Key {
        path: "policy.reject",
        kind: Kind::Points(-1000.0, 1000.0),
        default: Some("15.0"),
        since: "0.1.0",
        doc: "From this score on a mail is refused with a 550 reply, so that the sender learns of it. Must not be below \
              `quarantine`; set it very high to never refuse.",
        example: "20.0",
    },
    Key {
        path: "policy.classifier_cap",
        kind: Kind::Points(0.0, 1000.0),
        default: Some("10.0"),
        since: "0.1.0",
        doc: "The most points that the classifier may add. Must stay below `reject`, so that a model alone never refuses \
              a mail.",
        example: "6.0",
    },
    Key {
        path: "policy.classifier_floor",
        kind: Kind::Points(0.0, 1000.0),
        default: Some("2.0"),
        since: "0.1.0",
        doc: "The most points that the classifier may take off a mail that it thinks wanted. Kept small, so that a model \
              cannot talk down what the rules found.",
        example: "1.0",
    },
    Key {
        path: "policy.beyond_limits",
        kind: Kind::Choice(&["accept", "quarantine", "reject"]),
        default: Some("\"quarantine\""),
        since: "0.1.0",
        doc: "What becomes, at least, of a mail that has more of something than [limits] allow (parts, nesting, header \
              fields, URLs): a part of it was not seen, so it is not called clean.",
        example: "\"accept\"",
    },
    Key {
        path: "policy.on_fault",
        kind: Kind::Choice(&["tempfail", "accept", "quarantine"]),
        default: Some("\"tempfail\""),
        since: "0.1.0",
        doc: "What becomes of a mail that could not be judged (deadline, overload, a bug of ours): ask the client to try \
              again, let it pass marked as not judged, or hold it. A fault never rejects.",
        example: "\"accept\"",
    },
    Key {
        path: "policy.refuse.clients",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.1.0",
        doc: "Clients that are refused when they connect: addresses, networks such as `192.0.2.0/24`, or patterns of verified \
              host names, in which `*` stands for any characters and `?` for one.",
        example: "[\"192.0.2.0/24\", \"*.dialup.example\"]",
    },
    Key {
        path: "policy.refuse.helo",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.1.0",
        doc: "Patterns of HELO names that are refused. One's own host name is a good entry: only forgers greet with it.",
        example: "[\"mx.example.com\"]",
    },
    Key {
        path: "policy.refuse.senders",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.1.0",
        doc: "Patterns of envelope senders that are refused, such as `*@example.net`; `<>` is the null sender of delivery \
              reports, which should not be refused.",
        example: "[\"*@bulk.example\"]",
    },
    Key {
        path: "policy.refuse.recipients",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.1.0",
        doc: "Patterns of envelope recipients that are refused, in the same form as senders. The other recipients of the mail \
              are not affected.",
        example: "[\"retired@example.com\"]",
    },
    Key {
        path: "rules.shipped",
        kind: Kind::Boolean,
        default: Some("true"),
        since: "0.1.0",
        doc: "Whether the rules that come with Gatepost are loaded, before those of `rules.paths`. Switch them off only \
              where another complete rule set is used.",
        example: "false",
    },
    Key {
        path: "rules.paths",
        kind: Kind::List,
        default: Some("[\"/etc/gatepost/rules\"]"),
        since: "0.1.0",
        doc: "Files and directories with the site's own rules, in SpamAssassin's .cf language. A directory is read as \
              SpamAssassin reads one: `*.pre`, then `*.cf`, in name order; later lines win. The default directory may be \
              missing, a path that is configured may not.",
        example: "[\"/etc/gatepost/rules\", \"/etc/mail/spamassassin\"]",
    },
    Key {
        path: "model.enabled",
        kind: Kind::Boolean,
        default: Some("true"),
        since: "0.1.0",
        doc: "Whether the classifier is asked. Without it only the rules speak.",
        example: "false",
    },
    Key {
        path: "model.path",
        kind: Kind::Path,
        default: Some("\"\""),
        since: "0.1.0",
        doc: "A model file written by `gatepost model train`, with its manifest beside it. Empty means the model that is \
              built into the program. A model that does not fit is refused, and the last good one stays.",
        example: "\"/var/lib/gatepost/model.onnx\"",
    },
    Key {
        path: "learner.enabled",
        kind: Kind::Boolean,
        default: Some("true"),
        since: "0.2.0",
        doc: "Whether what `gatepost learn` was taught takes part in judging. Without labels it changes nothing.",
        example: "false",
    },
    Key {
        path: "learner.path",
        kind: Kind::Path,
        default: Some("\"/var/lib/gatepost/learner\""),
        since: "0.2.0",
        doc: "The directory of the label log and of what was learned from it. Who runs `gatepost learn` must be able to write \
              there, the daemon reads only. Empty means that nothing can be learned. A reload goes over to another directory, \
              which must be there; where it cannot be read, the reload fails and all stays as it was.",
        example: "\"/srv/gatepost/learner\"",
    },
    Key {
        path: "learner.log_size",
        kind: Kind::Size(MIB, 4 * GIB),
        default: Some("\"64MiB\""),
        since: "0.2.0",
        doc: "How large the label log may become. A label takes about 3 KB: so many can be listed and taken back. What older \
              labels taught stays, but they cannot be taken back any more.",
        example: "\"256MiB\"",
    },
    Key {
        path: "learner.domains",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.2.0",
        doc: "Recipient domains that learn for themselves beside what all mail taught: one customer's newsletter is another \
              one's spam. A label of such a domain's mail teaches both; its mail is judged by both. The domain is that of the \
              first recipient; `gatepost learn` reads it from Received, Delivered-To or X-Original-To.",
        example: "[\"example.com\", \"example.net\"]",
    },
    Key {
        path: "learner.trusted_authservs",
        kind: Kind::List,
        default: Some("[]"),
        since: "0.2.0",
        doc: "The authserv-ids whose `Authentication-Results` fields are believed (RFC 8601): those of your own MTA and of the \
              milters in front of this one, which must remove such fields from incoming mail. Only where one of them vouches \
              for the sender does what was learned of that sender count for it; a forged sender inherits nothing.",
        example: "[\"mx.example.com\"]",
    },
    Key {
        path: "limits.message",
        kind: Kind::Size(KIB, GIB),
        default: Some("\"50MiB\""),
        since: "0.1.0",
        doc: "Bytes of one message. What is larger is not judged: `policy.on_fault` decides, and it is never called spam. \
              Should not be below the MTA's own limit (message_size_limit of Postfix).",
        example: "\"20MiB\"",
    },
    Key {
        path: "limits.depth",
        kind: Kind::Integer(1, 1_000),
        default: Some("64"),
        since: "0.1.0",
        doc: "How deep MIME entities may nest. What lies deeper is not read, and an anomaly says so.",
        example: "32",
    },
    Key {
        path: "limits.parts",
        kind: Kind::Integer(1, 100_000),
        default: Some("1000"),
        since: "0.1.0",
        doc: "How many MIME entities of one message are read. The rest is left alone, and an anomaly says so.",
        example: "200",
    },
    Key {
        path: "limits.headers",
        kind: Kind::Integer(1, 1_000_000),
        default: Some("10000"),
        since: "0.1.0",
        doc: "How many header fields of one message are read. The rest is left alone, and an anomaly says so.",
        example: "2000",
    },
    Key {
        path: "limits.header_bytes",
        kind: Kind::Size(KIB, 64 * MIB),
        default: Some("\"1MiB\""),
        since: "0.1.0",
        doc: "Bytes of the header of one message. A longer header is not judged: `policy.on_fault` decides.",
        example: "\"256KiB\"",
    },
    Key {
        path: "limits.header_line",
        kind: Kind::Size(KIB, 16 * MIB),
        default: Some("\"100KiB\""),
        since: "0.1.0",
        doc: "Bytes of one header field, its folded lines together. The rest of a longer field is not read, and an \
              anomaly says so.",
        example: "\"64KiB\"",
    },
    Key {
        path: "limits.recipients",
        kind: Kind::Integer(1, 1_000_000),
        default: Some("10000"),
        since: "0.1.0",
        doc: "Recipients of one mail. A mail with more is not judged: `policy.on_fault` decides.",
        example: "1000",
    },
    Key {
        path: "limits.urls",
        kind: Kind::Integer(1, 1_000_000),
        default: Some("10000"),
        since: "0.1.0",
        doc: "How many different URLs of one message are kept for the rules. The rest is left alone, and an anomaly says \
              so.",
        example: "2000",
    },
    Key {
        path: "limits.connections",
        kind: Kind::Integer(1, 1_000_000),
        default: Some("5000"),
        since: "0.1.0",
        doc: "Milter connections that are open at the same time, over all listeners. One SMTP session is one connection, \
              so this should not be below the process limit of Postfix' smtpd.",
        example: "500",
    },
    Key {
        path: "limits.deadline",
        kind: Kind::Duration(100, HOUR),
        default: Some("\"20s\""),
        since: "0.1.0",
        doc: "How long after the end of a message its verdict may take, queueing included. Then it is a fault. Must be \
              below the MTA's milter_content_timeout (300 s in Postfix).",
        example: "\"10s\"",
    },
    Key {
        path: "workers.threads",
        kind: Kind::Integer(0, 1_024),
        default: Some("0"),
        since: "0.1.0",
        doc: "Threads that judge mail. 0 means one for each core; more does not help, since judging waits for nothing.",
        example: "4",
    },
    Key {
        path: "workers.queue",
        kind: Kind::Integer(1, 1_000_000),
        default: Some("5000"),
        since: "0.1.0",
        doc: "Messages that may wait for a worker. When the queue is full new mail is deferred before work is spent on it.",
        example: "1000",
    },
    Key {
        path: "workers.bytes_in_flight",
        kind: Kind::Size(MIB, 1_024 * GIB),
        default: Some("\"1GiB\""),
        since: "0.1.0",
        doc: "Bytes of all messages that are held in memory at the same time. New mail is deferred while the budget is \
              used up, so this bounds the memory of the daemon.",
        example: "\"512MiB\"",
    },
    Key {
        path: "server.idle_timeout",
        kind: Kind::Duration(SECOND, 24 * HOUR),
        default: Some("\"330s\""),
        since: "0.1.0",
        doc: "How long nothing may move on a milter connection before it is closed. Should be above the 300 s of Postfix' \
              milter_content_timeout: it is the MTA that should lose its patience first.",
        example: "\"30m\"",
    },
    Key {
        path: "server.drain_timeout",
        kind: Kind::Duration(0, HOUR),
        default: Some("\"25s\""),
        since: "0.1.0",
        doc: "How long the daemon goes on after SIGTERM to finish the mails that are past MAIL. What is left then is \
              dropped, and the clients try again.",
        example: "\"10s\"",
    },
    Key {
        path: "server.control",
        kind: Kind::Path,
        default: Some("\"/run/gatepost/control.sock\""),
        since: "0.1.0",
        doc: "The UNIX socket on which `gatepost reload` and `gatepost stats` reach the daemon; only its own user may \
              connect. Empty switches it off.",
        example: "\"/run/gatepost/other.sock\"",
    },
    Key {
        path: "log.level",
        kind: Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
        default: Some("\"info\""),
        since: "0.1.0",
        doc: "What is logged: at `info` one line for each mail and one for each fault, and nothing else but start, reload \
              and stop.",
        example: "\"warn\"",
    },
    Key {
        path: "log.format",
        kind: Kind::Choice(&["text", "json"]),
        default: Some("\"text\""),
        since: "0.1.0",
        doc: "How a log line looks: words for people and grep with the queue id first, or one JSON object a line.",
        example: "\"json\"",
    },
    Key {
        path: "records.path",
        kind: Kind::Path,
        default: Some("\"/var/lib/gatepost/records.jsonl\""),
        since: "0.1.0",
        doc: "The file that keeps one line for each verdict, so that `gatepost explain ID` can tell why. Empty switches it \
              off. A file that cannot be written is reported and never stops mail.",
        example: "\"/var/log/gatepost/records.jsonl\"",
    },
    Key {
        path: "records.size",
        kind: Kind::Size(64 * KIB, 64 * GIB),
        default: Some("\"64MiB\""),
        since: "0.1.0",
        doc: "When the record file reaches this size it is renamed to `*.1`, and a new one begins: twice this is the most \
              that records take on disk.",
        example: "\"256MiB\"",
    },
];
