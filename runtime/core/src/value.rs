//! Typed handles: what native bodies see instead of words.
//!
//! In: words that compiled code passed, taken for what their type says. Out: lengths, bytes, elements.
//! Invariant: a handle is made from a word of its type whose object somebody holds for as long as the handle is used: the
//! caller of a native for a borrowed argument, the body for an [`Own`]. Natives are called with the types that
//! their declaration in `stdlib` gives, which the compiler checks.
//! Not here: making and freeing objects (`scope`).

use crate::heap::{Obj, Word};
use std::ptr;
use std::slice;
use std::str;
use weir_abi::layout::{self, shape};
use weir_abi::types::TypeId;

/// An argument of a native.
pub trait Arg {
    /// Takes a word for one.
    ///
    /// # Safety
    /// The word is of that type, and its object is held as the module's invariant says.
    unsafe fn from_word(word: Word) -> Self;
}

/// A result of a native.
pub trait Gives {
    /// The word that compiled code gets.
    fn into_word(self) -> Word;
}

impl Arg for i64 {
    unsafe fn from_word(word: Word) -> Self {
        word as i64
    }
}

impl Arg for f64 {
    unsafe fn from_word(word: Word) -> Self {
        f64::from_bits(word)
    }
}

impl Arg for Word {
    unsafe fn from_word(word: Word) -> Self {
        word
    }
}

impl Arg for TypeId {
    unsafe fn from_word(word: Word) -> Self {
        Self(word as u32)
    }
}

impl Gives for i64 {
    fn into_word(self) -> Word {
        self as Word
    }
}

impl Gives for f64 {
    fn into_word(self) -> Word {
        self.to_bits()
    }
}

impl Gives for Word {
    fn into_word(self) -> Word {
        self
    }
}

impl Gives for bool {
    fn into_word(self) -> Word {
        self as Word
    }
}

impl Gives for () {
    fn into_word(self) -> Word {
        0
    }
}

impl<T: Handle> Gives for Own<T> {
    fn into_word(self) -> Word {
        self.0.word()
    }
}

impl<T: Handle> Gives for Option<Own<T>> {
    fn into_word(self) -> Word {
        self.map_or(0, Gives::into_word)
    }
}

/// A reference of a known type.
pub trait Handle: Copy {
    /// Its word.
    fn word(self) -> Word;
}

/// A handle that is never 0.
pub trait Ref: Handle {
    /// Takes an object for one. It is of that type.
    fn of(object: Obj) -> Self;

    /// The object itself.
    fn object(self) -> Obj;
}

/// A reference that its holder has to give up or hand on: it has no `Drop`, for freeing takes the scope.
#[derive(Debug)]
#[must_use = "an owned reference is given up or handed on"]
pub struct Own<T>(T);

impl<T: Handle> Own<T> {
    /// Takes over a count that nobody else gives up.
    pub(crate) fn new(handle: T) -> Self {
        Self(handle)
    }

    /// The handle, for looking at it.
    pub fn get(&self) -> T {
        self.0
    }
}

impl<T: Handle + Arg> Arg for Own<T> {
    unsafe fn from_word(word: Word) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { T::from_word(word) })
    }
}

impl<T: Handle + Arg> Arg for Option<Own<T>> {
    unsafe fn from_word(word: Word) -> Self {
        // SAFETY: the caller's promise; an option of a reference is that reference or 0.
        (word != 0).then(|| Own(unsafe { T::from_word(word) }))
    }
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(Obj);

        impl Arg for $name {
            #[inline(always)]
            unsafe fn from_word(word: Word) -> Self {
                // SAFETY: the caller's promise. A reference that is no option's is never 0.
                Self(unsafe { Obj::from_word(word).unwrap_unchecked() })
            }
        }

        impl Handle for $name {
            #[inline(always)]
            fn word(self) -> Word {
                self.0.word()
            }
        }

        impl Ref for $name {
            #[inline(always)]
            fn of(object: Obj) -> Self {
                Self(object)
            }

            #[inline(always)]
            fn object(self) -> Obj {
                self.0
            }
        }
    )*};
}

handles! {
    /// A Text.
    Text;
    /// Bytes.
    Bytes;
    /// A list.
    List;
    /// A Range.
    Range;
    /// A function value.
    Closure;
    /// A stream.
    Stream;
    /// A Request, Query or Headers.
    Resource;
    /// A Response.
    Response;
    /// A box of an option.
    Boxed;
    /// An Error.
    Error;
}

