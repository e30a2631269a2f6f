//! Stages that leave out items that came before: `distinct` any of them, `changes` the last one.

use super::calls::{as_any, give_up};
use crate::equal::are_same_keys;
use crate::failure::Failure;
use crate::heap::Full;
use crate::heap::Word;
use crate::lists::REFS;
use crate::map::changes::{self, Begun, Change, Insertion};
use crate::map::{EntryTypes, Keys, Map};
use crate::scope::{Scope, Source};
use crate::trace::Trace;
use crate::value::{Any, Own};
use std::task::{Context, Poll, ready};
use weir_abi::types::TypeId;

/// Each item once. Those that came are kept, in the scope's heap.
pub struct Distinct {
    source: Box<dyn Source>,
    /// `None` when there was no room for another item.
    seen: Option<Own<Map>>,
    /// An item on its way into them, which is then given.
    going: Option<(Box<Insertion>, Any)>,
    item: TypeId,
    is_ref: bool,
}

impl Distinct {
    /// A stage on `source`, whose items are of that type; `seen` is an empty Set.
    pub fn new(source: Box<dyn Source>, seen: Own<Map>, item: TypeId, is_ref: bool) -> Self {
        Self { source, seen: Some(seen), going: None, item, is_ref }
    }

    /// Whether the item is new; then it is kept as well, soon.
    fn is_new(&mut self, scope: &mut Scope, item: Any) -> Result<bool, Failure> {
        let Some(seen) = self.seen.take() else { return Ok(false) };
        let app = scope.app().clone();
        if seen.get().find(Keys::of(&app.module().types, self.item), item).is_some() {
            self.seen = Some(seen);
            return Ok(false);
        }
        let types = EntryTypes { key: self.item, value: None };
        let key = scope.dup_any(item, self.is_ref);
        match changes::insert(scope, types, seen, key, Any::NOTHING, REFS) {
            Ok(Begun::Done(seen)) => self.seen = Some(seen),
            Ok(Begun::Going(insertion)) => self.going = Some((insertion, item)),
            Err(full) => return Err(failed(full)),
        }
        Ok(true)
    }

    /// Goes on with the item on its way; itself when it is kept.
    fn go_on(&mut self, scope: &mut Scope) -> Result<Option<Any>, Failure> {
        let Some((mut insertion, item)) = self.going.take() else { return Ok(None) };
        match insertion.step(scope, REFS) {
            Ok(Some(seen)) => {
                self.seen = Some(seen);
                Ok(Some(item))
            }
            Ok(None) => {
                self.going = Some((insertion, item));
                Ok(None)
            }
            Err(full) => {
                give_up(scope, item, self.is_ref);
                Err(failed(full))
            }
        }
    }
}

fn failed(full: Full) -> Failure {
    Failure::of_trap(&full.into(), Trace::default())
}

impl Source for Distinct {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            ready!(scope.poll_turn(cx));
            if self.going.is_some() {
                match self.go_on(scope).transpose() {
                    Some(kept) => return Poll::Ready(Some(kept.map(Any::word))),
                    None => continue,
                }
            }
            let item = match ready!(self.source.poll_next(scope, cx)) {
                Some(Ok(item)) => as_any(item),
                end => return Poll::Ready(end),
            };
            match self.is_new(scope, item) {
                Ok(true) if self.going.is_some() => {}
                Ok(true) => return Poll::Ready(Some(Ok(item.word()))),
                Ok(false) => give_up(scope, item, self.is_ref),
                Err(failure) => {
                    give_up(scope, item, self.is_ref);
                    return Poll::Ready(Some(Err(failure)));
                }
            }
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        if let Some(seen) = self.seen {
            scope.give_up(seen);
        }
        if let Some((insertion, item)) = self.going {
            insertion.close(scope);
            give_up(scope, item, self.is_ref);
        }
        self.source.close(scope);
    }

    fn below(&self) -> Option<&dyn Source> {
        Some(&*self.source)
    }
}

/// The items that differ from the one before.
pub struct Changes {
    source: Box<dyn Source>,
    last: Option<Any>,
    item: TypeId,
    is_ref: bool,
}

impl Changes {
    /// A stage on `source`, whose items are of that type.
    pub fn new(source: Box<dyn Source>, item: TypeId, is_ref: bool) -> Self {
        Self { source, last: None, item, is_ref }
    }
}

impl Source for Changes {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            ready!(scope.poll_turn(cx));
            let item = match ready!(self.source.poll_next(scope, cx)) {
                Some(Ok(item)) => as_any(item),
                end => return Poll::Ready(end),
            };
            let app = scope.app().clone();
            match self.last {
                Some(last) if are_same_keys(&app.module().types, self.item, last, item) => {
                    give_up(scope, item, self.is_ref);
                }
                last => {
                    self.last = Some(scope.dup_any(item, self.is_ref));
                    if let Some(last) = last {
                        give_up(scope, last, self.is_ref);
                    }
                    return Poll::Ready(Some(Ok(item.word())));
                }
            }
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        if let Some(last) = self.last {
            give_up(scope, last, self.is_ref);
        }
        self.source.close(scope);
    }

    fn below(&self) -> Option<&dyn Source> {
        Some(&*self.source)
    }
}
