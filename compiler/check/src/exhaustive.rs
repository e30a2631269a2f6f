//! Exhaustiveness: which values no arm takes, and which arms take none.
//!
//! The usual matrix: a row for each pattern, a column for each value that is looked at. A *head* is what the first column
//! is asked for (`Some`, a case, a range of Ints); the matrix of a head has the rows that take it, with columns for its parts
//! in place of the first. Ints fall into the ranges between the ends of all that are asked for. (L. Maranget, "Warnings for
//! pattern matching", 2007.)

use crate::typed::{Cases, Pattern};

/// A value that no unguarded arm takes, as a pattern; `None` when all values are taken. Arms come with whether they are
/// guarded.
pub fn missing(arms: &[(&Pattern, bool)]) -> Option<String> {
    let rows = arms.iter().filter(|(_, guarded)| !guarded).map(|(p, _)| vec![*p]).collect();
    uncovered(rows, 1).and_then(|mut case| case.pop())
}

/// The indexes of the arms that take nothing that the unguarded arms before them leave.
pub fn unreachable(arms: &[(&Pattern, bool)]) -> Vec<usize> {
    let mut out = Vec::new();
    let mut before: Vec<Row<'_>> = Vec::new();
    for (i, (pattern, guarded)) in arms.iter().enumerate() {
        if !adds(before.clone(), vec![*pattern]) {
            out.push(i);
        }
        if !guarded {
            before.push(vec![*pattern]);
        }
    }
    out
}

/// A pattern for each column.
type Row<'p> = Vec<&'p Pattern>;

/// What a value may be, as far as patterns ask.
#[derive(Clone, PartialEq)]
enum Head<'p> {
    Bool(bool),
    None,
    Some,
    Case(&'p Cases, u32),
    Text(&'p str),
    Ints(i64, i64),
}

impl<'p> Head<'p> {
    /// The head of a pattern; `None` when it takes anything.
    fn of(pattern: &'p Pattern) -> Option<Self> {
        Option::Some(match pattern {
            Pattern::Wildcard | Pattern::Bind(_) | Pattern::Or(_) => return Option::None,
            Pattern::Bool(b) => Head::Bool(*b),
            Pattern::None => Head::None,
            Pattern::Some(_) => Head::Some,
            Pattern::Case(cases, at, _) => Head::Case(cases, *at),
            Pattern::Text(text) => Head::Text(text),
            Pattern::Int(n) => Head::Ints(*n, *n),
            Pattern::IntRange(low, high) => Head::Ints(*low, *high),
        })
    }

    /// Whether it takes all that `other` is.
    fn takes(&self, other: &Self) -> bool {
        match (self, other) {
            (Head::Ints(a, b), Head::Ints(c, d)) => a <= c && d <= b,
            (Head::Case(_, a), Head::Case(_, b)) => a == b,
            _ => self == other,
        }
    }

    /// How many parts it has.
    fn parts(&self) -> usize {
        match self {
            Head::Some => 1,
            Head::Case(cases, at) => cases.0[*at as usize].1,
            _ => 0,
        }
    }

    fn show(&self, parts: &[String]) -> String {
        match self {
            Head::Bool(b) => b.to_string(),
            Head::None => "None".to_string(),
            Head::Some => format!("Some({})", parts.join(", ")),
            Head::Case(cases, at) if parts.is_empty() => cases.0[*at as usize].0.clone(),
            Head::Case(cases, at) => format!("{}({})", cases.0[*at as usize].0, parts.join(", ")),
            Head::Text(text) => format!("{text:?}"),
            Head::Ints(low, high) if low == high => low.to_string(),
            Head::Ints(low, high) => format!("{low}..={high}"),
        }
    }
}

/// The patterns that are the parts of one with a head.
fn parts(pattern: &Pattern) -> Vec<&Pattern> {
    match pattern {
        Pattern::Some(inner) => vec![inner],
        Pattern::Case(_, _, parts) => parts.iter().collect(),
        _ => Vec::new(),
    }
}

/// The rows with a `|` in their first column taken apart.
fn flat(rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        match row[0] {
            Pattern::Or(sides) => {
                let sides = sides.iter().map(|side| {
                    let mut row = row.clone();
                    row[0] = side;
                    row
                });
                out.extend(flat(sides.collect()));
            }
            _ => out.push(row),
        }
    }
    out
}

/// The matrix of `head`.
fn under<'p>(rows: &[Row<'p>], head: &Head<'p>) -> Vec<Row<'p>> {
    let rows = rows.iter().filter_map(|row| {
        let mut columns = match Head::of(row[0]) {
            Option::None => vec![&Pattern::Wildcard; head.parts()],
            Option::Some(own) if own.takes(head) => parts(row[0]),
            Option::Some(_) => return Option::None,
        };
        columns.extend_from_slice(&row[1..]);
        Option::Some(columns)
    });
    rows.collect()
}

/// The rows that take anything in the first column, without it.
fn otherwise<'p>(rows: &[Row<'p>]) -> Vec<Row<'p>> {
    rows.iter().filter(|row| Head::of(row[0]).is_none()).map(|row| row[1..].to_vec()).collect()
}

