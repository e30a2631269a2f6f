//! Constructors named as values: `Some`, a case that holds something, a record. Each is a function of its fields in order.

use super::{Checker, Want};
use crate::draft::{Draft, Kind};
use crate::scope::Frame;
use crate::unify::{T, Term};
use weir_syntax::ast::Name;
use weir_syntax::span::Span;

impl<'a> Checker<'a> {
    /// `Some` without a call.
    pub fn some_value(&mut self, span: Span) -> Draft {
        let item = self.terms.var();
        let option = self.terms.add(Term::Option(item));
        let fields = [("value", item, span)];
        self.constructor("Some", &fields, option, span, |mut fields| {
            Kind::Some(Box::new(fields.pop().unwrap_or_else(|| Draft::error(span))))
        })
    }

    /// `Name` without a call, where it is a case with fields or a record; `None` when it is neither, or when something
    /// else than a function is expected here.
    pub fn constructor_value(&mut self, name: &'a Name, want: Want) -> Option<Draft> {
        if let Want::Type(ty, _) = want
            && !matches!(self.terms.head(ty), Term::Fn(..) | Term::Var | Term::Unknown)
        {
            return None;
        }
        let span = name.span;
        if let Some((id, at)) = self.case_in_scope(&name.text) {
            let (ty, args) = self.fresh_type(id);
            let fields = self.case_types(id, at as usize, &args);
            if fields.is_empty() {
                return None;
            }
            let fields: Vec<(&str, T, Span)> =
                fields.into_iter().map(|(name, ty)| (name, ty, span)).collect();
            return Some(self.constructor(&name.text, &fields, ty, span, |fields| Kind::Case(at, fields)));
        }
        let (id, args) = self.record_named(name)?;
        let fields = self.field_types(id, &args);
        let fields: Vec<(&str, T, Span)> = fields.into_iter().map(|(name, ty)| (name, ty, span)).collect();
        let ty = self.terms.add(Term::Record(id, args.into()));
        Some(self.constructor(&name.text, &fields, ty, span, Kind::Record))
    }

    /// A function value that builds a value of its parameters.
    fn constructor(
        &mut self,
        name: &str,
        fields: &[(&'a str, T, Span)],
        result: T,
        span: Span,
        build: impl FnOnce(Vec<Draft>) -> Kind,
    ) -> Draft {
        let mut frame = Frame::within(self.here.frame, name.to_string(), span, result);
        let mut values = Vec::with_capacity(fields.len());
        for (field, ty, span) in fields {
            let local = frame.param(field, *ty, *span, false);
            values.push(Draft::new(Kind::Local(local), *ty, *span));
        }
        frame.body = Some(Draft::new(build(values), result, span));
        let id = self.frames.open(frame);
        let types: Vec<T> = fields.iter().map(|(_, ty, _)| *ty).collect();
        let ty = self.terms.function(&types, result);
        Draft::new(Kind::Closure(id), ty, span)
    }
}
