//! Failing: results, `?`, `fail`, and the result of a body that has them.

use super::Checker;
use crate::unify::T;

impl<'a> Checker<'a> {
    /// `T!`, the type of a `value` that there may be none of.
    pub fn result_of(&mut self, value: T) -> T {
        self.prelude();
        let error = self.terms.error();
        self.terms.result(value, error)
    }
}
