//! Values carried and back: by hand, at random, damaged.

use super::*;
use crate::heap::Word;
use crate::json::{Reader, Step, Writer};
use crate::scope::Scope;
use crate::testing::{self, nothing, types};
use crate::value::{Any, Arg};
use proptest::prelude::*;
use weir_abi::json::{JsonShape, JsonType};
use weir_abi::layout::{self, Shape, shape};

fn pack(scope: &mut Scope, ty: TypeId, word: Word) -> Vec<u8> {
    // SAFETY: a value of that type that the caller holds.
    let mut packer = Packer::new(ty, unsafe { Any::from_word(word) });
    let app = scope.app().clone();
    while !packer.step(app.module(), usize::MAX).expect("there is no limit") {}
    packer.take()
}

fn unpack(scope: &mut Scope, ty: TypeId, data: Vec<u8>) -> Result<Word, Damaged> {
    let kind = Kind::of(scope.app().module(), ty);
    let mut unpacker = Unpacker::new(Block::new(&kind, data), &kind, ty);
    loop {
        if let Some(word) = unpacker.step(scope)? {
            return Ok(word);
        }
    }
}

fn give_up(scope: &mut Scope, ty: TypeId, word: Word) {
    if scope.type_desc(ty).is_ref() {
        // SAFETY: an owned value of a reference type.
        unsafe { scope.drop_word(word) };
    }
}

fn from_json(scope: &mut Scope, ty: TypeId, text: &str) -> Word {
    let mut reader = Reader::new(ty, false);
    loop {
        if let Step::Done(word) = reader.step(scope, text).expect("the tests' JSON is right") {
            return word;
        }
    }
}

fn to_json(scope: &mut Scope, ty: TypeId, word: Word) -> String {
    let app = scope.app().clone();
    // SAFETY: a value of that type that the caller holds.
    let mut writer = Writer::new(ty, unsafe { Any::from_word(word) }, false, Vec::new());
    let mut json = Vec::new();
    while !writer.step(app.module()).expect("the tests' values have JSON") {
        json.extend_from_slice(writer.piece());
    }
    json.extend_from_slice(writer.piece());
    String::from_utf8(json).expect("JSON is UTF-8")
}

#[test]
fn values_come_out_in_another_scope_as_they_went_in() {
    let long = format!("\"{}\"", "ä".repeat(3000));
    let cases = [
        (types::INT, "-5"),
        (types::FLOAT, "0.25"),
        (types::TEXT, "\"\""),
        (types::TEXT, "\"é🌊\""),
        (types::TEXT, &long),
        (types::INTS, "[]"),
        (types::INTS, "[1,2,-3]"),
        (types::TEXTS, "[\"a\",\"\",\"b\"]"),
        (types::MAYBE_INT, "null"),
        (types::MAYBE_INT, "0"),
        (types::MAYBE_MAYBE, "7"),
        (types::MAYBE_TEXT, "\"x\""),
        (types::USER, "{\"user_id\":1,\"name\":\"Ada\",\"nick\":null}"),
        (types::NODE, "{\"value\":1,\"next\":{\"value\":2,\"next\":null}}"),
        (types::RANGE, "\"1..=4\""),
    ];
    for (ty, json) in cases {
        let (one, other) = (&mut testing::scope(), &mut testing::scope());
        let word = from_json(one, ty, json);
        let data = pack(one, ty, word);
        give_up(one, ty, word);
        one.free_all_late();
        assert_eq!(one.heap().live(), 0, "{json}");
        let word = unpack(other, ty, data).expect("what was packed");
        assert_eq!(to_json(other, ty, word), json);
        give_up(other, ty, word);
        other.free_all_late();
        assert_eq!((other.heap().live(), other.resources()), (0, 0), "{json}");
    }
}

#[test]
fn long_texts_point_into_the_block() {
    let scope = &mut testing::scope();
    let json = format!("[{}]", vec![format!("\"{}\"", "x".repeat(5000)); 100].join(","));
    let word = from_json(scope, types::TEXTS, &json);
    let data = pack(scope, types::TEXTS, word);
    give_up(scope, types::TEXTS, word);
    let word = unpack(scope, types::TEXTS, data).expect("what was packed");
    assert_eq!(scope.resources(), 1, "one buffer for all of them");
    assert_eq!(to_json(scope, types::TEXTS, word), json);
    give_up(scope, types::TEXTS, word);
    scope.free_all_late();
    assert_eq!((scope.heap().live(), scope.resources()), (0, 0));
}

#[test]
fn a_chain_of_a_hundred_thousand_takes_no_stack() {
    const LEN: usize = 100_000;
    let scope = &mut testing::scope();
    let mut data = Vec::new();
    for value in 0..LEN as u64 {
        data.extend_from_slice(&value.to_le_bytes());
        data.push(u8::from(value + 1 < LEN as u64));
    }
    let word = unpack(scope, types::NODE, data.clone()).expect("a chain");
    assert_eq!(scope.heap().live(), LEN);
    assert_eq!(pack(scope, types::NODE, word), data);
    give_up(scope, types::NODE, word);
    scope.free_all_late();
    assert_eq!(scope.heap().live(), 0);
}

