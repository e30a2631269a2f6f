//! Shares: a stream that is read once, for many subscribers.
//!
//! ```text
//! Idle ──the first subscriber──▶ Running: a scope of its own makes the stream and publishes its items
//!  ▲                                │
//!  └── the last subscriber has gone, the stream's end, a failure ──┘
//! ```
//! In: a closure that makes a stream, among a version's frozen values. Out: copies of its items for each subscriber.
//! Invariants: at most one source runs at a time, on the worker of the subscriber that began it; it stays on its version. Whoever
//! subscribes while it runs gets what comes from then on; its end and its failure are told to those who are subscribers then, and
//! the next one begins it anew. A source without subscribers is closed at once.
//! Not here: queues and policies (`fan`).

use crate::app::Pinned;
use crate::carry::{Block, Kind, Packer};
use crate::ending::{Rest, end_scope};
use crate::failure::{Failure, UNAVAILABLE};
use crate::fan::{Fan, Publishing, Subscription};
use crate::heap::{Full, Word};
use crate::log::LogFormat;
use crate::names::lock;
use crate::output;
use crate::run::Run;
use crate::scope::{Scope, Source};
use crate::service::Items;
use crate::trace::Trace;
use crate::value::{Any, Arg, Closure, Handle, Own, Stream};
use crate::worker::Worker;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use tokio::task::spawn_local;
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// How many sources run in the process.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// How many sources of shares run.
pub fn running() -> usize {
    RUNNING.load(Relaxed)
}

/// A share.
pub struct Share {
    kind: Arc<Kind>,
    ty: TypeId,
    fan: Arc<Fan>,
    /// Whether its source runs. Held while somebody subscribes and while the source ends, so that nobody comes in between.
    is_running: Mutex<bool>,
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({})", self.kind.shown())
    }
}

/// How a subscriber wants its queue: see [`Fan::subscribe`].
type Wish<'a> = &'a dyn Fn(&Arc<Fan>) -> Subscription;

impl Share {
    /// A share of a stream of values of that type.
    pub fn new(kind: Kind, ty: TypeId) -> Self {
        Self { kind: Arc::new(kind), ty, fan: Arc::default(), is_running: Mutex::new(false) }
    }

    /// The type of its items.
    pub fn kind(&self) -> &Arc<Kind> {
        &self.kind
    }

    /// How many subscribers it has.
    pub fn len(&self) -> usize {
        self.fan.len()
    }

    /// Subscribes, and begins the source unless it runs: `closure` makes it. Called where tasks can be spawned locally.
    pub fn subscribe(
        self: &Arc<Self>,
        app: &Pinned,
        log: LogFormat,
        closure: Own<Closure>,
        wish: Wish<'_>,
    ) -> Result<Subscription, Failure> {
        let mut is_running = lock(&self.is_running);
        let subscription = wish(&self.fan);
        if !*is_running {
            let mut scope = Box::new(Scope::new(app.clone(), Worker::current()));
            scope.log = (log, None);
            scope.cpu.limit_to(app.limits().cpu_limit);
            let run = Run::new(&scope, closure.get().code(), &[closure.get().word()])?;
            *is_running = true;
            RUNNING.fetch_add(1, Relaxed);
            let live = Some(Live { scope, ty: self.ty, stage: Stage::Making(run, closure) });
            spawn_local(Sharing { share: Arc::clone(self), live });
        }
        Ok(subscription)
    }

    /// Whether the source may end, for it has no subscribers; if so, it no longer runs.
    fn leave(&self) -> bool {
        let mut is_running = lock(&self.is_running);
        let is_idle = self.fan.len() == 0;
        *is_running = !is_idle;
        is_idle
    }

    /// The source has ended.
    fn over(&self, failure: Option<&Failure>) {
        let mut is_running = lock(&self.is_running);
        self.fan.end(failure);
        *is_running = false;
    }
}

/// A running source.
struct Sharing {
    share: Arc<Share>,
    /// `None` once it has ended.
    live: Option<Live>,
}

struct Live {
    scope: Box<Scope>,
    /// The type of the items.
    ty: TypeId,
    stage: Stage,
}

enum Stage {
    /// The closure runs.
    Making(Run, Own<Closure>),
    /// Its stream waits for an item.
    Pulling(Box<dyn Source>),
    /// An item is being copied.
    Packing(Box<dyn Source>, Packer, Word),
    /// Subscribers are given it.
    Publishing(Box<dyn Source>, Publishing),
    Over,
}

