//! Declarations and whole files.

use chumsky::input::InputRef;
use chumsky::prelude::*;

use super::control::head_block;
use super::expr::{error, expression};
use super::pattern::pattern;
use super::recover::{close, comma, skip_some, skip_to};
use super::slip::{Boxed, Context, Extra, Extras, Input, Rule, Slip, just, one_of};
use super::stmt::{end_of_statement, public_let, statement};
use super::text::text;
use super::types::{
    annotation, declared_name, fields, missing_mark, name, parameter, type_expr, type_name, type_variables,
};
use crate::ast::{
    Block, CaseDecl, Expr, ExprKind, FieldDecl, File, FnBody, FnDecl, Item, Name, Param, Pattern,
    PatternKind, RouteDecl, Stmt, StmtKind, TestDecl, TypeBody, TypeDecl, TypeExpr, UseDecl, Used,
};
use crate::diag::Diagnostic;
use crate::literal;
use crate::token::TokenKind as K;

/// A whole file.
pub(super) fn file<'s>() -> impl Rule<'s, File> {
    let ty = type_expr();
    let expr = expression(&ty);
    let pattern = pattern(text(expr.clone()));
    let block = recursive(|block| {
        super::stmt::block(statement(expr.clone(), pattern.clone(), ty.clone(), block.boxed(), true))
    })
    .boxed();
    let function = function(expr.clone(), block.clone(), ty.clone());
    let declaration =
        choice((function, type_declaration(expr.clone(), ty.clone()))).then_ignore(end_of_statement());
    let used = use_declaration().then_ignore(end_of_statement());
    let test = test(block.clone()).then_ignore(end_of_statement());
    let route = route(block.clone()).then_ignore(end_of_statement());
    let public_let = public_let(expr.clone(), pattern.clone(), ty.clone(), block.clone()).map(Item::Stmt);
    let declaration = choice((public_let, declaration, used, test, route));
    let skipped = skip_some(&[K::Sep]).map_with(|range, e| Item::Stmt(not_understood(range, e)));
    let named = one_of(&[K::Use, K::Test]).then(just(K::TextStart)).ignored();
    let routes = just(K::Route).then(one_of(&[K::TypeName, K::Name, K::TextStart])).ignored();
    let declares = one_of(&[K::Fn, K::Type, K::Pub]).ignored().or(named).or(routes).rewind();
    let declaration = declares.ignore_then(declaration.recover_with(via_parser(skipped)));
    let statement = statement(expr, pattern, ty, block, false).map(Item::Stmt);
    declaration
        .or(statement)
        .separated_by(just(K::Sep))
        .collect()
        .then_ignore(skip_to(&[]))
        .then_ignore(end())
        .map(|items| File { items })
}

/// What stands for a declaration that was skipped. The name of a function stays known, so that its uses are no mistakes.
fn not_understood(range: SimpleSpan, e: &mut Extras<'_, '_>) -> Stmt {
    let context = e.state().0;
    let span = context.span(range);
    let first = range.start + usize::from(context.kinds[range.start] == K::Pub);
    let kind = match context.kinds[first..range.end] {
        [K::Fn, K::Name, ..] => {
            let name = context.name(first + 1);
            StmtKind::Let {
                public: false,
                mutable: false,
                pattern: Pattern { span: name.span, kind: PatternKind::Bind(name) },
                ty: None,
                value: Expr { kind: ExprKind::Error, span },
                otherwise: None,
            }
        }
        _ => StmtKind::Error,
    };
    Stmt { kind, span }
}

/// `use "path"`, `use "path" as name`, `use "path" {a, B}`
fn use_declaration<'s>() -> impl Rule<'s, Item> {
    let word = one_of(&[K::Name, K::TypeName]).map_with(|_, e| e.state().name(e.span().start));
    let names = word
        .recover_with(via_parser(
            skip_some(&[K::Comma])
                .map_with(|range, e| Name { text: String::new(), span: e.state().span(range) }),
        ))
        .separated_by(comma())
        .allow_trailing()
        .collect()
        .delimited_by(just(K::LBrace), close(K::RBrace))
        .map(Used::Names);
    let what = just(K::As).ignore_then(declared_name()).map(Used::As).or(names);
    just(K::Use).ignore_then(plain_text()).then(what.or_not()).map_with(|(path, what), e| {
        Item::Use(UseDecl { path, what: what.unwrap_or(Used::Module), span: e.state().span(e.span()) })
    })
}

