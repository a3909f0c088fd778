//! Mailboxes of the envelope (RFC 5321 §4.1.2). Header addresses are read in `header`.

use std::fmt;

/// `local-part@domain`, as given, without angle brackets or source route. The domain is empty where
/// there was no `@`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mailbox {
    /// Before the last `@`; case is kept.
    pub local_part: String,
    /// After the last `@`, in lower case.
    pub domain: String,
}

impl Mailbox {
    /// Reads one path argument of MAIL or RCPT. Never fails: invalid UTF-8 is replaced, what
    /// is not an address becomes a local-part without domain.
    pub fn parse(argument: &[u8]) -> Self {
        let text = String::from_utf8_lossy(argument);
        let text = text.trim();
        let text = text.strip_prefix('<').unwrap_or(text);
        let text = text.strip_suffix('>').unwrap_or(text);
        // A source route (`@a,@b:user@c`) is to be ignored: RFC 5321, appendix C.
        let text = match text
            .strip_prefix('@')
            .and_then(|route| route.split_once(':'))
        {
            Some((_, address)) => address,
            None => text,
        };
        match text.rsplit_once('@') {
            Some((local_part, domain)) => Self {
                local_part: local_part.to_owned(),
                domain: domain.trim_end_matches('.').to_ascii_lowercase(),
            },
            None => Self {
                local_part: text.to_owned(),
                domain: String::new(),
            },
        }
    }

    /// Neither local-part nor domain.
    pub fn is_empty(&self) -> bool {
        self.local_part.is_empty() && self.domain.is_empty()
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.local_part)?;
        if !self.domain.is_empty() {
            write!(f, "@{}", self.domain)?;
        }
        Ok(())
    }
}
