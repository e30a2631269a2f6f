//! Structural types: what two versions of a program must agree on to share values.
//!
//! In: a type of a module's table. Out: its written form and a number made of that. Types are the same when their parts are:
//! the names and types of fields and cases in declared order; what a record or an enum is itself called does not matter.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;
use weir_abi::code::Module;
use weir_abi::types::{TypeDesc, TypeId};

/// So much of a type is shown in messages.
const SHOWN: usize = 200;

/// A structural type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    text: String,
    print: u128,
}

/// What is still to be written.
enum Todo<'m> {
    Type(TypeId),
    Text(&'static str),
    Name(&'m str),
}

impl Kind {
    /// That of a type which can be carried.
    pub fn of(module: &Module, ty: TypeId) -> Self {
        let mut text = String::new();
        // The declared types that were met, which may contain themselves.
        let mut numbers = HashMap::new();
        let mut todo = vec![Todo::Type(ty)];
        while let Some(next) = todo.pop() {
            match next {
                Todo::Text(written) => text.push_str(written),
                Todo::Name(name) => text.push_str(name),
                Todo::Type(ty) => {
                    let first = todo.len();
                    let desc = &module.types[ty.0 as usize];
                    if matches!(desc, TypeDesc::Record(..) | TypeDesc::Enum(..)) {
                        let count = numbers.len() + 1;
                        if let Some(number) = numbers.get(&ty.0) {
                            // Writing to a String cannot fail.
                            let _ = write!(text, "#{number}");
                            continue;
                        }
                        numbers.insert(ty.0, count);
                    }
                    expand(desc, &mut todo);
                    todo[first..].reverse();
                }
            }
        }
        Self::parse(text)
    }

    /// That with this written form.
    pub fn parse(text: String) -> Self {
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
        Self { print: u128::from_le_bytes(*first), text }
    }

    /// The number that blocks name it by: the first half of the form's SHA-256.
    pub fn print(&self) -> u128 {
        self.print
    }

    /// Its written form.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The beginning of that, for messages.
    pub fn shown(&self) -> String {
        match self.text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}...", &self.text[..end]),
            None => self.text.clone(),
        }
    }
}

/// Adds what a type is written with, in order.
fn expand<'m>(desc: &'m TypeDesc, todo: &mut Vec<Todo<'m>>) {
    let mut applied = |name: &'static str, parts: &[TypeId]| {
        todo.push(Todo::Text(name));
        for (at, part) in parts.iter().enumerate() {
            todo.push(Todo::Text(if at == 0 { "[" } else { ", " }));
            todo.push(Todo::Type(*part));
        }
        if !parts.is_empty() {
            todo.push(Todo::Text("]"));
        }
    };
    match desc {
        TypeDesc::Unit => applied("()", &[]),
        TypeDesc::Int => applied("Int", &[]),
        TypeDesc::Float => applied("Float", &[]),
        TypeDesc::Bool => applied("Bool", &[]),
        TypeDesc::Text => applied("Text", &[]),
        TypeDesc::Bytes => applied("Bytes", &[]),
        TypeDesc::Duration => applied("Duration", &[]),
        TypeDesc::Time => applied("Time", &[]),
        TypeDesc::Range => applied("Range", &[]),
        TypeDesc::Never => applied("Never", &[]),
        TypeDesc::List(item) => applied("List", &[*item]),
        TypeDesc::Set(item) => applied("Set", &[*item]),
        TypeDesc::Map(key, value) => applied("Map", &[*key, *value]),
        TypeDesc::Option(inner) => todo.extend([Todo::Type(*inner), Todo::Text("?")]),
        TypeDesc::Tuple(parts) => {
            for (at, part) in parts.iter().enumerate() {
                todo.extend([Todo::Text(if at == 0 { "(" } else { ", " }), Todo::Type(*part)]);
            }
            todo.push(Todo::Text(")"));
        }
        TypeDesc::Record(_, fields) => expand_fields(("{", "}"), fields, todo),
        TypeDesc::Enum(_, cases) => {
            todo.push(Todo::Text("<"));
            for (at, (name, fields)) in cases.iter().enumerate() {
                todo.push(Todo::Text(if at == 0 { "" } else { " | " }));
                todo.push(Todo::Name(name));
                if !fields.is_empty() {
                    expand_fields(("(", ")"), fields, todo);
                }
            }
            todo.push(Todo::Text(">"));
        }
        TypeDesc::Stream(_) | TypeDesc::Fn | TypeDesc::Native(_) => {
            unreachable!("compiler bug: {desc:?} is carried")
        }
    }
}

fn expand_fields<'m>(
    (open, close): (&'static str, &'static str),
    fields: &'m [(String, TypeId)],
    todo: &mut Vec<Todo<'m>>,
) {
    todo.push(Todo::Text(open));
    for (at, (name, ty)) in fields.iter().enumerate() {
        todo.push(Todo::Text(if at == 0 { "" } else { ", " }));
        todo.extend([Todo::Name(name), Todo::Text(": "), Todo::Type(*ty)]);
    }
    todo.push(Todo::Text(close));
}
