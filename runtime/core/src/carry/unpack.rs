//! The bytes of blocks to values.
//!
//! In: a block and the type of the value in it. Out: the value, made from the outside inwards: each object is written into its
//! place in the one around it as soon as it exists, its own places still empty.
//! Invariant: what was made is reached from the root, or from an entry of a Map that is not yet inserted, and is given back
//! when reading is given up.

use super::{Block, Kind, PIECE, Shared, part_type};
use crate::heap::{Full, Obj, Word};
use crate::json::entry_types;
use crate::map::{self, EntryTypes, Map};
use crate::scope::Scope;
use crate::value::{Any, Arg, Handle, Own, Ref, Resource};
use std::str;
use std::sync::Arc;
use weir_abi::code::Module;
use weir_abi::layout::{self, shape};
use weir_abi::trap::Trap;
use weir_abi::types::{TypeDesc, TypeId};

/// Texts from this length on, in bytes, are not copied but point into the block.
const LONG: usize = 1024;

/// Where a value goes.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// It is the whole.
    Root,
    /// The word at an offset of an object.
    Word(Obj, i32),
    /// The key or the value of the entry that the frame with that index is reading.
    Key(usize),
    Value(usize),
}

/// A value of which a part is read.
#[derive(Clone, Copy, Debug)]
enum Frame {
    /// A list's elements from a number on.
    Elements { item: TypeId, list: Obj, at: usize, len: usize },
    /// The parts of a tuple, record or case from a number on.
    Parts { ty: TypeId, case: usize, of: Obj, at: usize },
    /// A Map or Set and how many entries are missing.
    Entries { ty: TypeId, map: Word, left: usize, entry: Entry, key: Word, value: Word, place: Place },
}

/// How far the entry of a Map is read that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Nothing,
    Key,
    Whole,
}

/// A value that is being read.
pub struct Unpacker {
    block: Arc<Block>,
    ty: TypeId,
    at: usize,
    has_begun: bool,
    root: Word,
    /// From the outermost one inwards.
    frames: Vec<Frame>,
    /// The block as a buffer of the scope's, once a text points into it.
    buffer: Option<Own<Resource>>,
}

/// Why there is no value.
#[derive(Debug)]
pub enum Damaged {
    /// The bytes are none of a value of that type.
    Bytes,
    /// It does not fit the heap.
    Trap(Trap),
}

impl From<Full> for Damaged {
    fn from(full: Full) -> Self {
        Self::Trap(full.into())
    }
}

impl Unpacker {
    /// Reads the value of type `ty`, which is one of that kind, out of a block.
    ///
    /// # Panics
    /// When the block is one of another kind.
    pub fn new(block: Arc<Block>, kind: &Kind, ty: TypeId) -> Self {
        assert_eq!(block.print, kind.print(), "a block is read as what it holds");
        Self { block, ty, at: 0, has_begun: false, root: 0, frames: Vec::new(), buffer: None }
    }

    /// Goes on for about a piece; gives the value, owned, when it is whole. When it fails, all that was made is given back.
    pub fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Damaged> {
        let app = scope.app().clone();
        match self.advance(scope, app.module()) {
            Ok(true) => {
                self.release_buffer(scope);
                Ok(Some(std::mem::take(&mut self.root)))
            }
            Ok(false) => Ok(None),
            Err(damaged) => {
                self.give_back(scope);
                Err(damaged)
            }
        }
    }

    fn advance(&mut self, scope: &mut Scope, module: &Module) -> Result<bool, Damaged> {
        let stop = self.at + PIECE;
        if !self.has_begun {
            self.has_begun = true;
            self.value(scope, module, self.ty, Place::Root)?;
        }
        while self.at < stop {
            let Some(frame) = self.frames.pop() else {
                return if self.at == self.block.data.len() { Ok(true) } else { Err(Damaged::Bytes) };
            };
            match frame {
                Frame::Elements { item, list, at, len } => {
                    if at + 1 < len {
                        self.frames.push(Frame::Elements { item, list, at: at + 1, len });
                    }
                    self.value(scope, module, item, Place::Word(list, layout::LIST_DATA + 8 * at as i32))?;
                }
                Frame::Parts { ty, case, of, at } => {
                    let Some(part) = part_type(module, ty, case, at) else { continue };
                    if part_type(module, ty, case, at + 1).is_some() {
                        self.frames.push(Frame::Parts { ty, case, of, at: at + 1 });
                    }
                    let is_case = matches!(module.types[ty.0 as usize], TypeDesc::Enum(..));
                    let offset =
                        if is_case { layout::case_field(at as u32) } else { layout::field(at as u32) };
                    self.value(scope, module, part, Place::Word(of, offset))?;
                }
                Frame::Entries { .. } => self.entry(scope, module, frame)?,
            }
        }
        Ok(false)
    }

