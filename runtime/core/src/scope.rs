//! A scope: what one request, or one program, owns while it runs.
//!
//! In: demands of natives. Out: objects, resources, the operation a fiber waits for.
//! Invariants: everything reachable from the heap is in the heap or the table. A scope never leaves its worker. Dropping
//! it drops the table's resources, then the heap whole; nobody looks at single objects.
//! Not here: the fibers that run in it (`run`), what its streams do (`stream`).

use crate::app::Pinned;
use crate::client::Head;
use crate::failure::Failure;
use crate::heap::{Full, Heap, NO_SLOT, Obj, Pages, Word};
use crate::log::LogFormat;
use crate::matched::Matched;
use crate::opening::Opened;
use crate::output::STDOUT;
use crate::random::Random;
use crate::search::Searches;
use crate::store::Found;
use crate::trace::Trace;
use crate::turn::Cpu;
use crate::value::{Any, Arg, Closure, Handle, Own, Ref, Resource};
use crate::worker::Worker;
use bytes::Bytes;
use std::fmt;
use std::mem;
use std::net::IpAddr;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use weir_abi::layout::{self, shape};
use weir_abi::trap::Trap;
use weir_abi::types::{TypeDesc, TypeId};
use weir_http::RequestHead;

mod answers;
mod asked;
mod channels;
mod deferred;
mod groups;
mod objects;
mod opened;
mod still;
mod streams;
mod tasks;

pub use answers::Answer;
pub use asked::Unread;
pub use channels::{Channel, Received};
pub use groups::Group;
pub use streams::StreamState;
pub use tasks::{Call, Main, Outcome, TaskId, Tasks, Work};

/// A lazy source of items, or a stage behind one. Dropping it closes what it reads from.
pub trait Source {
    /// The next item: an owned word. After an end or a failure it is not polled again.
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>>;

    /// Closes it and gives back the references that it holds, for a scope that goes on.
    fn close(self: Box<Self>, scope: &mut Scope);

    /// The next item when that takes neither a wait nor compiled code, and little stack.
    fn ready_next(&mut self, _: &mut Scope) -> Option<Result<Word, Failure>> {
        None
    }

    /// The source that it pulls, while it is a stage upon one.
    fn below(&self) -> Option<&dyn Source> {
        None
    }

    /// How many stages lie upon each other.
    fn depth(&self) -> usize {
        self.below().map_or(0, |source| source.depth()) + 1
    }

    /// What a body that would go on for long says last, when it is to end because the server drains; `None` when it may go on.
    fn farewell(&self, _: &Scope) -> Option<String> {
        None
    }

    /// Whether a pull that waits, waits for what only others of the scope can do.
    fn waits_inside(&self, scope: &Scope) -> bool {
        self.below().is_some_and(|source| source.waits_inside(scope))
    }
}

/// What a suspended fiber waits for; polled on the worker's stack.
pub trait Operation {
    /// The word that the native gives, once there is one.
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>>;

    /// Gives it up, with the references that it owns, for a scope that goes on.
    fn close(self: Box<Self>, _: &mut Scope) {}

    /// Whether it waits for what only others of the scope can do. Where all do, nothing ever goes on: a deadlock.
    fn waits_inside(&self, _: &Scope) -> bool {
        false
    }
}

/// What a handle in the heap stands for.
pub enum Entry {
    /// Nothing; the next free slot.
    Free(u32),
    /// A stream.
    Stream(StreamState),
    /// A request's head: for its Query or its Headers, or for a Request that came without a connection.
    Request(RequestHead),
    /// A Request with its body.
    Asked(RequestHead, Unread),
    /// A buffer that texts point into; its size is charged to the heap.
    Foreign(Bytes),
    /// What was found in a store.
    Held(Held),
    /// A task.
    Task(TaskId),
    /// Tasks that end with their handle.
    Group(Group),
    /// A channel.
    Channel(Channel),
    /// What an upstream answered.
    Answer(Box<Answer>),
    /// The headers of an answer.
    Fields(Rc<Head>),
    /// A file that is to be sent.
    Opened(Arc<Opened>),
}

