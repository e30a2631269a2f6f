//! Natives of `log.weir`.

use crate::form::write_form;
use crate::log::{Detail, Level};
use crate::output::STDOUT;
use crate::scope::Scope;
use crate::value::{Any, Text};
use weir_abi::layout;
use weir_abi::trap::Trap;
use weir_abi::types::{TypeDesc, TypeId};

/// A value of so many bytes is cut in a line of the log.
const LONGEST: usize = 64 * 1024;

/// Writes a line of the log: a message, and the fields of `values` when that is a record.
pub fn log_write(scope: &mut Scope, ty: TypeId, level: i64, message: Text, values: Any) -> Result<(), Trap> {
    let level = Level::numbered(level);
    if !level.is_on() {
        return Ok(());
    }
    let types = &scope.app().module().types;
    let details = match &types[ty.0 as usize] {
        TypeDesc::Unit => Vec::new(),
        TypeDesc::Record(_, fields) => {
            let parts = (0..).map(|at| values.part(layout::field(at)));
            fields.iter().zip(parts).map(|((name, ty), part)| detail(types, name, *ty, part)).collect()
        }
        _ => vec![detail(types, "value", ty, values)],
    };
    let (format, request) = scope.log;
    // What was printed before it comes first.
    STDOUT.flush_own();
    format.note(level, request, message.as_str(), &details);
    Ok(())
}

fn detail(types: &[TypeDesc], name: &str, ty: TypeId, value: Any) -> Detail {
    let mut form = Vec::new();
    if write_form(types, ty, value, &mut form, LONGEST).is_err() {
        form.extend_from_slice(b"...");
    }
    let form = String::from_utf8_lossy(&form).into_owned();
    let is_bare = match &types[ty.0 as usize] {
        TypeDesc::Int | TypeDesc::Bool => true,
        // JSON has no NaN and no infinities.
        TypeDesc::Float => form.bytes().all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte)),
        _ => false,
    };
    (name.to_owned(), form, is_bare)
}
