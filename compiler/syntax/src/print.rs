//! Readable dumps of tokens and trees, for `--emit tokens` and `--emit ast`.
//!
//! One line for each token or node, children indented by two spaces. Stable, and without spans: two texts that mean the
//! same have the same dump of their tree.

use std::fmt::Write as _;

use crate::ast::{
    Arg, Arm, Block, Cond, Expr, ExprKind, FieldDecl, File, FnBody, FnDecl, Form, Item, Name, Param, Pattern,
    PatternKind, Stmt, StmtKind, TextPart, TypeBody, TypeDecl, TypeExpr, TypeExprKind, UnaryOp, UseDecl,
    Used,
};
use crate::token::Token;

/// The tokens of `text`, one a line: line and column, kind, characters.
pub fn tokens(text: &str, tokens: &[Token]) -> String {
    let mut out = String::new();
    let (mut line, mut line_start, mut at) = (1, 0, 0);
    for token in tokens {
        let (start, end) = (token.span.start as usize, token.span.end as usize);
        for (offset, _) in text[at..start].match_indices('\n') {
            line += 1;
            line_start = at + offset + 1;
        }
        at = start;
        let column = text[line_start..start].chars().count() + 1;
        let place = format!("{line}:{column}");
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{place:<8}{:<13}{:?}", format!("{:?}", token.kind), &text[start..end]);
    }
    out
}

/// The tree of a file.
pub fn file(file: &File) -> String {
    let mut printer = Printer { out: String::new(), depth: 0 };
    file.items.iter().for_each(|item| printer.item(item));
    printer.out
}

