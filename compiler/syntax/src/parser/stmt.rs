//! Statements and blocks. Every statement recovers by itself.

use chumsky::input::InputRef;
use chumsky::prelude::*;

use super::control::{head_block, pattern_error};
use super::expr::error;
use super::recover::{close, skip_some, skip_to};
use super::slip::{Boxed, Extra, Extras, Input, Rule, Slip, just, one_of, when};
use super::types::annotation;
use crate::ast::{Block, Expr, ExprKind, Pattern, PatternKind, Stmt, StmtKind, TypeExpr};
use crate::diag::Diagnostic;
use crate::naming::kebab_case;
use crate::token::TokenKind as K;

/// A block: statements in braces.
pub(super) fn block<'s>(statement: Boxed<'s, Stmt>) -> Boxed<'s, Block> {
    statement
        .separated_by(just(K::Sep))
        .collect()
        .delimited_by(just(K::LBrace), close(K::RBrace))
        .map_with(|stmts, e| Block { stmts, span: e.state().span(e.span()) })
        .boxed()
}

/// A statement up to its end. In a block (`nested`) a declaration is reported.
pub(super) fn statement<'s>(
    expr: impl Rule<'s, Expr>,
    pattern: Boxed<'s, Pattern>,
    ty: Boxed<'s, TypeExpr>,
    block: Boxed<'s, Block>,
    nested: bool,
) -> Boxed<'s, Stmt> {
    let value = expr.clone().recover_with(via_parser(skip_to(&[K::Sep]).map_with(error)));
    let place =
        expr.clone().then(just(K::Assign).ignore_then(value).or_not()).map(|(place, value)| match value {
            Some(value) => StmtKind::Assign { place, value },
            None => StmtKind::Expr(place),
        });
    let expr_of_value = expr.clone();
    let kind = choice((
        binding(expr.clone(), pattern, ty, block.clone()),
        leave(expr.clone()),
        just(K::Defer).ignore_then(head_block(block)).map(StmtKind::Defer).boxed(),
        just(K::Assert).ignore_then(expr).map_with(|condition, e| {
            let written = e.state().without_comments(condition.span);
            StmtKind::Assert(condition, written)
        }),
        misplaced(nested),
        later(),
        typed_like_c(expr_of_value),
        place,
    ))
    .boxed();
    let skipped = skip_some(&[K::Sep]).to(StmtKind::Error);
    kind.recover_with(via_parser(skipped))
        .map_with(|kind, e| Stmt { kind, span: e.state().span(e.span()) })
        .then(ends())
        .map(|(stmt, ended)| if ended { stmt } else { without_lone_word(stmt) })
        .boxed()
}

/// `int n = 5`, a word where `let` or `var` is meant: reported and taken for a `var`.
fn typed_like_c<'s>(expr: impl Rule<'s, Expr>) -> impl Rule<'s, StmtKind> {
    let begins = custom(|inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| {
        let here = inp.cursor();
        let at: SimpleSpan = inp.span_since(&here);
        match inp.state().kinds[at.start..] {
            [K::Name | K::TypeName, K::Name, K::Assign, ..] => Ok(()),
            _ => Err(Slip { at: at.start, ..Slip::default() }),
        }
    });
    let word = one_of(&[K::Name, K::TypeName]);
    let name = just(K::Name).map_with(|_, e| e.state().name(e.span().start));
    let value = expr.recover_with(via_parser(skip_to(&[K::Sep]).map_with(error)));
    begins
        .ignore_then(word.map_with(|_, e| e.state().span(e.span())))
        .then(name)
        .then_ignore(just(K::Assign))
        .then(value)
        .map_with(|((word, name), value), e| {
            let written = e.state().text(word).to_string();
            let message = format!("expected `let` or `var`, found `{written}`");
            let help = format!(
                "write `let {0} = ...`, or `var {0} = ...` if it is given new values later",
                name.text
            );
            e.emit(Diagnostic::error("E0101", message, word, "").help(help).fix(word, "let").into());
            StmtKind::Let {
                public: false,
                mutable: true,
                pattern: Pattern { span: name.span, kind: PatternKind::Bind(name) },
                ty: None,
                value,
                otherwise: None,
            }
        })
}

