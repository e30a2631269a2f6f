//! Record literals: `{a: 1, b: "x"}`, and changed copies, `{..r, a: 2}`.
//!
//! A literal is of the record type that is expected of it, which then fills in its defaults; else of a type of its own that
//! has no name: its fields' names and types, in the order in which they are written.
//! Not here: records that are built with their name (`record`).

use super::name::Meaning;
use super::{Checker, Origin, Want, Why};
use crate::draft::{Draft, Kind};
use crate::report::article;
use crate::unify::{T, Term};
use std::rc::Rc;
use weir_syntax::ast::{self, Arg, Name};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;
use weir_syntax::suggest::closest;

impl<'a> Checker<'a> {
    /// `{name: value, ...}`
    pub fn record_literal(&mut self, args: &'a [Arg], span: Span, want: Want) -> Draft {
        let expected = self.literal_type(want);
        let spread = matches!(args.first(), Some(Arg::Spread(_)));
        if let Some((ty, origin)) = expected {
            match self.terms.head(ty).clone() {
                Term::Record(id, vars) if !self.is_enum(id) => {
                    let name = self.modules.ty(id).decl.name.text.as_str();
                    return self.build_record(name, (id, vars.to_vec()), ty, args, span);
                }
                Term::Anonymous(names, types) if spread || is_complete(&names, args) => {
                    return self.anonymous_of((ty, &names, &types), origin, args, span);
                }
                _ => {}
            }
        }
        match args.split_first() {
            Some((Arg::Spread(base), rest)) => self.changed_copy(base, rest, span),
            _ => self.anonymous(args, span),
        }
    }

    /// Reports a block of a name alone where a record with a field of that name is expected, which was meant to be one.
    pub fn lone_field(&mut self, block: &'a ast::Block, want: Want) -> Option<Draft> {
        let [ast::Stmt { kind: ast::StmtKind::Expr(value), .. }] = block.stmts.as_slice() else {
            return None;
        };
        let ast::ExprKind::Name(name) = &value.kind else { return None };
        let (ty, _) = self.literal_type(want)?;
        let Meaning::Variable(binding) = self.meaning(&name.text) else { return None };
        let found = self.frames[binding.frame].variable(binding.local).ty;
        self.field_type(ty, &name.text)?;
        if matches!(self.terms.head(ty), Term::Native(_)) || self.terms.agree(found, ty) {
            return None;
        }
        let (shown, text) = (self.terms.show(ty), &name.text);
        let message = format!("Expected `{shown}`, found a block that gives `{text}`");
        let error = Diagnostic::error("E0301", message, block.span, "a block");
        self.report(error.help(format!(
            "A record of one field has a colon or a comma: `{{{text}: {text}}}` or `{{{text},}}`."
        )));
        Some(Draft::error(block.span))
    }

