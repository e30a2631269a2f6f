//! A file that grows, such as a log, in pieces.
//!
//! ```text
//!   Idle ──pulled──▶ Looking ──nothing new──▶ Waiting
//!                    ▲ │ ▲                      │
//!                    │ └─┴── a piece            │
//!                    └──a change, or the time───┘
//! ```
//! The kernel gives no readiness for files: a look is a job of the pool, which owns the file meanwhile, and between looks the process's
//! watcher (`watch`) tells of changes. A slow look now and then finds what no watcher tells, as on a network's file system.
//! Invariants: a waiting stream has no thread and no fiber. A file is read to its end before the one that took its name: that is
//! begun when it has bytes, which is when its writer has changed over. What was read last is still there when a file is read on: one
//! that was cut and has grown beyond that place since is begun anew.

use super::pieces::Pieces;
use crate::counters::Counters;
use crate::failure::Failure;
use crate::files::reason;
use crate::log::Level;
use crate::scope::Scope;
use crate::watch::Watch;
use bytes::{Bytes, BytesMut};
use rustix::fs::OFlags;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, Sleep, sleep};

/// Size of a read.
const PIECE: usize = 64 * 1024;
/// How much of what was read last is compared. A file that is only added to keeps all of it; one that was written anew has the
/// same bytes at the same place only where it repeats itself.
const SEEN: usize = 256;
/// How much of a file one job searches for where to begin.
const SEARCHED: usize = 64 * PIECE;
/// How long it waits for a change before it looks all the same; and where no change is told.
const SELDOM: Duration = Duration::from_secs(10);
const OFTEN: Duration = Duration::from_secs(1);

/// Where a file is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// With its first line.
    Start,
    /// With the last so many lines whose line end is there.
    Last(u64),
}

/// The pieces of a file that grows.
pub struct TailPieces {
    path: String,
    state: State,
    timer: Option<Pin<Box<Sleep>>>,
    /// Once it has looked.
    counted: Option<Counted>,
}

struct Counted(&'static Counters);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.tails.add(-1);
    }
}

enum State {
    /// Nothing was asked for.
    Idle(From),
    Looking(JoinHandle<Looked>),
    /// There may be more.
    Open(Box<Follower>),
    Waiting(Box<Follower>),
    Over,
}

/// A follower back from the pool, with what it found.
type Looked = (Box<Follower>, io::Result<Found>);

/// What a look found.
enum Found {
    /// The file goes on.
    Piece(Bytes),
    /// Nothing yet; look again.
    Unsure,
    /// There is nothing new.
    Nothing,
    /// Likewise; there is no file, for the first time.
    Missing,
}

/// A place in the file that has the name.
struct Follower {
    path: PathBuf,
    watch: Option<Watch>,
    from: From,
    file: Option<Place>,
    /// It has not looked.
    is_new: bool,
    /// What was read last is the beginning of a line.
    is_cut: bool,
}

struct Place {
    file: File,
    id: (u64, u64),
    /// What was read.
    offset: u64,
    /// Still to be searched for where to begin: line ends before `offset`.
    line_ends: u64,
    /// What stood before `offset` when that was read, at most [`SEEN`] bytes.
    seen: Vec<u8>,
}

/// What a file has behind the place in it.
enum Next {
    Piece(Bytes),
    Nothing,
    /// It has not what was read of it any more.
    Other,
}

fn id(facts: &Metadata) -> (u64, u64) {
    (facts.dev(), facts.ino())
}

impl Follower {
    fn new(path: PathBuf, from: From) -> Self {
        Self { path, watch: None, from, file: None, is_new: true, is_cut: false }
    }