impl Stage {
    /// The next stage of the source that is at work.
    fn go_on(&mut self, next: impl FnOnce(Box<dyn Source>) -> Self) {
        *self = match std::mem::replace(self, Self::Over) {
            Self::Pulling(source) | Self::Packing(source, ..) | Self::Publishing(source, _) => next(source),
            other => other,
        };
    }
}

impl Live {
    /// Goes on until the stream ends.
    fn poll(&mut self, share: &Share, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let scope = &mut self.scope;
        loop {
            ready!(scope.poll_turn(cx));
            match &mut self.stage {
                Stage::Making(run, _) => {
                    let word = ready!(scope.poll_all(run, cx))??;
                    // SAFETY: the closure gives an owned stream.
                    let handle: Own<Stream> = unsafe { scope.own(word) };
                    let made = scope.take_stream(handle).map_err(trapped)?;
                    if let Stage::Making(run, closure) =
                        std::mem::replace(&mut self.stage, Stage::Pulling(made))
                    {
                        drop(run);
                        scope.give_up(closure);
                    }
                }
                Stage::Pulling(source) => {
                    let Some(item) = ready!(scope.poll_all(&mut Items(&mut **source), cx))? else {
                        return Poll::Ready(Ok(()));
                    };
                    let word = item?;
                    scope.end_stretch();
                    // SAFETY: an item is of the stream's type.
                    let packer = Packer::new(share.ty, unsafe { Any::from_word(word) });
                    self.stage.go_on(|source| Stage::Packing(source, packer, word));
                    continue;
                }
                Stage::Packing(_, packer, word) => {
                    let room = scope.heap().room();
                    let packed = packer.step(scope.app().module(), room);
                    if packed == Ok(false) {
                        continue;
                    }
                    let (data, word) = (packer.take(), std::mem::take(word));
                    if scope.type_desc(share.ty).is_ref() {
                        // SAFETY: the item, which is owned here.
                        unsafe { scope.drop_word(word) };
                    }
                    packed.map_err(|_| trapped(Full.into()))?;
                    let publishing = share.fan.publish(Block::new(&share.kind, data));
                    self.stage.go_on(|source| Stage::Publishing(source, publishing));
                    continue;
                }
                Stage::Publishing(_, publishing) => {
                    if publishing.step() {
                        ready!(publishing.poll(cx));
                        self.stage.go_on(Stage::Pulling);
                        continue;
                    }
                }
                Stage::Over => return Poll::Ready(Ok(())),
            }
        }
    }

    fn end(mut self) {
        let rest = match self.stage {
            Stage::Making(run, closure) => Rest::Call(run, closure),
            Stage::Packing(source, _, word) => {
                if self.scope.type_desc(self.ty).is_ref() {
                    // SAFETY: the item, which is owned here, or 0.
                    unsafe { self.scope.drop_word(word) };
                }
                Rest::Source(source)
            }
            Stage::Pulling(source) | Stage::Publishing(source, _) => Rest::Source(source),
            Stage::Over => Rest::Nothing,
        };
        end_scope(self.scope, rest);
    }
}

#[cold]
fn trapped(trap: Trap) -> Failure {
    Failure::of_trap(&trap, Trace::default())
}

impl Sharing {
    /// One turn of it.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let Some(live) = &mut self.live else { return Poll::Ready(Ok(())) };
        live.scope.begin_turn();
        let polled = match live.poll(&self.share, cx) {
            Poll::Pending => {
                live.scope.charge_turn().err().map_or(Poll::Pending, |failure| Poll::Ready(Err(failure)))
            }
            polled => polled,
        };
        live.scope.end_turn();
        polled
    }

    fn over(&mut self, failure: Option<Failure>) {
        let Some(live) = self.live.take() else { return };
        RUNNING.fetch_sub(1, Relaxed);
        if let Some(failure) = failure.as_ref().filter(|failure| failure.trace.is_some()) {
            live.scope.log_failure(failure);
        }
        // What was a trap here is none of the subscribers.
        let told = failure.map(|failure| Failure { trace: None, ..failure });
        self.share.over(told.as_ref());
        live.end();
    }
}

impl Future for Sharing {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        // Not idle any more is asked again, so that the waker is known.
        while this.share.fan.poll_idle(cx.waker()).is_ready() {
            if this.share.leave() {
                if let Some(live) = this.live.take() {
                    RUNNING.fetch_sub(1, Relaxed);
                    live.end();
                }
                return Poll::Ready(());
            }
        }
        let polled = this.turn(cx);
        output::STDOUT.flush_own();
        polled.map(|result| this.over(result.err()))
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        // The worker ends.
        self.over(Some(Failure::new(UNAVAILABLE, "the server ends")));
    }
}
