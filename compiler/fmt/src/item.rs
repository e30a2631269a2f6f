//! Declarations, statements, types and patterns.

use weir_syntax::ast::{
    CaseDecl, Expr, ExprKind, FieldDecl, FnBody, FnDecl, Name, Param, Pattern, PatternKind, RouteDecl, Stmt,
    StmtKind, TestDecl, TypeBody, TypeDecl, UseDecl, Used,
};
use weir_syntax::print;

use crate::doc::{Doc, concat, group, indent, text};
use crate::expr::int;
use crate::layout::{Entry, Formatter, range};

impl Formatter<'_> {
    /// A function declaration.
    pub fn function(&mut self, decl: &FnDecl) -> Doc {
        let public = if decl.public { "pub " } else { "" };
        let head = format!("{public}fn {}{}", decl.name.text, variables(&decl.vars));
        let body_start = match &decl.body {
            FnBody::Block(block) => block.span.start,
            FnBody::Expr(expr) => expr.span.start,
            FnBody::Native(name) => name.span.start,
        };
        let head_end = decl.result.as_ref().map_or(body_start, |ty| ty.span.start) as usize;
        let entries: Vec<Entry> = decl.params.iter().map(|param| self.param(param)).collect();
        let params = self.list("(", entries, ")", decl.name.span.end as usize..head_end);
        let result = decl.result.as_ref().map_or(String::new(), |ty| format!(" -> {}", print::type_expr(ty)));
        let body = match &decl.body {
            FnBody::Block(block) => concat([text(" "), group(self.block(block))]),
            FnBody::Expr(expr) => self.value(expr),
            FnBody::Native(name) => text(format!(" = native \"{}\"", name.text)),
        };
        concat([text(head), params, text(result), body])
    }

    fn param(&mut self, param: &Param) -> Entry {
        let mutable = if param.mutable { "var " } else { "" };
        let mut end = param.ty.as_ref().map_or(param.name.span.end, |ty| ty.span.end) as usize;
        let ty = param.ty.as_ref().map_or(String::new(), |ty| format!(": {}", print::type_expr(ty)));
        let mut parts = vec![text(format!("{mutable}{}{ty}", param.name.text))];
        if let Some(default) = &param.default {
            parts.extend([text(" = "), self.expr(default)]);
            end = default.span.end as usize;
        }
        Entry { range: param.name.span.start as usize..end, doc: concat(parts) }
    }

    /// A type declaration.
    pub fn type_decl(&mut self, decl: &TypeDecl) -> Doc {
        let public = if decl.public { "pub " } else { "" };
        let head = format!("{public}type {}{} = ", decl.name.text, variables(&decl.vars));
        let within = decl.name.span.end as usize..decl.span.end as usize;
        let body = match &decl.body {
            TypeBody::Record(fields) => self.fields("{", fields, "}", within),
            TypeBody::Native(fields) if fields.is_empty() => text("native"),
            TypeBody::Native(fields) => concat([text("native "), self.fields("{", fields, "}", within)]),
            TypeBody::Alias(ty) => text(print::type_expr(ty)),
            TypeBody::Enum(cases) => {
                let json =
                    decl.json.as_ref().map_or(String::new(), |rule| format!(" with json: {}", rule.text));
                return concat([text(head.trim_end()), self.cases(cases), text(json)]);
            }
        };
        let json = decl.json.as_ref().map_or(String::new(), |rule| format!(" with json: {}", rule.text));
        concat([text(head), body, text(json)])
    }

    /// `use "path" as name`, `use "path" {a, B}`
    pub fn use_decl(&mut self, decl: &UseDecl) -> Doc {
        let head = text(format!("use \"{}\"", self.slice(decl.path.span)));
        let within = decl.path.span.end as usize + 1..decl.span.end as usize;
        match &decl.what {
            Used::Module => head,
            Used::As(name) => concat([head, text(format!(" as {}", name.text))]),
            Used::Names(names) => {
                let entry = |name: &Name| Entry { range: range(name.span), doc: text(name.text.clone()) };
                let names = self.list("{", names.iter().map(entry).collect(), "}", within);
                concat([head, text(" "), names])
            }
        }
    }

    /// `test "name" { ... }`
    pub fn test_decl(&mut self, decl: &TestDecl) -> Doc {
        let head = text(format!("test \"{}\" ", self.slice(decl.name.span)));
        concat([head, group(self.block(&decl.body))])
    }

    /// `route GET "/path" { ... }`
    pub fn route_decl(&mut self, decl: &RouteDecl) -> Doc {
        let head = text(format!("route {} \"{}\" ", decl.method.text, decl.pattern.text));
        concat([head, group(self.block(&decl.body))])
    }

    /// The cases of an enum: on one line if they fit, else each on its own behind a `|`.
    fn cases(&mut self, cases: &[CaseDecl]) -> Doc {
        let mut parts = vec![Doc::Line, Doc::IfBroken("| ")];
        for (index, case) in cases.iter().enumerate() {
            if index > 0 {
                parts.extend([Doc::Line, text("| ")]);
            }
            parts.push(text(case.name.text.clone()));
            if !case.fields.is_empty() {
                parts.push(self.fields("(", &case.fields, ")", range(case.span)));
            }
        }
        // A case alone is told from an alias by its parentheses.
        if let [CaseDecl { fields, .. }] = cases
            && fields.is_empty()
        {
            parts[1] = text("| ");
        }
        group(indent(concat(parts)))
    }

    fn fields(
        &mut self,
        open: &str,
        fields: &[FieldDecl],
        close: &str,
        within: std::ops::Range<usize>,
    ) -> Doc {
        let mut entries = Vec::with_capacity(fields.len());
        for field in fields {
            let mut end = field.ty.span.end as usize;
            let mut parts = vec![text(format!("{}: {}", field.name.text, print::type_expr(&field.ty)))];
            if let Some(external) = &field.external {
                parts.push(text(format!(" as \"{}\"", self.slice(external.span))));
                end = external.span.end as usize + 1;
            }
            if let Some(default) = &field.default {
                parts.extend([text(" = "), self.expr(default)]);
                end = default.span.end as usize;
            }
            entries.push(Entry { range: field.name.span.start as usize..end, doc: concat(parts) });
        }
        let edge = if open == "{" { Doc::Line } else { Doc::Soft };
        self.spaced_list((open, edge, close), entries, within)
    }

    /// A statement.
    pub fn stmt(&mut self, stmt: &Stmt) -> Doc {
        match &stmt.kind {
            StmtKind::Let { public, mutable, pattern, ty, value, otherwise } => {
                let public = if *public { "pub " } else { "" };
                let word = if *mutable { "var" } else { "let" };
                let ty = ty.as_ref().map_or(String::new(), |ty| format!(": {}", print::type_expr(ty)));
                let head = format!("{public}{word} {}{ty}", self.pattern(pattern));
                let value = self.value(value);
                let otherwise = match otherwise {
                    Some(block) => concat([text(" else "), group(self.block(block))]),
                    None => concat([]),
                };
                concat([text(head), value, otherwise])
            }
            StmtKind::Assign { place, value } => {
                let place = self.expr(place);
                let value = self.value(value);
                concat([place, value])
            }
            StmtKind::Return(None) => text("return"),
            StmtKind::Return(Some(value)) => concat([text("return "), self.expr(value)]),
            StmtKind::Fail(value) => concat([text("fail "), self.expr(value)]),
            StmtKind::Assert(condition, _) => concat([text("assert "), self.expr(condition)]),
            StmtKind::Break => text("break"),
            StmtKind::Continue => text("continue"),
            StmtKind::Yield(value) => concat([text("yield "), self.expr(value)]),
            StmtKind::Defer(body) => concat([text("defer "), group(self.block(body))]),
            StmtKind::Expr(expr) => self.expr(expr),
            // Only programs without mistakes are formatted.
            StmtKind::Error => Doc::Verbatim(self.slice(stmt.span).to_string()),
        }
    }

    /// ` = value`; a long chain of operators or text goes to the next line.
    fn value(&mut self, value: &Expr) -> Doc {
        let doc = self.expr(value);
        let moves = match &value.kind {
            ExprKind::Binary { .. } => true,
            ExprKind::Text(_) => !self.slice(value.span).contains('\n'),
            _ => false,
        };
        if moves && !doc.has_hard() {
            return concat([text(" ="), group(indent(concat([Doc::Line, doc])))]);
        }
        concat([text(" = "), doc])
    }

    /// A pattern, always on one line.
    pub fn pattern(&self, pattern: &Pattern) -> String {
        let list = |items: &[Pattern], between: &str| {
            items.iter().map(|item| self.pattern(item)).collect::<Vec<_>>().join(between)
        };
        match &pattern.kind {
            PatternKind::Wildcard => "_".to_string(),
            PatternKind::Bind(name) => name.text.clone(),
            PatternKind::Literal(literal) => match &literal.kind {
                ExprKind::Unit => "()".to_string(),
                ExprKind::Int(_) => int(self.slice(literal.span)),
                _ => self.slice(literal.span).to_string(),
            },
            PatternKind::Range { inclusive, .. } => {
                let dots = if *inclusive { "..=" } else { ".." };
                let written = self.slice(pattern.span);
                match written.split_once(dots) {
                    Some((low, high)) => format!("{}{dots}{}", int(low), int(high)),
                    None => written.to_string(),
                }
            }
            PatternKind::Case(name, items) if items.is_empty() => name.text.clone(),
            PatternKind::Case(name, items) => format!("{}({})", name.text, list(items, ", ")),
            PatternKind::Or(either) => list(either, " | "),
            PatternKind::Tuple(items) => format!("({})", list(items, ", ")),
            PatternKind::Record(fields) => {
                let field = |(name, pattern): &(Name, Option<Pattern>)| match pattern {
                    Some(pattern) => format!("{}: {}", name.text, self.pattern(pattern)),
                    None => name.text.clone(),
                };
                let fields: Vec<String> = fields.iter().map(field).collect();
                format!("{{{}}}", fields.join(", "))
            }
            PatternKind::List { items, rest } => {
                let mut parts: Vec<String> = items.iter().map(|item| self.pattern(item)).collect();
                if let Some(name) = rest {
                    parts.push(format!("..{}", name.as_ref().map_or("", |name| name.text.as_str())));
                }
                format!("[{}]", parts.join(", "))
            }
            PatternKind::Error => self.slice(pattern.span).to_string(),
        }
    }

    /// The params of a lambda, with the arrow.
    pub fn lambda_params(&mut self, params: &[Param], within: std::ops::Range<usize>) -> Doc {
        if let [Param { name, ty: None, .. }] = params {
            return text(format!("{} => ", name.text));
        }
        let entries: Vec<Entry> = params.iter().map(|param| self.param(param)).collect();
        concat([self.list("(", entries, ")", within), text(" => ")])
    }

    /// Where an expression stands, as an entry.
    pub fn entry(&mut self, expr: &Expr) -> Entry {
        Entry { range: range(expr.span), doc: self.expr(expr) }
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
