//! Values to JSON.
//!
//! In: a value and its type. Out: its bytes, a piece at a time, which whoever lets it be written takes away. The value is held there.

use super::path::Path;
use super::types::{entry_types, is_text, shape};
use super::{Fault, MAX_DEPTH, PIECE, TAG, leaf};
use crate::form::{Digits, case_index, option_payload, write_form};
use crate::heap::Full;
use crate::map::Map;
use crate::value::{Any, Bytes, List, Text};
use weir_abi::code::Module;
use weir_abi::json::case;
use weir_abi::layout;
use weir_abi::types::{TypeDesc, TypeId};

/// A list or object of which a part is written: what, and how many of its parts.
#[derive(Clone, Copy, Debug)]
enum Frame {
    /// A list's elements.
    Elements(TypeId, Any, usize),
    /// A tuple's parts.
    Parts(TypeId, Any, usize),
    /// The entries of a Map or Set from a number on; whether one was written.
    Entries(TypeId, Map, usize, bool),
    /// The key and the value of an entry of a Map: with that number, and how many of both.
    Pair(TypeId, Map, usize, usize),
    /// The fields of a record.
    Fields(TypeId, Any, usize),
    /// The fields of an enum's case with that index.
    Case(TypeId, usize, Any, usize),
    /// The value of an entry of a Map, behind its key.
    Value(TypeId, Any),
    /// A long Text from a byte on, with its last quote.
    Text(Text, usize),
    /// Long Bytes, likewise.
    Bytes(Bytes, usize),
}

/// How much of a Text or of Bytes is written at once; a multiple of 3, so that pieces of base64 make a whole.
const PART: usize = if cfg!(feature = "stress") { 9 } else { 6 * 1024 };

/// A value that is being written.
pub struct Writer {
    out: Vec<u8>,
    /// From the outermost one inwards.
    frames: Vec<Frame>,
    /// Until the first step.
    start: Option<(TypeId, Any)>,
    is_pretty: bool,
}

impl Writer {
    /// Writes `value` with the help of a buffer; `is_pretty` with a line for each part.
    pub fn new(ty: TypeId, value: Any, is_pretty: bool, buffer: Vec<u8>) -> Self {
        Self { out: buffer, frames: Vec::new(), start: Some((ty, value)), is_pretty }
    }

    /// What the last step wrote.
    pub fn piece(&self) -> &[u8] {
        &self.out
    }

    /// The buffer, of a writer that is done or given up.
    pub fn take_buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Goes on for about a piece, in place of the one before; whether it was the last.
    pub fn step(&mut self, module: &Module) -> Result<bool, Fault> {
        self.out.clear();
        if let Some((ty, value)) = self.start.take() {
            self.value(module, ty, value)?;
        }
        while let Some(frame) = self.frames.last_mut() {
            match frame {
                Frame::Elements(ty, list, at) => {
                    let Some(value) = list.element(*at) else {
                        self.close(b']');
                        continue;
                    };
                    let (ty, is_first) = (*ty, *at == 0);
                    *at += 1;
                    self.separate(is_first);
                    self.value(module, ty, value)?;
                }
                Frame::Parts(ty, tuple, at) => {
                    let TypeDesc::Tuple(parts) = &module.types[ty.0 as usize] else {
                        unreachable!("parts are a tuple's");
                    };
                    let Some(ty) = parts.get(*at) else {
                        self.close(b']');
                        continue;
                    };
                    let (value, is_first) = (tuple.part(layout::field(*at as u32)), *at == 0);
                    *at += 1;
                    self.separate(is_first);
                    self.value(module, *ty, value)?;
                }
                Frame::Entries(ty, map, at, behind) => {
                    let (ty, map, is_first) = (*ty, *map, !*behind);
                    let next = (*at..map.end()).find(|entry| map.is_entry(*entry));
                    if let Some(entry) = next {
                        (*at, *behind) = (entry + 1, true);
                    }
                    self.entry(module, ty, map, next, is_first)?;
                }
                Frame::Pair(ty, map, entry, at) => {
                    let (key, value) = entry_types(module, *ty);
                    let (map, entry, index) = (*map, *entry, *at);
                    *at += 1;
                    match (index, value) {
                        (0, _) => {
                            self.separate(true);
                            self.value(module, key, map.key(entry))?;
                        }
                        (1, Some(value)) => {
                            self.separate(false);
                            self.value(module, value, map.value(entry))?;
                        }
                        _ => self.close(b']'),
                    }
                }
                Frame::Fields(ty, record, at) => {
                    let (ty, record, index) = (*ty, *record, *at);
                    *at += 1;
                    let value = |index| record.part(layout::field(index));
                    self.field(module, ty, 0, index, index == 0, value)?;
                }
                Frame::Case(ty, case, of, at) => {
                    let (ty, case, of, index) = (*ty, *case, *of, *at);
                    *at += 1;
                    // The name of the case stands before its fields.
                    let value = |index| of.part(layout::case_field(index));
                    self.field(module, ty, case, index, false, value)?;
                }
                Frame::Value(ty, value) => {
                    let (ty, value) = (*ty, *value);
                    self.frames.pop();
                    self.colon();
                    self.value(module, ty, value)?;
                }
                Frame::Text(text, at) => {
                    let (text, at) = (*text, *at);
                    self.frames.pop();
                    self.text(text, at);
                }
                Frame::Bytes(bytes, at) => {
                    let (bytes, at) = (*bytes, *at);
                    self.frames.pop();
                    self.bytes(bytes, at);
                }
            }
            if self.out.len() >= PIECE {
                return Ok(self.frames.is_empty());
            }
        }
        Ok(true)
    }

