//! The typed tree as text, for people: `weir check --emit typed`.
//!
//! Not a language: variables are `name#index`, functions `name#index`, implicit conversions are written out.

use crate::typed::{
    Arm, Expr, ExprKind, FnId, Function, LocalId, Part, Pattern, Place, Prim, Program, StepKind,
};
use crate::types::TyKind;
use std::fmt::Write;

/// The whole program.
pub fn program(program: &Program) -> String {
    let mut printer = Printer { program, function: None, out: String::new(), indent: 0 };
    for (i, global) in program.globals.iter().enumerate() {
        let _ = writeln!(printer.out, "global {}#{i}: {}", global.name, program.types.show(global.ty));
    }
    for (i, function) in program.functions.iter().enumerate() {
        if i > 0 || !program.globals.is_empty() {
            printer.out.push('\n');
        }
        printer.function(FnId(i as u32), function);
    }
    printer.out
}

struct Printer<'p> {
    program: &'p Program,
    function: Option<&'p Function>,
    out: String,
    indent: usize,
}

impl<'p> Printer<'p> {
    fn function(&mut self, id: FnId, function: &'p Function) {
        self.function = Some(function);
        let role = match id {
            id if self.program.handler == Some(id) => "handler ",
            id if self.program.routes.iter().any(|route| route.function == id) => "route ",
            _ => "",
        };
        let _ = write!(self.out, "{role}{}#{}(", function.name, id.0);
        if function.is_mutating {
            self.out.push_str("var ");
        }
        self.parameters(&function.params);
        if !function.captures.is_empty() {
            self.out.push_str(" | ");
            self.parameters(&function.captures);
        }
        let _ = write!(self.out, ") -> {} = ", self.program.types.show(function.result));
        self.expr(&function.body);
        self.out.push('\n');
    }

