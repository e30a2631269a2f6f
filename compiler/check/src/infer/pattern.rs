//! Patterns: what they take, and the names they bind.

use super::arguments::count;
use super::{Checker, OPTION_CASES};
use crate::scope::Binding;
use crate::typed::{LocalId, Pattern};
use crate::unify::{T, Term, TypeId};
use std::rc::Rc;
use weir_syntax::ast::{self, ExprKind, Name, PatternKind, TextPart};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;
use weir_syntax::suggest::closest;

impl<'a> Checker<'a> {
    /// A pattern for values of type `ty`; its names are bound in the current block.
    pub fn pattern(&mut self, pattern: &'a ast::Pattern, ty: T) -> Pattern {
        self.binding_pattern(pattern, ty, false)
    }

    /// As `pattern`; with `mutable` its names are `var`s.
    pub fn binding_pattern(&mut self, pattern: &'a ast::Pattern, ty: T, mutable: bool) -> Pattern {
        let span = pattern.span;
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Error => Pattern::Wildcard,
            PatternKind::Bind(name) => Pattern::Bind(self.declare(&name.text, ty, name.span, mutable)),
            PatternKind::Literal(literal) => self.literal(literal, ty, span),
            PatternKind::Range { low, high, inclusive } => {
                self.range_pattern(*low, *high, *inclusive, ty, span)
            }
            PatternKind::Case(name, parts) => self.case(name, parts, ty, span, mutable),
            PatternKind::Tuple(parts) => self.tuple_pattern(parts, ty, span, mutable),
            PatternKind::Record(fields) => self.record_pattern(fields, ty, span, mutable),
            PatternKind::List { items, rest } => self.list_pattern(items, rest.as_ref(), ty, span, mutable),
            PatternKind::Or(patterns) => {
                let patterns = self.alternatives(patterns, ty, span, mutable);
                Pattern::Or(patterns)
            }
        }
    }

    /// The sides of `p | q`: each binds the names that the first binds, to values of the same types.
    fn alternatives(
        &mut self,
        patterns: &'a [ast::Pattern],
        ty: T,
        span: Span,
        mutable: bool,
    ) -> Vec<Pattern> {
        let visible = self.here.scope.len();
        let mut out = Vec::with_capacity(patterns.len());
        let mut first: Option<Vec<Binding<'a>>> = None;
        for pattern in patterns {
            let mut side = self.binding_pattern(pattern, ty, mutable);
            let bound = self.here.scope.split_off(visible);
            match &first {
                None => first = Some(bound),
                Some(first) => self.same_names(first, &bound, &mut side, span),
            }
            out.push(side);
        }
        self.here.scope.extend(first.unwrap_or_default());
        out
    }

    /// Lets a side of a joined pattern bind the variables of the first side.
    fn same_names(&mut self, first: &[Binding<'a>], bound: &[Binding<'a>], side: &mut Pattern, span: Span) {
        let lacks = |from: &[Binding<'a>], in_: &[Binding<'a>]| {
            from.iter().find(|b| in_.iter().all(|other| other.name != b.name)).map(|b| b.name)
        };
        if let Some(name) = lacks(first, bound).or_else(|| lacks(bound, first)) {
            let error = Diagnostic::error(
                "E0506",
                format!("`{name}` is bound by only a part of this pattern"),
                span,
                "joined with `|`",
            )
            .help("Each side binds the same names; use `_`, or write an arm for each.");
            self.report(error);
            return;
        }
        for own in bound {
            let Some(of_first) = first.iter().find(|b| b.name == own.name) else { continue };
            let frame = self.frame();
            let (wanted, variable) = (frame.variable(of_first.local).ty, frame.variable(own.local).clone());
            if !self.terms.unify(wanted, variable.ty) {
                let (wanted, found) = (self.terms.show(wanted), self.terms.show(variable.ty));
                let error = Diagnostic::error(
                    "E0506",
                    format!(
                        "`{}` is `{wanted}` on one side of this pattern and `{found}` on another",
                        own.name
                    ),
                    variable.span,
                    format!("this is `{found}`"),
                )
                .help("Write an arm for each.");
                self.report(error);
            }
            rebind(side, own.local, of_first.local);
        }
    }

    fn literal(&mut self, literal: &'a ast::Expr, ty: T, span: Span) -> Pattern {
        let (of, pattern) = match &literal.kind {
            ExprKind::Int(Some(value)) => (T::INT, Pattern::Int(*value)),
            ExprKind::Duration(nanoseconds) => (T::DURATION, Pattern::Int(*nanoseconds)),
            ExprKind::Bool(value) => (T::BOOL, Pattern::Bool(*value)),
            ExprKind::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    if let TextPart::Literal(part) = part {
                        text.push_str(part);
                    }
                }
                (T::TEXT, Pattern::Text(text))
            }
            ExprKind::Unit => (T::UNIT, Pattern::Wildcard),
            _ => return Pattern::Wildcard,
        };
        if self.pattern_fits(of, ty, span) { pattern } else { Pattern::Wildcard }
    }

    fn range_pattern(&mut self, low: i64, high: i64, inclusive: bool, ty: T, span: Span) -> Pattern {
        if !self.pattern_fits(T::INT, ty, span) {
            return Pattern::Wildcard;
        }
        let last = if inclusive { Some(high) } else { high.checked_sub(1) };
        match last.filter(|last| low <= *last) {
            Some(last) => Pattern::IntRange(low, last),
            None => {
                let error = Diagnostic::error("E0507", "This range has no Int in it", span, "takes nothing")
                    .help("Write the smaller end first; `a..=b` takes the end as well.");
                self.report(error);
                Pattern::Wildcard
            }
        }
    }

    /// Whether a pattern of type `of` can take values of type `ty`.
    pub(super) fn pattern_fits(&mut self, of: T, ty: T, span: Span) -> bool {
        if self.terms.unify(of, ty) {
            return true;
        }
        let (of_text, ty_text) = (self.terms.show(of), self.terms.show(ty));
        let mut error = Diagnostic::error(
            "E0503",
            format!("This pattern is for `{of_text}`, and the value is `{ty_text}`"),
            span,
            "never fits",
        );
        if let Term::Option(inner) = *self.terms.head(ty)
            && self.terms.agree(inner, of)
        {
            error = error.help(
                "The value may be missing: write `Some(...)` around the pattern, and an arm for `None`.",
            );
        }
        self.report(error);
        false
    }

    fn case(
        &mut self,
        name: &'a Name,
        parts: &'a [ast::Pattern],
        ty: T,
        span: Span,
        mutable: bool,
    ) -> Pattern {
        let wanted = match name.text.as_str() {
            "Some" => 1,
            "None" => 0,
            _ => return self.enum_case(name, parts, ty, span, mutable),
        };
        let item = match *self.terms.head(ty) {
            Term::Option(item) => item,
            _ => {
                let item = self.terms.var();
                let option = self.terms.add(Term::Option(item));
                if self.pattern_fits(option, ty, span) { item } else { T::UNKNOWN }
            }
        };
        if parts.len() != wanted {
            let message = if wanted == 1 { "`Some` holds one value" } else { "`None` holds no value" };
            let example = if wanted == 1 {
                "Write `Some(x)`, or `Some(_)` for any value."
            } else {
                "Write `None` alone."
            };
            self.report(
                Diagnostic::error("E0505", message, span, format!("{} given", parts.len())).help(example),
            );
        }
        let mut inner: Vec<Pattern> = parts.iter().map(|p| self.binding_pattern(p, item, mutable)).collect();
        if wanted == 0 {
            return Pattern::None;
        }
        Pattern::Some(Box::new(if inner.is_empty() { Pattern::Wildcard } else { inner.swap_remove(0) }))
    }

    /// The case `name` of the enum `ty`, else of any enum in scope.
    fn enum_case(
        &mut self,
        name: &'a Name,
        parts: &'a [ast::Pattern],
        ty: T,
        span: Span,
        mutable: bool,
    ) -> Pattern {
        let of = match self.terms.head(ty) {
            Term::Record(id, _) => Some(*id).filter(|id| self.is_enum(*id)),
            _ => None,
        };
        let own = of
            .and_then(|id| self.cases_of(id).0.iter().position(|(n, _)| *n == name.text).map(|at| (id, at)));
        let found = own.or_else(|| self.case_in_scope(&name.text).map(|(id, at)| (id, at as usize)));
        let Some((id, at)) = found else {
            self.unknown_case(name, of);
            for part in parts {
                self.binding_pattern(part, T::UNKNOWN, mutable);
            }
            return Pattern::Wildcard;
        };
        let (fresh, args) = self.fresh_type(id);
        let fits = self.pattern_fits(fresh, ty, span);
        let fields = self.case_types(id, at, &args);
        if parts.len() != fields.len() {
            let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            let message = format!("`{}` holds {}", name.text, count(fields.len(), "value"));
            let help = match names.len() {
                0 => format!("Write `{}` alone.", name.text),
                _ => format!("Write `{}({})`, or `_` for any value.", name.text, names.join(", ")),
            };
            let label = format!("{} given", parts.len());
            self.report(Diagnostic::error("E0505", message, span, label).help(help));
        }
        let mut types = fields.into_iter().map(|(_, ty)| if fits { ty } else { T::UNKNOWN });
        let mut inner = Vec::with_capacity(parts.len());
        for part in parts {
            let ty = types.next().unwrap_or(T::UNKNOWN);
            inner.push(self.binding_pattern(part, ty, mutable));
        }
        inner.extend(types.map(|_| Pattern::Wildcard));
        let cases = self.cases_of(id);
        inner.truncate(cases.0[at].1);
        if fits { Pattern::Case(Rc::new(cases), at as u32, inner) } else { Pattern::Wildcard }
    }

    fn unknown_case(&mut self, name: &Name, of: Option<TypeId>) {
        let mut error = Diagnostic::error(
            "E0505",
            format!("There is no case `{}` to match", name.text),
            name.span,
            "not known",
        );
        let mut known: Vec<String> = match of {
            Some(id) => self.cases_of(id).0.into_iter().map(|(name, _)| name).collect(),
            None => OPTION_CASES.map(String::from).to_vec(),
        };
        let own = known.join("`, `");
        known.extend(self.visible_cases());
        if let Some(best) = closest(&name.text, known.iter().map(String::as_str)) {
            error = error.meant(name.span, best);
        } else if of.is_some() {
            error = error.help(format!("It has `{own}`. A name that is bound starts with a small letter."));
        } else if self.type_in_scope(&name.text).is_some() {
            error = error.help("A record's pattern is its fields in braces: `{name, id: 3}`.");
        } else {
            error = error.help("Options have the cases `Some(x)` and `None`. A name that is bound starts with a small letter.");
        }
        self.report(error);
    }
}

/// Makes a pattern bind `to` where it binds `from`.
fn rebind(pattern: &mut Pattern, from: LocalId, to: LocalId) {
    match pattern {
        Pattern::Bind(local) if *local == from => *local = to,
        Pattern::Some(inner) => rebind(inner, from, to),
        Pattern::Case(_, _, parts)
        | Pattern::Or(parts)
        | Pattern::Tuple(parts)
        | Pattern::Record(_, parts) => parts.iter_mut().for_each(|p| rebind(p, from, to)),
        Pattern::List(items, rest) => {
            items.iter_mut().for_each(|p| rebind(p, from, to));
            rest.iter_mut().for_each(|p| rebind(p, from, to));
        }
        Pattern::Bind(_)
        | Pattern::Wildcard
        | Pattern::Int(_)
        | Pattern::IntRange(..)
        | Pattern::Bool(_)
        | Pattern::Text(_)
        | Pattern::None => {}
    }
}
