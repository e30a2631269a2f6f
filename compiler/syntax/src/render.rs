//! Draws diagnostics: for terminals, and as JSON for programs.
//!
//! In: diagnostics and the sources they point into. Out: text; nothing is written anywhere.
//!
//! ```text
//! error[E0110]: Comparisons do not chain
//!    ╭─[ app.weir:3:12 ]
//!    │
//!  3 │   if a < b < c {
//!    │        ┬   ┬
//!    ...
//! ```

use ariadne::{CharSet, Color, Config, IndexType, Label, Report, ReportKind};
use serde_json::{Value, json};

use crate::diag::{Diagnostic, Severity};
use crate::span::{FileId, Sources, Span};

/// Draws diagnostics one below the other, each ending in a line feed, with ANSI colours if `color`.
///
/// Spans must point into `sources`. A label without text is drawn as `here`.
pub fn render(diags: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let mut out = Vec::new();
    let mut cache = Cache { sources, drawn: Vec::new() };
    for diagnostic in diags {
        if !out.is_empty() {
            out.push(b'\n');
        }
        draw(diagnostic, &mut cache, color, &mut out);
    }
    String::from_utf8_lossy(&out).lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn draw(diagnostic: &Diagnostic, cache: &mut Cache, color: bool, out: &mut Vec<u8>) {
    let (word, tint, strong) = match diagnostic.severity {
        Severity::Error => ("error", Color::Red, "\u{1b}[1;31m"),
        Severity::Warning => ("warning", Color::Yellow, "\u{1b}[1;33m"),
    };
    let head = format!("{word}[{}]", diagnostic.code);
    let (strong, plain) = if color { (strong, "\u{1b}[0m") } else { ("", "") };
    out.extend_from_slice(format!("{strong}{head}{plain}: {}\n", sentence(&diagnostic.message)).as_bytes());

    let config = Config::new()
        .with_color(color)
        .with_char_set(CharSet::Unicode)
        .with_index_type(IndexType::Byte)
        .with_tab_width(2);
    let mut report =
        Report::build(ReportKind::Error, Place::of(diagnostic.span(), cache.sources)).with_config(config);
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let tint = if index == 0 { tint } else { Color::Cyan };
        let mark = Label::new(Place::of(label.span, cache.sources)).with_color(tint).with_order(index as i32);
        // Only labels with a text are marked under the line.
        report.add_label(mark.with_message(if label.text.is_empty() { "here" } else { &label.text }));
    }
    for help in &diagnostic.help {
        report.add_help(sentence(help));
    }
    let mut drawn = Vec::new();
    // The head is ours, so ariadne's first line is left out. Should drawing fail, the head alone says what is wrong.
    if report.finish().write(&mut *cache, &mut drawn).is_ok() {
        let body = drawn.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        out.extend_from_slice(&drawn[body..]);
    }
}

/// A span as ariadne wants it.
#[derive(Clone)]
struct Place {
    file: FileId,
    start: usize,
    end: usize,
}

impl Place {
    /// `span`, or the character it stands in front of when it is empty.
    fn of(span: Span, sources: &Sources) -> Self {
        let text = &sources.get(span.file).text;
        let (start, mut end) = (span.start as usize, span.end as usize);
        if start == end {
            end += text[start..]
                .chars()
                .next()
                .map_or(0, |c| if c == '\n' || c == '\r' { 0 } else { c.len_utf8() });
        }
        Self { file: span.file, start, end }
    }
}

impl ariadne::Span for Place {
    type SourceId = FileId;

    fn source(&self) -> &FileId {
        &self.file
    }

    fn start(&self) -> usize {
        self.start
    }

    fn end(&self) -> usize {
        self.end
    }
}

/// Our sources as ariadne's; each is cut into lines once, when it is first drawn.
struct Cache<'s> {
    sources: &'s Sources,
    drawn: Vec<(FileId, ariadne::Source<&'s str>)>,
}

impl<'s> ariadne::Cache<FileId> for Cache<'s> {
    type Storage = &'s str;