    fn parameters(&mut self, params: &[LocalId]) {
        for (i, param) in params.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            self.local(*param);
            if let Some(function) = self.function {
                let ty = self.program.types.show(function.locals[param.0 as usize].ty);
                let _ = write!(self.out, ": {ty}");
            }
        }
    }

    fn local(&mut self, id: LocalId) {
        let name = self.function.map_or("", |f| f.locals[id.0 as usize].name.as_str());
        let _ = write!(self.out, "{name}#{}", id.0);
    }

    fn fn_name(&mut self, id: FnId) {
        let _ = write!(self.out, "{}#{}", self.program.functions[id.0 as usize].name, id.0);
    }

    fn line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
    }

    fn lines(&mut self, stmts: &[Expr]) {
        self.out.push('{');
        self.indent += 1;
        for stmt in stmts {
            self.line();
            self.expr(stmt);
        }
        self.indent -= 1;
        self.line();
        self.out.push('}');
    }

    fn list(&mut self, open: &str, items: &[Expr], close: &str) {
        self.out.push_str(open);
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            self.expr(item);
        }
        self.out.push_str(close);
    }

    fn around(&mut self, before: &str, value: &Expr, after: &str) {
        self.out.push_str(before);
        self.expr(value);
        self.out.push_str(after);
    }

    fn place(&mut self, place: &Place) {
        self.local(place.root);
        for step in &place.steps {
            match &step.kind {
                StepKind::Field(at) => {
                    let _ = write!(self.out, ".{at}");
                }
                StepKind::Element(index) => self.around("[", index, "]"),
                StepKind::Entry(key, None) => self.around("[", key, "]"),
                StepKind::Entry(key, Some(default)) => {
                    self.around(".at(", key, ", ");
                    self.around("", default, ")");
                }
            }
        }
    }

    fn infix(&mut self, left: &Expr, sign: &str, right: &Expr) {
        self.around("(", left, sign);
        self.around("", right, ")");
    }

    fn expr(&mut self, expr: &Expr) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.write(expr));
    }

    fn write(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Unit => self.out.push_str("()"),
            ExprKind::Int(n) => {
                let _ = write!(self.out, "{n}");
            }
            ExprKind::Bool(b) => {
                let _ = write!(self.out, "{b}");
            }
            ExprKind::Text(text) => {
                let _ = write!(self.out, "{text:?}");
            }
            ExprKind::Interpolate(parts) => self.interpolate(parts),
            ExprKind::Formatted(value, format) => {
                self.around("format(", value, &format!(", {:?})", format.to_string()))
            }
            ExprKind::Local(local) => self.local(*local),
            ExprKind::Global(id) => self.global(id.0),
            ExprKind::Let(local, value) => self.bind(*local, value),
            ExprKind::Assign(local, value) => {
                self.local(*local);
                self.around(" = ", value, "");
            }
            ExprKind::Put(place, value) => {
                self.place(place);
                self.around(" = ", value, "");
            }
            ExprKind::Place(place) => {
                self.out.push_str("var ");
                self.place(place);
            }
            ExprKind::SetGlobal(id, value) => {
                self.global(id.0);
                self.around(" = ", value, "");
            }
            ExprKind::Call(id, args) => {
                self.fn_name(*id);
                self.list("(", args, ")");
            }
            ExprKind::CallNative { name, types, args } => {
                let types: Vec<String> = types.iter().map(|t| self.program.types.show(*t)).collect();
                let types = if types.is_empty() { String::new() } else { format!("[{}]", types.join(", ")) };
                let _ = write!(self.out, "native {name}{types}");
                self.list("(", args, ")");
            }
            ExprKind::CallValue(callee, args) => {
                self.around("(", callee, ")");
                self.list("(", args, ")");
            }
            ExprKind::Closure(id, captures) => self.closure(*id, captures),
            ExprKind::Record(fields) => {
                if let TyKind::Record(_) = self.program.types.kind(expr.ty) {
                    self.out.push_str(&self.program.types.show(expr.ty));
                }
                self.list("(", fields, ")");
            }
            ExprKind::Case(index, fields) => {
                if let TyKind::Enum(of) = self.program.types.kind(expr.ty) {
                    self.out.push_str(&self.program.types.enumeration(*of).cases[*index as usize].name);
                }
                if !fields.is_empty() {
                    self.list("(", fields, ")");
                }
            }
            ExprKind::Field(value, at) => {
                self.expr(value);
                let _ = write!(self.out, ".{at}");
            }
            ExprKind::List(items) => self.list("[", items, "]"),
            ExprKind::Map(entries) => self.entries(entries),
            ExprKind::Set(items) => self.list("set(", items, ")"),
            ExprKind::Bytes(bytes) => {
                let _ = write!(self.out, "b\"{}\"", bytes.escape_ascii());
            }
            ExprKind::Index(list, index) => {
                self.expr(list);
                self.around("[", index, "]");
            }
            ExprKind::Range { low, high, inclusive } => {
                self.infix(low, if *inclusive { "..=" } else { ".." }, high)
            }
            ExprKind::Prim(prim, args) => self.prim(*prim, args),
            ExprKind::And(left, right) => self.infix(left, " and ", right),
            ExprKind::Or(left, right) => self.infix(left, " or ", right),
            ExprKind::If(cond, then, otherwise) => {
                self.around("if ", cond, " ");
                self.branch(then);
                if let Some(otherwise) = otherwise {
                    self.out.push_str(" else ");
                    self.branch(otherwise);
                }
            }
            ExprKind::Match(subject, arms) => self.arms(subject, arms),
            ExprKind::Some(value) => self.around("Some(", value, ")"),
            ExprKind::None => self.out.push_str("None"),
            ExprKind::Block(stmts) => self.lines(stmts),
            ExprKind::For(local, walked, body) => {
                self.out.push_str("for ");
                self.local(*local);
                self.around(" in ", walked, " ");
                self.branch(body);
            }
            ExprKind::While(cond, body) => {
                self.around("while ", cond, " ");
                self.branch(body);
            }
            ExprKind::Loop(body) => {
                self.out.push_str("loop ");
                self.branch(body);
            }
            ExprKind::Break => self.out.push_str("break"),
            ExprKind::Continue => self.out.push_str("continue"),
            ExprKind::Return(value) => self.around("return ", value, ""),
            ExprKind::Respond(value) => self.around("respond(", value, ")"),
        }
    }

    fn branch(&mut self, body: &Expr) {
        match &body.kind {
            ExprKind::Block(stmts) => self.lines(stmts),
            _ => self.lines(std::slice::from_ref(body)),
        }
    }

    fn global(&mut self, at: u32) {
        let _ = write!(self.out, "global {}#{at}", self.program.globals[at as usize].name);
    }

    fn bind(&mut self, local: LocalId, value: &Expr) {
        self.out.push_str("let ");
        self.parameters(&[local]);
        self.around(" = ", value, "");
    }

    fn closure(&mut self, id: FnId, captures: &[LocalId]) {
        self.out.push_str("fn ");
        self.fn_name(id);
        self.out.push('[');
        for (i, capture) in captures.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            self.local(*capture);
        }
        self.out.push(']');
    }

    fn interpolate(&mut self, parts: &[Part]) {
        self.out.push_str("text(");
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            match part {
                Part::Literal(text) => {
                    let _ = write!(self.out, "{text:?}");
                }
                Part::Value(value) => self.expr(value),
            }
        }
        self.out.push(')');
    }

    fn prim(&mut self, prim: Prim, args: &[Expr]) {
        match args {
            [one] => self.around(if prim == Prim::Neg { "-" } else { "not " }, one, ""),
            [left, right] => self.infix(left, sign(prim), right),
            _ => self.list("prim(", args, ")"),
        }
    }

    fn entries(&mut self, entries: &[(Expr, Expr)]) {
        self.out.push_str(if entries.is_empty() { "[:" } else { "[" });
        for (at, (key, value)) in entries.iter().enumerate() {
            if at > 0 {
                self.out.push_str(", ");
            }
            self.expr(key);
            self.out.push_str(": ");
            self.expr(value);
        }
        self.out.push(']');
    }

    fn arms(&mut self, subject: &Expr, arms: &[Arm]) {
        self.around("match ", subject, " {");
        self.indent += 1;
        for arm in arms {
            self.line();
            self.pattern(&arm.pattern);
            if let Some(guard) = &arm.guard {
                self.around(" if ", guard, "");
            }
            self.around(" => ", &arm.body, "");
        }
        self.indent -= 1;
        self.line();
        self.out.push('}');
    }

    fn patterns(&mut self, open: &str, patterns: &[Pattern], close: &str) {
        self.out.push_str(open);
        for (i, pattern) in patterns.iter().enumerate() {
            self.out.push_str(if i == 0 { "" } else { ", " });
            self.pattern(pattern);
        }
        self.out.push_str(close);
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Wildcard => self.out.push('_'),
            Pattern::Bind(local) => self.local(*local),
            Pattern::Int(n) => {
                let _ = write!(self.out, "{n}");
            }
            Pattern::IntRange(low, high) => {
                let _ = write!(self.out, "{low}..={high}");
            }
            Pattern::Bool(b) => {
                let _ = write!(self.out, "{b}");
            }
            Pattern::Text(text) => {
                let _ = write!(self.out, "{text:?}");
            }
            Pattern::Some(inner) => {
                self.out.push_str("Some(");
                self.pattern(inner);
                self.out.push(')');
            }
            Pattern::None => self.out.push_str("None"),
            Pattern::Case(cases, index, parts) => {
                self.out.push_str(&cases.0[*index as usize].0);
                for (i, part) in parts.iter().enumerate() {
                    self.out.push_str(if i == 0 { "(" } else { ", " });
                    self.pattern(part);
                }
                if !parts.is_empty() {
                    self.out.push(')');
                }
            }
            Pattern::Tuple(parts) => self.patterns("(", parts, ")"),
            Pattern::Record(names, parts) => {
                for (i, (name, part)) in names.iter().zip(parts).enumerate() {
                    let _ = write!(self.out, "{}{name}: ", if i == 0 { "{" } else { ", " });
                    self.pattern(part);
                }
                self.out.push('}');
            }
            Pattern::List(items, rest) => {
                self.patterns("[", items, "");
                if let Some(rest) = rest {
                    self.out.push_str(if items.is_empty() { ".." } else { ", .." });
                    self.pattern(rest);
                }
                self.out.push(']');
            }
            Pattern::Or(patterns) => {
                for (i, pattern) in patterns.iter().enumerate() {
                    if i > 0 {
                        self.out.push_str(" | ");
                    }
                    self.pattern(pattern);
                }
            }
        }
    }
}

fn sign(prim: Prim) -> &'static str {
    match prim {
        Prim::Add | Prim::FloatAdd => " + ",
        Prim::Sub | Prim::FloatSub => " - ",
        Prim::Mul | Prim::FloatMul => " * ",
        Prim::Div | Prim::FloatDiv => " / ",
        Prim::Rem => " % ",
        Prim::Neg | Prim::FloatNeg => "-",
        Prim::Not => "not ",
        Prim::Eq | Prim::FloatEq => " == ",
        Prim::Ne | Prim::FloatNe => " != ",
        Prim::Lt | Prim::FloatLt => " < ",
        Prim::Le | Prim::FloatLe => " <= ",
        Prim::Gt | Prim::FloatGt => " > ",
        Prim::Ge | Prim::FloatGe => " >= ",
    }
}
