//! Objects that are changed in place, or whose memory is used again, and the second results of functions that change their first parameter.
//!
//! Here: making an object unique and reading and writing its words; who may do so stands in the IR.

use crate::emitter::{Emitter, WORD};
use crate::natives::KNOWN;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Inst, InstBuilder, Value};
use weir_abi::layout::shape;
use weir_abi::native::{Gives, NativeId};
use weir_abi::trap::TrapKind;
use weir_abi::{context, layout};
use weir_ir::ir::{Repr, Var};

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
        let call = self.suspending(false, |e| e.native(KNOWN.object_copy, &[object]));
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
        let call = self.suspending(false, |e| e.native(KNOWN.list_push, &[object, item]));
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

    /// `Hollow`. One comparison of the first word finds out whether it is the last count and the shape that is wanted.
    pub(crate) fn hollow(&mut self, dst: Var, object: Var, shape: u32) {
        let (value, repr) = (self.get(object), self.repr(object));
        let on = self.block();
        let token = self.build.append_block_param(on, WORD);
        let (there, other, last) = (self.block(), self.block(), self.block());
        let none = self.word(0);
        if repr == Repr::NullableRef {
            self.build.ins().brif(value, there, &[], on, &[none.into()]);
        } else {
            self.jump(there);
        }
        self.enter(there);
        let header = self.load(value, layout::COUNT);
        let wanted = self.word(layout::header(shape) as i64);
        let fits = self.build.ins().icmp(IntCC::Equal, header, wanted);
        self.branch(fits, last, other);

        self.enter(other);
        self.drop_value(value, Repr::Ref);
        self.build.ins().jump(on, &[none.into()]);

        self.enter(last);
        for offset in self.references(shape) {
            let part = self.load(value, offset);
            self.store(none, value, offset);
            self.drop_value(part, Repr::NullableRef);
        }
        self.build.ins().jump(on, &[value.into()]);
        self.enter(on);
        self.set(dst, token);
    }

    /// Where objects of a shape of fixed size hold references.
    fn references(&self, number: u32) -> Vec<i32> {
        match number {
            shape::BOX_REF => vec![layout::BOX_VALUE],
            shape::BOX_WORD => Vec::new(),
            number => {
                let shape = &self.env.module.shapes[(number - shape::FIRST_OF_MODULE) as usize];
                shape.refs.iter().map(|&offset| offset as i32).collect()
            }
        }
    }

    /// `NewIn`: a hollow object has its first word already.
    pub(crate) fn new_in(&mut self, dst: Var, token: Var, shape: u32, size: u32, words: &[Var]) {
        let (token, words) = (self.get(token), self.args(words));
        let (fresh, on) = (self.block(), self.block());
        let object = self.build.append_block_param(on, WORD);
        self.build.ins().brif(token, on, &[token.into()], fresh, &[]);
        self.enter(fresh);
        let made = self.alloc(shape, size);
        self.build.ins().jump(on, &[made.into()]);
        self.enter(on);
        self.store_words(object, layout::HEADER, &words);
        self.set(dst, object);
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
