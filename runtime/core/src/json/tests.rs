//! Values and texts of JSON, by hand and at random.

use super::*;
use crate::limits::Limits;
use crate::natives::json_encode;
use crate::scope::Scope;
use crate::testing::{self, types};
use crate::value::{Any, Arg, Handle};
use proptest::prelude::*;
use weir_abi::trap::TrapKind;
use weir_abi::types::{TypeDesc, TypeId};

/// Reads a value, with pieces as they come.
fn read(scope: &mut Scope, ty: TypeId, text: &str, is_strict: bool) -> Result<Word, String> {
    let mut reader = Reader::new(ty, is_strict);
    loop {
        match reader.step(scope, text) {
            Ok(Step::Done(word)) => return Ok(word),
            Ok(Step::More) => {}
            Err(Fault::Wrong(message) | Fault::Malformed(message)) => return Err(message),
            Err(Fault::Trap(trap)) => return Err(format!("trap: {trap}")),
        }
    }
}

/// Writes a value and gives it up.
fn write(scope: &mut Scope, ty: TypeId, word: Word, is_pretty: bool) -> Result<String, String> {
    // SAFETY: an owned value of that type.
    let value = unsafe { Any::from_word(word) };
    let app = scope.app().clone();
    let mut writer = Writer::new(ty, value, is_pretty, Vec::new());
    let mut json = Vec::new();
    let written = loop {
        let step = writer.step(app.module());
        json.extend_from_slice(writer.piece());
        match step {
            Ok(true) => break Ok(String::from_utf8(json).expect("JSON is UTF-8")),
            Ok(false) => {}
            Err(Fault::Wrong(message) | Fault::Malformed(message)) => break Err(message),
            Err(Fault::Trap(trap)) => break Err(format!("trap: {trap}")),
        }
    };
    if app.module().types[ty.0 as usize].is_ref() {
        // SAFETY: as above.
        unsafe { scope.drop_word(word) };
    }
    written
}

/// What becomes of a text that is read and written again.
fn again(ty: TypeId, text: &str) -> Result<String, String> {
    let scope = &mut testing::scope();
    let result = read(scope, ty, text, false).and_then(|word| write(scope, ty, word, false));
    scope.free_all_late();
    assert_eq!(scope.heap().live(), 0, "{text}: {result:?}");
    result
}

