//! JSON to values.
//!
//! In: a text and the type of the value in it. Out: the value, made of objects as it is read. Fields may come in any order; of
//! one that comes twice the last counts; unknown ones are passed over, or refused when strict.
//! Invariant: what was made is on `values`, and given back when the text turns out to be wrong or reading is given up.

use super::entries::entry_types;
use super::long::{GATHERED, Long, Look, Skip, settled};
use super::path::Path;
use super::scan::{Bad, Scan, position};
use super::{Fault, MAX_DEPTH, PIECE, Step, TAG, leaf};
use crate::heap::{Obj, Word};
use crate::scope::Scope;
use crate::value::Handle;
use std::borrow::Cow;
use weir_abi::code::Module;
use weir_abi::json::{JsonShape, case};
use weir_abi::layout::{self, shape};
use weir_abi::types::{TypeDesc, TypeId};

/// A list or object of which a part was read.
#[derive(Clone, Copy, Debug)]
pub enum Frame {
    /// A list: its elements are `values[base..]`, behind those of `list` unless that is 0.
    Elements { item: TypeId, base: usize, list: Word },
    /// A tuple: its parts are `values[base..]`.
    Parts { ty: TypeId, base: usize },
    /// A Map or Set, which is `values[base]`; a Map's key that waits for its value is `values[base + 1]`.
    Entries { ty: TypeId, base: usize, has_key: bool },
    /// A record or an enum's case.
    Fields(Fields),
    /// An option whose value is boxed.
    Some { inner: TypeId },
    /// The library's Json, in that case.
    Any { ty: TypeId, case: usize },
}

/// A record or case: its fields are `values[base..]` and `seen[seen..]`, one for each, whether it came or not.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    ty: TypeId,
    /// 0 for a record.
    case: usize,
    base: usize,
    seen: usize,
    /// The field that is being read.
    at: Option<usize>,
}

/// What comes next.
pub enum Next {
    /// A value of that type.
    Want(TypeId),
    /// This value is whole.
    Give(Word),
    /// The rest of what the reader is in the middle of.
    Rest,
}

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

