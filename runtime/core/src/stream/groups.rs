//! Stages that make other items of several, or several of one: `scan`, `chunks`, numbering, flattening.

use super::calls::{Calls, as_any, give_up};
use crate::failure::Failure;
use crate::heap::{Full, Word};
use crate::scope::{Scope, Source};
use crate::trace::Trace;
use crate::value::{Any, Arg, Closure, Handle, List, Own, Ref, Stream};
use std::task::{Context, Poll, ready};
use weir_abi::layout::{self, shape};

fn out_of_memory(full: Full) -> Failure {
    Failure::of_trap(&full.into(), Trace::default())
}

/// The values that a closure makes of the one before and an item.
pub struct Scan {
    source: Box<dyn Source>,
    calls: Calls,
    /// `None` while the closure has it.
    value: Option<Any>,
    is_ref: bool,
    is_item_ref: bool,
}

impl Scan {
    /// A stage on `source`, from the value `start` on; whether values and items are references.
    pub fn new(
        source: Box<dyn Source>,
        start: Any,
        f: Own<Closure>,
        is_ref: bool,
        is_item_ref: bool,
    ) -> Self {
        Self { source, calls: Calls::new(f), value: Some(start), is_ref, is_item_ref }
    }
}

impl Source for Scan {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        if let Some(value) = self.value {
            let item = match ready!(self.source.poll_next(scope, cx)) {
                Some(Ok(item)) => item,
                end => return Poll::Ready(end),
            };
            if let Err(failure) = self.calls.begin_two(scope, value.word(), item) {
                give_up(scope, as_any(item), self.is_item_ref);
                return Poll::Ready(Some(Err(failure)));
            }
            self.value = None;
        }
        let result = ready!(self.calls.poll(scope, cx)).map(|word| {
            let value = as_any(word);
            self.value = Some(scope.dup_any(value, self.is_ref));
            word
        });
        Poll::Ready(Some(result))
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        if let Some(value) = self.value {
            give_up(scope, value, self.is_ref);
        }
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

/// What a closure makes of each item and its index, from 0.
pub struct Indexed {
    source: Box<dyn Source>,
    calls: Calls,
    index: u64,
    is_ref: bool,
}

impl Indexed {
    /// A stage on `source`; whether its items are references.
    pub fn new(source: Box<dyn Source>, f: Own<Closure>, is_ref: bool) -> Self {
        Self { source, calls: Calls::new(f), index: 0, is_ref }
    }
}

impl Source for Indexed {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        if !self.calls.is_running() {
            let item = match ready!(self.source.poll_next(scope, cx)) {
                Some(Ok(item)) => item,
                end => return Poll::Ready(end),
            };
            if let Err(failure) = self.calls.begin_two(scope, self.index, item) {
                give_up(scope, as_any(item), self.is_ref);
                return Poll::Ready(Some(Err(failure)));
            }
            self.index += 1;
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

/// Lists of so many items each; the last one may have fewer.
pub struct Chunks {
    /// `None` behind its end.
    source: Option<Box<dyn Source>>,
    size: usize,
    is_ref: bool,
    /// The items of the next list.
    begun: Option<Own<List>>,
}

impl Chunks {
    /// Lists of `size` items of `source`, at least 1; whether they are references.
    pub fn new(source: Box<dyn Source>, size: usize, is_ref: bool) -> Self {
        Self { source: Some(source), size, is_ref, begun: None }
    }

    /// Adds an item. Takes it over.
    fn add(&mut self, scope: &mut Scope, item: Word) -> Result<(), Full> {
        /// Room of the first list.
        const FIRST: usize = 16;
        let room = match &self.begun {
            Some(list) if list.get().len() < list.get().capacity() => Ok(()),
            Some(list) => {
                let capacity = self.size.min(2 * list.get().capacity());
                self.begin(scope, capacity)
            }
            None => self.begin(scope, self.size.min(FIRST)),
        };
        if let (Ok(()), Some(list)) = (&room, &self.begun) {
            list.get().append(&[item]);
        } else {
            give_up(scope, as_any(item), self.is_ref);
        }
        room
    }

