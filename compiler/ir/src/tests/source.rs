//! Programs from source text: what they print in every form of their IR, how many lists are copied, and what the IR of the
//! usual forms looks like.

use super::machine::Machine;
use crate::{Stage, borrow, compile_to_ir, count, ir, lower, opt, verify};
use std::rc::Rc;
use weir_check::Library;
use weir_check::typed::Program;
use weir_syntax::ast;
use weir_syntax::parser::{parse, parse_library};
use weir_syntax::span::{FileId, Span};

macro_rules! modules {
    ($($name:literal),*) => {
        &[$(($name, include_str!(concat!("../../../../stdlib/", $name, ".weir")))),*]
    };
}
const MODULES: &[(&str, &str)] = modules!(
    "prelude", "int", "text", "list", "range", "option", "duration", "time", "stream", "request", "query",
    "headers", "error", "result"
);

struct Standard;

impl Library for Standard {
    fn module(&self, name: &str) -> Option<Rc<ast::File>> {
        let at = MODULES.iter().position(|(n, _)| *n == name)?;
        Some(Rc::new(parse_library(FileId(at as u16 + 1), MODULES[at].1).file))
    }

    fn names(&self) -> Vec<String> {
        MODULES.iter().map(|(name, _)| name.to_string()).collect()
    }

    fn place(&self, _: Span) -> String {
        String::new()
    }
}

