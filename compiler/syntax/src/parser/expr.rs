//! Expressions: operands, operators and what follows an operand.
//!
//! Operators, loosest first: `or`; `and`; `not`; comparisons and `in`; `??`; ranges; `+ -`; `* / %`; unary `-`; postfix.

use chumsky::input::InputRef;
use chumsky::pratt::{infix, left, none, postfix, prefix, right};
use chumsky::prelude::*;

use super::control;
use super::pattern::{duration, float, int, int_range};
use super::recover::{close, comma, end_of_item, line_end, skip_some, skip_to};
use super::slip::{Boxed, Extra, Extras, Input, Rule, Slip, just, one_of, when};
use super::stmt::statement;
use super::text::text;
use super::types::{name, no_var, parameter};
use crate::ast::{Arg, BinaryOp, Expr, ExprKind, Name, Param, TypeExpr, UnaryOp};
use crate::diag::Diagnostic;
use crate::literal;
use crate::span::Span;
use crate::token::TokenKind as K;

/// The rule for expressions and all that stands inside them.
pub(super) fn expression<'s>(ty: &Boxed<'s, TypeExpr>) -> Boxed<'s, Expr> {
    recursive(|expr| {
        let text = text(expr.clone());
        let pattern = super::pattern::pattern(text.clone());
        let block = recursive(|block| {
            super::stmt::block(statement(expr.clone(), pattern.clone(), ty.clone(), block.boxed(), true))
        })
        .boxed();
        let body = control::body(expr.clone());
        let operand = choice((
            name_or_lambda(body.clone()),
            text,
            literal(),
            parenthesised(expr.clone()),
            lambda(ty.clone(), body.clone()),
            list(expr.clone()),
            record(expr.clone()),
            control::if_(expr.clone(), pattern.clone(), block.clone()),
            control::match_(expr.clone(), pattern.clone(), body),
            control::loops(expr.clone(), pattern, block.clone()),
            control::leave(expr.clone()),
            control::form(block.clone()),
            block.map(|block| Expr { span: block.span, kind: ExprKind::Block(block) }),
        ))
        .boxed();
        operators(operand, expr)
    })
    .boxed()
}

/// The error expression in place of a skipped range.
pub(super) fn error<'s>(range: SimpleSpan, e: &mut Extras<'s, '_>) -> Expr {
    Expr { kind: ExprKind::Error, span: e.state().span(range) }
}

fn literal<'s>() -> impl Rule<'s, Expr> {
    const KINDS: &[K] =
        &[K::Int, K::MinInt, K::Float, K::Duration, K::Bytes, K::True, K::False, K::BadLiteral];
    one_of(KINDS).map_with(|kind, e| {
        let span = e.state().span(e.span());
        let written = e.state().text(span);
        let kind = match kind {
            K::Int | K::MinInt => match int(written, false) {
                Some(value) => ExprKind::Int(Some(value)),
                None => {
                    let diagnostic = int_range(written, span);
                    e.emit(diagnostic.into());
                    ExprKind::Int(None)
                }
            },
            K::Float => float(written),
            K::Duration => duration(written),
            // `b"` in front and `"` behind.
            K::Bytes => ExprKind::Bytes(literal::bytes(&written[2..written.len() - 1])),
            K::True => ExprKind::Bool(true),
            K::False => ExprKind::Bool(false),
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    })
}

/// `=>`; a `->` is reported and taken for one.
pub(super) fn arrow<'s>() -> impl Rule<'s, ()> {
    let thin = just(K::Arrow).validate(|_, e, emitter| {
        let span = e.state().span(e.span());
        let diagnostic = Diagnostic::error("E0116", "expected `=>`, found `->`", span, "")
            .help("`->` stands in front of a result type, `=>` in front of a value");
        emitter.emit(diagnostic.fix(span, "=>").into());
    });
    just(K::FatArrow).ignored().or(thin)
}

/// `x`, `X`, `x => body`, `_ => body`
fn name_or_lambda<'s>(body: Boxed<'s, Expr>) -> impl Rule<'s, Expr> {
    let named = |kind| just(kind).map_with(|_, e: &mut Extras<'s, '_>| e.state().name(e.span().start));
    let value = named(K::Name).then(arrow().ignore_then(body.clone()).or_not());
    let unused = named(K::Underscore).then(arrow().ignore_then(body).map(Some));
    let type_name = named(K::TypeName).map(|name| (name, None));
    choice((value, type_name, unused)).map_with(|(name, body): (Name, Option<Expr>), e| match body {
        None => Expr { span: name.span, kind: ExprKind::Name(name) },
        Some(body) => {
            let params = vec![Param { mutable: false, name, ty: None, default: None }];
            Expr { kind: ExprKind::Lambda { params, body: Box::new(body) }, span: e.state().span(e.span()) }
        }
    })
}

