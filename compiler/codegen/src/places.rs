//! Objects that are changed in place, and the second results of functions that change their first parameter.
//!
//! Here: making an object unique and reading and writing its words; who may do so stands in the IR.

use crate::emitter::{Emitter, WORD};
use crate::natives::KNOWN;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Inst, InstBuilder, Value};
use weir_abi::native::{Gives, NativeId};
use weir_abi::trap::TrapKind;
use weir_abi::{context, layout};
use weir_ir::ir::Var;

impl Emitter<'_> {
    /// `Unique`: an object with another count than 1, be it shared or immortal, is copied off the common path.
    pub(crate) fn unique(&mut self, dst: Var, src: Var) {
        let object = self.get(src);
        let count = self.count(object);
        let alone = self.build.ins().icmp_imm_s(IntCC::Equal, count, 1);
        let (copy, on) = (self.cold_block(), self.block());
        let result = self.build.append_block_param(on, WORD);
        self.build.ins().brif(alone, on, &[object.into()], copy, &[]);
        self.enter(copy);
        let call = self.native(KNOWN.object_copy, &[object]);
        let copied = self.build.inst_results(call)[0];
        self.build.ins().jump(on, &[copied.into()]);
        self.enter(on);
        self.set(dst, result);
    }

    /// `Take`.
    pub(crate) fn take_field(&mut self, dst: Var, object: Var, offset: i32) {
        let object = self.get(object);
        self.take_word(dst, object, offset);
    }

    /// `Store`.
    pub(crate) fn store_field(&mut self, object: Var, offset: i32, word: Var) {
        let (object, word) = (self.get(object), self.get(word));
        self.store(word, object, offset);
    }

    /// `ListCheck`. An index below 0 is a large unsigned one.
    pub(crate) fn list_check(&mut self, list: Var, index: Var) {
        let (object, at) = (self.get(list), self.get(index));
        let len = self.load(object, layout::LEN);
        let outside = self.build.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, at, len);
        self.trap_if(outside, TrapKind::IndexOutOfBounds, Some(at), Some(len));
    }

    /// `ListTake`.
    pub(crate) fn list_take(&mut self, dst: Var, list: Var, index: Var) {
        let address = self.element(list, index);
        self.take_word(dst, address, layout::LIST_DATA);
    }

    /// `ListSet`.
    pub(crate) fn list_set(&mut self, list: Var, index: Var, word: Var) {
        let address = self.element(list, index);
        let word = self.get(word);
        self.store(word, address, layout::LIST_DATA);
    }

    /// `list-push`: writes behind the last element of a unique list with room; else the native copies or grows it.
    pub(crate) fn list_push(&mut self, dst: Var, list: Var, item: Var) {
        let (object, item) = (self.get(list), self.get(item));
        let (other, roomy, write, on) = (self.cold_block(), self.block(), self.block(), self.block());
        let result = self.build.append_block_param(on, WORD);
        let count = self.count(object);
        let alone = self.build.ins().icmp_imm_s(IntCC::Equal, count, 1);
        self.branch(alone, roomy, other);
        self.enter(roomy);
        let len = self.load(object, layout::LEN);
        let capacity = self.load(object, layout::LIST_CAPACITY);
        let has_room = self.build.ins().icmp(IntCC::UnsignedLessThan, len, capacity);
        self.branch(has_room, write, other);
        self.enter(write);
        let bytes = self.build.ins().ishl_imm_u(len, 3);
        let address = self.build.ins().iadd(object, bytes);
        self.store(item, address, layout::LIST_DATA);
        let more = self.build.ins().iadd_imm_s(len, 1);
        self.store(more, object, layout::LEN);
        self.build.ins().jump(on, &[object.into()]);
        self.enter(other);
        let call = self.native(KNOWN.list_push, &[object, item]);
        let made = self.build.inst_results(call)[0];
        self.build.ins().jump(on, &[made.into()]);
        self.enter(on);
        self.set(dst, result);
    }

    /// The address that lies `LIST_DATA` before an element.
    pub(crate) fn element(&mut self, list: Var, index: Var) -> Value {
        let (object, at) = (self.get(list), self.get(index));
        let bytes = self.build.ins().ishl_imm_u(at, 3);
        self.build.ins().iadd(object, bytes)
    }

    fn take_word(&mut self, dst: Var, address: Value, offset: i32) {
        let word = self.load(address, offset);
        let none = self.word(0);
        self.store(none, address, offset);
        self.set(dst, word);
    }

    /// `Second`.
    pub(crate) fn second(&mut self, dst: Var) {
        let value = self.second.take().expect("the call before it left a second result");
        self.set(dst, value);
    }

    /// `GiveSecond`.
    pub(crate) fn give_second(&mut self, src: Var) {
        self.second = Some(self.get(src));
    }

    /// What a call of a function or native left besides its result.
    pub(crate) fn keep_second(&mut self, call: Inst, native: Option<NativeId>) {
        self.second = match native {
            Some(native) if native.row().gives == Gives::Both => {
                let ctx = self.ctx();
                Some(self.load(ctx, context::SECOND))
            }
            Some(_) => None,
            None => self.build.inst_results(call).get(1).copied(),
        };
    }
}
