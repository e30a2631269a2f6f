//! Types as the runtime needs them: for text forms, equality and to know what a word is.

/// An index into a module's table of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeId(pub u32);

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeDesc {
    /// `()`
    Unit,
    /// Int
    Int,
    /// Bool
    Bool,
    /// Text
    Text,
    /// Duration
    Duration,
    /// Time
    Time,
    /// Range
    Range,
    /// `List[T]`
    List(TypeId),
    /// `Stream[T]`
    Stream(TypeId),
    /// `T?`
    Option(TypeId),
    /// A record: its name, its fields' names and types.
    Record(String, Vec<(String, TypeId)>),
    /// A function.
    Fn,
    /// A type of the runtime.
    Native(String),
    /// Has no values.
    Never,
}

impl TypeDesc {
    /// Whether its values are references (0 only for an option's None).
    pub fn is_ref(&self) -> bool {
        !matches!(self, Self::Unit | Self::Int | Self::Bool | Self::Duration | Self::Time | Self::Never)
    }

    /// Whether an option of it is the reference itself or 0; else the payload is boxed.
    pub fn is_nullable_inside_option(&self) -> bool {
        self.is_ref() && !matches!(self, Self::Option(_))
    }
}
