//! `html"..."`: what is interpolated is escaped, unless it is markup already.
//!
//! In: its parts as drafts with solved types. Out: an `Html` of one text. `Html` stands as it is, a `List[Html]` in a row; of
//! anything else the text form is escaped.

use super::Zonk;
use crate::draft::{Draft, DraftPart, Kind, Target};
use crate::typed::Expr;
use crate::unify::{T, Term};
use weir_syntax::span::Span;

impl Zonk<'_, '_> {
    /// The `Html`, of type `html`, that the parts make.
    pub(super) fn markup(&mut self, parts: Vec<DraftPart>, html: T, span: Span) -> Expr {
        let parts = parts.into_iter().map(|part| match part {
            DraftPart::Literal(text) => DraftPart::Literal(text),
            DraftPart::Value(value) => DraftPart::Value(self.piece(value, html)),
        });
        let text = Draft::new(Kind::Interpolate(parts.collect()), T::TEXT, span);
        self.expr(Draft::new(Kind::Record(vec![text]), html, span))
    }

    /// The Text that stands for a value in markup.
    fn piece(&mut self, value: Draft, html: T) -> Draft {
        let span = value.span;
        let text_of = |value: Draft| Draft::new(Kind::Field(Box::new(value), 0), T::TEXT, span);
        if self.c.terms.same(value.ty, html) {
            return text_of(value);
        }
        let list = match *self.c.terms.head(value.ty) {
            Term::List(item) => self.c.terms.same(item, html),
            _ => false,
        };
        if list && let Some(join) = self.c.library_fn("html", "join") {
            let call = Kind::Call(Target::Declared(join, Vec::new()), None, vec![value]);
            return text_of(Draft::new(call, html, span));
        }
        let text = match self.c.terms.head(value.ty) {
            Term::Text => value,
            _ => Draft::new(Kind::Interpolate(vec![DraftPart::Value(value)]), T::TEXT, span),
        };
        Draft::new(Kind::CallNative("html-escape".to_owned(), Vec::new(), vec![text]), T::TEXT, span)
    }
}
