//! Lines of a file that grows, such as a log.
//!
//! ```text
//!   Idle ──pulled──▶ Looking ──nothing new──▶ Waiting
//!                    ▲ │ ▲                      │
//!                    │ └─┴── a piece            │
//!                    └──a change, or the time───┘
//! ```
//! The kernel gives no readiness for files: a look is a job of the pool, which owns the file meanwhile, and between looks the process's
//! watcher (`watch`) tells of changes. A slow look now and then finds what no watcher tells, as on a network's file system.
//! Invariants: one piece at a time is read, and only when no line of the one before is left; a waiting stream has no thread and no
//! fiber. A file is read to its end before the one that took its name: that is begun when it has bytes, which is when its writer has
//! changed over.

use super::line_texts::LineTexts;
use super::lines::Lines;
use crate::counters::Counters;
use crate::failure::{Failure, INTERNAL};
use crate::files::reason;
use crate::heap::Word;
use crate::log::Level;
use crate::scope::{Scope, Source};
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

/// The lines of a file that grows.
pub struct TailFile {
    path: String,
    state: State,
    timer: Option<Pin<Box<Sleep>>>,
    lines: Lines,
    texts: LineTexts,
    limit: usize,
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
    /// No more of the last line will come: what was read goes on elsewhere.
    Break,
    /// Nothing yet; there is more to search.
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
}

struct Place {
    file: File,
    id: (u64, u64),
    /// What was read.
    offset: u64,
    /// Still to be searched for where to begin: line ends before `offset`.
    line_ends: u64,
}

fn id(facts: &Metadata) -> (u64, u64) {
    (facts.dev(), facts.ino())
}

impl Follower {
    fn new(path: PathBuf, from: From) -> Self {
        Self { path, watch: None, from, file: None, is_new: true }
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
        if let Some(piece) = place.read()? {
            return Ok(Found::Piece(piece));
        }
        if place.file.metadata()?.len() < place.offset {
            place.offset = 0;
            return Ok(Found::Break);
        }
        match fs::metadata(&self.path) {
            Ok(facts) if id(&facts) != place.id && facts.len() > 0 => {
                // Its writer has changed over; what it wrote before that is there by now.
                if let Some(piece) = place.read()? {
                    return Ok(Found::Piece(piece));
                }
                self.file = None;
                // A link may lead to another folder now.
                self.watch = None;
                Ok(Found::Break)
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(Found::Nothing),
        }
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
        Ok(Self { file, id: id(&facts), offset, line_ends })
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
                    self.line_ends = 0;
                    return Ok(());
                }
                read => read?,
            }
            for at in memchr::memrchr_iter(b'\n', piece) {
                self.line_ends -= 1;
                if self.line_ends == 0 {
                    self.offset = start + at as u64 + 1;
                    return Ok(());
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

    /// The next piece, if there is one.
    fn read(&mut self) -> io::Result<Option<Bytes>> {
        let left = self.file.metadata()?.len().saturating_sub(self.offset);
        let mut buffer = BytesMut::zeroed(left.min(PIECE as u64) as usize);
        loop {
            match self.file.read_at(&mut buffer, self.offset) {
                Ok(0) => return Ok(None),
                Ok(len) => {
                    buffer.truncate(len);
                    self.offset += len as u64;
                    return Ok(Some(buffer.freeze()));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl TailFile {
    /// The lines, of at most `limit` bytes, of the file at `path`.
    pub fn new(path: &str, from: From, limit: usize) -> Self {
        Self {
            path: path.to_owned(),
            state: State::Idle(from),
            timer: None,
            lines: Lines::default(),
            texts: LineTexts::default(),
            limit,
            counted: None,
        }
    }

    /// Moves on to another piece.
    fn poll_piece(&mut self, scope: &Scope, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
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
                    if self.take(scope, follower, found) {
                        return Poll::Ready(Ok(()));
                    }
                }
                State::Over => return Poll::Ready(Err(self.broken(&io::ErrorKind::NotFound.into()))),
            }
        }
    }

    /// Goes on from what a look found; whether there may be a line.
    fn take(&mut self, scope: &Scope, follower: Box<Follower>, found: Found) -> bool {
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
                false
            }
            Found::Unsure => {
                self.look(follower, false);
                false
            }
            Found::Piece(piece) => {
                self.state = State::Open(follower);
                self.lines.feed(piece);
                true
            }
            Found::Break => {
                self.state = State::Open(follower);
                if self.lines.holds() {
                    self.lines.feed(Bytes::from_static(b"\n"));
                }
                true
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

impl Source for TailFile {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            if let Some(line) = self.ready_next(scope) {
                return Poll::Ready(Some(line));
            }
            if let Err(failure) = ready!(self.poll_piece(scope, cx)) {
                return Poll::Ready(Some(Err(failure)));
            }
        }
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        let line = self.texts.next(scope, &mut self.lines, self.limit)?;
        // A line that is none is the fault of a file here, not of an upstream.
        Some(line.map_err(|failure| Failure { status: INTERNAL, ..failure }))
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.texts.forget(scope);
    }
}

#[cfg(test)]
mod tests;
