//! Natives of `regex.weir`.
//!
//! A pattern that is compiled and a short text are searched at once; else the native waits: patterns are compiled, and copies
//! of long texts searched, on the blocking pool, for neither can be interrupted.

use super::Flow;
use crate::heap::{Full, Word};
use crate::regexes;
use crate::scope::{Operation, Scope};
use crate::value::{Gives, Own, Text};
use crate::waiting::on_pool;
use regex::{Captures, Regex};
use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::{JoinHandle, spawn_blocking};
use weir_abi::layout::shape;
use weir_abi::trap::Trap;

/// Up to so many bytes a text is searched where it is: some ten microseconds.
const SHORT: usize = 16 * 1024;

/// What is looked for. It runs on any thread, on a text and with room for a result of so many bytes.
trait Search: Copy + Send + 'static {
    type Found: Send + 'static;
    fn search(self, regex: &Regex, text: &str, with: &str, room: usize) -> Result<Self::Found, Full>;
    fn give(self, scope: &mut Scope, found: Self::Found) -> Result<Word, Trap>;
}

/// Searches at once, or says what for it waits. `with` is a second text, of the search's own.
fn run<S: Search>(
    scope: &mut Scope,
    search: S,
    pattern: Text,
    text: Text,
    with: Option<Text>,
) -> Result<Flow, Trap> {
    match regexes::known(pattern.as_str()) {
        Some(regex) => begin(scope, search, &regex, text, with),
        None => {
            let compiling = Compile::new(pattern);
            scope.pending = Some(Box::new(Compiling { search, compiling, text, with, then: None }));
            Ok(Flow::Wait)
        }
    }
}

fn begin<S: Search>(
    scope: &mut Scope,
    search: S,
    regex: &Regex,
    text: Text,
    with: Option<Text>,
) -> Result<Flow, Trap> {
    let room = scope.heap().room();
    let template = with.as_ref().map_or("", |with| with.as_str());
    if text.len() <= SHORT {
        let found = search.search(regex, text.as_str(), template, room)?;
        return search.give(scope, found).map(Flow::Done);
    }
    if room < text.len() + template.len() {
        return Err(Full.into());
    }
    let (regex, with, copy) = (regex.clone(), template.to_owned(), Vec::with_capacity(text.len()));
    scope.pending = Some(Box::new(Searching { search, regex, text, with, room, copy, then: None }));
    Ok(Flow::Wait)
}

/// Copies a long text and goes on with the search. The suspended caller keeps the text.
struct Searching<S> {
    search: S,
    regex: Regex,
    text: Text,
    with: String,
    /// For the result.
    room: usize,
    copy: Vec<u8>,
    then: Option<Box<dyn Operation>>,
}

impl<S: Search> Operation for Searching<S> {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        /// How many bytes are copied at once.
        const PIECE: usize = 256 * 1024;
        while self.then.is_none() && self.copy.len() < self.text.len() {
            ready!(scope.poll_turn(cx));
            let rest = &self.text.as_bytes()[self.copy.len()..];
            self.copy.extend_from_slice(&rest[..rest.len().min(PIECE)]);
        }
        let then = match &mut self.then {
            Some(then) => then,
            None => {
                let (search, room, regex) = (self.search, self.room, self.regex.clone());
                let (text, with) = (take(&mut self.copy), take(&mut self.with));
                let with_len = with.len();
                let job = move || match String::from_utf8(text) {
                    Ok(text) => search.search(&regex, &text, &with, room),
                    Err(_) => unreachable!("a Text is UTF-8"),
                };
                let held = self.text.len() + with_len;
                let _: Flow = on_pool(scope, held, job, move |scope, found| search.give(scope, found?))?;
                self.then.insert(scope.pending.take().expect("a job is waited for"))
            }
        };
        then.poll(scope, cx)
    }
}

/// A pattern that is being compiled. Its text may go meanwhile.
struct Compile {
    pattern: String,
    job: Option<JoinHandle<Result<Regex, String>>>,
}

impl Compile {
    fn new(pattern: Text) -> Self {
        Self { pattern: pattern.as_str().to_owned(), job: None }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Regex, String>> {
        let job = self.job.get_or_insert_with(|| {
            let pattern = self.pattern.clone();
            spawn_blocking(move || regexes::compile(&pattern))
        });
        let compiled = ready!(Pin::new(job).poll(cx)).unwrap_or_else(|error| Err(error.to_string()));
        Poll::Ready(compiled.inspect(|regex| regexes::keep(&self.pattern, regex)))
    }
}

/// Compiles a pattern and goes on with the search. The suspended caller keeps the texts.
struct Compiling<S> {
    search: S,
    compiling: Compile,
    text: Text,
    with: Option<Text>,
    then: Option<Box<dyn Operation>>,
}

impl<S: Search> Operation for Compiling<S> {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        if self.then.is_none() {
            let compiled = ready!(self.compiling.poll(cx)).map_err(|problem| {
                Trap::native(format!("the pattern {:?} is not valid: {problem}", self.compiling.pattern))
            });
            match compiled.and_then(|regex| begin(scope, self.search, &regex, self.text, self.with))? {
                Flow::Done(word) => return Poll::Ready(Ok(word)),
                Flow::Wait => self.then = scope.pending.take(),
            }
        }
        let then = self.then.as_mut().expect("a search that waits says for what");
        then.poll(scope, cx)
    }
}

