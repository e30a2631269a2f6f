//! Formats of interpolations: which of their parts a type has.
//!
//! In: a value and its format. Out: the Text it becomes; an error where the type has no such part.

use super::Checker;
use crate::draft::{ChainId, Draft, Kind};
use crate::goals::Ability;
use crate::unify::{T, Term};
use weir_syntax::ast::Format;
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// What a format asks for that not every type has, the first such part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `x`, `X`, `b`, `o`
    Radix(char),
    /// `e`, `f`
    Fraction(char),
    /// `+`, `0` or `,`
    Number(char),
    /// `.2` alone, which Ints do not have.
    Precision,
}

impl Asked {
    fn of(format: &Format) -> Option<Self> {
        match *format {
            Format { kind: Some(kind @ ('e' | 'f')), .. } => Some(Self::Fraction(kind)),
            Format { kind: Some(kind), .. } => Some(Self::Radix(kind)),
            Format { plus, thousands, zero, precision, .. } if plus || thousands || zero => {
                let mark = if plus {
                    '+'
                } else if thousands {
                    ','
                } else {
                    '0'
                };
                // With digits behind the point only Floats are left.
                Some(if precision.is_some() { Self::Fraction('.') } else { Self::Number(mark) })
            }
            Format { precision: Some(_), .. } => Some(Self::Precision),
            _ => None,
        }
    }
}

impl Checker<'_> {
    /// The Text that `value` becomes by `format`.
    pub fn formatted(&mut self, value: Draft, format: &Format) -> Draft {
        if matches!(value.kind, Kind::Error) {
            return value;
        }
        if let Some(asked) = Asked::of(format) {
            self.need(Ability::Format(asked), value.ty, format.span);
        }
        let span = value.span;
        Draft::new(Kind::Formatted(Box::new(value), format.clone()), T::TEXT, span)
    }

    /// Reports a part of a format that the type, known by now, does not have.
    pub fn look_at_format(&mut self, asked: Asked, ty: T, span: Span, chain: Option<ChainId>) {
        if self.terms.is_var(ty) {
            let float = matches!(asked, Asked::Fraction(_));
            self.terms.unify(ty, if float { T::FLOAT } else { T::INT });
        }
        let head = self.terms.head(ty).clone();
        let fits = match (&head, asked) {
            (Term::Unknown | Term::Never, _)
            | (Term::Int, Asked::Radix(_))
            | (Term::Float, Asked::Fraction(_)) => true,
            (Term::Int | Term::Float, Asked::Number(_)) => true,
            (Term::Int, Asked::Precision) => false,
            (_, Asked::Precision) => true,
            _ => false,
        };
        if fits {
            return;
        }
        let shown = self.terms.show(ty);
        let (message, help) = match asked {
            Asked::Precision => (
                format!("An `{shown}` has no digits behind the point"),
                "Leave the precision out, or make a Float of it: `x.to-float()`.",
            ),
            Asked::Radix(kind) => (
                format!("`{kind}` writes Ints, and this is `{shown}`"),
                "`x`, `X`, `b` and `o` write whole numbers; a Float becomes one by `x.round().to-int()`.",
            ),
            Asked::Fraction('.') => (
                format!("This format writes Floats, and this is `{shown}`"),
                "An Int has no digits behind the point; `x.to-float()` makes a Float of one.",
            ),
            Asked::Fraction(kind) => (
                format!("`{kind}` writes Floats, and this is `{shown}`"),
                "`e` and `f` write Floats; `x.to-float()` makes one of an Int.",
            ),
            Asked::Number(mark) => (
                format!("`{mark}` writes numbers, and this is `{shown}`"),
                "Other values are filled up and cut: `{x:>10}`, `{x:*^10}`, `{x:.3}`.",
            ),
        };
        let error = Diagnostic::error("E0330", message, span, format!("this is `{shown}`")).help(help);
        self.reports.add(error, chain, &self.terms);
    }
}
