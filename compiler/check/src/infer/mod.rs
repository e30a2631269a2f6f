//! Inference: syntax tree to draft tree, one function body at a time.
//!
//! Types flow forward; a `Want` carries what is expected of an expression down to the positions that give its value, where
//! `finish` makes the value fit. What cannot be decided yet is left to `goals`.
//! Here: the checker's state, wants and origins, and making a value fit. The rules are in the modules below.

mod anonymous;
mod arguments;
mod binary;
mod call;
mod case;
mod change;
mod collection;
mod constructor;
mod control;
mod expr;
mod failing;
mod form;
mod format;
mod lambda;
mod method;
mod name;
mod parts;
mod pattern;
mod place;
mod record;
mod statement;
mod streams;

pub use case::OPTION_CASES;
pub use change::Kept;
pub use format::Asked;
pub use lambda::qualified_name;
pub use name::use_before_definition;
pub use parts::bound_names;
pub use record::BUILT_IN;

use crate::draft::{ChainId, DeclId, Draft, FrameId, InstanceId, Kind, Target};
use crate::frames::Frames;
use crate::goals::Goals;
use crate::instances::Instances;
use crate::modules::{ModuleId, Modules, PRELUDE, REQUEST};
use crate::report::Reports;
use crate::scope::{Binding, Returns, Variable};
use crate::typed::LocalId;
use crate::unify::{T, Term, Terms};
use std::collections::HashMap;
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// The case of a result that holds a value.
pub const OK: u32 = 0;
/// The case of a result that holds an error.
pub const ERR: u32 = 1;

/// Why a type is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A written type.
    Annotation,
    /// A function's declared result.
    Result,
    /// Other results or branches give it.
    Same,
    /// A parameter of that type.
    Parameter,
    /// A field of that type.
    Field,
    /// The first element of the list.
    Element,
    /// The first key of the map.
    Key,
    /// The first value of the map.
    Value,
    /// The first item of the stream.
    Item,
    /// A condition is a Bool.
    Condition,
    /// The operator works on it.
    Operand,
    /// The variable was bound with it.
    Variable,
    /// The field or element that is assigned to holds it.
    Slot,
    /// An index or a range's end is an Int.
    Index,
}

/// Where an expected type comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Why.
    pub why: Why,
    /// The place to show, where there is one.
    pub span: Option<Span>,
}

impl Origin {
    /// An expectation that comes from `span`.
    pub fn new(why: Why, span: Span) -> Self {
        Self { why, span: Some(span) }
    }

    /// An expectation whose place need not be shown.
    pub fn of(why: Why) -> Self {
        Self { why, span: None }
    }
}

/// What is wanted of an expression.
#[derive(Clone, Copy, Debug)]
pub enum Want {
    /// Its value, of any type.
    Any,
    /// Its effect only.
    Effect,
    /// A value of that type.
    Type(T, Origin),
    /// A value of the body, to be put into what its result turns out to be.
    Give,
    /// A response of its value, which may have to be of a declared type first.
    Respond(Option<(T, Origin)>),
}

/// Where inference stands.
#[derive(Clone, Debug)]
pub struct Here<'a> {
    /// The body being inferred.
    pub frame: FrameId,
    /// Where the code was written.
    pub module: ModuleId,
    /// Visible variables, innermost last.
    pub scope: Vec<Binding<'a>>,
    /// The innermost block.
    pub block: u32,
    /// How many loops of this frame are around.
    pub loops: u32,
    /// The calls that led here.
    pub chain: Option<ChainId>,
}

/// A top-level `let` or `var`.
#[derive(Clone, Debug)]
pub struct TopLevel<'a> {
    /// Its name.
    pub name: &'a str,
    /// The file it stands in.
    pub module: ModuleId,
    /// Whether other files may use it.
    pub public: bool,
    /// Its type.
    pub ty: T,
    /// Where it is bound.
    pub span: Span,
    /// Whether it is a `var`, which functions do not see.
    pub mutable: bool,
    /// Whether main's statements got there.
    pub defined: bool,
    /// Whether a body other than main's own mentions it.
    pub shared: bool,
}

