//! Which route a request is for.
//!
//! In: a version's patterns; a method and the path as it was sent. Out: a route and what its parameters are, or what to
//! answer where there is none.
//!
//! The patterns are a tree, a level for each segment. A path is cut at its slashes before anything in it is decoded, so
//! that an encoded slash is a character of its segment. At each level a literal is tried before a Bool or an Int, before a
//! Float, before a Text, before the rest of the path; the first way through whose end knows the method is taken. Each node
//! is visited at most once, and a path of literals allocates nothing.
//! Not here: the answers (`service`), the natives that read parameters (`natives::route`).

use crate::heap::Word;
use crate::percent;
use std::ops::Range;
use weir_abi::code::Module;
use weir_abi::route::{ANY, Segment};

/// The methods that routes are declared for, in the order in which `Allow` names them.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const GET: usize = 0;
const HEAD: usize = 1;
const OPTIONS: usize = 6;

/// A set of [`METHODS`], a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allow(u8);

impl Allow {
    fn add(&mut self, method: usize) {
        self.0 |= 1 << method;
    }

    /// The value of an `Allow` field.
    pub fn names(self) -> String {
        let names = METHODS.iter().enumerate().filter(|(at, _)| self.0 & (1 << at) != 0);
        names.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
    }
}

/// What a parameter of a path is.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// An Int, a Float's bits or a Bool.
    Word(Word),
    /// These bytes of the path, not decoded yet.
    Text(Range<usize>),
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Routed {
    /// To the route with that number, with its parameters.
    Route(usize, Vec<Param>),
    /// To no route: `handle` may take it, else it is 404.
    Free,
    /// The path is known, the method is not: 405.
    NotAllowed(Allow),
    /// OPTIONS of a known path: which methods it has.
    Options(Allow),
    /// The path holds `%` without two hexadecimal digits, or what is not UTF-8: 400.
    Malformed,
}

/// The routes of a version.
#[derive(Debug, Default)]
pub struct Router {
    /// The first is the root.
    nodes: Vec<Node>,
    /// The methods of all of them.
    all: Allow,
}

#[derive(Debug, Default)]
struct Node {
    /// By text.
    literals: Vec<(Box<str>, usize)>,
    /// In the order in which they are tried.
    params: [Option<usize>; 4],
    /// The routes that end here.
    end: Ends,
    /// The routes that take all that is left from here on.
    rest: Ends,
}

/// The kinds of parameters in the order in which they are tried, which are the places in [`Node::params`].
const KINDS: [Segment; 4] = [Segment::Bool, Segment::Int, Segment::Float, Segment::Text];

/// Routes by method.
#[derive(Debug, Default)]
struct Ends {
    routes: [Option<usize>; METHODS.len()],
    any: Option<usize>,
    known: bool,
}

impl Router {
    /// The routes of a module; `None` when it has none.
    pub fn new(module: &Module) -> Option<Self> {
        if module.routes.is_empty() {
            return None;
        }
        let mut router = Self { nodes: vec![Node::default()], all: Allow::default() };
        for (number, route) in module.routes.iter().enumerate() {
            router.add(number, &route.pattern.method, &route.pattern.segments);
        }
        Some(router)
    }

    fn add(&mut self, number: usize, method: &str, segments: &[Segment]) {
        let mut at = 0;
        let mut is_rest = false;
        for segment in segments {
            at = match segment {
                Segment::Literal(text) => self.literal(at, text),
                Segment::Rest => {
                    is_rest = true;
                    at
                }
                kind => {
                    let place =
                        KINDS.iter().position(|k| k == kind).expect("every other segment is a parameter");
                    match self.nodes[at].params[place] {
                        Some(next) => next,
                        None => {
                            let next = self.node();
                            self.nodes[at].params[place] = Some(next);
                            next
                        }
                    }
                }
            };
        }
        let node = &mut self.nodes[at];
        let ends = if is_rest { &mut node.rest } else { &mut node.end };
        ends.known = true;
        if method == ANY {
            ends.any = Some(number);
            self.all = Allow(0x7f);
        } else if let Some(method) = METHODS.iter().position(|known| *known == method) {
            ends.routes[method] = Some(number);
        }
        let allowed = ends.allowed();
        self.all.0 |= allowed.0;
    }

