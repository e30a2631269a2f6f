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

use logos::Logos;

use crate::diag::Diagnostic;
use crate::literal::{self, Number, NumberFault};
use crate::span::{FileId, Span};
use crate::token::{Token, TokenKind as K};

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

/// The words that cannot be names.
const KEYWORDS: [(&str, K); 29] = [
    ("and", K::And),
    ("as", K::As),
    ("assert", K::Assert),
    ("break", K::Break),
    ("continue", K::Continue),
    ("defer", K::Defer),
    ("else", K::Else),
    ("fail", K::Fail),
    ("false", K::False),
    ("fn", K::Fn),
    ("for", K::For),
    ("if", K::If),
    ("in", K::In),
    ("let", K::Let),
    ("loop", K::Loop),
    ("match", K::Match),
    ("not", K::Not),
    ("or", K::Or),
    ("pub", K::Pub),
    ("return", K::Return),
    ("route", K::Route),
    ("test", K::Test),
    ("true", K::True),
    ("type", K::Type),
    ("use", K::Use),
    ("var", K::Var),
    ("while", K::While),
    ("yield", K::Yield),
    ("_", K::Underscore),
];

/// What a word is: a keyword or a name.
fn word(text: &str) -> K {
    // The longest keyword has eight letters; most names are told apart by the length alone.
    if text.len() > 8 {
        return K::Name;
    }
    KEYWORDS.iter().find(|(word, _)| *word == text).map_or(K::Name, |&(_, kind)| kind)
}

#[derive(Logos, Clone, Copy, Debug, PartialEq)]
#[logos(skip(r"[ \t\r\u{FEFF}]+", priority = 9))]
enum Code {
    #[token("\n")]
    Newline,
    #[regex(r"#[^\n]*", allow_greedy = true)]
    Comment,
    #[regex(r"[a-z_][A-Za-z0-9_]*(-[A-Za-z][A-Za-z0-9_]*)*")]
    Word,
    #[regex(r"[A-Z][A-Za-z0-9_]*")]
    TypeName,
    #[regex(r"[0-9][A-Za-z0-9_]*(\.[0-9][A-Za-z0-9_]*)?")]
    #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?[eE][+-][0-9][A-Za-z0-9_]*")]
    Number,
    #[token("\"")]
    Quote,
    #[token("\"\"\"")]
    BlockQuote,
    #[regex(r#"r"[^"\n]*""#)]
    RawText,
    #[regex(r#"r"[^"\n]*"#)]
    OpenRawText,
    #[regex(r#"b"([^"\\\n]|\\[^\n])*""#)]
    Bytes,
    #[regex(r#"b"([^"\\\n]|\\[^\n])*\\?"#)]
    OpenBytes,
    #[regex(r"'[^'\n]*'")]
    SingleQuoted,
    #[regex("[“”„][^“”„\n]*[“”]", priority = 9)]
    TypographicText,
    #[regex(r"[^\x00-\x7F]+")]
    NonAscii,
    #[token("(", |_| K::LParen)]
    #[token(")", |_| K::RParen)]
    #[token("[", |_| K::LBracket)]
    #[token("]", |_| K::RBracket)]
    #[token(",", |_| K::Comma)]
    #[token(";", |_| K::Semi)]
    #[token(":", |_| K::Colon)]
    #[token(".", |_| K::Dot)]
    #[token("..", |_| K::DotDot)]
    #[token("..=", |_| K::DotDotEq)]
    #[token("=", |_| K::Assign)]
    #[token("==", |_| K::EqEq)]
    #[token("!=", |_| K::NotEq)]
    #[token("<", |_| K::Lt)]
    #[token("<=", |_| K::Le)]
    #[token(">", |_| K::Gt)]
    #[token(">=", |_| K::Ge)]
    #[token("+", |_| K::Plus)]
    #[token("-", |_| K::Minus)]
    #[token("*", |_| K::Star)]
    #[token("/", |_| K::Slash)]
    #[token("%", |_| K::Percent)]
    #[token("?", |_| K::Question)]
    #[token("??", |_| K::Coalesce)]
    #[token("->", |_| K::Arrow)]
    #[token("=>", |_| K::FatArrow)]
    #[token("|", |_| K::Pipe)]
    #[token("&&", |_| K::AndAnd)]
    #[token("||", |_| K::OrOr)]
    #[token("!", |_| K::Bang)]
    #[token("++", |_| K::PlusPlus)]
    #[token("+=", |_| K::OpAssign)]
    #[token("-=", |_| K::OpAssign)]
    #[token("*=", |_| K::OpAssign)]
    #[token("/=", |_| K::OpAssign)]
    #[token("%=", |_| K::OpAssign)]
    Mark(K),
    #[token("{")]
    Open,
    #[token("}")]
    Close,
}

#[derive(Logos, Clone, Copy, Debug, PartialEq)]
enum InLine {
    #[regex(r#"([^"\\{\n]|\\[^\n]|\\u\{[^}"\n]*\})+"#)]
    Piece,
    #[token("{")]
    Open,
    #[token("\"")]
    Quote,
    #[token("\n")]
    Newline,
}

