//! Gatepost, a mail filter daemon that Postfix and Sendmail ask, over the milter protocol, before
//! they accept a message.
//!
//! This page is the map of the house. Read it, then `engine/message.rs`: the heart of everything in
//! fifty lines.
//!
//! # The idea: gather, judge, settle
//!
//! Everything done to one mail is three acts. **Gather** facts that need the world, each with a
//! deadline; a missing fact is `Unknown(cause)`, also a fact. **Judge**: a pure function of
//! transaction, message, facts and one loaded generation of rules, model and policy, to a verdict;
//! no I/O, clock, randomness or logging. **Settle**: answer the MTA, count, write the record.
//! Because the middle is pure it can be replayed, fuzzed, run from golden files, run by training on
//! the same code, and run on a worker pool that never blocks.
//!
//! # Life of one mail
//!
//! ```text
//! MTA ─milter─▶ server/      sockets, event loop, time-outs, drain
//!                 │ bytes
//!               milter/      wire bytes ⇄ events and replies, sans-I/O: the only room that knows the protocol
//!                 │ Connect, Helo, MailFrom, RcptTo, Header, EndOfHeaders, Body, EndOfMessage
//!               session/     builds the transaction up; asks the engine at every stage that can already decide
//!                 │ Job
//!               engine/      pool ─▶ mail/ parse ─▶ rules/ scan ─▶ features/ + classifier/ ─▶ policy/ decide
//!                 │ Verdict or Fault
//!               session/     what to answer; engine/settle.rs: log line, metrics, record (telemetry/)
//! MTA ◀─────── server/
//! ```
//!
//! # Crates and rooms
//!
//! The pure rooms are crates under `crates/`; Cargo enforces who may name whom. Each line may name
//! the crates that it lists, all of them above it.
//!
//! | Crate | For | May name |
//! |---|---|---|
//! | [`gatepost_words`] | stages, faults, verdicts, diagnostics, escaping, the clock | none |
//! | [`gatepost_mail`] | transaction, message, facts | words |
//! | [`gatepost_milter`] | the protocol, sans-I/O | none |
//! | [`gatepost_byte_regex`] | Perl patterns on bytes | words |
//! | [`gatepost_rules`] | SpamAssassin's language | words, mail, byte-regex |
//! | [`gatepost_store`] | what outlives a process | words |
//! | [`gatepost_gather`] | facts that need the world: plan, DNS stub resolver, cache, breakers | words, mail |
//! | [`gatepost_learn`] | features, models, labels; the only one with tract | words, mail, store |
//! | [`gatepost_policy`] | evidence to a decision | words, mail |
//! | [`gatepost_telemetry`] | log lines, records, metrics | words, mail |
//! | [`gatepost_engine`] | the pipeline of one message | all above but milter, store |
//! | [`gatepost_training`] | trains and measures models | words, mail, learn |
//!
//! The program itself, under `src/`, has rooms: [`session`], [`server`] (names `session`),
//! [`config`], [`daemon`] (the composition root; names the three before it), [`cli`] (names all),
//! [`manual`].
//!
//! `tests/architecture.rs` holds both tables as data and guards what Cargo cannot.
//!
//! # Invariants
//!
//! * Judging does no I/O and reads no clock: same input, same verdict.
//! * Reading a mail never fails and never recurses on its depth; what is odd is an anomaly; every
//!   quantity has a limit.
//! * A fault never rejects, and never accepts unless the admin chose so; it defers.
//! * No queue is unbounded. One mail, one generation, named in the verdict.
//! * Nothing that came from a mail is shown unescaped: [`gatepost_words::escape`].
//! * No room but `config` knows the configuration file: each declares its own settings type.
//!
//! # Where this house differs from the design, and why
//!
//! * `mail` splits MIME itself, iteratively, and uses the crate `mail-parser` for what is bounded:
//!   header values and decoding. Version 0.11, the newest that builds on Rust 1.95 without
//!   overriding its declared minimum, overflows the stack on deeply nested `message/rfc822`; and
//!   the rules need SpamAssassin's way of splitting anyway (2026-11-23).
//! * The end of the header goes through the pool too, but only where the rules of the header can
//!   add up to a reject at all: a long header must not hold up the event loop (2026-11-23).
//! * `learning` is a room of its own in storey 3: labels come from commands, not with a mail, so
//!   learning is none of the three acts. It puts `state` (the log of labels) and `classifier` (the
//!   learner) together (2026-11-23).
//! * The site learner does not read the body as sent, as the design has it, but the header field by
//!   field and the decoded text window by window: a learner of all bytes was talked round by
//!   whoever padded the body (2026-11-28, `classifier::site_learner`).
//! * `classifier` sums the rows of the embedding itself and gives tract the network above them:
//!   three times as fast (2026-11-28, `classifier/rows.rs`). The model file stays one ONNX graph.
//! * `auth` and `quarantine` are not built yet: they come with the issues that fill them. `state`
//!   has the label log only.

pub mod cli;
pub mod config;
pub mod daemon;
pub mod manual;
pub mod server;
pub mod session;
