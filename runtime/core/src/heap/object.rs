//! A reference to a heap object and raw access to its words.
//!
//! Invariant: an [`Obj`] is made only from references that the heap or compiled code gave, and used only while somebody
//! holds a count of the object; offsets are those of `weir_abi::layout` for the object's shape.
//! Not here: what the words mean to natives (`value`), who frees (`heap`).

use std::ptr::NonNull;
use weir_abi::layout::{self, IMMORTAL, Shape, shape};

/// A word as compiled code passes it: a number or a reference.
pub type Word = u64;

/// The address of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Obj(NonNull<u8>);

/// Where an object's references are.
pub enum Refs<'a> {
    /// It has none.
    None,
    /// At these offsets.
    At(&'a [u32]),
    /// In `count` words from offset `first` on.
    Span { first: i32, count: usize },
    /// It has none but stands for a slot of the scope's table.
    Slot,
}

impl Obj {
    /// The object a word refers to; `None` for 0.
    ///
    /// # Safety
    /// The word is 0 or a reference to a live object.
    #[inline(always)]
    pub unsafe fn from_word(word: Word) -> Option<Self> {
        NonNull::new(word as *mut u8).map(Self)
    }

    #[inline(always)]
    pub(super) fn from_ptr(ptr: NonNull<u8>) -> Self {
        Self(ptr)
    }

    /// The reference as a word.
    #[inline(always)]
    pub fn word(self) -> Word {
        self.0.as_ptr() as Word
    }

    /// Its address.
    #[inline(always)]
    pub fn ptr(self) -> *mut u8 {
        self.0.as_ptr()
    }

    #[inline(always)]
    fn read<T: Copy>(self, offset: i32) -> T {
        // SAFETY: the type's invariant: a live object and one of its offsets, aligned for its kind.
        unsafe { self.0.as_ptr().offset(offset as isize).cast::<T>().read() }
    }

    #[inline(always)]
    fn write<T: Copy>(self, offset: i32, value: T) {
        // SAFETY: as for `read`; the workers share only immortal objects, which are not written.
        unsafe { self.0.as_ptr().offset(offset as isize).cast::<T>().write(value) }
    }

    /// The word at an offset.
    #[inline(always)]
    pub fn get(self, offset: i32) -> Word {
        self.read(offset)
    }

    /// Writes the word at an offset.
    #[inline(always)]
    pub fn set(self, offset: i32, word: Word) {
        self.write(offset, word)
    }

    /// Its count with the immortal bit.
    #[inline(always)]
    pub fn count(self) -> u32 {
        self.read(layout::COUNT)
    }

    #[inline(always)]
    pub(super) fn set_count(self, count: u32) {
        self.write(layout::COUNT, count)
    }

    /// Its shape.
    #[inline(always)]
    pub fn shape(self) -> u32 {
        self.read(layout::SHAPE)
    }

    /// Whether it is shared by all and never freed.
    #[inline(always)]
    pub fn is_immortal(self) -> bool {
        self.count() & IMMORTAL != 0
    }

    /// Whether there is one reference to it, so that its holder may change it.
    #[inline(always)]
    pub fn is_unique(self) -> bool {
        self.count() == 1
    }

    /// One reference more.
    #[inline(always)]
    pub fn dup(self) {
        let count = self.count();
        if cfg!(feature = "stress") {
            self.check(count);
        }
        if count & IMMORTAL == 0 {
            self.set_count(count + 1);
        }
    }

    /// One reference less; whether it was the last.
    #[inline(always)]
    pub(super) fn undup(self) -> bool {
        let count = self.count();
        if cfg!(feature = "stress") {
            self.check(count);
            assert!(count != 0, "reference to a freed object");
        }
        if count & IMMORTAL != 0 {
            return false;
        }
        self.set_count(count - 1);
        count == 1
    }

    /// Asserts that the header looks like one of a live object.
    fn check(self, count: u32) {
        assert!(self.word().is_multiple_of(layout::ALIGN as u64), "misaligned reference {:#x}", self.word());
        let shape = self.shape();
        assert!(shape != super::FREE && shape != 0xDDDD_DDDD, "object {:#x} was freed", self.word());
        assert!(count & IMMORTAL != 0 || count < 0x4000_0000, "count {count:#x} of {:#x}", self.word());
    }

    /// Its size in bytes, as it was allocated.
    pub fn size(self, shapes: &[Shape]) -> usize {
        match self.shape() {
            shape::TEXT | shape::BYTES => layout::TEXT_DATA as usize + self.get(layout::LEN) as usize,
            shape::TEXT_SLICE | shape::BYTES_SLICE => 32,
            shape::FOREIGN | shape::STREAM | shape::RESOURCE | shape::BOX_WORD | shape::BOX_REF => 16,
            shape::CASE => layout::CASE_SIZE as usize,
            shape::RANGE => layout::RANGE_SIZE as usize,
            shape::LIST_WORD | shape::LIST_REF => {
                layout::LIST_DATA as usize + 8 * self.get(layout::LIST_CAPACITY) as usize
            }
            shape::MAP => layout::map::SIZE as usize,
            shape::RESPONSE => layout::response::SIZE as usize,
            shape::SHARED => layout::SHARED_SIZE as usize,
            own => shapes[(own - shape::FIRST_OF_MODULE) as usize].size as usize,
        }
    }

    /// Calls `each` with every object it refers to.
    pub fn for_each_ref(self, shapes: &[Shape], mut each: impl FnMut(Obj)) {
        // SAFETY: a live object's references are 0 or refer to live objects.
        let mut look = |word| unsafe { Obj::from_word(word) }.into_iter().for_each(&mut each);
        match self.refs(shapes) {
            Refs::None | Refs::Slot => {}
            Refs::At(offsets) => offsets.iter().for_each(|&offset| look(self.get(offset as i32))),
            Refs::Span { first, count } => {
                (0..count).for_each(|at| look(self.get(first + 8 * at as i32)));
            }
        }
    }

    /// Where its references are.
    #[inline]
    pub fn refs(self, shapes: &[Shape]) -> Refs<'_> {
        const OWNER: &[u32] = &[layout::TEXT_DATA as u32];
        const SOURCE: &[u32] = &[layout::SHARED_SOURCE as u32];
        const BOXED: &[u32] = &[layout::BOX_VALUE as u32];
        const RESPONSE: &[u32] = &[layout::response::HEADERS as u32, layout::response::BODY as u32];
        const MAP: &[u32] =
            &[layout::map::KEYS as u32, layout::map::VALUES as u32, layout::map::INDEX as u32];
        match self.shape() {
            shape::TEXT_SLICE | shape::BYTES_SLICE => Refs::At(OWNER),
            shape::MAP => Refs::At(MAP),
            shape::BOX_REF => Refs::At(BOXED),
            shape::RESPONSE => Refs::At(RESPONSE),
            shape::SHARED => Refs::At(SOURCE),
            shape::LIST_REF => Refs::Span { first: layout::LIST_DATA, count: self.get(layout::LEN) as usize },
            shape::FOREIGN | shape::STREAM | shape::RESOURCE => Refs::Slot,
            shape::TEXT | shape::BYTES | shape::RANGE | shape::BOX_WORD | shape::LIST_WORD | shape::CASE => {
                Refs::None
            }
            own => Refs::At(&shapes[(own - shape::FIRST_OF_MODULE) as usize].refs),
        }
    }
}
