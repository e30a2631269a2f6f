//! Patterns of routes: the text behind `route GET` to segments.
//!
//! In: a pattern as it was written. Out: its segments, or what is wrong with it, with spans inside the text.
//! A pattern is a path as a person reads it: nothing in it is percent-encoded, and it has no escapes.
//! Not here: which of two routes answers (`routes`, and the runtime's table).

use crate::typed::{ParamKind, Segment};
use weir_syntax::ast::Name;
use weir_syntax::diag::Diagnostic;
use weir_syntax::lexer;
use weir_syntax::span::Span;
use weir_syntax::suggest::closest;
use weir_syntax::token::TokenKind;

/// A parameter of a pattern.
pub struct PathParam<'a> {
    /// Its name; `_` for one that nobody reads.
    pub name: &'a str,
    /// Where the name stands.
    pub span: Span,
    /// What it takes; `None` for all that is left of the path.
    pub kind: Option<ParamKind>,
}

/// A pattern.
#[derive(Default)]
pub struct PathPattern<'a> {
    /// What each part of the path between slashes has to be.
    pub segments: Vec<Segment>,
    /// The parameters, in order.
    pub params: Vec<PathParam<'a>>,
}

/// The types that a parameter may be declared with.
const TYPES: [(&str, ParamKind); 4] = [
    ("Text", ParamKind::Text),
    ("Int", ParamKind::Int),
    ("Float", ParamKind::Float),
    ("Bool", ParamKind::Bool),
];

/// Takes a pattern apart. The first mistake ends it.
pub fn parse(pattern: &Name) -> Result<PathPattern<'_>, Diagnostic> {
    let whole = Part { text: &pattern.text, span: pattern.span };
    let Some(rest) = pattern.text.strip_prefix('/') else {
        return Err(Diagnostic::error(
            "E0602",
            "A route's pattern begins with `/`",
            pattern.span,
            "does not",
        )
        .help("It is the path that the route answers, such as `\"/users/{id: Int}\"`."));
    };
    whole.characters()?;
    let mut parsed = PathPattern::default();
    let mut start = 1;
    for text in rest.split('/') {
        let part = whole.part(start, start + text.len());
        start += text.len() + 1;
        if let Some(Segment::Rest) = parsed.segments.last() {
            let rest = parsed.params.last().map_or(part.span, |param| param.span);
            return Err(part
                .mistake("Nothing can stand behind a parameter that takes the rest of the path", "behind it")
                .label(rest, "takes the rest"));
        }
        let segment = part.segment(&mut parsed.params)?;
        parsed.segments.push(segment);
    }
    Ok(parsed)
}

/// A part of a pattern and where it stands.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    span: Span,
}

