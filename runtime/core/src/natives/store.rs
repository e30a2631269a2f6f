//! Natives of `store.weir`, and `store` of the prelude.
//!
//! Values are packed and unpacked in pieces on the worker's stack, with others between them. What a store in a file answers
//! is awaited.

use super::Flow;
use crate::carry::{Block, Damaged, Kind, Packer, Unpacker};
use crate::failure::Failure;
use crate::heap::{Full, Word};
use crate::scope::{Entry, Held, Operation, Scope};
use crate::shared::Shared;
use crate::store::{Answer, Put, Store, full};
use crate::value::{Any, Boxed, Gives, List, Own, Ref, Resource, Text};
use crate::waiting::on_future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use weir_abi::layout::{self, shape};
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// What natives that put something give: it failed, and why is recorded.
const FAILED: Word = -1i64 as Word;

/// The store of that name, for values of type `ty`, in memory or in a file.
pub fn store_open(scope: &mut Scope, ty: TypeId, name: Text, file: Any) -> Result<Flow, Trap> {
    let kind = Kind::of(scope.app().module(), ty);
    if file.word() == 0 {
        let store = Store::open(name.as_str(), &kind).map_err(Trap::native)?;
        return Ok(Flow::Done(scope.share(Shared::Store(store))?.into_word()));
    }
    let Answer::Later(opened) = Store::open_file(name.as_str(), file.as_arg::<Text>().as_str(), &kind) else {
        unreachable!("files are opened beside the worker")
    };
    Ok(on_future(scope, opened, |scope, opened: Result<Arc<Store>, Failure>| match opened {
        Ok(store) => Ok(scope.share(Shared::Store(store))?.into_word()),
        Err(failure) => Err(Trap::native(failure.message)),
    }))
}

fn store_of(scope: &Scope, handle: Resource) -> Arc<Store> {
    Arc::clone(scope.app().store(handle))
}

/// Gives what `finish` makes of an answer, or, with the failure recorded, `failed`.
fn answer<T: 'static>(
    scope: &mut Scope,
    answer: Answer<T>,
    failed: Word,
    finish: impl FnOnce(&mut Scope, T) -> Result<Word, Trap> + 'static,
) -> Result<Flow, Trap> {
    let take = move |scope: &mut Scope, result: Result<T, Failure>| match result {
        Ok(value) => finish(scope, value),
        Err(failure) => {
            scope.failure = Some(failure);
            Ok(failed)
        }
    };
    match answer {
        Answer::Now(result) => take(scope, result).map(Flow::Done),
        Answer::Later(future) => Ok(on_future(scope, future, take)),
    }
}

/// What is under a key, held for looking at it and for putting something in its place; `None` when the store failed.
pub fn store_find(scope: &mut Scope, handle: Resource, key: Text) -> Result<Flow, Trap> {
    let app = scope.app().clone();
    let found = app.store(handle).find(key.as_str());
    let key: Box<str> = key.as_str().into();
    answer(scope, found, 0, move |scope, found| {
        Ok(scope.resource(Entry::Held(Held { key, found }))?.into_word())
    })
}

/// The value that was found, as an option of an option; `None` when it cannot be read.
pub fn store_value(scope: &mut Scope, ty: TypeId, handle: Resource, held: Resource) -> Result<Flow, Trap> {
    let Some(block) = scope.held(held).found.block.clone() else {
        return Ok(Flow::Done(present(scope, 0)?));
    };
    let store = store_of(scope, handle);
    let unpacker = Unpacker::new(block, store.kind(), ty);
    let mut reading = Reading { unpacker, ty, store };
    if let Some(word) = reading.step(scope)? {
        return Ok(Flow::Done(word));
    }
    scope.pending = Some(Box::new(reading));
    Ok(Flow::Wait)
}

/// `Some` of an option, which is given up when there is no room.
fn present(scope: &mut Scope, option: Word) -> Result<Word, Full> {
    let object = scope.object(16, shape::BOX_REF, &[(layout::BOX_VALUE, option)]);
    if object.is_err() {
        // SAFETY: an owned option, or 0.
        unsafe { scope.drop_word(option) };
    }
    Ok(object?.word())
}