    fn node(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    fn literal(&mut self, at: usize, text: &str) -> usize {
        match self.nodes[at].literals.binary_search_by(|(known, _)| (**known).cmp(text)) {
            Ok(found) => self.nodes[at].literals[found].1,
            Err(place) => {
                let next = self.node();
                self.nodes[at].literals.insert(place, (text.into(), next));
                next
            }
        }
    }

    /// Where a request with that method and path, as it was sent, goes.
    pub fn find(&self, method: &str, path: &str) -> Routed {
        if !percent::is_well_formed(path) {
            return Routed::Malformed;
        }
        let method = METHODS.iter().position(|known| *known == method);
        let Some(first) = path.strip_prefix('/').map(|_| 1) else {
            // `OPTIONS *` asks about the server, and so about all of its routes.
            let asks = method == Some(OPTIONS) && path == "*";
            return if asks { Routed::Options(self.all) } else { Routed::Free };
        };
        let mut search = Search {
            router: self,
            path,
            method,
            params: Vec::new(),
            known: false,
            allowed: Allow::default(),
        };
        match search.walk(&self.nodes[0], Some(first)) {
            Some(route) => Routed::Route(route, search.params),
            None if !search.known => Routed::Free,
            None if method == Some(OPTIONS) => Routed::Options(search.allowed),
            None => Routed::NotAllowed(search.allowed),
        }
    }
}

impl Ends {
    /// The route for a method; HEAD is answered by GET where it has no route of its own.
    fn of(&self, method: Option<usize>) -> Option<usize> {
        let own = method.and_then(|method| self.routes[method]);
        own.or_else(|| self.routes[GET].filter(|_| method == Some(HEAD))).or(self.any)
    }

    /// The methods that are answered here.
    fn allowed(&self) -> Allow {
        let mut allowed = Allow::default();
        for (at, _) in self.routes.iter().enumerate().filter(|(_, route)| route.is_some()) {
            allowed.add(at);
        }
        if self.routes[GET].is_some() {
            allowed.add(HEAD);
        }
        allowed.add(OPTIONS);
        allowed
    }
}

struct Search<'r> {
    router: &'r Router,
    path: &'r str,
    method: Option<usize>,
    params: Vec<Param>,
    /// Some pattern fits the path.
    known: bool,
    /// What the patterns that fit the path answer.
    allowed: Allow,
}

impl Search<'_> {
    /// The route for what is left of the path, whose next segment begins at `start`.
    fn walk(&mut self, node: &Node, start: Option<usize>) -> Option<usize> {
        let Some(start) = start else { return self.end(&node.end) };
        let left = &self.path[start..];
        let len = left.find('/').unwrap_or(left.len());
        let (range, next) = (start..start + len, (len < left.len()).then_some(start + len + 1));
        let segment = percent::decode(&left[..len], false);
        if let Ok(found) = node.literals.binary_search_by(|(known, _)| (**known).cmp(&*segment)) {
            let route = self.walk(&self.router.nodes[node.literals[found].1], next);
            if route.is_some() {
                return route;
            }
        }
        for (kind, child) in KINDS.iter().zip(&node.params) {
            let Some(child) = child else { continue };
            let Some(param) = read(kind, &segment, &range) else { continue };
            self.params.push(param);
            let route = self.walk(&self.router.nodes[*child], next);
            if route.is_some() {
                return route;
            }
            self.params.pop();
        }
        if !node.rest.known {
            return None;
        }
        self.params.push(Param::Text(start..self.path.len()));
        let route = self.end(&node.rest);
        if route.is_none() {
            self.params.pop();
        }
        route
    }

    fn end(&mut self, ends: &Ends) -> Option<usize> {
        if !ends.known {
            return None;
        }
        let route = ends.of(self.method);
        if route.is_none() {
            self.known = true;
            self.allowed.0 |= ends.allowed().0;
        }
        route
    }
}

