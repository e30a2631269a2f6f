//! What did not match, in Weir's words.
//!
//! In: the slips that the rules left. Out: diagnostics, one for each mistake.

use std::collections::HashSet;

use super::slip::{Context, KindSet, Slip};
use crate::diag::Diagnostic;
use crate::span::Span;
use crate::token::TokenKind as K;

/// All slips as diagnostics, next to those that lexer and layout `reported`. A slip at a place that was reported as wrong says
/// nothing new and is left out.
pub(super) fn explain_all(context: &Context, slips: Vec<Slip>, reported: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    let mut reserved = HashSet::new();
    let mut out = Vec::new();
    for slip in slips {
        if let Some(diagnostic) = slip.diagnostic {
            // A reserved word that stands for a name is told once, not at each use.
            let word = context.text(diagnostic.span());
            if diagnostic.code != "E0109" || reserved.insert(word) {
                out.push(*diagnostic);
            }
        } else if is_reserved_again(context, slip.at, &reserved) {
        } else if seen.insert(slip.at) && !is_consequence(context, slip.at, reported) {
            out.push(explain(context, &slip));
        }
    }
    out
}

/// Whether the token at `at` is one of the words that were `told` to be no names.
fn is_reserved_again(context: &Context, at: usize, told: &HashSet<&str>) -> bool {
    context.kinds.get(at).is_some_and(|kind| kind.is_keyword())
        && told.contains(context.text(context.spans[at]))
}

/// Whether the token at `at` does not fit because of something reported right there.
fn is_consequence(context: &Context, at: usize, reported: &[Diagnostic]) -> bool {
    let kind = |at: usize| context.kinds.get(at).copied();
    let made_up =
        |at: usize| kind(at).is_some_and(K::is_closer) && context.spans[at].start == context.spans[at].end;
    let before = at.wrapping_sub(1);
    if matches!(kind(at), Some(K::Unknown | K::BadLiteral)) || matches!(kind(before), Some(K::Unknown)) {
        return true;
    }
    if made_up(at) || made_up(before) {
        return true;
    }
    // A stray closing bracket was taken out in between.
    let start = context.spans.get(before).map_or(0, |span| span.end);
    // A separator stands right behind the statement, not where its newline is.
    let next = if kind(at) == Some(K::Sep) { at + 1 } else { at };
    let end = context.spans.get(next).map_or(context.text.len() as u32, |span| span.start);
    reported.iter().any(|diagnostic| {
        let span = diagnostic.span();
        diagnostic.code == "E0103" && start <= span.start && span.end <= end
    })
}

/// The token that did not fit, and what stands around it.
struct Place<'a, 's> {
    context: &'a Context<'s>,
    at: usize,
    found: Option<K>,
    before: Option<K>,
    span: Span,
    expected: KindSet,
}

impl Place<'_, '_> {
    fn text(&self) -> &str {
        self.context.text(self.span)
    }

    fn error(&self, code: &'static str, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message, self.span, label)
    }

    /// Whether an expression could have stood here.
    fn operand_expected(&self) -> bool {
        self.expected.contains(K::LambdaOpen)
    }

    /// How the message calls what was found.
    fn found_words(&self) -> String {
        match self.found {
            None => "the end of the file".to_string(),
            Some(
                kind @ (K::Name | K::TypeName | K::Reserved | K::OpAssign | K::Int | K::Duration | K::MinInt),
            ) => {
                let text = self.text();
                if text.is_empty() { kind.describe().to_string() } else { format!("`{text}`") }
            }
            Some(kind) => kind.describe().to_string(),
        }
    }
}

fn explain(context: &Context, slip: &Slip) -> Diagnostic {
    let found = context.kinds.get(slip.at).copied();
    let before = slip.at.checked_sub(1).map(|at| context.kinds[at]);
    let span = match context.spans.get(slip.at) {
        Some(&span) => span,
        None => context.spans.last().map_or(Span::new(context.file, 0, 0), |span| span.after()),
    };
    let place = Place { context, at: slip.at, found, before, span, expected: slip.expected };
    known_slip(&place).unwrap_or_else(|| plain(&place))
}

