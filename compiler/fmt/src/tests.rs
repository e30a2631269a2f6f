//! Tests of formatting: what it makes of texts, and what holds for all of them.

use proptest::prelude::*;
use weir_syntax::lexer::lex;
use weir_syntax::span::FileId;
use weir_syntax::token::TokenKind;
use weir_syntax::{parse_library, print};

use crate::{WIDTH, format};

#[test]
fn cases_stand_on_one_line_or_each_on_its_own() {
    let short = "type Shape = | Circle(radius: Int)|Rect(w: Int,h: Int)\n  | Empty\n";
    assert_eq!(formatted(short), "type Shape = Circle(radius: Int) | Rect(w: Int, h: Int) | Empty\n");
    assert_eq!(formatted("type Only =|One"), "type Only = | One\n");
    let long = "type Long = Alpha(first: Int, second: Text) | Beta(first: Int, second: Text) | Gamma(first: Int, last: Text)";
    let broken = "type Long =\n  | Alpha(first: Int, second: Text)\n  | Beta(first: Int, second: Text)\n  | Gamma(first: Int, last: Text)\n";
    assert_eq!(formatted(long), broken);
    formatted("type C =\n  | A # first\n  | B # second\nprint(1)\n");
}

#[test]
fn a_negative_literal_keeps_its_parentheses() {
    stays("print((-8).abs())\nprint((-0).abs())\nprint((-0.0).abs())\n");
}

/// The comments of a text, in order.
fn comments(text: &str) -> Vec<String> {
    let (tokens, _) = lex(FileId(0), text);
    let comments = tokens.iter().filter(|t| matches!(t.kind, TokenKind::Comment | TokenKind::DocComment));
    comments.map(|t| text[t.span.start as usize..t.span.end as usize].trim_end().to_string()).collect()
}

/// Formats a text that parses, and checks that nothing is lost and nothing changes the second time.
#[track_caller]
fn formatted(text: &str) -> String {
    let once = format(text).unwrap_or_else(|diagnostics| panic!("{text}\n{diagnostics:#?}"));
    let twice = format(&once).unwrap_or_else(|diagnostics| panic!("{once}\n{diagnostics:#?}"));
    assert_eq!(once, twice, "formatted twice:\n{text}");
    let tree = |text: &str| print::file(&parse_library(FileId(0), text).file);
    assert_eq!(tree(text), tree(&once), "{text}\n---\n{once}");
    let sorted = |text: &str| {
        let mut comments = comments(text);
        comments.sort();
        comments
    };
    assert_eq!(sorted(text), sorted(&once), "{text}\n---\n{once}");
    once
}

#[track_caller]
fn becomes(text: &str, expected: &str) {
    assert_eq!(formatted(text), expected, "{text}");
}

#[track_caller]
fn stays(text: &str) {
    becomes(text, text);
}

#[test]
fn spaces_are_canonical() {
    becomes("let  x=1+2*3", "let x = 1 + 2 * 3\n");
    becomes("f( a,b , name:c, ..d )", "f(a, b, name: c, ..d)\n");
    becomes("x=[ 1,2 , ]", "x = [1, 2]\n");
    becomes("let t:List[ Int ]?=t[ 1 .. ]", "let t: List[Int]? = t[1..]\n");
    becomes("a;b", "a\nb\n");
    becomes("- 5 - - 3 + -x", "-5 - -3 + -x\n");
    becomes("pub  fn f [A]( x:A,y=1 )->A{x}", "pub fn f[A](x: A, y = 1) -> A { x }\n");
    becomes("fn f(x)=x", "fn f(x) = x\n");
    becomes("type T={a:Int,b:Text=\"\"}", "type T = { a: Int, b: Text = \"\" }\n");
    becomes("(x)=>x", "x => x\n");
    becomes("(x:Int)=>x", "(x: Int) => x\n");
    becomes("()=>1", "() => 1\n");
    becomes("", "");
    becomes("\n\n", "");
    becomes("# only\n\n\n", "# only\n");
    becomes("x\r\n\r\n\r\ny\r\n", "x\n\ny\n");
}

