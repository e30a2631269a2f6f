//! Arguments: which one belongs to which parameter.

use super::{Checker, Want};
use crate::draft::{Draft, Kind};
use weir_syntax::ast::{self, Arg};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;
use weir_syntax::suggest::closest;

/// What a parameter is given.
#[derive(Debug)]
pub enum Given<'a> {
    /// An argument as written.
    Expr(&'a ast::Expr),
    /// An argument that was inferred already: a method's receiver.
    Draft(Draft),
    /// Nothing; the default stands.
    Default,
}

/// What is called, as far as its arguments care.
#[derive(Clone, Copy)]
pub struct Callee<'a, 'p> {
    /// What diagnostics call it.
    pub name: &'a str,
    /// Where it is declared, when that is in the user's own file.
    pub declared: Option<Span>,
    /// Parameter names in order, and whether they may be left out.
    pub params: &'p [(&'a str, bool)],
    /// `argument` or `field`.
    pub noun: &'static str,
}

impl<'a> Checker<'a> {
    /// Puts arguments in parameter order. `None` when they do not fit, which was reported.
    pub fn place_arguments(
        &mut self,
        callee: Callee<'a, '_>,
        receiver: Option<Draft>,
        args: &'a [Arg],
        call: Span,
    ) -> Option<Vec<Given<'a>>> {
        let mut given: Vec<Option<(Given<'a>, Span)>> = callee.params.iter().map(|_| None).collect();
        let (mut next, mut ok) = (0, true);
        let is_method = receiver.is_some();
        if let (Some(receiver), Some(first)) = (receiver, given.first_mut()) {
            let span = receiver.span;
            *first = Some((Given::Draft(receiver), span));
            next = 1;
        }
        let mut too_many = Vec::new();
        for arg in args {
            match arg {
                Arg::Positional(value) if next < given.len() => {
                    if given[next].is_some() {
                        self.given_twice(callee, callee.params[next].0, value.span);
                        ok = false;
                    } else {
                        given[next] = Some((Given::Expr(value), value.span));
                    }
                    next += 1;
                }
                Arg::Positional(value) => too_many.push(value.span),
                Arg::Named(name, value) => match callee.params.iter().position(|(p, _)| *p == name.text) {
                    Some(at) if given[at].is_some() => {
                        self.given_twice(callee, &name.text, name.span);
                        ok = false;
                    }
                    Some(at) => given[at] = Some((Given::Expr(value), value.span)),
                    None => {
                        self.unknown_argument(callee, name);
                        ok = false;
                    }
                },
                Arg::Spread(value) => {
                    let error = Diagnostic::error(
                        "E0411",
                        "`..` takes over the fields of a record of the same type",
                        value.span,
                        "not here",
                    )
                    .help("It stands first in a record's parentheses: `User(..user, name: \"Bo\")`.");
                    self.report(error);
                    ok = false;
                }
            }
        }
        let missing: Vec<&str> = given
            .iter()
            .zip(callee.params)
            .filter(|(given, (_, optional))| given.is_none() && !optional)
            .map(|(_, (name, _))| *name)
            .collect();
        if ok && (!missing.is_empty() || !too_many.is_empty()) {
            self.wrong_count(callee, is_method, &missing, &too_many, call);
            ok = false;
        }
        ok.then(|| given.into_iter().map(|g| g.map_or(Given::Default, |(g, _)| g)).collect())
    }

