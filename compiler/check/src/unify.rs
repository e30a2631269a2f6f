//! Types under inference: terms with variables, and making two of them equal.
//!
//! Invariants: a solved variable is a link to another term; links form no cycle (`unify` refuses a type within itself).
//! Not here: where types come from (`infer`), and the solved types of the typed tree (`types`).

use std::rc::Rc;

/// A type under inference: an index into [`Terms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct T(u32);

/// A declared record, enum or native type: an index into the checker's table of type declarations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeId(pub u32);

/// What a type under inference is.
#[derive(Clone, Debug)]
pub enum Term {
    /// Of an erroneous expression; agrees with everything.
    Unknown,
    /// Of what does not come back.
    Never,
    /// `()`
    Unit,
    /// `Int`
    Int,
    /// `Float`
    Float,
    /// `Bool`
    Bool,
    /// `Text`
    Text,
    /// `Bytes`
    Bytes,
    /// `Duration`
    Duration,
    /// `Time`
    Time,
    /// `Range`
    Range,
    /// `List[T]`
    List(T),
    /// `Map[K, V]`
    Map(T, T),
    /// `Set[T]`
    Set(T),
    /// `Stream[T]`
    Stream(T),
    /// `T?`
    Option(T),
    /// `fn(A) -> B`
    Fn(Rc<[T]>, T),
    /// A declared record or enum with its arguments.
    Record(TypeId, Rc<[T]>),
    /// `(A, B)`
    Tuple(Rc<[T]>),
    /// `{a: A, b: B}`: a record without a name, equal to one with the same fields in the same order.
    Anonymous(Rc<[Rc<str>]>, Rc<[T]>),
    /// A type of the runtime.
    Native(TypeId),
    /// A declared type variable while its function is checked for every type at once; equals only itself.
    Rigid(Rc<str>),
    /// Not known yet.
    Var,
    /// Solved: the same as another term.
    Link(T),
}

impl T {
    /// The one `Unknown`.
    pub const UNKNOWN: T = T(0);
    /// The one `Never`.
    pub const NEVER: T = T(1);
    /// The one `()`.
    pub const UNIT: T = T(2);
    /// The one `Int`.
    pub const INT: T = T(3);
    /// The one `Bool`.
    pub const BOOL: T = T(4);
    /// The one `Text`.
    pub const TEXT: T = T(5);
    /// The one `Duration`.
    pub const DURATION: T = T(6);
    /// The one `Time`.
    pub const TIME: T = T(7);
    /// The one `Range`.
    pub const RANGE: T = T(8);
    /// The one `Float`.
    pub const FLOAT: T = T(9);
    /// The one `Bytes`.
    pub const BYTES: T = T(10);
}

/// Types nested deeper than this are refused, so that passes may walk over types by recursion.
pub const MAX_DEPTH: u32 = 256;
/// Types with more parts than this, each counted as often as it occurs, are refused.
pub const MAX_SIZE: u32 = 20_000;

/// How deep a type is nested and how many parts it has; what is solved later is counted when it is solved.
#[derive(Clone, Copy, Debug)]
struct Extent {
    depth: u32,
    size: u32,
}

/// All terms of one check.
#[derive(Debug)]
pub struct Terms {
    nodes: Vec<Term>,
    /// Of each node.
    extents: Vec<Extent>,
    /// Whether a type was refused since that was last asked.
    refused: bool,
    /// Names of the declared types, by `TypeId`.
    names: Vec<String>,
    /// The library's `Result` and `Error`, once the prelude is there.
    failing: Option<(TypeId, TypeId)>,
}

impl Terms {
    /// The terms that are always there.
    pub fn new() -> Self {
        use Term::{Bool, Bytes, Duration, Float, Int, Never, Range, Text, Time, Unit, Unknown};
        let mut nodes = Vec::with_capacity(256);
        nodes.extend([Unknown, Never, Unit, Int, Bool, Text, Duration, Time, Range, Float, Bytes]);
        let extents = vec![Extent { depth: 1, size: 1 }; nodes.len()];
        Self { nodes, extents, refused: false, names: Vec::new(), failing: None }
    }

