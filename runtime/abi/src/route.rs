//! Patterns of routes, as the compiler hands them to the runtime, which finds the one that a request matches.

/// Which requests a route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// `GET`, or [`ANY`].
    pub method: String,
    /// What the path has to be, from slash to slash; at least one.
    pub segments: Vec<Segment>,
}

/// Stands for each method that has no route of its own.
pub const ANY: &str = "ANY";

/// What a part of a path has to be. All but a literal and the rest are parameters, and not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// These characters, perhaps none.
    Literal(String),
    /// Any characters.
    Text,
    /// What `Text.to-int` reads.
    Int,
    /// What `Text.to-float` reads.
    Float,
    /// `true` or `false`.
    Bool,
    /// Whatever comes, slashes too, perhaps nothing: a parameter, and the last segment.
    Rest,
}
