//! Formats of interpolations: what stands behind the colon of `{x:>10.2}`.
//!
//! In: its characters. Out: a [`Format`], or what is wrong with them.
//! Not here: which formats a type has (`check`), and writing values by one (the runtime).

use std::fmt;

use crate::ast::{Align, Format};
use crate::diag::Diagnostic;
use crate::span::Span;

/// The largest width and precision. Arbitrary: wider than any line, and small next to the least heap.
pub const MAX_WIDTH: u32 = 1000;

/// The format that is written as `text`, which stands at `span`.
pub fn parse(text: &str, span: Span) -> Result<Format, Box<Diagnostic>> {
    let error = |message: String| Box::new(Diagnostic::error("E0125", message, span, ""));
    let mut format = Format {
        fill: ' ',
        align: None,
        plus: false,
        zero: false,
        width: 0,
        thousands: false,
        precision: None,
        kind: None,
        span,
    };
    let mut rest = Rest(text);
    if let Some(align) = text.chars().nth(1).and_then(align) {
        format.fill = rest.next().expect("there are two characters");
        format.align = Some(align);
        rest.next();
    } else if let Some(align) = text.chars().next().and_then(align) {
        format.align = Some(align);
        rest.next();
    }
    format.plus = rest.take('+');
    format.zero = rest.take('0');
    let too_large = || error(format!("a width or precision is at most {MAX_WIDTH}"));
    if let Some(width) = rest.number() {
        format.width = width.filter(|&width| width <= MAX_WIDTH).ok_or_else(too_large)?;
    }
    format.thousands = rest.take(',');
    if rest.take('.') {
        let digits = rest.number().ok_or_else(|| {
            Box::new(
                error("a precision is a number".to_string()).help("two digits behind the point are `{x:.2}`"),
            )
        })?;
        format.precision = Some(digits.filter(|&digits| digits <= MAX_WIDTH).ok_or_else(too_large)?);
    }
    let kind = rest.0.chars().next().filter(|kind| "xXboef".contains(*kind));
    if kind.is_some() {
        rest.next();
        format.kind = kind;
    }
    check_together(&format).map_err(|message| error(message.to_string()))?;
    if text.is_empty() || !rest.0.is_empty() {
        let message = match text {
            "" => "there is no format behind the colon".to_string(),
            _ => format!("`{text}` is not a format"),
        };
        return Err(Box::new(error(message).help(parts(rest.0))));
    }
    Ok(format)
}

/// What contradicts itself, whatever the value.
fn check_together(format: &Format) -> Result<(), &'static str> {
    let radix = matches!(format.kind, Some('x' | 'X' | 'b' | 'o'));
    match format {
        Format { zero: true, align: Some(_), .. } => {
            Err("`0` fills the width up itself and takes no alignment")
        }
        Format { zero: true, thousands: true, .. } => Err("`0` and `,` do not go together"),
        Format { thousands: true, .. } if radix => Err("`,` separates decimal digits only"),
        Format { thousands: true, kind: Some('e'), .. } => Err("`,` does not go with an exponent"),
        Format { precision: Some(_), .. } if radix => Err("a whole number has no digits behind the point"),
        _ => Ok(()),
    }
}

/// What a format is made of; `rest` is what was not understood.
fn parts(rest: &str) -> String {
    if rest.starts_with('{') {
        return "widths and precisions are numbers; for a computed width use `x.pad-start(n)` or `x.pad-end(n)`"
            .to_string();
    }
    "a format is made of `[[fill]align][+][0][width][,][.precision][kind]`, such as `{x:.2}`, `{x:>10}`, `{x:*^20}`, \
     `{n:+}`, `{n:08x}` or `{n:,}`; it is aligned by `<`, `^` or `>`, and its kind is one of `x X b o e f`"
        .to_string()
}

fn align(mark: char) -> Option<Align> {
    Some(match mark {
        '<' => Align::Left,
        '^' => Align::Center,
        '>' => Align::Right,
        _ => return None,
    })
}

/// What is left of a format.
struct Rest<'t>(&'t str);

impl Rest<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.0.chars();
        let next = chars.next();
        self.0 = chars.as_str();
        next
    }

    fn take(&mut self, mark: char) -> bool {
        let found = self.0.starts_with(mark);
        if found {
            self.next();
        }
        found
    }

    /// Digits; `None` when there are none, `Some(None)` when they are far too many.
    fn number(&mut self) -> Option<Option<u32>> {
        let len = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(len);
        self.0 = rest;
        (len > 0).then(|| digits.parse().ok())
    }
}

/// As it is written, in the one way there is.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(align) = self.align {
            if self.fill != ' ' {
                write!(f, "{}", self.fill)?;
            }
            f.write_str(match align {
                Align::Left => "<",
                Align::Center => "^",
                Align::Right => ">",
            })?;
        }
        f.write_str(if self.plus { "+" } else { "" })?;
        f.write_str(if self.zero { "0" } else { "" })?;
        if self.width > 0 {
            write!(f, "{}", self.width)?;
        }
        f.write_str(if self.thousands { "," } else { "" })?;
        if let Some(precision) = self.precision {
            write!(f, ".{precision}")?;
        }
        self.kind.map_or(Ok(()), |kind| write!(f, "{kind}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::FileId;

    fn at() -> Span {
        Span::new(FileId(0), 0, 0)
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let written = [
            ".2", ">10", "*^20", "+", "08x", ",", "0>5", "é<3", "+012.3f", "+12,.3f", "<<4", "5", "0", "X",
            ".0e", "00",
        ];
        for text in written {
            let format = parse(text, at()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            let shown = format.to_string();
            assert_eq!(parse(&shown, at()), Ok(format), "{text} -> {shown}");
        }
        assert_eq!(parse(" >5", at()).map(|format| format.to_string()), Ok(">5".to_string()));
        let format = parse("_^+8,.2f", at()).expect("it is one");
        assert_eq!(
            (format.fill, format.align, format.plus, format.zero),
            ('_', Some(Align::Center), true, false)
        );
        assert_eq!((format.width, format.thousands, format.precision), (8, true, Some(2)));
        assert_eq!(format.kind, Some('f'));
    }

    #[test]
    fn what_is_none_says_so() {
        for (text, part) in [
            ("", "no format"),
            ("d", "`d` is not a format"),
            (".", "a precision is a number"),
            (".x", "a precision is a number"),
            ("1001", "at most 1000"),
            ("99999999999", "at most 1000"),
            (".2 ", "is not a format"),
            ("x2", "is not a format"),
            (">{n", "is not a format"),
            (">08", "takes no alignment"),
            ("08,", "do not go together"),
            (",x", "decimal digits only"),
            (",e", "exponent"),
            (".2b", "no digits behind the point"),
        ] {
            let message = parse(text, at()).expect_err(text).message;
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
