//! What of JSON may be long without parts that are read: texts, lists, growing maps, and values that nobody wants.
//!
//! In: a place in the text. Out: Texts and lists that grow piece by piece where they stay; places behind values.
//! Invariant: what was made is the reader's and given back with the rest.

use super::read::{Frame, Next, Reader};
use super::scan::{Bad, Piece, Scan};
use super::source::{Source, Stop};
use super::{MAX_DEPTH, PIECE, TAG};
use crate::building::Building;
use crate::heap::Word;
use crate::map::changes::{Begun, Insertion};
use crate::value::{Arg, Handle, List};
use weir_abi::layout::shape;
use weir_abi::types::TypeId;

/// So many elements of a list are gathered before they get a place in the heap.
pub const GATHERED: usize = if cfg!(feature = "stress") { 4 } else { 1024 };
/// Room of a list that is longer than that: a large object, which can be lengthened.
const ROOM: usize = 4096;

/// What a reader is in the middle of.
pub enum Long {
    /// A Text, whose first quote is at that place.
    Text(Building, usize),
    /// The value of a field that nobody asked for.
    Skip(Skip),
    /// The members of an object of that type, up to the one that names its case.
    Tag(TypeId, Look),
    /// An entry that its Map or Set takes in, of that type and in that place on the values.
    Entry(Box<Insertion>, TypeId, usize),
}

impl Reader {
    /// Reads a Text, as far as a piece goes.
    pub fn begin_text(&mut self, source: &mut Source<'_>) -> Result<Next, Stop> {
        if let Some(text) = source.scan.short_string("Text")? {
            return Ok(Next::Give(source.scope.text(text)?.get().word()));
        }
        let opened = source.scan.at;
        source.scan.at += 1;
        self.more_text(source, Building::default(), opened)
    }

    fn more_text(
        &mut self,
        source: &mut Source<'_>,
        mut building: Building,
        opened: usize,
    ) -> Result<Next, Stop> {
        let buffer = &mut source.buffer;
        buffer.clear();
        match source.scan.characters(opened, PIECE, |part| buffer.extend_from_slice(part)) {
            Ok(piece) => {
                building.push(source.scope, buffer)?;
                if piece == Piece::Last {
                    return Ok(Next::Give(building.finish(source.scope)?.get().word()));
                }
                self.long = Some(Long::Text(building, opened));
                Ok(Next::Rest)
            }
            Err(bad) => {
                building.close(source.scope);
                Err(bad.into())
            }
        }
    }

    /// Goes on with what it was in the middle of.
    pub fn go_on(&mut self, source: &mut Source<'_>, long: Long) -> Result<Next, Stop> {
        match long {
            Long::Text(building, opened) => self.more_text(source, building, opened),
            Long::Tag(ty, look) => self.look_for_tag(source, ty, look),
            Long::Entry(insertion, ty, base) => {
                self.go_on_inserting(source, ty, base, Begun::Going(insertion))
            }
            Long::Skip(skip) => match self.skip(source, skip)? {
                true => self.behind_skipped(source),
                false => Ok(Next::Rest),
            },
        }
    }

    /// Passes over a value, as far as a piece goes; whether it is behind.
    pub fn skip(&mut self, source: &mut Source<'_>, mut skip: Skip) -> Result<bool, Stop> {
        let end = source.scan.at + PIECE;
        let is_behind = skip.step(&mut source.scan, end)?;
        if !is_behind {
            self.long = Some(Long::Skip(skip));
        }
        Ok(is_behind)
    }

    /// Looks on for the member that names the case of an object, of which nothing is taken before it was found.
    pub fn look_for_tag(
        &mut self,
        source: &mut Source<'_>,
        ty: TypeId,
        mut look: Look,
    ) -> Result<Next, Stop> {
        let desc = &source.module.types[ty.0 as usize];
        let mut scan = source.scan;
        scan.at = look.at;
        let end = scan.at + PIECE;
        loop {
            if let Some(skip) = &mut look.skip {
                if !skip.step(&mut scan, end)? {
                    look.at = scan.at;
                    self.long = Some(Long::Tag(ty, look));
                    return Ok(Next::Rest);
                }
                if !scan.takes(b',') {
                    return Err(source.without_tag(desc));
                }
            } else if scan.takes(b'}') {
                return Err(source.without_tag(desc));
            }
            if scan.key(&mut source.buffer)? == TAG {
                let case = source.tagged_case(desc, scan)?;
                source.scan.at += 1;
                return self.begin_fields(source, ty, case);
            }
            look.skip = Some(Skip::default());
        }
    }

