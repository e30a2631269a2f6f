//! A child process that is run to its end.
//!
//! In: a command and its input. Out: how it ended and what it wrote. It is a group of its own; dropping the future kills the
//! group, and the runtime reaps the child.
//! Invariants: nothing is read by a shell; what is kept of the output keeps to its limit.

use crate::counters::Counters;
use crate::files::reason;
use crate::group::Leader;
use std::future::pending;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};
use tokio::time::sleep;

/// What is run.
#[derive(Debug)]
pub struct Order {
    /// The program, found in `PATH` when it has no `/`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it reads on standard input.
    pub input: Vec<u8>,
    /// The folder it starts in; the own one when it is empty.
    pub dir: String,
    /// Variables besides the own ones, or in their place.
    pub env: Vec<(String, String)>,
    /// How long it may take; for ever when it is `None`.
    pub timeout: Option<Duration>,
    /// How many bytes it may write on standard output and standard error together.
    pub most: usize,
}

/// How it went.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its exit code; 128 and the signal that ended it, as shells have it.
    pub status: i64,
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: Vec<u8>,
}

/// Why there is no outcome: a kind of failure, and what happened.
#[derive(Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// One of [`crate::failure::KINDS`].
    pub kind: &'static str,
    /// For people.
    pub message: String,
}

/// Runs it.
///
/// # Errors
/// `missing` when there is no such program or folder, `io` when it cannot be started, `timeout`, `limit`.
pub async fn run(order: Order, counters: &'static Counters) -> Result<Outcome, Unfinished> {
    let mut command = Command::new(&order.program);
    command.args(&order.args).envs(order.env);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if order.input.is_empty() { Stdio::null() } else { Stdio::piped() });
    if !order.dir.is_empty() {
        command.current_dir(&order.dir);
    }
    let leader = Leader::spawn(&mut command, counters);
    let mut leader = leader.map_err(|error| not_started(&order.program, &error))?;
    let child = leader.child();
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut left = order.most;
    let going = async {
        let (out, err) = read_both(stdout, stderr, &mut left).await?;
        io::Result::Ok((out, err, leader.left().await?))
    };
    let feeding = feed(stdin, order.input);
    let deadline = async {
        match order.timeout {
            Some(time) => sleep(time).await,
            None => pending().await,
        }
    };
    let ended: io::Result<_> = tokio::select! {
        ended = async { tokio::join!(going, feeding).0 } => ended,
        () = deadline => {
            let message = format!("{} did not end in time", order.program);
            return Err(Unfinished { kind: "timeout", message });
        }
    };
    match ended {
        Ok((out, err, status)) => Ok(Outcome { status: number(status), out, err }),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            let message = format!("{} wrote more than {} bytes", order.program, order.most);
            Err(Unfinished { kind: "limit", message })
        }
        Err(error) => Err(Unfinished { kind: "io", message: format!("{}: {error}", order.program) }),
    }
}

/// Why a program could not be started.
pub fn not_started(program: &str, error: &io::Error) -> Unfinished {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Unfinished { kind: "missing", message: format!("{program}: no such program or folder") }
        }
        _ => Unfinished { kind: "io", message: format!("{program} cannot be run: {}", reason(error)) },
    }
}

fn number(status: ExitStatus) -> i64 {
    status.code().map_or_else(|| 128 + i64::from(status.signal().unwrap_or(0)), i64::from)
}

/// Writes the input and closes it. A child need not read all of it.
async fn feed(stdin: Option<ChildStdin>, input: Vec<u8>) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(&input).await;
    }
}

/// Reads both outputs to their ends.
async fn read_both(
    stdout: Option<impl AsyncRead + Unpin>,
    stderr: Option<impl AsyncRead + Unpin>,
    left: &mut usize,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut stdout, mut stderr) = (stdout, stderr);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while stdout.is_some() || stderr.is_some() {
        let before = out.len() + err.len();
        tokio::select! {
            is_over = piece(&mut stdout, &mut out), if stdout.is_some() => if is_over? { stdout = None },
            is_over = piece(&mut stderr, &mut err), if stderr.is_some() => if is_over? { stderr = None },
        }
        let read = out.len() + err.len() - before;
        *left = left.checked_sub(read).ok_or(io::ErrorKind::FileTooLarge)?;
    }
    Ok((out, err))
}

