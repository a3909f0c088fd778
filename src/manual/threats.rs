//! What strangers try, and what covers it. "None" is an honest answer: it is work to come.
//!
//! | Threat | Where it is known from | Covered by |
//! |---|---|---|
//! | Garbage, port scans, HTTP on the milter port | rspamd #3083, #3125 | `tests/dialogue/garbage-*.milter`, fuzz target `milter_frames` |
//! | One milter reply too many: every later verdict is read one stage early | seen with Postfix | `milter::Protocol` owes exactly one answer; `tests/support/mta.rs` reports any reply that was not asked for |
//! | Packets that declare gigabytes | CVE class of length-prefixed protocols | `tests/dialogue/packet-too-long.milter`; property: buffers never exceed what was received |
//! | State of one mail leaks into the next on the connection | go-milter 52ca35f, 700cbf3 | `tests/dialogue/messages-follow.milter`, `session` tests |
//! | Deep MIME nesting overflows the stack | mail-parser 0.11 (697 kB mail), MimeKit | the bomb shapes of `tests/support/bombs.rs`, on a 256 KiB stack |
//! | Millions of parts, parameters, header fields, encoded words | rspamd 4.1.3 to 4.1.5 | limits with an anomaly each, tested at n and n + 1; bomb shapes |
//! | A limit is hit and the rest passes as clean | ClamAV before `AlertExceedsMax` | `policy.on_limit_exceeded`: at least held |
//! | Two From fields, no From field | espoofer | anomalies, rules in `rules/header` |
//! | Forged `X-Spam-*` headers | every filter | removed, last occurrence first (CVE-2022-48521): `session` tests, Postfix tests |
//! | CR, LF, NUL in our own header fields or replies | mail-auth before 0.9.1, Postfix HISTORY 202606 | `verdict::SmtpReply`, `tests/dialogue/header-injection.milter`, `tests/dialogue/code-malformed.milter` |
//! | Log injection (CR, LF, ESC, bidi controls) | mailcow CVE-2026-40872 | `mail::text::ForLog`, tests in `telemetry` |
//! | Regexes that take exponential time | ReDoS | finite automata only; size limits at load: `tests/rules` |
//! | A broken rule file takes the filter down on reload | rspamd | the old generation stays: Postfix tests |
//! | The MTA hangs up at any byte; clients that stall | rspamd #3149, OpenDKIM #149 | every cut position, descriptors counted: tests of `server` |
//! | A panic on one mail | any | the job faults, the worker lives, the mail is deferred: tests of `engine` |
//! | Damaged or foreign model files | any | refused with the reason: tests of `classifier` |
//! | Hidden text, zero-width characters, HTML smuggling | field practice | counted in `mail::HtmlFacts`, rules in `rules/html` |
//! | SMTP smuggling (bare LF, bare CR) | SEC Consult 2023 | anomalies `bare_lf`, `bare_cr`; each smuggled mail is a milter transaction of its own |
//! | MIME ambiguity: other readers see other attachments | Inbox Invasion, CCS 2024 | anomalies for many classes; scanning all readings: none yet |
//! | Forged sender domains (SPF, DKIM, DMARC) | RFC 9989 | none yet: room `auth` |
//! | A sender that the learner knows as good, forged | any learner of headers | identities have slots of their own by who attests them: tests of `classifier::site_learner`, `features::trusted_authserv_ids` |
//! | Wrong labels, by mistake or on purpose | TREC: 1 % of them cost 2 to 4 times the errors | sources in the log, `learn rollback --source`; cost measured with `model replay --noise` |
//! | Good words and texts around spam, hidden text, disguised letters | Lowd and Meek 2005 | text in windows, header and text apart, attacked copies in training; measured with `gatepost model robustness`: see `models/README.md` |
//! | Thousands of blank lines around a plain text | field practice | the classifier does not read between them: only structure, header and rules speak (`models/README.md`, limits) |
//! | Header fields of good mail around spam | any learner of headers | each field has slots of its own; measured with `gatepost model robustness` (`ham-header`): 7 to 10 % of the catch is lost |
//! | Archives, PDF, QR codes | field practice | names and types of attachments only; contents: none yet |