/// `(x, y) => body`
fn lambda<'s>(ty: Boxed<'s, TypeExpr>, body: Boxed<'s, Expr>) -> impl Rule<'s, Expr> {
    parameter(ty)
        .separated_by(comma())
        .allow_trailing()
        .collect()
        .delimited_by(just(K::LambdaOpen), close(K::RParen))
        .then_ignore(arrow())
        .then(body)
        .map_with(|(mut params, body): (Vec<Param>, Expr), e| {
            no_var(&mut params, "a lambda changes no variable; what it computes, it gives back", e);
            (params, body)
        })
        .map_with(|(params, body), e| Expr {
            kind: ExprKind::Lambda { params, body: Box::new(body) },
            span: e.state().span(e.span()),
        })
}

/// `()`, `(a)`, `(a, b)`
fn parenthesised<'s>(expr: impl Rule<'s, Expr>) -> impl Rule<'s, Expr> {
    let item = expr.clone().recover_with(via_parser(skip_some(&[K::Comma]).map_with(error)));
    let only = expr.recover_with(via_parser(skip_to(&[K::Comma]).map_with(error)));
    let unit = just(K::LParen).then(just(K::RParen)).map(|_| (None, None));
    let more = just(K::Comma).ignore_then(item.separated_by(comma()).allow_trailing().collect::<Vec<_>>());
    let items = only
        .then(more.or_not())
        .delimited_by(just(K::LParen), close(K::RParen))
        .map(|(first, more)| (Some(first), more));
    unit.or(items).map_with(|(first, more): (Option<Expr>, Option<Vec<Expr>>), e| {
        let span = e.state().span(e.span());
        match (first, more) {
            (None, _) => Expr { kind: ExprKind::Unit, span },
            (Some(only), None) => only,
            (Some(only), Some(more)) if more.is_empty() => {
                let message = "a tuple has at least two parts";
                e.emit(Diagnostic::error("E0101", message, span, "").help("leave out the comma").into());
                only
            }
            (Some(first), Some(more)) => {
                let items = std::iter::once(first).chain(more).collect();
                Expr { kind: ExprKind::Tuple(items), span }
            }
        }
    })
}

/// `[a, b]`, `["a": 1]`, `[:]`
fn list<'s>(expr: impl Rule<'s, Expr>) -> impl Rule<'s, Expr> {
    const STOPS: &[K] = &[K::Comma];
    let value = expr.clone().recover_with(via_parser(skip_to(STOPS).map_with(error)));
    let entry = expr
        .recover_with(via_parser(skip_some(&[K::Comma, K::Colon]).map_with(error)))
        .then(just(K::Colon).ignore_then(value).or_not())
        .then_ignore(end_of_item(K::RBracket))
        .boxed();
    let none = just(K::LBracket).then(just(K::Colon)).then(just(K::RBracket));
    let none = none.map_with(|_, e| Expr { kind: ExprKind::Map(Vec::new()), span: e.state().span(e.span()) });
    let some = entry
        .separated_by(comma())
        .allow_trailing()
        .collect()
        .delimited_by(just(K::LBracket), close(K::RBracket))
        .map_with(|entries: Vec<(Expr, Option<Expr>)>, e| {
            let span = e.state().span(e.span());
            Expr { kind: list_or_map(entries, e), span }
        });
    none.or(some)
}