    /// Placed arguments, so that they are evaluated as they are written: where names put them in another order than the
    /// parameters', each is bound in `stmts` where it stands.
    pub fn in_written_order(
        &mut self,
        mut placed: Vec<Draft>,
        args: &[Arg],
        params: &[(&str, bool)],
        is_method: bool,
        stmts: &mut Vec<Draft>,
    ) -> Vec<Draft> {
        let first = usize::from(is_method);
        let named = |name: &ast::Name| params.iter().position(|(p, _)| *p == name.text);
        let written: Vec<usize> = (0..first)
            .chain(args.iter().enumerate().filter_map(|(i, arg)| match arg {
                Arg::Named(name, _) => named(name),
                _ => Some(first + i),
            }))
            .collect();
        if written.is_sorted() {
            return placed;
        }
        for at in written {
            if let Kind::Place(place) = &mut placed[at].kind {
                // The variable itself is changed by the call; which slot of it is decided here.
                for key in place.keys_mut() {
                    let draft = std::mem::replace(key, Draft::error(key.span));
                    *key = self.bind_once(draft, stmts);
                }
                continue;
            }
            let span = placed[at].span;
            let draft = std::mem::replace(&mut placed[at], Draft::error(span));
            placed[at] = self.bind_once(draft, stmts);
        }
        placed
    }

    fn wrong_count(
        &mut self,
        callee: Callee<'_, '_>,
        is_method: bool,
        missing: &[&str],
        too_many: &[Span],
        call: Span,
    ) {
        // A method's receiver does not stand between the parentheses.
        let params = &callee.params[usize::from(is_method)..];
        let name = callee.name;
        let mut error = match too_many.first() {
            Some(first) => {
                let takes = count(params.len(), callee.noun);
                Diagnostic::error(
                    "E0401",
                    format!("`{name}` takes {takes}, and more are given"),
                    *first,
                    "one too many",
                )
            }
            None => {
                let list: Vec<String> = missing.iter().map(|m| format!("`{m}`")).collect();
                let code = if callee.noun == "field" { "E0409" } else { "E0401" };
                let lacks = format!(
                    "`{name}` needs {}, which {} not given",
                    list.join(" and "),
                    if list.len() == 1 { "is" } else { "are" }
                );
                Diagnostic::error(code, lacks, call, format!("{} missing", list.join(", ")))
            }
        };
        if let Some(declared) = callee.declared {
            error = error.label(declared, "declared here");
        }
        let params: Vec<&str> = params.iter().map(|(p, _)| *p).collect();
        let dot = if is_method { "." } else { "" };
        error = error.help(format!("It is called as `{dot}{name}({})`.", params.join(", ")));
        self.report(error);
    }

    fn given_twice(&mut self, callee: Callee<'_, '_>, param: &str, span: Span) {
        let message = format!("`{param}` is given twice to `{}`", callee.name);
        self.report(Diagnostic::error("E0403", message, span, "given before").help("Take one of them away."));
    }

    fn unknown_argument(&mut self, callee: Callee<'_, '_>, name: &ast::Name) {
        let noun = if callee.noun == "field" { "field" } else { "parameter" };
        let code = if callee.noun == "field" { "E0410" } else { "E0402" };
        let message = format!("`{}` has no {noun} `{}`", callee.name, name.text);
        let mut error = Diagnostic::error(code, message, name.span, "not known");
        if let Some(declared) = callee.declared {
            error = error.label(declared, "declared here");
        }
        match closest(&name.text, callee.params.iter().map(|(p, _)| *p)) {
            Some(best) => error = error.meant(name.span, best),
            None if callee.params.is_empty() => {}
            None => {
                let params: Vec<String> = callee.params.iter().map(|(p, _)| format!("`{p}`")).collect();
                error = error.help(format!("It has {}.", params.join(", ")));
            }
        }
        self.report(error);
    }

    /// Infers arguments whose call makes no sense, so that mistakes in them are still found.
    pub fn infer_anyway(&mut self, args: &'a [Arg]) {
        for arg in args {
            let (Arg::Positional(value) | Arg::Named(_, value) | Arg::Spread(value)) = arg;
            let unknown = Want::Type(crate::unify::T::UNKNOWN, super::Origin::of(super::Why::Parameter));
            self.expr(value, unknown);
        }
    }
}

/// `1 argument`, `no arguments`
pub fn count(n: usize, noun: &str) -> String {
    match n {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{n} {noun}s"),
    }
}
