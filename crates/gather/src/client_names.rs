//! [`Question::ClientNames`](crate::Question::ClientNames) as a state machine: the names of the
//! address, then the addresses of each name (RFC 8601 §2.7.3).

use std::net::IpAddr;

use gatepost_mail::ClientNames;
use gatepost_words::fact::{Cause, Fact};

use crate::Answer;
use crate::dns::{Lookup, Name, Outcome, RecordData, RecordType};
use crate::task::Step;

/// The question being answered.
#[derive(Debug)]
pub(crate) struct ClientNamesTask {
    address: IpAddr,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The names of the address are not known yet.
    Names,
    /// These are, in order.
    Addresses {
        candidates: Vec<Candidate>,
        has_more: bool,
    },
}

#[derive(Debug)]
struct Candidate {
    name: Name,
    /// Whether it has the address.
    has_address: Fact<bool>,
    is_settled: bool,
}

impl ClientNamesTask {
    pub(crate) fn new(address: IpAddr) -> Self {
        Self {
            address: address.to_canonical(),
            state: State::Names,
        }
    }

    /// What to look up first.
    pub(crate) fn begin(&self) -> Vec<Lookup> {
        vec![self.reverse()]
    }

    /// A look-up that was needed has ended.
    pub(crate) fn answered(&mut self, lookup: &Lookup, outcome: &Outcome) -> Step {
        match &mut self.state {
            State::Names => self.names_are(outcome),
            State::Addresses { candidates, .. } => {
                let address = self.address;
                let found = candidates
                    .iter_mut()
                    .find(|candidate| candidate.name == lookup.name);
                if let Some(candidate) = found {
                    candidate.has_address = has_address(outcome, address);
                    candidate.is_settled = true;
                }
                if is_decided(candidates) {
                    Step::Done(self.answer())
                } else {
                    Step::Wait
                }
            }
        }
    }

    /// What is known so far; what is not has timed out.
    pub(crate) fn answer(&self) -> Answer {
        let State::Addresses {
            candidates,
            has_more,
        } = &self.state
        else {
            return Answer::ClientNames(Fact::Unknown(Cause::Timeout));
        };
        let names = candidates
            .iter()
            .map(|candidate| candidate.name.to_string());
        Answer::ClientNames(Fact::Known(ClientNames {
            names: names.collect(),
            has_more: *has_more,
            confirmed: confirmed(candidates),
        }))
    }

    fn reverse(&self) -> Lookup {
        Lookup {
            name: Name::reverse(self.address),
            kind: RecordType::Ptr,
        }
    }

    fn names_are(&mut self, outcome: &Outcome) -> Step {
        let records = match outcome {
            Outcome::Found(records) => records.as_slice(),
            Outcome::NoData | Outcome::NoName => &[],
            Outcome::Unknown(cause) => {
                return Step::Done(Answer::ClientNames(Fact::Unknown(*cause)));
            }
        };
        let names = records.iter().filter_map(|record| match record {
            RecordData::Ptr(name) => Some(name.clone()),
            _ => None,
        });
        // Resolvers turn the order of records: sorted, the same names give the same facts.
        let mut names: Vec<Name> = names.collect();
        names.sort_by_cached_key(ToString::to_string);
        names.dedup();
        let has_more = names.len() > ClientNames::NAMES_MAX;
        names.truncate(ClientNames::NAMES_MAX);
        let candidate = |name: &Name| Candidate {
            name: name.clone(),
            has_address: Fact::Unknown(Cause::Timeout),
            is_settled: false,
        };
        let candidates = names.iter().map(candidate).collect();
        self.state = State::Addresses {
            candidates,
            has_more,
        };
        if names.is_empty() {
            return Step::Done(self.answer());
        }
        let kind = if self.address.is_ipv4() {
            RecordType::A
        } else {
            RecordType::Aaaa
        };
        let lookups = names.into_iter().map(|name| Lookup { name, kind });
        Step::Need(lookups.collect())
    }
}

fn has_address(outcome: &Outcome, address: IpAddr) -> Fact<bool> {
    match outcome {
        Outcome::Found(records) => Fact::Known(records.iter().any(|record| match record {
            RecordData::A(found) => address == IpAddr::V4(*found),
            RecordData::Aaaa(found) => address == IpAddr::V6(*found),
            _ => false,
        })),
        Outcome::NoData | Outcome::NoName => Fact::Known(false),
        Outcome::Unknown(cause) => Fact::Unknown(*cause),
    }
}

/// Whether waiting longer can change nothing: the first name that has the address is known, or
/// every name is settled.
fn is_decided(candidates: &[Candidate]) -> bool {
    for candidate in candidates {
        if !candidate.is_settled {
            return false;
        }
        if candidate.has_address == Fact::Known(true) {
            return true;
        }
    }
    true
}

