//! Errors and warnings for people: message, the line of the file, hint.

use std::fmt::{self, Write as _};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};
use session::{Failure, Place};

use crate::terminal::Terminal;

/// How many errors are shown; a file with more is not read line by line.
const SHOWN: usize = 20;

/// Lines longer than this are shown cut.
const LONG_LINE: usize = 400;

/// All errors of a file, in the order of their places.
pub(crate) fn failures(failures: &[Failure], terminal: &Terminal) -> String {
    let mut sorted: Vec<&Failure> = failures.iter().collect();
    sorted.sort_by_key(|failure| {
        failure
            .place
            .as_ref()
            .map(|place| (place.source().name.clone(), place.span().start))
    });
    let shown: Vec<String> = sorted
        .iter()
        .take(SHOWN)
        .map(|failure| one(failure, terminal))
        .collect();
    let mut text = shown.join("\n");
    if SHOWN < sorted.len() {
        let more = sorted.len() - SHOWN;
        let noun = if more == 1 { "error" } else { "errors" };
        let _ = write!(text, "\n{more} more {noun} not shown\n");
    }
    text
}

/// One error.
fn one(failure: &Failure, terminal: &Terminal) -> String {
    let mut text = message("error", &failure.to_string(), terminal);
    if let Some(place) = &failure.place {
        text.push_str(&snippet(place, terminal));
    }
    if let Some(hint) = failure.hint() {
        text.push_str(&message("hint", &hint, terminal));
    }
    text
}

/// A line with its word in color: red error, yellow warning, cyan hint.
pub(crate) fn message(word: &str, text: &str, terminal: &Terminal) -> String {
    let style = match word {
        "error" => "\u{1b}[1;31m",
        "warning" => "\u{1b}[1;33m",
        _ => "\u{1b}[1;36m",
    };
    // Names and values come from files: nothing in them may steer the terminal.
    let text = printable(text);
    if terminal.color {
        format!("{style}{word}\u{1b}[0m: {text}\n")
    } else {
        format!("{word}: {text}\n")
    }
}

/// The text without control characters.
fn printable(text: &str) -> String {
    let shown = |c: char| {
        if c.is_control() && c != '\t' {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(shown).collect()
}

/// The line of a place, with the place marked.
fn snippet(place: &Place, terminal: &Terminal) -> String {
    let (line, column) = place.line_column();
    let text = &place.source().text;
    let start = text[..place.span().start]
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    if LONG_LINE < end - start {
        let name = &place.source().name;
        return format!("   ╭─[{}:{line}:{column}]\n   ╰────\n", printable(name));
    }
    let (from, to) = (
        place.span().start,
        place.span().end.clamp(place.span().start, end),
    );
    // Replaced characters may change the length of the line.
    let [before, mark, after] =
        [&text[start..from], &text[from..to], &text[to..end]].map(printable);
    let marked = Marked {
        // A mark of no width, such as at the end of a line, would not be seen.
        mark: (before.len(), mark.len().max(1)).into(),
        line: Line {
            name: printable(&place.source().name),
            text: format!("{before}{mark}{after} "),
            number: line,
            column,
        },
    };
    let handler = GraphicalReportHandler::new_themed(theme(terminal))
        .with_width(terminal.width.unwrap_or(usize::MAX >> 1))
        .with_context_lines(1)
        .with_links(false)
        .without_syntax_highlighting();
    let mut out = String::new();
    if handler.render_report(&mut out, &marked).is_err() {
        return String::new();
    }
    // The first line is the handler's own rendering of the message, which is empty.
    let lines: Vec<&str> = out.lines().skip(1).map(str::trim_end).collect();
    format!("{}\n", lines.join("\n"))
}

fn theme(terminal: &Terminal) -> GraphicalTheme {
    match (terminal.unicode, terminal.color) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme::ascii(),
        (false, false) => GraphicalTheme::none(),
    }
}

/// One line of a file, which the handler takes for a file of its own.
#[derive(Debug)]
struct Line {
    name: String,
    text: String,
    /// Of the line in its file, from 1.
    number: usize,
    /// Of the mark in the line, from 1.
    column: usize,
}

impl SourceCode for Line {
    /// The whole line; the position of the mark where the handler asks without context, for the
    /// header.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = SourceSpan::from((0, self.text.len()));
        let (span, column) = if before == 0 {
            (*span, self.column - 1)
        } else {
            (whole, 0)
        };
        let contents = MietteSpanContents::new_named(
            self.name.clone(),
            self.text.as_bytes(),
            span,
            self.number - 1,
            column,
            1,
        );
        Ok(Box::new(contents))
    }
}

/// A line with a mark, in the words of the handler.
#[derive(Debug)]
struct Marked {
    line: Line,
    mark: SourceSpan,
}

impl fmt::Display for Marked {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Marked {}

impl Diagnostic for Marked {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.line)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(None, self.mark);
        Some(Box::new(std::iter::once(label)))
    }
}