/// What the first entry is decides.
fn list_or_map<'s>(entries: Vec<(Expr, Option<Expr>)>, e: &mut Extras<'s, '_>) -> ExprKind {
    for (item, _) in &entries {
        if let ExprKind::Range { high: None, .. } = &item.kind {
            let end = item.span.after();
            let diagnostic =
                Diagnostic::error("E0101", "this range has no end", end, "a number is expected here");
            e.emit(diagnostic.help("only in an index, as in `t[1..]`, a range may be open").into());
        }
    }
    let is_map = matches!(entries.first(), Some((_, Some(_))));
    let odd = entries
        .iter()
        .find(|(item, value)| value.is_some() != is_map && !matches!(item.kind, ExprKind::Error));
    if let Some((item, _)) = odd {
        let (message, label) = if is_map {
            ("an entry of a map has a key and a value", "`: value` is missing")
        } else {
            ("an element of a list has no key", "not expected behind an element")
        };
        let diagnostic = Diagnostic::error("E0101", message, item.span, label);
        e.emit(diagnostic.help("a list is written `[1, 2]`, a map `[\"a\": 1, \"b\": 2]`").into());
    }
    if !is_map {
        return ExprKind::List(entries.into_iter().map(|(item, _)| item).collect());
    }
    let missing = |span: Span| Expr { kind: ExprKind::Error, span };
    let whole = |(key, value): (Expr, Option<Expr>)| {
        let value = value.unwrap_or_else(|| missing(key.span.after()));
        (key, value)
    };
    ExprKind::Map(entries.into_iter().map(whole).collect())
}

/// `{name: value, other, ..rest}`, told from a block by what stands behind the brace: a name and a colon, a name and a comma,
/// or `..`.
fn record<'s>(expr: impl Rule<'s, Expr>) -> impl Rule<'s, Expr> {
    const STOPS: &[K] = &[K::Comma, K::Sep];
    let begins = custom(|inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| {
        let here = inp.cursor();
        let at: SimpleSpan = inp.span_since(&here);
        match inp.state().kinds[at.start..] {
            [K::LBrace, K::DotDot, ..] => Ok(()),
            [K::LBrace, kind, K::Colon | K::Comma, ..] if kind == K::Name || kind.is_keyword() => Ok(()),
            _ => Err(Slip { at: at.start, ..Slip::default() }),
        }
    });
    let value = expr.recover_with(via_parser(skip_to(STOPS).map_with(error))).boxed();
    let named = name().then(just(K::Colon).ignore_then(value.clone()).or_not()).map(|(name, value)| {
        let short = || Expr { span: name.span, kind: ExprKind::Name(name.clone()) };
        let value = value.unwrap_or_else(short);
        Arg::Named(name, value)
    });
    let spread = just(K::DotDot).ignore_then(value).map(Arg::Spread);
    let skipped = skip_some(STOPS).map_with(error).map(Arg::Positional);
    let field =
        spread.or(named).recover_with(via_parser(skipped)).then_ignore(end_of_item(K::RBrace)).boxed();
    let fields = field.separated_by(line_end().or(comma())).allow_trailing().collect();
    begins.ignore_then(
        fields
            .delimited_by(just(K::LBrace), close(K::RBrace))
            .map_with(|fields, e| Expr { kind: ExprKind::Record(fields), span: e.state().span(e.span()) }),
    )
}

/// `(a, name: b, ..c)`
fn arguments<'s>(expr: impl Rule<'s, Expr>) -> Boxed<'s, Vec<Arg>> {
    const STOPS: &[K] = &[K::Comma];
    let value = expr.clone().recover_with(via_parser(skip_to(STOPS).map_with(error)));
    let named = label().or(assigned_label()).then(value.clone()).map(|(name, value)| Arg::Named(name, value));
    let spread = just(K::DotDot).ignore_then(value).map(Arg::Spread);
    let skipped = skip_some(STOPS).map_with(error).map(Arg::Positional);
    choice((named, spread, expr.map(Arg::Positional)))
        .recover_with(via_parser(skipped))
        .then_ignore(end_of_item(K::RParen))
        .separated_by(comma())
        .allow_trailing()
        .collect()
        .delimited_by(just(K::LParen), close(K::RParen))
        .boxed()
}

/// `name:`, a name or reserved word with a colon behind it.
pub(super) fn label<'s>() -> impl Rule<'s, Name> {
    let labels = custom(|inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| {
        let here = inp.cursor();
        let at: SimpleSpan = inp.span_since(&here);
        match inp.state().kinds[at.start..] {
            [kind, K::Colon, ..] if kind == K::Name || kind.is_keyword() => Ok(()),
            _ => Err(Slip { at: at.start, ..Slip::default() }),
        }
    });
    labels.ignore_then(name()).then_ignore(just(K::Colon))
}

