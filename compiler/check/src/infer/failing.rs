//! Failing: results, `?`, `fail`, and the result of a body that has them.
//!
//! A body without a declared result gives a `T!` when it has `fail`, or `?` on a result; a `T?` when it has `?` on options
//! only; else what its ends give. Which of them is known at the end of the body at the latest: until then the values that
//! it gives (`give`) are kept as they are, and `zonk` puts them into what the result turned out to be.
//! Not here: values that are lifted because a declared type is expected (`coerce`).

use super::{Checker, ERR, OK, Origin, Why};
use crate::draft::{Draft, DraftArm, FrameId, Kind};
use crate::scope::{Carrier, Failing, Returns, Role};
use crate::typed::{Cases, Pattern};
use crate::unify::{T, Term};
use crate::ways::Ways;
use std::rc::Rc;
use weir_syntax::ast;
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// What to do about a `?` where it cannot stand.
const HANDLE: &str = "Or give a fallback with `??`, or look into the value with `match`";

impl<'a> Checker<'a> {
    /// `T!`, the type of a `value` that there may be none of.
    pub fn result_of(&mut self, value: T) -> T {
        self.prelude();
        let error = self.terms.error();
        self.terms.result(value, error)
    }

    /// `Ok` or `Err` of a pattern.
    pub(super) fn result_pattern(&self, case: u32, inner: Pattern) -> Pattern {
        let cases = Cases(vec![("Ok".to_string(), 1), ("Err".to_string(), 1)]);
        Pattern::Case(Rc::new(cases), case, vec![inner])
    }

    /// Prepares the frame of a body whose result is to be found out.
    pub fn begin_result(&mut self, frame: FrameId, ways: Ways) {
        if ways == Ways::default() || !matches!(self.frames[frame].returns, Returns::Value(..)) {
            return;
        }
        self.prelude();
        let item = self.terms.var();
        let only_loops = !ways.fails && !ways.tries;
        let failing =
            Failing { item, carrier: Carrier::Open, gives: Vec::new(), only_loops, own_tries: Vec::new() };
        self.frames[frame].failing = Some(failing);
        if ways.fails {
            self.carry_result(frame);
        }
    }

    /// Lets the result be a `T!` from here on. Whether it can be.
    pub(super) fn carry_result(&mut self, frame: FrameId) -> bool {
        let result = self.frames[frame].result;
        let Some(failing) = &mut self.frames[frame].failing else { return false };
        let item = failing.item;
        match failing.carrier {
            Carrier::Result => return true,
            Carrier::Plain => return self.terms.as_result(result).is_some(),
            Carrier::Open | Carrier::Option => failing.carrier = Carrier::Result,
        }
        let wanted = self.result_of(item);
        if !self.terms.unify(result, wanted) {
            let span = self.frames[frame].span;
            let origin = Origin::of(Why::Same);
            self.demand(result, wanted, span, origin);
        }
        true
    }

    /// A value that the body of the frame gives, at its end or by `return`.
    pub fn give(&mut self, draft: Draft) -> Draft {
        if self.terms.is_never(draft.ty) {
            return draft;
        }
        let (result, same) = (self.frame().result, Origin::of(Why::Same));
        let Some(failing) = self.frame().failing.clone() else { return self.coerce(draft, result, same) };
        if failing.carrier == Carrier::Plain {
            return self.coerce(draft, result, same);
        }
        if matches!(draft.kind, Kind::Error) {
            return self.coerce(draft, failing.item, same);
        }
        let (ty, span) = (draft.ty, draft.span);
        if !self.terms.same(ty, result) {
            let undecided = matches!(self.terms.head(ty), Term::Var | Term::Option(_));
            if undecided || self.terms.as_result(ty).is_some() {
                if let Some(failing) = &mut self.frame().failing {
                    failing.gives.push((ty, span));
                }
            } else {
                self.demand(ty, failing.item, span, same);
            }
        }
        Draft::new(Kind::Lift(Box::new(draft)), result, span)
    }

