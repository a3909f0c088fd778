//! What is after the name of a rule: from text to a test.

use crate::ruleset::kind::without_default;
use std::ops::Range;
use std::sync::Arc;

use crate::evals::signature::BadCall;
use crate::evals::table;
use crate::ruleset::kind::RuleKind;
use crate::ruleset::rule::Test;
use crate::ruleset::template::Template;
use crate::ruleset::uri_detail;
use crate::ruleset::uri_detail::{BadDetail, UriDetail};
use crate::views::header_request::{HeaderRequest, MODIFIERS};
use crate::views::key::ViewKey;
use gatepost_byte_regex::{Pattern, Problem};
use gatepost_words::bytes;
use gatepost_words::diagnostic::{Diagnostic, Source, did_you_mean};

/// A error about a definition; the span is relative to its text.
pub(crate) struct DefinitionError {
    pub(crate) diagnostic: Box<Diagnostic>,
    pub(crate) span: Range<usize>,
    pub(crate) label: String,
    /// The rule is kept, but never hits.
    pub(crate) disables: Option<&'static str>,
}

impl DefinitionError {
    fn error(code: &'static str, message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            diagnostic: Box::new(Diagnostic::error(code, message)),
            span,
            label: String::new(),
            disables: None,
        }
    }

    fn warning(
        code: &'static str,
        message: impl Into<String>,
        span: Range<usize>,
        why: &'static str,
    ) -> Self {
        Self {
            diagnostic: Box::new(Diagnostic::warning(code, message)),
            span,
            label: String::new(),
            disables: Some(why),
        }
    }

    fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.diagnostic.help = Some(help.into());
        self
    }

    /// The diagnostic, placed.
    pub(crate) fn placed(
        self,
        source: &Arc<Source>,
        place: impl Fn(Range<usize>) -> Range<usize>,
    ) -> Diagnostic {
        self.diagnostic.at(source, place(self.span), self.label)
    }
}

/// Turns a definition into a test. Metas are compiled later, when all names are known.
pub(crate) fn define(kind: RuleKind, text: &str) -> Result<Test, DefinitionError> {
    if let Some(call) = text
        .strip_prefix("eval:")
        .or_else(|| text.strip_prefix("rbleval:"))
    {
        return eval(call.trim_start(), text.len() - call.trim_start().len());
    }
    match kind {
        RuleKind::Header => header(text),
        RuleKind::MimeHeader => comparison(text, ViewKey::Mime),
        RuleKind::Body => plain(text, ViewKey::Body),
        RuleKind::RawBody => plain(text, ViewKey::RawBody),
        RuleKind::Uri => plain(text, ViewKey::Uri),
        RuleKind::Full => plain(text, ViewKey::Full),
        RuleKind::UriDetail => detail(text),
        RuleKind::Meta | RuleKind::Unsupported => Ok(Test::Never),
    }
}

fn plain(text: &str, view: ViewKey) -> Result<Test, DefinitionError> {
    search(text, 0, view, false, None)
}

/// A regular expression over a view. One with templates cannot be compiled yet; the rest of it can.
fn search(
    text: &str,
    offset: usize,
    view: ViewKey,
    negated: bool,
    if_unset: Option<String>,
) -> Result<Test, DefinitionError> {
    if let Some(template) = Template::parse(text, view.clone(), negated, if_unset.clone()) {
        return match Pattern::compile(&template.sample()) {
            Ok(_) => Ok(Test::Template(Arc::new(template))),
            Err(problem) => Err(regex_error(
                Problem {
                    span: 0..text.len(),
                    ..problem
                },
                offset,
            )),
        };
    }
    let pattern = pattern(text, offset)?;
    Ok(Test::Pattern {
        view,
        pattern,
        negated,
        if_unset,
    })
}

fn detail(text: &str) -> Result<Test, DefinitionError> {
    UriDetail::parse(text)
        .map(|detail| Test::UriDetail(Arc::new(detail)))
        .map_err(|bad| match bad {
            BadDetail::Pattern(at, problem) => regex_error(problem, at),
            BadDetail::Form(message, span) => DefinitionError::error("R0219", message, span)
                .help("write `key =~ /regex/ key !~ /regex/ …`"),
            BadDetail::Key(span) => {
                let name = bytes::slice_str(text, span.clone());
                let error = DefinitionError::error(
                    "R0219",
                    format!("unknown uri_detail key `{name}`"),
                    span,
                );
                match did_you_mean(name, uri_detail::keys()) {
                    Some(guess) => error.help(format!("did you mean `{guess}`?")),
                    None => error.help("expected one of raw, type, cleaned, text, domain, host"),
                }
            }
        })
}

