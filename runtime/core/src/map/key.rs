//! Keys of Maps and elements of Sets: their hash, and when two are the same.
//!
//! In: values of one type. Out: 32 bits of a hash; whether two are equal as keys: as by `==`, but NaN equals itself.
//! Hashes are seeded anew in each process, so that nobody can choose keys that collide; order and results never depend
//! on them.

use crate::equal::are_same_keys;
use crate::form::{case_index, option_payload};
use crate::map::Map;
use crate::value::{Any, Range, Text};
use foldhash::quality::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;
use weir_abi::layout;
use weir_abi::types::{TypeDesc, TypeId};

static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// How many parts of a key its hash is made of: some ten microseconds' worth. Keys that differ behind them collide.
const PARTS: usize = 16 * 1024;

/// How the keys of one type are compared.
#[derive(Clone, Copy)]
pub enum Keys<'t> {
    /// Words.
    Word,
    /// Texts and Bytes.
    Bytes,
    /// Anything else, by its description.
    Other(&'t [TypeDesc], TypeId),
}

impl<'t> Keys<'t> {
    /// Keys of type `ty`.
    #[inline]
    pub fn of(types: &'t [TypeDesc], ty: TypeId) -> Self {
        match &types[ty.0 as usize] {
            TypeDesc::Int | TypeDesc::Bool | TypeDesc::Unit | TypeDesc::Duration | TypeDesc::Time => {
                Self::Word
            }
            TypeDesc::Text | TypeDesc::Bytes => Self::Bytes,
            cases @ TypeDesc::Enum(..) if !cases.is_ref() => Self::Word,
            _ => Self::Other(types, ty),
        }
    }

    /// The hash of a key.
    #[inline]
    pub fn hash(self, key: Any) -> u32 {
        let mut hasher = SEED.build_hasher();
        match self {
            Self::Word => hasher.write_u64(key.word()),
            Self::Bytes => hasher.write(key.as_arg::<Text>().as_bytes()),
            Self::Other(types, ty) => feed(types, ty, key, PARTS, &mut hasher),
        }
        hasher.finish() as u32
    }

    /// Whether two keys are the same.
    #[inline]
    pub fn same(self, a: Any, b: Any) -> bool {
        match self {
            Self::Word => a.word() == b.word(),
            Self::Bytes => {
                a.word() == b.word() || a.as_arg::<Text>().as_bytes() == b.as_arg::<Text>().as_bytes()
            }
            Self::Other(types, ty) => are_same_keys(types, ty, a, b),
        }
    }
}

/// A Float's bits, the same for all NaNs and for both zeros.
fn float_bits(word: u64) -> u64 {
    let value = f64::from_bits(word);
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

/// Feeds what equality looks at, as far as so many parts go: the same ones of equal values.
fn feed(types: &[TypeDesc], ty: TypeId, value: Any, parts: usize, hasher: &mut impl Hasher) {
    let mut todo = vec![(ty, value)];
    for left in (0..parts).rev() {
        let Some((ty, value)) = todo.pop() else { return };
        let desc = &types[ty.0 as usize];
        match desc {
            TypeDesc::Text | TypeDesc::Bytes => {
                let text: Text = value.as_arg();
                hasher.write_usize(text.len());
                hasher.write(text.as_bytes());
            }
            TypeDesc::Float => hasher.write_u64(float_bits(value.word())),
            TypeDesc::Range => {
                let range: Range = value.as_arg();
                let is_empty = range.low() as i128 == range.end();
                hasher.write_i128(if is_empty { 0 } else { range.end() });
                hasher.write_i64(if is_empty { 0 } else { range.low() });
            }
            TypeDesc::List(element) => {
                let elements = value.elements();
                hasher.write_usize(elements.len());
                todo.extend(elements.take(left).map(|each| (*element, each)));
            }
            TypeDesc::Map(key, of) => feed_entries(types, (*key, Some(*of)), value.as_arg(), left, hasher),
            TypeDesc::Set(key) => feed_entries(types, (*key, None), value.as_arg(), left, hasher),
            TypeDesc::Option(_) if value.word() == 0 => hasher.write_u8(0),
            TypeDesc::Option(inner) => {
                hasher.write_u8(1);
                todo.push((*inner, option_payload(types, *inner, value)));
            }
            TypeDesc::Tuple(parts) => {
                let parts = parts.iter().enumerate();
                todo.extend(parts.map(|(at, ty)| (*ty, value.part(layout::field(at as u32)))));
            }
            TypeDesc::Record(_, fields) => {
                let parts = fields.iter().enumerate();
                todo.extend(parts.map(|(at, (_, ty))| (*ty, value.part(layout::field(at as u32)))));
            }
            TypeDesc::Enum(_, cases) => {
                let at = case_index(desc, value);
                hasher.write_usize(at);
                let parts = cases[at].1.iter().enumerate();
                todo.extend(parts.map(|(at, (_, ty))| (*ty, value.part(layout::case_field(at as u32)))));
            }
            // Words. What has no equality is refused by the checker.
            TypeDesc::Unit
            | TypeDesc::Int
            | TypeDesc::Bool
            | TypeDesc::Duration
            | TypeDesc::Time
            | TypeDesc::Stream(_)
            | TypeDesc::Fn
            | TypeDesc::Native(_)
            | TypeDesc::Never => hasher.write_u64(value.word()),
        }
    }
}

/// Feeds entries so that their order does not matter: each has its share of the parts.
fn feed_entries(
    types: &[TypeDesc],
    (key, of): (TypeId, Option<TypeId>),
    map: Map,
    parts: usize,
    hasher: &mut impl Hasher,
) {
    let share = parts / 2 / map.len().max(1);
    let mut sum = 0u64;
    for entry in map.entries().take(if share > 0 { usize::MAX } else { 0 }) {
        let mut own = SEED.build_hasher();
        feed(types, key, map.key(entry), share, &mut own);
        if let Some(of) = of {
            feed(types, of, map.value(entry), share, &mut own);
        }
        sum = sum.wrapping_add(own.finish());
    }
    hasher.write_usize(map.len());
    hasher.write_u64(sum);
}
