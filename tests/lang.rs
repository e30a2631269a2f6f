//! Runs the golden programs of `tests/lang`, each in a process of its own, a few at a time.
//!
//! `cargo test --test lang` runs all, `cargo test --test lang -- match trap` those whose path contains one of the words.
//! `WEIR_BLESS=1 cargo test --test lang`, or `-- --bless`, rewrites the expectations of those that differ; look at the
//! difference before you commit it. The format of a program is described in `support/golden.rs`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, panic, thread};

#[allow(dead_code, reason = "each test binary uses its part of the support")]
mod support;

/// What the command line asks for. Options of the usual test harness that mean nothing here are ignored.
struct Options {
    bless: bool,
    list: bool,
    words: Vec<String>,
}

impl Options {
    fn read() -> Self {
        let bless = env::var_os("WEIR_BLESS").is_some_and(|v| !v.is_empty());
        let mut options = Options { bless, list: false, words: Vec::new() };
        for arg in env::args().skip(1) {
            match arg.as_str() {
                "--bless" => options.bless = true,
                "--list" => options.list = true,
                word if word.starts_with('-') => {}
                word => options.words.push(word.to_owned()),
            }
        }
        options
    }

    fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|w| name.contains(w.as_str()))
    }
}

fn main() -> ExitCode {
    let options = Options::read();
    let dir = support::root().join("tests/lang");
    let mut names = Vec::new();
    find_programs(&dir, Path::new(""), &mut names);
    names.sort();
    names.retain(|n| options.wants(n));
    if options.list {
        names.iter().for_each(|n| println!("{n}: test"));
        return ExitCode::SUCCESS;
    }
    // A panic of the support is a failure of its program, told with the others.
    panic::set_hook(Box::new(|_| {}));
    let scratch = support::scratch("lang");
    let failures = run_all(&dir, &scratch, &names, options.bless);
    let _ = fs::remove_dir_all(&scratch);
    for (name, why) in &failures {
        println!("---- {name} ----\n{why}");
    }
    println!("{} programs, {} failed", names.len(), failures.len());
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every `.weir` file below `dir`, as a path relative to it.
fn find_programs(dir: &Path, below: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(dir.join(below)).expect("tests/lang can be read") {
        let entry = entry.expect("tests/lang can be read");
        let path: PathBuf = below.join(entry.file_name());
        if entry.file_type().expect("tests/lang can be read").is_dir() {
            find_programs(dir, &path, names);
        } else if path.extension().is_some_and(|e| e == "weir") {
            names.push(path.to_str().expect("names of programs are UTF-8").to_owned());
        }
    }
}

/// Runs the programs on a thread per core; the failures in order of name.
fn run_all(dir: &Path, scratch: &Path, names: &[String], bless: bool) -> Vec<(String, String)> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // A folder of its own: programs may write files of the same name.
                    let own = scratch.join(name.replace(['/', '.'], "-"));
                    let outcome = panic::catch_unwind(|| support::golden::check(dir, &own, name, bless));
                    match outcome.unwrap_or_else(|panic| Err(message(&panic))) {
                        Ok(true) => println!("blessed {name}"),
                        Ok(false) => {}
                        Err(why) => failures.lock().expect("no holder panics").push((name.clone(), why)),
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("no holder panics");
    failures.sort();
    failures
}

fn message(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("the test panicked").to_owned()
}
