//! Changes of files, told by the system: one watcher for the process, with one thread.
//!
//! In: paths. Out: a [`Watch`] that becomes ready when something may have happened to what these paths name: written, renamed,
//! removed, made, or put in another's place. What happened, its owner looks up.
//! The folders of the files are watched, not the files, for editors and log rotation put new files in the place of old ones; also those
//! that symbolic links on the way lead to.
//! Invariants: the thread that tells holds `places` only, and never waits for the one that asks; a folder is watched as long as a
//! `Watch` wants it. Where the system cannot watch, [`Watch::is_blind`] says so, and its owner has to look now and then.

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// How many symbolic links are followed from a path.
const LINKS: usize = 16;

/// Hears of changes until it is dropped.
#[derive(Debug)]
pub struct Watch {
    /// Folder and name in it.
    places: Vec<(PathBuf, OsString)>,
    signal: Arc<Signal>,
    is_blind: bool,
}

#[derive(Debug, Default)]
struct Signal {
    has_changed: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// Everything that is watched.
struct Hub {
    /// Asked by one at a time, without `places`: its thread may be telling something.
    watcher: Mutex<Option<RecommendedWatcher>>,
    places: Mutex<BTreeMap<PathBuf, Folder>>,
}

/// A folder of which somebody wants to hear.
#[derive(Default)]
struct Folder {
    /// Device and number of the folder that is watched under this path; `None` when none is.
    watched: Option<(u64, u64)>,
    names: BTreeMap<OsString, Vec<Arc<Signal>>>,
}

static HUB: Hub = Hub { watcher: Mutex::new(None), places: Mutex::new(BTreeMap::new()) };

/// Every change under these locks is complete or harmless.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

impl Watch {
    /// Watches what these paths name. Takes system calls, some microseconds each.
    pub fn on<P: AsRef<Path>>(paths: &[P]) -> Self {
        let mut watch = Self { places: Vec::new(), signal: Arc::default(), is_blind: false };
        for path in paths {
            watch.add(path.as_ref());
        }
        watch
    }

    /// Follows a path, name by name: each symbolic link on it may be changed, and what it ends at.
    fn add(&mut self, path: &Path) {
        let Ok(path) = std::path::absolute(path) else {
            self.is_blind = true;
            return;
        };
        let mut left: Vec<OsString> = names(&path);
        let mut at = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = left.pop() {
            if name == ".." {
                at.pop();
                continue;
            }
            let target = fs::read_link(at.join(&name)).ok().filter(|_| links < LINKS);
            if target.is_some() || left.is_empty() {
                self.is_blind |= !HUB.add(&at, &name, &self.signal);
                self.places.push((at.clone(), name.clone()));
            }
            match target {
                Some(target) => {
                    links += 1;
                    if target.is_absolute() {
                        at = PathBuf::from("/");
                    }
                    left.extend(names(&target));
                }
                None => at.push(name),
            }
        }
    }

    /// Whether the system does not tell of all changes.
    pub fn is_blind(&self) -> bool {
        self.is_blind
    }

    /// Forgets what was told so far. Called before one looks: what happens from then on is told.
    pub fn clear(&self) {
        self.signal.has_changed.store(false, SeqCst);
    }

