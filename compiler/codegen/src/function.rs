//! One function of the IR to a Cranelift function: blocks in reverse post-order, one arm per operation.
//!
//! In: a function that `ir`'s verifier accepts after the counting pass. Out: the Cranelift function, built, and the places
//! that its source locations number. Not here: compiling it (`lib`), what the compiled form tells (`frames`).

use crate::emitter::{Emitter, Env, results, words_signature};
use crate::held::Held;
use cranelift_codegen::ir as clif;
use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use weir_abi::code::Place;
use weir_abi::native::Mode;
use weir_ir::ir::{self, FuncId, Function, Op, Result, SiteId, Terminator, Use};

/// Builds the function with that number into `into` (empty before); gives its places.
pub(crate) fn build(
    env: &Env<'_>,
    id: FuncId,
    into: &mut clif::Function,
    scratch: &mut FunctionBuilderContext,
    target: TargetFrontendConfig,
) -> Vec<(Place, Option<SiteId>)> {
    let function = &env.module.functions[id.0 as usize];
    into.name = clif::UserFuncName::user(0, id.0);
    into.signature = words_signature(env.call_conv, function.params.len(), results(function));
    let mut emitter = Emitter::new(env, function, FunctionBuilder::new(into, scratch));
    let mut flow = Flow::of(function, &mut emitter);
    emitter.prologue(env.facts[id.0 as usize].calls, flow.blocks[0]);
    flow.states[0] = Some(emitter.held.inherit());
    for at in std::mem::take(&mut flow.order) {
        flow.begin(at, &mut emitter);
        let block = &function.blocks[at];
        for inst in &block.ops {
            emitter.at(inst.span, inst.site);
            emitter.op(&inst.op);
        }
        emitter.at(block.span, block.site);
        emitter.end(&block.end, &flow.blocks);
        flow.finish(&block.end, &mut emitter);
    }
    let Emitter { build, places, .. } = emitter;
    build.finalize(target);
    places
}

/// The control flow: which blocks there are, in which order, and what is known at their starts.
struct Flow {
    /// Reachable blocks in reverse post-order.
    order: Vec<usize>,
    /// By block of the IR.
    blocks: Vec<clif::Block>,
    /// Edges from reachable blocks, by block they go to; how many of them are not yet emitted.
    edges: Vec<(u32, u32)>,
    /// What is held at the start, as far as the emitted predecessors tell.
    states: Vec<Option<Held>>,
}

impl Flow {
    fn of(function: &Function, emitter: &mut Emitter<'_>) -> Self {
        let order = reverse_post_order(function);
        let mut edges = vec![(0, 0); function.blocks.len()];
        for &at in &order {
            for to in function.blocks[at].end.successors() {
                let (all, open) = &mut edges[to.0 as usize];
                *all += 1;
                *open += 1;
            }
        }
        let blocks = function.blocks.iter().map(|_| emitter.block()).collect();
        Self { order, blocks, edges, states: vec![None; function.blocks.len()] }
    }

    /// Emission goes on in a block of the IR.
    fn begin(&mut self, at: usize, emitter: &mut Emitter<'_>) {
        emitter.build.switch_to_block(self.blocks[at]);
        let (all, open) = self.edges[at];
        if open == 0 {
            emitter.build.seal_block(self.blocks[at]);
        }
        let mut held = self.states[at].take().expect("reverse post-order comes from a predecessor");
        // A path that is emitted later, or the function's own start, may bring other slots.
        if all + u32::from(at == 0) > 1 {
            held.forget();
        }
        emitter.held = held;
    }

    /// A block is emitted, with its edges.
    fn finish(&mut self, end: &Terminator, emitter: &mut Emitter<'_>) {
        for to in end.successors() {
            let to = to.0 as usize;
            let open = &mut self.edges[to].1;
            *open -= 1;
            match &mut self.states[to] {
                Some(state) => state.meet(&emitter.held),
                none => *none = Some(emitter.held.inherit()),
            }
            // A block still to come is sealed when it begins.
            if *open == 0 && emitter.build.func.layout.is_block_inserted(self.blocks[to]) {
                emitter.build.seal_block(self.blocks[to]);
            }
        }
    }
}

/// Depth-first, without recursion: a long `main` may be a chain of many thousand blocks.
fn reverse_post_order(function: &Function) -> Vec<usize> {
    let mut seen = vec![false; function.blocks.len()];
    let mut order = Vec::with_capacity(function.blocks.len());
    let mut stack = vec![(0, false)];
    while let Some((at, done)) = stack.pop() {
        if done {
            order.push(at);
        } else if !std::mem::replace(&mut seen[at], true) {
            stack.push((at, true));
            stack.extend(function.blocks[at].end.successors().map(|to| (to.0 as usize, false)));
        }
    }
    order.reverse();
    order
}

