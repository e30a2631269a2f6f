//! `Dup` and `Drop` as inline code over the count in the object's header; freeing is a call off the common path.
//!
//! A count with the top bit set is an immortal object's: it is never written, since all workers share it.

use crate::emitter::{Emitter, TRUSTED};
use crate::natives::KNOWN;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use weir_abi::layout;
use weir_ir::ir::{Repr, Var};

impl Emitter<'_> {
    /// `Dup`.
    pub(crate) fn dup(&mut self, var: Var) {
        let object = self.get(var);
        self.dup_value(object, self.repr(var));
    }

    /// One more count for the object.
    pub(crate) fn dup_value(&mut self, object: Value, repr: Repr) {
        if self.is_immortal(object) {
            return;
        }
        let on = self.block();
        self.unless_null(object, repr, on);
        let count = self.count(object);
        let immortal = self.build.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
        let counted = self.block();
        self.branch(immortal, on, counted);
        self.enter(counted);
        let more = self.build.ins().iadd_imm_s(count, 1);
        self.set_count(object, more);
        self.jump(on);
        self.enter(on);
    }

    /// `Drop`. One comparison finds both rare cases, the last count and an immortal object.
    pub(crate) fn drop(&mut self, var: Var) {
        let object = self.get(var);
        self.drop_value(object, self.repr(var));
    }

    /// One count less of the object.
    pub(crate) fn drop_value(&mut self, object: Value, repr: Repr) {
        if self.is_immortal(object) {
            return;
        }
        let on = self.block();
        self.unless_null(object, repr, on);
        let count = self.count(object);
        let special = self.build.ins().icmp_imm_s(IntCC::SignedLessThanOrEqual, count, 1);
        let (last_or_immortal, shared) = (self.cold_block(), self.block());
        self.branch(special, last_or_immortal, shared);

        self.enter(last_or_immortal);
        let immortal = self.build.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
        let last = self.cold_block();
        self.branch(immortal, on, last);
        self.enter(last);
        let zero = self.build.ins().iconst(types::I32, 0);
        self.set_count(object, zero);
        self.native(KNOWN.free, &[object]);
        self.jump(on);

        self.enter(shared);
        let less = self.build.ins().iadd_imm_s(count, -1);
        self.set_count(object, less);
        self.jump(on);
        self.enter(on);
    }

    /// A reference known now is a literal or the null of an option: neither is counted.
    fn is_immortal(&self, object: Value) -> bool {
        self.known(object).is_some()
    }

    /// Goes to `null` when the reference may be 0 and is; emission goes on where it is not.
    pub(crate) fn unless_null(&mut self, object: Value, repr: Repr, null: Block) {
        if repr == Repr::NullableRef {
            let some = self.block();
            self.branch(object, some, null);
            self.enter(some);
        }
    }

    /// The count in an object's header, with the immortal bit.
    pub(crate) fn count(&mut self, object: Value) -> Value {
        self.build.ins().load(types::I32, TRUSTED, object, layout::COUNT)
    }

    fn set_count(&mut self, object: Value, count: Value) {
        self.build.ins().store(TRUSTED, count, object, layout::COUNT);
    }
}
