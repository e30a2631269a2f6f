//! What lowering collects for the whole module: type descriptions, text literals, shapes, thunks.
//!
//! Each is deduplicated; the order is that of first use, so that the printed form is stable.

use crate::ir::{FuncId, Repr, TextId};
use std::collections::HashMap;
use weir_abi::json::JsonTable;
use weir_abi::layout::{CLOSURE_CAPTURES, Shape, case_field, field, shape};
use weir_abi::types::{TypeDesc, TypeId};
use weir_check::typed::{FnId, Program};
use weir_check::types::{Case, EnumId, Ty, TyKind, Types};

/// The tables of one module.
pub(super) struct Tables<'p> {
    pub(super) types: &'p Types,
    descriptions: Vec<TypeDesc>,
    texts: Vec<Vec<u8>>,
    text_ids: HashMap<Vec<u8>, TextId>,
    shapes: Vec<Shape>,
    shape_ids: HashMap<Shape, u32>,
    /// The id that the next thunk would get, less the number of thunks.
    first_thunk: u32,
    thunks: Vec<FnId>,
    thunk_ids: HashMap<FnId, FuncId>,
    pub(super) json: JsonTable,
}

impl<'p> Tables<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let types = &program.types;
        Self {
            types,
            descriptions: (0..types.len()).map(|i| describe(types, Ty(i as u32))).collect(),
            texts: Vec::new(),
            text_ids: HashMap::new(),
            shapes: Vec::new(),
            shape_ids: HashMap::new(),
            first_thunk: program.functions.len() as u32,
            thunks: Vec::new(),
            thunk_ids: HashMap::new(),
            json: JsonTable::default(),
        }
    }

    pub(super) fn finish(self) -> (Vec<Vec<u8>>, Vec<Shape>, Vec<TypeDesc>, JsonTable) {
        (self.texts, self.shapes, self.descriptions, self.json)
    }

    pub(super) fn kind(&self, ty: Ty) -> &'p TyKind {
        self.types.kind(ty)
    }

    pub(super) fn cases(&self, of: EnumId) -> &'p [Case] {
        &self.types.enumeration(of).cases
    }

    pub(super) fn description(&self, ty: Ty) -> &TypeDesc {
        &self.descriptions[ty.0 as usize]
    }

    /// Whether it is a `T!`: a Result whose error is an Error.
    pub(super) fn is_result(&self, ty: Ty) -> bool {
        let desc = self.description(ty);
        let is_error = |ty: &TypeId| self.descriptions[ty.0 as usize].is_error();
        desc.is_result() && matches!(desc, TypeDesc::Enum(_, cases) if is_error(&cases[1].1[0].1))
    }

    pub(super) fn repr(&self, ty: Ty) -> Repr {
        match self.description(ty) {
            TypeDesc::Option(_) => Repr::NullableRef,
            TypeDesc::Float => Repr::Float,
            other if other.is_ref() => Repr::Ref,
            _ => Repr::Word,
        }
    }

    /// Whether values of a type are words whose order as Ints is that of the values.
    pub(super) fn is_ordered_word(&self, ty: Ty) -> bool {
        let description = self.description(ty);
        !description.is_ref() && *description != TypeDesc::Float
    }

    /// The literal of these bytes.
    pub(super) fn text(&mut self, text: &[u8]) -> TextId {
        if let Some(&id) = self.text_ids.get(text) {
            return id;
        }
        let id = TextId(self.texts.len() as u32);
        self.texts.push(text.to_owned());
        self.text_ids.insert(text.to_owned(), id);
        id
    }

    fn shape(&mut self, shape: Shape) -> u32 {
        if let Some(&id) = self.shape_ids.get(&shape) {
            return id;
        }
        let id = shape::FIRST_OF_MODULE + self.shapes.len() as u32;
        self.shapes.push(shape.clone());
        self.shape_ids.insert(shape, id);
        id
    }

    /// Shape number and size of a record or tuple.
    pub(super) fn record(&mut self, ty: Ty) -> (u32, u32) {
        let (name, types): (String, Vec<TypeId>) = match self.description(ty) {
            TypeDesc::Record(name, fields) if name.is_empty() => {
                let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                (format!("record {{{}}}", names.join(", ")), fields.iter().map(|(_, t)| *t).collect())
            }
            TypeDesc::Record(name, fields) => {
                (format!("record {name}"), fields.iter().map(|(_, t)| *t).collect())
            }
            TypeDesc::Tuple(parts) => ("tuple".to_owned(), parts.clone()),
            _ => unreachable!("compiler bug: a record literal of type {}", self.types.show(ty)),
        };
        let is_ref = |t: TypeId| self.descriptions[t.0 as usize].is_ref();
        let refs = (0..).zip(&types).filter(|(_, t)| is_ref(**t)).map(|(i, _)| field(i) as u32).collect();
        let size = field(types.len() as u32) as u32;
        (self.shape(Shape { size, refs, name }), size)
    }

    /// Shape number and size of an enum's case with fields.
    pub(super) fn case(&mut self, ty: Ty, index: u32) -> (u32, u32) {
        let TypeDesc::Enum(_, cases) = self.description(ty) else {
            unreachable!("compiler bug: a case of type {}", self.types.show(ty))
        };
        let (name, fields) = &cases[index as usize];
        let is_ref = |t: TypeId| self.descriptions[t.0 as usize].is_ref();
        let refs = (0..).zip(fields).filter(|(_, (_, t))| is_ref(*t));
        let refs = refs.map(|(i, _)| case_field(i) as u32).collect();
        let size = case_field(fields.len() as u32) as u32;
        let name = format!("case {name}");
        (self.shape(Shape { size, refs, name }), size)
    }

    /// Shape number and size of a closure over values of these reprs.
    pub(super) fn closure(&mut self, function: &str, captures: &[Repr]) -> (u32, u32) {
        let offset = |i: usize| CLOSURE_CAPTURES as u32 + 8 * i as u32;
        let refs = captures.iter().enumerate().filter(|(_, r)| r.is_ref()).map(|(i, _)| offset(i)).collect();
        let size = offset(captures.len());
        (self.shape(Shape { size, refs, name: format!("closure {function}") }), size)
    }

    /// The function of closure kind that stands for a direct one.
    pub(super) fn thunk(&mut self, of: FnId) -> FuncId {
        let next = FuncId(self.first_thunk + self.thunks.len() as u32);
        *self.thunk_ids.entry(of).or_insert_with(|| {
            self.thunks.push(of);
            next
        })
    }

    /// The direct functions that have thunks, in the order of the thunks.
    pub(super) fn thunks(&self) -> &[FnId] {
        &self.thunks
    }
}

