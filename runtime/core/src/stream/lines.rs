//! Splits bytes that come in pieces into lines.
//!
//! In: pieces of any size. Out: lines without LF or CRLF, valid UTF-8, each as soon as its end is there. A last line
//! without LF counts; its CR, if it ends in one, belongs to it.
//! Invariants: every byte is looked at once for a line end; a line within one piece is not copied; at most the limit (and
//! a CR) is kept of a line whose end has not come.

use bytes::Bytes;
use memchr::memchr;
use std::fmt;
use std::ops::Range;

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// These bytes of the current piece.
    InPiece(Range<usize>),
    /// Bytes from several pieces.
    Joined(&'a [u8]),
}

/// Why there is no next line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is longer than so many bytes.
    TooLong(usize),
    /// It is not UTF-8: the position of the first wrong byte in the stream.
    NotText(u64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(limit) => write!(f, "a line is longer than {limit} bytes"),
            Self::NotText(position) => write!(f, "byte {position} is not UTF-8"),
        }
    }
}

/// Joined lines up to this size leave their buffer to the next one.
const KEPT: usize = 64 * 1024;

/// What is known of a stream of lines.
#[derive(Debug, Default)]
pub struct Lines {
    piece: Bytes,
    /// Where the next line goes on in `piece`.
    at: usize,
    /// Which piece it is.
    number: u64,
    /// The beginning of the next line, from pieces before.
    begun: Vec<u8>,
    /// `begun` was given out as a line.
    is_given: bool,
    /// Position of the next line in the stream.
    position: u64,
    ended: bool,
}

impl Lines {
    /// Adds a piece. The one before is used up: [`Lines::next`] gave `None`.
    pub fn feed(&mut self, piece: Bytes) {
        debug_assert!(self.at == self.piece.len() && !self.ended);
        self.piece = piece;
        self.at = 0;
        self.number += 1;
    }

    /// There are no more pieces.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether [`Lines::end`] was called.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The current piece, and its number, by which a reader knows it again.
    pub fn piece(&self) -> (u64, &Bytes) {
        (self.number, &self.piece)
    }

    /// The next line of at most `limit` bytes; `None` when it takes another piece, or after the last line.
    #[inline]
    pub fn next(&mut self, limit: usize) -> Result<Option<Line<'_>>, Fault> {
        if self.is_given {
            self.is_given = false;
            if self.begun.capacity() > KEPT {
                self.begun = Vec::new();
            }
            self.begun.clear();
        }
        let rest = &self.piece[self.at..];
        let Some(len) = memchr(b'\n', rest) else { return self.without_end(limit) };
        let start = self.at;
        self.at = start + len + 1;
        if !self.begun.is_empty() {
            return self.join(start..start + len, limit).map(Some);
        }
        let line = &rest[..len];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let position = self.position;
        self.position += len as u64 + 1;
        check(line, limit, position)?;
        Ok(Some(Line::InPiece(start..start + line.len())))
    }

    /// The piece goes on without a line end.
    #[cold]
    fn without_end(&mut self, limit: usize) -> Result<Option<Line<'_>>, Fault> {
        let rest = &self.piece[self.at..];
        let is_cr = rest.last().or(self.begun.last()) == Some(&b'\r');
        if self.begun.len() + rest.len() - is_cr as usize > limit {
            return Err(Fault::TooLong(limit));
        }
        self.begun.extend_from_slice(rest);
        self.at = self.piece.len();
        if !self.ended || self.begun.is_empty() {
            return Ok(None);
        }
        check(&self.begun, limit, self.position)?;
        self.position += self.begun.len() as u64;
        self.is_given = true;
        Ok(Some(Line::Joined(&self.begun)))
    }

    fn join(&mut self, end: Range<usize>, limit: usize) -> Result<Line<'_>, Fault> {
        if self.begun.len() + end.len() > limit.saturating_add(1) {
            return Err(Fault::TooLong(limit));
        }
        self.begun.extend_from_slice(&self.piece[end]);
        let position = self.position;
        self.position += self.begun.len() as u64 + 1;
        if self.begun.last() == Some(&b'\r') {
            self.begun.pop();
        }
        self.is_given = true;
        check(&self.begun, limit, position)?;
        Ok(Line::Joined(&self.begun))
    }
}

