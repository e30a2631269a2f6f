//! `buffer`: a stream that is read ahead of its reader, by a task without a stack.
//!
//! ```text
//! source ──▶ task: polls it while there is room ──▶ items ──▶ reader
//! ```
//! Invariants: the task begins with the first pull, and ends with the source or the reader, whichever goes first; at most `size`
//! items are held.

use super::calls::{as_any, give_up};
use crate::failure::Failure;
use crate::heap::Word;
use crate::scope::{Scope, Source, TaskId, Work};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// What both sides see.
struct Held {
    items: VecDeque<Word>,
    /// The source has come to its end, with a failure or without.
    end: Option<Option<Failure>>,
    /// Who waits: the reader for an item, or the task for room.
    reader: Option<Waker>,
    task: Option<Waker>,
}

/// Reads a source ahead.
struct Ahead {
    source: Box<dyn Source>,
    size: usize,
    held: Rc<RefCell<Held>>,
}

impl Work for Ahead {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Failure>> {
        loop {
            if self.held.borrow().items.len() >= self.size {
                self.held.borrow_mut().task = Some(cx.waker().clone());
                return Poll::Pending;
            }
            if scope.poll_turn(cx).is_pending() {
                return Poll::Pending;
            }
            let Poll::Ready(next) = self.source.poll_next(scope, cx) else { return Poll::Pending };
            let mut held = self.held.borrow_mut();
            let reader = held.reader.take();
            let is_over = match next {
                Some(Ok(word)) => {
                    held.items.push_back(word);
                    false
                }
                Some(Err(failure)) => {
                    held.end = Some(Some(failure));
                    true
                }
                None => {
                    held.end = Some(None);
                    true
                }
            };
            drop(held);
            if let Some(reader) = reader {
                reader.wake();
            }
            if is_over {
                return Poll::Ready(Ok(0));
            }
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        // When it was cancelled by the end of the scope: the reader has no task to cancel.
        self.held.borrow_mut().end.get_or_insert(None);
        self.source.close(scope);
    }

    fn waits_inside(&self, scope: &Scope) -> bool {
        self.held.borrow().items.len() >= self.size || self.source.waits_inside(scope)
    }
}

enum State {
    /// Nobody has pulled.
    New(Box<dyn Source>),
    Begun(TaskId),
    /// Being begun.
    Moving,
}

/// The items of a stream that is read ahead.
pub struct Buffer {
    state: State,
    size: usize,
    is_ref: bool,
    depth: usize,
    held: Rc<RefCell<Held>>,
}

impl Buffer {
    /// The items of `source`, references or not, read up to `size` of them ahead, at least 1.
    pub fn new(source: Box<dyn Source>, size: usize, is_ref: bool) -> Self {
        let held = Held { items: VecDeque::new(), end: None, reader: None, task: None };
        let depth = source.depth() + 1;
        Self { state: State::New(source), size, is_ref, depth, held: Rc::new(RefCell::new(held)) }
    }

    fn begin(&mut self, scope: &mut Scope) {
        if let State::New(source) = std::mem::replace(&mut self.state, State::Moving) {
            let held = Rc::clone(&self.held);
            let id = scope.begin_work(Box::new(Ahead { source, size: self.size, held }));
            self.state = State::Begun(id);
        }
    }
}

impl Source for Buffer {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        if matches!(self.state, State::New(_)) {
            self.begin(scope);
        }
        if let Some(next) = self.ready_next(scope) {
            return Poll::Ready(Some(next));
        }
        let mut held = self.held.borrow_mut();
        match &mut held.end {
            Some(failure) => Poll::Ready(failure.take().map(Err)),
            None => {
                held.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn ready_next(&mut self, _: &mut Scope) -> Option<Result<Word, Failure>> {
        let mut held = self.held.borrow_mut();
        let word = held.items.pop_front()?;
        let task = held.task.take();
        drop(held);
        if let Some(task) = task {
            task.wake();
        }
        Some(Ok(word))
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        match self.state {
            State::New(source) => source.close(scope),
            // A task that has ended is none any more.
            State::Begun(id) if self.held.borrow().end.is_none() => scope.cancel_task(id),
            State::Begun(_) | State::Moving => {}
        }
        let items = std::mem::take(&mut self.held.borrow_mut().items);
        for word in items {
            give_up(scope, as_any(word), self.is_ref);
        }
    }

    fn depth(&self) -> usize {
        self.depth
    }

    fn waits_inside(&self, _: &Scope) -> bool {
        // For its task, which tells for itself.
        true
    }
}
