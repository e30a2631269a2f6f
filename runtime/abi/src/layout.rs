//! Heap objects as compiled code and the runtime both see them. Stated here and nowhere else.
//!
//! Every value is one 64-bit *word*: an Int, a Bool (0 or 1), a Duration or Time (nanoseconds), unit (0), a Float's bits,
//! or a *reference*: the address of an object, 16-byte aligned. An option of a reference is that reference or 0; an option
//! of anything else (a word, or another option) is a reference to a [`shape::BOX_WORD`] or [`shape::BOX_REF`] object, or 0.
//!
//! ```text
//! every object   0 count:u32   4 shape:u32   8 ...
//! TEXT           8 len:u64    16 ptr         24 len bytes          ptr = own address + 24
//! TEXT_SLICE     8 len:u64    16 ptr         24 owner:ref          ptr points into what owner keeps alive
//! BYTES, BYTES_SLICE          as TEXT and TEXT_SLICE; a Bytes value may be any of the four
//! FOREIGN        8 slot:u64                                        a buffer held by the scope's resource table
//! STREAM         8 slot:u64                                        a stream in the scope's resource table
//! RESOURCE       8 slot:u64                                        a Request, Query or Headers, likewise
//! SHARED         8 address   16 closure:ref?                       what all scopes of a version share: a store
//! RANGE          8 low:i64    16 high:i64    24 inclusive:0|1
//! BOX_WORD/REF   8 value
//! LIST_WORD/REF  8 len:u64    16 capacity    24 capacity words, the first len in use
//! RESPONSE       8 status     16 kind        24 headers:ref?       32 body:ref?     see [`response`]
//! MAP            8 len:u64    16 keys:ref?   24 values:ref?        32 index:ref?    see [`map`]; a Set is one without values
//! record, tuple  8 field 0    16 field 1 ...                       shape from the module's table
//! case           8 index      16 field 0     24 field 1 ...        shape from the module's table; CASE without fields
//! closure        8 code       16 capture 0 ...                     shape from the module's table
//! ```
//!
//! A value of an enum is its case's *index*, from 0 in declared order: as a word when no case of the type has fields, else in
//! an object. The object of a case without fields is immortal, of shape [`shape::CASE`], and belongs to the module.
//!
//! Counts: a new object has count 1. The top bit marks an *immortal* object (a literal, a frozen global): it is shared by
//! all workers, its count is never written and it is never freed. A count of 0 never stays: the object is freed at once.
//!
//! Calls: compiled functions take and give words in the platform's C convention with the [`crate::context::Ctx`] in
//! Cranelift's pinned register; closures take their own object first (borrowed), then their arguments (owned), and give
//! an owned result. Natives take the `Ctx` as their first argument.

/// Offset of the count in every object.
pub const COUNT: i32 = 0;
/// Offset of the shape in every object.
pub const SHAPE: i32 = 4;
/// Size of the header in bytes.
pub const HEADER: i32 = 8;
/// Alignment of every object in bytes.
pub const ALIGN: usize = 16;
/// Set in the count of an object that is never counted nor freed.
pub const IMMORTAL: u32 = 0x8000_0000;

/// Offset of the length in bytes in texts, in elements in lists.
pub const LEN: i32 = 8;
/// Offset of the address of a text's first byte.
pub const TEXT_PTR: i32 = 16;
/// Offset of a text's own bytes, or of a slice's owner.
pub const TEXT_DATA: i32 = 24;
/// Offset of a list's capacity in elements.
pub const LIST_CAPACITY: i32 = 16;
/// Offset of a list's first element.
pub const LIST_DATA: i32 = 24;
/// Offset of a stream's, foreign buffer's or resource's place in the scope's table.
pub const SLOT: i32 = 8;
/// Offset of the address of what a SHARED object stands for, which the version keeps.
pub const SHARED_STATE: i32 = 8;
/// Offset of the closure that makes a share's source, or 0.
pub const SHARED_SOURCE: i32 = 16;
/// Size of a SHARED object.
pub const SHARED_SIZE: u32 = 24;
/// Offset of a boxed value.
pub const BOX_VALUE: i32 = 8;
/// Offset of a range's first value.
pub const RANGE_LOW: i32 = 8;
/// Offset of a range's end.
pub const RANGE_HIGH: i32 = 16;
/// Offset of a range's flag: 1 when the end belongs to it.
pub const RANGE_INCLUSIVE: i32 = 24;
/// Size of a range object.
pub const RANGE_SIZE: u32 = 32;
/// Offset of a closure's code address.
pub const CLOSURE_CODE: i32 = 8;
/// Offset of a closure's first capture.
pub const CLOSURE_CAPTURES: i32 = 16;

/// Offset of the index of the case in an enum's object.
pub const CASE_INDEX: i32 = 8;
/// Size of the object of a case without fields.
pub const CASE_SIZE: u32 = 16;

/// The offset of field `index` of an enum's case.
pub const fn case_field(index: u32) -> i32 {
    field(index + 1)
}

