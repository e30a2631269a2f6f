//! Words and marks of other languages: each is reported with our spelling and, where it has one, replaced by it.

use super::{Layout, is_elif};
use crate::ast::Form;
use crate::diag::Diagnostic;
use crate::naming::{camel_case, kebab_case};
use crate::span::Span;
use crate::token::{Token, TokenKind as K};

impl<'t> Layout<'t> {
    /// The token to go on with, or `None` when it was left out.
    pub(super) fn foreign(&mut self, token: Token) -> Option<Token> {
        let replaced = |kind| Some(Token { kind, ..token });
        match token.kind {
            K::AndAnd => {
                self.spelling(token.span, "and");
                replaced(K::And)
            }
            K::OrOr => {
                self.spelling(token.span, "or");
                replaced(K::Or)
            }
            K::Bang => self.bang(token),
            K::Slash if self.touches_next(token, &[K::Slash, K::Star]) => self.foreign_comment(token),
            K::Lt if self.angle_brackets(token) => None,
            K::Star | K::Lt | K::Gt if self.touches_next(token, &[token.kind]) => {
                self.doubled(token);
                replaced(K::Star)
            }
            K::For if self.counting_loop(token) => None,
            K::PlusPlus => self.increment(token),
            K::OpAssign => {
                self.compound_assignment(token);
                replaced(K::Assign)
            }
            K::Minus => self.smallest_int(token),
            K::Name => self.name(token),
            K::TypeName => self.type_name(token),
            _ => Some(token),
        }
    }

    pub(super) fn spelling(&mut self, span: Span, ours: &str) {
        let theirs = self.slice(span);
        self.report(
            Diagnostic::error("E0112", format!("`{theirs}` is written `{ours}`"), span, "")
                .fix(span, ours.to_string()),
        );
    }

    /// `!x` is `not x`; behind a type it stays.
    fn bang(&mut self, token: Token) -> Option<Token> {
        let touches = self.spans.last().is_some_and(|span| span.end == token.span.start);
        let type_ends =
            matches!(self.last(), Some(K::TypeName | K::RBracket | K::RParen | K::RBrace | K::Question));
        if touches && type_ends {
            return Some(token);
        }
        let span = token.span;
        let message = "`!` is written `not`";
        self.report(Diagnostic::error("E0112", message, span, "").fix(span, "not "));
        Some(Token { kind: K::Not, ..token })
    }

    /// Whether one of `kinds` stands directly behind `token`.
    fn touches_next(&self, token: Token, kinds: &[K]) -> bool {
        self.next_on_line()
            .is_some_and(|next| kinds.contains(&next.kind) && next.span.start == token.span.end)
    }

