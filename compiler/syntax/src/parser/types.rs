//! Names, parameters and types as written.

use chumsky::prelude::*;

use super::recover::{close, comma, line_end, skip_some, skip_to};
use super::slip::{Boxed, Extras, Rule, just, one_of};
use crate::ast::{FieldDecl, Name, Param, TypeExpr, TypeExprKind};
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
    K::Fail,
    K::Assert,
    K::Yield,
    K::Defer,
    K::Use,
    K::As,
    K::Test,
    K::Route,
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
            .then(ty.clone())
            .map(|(params, result)| TypeExprKind::Fn(params, Box::new(result)));
        let tuple =
            list().delimited_by(just(K::LParen), close(K::RParen)).map(|mut items| match items.len() {
                0 => TypeExprKind::Unit,
                1 => items.pop().expect("there is one").kind,
                _ => TypeExprKind::Tuple(items),
            });
        let field = name()
            .then_ignore(just(K::Colon))
            .then(annotation(ty.clone().boxed()))
            .map(|(name, ty)| FieldDecl { name, ty, external: None, default: None });
        let record =
            fields(field.boxed()).delimited_by(just(K::LBrace), close(K::RBrace)).map(TypeExprKind::Record);
        let reported = just(K::BadLiteral).to(TypeExprKind::Error);

        let atom = choice((named, function, tuple, record, reported))
            .map_with(|kind, e| TypeExpr { kind, span: e.state().span(e.span()) })
            .boxed();
        let mark = one_of(&[K::Question, K::Coalesce, K::Bang]);
        atom.foldl_with(mark.repeated(), |inner, mark, e| {
            let span = e.state().span(e.span());
            let option = |inner| TypeExpr { kind: TypeExprKind::Option(Box::new(inner)), span };
            match mark {
                K::Bang => TypeExpr { kind: TypeExprKind::Result(Box::new(inner)), span },
                K::Coalesce => option(option(inner)),
                _ => option(inner),
            }
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

/// Nothing where `mark` is missing and `next` stands: reported.
pub(super) fn missing_mark<'s>(mark: K, next: K) -> impl Rule<'s, ()> {
    // A mapping would not run where the output is ignored.
    just(next).rewind().validate(move |_, e, emitter| {
        let at: SimpleSpan = e.span();
        let context = e.state().0;
        let place = context.spans[at.start];
        let found = match next {
            K::LBrace => next.describe().to_string(),
            _ => format!("`{}`", context.text(place)),
        };
        let (sign, space) = if mark == K::Colon { (":", "") } else { ("=", " ") };
        let before = context.spans[at.start - 1].after();
        let diagnostic = Diagnostic::error("E0101", format!("expected `{sign}`, found {found}"), place, "");
        let help = format!("put `{sign}` in front of it");
        emitter.emit(diagnostic.help(help).fix(before, format!("{space}{sign}")).into());
    })
}

/// `name: Type`, the type optional; `_` for a value that is not used; `var` in front for one that is changed.
pub(super) fn parameter<'s>(ty: Boxed<'s, TypeExpr>) -> Boxed<'s, Param> {
    let mutable = just(K::Var).then_ignore(one_of(&[K::Name, K::TypeName, K::Underscore]).rewind()).or_not();
    let unused = just(K::Underscore).map_with(|_, e| e.state().name(e.span().start));
    mutable
        .then(declared_name().or(unused))
        .then(
            just(K::Colon)
                .ignored()
                .or(missing_mark(K::Colon, K::TypeName))
                .ignore_then(annotation(ty))
                .or_not(),
        )
        .map(|((mutable, name), ty)| Param { mutable: mutable.is_some(), name, ty, default: None })
        .boxed()
}

/// Reports each `var` among parameters that cannot have one.
pub(super) fn no_var(params: &mut [Param], help: &str, e: &mut Extras<'_, '_>) {
    for param in params.iter_mut().filter(|param| param.mutable) {
        param.mutable = false;
        let message = format!("`{}` cannot be `var`", param.name.text);
        e.emit(Diagnostic::error("E0124", message, param.name.span, "").help(help).into());
    }
}

/// Fields between brackets.
pub(super) fn fields<'s>(field: Boxed<'s, FieldDecl>) -> impl Rule<'s, Vec<FieldDecl>> {
    const STOPS: &[K] = &[K::Comma, K::Sep];
    let skipped = skip_some(STOPS).to(None);
    field
        .map(Some)
        .recover_with(via_parser(skipped))
        .separated_by(line_end().or(comma()))
        .allow_trailing()
        .collect()
        .map(|fields: Vec<Option<FieldDecl>>| fields.into_iter().flatten().collect())
}
