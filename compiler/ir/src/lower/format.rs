//! Formats of interpolations: calls of the natives that write a value by a format.

use super::build::FunctionBuilder;
use super::expr::{native, value};
use crate::ir::{Op, Repr, Var};
use weir_abi::format::{Align, Format, Notation};
use weir_abi::types::{TypeDesc, TypeId};
use weir_check::typed::Expr;
use weir_syntax::ast;
use weir_syntax::span::Span;

/// The Text that `inner` is by a format.
pub(super) fn lower_formatted(
    b: &mut FunctionBuilder<'_, '_>,
    inner: &Expr,
    written: &ast::Format,
    dst: Option<Var>,
    span: Span,
) -> Option<()> {
    let v = value(b, inner)?;
    let format = b.temp(Repr::Word);
    b.emit(Op::Const(format, packed(written)), span);
    let (name, types) = match b.tables.description(inner.ty) {
        TypeDesc::Int => ("format-int", Vec::new()),
        TypeDesc::Float => ("format-float", Vec::new()),
        _ => ("format-value", vec![TypeId(inner.ty.0)]),
    };
    let dst = dst.unwrap_or_else(|| b.temp(Repr::Ref));
    b.emit(Op::CallNative { dst, native: native(name), types, args: vec![v, format] }, span);
    Some(())
}

// What the parser lets through can be packed.
const _: () = assert!(weir_syntax::format::MAX_WIDTH == weir_abi::format::MAX_WIDTH);

fn packed(written: &ast::Format) -> i64 {
    let format = Format {
        fill: written.fill,
        align: match written.align {
            None => Align::Natural,
            Some(ast::Align::Left) => Align::Left,
            Some(ast::Align::Center) => Align::Center,
            Some(ast::Align::Right) => Align::Right,
        },
        plus: written.plus,
        zero: written.zero,
        thousands: written.thousands,
        notation: match written.kind {
            Some('x') => Notation::Hex,
            Some('X') => Notation::UpperHex,
            Some('b') => Notation::Binary,
            Some('o') => Notation::Octal,
            Some('e') => Notation::Exponent,
            Some('f') => Notation::Fixed,
            _ => Notation::Natural,
        },
        width: written.width,
        precision: written.precision,
    };
    format.pack()
}
