//! The pieces of text literals.

use super::Expr;
use crate::span::Span;

/// A piece of a text literal.
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// Characters, escapes resolved.
    Literal(String),
    /// `{expr}`, `{expr:.2}`
    Expr(Expr, Option<Format>),
}

/// How an interpolated value is written: `[[fill]align][+][0][width][,][.precision][kind]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Format {
    /// What stands where the text is narrower than the width; a space by default.
    pub fill: char,
    /// `<`, `^` or `>`; by default numbers stand at the right, all else at the left.
    pub align: Option<Align>,
    /// `+`: a positive number has a sign as well.
    pub plus: bool,
    /// `0`: zeros fill between sign and digits.
    pub zero: bool,
    /// The least number of characters.
    pub width: u32,
    /// `,`: thousands are separated.
    pub thousands: bool,
    /// `.2`: digits behind the point of a Float; the most characters of any other value.
    pub precision: Option<u32>,
    /// `x X b o` for Ints, `e f` for Floats.
    pub kind: Option<char>,
    /// Behind the colon.
    pub span: Span,
}

/// Where a text stands within its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// `<`
    Left,
    /// `^`
    Center,
    /// `>`
    Right,
}
