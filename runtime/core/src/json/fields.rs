//! Records and cases from JSON: objects whose members are the fields.
//!
//! Invariant: of a field that comes twice the last value counts, in whatever order they come.

use super::long::Skip;
use super::read::{Frame, Next, Reader};
use super::scan::{Bad, Scan};
use super::source::{Source, Stop};
use super::types::{field_type, type_name};
use super::{Step, TAG};
use crate::heap::Word;
use weir_abi::types::{TypeDesc, TypeId};

/// A record or case: its fields are `values[base..]` and `seen[seen..]`, one for each, whether it came or not.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    pub(super) ty: TypeId,
    /// 0 for a record.
    pub(super) case: usize,
    pub(super) base: usize,
    pub(super) seen: usize,
    /// The field that is being read.
    pub(super) at: Option<usize>,
}

impl Reader {
    /// The object of a record, or of the case with that index, behind its brace.
    pub fn begin_fields(&mut self, source: &mut Source<'_>, ty: TypeId, case: usize) -> Result<Next, Stop> {
        let fields = Fields { ty, case, base: self.values.len(), seen: self.seen.len(), at: None };
        self.open(source, Frame::Fields(fields))?;
        let count = source.shape(ty, case).fields.len();
        self.values.resize(fields.base + count, 0);
        self.seen.resize(fields.seen + count, false);
        if source.scan.takes(b'}') {
            return self.make_fields(source, fields);
        }
        self.next_field(source, fields)
    }

    /// The next field, where one must stand.
    fn next_field(&mut self, source: &mut Source<'_>, fields: Fields) -> Result<Next, Stop> {
        let module = source.module;
        let shape = source.shape(fields.ty, fields.case);
        self.set_top(Fields { at: None, ..fields });
        loop {
            source.scan.token();
            let key_at = source.scan.at;
            let key = source.scan.key(&mut source.buffer)?;
            // Mostly they come in the declared order.
            let is_it = |at: usize| shape.fields.get(at).is_some_and(|field| field.name == key);
            let next = fields.at.map_or(0, |at| at + 1);
            let found = if is_it(next) { Some(next) } else { (0..shape.fields.len()).find(|at| is_it(*at)) };
            if let Some(at) = found {
                self.set_top(Fields { at: Some(at), ..fields });
                return Ok(Next::Want(field_type(module, fields.ty, fields.case, at)));
            }
            let is_tag = key == TAG && matches!(module.types[fields.ty.0 as usize], TypeDesc::Enum(..));
            if self.is_strict && !is_tag {
                let message = format!("there is no field {key:?} in {}", type_name(module, fields.ty));
                return Err(Bad::mismatch(key_at, message).into());
            }
            if !self.skip(source, Skip::default())? {
                return Ok(Next::Rest);
            }
            if !source.scan.takes(b',') {
                source.scan.expect(b'}', "`,` or `}`")?;
                return self.make_fields(source, fields);
            }
        }
    }

    /// Goes on behind the value of a field that nobody asked for.
    pub fn behind_skipped(&mut self, source: &mut Source<'_>) -> Result<Next, Stop> {
        let Some(Frame::Fields(fields)) = self.frames.last().copied() else {
            unreachable!("fields are a record's or a case's")
        };
        self.behind_field(source, fields)
    }

    /// Takes over the value of the field that is being read.
    #[inline]
    pub fn accept_field(
        &mut self,
        source: &mut Source<'_>,
        fields: Fields,
        word: Word,
    ) -> Result<Next, Stop> {
        let at = fields.at.expect("a value is one of a field");
        let old = std::mem::replace(&mut self.values[fields.base + at], word);
        if std::mem::replace(&mut self.seen[fields.seen + at], true) {
            source.give_up(field_type(source.module, fields.ty, fields.case, at), old);
        }
        self.behind_field(source, fields)
    }

    #[inline]
    fn behind_field(&mut self, source: &mut Source<'_>, fields: Fields) -> Result<Next, Stop> {
        if source.scan.takes(b',') {
            return self.next_field(source, fields);
        }
        self.set_top(Fields { at: None, ..fields });
        source.scan.expect(b'}', "`,` or `}`")?;
        self.make_fields(source, fields)
    }

    fn set_top(&mut self, fields: Fields) {
        if let Some(top) = self.frames.last_mut() {
            *top = Frame::Fields(fields);
        }
    }

    /// Makes a record or case of its fields, behind its closing brace.
    fn make_fields(&mut self, source: &mut Source<'_>, fields: Fields) -> Result<Next, Stop> {
        let shape = source.shape(fields.ty, fields.case);
        for (at, field) in shape.fields.iter().enumerate() {
            if self.seen[fields.seen + at] {
                continue;
            }
            let ty = field_type(source.module, fields.ty, fields.case, at);
            let default = match &field.default {
                Some(default) => source.default(ty, default)?,
                None => None,
            };
            if let Some(default) = default {
                self.values[fields.base + at] = default;
            } else if !matches!(source.module.types[ty.0 as usize], TypeDesc::Option(_)) {
                self.set_top(Fields { at: Some(at), ..fields });
                let message = format!("expected {}, found nothing", type_name(source.module, ty));
                return Err(Bad::mismatch(source.scan.at - 1, message).into());
            }
        }
        let word = source.object(fields.ty, fields.case, &self.values[fields.base..])?;
        self.seen.truncate(fields.seen);
        self.close(fields.base);
        Ok(Next::Give(word))
    }
}

impl<'a> Source<'a> {
    /// The value of a field that did not come, unless its default is none of its type's.
    fn default(&mut self, ty: TypeId, default: &'a str) -> Result<Option<Word>, Stop> {
        let mut reader = Reader::new(ty, true);
        let scan = std::mem::replace(&mut self.scan, Scan::new(default, 0));
        let made = loop {
            match reader.advance(self, usize::MAX) {
                Ok(Step::More) => {}
                made => break made,
            }
        };
        self.scan = scan;
        if let Ok(Step::Done(word)) = made {
            return Ok(Some(word));
        }
        reader.give_back(self.scope);
        match made {
            Err(Stop::Fault(fault)) => Err(fault.into()),
            _ => Ok(None),
        }
    }
}