    /// Makes room for so many items, more than there are.
    fn begin(&mut self, scope: &mut Scope, capacity: usize) -> Result<(), Full> {
        let larger = scope.list(if self.is_ref { shape::LIST_REF } else { shape::LIST_WORD }, capacity)?;
        if let Some(old) = self.begun.take() {
            larger.get().append(old.get().words());
            // The references moved.
            old.get().object().set(layout::LEN, 0);
            scope.give_up(old);
        }
        self.begun = Some(larger);
        Ok(())
    }

    fn give(&mut self) -> Option<Result<Word, Failure>> {
        self.begun.take().map(|list| Ok(list.get().word()))
    }
}

impl Source for Chunks {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            ready!(scope.poll_turn(cx));
            let Some(source) = &mut self.source else { return Poll::Ready(None) };
            match ready!(source.poll_next(scope, cx)) {
                Some(Ok(item)) => {
                    if let Err(full) = self.add(scope, item) {
                        return Poll::Ready(Some(Err(out_of_memory(full))));
                    }
                    if self.begun.as_ref().is_some_and(|list| list.get().len() == self.size) {
                        return Poll::Ready(self.give());
                    }
                }
                None => {
                    if let Some(source) = self.source.take() {
                        source.close(scope);
                    }
                    return Poll::Ready(self.give());
                }
                failure => return Poll::Ready(failure),
            }
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        if let Some(list) = self.begun {
            scope.give_up(list);
        }
        if let Some(source) = self.source {
            source.close(scope);
        }
    }

    fn below(&self) -> Option<&dyn Source> {
        self.source.as_deref()
    }
}

/// The items of the streams that a stream gives, one stream after the other.
pub struct Flatten {
    source: Box<dyn Source>,
    /// The one that is being read, and how deep its stages are: while it is read, they stand below those of this stream.
    inner: Option<(Box<dyn Source>, usize)>,
}

impl Flatten {
    /// A stage on a source of streams.
    pub fn new(source: Box<dyn Source>) -> Self {
        Self { source, inner: None }
    }
}

impl Source for Flatten {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            ready!(scope.poll_turn(cx));
            if let Some((inner, depth)) = &mut self.inner {
                let next = ready!(scope.deeper(*depth, |scope| inner.poll_next(scope, cx)));
                if next.is_some() {
                    return Poll::Ready(next);
                }
                if let Some((inner, _)) = self.inner.take() {
                    inner.close(scope);
                }
            }
            match ready!(self.source.poll_next(scope, cx)) {
                Some(Ok(word)) => {
                    // SAFETY: the source's items are owned streams.
                    let handle = unsafe { Own::<Stream>::from_word(word) };
                    match scope.take_stream(handle) {
                        Ok(inner) => {
                            let depth = inner.depth() + 1;
                            self.inner = Some((inner, depth));
                        }
                        Err(trap) => {
                            let failure = Failure::of_trap(&trap, Trace::default());
                            return Poll::Ready(Some(Err(failure)));
                        }
                    }
                }
                end => return Poll::Ready(end),
            }
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        if let Some((inner, _)) = self.inner {
            inner.close(scope);
        }
        self.source.close(scope);
    }

    fn below(&self) -> Option<&dyn Source> {
        Some(&*self.source)
    }

    fn waits_inside(&self, scope: &Scope) -> bool {
        match &self.inner {
            Some((inner, _)) => inner.waits_inside(scope),
            None => self.source.waits_inside(scope),
        }
    }
}

/// What the options that a stream gives hold.
pub struct Somes {
    source: Box<dyn Source>,
    /// Whether an option is the reference that it holds.
    is_bare: bool,
    /// Whether a box holds a reference.
    is_ref: bool,
}

impl Somes {
    /// A stage on a source of options, whose payload is the option itself or boxed, and then maybe a reference.
    pub fn new(source: Box<dyn Source>, is_bare: bool, is_ref: bool) -> Self {
        Self { source, is_bare, is_ref }
    }
}

impl Source for Somes {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            ready!(scope.poll_turn(cx));
            match ready!(self.source.poll_next(scope, cx)) {
                Some(Ok(0)) => {}
                Some(Ok(word)) if !self.is_bare => {
                    let option = as_any(word);
                    let payload = scope.dup_any(option.part(layout::BOX_VALUE), self.is_ref);
                    give_up(scope, option, true);
                    return Poll::Ready(Some(Ok(payload.word())));
                }
                next => return Poll::Ready(next),
            }
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.source.close(scope);
    }

    fn below(&self) -> Option<&dyn Source> {
        Some(&*self.source)
    }
}