#[derive(Clone, Copy)]
struct IsMatch;

impl Search for IsMatch {
    type Found = bool;

    fn search(self, regex: &Regex, text: &str, _: &str, _: usize) -> Result<bool, Full> {
        Ok(regex.is_match(text))
    }

    fn give(self, _: &mut Scope, found: bool) -> Result<Word, Trap> {
        Ok(found.into_word())
    }
}

/// Whether the pattern fits somewhere.
pub fn regex_is_match(scope: &mut Scope, pattern: Text, text: Text) -> Result<Flow, Trap> {
    run(scope, IsMatch, pattern, text, None)
}

/// The places of the first `count` matches, with those of their groups or without.
#[derive(Clone, Copy)]
struct Spans {
    count: usize,
    groups: bool,
}

impl Search for Spans {
    type Found = Vec<Word>;

    fn search(self, regex: &Regex, text: &str, _: &str, room: usize) -> Result<Vec<Word>, Full> {
        let most = room / size_of::<Word>();
        let width = if self.groups { 2 * regex.captures_len() } else { 2 };
        let mut words = Vec::new();
        let mut add = |span: Option<(usize, usize)>| {
            let (start, end) = span.map_or((-1, -1), |(start, end)| (start as i64, end as i64));
            words.extend([start as Word, end as Word]);
            if words.len() < most { Ok(()) } else { Err(Full) }
        };
        if self.groups {
            for found in regex.captures_iter(text).take(self.count) {
                for group in found.iter() {
                    add(group.map(|group| (group.start(), group.end())))?;
                }
            }
        } else {
            for found in regex.find_iter(text).take(self.count) {
                add(Some((found.start(), found.end())))?;
            }
        }
        if !words.is_empty() {
            words.insert(0, width as Word);
        }
        Ok(words)
    }

    fn give(self, scope: &mut Scope, found: Vec<Word>) -> Result<Word, Trap> {
        let list = scope.list(shape::LIST_WORD, found.len())?;
        list.get().append(&found);
        Ok(list.into_word())
    }
}

/// Where the pattern fits; see the declaration.
pub fn regex_spans(
    scope: &mut Scope,
    pattern: Text,
    text: Text,
    count: i64,
    groups: i64,
) -> Result<Flow, Trap> {
    let spans = Spans { count: usize::try_from(count).unwrap_or(usize::MAX), groups: groups != 0 };
    run(scope, spans, pattern, text, None)
}

#[derive(Clone, Copy)]
struct Names;

impl Search for Names {
    type Found = Vec<String>;

    fn search(self, regex: &Regex, _: &str, _: &str, _: usize) -> Result<Vec<String>, Full> {
        Ok(regex.capture_names().map(|name| name.unwrap_or_default().to_owned()).collect())
    }

    fn give(self, scope: &mut Scope, found: Vec<String>) -> Result<Word, Trap> {
        Ok(scope.text_list(found.iter().map(String::as_str))?.into_word())
    }
}

/// The names of a pattern's groups.
pub fn regex_names(scope: &mut Scope, pattern: Text) -> Result<Flow, Trap> {
    // The text to search plays no part; the pattern is one that is held.
    run(scope, Names, pattern, pattern, None)
}

#[derive(Clone, Copy)]
struct Replace;

impl Search for Replace {
    type Found = String;

    fn search(self, regex: &Regex, text: &str, with: &str, room: usize) -> Result<String, Full> {
        let variables = with.matches('$').count();
        let mut made = String::new();
        let mut from = 0;
        for found in regex.captures_iter(text) {
            let whole = found.get(0).expect("a match has a whole").range();
            made.push_str(&text[from..whole.start]);
            let longest = variables.saturating_mul(longest_group(&found));
            if made.len().saturating_add(with.len()).saturating_add(longest) > room {
                return Err(Full);
            }
            found.expand(with, &mut made);
            from = whole.end;
        }
        made.push_str(&text[from..]);
        Ok(made)
    }

    fn give(self, scope: &mut Scope, found: String) -> Result<Word, Trap> {
        Ok(scope.text(&found)?.into_word())
    }
}

fn longest_group(found: &Captures<'_>) -> usize {
    found.iter().flatten().map(|group| group.len()).max().unwrap_or(0)
}

/// With `new` in place of each match.
pub fn regex_replace(scope: &mut Scope, pattern: Text, text: Text, new: Text) -> Result<Flow, Trap> {
    run(scope, Replace, pattern, text, Some(new))
}

/// A pattern that fits this text alone.
pub fn regex_escape(scope: &mut Scope, text: Text) -> Result<Own<Text>, Trap> {
    Ok(scope.text(&regex::escape(text.as_str()))?)
}

/// What is wrong with a pattern.
pub fn regex_problem(scope: &mut Scope, pattern: Text) -> Result<Flow, Trap> {
    if regexes::known(pattern.as_str()).is_some() {
        return Ok(Flow::Done(0));
    }
    scope.pending = Some(Box::new(Judging(Compile::new(pattern))));
    Ok(Flow::Wait)
}

struct Judging(Compile);

impl Operation for Judging {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        Poll::Ready(match ready!(self.0.poll(cx)) {
            Ok(_) => Ok(0),
            Err(problem) => scope.text(&problem).map(Gives::into_word).map_err(Trap::from),
        })
    }
}
