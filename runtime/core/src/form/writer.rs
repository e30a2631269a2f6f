//! Walks through a value and writes its text form, a piece at a time.
//!
//! In: a value, which somebody holds, and its type. Out: bytes behind those of a buffer, up to a length or little more.
//! Invariants: takes no stack however deep the value is; what is one word or a Text by itself is written without an allocation.

use super::{case_index, option_payload, write_bytes, write_characters, write_leaf};
use crate::heap::Full;
use crate::map::Map;
use crate::value::{Any, Bytes, Error, Text};
use weir_abi::layout;
use weir_abi::types::{Case, TypeDesc, TypeId};

/// How many bytes of a Text or of Bytes are written at once.
const PART: usize = if cfg!(feature = "stress") { 8 } else { 4096 };

/// What is still to be written, the last first. Types are those of the whole.
enum Todo {
    Literal(&'static str),
    Value(TypeId, Any),
    /// A Text with its last quote, from a character on.
    Quoted(Text, usize),
    /// Bytes with their last quote, from one on.
    Bytes(Bytes, usize),
    /// The elements of a list from an index on; their type.
    Elements(TypeId, Any, usize),
    /// The parts of a tuple from an index on.
    Parts(TypeId, Any, usize),
    /// The entries of a Map or Set from a number on, and whether one was written.
    Entries(TypeId, Option<TypeId>, Map, usize, bool),
    /// The fields of a record from an index on.
    Fields(TypeId, Any, usize),
    /// The fields of a case, which has that index, from an index on.
    Payload(TypeId, usize, Any, usize),
}

/// A text form that is being written.
pub struct FormWriter {
    /// A Text that is written as it is, from a byte on.
    plain: Option<(Text, usize)>,
    todo: Vec<Todo>,
}

impl FormWriter {
    /// Begins to write the text form of `value`, which is of type `ty`.
    pub fn new(types: &[TypeDesc], ty: TypeId, value: Any, out: &mut Vec<u8>) -> Self {
        match &types[ty.0 as usize] {
            // A Text by itself is not quoted.
            TypeDesc::Text => Self::plain(value.as_arg()),
            // And an Error says what went wrong.
            desc if desc.is_error() => {
                value.as_arg::<Error>().write(out);
                Self::empty()
            }
            _ => Self::inside(types, ty, value, out),
        }
    }

    /// Begins to write the form that `value` has inside others, where a Text is quoted.
    pub fn inside(types: &[TypeDesc], ty: TypeId, value: Any, out: &mut Vec<u8>) -> Self {
        // And Html is its markup.
        if types[ty.0 as usize].is_html() {
            return Self::plain(value.part(layout::field(0)).as_arg());
        }
        let mut this = Self::empty();
        this.value(types, ty, value, out);
        this
    }

    /// Writes the characters of a Text.
    pub fn plain(text: Text) -> Self {
        Self { plain: Some((text, 0)), todo: Vec::new() }
    }

    /// Nothing is to be written.
    pub fn empty() -> Self {
        Self { plain: None, todo: Vec::new() }
    }

    /// Goes on until `out` has `until` bytes or some more; whether the form is whole.
    pub fn step(&mut self, types: &[TypeDesc], out: &mut Vec<u8>, until: usize) -> bool {
        if let Some((text, at)) = &mut self.plain {
            let rest = &text.as_bytes()[*at..];
            let part = rest.len().min(until.saturating_sub(out.len()));
            out.extend_from_slice(&rest[..part]);
            *at += part;
            return part == rest.len();
        }
        while out.len() < until {
            let Some(next) = self.todo.pop() else { return true };
            self.go_on(types, next, out);
        }
        self.todo.is_empty()
    }

    /// Writes all of it, unless `out` gets longer than `most`.
    pub fn finish(mut self, types: &[TypeDesc], out: &mut Vec<u8>, most: usize) -> Result<(), Full> {
        if self.step(types, out, most.saturating_add(1)) { Ok(()) } else { Err(Full) }
    }

    fn go_on(&mut self, types: &[TypeDesc], next: Todo, out: &mut Vec<u8>) {
        match next {
            Todo::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Todo::Value(ty, value) => self.value(types, ty, value, out),
            Todo::Quoted(text, at) => self.quoted(text, at, out),
            Todo::Bytes(bytes, at) => self.bytes(bytes, at, out),
            Todo::Elements(ty, list, at) => {
                if let Some(element) = list.element(at) {
                    self.todo.push(Todo::Elements(ty, list, at + 1));
                    separate(at > 0, out);
                    self.value(types, ty, element, out);
                }
            }
            Todo::Parts(ty, tuple, at) => {
                let TypeDesc::Tuple(parts) = &types[ty.0 as usize] else {
                    unreachable!("parts are a tuple's")
                };
                if let Some(part) = parts.get(at) {
                    self.todo.push(Todo::Parts(ty, tuple, at + 1));
                    separate(at > 0, out);
                    self.value(types, *part, tuple.part(layout::field(at as u32)), out);
                }
            }
            Todo::Entries(key, value, map, from, behind) => {
                let next = (from..map.end()).find(|entry| map.is_entry(*entry));
                if let Some(entry) = next {
                    self.todo.push(Todo::Entries(key, value, map, entry + 1, true));
                    separate(behind, out);
                    if let Some(value) = value {
                        self.todo.push(Todo::Value(value, map.value(entry)));
                        self.todo.push(Todo::Literal(": "));
                    }
                    self.value(types, key, map.key(entry), out);
                }
            }
            Todo::Fields(ty, record, at) => {
                let TypeDesc::Record(_, fields) = &types[ty.0 as usize] else {
                    unreachable!("fields are a record's")
                };
                if let Some((name, part)) = fields.get(at) {
                    self.todo.push(Todo::Fields(ty, record, at + 1));
                    name_field(name, at, out);
                    self.value(types, *part, record.part(layout::field(at as u32)), out);
                }
            }
            Todo::Payload(ty, index, of, at) => {
                if let Some((name, part)) = case(types, ty, index).1.get(at) {
                    self.todo.push(Todo::Payload(ty, index, of, at + 1));
                    name_field(name, at, out);
                    self.value(types, *part, of.part(layout::case_field(at as u32)), out);
                }
            }
        }
    }

