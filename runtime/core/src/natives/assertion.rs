//! Natives behind `assert`.

use crate::form::write_form_cut;
use crate::scope::Scope;
use crate::value::{Any, Own, Text};
use std::mem;
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// The most bytes of a value that a failed assertion shows: some lines of a terminal.
const SHOWN: usize = 400;

/// A value's text form as it stands inside other values, cut to a length that a message can have.
pub fn value_shown(scope: &mut Scope, ty: TypeId, value: Any) -> Result<Own<Text>, Trap> {
    let mut out = mem::take(&mut scope.scratch);
    write_form_cut(&scope.app().clone().module().types, ty, value, &mut out, SHOWN);
    let text = scope.text_with(out.len(), |filler| filler.push(&out));
    scope.scratch = out;
    Ok(text?)
}

/// The trap of an assertion that does not hold, with the message that tells why.
pub fn assert_failed(_: &mut Scope, message: Text) -> Result<(), Trap> {
    Err(Trap::native(message.as_str()))
}
