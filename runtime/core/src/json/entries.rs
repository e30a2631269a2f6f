//! Maps and Sets from JSON: objects where the keys are Texts, else lists of pairs `[key, value]`; lists of elements.
//!
//! Invariant: of a key that comes twice the last value counts, in the place of the first.

use super::long::Long;
use super::path::Path;
use super::read::{Frame, Next, Reader};
use super::source::{Source, Stop};
use super::types::{entry_types, is_text};
use crate::heap::Word;
use crate::lists::REFS;
use crate::map::changes::{self, Begun, Change, Insertion};
use crate::map::{self, EntryTypes, Map};
use crate::value::{Any, Arg, Handle, Own, Text};
use weir_abi::code::Module;
use weir_abi::types::TypeId;

/// A Map or Set that is being read: its type, where it is on the values, and whether a key waits for its value.
pub type Entries = (TypeId, usize, bool);

impl Reader {
    /// The beginning of a Map or Set, or the whole of an empty one.
    pub fn begin_entries(&mut self, source: &mut Source<'_>, ty: TypeId) -> Result<Next, Stop> {
        let (key, value) = entry_types(source.module, ty);
        let is_object = value.is_some() && is_text(source.module, key);
        let (open, close, name) = if is_object { (b'{', b'}', "an object") } else { (b'[', b']', "a list") };
        source.scan.expect(open, name)?;
        let map = map::new(source.scope)?;
        if source.scan.takes(close) {
            return Ok(Next::Give(map.get().word()));
        }
        let base = self.values.len();
        self.values.extend([map.get().word(), 0]);
        let entries = (ty, base, false);
        if let Err(stop) = self.open(source, Frame::Entries { ty, base, has_key: false }) {
            source.give_up(ty, self.values[base]);
            self.values.truncate(base);
            return Err(stop);
        }
        self.next_entry(source, entries)
    }

    /// What the next entry begins with.
    fn next_entry(&mut self, source: &mut Source<'_>, (ty, base, _): Entries) -> Result<Next, Stop> {
        let (key, value) = entry_types(source.module, ty);
        let Some(value) = value else { return Ok(Next::Want(key)) };
        if !is_text(source.module, key) {
            source.scan.expect(b'[', "a list of a key and a value")?;
            return Ok(Next::Want(key));
        }
        let name = source.scan.key(&mut source.buffer)?;
        self.values[base + 1] = source.scope.text(name)?.get().word();
        self.set_has_key(true);
        Ok(Next::Want(value))
    }

    fn set_has_key(&mut self, is_there: bool) {
        if let Some(Frame::Entries { has_key, .. }) = self.frames.last_mut() {
            *has_key = is_there;
        }
    }

    /// Takes over a key, a value, or an element.
    pub fn accept_entry(
        &mut self,
        source: &mut Source<'_>,
        entries: Entries,
        word: Word,
    ) -> Result<Next, Stop> {
        let (ty, base, has_key) = entries;
        match entry_types(source.module, ty).1 {
            Some(value) if !has_key => {
                self.values[base + 1] = word;
                self.set_has_key(true);
                source.scan.expect(b',', "`,`")?;
                Ok(Next::Want(value))
            }
            Some(_) => {
                let key = std::mem::take(&mut self.values[base + 1]);
                self.set_has_key(false);
                self.insert(source, ty, base, key, word)
            }
            None => self.insert(source, ty, base, word, 0),
        }
    }

    /// Goes on behind an entry.
    fn behind_entry(&mut self, source: &mut Source<'_>, ty: TypeId, base: usize) -> Result<Next, Stop> {
        let (key, value) = entry_types(source.module, ty);
        let is_object = value.is_some() && is_text(source.module, key);
        if value.is_some() && !is_object {
            source.scan.expect(b']', "`]`")?;
        }
        if source.scan.takes(b',') {
            return self.next_entry(source, (ty, base, false));
        }
        let (close, name) = if is_object { (b'}', "`,` or `}`") } else { (b']', "`,` or `]`") };
        source.scan.expect(close, name)?;
        let map = self.values[base];
        self.close(base);
        Ok(Next::Give(map))
    }

    fn insert(
        &mut self,
        source: &mut Source<'_>,
        ty: TypeId,
        base: usize,
        key: Word,
        value: Word,
    ) -> Result<Next, Stop> {
        let (of_key, of_value) = entry_types(source.module, ty);
        let types = EntryTypes { key: of_key, value: of_value };
        // SAFETY: the map is the reader's alone, and what was read is of the types that were asked for.
        let (map, key, value) = unsafe {
            let map: Own<Map> = source.scope.own(std::mem::take(&mut self.values[base]));
            (map, Any::from_word(key), Any::from_word(value))
        };
        let begun = changes::insert(source.scope, types, map, key, value, REFS)?;
        self.go_on_inserting(source, ty, base, begun)
    }

    /// Goes on with an entry on its way into its map, whose place on the values is empty meanwhile.
    pub fn go_on_inserting(
        &mut self,
        source: &mut Source<'_>,
        ty: TypeId,
        base: usize,
        begun: Begun<Insertion>,
    ) -> Result<Next, Stop> {
        let map = match begun {
            Begun::Done(map) => map,
            Begun::Going(mut insertion) => match insertion.step(source.scope, REFS)? {
                Some(map) => map,
                None => {
                    self.long = Some(Long::Entry(insertion, ty, base));
                    return Ok(Next::Rest);
                }
            },
        };
        self.values[base] = map.get().word();
        self.behind_entry(source, ty, base)
    }

    /// The way to the entry that is being read.
    pub fn entry_path(&self, module: &Module, (ty, base, has_key): Entries, path: &mut Path) {
        let (key, value) = entry_types(module, ty);
        if value.is_some() && is_text(module, key) {
            if has_key {
                // SAFETY: the key of a Map of Texts.
                let key = unsafe { Text::from_word(self.values[base + 1]) };
                path.field(key.as_str());
            }
        } else if self.values[base] != 0 {
            // SAFETY: the map that is being read.
            let map = unsafe { Map::from_word(self.values[base]) };
            path.element(map.len());
            if value.is_some() {
                path.element(usize::from(has_key));
            }
        }
    }
}
