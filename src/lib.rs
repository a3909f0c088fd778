//! Gatepost, a mail filter daemon that Postfix and Sendmail ask, over the milter protocol, before
//! they accept a message.
//!
//! This page is the map of the house. Read it, then `crates/engine/src/pipeline.rs`: what happens at
//! each stage of a session, as one story; and `message.rs` next to it, how a message is judged.
//!
//! # The idea: gather, judge, settle
//!
//! Everything done to one message is three acts. **Gather** facts that need the world, each with a
//! deadline; a missing fact is `Unknown(cause)`, also a fact. **Judge**: a pure function of
//! transaction, message, facts and one generation (rules, model, policy, limits), to a verdict; no
//! I/O, clock, randomness or logging. **Settle**, in two halves: *commit* what must be durable
//! before the answer, reply, then *publish* (log line, metrics, record) from a thread that never
//! delays mail. Because the middle is pure it can be replayed, fuzzed, run from golden files, run
//! by training on the same code, and run on a worker pool that never blocks.
//!
//! # Life of one message
//!
//! ```text
//! MTA ─milter─▶ server/      sockets, event loop, time-outs, drain; writes no log, reads no disk
//!                 │ bytes
//!               milter/      wire bytes ⇄ events and replies, sans-I/O: the only room that knows the protocol
//!                 │ Connect, Helo, MailFrom, RcptTo, Header, EndOfHeaders, Body, EndOfMessage
//!               session/     builds the transaction up; at every stage an answer now, or later
//!                 │ Work
//!               engine/      plan    stage + transaction + generation ─▶ questions (gather/, pure)
//!                 │          gather  threads of gather/ ─▶ Facts, within a deadline
//!                 │          judge   mail/ parse ─▶ rules/ scan ─▶ learn/ classify ─▶ policy/ decide
//!                 │ Verdict or Fault
//!               session/     reply   what was decided ─▶ what this MTA can do (action)
//!                 │          commit  what must be durable first, on threads of engine/commit.rs
//! MTA ◀─────── server/
//!               telemetry/   publish log line, metrics, record: after the answer was written
//! ```
//!
//! # Where do I add …
//!
//! * **a fact** — a question and its answer in `crates/gather` (its `lib.rs` says where), a field of
//!   `gatepost_mail::Facts`. The pipeline asks it at the stage at which `plan` raises it, and hands
//!   it to every later stage; nothing else changes. Rules and features read it from `Case`.
//! * **a piece of evidence** — a variant of `gatepost_words::verdict::Evidence`; the compiler then
//!   names the places that score, decide, record and print it.
//! * **something that judging reads** (a setting, a list) — a field of its settings type and of its
//!   `Canonical` encoding, so that it is part of the generation's name.
//! * **an effect that must be certain before the answer** — an implementation of
//!   `gatepost_engine::Commit`; anything else belongs after the answer, in the publisher.
//!
//! # Crates and rooms
//!
//! The pure rooms are crates under `crates/`; Cargo enforces who may name whom. Each line may name
//! the crates that it lists, all of them above it.
//!
//! | Crate | For | May name |
//! |---|---|---|
//! | [`gatepost_words`] | stages, faults, verdicts, diagnostics, escaping, time, cursors, atomic file replace | none |
//! | [`gatepost_mail`] | transaction, message, facts, the public suffix list | words |
//! | [`gatepost_milter`] | the protocol, sans-I/O | none |
//! | [`gatepost_byte_regex`] | Perl patterns on bytes | none |
//! | [`gatepost_rules`] | SpamAssassin's language | words, mail, byte-regex |
//! | [`gatepost_store`] | what outlives a process | words |
//! | [`gatepost_reader`] | messages on disk: files, Maildirs, mailboxes, queue files | words |
//! | [`gatepost_gather`] | facts that need the world: plan, DNS stub resolver, cache, breakers | words, mail |
//! | [`gatepost_learn`] | features, models, labels; the only one with tract | words, mail, store |
//! | [`gatepost_policy`] | evidence to a decision | words, mail |
//! | [`gatepost_records`] | what is kept of each message | words, mail |
//! | [`gatepost_telemetry`] | publishes log lines, records, metrics | words, records |
//! | [`gatepost_engine`] | the pipeline of one message | all above but milter, store, reader |
//! | [`gatepost_training`] | trains and measures models | words, mail, reader, learn |
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
//! * No queue is unbounded. One message, one generation, named in the verdict.
//! * Answer first, publish after. Who promises a time owns the timer.
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
//!   padding of the body (2026-11-28, `classifier::site_learner`).
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
