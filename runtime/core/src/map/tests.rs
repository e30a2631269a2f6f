//! Maps against a plain list of pairs, with few and with many entries, with and without other holders.

use super::changes::{self, Begun, Change, drop_value};
use super::*;
use crate::form::write_form;
use crate::testing::{self, types};
use proptest::prelude::*;

const INTS: EntryTypes = EntryTypes { key: types::INT, value: Some(types::INT) };
const TEXTS: EntryTypes = EntryTypes { key: types::TEXT, value: Some(types::TEXT) };

#[derive(Clone, Debug)]
enum Step {
    Insert(u8, u8),
    Remove(u8),
    /// Somebody else holds the map as it is.
    Hold,
    /// Somebody else holds its keys.
    HoldKeys,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = prop_oneof![0..12u8, any::<u8>()];
    let step = prop_oneof![
        8 => (key.clone(), any::<u8>()).prop_map(|(k, v)| Step::Insert(k, v)),
        4 => key.prop_map(Step::Remove),
        1 => Just(Step::Hold),
        1 => Just(Step::HoldKeys),
    ];
    proptest::collection::vec(step, 0..400)
}

/// A key or value: an Int as it is, a Text that spells it.
fn word(scope: &mut Scope, ty: TypeId, value: u8) -> Any {
    let word = match ty {
        types::TEXT => scope.text(&format!("number {value}")).expect("room").get().word(),
        _ => u64::from(value),
    };
    // SAFETY: a word of that type.
    unsafe { Any::from_word(word) }
}

fn shown(scope: &Scope, ty: TypeId, value: Any) -> String {
    let mut out = Vec::new();
    write_form(&scope.app().module().types, ty, value, &mut out, usize::MAX).expect("no limit");
    String::from_utf8(out).expect("UTF-8")
}

/// The entries as texts.
fn listed(scope: &Scope, of: EntryTypes, map: Map) -> Vec<(String, String)> {
    let value = of.value.expect("a map");
    map.entries().map(|at| (shown(scope, of.key, map.key(at)), shown(scope, value, map.value(at)))).collect()
}

fn expected(of: EntryTypes, model: &[(u8, u8)]) -> Vec<(String, String)> {
    let show = |ty: TypeId, n: u8| if ty == types::TEXT { format!("number {n}") } else { n.to_string() };
    model.iter().map(|(k, v)| (show(of.key, *k), show(of.key, *v))).collect()
}

/// Goes on with a change, so many units at a time.
fn ended<C: Change>(scope: &mut Scope, begun: Begun<C>, units: usize) -> Result<Own<Map>, Full> {
    match begun {
        Begun::Done(map) => Ok(map),
        Begun::Going(mut change) => loop {
            if let Some(map) = change.step(scope, units)? {
                return Ok(map);
            }
        },
    }
}

