//! Stages that give items of their source, or of a closure: `map`, `filter` and its kin, `take`, `drop`.
//!
//! Invariant: a closure runs on a pooled fiber, started when an item is there and gone when it returns.

use super::calls::{Calls, as_any, give_up};
use crate::failure::Failure;
use crate::heap::Word;
use crate::scope::{Scope, Source};
use crate::value::{Any, Closure, Own};
use std::task::{Context, Poll, ready};

/// `f` of each item.
pub struct Map {
    source: Box<dyn Source>,
    calls: Calls,
    is_ref: bool,
}

impl Map {
    /// A stage on `source`; whether its items are references.
    pub fn new(source: Box<dyn Source>, f: Own<Closure>, is_ref: bool) -> Self {
        Self { source, calls: Calls::new(f), is_ref }
    }
}

impl Source for Map {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        if !self.calls.is_running() {
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

    fn below(&self) -> Option<&dyn Source> {
        Some(&*self.source)
    }

    fn waits_inside(&self, scope: &Scope) -> bool {
        self.calls.wait_inside(&*self.source, scope)
    }
}

/// What a closure decides about items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Those for which it holds are given.
    Keep,
    /// They are given up to the first for which it does not hold.
    While,
    /// They are given from the first for which it does not hold.
    From,
    /// All are given; it is not asked any more.
    All,
}

/// The items that a closure chooses.
pub struct Filter {
    /// `None` once no more item is given.
    source: Option<Box<dyn Source>>,
    rule: Rule,
    calls: Calls,
    /// The item that is being decided about.
    item: Option<Any>,
    is_ref: bool,
}

impl Filter {
    /// A stage on `source`; whether its items are references.
    pub fn new(source: Box<dyn Source>, rule: Rule, decides: Own<Closure>, is_ref: bool) -> Self {
        Self { source: Some(source), rule, calls: Calls::new(decides), item: None, is_ref }
    }

    /// Whether an item is given of which the closure said so.
    fn gives(&mut self, scope: &mut Scope, holds: bool) -> bool {
        match self.rule {
            Rule::From if !holds => self.rule = Rule::All,
            Rule::While if !holds => {
                if let Some(source) = self.source.take() {
                    source.close(scope);
                }
            }
            Rule::Keep | Rule::While | Rule::From | Rule::All => {}
        }
        holds != matches!(self.rule, Rule::From | Rule::All)
    }
}

impl Source for Filter {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            if self.item.is_none() {
                let Some(source) = &mut self.source else { return Poll::Ready(None) };
                let item = match ready!(source.poll_next(scope, cx)) {
                    Some(Ok(item)) if self.rule != Rule::All => as_any(item),
                    next => return Poll::Ready(next),
                };
                self.item = Some(scope.dup_any(item, self.is_ref));
                if let Err(failure) = self.calls.begin(scope, item, self.is_ref) {
                    return Poll::Ready(Some(Err(failure)));
                }
            }
            match ready!(self.calls.poll(scope, cx)) {
                Ok(holds) => {
                    let item = self.item.take().expect("an item is being decided about");
                    if self.gives(scope, holds != 0) {
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
        if let Some(source) = self.source {
            source.close(scope);
        }
    }

    fn below(&self) -> Option<&dyn Source> {
        self.source.as_deref()
    }

    fn waits_inside(&self, scope: &Scope) -> bool {
        self.source.as_ref().is_some_and(|source| self.calls.wait_inside(&**source, scope))
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

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        // The last item closes the source.
        if self.left < 2 {
            return None;
        }
        let next = self.source.as_mut()?.ready_next(scope)?;
        self.left -= 1;
        Some(next)
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.end(scope);
    }

    fn below(&self) -> Option<&dyn Source> {
        self.source.as_deref()
    }
}

/// The items behind the first ones.
pub struct Drop {
    source: Box<dyn Source>,
    left: u64,
    is_ref: bool,
}

impl Drop {
    /// The items of `source` behind the first `count`; whether they are references.
    pub fn new(source: Box<dyn Source>, count: u64, is_ref: bool) -> Self {
        Self { source, left: count, is_ref }
    }
}

impl Source for Drop {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            ready!(scope.poll_turn(cx));
            let next = ready!(self.source.poll_next(scope, cx));
            match next {
                Some(Ok(item)) if self.left > 0 => {
                    self.left -= 1;
                    give_up(scope, as_any(item), self.is_ref);
                }
                next => return Poll::Ready(next),
            }
        }
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        if self.left == 0 { self.source.ready_next(scope) } else { None }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.source.close(scope);
    }

    fn below(&self) -> Option<&dyn Source> {
        Some(&*self.source)
    }
}