    /// Writes the field with that index, or the end behind the last one.
    #[inline]
    fn field(
        &mut self,
        module: &Module,
        ty: TypeId,
        case: usize,
        index: usize,
        is_first: bool,
        value: impl FnOnce(u32) -> Any,
    ) -> Result<(), Fault> {
        let fields = match &module.types[ty.0 as usize] {
            TypeDesc::Record(_, fields) => fields,
            TypeDesc::Enum(_, cases) => &cases[case].1,
            _ => unreachable!("records and cases have fields"),
        };
        let Some((_, field)) = fields.get(index) else {
            self.close(b'}');
            return Ok(());
        };
        self.separate(is_first);
        leaf::write_text(&shape(module, ty, case).fields[index].name, &mut self.out);
        self.colon();
        self.value(module, *field, value(index as u32))
    }

    /// Writes an entry of a Map or Set, or the end behind the last one.
    fn entry(
        &mut self,
        module: &Module,
        ty: TypeId,
        map: Map,
        entry: Option<usize>,
        is_first: bool,
    ) -> Result<(), Fault> {
        let (key, value) = entry_types(module, ty);
        let is_object = value.is_some() && is_text(module, key);
        let Some(entry) = entry else {
            self.close(if is_object { b'}' } else { b']' });
            return Ok(());
        };
        self.separate(is_first);
        match value {
            Some(value) if is_object => {
                let key: Text = map.key(entry).as_arg();
                if key.len() > PART {
                    self.frames.push(Frame::Value(value, map.value(entry)));
                    self.begin_text(key);
                    return Ok(());
                }
                leaf::write_text(key.as_str(), &mut self.out);
                self.colon();
                self.value(module, value, map.value(entry))
            }
            Some(_) => self.open(module, b'[', Frame::Pair(ty, map, entry, 0)),
            None => self.value(module, key, map.key(entry)),
        }
    }

    /// Writes a value, or the beginning of one that has parts.
    fn value(&mut self, module: &Module, mut ty: TypeId, mut value: Any) -> Result<(), Fault> {
        let types = &module.types[..];
        loop {
            let desc = &types[ty.0 as usize];
            match desc {
                TypeDesc::Unit => self.out.extend_from_slice(b"null"),
                TypeDesc::Int => {
                    self.out.extend_from_slice(Digits::of(value.word() as i64).as_bytes());
                }
                TypeDesc::Float => return self.float(module, f64::from_bits(value.word())),
                TypeDesc::Bool => {
                    self.out.extend_from_slice(if value.word() != 0 { b"true" } else { b"false" });
                }
                TypeDesc::Text => self.begin_text(value.as_arg()),
                TypeDesc::Bytes => {
                    self.out.push(b'"');
                    self.bytes(value.as_arg(), 0);
                }
                TypeDesc::Duration | TypeDesc::Time | TypeDesc::Range => {
                    self.out.push(b'"');
                    // Leaves, which are short.
                    let _: Result<(), Full> = write_form(types, ty, value, &mut self.out, usize::MAX);
                    self.out.push(b'"');
                }
                TypeDesc::Option(_) if value.word() == 0 => self.out.extend_from_slice(b"null"),
                TypeDesc::Option(inner) => {
                    value = option_payload(types, *inner, value);
                    ty = *inner;
                    continue;
                }
                TypeDesc::List(item) => {
                    if value.as_arg::<List>().len() == 0 {
                        self.out.extend_from_slice(b"[]");
                        return Ok(());
                    }
                    return self.open(module, b'[', Frame::Elements(*item, value, 0));
                }
                TypeDesc::Map(key, _) => {
                    let (map, is_object) = (value.as_arg::<Map>(), is_text(module, *key));
                    if map.is_empty() {
                        self.out.extend_from_slice(if is_object { b"{}" } else { b"[]" });
                        return Ok(());
                    }
                    let bracket = if is_object { b'{' } else { b'[' };
                    return self.open(module, bracket, Frame::Entries(ty, map, 0, false));
                }
                TypeDesc::Set(_) if value.as_arg::<Map>().is_empty() => self.out.extend_from_slice(b"[]"),
                TypeDesc::Set(_) => {
                    return self.open(module, b'[', Frame::Entries(ty, value.as_arg(), 0, false));
                }
                TypeDesc::Tuple(_) => return self.open(module, b'[', Frame::Parts(ty, value, 0)),
                TypeDesc::Record(_, fields) if fields.is_empty() => self.out.extend_from_slice(b"{}"),
                TypeDesc::Record(..) => return self.open(module, b'{', Frame::Fields(ty, value, 0)),
                TypeDesc::Enum(_, cases) => {
                    let at = case_index(desc, value);
                    let (name, fields) = &cases[at];
                    if module.json.get(ty).is_some_and(|of| of.is_any) {
                        if at == case::NULL {
                            self.out.extend_from_slice(b"null");
                            return Ok(());
                        }
                        value = value.part(layout::case_field(0));
                        ty = fields[0].1;
                        continue;
                    }
                    if !fields.is_empty() {
                        self.open(module, b'{', Frame::Case(ty, at, value, 0))?;
                        self.separate(true);
                        leaf::write_text(TAG, &mut self.out);
                        self.colon();
                    }
                    leaf::write_text(name, &mut self.out);
                }
                other => unreachable!("compiler bug: {other:?} has no JSON form"),
            }
            return Ok(());
        }
    }

