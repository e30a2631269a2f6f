//! Fibers: compiled code on a stack of its own, which it may leave in the middle and come back to.
//!
//! ```text
//! worker's stack   resume ──▶ fiber: enter ──▶ compiled code ──▶ native ──▶ suspend
//!                    ◀──────────────────────────────────────────────────────┘
//! ```
//! In: code, words, and what to go on with. Out: a [`Step`].
//! Invariants: nothing below a suspension owns anything with `Drop`, so a fiber is abandoned by forgetting its frames;
//! `Ctx::fiber` is the running fiber's [`Face`], and `Ctx` is whole again after each resumption.
//! Not here: why it waits (`run`), what its frames own (`abandon`).

use crate::heap::{Heap, Word};
use crate::stack::{RED_ZONE, Stack};
use crate::worker::Worker;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::cell::Cell;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::ptr;
use std::rc::Rc;
use weir_abi::code::Enter;
use weir_abi::context::Ctx;

/// How far below a stack's base compiled code gets before it is noticed to be deep. A fiber that stays above leaves its
/// stack as it is for the next one, and is charged for no more than it costs anyhow.
const SHALLOW: usize = 16 * 1024;
/// How much more of its stack a deep one is charged for at a time.
const CHARGED: usize = 16 * 1024;

/// Why a fiber left its stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspend {
    /// A native has to wait; the scope holds what for.
    Wait,
    /// It gives an item, which the scope holds; it is resumed when the next one is wanted.
    Give,
    /// Others shall run.
    Yield,
    /// It trapped; the scope holds the trap. It is not resumed.
    Trap,
}

/// What became of a resumed fiber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It returned that word.
    Done(Word),
    /// It left its stack.
    Left(Suspend),
}

/// Where compiled code was left: registers at its last call of a native that may trap or wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exit {
    /// Frame pointer.
    pub fp: usize,
    /// Return address of the call.
    pub pc: usize,
    /// Stack pointer at the call.
    pub sp: usize,
}

type Routine = Coroutine<Word, Suspend, Word, Stack>;

/// What natives see of the fiber they run on, while `resume` holds the rest of it exclusively.
struct Face {
    /// On the fiber's own stack, from its first resumption on.
    yielder: Cell<*const Yielder<Word, Suspend>>,
    /// Lowest address for compiled code.
    floor: usize,
    base: usize,
    /// Compiled code has not got below this, or is about to say so. All below [`SHALLOW`] is charged to the scope's heap.
    reached: Cell<usize>,
    worker: Rc<Worker>,
}

impl Face {
    fn limit(&self) -> usize {
        self.floor.max(self.reached.get())
    }

    /// How many bytes are charged.
    fn charged(&self) -> usize {
        self.base - SHALLOW - self.reached.get()
    }
}

/// A fiber. Its owner keeps it where it is while it runs.
pub struct Fiber {
    routine: ManuallyDrop<Routine>,
    face: Face,
    low: usize,
    /// It waited: its stack was not the hottest of the pool, and giving memory back costs little beside the wait.
    waited: bool,
    /// It got below [`SHALLOW`].
    was_deep: bool,
    exit: Exit,
}

impl Fiber {
    /// A fiber on `stack` that will call `enter(ctx, code, words)`. Compiled code may use `depth` bytes of it.
    pub fn new(
        worker: &Rc<Worker>,
        stack: Stack,
        depth: usize,
        enter: Enter,
        code: *const u8,
        words: [Word; 3],
    ) -> Self {
        let (low, base) = (stack.low(), stack.base());
        let ctx = worker.ctx();
        // The closure is plain data: it is forgotten with the stack.
        let routine = Coroutine::with_stack(stack, move |yielder: &Yielder<Word, Suspend>, _| {
            // SAFETY: `resume` set `Ctx::fiber` to this fiber's face; `code` is compiled code for `enter`'s number of words,
            // and the scope that runs it keeps its module.
            unsafe {
                (*(*ctx).fiber.cast::<Face>()).yielder.set(yielder);
                enter(ctx, code, words.as_ptr())
            }
        });
        worker.counters.fibers.add(1);
        Self {
            routine: ManuallyDrop::new(routine),
            face: Face {
                yielder: Cell::new(ptr::null()),
                floor: (low + RED_ZONE).max(base.saturating_sub(depth)),
                base,
                reached: Cell::new(base - SHALLOW),
                worker: Rc::clone(worker),
            },
            low,
            waited: false,
            was_deep: false,
            exit: Exit::default(),
        }
    }

    /// Lets it run with that scope, its quick lists and those globals until it returns or leaves. `word` is what the
    /// native that left gives.
    ///
    /// # Safety
    /// `scope`, `quick` and `globals` are what the compiled code's natives expect, and nobody else uses `scope` until this returns.
    #[inline]
    pub unsafe fn resume(
        &mut self,
        scope: *mut c_void,
        quick: *mut *mut u8,
        globals: *mut u64,
        word: Word,
    ) -> Step {
        let ctx = self.face.worker.ctx();
        // SAFETY: the context is this worker's and no compiled code runs now; `exit_*` are read by natives of this fiber.
        unsafe {
            (*ctx).scope = scope;
            (*ctx).quick = quick;
            (*ctx).globals = globals;
            (*ctx).fiber = ptr::from_ref(&self.face).cast_mut().cast();
        }
        self.face.worker.set_limit(self.face.limit());
        let result = self.routine.resume(word);
        match result {
            CoroutineResult::Return(word) => Step::Done(word),
            CoroutineResult::Yield(why) => {
                // A generator gives and goes on: its stack stays hot.
                self.waited |= why != Suspend::Give;
                // SAFETY: as above.
                self.exit = unsafe { Exit { fp: (*ctx).exit_fp, pc: (*ctx).exit_pc, sp: (*ctx).exit_sp } };
                Step::Left(why)
            }
        }
    }