/// Mistakes with a message of their own.
fn known_slip(place: &Place) -> Option<Diagnostic> {
    if decrement(place) {
        return Some(place.error("E0112", "there is no `--`", "").help("write `x = x - 1`"));
    }
    let expected = place.expected;
    if place.before == Some(K::Underscore) && expected.contains(K::FatArrow) {
        let span = place.context.spans[place.at - 1];
        let diagnostic =
            Diagnostic::error("E0101", "`_` has no value", span, "an expression is expected here");
        return Some(diagnostic.help("`_` stands for a value that is not used, in patterns and parameters"));
    }
    let Some(found) = place.found else {
        let message = "expected `{`, found the end of the file";
        return block_expected(place).then(|| place.error("E0113", message, "a block starts here"));
    };
    match found {
        K::Question => Some(
            place
                .error("E0112", "there is no `? :`", "")
                .help("write `if condition { one } else { other }`, which has a value"),
        ),
        K::Reserved if place.operand_expected() => {
            let word = place.text();
            Some(place.error("E0117", format!("`{word}` is not part of the language yet"), ""))
        }
        K::Let | K::Var | K::Return | K::Break | K::Continue | K::Fail | K::Assert | K::Yield | K::Defer
            if place.operand_expected() =>
        {
            let message = format!("expected an expression, found {}", found.describe());
            Some(
                place
                    .error("E0121", message, "a statement has no value")
                    .help("a block of statements stands in braces"),
            )
        }
        K::FatArrow
            if expected.contains(K::Arrow) || expected.contains(K::LBrace) && !place.operand_expected() =>
        {
            Some(place.error("E0116", "expected `->`, `=` or `{`, found `=>`", "").help(
                "a result type follows `->`, a short body follows `=`: `fn double(x: Int) -> Int = x * 2`",
            ))
        }
        K::Colon if expected.contains(K::Sep) && place.before == Some(K::TextEnd) => {
            Some(plain(place).help("a map is written `[\"a\": 1, \"b\": 2]`, a record `{a: 1, b: 2}`"))
        }
        K::Pipe | K::Fn if place.operand_expected() => {
            Some(plain(place).help("a lambda is written `x => x + 1` or `(a, b) => a + b`"))
        }
        K::Lt if place.before == Some(K::TypeName) || expected.contains(K::LBracket) && expected.contains(K::LParen) && !expected.contains(K::Sep) => {
            Some(plain(place).help("type arguments and variables stand in square brackets: `List[Int]`, `fn first[A](xs: List[A])`"))
        }
        K::LBracket if expected.contains(K::BadLiteral) && !place.operand_expected() => {
            Some(plain(place).help("a list's type is written `List[Int]`"))
        }
        K::TextStart if place.before == Some(K::Name) && touching(place) => {
            let prefix = place.context.text(place.context.spans[place.at - 1]);
            Some(place.error("E0117", format!("`{prefix}\"...\"` is not part of the language yet"), ""))
        }
        _ if expected.contains(K::Sep) && place.before == Some(K::Name) && found.starts_operand() => {
            let diagnostic = plain(place);
            Some(match place.context.text(place.context.spans[place.at - 1]) {
                "switch" | "case" | "when" => {
                    diagnostic.help("cases are told apart by `match value { pattern => result }`")
                }
                "class" | "struct" | "enum" | "interface" => {
                    diagnostic.help("types are declared by `type Name = { field: Type }`")
                }
                "import" | "from" | "require" => diagnostic.help("the standard library needs no imports; another file is used as `use \"file.weir\"`"),
                "async" | "await" => {
                    diagnostic.help("any function may wait; there is no `async` and no `await`")
                }
                "new" => diagnostic.help("values are built like calls: `Name(field: value)`"),
                "throw" | "raise" => {
                    diagnostic.help("a function fails with `fail \"why\"`, which its caller passes on with `?`")
                }
                "try" | "catch" => {
                    diagnostic.help("what fails gives a value: `call()?` passes it on, `call() ?? other` goes on with something else, and `match` tells `Ok(x)` from `Err(error)`")
                }
                "echo" | "puts" | "printf" | "println" => diagnostic.help("write `print(...)`"),
                "lambda" => diagnostic.help("a lambda is written `x => x + 1` or `(a, b) => a + b`"),
                "do" => diagnostic.help("a loop is written `while condition { ... }` or `loop { ... }`"),
                "unless" => diagnostic.help("write `if not condition { ... }`"),
                name if !matches!(found, K::Name | K::Not | K::LBrace) => {
                    diagnostic.help(format!("a call is written with parentheses: `{name}(...)`"))
                }
                _ => diagnostic,
            })
        }
        K::LBrace
            if place.before == Some(K::TypeName)
                && (expected.contains(K::Sep) || expected.contains(K::RParen) && expected.contains(K::Comma)) => {
            Some(plain(place).help("values are built like calls: `Name(field: value)`"))
        }
        K::Int if place.before == Some(K::Dot) => {
            Some(plain(place).help("the parts of a tuple are taken out by a pattern: `let (a, b) = pair`"))
        }
        K::Dot if place.operand_expected() => {
            Some(plain(place).help("a method call needs a value in front of its dot"))
        }
        K::Assign
            if place.before == Some(K::Assign) || expected.contains(K::Sep) || place.operand_expected() =>
        {
            Some(plain(place).help("`=` assigns in a statement of its own, `==` compares"))
        }
        K::Sep if block_expected(place) => Some(
            place
                .error("E0113", "expected `{`, found the end of the line", "a block starts here")
                .fix(place.span, " {"),
        ),
        _ if block_expected(place) => {
            let message = format!("expected `{{`, found {}", place.found_words());
            let error = place.error("E0113", message, "a block starts here");
            let defers = place.before == Some(K::Defer);
            Some(if defers { error.help("what is put off stands in a block: `defer { close(x) }`") } else { error })
        }
        _ if found.is_keyword()
            && place.before != Some(K::For)
            && expected.contains(K::Name)
            && !place.operand_expected() =>
        {
            let word = place.text();
            Some(place.error("E0109", format!("`{word}` is a reserved word"), "a name is expected here"))
        }
        _ => None,
    }
}