    /// A literal of which no type is expected.
    fn anonymous(&mut self, args: &'a [Arg], span: Span) -> Draft {
        let mut names: Vec<Rc<str>> = Vec::with_capacity(args.len());
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            let Some((name, value)) = self.named(arg) else { continue };
            let draft = self.expr(value, Want::Any);
            if names.iter().any(|n| **n == *name.text) {
                self.field_twice(name);
                continue;
            }
            names.push(name.text.as_str().into());
            values.push(draft);
        }
        let ty = if values.iter().any(|value| self.terms.is_never(value.ty)) {
            T::NEVER
        } else {
            let types = values.iter().map(|value| value.ty).collect();
            self.terms.add(Term::Anonymous(names.into(), types))
        };
        Draft::new(Kind::Record(values), ty, span)
    }

    /// `{..base, name: value}`: of the type of `base`.
    fn changed_copy(&mut self, base: &'a ast::Expr, rest: &'a [Arg], span: Span) -> Draft {
        let base = self.expr(base, Want::Any);
        let ty = base.ty;
        match self.known(ty) {
            Term::Record(id, vars) if !self.is_enum(id) => {
                let name = self.modules.ty(id).decl.name.text.as_str();
                self.build_copy(name, (id, vars.to_vec()), ty, Some(base), rest, span)
            }
            Term::Anonymous(names, types) => {
                self.replaced((ty, &names, &types), Some(base), Origin::of(Why::Field), rest, span)
            }
            Term::Unknown | Term::Never => {
                self.infer_anyway(rest);
                Draft { ty, ..Draft::error(span) }
            }
            Term::Var => {
                self.not_known(&base);
                self.infer_anyway(rest);
                Draft::error(span)
            }
            _ => {
                let shown = self.terms.show(ty);
                let message =
                    format!("`..` takes over the fields of a record, and this is {}", article(&shown));
                self.report(Diagnostic::error("E0411", message, base.span, format!("this is `{shown}`")));
                self.infer_anyway(rest);
                Draft::error(span)
            }
        }
    }

    /// A literal of an anonymous type that is expected, perhaps with its fields in another order.
    fn anonymous_of(
        &mut self,
        of: (T, &[Rc<str>], &[T]),
        origin: Origin,
        args: &'a [Arg],
        span: Span,
    ) -> Draft {
        match args.split_first() {
            Some((Arg::Spread(base), rest)) => {
                let base = self.expr(base, Want::Type(of.0, origin));
                self.replaced(of, Some(base), origin, rest, span)
            }
            _ => self.replaced(of, None, origin, args, span),
        }
    }

    /// A value of an anonymous record type: what is given, and the other fields of `base`. Evaluated as it is written.
    fn replaced(
        &mut self,
        (ty, names, types): (T, &[Rc<str>], &[T]),
        base: Option<Draft>,
        origin: Origin,
        args: &'a [Arg],
        span: Span,
    ) -> Draft {
        let mut stmts = Vec::new();
        let base = base.map(|base| self.bind_once(base, &mut stmts));
        let mut values: Vec<Option<Draft>> = names.iter().map(|_| None).collect();
        let mut written = Vec::with_capacity(args.len());
        for arg in args {
            let Some((name, value)) = self.named(arg) else { continue };
            match names.iter().position(|n| **n == *name.text) {
                Some(at) if values[at].is_some() => {
                    self.field_twice(name);
                    self.expr(value, Want::Any);
                }
                Some(at) => {
                    values[at] = Some(self.expr(value, Want::Type(types[at], origin)));
                    written.push(at);
                }
                None => {
                    self.no_such_field(name, ty, names);
                    self.expr(value, Want::Any);
                }
            }
        }
        if !written.is_sorted() {
            for at in written {
                let value = values[at].take().map(|value| self.bind_once(value, &mut stmts));
                values[at] = value;
            }
        }
        let values = values.into_iter().zip(types).enumerate().map(|(at, (value, ty))| {
            value.unwrap_or_else(|| match base.as_ref().and_then(Draft::again) {
                Some(base) => Draft::new(Kind::Field(Box::new(base), at as u32), *ty, span),
                None => Draft::error(span),
            })
        });
        let record = Draft::new(Kind::Record(values.collect()), ty, span);
        self.behind(stmts, record)
    }

    /// The name and value of a field of a literal; reports what is none.
    fn named(&mut self, arg: &'a Arg) -> Option<(&'a Name, &'a ast::Expr)> {
        match arg {
            Arg::Named(name, value) => Some((name, value)),
            Arg::Positional(value) => {
                let message = "A field of a record literal has a name";
                let error = Diagnostic::error("E0410", message, value.span, "no name");
                self.report(error.help("Write `{name: value}`, or `(a, b)` for a tuple."));
                self.expr(value, Want::Any);
                None
            }
            Arg::Spread(value) => {
                let message = "`..` stands before all fields of a record literal";
                let error = Diagnostic::error("E0411", message, value.span, "not here");
                self.report(error.help("Write `{..record, name: value}`."));
                self.expr(value, Want::Any);
                None
            }
        }
    }

    fn field_twice(&mut self, name: &Name) {
        let message = format!("The field `{}` is given twice", name.text);
        let error = Diagnostic::error("E0403", message, name.span, "given before");
        self.report(error.help("Take one of them away."));
    }

    /// Reports a name that is no field of the record type `ty`, which has fields of those names.
    pub(super) fn no_such_field<N: AsRef<str>>(&mut self, name: &Name, ty: T, names: &[N]) {
        let message = format!("`{}` has no field `{}`", self.terms.show(ty), name.text);
        let mut error = Diagnostic::error("E0410", message, name.span, "not known");
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        if let Some(best) = closest(&name.text, names.iter().copied()) {
            error = error.meant(name.span, best);
        } else if !names.is_empty() {
            error = error.help(format!("It has `{}`.", names.join("`, `")));
        }
        self.report(error);
    }
}

/// Whether a literal has exactly the fields of these names.
fn is_complete(names: &[Rc<str>], args: &[Arg]) -> bool {
    let has = |name: &str| args.iter().any(|arg| matches!(arg, Arg::Named(n, _) if n.text == name));
    names.len() == args.len() && names.iter().all(|name| has(name))
}
