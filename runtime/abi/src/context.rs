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
    /// First cells of the running scope's quick lists, by class (see [`crate::size`]), or 0.
    pub quick: *mut *mut u8,
    /// The running scope, the runtime's own.
    pub scope: *mut c_void,
    /// The running fiber, the runtime's own.
    pub fiber: *mut c_void,
    /// Frame pointer of the compiled frame that last called a native which may trap or wait; written by the native's entry.
    pub exit_fp: usize,
    /// Return address of that call.
    pub exit_pc: usize,
    /// Stack pointer of that frame at that call.
    pub exit_sp: usize,
    /// What a native that changes its first argument gives besides the new value; compiled code reads it right behind the call.
    pub second: u64,
}

/// Offset of [`Ctx::limit`].
pub const LIMIT: i32 = std::mem::offset_of!(Ctx, limit) as i32;
/// Offset of [`Ctx::globals`].
pub const GLOBALS: i32 = std::mem::offset_of!(Ctx, globals) as i32;
/// Offset of [`Ctx::quick`].
pub const QUICK: i32 = std::mem::offset_of!(Ctx, quick) as i32;
/// Offset of [`Ctx::exit_fp`].
pub const EXIT_FP: i32 = std::mem::offset_of!(Ctx, exit_fp) as i32;
/// Offset of [`Ctx::exit_pc`].
pub const EXIT_PC: i32 = std::mem::offset_of!(Ctx, exit_pc) as i32;
/// Offset of [`Ctx::second`].
pub const SECOND: i32 = std::mem::offset_of!(Ctx, second) as i32;
/// Offset of [`Ctx::exit_sp`].
pub const EXIT_SP: i32 = std::mem::offset_of!(Ctx, exit_sp) as i32;