impl<'a> Part<'a> {
    fn part(self, start: usize, end: usize) -> Part<'a> {
        let first = self.span.start as usize;
        Part { text: &self.text[start..end], span: Span::new(self.span.file, first + start, first + end) }
    }

    /// Without the blanks around it.
    fn trimmed(self) -> Part<'a> {
        let start = self.text.len() - self.text.trim_start().len();
        self.part(start, start + self.text.trim().len())
    }

    fn mistake(self, message: impl Into<String>, label: &str) -> Diagnostic {
        Diagnostic::error("E0602", message, self.span, label)
    }

    /// Looks for characters that no path is written with.
    fn characters(self) -> Result<(), Diagnostic> {
        let wrong = |c: char| matches!(c, '?' | '#' | '%' | '\\') || c.is_control();
        let Some((at, found)) = self.text.char_indices().find(|(_, c)| wrong(*c)) else { return Ok(()) };
        let help = match found {
            '?' => "A query is read with `req.query.get(\"name\")`.",
            '#' => "Browsers keep what is behind `#` to themselves.",
            '%' => "Write the character itself: `\"/a b\"` answers `/a%20b`.",
            _ => "A pattern has no escapes; write the character itself.",
        };
        let shown = if found.is_control() { "A control character".to_string() } else { format!("`{found}`") };
        let message = format!("{shown} cannot stand in a pattern");
        Err(self.part(at, at + found.len_utf8()).mistake(message, "not part of a path").help(help))
    }

    /// One part between slashes.
    fn segment(self, params: &mut Vec<PathParam<'a>>) -> Result<Segment, Diagnostic> {
        let Some(open) = self.text.find(['{', '}']) else {
            return Ok(Segment::Literal(self.text.to_string()));
        };
        if self.text.as_bytes()[open] == b'}' {
            return Err(self.part(open, open + 1).mistake("This `}` closes no parameter", "not open"));
        }
        let Some(len) = self.text[open..].find('}') else {
            return Err(self
                .part(open, open + 1)
                .mistake("This parameter is not closed", "opened here")
                .help("A parameter is written `{name}` or `{name: Int}`."));
        };
        if open > 0 || open + len + 1 < self.text.len() {
            return Err(self
                .part(open, open + len + 1)
                .mistake("A parameter is all there is between two slashes", "has something beside it")
                .help("Take the whole part as a Text and look into it: `{name}`, then `name.strip-suffix(\".json\")`."));
        }
        let inner = self.part(open + 1, open + len);
        if let Some(at) = inner.text.find('{') {
            return Err(inner.part(at, at + 1).mistake("A parameter holds no other one", "again `{`"));
        }
        let (param, segment) = inner.parameter()?;
        params.push(param);
        Ok(segment)
    }

    /// What stands between the braces.
    fn parameter(self) -> Result<(PathParam<'a>, Segment), Diagnostic> {
        if let Some(name) = self.text.trim_end().strip_suffix("...") {
            let name = self.part(0, name.len()).name()?;
            return Ok((PathParam { name: name.text, span: name.span, kind: None }, Segment::Rest));
        }
        let Some(colon) = self.text.find(':') else {
            let name = self.name()?;
            let kind = ParamKind::Text;
            return Ok((
                PathParam { name: name.text, span: name.span, kind: Some(kind) },
                Segment::Param(kind),
            ));
        };
        let name = self.part(0, colon).name()?;
        let ty = self.part(colon + 1, self.text.len()).trimmed();
        if let Some((_, kind)) = TYPES.iter().find(|(name, _)| *name == ty.text) {
            let param = PathParam { name: name.text, span: name.span, kind: Some(*kind) };
            return Ok((param, Segment::Param(*kind)));
        }
        let message = match ty.text {
            "" => "The type of this parameter is missing".to_string(),
            other => format!("A parameter of a path cannot be `{other}`"),
        };
        let span = if ty.text.is_empty() { self.part(colon, colon + 1).span } else { ty.span };
        let error = Diagnostic::error("E0603", message, span, "not a type that a path can be read as")
            .help("It is a Text, as without a type, an Int, a Float or a Bool.");
        Err(match closest(ty.text, TYPES.iter().map(|(name, _)| *name)) {
            Some(best) => error.meant(ty.span, best),
            None => error,
        })
    }

    /// A parameter's name.
    fn name(self) -> Result<Part<'a>, Diagnostic> {
        let name = self.trimmed();
        let (tokens, mistakes) = lexer::lex(self.span.file, name.text);
        let is_name =
            matches!(&tokens[..], [one] if matches!(one.kind, TokenKind::Name | TokenKind::Underscore));
        let spelled = weir_syntax::naming::is_name(name.text) || name.text == "_";
        if is_name && mistakes.is_empty() && spelled {
            return Ok(name);
        }
        let (message, span) = match name.text {
            "" => ("This parameter has no name".to_string(), self.span),
            other => (format!("`{other}` cannot be the name of a parameter"), name.span),
        };
        let error = Diagnostic::error("E0602", message, span, "a name is expected here").help(
            "Its name is that of a variable of the route's block: in kebab-case, and no reserved word.",
        );
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_syntax::span::FileId;

    fn parsed(text: &str) -> Result<PathPattern<'static>, Diagnostic> {
        let name = Name { text: text.to_string(), span: Span::new(FileId(0), 0, text.len()) };
        parse(Box::leak(Box::new(name)))
    }

    #[test]
    fn segments_stand_between_slashes() {
        let literal = |text: &str| Segment::Literal(text.to_string());
        let cases: [(&str, Vec<Segment>); 6] = [
            ("/", vec![literal("")]),
            ("/a/b", vec![literal("a"), literal("b")]),
            ("/a/", vec![literal("a"), literal("")]),
            ("/a//b", vec![literal("a"), literal(""), literal("b")]),
            ("/{id: Int}/{ on : Bool }/{x:Float}/{t}", {
                let kinds = [ParamKind::Int, ParamKind::Bool, ParamKind::Float, ParamKind::Text];
                kinds.into_iter().map(Segment::Param).collect()
            }),
            ("/ä b/{rest...}", vec![literal("ä b"), Segment::Rest]),
        ];
        for (text, segments) in cases {
            let parsed = parsed(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(parsed.segments, segments, "{text}");
        }
    }

    #[test]
    fn mistakes_are_shown_where_they_stand() {
        let cases: [(&str, &str, std::ops::Range<u32>); 16] = [
            ("", "E0602", 0..0),
            ("a", "E0602", 0..1),
            ("/a?b", "E0602", 2..3),
            ("/a%20", "E0602", 2..3),
            ("/a\\n", "E0602", 2..3),
            ("/{a", "E0602", 1..2),
            ("/a}", "E0602", 2..3),
            ("/v{n}", "E0602", 2..5),
            ("/{a{b}", "E0602", 3..4),
            ("/{}", "E0602", 2..2),
            ("/{A}", "E0602", 2..3),
            ("/{if}", "E0602", 2..4),
            ("/{a b}", "E0602", 2..5),
            ("/{a: User}", "E0603", 5..9),
            ("/{a:}", "E0603", 3..4),
            ("/{a...}/b", "E0602", 8..9),
        ];
        for (text, code, range) in cases {
            let Err(error) = parsed(text) else { panic!("{text} is taken") };
            assert_eq!((error.code, error.span().start..error.span().end), (code, range), "{text}");
        }
    }
}