#[test]
fn a_value_that_is_too_large_is_refused() {
    let scope = &mut testing::scope();
    let word = from_json(scope, types::INTS, "[1,2,3]");
    let app = scope.app().clone();
    for (limit, fits) in [(24, false), (25, true)] {
        // SAFETY: a list that is held until below.
        let mut packer = Packer::new(types::INTS, unsafe { Any::from_word(word) });
        assert_eq!(packer.step(app.module(), limit).is_ok(), fits, "{limit}");
    }
    give_up(scope, types::INTS, word);
}

#[test]
fn what_the_heap_has_no_room_for_is_given_back() {
    let limits = crate::limits::Limits { mem_limit: 100_000, ..Default::default() };
    let scope = &mut testing::scope_of(testing::app_with(testing::module(nothing, None), limits));
    let mut data = vec![0xA0, 0x8D, 0x06];
    for _ in 0..100_000 {
        data.extend_from_slice(&[3, b'a', b'b', b'c']);
    }
    assert!(matches!(unpack(scope, types::TEXTS, data.clone()), Err(Damaged::Trap(_))));
    scope.free_all_late();
    assert_eq!(scope.heap().live(), 0);
}

#[test]
fn kinds_are_of_parts_not_of_names() {
    let text = |ty| Kind::of(&testing::module(nothing, None), ty).text().to_owned();
    assert_eq!(text(types::INTS), "List[Int]");
    assert_eq!(text(types::MAYBE_MAYBE), "Int??");
    assert_eq!(text(types::USER), "{id: Int, name: Text, nick: Text?}");
    assert_eq!(text(types::NODE), "{value: Int, next: #1?}");
    let print = |text: &str| Kind::parse(text.to_owned()).print();
    assert_ne!(print("Int"), print("Text"));
    assert_eq!(Kind::of(&testing::module(nothing, None), types::INT).print(), print("Int"));
}

// ---- at random

/// A type, and values of it as the bytes of a block.
#[derive(Clone, Debug)]
enum Type {
    Unit,
    Int,
    Bool,
    Text,
    Bytes,
    Range,
    List(Box<Type>),
    Option(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Set(Box<Type>),
    Tuple(Vec<Type>),
    Record(Vec<Type>),
    Enum(Vec<Vec<Type>>),
}

fn a_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::Unit),
        Just(Type::Int),
        Just(Type::Bool),
        Just(Type::Text),
        Just(Type::Bytes),
        Just(Type::Range)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let several = prop::collection::vec(inner, 0..4);
        prop_oneof![
            boxed.clone().prop_map(Type::List),
            boxed.clone().prop_map(Type::Option),
            (boxed.clone(), boxed.clone()).prop_map(|(k, v)| Type::Map(k, v)),
            boxed.prop_map(Type::Set),
            several.clone().prop_filter("two parts", |p| p.len() > 1).prop_map(Type::Tuple),
            several.clone().prop_map(Type::Record),
            prop::collection::vec(several, 1..4).prop_map(Type::Enum),
        ]
    })
}

/// Bytes of a value, chosen by the numbers of `seed`.
fn encode(ty: &Type, seed: &mut impl FnMut() -> u64, out: &mut Vec<u8>) {
    let bytes = |seed: &mut dyn FnMut() -> u64, out: &mut Vec<u8>| {
        let len = if seed().is_multiple_of(16) { 1200 } else { seed() % 5 };
        number(len as usize, out);
        (0..len).for_each(|_| out.push(b'a' + (seed() % 26) as u8));
    };
    match ty {
        Type::Unit => out.push(0),
        Type::Int => out.extend_from_slice(&(seed() % 9).to_le_bytes()),
        Type::Bool => out.push((seed() % 2) as u8),
        Type::Text | Type::Bytes => bytes(seed, out),
        Type::Range => {
            (0..2).for_each(|_| out.extend_from_slice(&(seed() % 5).to_le_bytes()));
            out.push((seed() % 2) as u8);
        }
        Type::List(item) => {
            let len = seed() % 4;
            number(len as usize, out);
            (0..len).for_each(|_| encode(item, seed, out));
        }
        Type::Option(inner) => {
            let is_some = seed() % 2;
            out.push(is_some as u8);
            if is_some == 1 {
                encode(inner, seed, out);
            }
        }
        Type::Map(key, value) => entries(key, Some(value), seed, out),
        Type::Set(item) => entries(item, None, seed, out),
        Type::Record(parts) if parts.is_empty() => out.push(0),
        Type::Tuple(parts) | Type::Record(parts) => parts.iter().for_each(|part| encode(part, seed, out)),
        Type::Enum(cases) => {
            let case = seed() as usize % cases.len();
            number(case, out);
            cases[case].iter().for_each(|part| encode(part, seed, out));
        }
    }
}