#[test]
fn literals_stay_as_written() {
    stays("[0xff, 1_000, 64kb, 250ms, 0b1, -5]\n");
    stays("\"a\\tb {x} \\u{e9}\"\n");
    stays("r\"a\\b\"\n");
    stays("x = \"\"\"\n    one {y}\n      two\n    \"\"\"\n");
    becomes("\"a { x+1 } {f( \"{ y }\" )}\"", "\"a {x + 1} {f(\"{y}\")}\"\n");
}

#[test]
fn parentheses_stay_where_they_mean_or_help() {
    stays("(a + b) * c\n");
    stays("(a and b) or c\n");
    stays("a - (b - c)\n");
    stays("(a == b) == c\n");
    stays("-(-x)\n");
    stays("(-5).abs()\n");
    stays("-5.abs()\n");
    stays("(x.f)(y)\n");
    stays("(a + b).c()\n");
    stays("(x => x)(1)\n");
    stays("a ?? b ?? c\n");
    stays("(a ?? b) ?? c\n");
    stays("(0..n).stream()\n");
    stays("not (a and b)\n");
    stays("(not a) == b\n");
    stays("if ({ a }) { b }\n");
    stays("match ({ a }) {\n  _ => b\n}\n");
    stays("(x => x) + 1\n");
    stays("f((x => x) ?? y)\n");
    becomes("((a)) + (b * c)", "a + (b * c)\n");
    becomes("f((a + b))", "f(a + b)\n");
    becomes("let x = (a)", "let x = a\n");
    becomes("(f(a)) + 1", "f(a) + 1\n");
}

#[test]
fn blocks() {
    stays("if a { 1 } else { 2 }\n");
    becomes("if a {1\n} else { 2 }", "if a {\n  1\n} else {\n  2\n}\n");
    becomes("if a { b; c }", "if a {\n  b\n  c\n}\n");
    becomes("if a {\n\n\n  b\n\n\n\n  c\n\n}", "if a {\n  b\n\n  c\n}\n");
    becomes("if a {}\nelse if b { }\nelse { c }", "if a {} else if b {} else { c }\n");
    becomes(
        "fn f() {\nfor x in xs { g(x) }\nloop { break }\nwhile let Some(y) = z { }\n}",
        "fn f() {\n  for x in xs { g(x) }\n  loop { break }\n  while let Some(y) = z {}\n}\n",
    );
    becomes(
        "match x { 1 | 2 => a, - 3 .. 4 => b\nSome(y) if (z) => { c }, _ => d }",
        "match x {\n  1 | 2 => a\n  -3..4 => b\n  Some(y) if z => { c }\n  _ => d\n}\n",
    );
    stays("match x {}\n");
    stays("f(x => {\n  a\n  b\n})\n");
    stays("f(1, \"a\", x => match x {\n  _ => 1\n})\n");
}

#[test]
fn long_lines_break() {
    let long = "a-name-that-is-really-long-for-a-name";
    becomes(&format!("f({long}, {long}, {long})"), &format!("f(\n  {long},\n  {long},\n  {long},\n)\n"));
    becomes(
        &format!("x = [{long}, [{long}], {long}]"),
        &format!("x = [\n  {long},\n  [{long}],\n  {long},\n]\n"),
    );
    becomes(
        &format!("x = {long} + {long} - {long}"),
        &format!("x =\n  {long} +\n    {long} -\n    {long}\n"),
    );
    becomes(&format!("x = {long} + {long} + b"), &format!("x = {long} + {long} + b\n"));
    becomes(
        &format!("x.{long}(1).{long}(2).{long}(3)"),
        &format!("x\n  .{long}(1)\n  .{long}(2)\n  .{long}(3)\n"),
    );
    becomes(
        &format!("type T = {{ {long}: Int, {long}a: Int, {long}b: Int }}"),
        &format!("type T = {{\n  {long}: Int,\n  {long}a: Int,\n  {long}b: Int,\n}}\n"),
    );
    becomes(
        &format!("if {long} {{ {long} }} else {{ {long} }}"),
        &format!("if {long} {{\n  {long}\n}} else {{\n  {long}\n}}\n"),
    );
}

