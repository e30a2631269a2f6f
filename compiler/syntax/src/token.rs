//! Tokens: the kinds of words and marks a program is made of.
//!
//! A text literal is several tokens in one flat stream: `TextStart`, then any mix of `TextPiece` and `InterpStart`
//! ... `InterpEnd` around the tokens of an expression and maybe a `Colon` and a `Format`, then `TextEnd`.
//! Invariant: the tokens of a file lie in text order without overlap, and what lies between them is blank.
//! Not here: cutting text into tokens (`lexer`), and what newlines mean (`parser::layout`).

use crate::span::Span;

/// One token and where it stands. A token that recovery made up has an empty span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where.
    pub span: Span,
}

macro_rules! token_kinds {
    ($($(#[$doc:meta])* $kind:ident $shown:literal),* $(,)?) => {
        /// What a token is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum TokenKind {
            $($(#[$doc])* $kind),*
        }

        impl TokenKind {
            /// Every kind, in the order of the declaration.
            pub const ALL: &'static [TokenKind] = &[$(TokenKind::$kind),*];

            /// How messages speak of it.
            pub fn describe(self) -> &'static str {
                match self {
                    $(TokenKind::$kind => $shown),*
                }
            }
        }
    };
}

token_kinds! {
    /// A kebab-case name.
    Name "a name",
    /// A CamelCase name.
    TypeName "a type name",
    /// `_`
    Underscore "`_`",
    /// A whole number or size.
    Int "a number",
    /// A number with a fraction or an exponent.
    Float "a number",
    /// A time span such as `250ms`.
    Duration "a duration",
    /// `r"..."`
    RawText "a text",
    /// `b"..."`
    Bytes "bytes",
    /// The opening `"` or `"""`.
    TextStart "a text",
    /// Characters and escapes of a text.
    TextPiece "a piece of text",
    /// `{` in a text.
    InterpStart "`{`",
    /// What stands behind the `:` of an interpolation.
    Format "a format",
    /// The `}` that ends an interpolation.
    InterpEnd "`}`",
    /// The closing `"` or `"""`.
    TextEnd "the end of the text",
    /// `let`
    Let "`let`",
    /// `var`
    Var "`var`",
    /// `fn`
    Fn "`fn`",
    /// `type`
    Type "`type`",
    /// `pub`
    Pub "`pub`",
    /// `if`
    If "`if`",
    /// `else`
    Else "`else`",
    /// `match`
    Match "`match`",
    /// `for`
    For "`for`",
    /// `in`
    In "`in`",
    /// `while`
    While "`while`",
    /// `loop`
    Loop "`loop`",
    /// `return`
    Return "`return`",
    /// `break`
    Break "`break`",
    /// `continue`
    Continue "`continue`",
    /// `fail`
    Fail "`fail`",
    /// `assert`
    Assert "`assert`",
    /// `yield`
    Yield "`yield`",
    /// `defer`
    Defer "`defer`",
    /// `use`
    Use "`use`",
    /// `as`
    As "`as`",
    /// `test`
    Test "`test`",
    /// `route`
    Route "`route`",
    /// `and`
    And "`and`",
    /// `or`
    Or "`or`",
    /// `not`
    Not "`not`",
    /// `true`
    True "`true`",
    /// `false`
    False "`false`",
    /// A word kept for what the language will have.
    Reserved "a reserved word",
    /// `(`
    LParen "`(`",
    /// `)`
    RParen "`)`",
    /// `[`
    LBracket "`[`",
    /// `]`
    RBracket "`]`",
    /// `{`
    LBrace "`{`",
    /// `}`
    RBrace "`}`",
    /// `,`
    Comma "`,`",
    /// `;`
    Semi "`;`",
    /// `:`
    Colon "`:`",
    /// `.`
    Dot "`.`",
    /// `..`
    DotDot "`..`",
    /// `..=`
    DotDotEq "`..=`",
    /// `=`
    Assign "`=`",
    /// `==`
    EqEq "`==`",
    /// `!=`
    NotEq "`!=`",
    /// `<`
    Lt "`<`",
    /// `<=`
    Le "`<=`",
    /// `>`
    Gt "`>`",
    /// `>=`
    Ge "`>=`",
    /// `+`
    Plus "`+`",
    /// `-`
    Minus "`-`",
    /// `*`
    Star "`*`",
    /// `/`
    Slash "`/`",
    /// `%`
    Percent "`%`",
    /// `?`
    Question "`?`",
    /// `??`
    Coalesce "`??`",
    /// `->`
    Arrow "`->`",
    /// `=>`
    FatArrow "`=>`",
    /// `|`
    Pipe "`|`",
    /// `&&`, of other languages.
    AndAnd "`&&`",
    /// `||`, of other languages.
    OrOr "`||`",
    /// `!`: behind a type; elsewhere of other languages.
    Bang "`!`",
    /// `++`, of other languages.
    PlusPlus "`++`",
    /// `+=` and its like, of other languages.
    OpAssign "an assignment operator",
    /// A literal that was reported as wrong.
    BadLiteral "a literal",
    /// A character that was reported as not of the language.
    Unknown "an unknown character",
    /// The end of a line.
    Newline "the end of the line",
    /// `# ...`
    Comment "a comment",
    /// `## ...`
    DocComment "a documentation comment",
    /// Made by `parser::layout`: the end of a statement.
    Sep "the end of the line",
    /// Made by `parser::layout`: a `(` that opens the parameters of a lambda.
    LambdaOpen "`(`",
    /// Made by `parser::layout`: the `=>` behind an arm's pattern and guard.
    ArmArrow "`=>`",
    /// Made by `parser::layout`: `-9223372036854775808`.
    MinInt "a number",
    /// Made by `parser::layout`: the `html` of `html"..."`.
    HtmlMark "a text",
    /// Made by `parser::layout`: `stream`, `spawn` or `background` in front of a block.
    FormWord "a block",
    /// Made by `parser::layout`: `native` behind the `=` of a declaration.
    Native "`native`",
}

impl TokenKind {
    /// Whether the parser does not see it.
    pub fn is_trivia(self) -> bool {
        matches!(self, Self::Newline | Self::Comment | Self::DocComment)
    }

    /// Whether it is a word that cannot be a name.
    pub fn is_keyword(self) -> bool {
        (Self::Let..=Self::Reserved).contains(&self)
    }

    /// Whether it stands between two operands.
    pub fn is_infix(self) -> bool {
        (Self::DotDot..=Self::Percent).contains(&self) && self != Self::Assign
            || matches!(self, Self::Coalesce | Self::And | Self::Or | Self::In | Self::AndAnd | Self::OrOr)
    }

    /// Whether an operand can end with it.
    pub fn ends_operand(self) -> bool {
        matches!(
            self,
            Self::Name
                | Self::TypeName
                | Self::Underscore
                | Self::Int
                | Self::MinInt
                | Self::Float
                | Self::Duration
                | Self::RawText
                | Self::Bytes
                | Self::TextEnd
                | Self::True
                | Self::False
                | Self::RParen
                | Self::RBracket
                | Self::RBrace
                | Self::Question
                | Self::BadLiteral
        )
    }

    /// Whether an expression can start with it.
    pub fn starts_operand(self) -> bool {
        matches!(
            self,
            Self::Name
                | Self::TypeName
                | Self::Int
                | Self::MinInt
                | Self::Float
                | Self::Duration
                | Self::RawText
                | Self::Bytes
                | Self::HtmlMark
                | Self::TextStart
                | Self::True
                | Self::False
                | Self::LParen
                | Self::LambdaOpen
                | Self::LBracket
                | Self::LBrace
                | Self::If
                | Self::Match
                | Self::For
                | Self::While
                | Self::Loop
                | Self::Not
                | Self::Minus
                | Self::FormWord
                | Self::BadLiteral
        )
    }

    /// The bracket that closes this one, for an opening bracket.
    pub fn closer(self) -> Option<TokenKind> {
        match self {
            Self::LParen | Self::LambdaOpen => Some(Self::RParen),
            Self::LBracket => Some(Self::RBracket),
            Self::LBrace => Some(Self::RBrace),
            Self::InterpStart => Some(Self::InterpEnd),
            Self::TextStart => Some(Self::TextEnd),
            _ => None,
        }
    }

    /// Whether it closes what an opening bracket opened.
    pub fn is_closer(self) -> bool {
        matches!(self, Self::RParen | Self::RBracket | Self::RBrace | Self::InterpEnd | Self::TextEnd)
    }
}
