//! Streams in programs: loops over them, and closures that make them fail.
//!
//! A loop pulls item by item; a failure of the stream leaves the function as `?` does.
//! Not here: streams that were moved (`moves`).

use super::Checker;
use crate::draft::{DeclId, Draft, DraftArm, Kind};
use crate::modules::ModuleId;
use crate::typed::Pattern;
use crate::unify::{T, Term};
use crate::ways;
use weir_syntax::ast::{self, Arg, Block, ExprKind};
use weir_syntax::span::Span;

/// What stands before the name of a combinator whose closure may fail.
const TRY: &str = "try-";

impl<'a> Checker<'a> {
    /// `for pattern in stream { }`
    pub(super) fn for_stream(
        &mut self,
        pattern: &'a ast::Pattern,
        stream: Draft,
        item: T,
        body: &'a Block,
        span: Span,
    ) -> Draft {
        let (ty, at) = (stream.ty, stream.span);
        let own = Draft::new(Kind::CallNative("stream-own".to_string(), vec![item], vec![stream]), ty, at);
        let handle = self.temporary("$stream", ty, at);
        let handle_value = Draft::new(Kind::Local(handle), ty, at);
        let option = self.terms.add(Term::Option(item));
        let pull = Kind::CallNative("stream-next".to_string(), vec![item], vec![handle_value]);
        let pull = Draft::new(pull, option, at);
        let taken = self.in_block(|c| {
            let (local, apart) = c.item_pattern(pattern, item);
            let body = c.loop_body(body);
            let body = c.behind(apart.into_iter().collect(), body);
            DraftArm { pattern: Pattern::Some(Box::new(Pattern::Bind(local))), guard: None, body }
        });
        let failed = Draft::new(Kind::CallNative("stream-failed".to_string(), vec![], vec![]), T::BOOL, at);
        let error = self.made_error("failure", Vec::new(), at);
        let out =
            self.failed(error, at, "The stream may fail: walk over its `.results()`, whose items say so");
        let end = Draft::new(Kind::If(Box::new(failed), Box::new(out), None), T::UNIT, at);
        let leave = Draft::new(Kind::Break, T::NEVER, at);
        let end = Draft::new(Kind::Block(vec![end, leave]), T::NEVER, at);
        let over = DraftArm { pattern: Pattern::None, guard: None, body: end };
        let turn = Draft::new(Kind::Match(Box::new(pull), vec![taken, over]), T::UNIT, span);
        let bind = Draft::new(Kind::Let(handle, Box::new(own)), T::UNIT, at);
        let turns = Draft::new(Kind::Turns(handle, ty, Box::new(turn)), T::UNIT, span);
        Draft::new(Kind::Block(vec![bind, turns]), T::UNIT, span)
    }

    /// The function of a library module that takes a closure which may fail, for a call of `name` with such a lambda: its
    /// failure is one of the stream, or of the call.
    pub(super) fn failing_combinator(
        &mut self,
        home: ModuleId,
        name: &str,
        args: &'a [Arg],
    ) -> Option<DeclId> {
        let fails = |arg: &Arg| {
            let (Arg::Positional(value) | Arg::Named(_, value) | Arg::Spread(value)) = arg;
            match &value.kind {
                ExprKind::Lambda { body, .. } => {
                    let ways = ways::of_expr(body);
                    ways.tries || ways.fails
                }
                _ => false,
            }
        };
        if !args.iter().any(fails) {
            return None;
        }
        self.modules.find_fn(home, &format!("{TRY}{name}"))
    }
}