/// `name =` where `name:` is meant: reported and taken for it.
fn assigned_label<'s>() -> impl Rule<'s, Name> {
    let labels = custom(|inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| {
        let here = inp.cursor();
        let at: SimpleSpan = inp.span_since(&here);
        match inp.state().kinds[at.start..] {
            [K::Name, K::Assign, ..] => Ok(()),
            _ => Err(Slip { at: at.start, ..Slip::default() }),
        }
    });
    labels.ignore_then(name()).then(just(K::Assign).map_with(|_, e| e.state().span(e.span()))).map_with(
        |(name, mark), e| {
            let diagnostic = Diagnostic::error("E0101", "expected `:`, found `=`", mark, "")
                .help(format!("a named argument is written `{}: value`, a comparison `==`", name.text));
            e.emit(diagnostic.fix(mark, ":").into());
            name
        },
    )
}

/// What follows an operand.
enum Suffix {
    Member(Name, Option<Vec<Arg>>),
    Call(Vec<Arg>),
    Index(Expr),
    Try,
}

fn suffix<'s>(expr: impl Rule<'s, Expr>) -> Boxed<'s, Suffix> {
    let args = arguments(expr.clone());
    let member = just(K::Dot)
        .ignore_then(name())
        .then(args.clone().or_not())
        .map(|(name, args)| Suffix::Member(name, args));
    let index = index(expr)
        .recover_with(via_parser(skip_to(&[]).map_with(error)))
        .delimited_by(just(K::LBracket), close(K::RBracket))
        .map(Suffix::Index);
    let question = question().map(|()| Suffix::Try);
    choice((member, args.map(Suffix::Call), index, question)).boxed()
}

/// A `?` that no operand follows, unless it goes on without a blank as in `x?[0]`; else it is the `? :` of other languages,
/// about which `explain` speaks.
fn question<'s>() -> impl Rule<'s, ()> {
    custom(|inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| {
        let here = inp.cursor();
        let at: SimpleSpan = inp.span_since(&here);
        let context = inp.state().0;
        let rest = &context.kinds[at.start..];
        let operand = rest.get(1).is_some_and(|&kind| match kind {
            K::LBrace | K::Minus => false,
            K::LParen | K::LBracket => context.spans[at.start].end != context.spans[at.start + 1].start,
            kind => kind.starts_operand(),
        });
        if rest.first() == Some(&K::Question) && !operand {
            inp.skip();
            Ok(())
        } else {
            Err(Slip { at: at.start, ..Slip::default() })
        }
    })
}

/// `i`, `a..b`, `a..`, `..b`
fn index<'s>(expr: impl Rule<'s, Expr>) -> impl Rule<'s, Expr> {
    let dots = choice((just(K::DotDot).to(false), just(K::DotDotEq).to(true)));
    let up_to = dots.then(expr.clone()).map_with(|(inclusive, high), e| Expr {
        kind: ExprKind::Range { low: None, high: Some(Box::new(high)), inclusive },
        span: e.state().span(e.span()),
    });
    up_to.or(expr)
}

fn apply<'s>(operand: Expr, suffix: Suffix, e: &mut Extras<'s, '_>) -> Expr {
    let span = e.state().span(e.span());
    let receiver = Box::new(operand);
    let kind = match suffix {
        Suffix::Member(name, Some(args)) => ExprKind::Method { receiver, name, args },
        Suffix::Member(name, None) => ExprKind::Field { receiver, name },
        Suffix::Call(args) => ExprKind::Call { callee: receiver, args },
        Suffix::Index(index) => ExprKind::Index { receiver, index: Box::new(index) },
        Suffix::Try => ExprKind::Try(receiver),
    };
    Expr { kind, span }
}

fn binary_op<'s>(pick: fn(K) -> Option<BinaryOp>) -> impl Rule<'s, (BinaryOp, Span)> {
    when(move |kind| pick(kind).is_some()).map_with(move |kind, e| {
        let op = pick(kind).expect("the filter let it through");
        (op, e.state().span(e.span()))
    })
}

fn comparison(kind: K) -> Option<BinaryOp> {
    Some(match kind {
        K::EqEq => BinaryOp::Eq,
        K::NotEq => BinaryOp::Ne,
        K::Lt => BinaryOp::Lt,
        K::Le => BinaryOp::Le,
        K::Gt => BinaryOp::Gt,
        K::Ge => BinaryOp::Ge,
        K::In => BinaryOp::In,
        _ => return None,
    })
}

