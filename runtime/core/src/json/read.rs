//! JSON to values.
//!
//! In: a text and the type of the value in it. Out: the value, made of objects as it is read. Fields may come in any order; of
//! one that comes twice the last counts; unknown ones are passed over, or refused when strict.
//! Invariant: what was made is on `values`, and given back when the text turns out to be wrong or reading is given up.

use super::fields::Fields;
use super::long::{GATHERED, Long, Look, settled};
use super::path::Path;
use super::scan::{Bad, Scan, position};
use super::source::{Source, Stop};
use super::types::{entry_types, field_type, shape, type_name};
use super::{Fault, MAX_DEPTH, PIECE, Step, leaf};
use crate::heap::Word;
use crate::map::changes::Change;
use crate::scope::Scope;
use crate::value::Handle;
use weir_abi::code::Module;
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

/// What comes next.
pub enum Next {
    /// A value of that type.
    Want(TypeId),
    /// This value is whole.
    Give(Word),
    /// The rest of what the reader is in the middle of.
    Rest,
}

/// A value that is being read.
pub struct Reader {
    root: TypeId,
    at: usize,
    pub(super) is_strict: bool,
    /// The type of the value that comes next.
    want: TypeId,
    /// From the outermost one inwards.
    pub(super) frames: Vec<Frame>,
    /// How many of them are lists and objects.
    depth: usize,
    pub(super) values: Vec<Word>,
    /// Which fields came.
    pub(super) seen: Vec<bool>,
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

    pub(super) fn advance(&mut self, source: &mut Source<'_>, end: usize) -> Result<Step, Stop> {
        while source.scan.at < end {
            // Looked at before it is taken, for it is large and seldom there.
            let long = if self.long.is_some() { self.long.take() } else { None };
            let mut next = match long {
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

    /// Hands a value to what it is a part of.
    fn accept(&mut self, source: &mut Source<'_>, word: Word) -> Result<Next, Stop> {
        let frame = *self.frames.last().expect("the caller saw that the value is a part of another");
        match frame {
            Frame::Elements { item, base, list } => self.accept_element(source, (item, base, list), word),
            Frame::Parts { ty, base } => self.accept_part(source, (ty, base), word),
            Frame::Entries { ty, base, has_key } => self.accept_entry(source, (ty, base, has_key), word),
            Frame::Fields(fields) => self.accept_field(source, fields, word),
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

    /// Takes over an element of a list of `item`s.
    #[inline]
    fn accept_element(
        &mut self,
        source: &mut Source<'_>,
        (item, base, mut list): (TypeId, usize, Word),
        word: Word,
    ) -> Result<Next, Stop> {
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

    /// Takes over a part of a tuple.
    fn accept_part(
        &mut self,
        source: &mut Source<'_>,
        (ty, base): (TypeId, usize),
        word: Word,
    ) -> Result<Next, Stop> {
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

    /// Gives back all that was made.
    pub fn give_back(&mut self, scope: &mut Scope) {
        let app = scope.app().clone();
        let module = app.module();
        match self.long.take() {
            Some(Long::Text(building, _)) => building.close(scope),
            Some(Long::Entry(insertion, ..)) => insertion.close(scope),
            Some(Long::Skip(_) | Long::Tag(..)) | None => {}
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
                    path.field(&shape(module, ty, case).fields[at].name);
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

// ---- enums
