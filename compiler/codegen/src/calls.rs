//! Calls of functions, closures and natives, and the two natives that every function may need: `stop` and `trap`.

use crate::emitter::{Emitter, WORD};
use crate::facts;
use crate::natives::{self, Inline, KNOWN};
use crate::stubs::Stub;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, Inst, InstBuilder, Signature, TrapCode, Value, types};
use cranelift_codegen::isa::CallConv;
use weir_abi::native::NativeId;
use weir_abi::trap::TrapKind;
use weir_abi::types::TypeId;
use weir_abi::{context, layout};
use weir_ir::ir::{FuncId, Var};

/// Marks instructions that are never reached.
fn unreachable_code() -> TrapCode {
    TrapCode::unwrap_user(1)
}

impl Emitter<'_> {
    /// `Call`: a near call.
    pub(crate) fn call(&mut self, dst: Var, callee: FuncId, args: &[Var]) {
        let args = self.args(args);
        let target = self.callee(callee);
        let call = |e: &mut Self| e.build.ins().call(target, &args);
        let inst =
            if self.env.facts[callee.0 as usize].suspends { self.suspending(true, call) } else { call(self) };
        self.set_result(dst, inst);
        self.keep_second(inst, None);
    }

    /// `CallClosure`: the code's address is in the object, which is the first argument.
    pub(crate) fn call_closure(&mut self, dst: Var, closure: Var, args: &[Var]) {
        let closure = self.get(closure);
        let mut words = vec![closure];
        words.extend(self.args(args));
        let code = self.load(closure, layout::CLOSURE_CODE);
        let signature = self.signature(words.len());
        let inst = self.suspending(true, |e| e.build.ins().call_indirect(signature, code, &words));
        self.set_result(dst, inst);
    }

    /// `CallNative`: a call, or the few instructions that stand for it.
    pub(crate) fn call_native(&mut self, dst: Var, native: NativeId, types: &[TypeId], args: &[Var]) {
        if let Some(inline) = natives::inline(native) {
            return self.inline_native(dst, inline, args);
        }
        if native == KNOWN.text_byte {
            return self.text_byte(dst, args[0], args[1]);
        }
        if native == KNOWN.list_push {
            return self.list_push(dst, args[0], args[1]);
        }
        let mut words: Vec<Value> =
            types.iter().map(|t| self.build.ins().iconst(WORD, i64::from(t.0))).collect();
        words.extend(self.args(args));
        let inst = if facts::waits(native.row().effect) {
            self.suspending(true, |e| e.native(native, &words))
        } else {
            self.native(native, &words)
        };
        self.set_result(dst, inst);
        self.keep_second(inst, Some(native));
    }

    fn inline_native(&mut self, dst: Var, inline: Inline, args: &[Var]) {
        if inline == Inline::Sqrt {
            let value = self.get_float(args[0]);
            let root = self.build.ins().sqrt(value);
            return self.set_float(dst, root);
        }
        let args = self.args(args);
        let result = match inline {
            Inline::Len => self.load(args[0], layout::LEN),
            Inline::And => self.build.ins().band(args[0], args[1]),
            Inline::Or => self.build.ins().bor(args[0], args[1]),
            Inline::Xor => self.build.ins().bxor(args[0], args[1]),
            Inline::ToFloat => {
                let value = self.build.ins().fcvt_from_sint(types::F64, args[0]);
                return self.set_float(dst, value);
            }
            Inline::Sqrt => unreachable!("compiler bug: a square root is taken above"),
        };
        self.set(dst, result);
    }

    /// Calls a native; the `Ctx` is passed in front of the words.
    pub(crate) fn native(&mut self, native: NativeId, words: &[Value]) -> Inst {
        let mut args = vec![self.ctx()];
        args.extend_from_slice(words);
        let callee = self.stub(Stub::Native(native), |e| e.signature(args.len()));
        self.build.ins().call(callee, &args)
    }

    /// Calls `refill`, which keeps all registers.
    pub(crate) fn refill(&mut self, class: Value) {
        let callee = self.stub(Stub::Native(KNOWN.refill), |e| {
            let mut signature = Signature::new(CallConv::PreserveAll);
            signature.params.push(AbiParam::new(WORD));
            e.build.import_signature(signature)
        });
        self.build.ins().call(callee, &[class]);
    }

    /// Calls `stop`, which keeps all registers.
    fn call_stop(&mut self) -> Inst {
        let callee = self.stub(Stub::Native(KNOWN.stop), |e| {
            e.build.import_signature(Signature::new(CallConv::PreserveAll))
        });
        self.build.ins().call(callee, &[])
    }

    /// The check of a prologue: calls `stop` when the stack pointer is below the limit, be it that the stack ends or that
    /// another thread asked for a stop by raising the limit.
    pub(crate) fn stack_check(&mut self) {
        let limit = self.limit();
        let sp = self.build.ins().get_stack_pointer(WORD);
        let below = self.build.ins().icmp(IntCC::UnsignedLessThan, sp, limit);
        self.stop_if(below);
    }

    /// `Stop`: calls `stop` when another thread asked for it. The stack has not grown since the prologue, and a loop that
    /// does not look at the stack pointer has a register more.
    pub(crate) fn stop_check(&mut self) {
        let limit = self.limit();
        let asked = self.build.ins().icmp_imm_s(IntCC::Equal, limit, usize::MAX as i64);
        self.stop_if(asked);
    }

    /// The limit is read anew each time although the load is an ordinary one: the way through `stop_if`'s cold block
    /// calls, and joins, so no earlier load of it is known to be current here.
    fn limit(&mut self) -> Value {
        let ctx = self.ctx();
        self.load(ctx, context::LIMIT)
    }

    fn stop_if(&mut self, condition: Value) {
        let (cold, on) = (self.cold_block(), self.block());
        self.branch(condition, cold, on);
        self.enter(cold);
        self.suspending(false, Self::call_stop);
        self.jump(on);
        self.enter(on);
    }

    /// Ends the path with a trap.
    pub(crate) fn trap(&mut self, kind: TrapKind, a: Option<Value>, b: Option<Value>) {
        if a.is_none() && b.is_none() {
            let callee = self.stub(Stub::Trap(kind), |e| e.signature(0));
            self.build.ins().call(callee, &[]);
        } else {
            let [a, b] = [a, b].map(|w| w.unwrap_or_else(|| self.word(0)));
            let callee = self.stub(Stub::TrapWith(kind), |e| e.signature(2));
            self.build.ins().call(callee, &[a, b]);
        }
        self.unreachable();
    }

    /// Traps when the condition is not 0, in a block of its own so that the return address tells the place.
    pub(crate) fn trap_if(&mut self, condition: Value, kind: TrapKind, a: Option<Value>, b: Option<Value>) {
        let (cold, on) = (self.cold_block(), self.block());
        self.branch(condition, cold, on);
        self.enter(cold);
        self.trap(kind, a, b);
        self.enter(on);
    }

    /// Ends a path that is never taken.
    pub(crate) fn unreachable(&mut self) {
        self.build.ins().trap(unreachable_code());
    }

    /// The values of arguments.
    pub(crate) fn args(&mut self, args: &[Var]) -> Vec<Value> {
        args.iter().map(|&a| self.get(a)).collect()
    }

    /// Sets a variable to what a call gave.
    pub(crate) fn set_result(&mut self, dst: Var, call: Inst) {
        let result = self.build.inst_results(call)[0];
        self.set(dst, result);
    }
}