    /// Ready when something may have changed since it was cleared.
    pub fn poll_changed(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.signal.has_changed.load(SeqCst) {
            *lock(&self.signal.waker) = Some(cx.waker().clone());
        }
        if self.signal.has_changed.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// The names of a path, the first one last.
fn names(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    let mut names: Vec<OsString> = names.collect();
    names.reverse();
    names
}

impl Drop for Watch {
    fn drop(&mut self) {
        for (folder, name) in &self.places {
            HUB.remove(folder, name, &self.signal);
        }
    }
}

impl Signal {
    fn tell(&self) {
        self.has_changed.store(true, SeqCst);
        if let Some(waker) = lock(&self.waker).take() {
            waker.wake();
        }
    }
}

impl Hub {
    /// Whether the system will tell of it.
    fn add(&'static self, folder: &Path, name: &OsStr, signal: &Arc<Signal>) -> bool {
        let mut watcher = lock(&self.watcher);
        let id = fs::metadata(folder).ok().map(|facts| (facts.dev(), facts.ino()));
        let before = {
            let mut places = lock(&self.places);
            let place = places.entry(folder.to_owned()).or_default();
            place.names.entry(name.to_owned()).or_default().push(Arc::clone(signal));
            place.watched
        };
        if id.is_some() && before == id {
            return true;
        }
        if watcher.is_none() {
            *watcher = notify::recommended_watcher(|event| self.tell(event)).ok();
        }
        let Some(watcher) = &mut *watcher else { return false };
        if before.is_some() {
            // Another folder has its path now. The old one is gone, and with it its watch.
            let _ = watcher.unwatch(folder);
        }
        let is_watched = watcher.watch(folder, RecursiveMode::NonRecursive).is_ok();
        if let Some(place) = lock(&self.places).get_mut(folder) {
            place.watched = id.filter(|_| is_watched);
        }
        is_watched
    }

    fn remove(&self, folder: &Path, name: &OsStr, signal: &Arc<Signal>) {
        let mut watcher = lock(&self.watcher);
        {
            let mut places = lock(&self.places);
            let Some(place) = places.get_mut(folder) else { return };
            if let Some(signals) = place.names.get_mut(name) {
                if let Some(at) = signals.iter().position(|known| Arc::ptr_eq(known, signal)) {
                    signals.swap_remove(at);
                }
                if signals.is_empty() {
                    place.names.remove(name);
                }
            }
            if !place.names.is_empty() {
                return;
            }
            places.remove(folder);
        }
        if let Some(watcher) = &mut *watcher {
            // It may be gone, and its watch with it.
            let _ = watcher.unwatch(folder);
        }
    }

    /// On the watcher's thread: wakes whoever wants to hear of it, without the lock: nobody knows what that leads to.
    fn tell(&self, event: notify::Result<Event>) {
        for signal in self.concerned(event) {
            signal.tell();
        }
    }

    fn concerned(&self, event: notify::Result<Event>) -> Vec<Arc<Signal>> {
        let places = lock(&self.places);
        match event {
            // Reading changes nothing.
            Ok(Event { kind: EventKind::Access(_), .. }) => Vec::new(),
            Ok(event) if !event.need_rescan() => {
                let mut signals = Vec::new();
                for path in &event.paths {
                    let place = path.parent().and_then(|folder| places.get(folder));
                    let named = place.zip(path.file_name()).and_then(|(place, name)| place.names.get(name));
                    signals.extend(named.into_iter().flatten().cloned());
                    // What happens to a folder itself happens to all in it.
                    let inside = places.get(path).into_iter().flat_map(|place| place.names.values());
                    signals.extend(inside.flatten().cloned());
                }
                signals
            }
            // Something was missed.
            _ => places.values().flat_map(|place| place.names.values()).flatten().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::time::Duration;
    use tokio::time::timeout;

    async fn told(watch: &Watch) {
        let changed = poll_fn(|cx| watch.poll_changed(cx));
        timeout(Duration::from_secs(60), changed).await.expect("a change is told");
        watch.clear();
    }

    #[test]
    fn changes_are_told_through_links_and_replacements() {
        let dir = std::env::temp_dir().join(format!("weir-watch-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("far")).expect("a folder");
        std::os::unix::fs::symlink("far/real", dir.join("link")).expect("a link");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let watch = Watch::on(&[dir.join("link"), dir.join("own")]);
            let second = Watch::on(&[dir.join("own")]);
            assert!(!watch.is_blind());
            fs::write(dir.join("far/real"), "made").expect("written");
            told(&watch).await;
            fs::write(dir.join("new"), "other").expect("written");
            fs::rename(dir.join("new"), dir.join("own")).expect("renamed");
            told(&watch).await;
            told(&second).await;
            drop(second);
            fs::remove_file(dir.join("own")).expect("removed");
            told(&watch).await;
            // A link to a folder on the way is changed.
            let deep = Watch::on(&[dir.join("folder/real")]);
            assert!(deep.is_blind());
            std::os::unix::fs::symlink("far", dir.join("folder")).expect("a link");
            let deep = Watch::on(&[dir.join("folder/real")]);
            assert!(!deep.is_blind());
            std::os::unix::fs::symlink("elsewhere", dir.join("new")).expect("a link");
            fs::rename(dir.join("new"), dir.join("folder")).expect("renamed");
            told(&deep).await;
        });
        assert!(Watch::on(&[dir.join("no/such/folder")]).is_blind());
        let canonical = fs::canonicalize(&dir).expect("it is there");
        assert!(!lock(&HUB.places).contains_key(&canonical), "a folder is watched for nobody");
        fs::remove_dir_all(&dir).expect("removed");
    }
}
