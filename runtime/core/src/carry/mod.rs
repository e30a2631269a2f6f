//! Values on their way from one scope to others.
//!
//! ```text
//! value, TypeId ──▶ pack ──▶ Block (atomically counted, immutable) ──▶ unpack ──▶ value in another scope's heap
//! ```
//! A block's bytes follow the type, without padding: a number in 8 bytes, the lowest first; a Bool, the unit, a record without
//! fields and the flag of an option in one; lengths and the index of a case as LEB128; parts in declared order; a Map's entries as key and value.
//! Invariants: a block names the structural type of its value and refers to nothing outside; the same bytes mean the same
//! value in every version of a program that has that type, so they may be kept in files. Neither side takes stack for nested
//! values; both stop every [`PIECE`] bytes to let others run. Bytes that are not what their type says are refused.
//! Not here: types that cannot be carried, which the checker refuses.

mod kind;
mod pack;
mod unpack;

pub use kind::Kind;
pub use pack::Packer;
pub use unpack::{Damaged, Unpacker};

use std::sync::Arc;
use weir_abi::code::Module;
use weir_abi::types::{TypeDesc, TypeId};

/// How many bytes are written or read before others have their turn: about 100 us.
pub const PIECE: usize = 16 * 1024;

/// A value that any scope may copy out.
#[derive(Debug)]
pub struct Block {
    /// Names its type.
    print: u128,
    data: Vec<u8>,
}

impl Block {
    /// The block of a value of that type, with what [`Packer`] made of it or what was kept in a file.
    pub fn new(kind: &Kind, data: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { print: kind.print(), data })
    }

    /// Its bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// What it takes of the process's memory, in bytes.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.data.capacity()
    }
}

/// A block as what a buffer is made of.
struct Shared(Arc<Block>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0.data
    }
}

/// The type of a part of a tuple, a record or a case.
fn part_type(module: &Module, ty: TypeId, case: usize, at: usize) -> Option<TypeId> {
    match &module.types[ty.0 as usize] {
        TypeDesc::Tuple(parts) => parts.get(at).copied(),
        TypeDesc::Record(_, fields) => fields.get(at).map(|(_, ty)| *ty),
        TypeDesc::Enum(_, cases) => cases[case].1.get(at).map(|(_, ty)| *ty),
        other => unreachable!("compiler bug: {other:?} has no parts"),
    }
}

#[cfg(test)]
mod tests;
