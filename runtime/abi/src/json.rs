//! What JSON needs to know of a program's types besides their descriptions: how fields are called there, what stands for a
//! field that is missing, and how objects are made. The last is what values need as well that come from another scope.
//!
//! Invariant: a table has an entry for each record, tuple and enum that a type leads to which a JSON native names, or one that
//! opens a store.

use crate::types::{TypeDesc, TypeId};

/// A record, a tuple, or a case of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonShape {
    /// Shape of its objects.
    pub shape: u32,
    /// Their size in bytes.
    pub size: u32,
    /// Its fields in declared order.
    pub fields: Vec<JsonField>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonField {
    /// Its name in JSON.
    pub name: String,
    /// The JSON of its default, where it has one that is a constant.
    pub default: Option<String>,
}

/// What JSON knows of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonType {
    /// One for a record or tuple, one per case for an enum.
    pub shapes: Vec<JsonShape>,
    /// It is the library's `Json`.
    pub is_any: bool,
}

/// The types that a module reads or writes as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonTable {
    types: Vec<Option<JsonType>>,
}

impl JsonTable {
    /// Adds a type that is not there yet.
    pub fn add(&mut self, ty: TypeId, of: JsonType) {
        let at = ty.0 as usize;
        if self.types.len() <= at {
            self.types.resize(at + 1, None);
        }
        self.types[at] = Some(of);
    }

    /// What it knows of a type; `None` for one that has neither fields nor cases.
    #[inline]
    pub fn get(&self, ty: TypeId) -> Option<&JsonType> {
        self.types.get(ty.0 as usize)?.as_ref()
    }
}

/// The cases of the library's `Json`, in declared order.
pub mod case {
    /// Their names.
    pub const NAMES: [&str; 7] =
        ["JsonNull", "JsonBool", "JsonInt", "JsonFloat", "JsonText", "JsonList", "JsonObject"];
    /// null
    pub const NULL: usize = 0;
    /// true or false
    pub const BOOL: usize = 1;
    /// A number without fraction and exponent.
    pub const INT: usize = 2;
    /// Another number.
    pub const FLOAT: usize = 3;
    /// A string.
    pub const TEXT: usize = 4;
    /// An array.
    pub const LIST: usize = 5;
    /// An object.
    pub const OBJECT: usize = 6;
}

impl TypeDesc {
    /// Whether it is the library's `Json`, or an enum declared just like it: it is written as what it stands for.
    pub fn is_json(&self) -> bool {
        matches!(self, Self::Enum(name, cases)
            if name == "Json" && cases.iter().map(|(name, _)| name.as_str()).eq(case::NAMES))
    }
}
