//! Changes of lists step by step, and given up between any two steps.

use super::*;
use crate::testing;
use crate::value::{Any, Arg};
use proptest::prelude::*;
use weir_abi::layout::shape;

/// A list of references, some of them 0, or of Ints; and the numbers that stand for its elements.
fn list(scope: &mut Scope, of_refs: bool, len: usize) -> (Own<List>, Vec<u64>) {
    let shape = if of_refs { shape::LIST_REF } else { shape::LIST_WORD };
    let list = scope.list(shape, len).expect("room");
    for at in 0..len as u64 {
        let word = if of_refs { item(scope, true, at).word() } else { at };
        list.get().append(&[word]);
    }
    (list, (0..len as u64).collect())
}

fn item(scope: &mut Scope, is_ref: bool, number: u64) -> Any {
    let word = match is_ref {
        true if number % 16 == 7 => 0,
        true => scope.some_word(number).expect("room").into_word(),
        false => number,
    };
    // SAFETY: a number, or an option of one.
    unsafe { Any::from_word(word) }
}

fn numbers(list: List) -> Vec<u64> {
    let number = |word: &u64| match (list.has_refs(), *word) {
        (false, word) => word,
        (true, 0) => 7,
        // SAFETY: an option of a number.
        (true, word) => unsafe { Any::from_word(word) }.part(layout::BOX_VALUE).word(),
    };
    list.words().iter().map(number).collect()
}

/// How a list is changed, and what the same comes to in Rust.
#[derive(Clone, Copy, Debug)]
enum How {
    Push,
    Insert(usize),
    Remove(usize),
    Truncate(usize),
    Append(usize, bool),
    Reverse,
    Cut(usize, usize),
    Part(usize, usize),
}

struct Case {
    how: How,
    of_refs: bool,
    is_shared: bool,
    len: usize,
    /// After how many steps it is given up.
    steps: Option<usize>,
}

/// Runs a change; `None` when it was given up.
fn run<C: Change>(
    scope: &mut Scope,
    changing: Result<Changing<C>, Trap>,
    steps: Option<usize>,
) -> Option<Own<List>> {
    let mut changing = changing.expect("room");
    for _ in 0..steps.unwrap_or(usize::MAX) {
        if let Some(word) = changing.step(scope).expect("no trap") {
            // SAFETY: the list that was changed.
            return Some(unsafe { scope.own(word) });
        }
    }
    changing.close(scope);
    None
}

fn sevens(numbers: &mut [u64]) {
    for number in numbers.iter_mut().filter(|number| **number % 16 == 7) {
        *number = 7;
    }
}

fn check(case: &Case) {
    let scope = &mut testing::scope();
    let (own, mut expected) = list(scope, case.of_refs, case.len);
    let kept = case.is_shared.then(|| scope.dup(own.get()));
    let (old, len, steps) = (own.get(), case.len, case.steps);
    let at = |at: usize| at % len.max(1);
    let mut held = None;
    let made = match case.how {
        How::Push => {
            let change = Push::new(item(scope, case.of_refs, 1000), old);
            expected.push(1000);
            let changing = Changing::new(scope, own, 0..len, 1, change);
            run(scope, changing, steps)
        }
        How::Insert(index) => {
            let index = at(index);
            let change = Insert::new(item(scope, case.of_refs, 1000), old, index);
            expected.insert(index, 1000);
            let changing = Changing::new(scope, own, 0..len, 1, change);
            run(scope, changing, steps)
        }
        How::Remove(index) => {
            if len == 0 {
                return;
            }
            expected.remove(at(index));
            let changing = Changing::new(scope, own, 0..len, 0, Remove::new(at(index)));
            let made = run(scope, changing, steps);
            if made.is_some() && case.of_refs {
                // SAFETY: compiled code takes the second word, which the native has just set, likewise.
                unsafe { scope.drop_word((*scope.worker().ctx()).second) };
            }
            made
        }
        How::Truncate(count) => {
            expected.truncate(at(count));
            let changing = Changing::new(scope, own, 0..len, 0, Truncate { len: at(count) });
            run(scope, changing, steps)
        }
        How::Append(count, is_shared) => {
            let (other, numbers) = list(scope, case.of_refs, count);
            held = is_shared.then(|| scope.dup(other.get()));
            expected.extend(numbers);
            let changing = Changing::new(scope, own, 0..len, count, Append::new(old, other));
            run(scope, changing, steps)
        }
        How::Reverse => {
            expected.reverse();
            let changing = Changing::new(scope, own, 0..len, 0, Reverse::default());
            run(scope, changing, steps)
        }
        How::Cut(low, high) if !case.is_shared => {
            let (low, high) = (at(low).min(at(high)), at(low).max(at(high)));
            expected = expected[low..high].to_vec();
            let changing = Changing::new(scope, own, 0..len, 0, Cut::new(low, high));
            run(scope, changing, steps)
        }
        How::Cut(low, high) | How::Part(low, high) => {
            let (low, high) = (at(low).min(at(high)), at(low).max(at(high)));
            expected = expected[low..high].to_vec();
            let changing = Changing::copied(scope, own, low..high, high - low, Nothing);
            run(scope, changing, steps)
        }
    };
    if case.of_refs {
        sevens(&mut expected);
    }
    if let Some(made) = made {
        assert!(made.get().object().is_unique());
        assert_eq!(numbers(made.get()), expected, "{:?}", case.how);
        scope.give_up(made);
    }
    if let Some(kept) = kept {
        let mut before: Vec<u64> = (0..len as u64).collect();
        if case.of_refs {
            sevens(&mut before);
        }
        assert_eq!(numbers(kept.get()), before, "{:?}", case.how);
        scope.give_up(kept);
    }
    held.into_iter().for_each(|held| scope.give_up(held));
    scope.free_all_late();
    assert_eq!(scope.heap().live(), 0, "{:?}", case.how);
}

fn how() -> impl Strategy<Value = How> {
    let at = 0..4 * WORDS;
    prop_oneof![
        Just(How::Push),
        at.clone().prop_map(How::Insert),
        at.clone().prop_map(How::Remove),
        at.clone().prop_map(How::Truncate),
        (0..2 * WORDS, any::<bool>()).prop_map(|(count, is_shared)| How::Append(count, is_shared)),
        Just(How::Reverse),
        (at.clone(), at.clone()).prop_map(|(low, high)| How::Cut(low, high)),
        (at.clone(), at).prop_map(|(low, high)| How::Part(low, high)),
    ]
}

/// Lengths about the borders of steps, and any others.
fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![0..12usize, REFS - 2..REFS + 3, WORDS - 2..WORDS + 3, 2 * WORDS..3 * WORDS]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn lists_change_as_vectors_do_and_can_be_given_up(
        how in how(),
        of_refs: bool,
        is_shared: bool,
        len in lengths(),
        steps in proptest::option::of(0..8usize),
    ) {
        check(&Case { how, of_refs, is_shared, len, steps });
    }
}
