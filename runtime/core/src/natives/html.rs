//! Natives of `html.weir`.

use crate::heap::Full;
use crate::scope::Scope;
use crate::value::{Own, Text};
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
pub fn html_escape(scope: &mut Scope, text: Text) -> Result<Own<Text>, Trap> {
    let bytes = text.as_bytes();
    let added: usize = bytes.iter().filter_map(|byte| reference(*byte)).map(|name| name.len() - 1).sum();
    if added == 0 {
        return Ok(scope.dup(text));
    }
    let len = bytes.len().checked_add(added).ok_or(Full)?;
    let made = scope.text_with(len, |filler| {
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if let Some(name) = reference(*byte) {
                filler.push(&bytes[from..at]);
                filler.push(name.as_bytes());
                from = at + 1;
            }
        }
        filler.push(&bytes[from..]);
    })?;
    Ok(made)
}
