//! Natives of `csv.weir` (RFC 4180). The library goes from row to row, so that no call takes long.

use crate::scope::Scope;
use crate::value::{List, Own, Ref, Text};
use memchr::{memchr, memchr_iter, memchr3};
use weir_abi::layout::shape;
use weir_abi::trap::Trap;

/// The separator's byte.
fn separator_of(text: Text) -> Result<u8, Trap> {
    match text.as_bytes() {
        [byte] if !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        _ => Err(Trap::native(format!("{:?} cannot separate the fields of a row", text.as_str()))),
    }
}

/// A field: its characters as they are written, without the quotes around them, and where it ends.
struct Field {
    start: usize,
    end: usize,
    /// Behind the closing quote, if there is one.
    after: usize,
    /// It has doubled quotes.
    has_quotes: bool,
}

/// The field that begins at `start`, or where and why it is none.
fn field(bytes: &[u8], start: usize, separator: u8) -> Result<Field, (usize, &'static str)> {
    if bytes.get(start) != Some(&b'"') {
        let end = memchr3(separator, b'\n', b'\r', &bytes[start..]).map_or(bytes.len(), |at| start + at);
        return Ok(Field { start, end, after: end, has_quotes: false });
    }
    let (start, mut at, mut has_quotes) = (start + 1, start + 1, false);
    loop {
        let Some(quote) = memchr(b'"', &bytes[at..]).map(|found| at + found) else {
            return Err((start - 1, "a quote that is never closed"));
        };
        match bytes.get(quote + 1) {
            Some(b'"') => (at, has_quotes) = (quote + 2, true),
            None | Some(b'\n' | b'\r') => {
                return Ok(Field { start, end: quote, after: quote + 1, has_quotes });
            }
            Some(byte) if *byte == separator => {
                return Ok(Field { start, end: quote, after: quote + 1, has_quotes });
            }
            Some(_) => return Err((quote, "something stands behind a closing quote")),
        }
    }
}

/// Behind the line end at `at`, where there is one.
fn behind_line_end(bytes: &[u8], at: usize) -> usize {
    match bytes[at..] {
        [b'\r', b'\n', ..] => at + 2,
        [b'\r' | b'\n', ..] => at + 1,
        _ => at,
    }
}

/// An offset that the library made.
fn offset(at: i64) -> usize {
    usize::try_from(at).expect("the library counts from 0")
}

/// Where the row ends that begins at `from`: behind its line end. -1 for a row that is none, which is recorded.
pub fn csv_row_end(scope: &mut Scope, text: Text, from: i64, separator: Text) -> Result<i64, Trap> {
    let (bytes, separator) = (text.as_bytes(), separator_of(separator)?);
    let mut at = offset(from);
    loop {
        match field(bytes, at, separator) {
            Ok(field) if bytes.get(field.after) == Some(&separator) => at = field.after + 1,
            Ok(field) => return Ok(behind_line_end(bytes, field.after) as i64),
            Err((at, why)) => {
                let line = memchr_iter(b'\n', &bytes[..at]).count() + 1;
                scope.fail::<()>("invalid", format!("line {line}: {why}"));
                return Ok(-1);
            }
        }
    }
}

/// The fields of the row that begins at `from`, whose end was found.
pub fn csv_fields(scope: &mut Scope, text: Text, from: i64, separator: Text) -> Result<Own<List>, Trap> {
    let separator = separator_of(separator)?;
    let mut texts: Vec<Own<Text>> = Vec::new();
    let mut at = offset(from);
    let made = loop {
        let Ok(field) = field(text.as_bytes(), at, separator) else {
            unreachable!("the row was looked at before")
        };
        match field_text(scope, text, &field) {
            Ok(field) => texts.push(field),
            Err(trap) => break Err(trap),
        }
        if text.as_bytes().get(field.after) != Some(&separator) {
            break scope.list(shape::LIST_REF, texts.len()).map_err(Trap::from);
        }
        at = field.after + 1;
    };
    match made {
        Ok(list) => {
            texts.into_iter().for_each(|text| list.get().append(&[text.get().object().word()]));
            Ok(list)
        }
        Err(trap) => {
            texts.into_iter().for_each(|text| scope.give_up(text));
            Err(trap)
        }
    }
}

fn field_text(scope: &mut Scope, text: Text, field: &Field) -> Result<Own<Text>, Trap> {
    if field.has_quotes {
        return Ok(scope.text(&text.as_str()[field.start..field.end].replace("\"\"", "\""))?);
    }
    let whole = scope.dup(text);
    Ok(scope.text_slice(whole, field.start..field.end)?)
}

/// A row as a line, without its end.
pub fn csv_line(scope: &mut Scope, fields: List, separator: Text) -> Result<Own<Text>, Trap> {
    let separator = separator_of(separator)?;
    let mut out = std::mem::take(&mut scope.scratch);
    out.clear();
    for (at, field) in fields.texts().enumerate() {
        if at > 0 {
            out.push(separator);
        }
        let bytes = field.as_bytes();
        let is_plain = bytes.iter().all(|byte| !matches!(byte, b'"' | b'\r' | b'\n') && *byte != separator);
        // A row of one empty field would be an empty line.
        if is_plain && !(bytes.is_empty() && fields.len() == 1) {
            out.extend_from_slice(bytes);
        } else {
            out.push(b'"');
            out.extend_from_slice(field.as_str().replace('"', "\"\"").as_bytes());
            out.push(b'"');
        }
    }
    let text = scope.text_with(out.len(), |filler| filler.push(&out));
    scope.scratch = out;
    Ok(text?)
}
