//! Instances: functions that are generic by use are inferred once per argument types.
//!
//! A call with the types of an instance that is still being inferred is a recursive call: it uses that instance's result
//! variable. So does a call of a finished instance that depends on one still under way: together they are a component of
//! mutually recursive functions (found as in Tarjan's algorithm, by the lowest depth each one reaches), which closes with its
//! first member. A closed instance is used again when its types are solved.

use crate::draft::{DeclId, Draft, FrameId, InstanceId};
use crate::goals::type_not_known;
use crate::infer::{Checker, Origin, Why};
use crate::report::{Call, shortened};
use crate::scope::{Frame, Returns};
use crate::unify::{T, Term};
use crate::ways;
use std::collections::HashMap;
use weir_syntax::ast::FnBody;
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// Recursive calls with growing types stop at this depth.
pub const GROWTH_DEPTH: usize = 32;
/// A program has at most so many instances; beyond it, functions call each other with more and more types.
pub const MAX_INSTANCES: usize = 20_000;

/// The name of the function that answers requests.
pub const HANDLER: &str = "handle";
/// The name of the function that stands around it and the routes.
pub const AROUND: &str = "around";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its body is being inferred.
    Running,
    /// Inferred, and part of a component that is not closed.
    Open,
    /// Done. Whether its result was solved then: if not, each call may solve it differently and needs its own instance.
    Closed { solved: bool },
}

/// One instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The function.
    pub decl: DeclId,
    /// Parameter types.
    pub params: Vec<T>,
    /// Its body.
    pub frame: FrameId,
    state: State,
    /// Its place among those being inferred when it began.
    depth: usize,
    /// The lowest depth that it calls.
    low: usize,
}

/// All instances.
#[derive(Debug, Default)]
pub struct Instances {
    all: Vec<Instance>,
    by_decl: HashMap<DeclId, Vec<InstanceId>>,
    running: Vec<InstanceId>,
    open: Vec<InstanceId>,
}

impl Instances {
    /// The instance `id`.
    pub fn get(&self, id: InstanceId) -> &Instance {
        &self.all[id.0 as usize]
    }

    /// Whether the function has an instance.
    pub fn has(&self, decl: DeclId) -> bool {
        self.by_decl.contains_key(&decl)
    }

    /// Those whose bodies are being inferred.
    pub fn running(&self) -> impl Iterator<Item = InstanceId> + '_ {
        self.running.iter().copied()
    }

    fn of(&self, decl: DeclId) -> &[InstanceId] {
        self.by_decl.get(&decl).map_or(&[], Vec::as_slice)
    }

    /// Notes that the innermost running instance calls one that belongs to an open component.
    fn reach(&mut self, low: usize) {
        if let Some(&caller) = self.running.last() {
            let caller = &mut self.all[caller.0 as usize];
            caller.low = caller.low.min(low);
        }
    }

    fn begin(&mut self, decl: DeclId, params: Vec<T>, frame: FrameId) -> InstanceId {
        let depth = self.running.len();
        let id = InstanceId(self.all.len() as u32);
        self.all.push(Instance { decl, params, frame, state: State::Running, depth, low: depth });
        self.by_decl.entry(decl).or_default().push(id);
        self.running.push(id);
        id
    }

    /// Ends the innermost running instance. The instances that are closed by it.
    fn end(&mut self, id: InstanceId) -> Vec<InstanceId> {
        self.running.pop();
        let (depth, low) = (self.get(id).depth, self.get(id).low);
        self.open.push(id);
        if low < depth {
            self.all[id.0 as usize].state = State::Open;
            self.reach(low);
            return Vec::new();
        }
        let first = self.open.iter().rposition(|m| self.get(*m).depth < depth).map_or(0, |i| i + 1);
        self.open.split_off(first)
    }
}