    /// Names the next declared type; called in the order of `TypeId`s.
    pub fn name_type(&mut self, name: &str) {
        self.names.push(name.to_string());
    }

    /// Tells which of the declared types are the library's `Result` and `Error`.
    pub fn set_failing(&mut self, result: TypeId, error: TypeId) {
        self.failing = Some((result, error));
    }

    /// `Error`; unknown when the library lacks it.
    pub fn error(&mut self) -> T {
        match self.failing {
            Some((_, error)) => self.add(Term::Record(error, Rc::new([]))),
            None => T::UNKNOWN,
        }
    }

    /// `Result[value, error]`
    pub fn result(&mut self, value: T, error: T) -> T {
        match self.failing {
            Some((result, _)) => self.add(Term::Record(result, Rc::new([value, error]))),
            None => T::UNKNOWN,
        }
    }

    /// The value's and the error's type of a `Result`.
    pub fn as_result(&self, t: T) -> Option<(T, T)> {
        match (self.head(t), self.failing) {
            (Term::Record(id, args), Some((result, _))) if *id == result => Some((args[0], args[1])),
            _ => None,
        }
    }

    /// Whether `t` is the library's `Error`.
    pub fn is_error(&self, t: T) -> bool {
        matches!((self.head(t), self.failing), (Term::Record(id, _), Some((_, error))) if *id == error)
    }

    /// What an option or a result holds when all is well.
    pub fn payload(&self, t: T) -> Option<T> {
        match self.head(t) {
            Term::Option(item) => Some(*item),
            _ => self.as_result(t).map(|(value, _)| value),
        }
    }

    /// A new term; `Unknown` in place of one that is too large, which `take_refused` tells.
    pub fn add(&mut self, term: Term) -> T {
        let mut extent = Extent { depth: 1, size: 1 };
        for part in parts(&term) {
            let part = self.extents[self.resolve(part).0 as usize];
            extent.depth = extent.depth.max(part.depth + 1);
            extent.size = extent.size.saturating_add(part.size);
        }
        if extent.depth > MAX_DEPTH || extent.size > MAX_SIZE {
            self.refused = true;
            return T::UNKNOWN;
        }
        self.nodes.push(term);
        self.extents.push(extent);
        T(self.nodes.len() as u32 - 1)
    }

    /// Whether a type was too large since this was last asked.
    pub fn take_refused(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }

    /// A new variable.
    pub fn var(&mut self) -> T {
        self.add(Term::Var)
    }

    /// `fn(params) -> result`
    pub fn function(&mut self, params: &[T], result: T) -> T {
        self.add(Term::Fn(params.into(), result))
    }

    /// The term that `t` stands for, behind all links.
    pub fn resolve(&self, mut t: T) -> T {
        while let Term::Link(next) = self.nodes[t.0 as usize] {
            t = next;
        }
        t
    }

    /// What `t` is; never a link.
    pub fn head(&self, t: T) -> &Term {
        &self.nodes[self.resolve(t).0 as usize]
    }

    /// Whether nothing is known of `t` yet.
    pub fn is_var(&self, t: T) -> bool {
        matches!(self.head(t), Term::Var)
    }

    /// Whether `t` is the type of an erroneous expression.
    pub fn is_unknown(&self, t: T) -> bool {
        self.resolve(t) == T::UNKNOWN
    }

    /// Whether `t` is the type of what does not come back.
    pub fn is_never(&self, t: T) -> bool {
        self.resolve(t) == T::NEVER
    }