#[test]
fn comments_stay_at_their_places() {
    stays(
        "#!/usr/bin/env weir\n# Head.\n\n## Doc.\nfn f() {\n  # first\n  a # why a\n\n  # last\n}\n\n# End.\n",
    );
    stays("if a { # when a\n  b\n} else { # else\n  c\n}\n");
    stays("match x { # which\n  # one\n  1 => a # yes\n\n  # other\n  _ => b\n  # end\n}\n");
    stays("f(\n  # first\n  a,\n  b, # why b\n  # end\n)\n");
    stays("let xs = [\n  1, # one\n  2,\n]\n");
    stays("type T = {\n  # the id\n  id: Int, # unique\n  name: Text,\n}\n");
    stays("fn f(\n  a: Int, # left\n  b: Int,\n) -> Int {\n  a\n}\n");
    becomes("f( # here\n a)", "f( # here\n  a,\n)\n");
    becomes("x   # a\n\n\n# b", "x # a\n\n# b\n");
    becomes("{\n# only\n}", "{\n  # only\n}\n");
}

#[test]
fn a_comment_without_a_place_leaves_its_statement_alone() {
    stays("let x =  1 + # one\n    2\ny\n");
    becomes("fn f() {\nlet x = a  # why\n   .b()\n c }", "fn f() {\n  let x = a  # why\n   .b()\n  c\n}\n");
    stays("if a {\n  b\n}\n# otherwise\nelse {\n  c\n}\n");
}

#[test]
fn what_does_not_parse_is_reported() {
    let diagnostics = format("let x = ").expect_err("a value is missing");
    assert_eq!(diagnostics.len(), 1);
}

fn scripts(folder: &str) -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder is part of the repository");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let scripts = paths.filter(|path| path.extension().is_some_and(|e| e == "weir"));
    scripts
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("it is text")))
        .collect()
}

#[test]
fn scripts_of_the_repository_keep_their_meaning() {
    for folder in ["examples", "bench", "stdlib"] {
        let scripts = scripts(folder);
        assert!(!scripts.is_empty());
        for (name, text) in scripts {
            let out = formatted(&text);
            assert!(
                out.lines().all(|line| line.chars().count() <= WIDTH || line.contains(['"', '#'])),
                "{name}\n{out}"
            );
        }
    }
}

/// Expressions of every form, as text.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z]{1,3}(-[a-z]{1,8})?"
            .prop_filter("no keyword", |name| parse_library(FileId(0), name).diagnostics.is_empty()),
        (0..1000_u32).prop_map(|n| n.to_string()),
        (1..1000_u32).prop_map(|n| format!("-{n}")),
        Just("true".to_string()),
        Just("250ms".to_string()),
        Just("()".to_string()),
        Just("None".to_string()),
        Just("\"text\"".to_string()),
        Just("r\"raw\\\"".to_string()),
        Just("\"\"\"\n  a\n    b\n  \"\"\"".to_string()),
    ];
    leaf.prop_recursive(6, 40, 4, |inner| {
        let ops = ["or", "and", "==", "<", "in", "??", "..", "..=", "+", "-", "*", "/", "%"];
        let statement = prop_oneof![
            inner.clone(),
            inner.clone().prop_map(|e| format!("let x = {e}")),
            inner.clone().prop_map(|e| format!("var y: Int? = {e}")),
            inner.clone().prop_map(|e| format!("x.y = {e}")),
            inner.clone().prop_map(|e| format!("return {e}")),
        ];
        let separator = prop::sample::select(vec!["\n", "; ", "\n\n\n", "\n# note\n", " # note\n"]);
        let block = prop::collection::vec((statement, separator), 0..4).prop_map(|statements| {
            let body: String = statements.iter().map(|(statement, end)| format!("{statement}{end}")).collect();
            format!("{{ {body} }}")
        });
        prop_oneof![
            4 => (inner.clone(), prop::sample::select(ops.to_vec()), inner.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            2 => (inner.clone(), prop::sample::select(ops.to_vec()), inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            1 => inner.clone().prop_map(|e| format!("not {e}")),
            1 => inner.clone().prop_map(|e| format!("-({e})")),
            2 => inner.clone().prop_map(|e| format!("({e}).name")),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}).get({b}, k: {b})")),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}).first(x => {b}).then({b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(({a}).f)({b}, ..r)")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            1 => inner.clone().prop_map(|e| format!("t[({e})..]")),
            1 => inner.clone().prop_map(|e| format!("t[..({e})]")),
            2 => prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(", "))),
            2 => prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("f(\n{}\n)", items.join(", # c\n"))),
            1 => inner.clone().prop_map(|e| format!("x => {e}")),
            1 => (inner.clone(), block.clone()).prop_map(|(a, b)| format!("f({a}, (x, y: Int) => {b})")),
            1 => (inner.clone(), block.clone(), block.clone()).prop_map(|(c, a, b)| format!("if ({c}) {a} else {b}")),
            1 => (inner.clone(), block.clone()).prop_map(|(c, a)| format!("if let Some(z) = ({c}) {a} else if q {a}")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(s, g, b)| {
                format!("match ({s}) {{\n  1 | -2 => {b}\n\n  # arm\n  Some(q) if ({g}) => ({b}), \"t\" => {b}\n  _ => {g} # end\n}}")
            }),
            1 => (inner.clone(), block.clone()).prop_map(|(c, a)| format!("for x in ({c}) {a}")),
            1 => block,
            1 => inner.prop_filter_map("text on one line", |e| (!e.contains(['\n', '#'])).then(|| format!("\"a {{ {e} }} b\""))),
        ]
    })
}