impl<'a> Checker<'a> {
    /// The instance of `decl` for these parameter types; `None` when its types grow without end, which was reported, and when
    /// they are not all known because of a mistake, or because the caller is itself checked for unknown types: then the
    /// function is checked as written.
    pub fn instance(
        &mut self,
        decl: DeclId,
        params: Vec<T>,
        vars: &[(&'a str, T)],
        call: Span,
    ) -> Option<InstanceId> {
        let mut is_unknown = |_: &Term, t: T| t == T::UNKNOWN;
        if params.iter().any(|p| self.terms.any(*p, &mut is_unknown)) {
            return None;
        }
        if let Some(known) = self.known_instance(decl, &params) {
            return Some(known);
        }
        let depth = self.instances.running.iter().filter(|r| self.instances.get(**r).decl == decl).count();
        let function = self.modules.function(decl);
        let name = &function.decl.name.text;
        if depth >= GROWTH_DEPTH || self.instances.all.len() >= MAX_INSTANCES {
            let shown: Vec<String> = params.iter().map(|p| shortened(self.terms.show(*p))).collect();
            let message = format!("`{name}` calls itself with a new type each time, without end");
            let error =
                Diagnostic::error("E0408", message, call, format!("here with `{}`", shown.join("`, `")))
                    .help("Write the parameter types down, or build the value in a loop.");
            self.report(error);
            return None;
        }
        let names = function.decl.params.iter().zip(&params).filter(|(p, _)| p.ty.is_none());
        let decided = names.map(|(p, ty)| (p.name.text.clone(), *ty)).collect();
        let chain = Call { name: name.clone(), params: decided, span: call, parent: self.here.chain };
        let chain = self.reports.call(chain);
        let frame = self.open_frame(decl, &params, vars.to_vec());
        let id = self.instances.begin(decl, params, frame);
        self.fill_frame(decl, frame, Some(chain));
        self.close_instance(id);
        Some(id)
    }

    /// Infers a function as written, as an instance that no call made.
    pub fn unused_instance(&mut self, decl: DeclId, params: Vec<T>, vars: Vec<(&'a str, T)>) {
        let frame = self.open_frame(decl, &params, vars);
        let id = self.instances.begin(decl, params, frame);
        self.fill_frame(decl, frame, None);
        self.close_instance(id);
    }

    /// Reports a value whose type nothing has decided where it must be known.
    pub fn not_known(&mut self, value: &Draft) {
        let mut error = type_not_known(value.span);
        let result = |id: &InstanceId| self.terms.same(self.instance_result(*id), value.ty);
        if let Some(id) = self.instances.running.iter().find(|id| result(id)) {
            let name = &self.modules.function(self.instances.get(*id).decl).decl.name.text;
            error.help = vec![format!(
                "It is what `{name}` gives, which is being found out here. Write its result down, as in `-> Text`."
            )];
        }
        self.report(error);
    }

    fn close_instance(&mut self, id: InstanceId) {
        for closed in self.instances.end(id) {
            let solved = self.terms.is_closed(self.instance_result(closed));
            self.instances.all[closed.0 as usize].state = State::Closed { solved };
        }
    }

    /// An instance that a call with these types may use.
    fn known_instance(&mut self, decl: DeclId, params: &[T]) -> Option<InstanceId> {
        let closed = params.iter().all(|p| self.terms.is_closed(*p));
        let mut fallback = None;
        for &id in self.instances.of(decl).iter().rev() {
            let instance = self.instances.get(id);
            let same = instance.params.iter().zip(params).all(|(a, b)| self.terms.same(*a, *b));
            let usable = match instance.state {
                State::Running | State::Open => true,
                State::Closed { solved } => closed && solved,
            };
            if same && usable {
                fallback = Some(id);
                break;
            }
            let agrees = || instance.params.iter().zip(params).all(|(a, b)| self.terms.agree(*a, *b));
            if !closed && instance.state == State::Running && fallback.is_none() && agrees() {
                fallback = Some(id);
            }
        }
        let id = fallback?;
        let instance = self.instances.get(id).clone();
        if !matches!(instance.state, State::Closed { .. }) {
            for (own, given) in instance.params.iter().zip(params) {
                self.terms.unify(*own, *given);
            }
            if instance.state == State::Running {
                self.asked_for_result(instance.frame);
            }
            self.instances.reach(if instance.state == State::Running {
                instance.depth
            } else {
                instance.low
            });
        }
        Some(id)
    }

    /// A frame for a function's body, with its parameters declared.
    pub fn open_frame(&mut self, decl: DeclId, params: &[T], vars: Vec<(&'a str, T)>) -> FrameId {
        let function = self.modules.function(decl);
        let written = function.decl.result.as_ref();
        let result = match written {
            Some(ty) => self.annotation(ty, function.module, &vars),
            None => self.terms.var(),
        };
        let origin = match written {
            Some(ty) => Origin::new(Why::Result, ty.span),
            None => Origin::of(Why::Same),
        };
        let (returns, result) = match self.is_served(function) && written.is_none() {
            true => (Returns::Respond(None), self.request_type("Response")),
            false => (Returns::Value(result, origin), result),
        };
        let name =
            crate::infer::qualified_name(&self.modules.get(function.module).name, &function.decl.name.text);
        let mut frame = Frame::new(name, function.decl.span, returns, result);
        frame.type_vars = vars;
        frame.is_mutating = function.is_mutating();
        for (param, ty) in function.decl.params.iter().zip(params) {
            let name = if param.name.text == "_" { "$unused" } else { param.name.text.as_str() };
            frame.param(name, *ty, param.name.span, param.mutable);
        }
        self.frames.open(frame)
    }

    /// Infers a function's body in its frame.
    pub fn fill_frame(&mut self, decl: DeclId, frame: FrameId, chain: Option<crate::draft::ChainId>) {
        let function = self.modules.function(decl);
        let here = self.apart(frame, function.module, chain);
        self.fill(here, |c| {
            c.show_params(frame);
            if function.decl.result.is_none() {
                c.begin_result(frame, ways::of_body(&function.decl.body));
            }
            let want = c.want_given();
            let body = match &function.decl.body {
                FnBody::Block(block) => c.block(block, want),
                FnBody::Expr(expr) => c.expr(expr, want),
                FnBody::Native(name) => Draft::error(name.span),
            };
            let result = c.frame().result;
            let never = c.terms.is_never(body.ty) && chain.is_none_or(|_| !c.in_open_component());
            c.settle_result(never);
            if never && c.terms.is_var(result) {
                c.terms.bind(result, T::NEVER);
            }
            body
        });
    }

    /// Makes the parameters visible; a name given to two of them was reported with the declaration.
    fn show_params(&mut self, frame: FrameId) {
        let params = self.frames[frame].params.clone();
        for local in params {
            let name = self.frames[frame].variable(local).name;
            if !name.starts_with('$') {
                let block = self.here.block;
                self.here.scope.push(crate::scope::Binding { name, block, frame, local });
            }
        }
    }

    /// Whether the innermost running instance is called by one of its own callees.
    fn in_open_component(&self) -> bool {
        self.instances
            .running
            .last()
            .is_some_and(|r| self.instances.get(*r).low < self.instances.get(*r).depth)
    }
}
