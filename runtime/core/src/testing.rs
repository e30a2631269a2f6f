//! For tests: modules whose code is Rust, and scopes to call natives in.
//!
//! "Compiled" code here is `extern "C" fn(ctx, words...)` and calls natives through their addresses. As for all code below
//! a suspension, it owns nothing with `Drop`.

use crate::app::{App, Pinned};
use crate::heap::Word;
use crate::limits::Limits;
use crate::natives::Flow;
use crate::scope::Scope;
use crate::value::{Handle, Ref, Text};
use crate::worker::Worker;
use std::mem::transmute;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use weir_abi::code::{CodePtr, Enter, Module};
use weir_abi::context::Ctx;
use weir_abi::json::{JsonField, JsonShape, JsonTable, JsonType};
use weir_abi::layout::{self, Shape, shape};
use weir_abi::native::NativeId;
use weir_abi::trap::Trap;
use weir_abi::types::{TypeDesc, TypeId};

/// Code without words.
pub type Code0 = extern "C" fn(*mut Ctx) -> Word;
/// Code with one word.
pub type Code1 = extern "C" fn(*mut Ctx, Word) -> Word;
/// Code with two words, such as a closure's.
pub type Code2 = extern "C" fn(*mut Ctx, Word, Word) -> Word;

unsafe extern "C" fn enter0(ctx: *mut Ctx, code: *const u8, _: *const u64) -> u64 {
    // SAFETY: the tests pass code of as many words as they say.
    unsafe { transmute::<*const u8, Code0>(code)(ctx) }
}

unsafe extern "C" fn enter1(ctx: *mut Ctx, code: *const u8, words: *const u64) -> u64 {
    // SAFETY: as above.
    unsafe { transmute::<*const u8, Code1>(code)(ctx, *words) }
}

unsafe extern "C" fn enter2(ctx: *mut Ctx, code: *const u8, words: *const u64) -> u64 {
    // SAFETY: as above.
    unsafe { transmute::<*const u8, Code2>(code)(ctx, *words, *words.add(1)) }
}

/// The types of [`module`]'s table.
pub mod types {
    use super::TypeId;
    pub const INT: TypeId = TypeId(0);
    pub const TEXT: TypeId = TypeId(1);
    pub const INTS: TypeId = TypeId(2);
    pub const TEXTS: TypeId = TypeId(3);
    pub const MAYBE_INT: TypeId = TypeId(4);
    pub const USER: TypeId = TypeId(5);
    pub const MAYBE_TEXT: TypeId = TypeId(6);
    pub const MAYBE_MAYBE: TypeId = TypeId(7);
    pub const NODE: TypeId = TypeId(8);
    pub const MAYBE_NODE: TypeId = TypeId(9);
    pub const RANGE: TypeId = TypeId(10);
    pub const FLOAT: TypeId = TypeId(11);
}

/// The shape of a closure without captures.
pub const CLOSURE: u32 = shape::FIRST_OF_MODULE;
/// The shape of a User.
pub const USER: u32 = shape::FIRST_OF_MODULE + 1;
/// The shape of a Node.
pub const NODE: u32 = shape::FIRST_OF_MODULE + 2;

/// A module with that code.
pub fn module(main: Code0, handler: Option<Code1>) -> Module {
    use types as t;
    let field = |name: &str, ty| (name.to_owned(), ty);
    Module {
        enter: [enter0, enter1, enter2, enter2 as Enter],
        main: CodePtr(main as *const u8),
        handler: handler.map(|code| CodePtr(code as *const u8)),
        around: None,
        routes: Vec::new(),
        tests: Vec::new(),
        globals: 4,
        global_refs: vec![false, true, true, true],
        shapes: vec![
            Shape { size: 16, refs: [].into(), name: "closure".into() },
            Shape { size: 32, refs: [16, 24].into(), name: "record User".into() },
            Shape { size: 24, refs: [16].into(), name: "record Node".into() },
        ],
        types: vec![
            TypeDesc::Int,
            TypeDesc::Text,
            TypeDesc::List(t::INT),
            TypeDesc::List(t::TEXT),
            TypeDesc::Option(t::INT),
            TypeDesc::Record(
                "User".into(),
                vec![field("id", t::INT), field("name", t::TEXT), field("nick", t::MAYBE_TEXT)],
            ),
            TypeDesc::Option(t::TEXT),
            TypeDesc::Option(t::MAYBE_INT),
            TypeDesc::Record("Node".into(), vec![field("value", t::INT), field("next", t::MAYBE_NODE)]),
            TypeDesc::Option(t::NODE),
            TypeDesc::Range,
            TypeDesc::Float,
        ],
        json: json_table(),
        frames: Vec::new(),
        show_place: Box::new(|place| format!("test.weir:{}", place.start)),
        is_library: Box::new(|_| false),
        memory: Box::new(()),
    }
}

