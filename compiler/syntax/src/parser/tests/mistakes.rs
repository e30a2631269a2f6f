//! Mistakes: which code, how many messages, and what is left of the tree.

use super::parsed;
use crate::codes::SYNTAX;
use crate::print;

#[track_caller]
fn codes(text: &str, expected: &[&str]) {
    let found: Vec<_> = parsed(text).diagnostics.iter().map(|d| d.code).collect();
    let messages: Vec<_> = parsed(text).diagnostics.into_iter().map(|d| d.message).collect();
    assert_eq!(found, expected, "{text}\n{messages:#?}");
}

/// Each code, a text that has exactly this mistake, and a part of what the message says.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("E0101", "let x = * 2", "expected an expression, found `*`"),
    ("E0101", "fn (x) { 3 }", "expected a name, found `(`"),
    ("E0101", "x.", "expected a name, found the end of the file"),
    ("E0101", "let x: = 5", "expected a type, found `=`"),
    ("E0101", "let = 5", "expected a pattern, found `=`"),
    ("E0101", "match x { 1 }", "expected `=>` or `if`, found `}`"),
    ("E0101", "if { 1 }", "expected a condition"),
    ("E0101", "match { _ => 1 }", "expected a value"),
    ("E0101", "print \"x\"", "written with parentheses: `print(...)`"),
    ("E0101", "[1..]", "this range has no end"),
    ("E0101", "switch x { }", "match value"),
    ("E0101", "f(_, 1)", "`_` has no value"),
    ("E0101", "f(a, , b)", "found `,`"),
    ("E0101", "x = 3 = 4", "expected the end of the statement, found `=`"),
    ("E0102", "f(1, 2", "this `(` is never closed"),
    ("E0102", "let a = [1, 2\nlet b = 3", "this `[` is never closed"),
    ("E0102", "fn f() {\n  print(\"a\"\n  \"b\"\n}", "this `(` is never closed"),
    ("E0102", "fn f() {\n  if a {\n    b\n}\nfn g() {\n  c\n}", "this `{` is never closed"),
    ("E0102", "\"{f(x}\"", "this `(` is never closed"),
    ("E0103", "fn f() { }\n}", "this `}` closes nothing"),
    ("E0103", "x = (1))", "this `)` closes nothing"),
    ("E0103", "x = ]", "this `]` closes nothing"),
    ("E0104", "let a = \"abc\nlet b = 1", "this text has no closing quote"),
    ("E0104", "print(\"abc)", "this text has no closing quote"),
    ("E0104", "print(\"abc {x\")", "this interpolation is never closed"),
    ("E0104", "x = \"\"\"\n abc", "this text has no closing quote"),
    ("E0104", "x = r\"abc", "this text has no closing quote"),
    ("E0105", "\"\\q\"", "`\\q` is not an escape"),
    ("E0105", "\"\\u{zz}\"", "hexadecimal digits"),
    ("E0105", "\"\\u{110000}\"", "is not an escape"),
    ("E0106", "0xzz", "is not a number"),
    ("E0106", "1__0", "between two digits"),
    ("E0106", "5x", "neither a number nor a name"),
    ("E0106", "9223372036854775808", "does not fit into an Int"),
    ("E0106", "99999999999999999999", "does not fit into an Int"),
    ("E0106", "300000000h", "too long for a duration"),
    ("E0106", "1.5s", "smaller unit"),
    ("E0107", "a @ b", "`@` is not used"),
    ("E0107", "let grün = 1", "cannot be part of a name"),
    ("E0107", "print(“hello”)", "typographic quotes"),
    ("E0107", "f(a & b)", "bit-and"),
    ("E0108", "let getStream = 1", "write `get-stream`"),
    ("E0108", "get_stream(get_stream)", "write `get-stream`"),
    ("E0108", "_x = 1", "starts with `_`"),
    ("E0108", "let Max = 1", "write `max`"),
    ("E0108", "let MAX_SIZE = 1", "`max-size`"),
    ("E0108", "type user = Int", "write `User`"),
    ("E0108", "fn Foo() = 1", "write `foo`"),
    ("E0109", "let type = 1", "`type` is a reserved word"),
    ("E0109", "fn match(x) = x", "`match` is a reserved word"),
    ("E0109", "test = 1", "`test` is a reserved word"),
    ("E0109", "x.in", "`in` is a reserved word"),
    ("E0110", "if a < b < c { }", "write `a < b and b < c`"),
    ("E0110", "a == b == c", "write `a == b and b == c`"),
    ("E0111", "if x = 3 { }", "`==`"),
    ("E0111", "while a.b = c { }", "`==`"),
    ("E0101", "pair.0", "taken out by a pattern"),
    ("E0112", "a && b", "`&&` is written `and`"),
    ("E0112", "a || b", "`||` is written `or`"),
    ("E0112", "!a", "`!` is written `not`"),
    ("E0112", "x++", "write `x = x + 1`"),
    ("E0112", "++x", "write `x = x + 1`"),
    ("E0112", "x--", "there is no `--`"),
    ("E0112", "x.y += 1", "write `x.y = x.y + ...`"),
    ("E0112", "let x = null", "there is no `null`"),
    ("E0112", "f(nil)", "there is no `nil`"),
    ("E0112", "function f() { }", "`function` is written `fn`"),
    ("E0112", "def f() = 1", "`def` is written `fn`"),
    ("E0112", "const x = 1", "`const` is written `let`"),
    ("E0112", "let mut x = 1", "`let mut` is written `var`"),
    ("E0112", "if a { } elif b { } else { }", "`elif` is written `else if`"),
    ("E0112", "let x = a ? b : c", "if condition { one } else { other }"),
    ("E0112", "'abc'", "write `\"abc\"`"),
    ("E0113", "fn f()\n{\n}", "on the line of its head"),
    ("E0113", "if x\n  y\n}", "expected `{`, found the end of the line"),
    ("E0113", "if x y", "expected `{`, found `y`"),
    ("E0113", "for x in xs: y", "expected `{`, found `:`"),
    ("E0113", "loop", "expected `{`, found the end of the file"),
    ("E0113", "if a { } else b", "expected `{`, found `b`"),
    ("E0114", "let x", "expected `=` and a value"),
    ("E0114", "fn f() { var x: Int }", "expected `=` and a value"),
    ("E0115", "f(a b)", "a comma is missing"),
    ("E0115", "[1 2]", "a comma is missing"),
    ("E0115", "fn f(a b) = a", "a comma is missing"),
    ("E0115", "type T = {\n  a: Int\n  b: Int\n}", "a comma is missing"),
    ("E0115", "match x { 1 => 2 _ => 3 }", "a comma is missing"),
    ("E0116", "match x { 1 -> 2 }", "expected `=>`, found `->`"),
    ("E0116", "xs.map(x -> x)", "expected `=>`, found `->`"),
    ("E0116", "xs.map((x, y) -> x)", "expected `=>`, found `->`"),
    ("E0116", "fn f(x) => x", "`fn double(x: Int) -> Int = x * 2`"),
    ("E0106", "1e999", "does not fit into a Float"),
    ("E0106", "1_.5", "between two digits"),
    ("E0106", "1.5x", "neither a number nor a name"),
    ("E0122", "match x { 1.5 => 1, _ => 2 }", "no Float"),
    ("E0105", "b\"\\q\"", "`\\q` is not an escape of bytes"),
    ("E0105", "b\"\\x4g\"", "`\\x` is not an escape of bytes"),
    ("E0104", "b\"abc", "these bytes have no closing quote"),
    ("E0113", "fn f() {\n  defer close(x)\n}", "found `close`"),
    ("E0121", "let x = yield 1", "found `yield`"),
    ("E0121", "f(defer { 1 })", "found `defer`"),
    ("E0109", "let yield = 1", "`yield` is a reserved word"),
    ("E0117", "md\"x\"", "`md\"...\"` is not part"),
    ("E0101", "(1,)", "a tuple has at least two parts"),
    ("E0101", "[\"a\": 1, 2]", "has a key and a value"),
    ("E0101", "[1, \"a\": 2]", "an element of a list has no key"),
    ("E0101", "[\"a\": ]", "expected an expression"),
    ("E0101", "{\"a\": 1}", "a record `{a: 1, b: 2}`"),
    ("E0115", "{a: 1 b: 2}", "a comma is missing"),
    ("E0115", "let x = {\n  a: 1\n  b: 2\n}", "a comma is missing"),
    ("E0101", "{a: 1, 2}", "expected"),
    ("E0101", "let [..a, b] = x", "behind `..`"),
    ("E0101", "let [..a, ..b] = x", "behind `..`"),
    ("E0101", "let {a, ..} = x", "needs no `..`"),
    ("E0101", "match s { C(r: x) => x, _ => 0 }", "without names"),
    ("E0124", "f((var b) => b)", "a lambda changes no variable"),
    ("E0124", "pub var x = 1", "`pub let`"),
    ("E0101", "use x", "`use \"path\" as name`"),
    ("E0101", "test { }", "`test \"what it shows\" { ... }`"),
    ("E0101", "use \"{x}\"", "expected"),
    ("E0123", "fn f() {\n  test \"y\" { }\n}", "cannot stand inside a block"),
    ("E0113", "test \"a\" x", "expected `{`"),
    ("E0109", "use = 1", "`use` is a reserved word"),
    ("E0101", "x as y", "expected the end of the statement"),
    ("E0101", "route \"/{a: Int}\" { a }", "expected the method of the route"),
    ("E0101", "route", "`route GET"),
    ("E0101", "route GET { 1 }", "expected"),
    ("E0113", "route GET \"/\" 1", "expected `{`"),
    ("E0104", "route GET \"/{x {\n  1\n}", "no closing quote"),
    ("E0109", "route = 1", "`route` is a reserved word"),
    ("E0123", "fn f() {\n  route GET \"/{x}\" { }\n}", "cannot stand inside a block"),
    ("E0125", "\"{x:y}\"", "`y` is not a format"),
    ("E0125", "\"{x:}\"", "no format behind the colon"),
    ("E0125", "\"{x:>{n}}\"", "`x.pad-start(n)`"),
    ("E0125", "\"{x:.2 }\"", "`[[fill]align]"),
    ("E0101", "\"{:.2}\"", "expected an expression"),
    ("E0119", "\"{}\"", "this interpolation is empty"),
    ("E0120", "fn f() = native \"f\"", "standard library"),
    ("E0121", "let x = fail \"no\"", "expected an expression, found `fail`"),
    ("E0101", "fail", "expected an expression, found the end of the file"),
    ("E0113", "let x = y else return", "expected `{`, found `return`"),
    ("E0112", "let x = a? b : c", "if condition { one } else { other }"),
    ("E0121", "xs.each(x => y = x)", "`{ y = x }`"),
    ("E0121", "f(return 1)", "expected an expression, found `return`"),
    ("E0122", "match x { \"{y}\" => 1 }", "no interpolations"),
    ("E0123", "fn f() {\n  fn g() { }\n  g()\n}", "top level"),
];