    /// The next key or value of a Map, or the insertion of both, or its end.
    fn entry(&mut self, scope: &mut Scope, module: &Module, frame: Frame) -> Result<(), Damaged> {
        let Frame::Entries { ty, map, left, entry, key, value, place } = frame else { return Ok(()) };
        let (of_key, of_value) = entry_types(module, ty);
        let at = self.frames.len();
        let next = |map, left, entry| Frame::Entries { ty, map, left, entry, key: 0, value: 0, place };
        match (entry, of_value) {
            (Entry::Nothing, _) if left == 0 => self.put(place, map),
            (Entry::Nothing, _) => {
                self.frames.push(next(map, left, Entry::Key));
                self.value(scope, module, of_key, Place::Key(at))?;
            }
            (Entry::Key, Some(of_value)) => {
                self.frames.push(Frame::Entries { ty, map, left, entry: Entry::Whole, key, value, place });
                self.value(scope, module, of_value, Place::Value(at))?;
            }
            (Entry::Key, None) | (Entry::Whole, _) => {
                let types = EntryTypes { key: of_key, value: of_value };
                // SAFETY: map, key and value are this reader's alone, of the types that were asked for.
                let (map, key, value) =
                    unsafe { (scope.own::<Map>(map), Any::from_word(key), Any::from_word(value)) };
                let before = map.get().len();
                let map = map::insert(scope, types, map, key, value)?;
                let is_new = map.get().len() > before;
                self.frames.push(next(map.get().word(), left - 1, Entry::Nothing));
                if !is_new {
                    return Err(Damaged::Bytes);
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, place: Place, word: Word) {
        match place {
            Place::Root => self.root = word,
            Place::Word(object, offset) => object.set(offset, word),
            Place::Key(at) | Place::Value(at) => {
                let Some(Frame::Entries { key, value, .. }) = self.frames.get_mut(at) else {
                    unreachable!("an entry's frame stays until it is inserted")
                };
                if matches!(place, Place::Key(_)) {
                    *key = word;
                } else {
                    *value = word;
                }
            }
        }
    }

    /// Reads a value into its place, or the beginning of one that has parts.
    fn value(
        &mut self,
        scope: &mut Scope,
        module: &Module,
        mut ty: TypeId,
        mut place: Place,
    ) -> Result<(), Damaged> {
        let types = &module.types[..];
        loop {
            let desc = &types[ty.0 as usize];
            let word = match desc {
                TypeDesc::Unit => self.byte(0)?.into(),
                TypeDesc::Bool => self.byte(1)?.into(),
                TypeDesc::Int | TypeDesc::Float | TypeDesc::Duration | TypeDesc::Time => self.word()?,
                TypeDesc::Text => self.text(scope, true)?,
                TypeDesc::Bytes => self.text(scope, false)?,
                TypeDesc::Range => {
                    let words = [
                        (layout::RANGE_LOW, self.word()?),
                        (layout::RANGE_HIGH, self.word()?),
                        (layout::RANGE_INCLUSIVE, self.byte(1)?.into()),
                    ];
                    scope.object(layout::RANGE_SIZE as usize, shape::RANGE, &words)?.word()
                }
                TypeDesc::Option(inner) if self.byte(1)? == 1 => {
                    let inside = &types[inner.0 as usize];
                    if !inside.is_nullable_inside_option() {
                        let shape = if inside.is_ref() { shape::BOX_REF } else { shape::BOX_WORD };
                        let object = scope.object(16, shape, &[])?;
                        self.put(place, object.word());
                        place = Place::Word(object, layout::BOX_VALUE);
                    }
                    ty = *inner;
                    continue;
                }
                TypeDesc::Option(_) => 0,
                TypeDesc::List(item) => {
                    let len = self.count()?;
                    let is_ref = types[item.0 as usize].is_ref();
                    let list = scope.list(if is_ref { shape::LIST_REF } else { shape::LIST_WORD }, len)?;
                    let list = list.get().object();
                    for at in 0..len as i32 {
                        list.set(layout::LIST_DATA + 8 * at, 0);
                    }
                    list.set(layout::LEN, len as u64);
                    if len > 0 {
                        self.put(place, list.word());
                        self.frames.push(Frame::Elements { item: *item, list, at: 0, len });
                        return Ok(());
                    }
                    list.word()
                }
                TypeDesc::Map(..) | TypeDesc::Set(_) => {
                    let left = self.count()?;
                    let map = map::new(scope)?.get().word();
                    let entry = Entry::Nothing;
                    self.frames.push(Frame::Entries { ty, map, left, entry, key: 0, value: 0, place });
                    return Ok(());
                }
                TypeDesc::Tuple(_) | TypeDesc::Record(..) => return self.parts(scope, module, ty, 0, place),
                TypeDesc::Enum(_, cases) => {
                    let case = self.number()?;
                    let Some((_, fields)) = cases.get(case) else { return Err(Damaged::Bytes) };
                    if !fields.is_empty() {
                        return self.parts(scope, module, ty, case, place);
                    }
                    match desc.is_ref() {
                        true => {
                            let words = [(layout::CASE_INDEX, case as Word)];
                            scope.object(layout::CASE_SIZE as usize, shape::CASE, &words)?.word()
                        }
                        false => case as Word,
                    }
                }
                TypeDesc::Stream(_) | TypeDesc::Fn | TypeDesc::Native(_) | TypeDesc::Never => {
                    unreachable!("compiler bug: {desc:?} is carried")
                }
            };
            self.put(place, word);
            return Ok(());
        }
    }

    /// A tuple, record or case whose parts are still to be read.
    fn parts(
        &mut self,
        scope: &mut Scope,
        module: &Module,
        ty: TypeId,
        case: usize,
        place: Place,
    ) -> Result<(), Damaged> {
        let known = module.json.get(ty).and_then(|of| of.shapes.get(case));
        let made = known.expect("the compiler tells the shapes of what is carried");
        let words = [(layout::CASE_INDEX, case as Word)];
        let is_case = matches!(module.types[ty.0 as usize], TypeDesc::Enum(..));
        let of = scope.object(made.size as usize, made.shape, &words[..usize::from(is_case)])?;
        self.put(place, of.word());
        if part_type(module, ty, case, 0).is_none() {
            return self.byte(0).map(drop);
        }
        self.frames.push(Frame::Parts { ty, case, of, at: 0 });
        Ok(())
    }

    fn take(&mut self, len: usize) -> Result<std::ops::Range<usize>, Damaged> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.block.data.len());
        let range = self.at..end.ok_or(Damaged::Bytes)?;
        self.at = range.end;
        Ok(range)
    }

    fn byte(&mut self, most: u8) -> Result<u8, Damaged> {
        let range = self.take(1)?;
        let byte = self.block.data[range.start];
        if byte > most { Err(Damaged::Bytes) } else { Ok(byte) }
    }

    fn word(&mut self) -> Result<Word, Damaged> {
        let range = self.take(8)?;
        let bytes = self.block.data[range].try_into().map_err(|_| Damaged::Bytes)?;
        Ok(Word::from_le_bytes(bytes))
    }

    fn number(&mut self) -> Result<usize, Damaged> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(u8::MAX)?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return usize::try_from(number).map_err(|_| Damaged::Bytes);
            }
        }
        Err(Damaged::Bytes)
    }

    /// A number of values, of which each takes at least one byte.
    fn count(&mut self) -> Result<usize, Damaged> {
        let count = self.number()?;
        if count > self.block.data.len() - self.at { Err(Damaged::Bytes) } else { Ok(count) }
    }

    /// A Text, or Bytes, which are laid out like one.
    fn text(&mut self, scope: &mut Scope, is_text: bool) -> Result<Word, Damaged> {
        let len = self.number()?;
        let range = self.take(len)?;
        let block = Arc::clone(&self.block);
        let bytes = &block.data[range.clone()];
        if is_text && str::from_utf8(bytes).is_err() {
            return Err(Damaged::Bytes);
        }
        if len < LONG {
            return Ok(scope.text_with(len, |filler| filler.push(bytes))?.get().word());
        }
        let buffer = match &self.buffer {
            Some(buffer) => buffer.get(),
            None => {
                let made = scope.foreign(bytes::Bytes::from_owner(Shared(block)))?;
                self.buffer.insert(made).get()
            }
        };
        Ok(scope.foreign_text(buffer, range)?.get().word())
    }

    fn release_buffer(&mut self, scope: &mut Scope) {
        if let Some(buffer) = self.buffer.take() {
            scope.give_up(buffer);
        }
    }

    /// Gives back all that was made.
    pub fn give_back(&mut self, scope: &mut Scope) {
        let app = scope.app().clone();
        let module = app.module();
        let is_ref = |ty: TypeId| module.types[ty.0 as usize].is_ref();
        for frame in std::mem::take(&mut self.frames) {
            if let Frame::Entries { ty, map, key, value, .. } = frame {
                let (of_key, of_value) = entry_types(module, ty);
                let parts = [(key, is_ref(of_key)), (value, of_value.is_some_and(is_ref)), (map, true)];
                for (word, _) in parts.into_iter().filter(|(_, is_ref)| *is_ref) {
                    // SAFETY: a map, key or value of the reader's alone, or 0.
                    unsafe { scope.drop_word(word) };
                }
            }
        }
        let root = std::mem::take(&mut self.root);
        if is_ref(self.ty) {
            // SAFETY: the root is the reader's alone, or 0; places that were not read yet hold 0.
            unsafe { scope.drop_word(root) };
        }
        self.release_buffer(scope);
    }
}
