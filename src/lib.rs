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
//! # Storeys
//!
//! | Storey | Rooms | May name |
//! |---|---|---|
//! | 0 words | [`clock`], [`diagnostic`], [`mail`], [`facts`], [`verdict`] | `facts` may name `mail`; the others none |
//! | 1 pure | [`milter`] | none of ours |
//! | | [`rules`], [`features`], [`classifier`], [`policy`] | words, never `clock`; `classifier` also `features` |
//! | 2 world | [`state`], [`telemetry`] (later `auth`, `quarantine`, …) | words |
//! | 3 engine | [`engine`], [`session`], [`learning`] | storeys 0-2; `session` also `engine` |
//! | 4 edges | [`server`], [`config`], [`training`], [`cli`] | anything below; edges do not name one another, but `cli` names all |
//!
//! `tests/architecture.rs` holds this table as data and fails when a room names another that it may
//! not.
//!
//! # Invariants
//!
//! * Judging does no I/O and reads no clock: same input, same verdict.
//! * Reading a mail never fails and never recurses on its depth; what is odd is an anomaly; every
//!   quantity has a limit.
//! * A fault never rejects, and never accepts unless the admin chose so; it defers.
//! * No queue is unbounded. One mail, one generation, named in the verdict.
//! * Nothing that came from a mail is shown unescaped: `mail::text`.
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
//!   whoever padded the body (2026-11-28, `classifier::online`).
//! * `classifier` sums the rows of the embedding itself and gives tract the network above them:
//!   three times as fast (2026-11-28, `classifier/rows.rs`). The model file stays one ONNX graph.
//! * `auth` and `quarantine` are not built yet: they come with the issues that fill them. `state`
//!   has the label log only.

pub mod classifier;
pub mod cli;
pub mod clock;
pub mod config;
pub mod diagnostic;
pub mod engine;
pub mod facts;
pub mod features;
pub mod learning;
pub mod mail;
pub mod manual;
pub mod milter;
pub mod policy;
pub mod rules;
pub mod server;
pub mod session;
pub mod state;
pub mod telemetry;
pub mod training;
pub mod verdict;
