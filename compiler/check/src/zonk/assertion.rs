//! Assertions: a test, and a message with the values of the condition's parts for when it fails.
//!
//! In: the condition as a draft with solved types. Out: `if not condition { assert-failed("...") }`.
//! `a and b` becomes an assertion of `a` and then one of `b`. Of the parts that are evaluated in any case - operands,
//! receivers, arguments - and of the variables in the others each that has a text form is kept in a variable of its own, unless it is a literal or builds a
//! value in plain sight.

use super::Zonk;
use crate::draft::{Draft, DraftPart, Kind};
use crate::goals::Ability;
use crate::typed::{Expr, LocalId};
use crate::unify::T;
use weir_syntax::span::Span;

/// Where in a condition something stands.
#[derive(Clone, Copy)]
struct Within {
    /// The condition.
    whole: Span,
    /// Whether it is evaluated in any case, so that its value can be kept.
    always: bool,
}

/// A part of a condition, and how to read its value once more.
struct Shown {
    value: Draft,
    ty: T,
    span: Span,
}

impl Zonk<'_, '_> {
    /// `assert condition`; `written` are the condition's characters.
    pub(super) fn assertion(&mut self, condition: Draft, written: &str, span: Span) -> Expr {
        let start = condition.span;
        let mut tests = Vec::new();
        self.split(condition, written, start, &mut tests);
        let all = Draft::new(Kind::Block(tests), T::UNIT, span);
        self.expr(all)
    }

    fn split(&mut self, condition: Draft, written: &str, whole: Span, out: &mut Vec<Draft>) {
        if let Kind::And(left, right) = condition.kind {
            self.split(*left, written, whole, out);
            self.split(*right, written, whole, out);
            return;
        }
        let mut condition = condition;
        let span = condition.span;
        let mut shown = Vec::new();
        let within = Within { whole, always: true };
        self.keep_parts(&mut condition, within, &mut shown);
        let message = self.message(shown, written, whole);
        let failed = Kind::CallNative("assert-failed".to_owned(), Vec::new(), vec![message]);
        let failed = Draft::new(failed, T::NEVER, span);
        let wrong = Draft::new(Kind::Not(Box::new(condition)), T::BOOL, span);
        out.push(Draft::new(Kind::If(Box::new(wrong), Box::new(failed), None), T::UNIT, span));
    }

    /// `assertion failed: f(x) == 1`, and a line for each part that is shown.
    fn message(&self, shown: Vec<Shown>, written: &str, whole: Span) -> Draft {
        let text = |span: Span| {
            let from = (span.start - whole.start) as usize;
            let part = written.get(from..from + (span.end - span.start) as usize).unwrap_or_default();
            part.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let mut parts = vec![DraftPart::Literal(format!("assertion failed: {}", text(whole)))];
        let mut seen = Vec::new();
        for part in shown {
            let name = text(part.span);
            if seen.contains(&name) {
                continue;
            }
            parts.push(DraftPart::Literal(format!("\n  {name} = ")));
            let form = Kind::CallNative("value-shown".to_owned(), vec![part.ty], vec![part.value]);
            parts.push(DraftPart::Value(Draft::new(form, T::TEXT, part.span)));
            seen.push(name);
        }
        Draft::new(Kind::Interpolate(parts), T::TEXT, whole)
    }

    /// Keeps the values of the parts of `draft` that are evaluated whenever it is.
    fn keep_parts(&mut self, draft: &mut Draft, within: Within, shown: &mut Vec<Shown>) {
        match &mut draft.kind {
            Kind::Operator(_, left, right) | Kind::Index(left, right) => {
                self.keep(left, within, shown);
                self.keep(right, within, shown);
            }
            Kind::Call(_, _, args) | Kind::CallNative(_, _, args) => {
                args.iter_mut().for_each(|arg| self.keep(arg, within, shown));
            }
            Kind::CallValue(_, args) => args.iter_mut().for_each(|arg| self.keep(arg, within, shown)),
            Kind::Record(parts) | Kind::Case(_, parts) | Kind::List(parts) => {
                parts.iter_mut().for_each(|part| self.keep(part, within, shown));
            }
            Kind::Field(value, _) | Kind::Some(value) | Kind::Neg(value) => self.keep(value, within, shown),
            Kind::And(left, right) | Kind::Or(left, right) => {
                self.keep_parts(left, within, shown);
                self.keep_parts(right, Within { always: false, ..within }, shown);
            }
            Kind::Not(value) => self.keep_parts(value, within, shown),
            _ => {}
        }
    }

    fn keep(&mut self, draft: &mut Draft, within: Within, shown: &mut Vec<Shown>) {
        let (ty, span) = (draft.ty, draft.span);
        // Defaults of parameters stand elsewhere.
        let whole = within.whole;
        let written = span.file == whole.file && whole.start <= span.start && span.end <= whole.end;
        let telling = match &draft.kind {
            Kind::Error | Kind::Unit | Kind::Int(_) | Kind::Bool(_) | Kind::Text(_) | Kind::None => false,
            Kind::Record(_) | Kind::Case(..) | Kind::List(_) | Kind::Some(_) | Kind::Range(..) => false,
            Kind::Closure(_) | Kind::FnValue(_) | Kind::Place(..) => false,
            Kind::Neg(value) => !matches!(value.kind, Kind::Int(_)),
            _ => true,
        };
        if !written || !telling || !self.has_text_form(ty) {
            return self.keep_parts(draft, within, shown);
        }
        if let Some(value) = draft.again() {
            shown.push(Shown { value, ty, span });
            return;
        }
        if !within.always {
            return self.keep_parts(draft, within, shown);
        }
        let local = self.c.frames[self.frame].add("$part", ty, span, false);
        let read = |local: LocalId| Draft::new(Kind::Local(local), ty, span);
        shown.push(Shown { value: read(local), ty, span });
        self.keep_parts(draft, within, shown);
        let value = std::mem::replace(draft, read(local));
        let bind = Draft::new(Kind::Let(local, Box::new(value)), T::UNIT, span);
        *draft = Draft::new(Kind::Block(vec![bind, read(local)]), ty, span);
    }

    fn has_text_form(&mut self, ty: T) -> bool {
        let mut culprit = None;
        self.c.search(Ability::TextForm, ty, &mut Vec::new(), &mut culprit);
        culprit.is_none() && !self.c.terms.is_never(ty) && !self.c.terms.is_unknown(ty)
    }
}
