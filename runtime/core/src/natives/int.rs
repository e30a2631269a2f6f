//! Natives of `int.weir`.

use crate::scope::Scope;
use weir_abi::trap::{Trap, TrapKind};

/// `base` raised to `exponent`.
pub fn int_pow(_: &mut Scope, base: i64, exponent: i64) -> Result<i64, Trap> {
    if exponent < 0 {
        return Err(Trap::native("the exponent of pow is negative"));
    }
    match (base, u32::try_from(exponent)) {
        (0 | 1, _) | (_, Ok(0)) => Ok(if exponent == 0 { 1 } else { base }),
        (-1, _) => Ok(if exponent % 2 == 0 { 1 } else { -1 }),
        (_, Ok(exponent)) => base.checked_pow(exponent).ok_or_else(|| Trap::new(TrapKind::Overflow)),
        (_, Err(_)) => Err(Trap::new(TrapKind::Overflow)),
    }
}

/// Bits set in both.
pub fn int_bit_and(_: &mut Scope, a: i64, b: i64) -> i64 {
    a & b
}

/// Bits set in either.
pub fn int_bit_or(_: &mut Scope, a: i64, b: i64) -> i64 {
    a | b
}

/// Bits set in one.
pub fn int_bit_xor(_: &mut Scope, a: i64, b: i64) -> i64 {
    a ^ b
}

fn shift_count(count: i64) -> Result<u32, Trap> {
    if (0..64).contains(&count) {
        Ok(count as u32)
    } else {
        Err(Trap { kind: TrapKind::BadShift, a: count, b: 0, message: None })
    }
}

/// Shifted left.
pub fn int_shift_left(_: &mut Scope, a: i64, count: i64) -> Result<i64, Trap> {
    Ok(a << shift_count(count)?)
}

/// Shifted right, keeping the sign.
pub fn int_shift_right(_: &mut Scope, a: i64, count: i64) -> Result<i64, Trap> {
    Ok(a >> shift_count(count)?)
}
