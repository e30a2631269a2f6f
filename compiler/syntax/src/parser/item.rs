//! Declarations and whole files.

use chumsky::prelude::*;

use super::expr::{error, expression};
use super::pattern::pattern;
use super::recover::{close, comma, skip_some, skip_to};
use super::slip::{Boxed, Context, Rule, just, one_of};
use super::stmt::{block, end_of_statement, statement};
use super::text::text;
use super::types::{annotation, declared_name, name, parameter, type_expr, type_name, type_variables};
use crate::ast::{
    Block, CaseDecl, Expr, FieldDecl, File, FnBody, FnDecl, Item, Name, Param, Stmt, StmtKind, TypeBody,
    TypeDecl, TypeExpr,
};
use crate::diag::Diagnostic;
use crate::token::TokenKind as K;

/// A whole file.
pub(super) fn file<'s>() -> impl Rule<'s, File> {
    let ty = type_expr();
    let expr = expression(&ty);
    let pattern = pattern(text(expr.clone()));
    let block = block(statement(expr.clone(), pattern.clone(), ty.clone(), true));
    let function = function(expr.clone(), block, ty.clone());
    let declaration =
        choice((function, type_declaration(expr.clone(), ty.clone()))).then_ignore(end_of_statement());
    let skipped = skip_some(&[K::Sep])
        .map_with(|range, e| Item::Stmt(Stmt { kind: StmtKind::Error, span: e.state().span(range) }));
    let declares = one_of(&[K::Fn, K::Type, K::Pub]).rewind();
    let declaration = declares.ignore_then(declaration.recover_with(via_parser(skipped)));
    let statement = statement(expr, pattern, ty, false).map(Item::Stmt);
    declaration
        .or(statement)
        .separated_by(just(K::Sep))
        .collect()
        .then_ignore(skip_to(&[]))
        .then_ignore(end())
        .map(|items| File { items })
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
        .map(|((name, ty), default)| Param { mutable: false, name, ty, default })
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
    let native = just(K::Native).ignore_then(native_name()).map(FnBody::Native);
    let value = expr.recover_with(via_parser(skip_to(&[K::Sep]).map_with(error)));
    let value = value.map(|expr| FnBody::Expr(Box::new(expr)));
    let skipped = skip_to(&[K::LBrace, K::Sep])
        .map_with(error)
        .then(block.clone().or_not())
        .map(|(skipped, block)| block.map_or_else(|| FnBody::Expr(Box::new(skipped)), FnBody::Block));
    choice((block.map(FnBody::Block), just(K::Assign).ignore_then(native.or(value))))
        .recover_with(via_parser(skipped))
}

/// The text behind `native`.
fn native_name<'s>() -> impl Rule<'s, Name> {
    just(K::TextStart)
        .ignore_then(just(K::TextPiece).map_with(|_, e| e.state().name(e.span().start)))
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
        .then_ignore(just(K::Assign))
        .then(choice((record, native, cases, alias)))
        .map_with(|(((public, name), vars), body), e| {
            let range: SimpleSpan = e.span();
            let context = e.state().0;
            let doc = documentation(context, range.start);
            Item::Type(TypeDecl { doc, public, name, vars, body, json: None, span: context.span(range) })
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

/// `name: Type = default`
fn field<'s>(expr: Boxed<'s, Expr>, ty: Boxed<'s, TypeExpr>) -> Boxed<'s, FieldDecl> {
    name()
        .then_ignore(just(K::Colon))
        .then(annotation(ty))
        .then(default_value(expr))
        .map(|((name, ty), default)| FieldDecl { name, ty, external: None, default })
        .boxed()
}

/// Fields between brackets.
fn fields<'s>(field: Boxed<'s, FieldDecl>) -> impl Rule<'s, Vec<FieldDecl>> {
    const STOPS: &[K] = &[K::Comma, K::Sep];
    let skipped = skip_some(STOPS).to(None);
    let line_end = just(K::Sep).validate(|_, e, emitter| {
        let place = e.state().span(e.span());
        let diagnostic =
            Diagnostic::error("E0115", "a comma is missing here", place, "add `,`").fix(place, ",");
        emitter.emit(diagnostic.into());
    });
    field
        .map(Some)
        .recover_with(via_parser(skipped))
        .separated_by(line_end.or(comma()))
        .allow_trailing()
        .collect()
        .map(|fields: Vec<Option<FieldDecl>>| fields.into_iter().flatten().collect())
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
