//! Text literals: puts pieces, escapes, interpolations and indentation together.

use chumsky::prelude::*;

use super::recover::{close, skip_to};
use super::slip::{Boxed, Context, Rule, just};
use crate::ast::{Expr, ExprKind, Format, TextPart};
use crate::format;
use crate::literal;
use crate::token::TokenKind as K;

/// What the rule found between the quotes.
enum Part {
    /// The token with this index.
    Piece(usize),
    Expr(Expr, Option<Format>),
}

/// A text literal of any form.
pub(super) fn text<'s>(expr: impl Rule<'s, Expr>) -> Boxed<'s, Expr> {
    let error = skip_to(&[]).map_with(|range, e| Expr { kind: ExprKind::Error, span: e.state().span(range) });
    let piece = just(K::TextPiece).map_with(|_, e| Part::Piece(e.span().start));
    let interpolation = just(K::InterpStart)
        .ignore_then(expr.recover_with(via_parser(error)))
        .then(just(K::Colon).ignore_then(written_format()).or_not())
        .then_ignore(close(K::InterpEnd))
        .map(|(expr, format)| Part::Expr(expr, format.flatten()));
    let interpolated = just(K::TextStart)
        .ignore_then(piece.or(interpolation).repeated().collect::<Vec<_>>())
        .then_ignore(close(K::TextEnd))
        .map_with(|parts, e| {
            let range: SimpleSpan = e.span();
            let context = e.state().0;
            let span = context.span(range);
            let block = context.text(context.spans[range.start]) == "\"\"\"";
            let parts = if block { block_parts(context, parts) } else { line_parts(context, parts) };
            Expr { kind: ExprKind::Text(parts), span }
        })
        .boxed();
    let html = just(K::HtmlMark).ignore_then(interpolated.clone()).map_with(|text, e| match text.kind {
        ExprKind::Text(parts) => Expr { kind: ExprKind::Html(parts), span: e.state().span(e.span()) },
        _ => text,
    });
    let raw = just(K::RawText).map_with(|_, e| {
        let span = e.state().span(e.span());
        let written = e.state().text(span);
        // `r"` in front and `"` behind.
        let inside = written[2..written.len() - 1].to_string();
        let parts = if inside.is_empty() { Vec::new() } else { vec![TextPart::Literal(inside)] };
        Expr { kind: ExprKind::Text(parts), span }
    });
    choice((interpolated, raw, html)).boxed()
}

/// The format behind a colon; one that is none is reported.
fn written_format<'s>() -> impl Rule<'s, Option<Format>> {
    just(K::Format).map_with(|_, e| {
        let span = e.state().span(e.span());
        match format::parse(e.state().text(span), span) {
            Ok(format) => Some(format),
            Err(diagnostic) => {
                e.emit((*diagnostic).into());
                None
            }
        }
    })
}

fn line_parts(context: &Context, parts: Vec<Part>) -> Vec<TextPart> {
    let mut out = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Part::Piece(at) => push_literal(&mut out, &literal::unescape(context.text(context.spans[at]))),
            Part::Expr(expr, format) => out.push(TextPart::Expr(expr, format)),
        }
    }
    out
}

/// The parts of a `"""` block without their common indentation.
fn block_parts(context: &Context, parts: Vec<Part>) -> Vec<TextPart> {
    // Pieces that touch are one: the lexer cuts at quotes, which would hide where a line starts.
    let mut pieces: Vec<&str> = vec![""];
    let mut exprs = Vec::new();
    let mut start = None;
    for part in parts {
        match part {
            Part::Piece(at) => {
                let span = context.spans[at];
                let from = *start.get_or_insert(span.start as usize);
                *pieces.last_mut().expect("there is always one piece") =
                    &context.text[from..span.end as usize];
            }
            Part::Expr(expr, format) => {
                exprs.push((expr, format));
                pieces.push("");
                start = None;
            }
        }
    }
    let indent = literal::common_indent(&pieces);
    let last = pieces.len() - 1;
    let mut out = Vec::with_capacity(pieces.len() + exprs.len());
    let mut exprs = exprs.into_iter();
    for (index, piece) in pieces.iter().enumerate() {
        let lines = literal::dedent(piece, indent, index == 0, index == last);
        push_literal(&mut out, &literal::unescape(&lines));
        out.extend(exprs.next().map(|(expr, format)| TextPart::Expr(expr, format)));
    }
    out
}

fn push_literal(out: &mut Vec<TextPart>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(TextPart::Literal(before)) = out.last_mut() {
        before.push_str(text);
    } else {
        out.push(TextPart::Literal(text.to_string()));
    }
}