fn pattern(text: &str, offset: usize) -> Result<Arc<Pattern>, DefinitionError> {
    Pattern::compile(text)
        .map(Arc::new)
        .map_err(|problem| regex_error(problem, offset))
}

fn regex_error(problem: Problem, offset: usize) -> DefinitionError {
    let span = problem.span.start + offset..problem.span.end + offset;
    if problem.disables {
        return DefinitionError::warning(
            problem.code,
            problem.message,
            span,
            "its regular expression is not supported yet",
        )
        .label("the rule is disabled");
    }
    let error = DefinitionError::error(problem.code, problem.message, span);
    match problem.code {
        "R0301" => error.help("write `/regex/`, or `m{regex}` where the regex has slashes"),
        _ => error,
    }
}

fn header(text: &str) -> Result<Test, DefinitionError> {
    match text.strip_prefix("exists:") {
        Some(name) => request(name, 7).map(Test::Exists),
        None => comparison(text, ViewKey::Header),
    }
}

/// `Name =~ /regex/ [if-unset: text]`.
fn comparison(
    text: &str,
    view: impl Fn(HeaderRequest) -> ViewKey,
) -> Result<Test, DefinitionError> {
    let operator = ["=~", "!~"]
        .into_iter()
        .filter_map(|sign| text.find(sign))
        .min();
    let Some(at) = operator else {
        return Err(DefinitionError::error(
            "R0201",
            "a header test needs `=~` or `!~`",
            0..text.len(),
        )
        .help("write `Header =~ /regex/`, `exists:Header` or `eval:function()`"));
    };
    let name = bytes::head_str(text, at).trim_end();
    let request = request(name, 0)?;
    let negated = text.get(at..).is_some_and(|rest| rest.starts_with('!'));
    let rest = bytes::skip_str(text, at + 2);
    let start = text.len() - rest.trim_start().len();
    let rest = rest.trim_start();
    let (regex, if_unset) = without_default(rest);
    search(regex, start, view(request), negated, if_unset)
}

fn request(name: &str, offset: usize) -> Result<HeaderRequest, DefinitionError> {
    HeaderRequest::parse(name).map_err(|span| {
        let modifier = bytes::slice_str(name, span.clone());
        let place = span.start + offset..span.end + offset;
        if span.start == 0 {
            return DefinitionError::error(
                "R0201",
                "a header test begins with the name of a header",
                place,
            );
        }
        let error = DefinitionError::error(
            "R0202",
            format!("unknown header modifier `:{modifier}`"),
            place,
        );
        match did_you_mean(modifier, MODIFIERS.iter().copied()) {
            Some(guess) => error.help(format!("did you mean `:{guess}`?")),
            None => error.help("expected one of :raw :addr :name :first :last :host :domain"),
        }
    })
}

fn eval(call: &str, offset: usize) -> Result<Test, DefinitionError> {
    let open = call.find('(').unwrap_or(call.len());
    let name = bytes::head_str(call, open).trim_end();
    let place = |span: Range<usize>| span.start + offset..span.end + offset;
    let inside = bytes::skip_str(call, open + 1).trim_end();
    let Some(inside) =
        inside
            .strip_suffix(')')
            .or(if open == call.len() { Some("") } else { None })
    else {
        return Err(DefinitionError::error(
            "R0204",
            "the closing `)` is missing",
            place(call.len()..call.len()),
        ));
    };
    let Some(eval) = table::find(name) else {
        let why = "its eval function is not known";
        let error = DefinitionError::warning(
            "R0203",
            format!("unknown eval function `{name}`"),
            place(0..name.len()),
            why,
        )
        .label("the rule is disabled");
        let guess = did_you_mean(name, table::all().map(|eval| eval.name));
        return Err(match guess {
            Some(guess) => error.help(format!("did you mean `{guess}`?")),
            None => error,
        });
    };
    match eval.arguments(inside) {
        Ok(arguments) => Ok(Test::Eval(eval, Arc::new(arguments))),
        Err(BadCall::Arguments(message)) => Err(DefinitionError::error(
            "R0204",
            message,
            place(0..call.len()),
        )),
        Err(BadCall::Pattern(at, problem)) => Err(regex_error(problem, offset + open + 1 + at)),
    }
}