    /// `// ...` and `/* ...`: left out up to the end of the line, or to a bracket that closes one in front of it.
    fn foreign_comment(&mut self, token: Token) -> Option<Token> {
        let next = self.raw[self.at + 1];
        let span = token.span.to(next.span);
        let marks = self.slice(span);
        let mut diagnostic = Diagnostic::error("E0112", format!("there is no `{marks}`"), span, "");
        diagnostic = diagnostic.help("a comment starts with `#`");
        if marks == "//" && self.last().is_some_and(K::ends_operand) {
            diagnostic =
                diagnostic.help("a division of Ints is written `/`, or `a.div-floor(b)` to round down");
        } else if marks == "//" {
            diagnostic = diagnostic.fix(span, "#");
        }
        self.report(diagnostic);
        let mut depth = 0_usize;
        while let Some(next) = self.raw.get(self.at + 1) {
            match next.kind {
                K::Newline => break,
                kind if kind.closer().is_some() => depth += 1,
                kind if kind.is_closer() && depth == 0 => break,
                kind if kind.is_closer() => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        None
    }

    /// `**`, `<<` and `>>`; the caller goes on with an operator that gives an Int too.
    fn doubled(&mut self, token: Token) {
        let span = token.span.to(self.raw[self.at + 1].span);
        self.at += 1;
        let (operator, method) = match token.kind {
            K::Star => ("**", "x.pow(y)"),
            K::Lt => ("<<", "x.shift-left(n)"),
            _ => (">>", "x.shift-right(n)"),
        };
        let diagnostic = Diagnostic::error("E0112", format!("there is no `{operator}`"), span, "");
        self.report(diagnostic.help(format!("write `{method}`")));
    }

    /// `True` and `False` are meant as values wherever no type's name can stand.
    fn type_name(&mut self, token: Token) -> Option<Token> {
        let ours = match self.slice(token.span) {
            "True" => K::True,
            "False" => K::False,
            _ => {
                self.check_type_name(token.span);
                return Some(token);
            }
        };
        if matches!(self.last(), Some(K::Type | K::Colon | K::Arrow))
            || self.touches_next(token, &[K::LParen])
        {
            return Some(token);
        }
        self.spelling(token.span, if ours == K::True { "true" } else { "false" });
        Some(Token { kind: ours, ..token })
    }

    fn increment(&mut self, token: Token) -> Option<Token> {
        let mut diagnostic = Diagnostic::error("E0112", "there is no `++`", token.span, "");
        let before = self.spans.last().copied().filter(|_| self.last() == Some(K::Name));
        let after = self.next_on_line().filter(|next| next.kind == K::Name).map(|next| next.span);
        if let Some(name) = before.or(after) {
            let name = self.slice(name);
            diagnostic = diagnostic.help(format!("write `{name} = {name} + 1`"));
            if before.is_some() {
                diagnostic = diagnostic.fix(token.span, format!(" = {name} + 1"));
            }
        }
        self.report(diagnostic);
        let segment = self.top().segment;
        let ends = self
            .raw
            .get(self.at + 1)
            .is_none_or(|next| matches!(next.kind, K::Newline | K::Semi | K::RBrace | K::Comment));
        if before.is_some() && ends && self.kinds.len() == segment + 1 {
            // Goes on as an assignment.
            self.push(K::Assign, token.span);
            return Some(Token { kind: K::BadLiteral, ..token });
        }
        None
    }

    /// `x += 1`; goes on as an assignment.
    fn compound_assignment(&mut self, token: Token) {
        let written = self.slice(token.span);
        let operator = &written[..1];
        let mut diagnostic = Diagnostic::error("E0112", format!("there is no `{written}`"), token.span, "");
        let segment = self.top().segment;
        let place = match (self.spans.get(segment), self.spans.last()) {
            (Some(&first), Some(&last)) if first.start <= last.start => self.slice(first.to(last)),
            _ => "x",
        };
        if place.contains('\n') {
            diagnostic = diagnostic.help(format!("write `x = x {operator} ...`"));
        } else {
            diagnostic = diagnostic
                .help(format!("write `{place} = {place} {operator} ...`"))
                .fix(token.span, format!("= {place} {operator}"));
        }
        self.report(diagnostic);
    }

    /// `-9223372036854775808` is one literal: without its sign it would not fit.
    fn smallest_int(&mut self, token: Token) -> Option<Token> {
        let next =
            self.next_on_line().filter(|next| next.kind == K::Int && next.span.start == token.span.end);
        let unary = !self.last().is_some_and(K::ends_operand);
        let Some(digits) = next.filter(|_| unary) else { return Some(token) };
        let after = self.raw.get(self.at + 2).map(|token| token.kind);
        let postfix = matches!(after, Some(K::Dot | K::LParen | K::LBracket));
        let smallest =
            crate::literal::number(self.slice(digits.span)) == Ok(crate::literal::Number::Int(1 << 63));
        if !smallest || postfix {
            return Some(token);
        }
        self.at += 1;
        Some(Token { kind: K::MinInt, span: token.span.to(digits.span) })
    }

    fn name(&mut self, token: Token) -> Option<Token> {
        let written = self.slice(token.span);
        let replaced = |kind| Some(Token { kind, ..token });
        let next = self.next_on_line().map(|next| next.kind);
        let after_dot = self.last() == Some(K::Dot);
        match written {
            // A member that is not kebab-case is told where it is declared, or as unknown.
            _ if after_dot => return Some(token),
            "f" | "u" | "s" | "fr" | "rf" if self.touches_next(token, &[K::TextStart]) => {
                let message = format!("there is no `{written}\"...\"`");
                let diagnostic =
                    Diagnostic::error("E0112", message, token.span, "a prefix of other languages");
                self.report(
                    diagnostic
                        .help("every text may hold values in braces: `\"hello {name}\"`")
                        .fix(token.span, ""),
                );
                return None;
            }
            "html" if self.touches_next(token, &[K::TextStart]) => return replaced(K::HtmlMark),
            "null" | "nil" | "undefined" if !matches!(next, Some(K::Colon | K::Assign)) => {
                let diagnostic =
                    Diagnostic::error("E0112", format!("there is no `{written}`"), token.span, "").help(
                        "a value that may be missing has a type such as `Text?`, and is `None` or `Some(x)`",
                    );
                self.report(diagnostic.fix(token.span, "None"));
                return replaced(K::BadLiteral);
            }
            "fun" | "func" | "function" | "def" if matches!(next, Some(K::Name)) => {
                self.spelling(token.span, "fn");
                return replaced(K::Fn);
            }
            "const" | "val" if matches!(next, Some(K::Name | K::TypeName | K::Underscore)) => {
                self.spelling(token.span, "let");
                return replaced(K::Let);
            }
            "mut" if matches!(next, Some(K::Name)) && self.last() == Some(K::Let) => {
                return self.let_mut(token);
            }
            word if is_elif(word) && self.last() == Some(K::RBrace) => {
                self.spelling(token.span, "else if");
                self.link(Token { kind: K::Else, ..token });
                return replaced(K::If);
            }
            "native"
                if self.last() == Some(K::Assign)
                    && (self.library || matches!(next, Some(K::TextStart | K::LBrace))) =>
            {
                if !self.library {
                    let message = "`native` is for the standard library";
                    self.report(Diagnostic::error("E0120", message, token.span, ""));
                }
                return replaced(K::Native);
            }
            _ if next == Some(K::LBrace) && self.begins_form(written) => return replaced(K::FormWord),
            _ => {}
        }
        self.check_name(token.span);
        Some(token)
    }

    /// Whether a word in front of a `{` makes a body of its own of that block. In a head, as in `for x in stream {`, the block
    /// is the head's and the word a name.
    fn begins_form(&mut self, word: &str) -> bool {
        Form::named(word).is_some()
            && self.top().heads.waiting == 0
            && !matches!(self.last(), Some(K::Let | K::Var | K::Fn | K::As))
    }

    /// `let mut x`
    fn let_mut(&mut self, token: Token) -> Option<Token> {
        let index = self.kinds.len() - 1;
        let span = self.spans[index].to(token.span);
        self.report(Diagnostic::error("E0112", "`let mut` is written `var`", span, "").fix(span, "var"));
        self.kinds[index] = K::Var;
        None
    }

    /// Reports a name that is not kebab-case, once per name.
    fn check_name(&mut self, span: Span) {
        let name = self.slice(span);
        if !name.bytes().any(|b| b.is_ascii_uppercase() || b == b'_') || self.misspelt.contains(&name) {
            return;
        }
        self.misspelt.push(name);
        let kebab = kebab_case(name);
        let mut diagnostic = if name.starts_with('_') {
            Diagnostic::error("E0108", format!("the name `{name}` starts with `_`"), span, "")
                .help("`_` alone stands for a value that is not used")
        } else {
            Diagnostic::error("E0108", format!("the name `{name}` is not in kebab-case"), span, "")
        };
        if !kebab.is_empty() {
            diagnostic = diagnostic.help(format!("write `{kebab}`")).fix(span, kebab);
        }
        self.report(diagnostic);
    }

    /// Reports a type name with `_`, once per name.
    fn check_type_name(&mut self, span: Span) {
        let name = self.slice(span);
        if !name.contains('_') || self.misspelt.contains(&name) {
            return;
        }
        self.misspelt.push(name);
        let kebab = kebab_case(name);
        let camel = camel_case(name);
        self.report(
            Diagnostic::error(
                "E0108",
                format!("the name `{name}` is neither a type's nor a value's"),
                span,
                "",
            )
            .help(format!("types are written `{camel}`, values and functions `{kebab}`")),
        );
    }
}
