//! A compiled script version, as the code generator hands it to the runtime.

use crate::json::JsonTable;
use crate::layout::Shape;
use crate::types::TypeDesc;
use std::any::Any;
use std::fmt;

/// A place in the source: a file's index and a byte offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Which file.
    pub file: u16,
    /// Offset in bytes.
    pub start: u32,
}

/// An address of compiled code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePtr(pub *const u8);
// SAFETY: it is an address of immutable code; whoever calls it keeps its `Module` alive.
unsafe impl Send for CodePtr {}
// SAFETY: as above.
unsafe impl Sync for CodePtr {}

/// The owned references that a frame holds while it is suspended in one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackMap {
    /// Offset of the return address behind the function's start.
    pub return_offset: u32,
    /// Offsets from the stack pointer at the call of the slots that hold owned references (or 0).
    pub slots: Box<[u32]>,
}

/// Where a stretch of code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Code offset from which on it holds.
    pub start: u32,
    /// `None` for made-up code.
    pub place: Option<Place>,
    /// The inlined call that the code came with, by index into [`FrameInfo::inlined`].
    pub inlined: Option<u32>,
}

/// A call that is shown although it is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlined {
    /// What stack traces call the callee.
    pub callee: String,
    /// Where it was called.
    pub call: Place,
    /// The inlined call that this one came with, if any.
    pub within: Option<u32>,
}

/// One compiled function, for stack traces and for walking frames.
#[derive(Clone, Debug)]
pub struct FrameInfo {
    /// Address of the first byte.
    pub start: usize,
    /// Size in bytes.
    pub size: u32,
    /// What stack traces call it.
    pub name: String,
    /// By ascending start.
    pub lines: Vec<Line>,
    /// The calls that were replaced by what the callee does.
    pub inlined: Vec<Inlined>,
    /// By return offset, ascending.
    pub stack_maps: Vec<StackMap>,
}

/// How the runtime calls compiled code: `extern "C" fn(ctx, code, args: *const u64) -> u64`, one per number of words passed.
/// It sets the pinned register, calls `code` with the words and restores the register.
pub type Enter =
    unsafe extern "C" fn(ctx: *mut crate::context::Ctx, code: *const u8, args: *const u64) -> u64;

/// What answers some of the requests.
#[derive(Clone, Debug)]
pub struct Route {
    /// Which.
    pub pattern: crate::route::Pattern,
    /// As `handle`: an owned Request in, an owned Response out. It reads what the path's parameters are by natives.
    pub code: CodePtr,
}

/// A compiled script version. Freed with its last reference, on a worker's stack and never from a fiber.
pub struct Module {
    /// Call thunks for 0 to 3 words.
    pub enter: [Enter; 4],
    /// The main file's statements: no words in, unit out.
    pub main: CodePtr,
    /// `handle`: an owned Request in, an owned Response out.
    pub handler: Option<CodePtr>,
    /// What is called for each request instead of routes and handler, and calls them itself; of the same form.
    pub around: Option<CodePtr>,
    /// Routes.
    pub routes: Vec<Route>,
    /// Tests: no words in, unit out.
    pub tests: Vec<CodePtr>,
    /// How many global slots there are.
    pub globals: u32,
    /// Which global slots hold references.
    pub global_refs: Vec<bool>,
    /// Shapes from [`crate::layout::shape::FIRST_OF_MODULE`] on.
    pub shapes: Vec<Shape>,
    /// Types by [`crate::types::TypeId`].
    pub types: Vec<TypeDesc>,
    /// What JSON needs of those types.
    pub json: JsonTable,
    /// Functions by ascending start address.
    pub frames: Vec<FrameInfo>,
    /// Names a place for a person: `app.weir:3:7`.
    pub show_place: Box<dyn Fn(Place) -> String + Send + Sync>,
    /// Whether the file with that number belongs to the standard library.
    pub is_library: Box<dyn Fn(u16) -> bool + Send + Sync>,
    /// Owns the machine code and the literals; dropping it frees them.
    pub memory: Box<dyn Any + Send + Sync>,
}

impl Module {
    /// The function that contains a code address.
    pub fn frame(&self, address: usize) -> Option<&FrameInfo> {
        let next = self.frames.partition_point(|f| f.start <= address);
        let frame = &self.frames[next.checked_sub(1)?];
        (address - frame.start < frame.size as usize).then_some(frame)
    }
}

impl FrameInfo {
    /// The place whose code a return address follows.
    pub fn place(&self, return_address: usize) -> Option<Place> {
        self.line(return_address)?.place
    }

    fn line(&self, return_address: usize) -> Option<&Line> {
        let offset = (return_address - self.start) as u32;
        // The call itself lies before its return address.
        let next = self.lines.partition_point(|line| line.start < offset);
        Some(&self.lines[next.checked_sub(1)?])
    }

    /// The functions that a return address is in and where in each, innermost first: those inlined, then this one. Empty
    /// for made-up code.
    pub fn calls(&self, return_address: usize) -> Vec<(&str, Place)> {
        let Some(&Line { place: Some(mut place), mut inlined, .. }) = self.line(return_address) else {
            return Vec::new();
        };
        let mut calls = Vec::new();
        while let Some(call) = inlined {
            let call = &self.inlined[call as usize];
            calls.push((call.callee.as_str(), place));
            (place, inlined) = (call.call, call.within);
        }
        calls.push((self.name.as_str(), place));
        calls
    }

    /// The owned references of a frame suspended in the call with that return address.
    pub fn stack_map(&self, return_address: usize) -> Option<&StackMap> {
        let offset = (return_address - self.start) as u32;
        let at = self.stack_maps.binary_search_by_key(&offset, |m| m.return_offset).ok()?;
        Some(&self.stack_maps[at])
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Module({} functions)", self.frames.len())
    }
}