/// Reads a piece; whether it was the end.
async fn piece(from: &mut Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> io::Result<bool> {
    /// Room for a read.
    const PIECE: usize = 16 * 1024;
    let Some(from) = from else { return Ok(true) };
    into.reserve(PIECE);
    Ok(from.read_buf(into).await? == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;
    use tokio::time::timeout;

    fn order(script: &str) -> Order {
        Order {
            program: "sh".to_owned(),
            args: vec!["-c".to_owned(), script.to_owned()],
            input: Vec::new(),
            dir: String::new(),
            env: Vec::new(),
            timeout: None,
            most: 1 << 20,
        }
    }

    fn counters() -> &'static Counters {
        crate::worker::Worker::current().counters
    }

    fn ran(order: Order) -> Result<Outcome, Unfinished> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            timeout(Duration::from_secs(60), run(order, counters())).await.expect("it ends")
        })
    }

    #[test]
    fn outcomes() {
        let outcome = |status, out: &str, err: &str| Ok(Outcome { status, out: out.into(), err: err.into() });
        assert_eq!(ran(order("echo a; echo b >&2; exit 3")), outcome(3, "a\n", "b\n"));
        assert_eq!(ran(order("kill -9 $$")), outcome(137, "", ""));
        assert_eq!(
            ran(Order { input: b"one\ntwo".to_vec(), ..order("cat; cat") }),
            outcome(0, "one\ntwo", "")
        );
        let env = vec![("COLOUR".to_owned(), "blue".to_owned())];
        assert_eq!(
            ran(Order { env, dir: "/".to_owned(), ..order("echo $COLOUR; pwd") }),
            outcome(0, "blue\n/\n", "")
        );
        // More input than a pipe holds, which nobody reads, and more output than one holds.
        let big = Order { input: vec![b'x'; 1 << 20], ..order("head -c 200000 /dev/zero | tr '\\0' y") };
        assert_eq!(ran(big).map(|outcome| outcome.out.len()), Ok(200_000));
    }

    #[test]
    fn failures() {
        let kind = |order| ran(order).map_err(|unfinished| unfinished.kind);
        assert_eq!(kind(Order { program: "/no/such".to_owned(), ..order("") }), Err("missing"));
        assert_eq!(kind(Order { program: "/".to_owned(), ..order("") }), Err("io"));
        assert_eq!(kind(Order { most: 99, ..order("head -c 100 /dev/zero") }), Err("limit"));
        assert_eq!(kind(Order { most: 100, ..order("head -c 100 /dev/zero") }).map(|o| o.out.len()), Ok(100));
        assert_eq!(
            kind(Order { timeout: Some(Duration::from_millis(1)), ..order("exec sleep 1000") }),
            Err("timeout")
        );
    }

    /// Whoever is killed closes the pipe that it inherited.
    #[test]
    fn a_dropped_run_kills_the_whole_group() {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let fd = std::os::fd::AsRawFd::as_raw_fd(&writer);
        rustix::io::fcntl_setfd(&writer, rustix::io::FdFlags::empty()).expect("own descriptor");
        let script = format!("(echo x > /dev/fd/{fd}; sleep 1000) & sleep 1000");
        runtime.block_on(async {
            let mut running = Box::pin(run(order(&script), counters()));
            let (told, heard) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || {
                let mut byte = [0];
                let _ = told.send(io::Read::read_exact(&mut reader, &mut byte).map(|()| reader));
            });
            // The grandchild has written, so it runs.
            let mut reader = tokio::select! {
                ended = &mut running => panic!("{ended:?}"),
                reader = heard => reader.expect("no panic").expect("a byte"),
            };
            drop(running);
            drop(writer);
            let mut rest = Vec::new();
            io::Read::read_to_end(&mut reader, &mut rest).expect("an end");
            assert_eq!(rest, b"\n");
        });
    }
}
