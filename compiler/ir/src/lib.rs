//! The typed tree lowered to a monomorphic IR in which every ownership transfer is explicit.

pub mod ir;
