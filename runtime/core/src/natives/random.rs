//! Natives of `random.weir`.

use super::Flow;
use crate::lists::{Change, REFS, change};
use crate::random::Random;
use crate::scope::Scope;
use crate::value::{List, Own, Range};
use weir_abi::trap::Trap;

/// Makes what follows depend on `number` alone.
pub fn random_seed(scope: &mut Scope, number: i64) -> Result<(), Trap> {
    scope.random = Some(Random::seeded(number as u64));
    Ok(())
}

/// The scope's generator.
fn generator(scope: &mut Scope) -> Result<&mut Random, Trap> {
    if scope.random.is_none() {
        let made = Random::from_system();
        scope.random =
            Some(made.map_err(|e| Trap::native(format!("the system has no random numbers: {e}")))?);
    }
    Ok(scope.random.as_mut().expect("just made"))
}

/// One of a range's Ints.
pub fn random_int(scope: &mut Scope, range: Range) -> Result<i64, Trap> {
    let count = range.end() - i128::from(range.low());
    if count == 0 {
        return Err(Trap::native("random.int of an empty range"));
    }
    let offset = generator(scope)?.up_to((count - 1) as u64);
    Ok(range.low().wrapping_add(offset as i64))
}

/// From 0 up to 1.
pub fn random_float(scope: &mut Scope) -> Result<f64, Trap> {
    Ok(generator(scope)?.unit())
}

/// The elements in random order.
pub fn random_shuffle(scope: &mut Scope, list: Own<List>) -> Result<Flow, Trap> {
    if let Err(trap) = generator(scope) {
        scope.give_up(list);
        return Err(trap);
    }
    let len = list.get().len();
    change(scope, list, 0..len, 0, Shuffle { left: len })
}

/// Puts elements into random order (Knuth, TAOCP 3.4.2, algorithm P).
struct Shuffle {
    /// So many have no place yet.
    left: usize,
}

impl Change for Shuffle {
    fn step(&mut self, scope: &mut Scope, list: List) -> Result<bool, Trap> {
        let random = generator(scope)?;
        for _ in 0..REFS {
            let Some(last) = self.left.checked_sub(1) else { return Ok(true) };
            list.words_mut().swap(last, random.up_to(last as u64) as usize);
            self.left = last;
        }
        Ok(false)
    }

    fn close(self, _: &mut Scope, _: List) {}
}