/// How a type is written.
pub fn type_expr(ty: &TypeExpr) -> String {
    let list = |types: &[TypeExpr]| types.iter().map(type_expr).collect::<Vec<_>>().join(", ");
    match &ty.kind {
        TypeExprKind::Name(name, args) if args.is_empty() => name.text.clone(),
        TypeExprKind::Name(name, args) => format!("{}[{}]", name.text, list(args)),
        TypeExprKind::Option(inner) => format!("{}?", marked(inner)),
        TypeExprKind::Result(inner) => format!("{}!", marked(inner)),
        TypeExprKind::Tuple(items) => format!("({})", list(items)),
        TypeExprKind::Record(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|field| format!("{}: {}", field.name.text, type_expr(&field.ty))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        TypeExprKind::Fn(params, result) => format!("fn({}) -> {}", list(params), type_expr(result)),
        TypeExprKind::Unit => "()".to_string(),
        TypeExprKind::Error => "<error>".to_string(),
    }
}

/// A type in front of `?` or `!`: one of functions in parentheses, as the mark would be its result's.
fn marked(ty: &TypeExpr) -> String {
    match ty.kind {
        TypeExprKind::Fn(..) => format!("({})", type_expr(ty)),
        _ => type_expr(ty),
    }
}

struct Printer {
    out: String,
    depth: usize,
}

impl Printer {
    fn line(&mut self, text: impl AsRef<str>) {
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
        self.out.push_str(text.as_ref());
        self.out.push('\n');
    }

    /// A line, and below it what `children` prints.
    fn node(&mut self, text: impl AsRef<str>, children: impl FnOnce(&mut Self)) {
        self.line(text);
        self.depth += 1;
        children(self);
        self.depth -= 1;
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(decl) => self.function(decl),
            Item::Type(decl) => self.type_decl(decl),
            Item::Use(decl) => self.use_decl(decl),
            Item::Test(decl) => self.node(format!("Test {:?}", decl.name.text), |p| p.block(&decl.body)),
            Item::Route(decl) => {
                self.node(format!("Route {} {:?}", decl.method.text, decl.pattern.text), |p| {
                    p.block(&decl.body)
                });
            }
            Item::Stmt(stmt) => self.stmt(stmt),
        }
    }

    fn use_decl(&mut self, decl: &UseDecl) {
        let what = match &decl.what {
            Used::Module => String::new(),
            Used::As(name) => format!(" as {}", name.text),
            Used::Names(names) => {
                let names: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
                format!(" {{{}}}", names.join(", "))
            }
        };
        self.line(format!("Use {:?}{what}", decl.path.text));
    }

    fn function(&mut self, decl: &FnDecl) {
        let public = if decl.public { "pub " } else { "" };
        let result = decl.result.as_ref().map_or(String::new(), |ty| format!(" -> {}", type_expr(ty)));
        self.node(format!("Fn {public}{}{}{result}", decl.name.text, variables(&decl.vars)), |p| {
            p.documentation(decl.doc.as_deref());
            decl.params.iter().for_each(|param| p.param(param));
            match &decl.body {
                FnBody::Block(block) => p.block(block),
                FnBody::Expr(expr) => p.node("Value", |p| p.expr(expr)),
                FnBody::Native(name) => p.line(format!("Native {:?}", name.text)),
            }
        });
    }

    fn type_decl(&mut self, decl: &TypeDecl) {
        let public = if decl.public { "pub " } else { "" };
        self.node(format!("Type {public}{}{}", decl.name.text, variables(&decl.vars)), |p| {
            p.documentation(decl.doc.as_deref());
            decl.json.iter().for_each(|rule| p.line(format!("Json {}", rule.text)));
            match &decl.body {
                TypeBody::Record(fields) => {
                    p.node("Record", |p| fields.iter().for_each(|field| p.field(field)))
                }
                TypeBody::Enum(cases) => cases.iter().for_each(|case| {
                    p.node(format!("Case {}", case.name.text), |p| {
                        case.fields.iter().for_each(|field| p.field(field))
                    })
                }),
                TypeBody::Native(fields) => {
                    p.node("Native", |p| fields.iter().for_each(|field| p.field(field)))
                }
                TypeBody::Alias(ty) => p.line(format!("Alias {}", type_expr(ty))),
            }
        });
    }

    fn documentation(&mut self, doc: Option<&str>) {
        if let Some(doc) = doc {
            self.line(format!("Doc {doc:?}"));
        }
    }

    fn field(&mut self, field: &FieldDecl) {
        let external = field.external.as_ref().map_or(String::new(), |name| format!(" as {:?}", name.text));
        self.node(format!("Field {}: {}{external}", field.name.text, type_expr(&field.ty)), |p| {
            field.default.iter().for_each(|value| p.expr(value));
        });
    }

    fn param(&mut self, param: &Param) {
        let ty = param.ty.as_ref().map_or(String::new(), |ty| format!(": {}", type_expr(ty)));
        let mutable = if param.mutable { "var " } else { "" };
        self.node(format!("Param {mutable}{}{ty}", param.name.text), |p| {
            param.default.iter().for_each(|value| p.expr(value));
        });
    }

    fn block(&mut self, block: &Block) {
        self.node("Block", |p| block.stmts.iter().for_each(|stmt| p.stmt(stmt)));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { public, mutable, pattern, ty, value, otherwise } => {
                let word = match (*public, *mutable) {
                    (true, _) => "Let pub",
                    (false, true) => "Var",
                    (false, false) => "Let",
                };
                let ty = ty.as_ref().map_or(String::new(), |ty| format!(": {}", type_expr(ty)));
                self.node(format!("{word}{ty}"), |p| {
                    p.pattern(pattern);
                    p.expr(value);
                    otherwise.iter().for_each(|block| p.node("Else", |p| p.block(block)));
                });
            }
            StmtKind::Assign { place, value } => self.node("Assign", |p| {
                p.expr(place);
                p.expr(value);
            }),
            StmtKind::Return(value) => self.node("Return", |p| value.iter().for_each(|value| p.expr(value))),
            StmtKind::Fail(value) => self.node("Fail", |p| p.expr(value)),
            StmtKind::Assert(value, _) => self.node("Assert", |p| p.expr(value)),
            StmtKind::Break => self.line("Break"),
            StmtKind::Continue => self.line("Continue"),
            StmtKind::Yield(value) => self.node("Yield", |p| p.expr(value)),
            StmtKind::Defer(block) => self.node("Defer", |p| p.block(block)),
            StmtKind::Expr(expr) => self.expr(expr),
            StmtKind::Error => self.line("Error"),
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Int(Some(value)) => self.line(format!("Int {value}")),
            ExprKind::Int(None) => self.line("Int <too large>"),
            ExprKind::Float(value) => self.line(format!("Float {value:?}")),
            ExprKind::Bool(value) => self.line(format!("Bool {value}")),
            ExprKind::Duration(nanos) => self.line(format!("Duration {nanos}ns")),
            ExprKind::Text(parts) => self.text("Text", parts),
            ExprKind::Html(parts) => self.text("Html", parts),
            ExprKind::Bytes(bytes) => self.line(format!("Bytes \"{}\"", bytes.escape_ascii())),
            ExprKind::Unit => self.line("Unit"),
            ExprKind::Name(name) => self.line(format!("Name {}", name.text)),
            ExprKind::List(items) => self.node("List", |p| items.iter().for_each(|item| p.expr(item))),
            ExprKind::Map(entries) => self.node("Map", |p| {
                for (key, value) in entries {
                    p.expr(key);
                    p.expr(value);
                }
            }),
            ExprKind::Tuple(items) => self.node("Tuple", |p| items.iter().for_each(|item| p.expr(item))),
            ExprKind::Record(fields) => self.node("Record", |p| fields.iter().for_each(|field| p.arg(field))),
            ExprKind::Leave(stmt) => self.stmt(stmt),
            ExprKind::Try(value) => self.node("Try", |p| p.expr(value)),
            ExprKind::Call { callee, args } => self.node("Call", |p| {
                p.expr(callee);
                args.iter().for_each(|arg| p.arg(arg));
            }),
            ExprKind::Method { receiver, name, args } => self.node(format!("Method {}", name.text), |p| {
                p.expr(receiver);
                args.iter().for_each(|arg| p.arg(arg));
            }),
            ExprKind::Field { receiver, name } => {
                self.node(format!("Member {}", name.text), |p| p.expr(receiver))
            }
            ExprKind::Index { receiver, index } => self.node("Index", |p| {
                p.expr(receiver);
                p.expr(index);
            }),
            ExprKind::Unary { op, operand } => {
                let op = if *op == UnaryOp::Neg { "-" } else { "not" };
                self.node(format!("Unary {op}"), |p| p.expr(operand));
            }
            ExprKind::Binary { op, left, right, .. } => self.node(format!("Binary {}", op.symbol()), |p| {
                p.expr(left);
                p.expr(right);
            }),
            ExprKind::Range { low, high, inclusive } => {
                self.range(low.as_deref(), high.as_deref(), *inclusive);
            }
            ExprKind::If { cond, then, otherwise } => self.node("If", |p| {
                p.cond(cond);
                p.block(then);
                otherwise.iter().for_each(|other| p.node("Else", |p| p.expr(other)));
            }),
            ExprKind::Match { subject, arms } => self.node("Match", |p| {
                p.expr(subject);
                arms.iter().for_each(|arm| p.arm(arm));
            }),
            ExprKind::Block(block) => self.block(block),
            ExprKind::For { pattern, iterable, body } => self.node("For", |p| {
                p.pattern(pattern);
                p.expr(iterable);
                p.block(body);
            }),
            ExprKind::While { cond, body } => self.node("While", |p| {
                p.cond(cond);
                p.block(body);
            }),
            ExprKind::Loop(body) => self.node("Loop", |p| p.block(body)),
            ExprKind::Lambda { params, body } => self.node("Lambda", |p| {
                params.iter().for_each(|param| p.param(param));
                p.expr(body);
            }),
            ExprKind::Form(form, body) => self.form(*form, body),
            ExprKind::Error => self.line("Error"),
        }
    }

    fn form(&mut self, form: Form, body: &Block) {
        self.node(format!("Form {}", form.word()), |p| p.block(body));
    }

    fn text(&mut self, kind: &str, parts: &[TextPart]) {
        if let [TextPart::Literal(text)] = parts {
            return self.line(format!("{kind} {text:?}"));
        }
        self.node(kind, |p| {
            for part in parts {
                match part {
                    TextPart::Literal(text) => p.line(format!("{text:?}")),
                    TextPart::Expr(expr, None) => p.expr(expr),
                    TextPart::Expr(expr, Some(format)) => {
                        p.node(format!("Format {format}"), |p| p.expr(expr))
                    }
                }
            }
        });
    }

    fn range(&mut self, low: Option<&Expr>, high: Option<&Expr>, inclusive: bool) {
        self.node(if inclusive { "Range ..=" } else { "Range .." }, |p| {
            for end in [low, high] {
                match end {
                    Some(end) => p.expr(end),
                    None => p.line("open"),
                }
            }
        });
    }

    fn cond(&mut self, cond: &Cond) {
        match cond {
            Cond::Expr(expr) => self.expr(expr),
            Cond::Let(pattern, value) => self.node("Let", |p| {
                p.pattern(pattern);
                p.expr(value);
            }),
        }
    }

    fn arg(&mut self, arg: &Arg) {
        match arg {
            Arg::Positional(value) => self.expr(value),
            Arg::Named(name, value) => self.node(format!("Named {}", name.text), |p| p.expr(value)),
            Arg::Spread(value) => self.node("Spread", |p| p.expr(value)),
        }
    }

    fn arm(&mut self, arm: &Arm) {
        self.node("Arm", |p| {
            p.pattern(&arm.pattern);
            arm.guard.iter().for_each(|guard| p.node("Guard", |p| p.expr(guard)));
            p.expr(&arm.body);
        });
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Wildcard => self.line("Wildcard"),
            PatternKind::Bind(name) => self.line(format!("Bind {}", name.text)),
            PatternKind::Literal(literal) => self.expr(literal),
            PatternKind::Range { low, high, inclusive } => {
                let dots = if *inclusive { "..=" } else { ".." };
                self.line(format!("Range {low}{dots}{high}"));
            }
            PatternKind::Case(name, items) => {
                self.node(format!("Case {}", name.text), |p| items.iter().for_each(|item| p.pattern(item)));
            }
            PatternKind::Tuple(items) => {
                self.node("Tuple", |p| items.iter().for_each(|item| p.pattern(item)));
            }
            PatternKind::Record(fields) => self.node("Record", |p| {
                for (name, pattern) in fields {
                    p.node(&name.text, |p| pattern.iter().for_each(|pattern| p.pattern(pattern)));
                }
            }),
            PatternKind::List { items, rest } => self.node("List", |p| {
                items.iter().for_each(|item| p.pattern(item));
                match rest {
                    Some(Some(name)) => p.line(format!("..{}", name.text)),
                    Some(None) => p.line(".."),
                    None => {}
                }
            }),
            PatternKind::Or(either) => self.node("Or", |p| either.iter().for_each(|one| p.pattern(one))),
            PatternKind::Error => self.line("Error"),
        }
    }
}

/// `[A, B]`, or nothing.
fn variables(vars: &[Name]) -> String {
    if vars.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = vars.iter().map(|name| name.text.as_str()).collect();
    format!("[{}]", names.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::span::FileId;

    #[test]
    fn a_tree_is_printed_by_indentation() {
        let parsed = crate::parse(FileId(0), "## Doubles.\nfn double(x: Int) -> Int = x * 2\n");
        assert_eq!(
            super::file(&parsed.file),
            "Fn double -> Int\n  Doc \"Doubles.\"\n  Param x: Int\n  Value\n    Binary *\n      Name x\n      Int 2\n"
        );
    }

    #[test]
    fn tokens_are_printed_with_their_places() {
        let text = "x\n  \"é{y}\"";
        let (tokens, _) = crate::lexer::lex(FileId(0), text);
        let dump = super::tokens(text, &tokens);
        let lines: Vec<&str> = dump.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "1:1     Name         \"x\"");
        assert_eq!(lines[2], "2:3     TextStart    \"\\\"\"");
        assert_eq!(lines[4], "2:5     InterpStart  \"{\"");
    }
}
