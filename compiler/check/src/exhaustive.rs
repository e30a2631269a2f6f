//! Exhaustiveness: which values no arm takes, and which arms take none.
//!
//! A pattern has at most one part (the value of a `Some`), so cases form a chain and not a matrix: each question is answered
//! by looking at the patterns of one kind, and once more at the parts.

use crate::typed::Pattern;

/// A value that no unguarded arm takes, as a pattern; `None` when all values are taken. Arms come with whether they are
/// guarded.
pub fn missing(arms: &[(&Pattern, bool)]) -> Option<String> {
    uncovered(&flat(arms.iter().filter(|(_, guarded)| !guarded).map(|(p, _)| *p)))
}

/// The indexes of the arms that take nothing that the unguarded arms before them leave.
pub fn unreachable(arms: &[(&Pattern, bool)]) -> Vec<usize> {
    let mut out = Vec::new();
    for (i, (pattern, _)) in arms.iter().enumerate() {
        let before = flat(arms[..i].iter().filter(|(_, guarded)| !guarded).map(|(p, _)| *p));
        if !adds(&before, pattern) {
            out.push(i);
        }
    }
    out
}

/// The patterns with `|` taken apart.
fn flat<'p>(patterns: impl Iterator<Item = &'p Pattern>) -> Vec<&'p Pattern> {
    let mut out = Vec::new();
    for pattern in patterns {
        match pattern {
            Pattern::Or(parts) => out.extend(flat(parts.iter())),
            _ => out.push(pattern),
        }
    }
    out
}

fn takes_all(patterns: &[&Pattern]) -> bool {
    patterns.iter().any(|p| matches!(p, Pattern::Wildcard | Pattern::Bind(_)))
}

/// What the `Some` patterns say about the value inside.
fn parts<'p>(patterns: &[&'p Pattern]) -> Vec<&'p Pattern> {
    let inner = patterns.iter().filter_map(|p| match p {
        Pattern::Some(inner) => Some(inner.as_ref()),
        _ => None,
    });
    flat(inner)
}

fn uncovered(patterns: &[&Pattern]) -> Option<String> {
    if takes_all(patterns) {
        return None;
    }
    match patterns.first() {
        Some(Pattern::Bool(_)) => {
            let takes = |b: bool| patterns.iter().any(|p| matches!(p, Pattern::Bool(x) if *x == b));
            [true, false].into_iter().find(|b| !takes(*b)).map(|b| b.to_string())
        }
        Some(Pattern::Some(_) | Pattern::None) => {
            if !patterns.iter().any(|p| matches!(p, Pattern::None)) {
                return Some("None".to_string());
            }
            uncovered(&parts(patterns)).map(|inner| format!("Some({inner})"))
        }
        Some(Pattern::Int(_) | Pattern::IntRange(..)) if covers(patterns, i64::MIN, i64::MAX) => None,
        _ => Some("_".to_string()),
    }
}

/// Whether `pattern` takes a value that none of `before` takes.
fn adds(before: &[&Pattern], pattern: &Pattern) -> bool {
    if takes_all(before) {
        return false;
    }
    match pattern {
        Pattern::Or(parts) => parts.iter().any(|p| adds(before, p)),
        Pattern::Wildcard | Pattern::Bind(_) => uncovered(before).is_some(),
        Pattern::Bool(b) => !before.iter().any(|p| matches!(p, Pattern::Bool(x) if x == b)),
        Pattern::Text(t) => !before.iter().any(|p| matches!(p, Pattern::Text(x) if x == t)),
        Pattern::None => !before.iter().any(|p| matches!(p, Pattern::None)),
        Pattern::Some(inner) => adds(&parts(before), inner),
        Pattern::Int(n) => !covers(before, *n, *n),
        Pattern::IntRange(low, high) => !covers(before, *low, *high),
    }
}

/// Whether the Int patterns together take all of `low..=high`.
fn covers(patterns: &[&Pattern], low: i64, high: i64) -> bool {
    let mut ranges: Vec<(i64, i64)> = patterns
        .iter()
        .filter_map(|p| match p {
            Pattern::Int(n) => Some((*n, *n)),
            Pattern::IntRange(a, b) => Some((*a, *b)),
            _ => None,
        })
        .collect();
    ranges.sort_unstable();
    let mut next = low;
    for (a, b) in ranges {
        if a > next {
            return false;
        }
        if b >= high {
            return true;
        }
        next = next.max(b + 1);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(inner: Pattern) -> Pattern {
        Pattern::Some(Box::new(inner))
    }

    fn case(patterns: &[Pattern]) -> Option<String> {
        missing(&patterns.iter().map(|p| (p, false)).collect::<Vec<_>>())
    }

    #[test]
    fn names_what_is_missing() {
        assert_eq!(case(&[Pattern::Bool(true)]), Some("false".into()));
        assert_eq!(case(&[some(Pattern::Bool(true)), Pattern::None]), Some("Some(false)".into()));
        assert_eq!(case(&[some(some(Pattern::Wildcard)), Pattern::None]), Some("Some(None)".into()));
        assert_eq!(case(&[Pattern::Int(1), Pattern::IntRange(2, 9)]), Some("_".into()));
        assert_eq!(case(&[Pattern::Int(i64::MIN), Pattern::IntRange(i64::MIN + 1, i64::MAX)]), None);
        assert_eq!(case(&[Pattern::Or(vec![Pattern::Bool(false), Pattern::Bool(true)])]), None);
        assert_eq!(case(&[]), Some("_".into()));
    }

    #[test]
    fn finds_arms_that_take_nothing() {
        let arms = [Pattern::IntRange(0, 9), Pattern::Int(5), Pattern::Wildcard, Pattern::Int(11)];
        let rows: Vec<(&Pattern, bool)> = arms.iter().map(|p| (p, false)).collect();
        assert_eq!(unreachable(&rows), vec![1, 3]);
        let guarded: Vec<(&Pattern, bool)> = arms.iter().map(|p| (p, true)).collect();
        assert!(unreachable(&guarded).is_empty());
    }
}