/// Whether only a block could have gone on here.
fn block_expected(place: &Place) -> bool {
    let expected = place.expected;
    // Patterns and types may start with a `{` as well.
    let other = [K::Sep, K::MinInt, K::BadLiteral].into_iter().any(|kind| expected.contains(kind));
    expected.contains(K::LBrace) && !place.operand_expected() && !other
}

fn touching(place: &Place) -> bool {
    place.at > 0 && place.context.spans[place.at - 1].end == place.span.start
}

/// `x--` at the end of a statement.
fn decrement(place: &Place) -> bool {
    matches!(place.found, None | Some(K::Sep | K::RBrace))
        && place.at >= 2
        && place.context.kinds[place.at - 2..place.at] == [K::Minus, K::Minus]
}

/// "expected this or that, found something".
fn plain(place: &Place) -> Diagnostic {
    let words = expectation(place);
    let found = place.found_words();
    if words.is_empty() {
        return place.error("E0101", format!("{found} is not expected here"), "");
    }
    let mut diagnostic = place.error("E0101", format!("expected {}, found {found}", one_of(&words)), "");
    if place.span.start == place.span.end
        && let Some(before) = place.at.checked_sub(1)
        && place.found.is_some_and(|kind| kind != K::Sep)
    {
        diagnostic = diagnostic.label(place.context.spans[before], "");
    }
    diagnostic
}

/// What would have fitted, each in a few words, the most telling first.
fn expectation(place: &Place) -> Vec<&'static str> {
    let mut expected = place.expected;
    let mut words = Vec::new();
    let mut group = |word: &'static str, mark: K, members: &[K]| {
        if expected.contains(mark) {
            words.push(word);
            members.iter().for_each(|&kind| expected.remove(kind));
        }
    };
    let operand: Vec<K> =
        K::ALL.iter().copied().filter(|kind| kind.starts_operand() || kind.is_keyword()).collect();
    group(
        "an expression",
        K::LambdaOpen,
        &[operand.as_slice(), &[K::Underscore, K::DotDot, K::DotDotEq, K::Minus]].concat(),
    );
    let pattern = [K::Underscore, K::Name, K::TypeName, K::Int, K::MinInt, K::Minus, K::True, K::False];
    let pattern_rest = [
        K::LParen,
        K::LBracket,
        K::LBrace,
        K::TextStart,
        K::HtmlMark,
        K::RawText,
        K::Float,
        K::Duration,
        K::BadLiteral,
    ];
    group("a pattern", K::MinInt, &[pattern.as_slice(), &pattern_rest].concat());
    let ty = [K::TypeName, K::Fn, K::LParen, K::LBrace, K::BadLiteral, K::Name];
    group("a type", K::BadLiteral, &ty);
    let keywords: Vec<K> = K::ALL.iter().copied().filter(|kind| kind.is_keyword()).collect();
    group("a name", K::Name, &[keywords.as_slice(), &[K::Name, K::TypeName, K::Underscore]].concat());
    group("`=>`", K::ArmArrow, &[K::ArmArrow, K::FatArrow, K::Arrow]);
    group("`=>`", K::FatArrow, &[K::FatArrow, K::Arrow]);
    if place.expected.contains(K::Sep) {
        return vec!["the end of the statement"];
    }
    // What can follow any operand says little next to what must come.
    let suffixes = [
        K::Dot,
        K::LParen,
        K::LBracket,
        K::Question,
        K::Bang,
        K::DotDot,
        K::DotDotEq,
        K::Coalesce,
        K::And,
        K::Or,
        K::Pipe,
    ];
    let rest: Vec<K> = expected.iter().collect();
    let telling: Vec<K> = rest.iter().copied().filter(|kind| !suffixes.contains(kind)).collect();
    for kind in if telling.is_empty() && words.is_empty() { rest } else { telling } {
        let word = kind.describe();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.truncate(4);
    words
}

/// `a`, `a or b`, `a, b or c`
fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_string(),
        [init @ .., last] => format!("{} or {last}", init.join(", ")),
    }
}
