//! Patterns of `let`, `for`, `match` and `if let`.

use chumsky::prelude::*;

use super::expr::label;
use super::recover::{close, comma, line_end, skip_some, skip_to};
use super::slip::{Boxed, Extras, Rule, just, one_of};
use super::types::name;
use crate::ast::{Expr, ExprKind, Name, Pattern, PatternKind, TextPart};
use crate::diag::Diagnostic;
use crate::literal::{self, Number};
use crate::span::Span;
use crate::token::TokenKind as K;

/// A pattern; `text` is the rule for text literals.
pub(super) fn pattern<'s>(text: Boxed<'s, Expr>) -> Boxed<'s, Pattern> {
    recursive(|pattern| {
        let item = pattern.clone().recover_with(via_parser(skip_some(&[K::Comma]).map_with(error)));
        let items = item.clone().separated_by(comma()).allow_trailing().collect::<Vec<_>>();
        let tuple =
            items.delimited_by(just(K::LParen), close(K::RParen)).map(|mut items| match items.len() {
                // What stands between the parentheses is no pattern, and was reported.
                0 => PatternKind::Error,
                1 => items.pop().expect("there is one").kind,
                _ => PatternKind::Tuple(items),
            });
        let named = label().map_with(|name, e| {
            let message = "the parts of a case stand in order, without names";
            let diagnostic = Diagnostic::error("E0101", message, name.span, "")
                .help("write `Rect(w, h)`, with `_` for a part that may be anything");
            e.emit(diagnostic.into());
        });
        // Not `ignore_then`, which would not run what reports the name.
        let part = named.or_not().then(item.clone()).map(|(_, part)| part);
        let parts = part.separated_by(comma()).allow_trailing();
        let parts = parts.collect::<Vec<_>>();
        let case = just(K::TypeName)
            .map_with(|_, e| e.state().name(e.span().start))
            .then(parts.delimited_by(just(K::LParen), close(K::RParen)).or_not())
            .map(|(name, items)| PatternKind::Case(name, items.unwrap_or_default()));
        let bind = just(K::Name).map_with(|_, e| PatternKind::Bind(e.state().name(e.span().start)));
        let wildcard = just(K::Underscore).to(PatternKind::Wildcard);
        let reported = just(K::BadLiteral).to(PatternKind::Error);
        let float = just(K::Minus).or_not().then(just(K::Float)).map_with(|_, e| {
            let span = e.state().span(e.span());
            let diagnostic = Diagnostic::error("E0122", "a pattern has no Float", span, "not allowed here")
                .help("bind a name and compare it in a guard: `x if x < 1.5 => ...`");
            e.emit(diagnostic.into());
            PatternKind::Error
        });

        let list = list_pattern(item.boxed());
        choice((
            bind,
            case,
            wildcard,
            text_pattern(text),
            number(),
            float,
            constant(),
            tuple,
            list,
            record_pattern(pattern),
            reported,
        ))
        .map_with(|kind, e| Pattern { kind, span: e.state().span(e.span()) })
        .boxed()
        .separated_by(just(K::Pipe))
        .at_least(1)
        .collect::<Vec<_>>()
        .map_with(|mut either, e| {
            if either.len() == 1 {
                return either.pop().expect("the length is one");
            }
            Pattern { kind: PatternKind::Or(either), span: e.state().span(e.span()) }
        })
    })
    .boxed()
}

fn error<'s>(range: SimpleSpan, e: &mut Extras<'s, '_>) -> Pattern {
    Pattern { kind: PatternKind::Error, span: e.state().span(range) }
}

/// `[a, b]`, `[first, ..rest]`
fn list_pattern<'s>(item: Boxed<'s, Pattern>) -> impl Rule<'s, PatternKind> {
    let name = just(K::Name).map_with(|_, e| e.state().name(e.span().start));
    let rest =
        just(K::DotDot).ignore_then(name.or_not()).map_with(|name, e| (name, e.state().span(e.span())));
    let part = rest.map(Err).or(item.map(Ok)).boxed();
    part.separated_by(comma())
        .allow_trailing()
        .collect::<Vec<_>>()
        .delimited_by(just(K::LBracket), close(K::RBracket))
        .map_with(|parts, e| {
            let mut items = Vec::with_capacity(parts.len());
            let mut rest: Option<(Option<Name>, Span)> = None;
            for part in parts {
                match part {
                    Ok(item) if rest.is_none() => items.push(item),
                    Ok(Pattern { span, .. }) | Err((_, span)) if rest.is_some() => {
                        let message = "nothing may stand behind `..` in a pattern";
                        let diagnostic = Diagnostic::error("E0101", message, span, "").help(
                            "`[first, ..rest]` takes the first elements; the last one is `rest.last()`",
                        );
                        e.emit(diagnostic.into());
                        return PatternKind::Error;
                    }
                    Ok(_) => {}
                    Err(found) => rest = Some(found),
                }
            }
            PatternKind::List { items, rest: rest.map(|(name, _)| name) }
        })
}