#[derive(Logos, Clone, Copy, Debug, PartialEq)]
enum InBlock {
    #[regex(r#"([^"\\{]|\\[^u]|\\u|\\u\{[^}"\n]*\})+"#, allow_greedy = true)]
    #[token("\"")]
    Piece,
    #[token("{")]
    Open,
    #[token("\"\"\"")]
    Quote,
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
                Ok(open @ (Code::OpenRawText | Code::OpenBytes)) => {
                    self.push(K::BadLiteral, start, end);
                    let message = match open {
                        Code::OpenBytes => "these bytes have no closing quote",
                        _ => "this text has no closing quote",
                    };
                    self.report(Diagnostic::error(
                        "E0104",
                        message,
                        self.span(start, start + 2),
                        "the text starts here",
                    ));
                }
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
                Ok(Code::Close) => match self.modes.last_mut() {
                    Some(Mode::Interp(_, 0, _)) => {
                        self.modes.pop();
                        self.push(K::InterpEnd, start, end);
                        return true;
                    }
                    Some(Mode::Interp(_, depth, _)) => {
                        *depth -= 1;
                        self.push(K::RBrace, start, end);
                    }
                    _ => self.push(K::RBrace, start, end),
                },
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
                Ok(Code::TypographicText) => {
                    self.push(K::BadLiteral, start, end);
                    let span = self.span(start, end);
                    let diagnostic = Diagnostic::error("E0107", "this text has typographic quotes", span, "");
                    self.report(diagnostic.help("texts are written with `\"`"));
                }
                Ok(Code::NonAscii) | Err(()) => self.unknown(start, end),
            }
        }
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

    /// At a line end: makes the best of the outermost `"` text, which is not closed, and reports it.
    fn end_line_texts(&mut self) {
        let Some(outermost) = self.modes.iter().position(|mode| matches!(mode, Mode::Line(_))) else {
            return;
        };
        self.report_unclosed(outermost);
        if self.modes.len() > outermost + 1 {
            if let Mode::Line(start) = self.modes[outermost] {
                self.end_at_last_quote(outermost, start);
            }
        } else {
            self.end_before_closers();
        }
        self.close_down_to(outermost);
    }

    /// An interpolation is open: the text that starts at `start` is taken to end at the last quote of the line, if there is one,
    /// all of it literal. Lexing goes on behind that quote.
    fn end_at_last_quote(&mut self, mode: usize, start: usize) {
        let Some(offset) = self.text[start + 1..self.at].rfind('"') else { return };
        let quote = start + 1 + offset;
        let first = self.tokens.partition_point(|token| (token.span.start as usize) < start);
        self.tokens.truncate(first);
        self.modes.truncate(mode);
        self.push(K::TextStart, start, start + 1);
        if start + 1 < quote {
            self.push(K::TextPiece, start + 1, quote);
        }
        self.push(K::TextEnd, quote, quote + 1);
        self.at = quote + 1;
    }

    /// A plain text without its quote: closing brackets at its end, whose partners stand in front of it, are no part of it.
    fn end_before_closers(&mut self) {
        let Some(&piece) = self.tokens.last().filter(|token| token.kind == K::TextPiece) else { return };
        let (start, end) = (piece.span.start as usize, piece.span.end as usize);
        let mut due = Vec::new();
        let line = self.tokens.iter().rposition(|token| token.kind == K::Newline).map_or(0, |at| at + 1);
        for token in &self.tokens[line..] {
            match token.kind {
                K::LParen => due.push(b')'),
                K::LBracket => due.push(b']'),
                K::LBrace => due.push(b'}'),
                K::RParen | K::RBracket | K::RBrace => drop(due.pop()),
                _ => {}
            }
        }
        let mut cut = end;
        for byte in self.text[start..end].bytes().rev() {
            if !matches!(byte, b')' | b']' | b'}' | b' ' | b';' | b'{' | b'\r') {
                break;
            }
            cut -= 1;
        }
        let closers: Vec<u8> =
            self.text[cut..end].bytes().filter(|b| matches!(b, b')' | b']' | b'}')).collect();
        let partners = due.iter().rev().take(closers.len()).copied().eq(closers.iter().copied());
        if closers.is_empty() || !partners {
            return;
        }
        let mode = self.modes.pop();
        debug_assert!(matches!(mode, Some(Mode::Line(_))));
        self.tokens.pop();
        if start < cut {
            self.push(K::TextPiece, start, cut);
        }
        self.push(K::TextEnd, cut, cut);
        self.at = cut;
    }

    /// Closes what is open at the end of the file. True when some of the text is to be looked at again.
    fn end_of_file(&mut self) -> bool {
        match self.modes.first() {
            None => false,
            Some(Mode::Line(_)) => {
                self.end_line_texts();
                true
            }
            Some(_) => {
                self.report_unclosed(0);
                self.close_down_to(0);
                false
            }
        }
    }

    fn close_down_to(&mut self, len: usize) {
        while self.modes.len() > len {
            let kind = if let Some(Mode::Interp(..)) = self.modes.pop() { K::InterpEnd } else { K::TextEnd };
            self.push(kind, self.at, self.at);
        }
    }

    fn report_unclosed(&mut self, index: usize) {
        let (start, quotes) = match self.modes[index] {
            Mode::Block(start) => (start, "\"\"\""),
            Mode::Line(start) | Mode::Interp(start, ..) => (start, "\""),
        };
        let opening = self.span(start, start + quotes.len());
        if let Some(&Mode::Interp(open, ..)) = self.modes.get(index + 1) {
            let brace = self.span(open, open + 1);
            let diagnostic =
                Diagnostic::error("E0104", "this interpolation is never closed", brace, "opened here");
            let help = "close it with `}`, or write `\\{` for a brace itself";
            return self.report(diagnostic.label(opening, "in the text that starts here").help(help));
        }
        let mut diagnostic =
            Diagnostic::error("E0104", "this text has no closing quote", opening, "the text starts here");
        if quotes == "\"" {
            let help =
                "a `\"` text ends on its line; a text over several lines starts and ends with `\"\"\"`";
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic);
    }

    fn check_escapes(&mut self, start: usize, end: usize) {
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

    fn number(&mut self, start: usize, end: usize) {
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

    fn bytes(&mut self, start: usize, end: usize) {
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

    fn single_quoted(&mut self, start: usize, end: usize) {
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

    fn unknown(&mut self, start: usize, end: usize) {
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