    /// As [`Fiber::resume`], from a native that runs on another fiber: that one goes on afterwards as if nothing had been.
    ///
    /// # Safety
    /// As there; and the caller is on a fiber of the same scope, through a native's entry.
    #[inline]
    pub unsafe fn resume_within(
        &mut self,
        scope: *mut c_void,
        quick: *mut *mut u8,
        globals: *mut u64,
        word: Word,
    ) -> Step {
        let ctx = self.face.worker.ctx();
        // SAFETY: the context is this worker's; it has the face of the fiber that the caller runs on, which stays where it is.
        unsafe {
            let (fiber, fp, pc, sp) = ((*ctx).fiber, (*ctx).exit_fp, (*ctx).exit_pc, (*ctx).exit_sp);
            let step = self.resume(scope, quick, globals, word);
            (*ctx).fiber = fiber;
            ((*ctx).exit_fp, (*ctx).exit_pc, (*ctx).exit_sp) = (fp, pc, sp);
            let outer = &*fiber.cast::<Face>();
            outer.worker.set_limit(outer.limit());
            step
        }
    }

    /// Where it left.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether its stack holds that address.
    pub fn holds(&self, address: usize) -> bool {
        (self.low..self.face.base).contains(&address)
    }

    /// What its stack was charged to the heap of its scope, which is not charged for it any more.
    pub fn take_charge(&mut self) -> usize {
        let charged = self.face.charged();
        self.face.reached.set(self.face.base - SHALLOW);
        self.was_deep |= charged > 0;
        charged
    }

    /// Whether it was resumed.
    pub fn has_begun(&self) -> bool {
        self.routine.started()
    }

    /// Whether it has returned.
    pub fn is_done(&self) -> bool {
        self.routine.done()
    }
}

impl Drop for Fiber {
    fn drop(&mut self) {
        self.take_charge();
        self.face.worker.counters.fibers.add(-1);
        // SAFETY: nothing on the stack needs dropping (the module's invariant), and `routine` is taken once.
        let stack = unsafe {
            self.routine.force_reset();
            ManuallyDrop::take(&mut self.routine).into_stack()
        };
        self.face.worker.stacks.give(stack, self.waited || self.was_deep);
    }
}

/// Leaves the running fiber. Returns what it is resumed with.
///
/// # Safety
/// Called on a fiber's stack, by a frame below which nothing owns anything with `Drop`; no reference to the scope is used
/// after it that was made before.
pub unsafe fn suspend(ctx: *mut Ctx, why: Suspend) -> Word {
    // SAFETY: compiled code runs on a fiber, whose yielder was set when it began.
    unsafe { (*(*(*ctx).fiber.cast::<Face>()).yielder.get()).suspend(why) }
}

/// Where the running fiber's compiled code was left, and the addresses of its stack.
///
/// # Safety
/// Called on a fiber, by a native whose entry wrote where compiled code was left.
pub unsafe fn left(ctx: *mut Ctx) -> (Exit, Range<usize>) {
    // SAFETY: the caller's promise.
    unsafe {
        let face = &*(*ctx).fiber.cast::<Face>();
        let exit = Exit { fp: (*ctx).exit_fp, pc: (*ctx).exit_pc, sp: (*ctx).exit_sp };
        (exit, exit.sp..face.base)
    }
}

/// What a stop check that hit comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Go on.
    Go,
    /// Let others run.
    Yield,
    /// The stack is used up.
    Overflow,
    /// What it takes of the stack is more than its scope may have.
    Full,
}

/// Decides about a stop check that hit on the running fiber, and sets the limit anew.
///
/// # Safety
/// As for [`suspend`]; `heap` is that of the fiber's scope.
pub unsafe fn stop(ctx: *mut Ctx, heap: &mut Heap) -> Stop {
    // SAFETY: compiled code runs on a fiber; the native's entry wrote `exit_sp`.
    let (fiber, sp) = unsafe { (&*(*ctx).fiber.cast::<Face>(), (*ctx).exit_sp) };
    if sp < fiber.floor {
        return Stop::Overflow;
    }
    if sp < fiber.reached.get() {
        let reached = sp.saturating_sub(CHARGED).max(fiber.floor);
        if heap.charge(fiber.reached.get() - reached).is_err() {
            return Stop::Full;
        }
        fiber.reached.set(reached);
    }
    // While the turn is to end this poisons the limit anew.
    fiber.worker.set_limit(fiber.limit());
    if fiber.worker.is_stopped() || cfg!(feature = "stress") { Stop::Yield } else { Stop::Go }
}
