//! Where in a document something is: `$.items[2].price`.

use std::fmt::Write;

/// A path from the outermost value.
#[derive(Debug)]
pub struct Path(String);

impl Path {
    /// The outermost value.
    pub fn new() -> Self {
        Self("$".to_owned())
    }

    /// Down to a field. A name that is no plain word is quoted.
    pub fn field(&mut self, name: &str) {
        let is_plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let written = if !name.is_empty() && name.chars().all(is_plain) {
            write!(self.0, ".{name}")
        } else {
            write!(self.0, "[{name:?}]")
        };
        written.expect("a String takes all");
    }

    /// Down to an element.
    pub fn element(&mut self, index: usize) {
        write!(self.0, "[{index}]").expect("a String takes all");
    }

    /// The whole.
    pub fn finish(self) -> String {
        self.0
    }
}
