//! Handlers: each position that gives a handler's result becomes a response by itself.
//!
//! Text, Bytes, streams of them, Response and unit are themselves, options 404 or their value, results their value or error, other data
//! is JSON; what has no JSON form is a mistake.

use crate::draft::{ChainId, Draft, Kind};
use crate::goals::Ability;
use crate::infer::{Checker, Origin};
use crate::report::article;
use crate::unify::{T, Term};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

impl<'a> Checker<'a> {
    /// A handler's result as a response; of the declared type first, where there is one.
    pub fn respond(&mut self, draft: Draft, declared: Option<(T, Origin)>) -> Draft {
        let draft = match declared {
            Some((ty, origin)) => self.coerce(draft, ty, origin),
            None => draft,
        };
        if self.terms.is_never(draft.ty) {
            return draft;
        }
        let response = self.request_type("Response");
        if self.terms.is_unknown(draft.ty) || matches!(draft.kind, Kind::Error) {
            return Draft { ty: response, ..draft };
        }
        let (ty, span) = (declared.map_or(draft.ty, |(ty, _)| ty), draft.span);
        self.settle(crate::goals::Goal::Respond(ty, span, self.here.chain));
        Draft::new(Kind::Respond(Box::new(draft)), response, span)
    }

    /// Reports a type that has no response form.
    pub fn check_response(&mut self, ty: T, span: Span, chain: Option<ChainId>) {
        let mut inner = ty;
        while let Some(payload) = self.terms.payload(inner) {
            if self.terms.as_result(inner).is_some_and(|(_, error)| !self.terms.is_error(error)) {
                break;
            }
            inner = payload;
        }
        // `None` alone says nothing about what it could have been.
        if self.terms.is_var(inner) && !self.terms.same(inner, ty) {
            self.terms.unify(inner, T::TEXT);
        }
        if self.is_response(inner) {
            return;
        }
        if self.is_data(inner) {
            let chain = std::mem::replace(&mut self.here.chain, chain);
            self.need(Ability::Json, inner, span);
            self.here.chain = chain;
            return;
        }
        let shown = self.terms.show(ty);
        let error = Diagnostic::error("E0314", format!("A handler cannot answer with {}", article(&shown)), span, "this would be the answer")
            .help("It answers with a Text, a Stream[Text], a Response, `()` for no content, data that becomes JSON, an option of one of these, where `None` is 404, or a result, where an Error is its status.");
        let error = match self.terms.head(inner) {
            Term::Stream(_) => error.help("Make texts of the items first: `.map(x => \"{x}\")`."),
            Term::Fn(..) => error.help("Call the function to answer with its result."),
            _ => error,
        };
        self.reports.add(error, chain, &self.terms);
    }

    /// Whether it is answered with as JSON.
    fn is_data(&self, ty: T) -> bool {
        let is_result = self.terms.as_result(ty).is_some();
        if matches!(self.terms.head(ty), Term::Record(id, _) if self.is_native(*id)) {
            return false;
        }
        !is_result
            && !matches!(
                self.terms.head(ty),
                Term::Stream(_)
                    | Term::Fn(..)
                    | Term::Native(_)
                    | Term::Option(_)
                    | Term::Var
                    | Term::Rigid(_)
            )
    }

    fn is_response(&self, ty: T) -> bool {
        match self.terms.head(ty) {
            Term::Text | Term::Bytes | Term::Unit | Term::Never | Term::Unknown => true,
            Term::Stream(item) => matches!(self.terms.head(*item), Term::Text | Term::Bytes | Term::Unknown),
            Term::Native(id) => self.modules.ty(*id).decl.name.text == "Response",
            _ => false,
        }
    }
}
