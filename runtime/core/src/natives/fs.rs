//! Natives of `fs.weir`. Files give no readiness: what is asked of them runs on the bounded pool of blocking threads.

use super::Flow;
use crate::heap::Word;
use crate::scope::{Operation, Scope};
use crate::value::{Gives, Text};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::task::{JoinHandle, spawn_blocking};
use weir_abi::trap::Trap;

/// The whole text of a file.
pub fn fs_read(scope: &mut Scope, path: Text) -> Result<Flow, Trap> {
    let path = path.as_str().to_owned();
    let most = scope.app().limits().mem_limit as u64;
    scope.pending = Some(Box::new(Reading { path, most, job: None }));
    Ok(Flow::Wait)
}

/// A file that is being read. Its job is started on the worker's stack.
struct Reading {
    path: String,
    /// A file with more bytes has no room in the heap and is not read.
    most: u64,
    job: Option<JoinHandle<io::Result<Vec<u8>>>>,
}

impl Operation for Reading {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        let (path, most) = (&self.path, self.most);
        let job = self.job.get_or_insert_with(|| {
            let path = path.clone();
            spawn_blocking(move || read(&path, most))
        });
        Pin::new(job).poll(cx).map(|done| {
            let bytes = done.unwrap_or_else(|_| Err(io::Error::other("reading was given up")));
            let text = match bytes.map(String::from_utf8) {
                Ok(Ok(text)) => Some(scope.text(&text)?),
                Ok(Err(error)) => {
                    let at = error.utf8_error().valid_up_to();
                    scope.fail("invalid", format!("{}: not UTF-8 at byte {at}", self.path))
                }
                Err(error) => scope.fail(kind(&error), format!("{}: {}", self.path, reason(&error))),
            };
            Ok(text.into_word())
        })
    }
}

fn read(path: &str, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "larger than the heap's limit"));
    }
    Ok(bytes)
}

/// The kind of failure that an error of the system is.
fn kind(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "missing",
        ErrorKind::FileTooLarge => "limit",
        _ => "io",
    }
}

/// What an error of the system says, without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    }
}
