//! What natives do with files: jobs for the blocking pool, without scope or values.
//!
//! In: paths and contents. Out: contents, or a [`Refusal`] whose message names the path.
//! Invariants: a file that is written whole is never seen half written; a read keeps to its limit whatever the file's size says.

use std::fs::{self, File, FileType, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Why a file could not be had: a kind of failure, and what happened.
#[derive(Debug)]
pub struct Refusal {
    /// One of [`crate::failure::KINDS`].
    pub kind: &'static str,
    /// For people; begins with the path.
    pub message: String,
}

impl Refusal {
    /// What an error of the system means for that path.
    pub fn of(path: &Path, error: &io::Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::NotFound => "missing",
            _ => "io",
        };
        Self { kind, message: format!("{}: {}", path.display(), reason(error)) }
    }

    fn new(kind: &'static str, path: &Path, what: impl std::fmt::Display) -> Self {
        Self { kind, message: format!("{}: {what}", path.display()) }
    }
}

/// What an error of the system says, without its number.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "is a directory".to_owned(),
        ErrorKind::NotADirectory => "not a directory".to_owned(),
        ErrorKind::DirectoryNotEmpty => "directory not empty".to_owned(),
        ErrorKind::AlreadyExists => "exists already".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

fn refuse(path: &Path) -> impl Fn(io::Error) -> Refusal {
    move |error| Refusal::of(path, &error)
}

/// The bytes of a file of at most `most`.
pub fn read(path: &Path, most: usize) -> Result<Vec<u8>, Refusal> {
    let file = File::open(path).map_err(refuse(path))?;
    let size = file.metadata().map_or(0, |data| data.len());
    let too_large = || Refusal::new("limit", path, "larger than the heap has room for");
    let expected = usize::try_from(size).ok().filter(|size| *size <= most).ok_or_else(too_large)?;
    let mut bytes = Vec::with_capacity(expected);
    file.take((most as u64).saturating_add(1)).read_to_end(&mut bytes).map_err(refuse(path))?;
    if bytes.len() <= most { Ok(bytes) } else { Err(too_large()) }
}

/// The text of a file of at most `most` bytes.
pub fn read_text(path: &Path, most: usize) -> Result<String, Refusal> {
    String::from_utf8(read(path, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Refusal::new("invalid", path, format!("not UTF-8 at byte {at}"))
    })
}

