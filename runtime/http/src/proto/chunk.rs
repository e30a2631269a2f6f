//! Chunked bodies (RFC 9112 section 7.1): a decoder that takes any split of its input, and chunk framing.
//!
//! In: raw bytes. Out: body bytes and how much input was used. Invariants: sizes are at most 16 hex digits,
//! line ends are CRLF, extensions and trailers are validated, bounded and dropped.

use std::fmt;

use super::head::is_token_byte;

/// Bytes of all chunk extensions, and of all trailers, that one body may have. Arbitrary; nobody uses them.
const MAX_ASIDE: u32 = 16 * 1024;

/// A chunked body that breaks the grammar or its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkError(pub &'static str);

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ChunkError {}

/// The next byte is ...
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// a size digit, or what ends the digits
    Size { digits: u8 },
    /// a blank before `;`
    Blank,
    /// part of an extension
    Extension,
    /// the LF of the size line
    SizeEnd,
    /// body
    Data,
    /// the CR after a chunk's data
    DataCr,
    /// the LF after it
    DataLf,
    /// the first of a trailer line, or the CR of the last line
    LineStart,
    /// part of a trailer name
    TrailerName,
    /// part of a trailer value
    TrailerValue,
    /// the LF of a trailer line
    TrailerLf,
    /// the LF that ends the body
    LastLf,
    /// not part of this body
    Done,
}

/// Decodes one chunked body.
#[derive(Debug)]
pub struct ChunkDecoder {
    state: State,
    /// Of the current chunk: the size while it is read, then the bytes still to come.
    left: u64,
    /// Extension and trailer bytes seen, <= `MAX_ASIDE`.
    aside: u32,
}

impl Default for ChunkDecoder {
    fn default() -> Self {
        ChunkDecoder { state: State::Size { digits: 0 }, left: 0, aside: 0 }
    }
}

