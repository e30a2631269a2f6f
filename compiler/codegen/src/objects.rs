//! Objects, globals and text: what makes them and what reads them.

use crate::emitter::{Emitter, TRUSTED, WORD};
use crate::natives::KNOWN;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};
use weir_abi::native::part;
use weir_abi::size::{QUICK_MAX, QUICK_NEXT, class_of};
use weir_abi::{context, layout};
use weir_ir::ir::{FuncId, GlobalId, PartKind, Var};

impl Emitter<'_> {
    /// `Global`.
    pub(crate) fn global(&mut self, dst: Var, global: GlobalId) {
        let (globals, offset) = self.globals(global);
        let value = self.load(globals, offset);
        let repr = self.env.module.globals[global.0 as usize].repr;
        if repr.is_ref() && self.function.vars[dst.0 as usize].owned {
            self.dup_value(value, repr);
        }
        self.set(dst, value);
    }

    /// `SetGlobal`.
    pub(crate) fn set_global(&mut self, global: GlobalId, src: Var) {
        let value = self.get(src);
        let (globals, offset) = self.globals(global);
        self.store(value, globals, offset);
    }

    fn globals(&mut self, global: GlobalId) -> (Value, i32) {
        let ctx = self.ctx();
        (self.load(ctx, context::GLOBALS), 8 * global.0 as i32)
    }

    /// `New`.
    pub(crate) fn new_object(&mut self, dst: Var, shape: u32, size: u32, words: &[Var]) {
        let words = self.args(words);
        let object = self.alloc(shape, size);
        self.store_words(object, layout::HEADER, &words);
        self.set(dst, object);
    }

    /// `NewClosure`.
    pub(crate) fn new_closure(&mut self, dst: Var, shape: u32, size: u32, code: FuncId, captures: &[Var]) {
        let captures = self.args(captures);
        let object = self.alloc(shape, size);
        let callee = self.callee(code);
        let code = self.build.ins().func_addr(WORD, callee);
        self.store(code, object, layout::CLOSURE_CODE);
        self.store_words(object, layout::CLOSURE_CAPTURES, &captures);
        self.set(dst, object);
    }

    /// `NewList`. The capacity fills the object up to its alignment.
    pub(crate) fn new_list(&mut self, dst: Var, shape: u32, elements: &[Var]) {
        let elements = self.args(elements);
        let bytes = (layout::LIST_DATA as usize + 8 * elements.len()).next_multiple_of(layout::ALIGN);
        let list = self.alloc(shape, bytes as u32);
        let len = self.word(elements.len() as i64);
        self.store(len, list, layout::LEN);
        let capacity = self.word((bytes as i64 - i64::from(layout::LIST_DATA)) / 8);
        self.store(capacity, list, layout::LIST_CAPACITY);
        self.store_words(list, layout::LIST_DATA, &elements);
        self.set(dst, list);
    }

    /// A new object with count 1; what lies behind the header is not set.
    pub(crate) fn alloc(&mut self, shape: u32, size: u32) -> Value {
        let header = self.word(layout::header(shape) as i64);
        if size as usize > QUICK_MAX {
            let size = self.word(i64::from(size));
            let call = self.native(KNOWN.alloc, &[size, header]);
            return self.build.inst_results(call)[0];
        }
        let class = class_of(size as usize);
        let first = 8 * class as i32;
        let (again, empty, take) = (self.block(), self.cold_block(), self.block());
        self.jump(again);
        // Sealed when the way back from `empty` is there.
        self.build.switch_to_block(again);
        let ctx = self.ctx();
        let quick = self.load(ctx, context::QUICK);
        let cell = self.load(quick, first);
        self.branch(cell, take, empty);

        self.enter(empty);
        let class = self.word(class as i64);
        self.refill(class);
        self.jump(again);
        self.build.seal_block(again);

        self.enter(take);
        let next = self.load(cell, QUICK_NEXT);
        self.store(next, quick, first);
        self.store(header, cell, layout::COUNT);
        cell
    }

    pub(crate) fn store_words(&mut self, object: Value, mut offset: i32, words: &[Value]) {
        for &word in words {
            self.store(word, object, offset);
            offset += 8;
        }
    }

    /// `Load`.
    pub(crate) fn load_field(&mut self, dst: Var, from: Var, offset: i32) {
        let object = self.get(from);
        let value = self.load(object, offset);
        self.set(dst, value);
    }

    /// `ListGet`.
    pub(crate) fn list_get(&mut self, dst: Var, list: Var, index: Var) {
        self.list_check(list, index);
        self.list_get_unchecked(dst, list, index);
    }

    /// `ListGetUnchecked`.
    pub(crate) fn list_get_unchecked(&mut self, dst: Var, list: Var, index: Var) {
        let address = self.element(list, index);
        let value = self.load(address, layout::LIST_DATA);
        self.set(dst, value);
    }

    /// `text-byte`: the native only says what is wrong with an offset. One below 0 is a large unsigned one.
    pub(crate) fn text_byte(&mut self, dst: Var, text: Var, offset: Var) {
        let (text, at) = (self.get(text), self.get(offset));
        let len = self.load(text, layout::LEN);
        let outside = self.build.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, at, len);
        let (cold, inside) = (self.cold_block(), self.block());
        self.branch(outside, cold, inside);
        self.enter(cold);
        self.native(KNOWN.text_byte, &[text, at]);
        self.unreachable();
        self.enter(inside);
        let bytes = self.load(text, layout::TEXT_PTR);
        let address = self.build.ins().iadd(bytes, at);
        let byte = self.build.ins().uload8(WORD, TRUSTED, address, 0);
        self.set(dst, byte);
    }

    /// `IsNull`.
    pub(crate) fn is_null(&mut self, dst: Var, reference: Var) {
        let reference = self.get(reference);
        let null = self.word(0);
        let flag = self.compare(IntCC::Equal, reference, null);
        self.set(dst, flag);
    }

    /// `Concat`: the parts are passed as pairs of kind and word in the frame.
    pub(crate) fn concat(&mut self, dst: Var, parts: &[(PartKind, Var)]) {
        let (address, count) = self.parts(parts);
        let call = self.suspending(true, |e| e.native(KNOWN.text_concat, &[address, count]));
        self.set_result(dst, call);
    }

    /// `Append`.
    pub(crate) fn append(&mut self, dst: Var, text: Var, parts: &[(PartKind, Var)]) {
        let text = self.get(text);
        let (address, count) = self.parts(parts);
        let call = self.suspending(true, |e| e.native(KNOWN.text_append, &[text, address, count]));
        self.set_result(dst, call);
    }

    fn parts(&mut self, parts: &[(PartKind, Var)]) -> (Value, Value) {
        let address = self.part_words(2 * parts.len() as u32);
        let mut offset = 0;
        for &(kind, var) in parts {
            let kind = self.word(part_kind(kind) as i64);
            let value = self.get(var);
            self.store(kind, address, offset);
            self.store(value, address, offset + 8);
            offset += 16;
        }
        (address, self.word(parts.len() as i64))
    }
}

fn part_kind(kind: PartKind) -> u64 {
    match kind {
        PartKind::Text => part::TEXT,
        PartKind::Int => part::INT,
        PartKind::Typed(id) => part::TYPE + u64::from(id.0),
    }
}
