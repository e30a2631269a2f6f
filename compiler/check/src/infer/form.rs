//! Blocks that are bodies of their own: `stream { }` with its `yield`s, `spawn { }`, `background { }` and `defer { }`.
//!
//! Each becomes a closure without parameters, which captures values as a lambda does, handed to what the library makes of it.
//! That of `stream`, `background` and `defer` gives `()!`, so that a `?` or `fail` in it has a way out; that of `spawn` gives
//! what the block does. A function with a `defer` calls what it put off on each way out, which `zonk` adds.
//! Not here: lambdas (`lambda`), what running them means (the runtime).

use super::{Checker, OK, Origin, Want, Why};
use crate::draft::{Draft, FrameId, Kind};
use crate::scope::{Deferring, Frame, Role};
use crate::unify::{T, Term};
use crate::ways;
use weir_syntax::ast::{self, Block, Form};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// Types of the library that belong to one request, which work of the server outlives.
const OF_A_REQUEST: [&str; 7] = ["Request", "Query", "Headers", "Response", "Answer", "Task", "Channel"];

impl<'a> Checker<'a> {
    /// `stream { }`, `spawn { }` or `background { }`
    pub fn form(&mut self, form: Form, block: &'a Block, span: Span, want: Want) -> Draft {
        match form {
            Form::Stream => self.stream_block(block, span, want),
            Form::Spawn => self.spawn_block(block, span),
            Form::Background => self.background_block(block, span),
        }
    }

    fn stream_block(&mut self, block: &'a Block, span: Span, want: Want) -> Draft {
        let expected = self.literal_type(want).and_then(|(ty, origin)| match self.terms.head(ty) {
            Term::Stream(item) => Some((*item, origin)),
            _ => None,
        });
        let (item, origin) = expected.unwrap_or_else(|| (self.terms.var(), Origin::of(Why::Same)));
        let ty = self.terms.add(Term::Stream(item));
        if let Want::Type(wanted, _) = want
            && self.terms.is_var(wanted)
        {
            // What the block does may ask for it: a function that walks over one of its own streams.
            self.demand(ty, wanted, span, Origin::of(Why::Same));
        }
        let closure = self.failing_body(Role::Stream { item, origin }, block, span);
        Draft::new(Kind::CallNative("stream-generate".to_string(), vec![item], vec![closure]), ty, span)
    }

    fn spawn_block(&mut self, block: &'a Block, span: Span) -> Draft {
        let result = self.terms.var();
        let frame = self.body_apart(Role::Spawn, result, span, |c| {
            c.begin_result(c.here.frame, ways::of_block(block));
            let want = c.want_given();
            let body = c.block(block, want);
            let never = c.terms.is_never(body.ty);
            c.settle_result(never);
            if never && c.terms.is_var(result) {
                c.terms.bind(result, T::UNIT);
            }
            body
        });
        let closure = self.closure_of(frame, result, span);
        self.handed("task", "start", closure, span)
    }

    fn background_block(&mut self, block: &'a Block, span: Span) -> Draft {
        let closure = self.failing_body(Role::Background, block, span);
        if let Kind::Closure(frame) = closure.kind
            && !self.outlives_request(frame)
        {
            return Draft { ty: T::UNIT, ..Draft::error(span) };
        }
        self.handed("task", "background-start", closure, span)
    }

    /// `defer { }`
    pub fn defer(&mut self, block: &'a Block, span: Span) -> Draft {
        let closure = self.failing_body(Role::Defer, block, span);
        if self.frame().deferring.is_none() {
            let Some(run) = self.library_fn("deferred", "run") else { return Draft::error(span) };
            let depth = self.temporary("$depth", T::INT, span);
            self.frame().deferring = Some(Deferring { depth, run });
        }
        Draft::new(Kind::CallNative("defer-push".to_string(), Vec::new(), vec![closure]), T::UNIT, span)
    }

    /// `yield value`
    pub fn yield_item(&mut self, value: &'a ast::Expr, span: Span) -> Draft {
        let Role::Stream { item, origin } = self.frame().role else {
            self.yields_nowhere(span);
            self.expr(value, Want::Any);
            return Draft::error(span);
        };
        let value = self.expr(value, Want::Type(item, origin));
        if origin.span.is_none() {
            // The first item decides what the others are.
            let origin = Origin::new(Why::Item, value.span);
            self.frame().role = Role::Stream { item, origin };
        }
        Draft::new(Kind::CallNative("stream-yield".to_string(), vec![item], vec![value]), T::UNIT, span)
    }