    fn quoted(&mut self, text: Text, at: usize, out: &mut Vec<u8>) {
        let rest = &text.as_str()[at..];
        let part = rest.ceil_char_boundary(rest.len().min(PART));
        write_characters(&rest[..part], out);
        if part < rest.len() {
            self.todo.push(Todo::Quoted(text, at + part));
        } else {
            out.push(b'"');
        }
    }

    fn bytes(&mut self, bytes: Bytes, at: usize, out: &mut Vec<u8>) {
        let rest = &bytes.as_bytes()[at..];
        let part = rest.len().min(PART);
        write_bytes(&rest[..part], out);
        if part < rest.len() {
            self.todo.push(Todo::Bytes(bytes, at + part));
        } else {
            out.push(b'"');
        }
    }

    /// Writes a value, or the beginning of one that has parts.
    fn value(&mut self, types: &[TypeDesc], ty: TypeId, value: Any, out: &mut Vec<u8>) {
        let desc = &types[ty.0 as usize];
        match desc {
            desc if write_leaf(desc, value, out) => {}
            TypeDesc::Text => {
                out.push(b'"');
                self.quoted(value.as_arg(), 0, out);
            }
            TypeDesc::Bytes => {
                out.extend_from_slice(b"b\"");
                self.bytes(value.as_arg(), 0, out);
            }
            TypeDesc::List(element) => self.open("[", "]", Todo::Elements(*element, value, 0), out),
            TypeDesc::Map(..) if value.as_arg::<Map>().is_empty() => out.extend_from_slice(b"[:]"),
            TypeDesc::Map(key, of) => {
                self.open("[", "]", Todo::Entries(*key, Some(*of), value.as_arg(), 0, false), out);
            }
            TypeDesc::Set(item) => {
                self.open("set(", ")", Todo::Entries(*item, None, value.as_arg(), 0, false), out);
            }
            TypeDesc::Tuple(_) => self.open("(", ")", Todo::Parts(ty, value, 0), out),
            TypeDesc::Record(..) if desc.is_error() => {
                let mut chain = Vec::new();
                value.as_arg::<Error>().write(&mut chain);
                out.extend_from_slice(b"Error(\"");
                write_characters(&String::from_utf8_lossy(&chain), out);
                out.extend_from_slice(b"\")");
            }
            TypeDesc::Record(name, _) if name.is_empty() => {
                self.open("{", "}", Todo::Fields(ty, value, 0), out);
            }
            TypeDesc::Record(name, _) => {
                out.extend_from_slice(name.as_bytes());
                self.open("(", ")", Todo::Fields(ty, value, 0), out);
            }
            TypeDesc::Enum(..) => {
                let index = case_index(desc, value);
                let (name, fields) = case(types, ty, index);
                out.extend_from_slice(name.as_bytes());
                if desc.is_result() {
                    self.open("(", ")", Todo::Value(fields[0].1, value.part(layout::case_field(0))), out);
                } else if !fields.is_empty() {
                    self.open("(", ")", Todo::Payload(ty, index, value, 0), out);
                }
            }
            TypeDesc::Option(_) if value.word() == 0 => out.extend_from_slice(b"None"),
            TypeDesc::Option(inner) => {
                self.open("Some(", ")", Todo::Value(*inner, option_payload(types, *inner, value)), out);
            }
            _ => unreachable!("leaves were written"),
        }
    }

    /// Begins what stands between brackets.
    fn open(&mut self, before: &str, behind: &'static str, parts: Todo, out: &mut Vec<u8>) {
        out.extend_from_slice(before.as_bytes());
        self.todo.push(Todo::Literal(behind));
        self.todo.push(parts);
    }
}

fn case(types: &[TypeDesc], ty: TypeId, index: usize) -> &Case {
    let TypeDesc::Enum(_, cases) = &types[ty.0 as usize] else { unreachable!("cases are an enum's") };
    &cases[index]
}

fn separate(behind: bool, out: &mut Vec<u8>) {
    if behind {
        out.extend_from_slice(b", ");
    }
}

/// What stands before the value of the field with the index `at`.
fn name_field(name: &str, at: usize, out: &mut Vec<u8>) {
    separate(at > 0, out);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
}
