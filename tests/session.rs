//! Sessions: the entries of a file in `tests/session`, and what `weir` writes to both of its outputs behind them.
//!
//! A file holds the entries, a line `---`, and the output. `WEIR_BLESS=1` rewrites the output.

use std::fs;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const MARK: &str = "---\n";

/// What a session of these entries writes, in order.
fn played(entries: &str) -> String {
    // One open file for both outputs, so that they come in the order in which they were written.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("session-{}", std::process::id()));
    let mut out =
        fs::File::options().read(true).append(true).create(true).open(&path).expect("a writable folder");
    out.set_len(0).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE").stdin(Stdio::piped());
    command.stdout(out.try_clone().expect("a file")).stderr(out.try_clone().expect("a file"));
    let mut child = command.spawn().expect("weir is built");
    child.stdin.take().expect("it is piped").write_all(entries.as_bytes()).expect("weir reads");
    assert!(child.wait().expect("it was started").success(), "a session ends well");
    let mut text = String::new();
    out.rewind().and_then(|()| out.read_to_string(&mut text)).expect("UTF-8");
    fs::remove_file(&path).expect("it is there");
    text
}

// rule: repl.entry
// rule: repl.lines
// rule: repl.again
// rule: repl.whole
// rule: repl.lets
#[test]
fn sessions_write_what_they_are_to_write() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/session");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the folder").map(|f| f.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there are sessions");
    for path in files {
        let file = fs::read_to_string(&path).expect("UTF-8");
        let (entries, expected) = file.split_once(MARK).unwrap_or((&file, ""));
        let output = played(entries);
        if std::env::var_os("WEIR_BLESS").is_some() {
            fs::write(&path, format!("{entries}{MARK}{output}")).expect("writable");
        } else {
            assert_eq!(output, expected, "{}", path.display());
        }
    }
}