/// The heads that a value of the first column may have, those that no row asks for first; and whether there are others
/// that are not among them.
fn heads<'p>(rows: &[Row<'p>]) -> (Vec<Head<'p>>, bool) {
    let asked: Vec<Head<'p>> = rows.iter().filter_map(|row| Head::of(row[0])).collect();
    let mut all: Vec<Head<'p>> = match asked.first() {
        Option::None => return (Vec::new(), true),
        Option::Some(Head::Bool(_)) => vec![Head::Bool(true), Head::Bool(false)],
        Option::Some(Head::None | Head::Some) => vec![Head::None, Head::Some],
        Option::Some(Head::Case(cases, _)) => {
            (0..cases.0.len() as u32).map(|at| Head::Case(cases, at)).collect()
        }
        Option::Some(Head::Text(_)) => {
            let mut texts: Vec<Head<'p>> = Vec::new();
            for head in asked {
                if !texts.contains(&head) {
                    texts.push(head);
                }
            }
            return (texts, true);
        }
        Option::Some(Head::Ints(..)) => return ints(&asked),
    };
    all.sort_by_key(|head| asked.iter().any(|a| a.takes(head)));
    (all, false)
}

/// The ranges between the ends of those that are asked for, without those that nobody asks for.
fn ints<'p>(asked: &[Head<'p>]) -> (Vec<Head<'p>>, bool) {
    let mut starts = vec![];
    for head in asked {
        if let Head::Ints(low, high) = head {
            starts.push(*low);
            starts.extend(high.checked_add(1));
        }
    }
    starts.push(i64::MIN);
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).map(|start| start - 1).chain([i64::MAX]);
    let ranges: Vec<Head<'p>> = starts.iter().zip(ends).map(|(start, end)| Head::Ints(*start, end)).collect();
    let all = ranges.len();
    let taken: Vec<Head<'p>> = ranges.into_iter().filter(|r| asked.iter().any(|a| a.takes(r))).collect();
    let others = taken.len() < all;
    (taken, others)
}

/// Values of `columns` columns that no row takes.
fn uncovered(rows: Vec<Row<'_>>, columns: usize) -> Option<Vec<String>> {
    if rows.is_empty() {
        return Option::Some(vec!["_".to_string(); columns]);
    }
    if columns == 0 {
        return Option::None;
    }
    let rows = flat(rows);
    let (heads, others) = heads(&rows);
    if others && let Option::Some(mut rest) = uncovered(otherwise(&rows), columns - 1) {
        rest.insert(0, "_".to_string());
        return Option::Some(rest);
    }
    for head in heads {
        let count = head.parts();
        if let Option::Some(mut case) = uncovered(under(&rows, &head), count + columns - 1) {
            let rest = case.split_off(count);
            return Option::Some(std::iter::once(head.show(&case)).chain(rest).collect());
        }
    }
    Option::None
}

/// Whether `row` takes values that none of `rows` takes.
fn adds<'p>(rows: Vec<Row<'p>>, row: Row<'p>) -> bool {
    if rows.is_empty() || row.is_empty() {
        return rows.is_empty();
    }
    if let Pattern::Or(sides) = row[0] {
        return sides.iter().any(|side| {
            let mut row = row.clone();
            row[0] = side;
            adds(rows.clone(), row)
        });
    }
    let rows = flat(rows);
    let (heads, others) = match Head::of(row[0]) {
        Option::None => heads(&rows),
        Option::Some(own) => within(&rows, own),
    };
    if others && Head::of(row[0]).is_none() && adds(otherwise(&rows), row[1..].to_vec()) {
        return true;
    }
    heads.iter().any(|head| {
        let own = under(std::slice::from_ref(&row), head);
        own.into_iter().any(|own| adds(under(&rows, head), own))
    })
}

/// The heads that a value taken by `own` may have.
fn within<'p>(rows: &[Row<'p>], own: Head<'p>) -> (Vec<Head<'p>>, bool) {
    let Head::Ints(low, high) = own else { return (vec![own], false) };
    let mut asked: Vec<Head<'p>> = rows.iter().filter_map(|row| Head::of(row[0])).collect();
    asked.retain(|a| matches!(a, Head::Ints(c, d) if *c <= high && *d >= low));
    asked.push(own.clone());
    let (mut heads, _) = ints(&asked);
    heads.retain(|head| own.takes(head));
    (heads, false)
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

    fn rect(parts: [Pattern; 2]) -> Pattern {
        Pattern::Case(shapes(), 1, parts.into())
    }

    fn shapes() -> std::rc::Rc<Cases> {
        Cases(vec![("Circle".into(), 1), ("Rect".into(), 2), ("Empty".into(), 0)]).into()
    }

    #[test]
    fn names_missing_cases_with_their_parts() {
        let circle = || Pattern::Case(shapes(), 0, vec![Pattern::Wildcard]);
        let empty = || Pattern::Case(shapes(), 2, vec![]);
        let any = || Pattern::Wildcard;
        assert_eq!(case(&[circle(), empty()]), Some("Rect(_, _)".into()));
        assert_eq!(case(&[circle(), rect([any(), any()])]), Some("Empty".into()));
        let square = rect([Pattern::Int(1), any()]);
        assert_eq!(case(&[circle(), empty(), square.clone()]), Some("Rect(_, _)".into()));
        assert_eq!(case(&[circle(), empty(), square, rect([any(), any()])]), None);
        let flags =
            [rect([Pattern::Bool(true), any()]), rect([any(), Pattern::Bool(false)]), circle(), empty()];
        assert_eq!(case(&flags), Some("Rect(false, true)".into()));
        assert_eq!(
            case(&[Pattern::None, some(empty()), some(rect([any(), any()]))]),
            Some("Some(Circle(_))".into())
        );
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
