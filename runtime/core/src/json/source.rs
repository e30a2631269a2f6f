//! What a reader takes values from: the text, and the heap that they go to.
//!
//! In: a place in the text, and what is wanted there. Out: values without parts, and objects of parts that were read.
//! Not here: what is wanted when (`read`).

use super::scan::{Bad, Scan};
use super::types::{self, names};
use super::{Fault, leaf};
use crate::heap::{Full, Obj, Word};
use crate::scope::Scope;
use crate::value::Handle;
use weir_abi::code::Module;
use weir_abi::json::{JsonShape, case};
use weir_abi::layout::{self, shape};
use weir_abi::types::{TypeDesc, TypeId};

/// Why a value cannot be made.
pub enum Stop {
    /// The text is wrong.
    Bad(Bad),
    /// Anything else.
    Fault(Fault),
}

impl From<Bad> for Stop {
    fn from(bad: Bad) -> Self {
        Self::Bad(bad)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Full> for Stop {
    fn from(full: Full) -> Self {
        Self::Fault(full.into())
    }
}

/// What a step works with.
pub struct Source<'a> {
    /// Where the objects go.
    pub scope: &'a mut Scope,
    /// What knows the types.
    pub module: &'a Module,
    /// The text.
    pub scan: Scan<'a>,
    /// For strings with escapes.
    pub buffer: Vec<u8>,
}

impl<'a> Source<'a> {
    /// Gives up a value of that type.
    #[inline]
    pub fn give_up(&mut self, ty: TypeId, word: Word) {
        if self.module.types[ty.0 as usize].is_ref() {
            // SAFETY: a value of a reference type that the reader made and nobody else owns.
            unsafe { self.scope.drop_word(word) };
        }
    }

    /// See [`types::shape`].
    #[inline]
    pub fn shape(&self, ty: TypeId, case: usize) -> &'a JsonShape {
        types::shape(self.module, ty, case)
    }

    /// An Int.
    #[inline]
    pub fn int(&mut self) -> Result<i64, Stop> {
        self.scan.token();
        let at = self.scan.at;
        let number = self.scan.number("Int")?;
        let bad = |message| Stop::Bad(Bad::mismatch(at, message));
        if !number.is_integer {
            return Err(bad(format!("expected Int, found {}", number.text)));
        }
        number.text.parse().map_err(|_| bad(format!("{} does not fit an Int", number.text)))
    }

    /// A Float.
    #[inline]
    pub fn float(&mut self) -> Result<f64, Stop> {
        self.scan.token();
        let at = self.scan.at;
        let number = self.scan.number("Float")?;
        let value: f64 = number.text.parse().expect("Rust reads all numbers of JSON");
        if value.is_infinite() {
            return Err(Bad::mismatch(at, format!("{} does not fit a Float", number.text)).into());
        }
        Ok(value)
    }

    /// A value from its text form.
    pub fn form<T>(&mut self, wanted: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Stop> {
        self.scan.token();
        let before = self.scan;
        let value = read(self.scan.string(wanted, &mut self.buffer)?);
        value.ok_or_else(|| Stop::Bad({ before }.expected(wanted)))
    }

    /// A Range, from its text form.
    pub fn range(&mut self) -> Result<Word, Stop> {
        let (low, high, is_inclusive) = self.form("Range as in \"1..5\"", leaf::range)?;
        let words = [
            (layout::RANGE_LOW, low as Word),
            (layout::RANGE_HIGH, high as Word),
            (layout::RANGE_INCLUSIVE, is_inclusive.into()),
        ];
        Ok(self.scope.object(layout::RANGE_SIZE as usize, shape::RANGE, &words)?.word())
    }

    /// A list of elements that move into it.
    #[inline]
    pub fn list(&mut self, item: TypeId, elements: &[Word]) -> Result<Word, Stop> {
        let is_ref = self.module.types[item.0 as usize].is_ref();
        let list =
            self.scope.list(if is_ref { shape::LIST_REF } else { shape::LIST_WORD }, elements.len())?;
        list.get().append(elements);
        Ok(list.get().word())
    }

    /// A record or case of fields that move into it.
    #[inline]
    pub fn object(&mut self, ty: TypeId, case: usize, fields: &[Word]) -> Result<Word, Stop> {
        let desc = &self.module.types[ty.0 as usize];
        let is_case = matches!(desc, TypeDesc::Enum(..));
        if is_case && fields.is_empty() {
            return self.case(desc, case);
        }
        let JsonShape { shape, size, .. } = *self.shape(ty, case);
        let object: Obj = self.scope.raw(size.into(), layout::header(shape))?;
        if is_case {
            object.set(layout::CASE_INDEX, case as Word);
        }
        let offset = if is_case { layout::case_field } else { layout::field };
        for (at, word) in (0..).zip(fields) {
            object.set(offset(at), *word);
        }
        Ok(object.word())
    }

    /// A case without fields.
    pub fn case(&mut self, desc: &TypeDesc, case: usize) -> Result<Word, Stop> {
        if !desc.is_ref() {
            return Ok(case as Word);
        }
        let words = [(layout::CASE_INDEX, case as Word)];
        Ok(self.scope.object(layout::CASE_SIZE as usize, shape::CASE, &words)?.word())
    }

    /// The case that is called like the text that comes.
    pub fn named_case(&mut self, desc: &TypeDesc, name: &str) -> Result<Word, Stop> {
        let TypeDesc::Enum(_, cases) = desc else { unreachable!("cases are an enum's") };
        self.scan.token();
        let before = self.scan;
        let text = self.scan.string(name, &mut self.buffer)?;
        let found = cases.iter().position(|(name, _)| name == text);
        match found {
            Some(case) if cases[case].1.is_empty() => self.case(desc, case),
            Some(_) => {
                let message = format!("{text} has fields: expected an object with `type`");
                Err(Bad::mismatch(before.at, message).into())
            }
            None => Err({ before }.expected(&format!("{name} ({})", names(cases))).into()),
        }
    }

    /// The case that the text at a place ahead names.
    pub fn tagged_case(&mut self, desc: &TypeDesc, mut scan: Scan<'a>) -> Result<usize, Stop> {
        let TypeDesc::Enum(name, cases) = desc else { unreachable!("cases are an enum's") };
        scan.token();
        let before = scan;
        let text = scan.string("the name of a case", &mut self.buffer)?;
        let found = cases.iter().position(|(name, _)| name == text);
        found.ok_or_else(|| Stop::Bad({ before }.expected(&format!("{name} ({})", names(cases)))))
    }

    /// No member of the object that comes names its case.
    #[cold]
    pub fn without_tag(&self, desc: &TypeDesc) -> Stop {
        let TypeDesc::Enum(name, cases) = desc else { unreachable!("cases are an enum's") };
        let message = format!("expected `type` to name a case of {name} ({})", names(cases));
        Bad::mismatch(self.scan.at, message).into()
    }

    /// Which case of the library's Json comes.
    pub fn any_case(&mut self) -> Result<usize, Stop> {
        Ok(match self.scan.token() {
            Some(b'n') => case::NULL,
            Some(b't' | b'f') => case::BOOL,
            Some(b'"') => case::TEXT,
            Some(b'[') => case::LIST,
            Some(b'{') => case::OBJECT,
            Some(b'-' | b'0'..=b'9') => {
                let number = { self.scan }.number("a number")?;
                if number.is_integer { case::INT } else { case::FLOAT }
            }
            _ => return Err(self.scan.expected("a value").into()),
        })
    }
}