    /// The terms from `t` along its links, `t` first.
    pub fn path(&self, t: T) -> impl Iterator<Item = T> + '_ {
        std::iter::successors(Some(t), |t| match self.nodes[t.0 as usize] {
            Term::Link(next) => Some(next),
            _ => None,
        })
    }

    /// Solves the variable `var`.
    pub fn bind(&mut self, var: T, to: T) {
        let var = self.resolve(var);
        debug_assert!(matches!(self.nodes[var.0 as usize], Term::Var));
        let to = self.resolve(to);
        if var != to {
            self.nodes[var.0 as usize] = Term::Link(to);
        }
    }

    /// Whether `holds` for a part of `t` or for itself.
    pub fn any(&self, t: T, holds: &mut dyn FnMut(&Term, T) -> bool) -> bool {
        let t = self.resolve(t);
        holds(&self.nodes[t.0 as usize], t)
            || parts(&self.nodes[t.0 as usize]).any(|part| self.any(part, holds))
    }

    /// Whether `t` has no variable in it.
    pub fn is_closed(&self, t: T) -> bool {
        !self.any(t, &mut |term, _| matches!(term, Term::Var))
    }

    /// Makes two types equal. False when they cannot be; then variables in them may have been solved all the same.
    pub fn unify(&mut self, a: T, b: T) -> bool {
        let (a, b) = (self.resolve(a), self.resolve(b));
        if a == b {
            return true;
        }
        match (self.nodes[a.0 as usize].clone(), self.nodes[b.0 as usize].clone()) {
            (Term::Var, _) => self.solve(a, b),
            (_, Term::Var) => self.solve(b, a),
            (Term::Unknown, _) | (_, Term::Unknown) => true,
            (Term::List(a), Term::List(b))
            | (Term::Set(a), Term::Set(b))
            | (Term::Stream(a), Term::Stream(b))
            | (Term::Option(a), Term::Option(b)) => self.unify(a, b),
            (Term::Map(k, v), Term::Map(l, w)) => self.unify(k, l) && self.unify(v, w),
            (Term::Fn(ps, r), Term::Fn(qs, s)) => {
                ps.len() == qs.len()
                    && ps.iter().zip(qs.iter()).all(|(p, q)| self.unify(*p, *q))
                    && self.unify(r, s)
            }
            (Term::Record(r, xs), Term::Record(s, ys)) => {
                r == s && xs.iter().zip(ys.iter()).all(|(x, y)| self.unify(*x, *y))
            }
            (Term::Tuple(xs), Term::Tuple(ys)) => self.unify_all(&xs, &ys),
            (Term::Anonymous(names, xs), Term::Anonymous(others, ys)) => {
                names == others && self.unify_all(&xs, &ys)
            }
            (Term::Native(a), Term::Native(b)) => a == b,
            _ => false,
        }
    }

    fn unify_all(&mut self, xs: &[T], ys: &[T]) -> bool {
        xs.len() == ys.len() && xs.iter().zip(ys).all(|(x, y)| self.unify(*x, *y))
    }

    fn solve(&mut self, var: T, to: T) -> bool {
        let mut left = MAX_SIZE;
        match self.search(var, to, MAX_DEPTH, &mut left) {
            Search::Absent => self.bind(var, to),
            Search::Found => return false,
            Search::TooLarge => {
                self.refused = true;
                self.bind(var, T::UNKNOWN);
            }
        }
        true
    }

    /// Looks for `var` in `t`, at most `depth` deep and at no more than `left` parts.
    fn search(&self, var: T, t: T, depth: u32, left: &mut u32) -> Search {
        let t = self.resolve(t);
        if t == var {
            return Search::Found;
        }
        if depth == 0 || *left == 0 {
            return Search::TooLarge;
        }
        *left -= 1;
        for part in parts(&self.nodes[t.0 as usize]) {
            match self.search(var, part, depth - 1, left) {
                Search::Absent => {}
                other => return other,
            }
        }
        Search::Absent
    }

    /// Whether two types are the same without solving anything; a variable is the same as itself.
    pub fn same(&self, a: T, b: T) -> bool {
        self.compare(a, b, false)
    }

    /// Whether `unify` would probably succeed; a variable agrees with everything. Solves nothing.
    pub fn agree(&self, a: T, b: T) -> bool {
        self.compare(a, b, true)
    }

    fn compare(&self, a: T, b: T, lenient: bool) -> bool {
        let (a, b) = (self.resolve(a), self.resolve(b));
        if a == b {
            return true;
        }
        match (self.head(a), self.head(b)) {
            (Term::Var | Term::Unknown, _) | (_, Term::Var | Term::Unknown) => lenient,
            (Term::List(a), Term::List(b))
            | (Term::Set(a), Term::Set(b))
            | (Term::Stream(a), Term::Stream(b))
            | (Term::Option(a), Term::Option(b)) => self.compare(*a, *b, lenient),
            (Term::Map(k, v), Term::Map(l, w)) => {
                self.compare(*k, *l, lenient) && self.compare(*v, *w, lenient)
            }
            (Term::Fn(ps, r), Term::Fn(qs, s)) => {
                ps.len() == qs.len()
                    && ps.iter().zip(qs.iter()).all(|(p, q)| self.compare(*p, *q, lenient))
                    && self.compare(*r, *s, lenient)
            }
            (Term::Record(r, xs), Term::Record(s, ys)) => {
                r == s && xs.iter().zip(ys.iter()).all(|(x, y)| self.compare(*x, *y, lenient))
            }
            (Term::Tuple(xs), Term::Tuple(ys)) => self.compare_all(xs, ys, lenient),
            (Term::Anonymous(names, xs), Term::Anonymous(others, ys)) => {
                names == others && self.compare_all(xs, ys, lenient)
            }
            (Term::Native(a), Term::Native(b)) => a == b,
            _ => false,
        }
    }

    fn compare_all(&self, xs: &[T], ys: &[T], lenient: bool) -> bool {
        xs.len() == ys.len() && xs.iter().zip(ys).all(|(x, y)| self.compare(*x, *y, lenient))
    }

    /// How many options and results are around the type, and whether a variable is inside them, which may be more of them.
    pub fn option_depth(&self, t: T) -> (usize, bool) {
        let (mut t, mut depth) = (t, 0);
        while let Some(inner) = self.payload(t) {
            t = inner;
            depth += 1;
        }
        (depth, matches!(self.head(t), Term::Var | Term::Unknown))
    }

    /// Whether a value of type `found` becomes one of the option or result `want` by being put into it.
    pub fn lifts(&self, want: T, found: T) -> bool {
        let Some(inner) = self.payload(want) else { return false };
        let same_kind = match (self.head(want), self.head(found)) {
            (_, Term::Var | Term::Unknown) => return false,
            (Term::Option(_), Term::Option(_)) => true,
            _ => self.as_result(want).is_some() && self.as_result(found).is_some(),
        };
        if same_kind {
            let (wanted, (found_depth, open)) = (self.option_depth(want).0, self.option_depth(found));
            if open || wanted <= found_depth {
                return false;
            }
        }
        self.agree(inner, found) || self.lifts(inner, found)
    }

    /// The type as the user would write it; `_` where it is not known.
    pub fn show(&self, t: T) -> String {
        let mut out = String::new();
        self.write(t, &mut out);
        out
    }

    fn write(&self, t: T, out: &mut String) {
        match self.head(t) {
            Term::Unknown | Term::Var | Term::Link(_) => out.push('_'),
            Term::Never => out.push_str("Never"),
            Term::Unit => out.push_str("()"),
            Term::Int => out.push_str("Int"),
            Term::Float => out.push_str("Float"),
            Term::Bool => out.push_str("Bool"),
            Term::Text => out.push_str("Text"),
            Term::Bytes => out.push_str("Bytes"),
            Term::Duration => out.push_str("Duration"),
            Term::Time => out.push_str("Time"),
            Term::Range => out.push_str("Range"),
            Term::List(t) => self.write_applied("List", &[*t], out),
            Term::Map(k, v) => self.write_applied("Map", &[*k, *v], out),
            Term::Set(t) => self.write_applied("Set", &[*t], out),
            Term::Stream(t) => self.write_applied("Stream", &[*t], out),
            Term::Option(t) if matches!(self.head(*t), Term::Fn(..)) => {
                self.write_applied("Option", &[*t], out)
            }
            Term::Option(t) => {
                self.write(*t, out);
                out.push('?');
            }
            Term::Fn(params, result) => {
                out.push_str("fn(");
                self.write_list(params, out);
                out.push_str(") -> ");
                self.write(*result, out);
            }
            Term::Record(_, args) if self.as_result(t).is_some_and(|(_, e)| self.is_error(e)) => {
                if matches!(self.head(args[0]), Term::Fn(..)) {
                    self.write_applied("Result", args, out);
                } else {
                    self.write(args[0], out);
                    out.push('!');
                }
            }
            Term::Record(id, args) => self.write_applied(&self.names[id.0 as usize], args, out),
            Term::Tuple(parts) => {
                out.push('(');
                self.write_list(parts, out);
                out.push(')');
            }
            Term::Anonymous(names, types) => {
                out.push('{');
                for (i, (name, ty)) in names.iter().zip(types.iter()).enumerate() {
                    out.push_str(if i > 0 { ", " } else { "" });
                    out.push_str(name);
                    out.push_str(": ");
                    self.write(*ty, out);
                }
                out.push('}');
            }
            Term::Native(id) => out.push_str(&self.names[id.0 as usize]),
            Term::Rigid(name) => out.push_str(name),
        }
    }

    fn write_applied(&self, name: &str, args: &[T], out: &mut String) {
        out.push_str(name);
        if !args.is_empty() {
            out.push('[');
            self.write_list(args, out);
            out.push(']');
        }
    }

    fn write_list(&self, types: &[T], out: &mut String) {
        for (i, t) in types.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            self.write(*t, out);
        }
    }
}