/// What was found in a store, to look at and to put something in its place.
#[derive(Clone, Debug)]
pub struct Held {
    /// Where.
    pub key: Box<str>,
    /// What.
    pub found: Found,
}

/// The resources of a scope by slot.
pub struct Table {
    entries: Vec<Entry>,
    /// The first free slot, or [`NO_SLOT`].
    free: u32,
    worker: Rc<Worker>,
    used: usize,
}

impl Table {
    fn new(worker: Rc<Worker>) -> Self {
        Self { entries: Vec::new(), free: NO_SLOT, worker, used: 0 }
    }

    fn insert(&mut self, entry: Entry) -> u32 {
        self.used += 1;
        self.worker.counters.resources.add(1);
        if self.free == NO_SLOT {
            self.entries.push(entry);
            return (self.entries.len() - 1) as u32;
        }
        let slot = self.free;
        if let Entry::Free(next) = mem::replace(&mut self.entries[slot as usize], entry) {
            self.free = next;
        }
        slot
    }

    fn remove(&mut self, slot: u32) -> Entry {
        if slot == NO_SLOT {
            return Entry::Stream(StreamState::Taken);
        }
        self.used -= 1;
        self.worker.counters.resources.add(-1);
        let entry = mem::replace(&mut self.entries[slot as usize], Entry::Free(self.free));
        self.free = slot;
        entry
    }

    /// Drops so many entries for good.
    fn drop_some(&mut self, count: usize) {
        let rest = self.entries.len().saturating_sub(count);
        let gone = self.entries.drain(rest..).filter(|entry| !matches!(entry, Entry::Free(_))).count();
        self.used -= gone;
        self.worker.counters.resources.add(-(gone as i64));
    }

    /// How many resources there are.
    pub fn used(&self) -> usize {
        self.used
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.worker.counters.resources.add(-(self.used as i64));
    }
}

/// A scope.
pub struct Scope {
    // The order of these is the order in which they are dropped.
    /// What a native that suspended its fiber waits for, until the run takes it.
    pub(crate) pending: Option<Box<dyn Operation>>,
    pub(crate) tasks: Tasks,
    table: Table,
    heap: Heap,
    /// What `defer` put off.
    deferred: deferred::Deferred,
    /// Whether what runs may wait.
    still: still::Still,
    /// The item that suspended a generator's fiber, until the run takes it.
    pub(crate) given: Word,
    /// The trap that suspended a fiber, until the run takes it.
    pub(crate) trap: Option<Trap>,
    /// A fiber of it trapped. Where compiled code traps nobody wrote down what it owns, so that only the heap knows:
    /// such a scope ends, and goes whole.
    pub(crate) has_trapped: bool,
    /// Why the last native that can fail did, until it is taken.
    pub(crate) failure: Option<Failure>,
    /// What a program's own statements put into the background, which begins when they have ended; `None` in other scopes.
    pub(crate) own_background: Option<Vec<Own<Closure>>>,
    /// The failure that ended the main program, which gave back what it owned.
    pub(crate) ended: Option<Failure>,
    /// It ends: deferred blocks are run by who ends it.
    pub(crate) is_ending: bool,
    /// Where a closure trapped that a stream of the next trap's fiber ran.
    pub(crate) inner_trace: Option<Trace>,
    /// How deep the streams are that are being pulled, one inside the closures of the other.
    pull_depth: usize,
    /// Taken by whoever formats a value.
    pub(crate) scratch: Vec<u8>,
    /// Taken by whoever cuts a short text.
    pub(crate) parts: Vec<Range<usize>>,
    /// What texts were searched for last.
    pub(crate) searches: Searches,
    /// Its random numbers, once it wanted some.
    pub(crate) random: Option<Random>,
    /// How many objects were copied because they were to be changed and somebody else held them.
    pub(crate) copies: u64,
    /// The CPU time that it may take.
    pub(crate) cpu: Cpu,
    /// How its lines of the log look, and the request that they are about.
    pub(crate) log: (LogFormat, Option<u64>),
    /// The address of who sent its request; `None` without one, and on a Unix socket.
    pub(crate) client: Option<IpAddr>,
    /// Which route its request matches.
    pub(crate) matched: Matched,
    worker: Rc<Worker>,
    app: Pinned,
}

