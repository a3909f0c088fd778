//! What was odd about a message: not an error, but something that rules can look at and people
//! should see.

use std::fmt;

/// One oddity, with where it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Anomaly {
    /// What kind.
    pub kind: AnomalyKind,
    /// Byte offset in the message (0 where it concerns the whole).
    pub offset: usize,
}

macro_rules! anomaly_kinds {
    ($($variant:ident => $name:literal, $doc:literal;)*) => {
        /// The kinds of oddity. One table projects to names, texts and [`AnomalyKind::ALL`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum AnomalyKind { $(#[doc = $doc] $variant,)* }

        impl AnomalyKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name used in JSON, logs and rules.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One sentence for people.
            pub fn describe(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

anomaly_kinds! {
    BareCr => "bare_cr", "The header has a carriage return without line feed";
    BareLf => "bare_lf", "There are line feeds without carriage return in addition to proper line ends";
    NulByte => "nul_byte", "The message has a NUL byte";
    EightBitHeader => "eight_bit_header", "A header field has bytes above 127 that are not UTF-8";
    HeaderWithoutColon => "header_without_colon", "A line of the header has no colon";
    ByteOrderMark => "byte_order_mark", "A byte order mark comes before the header";
    EmptyHeader => "empty_header", "There is no header field at all";
    MissingFrom => "missing_from", "There is no From field";
    DuplicateFrom => "duplicate_from", "There is more than one From field";
    DuplicateSubject => "duplicate_subject", "There is more than one Subject field";
    DuplicateContentType => "duplicate_content_type", "An entity has more than one Content-Type field";
    DuplicateEncoding => "duplicate_encoding", "An entity has more than one Content-Transfer-Encoding field";
    DuplicateBoundary => "duplicate_boundary", "A Content-Type has more than one boundary parameter";
    MissingBoundary => "missing_boundary", "A multipart has no boundary parameter";
    UnclosedBoundary => "unclosed_boundary", "The closing boundary of a multipart is missing";
    NestedSameBoundary => "nested_same_boundary", "A multipart uses the boundary of one around it";
    UnknownEncoding => "unknown_encoding", "A Content-Transfer-Encoding is not known";
    EncodedComposite => "encoded_composite", "A multipart or message entity is itself base64 or quoted-printable";
    BadBase64 => "bad_base64", "Base64 data has characters that do not belong there, or ends early";
    BadQuotedPrintable => "bad_quoted_printable", "Quoted-printable data has an equals sign that encodes nothing";
    UnknownCharset => "unknown_charset", "A charset is not known";
    BadCharset => "bad_charset", "Text does not fit its charset";
    PreambleText => "preamble_text", "There is text before the first or after the last boundary of a multipart";
    OverlongLine => "overlong_line", "A line is longer than the 998 bytes of RFC 5322";
    DepthLimit => "depth_limit", "MIME nesting is deeper than the limit; the rest was not read";
    PartsLimit => "parts_limit", "There are more MIME entities than the limit; the rest was not read";
    HeadersLimit => "headers_limit", "There are more header fields than the limit; the rest was not read";
    HeaderBytesLimit => "header_bytes_limit", "The header is longer than the limit; the rest was not read";
    HeaderLineLimit => "header_line_limit", "A header field is longer than the limit; the rest of it was not read";
    DecodedLimit => "decoded_limit", "Decoding gave more bytes than the limit; the rest was not read";
    DerivedLimit => "derived_limit", "Reading gave more bytes (decoded texts, URLs joined with their base) than the limit; the rest was not read";
    UrlsLimit => "urls_limit", "There are more URLs than the limit; the rest was not read";
    HtmlLimit => "html_limit", "There is more HTML than the limit; the rest was not read";
    MarksLimit => "marks_limit", "There are more marks of mail filters (X-Spam-…, X-Gatepost) than the limit; not all of them are taken out";
    JudgingTime => "judging_time", "Judging took all the time that there is at an earlier try; the message was not judged again";
    RuleLimit => "rule_limit", "A limit kept a rule from looking at a part of the message";
}

impl AnomalyKind {
    /// Whether a limit cut something off, so that a part of the message was not looked at.
    pub fn is_limit(self) -> bool {
        matches!(
            self,
            Self::DepthLimit
                | Self::PartsLimit
                | Self::HeadersLimit
                | Self::HeaderBytesLimit
                | Self::HeaderLineLimit
                | Self::DecodedLimit
                | Self::DerivedLimit
                | Self::UrlsLimit
                | Self::HtmlLimit
                | Self::MarksLimit
                | Self::JudgingTime
        )
    }
}

/// Anomalies of one kind that are noted of one message: the first ones are enough.
const PER_KIND: usize = 16;

/// Collects anomalies, a bounded number of each kind.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) anomalies: Vec<Anomaly>,
}

impl Report {
    pub(super) fn add(&mut self, kind: AnomalyKind, offset: usize) {
        if self
            .anomalies
            .iter()
            .filter(|anomaly| anomaly.kind == kind)
            .count()
            < PER_KIND
        {
            self.anomalies.push(Anomaly { kind, offset });
        }
    }
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_noted_a_bounded_number_of_times() {
        for (added, noted) in [(PER_KIND, PER_KIND), (PER_KIND + 1, PER_KIND)] {
            let mut report = Report::default();
            (0..added).for_each(|offset| report.add(AnomalyKind::BareCr, offset));
            report.add(AnomalyKind::BareLf, 0);
            assert_eq!(report.anomalies.len(), noted + 1);
        }
    }

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<_> = AnomalyKind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), AnomalyKind::ALL.len());
    }
}
