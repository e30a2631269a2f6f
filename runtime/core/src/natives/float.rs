//! Natives of `float.weir` and `math.weir`, and those between Int and Float.

use crate::scope::Scope;
use weir_abi::trap::Trap;

/// The nearest Float; ties go to the even one.
pub fn int_to_float(_: &mut Scope, value: i64) -> f64 {
    value as f64
}

/// The remainder of a division rounded towards 0, with the sign of `a`.
pub fn float_rem(_: &mut Scope, a: f64, b: f64) -> f64 {
    a % b
}

/// Towards 0; traps for NaN and outside an Int's range.
pub fn float_to_int(_: &mut Scope, value: f64) -> Result<i64, Trap> {
    // 2^63, the first Float above the range.
    const END: f64 = 9_223_372_036_854_775_808.0;
    if (-END..END).contains(&value) {
        Ok(value as i64)
    } else {
        Err(Trap::native(format!("to-int: {value:?} does not fit into an Int")))
    }
}

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),+) = $method:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(_: &mut Scope, $($arg: f64),+) -> f64 {
            f64::$method($($arg),+)
        }
    )*};
}
plain! {
    /// Down to a whole number.
    float_floor(x) = floor;
    /// Up to a whole number.
    float_ceil(x) = ceil;
    /// To the nearest whole number, halves away from 0.
    float_round(x) = round;
    /// Towards 0 to a whole number.
    float_trunc(x) = trunc;
    /// The square root; NaN below 0.
    math_sqrt(x) = sqrt;
    /// `x` raised to `y`.
    math_pow(x, y) = powf;
    /// Of an angle in radians.
    math_sin(x) = sin;
    /// Of an angle in radians.
    math_cos(x) = cos;
    /// Of an angle in radians.
    math_tan(x) = tan;
    /// The angle of the point (`x`, `y`), in radians.
    math_atan2(y, x) = atan2;
    /// e raised to `x`.
    math_exp(x) = exp;
    /// The natural logarithm.
    math_log(x) = ln;
    /// The angle of a sine.
    math_asin(x) = asin;
    /// The angle of a cosine.
    math_acos(x) = acos;
    /// The angle of a tangent.
    math_atan(x) = atan;
    /// The hyperbolic sine.
    math_sinh(x) = sinh;
    /// The hyperbolic cosine.
    math_cosh(x) = cosh;
    /// The hyperbolic tangent.
    math_tanh(x) = tanh;
    /// The logarithm to base 2.
    math_log2(x) = log2;
    /// The logarithm to base 10.
    math_log10(x) = log10;
    /// The cube root.
    math_cbrt(x) = cbrt;
    /// The length of the vector (`x`, `y`).
    math_hypot(x, y) = hypot;
}