/// `test "name" { ... }`
fn test<'s>(block: Boxed<'s, Block>) -> impl Rule<'s, Item> {
    just(K::Test)
        .ignore_then(plain_text())
        .then(head_block(block))
        .map_with(|(name, body), e| Item::Test(TestDecl { name, body, span: e.state().span(e.span()) }))
}

/// `route GET "/path" { ... }`
fn route<'s>(block: Boxed<'s, Block>) -> impl Rule<'s, Item> {
    let method = one_of(&[K::TypeName, K::Name]).map_with(|_, e| e.state().name(e.span().start));
    let missing = just(K::TextStart).rewind().map_with(|_, e| {
        let at: SimpleSpan = e.span();
        let span = e.state().spans[at.start - 1].after();
        let error = Diagnostic::error("E0101", "expected the method of the route", span, "")
            .help("a route is written `route GET \"/users/{id: Int}\" { ... }`");
        e.emit(error.into());
        Name { text: "GET".to_string(), span }
    });
    // An empty pattern has no piece between its quotes.
    let pattern = just(K::TextStart)
        .ignore_then(just(K::TextPiece).map_with(|_, e| e.state().name(e.span().start)).or_not())
        .then_ignore(close(K::TextEnd))
        .map_with(|piece, e| {
            let at: SimpleSpan = e.span();
            piece.unwrap_or_else(|| Name { text: String::new(), span: e.state().spans[at.start] })
        });
    just(K::Route).ignore_then(method.or(missing)).then(pattern).then(head_block(block)).map_with(
        |((method, pattern), body), e| {
            Item::Route(RouteDecl { method, pattern, body, span: e.state().span(e.span()) })
        },
    )
}

fn public<'s>() -> impl Rule<'s, bool> {
    just(K::Pub).or_not().map(|word| word.is_some())
}

/// `fn name[A](params) -> Type body`
fn function<'s>(
    expr: Boxed<'s, Expr>,
    block: Boxed<'s, Block>,
    ty: Boxed<'s, TypeExpr>,
) -> impl Rule<'s, Item> {
    let result = just(K::Arrow).ignore_then(annotation(ty.clone())).or_not();
    public()
        .then_ignore(just(K::Fn))
        .then(declared_name())
        .then(type_variables())
        .then(parameters(expr.clone(), ty))
        .then(result)
        .then(function_body(expr, block))
        .map_with(|(((((public, name), vars), params), result), body), e| {
            let range: SimpleSpan = e.span();
            let context = e.state().0;
            let doc = documentation(context, range.start);
            Item::Fn(FnDecl { doc, public, name, vars, params, result, body, span: context.span(range) })
        })
        .boxed()
}

fn parameters<'s>(expr: Boxed<'s, Expr>, ty: Boxed<'s, TypeExpr>) -> impl Rule<'s, Vec<Param>> {
    const STOPS: &[K] = &[K::Comma];
    let skipped = skip_some(STOPS).map_with(|range, e| {
        let span = e.state().span(range);
        Param { mutable: false, name: Name { text: "_".to_string(), span }, ty: None, default: None }
    });
    parameter(ty)
        .then(default_value(expr))
        .map(|(param, default)| Param { default, ..param })
        .recover_with(via_parser(skipped))
        .separated_by(comma())
        .allow_trailing()
        .collect()
        .delimited_by(just(K::LParen), close(K::RParen))
}

/// `= value`, or nothing.
fn default_value<'s>(expr: Boxed<'s, Expr>) -> impl Rule<'s, Option<Expr>> {
    let value = expr.recover_with(via_parser(skip_to(&[K::Comma, K::Sep]).map_with(error)));
    just(K::Assign).ignore_then(value).or_not()
}

fn function_body<'s>(expr: Boxed<'s, Expr>, block: Boxed<'s, Block>) -> impl Rule<'s, FnBody> {
    let native = just(K::Native).ignore_then(plain_text()).map(FnBody::Native);
    let value = expr.recover_with(via_parser(skip_to(&[K::Sep]).map_with(error)));
    let value = value.map(|expr| FnBody::Expr(Box::new(expr)));
    let skipped = skip_to(&[K::LBrace, K::Sep])
        .map_with(error)
        .then(block.clone().or_not())
        .map(|(skipped, block)| block.map_or_else(|| FnBody::Expr(Box::new(skipped)), FnBody::Block));
    choice((block.map(FnBody::Block), just(K::Assign).ignore_then(native.or(value))))
        .recover_with(via_parser(skipped))
}