/// `return x`, `break`, `continue`, `fail x`, `yield x`
pub(super) fn leave<'s>(expr: impl Rule<'s, Expr>) -> impl Rule<'s, StmtKind> {
    choice((
        just(K::Return).ignore_then(expr.clone().or_not()).map(StmtKind::Return),
        just(K::Fail).ignore_then(expr.clone()).map(StmtKind::Fail),
        just(K::Yield).ignore_then(expr).map(StmtKind::Yield),
        just(K::Break).to(StmtKind::Break),
        just(K::Continue).to(StmtKind::Continue),
    ))
}

/// Nothing more may follow on the line; what does is reported and skipped.
pub(super) fn end_of_statement<'s>() -> impl Rule<'s, ()> {
    ends().ignored()
}

/// [`end_of_statement`]; false when something had to be skipped.
fn ends<'s>() -> impl Rule<'s, bool> {
    at_end(&[K::Sep]).to(true).recover_with(via_parser(skip_to(&[K::Sep]).to(false)))
}

/// A statement behind which something was skipped: of `import json` or `let x = new User()` the word that was understood means
/// nothing without the rest.
fn without_lone_word(mut stmt: Stmt) -> Stmt {
    match &mut stmt.kind {
        StmtKind::Expr(value) if matches!(value.kind, ExprKind::Name(_)) => stmt.kind = StmtKind::Error,
        StmtKind::Let { value, .. } | StmtKind::Assign { value, .. } | StmtKind::Return(Some(value))
            if matches!(value.kind, ExprKind::Name(_)) =>
        {
            value.kind = ExprKind::Error;
        }
        _ => {}
    }
    stmt
}

/// Succeeds, consuming nothing, where a statement may end; messages speak of `expected` elsewhere.
fn at_end<'s>(expected: &'static [K]) -> impl Rule<'s, ()> {
    custom(move |inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| match inp.peek() {
        None | Some(K::Sep | K::RBrace) => Ok(()),
        Some(_) => {
            let here = inp.cursor();
            let at: SimpleSpan = inp.span_since(&here);
            Err(Slip::expected(at.start, expected.iter().copied()))
        }
    })
}

/// `pub let pattern = value`
pub(super) fn public_let<'s>(
    expr: impl Rule<'s, Expr>,
    pattern: Boxed<'s, Pattern>,
    ty: Boxed<'s, TypeExpr>,
    block: Boxed<'s, Block>,
) -> impl Rule<'s, Stmt> {
    let begins = just(K::Pub).then(one_of(&[K::Let, K::Var])).rewind();
    begins
        .ignore_then(just(K::Pub))
        .ignore_then(binding(expr, pattern, ty, block))
        .map_with(|mut kind, e| {
            let span = e.state().span(e.span());
            if let StmtKind::Let { public, mutable, .. } = &mut kind {
                if *mutable {
                    let diagnostic = Diagnostic::error("E0124", "a `var` cannot be public", span, "")
                        .help("other modules see what is bound by `let`: write `pub let`");
                    e.emit(diagnostic.into());
                }
                *public = true;
            }
            Stmt { kind, span }
        })
        .then_ignore(end_of_statement())
}

/// `let pattern: Type = value else { ... }`
fn binding<'s>(
    expr: impl Rule<'s, Expr>,
    pattern: Boxed<'s, Pattern>,
    ty: Boxed<'s, TypeExpr>,
    block: Boxed<'s, Block>,
) -> impl Rule<'s, StmtKind> {
    const STOPS: &[K] = &[K::Sep, K::Assign, K::Colon];
    let pattern = reserved_binding()
        .or(pattern.map_with(bound))
        .recover_with(via_parser(skip_to(STOPS).map_with(pattern_error)));
    let value = just(K::Assign).ignore_then(expr);
    let value = value.or(missing_value()).recover_with(via_parser(skip_to(&[K::Sep]).map_with(error)));
    choice((just(K::Let).to(false), just(K::Var).to(true)))
        .then(pattern)
        .then(just(K::Colon).ignore_then(annotation(ty)).or_not())
        .then(value)
        .then(just(K::Else).ignore_then(head_block(block)).or_not())
        .map(|((((mutable, pattern), ty), value), otherwise)| StmtKind::Let {
            public: false,
            mutable,
            pattern,
            ty,
            value,
            otherwise,
        })
}

