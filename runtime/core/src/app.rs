//! A running script version: its code, its global slots, its arguments and limits.
//!
//! Invariant: the slots are written by the main program only, before others see the version; from then on they and all
//! that they reach are immortal and read-only, so any thread may read them.
//! Not here: how the main program runs (`start`).

use crate::counters;
use crate::heap::Word;
use crate::limits::Limits;
use crate::router::Router;
use crate::shared::Shared;
use std::any::Any;
use std::cell::UnsafeCell;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use weir_abi::code::Module;

/// A script version. Its last reference frees its code and its globals.
pub struct App {
    /// What keeps the frozen globals: the main program's heap and buffers. Set once.
    frozen: OnceLock<Frozen>,
    globals: Box<[UnsafeCell<Word>]>,
    /// Closures that its statements put into the background, among its frozen values, until somebody begins them.
    background: Mutex<Vec<Word>>,
    args: Vec<String>,
    limits: Limits,
    /// Its routes, if it has any.
    router: Option<Router>,
    /// What handles of this version stand for.
    shared: Mutex<Vec<Arc<Shared>>>,
    /// Last: the globals may refer to its literals.
    module: Arc<Module>,
    _counted: Counted,
}

/// A version among those in memory, with so many bytes of code.
struct Counted(i64);

impl Counted {
    fn new(module: &Module) -> Self {
        let code = module.frames.iter().map(|frame| i64::from(frame.size)).sum();
        counters::MODULES.add(1);
        counters::CODE.add(code);
        Self(code)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        counters::MODULES.add(-1);
        counters::CODE.add(-self.0);
    }
}

// SAFETY: see the module's invariant: after the main program nothing of it is written.
unsafe impl Send for App {}
// SAFETY: as above.
unsafe impl Sync for App {}

/// A heap nobody runs in any more, which moves as a whole.
struct Frozen(#[expect(dead_code, reason = "kept for its memory")] Box<dyn Any>);

impl App {
    /// A version whose main program has not run.
    pub(crate) fn new(module: Arc<Module>, args: Vec<String>, limits: Limits) -> Self {
        let globals = (0..module.globals).map(|_| UnsafeCell::new(0)).collect();
        let counted = Counted::new(&module);
        let router = Router::new(&module);
        Self {
            frozen: OnceLock::new(),
            background: Mutex::default(),
            globals,
            args,
            limits,
            router,
            shared: Mutex::default(),
            module,
            _counted: counted,
        }
    }

    /// Its code.
    pub fn module(&self) -> &Arc<Module> {
        &self.module
    }

    /// The arguments behind the program's name.
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// The limits of its scopes.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Its routes, if it has any.
    pub(crate) fn router(&self) -> Option<&Router> {
        self.router.as_ref()
    }

    /// The address of the global slots.
    pub(crate) fn globals(&self) -> *mut Word {
        UnsafeCell::raw_get(self.globals.as_ptr())
    }

    /// The global slots that hold references.
    ///
    /// # Safety
    /// No compiled code of this version that writes them is running.
    pub(crate) unsafe fn global_refs(&self) -> impl Iterator<Item = Word> {
        // SAFETY: the caller's promise.
        let words = self.globals.iter().map(|cell| unsafe { *cell.get() });
        words.zip(&self.module.global_refs).filter(|(_, is_ref)| **is_ref).map(|(word, _)| word)
    }

    /// Whether its main program has ended, and its values are frozen.
    pub(crate) fn has_started(&self) -> bool {
        self.frozen.get().is_some()
    }

    /// Keeps what a handle stands for until the version ends; gives its address.
    pub(crate) fn keep_shared(&self, shared: Shared) -> Word {
        let shared = Arc::new(shared);
        let address = Arc::as_ptr(&shared) as Word;
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).push(shared);
        address
    }

    /// Keeps closures for whoever begins them.
    ///
    /// # Safety
    /// They are frozen, in memory that the version keeps.
    pub(crate) unsafe fn put_background(&self, closures: Vec<Word>) {
        *self.background.lock().unwrap_or_else(|e| e.into_inner()) = closures;
    }

    /// What its statements put into the background; nothing the second time.
    pub(crate) fn take_background(&self) -> Vec<Word> {
        std::mem::take(&mut *self.background.lock().unwrap_or_else(|e| e.into_inner()))
    }

    /// Keeps what the globals lie in.
    ///
    /// # Safety
    /// Nothing else refers to parts of `memory` that are not atomically counted.
    pub(crate) unsafe fn keep(&self, memory: Box<dyn Any>) {
        let kept = self.frozen.set(Frozen(memory));
        debug_assert!(kept.is_ok(), "the main program runs once");
    }
}

/// A worker's hold on a version: its scopes share one atomic count.
#[derive(Clone, Debug)]
pub struct Pinned(Rc<Hold>);

#[derive(Debug)]
struct Hold {
    app: Arc<App>,
}

impl Pinned {
    /// Holds on to a version.
    pub fn new(app: Arc<App>) -> Self {
        Self(Rc::new(Hold { app }))
    }

    /// The version, for another thread.
    #[cfg(test)]
    pub(crate) fn version(&self) -> Arc<App> {
        Arc::clone(&self.0.app)
    }
}

impl Deref for Pinned {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0.app
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("module", &self.module)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
