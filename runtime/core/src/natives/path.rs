//! Natives of `path.weir`: paths as texts. Nothing here looks at the disk.

use crate::scope::Scope;
use crate::value::{Own, Text};
use std::ffi::OsStr;
use std::path::Path;
use weir_abi::trap::Trap;

/// `part` below `base`, or `part` when it is absolute.
pub fn path_join(scope: &mut Scope, base: Text, part: Text) -> Result<Own<Text>, Trap> {
    let (base, part) = (base.as_str(), part.as_str());
    if base.is_empty() || part.starts_with('/') {
        return Ok(scope.text(part)?);
    }
    let slash = if base.ends_with('/') { "" } else { "/" };
    let made = scope.text_with(base.len() + slash.len() + part.len(), |filler| {
        [base, slash, part].iter().for_each(|piece| filler.push(piece.as_bytes()));
    })?;
    Ok(made)
}

/// Without the last part.
pub fn path_parent(scope: &mut Scope, path: Text) -> Result<Option<Own<Text>>, Trap> {
    part(scope, Path::new(path.as_str()).parent().map(Path::as_os_str))
}

/// The last part.
pub fn path_name(scope: &mut Scope, path: Text) -> Result<Option<Own<Text>>, Trap> {
    part(scope, Path::new(path.as_str()).file_name())
}

/// The last part without its extension.
pub fn path_stem(scope: &mut Scope, path: Text) -> Result<Option<Own<Text>>, Trap> {
    part(scope, Path::new(path.as_str()).file_stem())
}

/// What stands behind the last point of the last part.
pub fn path_extension(scope: &mut Scope, path: Text) -> Result<Option<Own<Text>>, Trap> {
    part(scope, Path::new(path.as_str()).extension())
}

fn part(scope: &mut Scope, part: Option<&OsStr>) -> Result<Option<Own<Text>>, Trap> {
    // Pieces of a Text, cut at ASCII characters.
    match part.and_then(OsStr::to_str) {
        Some(part) => Ok(Some(scope.text(part)?)),
        None => Ok(None),
    }
}

/// Without `.`, `..` where a part stands before it, and empty parts.
pub fn path_normalise(scope: &mut Scope, path: Text) -> Result<Own<Text>, Trap> {
    let path = path.as_str();
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => {
                kept.pop();
            }
            ".." if !root.is_empty() => {}
            part => kept.push(part),
        }
    }
    let whole =
        if kept.is_empty() && root.is_empty() { ".".to_owned() } else { root.to_owned() + &kept.join("/") };
    Ok(scope.text(&whole)?)
}