#[test]
fn values_come_back() {
    let cases = [
        (types::INT, " 12 ", "12"),
        (types::INT, "-9223372036854775808", "-9223372036854775808"),
        (types::FLOAT, "1e3", "1000.0"),
        (types::FLOAT, "-0.5", "-0.5"),
        (types::FLOAT, "7", "7.0"),
        (
            types::TEXT,
            r#""a\"\\\/\b\f\n\r\t\u00e9\uD83C\uDF0A\u0001z""#,
            "\"a\\\"\\\\/\\u0008\\u000c\\n\\r\\té🌊\\u0001z\"",
        ),
        (
            types::TEXT,
            r#""a text that is longer than one word of eight bytes, with é""#,
            r#""a text that is longer than one word of eight bytes, with é""#,
        ),
        (types::INTS, "[ 1 , 2,3 ]", "[1,2,3]"),
        (types::INTS, "[]", "[]"),
        (types::TEXTS, r#"["a","\n"]"#, r#"["a","\n"]"#),
        (types::MAYBE_INT, "null", "null"),
        (types::MAYBE_INT, "5", "5"),
        (types::MAYBE_TEXT, r#""x""#, r#""x""#),
        (types::MAYBE_MAYBE, "5", "5"),
        (types::RANGE, r#""1..=4""#, r#""1..=4""#),
        (
            types::USER,
            r#"{"user_id":1,"name":"Ada","nick":null}"#,
            r#"{"user_id":1,"name":"Ada","nick":null}"#,
        ),
        // Any order, unknown fields, a default, the last of several.
        (
            types::USER,
            r#" { "x" : [ {"y": "}"}, "]" ] , "name" : "A", "nick":"B", "name":"C" } "#,
            r#"{"user_id":7,"name":"C","nick":"B"}"#,
        ),
        (types::NODE, r#"{"value":1,"next":{"value":2}}"#, r#"{"value":1,"next":{"value":2,"next":null}}"#),
    ];
    for (ty, text, expected) in cases {
        assert_eq!(again(ty, text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn pretty_has_a_line_for_each_part() {
    let scope = &mut testing::scope();
    let node = read(scope, types::NODE, r#"{"value":1,"next":{"value":2}}"#, false).expect("a node");
    let expected = "{\n  \"value\": 1,\n  \"next\": {\n    \"value\": 2,\n    \"next\": null\n  }\n}";
    assert_eq!(write(scope, types::NODE, node, true).as_deref(), Ok(expected));
    let ints = read(scope, types::INTS, "[1,2]", false).expect("a list");
    assert_eq!(write(scope, types::INTS, ints, true).as_deref(), Ok("[\n  1,\n  2\n]"));
    let none = read(scope, types::INTS, "[]", false).expect("a list");
    assert_eq!(write(scope, types::INTS, none, true).as_deref(), Ok("[]"));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let cases = [
        (types::INT, "", "$: expected Int, found the end (line 1, column 1)"),
        (types::INT, "1.5", "$: expected Int, found 1.5 (line 1, column 1)"),
        (types::INT, "9223372036854775808", "$: 9223372036854775808 does not fit an Int (line 1, column 1)"),
        (types::INT, "01", "$: this is not a number as JSON writes it (line 1, column 1)"),
        (types::INT, "1 2", "$: expected the end, found 2 (line 1, column 3)"),
        (types::FLOAT, "1e999", "$: 1e999 does not fit a Float (line 1, column 1)"),
        (types::INTS, "[1,\n  \"x\"]", "$[1]: expected Int, found text \"x\" (line 2, column 3)"),
        (types::INTS, "[1 2]", "$[1]: expected `,` or `]`, found 2 (line 1, column 4)"),
        (types::INTS, "[1,]", "$[1]: expected Int, found `]` (line 1, column 4)"),
        (types::TEXT, "\"a", "$: this text does not end (line 1, column 1)"),
        (
            types::TEXT,
            "\"a\nb\"",
            "$: a control character in a text is written as an escape (line 1, column 3)",
        ),
        (types::TEXT, r#""\x""#, "$: this is not an escape (line 1, column 2)"),
        (types::TEXT, r#""\uD800x""#, "$: half of a surrogate pair is no character (line 1, column 2)"),
        (types::USER, "[]", "$: expected User, found a list (line 1, column 1)"),
        (types::USER, r#"{"user_id": true}"#, "$.user_id: expected Int, found `true` (line 1, column 13)"),
        (types::USER, r#"{"user_id": 1}"#, "$.name: expected Text, found nothing (line 1, column 14)"),
        (types::USER, r#"{"x": [1,{]}"#, "$: expected a name in quotes, found `]` (line 1, column 11)"),
        (
            types::NODE,
            r#"{"next":{"value":"é"}}"#,
            "$.next.value: expected Int, found text \"é\" (line 1, column 18)",
        ),
        (types::RANGE, r#""1""#, "$: expected Range as in \"1..5\", found text \"1\" (line 1, column 1)"),
    ];
    for (ty, text, expected) in cases {
        assert_eq!(again(ty, text), Err(expected.to_owned()), "{text}");
    }
    let scope = &mut testing::scope();
    let strict = read(scope, types::USER, r#"{"name":"A","age":3}"#, true);
    assert_eq!(strict, Err("$: there is no field \"age\" in User (line 1, column 13)".to_owned()));
    let nan = write(scope, types::FLOAT, f64::NAN.to_bits(), false);
    assert_eq!(nan, Err("$: NaN has no JSON form".to_owned()));
}

#[test]
fn depth_and_size_have_limits() {
    let nested = |depth: usize| "{\"value\":1,\"next\":".repeat(depth) + "null" + &"}".repeat(depth);
    assert!(again(types::NODE, &nested(MAX_DEPTH)).is_ok());
    let message = again(types::NODE, &nested(MAX_DEPTH + 1)).expect_err("too deep");
    assert!(message.contains("nested deeper than 128"), "{message}");
    let skipped =
        |depth: usize| format!("{{\"name\":\"\",\"x\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(again(types::USER, &skipped(MAX_DEPTH)).is_ok());
    assert!(again(types::USER, &skipped(MAX_DEPTH + 1)).expect_err("too deep").contains("nested deeper"));
    let numbers = format!("[{}1]", "1234567,".repeat(50_000));
    assert!(again(types::INTS, &numbers).as_ref() == Ok(&numbers));
    // Room for the list, but not for its text.
    let limits = Limits { mem_limit: 600_000, ..Default::default() };
    let scope = &mut testing::scope_of(testing::app_with(testing::module(testing::nothing, None), limits));
    let list = read(scope, types::INTS, &numbers, false).expect("room");
    // SAFETY: a list of Ints.
    let flow = json_encode(scope, types::INTS, unsafe { Any::from_word(list) }, 0);
    assert_eq!(testing::finish(scope, flow).map_err(|trap| trap.kind), Err(TrapKind::OutOfMemory));
}

#[test]
fn a_reader_that_is_given_up_gives_back() {
    let scope = &mut testing::scope();
    let text = format!("[{}\"end\"]", "\"some text of a list\",".repeat(10_000));
    let mut reader = Reader::new(types::TEXTS, false);
    // Steps of a stress build are short.
    while scope.heap().live() <= 1000 {
        assert!(matches!(reader.step(scope, &text), Ok(Step::More)));
    }
    reader.give_back(scope);
    scope.free_all_late();
    assert_eq!(scope.heap().live(), 0);
}

/// A text of the grammar, or nearly: pieces of JSON in any order.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        Just("null".to_owned()),
        Just("\"name\"".to_owned()),
        Just("\"value\":1".to_owned()),
        Just("\"next\":".to_owned()),
        Just("\"\\u12".to_owned()),
        "-?[0-9]{0,3}(\\.[0-9]{0,2})?(e-?[0-9])?",
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

/// JSON of a value of that type, with white space and escapes here and there.
fn json_of(ty: TypeId) -> BoxedStrategy<String> {
    let module = testing::module(testing::nothing, None);
    match &module.types[ty.0 as usize] {
        TypeDesc::Int => any::<i64>().prop_map(|n| n.to_string()).boxed(),
        TypeDesc::Float => {
            let finite = prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL;
            finite.prop_map(|x| format!("{x:?}")).boxed()
        }
        TypeDesc::Text => ".{0,20}".prop_map(|t| quoted(&t)).boxed(),
        TypeDesc::Range => (any::<i64>(), any::<i64>()).prop_map(|(a, b)| format!("\"{a}..{b}\"")).boxed(),
        TypeDesc::List(item) => prop::collection::vec(json_of(*item), 0..6)
            .prop_map(|items| format!("[ {} ]", items.join(" ,\n")))
            .boxed(),
        TypeDesc::Option(inner) => prop_oneof![Just("null".to_owned()), json_of(*inner)].boxed(),
        TypeDesc::Record(_, fields) if ty == types::NODE => {
            let value = json_of(fields[0].1);
            let leaf = value.clone().prop_map(|v| format!("{{\"value\":{v}}}"));
            leaf.prop_recursive(8, 16, 1, move |inner| {
                (value.clone(), inner).prop_map(|(v, next)| format!("{{\"next\":{next},\"value\":{v}}}"))
            })
            .boxed()
        }
        TypeDesc::Record(_, fields) => (json_of(fields[0].1), json_of(fields[1].1), json_of(fields[2].1))
            .prop_map(|(a, b, c)| format!("{{\"nick\" :{c},\"user_id\":{a}, \"name\":{b}}}"))
            .boxed(),
        other => unreachable!("{other:?}"),
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    leaf::write_text(text, &mut out);
    String::from_utf8(out).expect("UTF-8")
}

const ALL: [TypeId; 11] = [
    types::INT,
    types::FLOAT,
    types::TEXT,
    types::INTS,
    types::TEXTS,
    types::MAYBE_INT,
    types::USER,
    types::MAYBE_TEXT,
    types::NODE,
    types::MAYBE_NODE,
    types::RANGE,
];

proptest! {
    #[test]
    fn reading_undoes_writing((ty, text) in prop::sample::select(&ALL[..]).prop_flat_map(|ty| (Just(ty), json_of(ty)))) {
        let once = again(ty, &text).expect("JSON of the type");
        prop_assert_eq!(again(ty, &once), Ok(once));
    }

    #[test]
    fn no_text_makes_it_panic(ty in prop::sample::select(&ALL[..]), text in nearly_json()) {
        // Right or wrong: nothing is left alive.
        let _ = again(ty, &text);
        let (mut scan, mut skip) = (scan::Scan::new(&text, 0), long::Skip::default());
        while let Ok(false) = skip.step(&mut scan, usize::MAX) {}
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn long_parts_are_read_in_pieces(
        texts in prop::collection::vec("[a-zé\\\\\"\n]{0,40}", 1..8),
        repeated in 1..1000usize,
        count in 0..3 * long::GATHERED,
    ) {
        let text = texts.concat().repeat(repeated);
        let scope = &mut testing::scope();
        let value = scope.text(&text).expect("room").get().word();
        let json = write(scope, types::TEXT, value, false).expect("JSON");
        prop_assert_eq!(again(types::TEXT, &json), Ok(json.clone()));
        let list = format!("[{}]", vec![&*json; count % 6].join(","));
        prop_assert_eq!(again(types::TEXTS, &list), Ok(list.clone()));
        let numbers = format!("[{}]", (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
        prop_assert_eq!(again(types::INTS, &numbers), Ok(numbers.clone()));
        // What nobody asked for is passed over; what is cut off, or given up half-way, leaves nothing behind.
        let user = format!("{{\"other\":{{\"a\":{list}}},\"name\":{json},\"more\":{numbers}}}");
        prop_assert_eq!(again(types::USER, &user), Ok(format!("{{\"user_id\":7,\"name\":{json},\"nick\":null}}")));
        for (ty, text) in [(types::TEXTS, &list), (types::USER, &user), (types::INTS, &numbers)] {
            let cut = text.floor_char_boundary(text.len() * (count % 7) / 7);
            prop_assert!(again(ty, &text[..cut]).is_err());
            let mut reader = Reader::new(ty, false);
            for _ in 0..count % 7 {
                if !matches!(reader.step(scope, &text[..cut]), Ok(Step::More)) {
                    break;
                }
            }
            reader.give_back(scope);
        }
        scope.free_all_late();
        prop_assert_eq!(scope.heap().live(), 0);
    }
}

proptest! {
    #[test]
    fn durations_are_read_as_written(nanos in any::<i64>()) {
        let mut out = Vec::new();
        crate::form::write_form(&[TypeDesc::Duration], TypeId(0), word(nanos), &mut out, 100).expect("a leaf");
        prop_assert_eq!(leaf::duration(std::str::from_utf8(&out).expect("UTF-8")), Some(nanos));
    }

    #[test]
    fn times_are_read_as_written(nanos in any::<i64>()) {
        let mut out = Vec::new();
        crate::form::write_form(&[TypeDesc::Time], TypeId(0), word(nanos), &mut out, 100).expect("a leaf");
        prop_assert_eq!(leaf::time(std::str::from_utf8(&out).expect("UTF-8")), Some(nanos));
    }
}

fn word(value: i64) -> Any {
    // SAFETY: a word that is no reference.
    unsafe { Any::from_word(value as Word) }
}
