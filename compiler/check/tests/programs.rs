//! Programs without mistakes: what their functions' signatures and parts become.

mod support;

/// Checks a program and looks for each line in its typed tree.
fn gives(text: &str, expected: &[&str]) {
    let typed = support::typed(text);
    for line in expected {
        assert!(typed.contains(line), "{text}\n{line:?} is not in\n{typed}");
    }
}

#[test]
fn instances_are_made_per_argument_types() {
    gives(
        "fn twice(x) { [x, x] }\nprint(twice(1))\nprint(twice(\"a\"))\nprint(twice(2))",
        &["(x#0: Int) -> List[Int]", "(x#0: Text) -> List[Text]"],
    );
    let typed = support::typed("fn id(x) = x\nprint(id(1))\nprint(id(2))\nprint(id(id(3)))");
    assert_eq!(typed.matches("-> Int =").count(), 1, "{typed}");
}

#[test]
fn recursion_solves_its_result() {
    gives("fn fact(n) { if n >= 2 { n * fact(n - 1) } else { 1 } }\nprint(fact(5))", &["(n#0: Int) -> Int"]);
    gives(
        "fn sum(n) { if n > 0 { sum(n - 1) + sum(n - 2) } else { n } }\nprint(sum(5))",
        &["(n#0: Int) -> Int"],
    );
    gives(
        "fn even(n) { if n == 0 { true } else { odd(n - 1) } }\nfn odd(n) { if n == 0 { false } else { even(n - 1) } }\nprint(even(4))",
        &["even#1(n#0: Int) -> Bool", "odd#2(n#0: Int) -> Bool"],
    );
    gives("fn spin(n) { spin(n + 1) }\nprint(\"a\")\nspin(1)", &["spin#1(n#0: Int) -> Never"]);
    gives(
        "fn stop(why) { panic(why) }\nlet x = if 1 > 2 { stop(\"no\") } else { 3 }\nprint(x)",
        &["-> Never", ": Int = if"],
    );
}

#[test]
fn mutual_recursion_does_not_explode() {
    let mut text = String::new();
    for i in 0..9 {
        let calls: Vec<String> = (0..9).map(|j| format!("f{j}(n - 1)")).collect();
        text.push_str(&format!("fn f{i}(n) {{ if n < 1 {{ n }} else {{ {} }} }}\n", calls.join(" + ")));
    }
    text.push_str("print(f0(3))");
    let typed = support::typed(&text);
    assert_eq!(typed.matches("(n#0: Int) -> Int").count(), 9);
}

#[test]
fn lambdas_learn_their_parameters() {
    gives(
        "fn apply(f, x) { f(x) }\nprint(apply(n => n + 1, 3))",
        &["(f#0: fn(Int) -> Int, x#1: Int) -> Int"],
    );
    gives("fn apply(f, x) { f(x) }\nprint(apply(n => n.upper(), \"a\"))", &["text-upper(n#0)"]);
    gives("let double = x => x * 2\nprint(double(4))", &["fn(Int) -> Int"]);
    gives("print([1, 2].fold(0, (sum, x) => sum + x))", &["list.fold", "(sum#0: Int, x#1: Int) -> Int"]);
    gives("print([1, 2].map(x => \"{x}\").join(\", \"))", &["native list-join", "list.map"]);
    gives(
        "fn compose(f, g) { x => g(f(x)) }\nprint(compose(x => x + 1, y => \"{y}!\")(3))",
        &["-> fn(Int) -> Text"],
    );
    gives(
        "let k = 3\nfn f(xs) { let m = 2\n xs.map(x => x * m + k) }\nprint(f([1]))",
        &["| m#1: Int", "global k#0"],
    );
    gives("fn nest(a) { [1].map(x => [x].map(y => x + y + a)) }\nprint(nest(1))", &["-> List[List[Int]]"]);
    gives("[1].map(x => print(x))", &["-> ()"]);
    gives("let boom = [1].map(x => panic(\"{x}\"))\nprint(boom.len())", &["List[()]"]);
}

#[test]
fn functions_are_values() {
    gives("fn double(x) = x * 2\nprint([1].map(double))", &["double#", "fn double#"]);
    gives("fn double(x: Int) -> Int = x * 2\nprint([1].map(double))", &["fn double#"]);
    gives("[1, 2].map(print)", &["print#", "native print[Int](value#0)"]);
    gives(
        "fn pick(b) { if b { upper } else { lower } }\nfn upper(t: Text) -> Text = t.upper()\nfn lower(t: Text) -> Text = t.lower()\nprint(pick(true)(\"a\"))",
        &["-> fn(Text) -> Text"],
    );
    gives(
        "type Op = { run: fn(Int) -> Int }\nlet op = Op(run: x => x + 1)\nprint((op.run)(2))",
        &["(op#0.0)(2)"],
    );
}