#[inline]
fn check(line: &[u8], limit: usize, position: u64) -> Result<(), Fault> {
    if line.len() > limit {
        return Err(Fault::TooLong(limit));
    }
    match std::str::from_utf8(line) {
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::NotText(position + error.valid_up_to() as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All lines of a stream that comes in these pieces, and the fault that ended it.
    fn split(pieces: &[&[u8]], limit: usize) -> (Vec<Vec<u8>>, Option<Fault>) {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for at in 0..=pieces.len() {
            match pieces.get(at) {
                Some(piece) => lines.feed(Bytes::copy_from_slice(piece)),
                None => lines.end(),
            }
            loop {
                let piece = lines.piece().1.clone();
                match lines.next(limit) {
                    Ok(Some(Line::InPiece(range))) => out.push(piece[range].to_vec()),
                    Ok(Some(Line::Joined(line))) => out.push(line.to_vec()),
                    Ok(None) => break,
                    Err(fault) => return (out, Some(fault)),
                }
            }
        }
        (out, None)
    }

    /// What the lines are, from the whole text at once.
    fn model(text: &[u8], limit: usize) -> (Vec<Vec<u8>>, Option<Fault>) {
        let mut out = Vec::new();
        let mut position = 0;
        for raw in text.split_inclusive(|b| *b == b'\n') {
            let line = raw.strip_suffix(b"\r\n").or(raw.strip_suffix(b"\n")).unwrap_or(raw);
            if line.len() > limit {
                return (out, Some(Fault::TooLong(limit)));
            }
            if let Err(error) = std::str::from_utf8(line) {
                return (out, Some(Fault::NotText((position + error.valid_up_to()) as u64)));
            }
            out.push(line.to_vec());
            position += raw.len();
        }
        (out, None)
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![3 => Just(b'\n'), 2 => Just(b'\r'), 8 => Just(b'a'), 1 => Just(0xC3u8), 1 => Just(0xA9)];
        prop::collection::vec(byte, 0..60)
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_lines(text in bytes(), cuts in prop::collection::vec(0usize..60, 0..8), limit in 0usize..12) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|c| c.min(text.len())).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &text[w[0]..w[1]]).collect();
            let (lines, fault) = split(&pieces, limit);
            let (expected, expected_fault) = model(&text, limit);
            prop_assert_eq!(lines, expected);
            // A line that is too long is refused before its end, so what else is wrong with it may not be known.
            match (fault, expected_fault) {
                (Some(Fault::TooLong(_)), Some(_)) | (None, None) => {}
                (fault, expected) => prop_assert_eq!(fault, expected),
            }
        }
    }

    #[test]
    fn line_ends() {
        type Case<'a> = (&'a [&'a [u8]], &'a [&'a [u8]]);
        let cases: [Case; 8] = [
            (&[], &[]),
            (&[b"\n"], &[b""]),
            (&[b"a\nb"], &[b"a", b"b"]),
            (&[b"a\r", b"\nb\r\n"], &[b"a", b"b"]),
            (&[b"a\rb\n"], &[b"a\rb"]),
            (&[b"a\r"], &[b"a\r"]),
            (&[b"a\r\r\n"], &[b"a\r"]),
            (&[b"\r\n\r\n", b"", b"x"], &[b"", b"", b"x"]),
        ];
        for (pieces, lines) in cases {
            assert_eq!(split(pieces, 100), (lines.iter().map(|l| l.to_vec()).collect(), None), "{pieces:?}");
        }
    }

    #[test]
    fn the_limit_counts_without_line_ends() {
        for (text, is_fine) in [
            (&b"abc\r\n"[..], true),
            (b"abc", true),
            (b"abcd\n", false),
            (b"abcd", false),
            (b"abc\r\r\n", false),
        ] {
            let bytes: Vec<&[u8]> = text.chunks(1).collect();
            for pieces in [&[text][..], &bytes] {
                assert_eq!(split(pieces, 3).1.is_none(), is_fine, "{text:?}");
            }
        }
    }

    #[test]
    fn a_wrong_byte_is_told_by_its_position() {
        assert_eq!(split(&[b"ab\r\nc\xFFd\n"], 100).1, Some(Fault::NotText(5)));
        assert_eq!(split(&[b"ab\nc", b"\xC3"], 100).1, Some(Fault::NotText(4)));
    }
}