    /// What a literal in the place of a value that the body gives is expected to be.
    pub(super) fn given_type(&self) -> Option<T> {
        self.frames[self.here.frame].failing.as_ref().map(|f| f.item)
    }

    /// Decides the result of the body that was just inferred. `never` when it never comes to its end.
    pub fn settle_result(&mut self, never: bool) {
        if !self.goals.is_empty() {
            self.solve(false);
        }
        let frame = self.here.frame;
        let result = self.frame().result;
        let Some(failing) = self.frame().failing.clone() else { return };
        match failing.carrier {
            Carrier::Plain => return,
            Carrier::Open => {
                if let Some(span) = failing.own_tries.first() {
                    let value = Draft { ty: result, ..Draft::error(*span) };
                    self.not_known(&value);
                }
                self.commit(frame);
                return;
            }
            Carrier::Option => {
                let wanted = self.terms.add(Term::Option(failing.item));
                let span = self.frame().span;
                self.demand(result, wanted, span, Origin::of(Why::Same));
            }
            Carrier::Result => {}
        }
        for (ty, span) in failing.gives {
            let is_whole = match (self.terms.head(ty), failing.carrier) {
                (Term::Option(_), carrier) => carrier == Carrier::Option,
                (Term::Var, _) => self.is_open_result(ty),
                _ => failing.carrier == Carrier::Result && self.terms.as_result(ty).is_some(),
            };
            let wanted = if is_whole { result } else { failing.item };
            self.demand(ty, wanted, span, Origin::of(Why::Same));
        }
        if never && self.terms.is_var(failing.item) {
            self.terms.bind(failing.item, T::UNIT);
        }
    }

    /// Lets the body give its values as they are: nothing in it fails so far.
    fn commit(&mut self, frame: FrameId) {
        let result = self.frames[frame].result;
        let Some(failing) = &mut self.frames[frame].failing else { return };
        failing.carrier = Carrier::Plain;
        let (item, gives) = (failing.item, std::mem::take(&mut failing.gives));
        self.terms.unify(result, item);
        for (ty, span) in gives {
            self.demand(ty, result, span, Origin::of(Why::Same));
        }
    }

    /// The result of a running instance is asked for by a recursive call: a body that could fail only by a loop over a stream
    /// that is still to come gives its values as they are.
    pub fn asked_for_result(&mut self, frame: FrameId) {
        let open = |f: &Failing| f.only_loops && f.carrier == Carrier::Open;
        if self.frames[frame].failing.as_ref().is_some_and(open) {
            self.commit(frame);
        }
    }

    /// Whether a type is the result, not known yet, of a body under inference that may fail.
    fn is_open_result(&self, ty: T) -> bool {
        let running = self.instances.running().map(|id| self.instances.get(id).frame);
        running.chain([self.here.frame]).any(|frame| {
            let frame = &self.frames[frame];
            frame.failing.is_some() && self.terms.same(frame.result, ty)
        })
    }

    /// `operand?`
    pub fn try_expr(&mut self, operand: &'a ast::Expr, span: Span, want: super::Want) -> Draft {
        let value = self.expr(operand, super::Want::Any);
        let taken = self.try_value(value, span);
        // What is taken out of one result is seldom another one: where a result is expected and nothing else says what was
        // in there, as in `json.decode(text)?` at the end of a function, it becomes that result's `Ok`.
        if let super::Want::Type(ty, _) = want
            && self.terms.is_var(taken.ty)
            && let Some((item, _)) = self.terms.as_result(ty)
        {
            self.terms.unify(taken.ty, item);
        }
        taken
    }

