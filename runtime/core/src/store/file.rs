//! Entries in an SQLite file.
//!
//! ```text
//! ask ──Job──▶ the file's thread: reads at once; writes that wait together in one transaction ──▶ replies
//! ```
//! In: keys and blocks, from any worker. Out: answers that come when they hold: of a write, when it is on the disk.
//! Invariants: one thread per file and process talks to SQLite, so no worker ever waits for a disk. A write is answered behind
//! the commit of its transaction (WAL, `synchronous=FULL`), or with a failure, and then it did not happen. Every job is one
//! statement that changes something, so that a failing one leaves nothing of itself. Other processes may use the file as well.
//! Not here: what blocks mean (`carry`); that their type is that of the table's row is seen to when a store is opened.

use super::{Answer, Found, Put};
use crate::carry::{Block, Kind};
use crate::clock::wall_clock;
use crate::failure::Failure;
use crate::names::{lock, other_type};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long another process may keep the file locked, until an operation fails.
const BUSY: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 5_000 });
/// How many writes share a transaction at most.
const TOGETHER: usize = 1024;
/// How many entries whose time is over go with each transaction.
const SWEPT: i64 = 64;

/// The tables. Keys are compared as bytes; times are nanoseconds since 1970.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS weir_store (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS weir_entry (
        store INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL, ends INTEGER,
        PRIMARY KEY (store, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS weir_ends ON weir_entry (ends) WHERE ends IS NOT NULL;
";

/// Tells whoever asked, once it is known whether the transaction holds.
type Reply = Box<dyn FnOnce(Result<(), Failure>) + Send>;

/// Does what was asked for; not when there is no transaction to do it in.
type Run = Box<dyn FnOnce(Result<&Connection, Failure>) -> Reply + Send>;

/// What the thread is asked for.
struct Job {
    writes: bool,
    run: Run,
}

/// A file and its thread, which ends with the last one who has it.
#[derive(Debug)]
struct Database {
    path: PathBuf,
    jobs: Sender<Job>,
}

/// The files in use, by their resolved paths.
static FILES: Mutex<Option<HashMap<PathBuf, Weak<Database>>>> = Mutex::new(None);

/// What went wrong, with the file's name.
fn failure(path: &Path, error: impl Display) -> Failure {
    Failure::of_kind("io", format!("{}: {error}", path.display()))
}

impl Database {
    /// The database at `path`, which is made when there is none. Blocks.
    fn open(path: &Path) -> Result<Arc<Self>, Failure> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.canonicalize().map_err(|error| failure(path, error))?;
        let Some(name) = path.file_name() else { return Err(failure(path, "this is no file")) };
        let whole = folder.join(name);
        let mut files = lock(&FILES);
        let files = files.get_or_insert_with(HashMap::new);
        if let Some(database) = files.get(&whole).and_then(Weak::upgrade) {
            return Ok(database);
        }
        files.retain(|_, database| database.strong_count() > 0);
        let connection = connect(&whole).map_err(|error| failure(path, error))?;
        let (jobs, asked) = channel();
        let shown = path.to_owned();
        thread::Builder::new()
            .name("weir-store".to_owned())
            .spawn(move || work(&shown, connection, &asked))
            .map_err(|error| failure(path, error))?;
        let database = Arc::new(Self { path: path.to_owned(), jobs });
        files.insert(whole, Arc::downgrade(&database));
        Ok(database)
    }

    /// Asks the thread for what `work` gives.
    fn ask<T: Send + 'static>(
        &self,
        writes: bool,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        let path = self.path.clone();
        let run = move |connection: Result<&Connection, Failure>| -> Reply {
            let result = connection.and_then(|c| work(c).map_err(|error| failure(&path, error)));
            // Nobody may be waiting any more.
            Box::new(move |holds| drop(reply.send(holds.and(result))))
        };
        // A thread that is gone drops the reply's sender with the job.
        let _ = self.jobs.send(Job { writes, run: Box::new(run) });
        let path = self.path.clone();
        Answer::Later(Box::pin(async move {
            answer.await.unwrap_or_else(|_| Err(failure(&path, "the store's thread has ended")))
        }))
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

/// The thread: does what it is asked for until nobody is left to ask.
fn work(path: &Path, connection: Connection, asked: &Receiver<Job>) {
    while let Ok(first) = asked.recv() {
        let jobs = std::iter::once(first).chain(asked.try_iter().take(TOGETHER));
        let (writes, reads): (Vec<Job>, Vec<Job>) = jobs.partition(|job| job.writes);
        for job in reads {
            (job.run)(Ok(&connection))(Ok(()));
        }
        if !writes.is_empty() {
            write(path, &connection, writes);
        }
    }
}

/// Does writes in one transaction, and replies when it is on the disk.
fn write(path: &Path, connection: &Connection, jobs: Vec<Job>) {
    let begin = || connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| failure(path, error));
    let mut begun = begin();
    let mut replies: Vec<Reply> = Vec::new();
    for job in jobs {
        replies.push((job.run)(begun.as_ref().map(|()| connection).map_err(Clone::clone)));
        // A full disk and the like take the whole transaction back.
        if begun.is_ok() && connection.is_autocommit() {
            let lost = failure(path, "the transaction was taken back");
            replies.drain(..).for_each(|reply| reply(Err(lost.clone())));
            begun = begin();
        }
    }
    let committed = begun.and_then(|()| {
        // What is over may stay when this fails.
        let _ = sweep(connection);
        connection.execute_batch("COMMIT").map_err(|error| failure(path, error))
    });
    if !connection.is_autocommit() {
        // Without a transaction there is nothing to take back.
        let _ = connection.execute_batch("ROLLBACK");
    }
    replies.into_iter().for_each(|reply| reply(committed.clone()));
}

