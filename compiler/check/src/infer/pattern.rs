//! Patterns: what they take, and the names they bind.

use super::Checker;
use crate::typed::Pattern;
use crate::unify::{T, Term};
use weir_syntax::ast::{self, ExprKind, Name, PatternKind, TextPart};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;
use weir_syntax::suggest::closest;

impl<'a> Checker<'a> {
    /// A pattern for values of type `ty`; its names are bound in the current block.
    pub fn pattern(&mut self, pattern: &'a ast::Pattern, ty: T) -> Pattern {
        let span = pattern.span;
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Error => Pattern::Wildcard,
            PatternKind::Bind(name) => Pattern::Bind(self.declare(&name.text, ty, name.span, false)),
            PatternKind::Literal(literal) => self.literal(literal, ty, span),
            PatternKind::Range { low, high, inclusive } => {
                self.range_pattern(*low, *high, *inclusive, ty, span)
            }
            PatternKind::Case(name, parts) => self.case(name, parts, ty, span),
            PatternKind::Or(patterns) => {
                let visible = self.here.scope.len();
                let patterns: Vec<Pattern> = patterns.iter().map(|p| self.pattern(p, ty)).collect();
                if let Some(bound) = self.here.scope.get(visible).map(|b| b.name) {
                    let error = Diagnostic::error(
                        "E0506",
                        format!("`{bound}` is bound by only a part of this pattern"),
                        span,
                        "joined with `|`",
                    )
                    .help("Patterns joined with `|` bind no names; use `_`, or write an arm for each.");
                    self.report(error);
                }
                Pattern::Or(patterns)
            }
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
    fn pattern_fits(&mut self, of: T, ty: T, span: Span) -> bool {
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

    fn case(&mut self, name: &'a Name, parts: &'a [ast::Pattern], ty: T, span: Span) -> Pattern {
        let wanted = match name.text.as_str() {
            "Some" => 1,
            "None" => 0,
            _ => {
                self.unknown_case(name);
                for part in parts {
                    self.pattern(part, T::UNKNOWN);
                }
                return Pattern::Wildcard;
            }
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
        let mut inner: Vec<Pattern> = parts.iter().map(|p| self.pattern(p, item)).collect();
        if wanted == 0 {
            return Pattern::None;
        }
        Pattern::Some(Box::new(if inner.is_empty() { Pattern::Wildcard } else { inner.swap_remove(0) }))
    }

    fn unknown_case(&mut self, name: &Name) {
        let mut error = Diagnostic::error(
            "E0505",
            format!("There is no case `{}` to match", name.text),
            name.span,
            "not known",
        );
        if self.type_in_scope(&name.text).is_some() {
            error = error.help(
                "A record cannot be taken apart by a pattern yet; bind it to a name and read its fields.",
            );
        } else if let Some(best) = closest(&name.text, ["Some", "None"]) {
            error = error.help(format!("Did you mean `{best}`?")).fix(name.span, best.to_string());
        } else {
            error = error.help("Options have the cases `Some(x)` and `None`. A name that is bound starts with a small letter.");
        }
        self.report(error);
    }
}
