//! What natives give, take and leave behind.

use super::*;
use crate::equal::Equality;
use crate::form::{Digits, write_form};
use crate::heap::Obj;
use crate::order::compare;
use crate::scope::Scope;
use crate::steps::STEP;
use crate::testing::{self, types};
use crate::value::{Any, Arg, Handle, List, Own, Parts, Range, Ref, Text};
use std::cmp::Ordering;
use std::task::{Context, Waker};
use weir_abi::layout::{self, shape};
use weir_abi::native::part;
use weir_abi::trap::{Trap, TrapKind};
use weir_abi::types::TypeId;

/// A text for as long as the scope.
fn text(scope: &mut Scope, text: &str) -> Text {
    scope.text(text).expect("room").get()
}

/// What a native gives that may wait for itself only.
fn own<T: Handle + Arg>(scope: &mut Scope, flow: Result<Flow, Trap>) -> Result<Own<T>, Trap> {
    let word = testing::finish(scope, flow)?;
    // SAFETY: the tests name the type that the native gives.
    Ok(unsafe { scope.own(word) })
}

/// What a native gives, at once or in steps.
trait Made<T> {
    fn made(self, scope: &mut Scope) -> Own<T>;
}

impl<T> Made<T> for Result<Own<T>, Trap> {
    fn made(self, _: &mut Scope) -> Own<T> {
        self.expect("no trap")
    }
}

impl<T: Handle + Arg> Made<T> for Result<Flow, Trap> {
    fn made(self, scope: &mut Scope) -> Own<T> {
        let word = testing::finish(scope, self).expect("no trap");
        // SAFETY: the tests call natives that give what they ask for.
        unsafe { scope.own(word) }
    }
}

fn shown(scope: &mut Scope, text: impl Made<Text>) -> String {
    let own = text.made(scope);
    let shown = own.get().as_str().to_owned();
    scope.give_up(own);
    shown
}

fn listed(scope: &mut Scope, list: impl Made<List>) -> Vec<String> {
    let own = list.made(scope);
    let listed = own.get().texts().map(|t| t.as_str().to_owned()).collect();
    scope.give_up(own);
    listed
}

fn form(scope: &Scope, ty: TypeId, word: u64) -> String {
    let mut out = Vec::new();
    // SAFETY: the tests pass words of that type.
    write_form(&scope.app().module().types, ty, unsafe { Any::from_word(word) }, &mut out, usize::MAX)
        .expect("no limit");
    String::from_utf8(out).expect("UTF-8")
}

fn ints(scope: &mut Scope, values: &[u64]) -> Own<List> {
    let list = scope.list(shape::LIST_WORD, values.len()).expect("room");
    list.get().append(values);
    list
}

fn range(scope: &mut Scope, low: i64, high: i64, inclusive: bool) -> Range {
    let words = [
        (layout::RANGE_LOW, low as u64),
        (layout::RANGE_HIGH, high as u64),
        (layout::RANGE_INCLUSIVE, inclusive as u64),
    ];
    Range::of(scope.object(layout::RANGE_SIZE as usize, shape::RANGE, &words).expect("room"))
}

#[test]
fn texts_are_converted() {
    let s = &mut testing::scope();
    let t = text(s, "Grüße, Ärzte");
    let made = text_upper(s, t);
    assert_eq!(shown(s, made), "GRÜSSE, ÄRZTE");
    let long = "AbC".repeat(50);
    let t = text(s, &long);
    let made = text_lower(s, t);
    assert_eq!(shown(s, made), long.to_lowercase());
    let (t, old, new) = (text(s, "a-b-c"), text(s, "-"), text(s, ""));
    let made = text_replace(s, t, old, new);
    assert_eq!(shown(s, made), "abc");
    assert!(text_replace(s, t, new, old).is_err());
    let made = text_repeat(s, t, 3);
    assert_eq!(shown(s, made), "a-b-ca-b-ca-b-c");
    assert_eq!(text_repeat(s, t, i64::MAX).map(|_| ()), Err(Trap::new(TrapKind::OutOfMemory)));
    assert!(text_repeat(s, t, -1).is_err());
}

