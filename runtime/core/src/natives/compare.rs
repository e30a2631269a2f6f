//! Natives that compare two values of any type, in steps: values that share parts may be far larger than the heap.

use super::Flow;
use crate::equal::Equality;
use crate::heap::Word;
use crate::map::Keys;
use crate::order::Comparison;
use crate::scope::Scope;
use crate::steps::{Work, in_steps};
use crate::value::{Any, Gives};
use std::cmp::Ordering;
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// How many parts a step looks at.
const PARTS: usize = if cfg!(feature = "stress") { 3 } else { 4096 };

/// Whether two values of a type are equal.
pub fn value_equal(scope: &mut Scope, ty: TypeId, a: Any, b: Any) -> Result<Flow, Trap> {
    in_steps(scope, Equality::new(ty, a, b))
}

/// Whether `a` comes before `b`; never where a NaN decides.
pub fn value_less(scope: &mut Scope, ty: TypeId, a: Any, b: Any) -> Result<Flow, Trap> {
    ordered(scope, Comparison::new(ty, a, b, false), |order| order.is_some_and(Ordering::is_lt).into_word())
}

/// Whether `a` comes before `b` or equals it; never where a NaN decides.
pub fn value_less_equal(scope: &mut Scope, ty: TypeId, a: Any, b: Any) -> Result<Flow, Trap> {
    ordered(scope, Comparison::new(ty, a, b, false), |order| order.is_some_and(Ordering::is_le).into_word())
}

/// -1, 0 or 1: the order of two values in sorting.
pub fn value_compare(scope: &mut Scope, ty: TypeId, a: Any, b: Any) -> Result<Flow, Trap> {
    ordered(scope, Comparison::new(ty, a, b, true), |order| {
        (order.unwrap_or(Ordering::Equal) as i64).into_word()
    })
}

/// The hash of a value as a key.
pub fn value_hash(scope: &mut Scope, ty: TypeId, value: Any) -> i64 {
    i64::from(Keys::of(&scope.app().module().types, ty).hash(value))
}

impl Work for Equality {
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        Ok(Equality::step(self, &scope.app().module().types, PARTS).map(Gives::into_word))
    }
}

struct Ordered<F> {
    comparison: Comparison,
    word: F,
}

fn ordered<F>(scope: &mut Scope, comparison: Comparison, word: F) -> Result<Flow, Trap>
where
    F: Fn(Option<Ordering>) -> Word + 'static,
{
    in_steps(scope, Ordered { comparison, word })
}

impl<F: Fn(Option<Ordering>) -> Word> Work for Ordered<F> {
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        Ok(self.comparison.step(&scope.app().module().types, PARTS).map(&self.word))
    }
}
