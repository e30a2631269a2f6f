//! How an interpolated value is to be written, as one word that the compiler passes to the natives `format-...`.
//!
//! Invariant: `Format::unpack(format.pack()) == format` for a width and a precision up to [`MAX_WIDTH`].

/// The largest width and precision.
pub const MAX_WIDTH: u32 = 1000;

/// Where a text stands within its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Numbers at the right, all else at the left.
    Natural,
    /// At the left.
    Left,
    /// In the middle, nearer to the left.
    Center,
    /// At the right.
    Right,
}

/// How digits are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// As in the text form; with a precision in decimal digits without an exponent.
    Natural,
    /// `x`
    Hex,
    /// `X`
    UpperHex,
    /// `b`
    Binary,
    /// `o`
    Octal,
    /// `e`
    Exponent,
    /// `f`
    Fixed,
}

/// The parts of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// What fills the width up.
    pub fill: char,
    /// Where the text stands.
    pub align: Align,
    /// Whether a positive number has a sign as well.
    pub plus: bool,
    /// Whether zeros fill between sign and digits.
    pub zero: bool,
    /// Whether thousands are separated by `,`.
    pub thousands: bool,
    /// How digits are written.
    pub notation: Notation,
    /// The least number of characters.
    pub width: u32,
    /// Digits behind the point of a Float; the most characters of any other value.
    pub precision: Option<u32>,
}

const ALIGNS: [Align; 4] = [Align::Natural, Align::Left, Align::Center, Align::Right];
const NOTATIONS: [Notation; 7] = [
    Notation::Natural,
    Notation::Hex,
    Notation::UpperHex,
    Notation::Binary,
    Notation::Octal,
    Notation::Exponent,
    Notation::Fixed,
];

impl Format {
    /// Nothing asked for.
    pub const PLAIN: Self = Self {
        fill: ' ',
        align: Align::Natural,
        plus: false,
        zero: false,
        thousands: false,
        notation: Notation::Natural,
        width: 0,
        precision: None,
    };

    /// From the lowest bit: fill 21, align 2, plus, zero, thousands, notation 3, width 10, precision + 1 10.
    pub fn pack(self) -> i64 {
        let precision = self.precision.map_or(0, |digits| u64::from(digits) + 1);
        let word = u64::from(u32::from(self.fill))
            | (self.align as u64) << 21
            | u64::from(self.plus) << 23
            | u64::from(self.zero) << 24
            | u64::from(self.thousands) << 25
            | (self.notation as u64) << 26
            | u64::from(self.width) << 29
            | precision << 39;
        word as i64
    }

    /// What `pack` made.
    pub fn unpack(word: i64) -> Self {
        let bits = |from: u32, count: u32| (word as u64 >> from) as u32 & ((1 << count) - 1);
        Self {
            fill: char::from_u32(bits(0, 21)).unwrap_or(' '),
            align: ALIGNS[bits(21, 2) as usize],
            plus: bits(23, 1) == 1,
            zero: bits(24, 1) == 1,
            thousands: bits(25, 1) == 1,
            notation: NOTATIONS.get(bits(26, 3) as usize).copied().unwrap_or(Notation::Natural),
            width: bits(29, 10),
            precision: bits(39, 10).checked_sub(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        for align in ALIGNS {
            for notation in NOTATIONS {
                for precision in [None, Some(0), Some(2), Some(MAX_WIDTH)] {
                    let format = Format {
                        fill: char::MAX,
                        align,
                        plus: true,
                        zero: align == Align::Left,
                        thousands: notation == Notation::Hex,
                        notation,
                        width: MAX_WIDTH,
                        precision,
                    };
                    assert_eq!(Format::unpack(format.pack()), format);
                }
            }
        }
        assert_eq!(Format::unpack(Format::PLAIN.pack()), Format::PLAIN);
    }
}
