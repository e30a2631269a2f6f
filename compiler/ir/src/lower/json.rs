//! What JSON is told of types: the names of their fields there, and the shapes of their objects.
//!
//! Invariant: a type that is in the table has there all that its fields lead to.

use super::tables::Tables;
use weir_abi::json::{JsonField, JsonShape, JsonType};
use weir_abi::types::{TypeDesc, TypeId};
use weir_check::types::Ty;

/// The natives that take a type as JSON, or make values of it out of a copy; it is the first of their types.
pub(super) const NATIVES: [&str; 9] = [
    "json-encode",
    "json-decode",
    "respond-json",
    "request-json",
    "answer-json",
    "store-open",
    "topic-open",
    "share-open",
    "repl-value",
];

impl Tables<'_> {
    /// Sees to it that a type can be read and written as JSON.
    pub(super) fn tell_json(&mut self, ty: Ty) {
        let mut todo = vec![ty];
        while let Some(ty) = todo.pop() {
            let id = TypeId(ty.0);
            if self.json.get(id).is_some() {
                continue;
            }
            let desc = self.description(ty).clone();
            match &desc {
                TypeDesc::List(item) | TypeDesc::Option(item) | TypeDesc::Set(item) => todo.push(Ty(item.0)),
                TypeDesc::Map(key, value) => todo.extend([Ty(key.0), Ty(value.0)]),
                TypeDesc::Tuple(parts) => {
                    let (shape, size) = self.record(ty);
                    let shape = JsonShape { shape, size, fields: Vec::new() };
                    self.json.add(id, JsonType { shapes: vec![shape], is_any: false });
                    todo.extend(parts.iter().map(|part| Ty(part.0)));
                }
                TypeDesc::Record(_, fields) => {
                    let shape = self.json_record(ty, fields);
                    self.json.add(id, JsonType { shapes: vec![shape], is_any: false });
                    todo.extend(fields.iter().map(|(_, field)| Ty(field.0)));
                }
                TypeDesc::Enum(_, cases) => {
                    let shapes = (0..).zip(cases).map(|(at, case)| self.json_case(ty, at, &case.1));
                    let of = JsonType { shapes: shapes.collect(), is_any: desc.is_json() };
                    self.json.add(id, of);
                    todo.extend(cases.iter().flat_map(|(_, fields)| fields).map(|(_, field)| Ty(field.0)));
                }
                _ => {}
            }
        }
    }

    fn json_record(&mut self, ty: Ty, fields: &[(String, TypeId)]) -> JsonShape {
        let (shape, size) = self.record(ty);
        JsonShape { shape, size, fields: self.json_fields(ty, 0, fields) }
    }

    fn json_case(&mut self, ty: Ty, at: u32, fields: &[(String, TypeId)]) -> JsonShape {
        // A case without fields is a word or the module's own object.
        let (shape, size) = if fields.is_empty() { (0, 0) } else { self.case(ty, at) };
        JsonShape { shape, size, fields: self.json_fields(ty, at as usize, fields) }
    }

    fn json_fields(&self, ty: Ty, case: usize, fields: &[(String, TypeId)]) -> Vec<JsonField> {
        let declared = self.types.json(ty).map(|names| &names[case]);
        let named = |(at, (name, _)): (usize, &(String, TypeId))| match declared {
            Some(names) => JsonField { name: names[at].name.clone(), default: names[at].default.clone() },
            None => JsonField { name: name.clone(), default: None },
        };
        fields.iter().enumerate().map(named).collect()
    }
}