    /// Moves the elements that were gathered, of the list of `item`s that is being read, to their place.
    pub fn settle(
        &mut self,
        source: &mut Source<'_>,
        item: TypeId,
        list: Word,
        base: usize,
    ) -> Result<Word, Stop> {
        let is_ref = source.module.types[item.0 as usize].is_ref();
        let more = self.values.len() - base;
        let longer = match list {
            0 => source.scope.list(if is_ref { shape::LIST_REF } else { shape::LIST_WORD }, ROOM),
            // SAFETY: the list is the reader's alone.
            list => source.scope.longer_list(unsafe { source.scope.own(list) }, more).map(|longer| {
                longer.unwrap_or_else(|_| unreachable!("a large list that nobody else holds is lengthened"))
            }),
        };
        // Without room it is given up.
        let place = longer.as_ref().map_or(0, |longer| longer.get().word());
        if let Some(Frame::Elements { list, .. }) = self.frames.last_mut() {
            *list = place;
        }
        longer?.get().append(&self.values[base..]);
        self.values.truncate(base);
        Ok(place)
    }
}

/// How many elements of a list have their place already.
pub fn settled(frame: &Frame) -> usize {
    match *frame {
        // SAFETY: a list that the reader made.
        Frame::Elements { list, .. } if list != 0 => unsafe { List::from_word(list) }.len(),
        _ => 0,
    }
}

/// A look ahead through the members of an object.
pub struct Look {
    /// How far it came.
    at: usize,
    /// The value that it is passing over.
    skip: Option<Skip>,
}

impl Look {
    /// From behind the brace on.
    pub fn new(at: usize) -> Self {
        Self { at, skip: None }
    }
}

/// A value of any kind that is passed over.
#[derive(Default)]
pub struct Skip {
    /// Of each list or object that is open: whether it is an object.
    open: Vec<bool>,
    /// It is inside a text, a key or a value, whose first quote is there.
    text: Option<(Inside, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Key,
    Value,
}

impl Skip {
    /// Goes on up to about `end`; whether the value is behind.
    pub fn step(&mut self, scan: &mut Scan<'_>, end: usize) -> Result<bool, Bad> {
        loop {
            if scan.at >= end {
                return Ok(false);
            }
            let is_value = match self.text {
                Some((inside, opened)) => {
                    if scan.characters(opened, PIECE, |_| {})? == Piece::More {
                        continue;
                    }
                    self.text = None;
                    if inside == Inside::Key {
                        scan.expect(b':', "`:`")?;
                    }
                    inside == Inside::Value
                }
                None => self.begin(scan)?,
            };
            if is_value && self.behind(scan)? {
                return Ok(true);
            }
        }
    }

    /// Passes over a value, or goes into it; whether it is behind.
    fn begin(&mut self, scan: &mut Scan<'_>) -> Result<bool, Bad> {
        match scan.token() {
            Some(bracket @ (b'[' | b'{')) => {
                if self.open.len() == MAX_DEPTH {
                    return Err(scan.too_deep());
                }
                scan.at += 1;
                if scan.takes(bracket + 2) {
                    return Ok(true);
                }
                let is_object = bracket == b'{';
                self.open.push(is_object);
                if is_object {
                    self.key(scan)?;
                }
                return Ok(false);
            }
            Some(b'"') => {
                self.text = Some((Inside::Value, scan.at));
                scan.at += 1;
                return Ok(false);
            }
            Some(b'-' | b'0'..=b'9') => {
                scan.number("a number")?;
            }
            Some(b't' | b'f') => {
                scan.boolean()?;
            }
            Some(b'n') => {
                scan.takes_null()?;
            }
            _ => return Err(scan.expected("a value")),
        }
        Ok(true)
    }

    fn key(&mut self, scan: &mut Scan<'_>) -> Result<(), Bad> {
        if scan.token() != Some(b'"') {
            return Err(scan.misplaced("a name in quotes"));
        }
        self.text = Some((Inside::Key, scan.at));
        scan.at += 1;
        Ok(())
    }

    /// Behind a value: the ends of what it stood in, or the beginning of the next one. Whether all is behind.
    fn behind(&mut self, scan: &mut Scan<'_>) -> Result<bool, Bad> {
        loop {
            let Some(&is_object) = self.open.last() else { return Ok(true) };
            if scan.takes(b',') {
                if is_object {
                    self.key(scan)?;
                }
                return Ok(false);
            }
            let (end, name) = if is_object { (b'}', "`,` or `}`") } else { (b']', "`,` or `]`") };
            scan.expect(end, name)?;
            self.open.pop();
        }
    }
}