    fn fetch(&mut self, id: &FileId) -> Result<&ariadne::Source<&'s str>, impl std::fmt::Debug> {
        let index = self.drawn.iter().position(|(file, _)| file == id).unwrap_or_else(|| {
            let text: &'s str = &self.sources.get(*id).text;
            self.drawn.push((*id, ariadne::Source::from(text)));
            self.drawn.len() - 1
        });
        Ok::<_, std::convert::Infallible>(&self.drawn[index].1)
    }

    fn display<'a>(&self, id: &'a FileId) -> Option<impl std::fmt::Display + 'a> {
        Some(self.sources.get(*id).name.clone())
    }
}

/// Messages and help read as sentences, however a pass wrote them: they start with a capital.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// Diagnostics as a JSON array on one line, without a line feed.
///
/// Each is `{code, severity, message, labels, help, fix}`; a label is `{file, start, end, text}`, a fix `{file, start, end,
/// replacement}` or null; `start` and `end` are `{line, column, offset}`, lines and columns (in characters) from 1,
/// offsets in bytes from 0. The first label is the place itself.
pub fn to_json(diags: &[Diagnostic], sources: &Sources) -> String {
    let all: Vec<Value> = diags.iter().map(|diagnostic| diagnostic_json(diagnostic, sources)).collect();
    Value::Array(all).to_string()
}

fn diagnostic_json(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let with = |span: Span, key: &str, value: &str| {
        let mut place = span_json(span, sources);
        place[key] = Value::from(value);
        place
    };
    let labels: Vec<Value> =
        diagnostic.labels.iter().map(|label| with(label.span, "text", &label.text)).collect();
    json!({
        "code": diagnostic.code,
        "severity": severity,
        "message": sentence(&diagnostic.message),
        "labels": labels,
        "help": diagnostic.help.iter().map(|help| sentence(help)).collect::<Vec<_>>(),
        "fix": diagnostic.fix.as_ref().map(|fix| with(fix.span, "replacement", &fix.replacement)),
    })
}

fn span_json(span: Span, sources: &Sources) -> Value {
    let source = sources.get(span.file);
    let place = |offset: u32| {
        let (line, column) = source.line_column(offset);
        json!({ "line": line, "column": column, "offset": offset })
    };
    json!({ "file": source.name, "start": place(span.start), "end": place(span.end) })
}

#[cfg(test)]
mod tests {
    use super::{render, to_json};
    use crate::span::{Source, Sources};

    fn broken(text: &str) -> (Sources, Vec<crate::diag::Diagnostic>) {
        let mut sources = Sources::new();
        let file = sources.add(Source::new("app.weir", text));
        let parsed = crate::parse(file, text);
        (sources, parsed.diagnostics)
    }

    #[test]
    fn a_diagnostic_shows_code_place_source_and_help() {
        let (sources, diagnostics) = broken("let ok = 1\nif a < b < c { }\n");
        let drawn = render(&diagnostics, &sources, false);
        assert!(drawn.starts_with("error[E0110]: Comparisons do not chain\n"), "{drawn}");
        assert!(drawn.contains("app.weir:2:10"), "{drawn}");
        assert!(drawn.contains("if a < b < c { }"), "{drawn}");
        assert!(drawn.contains("Write `a < b and b < c`"), "{drawn}");
        assert!(!drawn.contains('\u{1b}'));
        assert!(render(&diagnostics, &sources, true).contains('\u{1b}'));
    }

    #[test]
    fn places_at_odd_ends_are_drawn() {
        for text in ["let x", "", "\"é", "f(", "\r\n}\r\n", "let x =\n\n", "\u{FEFF}}", "x = \"\"\"\nü"] {
            let (sources, diagnostics) = broken(text);
            let drawn = render(&diagnostics, &sources, false);
            assert_eq!(drawn.matches("error[").count(), diagnostics.len(), "{drawn}");
        }
    }

    #[test]
    fn json_has_lines_and_columns() {
        let (sources, diagnostics) = broken("let é = a && b\n");
        let value: serde_json::Value =
            serde_json::from_str(&to_json(&diagnostics, &sources)).expect("it is JSON");
        let last = &value[value.as_array().expect("an array").len() - 1];
        assert_eq!(last["code"], "E0112");
        assert_eq!(last["severity"], "error");
        assert_eq!(last["labels"][0]["file"], "app.weir");
        assert_eq!(last["labels"][0]["start"]["line"], 1);
        assert_eq!(last["labels"][0]["start"]["column"], 11);
        assert_eq!(last["labels"][0]["start"]["offset"], 11);
        assert_eq!(last["fix"]["replacement"], "and");
    }
}
