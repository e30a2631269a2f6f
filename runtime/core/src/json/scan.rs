//! The tokens of JSON.
//!
//! In: the bytes of a Text, which is valid UTF-8, and a position. Out: numbers, strings and what stands between them, or
//! what is wrong there. Strings without escapes are parts of the input.

use super::MAX_DEPTH;

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    text: &'a str,
    /// The next byte.
    pub at: usize,
}

/// What is wrong at a place: `expected X, found Y` or a sentence.
#[derive(Debug)]
pub struct Bad {
    /// The byte that it is about.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// The text is no JSON; otherwise it is, as far as it was read, but not that of the type.
    pub is_malformed: bool,
}

impl Bad {
    /// The text is no JSON.
    pub fn malformed(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), is_malformed: true }
    }

    /// It is not that of the type.
    pub fn mismatch(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), is_malformed: false }
    }
}

/// A number as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Number<'a> {
    /// All of it.
    pub text: &'a str,
    /// It has neither fraction nor exponent.
    pub is_integer: bool,
}

/// How much of a text came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Its end did not come yet.
    More,
    /// Its end is behind.
    Last,
}

/// A text of more bytes is read in pieces.
const LONG: usize = if cfg!(feature = "stress") { 6 } else { 16 * 1024 };

/// A word with that byte in each place.
const fn each(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}

/// How many bytes of a string come before its end, an escape, or a byte that must not stand there.
#[inline]
pub fn plain(bytes: &[u8]) -> usize {
    const HIGH: u64 = each(0x80);
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("8 bytes"));
        // In each: the high bit of the first byte that is 0, and of no byte before it.
        let zero = |word: u64| word.wrapping_sub(each(1)) & !word & HIGH;
        let control = word.wrapping_sub(each(0x20)) & !word & HIGH;
        let found = zero(word ^ each(b'"')) | zero(word ^ each(b'\\')) | control;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = &bytes[at..];
    at + rest.iter().position(|b| matches!(b, b'"' | b'\\' | ..0x20)).unwrap_or(rest.len())
}

impl<'a> Scan<'a> {
    /// A place in `text`.
    pub fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The next byte; `None` at the end.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    /// The next byte behind white space.
    #[inline]
    pub fn token(&mut self) -> Option<u8> {
        while let Some(byte) = self.peek() {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Takes the next token if it is that byte.
    #[inline]
    pub fn takes(&mut self, byte: u8) -> bool {
        let is_it = self.token() == Some(byte);
        self.at += is_it as usize;
        is_it
    }

    /// Takes that byte, which must be the next token.
    #[inline]
    pub fn expect(&mut self, byte: u8, name: &str) -> Result<(), Bad> {
        match byte {
            _ if self.takes(byte) => Ok(()),
            b'[' | b'{' => Err(self.expected(name)),
            _ => Err(self.misplaced(name)),
        }
    }

    /// Takes that word, of which the first byte is there.
    fn word(&mut self, word: &str) -> Result<(), Bad> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.expected("a value"))
    }

    /// Takes `null` if it is there.
    #[inline]
    pub fn takes_null(&mut self) -> Result<bool, Bad> {
        if self.token() != Some(b'n') {
            return Ok(false);
        }
        self.word("null").map(|()| true)
    }

    /// `true` or `false`.
    #[inline]
    pub fn boolean(&mut self) -> Result<bool, Bad> {
        match self.token() {
            Some(b't') => self.word("true").map(|()| true),
            Some(b'f') => self.word("false").map(|()| false),
            _ => Err(self.expected("Bool")),
        }
    }