/// Puts a file with these contents in the place of the one at `path`, all at once; with `sync` it is on the disk when this
/// returns. A link stays one, and what is no file (a pipe, a device) is written to as it is.
pub fn write(path: &Path, contents: &[u8], sync: bool) -> Result<(), Refusal> {
    let old = fs::metadata(path).ok();
    if old.as_ref().is_some_and(|data| !data.is_file()) {
        let mut file = OpenOptions::new().write(true).open(path).map_err(refuse(path))?;
        return file.write_all(contents).map_err(refuse(path));
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (mut file, beside) = create_beside(&target).map_err(refuse(path))?;
    let written = (|| {
        if let Some(old) = old {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(contents)?;
        if sync {
            file.sync_all()?;
        }
        fs::rename(&beside, &target)?;
        if sync {
            File::open(folder_of(&target))?.sync_all()?;
        }
        Ok(())
    })();
    written.map_err(|error| {
        // What failed is said; that a rest of it stays is not worth another word.
        let _ = fs::remove_file(&beside);
        Refusal::of(path, &error)
    })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file in the same folder, under a name that nobody else has.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let name = path.file_name().ok_or(ErrorKind::IsADirectory)?.to_string_lossy().into_owned();
    fresh(folder_of(path), &format!(".{name}."), |path| {
        OpenOptions::new().write(true).create_new(true).open(path)
    })
}

/// What `make` makes at a random name in `folder`.
fn fresh<T>(folder: &Path, prefix: &str, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<(T, PathBuf)> {
    /// More than a folder has files whose random names meet.
    const ATTEMPTS: usize = 16;
    let mut last = io::Error::from(ErrorKind::AlreadyExists);
    for _ in 0..ATTEMPTS {
        let path = folder.join(format!("{prefix}{:016x}", getrandom::u64()?));
        match make(&path) {
            Ok(made) => return Ok((made, path)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Adds to the end of a file, which is made when there is none.
pub fn append(path: &Path, contents: &[u8]) -> Result<(), Refusal> {
    let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(refuse(path))?;
    file.write_all(contents).map_err(refuse(path))
}

/// The names in a folder, sorted; what is not UTF-8 in them is replaced. Together at most `most` bytes.
pub fn list(path: &Path, most: usize) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    let mut size = 0;
    for entry in fs::read_dir(path).map_err(refuse(path))? {
        let name = entry.map_err(refuse(path))?.file_name().to_string_lossy().into_owned();
        size += name.len() + size_of::<String>();
        if size > most {
            return Err(Refusal::new("limit", path, "more names than the heap has room for"));
        }
        names.push(name);
    }
    names.sort_unstable();
    Ok(names)
}

/// What a file is, as the library numbers it.
pub fn kind_of(file_type: FileType) -> i64 {
    match file_type {
        kind if kind.is_file() => 1,
        kind if kind.is_dir() => 2,
        kind if kind.is_symlink() => 3,
        _ => 4,
    }
}

/// What is at a path, behind links: see [`kind_of`]; 0 for nothing that can be seen.
pub fn kind_at(path: &Path) -> i64 {
    fs::metadata(path).map_or(0, |data| kind_of(data.file_type()))
}

/// Size in bytes, kind, time of the last change in nanoseconds since 1970, permission bits.
pub fn stat(path: &Path, follow: bool) -> Result<[i64; 4], Refusal> {
    let data = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) }.map_err(refuse(path))?;
    Ok([data.len() as i64, kind_of(data.file_type()), changed(&data), mode(&data)])
}

fn changed(data: &Metadata) -> i64 {
    let nanos = |time: SystemTime| match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    };
    data.modified().map_or(0, nanos)
}

fn mode(data: &Metadata) -> i64 {
    use std::os::unix::fs::PermissionsExt;
    i64::from(Permissions::mode(&data.permissions()) & 0o7777)
}

/// Removes a file, a link or an empty folder; with `all` a folder with all that is in it.
pub fn remove(path: &Path, all: bool) -> Result<(), Refusal> {
    let data = fs::symlink_metadata(path).map_err(refuse(path))?;
    let removed = match (data.is_dir(), all) {
        (false, _) => fs::remove_file(path),
        (true, false) => fs::remove_dir(path),
        (true, true) => fs::remove_dir_all(path),
    };
    removed.map_err(refuse(path))
}

/// Makes a folder and those above it; one that is there already is fine.
pub fn make_dir(path: &Path) -> Result<(), Refusal> {
    fs::create_dir_all(path).map_err(refuse(path))
}

/// Gives a file another name, in place of what has it.
pub fn rename(from: &Path, to: &Path) -> Result<(), Refusal> {
    fs::rename(from, to).map_err(refuse(from))
}

/// Copies a file's contents and permissions to another one, in place of what it held.
pub fn copy(from: &Path, to: &Path) -> Result<(), Refusal> {
    if fs::metadata(from).map_err(refuse(from))?.is_dir() {
        return Err(Refusal::of(from, &ErrorKind::IsADirectory.into()));
    }
    fs::copy(from, to).map(drop).map_err(refuse(to))
}

/// A new empty file, or folder, of the user's alone in the system's folder for temporary files.
pub fn temporary(is_folder: bool) -> Result<PathBuf, Refusal> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let folder = std::env::temp_dir();
    let made = fresh(&folder, "weir-", |path| {
        if is_folder {
            fs::DirBuilder::new().mode(0o700).create(path)
        } else {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
        }
    });
    made.map(|((), path)| path).map_err(refuse(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> PathBuf {
        temporary(true).expect("a folder for temporary files")
    }

    #[test]
    fn files_are_replaced_whole() {
        let dir = scratch();
        let (file, link) = (dir.join("a"), dir.join("link"));
        write(&file, b"one", false).expect("written");
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o640)).expect("own file");
        std::os::unix::fs::symlink("a", &link).expect("a link");
        write(&link, b"two", true).expect("written");
        assert_eq!(read(&file, 3).expect("read"), b"two");
        assert_eq!(stat(&file, true).expect("there")[3], 0o640);
        assert_eq!(stat(&link, false).expect("there")[1], 3);
        assert_eq!(list(&dir, 1000).expect("listed"), ["a", "link"]);
        assert_eq!(write(&dir, b"x", false).expect_err("a folder").kind, "io");
        assert_eq!(write(&dir.join("no/file"), b"x", false).expect_err("no folder").kind, "missing");
        remove(&dir, true).expect("removed");
    }

    #[test]
    fn reads_keep_to_their_limit() {
        let dir = scratch();
        let file = dir.join("a");
        append(&file, b"123").expect("written");
        append(&file, b"4\xff").expect("written");
        assert_eq!(read(&file, 5).expect("read"), b"1234\xff");
        assert_eq!(read(&file, 4).expect_err("too large").kind, "limit");
        assert!(read_text(&file, 5).expect_err("not a text").message.ends_with("a: not UTF-8 at byte 4"));
        assert_eq!(read(Path::new("/proc/self/status"), 10).expect_err("its size says 0").kind, "limit");
        assert_eq!(list(&dir, 10).expect_err("too many").kind, "limit");
        remove(&dir, true).expect("removed");
    }

    #[test]
    fn devices_are_written_to() {
        write(Path::new("/dev/null"), b"gone", false).expect("written");
        assert_eq!(kind_at(Path::new("/dev/null")), 4);
    }
}