/// The state of one check.
pub struct Checker<'a> {
    /// Types under inference.
    pub terms: Terms,
    /// Declarations.
    pub modules: Modules<'a>,
    /// Bodies under inference and inferred ones.
    pub frames: Frames<'a>,
    /// Top-level variables in text order; `GlobalId`s index it.
    pub globals: Vec<TopLevel<'a>>,
    /// Instances of functions that are generic by use.
    pub instances: Instances,
    /// Frames of the declared functions without type variables that were checked already.
    pub checked: HashMap<DeclId, FrameId>,
    /// What a function named as a value turned out to be, by `ValueId`.
    pub values: Vec<Option<Target>>,
    /// What is left to decide.
    pub goals: Goals<'a>,
    /// Diagnostics.
    pub reports: Reports,
    /// Where inference stands.
    pub here: Here<'a>,
    /// Blocks so far, to number them.
    pub blocks: u32,
    /// How deep aliases being resolved are.
    pub aliases: u32,
    /// The call of the program's own whose default is being inferred.
    pub defaulted: Option<Span>,
    /// What first decided a type variable, for labels.
    pub decided_at: HashMap<T, Span>,
}

impl<'a> Checker<'a> {
    /// Reports a mistake found here.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.reports.add(diagnostic, self.here.chain, &self.terms);
    }

    /// Runs `within` as a block of its own: names bound in it are gone afterwards.
    pub fn in_block<R>(&mut self, within: impl FnOnce(&mut Self) -> R) -> R {
        let (visible, block) = (self.here.scope.len(), self.here.block);
        self.blocks += 1;
        self.here.block = self.blocks;
        let result = within(self);
        self.here.scope.truncate(visible);
        self.here.block = block;
        result
    }

    /// Binds a name in the current block; `_` binds nothing visible.
    pub fn declare(&mut self, name: &'a str, ty: T, span: Span, mutable: bool) -> LocalId {
        if name == "_" {
            return self.frame().add("$unused", ty, span, false);
        }
        let block = self.here.block;
        if let Some(first) =
            self.here.scope.iter().rev().take_while(|b| b.block == block).find(|b| b.name == name)
        {
            let first = self.frames[first.frame].variable(first.local).span;
            let error = Diagnostic::error(
                "E0202",
                format!("`{name}` is bound twice in this block"),
                span,
                "again here",
            )
            .label(first, "first bound here")
            .help("Give one of them another name; a block inside this one may reuse the name.");
            self.report(error);
        }
        let frame = self.here.frame;
        let local = self.frame().add(name, ty, span, mutable);
        self.here.scope.push(Binding { name, block, frame, local });
        local
    }

    /// A variable that the user did not write.
    pub fn temporary(&mut self, name: &'static str, ty: T, span: Span) -> LocalId {
        self.frame().add(name, ty, span, false)
    }

    /// The variable here for a visible one, captured on the way when it belongs to an enclosing frame.
    pub fn reach(&mut self, binding: Binding<'a>, frame: FrameId) -> LocalId {
        if binding.frame == frame {
            return binding.local;
        }
        let parent =
            self.frames[frame].parent.expect("a visible variable belongs to this frame or one around it");
        let outer = self.reach(binding, parent);
        let variable: Variable<'a> = self.frames[parent].variable(outer).clone();
        self.frames[frame].capture(outer, &variable)
    }

    /// The prelude.
    pub fn prelude(&mut self) -> Option<ModuleId> {
        self.modules.library(PRELUDE, &mut self.terms)
    }

    /// A type of the request module, such as `Response`; unknown when the library lacks it.
    pub fn request_type(&mut self, name: &str) -> T {
        let module = self.modules.library(REQUEST, &mut self.terms);
        match module.and_then(|m| self.modules.find_type(m, name)) {
            Some(id) => self.terms.add(Term::Native(id)),
            None => T::UNKNOWN,
        }
    }

    /// What the instance gives.
    pub fn instance_result(&self, id: InstanceId) -> T {
        self.frames[self.instances.get(id).frame].result
    }

    /// What is known of `t`, after deciding what can be decided by now.
    pub fn known(&mut self, t: T) -> Term {
        if self.terms.is_var(t) && !self.goals.is_empty() {
            self.solve(false);
            if self.terms.is_var(t) {
                self.solve(true);
            }
        }
        self.terms.head(t).clone()
    }

    /// Makes a value fit what is wanted of it.
    pub fn finish(&mut self, draft: Draft, want: Want) -> Draft {
        match want {
            Want::Any | Want::Effect => draft,
            Want::Type(ty, origin) => self.coerce(draft, ty, origin),
            Want::Give => self.give(draft),
            Want::Respond(declared) => self.respond(draft, declared),
        }
    }

    /// What is wanted of a value that the body gives.
    pub fn want_given(&mut self) -> Want {
        let frame = self.frame();
        match frame.returns {
            Returns::Value(..) if frame.failing.is_some() => Want::Give,
            Returns::Value(ty, origin) => Want::Type(ty, origin),
            Returns::Respond(declared) => Want::Respond(declared),
            Returns::Top | Returns::Test => Want::Effect,
        }
    }

    /// Makes a value have the type `want`, lifting it into an option where one is expected.
    pub fn coerce(&mut self, draft: Draft, want: T, origin: Origin) -> Draft {
        if self.terms.is_never(draft.ty) {
            return draft;
        }
        if matches!(draft.kind, Kind::Error) {
            // What only this value could have decided stays unknown without another message.
            if self.terms.is_var(want) {
                self.terms.unify(want, draft.ty);
            }
            return draft;
        }
        if let Some(inner) = self.terms.payload(want)
            && self.terms.lifts(want, draft.ty)
        {
            let span = draft.span;
            let inner = self.coerce(draft, inner, origin);
            return self.lifted(inner, want, span);
        }
        self.demand(draft.ty, want, draft.span, origin);
        draft
    }

    /// A value in the option or result `ty`.
    pub(super) fn lifted(&self, value: Draft, ty: T, span: Span) -> Draft {
        let kind = match self.terms.head(ty) {
            Term::Option(_) => Kind::Some(Box::new(value)),
            _ => Kind::Case(OK, vec![value]),
        };
        Draft::new(kind, ty, span)
    }

    /// Makes two types equal, or reports that `found` at `span` is not what `origin` expects. Whether it went well.
    pub fn demand(&mut self, found: T, want: T, span: Span, origin: Origin) -> bool {
        let decided = self.terms.resolve(want);
        if self.terms.is_var(decided) {
            self.decided_at.insert(decided, span);
        }
        if self.terms.unify(want, found) {
            return true;
        }
        let error = self.mismatch(found, want, span, origin);
        self.report(error);
        false
    }

    fn mismatch(&mut self, found: T, want: T, span: Span, origin: Origin) -> Diagnostic {
        let (found_text, want_text) = (self.terms.show(found), self.terms.show(want));
        if self.terms.is_var(want) || self.terms.is_var(found) {
            return Diagnostic::error(
                "E0311",
                "This value would have to contain itself",
                span,
                format!("this is `{found_text}`"),
            )
            .help("A value cannot have a type that is part of itself; check what is stored in what.");
        }
        let message = match origin.why {
            Why::Condition => format!("A condition must be a `Bool`, and this is `{found_text}`"),
            Why::Index => format!("An `Int` is needed here, and this is `{found_text}`"),
            _ => format!("Expected `{want_text}`, found `{found_text}`"),
        };
        let mut error = Diagnostic::error("E0301", message, span, format!("this is `{found_text}`"));
        let decided = self.terms.path(want).find_map(|t| self.decided_at.get(&t).copied());
        if let Some(place) =
            origin.span.or(decided.filter(|_| origin.why == Why::Same)).filter(|p| *p != span)
        {
            error = error.label(place, origin_label(origin.why, &want_text));
        }
        match mismatch_help(&self.terms, found, want, origin.why) {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

fn origin_label(why: Why, want: &str) -> String {
    match why {
        Why::Annotation => format!("`{want}` is written here"),
        Why::Result => format!("the result is declared `{want}` here"),
        Why::Same => format!("this gives `{want}`, and all must agree"),
        Why::Parameter => format!("the parameter is `{want}`"),
        Why::Field => format!("the field is `{want}`"),
        Why::Element => format!("the first element is `{want}`, and all must agree"),
        Why::Key => format!("the first key is `{want}`, and all must agree"),
        Why::Item => format!("the first item is `{want}`, and all must agree"),
        Why::Value => format!("the first value is `{want}`, and all must agree"),
        Why::Operand => format!("this is `{want}`, and both sides must agree"),
        Why::Variable => format!("the variable is `{want}`"),
        Why::Slot => format!("this holds `{want}`"),
        Why::Condition | Why::Index => String::new(),
    }
}

fn mismatch_help(terms: &Terms, found: T, want: T, why: Why) -> Option<String> {
    if let Some((value, error)) = terms.as_result(found) {
        return Some(match terms.as_result(want) {
            Some((_, wanted)) if !terms.agree(error, wanted) => {
                "The errors are of different types: turn one into the other with `.map-err(e => ...)`.".into()
            }
            _ if terms.agree(value, want) || terms.payload(want).is_some_and(|w| terms.agree(value, w)) => {
                "It may fail: hand the failure on with `?`, give a fallback with `??`, or look at it with `match`.".into()
            }
            _ => return None,
        });
    }
    if why == Why::Condition {
        return Some(match terms.head(found) {
            Term::Option(_) => {
                "Ask for its value with `if let Some(x) = ...`, or compare it with `None`.".into()
            }
            Term::Int => "Compare it, such as `n != 0`; only a Bool is true or false.".into(),
            Term::Text | Term::List(_) => "Only a Bool is true or false: ask `not x.is-empty()`.".into(),
            _ => return None,
        });
    }
    match (terms.head(found), terms.head(want)) {
        (Term::Option(inner), _) if terms.agree(*inner, want) => Some(
            "The value may be missing: give a fallback with `??`, or look into it with `match` or `if let`."
                .into(),
        ),
        (_, Term::Option(inner)) if terms.agree(found, *inner) && why == Why::Operand => {
            Some("Compare with `Some(...)`, or give a fallback with `??` first.".into())
        }
        (Term::Option(_), _) if why == Why::Same => {
            Some("Declare the result, such as `-> Int?`, so that plain values are turned into `Some`.".into())
        }
        (Term::Native(_), Term::Text) | (Term::Text, Term::Native(_)) if why == Why::Same => Some(
            "Only in `handle` may each result be of another type; elsewhere make it a Response: `respond(body: ...)`."
                .into(),
        ),
        (Term::Text, Term::Record(..)) if terms.show(want) == "Html" => {
            Some("A text becomes HTML as `html\"...\"`, which escapes what is interpolated.".into())
        }
        (Term::Text, Term::Float) => {
            Some("A Text becomes a Float with `.to-float()`, which gives `None` where it spells none.".into())
        }
        (Term::Text, Term::Int) => {
            Some("A Text becomes an Int with `.to-int()`, which gives `None` where it spells none.".into())
        }
        (Term::Fn(..), Term::Text) => None,
        (_, Term::Text) => Some("Any value becomes a Text inside one: `\"{value}\"`.".into()),
        (Term::Unit, _) => {
            Some("This gives no value. A block's value is its last line, where that is an expression.".into())
        }
        (Term::Anonymous(names, _), Term::Anonymous(others, _))
            if names.len() == others.len() && names.iter().all(|name| others.contains(name)) && names != others =>
        {
            Some("The same fields in another order are another type.".into())
        }
        (Term::Anonymous(..), Term::Record(..)) => Some(format!(
            "A record literal becomes a `{}` where one is expected of the literal itself; this value has a type of its own.",
            terms.show(want)
        )),
        (Term::Int, Term::Float) => Some("An Int becomes a Float with `.to-float()`.".into()),
        (Term::Float, Term::Int) => {
            Some("A Float becomes an Int with `.to-int()`, which cuts the fraction off; or make the Int a Float with `.to-float()`.".into())
        }
        (Term::Int, Term::Duration) => {
            Some("Write a duration with its unit, such as `250ms` or `5s`.".into())
        }
        _ => None,
    }
}