#[test]
fn parentheses_without_a_pattern_are_told_once() {
    codes("for (], true) in xs { }", &["E0103"]);
    codes("match x { (,) => 1 }", &["E0101"]);
}

#[test]
fn each_mistake_has_one_message() {
    let mut wrong = Vec::new();
    for (code, text, part) in EXAMPLES {
        let diagnostics = parsed(text).diagnostics;
        let says = |d: &crate::diag::Diagnostic| {
            d.message.contains(part) || d.help.iter().any(|help| help.contains(part))
        };
        if diagnostics.len() != 1 || diagnostics[0].code != *code || !says(&diagnostics[0]) {
            let found: Vec<_> =
                diagnostics.iter().map(|d| format!("{} {} {:?}", d.code, d.message, d.help)).collect();
            wrong.push(format!("{text:?} wants {code} {part:?}: {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn fixes_mend() {
    for (_, text, _) in EXAMPLES {
        for diagnostic in parsed(text).diagnostics {
            if let Some(fix) = diagnostic.fix {
                let mut mended = text.to_string();
                mended.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.replacement);
                // Names are reported where they are first used; the other uses are still to be renamed.
                if diagnostic.code != "E0108" {
                    assert_eq!(parsed(&mended).diagnostics, [], "{text} -> {mended}");
                }
            }
        }
    }
}

#[test]
fn every_code_is_explained_once_and_tested() {
    for pair in SYNTAX.windows(2) {
        assert!(pair[0].code < pair[1].code);
    }
    for code in SYNTAX {
        // Deep nesting has tests of its own.
        let tested = code.code == "E0118" || EXAMPLES.iter().any(|(tested, _, _)| *tested == code.code);
        assert!(tested, "{} has no test", code.code);
        assert!(!code.explanation.is_empty() && !code.title.is_empty());
    }
    for (code, _, _) in EXAMPLES {
        assert!(SYNTAX.iter().any(|known| known.code == *code), "{code} is not in the table");
    }
}

#[test]
fn independent_mistakes_are_all_reported() {
    codes(
        "fn f(a b) {\n  let x = * 3\n  if x = 3 { 1 } else { 2 }\n  g(1 +, 2)\n  let type = 5\n}\nx++\nlet s = 'abc'\n",
        &["E0115", "E0101", "E0111", "E0101", "E0109", "E0112", "E0112"],
    );
    codes(
        "let a = )\nlet b = 1 +\nlet c: = 2\nfn (x) = 1\nlet d = 0xzz\n",
        &["E0103", "E0101", "E0101", "E0101", "E0106"],
    );
    codes("f(\nlet x = [1, 2\nlet y = (3\nfn g() {\n  h(\n}\n", &["E0102", "E0102", "E0102", "E0102"]);
    codes("print(\"a)\nprint(\"b {x\")\nprint('c')\nprint(d\n", &["E0104", "E0104", "E0112", "E0102"]);
}

/// What stays of a tree around a mistake.
#[test]
fn the_tree_keeps_what_can_be_understood() {
    let dump = |text: &str| super::squeeze(&print::file(&parsed(text).file));
    assert_eq!(dump("let x = * 2\nx"), "Let(Bind x Error) Name x");
    assert_eq!(dump("f(a b)"), "Call(Name f Name a Name b)");
    assert_eq!(dump("f(1 +, 2)"), "Call(Name f Int 1 Int 2)");
    assert_eq!(dump("let x 5"), "Let(Bind x Error)");
    assert_eq!(dump("fn f(a: ) { a }"), "Fn f(Param a: <error> Block(Name a))");
    assert_eq!(dump("a += 1"), "Assign(Name a Int 1)");
    assert_eq!(dump("if a = b { c }"), "If(Binary ==(Name a Name b) Block(Name c))");
    assert_eq!(dump("{ a\n * \n b }"), "Block(Binary *(Name a Name b))");
    assert_eq!(
        dump("fn f() {\n  if a {\n    b\n}\nfn g() = 1"),
        "Fn f(Block(If(Name a Block(Name b)))) Fn g(Value(Int 1))"
    );
    assert_eq!(dump("let a = f(1\nlet b = 2"), "Let(Bind a Call(Name f Int 1)) Let(Bind b Int 2)");
    assert_eq!(
        dump("match x { 1 -> 2, ? , 3 => 4 }"),
        "Match(Name x Arm(Int 1 Int 2) Arm(Error Error) Arm(Int 3 Int 4))"
    );
}
