//! Exhaustiveness: which values no arm takes, and which arms take none.
//!
//! The usual matrix: a row for each pattern, a column for each value that is looked at. A *head* is what the first column
//! is asked for (`Some`, a case, a tuple, a range of Ints, lists of a length); the matrix of a head has the rows that take
//! it, with columns for its parts in place of the first. Ints fall into the ranges between the ends of all that are asked
//! for, lists into those of each length that is asked for and the longer ones. (L. Maranget, "Warnings for pattern
//! matching", 2007.)
//!
//! The work may grow exponentially with the patterns; it is given up at a bound, [`MOST_WORK`].

use crate::typed::{Cases, Pattern};

/// So many patterns are looked at before the question is given up: about a tenth of a second's work, and far more than
/// honest patterns need (a match on each of an enum's 1,000 cases takes three million).
const MOST_WORK: u64 = 20_000_000;
/// See `infer::expr`: pieces of stack for patterns of many parts.
const STACK_LEFT: usize = 128 * 1024;
const STACK_PIECE: usize = 2 * 1024 * 1024;

/// The patterns combine in more ways than can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// A value that no unguarded arm takes, as a pattern; `None` when all values are taken. Arms come with whether they are
/// guarded.
pub fn missing(arms: &[(&Pattern, bool)]) -> Result<Option<String>, TooLarge> {
    let rows = arms.iter().filter(|(_, guarded)| !guarded).map(|(p, _)| vec![*p]).collect();
    Ok(Work::new().uncovered(rows, 1)?.and_then(|mut case| case.pop()))
}

/// The indexes of the arms that take nothing that the unguarded arms before them leave, as far as that can be found out.
pub fn unreachable(arms: &[(&Pattern, bool)]) -> Vec<usize> {
    let mut work = Work::new();
    let mut out = Vec::new();
    let mut before: Vec<Row<'_>> = Vec::new();
    for (i, (pattern, guarded)) in arms.iter().enumerate() {
        match work.adds(before.clone(), vec![*pattern]) {
            Ok(true) => {}
            Ok(false) => out.push(i),
            Err(TooLarge) => break,
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
    /// A tuple of so many parts.
    Tuple(usize),
    /// A record with these fields.
    Record(&'p [String]),
    /// A list of that length.
    List(usize),
    /// A list of that length or a greater one.
    Longer(usize),
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
            Pattern::Tuple(parts) => Head::Tuple(parts.len()),
            Pattern::Record(names, _) => Head::Record(names),
            Pattern::List(items, Option::None) => Head::List(items.len()),
            Pattern::List(items, Option::Some(_)) => Head::Longer(items.len()),
        })
    }

    /// Whether it takes all that `other` is.
    fn takes(&self, other: &Self) -> bool {
        match (self, other) {
            (Head::Ints(a, b), Head::Ints(c, d)) => a <= c && d <= b,
            (Head::Case(_, a), Head::Case(_, b)) => a == b,
            (Head::Longer(a), Head::List(b) | Head::Longer(b)) => a <= b,
            _ => self == other,
        }
    }

    /// How many parts it has.
    fn parts(&self) -> usize {
        match self {
            Head::Some => 1,
            Head::Case(cases, at) => cases.0[*at as usize].1,
            Head::Tuple(count) | Head::List(count) | Head::Longer(count) => *count,
            Head::Record(names) => names.len(),
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
            Head::Tuple(_) | Head::Record(_) if parts.iter().all(|part| part == "_") => "_".to_string(),
            Head::Tuple(_) => format!("({})", parts.join(", ")),
            Head::Record(names) => {
                let fields = names.iter().zip(parts).filter(|(_, part)| *part != "_");
                let fields: Vec<String> = fields.map(|(name, part)| format!("{name}: {part}")).collect();
                format!("{{{}}}", fields.join(", "))
            }
            Head::List(_) => format!("[{}]", parts.join(", ")),
            Head::Longer(0) => "_".to_string(),
            Head::Longer(_) => format!("[{}, ..]", parts.join(", ")),
        }
    }
}

fn is_or(pattern: &Pattern) -> bool {
    matches!(pattern, Pattern::Or(_))
}

/// The patterns that are the parts of one with a head, `count` of them.
fn parts(pattern: &Pattern, count: usize) -> Vec<&Pattern> {
    match pattern {
        Pattern::Some(inner) => vec![inner],
        Pattern::Case(_, _, parts) | Pattern::Tuple(parts) | Pattern::Record(_, parts) => {
            parts.iter().collect()
        }
        Pattern::List(items, _) => {
            let more = count.saturating_sub(items.len());
            items.iter().chain(std::iter::repeat_n(&Pattern::Wildcard, more)).collect()
        }
        _ => Vec::new(),
    }
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
        Option::Some(head @ (Head::Tuple(_) | Head::Record(_))) => vec![head.clone()],
        Option::Some(Head::List(_) | Head::Longer(_)) => lists(&asked),
    };
    all.sort_by_cached_key(|head| asked.iter().any(|a| a.takes(head)));
    (all, false)
}

