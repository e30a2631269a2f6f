//! Byte buffers of connections, lent from a pool of their worker.
//!
//! Invariant: a buffer without content owns no storage once it was offered back, so an idle connection or an
//! idle stream costs none. Not here: sockets (`io`).

use std::cell::RefCell;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// Storage of a fresh buffer: several heads or responses fit, and a loopback read fills it.
const STORAGE: usize = 16 * 1024;
/// Storage above this is freed instead of kept: a full batch and one item fit.
const LARGEST_KEPT: usize = 160 * 1024;
/// Buffers kept per worker; 64 connections can be mid-write at once without allocating.
const KEPT: usize = 64;
/// A read offers at least this much room.
const READ_ROOM: usize = 4096;
/// Pieces from this size on are queued instead of copied.
pub const COPY_LIMIT: usize = 16 * 1024;
/// Slices of one vectored write, well below IOV_MAX (1024).
pub const MAX_SLICES: usize = 64;

/// Spare storage of one worker.
#[derive(Default)]
pub struct Pool {
    spare: RefCell<Vec<Vec<u8>>>,
}

impl Pool {
    fn take(&self) -> Vec<u8> {
        self.spare.borrow_mut().pop().unwrap_or_else(|| Vec::with_capacity(STORAGE))
    }

    fn put(&self, mut storage: Vec<u8>) {
        let mut spare = self.spare.borrow_mut();
        if (STORAGE..=LARGEST_KEPT).contains(&storage.capacity()) && spare.len() < KEPT {
            storage.clear();
            spare.push(storage);
        }
    }
}

/// Bytes read and not yet used.
#[derive(Default)]
pub struct ReadBuf {
    bytes: Vec<u8>,
    /// 0 <= start <= bytes.len(); what is before it was used.
    start: usize,
}

impl ReadBuf {
    /// What is there.
    pub fn data(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// Marks the first `count` bytes as used.
    pub fn consume(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.bytes.len(), "only what is there can be used");
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    /// The storage to append to, with room; what is in its spare capacity counts once its length grew.
    pub fn room(&mut self, pool: &Pool) -> &mut Vec<u8> {
        if self.bytes.capacity() == 0 {
            self.bytes = pool.take();
        }
        if self.bytes.capacity() - self.bytes.len() < READ_ROOM {
            if self.start > 0 {
                self.bytes.drain(..self.start);
                self.start = 0;
            }
            self.bytes.reserve(READ_ROOM);
        }
        &mut self.bytes
    }

    /// Gives the storage back if nothing is in it.
    pub fn release(&mut self, pool: &Pool) {
        if self.is_empty() && self.bytes.capacity() > 0 {
            self.start = 0;
            pool.put(std::mem::take(&mut self.bytes));
        }
    }
}

/// A large piece that goes out without being copied.
struct Cut {
    /// It goes before `bytes[at]`.
    at: usize,
    data: Bytes,
}

/// Bytes waiting to be written, in order.
#[derive(Default)]
pub struct WriteBuf {
    bytes: Vec<u8>,
    /// 0 <= sent <= bytes.len(); what is before it is out.
    sent: usize,
    /// Ascending by `at`.
    cuts: Vec<Cut>,
    /// Cuts before this index are out.
    cuts_sent: usize,
    /// Bytes of the cuts that are not out.
    queued: usize,
}

/// A position to which a [`WriteBuf`] can be taken back.
#[derive(Clone, Copy)]
pub struct Mark {
    bytes: usize,
    cuts: usize,
}

impl WriteBuf {
    /// Bytes that are not out.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.sent + self.queued
    }

    /// Whether everything is out.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The storage to append small things to.
    pub fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Lends storage from the pool if there is none.
    pub fn lend(&mut self, pool: &Pool) {
        if self.bytes.capacity() == 0 {
            self.bytes = pool.take();
        }
    }

    /// Appends a piece; a large one is not copied.
    pub fn push(&mut self, data: Bytes) {
        if data.len() < COPY_LIMIT {
            self.bytes.extend_from_slice(&data);
        } else {
            self.queued += data.len();
            self.cuts.push(Cut { at: self.bytes.len(), data });
        }
    }

