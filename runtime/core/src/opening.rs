//! Opens files that are to be sent; jobs for the blocking pool, without scope or values.
//!
//! In: a path, and the folder that it has to stay in, where it comes from a client. Out: an open file with what is known about
//! it, or an [`Absence`].
//! Invariants: only regular files are opened for good, and nothing that is asked for can block, as a pipe without a writer
//! would; below a folder neither `..` nor a link leads out of it, whatever else changes files meanwhile.
//! Not here: reading (`service::file`).

use crate::files::reason;
use rustix::fs::{Mode, OFlags, fstat};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file that is to be sent.
#[derive(Debug)]
pub struct Opened {
    /// A regular file, for reading.
    pub file: File,
    /// For messages.
    pub path: PathBuf,
    /// Its size when it was opened: so many bytes are sent.
    pub size: u64,
    /// When its contents changed last.
    pub modified: SystemTime,
}

/// Why there is no file to be sent.
#[derive(Debug)]
pub enum Absence {
    /// There is none of that name, or what has it is a folder or no file at all; or it lies elsewhere.
    Missing,
    /// It may not be read.
    Forbidden,
    /// Something else went wrong; for people, begins with the path.
    Failed(String),
}

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// Opens the file at `path`; with `root` the one at that path below it, a `/` at its beginning or not.
pub fn open(path: &Path, root: Option<&Path>) -> Result<Opened, Absence> {
    let file = match root {
        None => rustix::fs::open(path, FLAGS, Mode::empty()).map_err(|errno| absence(path, errno))?,
        Some(root) => open_below(root, path)?,
    };
    let stat = fstat(&file).map_err(|errno| absence(path, errno))?;
    if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(Absence::Missing);
    }
    let modified = moment(stat.st_mtime, stat.st_mtime_nsec as u32);
    Ok(Opened { file: file.into(), path: path.to_owned(), size: stat.st_size as u64, modified })
}

fn open_below(root: &Path, path: &Path) -> Result<OwnedFd, Absence> {
    let flags = OFlags::DIRECTORY.union(OFlags::CLOEXEC).union(OFlags::RDONLY);
    // That the folder is missing is the script's mistake, not the client's.
    let folder = rustix::fs::open(root, flags, Mode::empty()).map_err(|errno| failed(root, errno))?;
    let bytes = path.as_os_str().as_encoded_bytes();
    let slashes = bytes.iter().take_while(|byte| **byte == b'/').count();
    let below: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&bytes[slashes..]);
    beneath::open(&folder, root, Path::new(below)).map_err(|errno| absence(path, errno))
}

#[cfg(target_os = "linux")]
mod beneath {
    //! The kernel resolves the path.

    use super::{Errno, FLAGS, Mode, OwnedFd, Path};
    use rustix::fs::{ResolveFlags, openat2};

    /// How often a path is tried again that changed while it was resolved.
    const ATTEMPTS: usize = 16;