    /// The value in an option or result, or the way out of the function.
    pub fn try_value(&mut self, value: Draft, span: Span) -> Draft {
        match self.known(value.ty) {
            Term::Unknown | Term::Never => Draft { kind: Kind::Error, ..value },
            Term::Option(item) => {
                let missing = self.missing(span);
                let local = self.temporary("$value", item, span);
                let some = Pattern::Some(Box::new(Pattern::Bind(local)));
                let taken = Draft::new(Kind::Local(local), item, span);
                self.two_ways(value, (some, taken), (Pattern::None, missing), span)
            }
            Term::Var if self.terms.same(self.frames[self.here.frame].result, value.ty) => {
                self.try_own(value, span)
            }
            Term::Var => {
                self.not_known(&value);
                Draft::error(span)
            }
            _ => match self.terms.as_result(value.ty) {
                Some((item, error)) => {
                    let failure = self.temporary("$error", error, span);
                    let failed = self.failed(Draft::new(Kind::Local(failure), error, span), span, HANDLE);
                    let local = self.temporary("$value", item, span);
                    let ok = self.result_pattern(OK, Pattern::Bind(local));
                    let err = self.result_pattern(ERR, Pattern::Bind(failure));
                    let taken = Draft::new(Kind::Local(local), item, span);
                    self.two_ways(value, (ok, taken), (err, failed), span)
                }
                None => {
                    let shown = self.terms.show(value.ty);
                    let error = Diagnostic::error(
                        "E0340",
                        format!("`?` hands on a failure or a missing value, and this is `{shown}`"),
                        value.span,
                        "this is always there",
                    )
                    .help("Leave the `?` out.")
                    .fix(Span { start: span.end - 1, ..span }, String::new());
                    self.report(error);
                    Draft { ty: value.ty, ..Draft::error(span) }
                }
            },
        }
    }

    fn two_ways(
        &self,
        value: Draft,
        (good, taken): (Pattern, Draft),
        (bad, out): (Pattern, Draft),
        span: Span,
    ) -> Draft {
        let ty = taken.ty;
        let arms = vec![
            DraftArm { pattern: good, guard: None, body: taken },
            DraftArm { pattern: bad, guard: None, body: out },
        ];
        Draft::new(Kind::Match(Box::new(value), arms), ty, span)
    }

    /// `?` on a recursive call whose result is being found out here: the other ways out decide what it is.
    fn try_own(&mut self, value: Draft, span: Span) -> Draft {
        let result = self.frame().result;
        let Some(failing) = &mut self.frame().failing else { return Draft::error(span) };
        failing.own_tries.push(span);
        let item = failing.item;
        let error_type = self.terms.error();
        let (local, error) =
            (self.temporary("$value", item, span), self.temporary("$error", error_type, span));
        let failure = Draft::new(Kind::Local(error), error_type, span);
        let err = Draft::new(Kind::Case(ERR, vec![failure]), result, span);
        let failed = Draft::new(Kind::Return(Box::new(err)), T::NEVER, span);
        let none = Draft::new(Kind::None, result, span);
        let missing = Draft::new(Kind::Return(Box::new(none)), T::NEVER, span);
        let taken = Draft::new(Kind::Local(local), item, span);
        let arms = |good: Pattern, bad: Pattern, out: Draft, taken: Draft| {
            vec![
                DraftArm { pattern: good, guard: None, body: taken },
                DraftArm { pattern: bad, guard: None, body: out },
            ]
        };
        let again = Draft::new(Kind::Local(local), item, span);
        let some = Pattern::Some(Box::new(Pattern::Bind(local)));
        let of_option = arms(some, Pattern::None, missing, taken);
        let (ok, bad) = (Pattern::Bind(local), Pattern::Bind(error));
        let of_result = arms(self.result_pattern(OK, ok), self.result_pattern(ERR, bad), failed, again);
        Draft::new(Kind::Try(Box::new(value), of_option, of_result), item, span)
    }

    /// `fail value`
    pub fn fail(&mut self, value: &'a ast::Expr, span: Span) -> Draft {
        let value = self.expr(value, super::Want::Any);
        let is_text = matches!(self.known(value.ty), Term::Text);
        let wanted = match self.frame().returns {
            Returns::Value(ty, _) | Returns::Respond(Some((ty, _))) => self.terms.as_result(ty),
            Returns::Top | Returns::Test | Returns::Respond(None) => None,
        };
        let is_own = wanted.is_some_and(|(_, e)| !self.terms.is_var(e) && self.terms.agree(e, value.ty));
        let error = if is_text && !is_own {
            let at = self.place_here(span);
            self.made_error("failed", vec![value, at], span)
        } else {
            value
        };
        self.failed(error, span, HANDLE)
    }

