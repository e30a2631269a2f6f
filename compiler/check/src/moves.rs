//! Moves: a stream is read once, so a variable of one is used once: what is passed on, stored, given or walked over is gone.
//!
//! In: inferred bodies. Out: a diagnostic for each use of a stream's variable behind another one, on some path. Branches that
//! do not come back count for nothing behind them; a loop is walked twice, so that its second turn meets what the first did.
//! A call of a mutating function (`s.next()`) needs the stream and leaves it there; an assignment brings a new one.
//! Not here: streams in lists, records and closures: their second read traps.

use crate::draft::{Draft, DraftArm, DraftPart, DraftPlace, Kind};
use crate::infer::Checker;
use crate::scope::Frame;
use crate::typed::{LocalId, Pattern};
use crate::unify::Term;
use std::collections::BTreeMap;
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// See `infer::expr`: pieces of stack for deep trees.
const STACK_LEFT: usize = 128 * 1024;
const STACK_PIECE: usize = 2 * 1024 * 1024;

/// Streams that were moved, and where; `None` where control does not get to.
type State = Option<BTreeMap<u32, Span>>;

/// The states in which a loop's turns end early.
#[derive(Default)]
struct Ends {
    breaks: State,
    continues: State,
}

/// A use of a stream that is gone.
struct Mistake {
    local: LocalId,
    used: Span,
    moved: Span,
}

struct Walk<'c, 'a> {
    c: &'c Checker<'a>,
    frame: &'c Frame<'a>,
    state: State,
    loops: Vec<Ends>,
    found: Vec<Mistake>,
}

/// What holds where two paths meet.
fn join(a: State, b: State) -> State {
    match (a, b) {
        (Some(mut a), Some(b)) => {
            for (local, span) in b {
                a.entry(local).or_insert(span);
            }
            Some(a)
        }
        (a, b) => a.or(b),
    }
}

impl<'a> Checker<'a> {
    /// Reports the uses of streams that were moved in the program's own bodies.
    pub fn check_moves(&mut self) {
        let mut errors = Vec::new();
        for frame in self.frames.iter() {
            let Some(body) = &frame.body else { continue };
            if !self.reports.is_own(frame.span.file) || !frame.variables.iter().any(|v| self.is_stream(v.ty))
            {
                continue;
            }
            let mut walk =
                Walk { c: self, frame, state: Some(BTreeMap::new()), loops: Vec::new(), found: Vec::new() };
            walk.visit(body);
            errors.extend(walk.found.into_iter().map(|mistake| moved(frame, &mistake)));
        }
        for error in errors {
            self.reports.add(error, None, &self.terms);
        }
    }

    fn is_stream(&self, ty: crate::unify::T) -> bool {
        matches!(self.terms.head(ty), Term::Stream(_))
    }
}

fn moved(frame: &Frame<'_>, mistake: &Mistake) -> Diagnostic {
    let variable = frame.variable(mistake.local);
    let name = variable.name;
    let error = if mistake.used == mistake.moved {
        let message = format!("`{name}` is a stream, and the first turn of this loop takes it");
        Diagnostic::error("E0350", message, mistake.used, "used again in the next turn")
            .label(variable.span, "made outside of the loop")
            .help("A stream is read once. Make it inside of the loop, or collect its items into a list before: `.collect()?`.")
    } else {
        let message = format!("`{name}` is a stream that was passed on, so it is not here any more");
        Diagnostic::error("E0350", message, mistake.used, "used here")
            .label(mistake.moved, "passed on here")
            .help("A stream is read once. Make it anew, or collect its items into a list, `.collect()?`, which may be used many times.")
    };
    match variable.mutable {
        true => error.help(format!("`{name}.next()?` takes single items and leaves the rest in `{name}`.")),
        false => error,
    }
}

impl Walk<'_, '_> {
    fn is_stream(&self, local: LocalId) -> bool {
        let variable = self.frame.variable(local);
        // What the checker made up is used as it should be.
        !variable.name.starts_with('$') && self.c.is_stream(variable.ty)
    }

    /// A mention of a variable, which moves the stream in it when `moves`.
    fn mention(&mut self, local: LocalId, span: Span, moves: bool) {
        if !self.is_stream(local) {
            return;
        }
        let Some(state) = &mut self.state else { return };
        let Some(&moved) = state.get(&local.0) else {
            if moves {
                state.insert(local.0, span);
            }
            return;
        };
        // Further uses follow from the same move.
        if !self.found.iter().any(|m| m.used == span || (m.local == local && m.moved == moved)) {
            self.found.push(Mistake { local, used: span, moved });
        }
    }

    fn bind(&mut self, local: LocalId) {
        if let Some(state) = &mut self.state {
            state.remove(&local.0);
        }
    }

