//! What a Response holds besides its body, for the natives that read and change it.

use crate::heap::Full;
use crate::scope::Scope;
use crate::value::{Any, Arg, Handle, List, Own, Ref, Response, Text};
use weir_abi::layout::response;

impl Response {
    /// Names and values of its fields.
    pub fn fields(self) -> impl Iterator<Item = (Text, Text)> {
        let word = self.object().get(response::HEADERS);
        // SAFETY: a Response's headers are 0 or a list of Texts that it holds.
        let list = (word != 0).then(|| unsafe { List::from_word(word) });
        let texts: Vec<Text> = list.iter().flat_map(List::texts).collect();
        (0..texts.len() / 2).map(move |at| (texts[2 * at], texts[2 * at + 1]))
    }
}

impl Scope {
    /// The response as one that nobody else holds.
    pub fn own_copy(&mut self, answer: Own<Response>) -> Result<Own<Response>, Full> {
        // SAFETY: a Response is any value, and the count goes along.
        let any: Own<Any> = unsafe { self.own(answer.get().word()) };
        let own = self.unique(any)?;
        // SAFETY: a copy of a Response is one, or it is the same.
        Ok(unsafe { self.own(Handle::word(own.get())) })
    }

    /// Puts fields in the place of those that a response has.
    pub fn set_fields(&mut self, answer: Response, fields: Own<List>) {
        let old = answer.object().get(response::HEADERS);
        answer.object().set(response::HEADERS, fields.get().word());
        // SAFETY: the response held its fields, and holds the new ones instead.
        unsafe { self.drop_word(old) };
    }
}
