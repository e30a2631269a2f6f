//! Text to tokens.
//!
//! In: any text. Out: its tokens (`token`) and what is wrong with single literals and characters.
//! Between two tokens there are only spaces, tabs, carriage returns and byte order marks; together they tile the text.
//!
//! Two sub-lexers take turns: `Code` for the program, `Line`/`Block` for what stands inside quotes. A stack says where we are:
//!
//! ```text
//! "Hello, {req.query.get("name") ?? "world"}!"
//! Line    Interp (Code)  Line    ^  Line      back in the outer Line
//! ```
//!
//! Invariant: a `"` text ends on its line. At the line's end everything up to the outermost open `"` text is closed by empty
//! tokens, so the parser always sees whole texts.
//! Not here: brackets that do not match and words of other languages (`parser::layout`).

mod literals;
mod rules;
mod unclosed;

use crate::diag::Diagnostic;
use crate::span::{FileId, Span};
use crate::token::{Token, TokenKind as K};
use logos::Logos;
use rules::{Code, InBlock, InLine, word};

/// Cuts `text` into tokens. Comments and line ends are tokens, blanks are the gaps between them.
pub fn lex(file: FileId, text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut lexer = Lexer {
        file,
        text,
        at: 0,
        tokens: Vec::with_capacity(text.len() / 4 + 8),
        diagnostics: Vec::new(),
        modes: Vec::new(),
    };
    lexer.run();
    (lexer.tokens, lexer.diagnostics)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    /// In a `"` text that starts at the offset.
    Line(usize),
    /// In a `"""` text that starts at the offset.
    Block(usize),
    /// In an interpolation whose `{` is at the offset, with so many `{`, and so many other brackets, open inside it.
    Interp(usize, u32, u32),
}

