//! Compiled regular expressions of this thread, by pattern.
//!
//! In: patterns. Out: expressions, compiled at the first use of a pattern and kept while it is one of the last used.
//! Invariant: compiling takes stack by the pattern's nesting, and milliseconds for some, so it happens on the blocking pool alone.
//! Not here: what is done with them (`natives::regex`).

use regex::{Error, Regex, RegexBuilder};
use std::cell::RefCell;

/// How many patterns are kept; arbitrary, more than a program's hot paths name.
const KEPT: usize = 64;
/// Largest compiled size in bytes, for the program and for the states that it builds as it runs: bounds what a search takes
/// per byte of text.
const COMPILED_SIZE: usize = 1 << 20;
const TOO_BIG: &str = "it takes more than 1mb when it is compiled";

thread_local! {
    /// The last used one first.
    static COMPILED: RefCell<Vec<(Box<str>, Regex)>> = const { RefCell::new(Vec::new()) };
}

/// The expression of a pattern, if it is compiled.
pub fn known(pattern: &str) -> Option<Regex> {
    COMPILED.with_borrow_mut(|all| {
        let at = all.iter().position(|(known, _)| **known == *pattern)?;
        all[..=at].rotate_right(1);
        Some(all[0].1.clone())
    })
}

/// Compiles a pattern. On any thread.
///
/// # Errors
/// What is wrong with it, in a line.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > COMPILED_SIZE {
        return Err(TOO_BIG.to_owned());
    }
    let built = RegexBuilder::new(pattern).size_limit(COMPILED_SIZE).dfa_size_limit(COMPILED_SIZE).build();
    built.map_err(|error| problem(&error))
}

/// Keeps the expression of a pattern for this thread.
pub fn keep(pattern: &str, regex: &Regex) {
    COMPILED.with_borrow_mut(|all| {
        all.retain(|(known, _)| **known != *pattern);
        all.truncate(KEPT - 1);
        all.insert(0, (pattern.into(), regex.clone()));
    });
}

fn problem(error: &Error) -> String {
    match error {
        Error::CompiledTooBig(_) => TOO_BIG.to_owned(),
        // The pattern with marks under it, and at last what is wrong.
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_used_patterns_are_kept() {
        for number in 0..KEPT + 10 {
            let pattern = format!("a{number}");
            keep(&pattern, &compile(&pattern).expect("a pattern"));
            assert!(known("a0").is_some(), "used again and again");
        }
        assert!(known("a1").is_none() && known(&format!("a{}", KEPT + 9)).is_some());
        COMPILED.with_borrow(|all| assert_eq!(all.len(), KEPT));
    }

    #[test]
    fn problems_are_told_in_a_line() {
        assert_eq!(compile("(a").err().as_deref(), Some("unclosed group"));
        assert_eq!(
            compile(r"\w{1000}{1000}").err().as_deref(),
            Some("it takes more than 1mb when it is compiled")
        );
        assert!(compile(&"(".repeat(100_000)).is_err() && compile(&"(?:".repeat(200)).is_err());
    }
}