/// Lists of each length up to where all longer ones are taken by the same rows.
fn lists<'p>(asked: &[Head<'p>]) -> Vec<Head<'p>> {
    let longer = asked.iter().map(|head| match head {
        Head::List(count) => count + 1,
        Head::Longer(count) => *count,
        _ => 0,
    });
    let longer = longer.max().unwrap_or(0);
    (0..longer).map(Head::List).chain([Head::Longer(longer)]).collect()
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

/// One search, and how much of its work is left.
struct Work {
    left: u64,
}

impl Work {
    fn new() -> Self {
        Self { left: MOST_WORK }
    }

    /// Pays for looking at so many patterns.
    fn pay(&mut self, patterns: usize) -> Result<(), TooLarge> {
        self.left = self.left.checked_sub(patterns as u64).ok_or(TooLarge)?;
        Ok(())
    }

    /// The rows with a `|` in their first column taken apart.
    fn flat<'p>(&mut self, rows: Vec<Row<'p>>) -> Result<Vec<Row<'p>>, TooLarge> {
        let mut out = Vec::with_capacity(rows.len());
        let mut rest: Vec<Row<'p>> = rows.into_iter().rev().collect();
        while let Some(row) = rest.pop() {
            match row[0] {
                Pattern::Or(sides) => {
                    self.pay(sides.len() * row.len())?;
                    rest.extend(sides.iter().rev().map(|side| {
                        let mut row = row.clone();
                        row[0] = side;
                        row
                    }));
                }
                _ => out.push(row),
            }
        }
        Ok(out)
    }

    /// The matrix of `head`.
    fn under<'p>(&mut self, rows: &[Row<'p>], head: &Head<'p>) -> Result<Vec<Row<'p>>, TooLarge> {
        let count = head.parts();
        let mut out = Vec::new();
        for row in rows {
            let mut columns = match Head::of(row[0]) {
                Option::None => vec![&Pattern::Wildcard; count],
                Option::Some(own) if own.takes(head) => parts(row[0], count),
                Option::Some(_) => continue,
            };
            columns.extend_from_slice(&row[1..]);
            self.pay(columns.len())?;
            out.push(columns);
        }
        self.pay(rows.len() + 1)?;
        Ok(out)
    }

    /// The rows that take anything in the first column, without it.
    fn otherwise<'p>(&mut self, rows: &[Row<'p>]) -> Result<Vec<Row<'p>>, TooLarge> {
        self.pay(rows.iter().map(Vec::len).sum())?;
        Ok(rows.iter().filter(|row| Head::of(row[0]).is_none()).map(|row| row[1..].to_vec()).collect())
    }

    /// As `heads`, or what a value taken by `own` may be.
    fn heads<'p>(
        &mut self,
        rows: &[Row<'p>],
        own: Option<Head<'p>>,
    ) -> Result<(Vec<Head<'p>>, bool), TooLarge> {
        let found = match own {
            Option::None => heads(rows),
            Option::Some(own) => (within(rows, own), false),
        };
        self.pay(rows.len().saturating_mul(found.0.len()))?;
        Ok(found)
    }

    /// Values of `columns` columns that no row takes.
    fn uncovered(&mut self, rows: Vec<Row<'_>>, columns: usize) -> Result<Option<Vec<String>>, TooLarge> {
        if rows.is_empty() {
            return Ok(Option::Some(vec!["_".to_string(); columns]));
        }
        self.pay(rows.len())?;
        // A row that takes all that is left; with no column left each does.
        if rows.iter().any(|row| row.iter().all(|pattern| Head::of(pattern).is_none() && !is_or(pattern))) {
            return Ok(Option::None);
        }
        stacker::maybe_grow(STACK_LEFT, STACK_PIECE, || {
            let rows = self.flat(rows)?;
            let (heads, others) = self.heads(&rows, Option::None)?;
            if others {
                let rest = self.otherwise(&rows)?;
                if let Option::Some(mut rest) = self.uncovered(rest, columns - 1)? {
                    rest.insert(0, "_".to_string());
                    return Ok(Option::Some(rest));
                }
            }
            for head in heads {
                let count = head.parts();
                let below = self.under(&rows, &head)?;
                if let Option::Some(mut case) = self.uncovered(below, count + columns - 1)? {
                    let rest = case.split_off(count);
                    return Ok(Option::Some(std::iter::once(head.show(&case)).chain(rest).collect()));
                }
            }
            Ok(Option::None)
        })
    }

    /// Whether `row` takes values that none of `rows` takes.
    fn adds<'p>(&mut self, rows: Vec<Row<'p>>, row: Row<'p>) -> Result<bool, TooLarge> {
        if rows.is_empty() || row.is_empty() {
            return Ok(rows.is_empty());
        }
        self.pay(rows.iter().map(Vec::len).sum())?;
        stacker::maybe_grow(STACK_LEFT, STACK_PIECE, || {
            if let Pattern::Or(sides) = row[0] {
                for side in sides {
                    let mut row = row.clone();
                    row[0] = side;
                    if self.adds(rows.clone(), row)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            let rows = self.flat(rows)?;
            let (heads, others) = self.heads(&rows, Head::of(row[0]))?;
            if others {
                let rest = self.otherwise(&rows)?;
                if self.adds(rest, row[1..].to_vec())? {
                    return Ok(true);
                }
            }
            for head in heads {
                let own = self.under(std::slice::from_ref(&row), &head)?;
                let below = self.under(&rows, &head)?;
                for own in own {
                    if self.adds(below.clone(), own)? {
                        return Ok(true);
                    }
                }
            }
            Ok(false)
        })
    }
}

