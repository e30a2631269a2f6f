//! Names, parameters and types as written.

use chumsky::prelude::*;

use super::recover::{close, comma, skip_some, skip_to};
use super::slip::{Boxed, Extras, Rule, just, one_of};
use crate::ast::{Name, TypeExpr, TypeExprKind};
use crate::diag::Diagnostic;
use crate::naming;
use crate::token::TokenKind as K;

/// The words that cannot be names.
const KEYWORDS: &[K] = &[
    K::Let,
    K::Var,
    K::Fn,
    K::Type,
    K::Pub,
    K::If,
    K::Else,
    K::Match,
    K::For,
    K::In,
    K::While,
    K::Loop,
    K::Return,
    K::Break,
    K::Continue,
    K::And,
    K::Or,
    K::Not,
    K::True,
    K::False,
    K::Reserved,
];

/// The index of a name token; a reserved word is reported and taken for one.
fn name_index<'s>() -> impl Rule<'s, usize> {
    let reserved = one_of(KEYWORDS).map_with(|_, e| {
        let at = e.span().start;
        let context = e.state().0;
        let span = context.spans[at];
        let word = context.text(span).to_string();
        let diagnostic = Diagnostic::error(
            "E0109",
            format!("`{word}` is a reserved word"),
            span,
            "a name is expected here",
        )
        .help(format!("use another name, such as `{word}-value` or `the-{word}`"));
        e.emit(diagnostic.into());
        at
    });
    just(K::Name).map_with(|_, e| e.span().start).or(reserved)
}

/// A name of a value.
pub(super) fn name<'s>() -> impl Rule<'s, Name> {
    name_index().map_with(|at, e| e.state().name(at))
}

/// A name of a value where it is declared: a CamelCase one is reported, with what it should be.
pub(super) fn declared_name<'s>() -> impl Rule<'s, Name> {
    let upper = just(K::TypeName).map_with(|_, e| {
        let name = e.state().name(e.span().start);
        let kebab = naming::kebab_case(&name.text);
        let diagnostic = Diagnostic::error(
            "E0108",
            format!("`{}` is a type's name", name.text),
            name.span,
            "a value's name is expected here",
        )
        .help(format!("write `{kebab}`"));
        e.emit(diagnostic.fix(name.span, kebab).into());
        name
    });
    name().or(upper)
}

/// A name of a type where it is declared: a lower-case one is reported, with what it should be.
pub(super) fn type_name<'s>() -> impl Rule<'s, Name> {
    let lower = just(K::Name).map_with(|_, e| {
        let mut name = e.state().name(e.span().start);
        let camel = naming::camel_case(&name.text);
        let diagnostic = Diagnostic::error(
            "E0108",
            format!("`{}` is no type's name", name.text),
            name.span,
            "types are CamelCase",
        )
        .help(format!("write `{camel}`"));
        e.emit(diagnostic.fix(name.span, camel.clone()).into());
        name.text = camel;
        name
    });
    just(K::TypeName).map_with(|_, e| e.state().name(e.span().start)).or(lower)
}

/// `[A, B]`, or nothing.
pub(super) fn type_variables<'s>() -> Boxed<'s, Vec<Name>> {
    type_name()
        .separated_by(comma())
        .allow_trailing()
        .collect()
        .delimited_by(just(K::LBracket), close(K::RBracket))
        .or_not()
        .map(Option::unwrap_or_default)
        .boxed()
}

/// A type.
pub(super) fn type_expr<'s>() -> Boxed<'s, TypeExpr> {
    recursive(|ty| {
        let error = |range, e: &mut Extras<'s, '_>| TypeExpr {
            kind: TypeExprKind::Error,
            span: e.state().span(range),
        };
        let item = ty.clone().recover_with(via_parser(skip_some(&[K::Comma]).map_with(error)));
        let list = || item.clone().separated_by(comma()).allow_trailing().collect::<Vec<_>>();

        let named = type_name()
            .then(list().delimited_by(just(K::LBracket), close(K::RBracket)).or_not())
            .map(|(name, args)| TypeExprKind::Name(name, args.unwrap_or_default()));
        let function = just(K::Fn)
            .ignore_then(list().delimited_by(just(K::LParen), close(K::RParen)))
            .then_ignore(just(K::Arrow))
            .then(ty)
            .map(|(params, result)| TypeExprKind::Fn(params, Box::new(result)));
        let unit = just(K::LParen).then(just(K::RParen)).to(TypeExprKind::Unit);
        let reported = just(K::BadLiteral).to(TypeExprKind::Error);

        let atom = choice((named, function, unit, reported))
            .map_with(|kind, e| TypeExpr { kind, span: e.state().span(e.span()) })
            .boxed();
        let option = choice((just(K::Question).to(1), just(K::Coalesce).to(2)));
        atom.foldl_with(option.repeated(), |inner, levels, e| {
            let span = e.state().span(e.span());
            let mut ty = inner;
            for _ in 0..levels {
                ty = TypeExpr { kind: TypeExprKind::Option(Box::new(ty)), span };
            }
            ty
        })
    })
    .boxed()
}

/// A type behind `:` or `->`; one that is not understood is reported and skipped.
pub(super) fn annotation<'s>(ty: Boxed<'s, TypeExpr>) -> Boxed<'s, TypeExpr> {
    const STOPS: &[K] = &[K::Comma, K::Assign, K::LBrace, K::Sep, K::Arrow, K::FatArrow, K::ArmArrow];
    ty.recover_with(via_parser(
        skip_to(STOPS)
            .map_with(|range, e| TypeExpr { kind: TypeExprKind::Error, span: e.state().span(range) }),
    ))
    .boxed()
}

/// `name: Type`, the type optional; `_` for a value that is not used.
pub(super) fn parameter<'s>(ty: Boxed<'s, TypeExpr>) -> Boxed<'s, (Name, Option<TypeExpr>)> {
    let unused = just(K::Underscore).map_with(|_, e| e.state().name(e.span().start));
    declared_name().or(unused).then(just(K::Colon).ignore_then(annotation(ty)).or_not()).boxed()
}