#[test]
fn options_are_lifted_where_expected() {
    gives(
        "fn half(n: Int) -> Int? { if n % 2 == 0 { n / 2 } else { None } }\nprint(half(4))",
        &["Some((n#0 / 2))"],
    );
    gives(
        "fn find(xs) { for x in xs { if x > 2 { return Some(x) } }\n None }\nprint(find([1, 3]))",
        &["-> Int?"],
    );
    gives(
        "type U = { name: Text, email: Text? }\nprint(U(name: \"a\", email: \"b\"))\nprint(U(\"a\", None))",
        &["Some(\"b\")"],
    );
    gives("let xs: List[Int?] = [1, None]\nprint(xs)", &["[Some(1), None]"]);
    gives(
        "let n: Int?? = None\nlet m: Int?? = Some(None)\nlet k: Int?? = 3\nprint(\"{n}{m}{k}\")",
        &["Some(None)", "Some(Some(3))"],
    );
    gives("let a: Int? = None\nprint(a ?? Some(2) ?? 3)", &["match"]);
    gives("let a: Int? = Some(1)\nlet b = a ?? panic(\"none\")\nprint(b + 1)", &["native panic"]);
    gives("fn f(x: Int?) -> Int { if let Some(v) = x { v } else { 0 } }\nprint(f(3))", &["f#1(Some(3))"]);
    gives(
        "var xs = [1]\nwhile let Some(x) = xs.last() { print(x)\n xs = xs.take(xs.len() - 1) }",
        &["loop", "break"],
    );
}

#[test]
fn lists_learn_their_element_type() {
    gives("var xs = []\nxs.push(1)\nprint(xs)", &["let xs#0: List[Int] = []"]);
    gives(
        "fn none() { [] }\nlet a: List[Int] = none()\nlet b: List[Text] = none()\nprint(\"{a}{b}\")",
        &["-> List[Int]", "-> List[Text]"],
    );
}

#[test]
fn records_are_built_and_changed() {
    gives(
        "type User = { id: Int, name: Text = \"?\", tags: List[Text] = [] }\nlet u = User(id: 1)\nlet v = User(..u, name: \"Bo\")\nprint(v.name)",
        &["User(1, \"?\", [])", "User(u#0.0, \"Bo\", u#0.2)", "let v#1: User"],
    );
    gives(
        "type Pair[A] = { one: A, two: A }\nlet p = Pair(one: 1, two: 2)\nprint(p.one + p.two)\nprint(Pair(\"a\", \"b\"))",
        &["Pair[Int]", "Pair[Text]"],
    );
    gives(
        "type Node = { value: Int, next: Node? }\nlet n = Node(1, Node(2, None))\nprint(n == n)",
        &["native value-equal[Node]"],
    );
    gives(
        "type Id = Int\ntype Ids = List[Id]\nfn f(xs: Ids) -> Id = xs[0]\nprint(f([1]))",
        &["(xs#0: List[Int]) -> Int"],
    );
    gives("type P = { x: Int }\ntype Q = P\nprint(Q(x: 1).x)", &["P(1)"]);
}

#[test]
fn generic_functions_take_every_type() {
    gives(
        "fn pair[A](a: A, b: A) -> List[A] = [a, b]\nprint(pair(1, 2))\nprint(pair(\"a\", \"b\"))",
        &["-> List[Int]", "-> List[Text]"],
    );
    gives("fn same[A](a: A, b: A) -> Bool = a == b\nprint(same([1], [2]))", &["value-equal[List[Int]]"]);
    gives("fn swap[A, B](a: A, b: B) { [b] }\nprint(swap(1, \"a\"))", &["-> List[Text]"]);
    gives(
        "fn most[A](xs: List[A]) -> A { var best = xs[0]\n for x in xs { if x > best { best = x } }\n best }\nprint(most([\"a\"]))",
        &["text-less"],
    );
}

#[test]
fn operators_follow_their_types() {
    gives(
        "print(\"a\" < \"b\")\nprint(\"a\" >= \"b\")\nprint(\"a\" != \"b\")",
        &["native text-less(\"a\", \"b\")", "not native text-less", "not native text-equal"],
    );
    gives("fn t() = \"x\"\nprint(t() > t())", &["let $value#0: Text = t#1()"]);
    gives(
        "let now = time.now()\nlet d = now - now\nprint(now + 5s - 250ms * 2 < now)\nprint(d > 1s / 2)",
        &["let d#1: Duration", "now#0: Time"],
    );
    gives(
        "print(3 in [1, 2])\nprint(2 in 0..5)\nprint(\"a\" in \"abc\")",
        &["list.contains", "range-contains", "text-contains"],
    );
    gives("print(() == ())\nprint(-(3))\nprint(-1s)", &["(() == ())"]);
    gives(
        "print([1] == [1])\nprint(Some(1) == None)\nprint(1..2 == 1..3)",
        &["value-equal[List[Int]]", "value-equal[Int?]", "value-equal[Range]"],
    );
}

#[test]
fn slices_fill_in_their_ends() {
    gives(
        "let t = \"abc\"\nprint(t[1..])\nprint(t[..2])\nprint(t[0..=1])\nprint([1, 2][1..])",
        &["native text-len", "(1 + 1)", "list-slice[Int]"],
    );
}

