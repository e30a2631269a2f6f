//! Solved types, interned: equal types have equal [`Ty`]s.
//!
//! Not here: inference variables; they never leave the checker.

use std::collections::HashMap;
use std::fmt::Write;

/// A type: an index into [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ty(pub u32);

/// A record type with its arguments filled in: an index into [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(pub u32);

/// An enum type with its arguments filled in: an index into [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumId(pub u32);

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TyKind {
    /// Of an erroneous expression; agrees with everything. Never in a program without errors.
    Unknown,
    /// Of an expression that does not come back: `return`, `break`, `panic(...)`.
    Never,
    /// `()`
    Unit,
    /// 64-bit signed integer.
    Int,
    /// IEEE 754, 64 bits.
    Float,
    /// `true` and `false`.
    Bool,
    /// Valid UTF-8.
    Text,
    /// Bytes of any kind.
    Bytes,
    /// Signed nanoseconds.
    Duration,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    Time,
    /// `a..b` of Int.
    Range,
    /// `List[T]`
    List(Ty),
    /// `Map[K, V]`
    Map(Ty, Ty),
    /// `Set[T]`
    Set(Ty),
    /// `Stream[T]`
    Stream(Ty),
    /// `T?`
    Option(Ty),
    /// `fn(A, B) -> C`
    Fn(Vec<Ty>, Ty),
    /// A declared record.
    Record(RecordId),
    /// A declared enum.
    Enum(EnumId),
    /// `(A, B)`, at least two.
    Tuple(Vec<Ty>),
    /// `{a: A, b: B}`: the fields of a record without a name.
    Anonymous(Vec<(String, Ty)>),
    /// A type that only the runtime looks into: `Request`, `Response`, `Query`, `Headers`.
    Native(String),
    /// One with arguments: `Task[T]`, `Channel[T]`.
    Handle(String, Vec<Ty>),
}

/// A record's name and fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// With its arguments, as the user would write it: `Pair[Int]`.
    pub name: String,
    /// Names and types in declared order.
    pub fields: Vec<(String, Ty)>,
}

/// An enum's name and cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enum {
    /// With its arguments, as the user would write it: `Tree[Int]`.
    pub name: String,
    /// In declared order.
    pub cases: Vec<Case>,
}

/// A case of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Names and types of what it holds, in declared order.
    pub fields: Vec<(String, Ty)>,
}

/// What JSON calls a field of a declared type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonName {
    /// Its name there.
    pub name: String,
    /// The JSON of its default, where that is a constant.
    pub default: Option<String>,
}

/// All types of one program.
#[derive(Clone, Debug, Default)]
pub struct Types {
    kinds: Vec<TyKind>,
    index: HashMap<TyKind, Ty>,
    records: Vec<Record>,
    enums: Vec<Enum>,
    json: HashMap<Ty, Vec<Vec<JsonName>>>,
}

impl Types {
    /// No types yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The type of that kind.
    pub fn intern(&mut self, kind: TyKind) -> Ty {
        if let Some(&ty) = self.index.get(&kind) {
            return ty;
        }
        let ty = Ty(self.kinds.len() as u32);
        self.kinds.push(kind.clone());
        self.index.insert(kind, ty);
        ty
    }

    /// What `ty` is.
    pub fn kind(&self, ty: Ty) -> &TyKind {
        &self.kinds[ty.0 as usize]
    }

    /// How many types there are; their indexes are `0..len`.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Adds a record; its fields may be set later, so that records may contain themselves.
    pub fn add_record(&mut self, record: Record) -> RecordId {
        self.records.push(record);
        RecordId(self.records.len() as u32 - 1)
    }

    /// Sets the fields of a record that was added without.
    pub fn set_fields(&mut self, id: RecordId, fields: Vec<(String, Ty)>) {
        self.records[id.0 as usize].fields = fields;
    }

    /// The record `id`.
    pub fn record(&self, id: RecordId) -> &Record {
        &self.records[id.0 as usize]
    }

    /// Adds an enum; its cases may be set later, so that enums may contain themselves.
    pub fn add_enum(&mut self, of: Enum) -> EnumId {
        self.enums.push(of);
        EnumId(self.enums.len() as u32 - 1)
    }

    /// Sets the cases of an enum that was added without.
    pub fn set_cases(&mut self, id: EnumId, cases: Vec<Case>) {
        self.enums[id.0 as usize].cases = cases;
    }

    /// The enum `id`.
    pub fn enumeration(&self, id: EnumId) -> &Enum {
        &self.enums[id.0 as usize]
    }

    /// Says what JSON calls the fields of a record (one list), or of each case of an enum.
    pub fn set_json(&mut self, ty: Ty, names: Vec<Vec<JsonName>>) {
        self.json.insert(ty, names);
    }

    /// What JSON calls the fields of a declared type, in declared order, by case; `None` for other types.
    pub fn json(&self, ty: Ty) -> Option<&[Vec<JsonName>]> {
        self.json.get(&ty).map(Vec::as_slice)
    }

    /// The type as the user would write it.
    pub fn show(&self, ty: Ty) -> String {
        let mut out = String::new();
        self.write(ty, &mut out);
        out
    }

    fn write(&self, ty: Ty, out: &mut String) {
        match self.kind(ty) {
            TyKind::Unknown => out.push('_'),
            TyKind::Never => out.push_str("Never"),
            TyKind::Unit => out.push_str("()"),
            TyKind::Int => out.push_str("Int"),
            TyKind::Float => out.push_str("Float"),
            TyKind::Bool => out.push_str("Bool"),
            TyKind::Text => out.push_str("Text"),
            TyKind::Bytes => out.push_str("Bytes"),
            TyKind::Duration => out.push_str("Duration"),
            TyKind::Time => out.push_str("Time"),
            TyKind::Range => out.push_str("Range"),
            TyKind::List(t) => {
                let _ = write!(out, "List[{}]", self.show(*t));
            }
            TyKind::Map(k, v) => {
                let _ = write!(out, "Map[{}, {}]", self.show(*k), self.show(*v));
            }
            TyKind::Set(t) => {
                let _ = write!(out, "Set[{}]", self.show(*t));
            }
            TyKind::Stream(t) => {
                let _ = write!(out, "Stream[{}]", self.show(*t));
            }
            TyKind::Option(t) => match self.kind(*t) {
                TyKind::Fn(..) => {
                    let _ = write!(out, "Option[{}]", self.show(*t));
                }
                _ => {
                    let _ = write!(out, "{}?", self.show(*t));
                }
            },
            TyKind::Fn(params, result) => {
                out.push_str("fn(");
                for (i, p) in params.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    self.write(*p, out);
                }
                out.push_str(") -> ");
                self.write(*result, out);
            }
            TyKind::Record(id) => out.push_str(&self.record(*id).name),
            TyKind::Enum(id) => out.push_str(&self.enumeration(*id).name),
            TyKind::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|p| self.show(*p)).collect();
                let _ = write!(out, "({})", parts.join(", "));
            }
            TyKind::Anonymous(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, ty)| format!("{name}: {}", self.show(*ty))).collect();
                let _ = write!(out, "{{{}}}", fields.join(", "));
            }
            TyKind::Native(name) => out.push_str(name),
            TyKind::Handle(name, args) => {
                let args: Vec<String> = args.iter().map(|a| self.show(*a)).collect();
                let _ = write!(out, "{name}[{}]", args.join(", "));
            }
        }
    }
}