    /// An error that a function of `result.weir` makes.
    pub(super) fn made_error(&mut self, function: &str, args: Vec<Draft>, span: Span) -> Draft {
        match self.library_fn("result", function) {
            Some(decl) => self.call_with(decl, args, span),
            None => Draft::error(span),
        }
    }

    /// The place of `span` as a Text; in the library that of the program's call that leads there.
    fn place_here(&mut self, span: Span) -> Draft {
        let kind = if self.modules.is_own(self.here.module) {
            Kind::Text(self.modules.place(span))
        } else {
            Kind::CallNative(super::call::CALL_PLACE.to_string(), Vec::new(), Vec::new())
        };
        Draft::new(kind, T::TEXT, span)
    }

    /// The way out with an error. `instead` says what else could be done where there is none.
    pub(super) fn failed(&mut self, error: Draft, span: Span, instead: &str) -> Draft {
        if self.terms.is_unknown(error.ty) || self.terms.is_never(error.ty) {
            return Draft::new(Kind::Error, T::NEVER, span);
        }
        let frame = self.here.frame;
        let (result, origin, responds) = match self.frame().returns {
            Returns::Top | Returns::Test => return self.end_program(error, span),
            Returns::Respond(None) => (self.result_of(T::UNIT), None, true),
            Returns::Respond(Some((ty, origin))) => (ty, origin.span, true),
            Returns::Value(ty, origin) => (ty, origin.span, false),
        };
        if self.frame().failing.is_some() && !self.carry_result(frame) {
            return self.not_carried(result, span, None, instead);
        }
        match self.terms.as_result(result) {
            Some((_, wanted)) => {
                if !self.terms.unify(wanted, error.ty) {
                    return self.other_error(error.ty, wanted, error.span, origin);
                }
            }
            None if self.terms.is_unknown(result) => return Draft::new(Kind::Error, T::NEVER, span),
            None => return self.not_carried(result, span, origin, instead),
        }
        let value = Draft::new(Kind::Case(ERR, vec![error]), result, span);
        self.returned(value, responds, span)
    }

    /// The way out of a `?` whose value is missing.
    fn missing(&mut self, span: Span) -> Draft {
        let (result, origin, responds) = match self.frame().returns {
            Returns::Top | Returns::Test => {
                let at = self.place_here(span);
                let error = self.made_error("absent", vec![at], span);
                return self.end_program(error, span);
            }
            Returns::Respond(None) => (self.terms.add(Term::Option(T::TEXT)), None, true),
            Returns::Respond(Some((ty, origin))) => (ty, origin.span, true),
            Returns::Value(ty, origin) => (ty, origin.span, false),
        };
        let value = if let Some(failing) = &mut self.frame().failing {
            match failing.carrier {
                Carrier::Open => failing.carrier = Carrier::Option,
                Carrier::Plain => return self.not_carried(result, span, None, HANDLE),
                Carrier::Option | Carrier::Result => {}
            }
            Draft::new(Kind::Absent(Box::new(self.absent(result, span))), result, span)
        } else {
            match (self.terms.head(result), self.terms.as_result(result)) {
                (Term::Option(_), _) => Draft::new(Kind::None, result, span),
                (_, Some((_, error))) if self.terms.is_error(error) => self.absent(result, span),
                (Term::Unknown, _) => return Draft::new(Kind::Error, T::NEVER, span),
                _ => return self.not_carried(result, span, origin, HANDLE),
            }
        };
        self.returned(value, responds, span)
    }

    /// `Err` of what a missing value is told as.
    fn absent(&mut self, result: T, span: Span) -> Draft {
        let at = self.place_here(span);
        let error = self.made_error("absent", vec![at], span);
        Draft::new(Kind::Case(ERR, vec![error]), result, span)
    }

    fn returned(&mut self, value: Draft, responds: bool, span: Span) -> Draft {
        let value = if responds { self.respond(value, None) } else { value };
        Draft::new(Kind::Return(Box::new(value)), T::NEVER, span)
    }