#[test]
fn control_flow_has_values() {
    gives(
        "fn f(n) { match n { 0 => \"zero\", -5..0 => \"neg\", 1 | 2 => \"few\", x if x > 9 => \"many\", _ => \"some\" } }\nprint(f(3))",
        &["-5..=-1", "1 | 2", "-> Text"],
    );
    gives("fn f() { loop { if true { return 1 } } }\nprint(f())", &["-> Int"]);
    gives("fn f(x) { if x { print(1) } }\nf(true)", &["-> ()"]);
    gives("for i in 0..3 { if i == 1 { continue }\n print(i)\n break }", &["for i#", "continue", "break"]);
    gives("match 5s { 5s => print(1), _ => print(\"a\".len()) }", &["5000000000 =>"]);
    gives("match \"a\" { \"a\" => 1.abs(), _ => \"b\".len() }\nprint(2)", &["int.abs"]);
    gives("let x = { let y = 1\n y + 1 }\nlet y = 5\nprint(x + y)", &["let y#"]);
    gives("for _ in [1] { print(0) }\nlet _ = 3", &["$item"]);
}

#[test]
fn handlers_answer_at_each_position() {
    gives(
        "fn handle(req) { if req.path == \"/\" { return \"home\" }\n match req.method { \"GET\" => every(1s).map(t => \"{t}\"), \"PUT\" => None, \"DELETE\" => (), _ => not-found() } }",
        &["return respond(\"home\")", "respond(None)", "respond(())", "respond(not-found"],
    );
    gives(
        "fn handle(req: Request) -> Text? = req.query.get(\"a\")",
        &["handler handle#1(req#0: Request) -> Response = respond(native query-get"],
    );
    gives("fn handle(_) { \"a\" }", &["respond(\"a\")"]);
    gives("fn handle(req) { print(req.path) }", &["respond(native print"]);
    gives("fn handle(req) { panic(\"no\") }", &["-> Response"]);
}

#[test]
fn named_arguments_and_defaults_stand_in_order() {
    gives(
        "fn f(a, b = 2, c: Int = a-one()) { a + b * c }\nfn a-one() = 1\nprint(f(1))\nprint(f(c: 3, a: 1))",
        &["f#2(1, 2, a-one#1())", "f#2(1, 2, 3)"],
    );
    gives("let r = respond(status: 404)", &["respond#1(Some(404), \"\", None, [:])"]);
}

#[test]
fn top_level_lets_are_seen_by_functions() {
    gives("let a = 1\nlet b = 2\nfn f() { a }\nprint(f() + b)", &["global a#0: Int", "let b#"]);
    gives("var n = 0\nfor i in 0..3 { n = n + i }\nprint(n)\nlet f = x => x + n\nprint(f(1))", &["| n#"]);
}

#[test]
fn methods_may_be_own_functions() {
    gives(
        "fn shout(t: Text, mark) { \"{t.upper()}{mark}\" }\nprint(\"a\".shout(\"!\"))",
        &["shout#1(\"a\", \"!\")"],
    );
    gives("type P = { x: Int }\nfn double(p) = p.x * 2\nprint(P(2).double())", &["double#1(P(2))"]);
    gives("print(list.len([1]))\nprint(5.max(3))", &["max#"]);
}

#[test]
fn only_what_is_used_is_loaded() {
    let sources = support::Sources::default();
    let (program, _) = support::check_with("print(1 + 2)", &sources);
    assert!(program.is_some());
    assert_eq!(sources.loaded(), ["prelude"]);
    let sources = support::Sources::default();
    support::check_with("fn handle(req) { \"a\".upper() }", &sources);
    assert_eq!(sources.loaded(), ["request", "text"]);
}

#[test]
fn deep_trees_are_no_danger() {
    let nested = format!("print({}1{})", "(1 + ".repeat(120), ")".repeat(120));
    gives(&nested, &["native print[Int]"]);
    let lists = format!("let xs = {}{}\nprint(xs.len())", "[".repeat(200), "]".repeat(200));
    let (_, diagnostics) = support::check(&lists);
    assert_eq!(diagnostics[0].code, "E0310");
    let blocks =
        format!("fn f(n) {{ {}n{} }}\nprint(f(1))", "if n > 0 { ".repeat(200), " } else { 0 }".repeat(200));
    gives(&blocks, &["-> Int"]);
    let lets: String = (0..2000).map(|i| format!("let x{} = [x{i}]\n", i + 1)).collect();
    let (_, diagnostics) = support::check(&format!("let x0 = 1\n{lets}"));
    assert!(diagnostics.iter().all(|d| d.code == "E0317"));
    let calls: String = (0..2000).map(|i| format!("fn f{i}(n) = f{}([n])\n", i + 1)).collect();
    let (_, diagnostics) = support::check(&format!("{calls}fn f2000(n) = n\nprint(f0(1))"));
    assert!(diagnostics.iter().all(|d| d.code == "E0317"));
    let chain: String = (0..1500).map(|i| format!("fn f{i}(n) = f{}(n)\n", i + 1)).collect();
    gives(&format!("{chain}fn f1500(n) = n\nprint(f0(1))"), &["f1500#"]);
}
