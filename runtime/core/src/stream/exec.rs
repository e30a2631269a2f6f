//! What a child process writes on its standard output, in pieces.
//!
//! Started at the first pull, without a shell, at the head of a group of its own; it reads nothing, and its standard error is the
//! process's. It is held back by its pipe.
//! Invariants: dropping the stream ends the whole group (`group`); a child that ends with
//! anything but success fails the stream behind its last line.

use super::pieces::Pieces;
use crate::child::{Unfinished, not_started};
use crate::failure::{Failure, INTERNAL};
use crate::group::Leader;
use crate::scope::Scope;
use bytes::{Bytes, BytesMut};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::{ChildStdout, Command};

/// Size of a read.
const PIECE: usize = 16 * 1024;

/// What is run: the program, found in `PATH` when it has no `/`, its arguments, the folder it starts in, or the own one when that is
/// empty, and variables besides the own ones.
#[derive(Debug)]
pub struct Invocation {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Where it starts.
    pub dir: String,
    /// Names and values.
    pub env: Vec<(String, String)>,
}

/// The pieces of a child's output.
pub struct ChildPieces {
    program: String,
    state: State,
}

enum State {
    /// Nothing was asked for.
    Idle(Invocation),
    Reading(Running, ChildStdout),
    /// Its output has ended; it has not.
    Ending(Running),
    Over,
}

/// A child that ends when nobody reads it any more.
struct Running(Option<Leader>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(leader) = self.0.take() {
            leader.end();
        }
    }
}

impl ChildPieces {
    /// Those of what is run like that.
    pub fn new(invocation: Invocation) -> Self {
        Self { program: invocation.program.clone(), state: State::Idle(invocation) }
    }

    fn broken(&self, error: &io::Error) -> Failure {
        Failure::of_kind("io", format!("{} cannot be read: {error}", self.program))
    }

    fn failed(&self, status: ExitStatus) -> Failure {
        let program = &self.program;
        Failure::of_kind(
            "failed",
            match (status.code(), status.signal()) {
                (Some(code), _) => format!("{program} ended with exit code {code}"),
                (None, Some(signal)) => format!("{program} was ended by signal {signal}"),
                (None, None) => format!("{program} failed"),
            },
        )
    }
}

fn start(invocation: &mut Invocation, scope: &Scope) -> Result<(Leader, ChildStdout), Failure> {
    let mut command = Command::new(&invocation.program);
    command.args(&invocation.args).envs(std::mem::take(&mut invocation.env));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    if !invocation.dir.is_empty() {
        command.current_dir(&invocation.dir);
    }
    let started = Leader::spawn(&mut command, scope.worker().counters);
    let mut leader = started.map_err(|error| {
        let Unfinished { kind, message } = not_started(&invocation.program, &error);
        // A program that is missing here is nothing that a client asked for.
        Failure { status: INTERNAL, ..Failure::of_kind(kind, message) }
    })?;
    let stdout = leader.child().stdout.take().expect("standard output is a pipe");
    Ok((leader, stdout))
}

/// The next piece; an empty one is the end. A child that says nothing costs no buffer.
fn poll_read(stdout: &mut ChildStdout, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
    let mut buffer = BytesMut::with_capacity(PIECE);
    let mut room = ReadBuf::uninit(&mut buffer.spare_capacity_mut()[..PIECE]);
    ready!(Pin::new(stdout).poll_read(cx, &mut room))?;
    Poll::Ready(Ok(Bytes::copy_from_slice(room.filled())))
}

impl Pieces for ChildPieces {
    fn poll_piece(
        &mut self,
        scope: &mut Scope,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Failure>> {
        loop {
            match &mut self.state {
                State::Idle(invocation) => {
                    let started = start(invocation, scope);
                    self.state = State::Over;
                    let (leader, stdout) = started?;
                    self.state = State::Reading(Running(Some(leader)), stdout);
                }
                State::Reading(_, stdout) => {
                    let piece = ready!(poll_read(stdout, cx)).map_err(|error| self.broken(&error))?;
                    if !piece.is_empty() {
                        return Poll::Ready(Ok(Some(piece)));
                    }
                    if let State::Reading(running, _) = std::mem::replace(&mut self.state, State::Over) {
                        self.state = State::Ending(running);
                    }
                    return Poll::Ready(Ok(None));
                }
                State::Ending(_) | State::Over => return Poll::Ready(Ok(None)),
            }
        }
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let State::Ending(Running(leader)) = &mut self.state else { return Poll::Ready(Ok(())) };
        let ended = match leader {
            Some(leader) => ready!(leader.poll_ended(cx)),
            None => Ok(ExitStatus::default()),
        };
        if let State::Ending(mut running) = std::mem::replace(&mut self.state, State::Over) {
            drop(running.0.take());
        }
        let status = ended.map_err(|error| self.broken(&error))?;
        Poll::Ready(if status.success() { Ok(()) } else { Err(self.failed(status)) })
    }
}
