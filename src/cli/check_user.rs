//! The user under whom `gatepost check` looks: the daemon's, not the admin's.

use std::io;
use std::thread;

use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::server::{Account, account};
use gatepost_words::diagnostic::Diagnostic;

/// As much as the first thread of a process has.
const STACK: usize = 8 << 20;

/// Whose rights the check has, and why.
#[derive(Debug)]
pub(super) struct CheckUser {
    /// The account to become; `None` where it is the one that runs us.
    other: Option<Account>,
    /// For people.
    pub(super) text: String,
    /// For machines: its name.
    pub(super) name: String,
}

impl CheckUser {
    /// The user that was asked for, or else that of the unit, or else our own.
    pub(super) fn choose(
        asked: Option<&str>,
        of_unit: Option<&str>,
    ) -> Result<Self, Box<Diagnostic>> {
        let own_number = geteuid();
        let own = || {
            let number = own_number.as_raw().to_string();
            account(&number).map_or(number, |found| found.name)
        };
        let Some(wanted) = asked.or(of_unit) else {
            let name = own();
            return Ok(Self {
                other: None,
                text: name.clone(),
                name,
            });
        };
        let found = account(wanted);
        let is_own = found
            .as_ref()
            .is_some_and(|found| found.user == own_number.as_raw());
        match found {
            Some(found) if is_own => Ok(Self {
                other: None,
                text: found.name.clone(),
                name: found.name,
            }),
            Some(found) if own_number.is_root() => Ok(Self {
                text: found.name.clone(),
                name: found.name.clone(),
                other: Some(found),
            }),
            _ if asked.is_none() => Ok(Self {
                other: None,
                text: format!("{}, not {wanted} of gatepost.service: run as root", own()),
                name: own(),
            }),
            None => Err(error(format!("there is no user `{wanted}` in /etc/passwd"))),
            Some(_) => Err(error(format!(
                "only root can check as another user (`{wanted}`)"
            ))),
        }
    }

    /// Does that work as this user: in a thread of its own, which alone changes user, so that the
    /// rest of the process stays what it is.
    pub(super) fn run<T: Send>(
        &self,
        work: impl FnOnce() -> T + Send,
    ) -> Result<T, Box<Diagnostic>> {
        let Some(account) = &self.other else {
            return Ok(work());
        };
        let name = &account.name;
        thread::scope(|scope| {
            let started = thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, || become_user(account).map(|()| work()));
            let result = started.map(thread::ScopedJoinHandle::join);
            match result {
                Ok(Ok(Ok(done))) => Ok(done),
                Ok(Ok(Err(why))) | Err(why) => {
                    Err(error(format!("cannot become user `{name}`: {why}")))
                }
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
            }
        })
    }
}

/// For this thread only, and for good.
fn become_user(account: &Account) -> io::Result<()> {
    let groups: Vec<Gid> = account
        .groups
        .iter()
        .map(|group| Gid::from_raw(*group))
        .collect();
    let group = Gid::from_raw(account.group);
    let user = Uid::from_raw(account.user);
    set_thread_groups(&groups)?;
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(user, user, user)?;
    Ok(())
}

fn error(text: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::error("C0115", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_asked_for_or_that_of_the_unit_or_our_own() {
        assert!(CheckUser::choose(Some("no such user"), None).is_err());
        let own = CheckUser::choose(None, None).unwrap();
        assert_eq!(own.run(geteuid).unwrap(), geteuid());
        let unknown = CheckUser::choose(None, Some("no such user")).unwrap();
        assert!(unknown.other.is_none() && unknown.text.contains("no such user"));
    }

    #[test]
    fn only_the_work_is_done_as_the_other_user() {
        if !geteuid().is_root() {
            return;
        }
        let other = CheckUser::choose(Some("65534"), None).unwrap();
        assert_eq!(other.run(geteuid).unwrap(), Uid::from_raw(65_534));
        assert!(geteuid().is_root());
    }
}
