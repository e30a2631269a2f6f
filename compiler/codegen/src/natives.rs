//! The rows of the native table that code generation knows by name: what compiled code itself calls, and what is so small
//! that it is emitted in place of a call.

use std::sync::LazyLock;
use weir_abi::native::{NATIVES, NativeId};

/// The natives behind operations of the IR.
pub(crate) struct Known {
    /// `alloc(size, header)`
    pub(crate) alloc: NativeId,
    /// `refill(class)`
    pub(crate) refill: NativeId,
    /// `free(object)`
    pub(crate) free: NativeId,
    /// `stop()`
    pub(crate) stop: NativeId,
    /// `trap(kind, a, b)`
    pub(crate) trap: NativeId,
    /// `object-copy(object)`
    pub(crate) object_copy: NativeId,
    /// `text-concat(parts, count)`
    pub(crate) text_concat: NativeId,
    /// `text-byte(text, offset)`
    pub(crate) text_byte: NativeId,
    /// `text-append(text, parts, count)`
    pub(crate) text_append: NativeId,
    /// `list-push(list, item)`
    pub(crate) list_push: NativeId,
    /// By native, what is emitted instead of a call.
    inline: Vec<Option<Inline>>,
}

/// A native that is one or two instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inline {
    /// The length word of a text or list.
    Len,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
    /// The square root of a Float.
    Sqrt,
    /// An Int to the nearest Float.
    ToFloat,
}

/// The table's positions of [`Known`].
pub(crate) static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let named = |name| NativeId::named(name).expect("the native table has it");
    Known {
        alloc: named("alloc"),
        refill: named("refill"),
        free: named("free"),
        stop: named("stop"),
        trap: named("trap"),
        object_copy: named("object-copy"),
        text_concat: named("text-concat"),
        text_byte: named("text-byte"),
        text_append: named("text-append"),
        list_push: named("list-push"),
        inline: NATIVES.iter().map(|native| inline_form(native.name)).collect(),
    }
});

/// What stands for a call of this native, if anything does.
pub(crate) fn inline(native: NativeId) -> Option<Inline> {
    KNOWN.inline[native.0 as usize]
}

fn inline_form(name: &str) -> Option<Inline> {
    Some(match name {
        "text-len" | "list-len" => Inline::Len,
        "int-bit-and" => Inline::And,
        "int-bit-or" => Inline::Or,
        "int-bit-xor" => Inline::Xor,
        "math-sqrt" => Inline::Sqrt,
        "int-to-float" => Inline::ToFloat,
        _ => return None,
    })
}
