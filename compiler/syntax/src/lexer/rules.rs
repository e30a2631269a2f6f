//! What a token looks like: the rules of the three sub-lexers, and the words that cannot be names.
//!
//! Not here: which sub-lexer is at work, and what a token does (`lexer`).

use crate::token::TokenKind as K;
use logos::Logos;

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
pub(super) fn word(text: &str) -> K {
    // The longest keyword has eight letters; most names are told apart by the length alone.
    if text.len() > 8 {
        return K::Name;
    }
    KEYWORDS.iter().find(|(word, _)| *word == text).map_or(K::Name, |&(_, kind)| kind)
}

#[derive(Logos, Clone, Copy, Debug, PartialEq)]
#[logos(skip(r"[ \t\r\u{FEFF}]+", priority = 9))]
pub(super) enum Code {
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
pub(super) enum InLine {
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
pub(super) enum InBlock {
    #[regex(r#"([^"\\{]|\\[^u]|\\u|\\u\{[^}"\n]*\})+"#, allow_greedy = true)]
    #[token("\"")]
    Piece,
    #[token("{")]
    Open,
    #[token("\"\"\"")]
    Quote,
}