/// A value that is being copied out.
struct Reading {
    unpacker: Unpacker,
    ty: TypeId,
    store: Arc<Store>,
}

impl Reading {
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        match self.unpacker.step(scope) {
            Ok(None) => Ok(None),
            Ok(Some(word)) => {
                let option = scope.some(self.ty, word)?;
                Ok(Some(present(scope, option)?))
            }
            Err(Damaged::Trap(trap)) => Err(trap),
            Err(Damaged::Bytes) => {
                scope.failure = Some(self.store.damaged());
                Ok(Some(0))
            }
        }
    }
}

impl Operation for Reading {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        in_pieces(scope, cx, |scope| self.step(scope))
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.unpacker.give_back(scope);
    }
}

/// Takes steps until there is a result, with others between them.
fn in_pieces(
    scope: &mut Scope,
    cx: &mut Context<'_>,
    mut step: impl FnMut(&mut Scope) -> Result<Option<Word>, Trap>,
) -> Poll<Result<Word, Trap>> {
    loop {
        if let Some(result) = step(scope).transpose() {
            return Poll::Ready(result);
        }
        ready!(scope.poll_turn(cx));
    }
}

/// Puts a value under a key.
pub fn store_set(
    scope: &mut Scope,
    ty: TypeId,
    handle: Resource,
    key: Text,
    value: Any,
    ttl: Any,
) -> Result<Flow, Trap> {
    let (ttl, store) = (time_to_live(ttl)?, store_of(scope, handle));
    let key = key.as_str().into();
    put(scope, Writing { stage: Stage::Packing(Packer::new(ty, value)), store, key, ttl, instead_of: None })
}

/// Puts a value in place of what was found.
pub fn store_swap(
    scope: &mut Scope,
    ty: TypeId,
    handle: Resource,
    held: Resource,
    value: Any,
    ttl: Any,
) -> Result<Flow, Trap> {
    let (ttl, store) = (time_to_live(ttl)?, store_of(scope, handle));
    let held = scope.held(held);
    let (key, instead_of) = (held.key.clone(), Some(held.found.version));
    put(scope, Writing { stage: Stage::Packing(Packer::new(ty, value)), store, key, ttl, instead_of })
}

/// A function begins that must not wait.
pub fn store_still(scope: &mut Scope) -> Result<(), Trap> {
    scope.begin_still();
    Ok(())
}

/// It has come back.
pub fn store_still_no_more(scope: &mut Scope) -> Result<(), Trap> {
    scope.end_still();
    Ok(())
}

fn time_to_live(ttl: Any) -> Result<Option<Duration>, Trap> {
    if ttl.word() == 0 {
        return Ok(None);
    }
    let nanos = ttl.as_arg::<Boxed>().object().get(layout::BOX_VALUE) as i64;
    match u64::try_from(nanos) {
        Ok(nanos) if nanos > 0 => Ok(Some(Duration::from_nanos(nanos))),
        _ => Err(Trap::native("a time to live is not positive")),
    }
}

fn put(scope: &mut Scope, mut writing: Writing) -> Result<Flow, Trap> {
    if let Some(word) = writing.step(scope)? {
        return Ok(Flow::Done(word));
    }
    scope.pending = Some(Box::new(writing));
    Ok(Flow::Wait)
}

/// A value that is being copied in; whoever waits holds it.
struct Writing {
    stage: Stage,
    store: Arc<Store>,
    key: Box<str>,
    ttl: Option<Duration>,
    instead_of: Option<u64>,
}

enum Stage {
    Packing(Packer),
    Sent(Pin<Box<dyn Future<Output = Result<Put, Failure>>>>),
}

