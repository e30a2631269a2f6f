//! Natives of `html.weir`.

use super::Flow;
use crate::pieces::{Pieces, Put, Sink, made, taken};
use crate::scope::Scope;
use crate::value::Text;
use weir_abi::trap::Trap;

/// How a byte is written where it would mean something to HTML.
fn reference(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#39;"),
        _ => None,
    }
}

/// With references for what would mean something to HTML.
pub fn html_escape(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    made(scope, Escaped { text, at: 0, is_changed: false })
}

/// A text with references.
#[derive(Clone)]
struct Escaped {
    text: Text,
    at: usize,
    is_changed: bool,
}

impl Pieces for Escaped {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let (window, put) = taken(self.text.as_bytes(), &mut self.at, step);
        let mut from = 0;
        for (at, byte) in window.iter().enumerate() {
            if let Some(name) = reference(*byte) {
                sink.push(&window[from..at]);
                sink.push(name.as_bytes());
                from = at + 1;
                self.is_changed = true;
            }
        }
        sink.push(&window[from..]);
        put
    }

    fn same(&self) -> Option<Text> {
        (!self.is_changed).then_some(self.text)
    }
}
