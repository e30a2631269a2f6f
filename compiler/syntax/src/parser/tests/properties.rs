//! What holds for any text: no panic, no overflow, whole coverage, and speed in proportion to the length.

use proptest::prelude::*;

use super::parsed;
use crate::lexer::lex;
use crate::parser::{MAX_NESTING, parse_library};
use crate::print;
use crate::render;
use crate::span::{FileId, Source, Sources};

/// Everything a reader does with a text, checked for what must hold.
fn exercise(text: &str) {
    let (tokens, _) = lex(FileId(0), text);
    let mut at = 0;
    for token in &tokens {
        let (start, end) = (token.span.start as usize, token.span.end as usize);
        assert!(at <= start && start <= end, "tokens lie in order: {text:?} {token:?}");
        assert!(
            text[at..start].chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\u{FEFF}')),
            "{text:?} {token:?}"
        );
        at = end;
    }
    assert!(text[at..].chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\u{FEFF}')), "{text:?}");

    let parsed = parsed(text);
    let clean = parsed.diagnostics.is_empty();
    let dump = print::file(&parsed.file);
    let has_error = dump.lines().any(|line| line.trim() == "Error" || line.contains("<error>"));
    assert!(!(clean && has_error), "an error node without a message: {text:?}\n{dump}");
    parse_library(FileId(0), text);
    print::tokens(text, &tokens);

    let mut sources = Sources::new();
    sources.add(Source::new("a.weir", text));
    for diagnostic in &parsed.diagnostics {
        for label in &diagnostic.labels {
            assert!(
                text.get(label.span.start as usize..label.span.end as usize).is_some(),
                "{text:?} {diagnostic:?}"
            );
        }
        assert!(!diagnostic.message.contains('\n'), "{diagnostic:?}");
    }
    let few = &parsed.diagnostics[..parsed.diagnostics.len().min(8)];
    render::render(few, &sources, true);
    render::to_json(few, &sources);
}

const PIECES: &[&str] = &[
    "let",
    "var",
    "fn",
    "type",
    "pub",
    "if",
    "else",
    "match",
    "for",
    "in",
    "while",
    "loop",
    "return",
    "break",
    "continue",
    "and",
    "or",
    "not",
    "true",
    "_",
    "route",
    "fail",
    "yield",
    "defer",
    "stream",
    "spawn {",
    "background",
    "assert",
    "test",
    "use",
    "as",
    "native",
    "null",
    "elif",
    "mut",
    "x",
    "get-stream",
    "fooBar",
    "a_b",
    "User",
    "MAX_X",
    "1",
    "0xff",
    "250ms",
    "64kb",
    "1.5",
    "9223372036854775808",
    "99999999999999999999",
    "\"",
    "\"\"\"",
    "\"a\"",
    "\"{",
    "}\"",
    "\"{x}\"",
    "\"{x:.2}\"",
    ":>08.2f}",
    "r\"a\"",
    "r\"",
    "b\"x\"",
    "'a'",
    "'",
    "\\",
    "\\n",
    "\\u{41}",
    "\\u{",
    "#",
    "##",
    "# comment\n",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "{",
    "}",
    ",",
    ";",
    ":",
    ".",
    "..",
    "..=",
    "=",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "?",
    "??",
    "->",
    "=>",
    "|",
    "&&",
    "||",
    "!",
    "++",
    "+=",
    "&",
    "@",
    "é",
    "🌊",
    "\u{FEFF}",
    "\n",
    "\n",
    "\n",
    "\r\n",
    " ",
    "\t",
    "  ",
    "fn f(x) {\n",
    "}\n",
    "match x {\n",
    " => ",
    "if a {",
    "} else {",
    "let x = ",
    "for i in ",
    "type T = {",
    "native \"x\"",
    "?? return",
    "[:]",
    "{a: 1, b}",
    "(x, y)",
    "html\"",
    "b\"\\x41\"",
    "[a, ..",
    "use \"x\" as",
    "test \"x\" {\n",
    "with json: snake",
    "=> fail",
    " else {",
    "Int!",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_characters(text in any::<String>()) {
        exercise(&text);
    }

    #[test]
    fn any_ascii(text in "[ -~\n]{0,80}") {
        exercise(&text);
    }

    #[test]
    fn any_tokens(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60), spaced in any::<bool>()) {
        exercise(&pieces.join(if spaced { " " } else { "" }));
    }

    #[test]
    fn any_cut_of_a_program(from in 0..1000_usize, to in 0..1000_usize) {
        let program = include_str!("../../../../../bench/server.weir");
        let (from, to) = (from % program.len(), to % program.len());
        if let Some(cut) = program.get(from.min(to)..from.max(to)) {
            exercise(cut);
        }
        if let (Some(head), Some(tail)) = (program.get(..from.min(to)), program.get(from.max(to)..)) {
            exercise(&format!("{head}{tail}"));
        }
    }
}

