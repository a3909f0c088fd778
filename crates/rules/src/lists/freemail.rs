//! Who counts as a user of a free mail hoster.

use std::collections::BTreeSet;

use gatepost_words::glob::matches as matches_glob;

/// Domains of free mail hosters.
#[derive(Debug, Default)]
pub(super) struct FreeMail {
    domains: BTreeSet<String>,
    /// Those with `*` or `?`, which stay within a label.
    globs: Vec<String>,
    /// Addresses and domains that are never free mail.
    exempt: BTreeSet<String>,
}

impl FreeMail {
    pub(super) fn add(&mut self, words: impl Iterator<Item = String>) {
        for word in words {
            if word.contains(['*', '?']) {
                self.globs.push(word);
            } else {
                self.domains.insert(word);
            }
        }
    }

    pub(super) fn except(&mut self, words: impl Iterator<Item = String>) {
        self.exempt.extend(words);
    }

    /// Whether an address (lower case) is a person's at a free mail hoster.
    pub(super) fn has(&self, address: &str) -> bool {
        let Some((user, domain)) = address.rsplit_once('@') else {
            return false;
        };
        let is_hosted = || {
            self.domains.contains(domain) || self.globs.iter().any(|glob| label_glob(glob, domain))
        };
        !self.exempt.contains(address)
            && !self.exempt.contains(domain)
            && is_hosted()
            && !is_office(user)
    }
}

/// A glob in which `*` stays within a label.
fn label_glob(glob: &str, domain: &str) -> bool {
    let (mut globs, mut labels) = (glob.split('.'), domain.split('.'));
    loop {
        match (globs.next(), labels.next()) {
            (None, None) => return true,
            (Some(glob), Some(label)) if matches_glob(glob, label) => {}
            _ => return false,
        }
    }
}

/// Users that are an office, a machine or a forwarded sender, not a person.
fn is_office(user: &str) -> bool {
    match user {
        "abuse" | "postmaster" | "hostmaster" | "domainmaster" | "contact" | "helpdesk"
        | "info" | "kontakt" | "sales" | "support" => true,
        _ => is_machine(user),
    }
}

fn is_machine(user: &str) -> bool {
    let returned = ["bounce-", "bounced-", "undisclosed"]
        .iter()
        .any(|start| user.starts_with(start));
    let mut senders = user.splitn(3, '=');
    let is_forwarded = senders
        .by_ref()
        .take(3)
        .filter(|piece| !piece.is_empty())
        .count()
        == 3;
    returned
        || is_forwarded
        || has_hex_groups(user, '.', &[8, 8])
        || has_hex_groups(user, '-', &[8, 4, 4, 4, 12])
        || user
            .strip_prefix("request-")
            .is_some_and(|id| has_hex_groups(id, '-', &[16]))
}

/// Whether the text is groups of hexadecimal digits of these lengths.
fn has_hex_groups(text: &str, separator: char, lengths: &[usize]) -> bool {
    let mut lengths = lengths.iter();
    let all_fit = text.split(separator).all(|group| {
        lengths.next() == Some(&group.len()) && group.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    all_fit && lengths.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::FreeMail;

    #[test]
    fn free_mail_is_known() {
        let mut hosters = FreeMail::default();
        hosters.add(
            ["example.com", "mail.*.example"]
                .into_iter()
                .map(str::to_owned),
        );
        hosters.except(
            ["a@example.com", "mail.none.example"]
                .into_iter()
                .map(str::to_owned),
        );
        for (address, wanted) in [
            ("b@example.com", true),
            ("a@example.com", false),
            ("b@mail.x.example", true),
            ("b@mail.none.example", false),
            ("b@mail.x.y.example", false),
            ("b@sub.example.com", false),
            ("info@example.com", false),
            ("bounce-1@example.com", false),
            ("request-0123456789abcdef@example.com", false),
            ("request-0123456789abcde@example.com", true),
            ("01234567-89ab-cdef-0123-456789abcdef@example.com", false),
            ("01234567.89abcdef@example.com", false),
            ("x=y=z@example.com", false),
            ("x=y@example.com", true),
            ("example.com", false),
        ] {
            assert_eq!(hosters.has(address), wanted, "{address}");
        }
    }
}