    /// Where the next byte goes.
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), cuts: self.cuts.len() }
    }

    /// Takes back everything after `mark`; nothing of it was written.
    pub fn truncate(&mut self, mark: Mark) {
        debug_assert!(self.sent <= mark.bytes && self.cuts_sent <= mark.cuts, "written bytes stay written");
        self.queued -= self.cuts[mark.cuts..].iter().map(|cut| cut.data.len()).sum::<usize>();
        self.cuts.truncate(mark.cuts);
        self.bytes.truncate(mark.bytes);
    }

    /// The bytes as one slice, if no cut is among them.
    pub fn contiguous(&self) -> Option<&[u8]> {
        (self.queued == 0).then(|| &self.bytes[self.sent..])
    }

    /// Fills `slices` with what comes next; returns how many were used.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; MAX_SLICES]) -> usize {
        let (mut count, mut at) = (0, self.sent);
        for cut in &self.cuts[self.cuts_sent..] {
            if count + 2 > MAX_SLICES {
                return count;
            }
            if cut.at > at {
                slices[count] = IoSlice::new(&self.bytes[at..cut.at]);
                count += 1;
                at = cut.at;
            }
            slices[count] = IoSlice::new(&cut.data);
            count += 1;
        }
        if at < self.bytes.len() && count < MAX_SLICES {
            slices[count] = IoSlice::new(&self.bytes[at..]);
            count += 1;
        }
        count
    }

    /// Notes that the next `count` bytes are out.
    pub fn advance(&mut self, mut count: usize) {
        while let Some(cut) = self.cuts.get_mut(self.cuts_sent) {
            let before = (cut.at - self.sent).min(count);
            self.sent += before;
            count -= before;
            if self.sent < cut.at || count == 0 {
                return;
            }
            let part = cut.data.len().min(count);
            cut.data.advance(part);
            self.queued -= part;
            count -= part;
            if !cut.data.is_empty() {
                return;
            }
            self.cuts_sent += 1;
        }
        self.sent += count;
        if self.is_empty() {
            self.bytes.clear();
            self.cuts.clear();
            (self.sent, self.cuts_sent) = (0, 0);
        }
    }

    /// Gives the storage back if nothing is in it.
    pub fn release(&mut self, pool: &Pool) {
        if self.is_empty() && self.bytes.capacity() > 0 {
            pool.put(std::mem::take(&mut self.bytes));
            self.cuts = Vec::new();
            (self.sent, self.cuts_sent) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed() -> (WriteBuf, Vec<u8>) {
        let mut out = WriteBuf::default();
        let mut expected = Vec::new();
        for round in 0..3_u8 {
            let large = vec![round; COPY_LIMIT + usize::from(round)];
            out.tail().extend_from_slice(b"small");
            out.push(Bytes::from(large.clone()));
            out.push(Bytes::from(large.clone()));
            expected.extend_from_slice(b"small");
            expected.extend_from_slice(&large);
            expected.extend_from_slice(&large);
        }
        out.push(Bytes::from_static(b"end"));
        expected.extend_from_slice(b"end");
        (out, expected)
    }

    fn drain(mut out: WriteBuf, step: usize) -> Vec<u8> {
        let mut written = Vec::new();
        while !out.is_empty() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = out.slices(&mut slices);
            let all: Vec<u8> =
                slices[..count].iter().flat_map(|slice| slice.iter().copied()).take(step).collect();
            written.extend_from_slice(&all);
            out.advance(all.len());
        }
        written
    }

    #[test]
    fn writes_in_order_at_any_step() {
        for step in [1021, 4096, 16_383, 16_384, 16_389, 1 << 20] {
            let (out, expected) = mixed();
            assert_eq!(out.len(), expected.len());
            assert!(drain(out, step) == expected, "step {step}");
        }
    }

    #[test]
    fn truncates_to_a_mark() {
        let (mut out, expected) = mixed();
        let mark = out.mark();
        out.tail().extend_from_slice(b"gone");
        out.push(Bytes::from(vec![9; COPY_LIMIT]));
        out.truncate(mark);
        assert!(drain(out, 1 << 20) == expected);
    }

    #[test]
    fn many_cuts_go_in_several_writes() {
        let mut out = WriteBuf::default();
        for n in 0..200_u8 {
            out.tail().push(n);
            out.push(Bytes::from(vec![n; COPY_LIMIT]));
        }
        let total = out.len();
        assert_eq!(drain(out, usize::MAX).len(), total);
    }

    #[test]
    fn storage_comes_and_goes() {
        let pool = Pool::default();
        let mut read = ReadBuf::default();
        read.room(&pool).extend_from_slice(b"abc");
        read.release(&pool);
        assert_eq!(read.data(), b"abc");
        read.consume(3);
        read.release(&pool);
        assert_eq!(read.bytes.capacity(), 0);
        assert_eq!(pool.spare.borrow().len(), 1);
        let mut write = WriteBuf::default();
        write.lend(&pool);
        assert_eq!(pool.spare.borrow().len(), 0);
        write.release(&pool);
        assert_eq!(pool.spare.borrow().len(), 1);
    }

    #[test]
    fn a_full_read_buffer_moves_or_grows() {
        let pool = Pool::default();
        let mut read = ReadBuf::default();
        read.room(&pool).resize(STORAGE - 10, b'x');
        read.consume(STORAGE - 20);
        assert!(read.room(&pool).capacity() >= READ_ROOM);
        assert_eq!(read.data(), [b'x'; 10]);
    }
}