impl Text {
    /// Its length in bytes.
    #[inline]
    pub fn len(self) -> usize {
        self.0.get(layout::LEN) as usize
    }

    /// Its bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: a text's pointer and length describe bytes that it keeps alive, and the handle's object is held.
        unsafe { slice::from_raw_parts(self.0.get(layout::TEXT_PTR) as *const u8, self.len()) }
    }

    /// Its characters.
    #[inline]
    pub fn as_str(&self) -> &str {
        // SAFETY: a Text is valid UTF-8 by construction.
        unsafe { str::from_utf8_unchecked(self.as_bytes()) }
    }

    /// Its whole characters in some `most` bytes from `at` on, which is where one begins; one at least, unless that is the end.
    pub fn window(&self, at: usize, most: usize) -> &str {
        let text = self.as_str();
        &text[at..text.floor_char_boundary(at.saturating_add(most.max(char::MAX_LEN_UTF8)))]
    }

    /// The object that keeps its bytes: itself or, for a slice, the owner.
    pub(crate) fn keeper(self) -> Obj {
        match self.0.shape() {
            // SAFETY: a slice holds its owner.
            shape::TEXT_SLICE => unsafe { Obj::from_word(self.0.get(layout::TEXT_DATA)) }.unwrap_or(self.0),
            _ => self.0,
        }
    }
}

impl Bytes {
    fn len(self) -> usize {
        self.0.get(layout::LEN) as usize
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the pointer and length describe bytes that it keeps alive, and the handle's object is held.
        unsafe { slice::from_raw_parts(self.0.get(layout::TEXT_PTR) as *const u8, self.len()) }
    }
}

impl List {
    /// How many elements.
    #[inline]
    pub fn len(self) -> usize {
        self.0.get(layout::LEN) as usize
    }

    /// For how many elements it has room.
    pub fn capacity(self) -> usize {
        self.0.get(layout::LIST_CAPACITY) as usize
    }

    /// Its elements' words.
    #[inline]
    pub fn words(&self) -> &[Word] {
        // SAFETY: `len` words behind the head are in use, and the handle's object is held.
        unsafe { slice::from_raw_parts(self.0.ptr().add(layout::LIST_DATA as usize).cast(), self.len()) }
    }

    /// Its elements.
    pub fn items(&self) -> impl DoubleEndedIterator<Item = Any> + ExactSizeIterator {
        self.words().iter().map(|word| Any(*word))
    }

    /// The element at an index below its length.
    #[inline]
    pub fn item(&self, at: usize) -> Any {
        Any(self.words()[at])
    }

    /// Its elements as Texts.
    pub fn texts(&self) -> impl Iterator<Item = Text> {
        // SAFETY: called on lists of Text only, whose elements are Texts that the list holds.
        self.words().iter().map(|word| unsafe { Text::from_word(*word) })
    }

    /// Whether the elements are references.
    pub fn has_refs(self) -> bool {
        self.0.shape() == shape::LIST_REF
    }

    /// Its elements' words, to be moved around. The caller holds the only reference and changes the order alone.
    #[expect(clippy::mut_from_ref, reason = "the list is not the handle, and nobody else refers to it")]
    pub(crate) fn words_mut(&self) -> &mut [Word] {
        debug_assert!(self.0.is_unique());
        // SAFETY: as for `words`; nobody else refers to the list.
        unsafe {
            slice::from_raw_parts_mut(self.0.ptr().add(layout::LIST_DATA as usize).cast::<Word>(), self.len())
        }
    }

    /// Forgets the elements from `len` on, whose references the caller took over. It holds the only reference.
    pub(crate) fn shorten(self, len: usize) {
        debug_assert!(self.0.is_unique() && len <= self.len());
        self.0.set(layout::LEN, len as u64);
    }

    /// Writes words behind the last element. The caller holds the only reference and saw to the room.
    pub(crate) fn append(self, words: &[Word]) {
        let len = self.len();
        assert!(self.capacity() - len >= words.len(), "room for the elements");
        // SAFETY: there is room, and a unique list is no part of `words`.
        unsafe {
            let end = self.0.ptr().add(layout::LIST_DATA as usize).cast::<Word>().add(len);
            ptr::copy_nonoverlapping(words.as_ptr(), end, words.len());
        }
        self.0.set(layout::LEN, (len + words.len()) as u64);
    }
}

