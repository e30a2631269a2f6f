//! Texts and interpolations that are not closed: where each is taken to end, so that the rest of the program can be read.
//!
//! In: a line end or the end of the file within one. Out: a diagnostic, and the tokens that close what is open.

use super::{Lexer, Mode};
use crate::diag::Diagnostic;
use crate::token::TokenKind as K;

impl Lexer<'_> {
    /// At a line end: makes the best of the outermost `"` text, which is not closed, and reports it.
    pub(super) fn end_line_texts(&mut self) {
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
    pub(super) fn end_of_file(&mut self) -> bool {
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

    /// A literal of one line that is not closed: it is no token of any use.
    pub(super) fn unclosed(&mut self, start: usize, end: usize, message: &str) {
        self.push(K::BadLiteral, start, end);
        let opening = self.span(start, start + 2);
        self.report(Diagnostic::error("E0104", message, opening, "the text starts here"));
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
}