impl Emitter<'_> {
    /// Parameters arrive; a function that calls checks the stack.
    fn prologue(&mut self, check: bool, body: clif::Block) {
        let entry = self.block();
        self.build.append_block_params_for_function_params(entry);
        self.enter(entry);
        let function = self.function;
        self.at(function.span, None);
        for (index, param) in function.params.iter().enumerate() {
            let value = self.build.block_params(entry)[index];
            self.set(param.var, value);
            if param.mode == Mode::Own && self.repr(param.var).is_ref() {
                self.held.take(param.var);
            }
        }
        if check {
            self.stack_check();
        }
        self.jump(body);
    }

    fn op(&mut self, op: &Op) {
        op.uses(&self.env.module.functions, |var, how| {
            if how == Use::Consume {
                self.held.give(var);
            }
        });
        match op {
            Op::Const(dst, word) => self.constant(*dst, *word),
            Op::Null(dst) => self.constant(*dst, 0),
            Op::Text(dst, text) => self.constant(*dst, self.env.literals.address(text.0)),
            Op::Case(dst, index) => self.constant(*dst, self.env.literals.case(*index)),
            Op::Global(dst, global) => self.global(*dst, *global),
            Op::SetGlobal(global, src) => self.set_global(*global, *src),
            Op::Move(dst, src) | Op::Alias(dst, src) => self.copy(*dst, *src),
            Op::Prim(prim, dst, a, b) => self.prim(*prim, *dst, *a, *b),
            Op::Step(dst, counter) => self.step(*dst, *counter),
            Op::IsNull(dst, reference) => self.is_null(*dst, *reference),
            Op::Call(dst, callee, args) => self.call(*dst, *callee, args),
            Op::CallClosure(dst, closure, args) => self.call_closure(*dst, *closure, args),
            Op::CallNative { dst, native, types, args } => self.call_native(*dst, *native, types, args),
            Op::Concat(dst, parts) => self.concat(*dst, parts),
            Op::Append(dst, text, parts) => self.append(*dst, *text, parts),
            Op::New(dst, shape, size, words) => self.new_object(*dst, *shape, *size, words),
            Op::NewClosure(dst, shape, size, code, captures) => {
                self.new_closure(*dst, *shape, *size, *code, captures);
            }
            Op::NewList(dst, shape, elements) => self.new_list(*dst, *shape, elements),
            Op::Load(dst, from, offset) => self.load_field(*dst, *from, *offset),
            Op::ListGet(dst, list, index) => self.list_get(*dst, *list, *index),
            Op::ListGetUnchecked(dst, list, index) => self.list_get_unchecked(*dst, *list, *index),
            Op::Unique(dst, src) => self.unique(*dst, *src),
            Op::Take(dst, object, offset) => self.take_field(*dst, *object, *offset),
            Op::Store(object, offset, word) => self.store_field(*object, *offset, *word),
            Op::ListCheck(list, index) => self.list_check(*list, *index),
            Op::ListTake(dst, list, index) => self.list_take(*dst, *list, *index),
            Op::ListSet(list, index, word) => self.list_set(*list, *index, *word),
            Op::Hollow(dst, object, shape) => self.hollow(*dst, *object, *shape),
            Op::NewIn(dst, token, shape, size, words) => {
                self.new_in(*dst, *token, *shape, *size, words);
            }
            Op::Second(dst) => self.second(*dst),
            Op::GiveSecond(src) => self.give_second(*src),
            Op::Stop => self.stop_check(),
            Op::Dup(var) => self.dup(*var),
            Op::Drop(var) => self.drop(*var),
        }
        self.take_result(op);
    }

    /// What the operation's result holds from here on.
    fn take_result(&mut self, op: &Op) {
        match op.gives() {
            Result::Owned(var) => {
                let info = &self.function.vars[var.0 as usize];
                if info.owned && info.repr.is_ref() {
                    self.held.take(var);
                }
            }
            Result::Borrowed(..) | Result::None => {
                if let Op::Dup(var) = op {
                    self.held.take(*var);
                }
            }
        }
    }

    fn constant(&mut self, dst: ir::Var, word: i64) {
        let value = self.word(word);
        self.set(dst, value);
    }

    fn copy(&mut self, dst: ir::Var, src: ir::Var) {
        if self.repr(src) == ir::Repr::Float {
            let value = self.get_float(src);
            return self.set_float(dst, value);
        }
        let value = self.get(src);
        self.set(dst, value);
    }

    fn end(&mut self, end: &Terminator, blocks: &[clif::Block]) {
        match end {
            Terminator::Jump(to) => self.jump(blocks[to.0 as usize]),
            Terminator::Branch(condition, then, or) => {
                let condition = self.get(*condition);
                self.branch(condition, blocks[then.0 as usize], blocks[or.0 as usize]);
            }
            Terminator::Return(var) => {
                let mut values = vec![self.get(*var)];
                if self.function.second.is_some() {
                    values.extend(self.second.take());
                }
                self.at_return();
                self.build.ins().return_(&values);
            }
            Terminator::Trap(kind, a, b) => {
                let [a, b] = [a, b].map(|w| w.map(|w| self.get(w)));
                self.trap(*kind, a, b);
            }
            Terminator::Unreachable => self.unreachable(),
        }
    }
}
