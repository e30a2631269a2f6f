//! Stages: what `map`, `filter` and `take` put upon a stream.
//!
//! Invariant: a closure runs on a pooled fiber, started when an item is there and gone when it returns.

use crate::failure::Failure;
use crate::heap::Word;
use crate::run::Run;
use crate::scope::{Scope, Source};
use crate::value::{Any, Arg, Closure, Handle, Own};
use std::task::{Context, Poll, ready};

/// A closure that is called with one item after the other.
struct Calls {
    closure: Own<Closure>,
    /// The call that has not returned yet.
    run: Option<Run>,
}

impl Calls {
    /// Begins a call. Takes over the item.
    fn begin(&mut self, scope: &mut Scope, item: Any, is_ref: bool) -> Result<(), Failure> {
        let closure = self.closure.get();
        match Run::new(scope, closure.code(), &[Handle::word(closure), item.word()]) {
            Ok(run) => {
                self.run = Some(run);
                Ok(())
            }
            Err(failure) => {
                give_up(scope, item, is_ref);
                Err(failure)
            }
        }
    }

    /// The result of the call that was begun.
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Failure>> {
        let run = self.run.as_mut().expect("a call was begun");
        let result = ready!(run.poll(scope, cx));
        if let Some(run) = self.run.take()
            && result.is_err()
        {
            run.abandon(scope);
        }
        Poll::Ready(result)
    }

    fn close(self, scope: &mut Scope) {
        if let Some(run) = self.run {
            run.abandon(scope);
        }
        scope.give_up(self.closure);
    }
}

fn give_up(scope: &mut Scope, item: Any, is_ref: bool) {
    if is_ref {
        // SAFETY: an owned word of a reference type.
        unsafe { scope.drop_word(item.word()) };
    }
}

fn as_any(word: Word) -> Any {
    // SAFETY: a source's items are of its item type.
    unsafe { Any::from_word(word) }
}

/// `f` of each item.
pub struct Map {
    source: Box<dyn Source>,
    calls: Calls,
    is_ref: bool,
}

impl Map {
    /// A stage on `source`; whether its items are references.
    pub fn new(source: Box<dyn Source>, f: Own<Closure>, is_ref: bool) -> Self {
        Self { source, calls: Calls { closure: f, run: None }, is_ref }
    }
}

impl Source for Map {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        if self.calls.run.is_none() {
            let item = match ready!(self.source.poll_next(scope, cx)) {
                Some(Ok(item)) => as_any(item),
                end => return Poll::Ready(end),
            };
            if let Err(failure) = self.calls.begin(scope, item, self.is_ref) {
                return Poll::Ready(Some(Err(failure)));
            }
        }
        self.calls.poll(scope, cx).map(Some)
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.calls.close(scope);
        self.source.close(scope);
    }

    fn depth(&self) -> usize {
        self.source.depth() + 1
    }
}

/// The items for which a closure holds.
pub struct Filter {
    source: Box<dyn Source>,
    calls: Calls,
    /// The item that is being decided about.
    item: Option<Any>,
    is_ref: bool,
}

impl Filter {
    /// A stage on `source`; whether its items are references.
    pub fn new(source: Box<dyn Source>, keep: Own<Closure>, is_ref: bool) -> Self {
        Self { source, calls: Calls { closure: keep, run: None }, item: None, is_ref }
    }
}

impl Source for Filter {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            if self.item.is_none() {
                let item = match ready!(self.source.poll_next(scope, cx)) {
                    Some(Ok(item)) => as_any(item),
                    end => return Poll::Ready(end),
                };
                self.item = Some(scope.dup_any(item, self.is_ref));
                if let Err(failure) = self.calls.begin(scope, item, self.is_ref) {
                    return Poll::Ready(Some(Err(failure)));
                }
            }
            match ready!(self.calls.poll(scope, cx)) {
                Ok(holds) => {
                    let item = self.item.take().expect("an item is being decided about");
                    if holds != 0 {
                        return Poll::Ready(Some(Ok(item.word())));
                    }
                    give_up(scope, item, self.is_ref);
                }
                Err(failure) => return Poll::Ready(Some(Err(failure))),
            }
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        if let Some(item) = self.item {
            give_up(scope, item, self.is_ref);
        }
        self.calls.close(scope);
        self.source.close(scope);
    }

    fn depth(&self) -> usize {
        self.source.depth() + 1
    }
}

/// The first items; then the source is closed.
pub struct Take {
    /// `None` once the last item is out.
    source: Option<Box<dyn Source>>,
    left: u64,
}

impl Take {
    /// The first `count` items of `source`.
    pub fn new(source: Box<dyn Source>, count: u64, scope: &mut Scope) -> Self {
        let mut stage = Self { source: Some(source), left: count };
        if count == 0 {
            stage.end(scope);
        }
        stage
    }

    fn end(&mut self, scope: &mut Scope) {
        if let Some(source) = self.source.take() {
            source.close(scope);
        }
    }
}

impl Source for Take {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        let Some(source) = &mut self.source else { return Poll::Ready(None) };
        let next = ready!(source.poll_next(scope, cx));
        self.left -= 1;
        if self.left == 0 || !matches!(next, Some(Ok(_))) {
            self.end(scope);
        }
        Poll::Ready(next)
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.end(scope);
    }

    fn depth(&self) -> usize {
        self.source.as_ref().map_or(1, |source| source.depth() + 1)
    }
}