/// A segment as a parameter of that kind.
fn read(kind: &Segment, segment: &str, range: &Range<usize>) -> Option<Param> {
    if segment.is_empty() {
        return None;
    }
    let word = match kind {
        Segment::Bool => match segment {
            "true" => 1,
            "false" => 0,
            _ => return None,
        },
        Segment::Int => crate::number::int(segment)? as Word,
        Segment::Float => crate::number::float(segment)?.to_bits(),
        _ => return Some(Param::Text(range.clone())),
    };
    Some(Param::Word(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[(&str, &str)]) -> Router {
        let mut router = Router { nodes: vec![Node::default()], all: Allow::default() };
        for (number, (method, pattern)) in routes.iter().enumerate() {
            let segments = pattern[1..].split('/').map(|part| match part {
                "{i}" => Segment::Int,
                "{f}" => Segment::Float,
                "{b}" => Segment::Bool,
                "{t}" => Segment::Text,
                "{...}" => Segment::Rest,
                text => Segment::Literal(text.to_owned()),
            });
            router.add(number, method, &segments.collect::<Vec<_>>());
        }
        router
    }

    /// The pattern that answers, or why none does.
    fn answer(routes: &[(&str, &str)], method: &str, path: &str) -> String {
        match router(routes).find(method, path) {
            Routed::Route(number, _) => routes[number].1.to_owned(),
            Routed::NotAllowed(allow) => format!("405 {}", allow.names()),
            Routed::Options(allow) => format!("204 {}", allow.names()),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_more_exact_pattern_wins_whatever_the_order() {
        let mut routes = vec![
            ("GET", "/{...}"),
            ("GET", "/{t}"),
            ("GET", "/{f}"),
            ("GET", "/{i}"),
            ("GET", "/{b}"),
            ("GET", "/a"),
            ("GET", "/a/{t}/c"),
            ("GET", "/{t}/b/{t}"),
        ];
        for _ in 0..2 {
            for (path, pattern) in [
                ("/a", "/a"),
                ("/true", "/{b}"),
                ("/-5", "/{i}"),
                ("/5.5", "/{f}"),
                ("/9223372036854775808", "/{f}"),
                ("/x", "/{t}"),
                ("/", "/{...}"),
                ("/x/y", "/{...}"),
                ("/a/b/c", "/a/{t}/c"),
                ("/a/b/d", "/{t}/b/{t}"),
                ("/a//c", "/{...}"),
            ] {
                assert_eq!(answer(&routes, "GET", path), pattern, "{path}");
            }
            routes.reverse();
        }
    }

    #[test]
    fn slashes_count_before_anything_is_decoded() {
        let routes = [("GET", "/a/"), ("GET", "/a"), ("GET", "/a//b"), ("GET", "/x/{t}"), ("GET", "/ä b")];
        for (path, wanted) in [
            ("/a/", "/a/"),
            ("/a", "/a"),
            ("/a//b", "/a//b"),
            ("/a/b", "Free"),
            ("//a", "Free"),
            ("/%61", "/a"),
            ("/x/a%2Fb", "/x/{t}"),
            ("/x%2Fa", "Free"),
            ("/x/", "Free"),
            ("/%C3%A4%20b", "/ä b"),
            ("/%", "Malformed"),
            ("/%4", "Malformed"),
            ("/%zz", "Malformed"),
            ("/x/%ff", "Malformed"),
        ] {
            assert_eq!(answer(&routes, "GET", path), wanted, "{path}");
        }
    }

    #[test]
    fn the_method_decides_among_the_patterns_that_fit() {
        let routes = [
            ("GET", "/a"),
            ("POST", "/{t}"),
            ("PUT", "/a"),
            ("ANY", "/any"),
            ("GET", "/any"),
            ("OPTIONS", "/own"),
            ("HEAD", "/own"),
        ];
        for (method, path, wanted) in [
            ("GET", "/a", "/a"),
            ("HEAD", "/a", "/a"),
            ("POST", "/a", "/{t}"),
            ("PATCH", "/a", "405 GET, HEAD, POST, PUT, OPTIONS"),
            ("GET", "/b", "405 POST, OPTIONS"),
            ("OPTIONS", "/a", "204 GET, HEAD, POST, PUT, OPTIONS"),
            ("OPTIONS", "/b/c", "Free"),
            ("OPTIONS", "/own", "/own"),
            ("HEAD", "/own", "/own"),
            ("GET", "/own", "405 HEAD, POST, OPTIONS"),
            ("BREW", "/any", "/any"),
            ("OPTIONS", "/any", "/any"),
            ("BREW", "/a", "405 GET, HEAD, POST, PUT, OPTIONS"),
            ("OPTIONS", "*", "204 GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            ("GET", "*", "Free"),
        ] {
            assert_eq!(answer(&routes, method, path), wanted, "{method} {path}");
        }
    }

    #[test]
    fn parameters_are_read() {
        let router = router(&[("GET", "/{i}/{b}/{f}/{t}/{...}")]);
        let path = "/-7/true/1.5/a%20b/c/d%2F";
        let Routed::Route(0, params) = router.find("GET", path) else { panic!("no route") };
        let words = [-7_i64 as Word, 1, 1.5_f64.to_bits()];
        assert_eq!(params[..3], words.map(Param::Word));
        let texts = params[3..].iter().map(|param| match param {
            Param::Text(range) => percent::decode(&path[range.clone()], false).into_owned(),
            Param::Word(_) => panic!("not a word"),
        });
        assert_eq!(texts.collect::<Vec<_>>(), ["a b", "c/d/"]);
    }
}