#[test]
fn texts_are_padded_to_characters() {
    let s = &mut testing::scope();
    let (t, fill) = (text(s, "é"), text(s, "äb"));
    for (width, start, end) in
        [(0, "é", "é"), (1, "é", "é"), (2, "äé", "éä"), (5, "äbäbé", "éäbäb"), (4, "äbäé", "éäbä")]
    {
        let made = text_pad_start(s, t, width, fill);
        assert_eq!(shown(s, made), start);
        let made = text_pad_end(s, t, width, fill);
        assert_eq!(shown(s, made), end);
    }
    let empty = text(s, "");
    assert!(text_pad_end(s, t, 3, empty).is_err());
}

#[test]
fn slices_share_trap_and_free() {
    let s = &mut testing::scope();
    let whole = s.text(&"0123456789é".repeat(20)).expect("room");
    let address = whole.get().as_bytes().as_ptr() as usize;
    let other = s.dup(whole.get());
    let slice = text_slice(s, other, 5, 205).expect("fine");
    assert_eq!(slice.get().as_bytes().as_ptr() as usize, address + 5);
    assert_eq!(slice.get().object().shape(), shape::TEXT_SLICE);
    let again = s.dup(slice.get());
    let inner = text_slice(s, again, 100, 190).expect("fine");
    s.give_up(slice);
    s.give_up(whole);
    assert!(inner.get().as_str().starts_with("9é0"), "{}", inner.get().as_str());
    for (low, high) in [(-1, 2), (3, 2), (0, 91), (0, 2)] {
        let t = s.dup(inner.get());
        assert_eq!(
            text_slice(s, t, low, high).map(|_| ()).map_err(|t| t.kind),
            Err(TrapKind::BadSlice),
            "{low}..{high}"
        );
    }
    let t = s.dup(inner.get());
    let made = text_trim(s, t);
    assert_eq!(shown(s, made).len(), 90);
    s.give_up(inner);
    s.free_all_late();
    assert_eq!(s.heap().live(), 0);
}

#[test]
fn texts_are_taken_apart() {
    let s = &mut testing::scope();
    let (t, comma) = (text(s, "a,,b\r\nc\n"), text(s, ","));
    let made = text_split(s, t, comma);
    assert_eq!(listed(s, made), ["a", "", "b\r\nc\n"]);
    let made = text_lines(s, t);
    assert_eq!(listed(s, made), ["a,,b", "c"]);
    let t = text(s, "aé€");
    let made = text_chars(s, t);
    assert_eq!(listed(s, made), ["a", "é", "€"]);
    assert_eq!(text_byte(s, t, 1), Ok(0xC3));
    assert!(text_byte(s, t, 6).is_err() && text_byte(s, t, -1).is_err());
    for (digits, value) in
        [("-9223372036854775808", Some(i64::MIN)), ("+7", Some(7)), ("", None), ("1_0", None), (" 1", None)]
    {
        let t = text(s, digits);
        let flow = text_to_int(s, t);
        let word = testing::finish(s, flow).expect("no trap");
        // SAFETY: 0 or a box.
        let given = unsafe { Obj::from_word(word) }.map(|object| object.get(layout::BOX_VALUE) as i64);
        assert_eq!(given, value, "{digits:?}");
    }
}

#[test]
fn parts_are_joined_in_one_go() {
    let s = &mut testing::scope();
    let name = text(s, "n = ");
    let list = ints(s, &[1, 2]);
    let parts = [
        [part::TEXT, name.word()],
        [part::INT, -12i64 as u64],
        [part::TYPE + types::INTS.0 as u64, list.get().word()],
    ];
    for (count, joined) in [(0, ""), (2, "n = -12"), (3, "n = -12[1, 2]")] {
        // SAFETY: the parts outlive the call.
        let made = text_concat(s, unsafe { Parts::at(parts.as_ptr() as u64, count) });
        let made = own(s, made);
        assert_eq!(shown(s, made), joined);
    }
}

#[test]
fn digits_are_counted_as_they_are_written() {
    for value in [0, 1, 9, 10, 99, 100, 12_345, i64::MAX].into_iter().flat_map(|n| [n, -n, -n - 1]) {
        assert_eq!(Digits::count(value), value.to_string().len(), "{value}");
    }
}