/// A text cut at token borders, with line ends and comments put in between.
fn shaken(text: &str, cuts: &[(usize, usize)]) -> String {
    let (tokens, _) = lex(FileId(0), text);
    let mut places: Vec<(usize, usize)> = cuts
        .iter()
        .filter(|_| !tokens.is_empty())
        .map(|&(at, what)| (tokens[at % tokens.len()].span.end as usize, what))
        .collect();
    places.sort_unstable();
    let mut out = String::new();
    let mut from = 0;
    for (at, what) in places {
        out.push_str(&text[from..at]);
        out.push_str([" # shaken\n", "\n", "\n\n", "\n  # own line\n", "  "][what % 5]);
        from = at;
    }
    out.push_str(&text[from..]);
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_programs_keep_their_meaning(
        statements in prop::collection::vec(expressions(), 1..4),
        cuts in prop::collection::vec((0..10_000_usize, 0..5_usize), 0..6),
    ) {
        let text = statements.join("\n");
        if format(&text).is_ok() {
            formatted(&text);
        }
        let shaken = shaken(&text, &cuts);
        if format(&shaken).is_ok() {
            formatted(&shaken);
        }
        let nested = format!("## Doc.\nfn f(a, b: Int = 1) -> Int {{\n{shaken}\n}}\nlet v = [{}]", statements.join(", "));
        if format(&nested).is_ok() {
            formatted(&nested);
        }
    }

    #[test]
    fn shaken_scripts_keep_their_meaning(which in 0..100_usize, cuts in prop::collection::vec((0..10_000_usize, 0..5_usize), 1..8)) {
        let all: Vec<_> = ["examples", "bench", "stdlib"].into_iter().flat_map(scripts).collect();
        let shaken = shaken(&all[which % all.len()].1, &cuts);
        if format(&shaken).is_ok() {
            formatted(&shaken);
        }
    }
}

#[test]
fn ways_out_and_failing() {
    becomes("let x=y ??  return 1", "let x = y ?? return 1\n");
    becomes("let x = y ?? (z ?? break)", "let x = y ?? z ?? break\n");
    becomes("(y ?? return) + 1", "(y ?? return) + 1\n");
    becomes("if (y ?? return) {\n}", "if (y ?? return) {}\n");
    becomes("a == (b ?? return)", "a == (b ?? return)\n");
    becomes("let  Some(x)=y  else{return}", "let Some(x) = y else { return }\n");
    stays("let Some(x) = y else {\n  # why\n  fail \"no\"\n}\n");
    becomes("f( x ? ) ? .g", "f(x?)?.g\n");
    stays("match x {\n  1 => return 2\n  _ => fail \"none\"\n}\n");
    becomes("assert  a==b", "assert a == b\n");
    becomes("fn f( ) ->Int!{1}", "fn f() -> Int! { 1 }\n");
}