impl Range {
    /// The first value.
    pub fn low(self) -> i64 {
        self.0.get(layout::RANGE_LOW) as i64
    }

    /// The end.
    pub fn high(self) -> i64 {
        self.0.get(layout::RANGE_HIGH) as i64
    }

    /// Whether the end belongs to it.
    pub fn is_inclusive(self) -> bool {
        self.0.get(layout::RANGE_INCLUSIVE) != 0
    }

    /// The first value behind it, in more bits for the range that ends at the largest Int; never below `low`.
    pub fn end(self) -> i128 {
        (self.high() as i128 + self.is_inclusive() as i128).max(self.low() as i128)
    }
}

impl Closure {
    /// Its code.
    pub fn code(self) -> *const u8 {
        self.0.get(layout::CLOSURE_CODE) as *const u8
    }
}

/// A word of a type that only a [`TypeId`] beside it tells.
#[derive(Clone, Copy, Debug)]
pub struct Any(Word);

impl Arg for Any {
    unsafe fn from_word(word: Word) -> Self {
        Self(word)
    }
}

impl Handle for Any {
    fn word(self) -> Word {
        self.0
    }
}

impl Gives for Any {
    fn into_word(self) -> Word {
        self.0
    }
}

impl Any {
    /// What stands where nothing looks.
    pub const NOTHING: Self = Self(0);

    /// The word.
    pub fn word(self) -> Word {
        self.0
    }

    /// It as an argument of the type that the type table says it has.
    pub fn as_arg<T: Arg>(self) -> T {
        // SAFETY: by the module's invariant the word is of the type that its holder looked up for it.
        unsafe { T::from_word(self.0) }
    }

    /// The word at a place of the record or box it refers to.
    pub fn part(self, offset: i32) -> Self {
        // SAFETY: as above; the object holds its parts.
        Self(unsafe { Obj::from_word(self.0) }.map_or(0, |object| object.get(offset)))
    }

    /// The element with that index of the list it refers to.
    #[inline]
    pub fn element(self, at: usize) -> Option<Self> {
        let list: List = self.as_arg();
        list.words().get(at).map(|word| Self(*word))
    }

    /// The elements of the list it refers to.
    pub fn elements(self) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        let list: List = self.as_arg();
        (0..list.len()).map(move |at| Self(list.object().get(layout::LIST_DATA + 8 * at as i32)))
    }
}

/// The parts that `text-concat` joins: pairs of kind and word, see [`weir_abi::native::part`].
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    first: *const [Word; 2],
    count: usize,
}

impl Parts {
    /// Parts at an address.
    ///
    /// # Safety
    /// There are `count` pairs there, which stay while this is used.
    pub unsafe fn at(first: Word, count: Word) -> Self {
        Self { first: first as *const _, count: count as usize }
    }

    /// The pairs.
    pub fn pairs(&self) -> &[[Word; 2]] {
        if self.count == 0 {
            return &[];
        }
        // SAFETY: promised to `at`.
        unsafe { slice::from_raw_parts(self.first, self.count) }
    }
}

/// Fills the bytes of a new text, front to back.
#[derive(Debug)]
pub struct Filler {
    at: *mut u8,
    left: usize,
}

impl Filler {
    /// Fills `len` bytes behind the head of a new TEXT.
    pub(crate) fn of(object: Obj, len: usize) -> Self {
        Self { at: object.ptr().wrapping_add(layout::TEXT_DATA as usize), left: len }
    }

    /// Fills `added` bytes behind the first `len` of a TEXT.
    pub(crate) fn behind(object: Obj, len: usize, added: usize) -> Self {
        Self { at: object.ptr().wrapping_add(layout::TEXT_DATA as usize + len), left: added }
    }

    /// Appends bytes; together they are the UTF-8 of the text.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= self.left, "the text was allocated for what is written");
        // SAFETY: `left` bytes from `at` on belong to the new text.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.at, bytes.len()) };
        self.at = self.at.wrapping_add(bytes.len());
        self.left -= bytes.len();
    }

    /// How many bytes are missing.
    pub fn left(&self) -> usize {
        self.left
    }
}