struct Lexer<'t> {
    file: FileId,
    text: &'t str,
    /// All of the text before it is done.
    at: usize,
    tokens: Vec<Token>,
    diagnostics: Vec<Diagnostic>,
    modes: Vec<Mode>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        loop {
            let more = match self.modes.last() {
                Some(&Mode::Line(start)) => self.line_text(start),
                Some(&Mode::Block(_)) => self.block_text(),
                Some(Mode::Interp(..)) | None => self.code(),
            };
            if !more && !self.end_of_file() {
                break;
            }
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn push(&mut self, kind: K, start: usize, end: usize) {
        self.tokens.push(Token { kind, span: self.span(start, end) });
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Program text, until a text starts or ends. False at the end of the file.
    fn code(&mut self) -> bool {
        let mut lex = Code::lexer(self.text);
        lex.bump(self.at);
        while let Some(code) = lex.next() {
            let logos::Span { start, end } = lex.span();
            self.at = end;
            match code {
                Ok(Code::Mark(kind)) => {
                    self.push(kind, start, end);
                    if self.starts_format(kind) {
                        self.format();
                        return true;
                    }
                }
                Ok(Code::Word) => self.push(word(lex.slice()), start, end),
                Ok(Code::TypeName) => self.push(K::TypeName, start, end),
                Ok(Code::Number) => self.number(start, end),
                Ok(Code::RawText) => self.push(K::RawText, start, end),
                Ok(Code::OpenRawText) => self.unclosed(start, end, "this text has no closing quote"),
                Ok(Code::OpenBytes) => self.unclosed(start, end, "these bytes have no closing quote"),
                Ok(Code::Comment) => {
                    let doc = lex.slice().starts_with("##");
                    self.push(if doc { K::DocComment } else { K::Comment }, start, end);
                }
                Ok(Code::Newline) => {
                    if self.modes.iter().any(|mode| matches!(mode, Mode::Line(_))) {
                        self.at = start;
                        self.end_line_texts();
                        return true;
                    }
                    self.push(K::Newline, start, end);
                }
                Ok(Code::Open) => {
                    if let Some(Mode::Interp(_, depth, _)) = self.modes.last_mut() {
                        *depth += 1;
                    }
                    self.push(K::LBrace, start, end);
                }
                Ok(Code::Close) => {
                    if self.closing_brace(start, end) {
                        return true;
                    }
                }
                Ok(Code::Quote) if self.begins_pattern() => {
                    self.pattern(start);
                    return true;
                }
                Ok(Code::Quote) => {
                    self.push(K::TextStart, start, end);
                    self.modes.push(Mode::Line(start));
                    return true;
                }
                Ok(Code::BlockQuote) => {
                    self.push(K::TextStart, start, end);
                    self.modes.push(Mode::Block(start));
                    return true;
                }
                Ok(Code::Bytes) => self.bytes(start, end),
                Ok(Code::SingleQuoted) => self.single_quoted(start, end),
                Ok(Code::TypographicText) => self.typographic_text(start, end),
                Ok(Code::NonAscii) | Err(()) => self.unknown(start, end),
            }
        }
        false
    }

    /// A `}`; whether it ends an interpolation.
    fn closing_brace(&mut self, start: usize, end: usize) -> bool {
        match self.modes.last_mut() {
            Some(Mode::Interp(_, 0, _)) => {
                self.modes.pop();
                self.push(K::InterpEnd, start, end);
                return true;
            }
            Some(Mode::Interp(_, depth, _)) => *depth -= 1,
            _ => {}
        }
        self.push(K::RBrace, start, end);
        false
    }

    /// Whether a text at hand is the pattern of a route: behind `route GET`, or `route` alone, whose method is missing.
    fn begins_pattern(&self) -> bool {
        let mut before = self.tokens.iter().rev().map(|token| token.kind);
        match before.next() {
            Some(K::TypeName | K::Name) => before.next() == Some(K::Route),
            last => last == Some(K::Route),
        }
    }

    /// A pattern, whose braces are no interpolations and which has no escapes: up to its quote, or the end of the line.
    fn pattern(&mut self, start: usize) {
        let first = start + 1;
        let rest = &self.text[first..];
        let mut end = first + rest.find(['"', '\n']).unwrap_or(rest.len());
        let closed = self.text[end..].starts_with('"');
        if !closed && let Some(pattern) = self.text[first..end].trim_end().strip_suffix('{') {
            // The block's brace at the end of the line is no part of it.
            end = first + pattern.trim_end().len();
        }
        self.push(K::TextStart, start, first);
        if first < end {
            self.push(K::TextPiece, first, end);
        }
        self.at = end + usize::from(closed);
        self.push(K::TextEnd, end, self.at);
        if !closed {
            let opening = self.span(start, first);
            let error =
                Diagnostic::error("E0104", "this pattern has no closing quote", opening, "it starts here");
            self.report(error);
        }
    }

    /// Keeps count of the brackets in an interpolation; true for the colon in front of its format.
    fn starts_format(&mut self, mark: K) -> bool {
        let Some(Mode::Interp(_, braces, brackets)) = self.modes.last_mut() else { return false };
        match mark {
            K::LParen | K::LBracket => *brackets += 1,
            K::RParen | K::RBracket => *brackets = brackets.saturating_sub(1),
            K::Colon => return *braces == 0 && *brackets == 0,
            _ => {}
        }
        false
    }

    /// What stands between the colon at hand and the end of the interpolation, or of the text or line.
    fn format(&mut self) {
        let start = self.at;
        let rest = &self.text[start..];
        let end = start + rest.find(['}', '"', '\n']).unwrap_or(rest.len());
        self.push(K::Format, start, end);
        self.at = end;
    }

    fn line_text(&mut self, text_start: usize) -> bool {
        let mut lex = InLine::lexer(self.text);
        lex.bump(self.at);
        while let Some(token) = lex.next() {
            let logos::Span { start, end } = lex.span();
            self.at = end;
            match token {
                Ok(InLine::Quote) => {
                    self.push(K::TextEnd, start, end);
                    self.modes.pop();
                    return true;
                }
                Ok(InLine::Open) => {
                    self.push(K::InterpStart, start, end);
                    self.modes.push(Mode::Interp(start, 0, 0));
                    return true;
                }
                Ok(InLine::Newline) => {
                    self.at = start;
                    debug_assert!(self.modes.contains(&Mode::Line(text_start)));
                    self.end_line_texts();
                    return true;
                }
                Ok(InLine::Piece) => {
                    self.push(K::TextPiece, start, end);
                    self.check_escapes(start, end);
                }
                // A backslash at the end of the line; the missing quote is reported next.
                Err(()) => self.push(K::TextPiece, start, end),
            }
        }
        false
    }

    fn block_text(&mut self) -> bool {
        let mut lex = InBlock::lexer(self.text);
        lex.bump(self.at);
        while let Some(token) = lex.next() {
            let logos::Span { start, end } = lex.span();
            self.at = end;
            match token {
                Ok(InBlock::Quote) => {
                    self.push(K::TextEnd, start, end);
                    self.modes.pop();
                    return true;
                }
                Ok(InBlock::Open) => {
                    self.push(K::InterpStart, start, end);
                    self.modes.push(Mode::Interp(start, 0, 0));
                    return true;
                }
                Ok(InBlock::Piece) => {
                    self.push(K::TextPiece, start, end);
                    self.check_escapes(start, end);
                }
                Err(()) => self.push(K::TextPiece, start, end),
            }
        }
        false
    }
}