/// What looking for a variable in a type found.
enum Search {
    Absent,
    Found,
    TooLarge,
}

/// The direct parts of a term.
fn parts(term: &Term) -> impl Iterator<Item = T> + '_ {
    let (list, last): (&[T], [Option<T>; 2]) = match term {
        Term::List(t) | Term::Set(t) | Term::Stream(t) | Term::Option(t) => (&[], [Some(*t), None]),
        Term::Map(key, value) => (&[], [Some(*key), Some(*value)]),
        Term::Fn(params, result) => (params, [Some(*result), None]),
        Term::Record(_, args) | Term::Tuple(args) | Term::Anonymous(_, args) => (args, [None, None]),
        _ => (&[], [None, None]),
    };
    list.iter().copied().chain(last.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_take_the_type_they_meet() {
        let mut terms = Terms::new();
        let v = terms.var();
        let list = terms.add(Term::List(v));
        let ints = terms.add(Term::List(T::INT));
        assert!(terms.unify(list, ints));
        assert_eq!(terms.resolve(v), T::INT);
        assert_eq!(terms.show(list), "List[Int]");
        assert!(!terms.unify(v, T::TEXT));
    }

    #[test]
    fn no_type_is_within_itself() {
        let mut terms = Terms::new();
        let v = terms.var();
        let list = terms.add(Term::List(v));
        assert!(!terms.unify(v, list));
        assert!(terms.is_var(v));
    }

    #[test]
    fn types_have_a_largest_size() {
        let mut terms = Terms::new();
        let mut ty = T::INT;
        for _ in 0..MAX_DEPTH {
            assert!(!terms.take_refused());
            ty = terms.add(Term::List(ty));
        }
        assert!(terms.take_refused());
        let mut ty = T::INT;
        for _ in 0..40 {
            ty = terms.function(&[ty, ty], T::INT);
        }
        assert!(terms.take_refused());
        // Through variables, which are counted when they are solved.
        let mut ty = T::INT;
        for _ in 0..=MAX_DEPTH {
            let var = terms.var();
            let list = terms.add(Term::List(var));
            assert!(terms.unify(var, ty));
            ty = list;
        }
        assert!(terms.take_refused());
    }

    #[test]
    fn comparing_solves_nothing() {
        let mut terms = Terms::new();
        let v = terms.var();
        assert!(terms.agree(v, T::INT));
        assert!(!terms.same(v, T::INT));
        assert!(terms.is_var(v));
        let option = terms.add(Term::Option(v));
        assert_eq!(terms.option_depth(option), (1, true));
    }
}