    fn yields_nowhere(&mut self, span: Span) {
        let error = Diagnostic::error(
            "E0320",
            "`yield` gives an item of a `stream { }`, and this is none",
            span,
            "no stream here",
        );
        let frames = std::iter::successors(self.frame().parent, |at| self.frames[*at].parent);
        let inside = frames.into_iter().any(|at| matches!(self.frames[at].role, Role::Stream { .. }));
        let error = match self.frames[self.here.frame].role {
            Role::Function if inside => error.help(
                "A lambda cannot yield for the stream around it. Use a `for` loop instead of the lambda.",
            ),
            Role::Function => error.help("Put it into a block that makes a stream: `stream { yield 1 }`."),
            role if inside => error
                .help(format!("What stands in `{} {{ }}` runs by itself. Yield outside of it.", role.word())),
            _ => error.help("Put it into a block that makes a stream: `stream { yield 1 }`."),
        };
        self.report(error);
    }

    /// Reports a value that is returned where none is given. Whether it is one.
    pub(super) fn returns_nothing(&mut self, value: &'a ast::Expr) -> bool {
        let (message, help) = match self.frame().role {
            Role::Stream { .. } => (
                "A `stream { }` gives its items by `yield`, and `return` only ends it",
                "Write `yield` in front of the value, and `return` behind it.",
            ),
            Role::Background => (
                "Nobody takes what a `background { }` would give",
                "Keep it in a `store`, publish it, or write it to the log.",
            ),
            Role::Defer => (
                "Nobody takes what a `defer { }` would give",
                "`return` alone leaves the block; the function's own result was given before.",
            ),
            Role::Function | Role::Spawn => return false,
        };
        self.report(Diagnostic::error("E0321", message, value.span, "this value").help(help));
        true
    }

    /// A closure of the block that gives nothing, or fails.
    fn failing_body(&mut self, role: Role, block: &'a Block, span: Span) -> Draft {
        let result = self.result_of(T::UNIT);
        let frame = self.body_apart(role, result, span, |c| {
            let body = c.block(block, Want::Effect);
            if c.terms.is_never(body.ty) {
                return body;
            }
            let end = span.after();
            let done = Draft::new(Kind::Case(OK, vec![Draft::unit(end)]), result, end);
            Draft::new(Kind::Block(vec![body, done]), result, span)
        });
        self.closure_of(frame, result, span)
    }

    /// A frame for a body within this one, which `infer` infers from inside.
    fn body_apart(
        &mut self,
        role: Role,
        result: T,
        span: Span,
        infer: impl FnOnce(&mut Self) -> Draft,
    ) -> FrameId {
        let name = format!("{} in {}", role.word(), self.outer_name());
        let frame = self.frames.open(Frame { role, ..Frame::within(self.here.frame, name, span, result) });
        let here = self.inside(frame);
        self.fill(here, infer);
        frame
    }

    fn closure_of(&mut self, frame: FrameId, result: T, span: Span) -> Draft {
        let ty = self.terms.function(&[], result);
        Draft::new(Kind::Closure(frame), ty, span)
    }

    /// Reports a task that may fail and that nobody holds.
    pub(super) fn unused_task(&mut self, ty: T, span: Span) {
        let shown = self.terms.show(ty);
        let message = "This task may fail, and nobody looks at it";
        let error = Diagnostic::error("E0343", message, span, format!("this is `{shown}`"));
        self.report(error.help(
            "Look at the failure inside of the block, or keep the task and `wait()` for what it gives.",
        ));
    }

    /// A call of what the library does with such a block.
    fn handed(&mut self, module: &str, function: &str, closure: Draft, span: Span) -> Draft {
        match self.library_fn(module, function) {
            Some(decl) => self.call_with(decl, vec![closure], span),
            None => Draft::error(span),
        }
    }

    /// Whether a block can outlive its request; reports what it cannot take along.
    fn outlives_request(&mut self, frame: FrameId) -> bool {
        let errors = self.reports.errors();
        let captured: Vec<(T, &str, Span)> = {
            let frame = &self.frames[frame];
            let captures = frame.captures.iter().map(|(_, inner)| frame.variable(*inner));
            captures.map(|variable| (variable.ty, variable.name, variable.span)).collect()
        };
        for (ty, name, span) in captured {
            let of_a_request = |id| OF_A_REQUEST.contains(&self.modules.ty(id).decl.name.text.as_str());
            let stays = self.terms.any(ty, &mut |term, _| match *term {
                Term::Stream(_) => true,
                Term::Native(id) => of_a_request(id),
                Term::Record(id, _) => self.is_native(id) && of_a_request(id),
                _ => false,
            });
            if stays {
                let shown = self.terms.show(ty);
                let message = format!("`{name}` belongs to the request, which a `background {{ }}` outlives");
                let error = Diagnostic::error("E0323", message, span, format!("this is `{shown}`"));
                self.report(error.help("Take what is needed out of it before, as in `let path = req.path`."));
            }
        }
        self.reports.errors() == errors
    }
}
