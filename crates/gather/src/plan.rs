//! What to ask at which stage. Pure.

use std::net::IpAddr;

use gatepost_mail::{ClientAddress, Transaction};
use gatepost_words::Stage;

use crate::Question;

/// What the configuration allows to be asked. By default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The names of the client: [`Question::ClientNames`].
    pub client_names: bool,
}

/// The questions that become answerable at `stage`: each is planned at the earliest stage that
/// knows all of it, so that the answer is there when it is needed.
pub fn plan(stage: Stage, transaction: &Transaction, wanted: &Wanted) -> Vec<Question> {
    match stage {
        Stage::Connect => at_connect(transaction, *wanted),
        Stage::Helo
        | Stage::MailFrom
        | Stage::RcptTo
        | Stage::EndOfHeaders
        | Stage::EndOfMessage => Vec::new(),
    }
}

fn at_connect(transaction: &Transaction, wanted: Wanted) -> Vec<Question> {
    match transaction.client.address {
        ClientAddress::Ip(address) if wanted.client_names && has_a_zone(address) => {
            vec![Question::ClientNames(address.to_canonical())]
        }
        ClientAddress::Ip(_) | ClientAddress::Local | ClientAddress::Unknown => Vec::new(),
    }
}

/// Whether the reverse DNS can know anything of `address`. A private address is asked for: the
/// site's resolver may know its own machines.
fn has_a_zone(address: IpAddr) -> bool {
    let address = address.to_canonical();
    !address.is_loopback() && !address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const ALL: Wanted = Wanted { client_names: true };

    fn from(address: ClientAddress) -> Transaction {
        let mut transaction = Transaction::new("inbound".into(), UNIX_EPOCH);
        transaction.client.address = address;
        transaction
    }

    fn ip(text: &str) -> ClientAddress {
        ClientAddress::Ip(text.parse().unwrap())
    }

    #[test]
    fn nothing_is_asked_unless_wanted() {
        for stage in Stage::ALL {
            let client = from(ip("192.0.2.1"));
            assert!(plan(stage, &client, &Wanted::default()).is_empty());
        }
    }

    #[test]
    fn the_client_is_asked_for_at_connect_only() {
        let client = from(ip("192.0.2.1"));
        for stage in Stage::ALL {
            let expected = usize::from(stage == Stage::Connect);
            assert_eq!(plan(stage, &client, &ALL).len(), expected, "{stage}");
        }
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_address_that_it_is() {
        let mapped = plan(Stage::Connect, &from(ip("::ffff:192.0.2.1")), &ALL);
        let expected = Question::ClientNames("192.0.2.1".parse().unwrap());
        assert_eq!(mapped, [expected]);
    }

    #[test]
    fn what_has_no_reverse_zone_is_not_asked() {
        for address in [
            ClientAddress::Local,
            ClientAddress::Unknown,
            ip("127.0.0.1"),
            ip("::1"),
            ip("::ffff:127.0.0.1"),
            ip("0.0.0.0"),
        ] {
            assert!(plan(Stage::Connect, &from(address), &ALL).is_empty());
        }
    }
}
