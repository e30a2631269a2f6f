//! Types as the runtime needs them: for text forms, equality and to know what a word is.

/// An index into a module's table of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeId(pub u32);

/// A case of an enum: its name, its fields' names and types.
pub type Case = (String, Vec<(String, TypeId)>);

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeDesc {
    /// `()`
    Unit,
    /// Int
    Int,
    /// Float
    Float,
    /// Bool
    Bool,
    /// Text
    Text,
    /// Bytes
    Bytes,
    /// Duration
    Duration,
    /// Time
    Time,
    /// Range
    Range,
    /// `List[T]`
    List(TypeId),
    /// `Map[K, V]`
    Map(TypeId, TypeId),
    /// `Set[T]`
    Set(TypeId),
    /// `Stream[T]`
    Stream(TypeId),
    /// `T?`
    Option(TypeId),
    /// `(A, B)`: an object like a record's.
    Tuple(Vec<TypeId>),
    /// A record: its name, which is empty for one without, its fields' names and types.
    Record(String, Vec<(String, TypeId)>),
    /// An enum: its name, its cases' names with their fields' names and types. A value is the word of its case's index when
    /// no case has a field, else a reference (see [`crate::layout`]).
    Enum(String, Vec<Case>),
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
        if let Self::Enum(_, cases) = self {
            return cases.iter().any(|(_, fields)| !fields.is_empty());
        }
        !matches!(
            self,
            Self::Unit | Self::Int | Self::Float | Self::Bool | Self::Duration | Self::Time | Self::Never
        )
    }

    /// Whether it is the library's `Error`, or a record declared just like it: its text form is what went wrong.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Record(name, fields)
            if name == "Error" && fields.iter().map(|(name, _)| name.as_str()).eq(crate::layout::error::FIELDS))
    }

    /// Whether it is the library's `Html`, or a record declared just like it: its text form is its markup.
    pub fn is_html(&self) -> bool {
        matches!(self, Self::Record(name, fields)
            if name == "Html" && fields.len() == 1 && fields[0].0 == "markup")
    }

    /// Whether it is the library's `Result`, or an enum declared just like it: its cases are written without the names of
    /// their fields.
    pub fn is_result(&self) -> bool {
        let one = |(name, fields): &Case, case: &str, field: &str| {
            name == case && fields.len() == 1 && fields[0].0 == field
        };
        matches!(self, Self::Enum(_, cases)
            if cases.len() == 2 && one(&cases[0], "Ok", "value") && one(&cases[1], "Err", "error"))
    }

    /// Whether an option of it is the reference itself or 0; else the payload is boxed.
    pub fn is_nullable_inside_option(&self) -> bool {
        self.is_ref() && !matches!(self, Self::Option(_))
    }
}