    /// The way out of the main file's statements, and of a test.
    fn end_program(&mut self, error: Draft, span: Span) -> Draft {
        let wanted = self.terms.error();
        if !self.terms.unify(wanted, error.ty) {
            return self.other_error(error.ty, wanted, error.span, None);
        }
        let Some(end) = self.library_fn("error", "end-program") else { return Draft::error(span) };
        let end = self.call_with(end, vec![error], span);
        let out = Draft::new(Kind::Return(Box::new(Draft::unit(span))), T::NEVER, span);
        Draft::new(Kind::Block(vec![end, out]), T::NEVER, span)
    }

    /// Reports a way out of a function whose result has no room for it.
    fn not_carried(&mut self, result: T, span: Span, declared: Option<Span>, instead: &str) -> Draft {
        let shown = self.terms.show(result);
        let is_lambda = self.frame().parent.is_some();
        let whose = if is_lambda { "this lambda" } else { "this function" };
        let error = match self.terms.head(result) {
            Term::Option(item) => {
                let item = self.terms.show(*item);
                Diagnostic::error(
                    "E0341",
                    format!("{whose} gives `{shown}`, which has no room for an error"),
                    span,
                    "leaves with an error",
                )
                .help(format!("Let it give `{item}!`, or drop the error with `.ok()?`."))
            }
            _ if self.terms.as_result(result).is_some() => Diagnostic::error(
                "E0341",
                format!("{whose} gives `{shown}`, which has no room for a missing value"),
                span,
                "leaves without a value",
            )
            .help("Say which error that is: `let x = ... else { fail ... }`."),
            _ => {
                let message = format!("{whose} gives `{shown}`, so it cannot be left without a value");
                let error = Diagnostic::error("E0341", message, span, "leaves without one");
                let whole = if matches!(self.terms.head(result), Term::Fn(..)) {
                    format!("Result[{shown}, Error]")
                } else {
                    format!("{shown}!")
                };
                if is_lambda {
                    error.help(format!("{instead}, or use a `for` loop instead of the lambda."))
                } else if declared.is_some() {
                    error.help(format!("Declare the result `{whole}`. {instead}."))
                } else {
                    error.help("Write the function's result down, such as `-> Int!`.")
                }
            }
        };
        let mut error = error;
        error.message = capitalised(&error.message);
        if let Some(place) = declared {
            error = error.label(place, "declared here");
        }
        self.report(error);
        Draft::new(Kind::Error, T::NEVER, span)
    }

    /// Reports an error of another type than the function's results have.
    fn other_error(&mut self, found: T, wanted: T, span: Span, declared: Option<Span>) -> Draft {
        let (shown, wanted_text) = (self.terms.show(found), self.terms.show(wanted));
        let message = format!("Failures here are of type `{wanted_text}`, and this one is `{shown}`");
        let mut error = Diagnostic::error("E0342", message, span, format!("this is `{shown}`"));
        if let Some(place) = declared {
            error = error.label(place, "declared here");
        }
        error = if self.terms.is_error(wanted) {
            let make = "`fail` takes a Text or an Error. Make an error of a result's with `.map-err(e => error(\"{e}\"))?`";
            error.help(match self.frame().role {
                Role::Function => format!("{make}, or declare the function's result `Result[..., {shown}]`."),
                _ => format!("{make}."),
            })
        } else {
            error.help(format!("Turn it into `{wanted_text}` first: `.map-err(e => ...)?`."))
        };
        self.report(error);
        Draft::new(Kind::Error, T::NEVER, span)
    }

    /// Reports a result that nobody looks at.
    pub fn unused_result(&mut self, ty: T, span: Span) {
        let shown = self.terms.show(ty);
        let error = Diagnostic::error(
            "E0343",
            "This may fail, and nobody looks at it",
            span,
            format!("this is `{shown}`"),
        )
        .help("Hand the failure on with `?`, look at it with `match`, or drop it with `let _ = ...`.");
        self.report(error);
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