    /// A number, where one is there; `wanted` is what it is for.
    #[inline]
    pub fn number(&mut self, wanted: &str) -> Result<Number<'a>, Bad> {
        if !matches!(self.token(), Some(b'-' | b'0'..=b'9')) {
            return Err(self.expected(wanted));
        }
        let bytes = self.bytes();
        let start = self.at;
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut at = start + (bytes[start] == b'-') as usize;
        let whole = digits(at);
        let is_bad = whole == 0 || whole > 1 && bytes[at] == b'0';
        at += whole;
        let mut is_integer = true;
        let mut ends_early = is_bad;
        if bytes.get(at) == Some(&b'.') {
            let decimals = digits(at + 1);
            at += 1 + decimals;
            is_integer = false;
            ends_early |= decimals == 0;
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = matches!(bytes.get(at + 1), Some(b'+' | b'-')) as usize;
            let exponent = digits(at + 1 + sign);
            at += 1 + sign + exponent;
            is_integer = false;
            ends_early |= exponent == 0;
        }
        if ends_early {
            return Err(Bad::malformed(start, "this is not a number as JSON writes it"));
        }
        self.at = at;
        Ok(Number { text: &self.text[start..at], is_integer })
    }

    /// A string: a part of the input, or with escapes resolved in `buffer`.
    #[inline]
    pub fn string<'b>(&mut self, wanted: &str, buffer: &'b mut Vec<u8>) -> Result<&'b str, Bad>
    where
        'a: 'b,
    {
        if self.token() != Some(b'"') {
            return Err(self.expected(wanted));
        }
        let start = self.at + 1;
        let end = start + plain(&self.bytes()[start..]);
        if self.bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(&self.text[start..end]);
        }
        buffer.clear();
        self.at = start;
        self.escaped(buffer)?;
        // SAFETY: parts of a text between ASCII bytes, and characters, make a text.
        Ok(unsafe { std::str::from_utf8_unchecked(buffer) })
    }

    /// The string that comes, if it is short and without escapes.
    #[inline]
    pub fn short_string(&mut self, wanted: &str) -> Result<Option<&'a str>, Bad> {
        if self.token() != Some(b'"') {
            return Err(self.expected(wanted));
        }
        let (start, bytes) = (self.at + 1, self.bytes());
        let end = start + plain(&bytes[start..bytes.len().min(start + LONG)]);
        let is_whole = bytes.get(end) == Some(&b'"');
        if is_whole {
            self.at = end + 1;
        }
        Ok(is_whole.then(|| &self.text[start..end]))
    }

    /// The rest of a string that has escapes, up to its end.
    #[cold]
    fn escaped(&mut self, buffer: &mut Vec<u8>) -> Result<(), Bad> {
        let opened = self.at - 1;
        self.characters(opened, usize::MAX, |part| buffer.extend_from_slice(part)).map(drop)
    }

    /// The next characters of the string that began at `opened`, of about so many bytes, with escapes resolved.
    pub fn characters(
        &mut self,
        opened: usize,
        most: usize,
        mut put: impl FnMut(&[u8]),
    ) -> Result<Piece, Bad> {
        let bytes = self.bytes();
        let end = self.at.saturating_add(most).min(bytes.len());
        while self.at < end {
            let rest = &bytes[self.at..end];
            let len = plain(rest);
            put(&rest[..len]);
            self.at += len;
            match self.peek() {
                _ if self.at == end => {}
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Piece::Last);
                }
                Some(b'\\') => {
                    let c = self.escape()?;
                    put(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => {
                    let message = "a control character in a text is written as an escape";
                    return Err(Bad::malformed(self.at, message));
                }
            }
        }
        if self.at < bytes.len() {
            return Ok(Piece::More);
        }
        Err(Bad::malformed(opened, "this text does not end"))
    }

    fn escape(&mut self) -> Result<char, Bad> {
        let start = self.at;
        let bad = || Bad::malformed(start, "this is not an escape");
        let c = match self.bytes().get(start + 1) {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(*c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.unit(start).ok_or_else(bad)?;
                self.at = start + 6;
                let is_pair = (0xD800..0xDC00).contains(&first);
                let second = if is_pair { self.unit(start + 6) } else { None };
                let code = match second {
                    Some(second @ 0xDC00..0xE000) => {
                        self.at = start + 12;
                        0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
                    }
                    _ => first,
                };
                return char::from_u32(code)
                    .ok_or_else(|| Bad::malformed(start, "half of a surrogate pair is no character"));
            }
            _ => return Err(bad()),
        };
        self.at = start + 2;
        Ok(c)
    }

    /// The value of `\uXXXX` at a place.
    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.bytes().get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
    }

    /// A key and its colon.
    #[inline]
    pub fn key<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<&'b str, Bad>
    where
        'a: 'b,
    {
        if self.token() != Some(b'"') {
            return Err(self.misplaced("a name in quotes"));
        }
        let key = self.string("a name in quotes", buffer)?;
        self.expect(b':', "`:`")?;
        Ok(key)
    }

    /// Lists and objects stand too deep in each other here.
    #[cold]
    pub fn too_deep(&self) -> Bad {
        Bad::malformed(self.at, format!("lists and objects are nested deeper than {MAX_DEPTH}"))
    }

    /// A value of another type was expected here, or any value at all.
    #[cold]
    pub fn expected(&mut self, wanted: &str) -> Bad {
        self.token();
        let rest = &self.text[self.at..];
        let is_value = matches!(self.peek(), Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9'))
            || ["true", "false", "null"].iter().any(|word| rest.starts_with(word));
        Bad { is_malformed: !is_value, ..self.misplaced(wanted) }
    }

    /// Something between values was expected here.
    #[cold]
    pub fn misplaced(&mut self, wanted: &str) -> Bad {
        self.token();
        Bad::malformed(self.at, format!("expected {wanted}, found {}", self.found()))
    }

    /// What stands here, in words.
    pub fn found(&self) -> String {
        /// So much of a text or number is shown.
        const SHOWN: usize = 24;
        let shorten = |text: &str| match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text.to_owned(),
        };
        let rest = &self.text[self.at..];
        match self.peek() {
            None => "the end".to_owned(),
            Some(b'{') => "an object".to_owned(),
            Some(b'[') => "a list".to_owned(),
            Some(b'"') => {
                let mut buffer = Vec::new();
                match Scan::new(self.text, self.at).string("", &mut buffer) {
                    Ok(text) => format!("text {:?}", shorten(text)),
                    Err(_) => "a text without an end".to_owned(),
                }
            }
            Some(b'-' | b'0'..=b'9') => {
                let len = rest.find(|c: char| !matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9'));
                shorten(&rest[..len.unwrap_or(rest.len())])
            }
            _ => {
                let word: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
                match rest.chars().next() {
                    Some(c) if word.is_empty() => format!("`{c}`"),
                    _ => format!("`{}`", shorten(&word)),
                }
            }
        }
    }
}

/// Line and column of a byte, from 1; columns are characters.
pub fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at.min(text.len()))];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
