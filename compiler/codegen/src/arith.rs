//! Operations on words: arithmetic that traps instead of wrapping, and comparisons.

use crate::emitter::{Emitter, WORD};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value};
use weir_abi::trap::TrapKind;
use weir_ir::ir::{Prim, Var};

impl Emitter<'_> {
    /// `Prim`.
    pub(crate) fn prim(&mut self, prim: Prim, dst: Var, a: Var, b: Option<Var>) {
        if let Some(operation) = float_operation(prim) {
            return self.float(operation, dst, a, b);
        }
        let a = self.get(a);
        // The operations of one operand ignore it.
        let b = b.map_or(a, |b| self.get(b));
        let result = match prim {
            Prim::Add => self.add(a, b),
            Prim::Sub => self.sub(a, b),
            Prim::Mul => self.mul(a, b),
            Prim::Div => self.divide(a, b, Quotient),
            Prim::Rem => self.divide(a, b, Remainder),
            Prim::Neg => self.neg(a),
            Prim::Not => self.not(a),
            Prim::Eq => self.compare(IntCC::Equal, a, b),
            Prim::Ne => self.compare(IntCC::NotEqual, a, b),
            Prim::Lt => self.compare(IntCC::SignedLessThan, a, b),
            Prim::Le => self.compare(IntCC::SignedLessThanOrEqual, a, b),
            Prim::Gt => self.compare(IntCC::SignedGreaterThan, a, b),
            Prim::Ge => self.compare(IntCC::SignedGreaterThanOrEqual, a, b),
            other => unreachable!("compiler bug: {other:?} is an operation on Floats"),
        };
        self.set(dst, result);
    }

    /// `Step`.
    pub(crate) fn step(&mut self, dst: Var, counter: Var) {
        let counter = self.get(counter);
        let next = self.build.ins().iadd_imm_s(counter, 1);
        self.set(dst, next);
    }

    fn float(&mut self, operation: FloatOp, dst: Var, a: Var, b: Option<Var>) {
        let a = self.get_float(a);
        let b = b.map_or(a, |b| self.get_float(b));
        let result = match operation {
            FloatOp::Add => self.build.ins().fadd(a, b),
            FloatOp::Sub => self.build.ins().fsub(a, b),
            FloatOp::Mul => self.build.ins().fmul(a, b),
            FloatOp::Div => self.build.ins().fdiv(a, b),
            FloatOp::Neg => self.build.ins().fneg(a),
            FloatOp::Compare(cc) => {
                let flag = self.build.ins().fcmp(cc, a, b);
                let word = self.build.ins().uextend(WORD, flag);
                return self.set(dst, word);
            }
        };
        self.set_float(dst, result);
    }

    fn add(&mut self, a: Value, b: Value) -> Value {
        match (self.known(a), self.known(b)) {
            (_, Some(b)) => self.add_known(a, b),
            (Some(a), None) => self.add_known(b, a),
            (None, None) => {
                let (sum, overflow) = self.build.ins().sadd_overflow(a, b);
                self.trap_if(overflow, TrapKind::Overflow, None, None);
                sum
            }
        }
    }

    fn sub(&mut self, a: Value, b: Value) -> Value {
        if let Some(minus) = self.known(b).and_then(i64::checked_neg) {
            return self.add_known(a, minus);
        }
        let (difference, overflow) = self.build.ins().ssub_overflow(a, b);
        self.trap_if(overflow, TrapKind::Overflow, None, None);
        difference
    }

    /// With one operand known, the sum overflows exactly when it lies on the wrong side of the other operand. That
    /// comparison fuses with its branch, which the overflow flag does not in this Cranelift.
    fn add_known(&mut self, a: Value, b: i64) -> Value {
        let sum = self.build.ins().iadd_imm_s(a, b);
        let wrong = if b >= 0 { IntCC::SignedLessThan } else { IntCC::SignedGreaterThan };
        let overflow = self.build.ins().icmp(wrong, sum, a);
        self.trap_if(overflow, TrapKind::Overflow, None, None);
        sum
    }

    fn mul(&mut self, a: Value, b: Value) -> Value {
        let (product, overflow) = self.build.ins().smul_overflow(a, b);
        self.trap_if(overflow, TrapKind::Overflow, None, None);
        product
    }

    /// Only the least word has its own sign after negation, apart from 0.
    fn neg(&mut self, a: Value) -> Value {
        let minus = self.build.ins().ineg(a);
        let same_sign = self.build.ins().band(a, minus);
        let overflow = self.build.ins().icmp_imm_s(IntCC::SignedLessThan, same_sign, 0);
        self.trap_if(overflow, TrapKind::Overflow, None, None);
        minus
    }

    fn not(&mut self, a: Value) -> Value {
        let flag = self.build.ins().icmp_imm_s(IntCC::Equal, a, 0);
        self.build.ins().uextend(WORD, flag)
    }

    /// One unsigned comparison finds both divisors that need care, 0 and -1; what they need is off the common path.
    fn divide(&mut self, a: Value, b: Value, part: Part) -> Value {
        if self.known(b).is_some_and(|b| b != 0 && b != -1) {
            return self.divide_unchecked(a, b, part);
        }
        let (care, plain, on) = (self.cold_block(), self.block(), self.block());
        let result = self.build.append_block_param(on, WORD);
        let above = self.build.ins().iadd_imm_s(b, 1);
        let special = self.build.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, above, 1);
        self.branch(special, care, plain);

        self.enter(care);
        let zero = self.build.ins().icmp_imm_s(IntCC::Equal, b, 0);
        self.trap_if(zero, TrapKind::DivisionByZero, None, None);
        let least = self.word(i64::MIN);
        let overflow = self.build.ins().icmp(IntCC::Equal, a, least);
        self.trap_if(overflow, TrapKind::Overflow, None, None);
        let by_minus_one = match part {
            Quotient => self.build.ins().ineg(a),
            Remainder => self.word(0),
        };
        self.build.ins().jump(on, &[by_minus_one.into()]);

        self.enter(plain);
        let by_other = self.divide_unchecked(a, b, part);
        self.build.ins().jump(on, &[by_other.into()]);
        self.enter(on);
        result
    }

    fn divide_unchecked(&mut self, a: Value, b: Value, part: Part) -> Value {
        match part {
            Quotient => self.build.ins().sdiv(a, b),
            Remainder => self.build.ins().srem(a, b),
        }
    }
}

/// What of a division is wanted.
#[derive(Clone, Copy)]
enum Part {
    Quotient,
    Remainder,
}
use Part::{Quotient, Remainder};

/// An operation on Floats.
enum FloatOp {
    Add,
    Sub,
    Mul,
    Div,
    Neg,
    Compare(FloatCC),
}

fn float_operation(prim: Prim) -> Option<FloatOp> {
    Some(match prim {
        Prim::FloatAdd => FloatOp::Add,
        Prim::FloatSub => FloatOp::Sub,
        Prim::FloatMul => FloatOp::Mul,
        Prim::FloatDiv => FloatOp::Div,
        Prim::FloatNeg => FloatOp::Neg,
        Prim::FloatEq => FloatOp::Compare(FloatCC::Equal),
        Prim::FloatNe => FloatOp::Compare(FloatCC::NotEqual),
        Prim::FloatLt => FloatOp::Compare(FloatCC::LessThan),
        Prim::FloatLe => FloatOp::Compare(FloatCC::LessThanOrEqual),
        Prim::FloatGt => FloatOp::Compare(FloatCC::GreaterThan),
        Prim::FloatGe => FloatOp::Compare(FloatCC::GreaterThanOrEqual),
        _ => return None,
    })
}
