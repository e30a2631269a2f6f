//! Single literals and characters: which token each is, and what is wrong with it.
//!
//! Not here: what a literal is worth (`literal`), and texts without a closing quote (`unclosed`).

use super::Lexer;
use crate::diag::Diagnostic;
use crate::literal::{self, Number, NumberFault};
use crate::span::Span;
use crate::token::TokenKind as K;

impl Lexer<'_> {
    pub(super) fn check_escapes(&mut self, start: usize, end: usize) {
        let mut at = start;
        while let Some(offset) = self.text[at..end].find('\\') {
            at += offset;
            let (len, value) = literal::escape(&self.text[at..end]);
            if value.is_none() {
                self.bad_escape(at, at + len);
            }
            at += len;
        }
    }

    fn bad_escape(&mut self, start: usize, end: usize) {
        let written = &self.text[start..end];
        let message = if written == "\\" || written.ends_with(char::is_control) {
            "a backslash at the end of a line is not an escape".to_string()
        } else {
            format!("`{written}` is not an escape")
        };
        let diagnostic = Diagnostic::error("E0105", message, self.span(start, end), "");
        let help = if written.starts_with("\\u") {
            "a character by its number is written `\\u{1F30A}`, with one to six hexadecimal digits"
        } else {
            "the escapes are `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\`, `\\{`, `\\}` and `\\u{...}`; a raw text r\"...\" has none"
        };
        self.report(diagnostic.help(help));
    }

    pub(super) fn number(&mut self, start: usize, end: usize) {
        let written = &self.text[start..end];
        let fault = match literal::number(written) {
            Ok(Number::Int(_)) => return self.push(K::Int, start, end),
            Ok(Number::Duration(_)) => return self.push(K::Duration, start, end),
            Ok(Number::Float(_)) => return self.push(K::Float, start, end),
            Err(fault) => fault,
        };
        self.push(K::BadLiteral, start, end);
        self.report(number_fault(fault, written, Span::new(self.file, start, end)));
    }

    pub(super) fn bytes(&mut self, start: usize, end: usize) {
        let mut at = start + 2;
        while let Some(offset) = self.text[at..end - 1].find('\\') {
            at += offset;
            let (len, value) = literal::byte_escape(&self.text[at..end - 1]);
            if value.is_none() {
                let written = &self.text[at..at + len];
                let message = format!("`{written}` is not an escape of bytes");
                let help = "the escapes are `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\`, `\\0` and `\\x41` with two hexadecimal digits";
                self.report(Diagnostic::error("E0105", message, self.span(at, at + len), "").help(help));
            }
            at += len;
        }
        self.push(K::Bytes, start, end);
    }

    pub(super) fn single_quoted(&mut self, start: usize, end: usize) {
        self.push(K::BadLiteral, start, end);
        let span = self.span(start, end);
        let inside = &self.text[start + 1..end - 1];
        let mut diagnostic =
            Diagnostic::error("E0112", "texts are written with double quotes", span, "single quotes")
                .help(format!("write `\"{inside}\"`"));
        if !inside.contains(['"', '{', '\\']) {
            diagnostic = diagnostic.fix(span, format!("\"{inside}\""));
        }
        self.report(diagnostic);
    }

    pub(super) fn typographic_text(&mut self, start: usize, end: usize) {
        self.push(K::BadLiteral, start, end);
        let span = self.span(start, end);
        let diagnostic = Diagnostic::error("E0107", "this text has typographic quotes", span, "");
        self.report(diagnostic.help("texts are written with `\"`"));
    }

    pub(super) fn unknown(&mut self, start: usize, end: usize) {
        self.push(K::Unknown, start, end);
        let span = self.span(start, end);
        let written = &self.text[start..end];
        let first = written.chars().next().unwrap_or(' ');
        let diagnostic = match first {
            '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{2018}' | '\u{2019}' => {
                Diagnostic::error("E0107", format!("`{first}` is a typographic quote"), span, "")
                    .help("texts are written with `\"`")
            }
            '\'' => Diagnostic::error("E0107", "`'` is not used in Weir", span, "")
                .help("texts are written with `\"`"),
            c if c.is_alphabetic() => Diagnostic::error(
                "E0107",
                format!("`{written}` cannot be part of a name"),
                span,
                "",
            )
            .help(
                "names are made of the letters a to z, digits and hyphens; in a text any character can stand",
            ),
            '&' => Diagnostic::error("E0107", "`&` is not used in Weir", span, "")
                .help("the logical operator is `and`; bits are combined with `a.bit-and(b)`"),
            '^' | '~' => Diagnostic::error("E0107", format!("`{first}` is not used in Weir"), span, "")
                .help("bit operations and powers are functions, such as `a.bit-xor(b)` and `x.pow(y)`"),
            '\\' => Diagnostic::error("E0107", "`\\` is only used inside a text", span, ""),
            c if c.is_control() || !c.is_ascii() => {
                let code = u32::from(c);
                Diagnostic::error(
                    "E0107",
                    format!("the character U+{code:04X} is not used in Weir"),
                    span,
                    "",
                )
            }
            c => Diagnostic::error("E0107", format!("`{c}` is not used in Weir"), span, ""),
        };
        self.report(diagnostic);
    }
}

fn number_fault(fault: NumberFault, written: &str, span: Span) -> Diagnostic {
    let error = |message: String| Diagnostic::error("E0106", message, span, "");
    match fault {
        NumberFault::FloatRange => {
            error(format!("`{written}` does not fit into a Float")).help("the largest Float is about 1.8e308")
        }
        NumberFault::FractionOfUnit => error(format!("`{written}` has a fraction"))
            .help("use a smaller unit, such as `1500ms` for one and a half seconds"),
        NumberFault::Suffix => error(format!("`{written}` is neither a number nor a name")).help(
            "durations end in ns, us, ms, s, m, h or d; sizes in kb, mb, gb or tb; names start with a letter",
        ),
        NumberFault::Digits => error(format!("`{written}` is not a number"))
            .help("hexadecimal numbers are written `0xff`, binary ones `0b1010`"),
        NumberFault::Underscore => error(format!("a `_` of `{written}` does not stand between two digits"))
            .help("underscores group digits, as in `1_000_000`"),
        NumberFault::IntRange => error(format!("`{written}` does not fit into an Int"))
            .help("an Int has 64 bits: -9223372036854775808 to 9223372036854775807"),
        NumberFault::DurationRange => error(format!("`{written}` is too long for a duration"))
            .help("durations count nanoseconds in 64 bits, which is about 292 years"),
    }
}