/// The offset of field `index` of a record or tuple.
pub const fn field(index: u32) -> i32 {
    HEADER + 8 * index as i32
}

/// The first word of a new object of that shape: count 1.
pub const fn header(shape: u32) -> u64 {
    1 | (shape as u64) << 32
}

/// The first word of an immortal object of that shape.
pub const fn immortal_header(shape: u32) -> u64 {
    IMMORTAL as u64 | (shape as u64) << 32
}

/// Layout of a value of the library's record `Error`.
pub mod error {
    use super::field;

    /// Its fields in declared order.
    pub const FIELDS: [&str; 5] = ["message", "kind", "cause", "at", "status"];
    /// Offset of the message, a Text.
    pub const MESSAGE: i32 = field(0);
    /// Offset of the kind, a Text.
    pub const KIND: i32 = field(1);
    /// Offset of the cause, an Error or 0.
    pub const CAUSE: i32 = field(2);
    /// Offset of the place, a Text.
    pub const AT: i32 = field(3);
    /// Offset of the status, a box of an Int or 0.
    pub const STATUS: i32 = field(4);
}

/// Layout of a MAP object: the entries in the order in which they were inserted, as two lists, and where to find them.
///
/// `keys` and `values` are lists of equal length, or 0 as long as nothing was inserted; a Set has no `values`. `index` is a
/// BYTES object of words, or 0 while there are few entries: the number of slots, the slots, and one bit per slot for the
/// entry of that number, which says that it was removed and is a hole in the lists. `len` is the length of the lists less
/// the holes.
pub mod map {
    /// Offset of the number of entries.
    pub const LEN: i32 = super::LEN;
    /// Offset of the list of keys.
    pub const KEYS: i32 = 16;
    /// Offset of the list of values.
    pub const VALUES: i32 = 24;
    /// Offset of the index.
    pub const INDEX: i32 = 32;
    /// Size of the object.
    pub const SIZE: u32 = 40;
}

/// Layout of a RESPONSE object.
pub mod response {
    /// Offset of the status, 100 to 599.
    pub const STATUS: i32 = 8;
    /// Offset of what the body is: one of the `KIND_` constants.
    pub const KIND: i32 = 16;
    /// Offset of a reference to a list of header names and values in turn, or 0.
    pub const HEADERS: i32 = 24;
    /// Offset of the body, a reference or 0.
    pub const BODY: i32 = 32;
    /// Size of the object.
    pub const SIZE: u32 = 40;
    /// No body.
    pub const KIND_EMPTY: u64 = 0;
    /// The body is a Text, sent with its length.
    pub const KIND_TEXT: u64 = 1;
    /// The body is a stream of Text: one line, one chunk each.
    pub const KIND_LINES: u64 = 2;
    /// The body is a Bytes, sent with its length.
    pub const KIND_BYTES: u64 = 4;
    /// The body is a stream of Bytes: one chunk each, but for empty ones.
    pub const KIND_CHUNKS: u64 = 5;
    /// The body is a stream of events, Texts written as they are; it ends with an event that says so when it fails.
    pub const KIND_EVENTS: u64 = 6;
    /// The body is the handle of an open file.
    pub const KIND_FILE: u64 = 7;
    /// The handler failed: the body is the Error.
    pub const KIND_ERROR: u64 = 3;
}

/// Shapes: what an object's payload holds.
pub mod shape {
    /// A text with its bytes behind it.
    pub const TEXT: u32 = 1;
    /// A text that points into another object.
    pub const TEXT_SLICE: u32 = 2;
    /// Bytes with their data behind them.
    pub const BYTES: u32 = 3;
    /// Bytes that point into another object.
    pub const BYTES_SLICE: u32 = 4;
    /// A buffer outside the heap.
    pub const FOREIGN: u32 = 5;
    /// A stream.
    pub const STREAM: u32 = 6;
    /// A Request, Query or Headers.
    pub const RESOURCE: u32 = 7;
    /// A range.
    pub const RANGE: u32 = 8;
    /// An option's word.
    pub const BOX_WORD: u32 = 9;
    /// An option's option.
    pub const BOX_REF: u32 = 10;
    /// A list of words.
    pub const LIST_WORD: u32 = 11;
    /// A list of references, or of options (0 for None).
    pub const LIST_REF: u32 = 12;
    /// A response.
    pub const RESPONSE: u32 = 13;
    /// A case without fields of an enum whose other cases have some.
    pub const CASE: u32 = 14;
    /// A Map or a Set.
    pub const MAP: u32 = 15;
    /// A handle of what all scopes share.
    pub const SHARED: u32 = 16;
    /// Shapes from here on are indexes, less this, into the module's table.
    pub const FIRST_OF_MODULE: u32 = 32;
}

/// A record's, tuple's, case's or closure's shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Size of the object in bytes, header included.
    pub size: u32,
    /// Byte offsets of the words that hold references (or 0).
    pub refs: Box<[u32]>,
    /// What it is, for dumps: `record User`, `closure lambda in handle`.
    pub name: String,
}