impl Scope {
    /// A scope of that version on that worker.
    pub fn new(app: Pinned, worker: Rc<Worker>) -> Self {
        let pages = Rc::clone(&worker.pages);
        Self::with_pages(app, worker, pages)
    }

    /// Likewise, with memory from `pages`.
    pub(crate) fn with_pages(app: Pinned, worker: Rc<Worker>, pages: Rc<Pages>) -> Self {
        worker.counters.scopes.add(1);
        let heap = Heap::new(pages, app.limits().mem_limit, worker.counters);
        Self {
            pending: None,
            tasks: Tasks::default(),
            table: Table::new(Rc::clone(&worker)),
            heap,
            deferred: deferred::Deferred::default(),
            still: still::Still::default(),
            given: 0,
            trap: None,
            has_trapped: false,
            failure: None,
            own_background: None,
            ended: None,
            is_ending: false,
            inner_trace: None,
            pull_depth: 0,
            scratch: Vec::new(),
            parts: Vec::new(),
            searches: Searches::default(),
            random: None,
            copies: 0,
            cpu: Cpu::default(),
            log: (LogFormat::Human, None),
            client: None,
            matched: Matched::default(),
            worker,
            app,
        }
    }

    /// Its version.
    pub fn app(&self) -> &Pinned {
        &self.app
    }

    /// Its worker.
    pub fn worker(&self) -> &Rc<Worker> {
        &self.worker
    }

    /// Its heap.
    pub fn heap(&self) -> &Heap {
        &self.heap
    }

    pub(crate) fn heap_mut(&mut self) -> &mut Heap {
        &mut self.heap
    }

    /// How many resources it has.
    pub fn resources(&self) -> usize {
        self.table.used()
    }

    /// How much there is to be taken down one by one before it can go whole.
    pub(crate) fn parts(&self) -> usize {
        self.tasks.kept() + self.table.entries.len()
    }

    /// Drops so many of its parts, tasks first; whether there are more. For a scope that ends: nothing is done in it after this.
    pub(crate) fn drop_parts(&mut self, count: usize) -> bool {
        let left = count - self.tasks.drop_some(count).min(count);
        self.table.drop_some(left);
        self.parts() > 0
    }

    /// The description of a type.
    pub fn type_desc(&self, id: TypeId) -> &TypeDesc {
        &self.app.module().types[id.0 as usize]
    }

    /// Records why a native cannot give what it was asked for: one of [`KINDS`](crate::failure::KINDS), and what happened. The
    /// native then gives `None`, which is what this returns; the library makes an Error of both (`result.taken`).
    pub fn fail<T>(&mut self, kind: &'static str, message: impl Into<String>) -> Option<T> {
        self.failure = Some(Failure::of_kind(kind, message));
        None
    }

    /// Writes a failure of the script to the log that goes on here.
    pub(crate) fn log_failure(&self, failure: &Failure) {
        let (format, request) = self.log;
        // What was printed before it comes first.
        STDOUT.flush_own();
        format.failure(request, failure);
    }

    // ---- references

    /// One reference more to a value of a type variable.
    pub fn dup_any(&self, value: Any, is_ref: bool) -> Any {
        if is_ref {
            // SAFETY: a value of a reference type is 0 or a reference that somebody holds.
            if let Some(object) = unsafe { Obj::from_word(value.word()) } {
                object.dup();
            }
        }
        value
    }

    /// One reference more.
    pub fn dup<T: Handle>(&self, handle: T) -> Own<T> {
        // SAFETY: a handle's word is a reference that somebody holds.
        if let Some(object) = unsafe { Obj::from_word(handle.word()) } {
            object.dup();
        }
        Own::new(handle)
    }

    /// Gives a reference up.
    #[inline]
    pub fn give_up<T: Handle>(&mut self, own: Own<T>) {
        // SAFETY: an `Own` is a count of a live object, given up here.
        unsafe { self.drop_word(own.get().word()) }
    }

    /// Gives up a reference, or 0.
    ///
    /// # Safety
    /// The word is 0 or a reference that the caller owns.
    #[inline]
    pub unsafe fn drop_word(&mut self, word: Word) {
        // SAFETY: the caller's promise.
        unsafe { self.heap.drop_word(&self.app.module().shapes, word) };
        if self.heap.has_dead() {
            self.bury();
        }
    }

