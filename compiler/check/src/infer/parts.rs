//! Values of several parts: tuples, and the patterns that take tuples, records and lists apart.
//!
//! Here too: patterns where every value has to be taken (`let`, `for`).
//! Not here: patterns of cases and literals (`pattern`), which values a match leaves (`exhaustive`).

use super::{Checker, OK, Origin, Want, Why};
use crate::draft::{Draft, DraftArm, Kind};
use crate::exhaustive;
use crate::goals::type_not_known;
use crate::typed::{LocalId, Pattern};
use crate::unify::{T, Term};
use std::collections::HashSet;
use std::rc::Rc;
use weir_syntax::ast::{self, Name, PatternKind};
use weir_syntax::diag::{Diagnostic, Severity};
use weir_syntax::span::Span;

impl<'a> Checker<'a> {
    /// `(a, b)`
    pub fn tuple(&mut self, items: &'a [ast::Expr], span: Span, want: Want) -> Draft {
        let expected = match self.literal_type(want) {
            Some((ty, origin)) => match self.terms.head(ty) {
                Term::Tuple(parts) if parts.len() == items.len() => Some((ty, origin, parts.clone())),
                _ => None,
            },
            None => None,
        };
        if let Some((ty, origin, parts)) = expected {
            let items = items.iter().zip(parts.iter());
            let items = items.map(|(item, part)| self.expr(item, Want::Type(*part, origin))).collect();
            return Draft::new(Kind::Record(items), ty, span);
        }
        let items: Vec<Draft> = items.iter().map(|item| self.expr(item, Want::Any)).collect();
        let ty = if items.iter().any(|item| self.terms.is_never(item.ty)) {
            T::NEVER
        } else {
            let parts = items.iter().map(|item| item.ty).collect();
            self.terms.add(Term::Tuple(parts))
        };
        Draft::new(Kind::Record(items), ty, span)
    }

    /// The type that a literal of several parts is wanted to have: that inside the options around it.
    pub(super) fn literal_type(&self, want: Want) -> Option<(T, Origin)> {
        let (mut ty, origin) = match want {
            Want::Type(ty, origin) => (ty, origin),
            Want::Give => (self.given_type()?, Origin::of(Why::Same)),
            _ => return None,
        };
        while let Some(inner) = self.terms.payload(ty) {
            ty = inner;
        }
        Some((ty, origin))
    }

    /// `(p, q)`
    pub(super) fn tuple_pattern(
        &mut self,
        parts: &'a [ast::Pattern],
        ty: T,
        span: Span,
        mutable: bool,
    ) -> Pattern {
        let types: Vec<T> = parts.iter().map(|_| self.terms.var()).collect();
        let tuple = self.terms.add(Term::Tuple(types.clone().into()));
        let fits = self.pattern_fits(tuple, ty, span);
        let known = !self.terms.is_unknown(ty);
        let types = types.into_iter().map(|part| if fits && known { part } else { T::UNKNOWN });
        let parts: Vec<Pattern> =
            parts.iter().zip(types).map(|(p, part)| self.binding_pattern(p, part, mutable)).collect();
        if fits { Pattern::Tuple(parts) } else { Pattern::Wildcard }
    }

    /// `[p, q, ..rest]`
    pub(super) fn list_pattern(
        &mut self,
        items: &'a [ast::Pattern],
        rest: Option<&'a Option<Name>>,
        ty: T,
        span: Span,
        mutable: bool,
    ) -> Pattern {
        let item = self.terms.var();
        let list = self.terms.add(Term::List(item));
        let fits = self.pattern_fits(list, ty, span);
        let (list, item) =
            if fits && !self.terms.is_unknown(ty) { (list, item) } else { (T::UNKNOWN, T::UNKNOWN) };
        let items: Vec<Pattern> = items.iter().map(|p| self.binding_pattern(p, item, mutable)).collect();
        let rest = rest.map(|name| {
            Box::new(match name {
                Some(name) => Pattern::Bind(self.declare(&name.text, list, name.span, mutable)),
                None => Pattern::Wildcard,
            })
        });
        if fits { Pattern::List(items, rest) } else { Pattern::Wildcard }
    }