impl ChunkDecoder {
    /// Whether the last byte of the body was read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Appends the body bytes of `input` to `out`; returns how many bytes of `input` were used: all of them,
    /// unless the body ended before.
    pub fn decode(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, ChunkError> {
        let mut at = 0;
        while at < input.len() && self.state != State::Done {
            if self.state == State::Data {
                let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len() - at);
                out.extend_from_slice(&input[at..at + take]);
                at += take;
                self.left -= take as u64;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
            } else {
                self.state = self.step(input[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    fn step(&mut self, byte: u8) -> Result<State, ChunkError> {
        match (self.state, byte) {
            (State::Size { digits }, _) if byte.is_ascii_hexdigit() => self.digit(digits, byte),
            (State::Size { digits: 0 }, _) => Err(ChunkError("a chunk without a size")),
            (State::Size { .. } | State::Extension, b'\r') => Ok(State::SizeEnd),
            (State::Size { .. } | State::Blank, b';') => self.aside(State::Extension),
            (State::Size { .. } | State::Blank, b' ' | b'\t') => self.aside(State::Blank),
            (State::Extension, b'\t' | 0x20..=0x7e | 0x80..) => self.aside(State::Extension),
            (State::SizeEnd, b'\n') if self.left == 0 => Ok(State::LineStart),
            (State::SizeEnd, b'\n') => Ok(State::Data),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size { digits: 0 }),
            (State::LineStart, b'\r') => Ok(State::LastLf),
            (State::LineStart | State::TrailerName, _) if is_token_byte(byte) => {
                self.aside(State::TrailerName)
            }
            (State::TrailerName, b':') => self.aside(State::TrailerValue),
            (State::TrailerValue, b'\r') => Ok(State::TrailerLf),
            (State::TrailerValue, b'\t' | 0x20..=0x7e | 0x80..) => self.aside(State::TrailerValue),
            (State::TrailerLf, b'\n') => Ok(State::LineStart),
            (State::LastLf, b'\n') => Ok(State::Done),
            _ => Err(ChunkError("a malformed chunk")),
        }
    }

    fn digit(&mut self, digits: u8, byte: u8) -> Result<State, ChunkError> {
        if digits == 16 {
            return Err(ChunkError("a chunk size of more than 16 digits"));
        }
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            _ => (byte | 0x20) - b'a' + 10,
        };
        self.left = (self.left << 4) | u64::from(value);
        Ok(State::Size { digits: digits + 1 })
    }

    fn aside(&mut self, next: State) -> Result<State, ChunkError> {
        self.aside += 1;
        if self.aside > MAX_ASIDE {
            return Err(ChunkError("too many extension or trailer bytes"));
        }
        Ok(next)
    }
}

/// The chunk that ends a body.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends the size line of a chunk of `length` bytes; `length` is not 0.
pub fn size_line(out: &mut Vec<u8>, length: usize) {
    debug_assert!(length > 0, "an empty chunk would end the body");
    const HEX: &[u8; 16] = b"0123456789abcdef";
    // Items are small: two digits cover most of them without a loop.
    if length < 16 {
        out.extend_from_slice(&[HEX[length], b'\r', b'\n']);
    } else if length < 256 {
        out.extend_from_slice(&[HEX[length >> 4], HEX[length & 15], b'\r', b'\n']);
    } else {
        let digits = (usize::BITS - length.leading_zeros()).div_ceil(4);
        out.extend((0..digits).rev().map(|digit| HEX[(length >> (digit * 4)) & 15]));
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Decodes in pieces of `step` bytes: the body, the bytes used, and whether it ended.
    fn decode(input: &[u8], step: usize) -> Result<(Vec<u8>, usize, bool), ChunkError> {
        let (mut decoder, mut out, mut used) = (ChunkDecoder::default(), Vec::new(), 0);
        for piece in input.chunks(step) {
            let n = decoder.decode(piece, &mut out)?;
            used += n;
            if n < piece.len() {
                break;
            }
        }
        Ok((out, used, decoder.is_done()))
    }

    fn check(input: &[u8], body: Option<&[u8]>) {
        for step in 1..=input.len() {
            match (decode(input, step), body) {
                (Ok((out, used, true)), Some(body)) => {
                    assert_eq!(out, body, "step {step}");
                    assert!(input[..used].ends_with(b"\r\n"));
                }
                (Err(_), None) => {}
                (other, _) => panic!("{:?} by {step}: {other:?}", String::from_utf8_lossy(input)),
            }
        }
    }

    #[test]
    fn accepts_at_every_split() {
        check(b"0\r\n\r\n", Some(b""));
        check(b"3\r\nabc\r\n0\r\n\r\nGET", Some(b"abc"));
        check(
            b"3;a=b;c=\"d\"\r\nabc\r\n0A ; x\r\n0123456789\r\n00\r\nX-Trailer: 1\r\nY:\r\n\r\n",
            Some(b"abc0123456789"),
        );
    }

    #[test]
    fn refuses_at_every_split() {
        let bad: [&[u8]; 14] = [
            b"\r\nabc",
            b"x\r\n",
            b"-3\r\nabc\r\n",
            b"+3\r\nabc",
            b"0x3\r\nabc",
            b"3\nabc\r\n",
            b"3\rabc",
            b"3\r\nabcd\r\n",
            b"3\r\nabc\n0\r\n\r\n",
            b"3 \r\nabc",
            b"00000000000000001\r\na",
            b"0\r\n X: y\r\n\r\n",
            b"0\r\nX : y\r\n\r\n",
            b"3;a\x01\r\nabc",
        ];
        for input in bad {
            check(input, None);
        }
    }

    /// Pieces of chunked bodies, well-formed and not.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let parts: &[&[u8]] = &[
            b"0\r\n",
            b"3\r\nabc\r\n",
            b"A;x=\"y\"\r\n0123456789\r\n",
            b"\r\n",
            b"X: y\r\n",
            b"1",
            b"f",
            b"\n",
            b"\r",
            b";",
            b" ",
            b"a",
            b":",
            b"\0",
            b"ffffffffffffffff\r\n",
            b"00000000000000001\r\n",
        ];
        prop::collection::vec(prop::sample::select(parts), 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn any_split_decodes_alike(input in bytes(), cuts in prop::collection::vec(1_usize..9, 1..5)) {
            let whole = decode(&input, input.len().max(1));
            let (mut decoder, mut out, mut used) = (ChunkDecoder::default(), Vec::new(), 0);
            let mut sizes = cuts.iter().copied().cycle();
            let split = loop {
                if used == input.len() || decoder.is_done() {
                    break Ok((out, used, decoder.is_done()));
                }
                let end = (used + sizes.next().unwrap_or(1)).min(input.len());
                match decoder.decode(&input[used..end], &mut out) {
                    Ok(n) => used += n,
                    Err(error) => break Err(error),
                }
            };
            if let Ok((out, used, _)) = &whole {
                prop_assert!(out.len() <= *used);
            }
            prop_assert_eq!(whole, split);
        }

        #[test]
        fn what_is_framed_is_decoded(items in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..6), step in 1_usize..64) {
            let mut framed = Vec::new();
            for item in &items {
                size_line(&mut framed, item.len());
                framed.extend_from_slice(item);
                framed.extend_from_slice(b"\r\n");
            }
            framed.extend_from_slice(LAST_CHUNK);
            prop_assert_eq!(decode(&framed, step), Ok((items.concat(), framed.len(), true)));
        }
    }

    #[test]
    fn bounds_extensions() {
        let body = |n: usize| [b"1;", vec![b'x'; n].as_slice(), b"\r\na\r\n0\r\n\r\n"].concat();
        assert!(decode(&body(MAX_ASIDE as usize - 1), 4096).is_ok());
        assert!(decode(&body(MAX_ASIDE as usize), 4096).is_err());
    }

    #[test]
    fn an_unfinished_body_is_not_done() {
        let whole = b"3\r\nabc\r\n0\r\n\r\n";
        for cut in 0..whole.len() {
            assert!(!decode(&whole[..cut], 99).expect("a prefix").2);
        }
    }

    #[test]
    fn size_lines() {
        for length in [1, 15, 16, 255, 256, 4095, 4096, 65_535, 65_536, 1 << 40] {
            let mut out = Vec::new();
            size_line(&mut out, length);
            assert_eq!(out, format!("{length:x}\r\n").as_bytes());
        }
    }
}
