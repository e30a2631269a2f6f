//! The functions that the server calls, and what stands between `around` and the routes.
//!
//! ```text
//! server -> around(req) = around(req, next)         next(req) = the route that was found, `handle`, or the answer to
//!                                                               what nothing matches
//! ```
//! Without an `around` the server calls routes and `handle` themselves. Which route it is was found before any of this
//! runs: `request-route` tells its number.

use super::{Work, Zonk};
use crate::draft::FrameId;
use crate::served::Served;
use crate::typed::{Expr, ExprKind, FnId, Function, Local, LocalId, Prim, Route};
use crate::types::{Ty, TyKind};
use weir_syntax::span::Span;

/// See [`crate::typed::Program`].
pub(super) struct Entries {
    pub handler: Option<FnId>,
    pub around: Option<FnId>,
    pub routes: Vec<Route>,
}

/// The request is their only parameter.
const REQUEST: LocalId = LocalId(0);
/// The route's number, a variable of `next`.
const ROUTE: LocalId = LocalId(1);

impl Zonk<'_, '_> {
    pub(super) fn served(&mut self, served: Served) -> Entries {
        let routes: Vec<Route> = served
            .routes
            .into_iter()
            .map(|route| Route {
                method: route.method,
                pattern: route.pattern,
                function: self.enqueue(Work::Frame(route.frame, false)),
            })
            .collect();
        let handler = served.handler.map(|frame| self.enqueue(Work::Frame(frame, false)));
        let around = served.around.map(|frame| self.around(frame, handler, &routes));
        Entries { handler, around, routes }
    }

    fn around(&mut self, frame: FrameId, handler: Option<FnId>, routes: &[Route]) -> FnId {
        let span = self.c.frames[frame].span;
        let function = self.enqueue(Work::Frame(frame, false));
        let of = Of {
            span,
            int: self.types.intern(TyKind::Int),
            bool: self.types.intern(TyKind::Bool),
            unit: self.types.intern(TyKind::Unit),
            request: self.types.intern(TyKind::Native("Request".to_string())),
            response: self.types.intern(TyKind::Native("Response".to_string())),
        };
        let next = of.next(handler, routes);
        let next = self.made(next);
        let next_type = self.types.intern(TyKind::Fn(vec![of.request], of.response));
        let args =
            vec![of.local(REQUEST, of.request), of.expr(ExprKind::Closure(next, Vec::new()), next_type)];
        self.made(of.function("around", of.expr(ExprKind::Call(function, args), of.response)))
    }

    /// A function that is there already.
    fn made(&mut self, function: Function) -> FnId {
        let id = FnId(self.functions.len() as u32);
        self.functions.push(Some(function));
        id
    }
}

/// What the made-up functions are made of.
struct Of {
    span: Span,
    int: Ty,
    bool: Ty,
    unit: Ty,
    request: Ty,
    response: Ty,
}

impl Of {
    fn expr(&self, kind: ExprKind, ty: Ty) -> Expr {
        Expr { kind, ty, span: self.span }
    }

    fn local(&self, local: LocalId, ty: Ty) -> Expr {
        self.expr(ExprKind::Local(local), ty)
    }

    fn native(&self, name: &str, ty: Ty) -> Expr {
        let kind = ExprKind::CallNative { name: name.to_string(), types: Vec::new(), args: Vec::new() };
        self.expr(kind, ty)
    }

    fn call(&self, function: FnId) -> Expr {
        self.expr(ExprKind::Call(function, vec![self.local(REQUEST, self.request)]), self.response)
    }

    /// A function of a request.
    fn function(&self, name: &str, body: Expr) -> Function {
        let local = |name: &str, ty| Local { name: name.to_string(), ty, span: self.span };
        Function {
            name: name.to_string(),
            span: self.span,
            params: vec![REQUEST],
            captures: Vec::new(),
            is_lambda: false,
            is_mutating: false,
            locals: vec![local("req", self.request), local("$route", self.int)],
            result: self.response,
            body,
        }
    }

    /// Calls the route with the request's number. Numbers below 0 are `handle`'s (-1) or say what the runtime answers.
    fn next(&self, handler: Option<FnId>, routes: &[Route]) -> Function {
        let unrouted = self.native("respond-unrouted", self.response);
        let otherwise = match handler {
            Some(handler) => {
                let is_free = self.is(Prim::Eq, -1);
                self.either(is_free, self.call(handler), unrouted)
            }
            None => unrouted,
        };
        let found = match routes {
            [] => otherwise,
            _ => {
                let is_found = self.is(Prim::Ge, 0);
                self.either(is_found, self.one_of(routes, 0), otherwise)
            }
        };
        let read = self.native("request-route", self.int);
        let bind = self.expr(ExprKind::Let(ROUTE, Box::new(read)), self.unit);
        self.function("next", self.expr(ExprKind::Block(vec![bind, found]), self.response))
    }

    /// The call of one of these routes, the first of which has that number: each step leaves half of them.
    fn one_of(&self, routes: &[Route], first: i64) -> Expr {
        if let [route] = routes {
            return self.call(route.function);
        }
        let (low, high) = routes.split_at(routes.len() / 2);
        let middle = first + low.len() as i64;
        self.either(self.is(Prim::Lt, middle), self.one_of(low, first), self.one_of(high, middle))
    }

    fn is(&self, prim: Prim, number: i64) -> Expr {
        let operands = vec![self.local(ROUTE, self.int), self.expr(ExprKind::Int(number), self.int)];
        self.expr(ExprKind::Prim(prim, operands), self.bool)
    }

    fn either(&self, condition: Expr, then: Expr, otherwise: Expr) -> Expr {
        let kind = ExprKind::If(Box::new(condition), Box::new(then), Some(Box::new(otherwise)));
        self.expr(kind, self.response)
    }
}