/// Texts that are deep in every way there is, `n` levels each.
fn deep(n: usize) -> Vec<String> {
    let nested =
        |open: &str, middle: &str, close: &str| format!("{}{middle}{}", open.repeat(n), close.repeat(n));
    vec![
        nested("(", "1", ")"),
        nested("[", "", "]"),
        nested("{", "1", "}"),
        nested("f(", "1", ")"),
        nested("if a {", "", "}"),
        nested("match a { _ => ", "1", " }"),
        nested("x => ", "1", ""),
        nested("(x) => {", "1", "}"),
        nested("\"{", "1", "}\""),
        nested("\"\"\"{", "1", "}\"\"\""),
        nested("- ", "1", ""),
        nested("not ", "a", ""),
        nested("a + ", "1", ""),
        nested("a ?? ", "1", ""),
        nested("a..", "1", ""),
        nested("a == ", "1", ""),
        nested("", "a", ".b"),
        nested("", "a", ".b()"),
        nested("", "a", "(1)"),
        nested("", "a", "[1]"),
        nested("", "a", "?"),
        nested("if a { } else ", "{ }", ""),
        nested("if a { }\nelse ", "{ }", ""),
        nested("if ", "a", " { }"),
        nested("for x in ", "a", " { }"),
        nested("while ", "a", " { }"),
        nested("match ", "a", " { }"),
        nested("loop {", "", "}"),
        nested("return ", "1", ""),
        nested("a = ", "1", ""),
        format!("let x: {} = 1", nested("List[", "Int", "]")),
        format!("let x: {} = 1", nested("fn() -> ", "Int", "")),
        format!("let x: Int{} = 1", "?".repeat(n)),
        format!("let x: {} = 1", nested("fn(", "", ") -> Int")),
        format!("match x {{ {} => 1 }}", nested("Some(", "x", ")")),
        format!("match x {{ {} => 1 }}", nested("1 | ", "2", "")),
        nested("(", "", ""),
        nested("{", "", ""),
        nested("f(", "", ""),
        nested("\"{", "", ""),
        nested("if a {\n", "", ""),
        nested("", "", ")"),
        nested("", "", "}"),
        nested("fn f() {\n", "", ""),
        nested("let ", "", ""),
        nested("!", "a", ""),
        nested("\"", "", ""),
        nested("a +\n", "1", ""),
        nested("a\n", "", ".b\n"),
        nested("a,", "", ""),
        nested("x -> ", "1", ""),
        nested("x ?? return ", "1", ""),
        nested("{a: ", "1", "}"),
        nested("[1: ", "1", "]"),
        nested("(1, ", "1", ")"),
        nested("html\"{", "1", "}\""),
        format!("let {} = 1", nested("(a, ", "b", ")")),
        format!("let {} = 1", nested("{a: ", "b", "}")),
        format!("let {} = 1", nested("[a, ", "b", "]")),
        format!("let x: {} = 1", nested("(Int, ", "Int", ")")),
        format!("let x: {} = 1", nested("{a: ", "Int", "}")),
        nested("x => fail ", "1", ""),
        format!("let x: Int{} = 1", "!".repeat(n)),
        nested("let x = y else { ", "", " }"),
    ]
}

#[test]
fn depth_is_limited_not_crashed_on() {
    for n in [6, 8, 11, 22, 23, 255, 257, 700, 20_000] {
        for text in deep(n) {
            let parsed = parsed(&text);
            // Dumps and drops recurse like every later pass; the limit keeps them shallow.
            assert!(!print::file(&parsed.file).is_empty() || !parsed.diagnostics.is_empty());
            assert!(
                parsed.diagnostics.iter().filter(|d| d.code == "E0118").count() <= 1,
                "{:?}",
                &text[..40.min(text.len())]
            );
        }
    }
}

#[test]
fn nesting_is_limited_to_256() {
    let at_limit = format!("{}1{}", "(".repeat(MAX_NESTING), ")".repeat(MAX_NESTING));
    assert_eq!(parsed(&at_limit).diagnostics, []);
    let calls = format!("{}1{}", "f(".repeat(MAX_NESTING), ")".repeat(MAX_NESTING));
    assert_eq!(parsed(&calls).diagnostics, []);
    let above = format!("{}1{}", "(".repeat(MAX_NESTING + 1), ")".repeat(MAX_NESTING + 1));
    let diagnostics = parsed(&above).diagnostics;
    assert_eq!(diagnostics.len(), 1, "{diagnostics:#?}");
    assert_eq!(diagnostics[0].code, "E0118");
    let chain = format!("let x = 1{}\nlet y = 2", " + 1".repeat(10_000));
    let parsed = parsed(&chain);
    assert_eq!(parsed.diagnostics.len(), 1, "{:#?}", parsed.diagnostics);
    assert_eq!(parsed.diagnostics[0].code, "E0118");
    assert_eq!(parsed.file.items.len(), 2);
}

#[test]
fn tokens_may_be_long() {
    let long = 3_000_000;
    for (start, piece, end) in [
        ("\"", "é", "\""),
        ("\"", "\\n", "\""),
        ("r\"", "é", "\""),
        ("\"\"\"", "é\n", "\"\"\""),
        ("'", "é", "'"),
        ("b\"", "\\n", "\""),
        ("b\"", "é", ""),
        ("“", "n", "”"),
        ("# ", "é", ""),
        ("a", "a", ""),
        ("A", "a", ""),
        ("1", "0", ""),
        ("", "é", ""),
        ("", " ", ""),
    ] {
        let text = format!("{start}{}{end}", piece.repeat(long / piece.len()));
        assert!(parsed(&text).diagnostics.len() <= 1, "{start}{piece}");
    }
}
