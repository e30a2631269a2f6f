//! New versions of a script while it is served: when its files change (`--watch`), or when asked (SIGHUP).
//!
//! ```text
//! a change is told, or it is time to look ──▶ quiet for a moment ──▶ a file differs ──▶ load ──▶ it serves new requests
//! asked ───────────────────────────────────────────────────────────────────────────────▲ └─▶ or its mistakes are shown
//! ```
//! Loading (parse, check, compile, run the top level) happens on a thread of its own, which no request waits for.
//! Invariants: a version that does not come up replaces nothing; the files that are watched are those of the newest version, and of
//! the attempts since.

use crate::script::{Script, read_used};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use weir_core::{App, Limits, Versions, Watch};

/// Editors and version control write files in several steps: so long nothing must happen before they are looked at, but only
/// so many times.
const QUIET: Duration = Duration::from_millis(50);
const PATIENCE: u32 = 20;
/// How often files are looked at when no change is told; and where the system tells of none.
const SELDOM: Duration = Duration::from_secs(10);
const OFTEN: Duration = Duration::from_secs(1);

/// The files that were read for a version, and what was in them; `None` for one that could not be read.
#[derive(Default)]
pub struct Files(RefCell<BTreeMap<PathBuf, Option<String>>>);

impl Files {
    /// Reads a file and keeps that in mind.
    pub fn read(&self, path: &Path) -> Result<String, String> {
        let read = read_used(path);
        self.0.borrow_mut().insert(path.to_owned(), read.clone().ok());
        read
    }

    /// Keeps in mind what was in the main file.
    pub fn add_main(&self, path: &Path, text: &str) {
        self.0.borrow_mut().insert(path.to_owned(), Some(text.to_owned()));
    }

    /// Whether any of them is different now.
    fn have_changed(&self) -> bool {
        self.0.borrow().iter().any(|(path, text)| read_used(path).ok() != *text)
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.0.borrow().keys().cloned().collect()
    }

    /// Adds those that only another attempt read.
    fn add(&self, others: &Files) {
        for (path, text) in &*others.0.borrow() {
            self.0.borrow_mut().entry(path.clone()).or_insert_with(|| text.clone());
        }
    }
}

/// Loads a script that can serve. What is wrong with it was shown when this gives an exit code.
pub fn load(script: &Script, files: &Files, limits: Limits) -> Result<Arc<App>, u8> {
    let compiled = script.compile_with(&|path| files.read(path))?;
    let module = script.serving(compiled)?;
    App::start(Arc::new(module), Vec::new(), limits).map_err(|failure| crate::script::ended(&failure))
}

/// Loads new versions of a file.
pub struct Reloader {
    bell: Arc<Bell>,
    /// Until its thread takes it.
    work: Mutex<Option<Work>>,
}

struct Work {
    file: PathBuf,
    files: Files,
    limits: Limits,
    versions: Versions,
    /// Whether changes of files matter.
    watches: bool,
}

/// What wakes the thread that loads.
#[derive(Default)]
struct Bell {
    rung: Mutex<Rung>,
    told: Condvar,
}

#[derive(Default)]
struct Rung {
    changed: bool,
    asked: bool,
}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, Rung> {
        // Every change of it is one assignment.
        self.rung.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn ring(&self, how: impl FnOnce(&mut Rung)) {
        how(&mut self.lock());
        self.told.notify_all();
    }

    /// Waits until it rings; whether somebody asked. With a time, it comes back then at the latest.
    fn wait(&self, time: Option<Duration>) -> bool {
        let is_still = |rung: &mut Rung| !rung.changed && !rung.asked;
        let mut rung = match time {
            Some(time) => {
                let waited = self.told.wait_timeout_while(self.lock(), time, is_still);
                waited.unwrap_or_else(|e| e.into_inner()).0
            }
            None => self.told.wait_while(self.lock(), is_still).unwrap_or_else(|e| e.into_inner()),
        };
        rung.changed = false;
        std::mem::take(&mut rung.asked)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring(|rung| rung.changed = true);
    }
}

impl Reloader {
    /// For the file whose version of these files serves now.
    pub fn new(file: &Path, files: Files, limits: Limits, versions: &Versions, watches: bool) -> Self {
        let versions = versions.clone();
        let work = Work { file: file.to_owned(), files, limits, versions, watches };
        Self { bell: Arc::default(), work: Mutex::new(Some(work)) }
    }

    /// Begins to watch.
    pub fn start(&self) -> std::io::Result<()> {
        let work = self.work.lock().unwrap_or_else(|e| e.into_inner()).take();
        let Some(work) = work else { return Ok(()) };
        let bell = Arc::clone(&self.bell);
        thread::Builder::new().name("reload".to_owned()).spawn(move || work.run(&bell))?;
        Ok(())
    }

    /// Wants a new version, whether files have changed or not.
    pub fn ask(&self) {
        self.bell.ring(|rung| rung.asked = true);
        // Without another thread the version stays.
        let _ = self.start();
    }
}

impl Work {
    fn run(mut self, bell: &Arc<Bell>) {
        let mut watch = self.watch();
        loop {
            // Files that changed before they were watched are found at once.
            let is_asked = match &watch {
                Some(_) if self.files.have_changed() => false,
                Some(watch) => wait(watch, bell),
                None => bell.wait(None),
            };
            if let Some(watch) = &watch {
                settle(watch);
            }
            if !is_asked && !self.files.have_changed() {
                continue;
            }
            let before = self.files.paths();
            self.reload();
            if self.files.paths() != before || watch.as_ref().is_some_and(Watch::is_blind) {
                watch = self.watch();
            }
        }
    }

    fn watch(&self) -> Option<Watch> {
        self.watches.then(|| Watch::on(&self.files.paths()))
    }

    fn reload(&mut self) {
        let start = Instant::now();
        let files = Files::default();
        // The main file is read as those it uses are, so that it is among them.
        let name = self.file.display();
        let script = files.read(&self.file).map_err(|why| weir_core::report(&format!("weir: {name}: {why}")));
        let loaded = script.and_then(|text| {
            let script = Script { name: name.to_string(), text };
            load(&script, &files, self.limits).map_err(drop)
        });
        match loaded {
            Ok(app) => {
                self.files = files;
                self.versions.replace(app);
                let time = start.elapsed().as_millis();
                weir_core::report(&format!("weir httpd reloaded {name} ({time} ms)"));
            }
            Err(()) => {
                files.add(&self.files);
                self.files = files;
                weir_core::report(&format!("weir httpd goes on with the version before of {name}"));
            }
        }
    }
}

/// Waits until a change may have happened, or somebody asks: whether they did.
fn wait(watch: &Watch, bell: &Arc<Bell>) -> bool {
    let waker = Waker::from(Arc::clone(bell));
    match watch.poll_changed(&mut Context::from_waker(&waker)) {
        Poll::Ready(()) => false,
        Poll::Pending => bell.wait(Some(if watch.is_blind() { OFTEN } else { SELDOM })),
    }
}

/// Waits until nothing happens any more.
fn settle(watch: &Watch) {
    for _ in 0..PATIENCE {
        watch.clear();
        thread::sleep(QUIET);
        if watch.poll_changed(&mut Context::from_waker(Waker::noop())).is_pending() {
            return;
        }
    }
}