#[test]
fn texts_grow_in_place_unless_they_are_shared() {
    let s = &mut testing::scope();
    let mut text = s.text("").expect("room");
    let mut expected = String::new();
    let mut moves = 0;
    let part = s.text("0123456789").expect("room");
    for at in 0..6000i64 {
        let parts = [[part::TEXT, part.get().word()], [part::INT, at as u64]];
        let before = text.get().word();
        // SAFETY: the parts outlive the call.
        let longer = text_append(s, text, unsafe { Parts::at(parts.as_ptr() as u64, 2) });
        text = own(s, longer).expect("room");
        moves += u32::from(text.get().word() != before);
        expected.push_str(&format!("0123456789{at}"));
        assert_eq!(text.get().len(), expected.len());
    }
    assert_eq!(text.get().as_str(), expected);
    assert!(moves < 100, "moved {moves} times");
    let kept = s.dup(text.get());
    let parts = [[part::TEXT, part.get().word()]];
    // SAFETY: as above.
    let longer = text_append(s, text, unsafe { Parts::at(parts.as_ptr() as u64, 1) });
    let longer: Own<Text> = own(s, longer).expect("room");
    assert_eq!(kept.get().as_str(), expected);
    assert_eq!(longer.get().len(), expected.len() + 10);
    for own in [kept, longer, part] {
        s.give_up(own);
    }
    s.free_all_late();
    assert_eq!(s.heap().live(), 0);
}

#[test]
fn lists_are_changed_in_place_or_copied() {
    let s = &mut testing::scope();
    let mut list = s.list(shape::LIST_REF, 0).expect("room");
    for at in 0..100 {
        let item = s.text(&at.to_string()).expect("room");
        let pushed = list_push(s, list, item.get().as_any());
        list = own(s, pushed).expect("room");
    }
    let shared = s.dup(list.get());
    let reversed = list_reverse(s, shared);
    let reversed: Own<List> = own(s, reversed).expect("room");
    assert_ne!(reversed.get().word(), list.get().word());
    let address = reversed.get().word();
    let reversed = list_reverse(s, reversed);
    let reversed: Own<List> = own(s, reversed).expect("room");
    assert_eq!(reversed.get().word(), address);
    let part = list_slice(s, reversed, 98, 100);
    let part = own(s, part);
    assert_eq!(listed(s, part), ["98", "99"]);
    let shared = s.dup(list.get());
    assert_eq!(list_slice(s, shared, 1, 101).map(|_| ()).map_err(|t| t.kind), Err(TrapKind::BadSlice));
    let comma = s.text(", ").expect("room");
    let (list_handle, comma_handle) = (list.get(), comma.get());
    let joined = list_join(s, list_handle, comma_handle);
    assert!(shown(s, joined).ends_with("98, 99"));
    s.give_up(comma);
    s.give_up(list);
    s.free_all_late();
    assert_eq!(s.heap().live(), 0);
}

#[test]
fn a_push_without_room_gives_both_up() {
    let limits = crate::limits::Limits { mem_limit: 20_000, ..Default::default() };
    let s = &mut testing::scope_of(testing::app_with(testing::module(testing::nothing, None), limits));
    let mut list = s.list(shape::LIST_REF, 0).expect("room");
    let x = s.text("x").expect("room");
    loop {
        let item = s.dup(x.get());
        let pushed = list_push(s, list, item.get().as_any());
        match own(s, pushed) {
            Ok(longer) => list = longer,
            Err(trap) => {
                assert_eq!(trap.kind, TrapKind::OutOfMemory);
                break;
            }
        }
    }
    s.give_up(x);
    s.free_all_late();
    assert_eq!(s.heap().live(), 0);
}

