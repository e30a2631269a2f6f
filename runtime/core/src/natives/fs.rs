//! Natives of `fs.weir`. Files give no readiness: what is asked of them runs on the blocking pool.

use super::Flow;
use crate::files::{self, Refusal};
use crate::heap::{Full, Word};
use crate::scope::Scope;
use crate::value::{Bytes, Gives, Own, Ref, Text};
use crate::waiting::on_pool;
use std::path::PathBuf;
use weir_abi::layout::shape;
use weir_abi::trap::Trap;

/// From so many bytes on a file's text is not copied into the heap but kept as it was read.
const KEPT: usize = 4 * 1024;

/// Runs a job; its refusal is recorded as the native's failure.
fn job<T: Send + 'static>(
    scope: &mut Scope,
    held: usize,
    job: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    give: impl FnOnce(&mut Scope, T) -> Result<Word, Trap> + 'static,
) -> Result<Flow, Trap> {
    on_pool(scope, held, job, move |scope, done| match done {
        Ok(value) => give(scope, value),
        Err(refusal) => {
            scope.fail::<()>(refusal.kind, refusal.message);
            Ok(0)
        }
    })
}

fn path_of(path: Text) -> PathBuf {
    PathBuf::from(path.as_str())
}

/// A job that gives nothing but that it is done.
fn effect(
    scope: &mut Scope,
    held: usize,
    effect: impl FnOnce() -> Result<(), Refusal> + Send + 'static,
) -> Result<Flow, Trap> {
    job(scope, held, effect, |_, ()| Ok(true.into_word()))
}

/// The text of a file.
pub fn fs_read(scope: &mut Scope, path: Text) -> Result<Flow, Trap> {
    let (path, room) = (path_of(path), scope.heap().room());
    job(scope, 0, move || files::read_text(&path, room), |scope, text| Ok(kept(scope, text)?))
}

fn kept(scope: &mut Scope, text: String) -> Result<Word, Full> {
    if text.len() < KEPT {
        return Ok(scope.text(&text)?.into_word());
    }
    let len = text.len();
    let foreign = scope.foreign(text.into())?;
    let made = scope.foreign_text(foreign.get(), 0..len);
    scope.give_up(foreign);
    Ok(made?.into_word())
}

/// Puts a file in place of another.
pub fn fs_write(scope: &mut Scope, path: Text, text: Text, sync: i64) -> Result<Flow, Trap> {
    let (path, text) = (path_of(path), text.as_str().to_owned());
    effect(scope, text.len(), move || files::write(&path, text.as_bytes(), sync != 0))
}

/// The bytes of a file.
pub fn fs_read_bytes(scope: &mut Scope, path: Text) -> Result<Flow, Trap> {
    let (path, room) = (path_of(path), scope.heap().room());
    job(
        scope,
        0,
        move || files::read(&path, room),
        |scope, bytes| {
            // A Bytes value and a Text have the same layout.
            let made = scope.text_with(bytes.len(), |filler| filler.push(&bytes))?;
            Ok(Own::new(Bytes::of(made.get().object())).into_word())
        },
    )
}

/// Puts a file with these bytes in place of another.
pub fn fs_write_bytes(scope: &mut Scope, path: Text, bytes: Bytes, sync: i64) -> Result<Flow, Trap> {
    let (path, bytes) = (path_of(path), bytes.as_bytes().to_vec());
    effect(scope, bytes.len(), move || files::write(&path, &bytes, sync != 0))
}

/// Adds to the end of a file.
pub fn fs_append(scope: &mut Scope, path: Text, text: Text) -> Result<Flow, Trap> {
    let (path, text) = (path_of(path), text.as_str().to_owned());
    effect(scope, text.len(), move || files::append(&path, text.as_bytes()))
}

/// The names in a folder.
pub fn fs_list(scope: &mut Scope, path: Text) -> Result<Flow, Trap> {
    let (path, room) = (path_of(path), scope.heap().room());
    job(
        scope,
        0,
        move || files::list(&path, room),
        |scope, names| Ok(scope.text_list(names.iter().map(String::as_str))?.into_word()),
    )
}

/// Size, kind, time of the last change, permissions.
pub fn fs_stat(scope: &mut Scope, path: Text, follow: i64) -> Result<Flow, Trap> {
    let path = path_of(path);
    job(
        scope,
        0,
        move || files::stat(&path, follow != 0),
        |scope, numbers| {
            let list = scope.list(shape::LIST_WORD, numbers.len())?;
            list.get().append(&numbers.map(|number| number as Word));
            Ok(list.into_word())
        },
    )
}

/// What is at a path.
pub fn fs_kind(scope: &mut Scope, path: Text) -> Result<Flow, Trap> {
    let path = path_of(path);
    on_pool(scope, 0, move || files::kind_at(&path), |_, kind| Ok(kind.into_word()))
}

/// Removes a file or folder.
pub fn fs_remove(scope: &mut Scope, path: Text, all: i64) -> Result<Flow, Trap> {
    let path = path_of(path);
    effect(scope, 0, move || files::remove(&path, all != 0))
}

/// Makes folders.
pub fn fs_make_dir(scope: &mut Scope, path: Text) -> Result<Flow, Trap> {
    let path = path_of(path);
    effect(scope, 0, move || files::make_dir(&path))
}

/// Gives a file another name.
pub fn fs_rename(scope: &mut Scope, from: Text, to: Text) -> Result<Flow, Trap> {
    let (from, to) = (path_of(from), path_of(to));
    effect(scope, 0, move || files::rename(&from, &to))
}

/// Copies a file.
pub fn fs_copy(scope: &mut Scope, from: Text, to: Text) -> Result<Flow, Trap> {
    let (from, to) = (path_of(from), path_of(to));
    effect(scope, 0, move || files::copy(&from, &to))
}

/// A new file or folder for temporary use.
pub fn fs_temporary(scope: &mut Scope, is_folder: i64) -> Result<Flow, Trap> {
    job(
        scope,
        0,
        move || files::temporary(is_folder != 0),
        |scope, path| Ok(scope.text(&path.to_string_lossy())?.into_word()),
    )
}
