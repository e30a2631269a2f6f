//! What a program answers requests with: `handle`, `around` and its routes.
//!
//! In: the main file's declarations. Out: the frame of each, inferred for what the server gives it.
//! A route's block is a body of its own that is given the request; its parameters are read from the request's match, as
//! the first thing it does.
//! Not here: what a result becomes (`respond`), which route answers a path (the runtime).

use crate::draft::{Draft, FrameId, Kind};
use crate::infer::{Checker, Want};
use crate::instances::{AROUND, HANDLER};
use crate::modules::{FnEntry, ModuleId};
use crate::path_pattern::{self, PathParam};
use crate::scope::{Binding, Frame, Returns};
use crate::typed::{ParamKind, Segment};
use crate::unify::T;
use std::collections::HashMap;
use weir_syntax::ast::{self, FnBody, Item};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;
use weir_syntax::suggest::closest;

/// The methods that a route may be declared for; `ANY` stands for each that has no route of its own.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"];
/// The function of the library whose results are responses: its module and name.
const RESPONSE_OF: (&str, &str) = ("response", "of");
/// What a route's block calls the request.
const REQUEST: &str = "req";

/// The bodies that answer requests.
#[derive(Default)]
pub struct Served {
    /// `handle`
    pub handler: Option<FrameId>,
    /// `around`
    pub around: Option<FrameId>,
    /// The routes in text order.
    pub routes: Vec<RouteFrame>,
}

/// A route's body.
pub struct RouteFrame {
    /// `GET`, or `ANY`.
    pub method: String,
    /// What the path has to be.
    pub pattern: Vec<Segment>,
    /// Its body.
    pub frame: FrameId,
}

/// What the server gives one of the functions that it calls by their names.
struct Entry {
    name: &'static str,
    code: &'static str,
    /// Each parameter: what a person calls it, and its type.
    params: Vec<(&'static str, T)>,
    /// What it is there for.
    label: &'static str,
    help: &'static str,
}

impl<'a> Checker<'a> {
    /// Whether it is a function that the server calls, whose results are responses. `around` is one only where there is
    /// something that it stands around.
    pub fn is_served(&self, function: FnEntry<'a>) -> bool {
        let is_around = || {
            let routes = |item: &Item| matches!(item, Item::Route(_));
            function.decl.params.len() == 2
                && (self.modules.find_fn(ModuleId::MAIN, HANDLER).is_some()
                    || self.modules.file_of(ModuleId::MAIN).items.iter().any(routes))
        };
        let name = function.decl.name.text.as_str();
        if !self.modules.is_own(function.module) {
            return (self.modules.get(function.module).name.as_str(), name) == RESPONSE_OF;
        }
        function.module == ModuleId::MAIN && (name == HANDLER || name == AROUND && is_around())
    }

    /// The types of what the server gives a function that it calls; nothing for any other.
    pub fn entry_params(&mut self, function: FnEntry<'a>) -> std::vec::IntoIter<T> {
        let has = function.decl.params.len();
        if function.module != ModuleId::MAIN
            || !self.is_served(function)
            || function.decl.name.text == HANDLER && has != 1
        {
            return Vec::new().into_iter();
        }
        let request = self.request_type("Request");
        let response = self.request_type("Response");
        vec![request, self.terms.function(&[request], response)].into_iter()
    }

