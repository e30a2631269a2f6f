//! Tests of the passes together: programs run by an interpreter with real counts.

mod improved;
mod machine;
mod random;
mod source;
mod wrong;