/// A reserved word where `let` wants a name.
fn reserved_binding<'s>() -> impl Rule<'s, Pattern> {
    // `true` and `false` are patterns.
    let word = when(|kind| kind.is_keyword() && !matches!(kind, K::True | K::False));
    word.rewind()
        .ignore_then(super::types::name())
        .map(|name| Pattern { span: name.span, kind: PatternKind::Bind(name) })
}

/// `let Max = 5`: a CamelCase name is reported and bound.
fn bound<'s>(pattern: Pattern, e: &mut Extras<'s, '_>) -> Pattern {
    match pattern.kind {
        PatternKind::Case(name, items) if items.is_empty() && name.text != "None" => {
            // A name with `_` has been reported where it was first seen.
            if !name.text.contains('_') {
                let kebab = kebab_case(&name.text);
                let diagnostic =
                    Diagnostic::error("E0108", format!("`{}` is a type's name", name.text), name.span, "");
                e.emit(diagnostic.help(format!("write `{kebab}`")).fix(name.span, kebab).into());
            }
            Pattern { kind: PatternKind::Bind(name), span: pattern.span }
        }
        kind => Pattern { kind, span: pattern.span },
    }
}

/// `let x` and nothing more.
fn missing_value<'s>() -> impl Rule<'s, Expr> {
    at_end(&[]).map_with(|(), e| {
        let at: SimpleSpan = e.span();
        let context = e.state().0;
        let end = context.spans[at.start - 1].after();
        let diagnostic =
            Diagnostic::error("E0114", "expected `=` and a value, found the end of the statement", end, "")
                .help("every name starts with a value, such as `var count = 0`");
        e.emit(diagnostic.into());
        Expr { kind: ExprKind::Error, span: end }
    })
}

/// A statement that the language does not have yet, or a word of the top level that begins nothing here.
fn later<'s>() -> impl Rule<'s, StmtKind> {
    one_of(&[K::Reserved, K::Use, K::Test, K::Route, K::As]).then(skip_to(&[K::Sep])).map_with(|_, e| {
        let range: SimpleSpan = e.span();
        let context = e.state().0;
        let span = context.spans[range.start];
        let word = context.text(span);
        let used_as_name =
            range.end > range.start + 1 && matches!(context.kinds[range.start + 1], K::Assign | K::Dot);
        let diagnostic = if used_as_name {
            Diagnostic::error(
                "E0109",
                format!("`{word}` is a reserved word"),
                span,
                "a name is expected here",
            )
        } else {
            match context.kinds[range.start] {
                K::Test => Diagnostic::error("E0101", "expected the name of the test", span.after(), "")
                    .help("a test is written `test \"what it shows\" { ... }`"),
                K::Route => Diagnostic::error("E0101", "expected the method of the route", span.after(), "")
                    .help("a route is written `route GET \"/users/{id: Int}\" { ... }`"),
                K::Use => Diagnostic::error("E0101", "expected the path of a file", span.after(), "").help(
                    "another file is used as `use \"path\"`, `use \"path\" as name` or `use \"path\" {a, B}`",
                ),
                K::As => Diagnostic::error("E0101", "`as` is not expected here", span, ""),
                _ => {
                    Diagnostic::error("E0117", format!("`{word}` is not part of the language yet"), span, "")
                }
            }
        };
        e.emit(diagnostic.into());
        StmtKind::Error
    })
}

/// A declaration inside a block.
fn misplaced<'s>(nested: bool) -> impl Rule<'s, StmtKind> {
    let word =
        when(move |kind| nested && matches!(kind, K::Fn | K::Type | K::Pub | K::Use | K::Test | K::Route));
    word.then(skip_to(&[K::Sep])).map_with(|(word, _), e| {
        let at: SimpleSpan = e.span();
        let span = e.state().spans[at.start];
        let message = format!("{} cannot stand inside a block", word.describe());
        let help = match word {
            K::Fn => "declare the function at the top level, or bind a lambda: `let double = x => x * 2`",
            _ => "move the declaration to the top level of the file",
        };
        e.emit(Diagnostic::error("E0123", message, span, "").help(help).into());
        StmtKind::Error
    })
}
