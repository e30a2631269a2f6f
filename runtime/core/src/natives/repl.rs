//! Natives of `repl.weir`.

use super::Flow;
use crate::carry::{Block, Damaged, Kind, Packer, Unpacker};
use crate::form::write_form_cut;
use crate::heap::Word;
use crate::kept::{keep, kept};
use crate::output::STDOUT;
use crate::scope::{Operation, Scope};
use crate::value::Any;
use std::mem;
use std::task::{Context, Poll};
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// So much of a value's form is shown.
const SHOWN: usize = 10_000;

/// Keeps a value under a number.
pub fn repl_keep(scope: &mut Scope, ty: TypeId, value: Any, slot: i64) -> Result<(), Trap> {
    let app = scope.app().clone();
    let limit = app.limits().mem_limit;
    let mut packer = Packer::new(ty, value);
    // An entry is alone in its process: nobody waits for a turn.
    while !packer.step(app.module(), limit).map_err(|_| Trap::native("a value is too large to be kept"))? {}
    let kind = Kind::of(app.module(), ty);
    let block = Block::new(&kind, packer.take());
    keep(slot, kind, block);
    Ok(())
}

/// The value under a number.
pub fn repl_value(scope: &mut Scope, ty: TypeId, slot: i64) -> Result<Flow, Trap> {
    let kind = Kind::of(scope.app().module(), ty);
    let Some((of, block)) = kept(slot) else {
        return Err(Trap::native("nothing was kept under this number"));
    };
    if of != kind {
        let message =
            "a value that an earlier entry bound is of a type that was declared anew since; bind it again";
        return Err(Trap::native(message));
    }
    scope.pending = Some(Box::new(Reading(Unpacker::new(block, &kind, ty))));
    Ok(Flow::Wait)
}

struct Reading(Unpacker);

impl Operation for Reading {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        match self.0.step(scope) {
            Ok(Some(word)) => Poll::Ready(Ok(word)),
            Ok(None) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Err(Damaged::Trap(trap)) => Poll::Ready(Err(trap)),
            Err(Damaged::Bytes) => unreachable!("what was packed can be unpacked"),
        }
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.0.give_back(scope);
    }
}

/// Writes the form of a value.
pub fn repl_show(scope: &mut Scope, ty: TypeId, value: Any) -> Result<(), Trap> {
    let mut out = mem::take(&mut scope.scratch);
    write_form_cut(&scope.app().clone().module().types, ty, value, &mut out, SHOWN);
    out.push(b'\n');
    STDOUT.write(|to| to.extend_from_slice(&out));
    scope.scratch = out;
    Ok(())
}