fn describe(types: &Types, ty: Ty) -> TypeDesc {
    let id = |t: &Ty| TypeId(t.0);
    let field = |(name, ty): &(String, Ty)| (name.clone(), id(ty));
    // Values are shown as they are built: `Pair(...)`, not `Pair[Int](...)`.
    let bare = |name: &str| name.split('[').next().unwrap_or(name).to_owned();
    match types.kind(ty) {
        // An unknown type may be left over from an instance that was given up; nothing refers to it.
        TyKind::Unknown | TyKind::Never => TypeDesc::Never,
        TyKind::Unit => TypeDesc::Unit,
        TyKind::Int => TypeDesc::Int,
        TyKind::Float => TypeDesc::Float,
        TyKind::Bool => TypeDesc::Bool,
        TyKind::Text => TypeDesc::Text,
        TyKind::Bytes => TypeDesc::Bytes,
        TyKind::Duration => TypeDesc::Duration,
        TyKind::Time => TypeDesc::Time,
        TyKind::Range => TypeDesc::Range,
        TyKind::List(t) => TypeDesc::List(id(t)),
        TyKind::Map(k, v) => TypeDesc::Map(id(k), id(v)),
        TyKind::Set(t) => TypeDesc::Set(id(t)),
        TyKind::Stream(t) => TypeDesc::Stream(id(t)),
        TyKind::Option(t) => TypeDesc::Option(id(t)),
        TyKind::Fn(..) => TypeDesc::Fn,
        TyKind::Native(name) | TyKind::Handle(name, _) => TypeDesc::Native(name.clone()),
        TyKind::Tuple(parts) => TypeDesc::Tuple(parts.iter().map(id).collect()),
        TyKind::Anonymous(fields) => TypeDesc::Record(String::new(), fields.iter().map(field).collect()),
        TyKind::Record(record) => {
            let record = types.record(*record);
            TypeDesc::Record(bare(&record.name), record.fields.iter().map(field).collect())
        }
        TyKind::Enum(of) => {
            let of = types.enumeration(*of);
            let cases = of.cases.iter().map(|c| (c.name.clone(), c.fields.iter().map(field).collect()));
            TypeDesc::Enum(bare(&of.name), cases.collect())
        }
    }
}
