//! `stream { }`: a closure that runs on a fiber of its own and gives an item at each `yield`.
//!
//! ```text
//! New ──the first pull──▶ Begun ──an item, a wait──▶ Begun
//!  │                        └──its end, an error──▶ Over
//!  └──closed──▶ gone        └──closed──▶ given up with what its frames own; what it put off is left to the scope
//! ```
//! Invariant: there is a stack in `Begun` only.

use super::calls::as_any;
use crate::failure::Failure;
use crate::heap::Word;
use crate::run::Run;
use crate::scope::{Scope, Source};
use crate::value::{Closure, Error, Handle, Own};
use std::mem;
use std::task::{Context, Poll, ready};
use weir_abi::layout::{CASE_INDEX, case_field};

/// The index of the case `Ok` of a result.
const OK: Word = 0;

enum State {
    New(Own<Closure>),
    /// The closure stays while its code runs.
    Begun(Own<Closure>, Run),
    Over,
}

/// The items that a closure yields.
pub struct Generator {
    state: State,
}

impl Generator {
    /// A stream of what `closure`, which gives a result of unit, yields.
    pub fn new(closure: Own<Closure>) -> Self {
        Self { state: State::New(closure) }
    }

    /// The run, which begins with the first call of this; `None` when the generator is over.
    fn run(&mut self, scope: &Scope) -> Result<Option<&mut Run>, Failure> {
        if let State::New(closure) = &self.state {
            let word = Handle::word(closure.get());
            let run = Run::new(scope, closure.get().code(), &[word])?;
            if let State::New(closure) = mem::replace(&mut self.state, State::Over) {
                self.state = State::Begun(closure, run);
            }
        }
        Ok(match &mut self.state {
            State::Begun(_, run) => Some(run),
            State::New(_) | State::Over => None,
        })
    }

    /// What a word that the run came to says: an item, or at its end the result that the closure gave.
    fn next(&mut self, scope: &mut Scope, word: Word) -> Option<Result<Word, Failure>> {
        match &self.state {
            State::Begun(_, run) if run.has_ended() => self.end(scope, word),
            _ => Some(Ok(word)),
        }
    }

    fn end(&mut self, scope: &mut Scope, result: Word) -> Option<Result<Word, Failure>> {
        if let State::Begun(closure, _) = mem::replace(&mut self.state, State::Over) {
            scope.give_up(closure);
        }
        let object = as_any(result);
        let failed = object.part(CASE_INDEX).word() != OK;
        let failure = failed.then(|| object.part(case_field(0)).as_arg::<Error>().one_failure());
        // SAFETY: the closure gives an owned result, which is a reference.
        unsafe { scope.drop_word(result) };
        failure.map(Err)
    }
}

impl Source for Generator {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        let polled = match self.run(scope) {
            Ok(Some(run)) => ready!(run.poll(scope, cx)),
            Ok(None) => return Poll::Ready(None),
            Err(failure) => Err(failure),
        };
        Poll::Ready(match polled {
            Ok(word) => self.next(scope, word),
            Err(failure) => Some(Err(failure)),
        })
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        let State::Begun(_, run) = &mut self.state else { return None };
        match run.go_on(scope)? {
            // Its end is told by the next poll.
            Ok(word) => self.next(scope, word),
            Err(failure) => Some(Err(failure)),
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        match self.state {
            State::New(closure) => scope.give_up(closure),
            State::Begun(closure, run) => {
                run.abandon(scope);
                scope.give_up(closure);
            }
            State::Over => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, make_closure, native};
    use std::task::Waker;
    use weir_abi::context::Ctx;

    /// Yields two items and waits for an hour.
    extern "C" fn yields(ctx: *mut Ctx, _: Word, _: Word) -> Word {
        for item in [7, 8] {
            native(ctx, "stream-yield", &[item]);
        }
        native(ctx, "sleep", &[3_600_000_000_000])
    }

    fn poll(source: &mut dyn Source, scope: &mut Scope) -> Poll<Option<Word>> {
        let polled = source.poll_next(scope, &mut Context::from_waker(Waker::noop()));
        polled.map(|next| next.map(|item| item.expect("no failure")))
    }

    #[tokio::test]
    async fn there_is_a_stack_in_mid_body_only() {
        let scope = &mut testing::scope();
        let fibers = scope.worker().counters.fibers.get();
        for pulls in 0..4 {
            let closure = make_closure(scope, yields);
            let mut source: Box<dyn Source> = Box::new(Generator::new(closure));
            assert_eq!(scope.worker().counters.fibers.get(), fibers);
            for at in 0..pulls {
                let item = [Poll::Ready(Some(7)), Poll::Ready(Some(8)), Poll::Pending][at];
                assert_eq!(poll(&mut *source, scope), item);
                assert_eq!(scope.worker().counters.fibers.get(), fibers + 1);
            }
            source.close(scope);
            assert_eq!(scope.worker().counters.fibers.get(), fibers);
            assert_eq!(scope.heap().live(), 0);
        }
    }
}