/// A text that names something: no interpolation and not empty.
fn plain_text<'s>() -> impl Rule<'s, Name> {
    just(K::TextStart)
        .ignore_then(just(K::TextPiece).map_with(|_, e| {
            let name = e.state().name(e.span().start);
            Name { text: literal::unescape(&name.text).into_owned(), span: name.span }
        }))
        .then_ignore(close(K::TextEnd))
}

/// `type Name[A] = body`
fn type_declaration<'s>(expr: Boxed<'s, Expr>, ty: Boxed<'s, TypeExpr>) -> impl Rule<'s, Item> {
    let field = field(expr, ty.clone());
    let braced = || fields(field.clone()).delimited_by(just(K::LBrace), close(K::RBrace)).boxed();
    let record = braced().map(TypeBody::Record);
    let native = just(K::Native)
        .ignore_then(braced().or_not())
        .map(|fields| TypeBody::Native(fields.unwrap_or_default()));
    let cases = cases(fields(field.clone()).boxed()).map(TypeBody::Enum);
    let alias = annotation(ty).map(TypeBody::Alias);
    public()
        .then_ignore(just(K::Type))
        .then(type_name())
        .then(type_variables())
        .then_ignore(just(K::Assign).ignored().or(missing_mark(K::Assign, K::LBrace)))
        .then(choice((record, native, cases, alias)))
        .then(json_rule().or_not())
        .map_with(|((((public, name), vars), body), json), e| {
            let range: SimpleSpan = e.span();
            let context = e.state().0;
            let doc = documentation(context, range.start);
            Item::Type(TypeDecl { doc, public, name, vars, body, json, span: context.span(range) })
        })
        .boxed()
}

/// `Circle(radius: Int) | Empty`, with or without a `|` in front: what a name and a `|` or `(` begin. A name alone is an
/// alias.
fn cases<'s>(fields: Boxed<'s, Vec<FieldDecl>>) -> impl Rule<'s, Vec<CaseDecl>> {
    let first = one_of(&[K::TypeName, K::Name]).then(one_of(&[K::Pipe, K::LParen])).ignored();
    let begins = just(K::Pipe).ignored().or(first).rewind();
    let case = type_name()
        .then(fields.delimited_by(just(K::LParen), close(K::RParen)).or_not())
        .map_with(|(name, fields), e| {
            let span = e.state().span(e.span());
            CaseDecl { name, fields: fields.unwrap_or_default(), span }
        })
        .boxed();
    begins
        .ignore_then(just(K::Pipe).or_not())
        .ignore_then(case.separated_by(just(K::Pipe)).at_least(1).collect())
}

/// `with json: snake`
fn json_rule<'s>() -> impl Rule<'s, Name> {
    let word = |word: &'static str| {
        custom(move |inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| {
            let here = inp.cursor();
            let at: SimpleSpan = inp.span_since(&here);
            let context = inp.state().0;
            if inp.peek() == Some(K::Name) && context.text(context.spans[at.start]) == word {
                inp.skip();
                return Ok(());
            }
            Err(Slip { at: at.start, ..Slip::default() })
        })
    };
    word("with").ignore_then(word("json")).ignore_then(just(K::Colon)).ignore_then(name())
}

/// `name: Type as "external" = default`
fn field<'s>(expr: Boxed<'s, Expr>, ty: Boxed<'s, TypeExpr>) -> Boxed<'s, FieldDecl> {
    name()
        .then_ignore(just(K::Colon).ignored().or(missing_mark(K::Colon, K::TypeName)))
        .then(annotation(ty))
        .then(just(K::As).ignore_then(plain_text()).or_not())
        .then(default_value(expr))
        .map(|(((name, ty), external), default)| FieldDecl { name, ty, external, default })
        .boxed()
}

/// The `##` lines right above the item whose first token has the index `first`.
fn documentation(context: &Context, first: usize) -> Option<String> {
    let start = context.spans[first].start;
    let above = context.raw.partition_point(|token| token.span.start < start);
    let mut lines = Vec::new();
    let mut newlines = 0;
    for token in context.raw[..above].iter().rev() {
        match token.kind {
            K::Newline if newlines == 0 => newlines += 1,
            K::DocComment if newlines == 1 => {
                newlines = 0;
                let line = context.text(token.span).trim_end().trim_start_matches('#');
                lines.push(line.strip_prefix(' ').unwrap_or(line));
            }
            _ => break,
        }
    }
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
