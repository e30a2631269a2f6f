//! Closures that streams call: with one item after the other, each call on a pooled fiber.

use crate::failure::Failure;
use crate::heap::Word;
use crate::run::Run;
use crate::scope::{Scope, Source};
use crate::value::{Any, Arg, Closure, Handle, Own};
use std::task::{Context, Poll, ready};

/// A closure that is called with one item after the other.
pub struct Calls {
    closure: Own<Closure>,
    /// The call that has not returned yet.
    run: Option<Run>,
}

impl Calls {
    /// Calls of `closure`, none begun.
    pub fn new(closure: Own<Closure>) -> Self {
        Self { closure, run: None }
    }

    /// Whether a call has not returned yet.
    pub fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// Begins a call with an item. Takes it over.
    pub fn begin(&mut self, scope: &mut Scope, item: Any, is_ref: bool) -> Result<(), Failure> {
        let closure = self.closure.get();
        self.begin_with(scope, &[Handle::word(closure), item.word()])
            .inspect_err(|_| give_up(scope, item, is_ref))
    }

    /// Begins a call with two words. They are taken over unless it fails.
    pub fn begin_two(&mut self, scope: &mut Scope, first: Word, second: Word) -> Result<(), Failure> {
        let closure = self.closure.get();
        self.begin_with(scope, &[Handle::word(closure), first, second])
    }

    fn begin_with(&mut self, scope: &Scope, words: &[Word]) -> Result<(), Failure> {
        self.run = Some(Run::new(scope, self.closure.get().code(), words)?);
        Ok(())
    }

    /// The result of the call that was begun.
    pub fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Failure>> {
        let run = self.run.as_mut().expect("a call was begun");
        let result = ready!(run.poll(scope, cx));
        if let Some(run) = self.run.take()
            && result.is_err()
        {
            run.abandon(scope);
        }
        Poll::Ready(result)
    }

    /// Whether the call that was begun, or the source that is pulled for the next one, waits for what only others of the scope can do.
    pub fn wait_inside(&self, source: &dyn Source, scope: &Scope) -> bool {
        match &self.run {
            Some(run) => run.waits_inside(scope),
            None => source.waits_inside(scope),
        }
    }

    /// Ends it, with a call that has not returned.
    pub fn close(self, scope: &mut Scope) {
        if let Some(run) = self.run {
            run.abandon(scope);
        }
        scope.give_up(self.closure);
    }
}

/// Gives up an owned item.
pub fn give_up(scope: &mut Scope, item: Any, is_ref: bool) {
    if is_ref {
        // SAFETY: an owned word of a reference type.
        unsafe { scope.drop_word(item.word()) };
    }
}

/// An item of a source.
pub fn as_any(word: Word) -> Any {
    // SAFETY: a source's items are of its item type.
    unsafe { Any::from_word(word) }
}
