//! What texts mean.

use super::{compact, parsed, squeeze};
use crate::ast::{ExprKind, Item, StmtKind};
use crate::print;

#[track_caller]
fn same(text: &str, tree: &str) {
    assert_eq!(compact(text), tree, "{text}");
}

#[test]
fn operators_bind_as_designed() {
    same("a or b and c", "Binary or(Name a Binary and(Name b Name c))");
    same("not a == b and c", "Binary and(Unary not(Binary ==(Name a Name b)) Name c)");
    same("a ?? b ?? c", "Binary ??(Name a Binary ??(Name b Name c))");
    same("a ?? b == c", "Binary ==(Binary ??(Name a Name b) Name c)");
    same("0..n + 1", "Range ..(Int 0 Binary +(Name n Int 1))");
    same("a - b - c", "Binary -(Binary -(Name a Name b) Name c)");
    same("a - b * -c.d", "Binary -(Name a Binary *(Name b Unary -(Member d(Name c))))");
    same("x in 1..=3", "Binary in(Name x Range ..=(Int 1 Int 3))");
    same("(a == b) == c", "Binary ==(Binary ==(Name a Name b) Name c)");
    same("a == (b == c)", "Binary ==(Name a Binary ==(Name b Name c))");
    same("not not a", "Unary not(Unary not(Name a))");
}

#[test]
fn hyphens_join_before_letters() {
    same("get-stream", "Name get-stream");
    same("n-1", "Binary -(Name n Int 1)");
    same("sha-256", "Binary -(Name sha Int 256)");
    same("a - b", "Binary -(Name a Name b)");
    same("a -b", "Binary -(Name a Name b)");
    same("a2-b3-c", "Name a2-b3-c");
}

#[test]
fn numbers_durations_and_sizes() {
    same("[1_000, 0xff, 0b101, 2kb]", "List(Int 1000 Int 255 Int 5 Int 2048)");
    same(
        "[5ns, 5us, 250ms, 2h, 1d]",
        "List(Duration 5ns Duration 5000ns Duration 250000000ns Duration 7200000000000ns Duration 86400000000000ns)",
    );
    same("-9223372036854775808", "Int -9223372036854775808");
    same("-5", "Int -5");
    same("x - 5", "Binary -(Name x Int 5)");
    same("-5.abs()", "Unary -(Method abs(Int 5))");
    same("1.max(2)", "Method max(Int 1 Int 2)");
}

