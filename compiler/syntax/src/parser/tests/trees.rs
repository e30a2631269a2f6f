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
