//! What the DNS knows of the client. These facts come only where `[dns] client_names` is switched
//! on; what is not known makes no function hit.

use super::signature::Arguments;
use crate::views::lazy::Views;
use gatepost_mail::ClientNames;

fn names<'v>(views: &Views<'v>) -> Option<&'v ClientNames> {
    views.case().facts.client_names.known()
}

/// The address has no name: the DNS answered, and had none.
pub(super) fn has_no_name(views: &Views<'_>, _: &Arguments) -> bool {
    names(views).is_some_and(|client| client.names.is_empty())
}

/// One of its names has the address.
pub(super) fn name_confirmed(views: &Views<'_>, _: &Arguments) -> bool {
    let confirmed = names(views).and_then(|client| client.confirmed.known());
    confirmed.is_some_and(Option::is_some)
}

/// It has names, all that were looked at were asked for, and none has the address. With more names
/// than were looked at it is not known: another one may have it.
pub(super) fn name_unconfirmed(views: &Views<'_>, _: &Arguments) -> bool {
    names(views).is_some_and(|client| {
        let none_has_it = client.confirmed.known().is_some_and(Option::is_none);
        none_has_it && !client.names.is_empty() && !client.has_more
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use gatepost_mail::{Case, ClientNames, Facts, Limits, Message, Transaction};
    use gatepost_words::Stage;
    use gatepost_words::diagnostic::Source;
    use gatepost_words::fact::{Cause, Fact};

    use crate::matcher::scanner::Scanner;
    use crate::ruleset::ruleset::Ruleset;

    const RULES: &str = "header NO_NAME eval:check_client_has_no_name()\n\
        header CONFIRMED eval:check_client_name_confirmed()\n\
        header UNCONFIRMED eval:check_client_name_unconfirmed()\n";

    fn hits(client_names: Fact<ClientNames>) -> Vec<String> {
        let (ruleset, _) = Ruleset::load(&[Arc::new(Source::new("t.cf", RULES))]);
        let ruleset = ruleset.unwrap();
        let facts = Facts {
            client_names,
            ..Facts::default()
        };
        let transaction = Transaction::new("test".into(), UNIX_EPOCH);
        let message = Message::parse(b"Subject: s\r\n\r\n", &Limits::default());
        let case = Case {
            stage: Stage::EndOfHeaders,
            transaction: &transaction,
            message: &message,
            facts: &facts,
        };
        let scan = Scanner::new(&ruleset).scan(&ruleset, &case, &|| false);
        scan.hits.iter().map(|hit| hit.rule.to_string()).collect()
    }

    fn known(names: &[&str], has_more: bool, confirmed: &Fact<Option<&str>>) -> Fact<ClientNames> {
        let confirmed = match confirmed {
            Fact::Known(name) => Fact::Known(name.map(ToOwned::to_owned)),
            Fact::Unknown(cause) => Fact::Unknown(*cause),
        };
        Fact::Known(ClientNames {
            names: names.iter().map(ToString::to_string).collect(),
            has_more,
            confirmed,
        })
    }

    #[test]
    fn what_is_known_hits_and_what_is_unknown_does_not() {
        let mx = Fact::Known(Some("mx.example"));
        let none = Fact::Known(None);
        let late = Fact::Unknown(Cause::Timeout);
        assert_eq!(hits(known(&[], false, &none)), ["NO_NAME"]);
        assert_eq!(hits(known(&["mx.example"], false, &mx)), ["CONFIRMED"]);
        assert_eq!(hits(known(&["mx.example"], false, &none)), ["UNCONFIRMED"]);
        assert!(hits(known(&["mx.example"], true, &none)).is_empty());
        assert!(hits(known(&["mx.example"], false, &late)).is_empty());
        for cause in Cause::ALL {
            assert!(hits(Fact::Unknown(cause)).is_empty(), "{cause}");
        }
    }
}
