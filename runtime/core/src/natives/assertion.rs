//! Natives behind `assert`.

use crate::form::write_form_inside;
use crate::heap::Full;
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
    out.clear();
    // What is longer is cut.
    let _: Result<(), Full> =
        write_form_inside(&scope.app().clone().module().types, ty, value, &mut out, SHOWN);
    if out.len() > SHOWN {
        // Not within a character.
        let end = (0..=SHOWN).rev().find(|at| out[*at] & 0xC0 != 0x80).unwrap_or(0);
        out.truncate(end);
        out.extend_from_slice(b"...");
    }
    let text = scope.text_with(out.len(), |filler| filler.push(&out));
    scope.scratch = out;
    Ok(text?)
}

/// The trap of an assertion that does not hold, with the message that tells why.
pub fn assert_failed(_: &mut Scope, message: Text) -> Result<(), Trap> {
    Err(Trap::native(message.as_str()))
}