/// The first name that has the address. That none has it is known only if all could be asked.
fn confirmed(candidates: &[Candidate]) -> Fact<Option<String>> {
    let has = Fact::Known(true);
    let first = candidates
        .iter()
        .find(|candidate| candidate.has_address == has);
    if let Some(candidate) = first {
        return Fact::Known(Some(candidate.name.to_string()));
    }
    let unknown = candidates
        .iter()
        .find_map(|candidate| match candidate.has_address {
            Fact::Unknown(cause) => Some(cause),
            Fact::Known(_) => None,
        });
    unknown.map_or(Fact::Known(None), Fact::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn pointers(names: &[&str]) -> Outcome {
        let records = names.iter().map(|text| RecordData::Ptr(name(text)));
        Outcome::Found(records.collect())
    }

    fn address(last: u8) -> Outcome {
        Outcome::Found(vec![RecordData::A([192, 0, 2, last].into())])
    }

    /// A task for 192.0.2.1 whose names are known.
    fn begun(names: &[&str]) -> (ClientNamesTask, Step) {
        let mut task = ClientNamesTask::new("192.0.2.1".parse().unwrap());
        let lookup = task.begin().remove(0);
        let step = task.answered(&lookup, &pointers(names));
        (task, step)
    }

    fn settle(task: &mut ClientNamesTask, text: &str, outcome: &Outcome) -> Step {
        let lookup = Lookup {
            name: name(text),
            kind: RecordType::A,
        };
        task.answered(&lookup, outcome)
    }

    fn known(answer: Answer) -> ClientNames {
        let Answer::ClientNames(Fact::Known(names)) = answer else {
            panic!("{answer:?}");
        };
        names
    }

    fn done(step: Step) -> ClientNames {
        match step {
            Step::Done(answer) => known(answer),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_name_with_the_address_is_confirmed() {
        let (mut task, step) = begun(&["mx.example"]);
        assert!(matches!(step, Step::Need(lookups) if lookups.len() == 1));
        let names = done(settle(&mut task, "mx.example", &address(1)));
        assert_eq!(names.names, ["mx.example"]);
        assert_eq!(names.confirmed, Fact::Known(Some("mx.example".into())));
    }

    #[test]
    fn the_first_of_several_is_confirmed_whatever_comes_first() {
        let (mut task, _) = begun(&["c.example", "a.example", "b.example"]);
        let wait = settle(&mut task, "c.example", &address(1));
        assert!(matches!(wait, Step::Wait), "a and b may have it too");
        assert!(matches!(
            settle(&mut task, "a.example", &address(9)),
            Step::Wait
        ));
        let names = done(settle(&mut task, "b.example", &address(1)));
        assert_eq!(names.names, ["a.example", "b.example", "c.example"]);
        assert_eq!(names.confirmed, Fact::Known(Some("b.example".into())));
    }

    #[test]
    fn that_none_has_it_is_known_only_if_all_were_asked() {
        let (mut task, _) = begun(&["a.example", "b.example"]);
        settle(&mut task, "a.example", &Outcome::NoName);
        assert_eq!(
            known(task.answer()).confirmed,
            Fact::Unknown(Cause::Timeout)
        );
        let names = done(settle(
            &mut task,
            "b.example",
            &Outcome::Unknown(Cause::Failed),
        ));
        assert_eq!(names.confirmed, Fact::Unknown(Cause::Failed));
        let (mut task, _) = begun(&["a.example"]);
        let names = done(settle(&mut task, "a.example", &Outcome::NoData));
        assert_eq!(names.confirmed, Fact::Known(None));
    }

    #[test]
    fn no_name_is_an_answer_and_a_failure_is_none() {
        for (outcome, is_known) in [
            (Outcome::NoName, true),
            (Outcome::NoData, true),
            (Outcome::Unknown(Cause::Overloaded), false),
        ] {
            let mut task = ClientNamesTask::new("2001:db8::1".parse().unwrap());
            let lookup = task.begin().remove(0);
            let Step::Done(Answer::ClientNames(fact)) = task.answered(&lookup, &outcome) else {
                panic!("{outcome:?}");
            };
            assert_eq!(
                fact.known().is_some_and(|names| names.names.is_empty()),
                is_known
            );
        }
    }

    #[test]
    fn ten_names_are_looked_at_and_that_there_are_more_is_known() {
        let texts: Vec<String> = (10..21)
            .map(|number| format!("n{number}.example"))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for (count, has_more) in [(10, false), (11, true)] {
            let (task, step) = begun(&texts[..count]);
            assert!(matches!(step, Step::Need(lookups) if lookups.len() == 10));
            assert_eq!(known(task.answer()).has_more, has_more);
        }
    }
}