fn operators<'s>(operand: Boxed<'s, Expr>, expr: impl Rule<'s, Expr>) -> impl Rule<'s, Expr> {
    let only = |wanted: K, op: BinaryOp| {
        just(wanted).map_with(move |_, e: &mut Extras<'s, '_>| (op, e.state().span(e.span())))
    };
    let sum = binary_op(|kind| match kind {
        K::Plus => Some(BinaryOp::Add),
        K::Minus => Some(BinaryOp::Sub),
        _ => None,
    });
    let product = binary_op(|kind| match kind {
        K::Star => Some(BinaryOp::Mul),
        K::Slash => Some(BinaryOp::Div),
        K::Percent => Some(BinaryOp::Rem),
        _ => None,
    });
    let dots = choice((just(K::DotDot).to(false), just(K::DotDotEq).to(true)));
    let open_end = just(K::DotDot).then_ignore(just(K::RBracket).rewind());
    operand.pratt((
        postfix(10, suffix(expr), apply),
        prefix(9, just(K::Minus), |_, operand, e: &mut Extras<'s, '_>| negate(operand, e)),
        infix(left(8), product, binary),
        infix(left(7), sum, binary),
        postfix(6, open_end, |low, _, e: &mut Extras<'s, '_>| range(low, None, false, e)),
        infix(none(6), dots, |low, inclusive, high, e: &mut Extras<'s, '_>| {
            range(low, Some(high), inclusive, e)
        }),
        infix(right(5), only(K::Coalesce, BinaryOp::Coalesce), binary),
        infix(left(4), binary_op(comparison), compare),
        prefix(3, just(K::Not), |_, operand: Expr, e: &mut Extras<'s, '_>| Expr {
            kind: ExprKind::Unary { op: UnaryOp::Not, operand: Box::new(operand) },
            span: e.state().span(e.span()),
        }),
        infix(left(2), only(K::And, BinaryOp::And), binary),
        infix(left(1), only(K::Or, BinaryOp::Or), binary),
    ))
}

fn negate<'s>(operand: Expr, e: &mut Extras<'s, '_>) -> Expr {
    let span = e.state().span(e.span());
    let kind = match operand.kind {
        ExprKind::Int(Some(value)) if value >= 0 => ExprKind::Int(Some(-value)),
        _ => ExprKind::Unary { op: UnaryOp::Neg, operand: Box::new(operand) },
    };
    Expr { kind, span }
}

fn range<'s>(low: Expr, high: Option<Expr>, inclusive: bool, e: &mut Extras<'s, '_>) -> Expr {
    let kind = ExprKind::Range { low: Some(Box::new(low)), high: high.map(Box::new), inclusive };
    Expr { kind, span: e.state().span(e.span()) }
}

fn binary<'s>(left: Expr, (op, op_span): (BinaryOp, Span), right: Expr, e: &mut Extras<'s, '_>) -> Expr {
    let kind = ExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) };
    Expr { kind, span: e.state().span(e.span()) }
}

/// A comparison, whose left side may not be another one without parentheses.
fn compare<'s>(left: Expr, (op, op_span): (BinaryOp, Span), right: Expr, e: &mut Extras<'s, '_>) -> Expr {
    let bare = e.state().span(e.span()).start == left.span.start;
    let (first, middle) = match &left.kind {
        ExprKind::Binary { op: first, op_span, right, .. } if bare && is_comparison(*first) => {
            (Some(*op_span), (**right).clone())
        }
        // Without parentheses only a chain that was mended below is an `and`; it has its message.
        ExprKind::Binary { op: BinaryOp::And, right: last, .. } if bare => match &last.kind {
            ExprKind::Binary { right, .. } => (None, (**right).clone()),
            _ => return binary(left, (op, op_span), right, e),
        },
        _ => return binary(left, (op, op_span), right, e),
    };
    if let Some(first) = first {
        let context = e.state().0;
        let text = context.text(middle.span);
        let mut diagnostic =
            Diagnostic::error("E0110", "comparisons do not chain", op_span, "a second comparison")
                .label(first, "the first one");
        if text.len() <= 40 && !text.contains('\n') {
            let (one, two) = (context.text(left.span), context.text(op_span.to(right.span)));
            diagnostic = diagnostic.help(format!("write `{one} and {text} {two}`"));
            diagnostic = diagnostic.fix(op_span, format!("and {text} {}", context.text(op_span)));
        }
        e.emit(diagnostic.into());
    }
    // Goes on as if it were written so: types that do not fit are then no second mistake.
    let second = binary(middle, (op, op_span), right, e);
    binary(left, (BinaryOp::And, op_span), second, e)
}

/// Whether the operator gives a Bool from two values.
fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Eq, Ge, Gt, In, Le, Lt, Ne};
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge | In)
}