#[test]
fn forms_and_equality_follow_the_type() {
    let s = &mut testing::scope();
    let name = s.text("A\"da").expect("room");
    let words = [(8, 1), (16, name.get().word()), (24, 0)];
    let user = s.object(32, testing::USER, &words).expect("room").word();
    assert_eq!(form(s, types::USER, user), r#"User(id: 1, name: "A\"da", nick: None)"#);
    let list = ints(s, &[1, -2i64 as u64]).get().word();
    assert_eq!(form(s, types::INTS, list), "[1, -2]");
    let texts = s.text_list(["a", ""].into_iter()).expect("room").get().word();
    assert_eq!(form(s, types::TEXTS, texts), r#"["a", ""]"#);
    let some = s.some_word(7).expect("room").get().word();
    assert_eq!(
        (form(s, types::MAYBE_INT, some), form(s, types::MAYBE_INT, 0)),
        ("Some(7)".into(), "None".into())
    );
    let nested = s.object(16, shape::BOX_REF, &[(8, some)]).expect("room").word();
    let hollow = s.object(16, shape::BOX_REF, &[(8, 0)]).expect("room").word();
    assert_eq!(form(s, types::MAYBE_MAYBE, nested), "Some(Some(7))");
    assert_eq!(form(s, types::MAYBE_MAYBE, hollow), "Some(None)");
    let (closed, open, empty, other) =
        (range(s, 0, 3, true), range(s, 0, 4, false), range(s, 1, 0, false), range(s, 5, 5, false));
    assert_eq!(
        (form(s, types::RANGE, closed.word()), form(s, types::RANGE, open.word())),
        ("0..=3".into(), "0..4".into())
    );

    let types = &s.app().module().types;
    // SAFETY: words of those types.
    let equal = |ty, a, b| unsafe {
        Equality::new(ty, Any::from_word(a), Any::from_word(b)).step(types, usize::MAX) == Some(true)
    };
    assert!(
        equal(types::USER, user, user)
            && equal(types::MAYBE_TEXT, 0, 0)
            && !equal(types::MAYBE_TEXT, 0, name.get().word())
    );
    assert!(
        equal(types::RANGE, closed.word(), open.word()) && equal(types::RANGE, empty.word(), other.word())
    );
    assert!(!equal(types::RANGE, open.word(), other.word()) && !equal(types::MAYBE_MAYBE, nested, hollow));
}

#[test]
fn deep_values_take_no_stack() {
    let s = &mut testing::scope();
    let mut chains = [0, 0];
    for chain in &mut chains {
        for value in 0..200_000 {
            *chain = s.object(24, testing::NODE, &[(8, value), (16, *chain)]).expect("room").word();
        }
    }
    assert!(form(s, types::NODE, chains[0]).starts_with("Node(value: 199999, next: Some(Node("));
    // SAFETY: words of that type.
    let equal = unsafe { Equality::new(types::NODE, Any::from_word(chains[0]), Any::from_word(chains[1])) };
    let mut equal = equal;
    assert_eq!(equal.step(&s.app().module().types, usize::MAX), Some(true));
    // SAFETY: words of that type.
    let order = unsafe {
        let [a, b] = chains.map(|chain| Any::from_word(chain));
        compare(&s.app().module().types, types::NODE, a, b)
    };
    assert_eq!(order, Ordering::Equal);
    // SAFETY: the chains are owned.
    chains.into_iter().for_each(|chain| unsafe { s.drop_word(chain) });
    s.free_all_late();
    assert_eq!(s.heap().live(), 0);
}

#[test]
fn ints_and_ranges() {
    let s = &mut testing::scope();
    assert_eq!(int_pow(s, 2, 62), Ok(1 << 62));
    assert_eq!((int_pow(s, -1, i64::MAX), int_pow(s, 0, 0), int_pow(s, 1, i64::MAX)), (Ok(-1), Ok(1), Ok(1)));
    assert!(int_pow(s, 2, 63).is_err() && int_pow(s, 2, -1).is_err() && int_pow(s, 3, i64::MAX).is_err());
    assert_eq!((int_shift_left(s, 3, 62), int_shift_right(s, -8, 63)), (Ok(3 << 62), Ok(-1)));
    assert!(int_shift_left(s, 1, 64).is_err() && int_shift_right(s, 1, -1).is_err());
    let all = range(s, i64::MIN, i64::MAX, true);
    assert_eq!(range_len(s, all).map_err(|t| t.kind), Err(TrapKind::Overflow));
    assert!(range_contains(s, all, i64::MAX));
    let none = range(s, 3, 1, true);
    assert_eq!((range_len(s, none), range_contains(s, none, 2)), (Ok(0), false));
}

#[test]
fn responses_are_checked() {
    let s = &mut testing::scope();
    let (plain, html, bad) = (text(s, PLAIN), text(s, "text/html"), text(s, "a\r\nb"));
    for (status, content_type, is_fine) in
        [(200, plain, true), (404, html, true), (199, plain, false), (600, plain, false), (200, bad, false)]
    {
        let body = s.text("body").expect("room");
        let body = text_to_bytes(s, body).expect("no trap");
        match respond(s, status, body, content_type) {
            Ok(made) => {
                assert!(is_fine);
                s.give_up(made);
            }
            Err(_) => assert!(!is_fine),
        }
    }
    assert!(
        redirect(s, bad, 302).is_err() && redirect(s, html, 200).is_err() && redirect(s, html, 302).is_ok()
    );
    assert!(respond_empty(s, 204).is_ok() && respond_empty(s, 100).is_err());
}

#[test]
fn the_environment_is_told() {
    let s = &mut testing::scope();
    let made = args(s);
    assert_eq!(listed(s, made), ["one", "two"]);
    let (path, odd, empty) = (text(s, "PATH"), text(s, "A=B"), text(s, ""));
    assert!(env(s, path).expect("no trap").is_some());
    assert!(env(s, odd).expect("no trap").is_none() && env(s, empty).expect("no trap").is_none());
}

impl Text {
    fn as_any(self) -> Any {
        // SAFETY: a Text's word, as the item of a list of references.
        unsafe { Any::from_word(self.word()) }
    }
}

#[test]
fn frozen_texts_are_shared() {
    let s = &mut testing::scope();
    let word = text(s, "frozen").word();
    // SAFETY: a live object of this scope.
    unsafe { s.heap_mut().freeze(&[], [word].into_iter()) };
    // SAFETY: as above.
    let frozen = unsafe { Obj::from_word(word) }.expect("an object");
    let t = s.dup(Text::of(frozen));
    let made = text_slice(s, t, 1, 3);
    assert_eq!(shown(s, made), "ro");
    assert!(frozen.is_immortal());
}

#[test]
fn what_is_given_up_midway_leaves_nothing() {
    type Begin<'a> = &'a dyn Fn(&mut Scope) -> Result<Flow, Trap>;
    let s = &mut testing::scope();
    let long = s.text(&"straße,Σ ".repeat(STEP)).expect("room");
    let spaces = s.text(&" ".repeat(20 * STEP)).expect("room");
    let digits = s.text(&"00".repeat(8 * STEP)).expect("room");
    let (comma, star) = (s.text(",").expect("room"), s.text("é*").expect("room"));
    let lines = s.text_list(long.get().as_str().split(',')).expect("room");
    let (t, by, with) = (long.get(), comma.get(), star.get());
    let works: [Begin<'_>; 15] = [
        &|s| text_upper(s, t),
        &|s| text_lower(s, t),
        &|s| text_replace(s, t, by, with),
        &|s| text_replace(s, t, t, by),
        &|s| text_split(s, t, by),
        &|s| text_lines(s, t),
        &|s| text_chars(s, t),
        &|s| text_repeat(s, t, 3),
        &|s| text_pad_start(s, t, 20 * STEP as i64, with),
        &|s| text_trim(s, s.dup(spaces.get())),
        &|s| html_escape(s, t),
        &|s| url_encode(s, t),
        &|s| bytes_from_hex(s, digits.get()),
        &|s| list_join(s, lines.get(), with),
        &|s| {
            let bytes = text_to_bytes(s, s.dup(t)).expect("no trap");
            bytes_to_text(s, bytes)
        },
    ];
    let live = s.heap().live();
    // So that each goes on for one step at a time.
    s.worker().stop_handle().request_stop();
    for (at, work) in works.iter().enumerate() {
        for steps in 0..4 {
            assert!(matches!(work(s), Ok(Flow::Wait)), "work {at} takes steps");
            let mut operation = s.pending.take().expect("what waits says for what");
            let mut polls = (0..steps).map(|_| operation.poll(s, &mut Context::from_waker(Waker::noop())));
            assert!(polls.all(|poll| poll.is_pending()), "work {at} takes more steps");
            operation.close(s);
            s.free_all_late();
            assert_eq!(s.heap().live(), live, "work {at} after {steps} steps more");
        }
    }
    for text in [long, spaces, digits, comma, star] {
        s.give_up(text);
    }
    s.give_up(lines);
    s.free_all_late();
    assert_eq!(s.heap().live(), 0);
}