#[test]
fn tuples_records_and_maps() {
    becomes("let (a,b)=( 1,x )", "let (a, b) = (1, x)\n");
    becomes("let x:(Int,Text)?=y", "let x: (Int, Text)? = y\n");
    becomes("let f:(fn()->Int)?=y", "let f: (fn() -> Int)? = y\n");
    becomes("[ : ]", "[:]\n");
    becomes("[\"a\" :1, b:2]", "[\"a\": 1, b: 2]\n");
    becomes("{ a:1,b , ..c }", "{a: 1, b, ..c}\n");
    becomes("{ a, }", "{a: a}\n");
    becomes("f({ a:1 })", "f({a: 1})\n");
    stays("let x = {\n  # first\n  a: 1,\n  b,\n}\n");
    becomes("let { a,b:c }=x", "let {a, b: c} = x\n");
    becomes("let [ a,..b ]=x", "let [a, ..b] = x\n");
    becomes(
        "match x { [] => 1, [_, ..] => 2, {} => 3 }",
        "match x {\n  [] => 1\n  [_, ..] => 2\n  {} => 3\n}\n",
    );
    becomes("if ({a: 1} == x) {\n}", "if ({a: 1} == x) {}\n");
    becomes("if x == {a:1} {\n}", "if x == {a: 1} {}\n");
    becomes("fn f( var  xs:List[Int],b ){}", "fn f(var xs: List[Int], b) {}\n");
    becomes("x = b\"a\\x00\"", "x = b\"a\\x00\"\n");
    becomes("html\"{ x }\"", "html\"{x}\"\n");
    becomes("xs[ 0 ].a=1", "xs[0].a = 1\n");
    let long = "let configuration = {first-name: \"some text here\", second-name: \"some more text here\", third: [1, 2, 3]}";
    becomes(
        long,
        "let configuration = {\n  first-name: \"some text here\",\n  second-name: \"some more text here\",\n  third: [1, 2, 3],\n}\n",
    );
}

#[test]
fn items() {
    becomes("use  \"a\"", "use \"a\"\n");
    becomes("use \"a\"  as b", "use \"a\" as b\n");
    becomes("use \"a\"{ b,C , }", "use \"a\" {b, C}\n");
    becomes("test  \"x\"{assert a==1}", "test \"x\" { assert a == 1 }\n");
    becomes("pub  let x=1", "pub let x = 1\n");
    becomes("route  GET  \"/{ id:Int }\"{id}", "route GET \"/{ id:Int }\" { id }\n");
    becomes(
        "type A={id:Int as \"user_id\"=1}with json:snake",
        "type A = { id: Int as \"user_id\" = 1 } with json: snake\n",
    );
    stays("use \"a\" {\n  # both\n  b,\n  C,\n}\n");
}

#[test]
fn formats() {
    becomes("\"{ x  :.2}{ f( a:1 ) :>5}\"", "\"{x:.2}{f(a: 1):>5}\"\n");
    becomes("\"{ \"{ y :x}\" :>9}\"", "\"{\"{y:x}\":>9}\"\n");
}

#[test]
fn forms_keep_their_blocks_and_their_parentheses_in_heads() {
    stays("let s = stream { yield 1 }\nlet t = spawn { f() }\nbackground { g() }\n");
    stays("for x in (stream { yield 1 }.take(2)) { print(x) }\n");
    stays("if (spawn { 1 } == a) { b }\n");
    stays("match a {\n  b if (stream { yield 1 }.x) => yield b\n}\n");
    stays("xs.map(x => stream {\n  yield x\n  yield x\n})\n");
    stays("keep(spawn {\n  a()\n  b()\n})\n");
    stays("fn f() {\n  defer { close() }\n  defer {\n    a()\n    b()\n  }\n}\n");
    becomes("let s=stream{ yield 1\nyield  2 }", "let s = stream {\n  yield 1\n  yield 2\n}\n");
    becomes("for x in stream{}", "for x in stream {}\n");
}
