//! Natives of `range.weir`.

use crate::scope::Scope;
use crate::stream;
use crate::value::{Own, Range, Stream};
use weir_abi::trap::{Trap, TrapKind};

/// How many Ints.
pub fn range_len(_: &mut Scope, range: Range) -> Result<i64, Trap> {
    i64::try_from(range.end() - range.low() as i128).map_err(|_| Trap::new(TrapKind::Overflow))
}

/// Whether a value is one of them.
pub fn range_contains(_: &mut Scope, range: Range, value: i64) -> bool {
    range.low() <= value && (value as i128) < range.end()
}

/// One by one.
pub fn range_stream(scope: &mut Scope, range: Range) -> Result<Own<Stream>, Trap> {
    let source = stream::Ints::new(range.low(), range.end());
    Ok(scope.stream(Box::new(source))?)
}