    /// `{name, other: p}`
    pub(super) fn record_pattern(
        &mut self,
        fields: &'a [(Name, Option<ast::Pattern>)],
        ty: T,
        span: Span,
        mutable: bool,
    ) -> Pattern {
        let own = self.record_fields(ty, span);
        let names: Rc<[String]> = own.iter().flatten().map(|(name, _)| name.clone()).collect();
        let mut parts: Vec<Option<Pattern>> = names.iter().map(|_| None).collect();
        for (name, pattern) in fields {
            let at = names.iter().position(|n| *n == name.text);
            let part = match (&own, at) {
                (Some(own), Some(at)) => own[at].1,
                _ => T::UNKNOWN,
            };
            let pattern = match pattern {
                Some(pattern) => self.binding_pattern(pattern, part, mutable),
                None => Pattern::Bind(self.declare(&name.text, part, name.span, mutable)),
            };
            match at {
                Some(at) if parts[at].is_some() => {
                    let message = format!("The field `{}` stands in this pattern twice", name.text);
                    let error = Diagnostic::error("E0403", message, name.span, "named before");
                    self.report(error.help("Take one of them away."));
                }
                Some(at) => parts[at] = Some(pattern),
                None if own.is_some() => self.no_such_field(name, ty, &names),
                None => {}
            }
        }
        match own {
            Some(_) => {
                let parts = parts.into_iter().map(|p| p.unwrap_or(Pattern::Wildcard)).collect();
                Pattern::Record(names, parts)
            }
            None => Pattern::Wildcard,
        }
    }

    /// The fields of a record for its pattern; `None`, which was reported, for other types.
    fn record_fields(&mut self, ty: T, span: Span) -> Option<Vec<(String, T)>> {
        match self.known(ty) {
            Term::Anonymous(names, types) => {
                Some(names.iter().map(|n| n.to_string()).zip(types.iter().copied()).collect())
            }
            Term::Record(id, args) if !self.is_enum(id) => {
                let fields = self.field_types(id, &args);
                Some(fields.into_iter().map(|(name, ty)| (name.to_string(), ty)).collect())
            }
            Term::Unknown | Term::Never => None,
            Term::Var => {
                self.report(type_not_known(span));
                None
            }
            _ => {
                let shown = self.terms.show(ty);
                let message = format!("This pattern is for a record, and the value is `{shown}`");
                let error = Diagnostic::error("E0503", message, span, "never fits");
                self.report(match self.terms.head(ty) {
                    Term::Option(_) => error.help("The value may be missing: write `Some(...)` around the pattern, and say what `None` does."),
                    Term::Native(_) => error.help("Match on a tuple of its fields: `match (req.method, req.path) { ... }`."),
                    _ => error,
                });
                None
            }
        }
    }

    /// `let pattern = value`: the names of the pattern are bound for the rest of the block.
    pub fn bind_parts(
        &mut self,
        pattern: &'a ast::Pattern,
        value: Draft,
        mutable: bool,
        span: Span,
    ) -> Draft {
        let subject = self.subject_type(&value);
        let typed = self.fitting_pattern(pattern, subject, mutable, "a `let`");
        let ty = if self.terms.is_never(value.ty) { T::NEVER } else { T::UNIT };
        let arm = DraftArm { pattern: typed, guard: None, body: Draft::unit(span.after()) };
        Draft::new(Kind::Match(Box::new(value), vec![arm]), ty, span)
    }

    /// `let pattern = value else { ... }`. A pattern of no case takes what is in an option or a result.
    pub fn let_else(
        &mut self,
        pattern: &'a ast::Pattern,
        value: Draft,
        otherwise: &'a ast::Block,
        mutable: bool,
        span: Span,
    ) -> Draft {
        let out = self.block(otherwise, Want::Effect);
        if !self.terms.is_never(out.ty) && !matches!(out.kind, Kind::Error) {
            let end = Span { start: otherwise.span.end.saturating_sub(1), ..otherwise.span };
            let error = Diagnostic::error(
                "E0509",
                "The `else` of a `let` does not come back",
                end,
                "this is reached",
            )
            .label(pattern.span, "nothing would be bound here")
            .help("End it with `return`, `fail`, `break`, `continue` or `panic`.");
            self.report(error);
        }
        let subject = self.subject_type(&value);
        let payload = self.terms.payload(subject);
        let errors = self.reports.errors();
        let typed = match payload {
            Some(item) if takes_payload(pattern) => {
                let inner = self.binding_pattern(pattern, item, mutable);
                match self.terms.head(subject) {
                    Term::Option(_) => Pattern::Some(Box::new(inner)),
                    _ => self.result_pattern(OK, inner),
                }
            }
            _ => self.binding_pattern(pattern, subject, mutable),
        };
        if self.reports.errors() == errors && !self.terms.is_unknown(subject) {
            match exhaustive::missing(&[(&typed, false)]) {
                Ok(None) => {
                    let mut warning = Diagnostic::error(
                        "E0502",
                        "This `else` is never taken",
                        otherwise.span,
                        "the pattern takes every value",
                    );
                    warning.severity = Severity::Warning;
                    self.report(warning.help("Take it away."));
                }
                Ok(Some(_)) => {}
                Err(exhaustive::TooLarge) => self.too_large(pattern.span),
            }
        }
        let ty = if self.terms.is_never(value.ty) { T::NEVER } else { T::UNIT };
        let arms = vec![
            DraftArm { pattern: typed, guard: None, body: Draft::unit(span.after()) },
            DraftArm { pattern: Pattern::Wildcard, guard: None, body: out },
        ];
        Draft::new(Kind::Match(Box::new(value), arms), ty, span)
    }

