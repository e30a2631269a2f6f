//! What the tests of the `weir` binary share: processes, HTTP clients, scripted upstreams, golden programs.
//!
//! Rules of the house: no test sleeps to wait for something, none guesses a port, none probes with a connection. A test
//! waits by reading what it waits for; [`GUARD`] only turns a hang into a failure.

use std::path::{Path, PathBuf};
use std::time::Duration;

pub mod client;
pub mod golden;
pub mod upstream;
pub mod weir_process;

/// How long any single wait may take before the test fails. Long, since nothing but a broken program ever waits for it.
pub const GUARD: Duration = Duration::from_secs(if cfg!(feature = "stress") { 120 } else { 20 });

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// A directory of this test's own below cargo's temporary one, empty.
pub fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("cargo's temporary directory is writable");
    dir
}