    /// Frees an object whose count compiled code saw fall to 0.
    ///
    /// # Safety
    /// The word refers to an object of this scope that nobody refers to.
    #[inline]
    pub unsafe fn free_word(&mut self, word: Word) {
        // SAFETY: the caller's promise.
        if let Some(object) = unsafe { Obj::from_word(word) } {
            self.heap.release(&self.app.module().shapes, object);
        }
        if self.heap.has_late() {
            // So that a look at the turn comes between the slices.
            self.worker.check_soon();
        }
        if self.heap.has_dead() {
            self.bury();
        }
    }

    /// Frees a slice of what is to be freed later.
    #[cold]
    pub(crate) fn free_late(&mut self) {
        self.heap.free_late();
        if self.heap.has_dead() {
            self.bury();
        }
    }

    /// Frees all that is to be freed later.
    pub(crate) fn free_all_late(&mut self) {
        while self.heap.has_late() {
            self.free_late();
        }
    }

    /// Ends the resources whose handles were freed. What they hold may free more of them.
    #[cold]
    fn bury(&mut self) {
        while let Some(slot) = self.heap.take_dead() {
            match self.table.remove(slot) {
                Entry::Stream(StreamState::Open(source)) => source.close(self),
                Entry::Foreign(bytes) => self.heap.uncharge(bytes.len()),
                Entry::Answer(mut answer) => answer.close(self),
                Entry::Task(id) => self.detach_task(id),
                Entry::Group(group) => self.close_group(group),
                Entry::Channel(channel) => self.close_channel(channel),
                Entry::Free(_)
                | Entry::Stream(_)
                | Entry::Request(_)
                | Entry::Asked(..)
                | Entry::Held(_)
                | Entry::Fields(_)
                | Entry::Opened(_) => {}
            }
        }
    }

    // ---- resources

    /// A handle of that request, or of its query or headers.
    pub fn request(&mut self, head: RequestHead) -> Result<Own<Resource>, Full> {
        self.resource(Entry::Request(head))
    }

    /// A handle of that entry.
    pub fn resource(&mut self, entry: Entry) -> Result<Own<Resource>, Full> {
        let object = self.heap.alloc(16, layout::header(shape::RESOURCE))?;
        let slot = self.table.insert(entry);
        object.set(layout::SLOT, slot as u64);
        Ok(Own::new(Resource::of(object)))
    }

    /// What was found in a store, behind its handle.
    pub fn held(&self, resource: Resource) -> &Held {
        match &self.table.entries[resource.object().get(layout::SLOT) as usize] {
            Entry::Held(held) => held,
            _ => unreachable!("a Held's slot holds what was found"),
        }
    }

    /// The request behind a handle.
    pub fn request_of(&self, resource: Resource) -> RequestHead {
        match &self.table.entries[resource.object().get(layout::SLOT) as usize] {
            Entry::Request(head) | Entry::Asked(head, _) => head.clone(),
            _ => unreachable!("a RESOURCE object's slot holds a request"),
        }
    }

    /// Takes a word for an owned reference that was handed over.
    ///
    /// # Safety
    /// The word is an owned reference of that type.
    pub unsafe fn own<T: Handle + Arg>(&self, word: Word) -> Own<T> {
        // SAFETY: the caller's promise.
        unsafe { Own::from_word(word) }
    }

    /// Takes the heap and what its objects point into, for a version that keeps them.
    pub(crate) fn into_memory(mut self) -> (Heap, Vec<Bytes>) {
        let foreign = self.table.entries.drain(..).filter_map(|entry| match entry {
            Entry::Foreign(bytes) => Some(bytes),
            _ => None,
        });
        let foreign = foreign.collect();
        let pages = Rc::clone(&self.worker.pages);
        let mut heap = mem::replace(&mut self.heap, Heap::new(pages, 0, self.worker.counters));
        heap.detach();
        (heap, foreign)
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.worker.counters.scopes.add(-1);
        self.worker.counters.tasks.add(-(self.tasks.running() as i64));
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({} objects, {} resources)", self.heap.live(), self.table.used())
    }
}