impl Writing {
    /// Packs a piece, and hands the last one to the store.
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        let Stage::Packing(packer) = &mut self.stage else { return Ok(None) };
        let limit = scope.app().limits().store_limit;
        // Until it is the store's, the scope has to have room for it.
        let room = scope.heap().room();
        let most = self.store.most(limit);
        match packer.step(scope.app().module(), room.min(most)) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(_) if room < most => return Err(Full.into()),
            Err(_) => return Ok(Some(outcome(scope, Err(full(limit))))),
        }
        let block = Block::new(self.store.kind(), packer.take());
        match self.store.put(&self.key, block, self.ttl, self.instead_of, limit) {
            Answer::Now(result) => Ok(Some(outcome(scope, result))),
            Answer::Later(future) => {
                self.stage = Stage::Sent(future);
                Ok(None)
            }
        }
    }
}

/// What a native that puts something gives.
fn outcome(scope: &mut Scope, result: Result<Put, Failure>) -> Word {
    match result {
        Ok(Put::Overtaken) => 0,
        Ok(Put::Done) => 1,
        Err(failure) => {
            scope.failure = Some(failure);
            FAILED
        }
    }
}

impl Operation for Writing {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        loop {
            if let Stage::Sent(future) = &mut self.stage {
                let result = ready!(future.as_mut().poll(cx));
                return Poll::Ready(Ok(outcome(scope, result)));
            }
            if let Some(result) = self.step(scope).transpose() {
                return Poll::Ready(result);
            }
            ready!(scope.poll_turn(cx));
        }
    }
}

/// Takes away what is under a key.
pub fn store_delete(scope: &mut Scope, handle: Resource, key: Text) -> Result<Flow, Trap> {
    let deleted = store_of(scope, handle).delete(key.as_str());
    answer(scope, deleted, FAILED, |_, was_there| Ok(was_there.into()))
}

/// How many keys there are.
pub fn store_len(scope: &mut Scope, handle: Resource) -> Result<Flow, Trap> {
    let len = store_of(scope, handle).len();
    answer(scope, len, FAILED, |_, len| Ok(len as Word))
}

/// The keys that begin with a prefix, sorted.
pub fn store_keys(scope: &mut Scope, handle: Resource, prefix: Text) -> Result<Flow, Trap> {
    let mut listing = Listing { keys: store_of(scope, handle).keys(prefix.as_str()), list: None };
    if let Some(word) = listing.step(scope)? {
        return Ok(Flow::Done(word));
    }
    scope.pending = Some(Box::new(listing));
    Ok(Flow::Wait)
}

/// How many texts are made before others have their turn.
const TEXTS_AT_ONCE: usize = 2048;

/// Keys that become a list.
struct Listing {
    keys: Answer<Vec<Box<str>>>,
    list: Option<Own<List>>,
}

impl Listing {
    /// Makes some texts; gives the list behind the last one.
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        let keys = match &mut self.keys {
            Answer::Later(_) => return Ok(None),
            Answer::Now(Ok(keys)) => keys,
            Answer::Now(Err(failure)) => {
                scope.failure = Some(failure.clone());
                return Ok(Some(0));
            }
        };
        let list = match &self.list {
            Some(list) => list.get(),
            None => {
                let made = scope.list(shape::LIST_REF, keys.len())?;
                self.list.insert(made).get()
            }
        };
        for key in keys.iter().skip(list.len()).take(TEXTS_AT_ONCE) {
            match scope.text(key) {
                Ok(text) => list.append(&[text.into_word()]),
                Err(full) => {
                    self.give_back(scope);
                    return Err(full.into());
                }
            }
        }
        if list.len() < keys.len() {
            return Ok(None);
        }
        Ok(self.list.take().map(Gives::into_word))
    }

    fn give_back(&mut self, scope: &mut Scope) {
        if let Some(list) = self.list.take() {
            scope.give_up(list);
        }
    }
}

impl Operation for Listing {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        if let Answer::Later(future) = &mut self.keys {
            self.keys = Answer::Now(ready!(future.as_mut().poll(cx)));
        }
        in_pieces(scope, cx, |scope| self.step(scope))
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.give_back(scope);
    }
}
