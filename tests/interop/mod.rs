//! End to end: the real daemon behind a real Postfix, and under miltertest. Each test starts what
//! it needs and removes it.
//!
//! Where Postfix or miltertest is missing, or the tests do not run as root, they say so and pass:
//! `tests/run` installs both, and with `GATEPOST_INTEROP=require` in the environment (as
//! `tests/run` sets it) a missing one is a failure.
#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests start processes, open sockets and look at files"
)]
#![expect(
    unreachable_pub,
    reason = "the helpers are written as they would be in a library; a test binary exports nothing"
)]

mod activation;
mod daemon;
mod differential;
mod dns;
mod durable;
mod learner;
mod memory;
mod miltertest;
mod postfix_faults;
mod postfix_reload;
mod postfix_verdicts;
mod reload;
mod rights;

#[path = "../support/postfix.rs"]
mod postfix;

/// Whether to skip, with the reason printed; panics instead where everything is required.
fn skip(missing: Option<String>) -> bool {
    let Some(reason) = missing else { return false };
    assert!(
        std::env::var("GATEPOST_INTEROP").as_deref() != Ok("require"),
        "cannot run: {reason}"
    );
    println!("skipped: {reason}");
    true
}
