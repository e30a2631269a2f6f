//! Stages between failures of a stream and results among its items.
//!
//! `Unwrapped` gives what results hold, and fails with the first error; `Results` makes a result of each item, and of a
//! failure the last one.
//! Invariant: a trap is no failure and passes through.

use super::calls::{Calls, as_any};
use crate::failure::Failure;
use crate::heap::Word;
use crate::scope::{Scope, Source};
use crate::value::{Closure, Error, Own};
use std::task::{Context, Poll, ready};
use weir_abi::layout::{CASE_INDEX, case_field};

/// The index of the case `Ok` of a result.
const OK: Word = 0;

/// What the results that a source gives hold.
pub struct Unwrapped {
    source: Box<dyn Source>,
    is_ref: bool,
}

impl Unwrapped {
    /// A stage on a source of results; whether what they hold are references.
    pub fn new(source: Box<dyn Source>, is_ref: bool) -> Self {
        Self { source, is_ref }
    }

    /// What an owned result holds.
    fn open(&self, scope: &mut Scope, result: Word) -> Result<Word, Failure> {
        let object = as_any(result);
        let inner = object.part(case_field(0));
        let opened = if object.part(CASE_INDEX).word() == OK {
            Ok(scope.dup_any(inner, self.is_ref).word())
        } else {
            Err(inner.as_arg::<Error>().one_failure())
        };
        // SAFETY: the source's item is an owned result, which is a reference.
        unsafe { scope.drop_word(result) };
        opened
    }
}

impl Source for Unwrapped {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        Poll::Ready(match ready!(self.source.poll_next(scope, cx)) {
            Some(Ok(result)) => Some(self.open(scope, result)),
            end => end,
        })
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.source.close(scope);
    }

    fn below(&self) -> Option<&dyn Source> {
        Some(&*self.source)
    }
}

/// A result of each item, and of a failure.
pub struct Results {
    /// `None` behind a failure.
    source: Option<Box<dyn Source>>,
    is_ref: bool,
    ok: Calls,
    /// Makes an `Err` of the failure that is recorded; its argument says nothing.
    err: Calls,
}

impl Results {
    /// A stage on `source`; whether its items are references.
    pub fn new(source: Box<dyn Source>, is_ref: bool, ok: Own<Closure>, err: Own<Closure>) -> Self {
        Self { source: Some(source), is_ref, ok: Calls::new(ok), err: Calls::new(err) }
    }
}

impl Source for Results {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        if !self.ok.is_running() && !self.err.is_running() {
            let Some(source) = &mut self.source else { return Poll::Ready(None) };
            let begun = match ready!(source.poll_next(scope, cx)) {
                Some(Ok(item)) => self.ok.begin(scope, as_any(item), self.is_ref),
                Some(Err(failure)) if failure.trace.is_none() => {
                    if let Some(source) = self.source.take() {
                        source.close(scope);
                    }
                    scope.failure = Some(failure);
                    self.err.begin(scope, as_any(0), false)
                }
                end => return Poll::Ready(end),
            };
            if let Err(failure) = begun {
                return Poll::Ready(Some(Err(failure)));
            }
        }
        let running = if self.err.is_running() { &mut self.err } else { &mut self.ok };
        running.poll(scope, cx).map(Some)
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.ok.close(scope);
        self.err.close(scope);
        if let Some(source) = self.source {
            source.close(scope);
        }
    }

    fn below(&self) -> Option<&dyn Source> {
        self.source.as_deref()
    }
}