fn entries(key: &Type, value: Option<&Type>, seed: &mut impl FnMut() -> u64, out: &mut Vec<u8>) {
    let mut keys: Vec<Vec<u8>> = Vec::new();
    for _ in 0..seed() % 20 {
        let mut bytes = Vec::new();
        encode(key, seed, &mut bytes);
        // Equal ones that are written in more than one way would be taken for two.
        if !keys.contains(&bytes) && !has_many_forms(key) {
            keys.push(bytes);
        }
    }
    number(keys.len(), out);
    for key in keys {
        out.extend_from_slice(&key);
        if let Some(value) = value {
            encode(value, seed, out);
        }
    }
}

fn has_many_forms(ty: &Type) -> bool {
    match ty {
        Type::Range => true,
        Type::Unit | Type::Int | Type::Bool | Type::Text | Type::Bytes => false,
        Type::List(item) | Type::Option(item) => has_many_forms(item),
        // Maps and sets that differ in their order only are equal.
        Type::Map(..) | Type::Set(_) => true,
        Type::Tuple(parts) | Type::Record(parts) => parts.iter().any(has_many_forms),
        Type::Enum(cases) => cases.iter().flatten().any(has_many_forms),
    }
}

fn number(number: usize, out: &mut Vec<u8>) {
    let mut rest = number;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Adds a type to a module as the compiler would.
fn add(module: &mut Module, ty: &Type) -> TypeId {
    let desc = match ty {
        Type::Unit => TypeDesc::Unit,
        Type::Int => TypeDesc::Int,
        Type::Bool => TypeDesc::Bool,
        Type::Text => TypeDesc::Text,
        Type::Bytes => TypeDesc::Bytes,
        Type::Range => TypeDesc::Range,
        Type::List(item) => TypeDesc::List(add(module, item)),
        Type::Option(inner) => TypeDesc::Option(add(module, inner)),
        Type::Set(item) => TypeDesc::Set(add(module, item)),
        Type::Map(key, value) => {
            let key = add(module, key);
            TypeDesc::Map(key, add(module, value))
        }
        Type::Tuple(parts) => TypeDesc::Tuple(parts.iter().map(|part| add(module, part)).collect()),
        Type::Record(parts) => TypeDesc::Record("R".to_owned(), fields(module, parts)),
        Type::Enum(cases) => {
            let cases = (0..).zip(cases).map(|(at, parts)| (format!("C{at}"), fields(module, parts)));
            TypeDesc::Enum("E".to_owned(), cases.collect())
        }
    };
    let id = TypeId(module.types.len() as u32);
    let mut shapes = Vec::new();
    let mut tell = |module: &mut Module, parts: Vec<TypeId>, first: i32| {
        let is_ref = |ty: &TypeId| module.types[ty.0 as usize].is_ref();
        let offset = |at: usize| (first + 8 * at as i32) as u32;
        let refs = (0..).zip(&parts).filter(|(_, ty)| is_ref(ty)).map(|(at, _)| offset(at)).collect();
        let size = offset(parts.len());
        shapes.push(JsonShape {
            shape: shape::FIRST_OF_MODULE + module.shapes.len() as u32,
            size,
            fields: Vec::new(),
        });
        module.shapes.push(Shape { size, refs, name: "test".to_owned() });
    };
    match &desc {
        TypeDesc::Tuple(parts) => tell(module, parts.clone(), layout::field(0)),
        TypeDesc::Record(_, fields) => {
            tell(module, fields.iter().map(|(_, ty)| *ty).collect(), layout::field(0));
        }
        TypeDesc::Enum(_, cases) => {
            for (_, fields) in cases {
                tell(module, fields.iter().map(|(_, ty)| *ty).collect(), layout::case_field(0));
            }
        }
        _ => {}
    }
    if !shapes.is_empty() {
        module.json.add(id, JsonType { shapes, is_any: false });
    }
    module.types.push(desc);
    id
}

fn fields(module: &mut Module, parts: &[Type]) -> Vec<(String, TypeId)> {
    (0..).zip(parts).map(|(at, part)| (format!("f{at}"), add(module, part))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn carried_and_back_is_the_same(ty in a_type(), start in any::<u64>(), cut in any::<usize>()) {
        let mut module = testing::module(nothing, None);
        let id = add(&mut module, &ty);
        let mut state = start;
        let mut seed = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        let mut data = Vec::new();
        encode(&ty, &mut seed, &mut data);
        let scope = &mut testing::scope_of(testing::app(module));
        let word = unpack(scope, id, data.clone()).expect("bytes of a value");
        prop_assert_eq!(&pack(scope, id, word), &data);
        give_up(scope, id, word);
        // What breaks off, or is something else, is refused and leaves nothing.
        let short = data[..cut % data.len()].to_vec();
        prop_assert!(matches!(unpack(scope, id, short), Err(Damaged::Bytes)));
        let mut other = data;
        let at = cut % other.len();
        other[at] ^= 1 << (cut % 8);
        if let Ok(word) = unpack(scope, id, other) {
            give_up(scope, id, word);
        }
        scope.free_all_late();
        prop_assert_eq!((scope.heap().live(), scope.resources()), (0, 0));
    }
}