/// The heads that a value taken by `own` may have.
fn within<'p>(rows: &[Row<'p>], own: Head<'p>) -> Vec<Head<'p>> {
    let asked = rows.iter().filter_map(|row| Head::of(row[0]));
    let mut heads = match own {
        Head::Ints(low, high) => {
            let near = asked.filter(|a| matches!(a, Head::Ints(c, d) if *c <= high && *d >= low));
            ints(&near.chain([own.clone()]).collect::<Vec<_>>()).0
        }
        Head::Longer(_) => lists(&asked.chain([own.clone()]).collect::<Vec<_>>()),
        own => return vec![own],
    };
    heads.retain(|head| own.takes(head));
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(inner: Pattern) -> Pattern {
        Pattern::Some(Box::new(inner))
    }

    fn case(patterns: &[Pattern]) -> Option<String> {
        missing(&patterns.iter().map(|p| (p, false)).collect::<Vec<_>>()).expect("few patterns")
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

    fn list(items: &[Pattern], goes_on: bool) -> Pattern {
        Pattern::List(items.to_vec(), goes_on.then(|| Box::new(Pattern::Wildcard)))
    }

    #[test]
    fn lists_are_told_apart_by_their_length() {
        let any = Pattern::Wildcard;
        let one = std::slice::from_ref(&any);
        let two = [any.clone(), any.clone()];
        assert_eq!(case(&[list(&[], false)]), Some("[_, ..]".into()));
        assert_eq!(case(&[list(one, true)]), Some("[]".into()));
        assert_eq!(case(&[list(&[], true)]), None);
        assert_eq!(case(&[list(&[], false), list(one, true)]), None);
        assert_eq!(case(&[list(&[], false), list(&two, true)]), Some("[_]".into()));
        assert_eq!(
            case(&[list(&[], false), list(one, false), list(&two, false)]),
            Some("[_, _, _, ..]".into())
        );
        assert_eq!(case(&[list(&[], false), list(&[Pattern::Bool(true)], true)]), Some("[false, ..]".into()));
        let arms = [list(&[], false), list(&two, true), list(&two, false), list(one, true), any.clone()];
        let rows: Vec<(&Pattern, bool)> = arms.iter().map(|p| (p, false)).collect();
        assert_eq!(unreachable(&rows), vec![2, 4]);
    }

    #[test]
    fn names_missing_tuples_and_records() {
        let any = || Pattern::Wildcard;
        let flags = |a, b| Pattern::Tuple(vec![a, b]);
        let yes = || Pattern::Bool(true);
        assert_eq!(case(&[flags(yes(), any()), flags(any(), yes())]), Some("(false, false)".into()));
        assert_eq!(case(&[flags(Pattern::Int(1), any())]), Some("_".into()));
        assert_eq!(case(&[flags(any(), any())]), None);
        let names: std::rc::Rc<[String]> = ["a".to_string(), "b".to_string()].into();
        assert_eq!(case(&[Pattern::Record(names, vec![any(), yes()])]), Some("{b: false}".into()));
    }

    #[test]
    fn gives_up_at_a_bound() {
        // Each row looks at three of many Bools: which values are left is as hard as any such puzzle.
        let count = 60;
        let rows = (0..count).map(|i| {
            let mut parts = vec![Pattern::Wildcard; count];
            for step in [0, 7, 23] {
                parts[(i * 31 + step * (i + 1)) % count] = Pattern::Bool((i + step) % 2 == 0);
            }
            Pattern::Tuple(parts)
        });
        let rows: Vec<Pattern> = rows.collect();
        let rows: Vec<Row<'_>> = rows.iter().map(|row| vec![row]).collect();
        assert_eq!(Work { left: 1000 }.uncovered(rows.clone(), 1), Err(TooLarge));
        assert!(matches!(Work::new().uncovered(rows, 1), Ok(Some(_)) | Err(TooLarge)));
    }

    /// A value of a small type: a tuple of a Bool, an option of a Bool and a list of Bools.
    type Value = (bool, Option<bool>, Vec<bool>);

    /// All values whose lists are at most one longer than those that patterns below ask for.
    fn values() -> Vec<Value> {
        let bools = [false, true];
        let mut lists = vec![Vec::new()];
        for from in 0.. {
            let Some(list) = lists.get(from).cloned() else { break };
            if list.len() < 4 {
                lists.extend(bools.map(|last| [&list[..], &[last]].concat()));
            }
        }
        let options = [Option::None, Option::Some(false), Option::Some(true)];
        let mut out = Vec::new();
        for first in bools {
            for option in options {
                out.extend(lists.iter().map(|list| (first, option, list.clone())));
            }
        }
        out
    }

    fn takes_bool(pattern: &Pattern, value: bool) -> bool {
        match pattern {
            Pattern::Bool(b) => *b == value,
            Pattern::Or(sides) => sides.iter().any(|side| takes_bool(side, value)),
            _ => true,
        }
    }

    fn takes(pattern: &Pattern, value: &Value) -> bool {
        match pattern {
            Pattern::Or(sides) => sides.iter().any(|side| takes(side, value)),
            Pattern::Tuple(parts) => {
                let option = match (&parts[1], value.1) {
                    (Pattern::Some(inner), Option::Some(b)) => takes_bool(inner, b),
                    (Pattern::Some(_), Option::None) => false,
                    (Pattern::None, option) => option.is_none(),
                    _ => true,
                };
                let list = match &parts[2] {
                    Pattern::List(items, rest) => {
                        let fits =
                            items.len() == value.2.len() || rest.is_some() && items.len() < value.2.len();
                        fits && items.iter().zip(&value.2).all(|(item, b)| takes_bool(item, *b))
                    }
                    _ => true,
                };
                takes_bool(&parts[0], value.0) && option && list
            }
            _ => true,
        }
    }

    /// A number below `n`, from a generator (xorshift) with that state.
    fn below(state: &mut u64, n: u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 11) % n
    }

    fn random_bool(state: &mut u64) -> Pattern {
        match below(state, 6) {
            0 | 1 => Pattern::Bool(below(state, 2) == 0),
            2 => Pattern::Or(vec![Pattern::Bool(true), Pattern::Bool(below(state, 2) == 0)]),
            _ => Pattern::Wildcard,
        }
    }

    fn random_pattern(state: &mut u64) -> Pattern {
        let option = match below(state, 4) {
            0 => Pattern::None,
            1 | 2 => some(random_bool(state)),
            _ => Pattern::Wildcard,
        };
        let items: Vec<Pattern> = (0..below(state, 4)).map(|_| random_bool(state)).collect();
        let list = match below(state, 4) {
            0 => Pattern::Wildcard,
            1 => list(&items, false),
            _ => list(&items, true),
        };
        let whole = Pattern::Tuple(vec![random_bool(state), option, list]);
        match below(state, 12) {
            0 => Pattern::Wildcard,
            1 => Pattern::Or(vec![whole, random_pattern(state)]),
            _ => whole,
        }
    }

    #[test]
    fn random_patterns_agree_with_trying_every_value() {
        let (values, mut state) = (values(), 0x9e37_79b9_7f4a_7c15);
        for _ in 0..2000 {
            let arms: Vec<Pattern> =
                (0..1 + below(&mut state, 9)).map(|_| random_pattern(&mut state)).collect();
            let rows: Vec<(&Pattern, bool)> = arms.iter().map(|p| (p, false)).collect();
            let all_taken = values.iter().all(|value| arms.iter().any(|arm| takes(arm, value)));
            assert_eq!(missing(&rows).map(|case| case.is_none()), Ok(all_taken), "{arms:?}");
            let useless: Vec<usize> = (0..arms.len())
                .filter(|at| {
                    values.iter().all(|value| {
                        !takes(&arms[*at], value) || arms[..*at].iter().any(|before| takes(before, value))
                    })
                })
                .collect();
            assert_eq!(unreachable(&rows), useless, "{arms:?}");
        }
    }
}
