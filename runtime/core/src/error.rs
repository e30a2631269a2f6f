//! The library's `Error` as the runtime sees it.
//!
//! In: a value of the record. Out: its parts, what it tells a person, and the [`Failure`] that ends a program or a request.
//! Not here: how an Error comes about (`stdlib/error.weir`, `Scope::fail`).

use crate::failure::Failure;
use crate::heap::Word;
use crate::value::{Any, Arg, Error, Handle, Text};
use weir_abi::layout::{BOX_VALUE, error};

/// How many causes are told.
const CAUSES: usize = 32;

impl Error {
    fn part(self, offset: i32) -> Any {
        // SAFETY: an Error is a record, which is any value.
        unsafe { Any::from_word(self.word()) }.part(offset)
    }

    fn text(self, offset: i32) -> Text {
        self.part(offset).as_arg()
    }

    /// What happened.
    pub fn message(self) -> Text {
        self.text(error::MESSAGE)
    }

    /// One of the kinds of failures, or a word of the program's.
    pub fn kind(self) -> Text {
        self.text(error::KIND)
    }

    /// `file:line:column`, or nothing.
    pub fn at(self) -> Text {
        self.text(error::AT)
    }

    /// What it came from.
    pub fn cause(self) -> Option<Error> {
        let cause = self.part(error::CAUSE);
        (cause.word() != 0).then(|| cause.as_arg())
    }

    /// The HTTP status that it names.
    pub fn status(self) -> Option<Word> {
        let status = self.part(error::STATUS);
        (status.word() != 0).then(|| status.part(BOX_VALUE).word())
    }

    /// It and what it came from, outermost first; no more than can be told.
    fn chain(self) -> impl Iterator<Item = Error> {
        std::iter::successors(Some(self), |error| error.cause()).take(CAUSES)
    }

    /// Its message and those of its causes in one line.
    pub fn write(self, out: &mut Vec<u8>) {
        for (i, error) in self.chain().enumerate() {
            if i > 0 {
                out.extend_from_slice(b": ");
            }
            out.extend_from_slice(error.message().as_bytes());
        }
    }

    /// What a client is told when the script chose a status that says so: the message of the error that it chose it for,
    /// not those put before it.
    pub fn refusal(self) -> Text {
        let chosen = self.chain().take_while(|error| error.status() == self.status()).last();
        chosen.unwrap_or(self).message()
    }

    /// The failure of a stream: its causes stand in its message, for whoever makes an Error of it again.
    pub fn one_failure(self) -> Failure {
        let mut message = Vec::new();
        self.write(&mut message);
        let failure = self.failure();
        Failure { message: String::from_utf8_lossy(&message).into_owned(), notes: Vec::new(), ..failure }
    }

    /// The failure of a program or a request that it ends.
    pub fn failure(self) -> Failure {
        let known = crate::failure::kind(self.kind().as_str());
        let mut failure = Failure::of_kind(known, self.message().as_str());
        if let Some(status) = self.status().and_then(|status| u16::try_from(status).ok()) {
            failure.status = if (400..=599).contains(&status) { status } else { crate::failure::INTERNAL };
        }
        if self.at().len() > 0 {
            failure.notes.push(format!("at {}", self.at().as_str()));
        }
        for cause in self.chain().skip(1) {
            let (message, at) = (cause.message(), cause.at());
            failure.notes.push(match at.len() {
                0 => format!("because {}", message.as_str()),
                _ => format!("because {} ({})", message.as_str(), at.as_str()),
            });
        }
        failure
    }
}
