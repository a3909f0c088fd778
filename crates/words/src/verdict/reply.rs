//! SMTP replies: reply code (RFC 5321 §4.2), enhanced status code (RFC 3463) and text, well-formed
//! by construction.

use std::fmt;

/// A three-digit reply code of class 4 or 5: the only ones that a filter gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyCode(u16);

impl ReplyCode {
    /// 550: mailbox unavailable, or refused for policy reasons.
    pub const REFUSED: Self = Self(550);
    /// 451: local error in processing; try again.
    pub const TRY_AGAIN: Self = Self(451);

    /// `None` outside 400..=599.
    pub fn new(code: u16) -> Option<Self> {
        (400..600).contains(&code).then_some(Self(code))
    }

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `class.subject.detail` (RFC 3463). The class is taken from the reply code, so the two never
/// disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnhancedStatusCode {
    /// 0..=999; 7 is security and policy, 3 the mail system.
    pub subject: u16,
    /// 0..=999.
    pub detail: u16,
}

impl EnhancedStatusCode {
    /// x.7.1: delivery not authorized, message refused; with a 4xx code: not now.
    pub const REFUSED: Self = Self {
        subject: 7,
        detail: 1,
    };
    /// x.3.0: other mail system status.
    pub const SYSTEM: Self = Self {
        subject: 3,
        detail: 0,
    };
    /// x.3.2: system not accepting messages now.
    pub const OVERLOADED: Self = Self {
        subject: 3,
        detail: 2,
    };
    /// x.3.4: message too big for system.
    pub const TOO_BIG: Self = Self {
        subject: 3,
        detail: 4,
    };
}

/// A complete negative reply. Its text has no control characters and no line is longer than
/// [`SmtpReply::LINE_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpReply {
    /// The reply code.
    pub code: ReplyCode,
    /// The enhanced status code without its class.
    pub enhanced: EnhancedStatusCode,
    lines: Vec<String>,
}

impl SmtpReply {
    /// Bytes of text in one line: RFC 5321 §4.5.3.1.5 allows 512 for the whole line with codes and
    /// CRLF.
    pub const LINE_MAX: usize = 480;
    /// Lines of one reply: what libmilter takes (`smfi_setmlreply`).
    pub const LINES_MAX: usize = 32;

    /// Makes a reply; the text is cut at line breaks, printable ASCII is kept and everything else
    /// becomes `?`.
    pub fn new(code: ReplyCode, enhanced: EnhancedStatusCode, text: &str) -> Self {
        let mut lines: Vec<String> = text.lines().take(Self::LINES_MAX).map(clean).collect();
        if lines.is_empty() {
            lines.push(String::new());
        }
        Self {
            code,
            enhanced,
            lines,
        }
    }

    /// The lines of text, without codes; at least one.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// `5.7.1`.
    pub fn enhanced_code(&self) -> String {
        format!(
            "{}.{}.{}",
            self.code.get() / 100,
            self.enhanced.subject.min(999),
            self.enhanced.detail.min(999)
        )
    }
}

fn clean(line: &str) -> String {
    line.chars()
        .map(|c| {
            if c == ' ' || c.is_ascii_graphic() {
                c
            } else {
                '?'
            }
        })
        .take(SmtpReply::LINE_MAX)
        .collect()
}

impl fmt::Display for SmtpReply {
    /// As in a log: one line, lines joined by a space.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.code,
            self.enhanced_code(),
            self.lines.join(" ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{EnhancedStatusCode, ReplyCode, SmtpReply};

    #[test]
    fn text_cannot_break_out_of_its_line() {
        let reply = SmtpReply::new(
            ReplyCode::REFUSED,
            EnhancedStatusCode::REFUSED,
            "no\r\n250 ok\x1b[2J\0é",
        );
        assert_eq!(reply.lines(), ["no", "250 ok?[2J??"]);
        assert_eq!(reply.enhanced_code(), "5.7.1");
    }

    #[test]
    fn lines_are_bounded_at_n_and_n_plus_one() {
        for (length, kept) in [(480, 480), (481, 480)] {
            let reply = SmtpReply::new(
                ReplyCode::REFUSED,
                EnhancedStatusCode::REFUSED,
                &"x".repeat(length),
            );
            assert_eq!(reply.lines()[0].len(), kept);
        }
        for (count, kept) in [(32, 32), (33, 32), (0, 1)] {
            let reply = SmtpReply::new(
                ReplyCode::REFUSED,
                EnhancedStatusCode::REFUSED,
                &"x\n".repeat(count),
            );
            assert_eq!(reply.lines().len(), kept);
        }
    }

    #[test]
    fn codes_outside_the_negative_classes_do_not_exist() {
        for (code, there) in [
            (399, false),
            (400, true),
            (599, true),
            (600, false),
            (250, false),
        ] {
            assert_eq!(ReplyCode::new(code).is_some(), there, "{code}");
        }
    }
}