    pub fn open(folder: &OwnedFd, root: &Path, below: &Path) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let mut result = Err(Errno::AGAIN);
        for _ in 0..ATTEMPTS {
            result = openat2(folder, below, FLAGS, Mode::empty(), resolve);
            if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
                break;
            }
        }
        match result {
            // Kernels before 5.6 do not know the call, and some sandboxes forbid what they do not know.
            Err(Errno::NOSYS | Errno::PERM) => super::checked::open(root, below),
            result => result,
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod beneath {
    use super::{Errno, OwnedFd, Path};

    pub fn open(_: &OwnedFd, root: &Path, below: &Path) -> Result<OwnedFd, Errno> {
        super::checked::open(root, below)
    }
}

mod checked {
    //! Without help of the kernel: who may change the folder while a request is answered can lead out of it.

    use super::{Errno, FLAGS, Mode, OwnedFd, Path};
    use std::io;

    pub fn open(root: &Path, below: &Path) -> Result<OwnedFd, Errno> {
        let whole = |path: &Path| std::fs::canonicalize(path).map_err(errno);
        let (root, path) = (whole(root)?, whole(&root.join(below))?);
        if !path.starts_with(&root) {
            return Err(Errno::XDEV);
        }
        rustix::fs::open(&path, FLAGS, Mode::empty())
    }

    fn errno(error: io::Error) -> Errno {
        Errno::from_io_error(&error).unwrap_or(Errno::INVAL)
    }
}

fn absence(path: &Path, errno: Errno) -> Absence {
    match errno {
        // No such name; or one that none can have; or a socket; or one outside of the folder.
        Errno::NOENT
        | Errno::NOTDIR
        | Errno::ISDIR
        | Errno::LOOP
        | Errno::NAMETOOLONG
        | Errno::INVAL
        | Errno::NXIO
        | Errno::NODEV
        | Errno::XDEV => Absence::Missing,
        Errno::ACCESS | Errno::PERM => Absence::Forbidden,
        other => failed(path, other),
    }
}

fn failed(path: &Path, errno: Errno) -> Absence {
    Absence::Failed(format!("{}: {}", path.display(), reason(&errno.into())))
}

/// A time of the file system.
fn moment(seconds: i64, nanos: u32) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let moment = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    moment.and_then(|moment| moment.checked_add(Duration::from_nanos(nanos.into()))).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    /// A folder `root` with a file `in` and a folder `sub`, beside a file `out`.
    fn scratch() -> (PathBuf, PathBuf) {
        let all = crate::files::temporary(true).expect("a folder for temporary files");
        let root = all.join("root");
        std::fs::create_dir_all(root.join("sub")).expect("own folder");
        std::fs::write(root.join("in"), "in").expect("own folder");
        std::fs::write(root.join("sub/deep"), "deep").expect("own folder");
        std::fs::write(all.join("out"), "out").expect("own folder");
        (all, root)
    }

    fn text(opened: Result<Opened, Absence>) -> String {
        match opened {
            Ok(mut opened) => {
                let mut text = String::new();
                opened.file.read_to_string(&mut text).expect("text");
                assert_eq!(text.len() as u64, opened.size);
                text
            }
            Err(absence) => format!("{absence:?}"),
        }
    }

    #[test]
    fn nothing_leads_out_of_a_folder() {
        let (all, root) = scratch();
        for (name, to) in [
            ("inner", "in"),
            ("deeper", "sub/deep"),
            ("outer", "../out"),
            ("absolute", "/etc/passwd"),
            ("up", ".."),
        ] {
            symlink(to, root.join(name)).expect("own folder");
        }
        symlink("loop", root.join("loop")).expect("own folder");
        let outside = all.join("out").display().to_string();
        for (path, expected) in [
            ("in", "in"),
            ("/in", "in"),
            ("///in", "in"),
            ("sub/deep", "deep"),
            ("sub/../in", "in"),
            ("./in", "in"),
            ("inner", "in"),
            ("deeper", "deep"),
            ("", "Missing"),
            ("/", "Missing"),
            ("sub", "Missing"),
            ("in/", "Missing"),
            ("in/x", "Missing"),
            ("none", "Missing"),
            ("..", "Missing"),
            ("../out", "Missing"),
            ("../root/in", "Missing"),
            ("sub/../../out", "Missing"),
            ("outer", "Missing"),
            ("absolute", "Missing"),
            ("up/out", "Missing"),
            ("loop", "Missing"),
            ("a\0b", "Missing"),
            (outside.as_str(), "Missing"),
            (&"x".repeat(300), "Missing"),
            (&"x/".repeat(5000), "Missing"),
        ] {
            assert_eq!(text(open(Path::new(path), Some(&root))), expected, "{path:?}");
            if let Ok(fd) = checked::open(&root, Path::new(path.trim_start_matches('/'))) {
                let mut text = String::new();
                let read = File::from(fd).read_to_string(&mut text);
                // Without the kernel's help, what leads out and in again is let through.
                assert!(read.is_err() || ["in", "deep"].contains(&&*text), "{path:?}: {text}");
            }
        }
        assert_eq!(text(open(Path::new(&outside), None)), "out");
        std::fs::remove_dir_all(all).expect("own folder");
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let (all, root) = scratch();
        rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe"), rustix::fs::FileType::Fifo, Mode::RWXU, 0)
            .expect("own folder");
        drop(std::os::unix::net::UnixListener::bind(root.join("socket")).expect("own folder"));
        for path in ["pipe", "socket", "sub"] {
            assert_eq!(text(open(Path::new(path), Some(&root))), "Missing", "{path}");
            assert_eq!(text(open(&root.join(path), None)), "Missing", "{path}");
        }
        assert_eq!(text(open(Path::new("/dev/null"), None)), "Missing");
        let Err(Absence::Failed(why)) = open(Path::new("x"), Some(&all.join("none"))) else {
            panic!("a folder that is missing is a failure")
        };
        assert!(why.ends_with("/none: no such file"), "{why}");
        std::fs::remove_dir_all(all).expect("own folder");
    }
}
