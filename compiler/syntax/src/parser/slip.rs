//! What the grammar rules are written over: their input, their error, and what they know about the file.
//!
//! The error (`Slip`) is two words and a pointer, so that the many alternatives that do not match cost nothing;
//! `explain` turns the few that remain into diagnostics.

use chumsky::error::{Error, LabelError};
use chumsky::inspector::SimpleState;
use chumsky::prelude::*;
use chumsky::primitive::{self, Just, OneOf};
use chumsky::util::MaybeRef;
use chumsky::{DefaultExpected, extra};

use crate::ast::Name;
use crate::diag::Diagnostic;
use crate::span::{FileId, Span};
use crate::token::{Token, TokenKind as K};

/// The input of every rule: token kinds as `layout` left them.
pub(super) type Input<'s> = &'s [K];

/// The extras of every rule.
pub(super) type Extra<'s> = extra::Full<Slip, SimpleState<&'s Context<'s>>, ()>;

/// What a mapping function is given besides the output: the range of tokens and the [`Context`].
pub(super) type Extras<'s, 'b> = chumsky::input::MapExtra<'s, 'b, Input<'s>, Extra<'s>>;

/// A rule of the grammar that gives an `O`.
pub(super) trait Rule<'s, O>: Parser<'s, Input<'s>, O, Extra<'s>> + Clone + 's {}

impl<'s, O, P: Parser<'s, Input<'s>, O, Extra<'s>> + Clone + 's> Rule<'s, O> for P {}

/// A rule behind a pointer, which keeps types short and builds fast.
pub(super) type Boxed<'s, O> = chumsky::Boxed<'s, 's, Input<'s>, O, Extra<'s>>;

/// One token of a kind.
pub(super) fn just<'s>(kind: K) -> Just<K, Input<'s>, Extra<'s>> {
    primitive::just(kind)
}

/// One token of several kinds.
pub(super) fn one_of<'s>(kinds: &'static [K]) -> OneOf<&'static [K], Input<'s>, Extra<'s>> {
    primitive::one_of(kinds)
}

/// One token that `wanted` holds for; messages do not mention it.
pub(super) fn when<'s>(wanted: impl Fn(K) -> bool + Clone + 's) -> impl Rule<'s, K> {
    primitive::any().filter(move |&kind: &K| wanted(kind))
}

/// The file that is parsed.
pub(super) struct Context<'s> {
    pub file: FileId,
    pub text: &'s str,
    /// The lexer's tokens, comments and newlines among them.
    pub raw: &'s [Token],
    /// The input.
    pub kinds: &'s [K],
    /// Where each token of the input stands.
    pub spans: &'s [Span],
}

impl Context<'_> {
    /// What the tokens of a range cover; for an empty one, the place behind the token before it.
    pub fn span(&self, range: SimpleSpan) -> Span {
        if range.start < range.end {
            self.spans[range.start].to(self.spans[range.end - 1])
        } else if range.start > 0 {
            self.spans[range.start - 1].after()
        } else {
            Span::new(self.file, 0, 0)
        }
    }

    /// The characters of a span.
    pub fn text(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }

    /// The characters of a span, blanks in place of comments.
    pub fn without_comments(&self, span: Span) -> String {
        let mut out = self.text(span).to_string();
        let first = self.raw.partition_point(|token| token.span.start < span.start);
        let inside = self.raw[first..].iter().take_while(|token| token.span.end <= span.end);
        for comment in inside.filter(|token| matches!(token.kind, K::Comment | K::DocComment)) {
            let from = (comment.span.start - span.start) as usize;
            let len = (comment.span.end - comment.span.start) as usize;
            out.replace_range(from..from + len, &" ".repeat(len));
        }
        out
    }

    /// The token at `index` as a name.
    pub fn name(&self, index: usize) -> Name {
        let span = self.spans[index];
        Name { text: self.text(span).to_string(), span }
    }
}

/// A set of token kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KindSet(u128);

impl KindSet {
    pub fn insert(&mut self, kind: K) {
        self.0 |= 1 << kind as u8;
    }

    pub fn remove(&mut self, kind: K) {
        self.0 &= !(1 << kind as u8);
    }

    pub fn contains(self, kind: K) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = K> {
        K::ALL.iter().copied().filter(move |&kind| self.contains(kind))
    }
}

impl FromIterator<K> for KindSet {
    fn from_iter<I: IntoIterator<Item = K>>(kinds: I) -> Self {
        let mut set = Self::default();
        kinds.into_iter().for_each(|kind| set.insert(kind));
        set
    }
}

/// Why a rule does not match.
#[derive(Clone, Debug, Default)]
pub(super) struct Slip {
    /// Index of the token that did not fit; the number of tokens at the end of the file.
    pub at: usize,
    /// What would have fitted.
    pub expected: KindSet,
    /// A message of its own.
    pub diagnostic: Option<Box<Diagnostic>>,
}

impl Slip {
    /// The token at `at` is none of `expected`.
    pub fn expected(at: usize, expected: impl IntoIterator<Item = K>) -> Self {
        Self { at, expected: expected.into_iter().collect(), diagnostic: None }
    }
}

impl From<Diagnostic> for Slip {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic: Some(Box::new(diagnostic)), ..Self::default() }
    }
}

impl<'s> Error<'s, Input<'s>> for Slip {
    fn merge(mut self, other: Self) -> Self {
        self.expected.0 |= other.expected.0;
        self.diagnostic = self.diagnostic.or(other.diagnostic);
        self
    }
}

impl<'s> LabelError<'s, Input<'s>, DefaultExpected<'s, K>> for Slip {
    #[inline]
    fn expected_found<E: IntoIterator<Item = DefaultExpected<'s, K>>>(
        expected: E,
        _found: Option<MaybeRef<'s, K>>,
        span: SimpleSpan,
    ) -> Self {
        let mut slip = Self { at: span.start, ..Self::default() };
        for one in expected {
            if let DefaultExpected::Token(kind) = one {
                slip.expected.insert(*kind);
            }
        }
        slip
    }
}
