//! Maps and Sets: their literals, and a Map's value of a key.

use super::{Checker, Origin, Want, Why};
use crate::draft::{Draft, Kind};
use crate::unify::{T, Term};
use weir_syntax::ast::{self, Arg};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// What the call that makes a Set names.
pub const SET: &str = "set";

impl<'a> Checker<'a> {
    /// `[key: value, ...]`, `[:]`
    pub fn map(&mut self, entries: &'a [(ast::Expr, ast::Expr)], span: Span, want: Want) -> Draft {
        let expected = match want {
            Want::Type(ty, origin) => match *self.terms.head(ty) {
                Term::Map(key, value) => Some((key, value, origin)),
                _ => None,
            },
            _ => None,
        };
        let (key, value, origin) = match expected {
            Some((key, value, origin)) => (key, value, Some(origin)),
            None => (self.terms.var(), self.terms.var(), None),
        };
        let mut drafts = Vec::with_capacity(entries.len());
        for (k, v) in entries {
            let first = entries.first().map_or((k.span, v.span), |(k, v)| (k.span, v.span));
            let of_key = origin.unwrap_or(Origin::new(Why::Key, first.0));
            let of_value = origin.unwrap_or(Origin::new(Why::Value, first.1));
            let k = self.expr(k, Want::Type(key, of_key));
            drafts.push((k, self.expr(v, Want::Type(value, of_value))));
        }
        self.need_key(key, span);
        let ty = self.terms.add(Term::Map(key, value));
        Draft::new(Kind::Map(drafts), ty, span)
    }

    /// `set(a, b)`
    pub fn set(&mut self, args: &'a [Arg], span: Span, want: Want) -> Draft {
        let mut items = Vec::with_capacity(args.len());
        for arg in args {
            match arg {
                Arg::Positional(item) => items.push(item),
                Arg::Named(_, item) | Arg::Spread(item) => {
                    let error = Diagnostic::error(
                        "E0402",
                        "`set` takes its elements one by one",
                        item.span,
                        "not an element",
                    )
                    .help("Write them in a row, as in `set(1, 2)`; `.to-set()` makes one of a list.");
                    self.report(error);
                    self.infer_anyway(args);
                    return Draft::error(span);
                }
            }
        }
        let expected = match want {
            Want::Type(ty, origin) => match *self.terms.head(ty) {
                Term::Set(item) => Some((item, origin)),
                _ => None,
            },
            _ => None,
        };
        let (item, origin) = expected.unwrap_or_else(|| self.fresh_element(items.first().copied()));
        let items = items.into_iter().map(|i| self.expr(i, Want::Type(item, origin))).collect();
        self.need_key(item, span);
        let ty = self.terms.add(Term::Set(item));
        Draft::new(Kind::Set(items), ty, span)
    }

    /// `map[key]`: the private `index` of its module.
    pub fn map_index(&mut self, map: Draft, key: T, index: &'a ast::Expr, span: Span) -> Draft {
        let key = self.expr(index, Want::Type(key, Origin::of(Why::Key)));
        match self.library_fn("map", "index") {
            Some(index) => self.call_with(index, vec![map, key], span),
            None => Draft::error(span),
        }
    }

    /// `for (key, value) in map { }`: a walk over its keys and its values, which are lists of the same length. A tuple is made
    /// only for a pattern that does not take it apart.
    pub fn for_map(
        &mut self,
        pattern: &'a ast::Pattern,
        map: Draft,
        types: [T; 2],
        body: &'a ast::Block,
        span: Span,
    ) -> Draft {
        let mut stmts = Vec::new();
        let at_map = map.span;
        let map = self.bind_once(map, &mut stmts);
        let lists = ["keys", "values"].map(|name| self.library_fn("map", name));
        let ([Some(keys), Some(values)], Some(len)) = (lists, self.library_fn("list", "len")) else {
            return Draft::error(span);
        };
        let map = [map.again(), Some(map)].map(|map| map.unwrap_or_else(|| Draft::error(span)));
        let mut elements = Vec::with_capacity(2);
        let index = self.temporary("$index", T::INT, pattern.span);
        let mut count = None;
        for ((list, map), ty) in [keys, values].into_iter().zip(map).zip(types) {
            let list = self.call_with(list, vec![map], at_map);
            let list = self.bind_once(list, &mut stmts);
            count = count.or(list.again());
            let at = Draft::new(Kind::Local(index), T::INT, pattern.span);
            elements.push(Draft::new(Kind::Index(Box::new(list), Box::new(at)), ty, pattern.span));
        }
        let count = count.unwrap_or_else(|| Draft::error(span));
        let high = self.call_with(len, vec![count], at_map);
        let low = Draft::new(Kind::Int(0), T::INT, at_map);
        let range = Draft::new(Kind::Range(Box::new(low), Box::new(high), false), T::RANGE, at_map);
        let body = self.in_block(|c| {
            let mut item = c.take_entry_apart(pattern, types, elements);
            item.push(c.loop_body(body));
            Draft::new(Kind::Block(item), T::UNIT, span)
        });
        let walk = Draft::new(Kind::For(index, Box::new(range), Box::new(body)), T::UNIT, span);
        self.behind(stmts, walk)
    }

    /// Binds what a pattern takes of an entry.
    fn take_entry_apart(
        &mut self,
        pattern: &'a ast::Pattern,
        types: [T; 2],
        entry: Vec<Draft>,
    ) -> Vec<Draft> {
        let mut stmts = Vec::new();
        let mut bind = |c: &mut Self, pattern: &'a ast::Pattern, ty: T, value: Draft| {
            let (local, apart) = c.item_pattern(pattern, ty);
            stmts.push(Draft::new(Kind::Let(local, Box::new(value)), T::UNIT, pattern.span));
            stmts.extend(apart);
        };
        match &pattern.kind {
            ast::PatternKind::Tuple(parts) if parts.len() == entry.len() => {
                for ((part, ty), value) in parts.iter().zip(types).zip(entry) {
                    bind(self, part, ty, value);
                }
            }
            _ => {
                let ty = self.terms.add(Term::Tuple(types.into()));
                bind(self, pattern, ty, Draft::new(Kind::Record(entry), ty, pattern.span));
            }
        }
        stmts
    }
}