/// `{name, other: pattern}`
fn record_pattern<'s>(pattern: impl Rule<'s, Pattern>) -> impl Rule<'s, PatternKind> {
    const STOPS: &[K] = &[K::Comma, K::Sep];
    let value = pattern.recover_with(via_parser(skip_to(STOPS).map_with(error)));
    let field = name().then(just(K::Colon).ignore_then(value).or_not()).map(Some);
    let others = just(K::DotDot).map_with(|_, e| {
        let span = e.state().span(e.span());
        let diagnostic = Diagnostic::error("E0101", "a pattern of a record needs no `..`", span, "")
            .help("fields that it does not name may be anything; remove it");
        e.emit(diagnostic.into());
        None
    });
    let skipped = skip_some(STOPS).to(None);
    let field = field.or(others).recover_with(via_parser(skipped)).boxed();
    field
        .separated_by(line_end().or(comma()))
        .allow_trailing()
        .collect::<Vec<_>>()
        .delimited_by(just(K::LBrace), close(K::RBrace))
        .map(|fields| PatternKind::Record(fields.into_iter().flatten().collect()))
}

fn text_pattern<'s>(text: Boxed<'s, Expr>) -> impl Rule<'s, PatternKind> {
    text.map_with(|text, e| {
        let interpolated = match &text.kind {
            ExprKind::Text(parts) => parts.iter().find_map(|part| match part {
                TextPart::Expr(expr, _) => Some(expr.span),
                TextPart::Literal(_) => None,
            }),
            _ => None,
        };
        let Some(span) = interpolated else { return PatternKind::Literal(Box::new(text)) };
        let diagnostic =
            Diagnostic::error("E0122", "a text in a pattern has no interpolations", span, "not constant")
                .help("bind a name and compare it in a guard: `t if t == \"...\" => ...`");
        e.emit(diagnostic.into());
        PatternKind::Error
    })
}

/// `true`, `false`, `5s`, `()`
fn constant<'s>() -> impl Rule<'s, PatternKind> {
    choice((
        just(K::True).to(ExprKind::Bool(true)),
        just(K::False).to(ExprKind::Bool(false)),
        just(K::LParen).then(just(K::RParen)).to(ExprKind::Unit),
        just(K::Duration).map_with(|_, e| duration(e.state().text(e.state().span(e.span())))),
    ))
    .map_with(|kind, e| PatternKind::Literal(Box::new(Expr { kind, span: e.state().span(e.span()) })))
}

/// `5`, `-5`, `1..5`, `1..=5`
fn number<'s>() -> impl Rule<'s, PatternKind> {
    let digits = one_of(&[K::Int, K::MinInt]).map_with(|_, e| e.state().span(e.span()));
    let end = just(K::Minus).or_not().then(digits).map_with(|(minus, digits), e| {
        let span = e.state().span(e.span());
        let value = int(e.state().text(digits), minus.is_some());
        if value.is_none() {
            let diagnostic = int_range(e.state().text(digits), span);
            e.emit(diagnostic.into());
        }
        (value, span)
    });
    let range = choice((just(K::DotDot).to(false), just(K::DotDotEq).to(true)));
    end.then(range.then(end).or_not()).map(|((low, span), range)| match (low, range) {
        (_, None) => PatternKind::Literal(Box::new(Expr { kind: ExprKind::Int(low), span })),
        (Some(low), Some((inclusive, (Some(high), _)))) => PatternKind::Range { low, high, inclusive },
        _ => PatternKind::Error,
    })
}

/// The value of a number literal, which may carry its own minus; `None` when it does not fit.
pub(super) fn int(written: &str, minus: bool) -> Option<i64> {
    let (digits, minus) = match written.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (written, minus),
    };
    match literal::number(digits) {
        Ok(Number::Int(magnitude)) if minus => 0_i64.checked_sub_unsigned(magnitude),
        Ok(Number::Int(magnitude)) => i64::try_from(magnitude).ok(),
        _ => None,
    }
}

/// A number that needs a minus sign in front of it to fit.
pub(super) fn int_range(written: &str, span: Span) -> Diagnostic {
    Diagnostic::error("E0106", format!("`{written}` does not fit into an Int"), span, "")
        .help("an Int has 64 bits: -9223372036854775808 to 9223372036854775807")
}

/// The value of a duration literal, which the lexer found to be valid.
pub(super) fn duration(written: &str) -> ExprKind {
    match literal::number(written) {
        Ok(Number::Duration(nanos)) => ExprKind::Duration(nanos),
        _ => ExprKind::Error,
    }
}

/// The value of a literal with a fraction or an exponent, which the lexer found to be valid.
pub(super) fn float(written: &str) -> ExprKind {
    match literal::number(written) {
        Ok(Number::Float(value)) => ExprKind::Float(value),
        _ => ExprKind::Error,
    }
}