fn program(source: &str) -> Program {
    let parsed = parse(FileId(0), source);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let (program, diagnostics) = weir_check::check(&parsed.file, &Standard);
    program.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

/// What it prints; the same optimised and not, counted and not. Also the copies made by the optimised form.
fn run(source: &str) -> (Vec<String>, u32) {
    let plain = lower(&program(source));
    let expected = Machine::new(&plain, false).run();
    let mut copies = 0;
    for optimise in [false, true] {
        let mut module = plain.clone();
        if optimise {
            opt::optimise(&mut module);
        }
        borrow::infer(&mut module);
        count(&mut module);
        verify(&module, Stage::Counted).unwrap_or_else(|bug| panic!("{bug}"));
        let mut machine = Machine::new(&module, true);
        assert_eq!(machine.run(), expected);
        copies = machine.copies;
    }
    (expected.output, copies)
}

fn prints(source: &str, lines: &[&str]) {
    assert_eq!(run(source).0, lines);
}

/// The text of one function, optimised and counted.
pub(super) fn ir_of(source: &str, function: &str) -> String {
    let module = compile_to_ir(&program(source), true);
    text_of(&module, function)
}

fn text_of(module: &ir::Module, function: &str) -> String {
    let at = module.functions.iter().position(|f| f.name == function);
    let at = at.unwrap_or_else(|| panic!("no {function} in {}", crate::print(module)));
    crate::print::print_function(module, ir::FuncId(at as u32))
}

fn counts(text: &str) -> (usize, usize) {
    (text.matches("  dup ").count(), text.matches("  drop ").count())
}

#[track_caller]
fn golden(actual: &str, expected: &str) {
    let trim = |t: &str| t.lines().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect::<Vec<_>>();
    assert!(trim(actual) == trim(expected), "the IR is now:\n{actual}");
}

#[test]
fn pushing_in_a_loop_copies_nothing() {
    let source = "var xs = [1]\nfor i in 0..100 { xs.push(i) }\nprint(xs.len())";
    assert_eq!(run(source), (vec!["101".to_owned()], 0));
}

#[test]
fn objects_are_made_in_the_memory_of_those_given_up() {
    let source = r#"
type Tree = Leaf | Node(left: Tree, value: Int, right: Tree)
fn make(depth: Int) -> Tree = if depth == 0 { Leaf } else { Node(make(depth - 1), depth, make(depth - 1)) }
fn twice(tree: Tree) -> Tree = match tree {
  Leaf => Leaf
  Node(left, value, right) => Node(twice(left), value * 2, twice(right))
}
fn sum(tree: Tree) -> Int = match tree {
  Leaf => 0
  Node(left, value, right) => sum(left) + value + sum(right)
}
var tree = make(3)
for _ in 0..2 { tree = twice(tree) }
let old = tree
tree = twice(tree)
print(sum(old))
print(sum(tree))
type User = { id: Int, name: Text, tags: List[Text] }
fn renamed(user: User, times: Int) -> User = if times == 0 { user } else { renamed(User(..user, name: "n"), times - 1) }
print(renamed(User(id: 1, name: "a", tags: ["x"]), 5).name)
"#;
    let module = compile_to_ir(&program(source), true);
    let mut machine = Machine::new(&module, true);
    assert_eq!(machine.run().output, ["44", "88", "n"]);
    // Seven nodes twice, and five users; the third time the tree is shared.
    assert_eq!(machine.reuses, 7 + 7 + 5);
}

#[test]
fn a_record_that_never_leaves_is_changed_in_variables() {
    let source = "type P = { x: Int, log: List[Int] }\nfn run(n: Int) -> Int {\n  var p = P(x: 0, log: [])\n  \
                  for i in 0..n {\n    p.x = p.x + i\n    p.log.push(i)\n  }\n  let q = p\n  p.x = 0\n  \
                  q.x + p.x + q.log.len()\n}\nprint(run(5))";
    assert_eq!(run(source), (vec!["15".to_owned()], 0));
    let text = ir_of(source, "main");
    assert!(!text.contains("record P") && !text.contains("unique"), "{text}");
}

#[test]
fn an_element_is_set_by_a_check_and_a_store() {
    let source = "fn fill(n: Int) -> List[Int] {\n  var xs = [0, 0]\n  for i in 0..n { xs[i % 2] = i }\n  xs\n}\n\
                  print(fill(5))";
    assert_eq!(run(source), (vec!["[4, 3]".to_owned()], 0));
    let text = ir_of(source, "main");
    let ops = ["unique", "check", "store"].map(|op| text.matches(op).count());
    assert_eq!((ops, counts(&text)), ([1, 1, 1], (0, 1)), "{text}");
}

#[test]
fn walking_a_list_while_changing_it_copies_once() {
    let source = "var xs = [1, 2]\nfor x in xs { xs.push(x) }\nprint(xs)";
    assert_eq!(run(source), (vec!["[1, 2, 1, 2]".to_owned()], 1));
}

#[test]
fn an_old_list_stays_as_it_was() {
    let source = "let a = [\"x\"]\nvar b = a\nb.push(\"y\")\nprint(a)\nprint(b)";
    assert_eq!(run(source), (vec!["[x]".to_owned(), "[x, y]".to_owned()], 1));
}

#[test]
fn an_element_taken_before_a_push_costs_a_count_and_no_copy() {
    let source = "var xs = [\"a\".upper()]\nlet first = xs[0]\nxs.push(\"b\")\nprint(first)\nprint(xs)";
    assert_eq!(run(source), (vec!["A".to_owned(), "[A, b]".to_owned()], 0));
}

#[test]
fn list_functions_do_what_they_say_and_copy_nothing() {
    let source = r#"
let xs = [1, 2, 3, 4]
print(xs.map(x => x * 10))
print(xs.filter(x => x % 2 == 0))
print(xs.fold(0, (sum, x) => sum + x))
let names = ["ada", "bo"]
print(names.map(n => n.upper()))
print(names.filter(n => n == "bo"))
print(names.fold("", (all, n) => "{all}{n};"))
print(names.any(n => n == "bo"))
print(names.all(n => n == "bo"))
print(names.get(5) ?? "none")
print(names.first() ?? "none")
print(names.concat(["eve"]).join("+"))
print(xs.get(1) ?? 0)
print(xs.sum())
"#;
    let (output, copies) = run(source);
    let expected = [
        "[10, 20, 30, 40]",
        "[2, 4]",
        "10",
        "[ADA, BO]",
        "[bo]",
        "ada;bo;",
        "true",
        "false",
        "none",
        "ada",
        "ada+bo+eve",
        "2",
        "10",
    ];
    assert_eq!(output, expected);
    // `concat` starts from `names`, which is read no more: only its literal elements make it shared. None is.
    assert_eq!(copies, 0);
}

#[test]
fn ranges_count_from_their_first_to_their_last() {
    prints(
        r#"
for i in 1..4 { print(i) }
for i in 3..=3 { print(i) }
for i in 3..3 { print(i) }
let r = 5..=6
for i in r { print(i) }
let s = 7..8
for i in s { print(i) }
for i in 9223372036854775806..=9223372036854775807 { print(i) }
"#,
        &["1", "2", "3", "3", "5", "6", "7", "9223372036854775806", "9223372036854775807"],
    );
}

#[test]
fn loops_are_left_and_continued() {
    prints(
        r#"
fn first-long(names: List[Text]) -> Text? {
  for name in names {
    if name.len() < 3 { continue }
    return Some(name)
  }
  None
}
print(first-long(["a", "bo", "ada", "grace"]) ?? "none")
print(first-long(["a"]) ?? "none")
var i = 0
while true {
  i = i + 1
  if i == 3 { continue }
  if i > 4 { break }
  print(i)
}
"#,
        &["ada", "none", "1", "2", "4"],
    );
}

#[test]
fn closures_keep_the_values_of_their_moment() {
    prints(
        r#"
var greeting = "hello".upper()
let greet = name => "{greeting}, {name}"
greeting = "bye"
print(greet("ada"))
print(["x", "y"].map(greet))
fn shout(t: Text) -> Text = t.upper()
print(["x", "y"].map(shout))
"#,
        &["HELLO, ada", "[HELLO, x, HELLO, y]", "[X, Y]"],
    );
}

#[test]
fn records_hold_what_they_were_made_of() {
    prints(
        r#"
type User = { id: Int, name: Text, email: Text? }
fn show(u: User) -> Text = match u.email {
  Some(mail) => "{u.name} <{mail}>"
  None => u.name
}
let ada = User(id: 1, name: "Ada", email: Some("a@b"))
print(show(ada))
print(show(User(id: 2, name: "Bo", email: None)))
print(ada)
"#,
        &["Ada <a@b>", "Bo", "User(1, Ada, Some(a@b))"],
    );
}

#[test]
fn matches_take_the_first_arm_that_fits() {
    prints(
        r#"
fn name(n: Int) -> Text = match n {
  0 => "none"
  1 | 2 => "few"
  3..=9 => "some"
  other if other < 0 => "negative"
  _ => "many"
}
for n in [0, 2, 9, -4, 10] { print(name(n)) }
fn kind(t: Text) -> Int = match t {
  "a" => 1
  "b" | "c" => 2
  _ => 3
}
for t in ["a", "c", "d"] { print(kind(t)) }
fn nested(o: Int??) -> Text = match o {
  Some(Some(n)) => "{n}"
  Some(None) => "inner"
  None => "outer"
}
print(nested(Some(Some(1))))
print(nested(Some(None)))
print(nested(None))
"#,
        &["none", "few", "some", "negative", "many", "1", "2", "3", "1", "inner", "outer"],
    );
}

#[test]
fn a_known_lambda_in_map_becomes_the_loops_body() {
    let text = ir_of("let xs = [\"a\"]\nprint(xs.map(x => x.upper()))", "main");
    assert!(!text.contains("closure"), "{text}");
    assert!(!text.contains("call list.map"), "{text}");
}

#[test]
fn map_borrows_its_list_and_its_function() {
    let source = "fn twice(xs: List[Text], f: fn(Text) -> Text) -> List[Text] {\n  var out: List[Text] = []\n  \
                  for x in xs { out.push(f(x)) }\n  out\n}\nfn again(t: Text) -> Text = if t.len() > 9 { t } else { again(\"{t}!\") }\n\
                  print(twice([\"a\"], again))";
    let module = {
        let mut module = lower(&program(source));
        borrow::infer(&mut module);
        count(&mut module);
        module
    };
    let text = text_of(&module, "twice");
    golden(
        &text,
        r#"
        fn twice(borrow xs%0: ref, borrow f%1: ref) -> ref
        b0:
          out%2 = new list ref []
          %6 = load xs%0 + 8
          %5 = 0
          jump b1
        b1:
          %7 = lt %5, %6
          branch %7 b2 b4
        b2:
          x%3 = get unchecked xs%0[%5]
          dup x%3
          %8 = call closure f%1(x%3)
          out%2 = list-push(out%2, %8)
          jump b3
        b3:
          %5 = step %5
          stop
          jump b1
        b4:
          %4 = out%2
          return %4
        "#,
    );
    assert_eq!(counts(&text), (1, 0), "{text}");
}

#[test]
fn fib_needs_no_temporaries() {
    golden(
        &ir_of(
            "fn fib(n: Int) -> Int = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\nprint(fib(20))",
            "fib",
        ),
        r#"
        fn fib(n%0: word) -> word
        b0:
          %3 = 2
          %2 = lt n%0, %3
          branch %2 b1 b2
        b1:
          return n%0
        b2:
          %6 = 1
          %5 = sub n%0, %6
          %4 = call fib(%5)
          %8 = sub n%0, %3
          %7 = call fib(%8)
          %10 = add %4, %7
          return %10
        "#,
    );
}

#[test]
fn an_early_return_drops_what_the_loop_held() {
    let source = "fn find(xs: List[Text], w: Text) -> Text {\n  var all = xs\n  all.push(w)\n  for x in all {\n    \
                  if x == w { return x }\n  }\n  w\n}\nprint(find([\"a\"], \"b\"))";
    let text = ir_of(source, "main");
    golden(
        &text,
        r#"
        fn main() -> word
        b0:
          %3 = "a"
          %2 = new list ref [%3]
          %4 = "b"
          dup %4
          all%8 = list-push(%2, %4)
          %12 = load all%8 + 8
          %11 = 0
          jump b1
        b1:
          %13 = lt %11, %12
          branch %13 b2 b5
        b2:
          x%9 = get unchecked all%8[%11]
          %14 = text-equal(x%9, %4)
          branch %14 b3 b4
        b3:
          drop %4
          dup x%9
          %1 = x%9
          drop all%8
          jump b6
        b4:
          %11 = step %11
          stop
          jump b1
        b5:
          drop all%8
          %1 = %4
          jump b6
        b6:
          %5 = print[type 1](%1)
          drop %1
          %0 = 0
          return %0
        "#,
    );
}

#[test]
fn a_handler_answers_by_the_type_of_each_branch() {
    let source = r#"
fn handle(req: Request) {
  if req.path == "/" { return "home" }
  if req.path == "/none" { return () }
  req.query.get("name")
}
"#;
    golden(
        &ir_of(source, "handle"),
        r#"
        fn handle(own req%0: ref) -> ref
        b0:
          %3 = request-path(req%0)
          %4 = "/"
          %2 = text-equal(%3, %4)
          drop %3
          branch %2 b1 b2
        b1:
          drop req%0
          %6 = "home"
          %5 = respond-text(%6)
          return %5
        b2:
          %8 = request-path(req%0)
          %9 = "/none"
          %7 = text-equal(%8, %9)
          drop %8
          branch %7 b3 b4
        b3:
          drop req%0
          %12 = 204
          %10 = respond-empty(%12)
          return %10
        b4:
          %14 = request-query(req%0)
          drop req%0
          %15 = "name"
          %13 = query-get(%14, %15)
          drop %14
          %16 = is-none %13
          branch %16 b5 b6
        b5:
          %17 = 404
          %1 = respond-empty(%17)
          return %1
        b6:
          %18 = %13
          %19 = respond-text(%18)
          return %19
        "#,
    );
}

#[test]
fn hello_is_one_call() {
    golden(
        &crate::print(&compile_to_ir(&program("print(\"hello\")"), true)),
        r#"
        fn main() -> word
        b0:
          %1 = "hello"
          %2 = print[type 1](%1)
          %0 = 0
          return %0
        "#,
    );
}

#[test]
fn a_new_value_may_be_made_from_a_look_at_the_old_one() {
    prints("var t = \"a\".upper()\nfor i in 0..2 { t = t.upper() }\nt = \"{t}{t}\"\nprint(t)", &["AA"]);
}

#[test]
fn what_a_panic_leaves_is_nobodys_business() {
    prints(
        "let t = \"a\".upper()\nlet n = if t == \"A\" { panic(\"no {t}\") } else { t.len() }\nprint(n)",
        &["trap: panic: no A"],
    );
}

#[test]
fn top_level_lets_are_seen_by_functions() {
    prints(
        "let names = [\"ada\", \"bo\"]\nfn name(i: Int) -> Text = names[i]\nprint(name(0))\nprint(name(1))\nprint(names)",
        &["ada", "bo", "[ada, bo]"],
    );
}