#[test]
fn texts() {
    same(r#""""#, "Text");
    same(r#""a\tb\u{e9}\{\}}""#, r#"Text "a\tbé{}}""#);
    same(r#""Hi {user.name}!""#, r#"Text("Hi " Member name(Name user) "!")"#);
    same(r#""{f("a {b("c")}")}""#, r#"Text(Call(Name f Text("a " Call(Name b Text "c"))))"#);
    same(r#""{ if a { "x" } else { "y" } }""#, r#"Text(If(Name a Block(Text "x") Else(Block(Text "y"))))"#);
    same(r#"r"C:\{x}""#, r#"Text "C:\\{x}""#);
    same("r\"\"", "Text");
}

#[test]
fn text_blocks_lose_common_indentation() {
    same(
        "x = \"\"\"\n    one\n      two\n\n    three\n    \"\"\"",
        r#"Assign(Name x Text "one\n  two\n\nthree\n")"#,
    );
    same("\"\"\"\n  a \"quoted\"\n  {b}\n  \"\"\"", r#"Text("a \"quoted\"\n" Name b "\n")"#);
    same("\"\"\"one line\"\"\"", r#"Text "one line""#);
    same("\"\"\"\n    a\n  \"\"\"", r#"Text "  a\n""#);
    same("\"\"\"\r\n  a\r\n  b\"\"\"", r#"Text "a\nb""#);
}

#[test]
fn postfix_chains() {
    same("a.b.c(1)[2](3)", "Call(Index(Method c(Member b(Name a) Int 1) Int 2) Int 3)");
    same("(x.f)(y)", "Call(Member f(Name x) Name y)");
    same("x.f(y)", "Method f(Name x Name y)");
    same("t[1..2]", "Index(Name t Range ..(Int 1 Int 2))");
    same("t[1..]", "Index(Name t Range ..(Int 1 open))");
    same("t[..2]", "Index(Name t Range ..(open Int 2))");
    same("t[a + 1..]", "Index(Name t Range ..(Binary +(Name a Int 1) open))");
    same("User(..user, name: \"Bo\", 3,)", "Call(Name User Spread(Name user) Named name(Text \"Bo\") Int 3)");
}

#[test]
fn lambdas() {
    same("x => x + 1", "Lambda(Param x Binary +(Name x Int 1))");
    same("(x, y: Int) => { x }", "Lambda(Param x Param y: Int Block(Name x))");
    same("() => 1", "Lambda(Int 1)");
    same("_ => 1", "Lambda(Param _ Int 1)");
    same("f((x) => x, (y))", "Call(Name f Lambda(Param x Name x) Name y)");
    same("x => y => x", "Lambda(Param x Lambda(Param y Name x))");
    same("()", "Unit");
}

#[test]
fn control_flow() {
    same(
        "if a { 1 } else if b { 2 } else { 3 }",
        "If(Name a Block(Int 1) Else(If(Name b Block(Int 2) Else(Block(Int 3)))))",
    );
    same("if let Some(x) = f() { x }", "If(Let(Case Some(Bind x) Call(Name f)) Block(Name x))");
    same(
        "while x < 3 { x = x + 1 }",
        "While(Binary <(Name x Int 3) Block(Assign(Name x Binary +(Name x Int 1))))",
    );
    same("while let Some(x) = s.next() { }", "While(Let(Case Some(Bind x) Method next(Name s)) Block)");
    same("for i in 0..3 { break; continue }", "For(Bind i Range ..(Int 0 Int 3) Block(Break Continue))");
    same("loop { return; return 1 }", "Loop(Block(Return Return(Int 1)))");
}

#[test]
fn matches() {
    same("match x { 1 => a, _ => b }", "Match(Name x Arm(Int 1 Name a) Arm(Wildcard Name b))");
    same(
        "match x {\n  \"a\" | \"b\" => 1\n  t if ok => 2\n  t if (a or b) => 3,\n}",
        "Match(Name x Arm(Or(Text \"a\" Text \"b\") Int 1) Arm(Bind t Guard(Name ok) Int 2) Arm(Bind t Guard(Binary or(Name a Name b)) Int 3))",
    );
    same(
        "match x { -1 => a, 1..5 => b, -3..=-1 => c, () => d, 5s => e, true => f }",
        "Match(Name x Arm(Int -1 Name a) Arm(Range 1..5 Name b) Arm(Range -3..=-1 Name c) Arm(Unit Name d) Arm(Duration 5000000000ns Name e) Arm(Bool true Name f))",
    );
    same(
        "match x { Some(Some(y)) => y => z, None => { } }",
        "Match(Name x Arm(Case Some(Case Some(Bind y)) Lambda(Param y Name z)) Arm(Case None Block))",
    );
    same(
        "match if a { } else { } { b if c => 1 }",
        "Match(If(Name a Block Else(Block)) Arm(Bind b Guard(Name c) Int 1))",
    );
    same(
        "match x { y if z => { }, v if w => match y { a if b => 1 } }",
        "Match(Name x Arm(Bind y Guard(Name z) Block) Arm(Bind v Guard(Name w) Match(Name y Arm(Bind a Guard(Name b) Int 1))))",
    );
    same("match x { -9223372036854775808 => 1 }", "Match(Name x Arm(Int -9223372036854775808 Int 1))");
}

#[test]
fn newlines_end_statements_unless_the_line_goes_on() {
    same("a\n-b", "Name a Unary -(Name b)");
    same("a -\n  b", "Binary -(Name a Name b)");
    same("a\n  + b", "Binary +(Name a Name b)");
    same("a\n  .b()\n\n  # comment\n  .c()", "Method c(Method b(Name a))");
    same("f(\n  a,\n  b,\n)", "Call(Name f Name a Name b)");
    same("[\n  1,\n  2\n]", "List(Int 1 Int 2)");
    same("a\n(b)", "Name a Name b");
    same("a\n[b]", "Name a List(Name b)");
    same("f(x => {\n  a\n  b\n})", "Call(Name f Lambda(Param x Block(Name a Name b)))");
    same("let x =\n  5", "Let(Bind x Int 5)");
    same("if a {\n}\nelse {\n}", "If(Name a Block Else(Block))");
    same("a;; b;\n\n;c", "Name a Name b Name c");
    same("x\nor y", "Binary or(Name x Name y)");
    same(
        "match x {\n  1 =>\n    a\n  2\n  | 3 => b\n}",
        "Match(Name x Arm(Int 1 Name a) Arm(Or(Int 2 Int 3) Name b))",
    );
}

#[test]
fn declarations() {
    same("fn f(a, b: Int = 2) -> Int? { a }", "Fn f -> Int?(Param a Param b: Int(Int 2) Block(Name a))");
    same(
        "pub fn map[A, B](self: List[A], f: fn(A) -> B) -> List[B] = self",
        "Fn pub map[A, B] -> List[B](Param self: List[A] Param f: fn(A) -> B Value(Name self))",
    );
    same(
        "type User = { id: Int, name: Text = \"\", }",
        "Type User(Record(Field id: Int Field name: Text(Text)))",
    );
    same("type Users = List[User]", "Type Users(Alias List[User])");
    same("type F[A] = fn() -> A??", "Type F[A](Alias fn() -> A??)");
    same("let f: fn(()) -> () = g", "Let: fn(()) -> ()(Bind f Name g)");
}

#[test]
fn documentation_belongs_to_the_next_item() {
    same("## One.\n##  two\nfn f() = 1", "Fn f(Doc \"One.\\n two\" Value(Int 1))");
    same("## Of the file.\n\nfn f() = 1", "Fn f(Value(Int 1))");
    same("# no\nfn f() = 1", "Fn f(Value(Int 1))");
    same("x\n## Yes.\ntype T = Int", "Name x Type T(Doc \"Yes.\" Alias Int)");
}

#[test]
fn native_declarations_are_for_the_library() {
    let text = "pub fn trim(self: Text) -> Text = native \"text-trim\"\ntype Q = native\ntype R = native { path: Text }\n";
    let library = crate::parse_library(crate::span::FileId(0), text);
    assert_eq!(library.diagnostics, []);
    assert_eq!(
        squeeze(&print::file(&library.file)),
        "Fn pub trim -> Text(Param self: Text Native \"text-trim\") Type Q(Native) Type R(Native(Field path: Text))"
    );
    let codes: Vec<_> = parsed(text).diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes[0], "E0120");
}

#[test]
fn spans_are_exact() {
    let text = "let x = (a + b).c(1)\n";
    let parsed = parsed(text);
    let Item::Stmt(stmt) = &parsed.file.items[0] else { panic!("a statement") };
    let StmtKind::Let { value, .. } = &stmt.kind else { panic!("a let") };
    let at = |span: crate::span::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(at(stmt.span), "let x = (a + b).c(1)");
    assert_eq!(at(value.span), "(a + b).c(1)");
    let ExprKind::Method { receiver, .. } = &value.kind else { panic!("a method call") };
    assert_eq!(at(receiver.span), "a + b");
    let ExprKind::Binary { op_span, .. } = &receiver.kind else { panic!("a sum") };
    assert_eq!(at(*op_span), "+");
}

#[test]
fn ways_out_and_failing() {
    same("x?", "Try(Name x)");
    same("f(x?, y)?.g()? ?? 1", "Binary ??(Try(Method g(Try(Call(Name f Try(Name x) Name y)))) Int 1)");
    same("xs?[0]?(1)", "Call(Try(Index(Try(Name xs) Int 0)) Int 1)");
    same("-x? - 1", "Binary -(Unary -(Try(Name x)) Int 1)");
    same("if x? { }", "If(Try(Name x) Block)");
    same("x?\n(y)", "Try(Name x) Name y");
    same("fail \"no\"", "Fail(Text \"no\")");
    same("fail x ?? y", "Fail(Binary ??(Name x Name y))");
    same("let Some(x) = y else { return }", "Let(Case Some(Bind x) Name y Else(Block(Return)))");
    same("let x = y\n  else { fail z }", "Let(Bind x Name y Else(Block(Fail(Name z))))");
    same(
        "let x: Int = if a { b } else { c } else { break }",
        "Let: Int(Bind x If(Name a Block(Name b) Else(Block(Name c))) Else(Block(Break)))",
    );
    same("x ?? return 1 + 2", "Binary ??(Name x Return(Binary +(Int 1 Int 2)))");
    same("x ??\n  return\ny", "Binary ??(Name x Return) Name y");
    same("let y = x ?? break", "Let(Bind y Binary ??(Name x Break))");
    same(
        "match x {\n  1 => return\n  2 => return 3, 4 => break\n  _ =>\n    fail y\n}",
        "Match(Name x Arm(Int 1 Return) Arm(Int 2 Return(Int 3)) Arm(Int 4 Break) Arm(Wildcard Fail(Name y)))",
    );
    same("f(x => fail y)", "Call(Name f Lambda(Param x Fail(Name y)))");
    same("assert a == b", "Assert(Binary ==(Name a Name b))");
}

#[test]
fn types_of_results() {
    same("fn f(x: Int!) -> Int! { x }", "Fn f -> Int!(Param x: Int! Block(Name x))");
    same("let x: List[Int!]?! = y", "Let: List[Int!]?!(Bind x Name y)");
    same("let x: ()!? = y", "Let: ()!?(Bind x Name y)");
}

#[test]
fn tuples_records_and_maps() {
    same("(1, x)", "Tuple(Int 1 Name x)");
    same("((a), (b, c,))", "Tuple(Name a Tuple(Name b Name c))");
    same("let p: (Int, Text)? = x", "Let: (Int, Text)?(Bind p Name x)");
    same("let p: (Int) = x", "Let: Int(Bind p Name x)");
    same("let f: (fn() -> Int)? = x", "Let: (fn() -> Int)?(Bind f Name x)");
    same("let f: fn() -> Int? = x", "Let: fn() -> Int?(Bind f Name x)");
    same("let (a, (_, b)) = x", "Let(Tuple(Bind a Tuple(Wildcard Bind b)) Name x)");
    same("for (k, v) in m { }", "For(Tuple(Bind k Bind v) Name m Block)");
    same(
        "match x {\n  (0, _) => 1\n  (a, b) if (a) => 2\n}",
        "Match(Name x Arm(Tuple(Int 0 Wildcard) Int 1) Arm(Tuple(Bind a Bind b) Guard(Name a) Int 2))",
    );
    same("[:]", "Map");
    same("[\"a\": 1, x: [2],]", "Map(Text \"a\" Int 1 Name x List(Int 2))");
    same("[\n  1:\n    2,\n  3: 4\n]", "Map(Int 1 Int 2 Int 3 Int 4)");
    same("{a: 1, b}", "Record(Named a(Int 1) Named b(Name b))");
    same("{a, b}", "Record(Named a(Name a) Named b(Name b))");
    same("{a,}", "Record(Named a(Name a))");
    same("{..x, kind: 1}", "Record(Spread(Name x) Named kind(Int 1))");
    same("{\n  a: 1,\n\n  # why\n  b: c\n    .d,\n}", "Record(Named a(Int 1) Named b(Member d(Name c)))");
    same("{ a }", "Block(Name a)");
    same("{}", "Block");
    same("x => {a: x}", "Lambda(Param x Record(Named a(Name x)))");
    same("let r: {a: Int, b: Text?} = x", "Let: {a: Int, b: Text?}(Bind r Name x)");
    same("fn f() -> {a: Int} { {a: 1} }", "Fn f -> {a: Int}(Block(Record(Named a(Int 1))))");
    same("fn f() = {a: 1}", "Fn f(Value(Record(Named a(Int 1))))");
    same("let {a, id: 3} = x", "Let(Record(a id(Int 3)) Name x)");
    same("let {} = x", "Let(Record Name x)");
    same("let [a, ..rest] = x", "Let(List(Bind a ..rest) Name x)");
    same("let [..] = x", "Let(List(..) Name x)");
    same("let [] = x", "Let(List Name x)");
    same(
        "match x {\n  {a: Some(1) | None, b} => {b}\n  [{a}, _] => a, _ => {b, a}\n}",
        "Match(Name x Arm(Record(a(Or(Case Some(Int 1) Case None)) b) Block(Name b)) \
         Arm(List(Record(a) Wildcard) Name a) Arm(Wildcard Record(Named b(Name b) Named a(Name a))))",
    );
    same(
        "match if let {a} | {b: a} = x { 1 } else { 2 } {\n  1 => a\n  (b, c) => b\n}",
        "Match(If(Let(Or(Record(a) Record(b(Bind a))) Name x) Block(Int 1) Else(Block(Int 2))) \
         Arm(Int 1 Name a) Arm(Tuple(Bind b Bind c) Name b))",
    );
    same("for {a} in match x { y => z } { }", "For(Record(a) Match(Name x Arm(Bind y Name z)) Block)");
    same("fn push(var self: List[Int], x) { }", "Fn push(Param var self: List[Int] Param x Block)");
    same("fn push(\n  var self,\n) { }", "Fn push(Param var self Block)");
    same(
        "a.b[i].at(k, [])[0] = 1",
        "Assign(Index(Method at(Index(Member b(Name a) Name i) Name k List) Int 0) Int 1)",
    );
}

#[test]
fn bytes_and_html() {
    same(r#"b"a\n\x41\"\\\0é""#, r#"Bytes "a\nA\"\\\x00\xc3\xa9""#);
    same(r#"b"""#, r#"Bytes """#);
    same(r#"html"<b>{x}</b>""#, r#"Html("<b>" Name x "</b>")"#);
    same("html\"\"\"\n  <p>\n    {html\"{x}\"}\n  \"\"\"", r#"Html("<p>\n  " Html(Name x) "\n")"#);
    same("html(x)", "Call(Name html Name x)");
    same("html", "Name html");
}

#[test]
fn items() {
    same("use \"a/b\"", "Use \"a/b\"");
    same("use \"a\" as b", "Use \"a\" as b");
    same("use \"a\" {b, C,}\nx", "Use \"a\" {b, C} Name x");
    same("test \"adds\" {\n  assert 1 == 1\n}", "Test \"adds\"(Block(Assert(Binary ==(Int 1 Int 1))))");
    same("pub let x: Int = 1", "Let pub: Int(Bind x Int 1)");
    same(
        "type A = { id: Int as \"user_id\" = 1 } with json: snake",
        "Type A(Json snake Record(Field id: Int as \"user_id\"(Int 1)))",
    );
    same(
        "type A = B(x: Int as \"y\") | C with json: camel",
        "Type A(Json camel Case B(Field x: Int as \"y\") Case C)",
    );
}

#[test]
fn formats() {
    same(r#""{x:.2}{y:08x} {n:,}""#, r#"Text(Format .2(Name x) Format 08x(Name y) " " Format ,(Name n))"#);
    same(r#""{f(a: 1):>5}""#, r#"Text(Format >5(Call(Name f Named a(Int 1))))"#);
    same(r#""{["a": 1]:#>5}""#, r#"Text(Format #>5(Map(Text "a" Int 1)))"#);
    same(r#""{{a: 1}}""#, r#"Text(Record(Named a(Int 1)))"#);
    same(r#""{x:'<3}""#, r#"Text(Format '<3(Name x))"#);
    same(
        "\"\"\"\n  {x:{<4}\n  {y:.1e}\n  \"\"\"",
        r#"Text(Format {<4(Name x) "\n" Format .1e(Name y) "\n")"#,
    );
    same(r#""{"{x:.1}":>9}""#, r#"Text(Format >9(Text(Format .1(Name x))))"#);
}

#[test]
fn a_word_in_front_of_a_block_makes_a_body_of_its_own() {
    same("stream { yield 1 }", "Form stream(Block(Yield(Int 1)))");
    same("spawn { f() }.wait()", "Method wait(Form spawn(Block(Call(Name f))))");
    same("background { f() }", "Form background(Block(Call(Name f)))");
    same("f(x => stream { yield x })", "Call(Name f Lambda(Param x Form stream(Block(Yield(Name x)))))");
    same("for x in (stream { yield 1 }) { x }", "For(Bind x Form stream(Block(Yield(Int 1))) Block(Name x))");
    same(
        "match a { A => stream { yield 1 }\n B => yield 2 }",
        "Match(Name a Arm(Case A Form stream(Block(Yield(Int 1)))) Arm(Case B Yield(Int 2)))",
    );
    same("if a { b } else { c }", "If(Name a Block(Name b) Else(Block(Name c)))");
    same("loop { stream { yield 1 }\n x }", "Loop(Block(Form stream(Block(Yield(Int 1))) Name x))");
}

#[test]
fn those_words_are_names_elsewhere() {
    same("for x in stream { x }", "For(Bind x Name stream Block(Name x))");
    same("if spawn { x }", "If(Name spawn Block(Name x))");
    same("while background { x }", "While(Name background Block(Name x))");
    same("match stream { _ => 1 }", "Match(Name stream Arm(Wildcard Int 1))");
    same("match x { y if stream => 1 }", "Match(Name x Arm(Bind y Guard(Name stream) Int 1))");
    same(
        "stream + spawn(1) - background.len()",
        "Binary -(Binary +(Name stream Call(Name spawn Int 1)) Method len(Name background))",
    );
    same("{stream: 1, spawn}", "Record(Named stream(Int 1) Named spawn(Name spawn))");
    same("x.stream", "Member stream(Name x)");
}

#[test]
fn what_is_deferred_is_a_block() {
    same("fn f() { defer { a() }\n b }", "Fn f(Block(Defer(Block(Call(Name a))) Name b))");
}
