//! One rule, as people and metas see it.

use super::kind::RuleKind;
use crate::views::key::ViewKey;
use std::ops::Range;
use std::sync::Arc;

use super::expression::Step;
use super::template::Template;
use super::uri_detail::UriDetail;
use crate::evals::signature::{Arguments, Eval};
use crate::limits::MULTIPLE_LIMIT;
use crate::views::header_request::HeaderRequest;
use crate::views::mime_parts::PartRange;
use gatepost_byte_regex::Pattern;
use gatepost_words::Stage;
use gatepost_words::diagnostic::Source;
use gatepost_words::verdict::{RuleName, Score};

/// How a rule is decided.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// A regular expression over the texts of a view.
    Pattern {
        view: ViewKey,
        pattern: Arc<Pattern>,
        /// `!~`: hits when no text matches.
        negated: bool,
        /// Stands for a header that is missing.
        if_unset: Option<String>,
    },
    Exists(HeaderRequest),
    Eval(&'static Eval, Arc<Arguments>),
    /// Conditions on one URL.
    UriDetail(Arc<UriDetail>),
    /// A pattern that is made again for every message.
    Template(Arc<Template>),
    /// A program over the values of other rules.
    Meta(Vec<Step<u32>>),
    /// Cannot be decided; never hits.
    Never,
}

/// The `tflags` that mean something here. Others are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent flags of the language"
)]
pub struct RuleFlags {
    /// Counts its hits but never scores.
    pub shadow: bool,
    /// Meant for good mail: its default score is negative.
    pub nice: bool,
    /// Every match counts, for metas that compare.
    pub multiple: bool,
    /// Most matches that count.
    pub max_hits: Option<u32>,
    /// A body rule that skips the subject.
    pub no_subject: bool,
    /// It asks the network.
    pub net: bool,
    /// A `mimeheader` rule that sees only these entities.
    pub parts: Option<PartRange>,
    /// A `mimeheader` rule that sees the values of all entities as one text.
    pub concat: bool,
}

/// A `test NAME ok|fail STRING` line.
#[derive(Clone, Debug)]
pub struct TestLine {
    /// Whether the rule must hit.
    pub must_hit: bool,
    /// The text.
    pub text: String,
    /// Where the line is, in the source.
    pub span: Range<usize>,
    /// In which source.
    pub source: Arc<Source>,
}

/// One rule of a set.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) name: RuleName,
    pub(crate) kind: RuleKind,
    pub(crate) definition: String,
    pub(crate) score: Score,
    pub(crate) has_score: bool,
    pub(crate) description: Arc<str>,
    pub(crate) source: Arc<Source>,
    pub(crate) span: Range<usize>,
    pub(crate) earlier: Option<(Arc<Source>, Range<usize>)>,
    pub(crate) flags: RuleFlags,
    pub(crate) tests: Vec<TestLine>,
    pub(crate) disabled: Option<String>,
    pub(crate) stage: Stage,
    pub(crate) test: Test,
}

impl Rule {
    /// Its name.
    pub fn name(&self) -> &RuleName {
        &self.name
    }

    /// What it looks at.
    pub fn kind(&self) -> RuleKind {
        self.kind
    }

    /// What is after its name: the regular expression, expression or function.
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// The points of a hit. Zero for sub-rules (`__…`), shadow rules keep what they would count.
    pub fn score(&self) -> Score {
        self.score
    }

    /// Its `describe` text; empty where there is none.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Its flags.
    pub fn flags(&self) -> RuleFlags {
        self.flags
    }

    /// Its in-file tests.
    pub fn tests(&self) -> &[TestLine] {
        &self.tests
    }

    /// File, line and column of its definition; line and column from 1.
    pub fn position(&self) -> (&str, usize, usize) {
        let (line, column) = self.source.position(self.span.start);
        (&self.source.name, line, column)
    }

    /// Why it never hits, if so: score 0, or something that is not supported.
    pub fn disabled(&self) -> Option<&str> {
        self.disabled.as_deref()
    }

    /// The first stage at which it can be decided.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// How often it hits at most.
    pub(crate) fn most_hits(&self) -> u32 {
        if self.flags.multiple {
            self.flags.max_hits.unwrap_or(MULTIPLE_LIMIT)
        } else {
            1
        }
    }

    /// Its regular expression with the delimiters, tags not replaced.
    pub(crate) fn regex(&self) -> Option<&str> {
        crate::ruleset::kind::regex_of(self.kind, &self.definition)
    }

    /// Whether it is a sub-rule (`__…`): only metas see it.
    pub fn is_subrule(&self) -> bool {
        self.name.starts_with("__")
    }
}
