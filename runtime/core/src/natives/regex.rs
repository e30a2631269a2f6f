//! Natives of `regex.weir`.
//!
//! A pattern that is compiled and a short text are searched at once; else the native waits: patterns are compiled, and copies
//! of long texts searched, on the blocking pool, for neither can be interrupted.

use super::Flow;
use crate::heap::{Full, Word};
use crate::pieces::{Pieces, Put, Sink, given, made, shrink};
use crate::regexes;
use crate::scope::{Operation, Scope};
use crate::steps::{STEP, Work, in_steps};
use crate::value::{Gives, Handle, List, Own, Text};
use crate::waiting::copied_to_pool;
use regex::{Captures, Regex};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::{JoinHandle, spawn_blocking};
use weir_abi::layout::shape;
use weir_abi::trap::Trap;

/// Up to so many bytes a text is searched where it is: some ten microseconds.
const SHORT: usize = 16 * 1024;

/// So many bytes are copied in the time in which one is searched.
const EXPANDED: usize = 16;

/// What is looked for. It runs on any thread, on a text and with room for a result of so many bytes.
trait Search: Copy + Send + 'static {
    type Found: Send + 'static;
    fn search(self, regex: &Regex, text: &str, with: &str, room: usize) -> Result<Self::Found, Full>;
    fn give(self, scope: &mut Scope, found: Self::Found) -> Result<Flow, Trap>;
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
    // What is made of a template may be as long as both lengths multiplied.
    if text.len().max(text.len().saturating_mul(template.len()) / EXPANDED) <= SHORT {
        let found = search.search(regex, text.as_str(), template, room)?;
        return search.give(scope, found);
    }
    let regex = regex.clone();
    let finish = move |scope: &mut Scope, found: Result<S::Found, Full>| search.give(scope, found?);
    match with {
        None => copied_to_pool(scope, [text], move |[text]| search.search(&regex, &text, "", room), finish),
        Some(with) => {
            let job = move |[text, with]: [String; 2]| search.search(&regex, &text, &with, room);
            copied_to_pool(scope, [text, with], job, finish)
        }
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

    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Regex, String>> {
        scope.note_work();
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
            let compiled = ready!(self.compiling.poll(scope, cx)).map_err(|problem| {
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

    fn give(self, _: &mut Scope, found: bool) -> Result<Flow, Trap> {
        Ok(Flow::Done(found.into_word()))
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

    fn give(self, scope: &mut Scope, found: Vec<Word>) -> Result<Flow, Trap> {
        let list = scope.list(shape::LIST_WORD, found.len())?;
        in_steps(scope, Listing { list, found, at: 0 })
    }
}

/// Words that become those of a list.
struct Listing {
    list: Own<List>,
    found: Vec<Word>,
    /// How many of them it has.
    at: usize,
}

impl Work for Listing {
    fn step(&mut self, _: &mut Scope) -> Result<Option<Word>, Trap> {
        let list = self.list.get();
        let rest = &self.found[self.at..];
        let piece = &rest[..rest.len().min(STEP / size_of::<Word>())];
        list.append(piece);
        self.at += piece.len();
        if self.at < self.found.len() {
            return Ok(None);
        }
        let is_small = shrink(&mut self.found);
        self.at = self.found.len();
        Ok(is_small.then(|| list.word()))
    }

    fn close(self, scope: &mut Scope) {
        scope.give_up(self.list);
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

    fn give(self, scope: &mut Scope, found: Vec<String>) -> Result<Flow, Trap> {
        Ok(Flow::Done(scope.text_list(found.iter().map(String::as_str))?.into_word()))
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

    fn give(self, scope: &mut Scope, found: String) -> Result<Flow, Trap> {
        given(scope, found.into_bytes())
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
pub fn regex_escape(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    made(scope, Escaped { text, at: 0 })
}

/// A text with what means something in a pattern escaped: characters of ASCII, each by itself.
#[derive(Clone)]
struct Escaped {
    text: Text,
    at: usize,
}

impl Pieces for Escaped {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let window = self.text.window(self.at, step);
        sink.push(regex::escape(window).as_bytes());
        self.at += window.len();
        if self.at == self.text.len() { Put::All } else { Put::More }
    }
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
        Poll::Ready(match ready!(self.0.poll(scope, cx)) {
            Ok(_) => Ok(0),
            Err(problem) => scope.text(&problem).map(Gives::into_word).map_err(Trap::from),
        })
    }
}