fn sweep(connection: &Connection) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM weir_entry WHERE (store, key) IN
             (SELECT store, key FROM weir_entry WHERE ends <= ?1 LIMIT ?2)",
        )?
        .execute(params![wall_clock(), SWEPT])
}

/// The entries of one store in a file.
#[derive(Debug)]
pub struct FileStore {
    database: Arc<Database>,
    /// Its row.
    id: i64,
}

impl FileStore {
    /// The store of that name in the file at `path`, for values of that type. Blocks.
    ///
    /// # Errors
    /// A file that cannot be opened, or in which the store is one of another type.
    pub fn open(name: &str, path: &Path, kind: &Kind) -> Result<Self, Failure> {
        let database = Database::open(path)?;
        let (wanted, named) = (kind.clone(), name.to_owned());
        let row = database.ask(true, move |connection| {
            let select = "SELECT id, type FROM weir_store WHERE name = ?1";
            let there = connection
                .query_row(select, [&named], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
                .optional()?;
            if let Some(there) = there {
                return Ok(there);
            }
            let insert = "INSERT INTO weir_store (name, type) VALUES (?1, ?2)";
            connection.execute(insert, params![named, wanted.text()])?;
            Ok((connection.last_insert_rowid(), wanted.text().to_owned()))
        });
        let (id, text) = row.wait()?;
        let there = Kind::parse(text);
        if there != *kind {
            let message = other_type("store", name, &there, kind);
            return Err(Failure::of_kind("invalid", format!("{}: {message}", path.display())));
        }
        Ok(Self { database, id })
    }

    /// What is under a key; `kind` is that of the store.
    pub fn find(&self, key: &str, kind: Kind) -> Answer<Found> {
        let (id, key) = (self.id, key.to_owned());
        self.database.ask(false, move |connection| {
            let mut select = connection.prepare_cached(
                "SELECT value, version FROM weir_entry
                 WHERE store = ?1 AND key = ?2 AND (ends IS NULL OR ends > ?3)",
            )?;
            let row = select
                .query_row(params![id, key.as_bytes(), wall_clock()], |row| {
                    Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?))
                })
                .optional()?;
            Ok(match row {
                Some((data, version)) => {
                    Found { block: Some(Block::new(&kind, data)), version: version as u64 }
                }
                None => Found { block: None, version: 0 },
            })
        })
    }

    /// Puts a value under a key; see [`Store::put`](super::Store::put).
    pub fn put(
        &self,
        key: &str,
        block: Arc<Block>,
        ttl: Option<Duration>,
        instead_of: Option<u64>,
    ) -> Answer<Put> {
        let (id, key) = (self.id, key.to_owned());
        let now = wall_clock();
        // What ends later than clocks count stays.
        let mut ends =
            ttl.and_then(|ttl| i64::try_from(ttl.as_nanos()).ok()).and_then(|ttl| now.checked_add(ttl));
        self.database.ask(true, move |connection| {
            if let Some(version) = instead_of {
                let mut select = connection.prepare_cached(
                    "SELECT version, ends FROM weir_entry
                     WHERE store = ?1 AND key = ?2 AND (ends IS NULL OR ends > ?3)",
                )?;
                let there = select
                    .query_row(params![id, key.as_bytes(), now], |row| {
                        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
                    })
                    .optional()?;
                if there.map_or(0, |(version, _)| version as u64) != version {
                    return Ok(Put::Overtaken);
                }
                if let Some((_, old)) = there {
                    ends = old;
                }
            }
            connection
                .prepare_cached(
                    "INSERT INTO weir_entry (store, key, value, version, ends) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET value = excluded.value, version = excluded.version, ends = excluded.ends",
                )?
                .execute(params![id, key.as_bytes(), block.data(), new_version(), ends])?;
            Ok(Put::Done)
        })
    }

    /// Takes away what is under a key; whether there was something.
    pub fn delete(&self, key: &str) -> Answer<bool> {
        let (id, key) = (self.id, key.to_owned());
        self.database.ask(true, move |connection| {
            let ends: Option<Option<i64>> = connection
                .prepare_cached("DELETE FROM weir_entry WHERE store = ?1 AND key = ?2 RETURNING ends")?
                .query_row(params![id, key.as_bytes()], |row| row.get(0))
                .optional()?;
            Ok(ends.is_some_and(|ends| ends.is_none_or(|ends| ends > wall_clock())))
        })
    }

    /// How many entries there are.
    pub fn len(&self) -> Answer<usize> {
        let id = self.id;
        self.database.ask(false, move |connection| {
            let count: i64 = connection
                .prepare_cached(
                    "SELECT count(*) FROM weir_entry WHERE store = ?1 AND (ends IS NULL OR ends > ?2)",
                )?
                .query_row(params![id, wall_clock()], |row| row.get(0))?;
            Ok(count as usize)
        })
    }

    /// The keys that begin with `prefix`, sorted.
    pub fn keys(&self, prefix: &str) -> Answer<Vec<Box<str>>> {
        let (id, prefix) = (self.id, prefix.to_owned());
        self.database.ask(false, move |connection| {
            let mut select = connection.prepare_cached(
                "SELECT key FROM weir_entry WHERE store = ?1 AND key >= ?2 AND (ends IS NULL OR ends > ?3) ORDER BY key",
            )?;
            let mut rows = select.query(params![id, prefix.as_bytes(), wall_clock()])?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                let key = row.get_ref(0)?.as_blob()?;
                if !key.starts_with(prefix.as_bytes()) {
                    break;
                }
                // Only texts were ever put there.
                keys.push(String::from_utf8_lossy(key).into());
            }
            Ok(keys)
        })
    }

    /// Lets the file have so many pages at most, as on a full disk.
    #[cfg(test)]
    pub fn limit_pages(&self, pages: i64) -> Answer<()> {
        self.database.ask(false, move |connection| {
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.database.path
    }
}

/// A number that no version of an entry had before: one of 2^62 at random, for other processes may write to the file.
fn new_version() -> i64 {
    (uuid::Uuid::new_v4().as_u64_pair().0 >> 1) as i64 | 1
}
