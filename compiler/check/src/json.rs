//! What JSON calls the fields of declared types, and the JSON of their defaults.
//!
//! In: declarations. Out: names by the field's own `as "name"`, else by the type's rule (`with json: snake`), else as they are
//! written; constants. A default that takes a computation has no JSON: such a field must come.
//! Not here: reading and writing (`weir-core`).

use crate::infer::Checker;
use crate::types::JsonName;
use std::collections::HashMap;
use std::fmt::Write;
use weir_syntax::ast::{Expr, ExprKind, FieldDecl, TextPart, TypeBody, TypeDecl, UnaryOp};
use weir_syntax::diag::Diagnostic;

/// The field that names an enum's case.
const TAG: &str = "type";

/// A rule for the names of fields.
type Rule = fn(&str) -> String;

/// The rules by name.
const RULES: [(&str, Rule); 4] =
    [("kebab", str::to_owned), ("snake", snake), ("camel", camel), ("pascal", pascal)];

fn snake(name: &str) -> String {
    name.replace('-', "_")
}

fn camel(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| all + &capital(word))
}

fn pascal(name: &str) -> String {
    name.split('-').map(capital).collect()
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + chars.as_str()
}

/// The fields of a declared type: a record's, or those of each case.
fn fields(decl: &TypeDecl) -> Vec<&[FieldDecl]> {
    match &decl.body {
        TypeBody::Record(fields) => vec![fields],
        TypeBody::Enum(cases) => cases.iter().map(|case| case.fields.as_slice()).collect(),
        TypeBody::Native(_) | TypeBody::Alias(_) => Vec::new(),
    }
}

fn rule(decl: &TypeDecl) -> Option<Rule> {
    let name = decl.json.as_ref().map_or("kebab", |name| &name.text);
    RULES.iter().find(|(of, _)| *of == name).map(|(_, rule)| *rule)
}

fn external(rule: Rule, field: &FieldDecl) -> String {
    field.external.as_ref().map_or_else(|| rule(&field.name.text), |name| name.text.clone())
}

/// What JSON calls the fields of a record (one list), or of each case of an enum.
pub fn names(decl: &TypeDecl) -> Vec<Vec<JsonName>> {
    let rule = rule(decl).unwrap_or(str::to_owned);
    let name = |field: &FieldDecl| JsonName {
        name: external(rule, field),
        default: field.default.as_ref().and_then(|default| {
            let mut out = String::new();
            write_constant(default, &mut out).then_some(out)
        }),
    };
    fields(decl).into_iter().map(|fields| fields.iter().map(name).collect()).collect()
}

/// Writes the JSON of a constant; `false` for anything else.
fn write_constant(expr: &Expr, out: &mut String) -> bool {
    match &expr.kind {
        ExprKind::Int(Some(n)) => write!(out, "{n}").is_ok(),
        ExprKind::Float(x) if x.is_finite() => write!(out, "{x:?}").is_ok(),
        ExprKind::Bool(b) => write!(out, "{b}").is_ok(),
        ExprKind::Duration(nanos) => write!(out, "\"{nanos}ns\"").is_ok(),
        ExprKind::Unit => write!(out, "null").is_ok(),
        ExprKind::Name(name) if name.text == "None" => write!(out, "null").is_ok(),
        // A case without fields; the library's Json is not written by the names of its cases.
        ExprKind::Name(name)
            if name.text.starts_with(char::is_uppercase) && !name.text.starts_with("Json") =>
        {
            write_text(&name.text, out)
        }
        ExprKind::Text(parts) => match &parts[..] {
            [] => write_text("", out),
            [TextPart::Literal(text)] => write_text(text, out),
            _ => false,
        },
        ExprKind::Unary { op: UnaryOp::Neg, operand }
            if matches!(operand.kind, ExprKind::Float(_) | ExprKind::Int(_)) =>
        {
            out.push('-');
            write_constant(operand, out)
        }
        ExprKind::List(items) => {
            out.push('[');
            let written = items.iter().enumerate().all(|(at, item)| {
                if at > 0 {
                    out.push(',');
                }
                write_constant(item, out)
            });
            out.push(']');
            written
        }
        ExprKind::Map(entries) if entries.is_empty() => {
            out.push_str("{}");
            true
        }
        _ => false,
    }
}

fn write_text(text: &str, out: &mut String) -> bool {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..='\u{1F}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
    true
}

impl<'a> Checker<'a> {
    /// Looks at what a declaration says about JSON: a rule that there is, names that differ.
    pub fn json_declaration(&mut self, decl: &'a TypeDecl) {
        let Some(rule) = rule(decl) else {
            if let Some(name) = &decl.json {
                let rules: Vec<String> = RULES.iter().map(|(rule, _)| format!("`{rule}`")).collect();
                let error = Diagnostic::error(
                    "E0221",
                    format!("There is no JSON naming rule `{}`", name.text),
                    name.span,
                    "not known",
                )
                .help(format!("The rules are {}.", rules.join(", ")));
                self.report(error);
            }
            return;
        };
        let is_enum = matches!(decl.body, TypeBody::Enum(_));
        for fields in fields(decl) {
            let mut seen = HashMap::new();
            for field in fields {
                let name = external(rule, field);
                let span = field.external.as_ref().map_or(field.name.span, |name| name.span);
                let message = format!("JSON would call two fields {name:?}");
                if is_enum && name == TAG {
                    let error = Diagnostic::error("E0222", message, span, "this field").help(
                        "The field \"type\" names the case. Give this one another name there: `as \"...\"`.",
                    );
                    self.report(error);
                } else if let Some(first) = seen.insert(name, span)
                    && fields.iter().filter(|other| other.name.text == field.name.text).count() == 1
                {
                    let error = Diagnostic::error("E0222", message, span, "and this one")
                        .label(first, "this field")
                        .help("Give one of them another name there: `as \"...\"`.");
                    self.report(error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_make_names() {
        let all = |name: &str| RULES.map(|(_, rule)| rule(name));
        assert_eq!(all("user-id"), ["user-id", "user_id", "userId", "UserId"]);
        assert_eq!(all("id"), ["id", "id", "id", "Id"]);
        assert_eq!(all("a-2b-c"), ["a-2b-c", "a_2b_c", "a2bC", "A2bC"]);
    }
}
