//! Values to the bytes of blocks.
//!
//! In: a value and its type. Out: its bytes, a piece at a time. The value is held by whoever lets it be packed.

use super::{PIECE, part_type};
use crate::form::{case_index, option_payload};
use crate::json::entry_types;
use crate::map::Map;
use crate::value::{Any, Bytes, List, Range, Text};
use weir_abi::code::Module;
use weir_abi::layout;
use weir_abi::types::{TypeDesc, TypeId};

/// A value of which a part is packed.
#[derive(Clone, Copy, Debug)]
enum Frame {
    /// A list's elements from a number on.
    Elements(TypeId, Any, usize),
    /// The parts of a tuple, record or case from a number on.
    Parts(TypeId, usize, Any, usize),
    /// The entries of a Map or Set from a number on.
    Entries(TypeId, Map, usize),
    /// A value, behind its key.
    Value(TypeId, Any),
}

/// A value that is being packed.
pub struct Packer {
    out: Vec<u8>,
    /// From the outermost one inwards.
    frames: Vec<Frame>,
    /// Until the first step.
    start: Option<(TypeId, Any)>,
}

/// A value takes more bytes than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

impl Packer {
    /// Packs `value`.
    pub fn new(ty: TypeId, value: Any) -> Self {
        Self { out: Vec::new(), frames: Vec::new(), start: Some((ty, value)) }
    }

    /// What was packed, once it is all.
    pub fn take(&mut self) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.out);
        out.shrink_to_fit();
        out
    }

    /// Goes on for about a piece; whether the value is packed. Refuses one of more than `limit` bytes.
    pub fn step(&mut self, module: &Module, limit: usize) -> Result<bool, TooLarge> {
        let stop = self.out.len() + PIECE;
        if let Some((ty, value)) = self.start.take() {
            self.value(module, ty, value, limit)?;
        }
        while let Some(frame) = self.frames.pop() {
            match frame {
                Frame::Elements(ty, list, at) => {
                    let Some(value) = list.element(at) else { continue };
                    self.frames.push(Frame::Elements(ty, list, at + 1));
                    self.value(module, ty, value, limit)?;
                }
                Frame::Parts(ty, case, of, at) => {
                    let Some(part) = part_type(module, ty, case, at) else { continue };
                    // What is packed last needs no frame below it: a long chain takes no room.
                    if part_type(module, ty, case, at + 1).is_some() {
                        self.frames.push(Frame::Parts(ty, case, of, at + 1));
                    }
                    let is_case = matches!(module.types[ty.0 as usize], TypeDesc::Enum(..));
                    let offset =
                        if is_case { layout::case_field(at as u32) } else { layout::field(at as u32) };
                    self.value(module, part, of.part(offset), limit)?;
                }
                Frame::Entries(ty, map, from) => {
                    let Some(entry) = (from..map.end()).find(|entry| map.is_entry(*entry)) else { continue };
                    let (key, value) = entry_types(module, ty);
                    self.frames.push(Frame::Entries(ty, map, entry + 1));
                    if let Some(value) = value {
                        self.frames.push(Frame::Value(value, map.value(entry)));
                    }
                    self.value(module, key, map.key(entry), limit)?;
                }
                Frame::Value(ty, value) => self.value(module, ty, value, limit)?,
            }
            if self.out.len() > limit {
                return Err(TooLarge);
            }
            if self.out.len() >= stop {
                return Ok(self.frames.is_empty());
            }
        }
        if self.out.len() > limit { Err(TooLarge) } else { Ok(true) }
    }

    /// Packs a value, or the beginning of one that has parts.
    fn value(
        &mut self,
        module: &Module,
        mut ty: TypeId,
        mut value: Any,
        limit: usize,
    ) -> Result<(), TooLarge> {
        let types = &module.types[..];
        loop {
            let desc = &types[ty.0 as usize];
            match desc {
                TypeDesc::Unit => self.out.push(0),
                TypeDesc::Bool => self.out.push(value.word() as u8),
                TypeDesc::Int | TypeDesc::Float | TypeDesc::Duration | TypeDesc::Time => {
                    self.word(value.word());
                }
                TypeDesc::Text => self.bytes(value.as_arg::<Text>().as_bytes(), limit)?,
                TypeDesc::Bytes => self.bytes(value.as_arg::<Bytes>().as_bytes(), limit)?,
                TypeDesc::Range => {
                    let range: Range = value.as_arg();
                    self.word(range.low() as u64);
                    self.word(range.high() as u64);
                    self.out.push(range.is_inclusive().into());
                }
                TypeDesc::Option(inner) => {
                    self.out.push(u8::from(value.word() != 0));
                    if value.word() != 0 {
                        value = option_payload(types, *inner, value);
                        ty = *inner;
                        continue;
                    }
                }
                TypeDesc::List(item) => {
                    self.number(value.as_arg::<List>().len());
                    self.frames.push(Frame::Elements(*item, value, 0));
                }
                TypeDesc::Map(..) | TypeDesc::Set(_) => {
                    let map: Map = value.as_arg();
                    self.number(map.len());
                    self.frames.push(Frame::Entries(ty, map, 0));
                }
                // Everything takes a byte, so that a length tells the least size of a list.
                TypeDesc::Record(_, fields) if fields.is_empty() => self.out.push(0),
                TypeDesc::Tuple(_) | TypeDesc::Record(..) => self.frames.push(Frame::Parts(ty, 0, value, 0)),
                TypeDesc::Enum(_, cases) => {
                    let case = case_index(desc, value);
                    self.number(case);
                    if !cases[case].1.is_empty() {
                        self.frames.push(Frame::Parts(ty, case, value, 0));
                    }
                }
                TypeDesc::Stream(_) | TypeDesc::Fn | TypeDesc::Native(_) | TypeDesc::Never => {
                    unreachable!("compiler bug: {desc:?} is carried")
                }
            }
            return Ok(());
        }
    }

    fn word(&mut self, word: u64) {
        self.out.extend_from_slice(&word.to_le_bytes());
    }

    fn number(&mut self, number: usize) {
        let mut rest = number as u64;
        while rest >= 0x80 {
            self.out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.out.push(rest as u8);
    }

    fn bytes(&mut self, bytes: &[u8], limit: usize) -> Result<(), TooLarge> {
        if bytes.len() > limit.saturating_sub(self.out.len()) {
            return Err(TooLarge);
        }
        self.number(bytes.len());
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}