fn run(of: EntryTypes, steps: &[Step], units: usize) {
    let scope = &mut testing::scope();
    let mut map = new(scope).expect("room");
    let mut model: Vec<(u8, u8)> = Vec::new();
    let mut held = Vec::new();
    let mut lists: Vec<Own<List>> = Vec::new();
    for step in steps {
        match *step {
            Step::Insert(k, v) => {
                let (key, value) = (word(scope, of.key, k), word(scope, of.key, v));
                let begun = changes::insert(scope, of, map, key, value, units).expect("room");
                map = ended(scope, begun, units).expect("room");
                match model.iter_mut().find(|(key, _)| *key == k) {
                    Some(entry) => entry.1 = v,
                    None => model.push((k, v)),
                }
            }
            Step::Remove(k) => {
                let key = word(scope, of.key, k);
                let begun = changes::remove(scope, of, map, key, units).expect("room");
                map = ended(scope, begun, units).expect("room");
                drop_value(scope, key, of.key == types::TEXT);
                model.retain(|(key, _)| *key != k);
            }
            Step::Hold => held.push((scope.dup(map.get()), model.clone())),
            Step::HoldKeys => lists.extend(map.get().keys().map(|list| scope.dup(list))),
        }
        assert_eq!(map.get().len(), model.len());
    }
    held.push((map, model));
    for (map, model) in held {
        assert_eq!(listed(scope, of, map.get()), expected(of, &model));
        let app = scope.app().clone();
        let keys = Keys::of(&app.module().types, of.key);
        for k in 0..=255 {
            let key = word(scope, of.key, k);
            let found = map.get().find(keys, key).map(|at| shown(scope, of.key, map.get().key(at)));
            let is_there = model.iter().any(|(key, _)| *key == k);
            assert_eq!(found, is_there.then(|| shown(scope, of.key, key)), "{k}");
            drop_value(scope, key, of.key == types::TEXT);
        }
        scope.give_up(map);
    }
    lists.into_iter().for_each(|list| scope.give_up(list));
    scope.free_all_late();
    assert_eq!(scope.heap().live(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_map_of_ints_behaves_like_a_list_of_pairs(steps in steps(), units in 1usize..40) {
        run(INTS, &steps, units);
    }

    #[test]
    fn a_map_of_texts_behaves_like_a_list_of_pairs(steps in steps(), units in 1usize..40) {
        run(TEXTS, &steps, units);
    }
}

#[test]
fn a_queue_stays_small() {
    let scope = &mut testing::scope();
    let mut map = new(scope).expect("room");
    let mut most = 0;
    for n in 0..10_000u64 {
        // SAFETY: words of Ints.
        let (key, old) = unsafe { (Any::from_word(n), Any::from_word(n.wrapping_sub(10))) };
        map = insert(scope, INTS, map, key, key).expect("room");
        map = changes::remove(scope, INTS, map, old, 9).and_then(|begun| begun.at_once(scope)).expect("room");
        most = most.max(map.get().end());
    }
    assert_eq!(map.get().len(), 10);
    assert!(most <= 2 * (MANY_HOLES + 10), "{most}");
    scope.give_up(map);
}

#[test]
fn an_insertion_without_room_gives_everything_up() {
    let limits = crate::limits::Limits { mem_limit: 64 * 1024, ..Default::default() };
    let scope = &mut testing::scope_of(testing::app_with(testing::module(testing::nothing, None), limits));
    let mut map = new(scope).expect("room");
    for n in 0.. {
        // SAFETY: words of Ints.
        let key = unsafe { Any::from_word(n) };
        match insert(scope, INTS, map, key, key) {
            Ok(more) => map = more,
            Err(Full) => break,
        }
    }
    scope.free_all_late();
    assert_eq!(scope.heap().live(), 0);
}

/// A map of Texts with holes in it, of which `live` entries are left.
fn with_holes(scope: &mut Scope, live: u8) -> Own<Map> {
    let mut map = new(scope).expect("room");
    for n in 0..=255 {
        let (key, value) = (word(scope, types::TEXT, n), word(scope, types::TEXT, n));
        map = insert(scope, TEXTS, map, key, value).expect("room");
    }
    for n in live..=255 {
        let key = word(scope, types::TEXT, n.wrapping_mul(3));
        map =
            changes::remove(scope, TEXTS, map, key, 9).and_then(|begun| begun.at_once(scope)).expect("room");
        drop_value(scope, key, true);
    }
    map
}

#[test]
fn a_change_is_given_up_at_any_step() {
    for is_shared in [false, true] {
        for steps in 0.. {
            let scope = &mut testing::scope();
            let mut map = with_holes(scope, 200);
            let held = is_shared.then(|| (scope.dup(map.get()), listed(scope, TEXTS, map.get())));
            // As often as it takes until it has to grow.
            let mut has_ended = false;
            for n in 1000.. {
                let word = |scope: &mut Scope| {
                    let text = scope.text(&format!("another {n}")).expect("room");
                    // SAFETY: a Text.
                    unsafe { Any::from_word(text.get().word()) }
                };
                let (key, value) = (word(scope), word(scope));
                match changes::insert(scope, TEXTS, map, key, value, 1).expect("room") {
                    Begun::Done(done) => map = done,
                    Begun::Going(mut insertion) => {
                        let mut done = None;
                        for _ in 0..steps {
                            done = insertion.step(scope, 7).expect("room");
                            if done.is_some() {
                                break;
                            }
                        }
                        has_ended = done.is_some();
                        map = match done {
                            Some(done) => done,
                            None => {
                                insertion.close(scope);
                                new(scope).expect("room")
                            }
                        };
                        break;
                    }
                }
            }
            scope.give_up(map);
            if let Some((held, expected)) = held {
                assert_eq!(listed(scope, TEXTS, held.get()), expected);
                scope.give_up(held);
            }
            scope.free_all_late();
            assert_eq!(scope.heap().live(), 0, "behind {steps} steps");
            if has_ended {
                assert!(steps > 20, "{steps}");
                break;
            }
        }
    }
}
