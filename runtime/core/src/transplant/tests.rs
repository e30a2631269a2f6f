//! Values copied into another scope: the same, apart, and step by step.

use super::*;
use crate::testing;
use crate::value::{Handle, List, Own, Ref, Text};

/// The copy of a value, and how many steps it took.
fn moved(own: &Own<List>, to: &mut Scope) -> Result<(Own<List>, usize), Trap> {
    let mut transplant = Transplant::begin(own.get().object(), to)?;
    for steps in 1.. {
        if let Some(word) = transplant.step(to)? {
            // SAFETY: the copy of a list is one, and owned.
            return Ok((unsafe { to.own(word) }, steps));
        }
    }
    unreachable!("a copy comes to its end")
}

/// A list of these owned words.
fn list(scope: &mut Scope, shape: u32, words: &[Word]) -> Own<List> {
    let list = scope.list(shape, words.len() + 5).expect("room");
    list.get().append(words);
    list
}

fn two_scopes() -> (Scope, Scope) {
    let app = testing::app(testing::module(testing::nothing, None));
    (testing::scope_of(app.clone()), testing::scope_of(app))
}

#[test]
fn shared_parts_stay_shared_and_slices_come_alone() {
    let (mut from, mut to) = two_scopes();
    let long = from.text(&"0123456789".repeat(1000)).expect("room");
    let whole = from.dup(long.get());
    let slice = from.text_slice(long, 10..110).expect("room");
    let again = from.dup(slice.get());
    let words = [whole.get().word(), slice.get().word(), again.get().word(), 0];
    let old = list(&mut from, shape::LIST_REF, &words);
    let (new, _) = moved(&old, &mut to).expect("it can be copied");
    from.give_up(old);
    assert_eq!((from.heap().live(), to.heap().live()), (0, 3));
    let parts: Vec<Text> = new.get().texts().take(3).collect();
    assert_eq!(parts[0].len(), 10_000);
    assert_eq!((parts[1].as_str(), parts[1].object().shape()), (&*"0123456789".repeat(10), shape::TEXT));
    assert_eq!((parts[1].word(), parts[1].object().count()), (parts[2].word(), 2));
    to.give_up(new);
    assert_eq!(to.heap().live(), 0);
}

#[test]
fn large_values_take_steps() {
    let (mut from, mut to) = two_scopes();
    let words: Vec<Word> = (0..100_000).collect();
    let old = list(&mut from, shape::LIST_WORD, &words);
    let (new, steps) = moved(&old, &mut to).expect("it can be copied");
    assert!(steps > 100_000 * 8 / STEP, "{steps} steps");
    assert_eq!(new.get().len(), 100_000);
    assert_eq!(new.get().object().get(layout::LIST_DATA + 8 * 99_999), 99_999);
    // Many small ones do as well.
    let texts: Vec<Word> = (0..10_000).map(|_| from.text("a").expect("room").get().word()).collect();
    let many = list(&mut from, shape::LIST_REF, &texts);
    assert!(moved(&many, &mut to).expect("it can be copied").1 >= 10_000 * OBJECT / STEP);
}

#[test]
fn what_belongs_to_a_scope_stays() {
    let (mut from, mut to) = two_scopes();
    let source = crate::stream::Ints::new(0, 3);
    let stream = from.stream(Box::new(source)).expect("room");
    let old = list(&mut from, shape::LIST_REF, &[stream.get().word()]);
    let trap = moved(&old, &mut to).expect_err("a stream");
    assert!(trap.to_string().contains("a stream belongs to its request"), "{trap}");
    from.give_up(old);
    assert_eq!((from.heap().live(), from.resources()), (0, 0));
}
