//! Diagnostics as rustc shows them: the line, a caret under the place, the help below.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::bytes;

use super::escape::{escaped, push};
use super::{Diagnostic, Place, Severity};

/// Characters of a source line that are shown at most.
const LINE_LIMIT: usize = 140;
/// Characters shown before the place where a longer line is truncated.
const LEAD: usize = 40;
/// Marks where a line was truncated.
const CUT: &str = "…";

/// All diagnostics as text for people, an empty line between them; with `color` for a terminal.
pub fn render(diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for diagnostic in diagnostics {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&one(diagnostic, &renderer));
        out.push('\n');
    }
    out
}

fn one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(
        level
            .primary_title(escaped(&diagnostic.message))
            .id(diagnostic.code),
    );
    let mut columns = Vec::new();
    let primary = diagnostic
        .place
        .iter()
        .map(|place| (place, AnnotationKind::Primary));
    let secondary = diagnostic
        .secondary
        .iter()
        .map(|place| (place, AnnotationKind::Context));
    for (place, kind) in primary.chain(secondary) {
        let (snippet, moved) = snippet(place, kind);
        group = group.element(snippet);
        columns.extend(moved);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(escaped(help)));
    }
    let mut text = renderer.render(&[group]);
    for (shown, true_position) in columns {
        text = text.replacen(&shown, &true_position, 1);
    }
    text
}

/// The snippet of a place, and the replacement to make where its line was cut or escaped: the
/// renderer counts columns in the line that it is given.
fn snippet<'a>(
    place: &Place,
    kind: AnnotationKind,
) -> (Snippet<'a, Annotation<'a>>, Option<(String, String)>) {
    let (line_number, column) = place.source.position(place.span.start);
    let (start, line) = place.source.line_at(place.span.start);
    let begin = place.span.start.saturating_sub(start).min(line.len());
    let end = place
        .span
        .end
        .saturating_sub(start)
        .clamp(begin, line.len());
    let (text, span) = window(line, begin..end);
    let shown = bytes::head_str(&text, span.start).chars().count() + 1;
    let mut annotation: Annotation<'a> = kind.span(span);
    if !place.label.is_empty() {
        annotation = annotation.label(escaped(&place.label));
    }
    let name = escaped(&place.source.name);
    let moved = (shown != column).then(|| {
        (
            format!("{name}:{line_number}:{shown}\n"),
            format!("{name}:{line_number}:{column}\n"),
        )
    });
    (
        Snippet::source(text)
            .path(name)
            .line_start(line_number)
            .annotation(annotation),
        moved,
    )
}

/// The part of a line around a span, escaped, with the span moved along.
fn window(line: &str, span: Range<usize>) -> (String, Range<usize>) {
    let total = line.chars().count();
    let before = bytes::head_str(line, span.start).chars().count();
    let from = if total <= LINE_LIMIT {
        0
    } else {
        before.saturating_sub(LEAD)
    };
    let mut out = String::new();
    if from > 0 {
        out.push_str(CUT);
    }
    let (mut begin, mut end) = (None, None);
    let mut shown = 0;
    for (offset, character) in line.char_indices().skip(from).take(LINE_LIMIT) {
        if offset >= span.start {
            begin.get_or_insert(out.len());
        }
        if offset >= span.end {
            end.get_or_insert(out.len());
        }
        push(&mut out, character);
        shown += 1;
    }
    let begin = begin.unwrap_or(out.len());
    let end = end.unwrap_or(out.len()).max(begin);
    if from + shown < total {
        out.push_str(CUT);
    }
    (out, begin..end)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{render, window};
    use crate::diagnostic::{Diagnostic, Source};

    #[test]
    fn shows_the_line_and_a_caret() {
        let source = Arc::new(Source::new("local.cf", "# x\nscroe A\t1\n"));
        let first = Arc::new(Source::new("first.cf", "score A 2\n"));
        let text = render(
            &[Diagnostic::error("R0102", "no such key")
                .at(&source, 4..9, "not known")
                .also(&first, 6..7, "as here")
                .help("write `score`")],
            false,
        );
        let wanted = "\
error[R0102]: no such key
 --> local.cf:2:1
  |
2 | scroe A    1
  | ^^^^^ not known
  |
 ::: first.cf:1:7
  |
1 | score A 2
  |       - as here
  |
  = help: write `score`
";
        assert_eq!(text, wanted, "\n{text}");
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let line = format!("{}HERE{}", "a".repeat(500), "b".repeat(500));
        let (text, span) = window(&line, 500..504);
        assert_eq!(text.get(span), Some("HERE"));
        assert!(text.chars().count() <= 142 && text.starts_with('…') && text.ends_with('…'));
        let (text, span) = window("short", 5..5);
        assert_eq!((text.as_str(), span), ("short", 5..5));
        assert_eq!(window(&"x".repeat(140), 0..1).0.chars().count(), 140);
        assert!(window(&"x".repeat(141), 0..1).0.ends_with('…'));
    }

    #[test]
    fn columns_are_those_of_the_file() {
        let source = Arc::new(Source::new(
            "a.cf",
            format!("\t{}HERE{}", "a".repeat(500), "b".repeat(500)),
        ));
        let text = render(
            &[Diagnostic::error("R0102", "x").at(&source, 501..505, "")],
            false,
        );
        assert!(text.contains(" --> a.cf:1:502\n"), "{text}");
    }

    #[test]
    fn no_control_character_is_printed() {
        let source = Arc::new(Source::new("a\x07", "body A /\x1b]0;x\x07/\u{202e}\n"));
        for span in [0..0, 5..30, 900..990] {
            let text = render(
                &[Diagnostic::error("R0102", "\x1b").at(&source, span, "\x00")],
                false,
            );
            assert!(
                !text
                    .chars()
                    .any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')),
                "{text:?}"
            );
        }
    }
}