    /// Infers all that the server calls.
    pub fn served(&mut self, files: &[&'a ast::File]) -> Served {
        for (at, file) in files.iter().enumerate().skip(1) {
            self.here.module = ModuleId(at as u16);
            self.no_routes(file);
        }
        self.here.module = ModuleId::MAIN;
        let routes = self.routes(files[0]);
        if routes.is_empty() && self.modules.find_fn(ModuleId::MAIN, HANDLER).is_none() {
            // A program that is not served needs nothing of the library for it.
            return Served::default();
        }
        let request = self.request_type("Request");
        let handler = self.entry(&Entry {
            name: HANDLER,
            code: "E0407",
            params: vec![("a `Request`", request)],
            label: "answers requests",
            help: "Write `fn handle(req) { ... }`; the parameter needs no type.",
        });
        let around = self.around(request);
        Served { handler, around, routes }
    }

    fn around(&mut self, request: T) -> Option<FrameId> {
        let response = self.request_type("Response");
        let next = self.terms.function(&[request], response);
        self.entry(&Entry {
            name: AROUND,
            code: "E0607",
            params: vec![("a `Request`", request), ("`fn(Request) -> Response`", next)],
            label: "is called around each request",
            help: "Write `fn around(req, next) { next(req) }`; the parameters need no types.",
        })
    }

    /// Infers a function that the server calls.
    fn entry(&mut self, entry: &Entry) -> Option<FrameId> {
        let decl = self.modules.find_fn(ModuleId::MAIN, entry.name)?;
        let function = self.modules.function(decl);
        if matches!(function.decl.body, FnBody::Native(_)) || !self.takes(function, entry) {
            return None;
        }
        let params: Vec<T> = entry.params.iter().map(|(_, ty)| *ty).collect();
        let vars = self.fresh_vars(function);
        let written = self.param_types(function, &vars);
        for ((param, given), (shown, wanted)) in function.decl.params.iter().zip(written).zip(&entry.params) {
            let (Some(ty), Some(written)) = (given, &param.ty) else { continue };
            if !self.terms.unify(ty, *wanted) {
                let declared = self.terms.show(ty);
                let message = format!(
                    "`{}` is given {shown}, and `{}` is declared `{declared}`",
                    entry.name, param.name.text
                );
                let error = Diagnostic::error(entry.code, message, written.span, "not what it is given");
                self.report(error.help(entry.help));
                return None;
            }
        }
        if function.decl.result.is_none() {
            let instance = self.instance(decl, params, &vars, function.decl.name.span);
            self.conclude();
            return instance.map(|i| self.instances.get(i).frame);
        }
        let frame = self.open_frame(decl, &params, vars);
        let response = self.request_type("Response");
        let body = &mut self.frames[frame];
        if let Returns::Value(ty, origin) = body.returns {
            body.returns = Returns::Respond(Some((ty, origin)));
            body.result = response;
        }
        self.fill_frame(decl, frame, None);
        self.conclude();
        Some(frame)
    }

    /// Whether a function has the number of parameters that it is called with.
    fn takes(&mut self, function: FnEntry<'a>, entry: &Entry) -> bool {
        let has = function.decl.params.len();
        if has == entry.params.len() {
            return true;
        }
        let parameters = if has == 1 { "1 parameter".to_string() } else { format!("{has} parameters") };
        let message = match entry.params.len() {
            1 => {
                format!("`{}` takes the request and nothing else, and this one has {parameters}", entry.name)
            }
            _ => format!(
                "`{}` takes the request and what answers it, and this one has {parameters}",
                entry.name
            ),
        };
        let error = Diagnostic::error(entry.code, message, function.decl.name.span, entry.label);
        self.report(error.help(entry.help));
        false
    }

    /// Routes stand in the main file: what a program answers is seen in one place.
    fn no_routes(&mut self, file: &'a ast::File) {
        for item in &file.items {
            let Item::Route(decl) = item else { continue };
            let error = Diagnostic::error(
                "E0606",
                "A file that others use declares no routes",
                decl.method.span,
                "a route of its own",
            )
            .help("Put what the route does into a `pub fn` here, and the route into the main file.");
            self.report(error);
        }
    }

    fn routes(&mut self, file: &'a ast::File) -> Vec<RouteFrame> {
        let mut routes = Vec::new();
        let mut taken: HashMap<(&'a str, Vec<Segment>), Span> = HashMap::new();
        for item in &file.items {
            let Item::Route(decl) = item else { continue };
            let is_method = self.is_route_method(decl);
            let parsed = match path_pattern::parse(&decl.pattern) {
                Ok(parsed) => parsed,
                Err(error) => {
                    self.report(error);
                    // The block may name parameters that nobody knows now.
                    continue;
                }
            };
            let key = (decl.method.text.as_str(), parsed.segments.clone());
            match taken.get(&key) {
                Some(first) => self.same_requests(decl, *first),
                None => drop(taken.insert(key, decl.pattern.span)),
            }
            let frame = self.route(decl, &parsed.params);
            if is_method {
                routes.push(RouteFrame { method: decl.method.text.clone(), pattern: parsed.segments, frame });
            }
        }
        routes
    }

    fn is_route_method(&mut self, decl: &'a ast::RouteDecl) -> bool {
        let method = &decl.method;
        if METHODS.contains(&method.text.as_str()) {
            return true;
        }
        let message = format!("`{}` is no method that a route answers", method.text);
        let error = Diagnostic::error("E0601", message, method.span, "not known")
            .help(format!("The methods are `{}`.", METHODS.join("`, `")));
        let upper = method.text.to_ascii_uppercase();
        let meant = METHODS.iter().find(|known| **known == upper).copied();
        let error = match meant.or_else(|| closest(&upper, METHODS)) {
            Some(best) => error.meant(method.span, best),
            None => error,
        };
        self.report(error);
        false
    }

    fn same_requests(&mut self, decl: &'a ast::RouteDecl, first: Span) {
        let message = format!("Two routes answer the same `{}` requests", decl.method.text);
        let error = Diagnostic::error("E0605", message, decl.pattern.span, "no other paths than those of the first")
            .label(first, "the first one")
            .help("Names of parameters tell no paths apart. Let them differ in a part that is written out, or in the types of their parameters, or make one route of both.");
        self.report(error);
    }

    /// Infers the block of a route.
    fn route(&mut self, decl: &'a ast::RouteDecl, params: &[PathParam<'a>]) -> FrameId {
        let (request, response) = (self.request_type("Request"), self.request_type("Response"));
        let name = format!("{} {}", decl.method.text, decl.pattern.text);
        let mut frame = Frame::new(name, decl.span, Returns::Respond(None), response);
        let local = frame.param(REQUEST, request, decl.method.span, false);
        let frame = self.frames.open(frame);
        let mut here = self.apart(frame, ModuleId::MAIN, None);
        here.scope.push(Binding { name: REQUEST, block: here.block, frame, local });
        self.fill(here, |c| {
            let mut drafts = c.path_params(params);
            drafts.push(c.block(&decl.body, Want::Respond(None)));
            Draft::new(Kind::Block(drafts), response, decl.body.span)
        });
        self.conclude();
        frame
    }

    /// Binds the parameters of a path.
    fn path_params(&mut self, params: &[PathParam<'a>]) -> Vec<Draft> {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        let mut drafts = Vec::new();
        for (at, param) in params.iter().enumerate().filter(|(_, param)| param.name != "_") {
            if param.name == REQUEST {
                let error = Diagnostic::error(
                    "E0604",
                    "`req` is the request, in the block of every route",
                    param.span,
                    "another thing of that name",
                );
                self.report(error.help("Give the parameter another name."));
                continue;
            }
            if let Some(first) = seen.insert(param.name, param.span) {
                let message = format!("This pattern has two parameters called `{}`", param.name);
                let error = Diagnostic::error("E0604", message, param.span, "again here");
                self.report(error.label(first, "first here").help("Give one of them another name."));
                continue;
            }
            let (native, ty) = match param.kind {
                Some(ParamKind::Text) | None => ("route-text", T::TEXT),
                Some(ParamKind::Int) => ("route-int", T::INT),
                Some(ParamKind::Float) => ("route-float", T::FLOAT),
                Some(ParamKind::Bool) => ("route-bool", T::BOOL),
            };
            let index = Draft::new(Kind::Int(at as i64), T::INT, param.span);
            let read =
                Draft::new(Kind::CallNative(native.to_string(), Vec::new(), vec![index]), ty, param.span);
            let local = self.declare(param.name, ty, param.span, false);
            drafts.push(Draft::new(Kind::Let(local, Box::new(read)), T::UNIT, param.span));
        }
        drafts
    }
}