    fn bind_pattern(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Bind(local) => self.bind(*local),
            Pattern::Some(inner) => self.bind_pattern(inner),
            Pattern::Case(_, _, parts)
            | Pattern::Or(parts)
            | Pattern::Tuple(parts)
            | Pattern::Record(_, parts) => {
                parts.iter().for_each(|p| self.bind_pattern(p));
            }
            Pattern::List(parts, rest) => {
                parts.iter().chain(rest.as_deref()).for_each(|p| self.bind_pattern(p));
            }
            Pattern::Wildcard
            | Pattern::Int(_)
            | Pattern::IntRange(..)
            | Pattern::Bool(_)
            | Pattern::Text(_)
            | Pattern::None => {}
        }
    }

    fn all(&mut self, drafts: &[Draft]) {
        drafts.iter().for_each(|d| self.visit(d));
    }

    fn visit(&mut self, draft: &Draft) {
        stacker::maybe_grow(STACK_LEFT, STACK_PIECE, || self.look_at(draft));
        if self.c.terms.is_never(draft.ty) {
            self.state = None;
        }
    }

    fn look_at(&mut self, draft: &Draft) {
        match &draft.kind {
            Kind::Local(local) => self.mention(*local, draft.span, true),
            Kind::Place(place) => {
                self.keys(place);
                self.mention(place.root, draft.span, false);
            }
            Kind::Put(place, value) => {
                self.keys(place);
                self.visit(value);
            }
            Kind::Let(local, value) | Kind::Assign(local, value) => {
                self.visit(value);
                self.bind(*local);
            }
            Kind::Closure(frame) => {
                for (outer, _) in &self.c.frames[*frame].captures {
                    self.mention(*outer, draft.span, true);
                }
            }
            Kind::Interpolate(parts) | Kind::Html(parts) => {
                for part in parts {
                    if let DraftPart::Value(value) = part {
                        self.visit(value);
                    }
                }
            }
            Kind::Call(_, _, args)
            | Kind::CallNative(_, _, args)
            | Kind::Record(args)
            | Kind::Case(_, args)
            | Kind::List(args)
            | Kind::Set(args)
            | Kind::Block(args) => self.all(args),
            Kind::Map(entries) => {
                for (key, value) in entries {
                    self.visit(key);
                    self.visit(value);
                }
            }
            Kind::CallValue(callee, args) => {
                self.visit(callee);
                self.all(args);
            }
            Kind::SetGlobal(_, value)
            | Kind::Formatted(value, _)
            | Kind::Assert(value, _)
            | Kind::Field(value, _)
            | Kind::Neg(value)
            | Kind::Not(value)
            | Kind::Some(value)
            | Kind::Return(value)
            | Kind::Lift(value)
            | Kind::Absent(value)
            | Kind::Respond(value) => self.visit(value),
            Kind::Index(a, b) | Kind::Range(a, b, _) | Kind::Operator(_, a, b) => {
                self.visit(a);
                self.visit(b);
            }
            Kind::And(a, b) | Kind::Or(a, b) => {
                self.visit(a);
                let short = self.state.clone();
                self.visit(b);
                self.state = join(self.state.take(), short);
            }
            Kind::If(cond, then, otherwise) => {
                self.visit(cond);
                let before = self.state.clone();
                self.visit(then);
                let after = std::mem::replace(&mut self.state, before);
                if let Some(otherwise) = otherwise {
                    self.visit(otherwise);
                }
                self.state = join(self.state.take(), after);
            }
            Kind::Match(subject, arms) | Kind::Try(subject, arms, _) => self.arms(subject, arms),
            Kind::For(local, walked, body) => {
                self.visit(walked);
                self.turns(|walk| {
                    let over = walk.state.clone();
                    walk.bind(*local);
                    walk.visit(body);
                    over
                });
            }
            Kind::While(cond, body) => self.turns(|walk| {
                walk.visit(cond);
                let over = walk.state.clone();
                walk.visit(body);
                over
            }),
            Kind::Loop(body) | Kind::Turns(_, _, body) => self.turns(|walk| {
                walk.visit(body);
                None
            }),
            Kind::Break => {
                let state = self.state.take();
                if let Some(ends) = self.loops.last_mut() {
                    ends.breaks = join(ends.breaks.take(), state);
                }
            }
            Kind::Continue => {
                let state = self.state.take();
                if let Some(ends) = self.loops.last_mut() {
                    ends.continues = join(ends.continues.take(), state);
                }
            }
            Kind::Error
            | Kind::Unit
            | Kind::Int(_)
            | Kind::Bool(_)
            | Kind::Text(_)
            | Kind::Bytes(_)
            | Kind::Global(_)
            | Kind::FnValue(_)
            | Kind::None => {}
        }
    }

    fn keys(&mut self, place: &DraftPlace) {
        place.keys().for_each(|key| self.visit(key));
    }

    fn arms(&mut self, subject: &Draft, arms: &[DraftArm]) {
        self.visit(subject);
        let (mut before, mut after) = (self.state.take(), None);
        for arm in arms {
            self.state = before.clone();
            self.bind_pattern(&arm.pattern);
            if let Some(guard) = &arm.guard {
                self.visit(guard);
                before = join(before, self.state.clone());
            }
            self.visit(&arm.body);
            after = join(after, self.state.take());
        }
        self.state = after;
    }

    /// Walks a loop's turn twice; `turn` gives the state in which the loop may end before its body.
    fn turns(&mut self, turn: impl Fn(&mut Self) -> State) {
        let mut entry = self.state.take();
        let mut exit = None;
        for _ in 0..2 {
            self.state = entry.clone();
            self.loops.push(Ends::default());
            let over = turn(self);
            let ends = self.loops.pop().unwrap_or_default();
            exit = join(over, ends.breaks);
            entry = join(entry, join(self.state.take(), ends.continues));
        }
        self.state = exit;
    }
}