    /// A pattern where one is needed that takes every value.
    pub fn fitting_pattern(
        &mut self,
        pattern: &'a ast::Pattern,
        ty: T,
        mutable: bool,
        place: &str,
    ) -> Pattern {
        let errors = self.reports.errors();
        let typed = self.binding_pattern(pattern, ty, mutable);
        if self.reports.errors() == errors {
            match exhaustive::missing(&[(&typed, false)]) {
                Ok(None) => {}
                Ok(Some(case)) => self.refutable(pattern, place, &case),
                Err(exhaustive::TooLarge) => self.too_large(pattern.span),
            }
        }
        typed
    }

    /// The variable that holds an item of a `for`, and the pattern that takes it apart where it is not a name.
    pub fn item_pattern(&mut self, pattern: &'a ast::Pattern, item: T) -> (LocalId, Option<Draft>) {
        match &pattern.kind {
            PatternKind::Bind(name) => (self.declare(&name.text, item, name.span, false), None),
            PatternKind::Wildcard | PatternKind::Error => (self.temporary("$item", item, pattern.span), None),
            _ => {
                let local = self.temporary("$item", item, pattern.span);
                let typed = self.fitting_pattern(pattern, item, false, "a `for`");
                let arm = DraftArm { pattern: typed, guard: None, body: Draft::unit(pattern.span) };
                let value = Draft::new(Kind::Local(local), item, pattern.span);
                let apart = Draft::new(Kind::Match(Box::new(value), vec![arm]), T::UNIT, pattern.span);
                (local, Some(apart))
            }
        }
    }

    /// Reports patterns whose cases are too many to look at.
    pub fn too_large(&mut self, span: Span) {
        let message = "It takes too long to find out which values these patterns take";
        let error = Diagnostic::error("E0508", message, span, "too many combinations");
        self.report(error.help("Match on fewer parts at once, one `match` inside another."));
    }
}

/// Whether a pattern says nothing about the option or result around what it takes apart.
fn takes_payload(pattern: &ast::Pattern) -> bool {
    match &pattern.kind {
        PatternKind::Case(name, _) => !["Some", "None", "Ok", "Err"].contains(&name.text.as_str()),
        PatternKind::Or(sides) => sides.iter().all(takes_payload),
        _ => true,
    }
}

/// The names that a pattern binds, each once, in text order.
pub fn bound_names(pattern: &ast::Pattern) -> Vec<&Name> {
    let mut names: Vec<&Name> = Vec::new();
    let mut rest = vec![pattern];
    while let Some(pattern) = rest.pop() {
        match &pattern.kind {
            PatternKind::Bind(name) => names.push(name),
            PatternKind::Case(_, parts) | PatternKind::Tuple(parts) | PatternKind::Or(parts) => {
                rest.extend(parts);
            }
            PatternKind::Record(fields) => {
                for (name, part) in fields {
                    match part {
                        Some(part) => rest.push(part),
                        None => names.push(name),
                    }
                }
            }
            PatternKind::List { items, rest: more } => {
                rest.extend(items);
                names.extend(more.iter().flatten());
            }
            PatternKind::Wildcard
            | PatternKind::Literal(_)
            | PatternKind::Range { .. }
            | PatternKind::Error => {}
        }
    }
    names.sort_by_key(|name| name.span.start);
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.text.as_str()));
    names
}
