//! Natives behind the formats of interpolations.

use crate::form::write_form;
use crate::format::{fit_text, write_float, write_int};
use crate::heap::Full;
use crate::scope::Scope;
use crate::value::{Any, Own, Text};
use std::mem;
use weir_abi::format::Format;
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// A text of what `write` puts out.
fn made(
    scope: &mut Scope,
    write: impl FnOnce(&mut Scope, &mut Vec<u8>) -> Result<(), Full>,
) -> Result<Own<Text>, Trap> {
    let mut out = mem::take(&mut scope.scratch);
    out.clear();
    let written = write(scope, &mut out);
    let text = written.and_then(|()| scope.text_with(out.len(), |filler| filler.push(&out)));
    scope.scratch = out;
    Ok(text?)
}

/// An Int by a packed format.
pub fn format_int(scope: &mut Scope, value: i64, format: i64) -> Result<Own<Text>, Trap> {
    made(scope, |_, out| {
        write_int(value, Format::unpack(format), out);
        Ok(())
    })
}

/// A Float by a packed format.
pub fn format_float(scope: &mut Scope, value: f64, format: i64) -> Result<Own<Text>, Trap> {
    made(scope, |_, out| {
        write_float(value, Format::unpack(format), out);
        Ok(())
    })
}

/// The text form of a value that is no number, by a packed format.
pub fn format_value(scope: &mut Scope, ty: TypeId, value: Any, format: i64) -> Result<Own<Text>, Trap> {
    made(scope, |scope, out| {
        let most = scope.heap().room();
        write_form(&scope.app().clone().module().types, ty, value, out, most)?;
        fit_text(Format::unpack(format), 0, out);
        Ok(())
    })
}