impl From<crate::heap::Full> for Stop {
    fn from(full: crate::heap::Full) -> Self {
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

/// A value that is being read.
pub struct Reader {
    root: TypeId,
    at: usize,
    is_strict: bool,
    /// The type of the value that comes next.
    want: TypeId,
    /// From the outermost one inwards.
    pub(super) frames: Vec<Frame>,
    /// How many of them are lists and objects.
    depth: usize,
    pub(super) values: Vec<Word>,
    /// Which fields came.
    seen: Vec<bool>,
    /// What it is in the middle of.
    pub(super) long: Option<Long>,
}

impl Reader {
    /// Reads a value of type `ty`.
    pub fn new(ty: TypeId, is_strict: bool) -> Self {
        Self {
            root: ty,
            at: 0,
            is_strict,
            want: ty,
            frames: Vec::new(),
            depth: 0,
            values: Vec::new(),
            seen: Vec::new(),
            long: None,
        }
    }

    /// Goes on in `text` for about a piece; the same text each time. When it fails, all that was made is given back.
    pub fn step(&mut self, scope: &mut Scope, text: &str) -> Result<Step, Fault> {
        let app = scope.app().clone();
        let module = app.module();
        let mut source = Source { scope, module, scan: Scan::new(text, self.at), buffer: Vec::new() };
        let step = self.advance(&mut source, self.at + PIECE);
        self.at = source.scan.at;
        step.map_err(|stop| {
            let fault = match stop {
                Stop::Bad(bad) => self.wrong(module, text, &bad),
                Stop::Fault(fault) => fault,
            };
            self.give_back(scope);
            fault
        })
    }

    fn advance(&mut self, source: &mut Source<'_>, end: usize) -> Result<Step, Stop> {
        while source.scan.at < end {
            let mut next = match self.long.take() {
                Some(long) => self.go_on(source, long)?,
                None => self.begin(source, self.want)?,
            };
            self.want = loop {
                next = match next {
                    Next::Want(ty) => break ty,
                    Next::Rest => return Ok(Step::More),
                    Next::Give(word) if self.frames.is_empty() => return self.finish(source, word),
                    Next::Give(word) => self.accept(source, word)?,
                }
            };
        }
        Ok(Step::More)
    }

    /// Nothing may stand behind the value.
    fn finish(&mut self, source: &mut Source<'_>, word: Word) -> Result<Step, Stop> {
        if source.scan.token().is_none() {
            return Ok(Step::Done(word));
        }
        source.give_up(self.root, word);
        Err(source.scan.misplaced("the end").into())
    }

    /// Reads a value of type `ty`, or the beginning of one that has parts.
    fn begin(&mut self, source: &mut Source<'_>, mut ty: TypeId) -> Result<Next, Stop> {
        let types = &source.module.types[..];
        loop {
            let desc = &types[ty.0 as usize];
            let word = match desc {
                TypeDesc::Unit => {
                    if !source.scan.takes_null()? {
                        return Err(source.scan.expected("null").into());
                    }
                    0
                }
                TypeDesc::Int => source.int()? as Word,
                TypeDesc::Float => source.float()?.to_bits(),
                TypeDesc::Bool => source.scan.boolean()?.into(),
                TypeDesc::Text => return self.begin_text(source),
                TypeDesc::Bytes => {
                    let bytes = source.form("Bytes in base64", leaf::bytes)?;
                    // Bytes are laid out as a Text.
                    source.scope.text_with(bytes.len(), |filler| filler.push(&bytes))?.get().word()
                }
                TypeDesc::Duration => source.form("Duration as in \"1.5s\"", leaf::duration)? as Word,
                TypeDesc::Time => source.form("Time as in \"2026-01-31T12:00:00Z\"", leaf::time)? as Word,
                TypeDesc::Range => source.range()?,
                TypeDesc::Option(_) if source.scan.takes_null()? => 0,
                TypeDesc::Option(inner) => {
                    if !types[inner.0 as usize].is_nullable_inside_option() {
                        self.frames.push(Frame::Some { inner: *inner });
                    }
                    ty = *inner;
                    continue;
                }
                TypeDesc::List(item) => {
                    source.scan.expect(b'[', "a list")?;
                    if !source.scan.takes(b']') {
                        let base = self.values.len();
                        self.open(source, Frame::Elements { item: *item, base, list: 0 })?;
                        ty = *item;
                        continue;
                    }
                    source.list(*item, &[])?
                }
                TypeDesc::Map(..) | TypeDesc::Set(_) => match self.begin_entries(source, ty)? {
                    Next::Want(part) => {
                        ty = part;
                        continue;
                    }
                    Next::Give(word) => word,
                    Next::Rest => return Ok(Next::Rest),
                },
                TypeDesc::Tuple(parts) => {
                    source.scan.expect(b'[', &type_name(source.module, ty))?;
                    self.open(source, Frame::Parts { ty, base: self.values.len() })?;
                    ty = parts[0];
                    continue;
                }
                TypeDesc::Record(name, _) => {
                    source.scan.expect(b'{', if name.is_empty() { "an object" } else { name })?;
                    return self.begin_fields(source, ty, 0);
                }
                TypeDesc::Enum(_, cases) if source.module.json.get(ty).is_some_and(|of| of.is_any) => {
                    let case = source.any_case()?;
                    match cases[case].1.first() {
                        Some((_, field)) => {
                            self.frames.push(Frame::Any { ty, case });
                            ty = *field;
                            continue;
                        }
                        None => {
                            source.scan.takes_null()?;
                            source.case(desc, case)?
                        }
                    }
                }
                TypeDesc::Enum(name, _) => match source.scan.token() {
                    Some(b'{') => {
                        let look = Look::new(source.scan.at + 1);
                        return self.look_for_tag(source, ty, look);
                    }
                    _ => source.named_case(desc, name)?,
                },
                other => unreachable!("compiler bug: {other:?} has no JSON form"),
            };
            return Ok(Next::Give(word));
        }
    }

    /// Goes into a list or object.
    pub(super) fn open(&mut self, source: &Source<'_>, frame: Frame) -> Result<(), Stop> {
        if self.depth == MAX_DEPTH {
            return Err(source.scan.too_deep().into());
        }
        self.depth += 1;
        self.frames.push(frame);
        Ok(())
    }

    /// Comes out of one.
    pub(super) fn close(&mut self, base: usize) {
        self.depth -= 1;
        self.values.truncate(base);
        self.frames.pop();
    }

    /// The object of a record, or of the case with that index, behind its brace.
    pub(super) fn begin_fields(
        &mut self,
        source: &mut Source<'_>,
        ty: TypeId,
        case: usize,
    ) -> Result<Next, Stop> {
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
    pub(super) fn behind_skipped(&mut self, source: &mut Source<'_>) -> Result<Next, Stop> {
        let Some(Frame::Fields(fields)) = self.frames.last().copied() else {
            unreachable!("fields are a record's or a case's")
        };
        if source.scan.takes(b',') {
            return self.next_field(source, fields);
        }
        source.scan.expect(b'}', "`,` or `}`")?;
        self.make_fields(source, fields)
    }

    fn set_top(&mut self, fields: Fields) {
        if let Some(top) = self.frames.last_mut() {
            *top = Frame::Fields(fields);
        }
    }

    /// Hands a value to what it is a part of.
    fn accept(&mut self, source: &mut Source<'_>, word: Word) -> Result<Next, Stop> {
        let frame = *self.frames.last().expect("the caller saw that the value is a part of another");
        match frame {
            Frame::Elements { item, base, mut list } => {
                self.values.push(word);
                let is_next = source.scan.takes(b',');
                let gathered = self.values.len() - base;
                if gathered == GATHERED || list != 0 && !is_next {
                    list = self.settle(source, item, list, base)?;
                }
                if is_next {
                    return Ok(Next::Want(item));
                }
                source.scan.expect(b']', "`,` or `]`")?;
                if list == 0 {
                    list = source.list(item, &self.values[base..])?;
                }
                self.close(base);
                Ok(Next::Give(list))
            }
            Frame::Parts { ty, base } => {
                self.values.push(word);
                let TypeDesc::Tuple(parts) = &source.module.types[ty.0 as usize] else {
                    unreachable!("parts are a tuple's");
                };
                if let Some(part) = parts.get(self.values.len() - base) {
                    source.scan.expect(b',', "`,`")?;
                    return Ok(Next::Want(*part));
                }
                source.scan.expect(b']', "`]`")?;
                let tuple = source.object(ty, 0, &self.values[base..])?;
                self.close(base);
                Ok(Next::Give(tuple))
            }
            Frame::Entries { ty, base, has_key } => self.accept_entry(source, (ty, base, has_key), word),
            Frame::Fields(fields) => {
                let at = fields.at.expect("a value is one of a field");
                let old = std::mem::replace(&mut self.values[fields.base + at], word);
                if std::mem::replace(&mut self.seen[fields.seen + at], true) {
                    source.give_up(field_type(source.module, fields.ty, fields.case, at), old);
                }
                if source.scan.takes(b',') {
                    return self.next_field(source, fields);
                }
                self.set_top(Fields { at: None, ..fields });
                source.scan.expect(b'}', "`,` or `}`")?;
                self.make_fields(source, fields)
            }
            Frame::Some { inner } => {
                self.frames.pop();
                Ok(Next::Give(source.scope.some(inner, word)?))
            }
            Frame::Any { ty, case } => {
                self.frames.pop();
                let made = source.object(ty, case, &[word]);
                if made.is_err() {
                    source.give_up(field_type(source.module, ty, case, 0), word);
                }
                Ok(Next::Give(made?))
            }
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

    /// Gives back all that was made.
    pub fn give_back(&mut self, scope: &mut Scope) {
        let app = scope.app().clone();
        let module = app.module();
        if let Some(Long::Text(building, _)) = self.long.take() {
            building.close(scope);
        }
        while let Some(frame) = self.frames.pop() {
            match frame {
                Frame::Elements { item, base, list } => {
                    // SAFETY: a list that nobody else owns, or 0.
                    unsafe { scope.drop_word(list) };
                    let is_ref = module.types[item.0 as usize].is_ref();
                    for word in self.values.drain(base..).filter(|_| is_ref) {
                        // SAFETY: an element of a reference type that nobody else owns.
                        unsafe { scope.drop_word(word) };
                    }
                }
                Frame::Parts { ty, base } | Frame::Fields(Fields { ty, base, .. }) => {
                    let case = if let Frame::Fields(fields) = frame { fields.case } else { 0 };
                    for (at, word) in self.values.drain(base..).enumerate() {
                        if module.types[field_type(module, ty, case, at).0 as usize].is_ref() {
                            // SAFETY: a field of a reference type that nobody else owns, or 0.
                            unsafe { scope.drop_word(word) };
                        }
                    }
                }
                Frame::Entries { ty, base, has_key } => {
                    let (key, _) = entry_types(module, ty);
                    let is_ref = has_key && module.types[key.0 as usize].is_ref();
                    for word in self.values.drain(base..).take(1 + usize::from(is_ref)) {
                        // SAFETY: a map, and a key of a reference type, that nobody else owns, or 0.
                        unsafe { scope.drop_word(word) };
                    }
                }
                Frame::Some { .. } | Frame::Any { .. } => {}
            }
        }
    }

    /// What is wrong, with the way there and the position.
    #[cold]
    fn wrong(&self, module: &Module, text: &str, bad: &Bad) -> Fault {
        let mut path = Path::new();
        for (depth, frame) in self.frames.iter().enumerate() {
            match *frame {
                Frame::Elements { base, .. } | Frame::Parts { base, .. } => {
                    let inner = self.frames[depth + 1..].iter().find_map(Frame::base);
                    path.element(settled(frame) + inner.unwrap_or(self.values.len()) - base);
                }
                Frame::Fields(Fields { ty, case, at: Some(at), .. }) => {
                    path.field(&json_shape(module, ty, case).fields[at].name);
                }
                Frame::Entries { ty, base, has_key } => {
                    self.entry_path(module, (ty, base, has_key), &mut path)
                }
                Frame::Fields(_) | Frame::Some { .. } | Frame::Any { .. } => {}
            }
        }
        let (line, column) = position(text, bad.at);
        let message = format!("{}: {} (line {line}, column {column})", path.finish(), bad.message);
        if bad.is_malformed { Fault::Malformed(message) } else { Fault::Wrong(message) }
    }
}

impl Frame {
    fn base(&self) -> Option<usize> {
        match self {
            Self::Elements { base, .. }
            | Self::Parts { base, .. }
            | Self::Entries { base, .. }
            | Self::Fields(Fields { base, .. }) => Some(*base),
            Self::Some { .. } | Self::Any { .. } => None,
        }
    }
}

impl<'a> Source<'a> {
    /// Gives up a value of that type.
    pub fn give_up(&mut self, ty: TypeId, word: Word) {
        if self.module.types[ty.0 as usize].is_ref() {
            // SAFETY: a value of a reference type that the reader made and nobody else owns.
            unsafe { self.scope.drop_word(word) };
        }
    }

    fn shape(&self, ty: TypeId, case: usize) -> &'a JsonShape {
        json_shape(self.module, ty, case)
    }

    fn int(&mut self) -> Result<i64, Stop> {
        self.scan.token();
        let at = self.scan.at;
        let number = self.scan.number("Int")?;
        let bad = |message| Stop::Bad(Bad::mismatch(at, message));
        if !number.is_integer {
            return Err(bad(format!("expected Int, found {}", number.text)));
        }
        number.text.parse().map_err(|_| bad(format!("{} does not fit an Int", number.text)))
    }

    fn float(&mut self) -> Result<f64, Stop> {
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
    fn form<T>(&mut self, wanted: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Stop> {
        self.scan.token();
        let before = self.scan;
        let value = read(self.scan.string(wanted, &mut self.buffer)?);
        value.ok_or_else(|| Stop::Bad({ before }.expected(wanted)))
    }

    fn range(&mut self) -> Result<Word, Stop> {
        let (low, high, is_inclusive) = self.form("Range as in \"1..5\"", leaf::range)?;
        let words = [
            (layout::RANGE_LOW, low as Word),
            (layout::RANGE_HIGH, high as Word),
            (layout::RANGE_INCLUSIVE, is_inclusive.into()),
        ];
        Ok(self.scope.object(layout::RANGE_SIZE as usize, shape::RANGE, &words)?.word())
    }

    /// A list of elements that move into it.
    fn list(&mut self, item: TypeId, elements: &[Word]) -> Result<Word, Stop> {
        let is_ref = self.module.types[item.0 as usize].is_ref();
        let list =
            self.scope.list(if is_ref { shape::LIST_REF } else { shape::LIST_WORD }, elements.len())?;
        list.get().append(elements);
        Ok(list.get().word())
    }

    /// A record or case of fields that move into it.
    fn object(&mut self, ty: TypeId, case: usize, fields: &[Word]) -> Result<Word, Stop> {
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
    fn case(&mut self, desc: &TypeDesc, case: usize) -> Result<Word, Stop> {
        if !desc.is_ref() {
            return Ok(case as Word);
        }
        let words = [(layout::CASE_INDEX, case as Word)];
        Ok(self.scope.object(layout::CASE_SIZE as usize, shape::CASE, &words)?.word())
    }

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

    // ---- enums

    /// The case that is called like the text that comes.
    fn named_case(&mut self, desc: &TypeDesc, name: &str) -> Result<Word, Stop> {
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
    pub(super) fn tagged_case(&mut self, desc: &TypeDesc, mut scan: Scan<'a>) -> Result<usize, Stop> {
        let TypeDesc::Enum(name, cases) = desc else { unreachable!("cases are an enum's") };
        scan.token();
        let before = scan;
        let text = scan.string("the name of a case", &mut self.buffer)?;
        let found = cases.iter().position(|(name, _)| name == text);
        found.ok_or_else(|| Stop::Bad({ before }.expected(&format!("{name} ({})", names(cases)))))
    }

    /// No member of the object that comes names its case.
    #[cold]
    pub(super) fn without_tag(&self, desc: &TypeDesc) -> Stop {
        let TypeDesc::Enum(name, cases) = desc else { unreachable!("cases are an enum's") };
        let message = format!("expected `type` to name a case of {name} ({})", names(cases));
        Bad::mismatch(self.scan.at, message).into()
    }

    /// Which case of the library's Json comes.
    fn any_case(&mut self) -> Result<usize, Stop> {
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

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn json_shape(module: &Module, ty: TypeId, case: usize) -> &JsonShape {
    let of = module.json.get(ty).expect("compiler bug: a type that JSON was not told of");
    &of.shapes[case]
}

/// The type of a record's field, or of one of an enum's case.
fn field_type(module: &Module, ty: TypeId, case: usize, at: usize) -> TypeId {
    match &module.types[ty.0 as usize] {
        TypeDesc::Tuple(parts) => parts[at],
        TypeDesc::Record(_, fields) => fields[at].1,
        TypeDesc::Enum(_, cases) => cases[case].1[at].1,
        other => unreachable!("compiler bug: {other:?} has no fields"),
    }
}

/// What errors call a type.
fn type_name(module: &Module, ty: TypeId) -> Cow<'_, str> {
    Cow::Borrowed(match &module.types[ty.0 as usize] {
        TypeDesc::Unit => "null",
        TypeDesc::Int => "Int",
        TypeDesc::Float => "Float",
        TypeDesc::Bool => "Bool",
        TypeDesc::Text => "Text",
        TypeDesc::Bytes => "Bytes",
        TypeDesc::Duration => "Duration",
        TypeDesc::Time => "Time",
        TypeDesc::Range => "Range",
        TypeDesc::List(_) | TypeDesc::Set(_) => "a list",
        TypeDesc::Map(key, _) if is_text(module, *key) => "an object",
        TypeDesc::Map(..) => "a list of keys and values",
        TypeDesc::Option(inner) => return type_name(module, *inner),
        TypeDesc::Tuple(parts) => return Cow::Owned(format!("a list of {}", parts.len())),
        TypeDesc::Record(name, _) if name.is_empty() => "an object",
        TypeDesc::Record(name, _) | TypeDesc::Enum(name, _) => name,
        _ => "a value",
    })
}

/// Whether values of that type are Texts.
pub fn is_text(module: &Module, ty: TypeId) -> bool {
    module.types[ty.0 as usize] == TypeDesc::Text
}

/// The cases' names in words.
fn names(cases: &[weir_abi::types::Case]) -> String {
    cases.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}