    fn begin_text(&mut self, text: Text) {
        self.out.push(b'"');
        self.text(text, 0);
    }

    /// Writes the next part of a Text.
    fn text(&mut self, text: Text, at: usize) {
        if let Some(at) = self.part(text.as_bytes(), at, leaf::write_characters) {
            self.frames.push(Frame::Text(text, at));
        }
    }

    fn bytes(&mut self, bytes: Bytes, at: usize) {
        if let Some(at) = self.part(bytes.as_bytes(), at, leaf::write_base64) {
            self.frames.push(Frame::Bytes(bytes, at));
        }
    }

    /// Writes the part of a long value that begins at `at`, with the last quote behind the last part; where the next begins.
    #[inline]
    fn part(&mut self, all: &[u8], at: usize, write: impl Fn(&[u8], &mut Vec<u8>)) -> Option<usize> {
        let end = all.len().min(at + PART);
        write(&all[at..end], &mut self.out);
        if end < all.len() {
            return Some(end);
        }
        self.out.push(b'"');
        None
    }

    fn float(&mut self, module: &Module, value: f64) -> Result<(), Fault> {
        if !value.is_finite() {
            return Err(self.wrong(module, &format!("{value} has no JSON form")));
        }
        leaf::write_float(value, &mut self.out);
        Ok(())
    }

    fn open(&mut self, module: &Module, bracket: u8, frame: Frame) -> Result<(), Fault> {
        if self.frames.len() == MAX_DEPTH {
            let message = format!("lists and objects are nested deeper than {MAX_DEPTH}");
            return Err(self.wrong(module, &message));
        }
        self.out.push(bracket);
        self.frames.push(frame);
        Ok(())
    }

    fn close(&mut self, bracket: u8) {
        self.frames.pop();
        self.new_line();
        self.out.push(bracket);
    }

    /// What stands before a part.
    #[inline]
    fn separate(&mut self, is_first: bool) {
        if !is_first {
            self.out.push(b',');
        }
        self.new_line();
    }

    #[inline]
    fn new_line(&mut self) {
        if self.is_pretty {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + 2 * self.frames.len(), b' ');
        }
    }

    #[inline]
    fn colon(&mut self) {
        self.out.extend_from_slice(if self.is_pretty { b": " } else { b":" });
    }

    #[cold]
    fn wrong(&self, module: &Module, why: &str) -> Fault {
        let mut path = Path::new();
        for frame in &self.frames {
            // A frame counts the part that is being written.
            match *frame {
                Frame::Entries(ty, map, at, _) => {
                    let (key, value) = entry_types(module, ty);
                    match at.checked_sub(1).filter(|_| value.is_some() && is_text(module, key)) {
                        Some(entry) => path.field(map.key(entry).as_arg::<Text>().as_str()),
                        None => path.element(at.saturating_sub(1)),
                    }
                }
                Frame::Elements(_, _, at) | Frame::Parts(_, _, at) | Frame::Pair(_, _, _, at) => {
                    path.element(at.saturating_sub(1))
                }
                Frame::Fields(ty, _, at) => path.field(&shape(module, ty, 0).fields[at - 1].name),
                Frame::Case(ty, case, _, at) => path.field(&shape(module, ty, case).fields[at - 1].name),
                Frame::Value(..) | Frame::Text(..) | Frame::Bytes(..) => {}
            }
        }
        Fault::Wrong(format!("{}: {why}", path.finish()))
    }
}
