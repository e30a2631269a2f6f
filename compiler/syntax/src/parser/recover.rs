//! Going on behind a mistake: rules that skip what cannot be understood.
//!
//! `layout` balanced the brackets, so skipping over whole groups always ends at the right closing bracket.

use chumsky::input::InputRef;
use chumsky::prelude::*;

use super::slip::{Extra, Input, Rule, Slip, just};
use crate::token::TokenKind as K;

/// Skips whole groups up to one of `stops`, a closing bracket or the end of the file. Gives the skipped range, maybe empty.
pub(super) fn skip_to<'s>(stops: &'static [K]) -> impl Rule<'s, SimpleSpan> {
    custom(move |inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| {
        let start = inp.cursor();
        skip(inp, stops);
        Ok(inp.span_since(&start))
    })
}

/// Like [`skip_to`], but fails when there is nothing to skip.
pub(super) fn skip_some<'s>(stops: &'static [K]) -> impl Rule<'s, SimpleSpan> {
    custom(move |inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| {
        let start = inp.cursor();
        skip(inp, stops);
        let span: SimpleSpan = inp.span_since(&start);
        if span.start < span.end { Ok(span) } else { Err(Slip { at: span.start, ..Slip::default() }) }
    })
}

fn skip<'s>(inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>, stops: &[K]) {
    let mut depth = 0_usize;
    while let Some(kind) = inp.peek() {
        if depth == 0 && (kind.is_closer() || stops.contains(&kind)) {
            break;
        }
        if kind.closer().is_some() {
            depth += 1;
        } else if kind.is_closer() {
            depth -= 1;
        }
        inp.skip();
    }
}

/// A closing bracket; anything in front of it is reported and skipped.
pub(super) fn close<'s>(closer: K) -> impl Rule<'s, ()> {
    just(closer).ignored().recover_with(via_parser(skip_to(&[]).then_ignore(just(closer)).ignored()))
}

/// Nothing more of an item may stand in front of the `,` or closing bracket; what does is reported and skipped.
pub(super) fn end_of_item<'s>(closer: K) -> impl Rule<'s, ()> {
    let at_end = custom(move |inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| match inp.peek() {
        None | Some(K::Comma) => Ok(()),
        Some(K::Sep) if closer == K::RBrace => Ok(()),
        Some(kind) if kind.is_closer() || starts_item(kind) => Ok(()),
        Some(_) => {
            let here = inp.cursor();
            let at: SimpleSpan = inp.span_since(&here);
            Err(Slip::expected(at.start, [K::Comma, closer]))
        }
    });
    at_end.recover_with(via_parser(skip_to(&[K::Comma]).ignored()))
}

/// A line end between two fields, where a comma is missing.
pub(super) fn line_end<'s>() -> impl Rule<'s, ()> {
    just(K::Sep).validate(|_, e, emitter| {
        let place = e.state().span(e.span());
        let diagnostic = crate::diag::Diagnostic::error("E0115", "a comma is missing here", place, "add `,`");
        emitter.emit(diagnostic.fix(place, ",").into());
    })
}

/// The `,` between two items, or, where an item follows directly, a report that it is missing.
pub(super) fn comma<'s>() -> impl Rule<'s, ()> {
    just(K::Comma).ignored().or(missing_comma())
}

fn missing_comma<'s>() -> impl Rule<'s, ()> {
    custom(|inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| {
        let here = inp.cursor();
        let at: SimpleSpan = inp.span_since(&here);
        match inp.peek() {
            // Not behind a literal that was reported, and not for words that rather begin a mistake of another kind.
            Some(kind)
                if starts_item(kind)
                    && inp.state().kinds.get(at.start.wrapping_sub(1)) != Some(&K::BadLiteral) =>
            {
                let context = inp.state().0;
                let place = context.spans[at.start - 1].after();
                let diagnostic =
                    crate::diag::Diagnostic::error("E0115", "a comma is missing here", place, "add `,`");
                inp.emit(diagnostic.fix(place, ",").into());
                Ok(())
            }
            _ => Err(Slip::expected(at.start, [K::Comma])),
        }
    })
}

fn starts_item(kind: K) -> bool {
    matches!(
        kind,
        K::Name
            | K::TypeName
            | K::Underscore
            | K::Int
            | K::Duration
            | K::RawText
            | K::TextStart
            | K::True
            | K::False
            | K::DotDot
    )
}