    /// Looks what is new. `is_late` when nothing was told for a while.
    fn look(&mut self, is_late: bool) -> io::Result<Found> {
        let is_blind = self.watch.as_ref().is_none_or(Watch::is_blind);
        if self.watch.is_none() || is_late && (is_blind || self.file.is_none()) {
            self.watch = Some(Watch::on(&[&self.path]));
        }
        if let Some(watch) = &self.watch {
            watch.clear();
        }
        let is_first = std::mem::take(&mut self.is_new);
        let place = match &mut self.file {
            Some(place) => place,
            None => match Place::open(&self.path, self.from) {
                Ok(place) => {
                    self.from = From::Start;
                    self.file.insert(place)
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.from = From::Start;
                    return Ok(if is_first { Found::Missing } else { Found::Nothing });
                }
                Err(error) => return Err(error),
            },
        };
        if place.line_ends > 0 {
            place.search()?;
            return Ok(Found::Unsure);
        }
        match place.read()? {
            Next::Nothing => {}
            next => return Ok(self.found(next)),
        }
        match fs::metadata(&self.path) {
            Ok(facts) if id(&facts) != place.id && facts.len() > 0 => {
                // Its writer has changed over; what it wrote before that is there by now.
                match place.read()? {
                    Next::Nothing => {}
                    next => return Ok(self.found(next)),
                }
                self.file = None;
                // A link may lead to another folder now.
                self.watch = None;
                Ok(self.end_line())
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(Found::Nothing),
        }
    }

    fn found(&mut self, next: Next) -> Found {
        match next {
            Next::Piece(piece) => self.piece(piece),
            Next::Other => self.end_line(),
            Next::Nothing => Found::Nothing,
        }
    }

    fn piece(&mut self, piece: Bytes) -> Found {
        self.is_cut = !piece.ends_with(b"\n");
        Found::Piece(piece)
    }

    /// No more of the last line will come: what was read goes on elsewhere.
    fn end_line(&mut self) -> Found {
        if self.is_cut { self.piece(Bytes::from_static(b"\n")) } else { Found::Unsure }
    }

    /// Whether a change was told, or it is time.
    fn poll_woken(&self, timer: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> Poll<bool> {
        let is_blind = self.watch.as_ref().is_none_or(Watch::is_blind);
        if let Some(watch) = &self.watch
            && watch.poll_changed(cx).is_ready()
        {
            *timer = None;
            return Poll::Ready(false);
        }
        let time = if is_blind { OFTEN } else { SELDOM };
        let sleep = timer.get_or_insert_with(|| Box::pin(sleep(time)));
        ready!(sleep.as_mut().poll(cx));
        sleep.as_mut().reset(Instant::now() + time);
        Poll::Ready(true)
    }
}

impl Place {
    /// Opens a file. Opening what is none must not wait for whoever is at its other end.
    fn open(path: &PathBuf, from: From) -> io::Result<Self> {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        let facts = file.metadata()?;
        if facts.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !facts.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        let (offset, line_ends) = match from {
            From::Start => (0, 0),
            From::Last(lines) => (facts.len(), lines.saturating_add(1)),
        };
        Ok(Self { file, id: id(&facts), offset, line_ends, seen: Vec::new() })
    }

    /// Searches backwards, for a bounded time, for the line end behind which the lines begin.
    fn search(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        for _ in 0..SEARCHED / PIECE {
            let len = self.offset.min(PIECE as u64) as usize;
            let start = self.offset - len as u64;
            let piece = &mut buffer[..len];
            match self.file.read_exact_at(piece, start) {
                // It got shorter meanwhile.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.begin_anew();
                    return Ok(());
                }
                read => read?,
            }
            for at in memchr::memrchr_iter(b'\n', piece) {
                self.line_ends -= 1;
                if self.line_ends == 0 {
                    self.offset = start + at as u64 + 1;
                    return self.remember();
                }
            }
            self.offset = start;
            if start == 0 || self.line_ends == 0 {
                self.line_ends = 0;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Keeps in mind what stands before the place where it begins.
    fn remember(&mut self) -> io::Result<()> {
        self.seen = vec![0; self.offset.min(SEEN as u64) as usize];
        let start = self.offset - self.seen.len() as u64;
        match self.file.read_exact_at(&mut self.seen, start) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.begin_anew(),
            read => read?,
        }
        Ok(())
    }

    fn begin_anew(&mut self) {
        (self.offset, self.line_ends) = (0, 0);
        self.seen.clear();
    }

    /// The next piece, if there is one. It is read together with what was read last, so that no change comes between.
    fn read(&mut self) -> io::Result<Next> {
        let known = self.seen.len();
        let left = self.file.metadata()?.len().saturating_sub(self.offset);
        let mut buffer = BytesMut::zeroed(known + left.min(PIECE as u64) as usize);
        let len = loop {
            match self.file.read_at(&mut buffer, self.offset - known as u64) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        buffer.truncate(len);
        if !buffer.starts_with(&self.seen) {
            self.begin_anew();
            return Ok(Next::Other);
        }
        let piece = buffer.split_off(known);
        if piece.is_empty() {
            return Ok(Next::Nothing);
        }
        self.offset += piece.len() as u64;
        self.seen.extend_from_slice(&piece[piece.len().saturating_sub(SEEN)..]);
        self.seen.drain(..self.seen.len().saturating_sub(SEEN));
        Ok(Next::Piece(piece.freeze()))
    }
}

impl TailPieces {
    /// Those of the file at `path`.
    pub fn new(path: &str, from: From) -> Self {
        Self { path: path.to_owned(), state: State::Idle(from), timer: None, counted: None }
    }

    /// Goes on from what a look found: with a piece, if it is one.
    fn take(&mut self, scope: &Scope, follower: Box<Follower>, found: Found) -> Option<Bytes> {
        if let Found::Missing = found {
            let (format, request) = scope.log;
            let message = format!("tail-file waits for {}, which is not there", self.path);
            format.note(Level::Warn, request, &message, &[]);
        }
        if self.counted.is_none() && !matches!(found, Found::Unsure) {
            let counters = scope.worker().counters;
            counters.tails.add(1);
            self.counted = Some(Counted(counters));
        }
        match found {
            Found::Nothing | Found::Missing => {
                self.state = State::Waiting(follower);
                None
            }
            Found::Unsure => {
                self.look(follower, false);
                None
            }
            Found::Piece(piece) => {
                self.state = State::Open(follower);
                Some(piece)
            }
        }
    }

    fn look(&mut self, mut follower: Box<Follower>, is_late: bool) {
        self.state = State::Looking(spawn_blocking(move || {
            let found = follower.look(is_late);
            (follower, found)
        }));
    }

    fn broken(&self, error: &io::Error) -> Failure {
        Failure::of_kind("io", format!("{} cannot be followed: {}", self.path, reason(error)))
    }
}

impl Pieces for TailPieces {
    fn poll_piece(
        &mut self,
        scope: &mut Scope,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Failure>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Idle(from) => {
                    let path = PathBuf::from(&self.path);
                    self.look(Box::new(Follower::new(path, from)), false);
                }
                State::Open(follower) => self.look(follower, false),
                State::Waiting(follower) => match follower.poll_woken(&mut self.timer, cx) {
                    Poll::Ready(is_late) => self.look(follower, is_late),
                    Poll::Pending => {
                        self.state = State::Waiting(follower);
                        return Poll::Pending;
                    }
                },
                State::Looking(mut looking) => {
                    let Poll::Ready(looked) = Pin::new(&mut looking).poll(cx) else {
                        self.state = State::Looking(looking);
                        return Poll::Pending;
                    };
                    // The pool is gone when the process ends.
                    let (follower, found) = looked.map_err(|gone| self.broken(&io::Error::other(gone)))?;
                    let found = found.map_err(|error| self.broken(&error))?;
                    if let Some(piece) = self.take(scope, follower, found) {
                        return Poll::Ready(Ok(Some(piece)));
                    }
                }
                State::Over => return Poll::Ready(Err(self.broken(&io::ErrorKind::NotFound.into()))),
            }
        }
    }
}

#[cfg(test)]
mod tests;