/// A User calls its `id` `user_id` in JSON, and has a default for it.
fn json_table() -> JsonTable {
    let field = |name: &str, default: Option<&str>| JsonField {
        name: name.to_owned(),
        default: default.map(str::to_owned),
    };
    let record =
        |shape, size, fields| JsonType { shapes: vec![JsonShape { shape, size, fields }], is_any: false };
    let mut table = JsonTable::default();
    let user = vec![field("user_id", Some("7")), field("name", None), field("nick", None)];
    table.add(types::USER, record(USER, 32, user));
    table.add(types::NODE, record(NODE, 24, vec![field("value", None), field("next", None)]));
    table
}

pub extern "C" fn nothing(_: *mut Ctx) -> Word {
    0
}

/// A version with that module.
pub fn app(module: Module) -> Pinned {
    app_with(module, Limits::default())
}

/// A version with these limits.
pub fn app_with(module: Module, limits: Limits) -> Pinned {
    Pinned::new(Arc::new(App::new(Arc::new(module), vec!["one".into(), "two".into()], limits)))
}

/// A scope of that version on this thread.
pub fn scope_of(app: Pinned) -> Scope {
    Scope::new(app, Worker::current())
}

/// A scope.
pub fn scope() -> Scope {
    scope_of(app(module(nothing, None)))
}

/// What a native comes to that may wait for itself only.
pub fn finish(scope: &mut Scope, flow: Result<Flow, Trap>) -> Result<Word, Trap> {
    match flow? {
        Flow::Done(word) => Ok(word),
        Flow::Wait => {
            let mut pending = scope.pending.take().expect("a native that waits says for what");
            loop {
                if let Poll::Ready(result) = pending.poll(scope, &mut Context::from_waker(Waker::noop())) {
                    return result;
                }
            }
        }
    }
}

/// Calls a native as compiled code does.
pub fn native(ctx: *mut Ctx, name: &str, words: &[Word]) -> Word {
    type Native = extern "C" fn(*mut Ctx, Word, Word, Word, Word, Word) -> Word;
    let mut all = [0; 5];
    all[..words.len()].copy_from_slice(words);
    let address = crate::shim::address(NativeId::named(name).expect("a native"));
    // SAFETY: natives take the context and up to five words.
    unsafe { transmute::<*const u8, Native>(address)(ctx, all[0], all[1], all[2], all[3], all[4]) }
}

/// A new text, as compiled code would make one.
pub fn make_text(ctx: *mut Ctx, text: &'static str) -> Word {
    let object = native(ctx, "alloc", &[24 + text.len() as u64, layout::header(shape::TEXT)]);
    // SAFETY: a fresh object of that size.
    unsafe {
        ((object + 8) as *mut u64).write(text.len() as u64);
        ((object + 16) as *mut u64).write(object + 24);
        std::ptr::copy_nonoverlapping(text.as_ptr(), (object + 24) as *mut u8, text.len());
    }
    object
}

/// A closure without captures.
pub fn make_closure(scope: &mut Scope, code: Code2) -> crate::value::Own<crate::value::Closure> {
    let words = [(layout::CLOSURE_CODE, code as usize as u64)];
    let object = scope.object(16, CLOSURE, &words).expect("room");
    crate::value::Own::new(crate::value::Closure::of(object))
}

/// The characters of a Text word, which is given up.
pub fn take_text(scope: &mut Scope, word: Word) -> String {
    // SAFETY: the tests pass owned Texts.
    let own: crate::value::Own<Text> = unsafe { scope.own(word) };
    let text = own.get().as_str().to_owned();
    assert_eq!(own.get().word(), word);
    scope.give_up(own);
    text
}
