//! What compiled code reaches through the pinned register: one [`Ctx`] per worker.
//!
//! Invariant: a fiber never changes its worker, so the address stays valid for all compiled code that runs on it.

use std::ffi::c_void;
use std::sync::atomic::AtomicUsize;

/// The worker as compiled code sees it. The runtime rewrites it at each switch of fibers.
#[repr(C)]
#[derive(Debug)]
pub struct Ctx {
    /// Compiled code calls `stop` when its stack pointer is below this: the lowest address it may use, or `usize::MAX`
    /// after another thread asked for a stop.
    pub limit: AtomicUsize,
    /// The global slots of the running script version.
    pub globals: *mut u64,
    /// The running scope, the runtime's own.
    pub scope: *mut c_void,
    /// The running fiber, the runtime's own.
    pub fiber: *mut c_void,
}

/// Offset of [`Ctx::limit`].
pub const LIMIT: i32 = std::mem::offset_of!(Ctx, limit) as i32;
/// Offset of [`Ctx::globals`].
pub const GLOBALS: i32 = std::mem::offset_of!(Ctx, globals) as i32;
