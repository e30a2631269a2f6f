//! What looks find, without a watcher's word and without time: each look is called for.

use super::*;
use crate::stream::lines::{Line, Lines};
use std::io::Write;
use std::path::Path;

struct Tail {
    follower: Follower,
    lines: Lines,
}

impl Tail {
    fn new(path: &Path, from: From) -> Self {
        Self { follower: Follower::new(path.to_owned(), from), lines: Lines::default() }
    }

    /// The lines that come until there is nothing new.
    fn lines(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        loop {
            match self.follower.look(false).expect("it can be read") {
                Found::Nothing | Found::Missing => return out,
                Found::Unsure => {}
                Found::Piece(piece) => self.lines.feed(piece),
            }
            let piece = self.lines.piece().1.clone();
            while let Some(line) = self.lines.next(1 << 20).expect("lines") {
                let line = match line {
                    Line::InPiece(range) => piece[range].to_vec(),
                    Line::Joined(line) => line.to_vec(),
                };
                out.push(String::from_utf8(line).expect("text"));
            }
        }
    }
}

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("weir-tail-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a folder");
    dir
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("it opens");
    file.write_all(text.as_bytes()).expect("written");
}

#[test]
fn where_it_begins() {
    let path = folder("begin").join("log");
    append(&path, "one\ntwo\nthree\nfo");
    let cases: [(From, &[&str]); 6] = [
        (From::Start, &["one", "two", "three"]),
        (From::Last(0), &[]),
        (From::Last(1), &["three"]),
        (From::Last(2), &["two", "three"]),
        (From::Last(3), &["one", "two", "three"]),
        (From::Last(u64::MAX), &["one", "two", "three"]),
    ];
    let mut tails: Vec<Tail> = cases.iter().map(|(from, _)| Tail::new(&path, *from)).collect();
    for (tail, (from, lines)) in tails.iter_mut().zip(&cases) {
        assert_eq!(tail.lines(), *lines, "{from:?}");
    }
    // A line that was begun before is given whole.
    append(&path, "ur\n");
    for tail in &mut tails {
        assert_eq!(tail.lines(), ["four"]);
    }
    append(&path, "five\r\nsix");
    for tail in &mut tails {
        assert_eq!(tail.lines(), ["five"]);
    }
}

#[test]
fn it_begins_far_from_the_end() {
    let path = folder("far").join("log");
    let line = "x".repeat(99);
    append(&path, &format!("first\n{}", format!("{line}\n").repeat(100_000)));
    let mut tail = Tail::new(&path, From::Last(100_000));
    assert_eq!(tail.lines().len(), 100_000);
    let mut tail = Tail::new(&path, From::Last(100_001));
    assert_eq!(tail.lines()[0], "first");
}

#[test]
fn rotation_by_another_file() {
    let dir = folder("rotate");
    let (path, old) = (dir.join("log"), dir.join("log.1"));
    append(&path, "0\n");
    let mut tail = Tail::new(&path, From::Last(0));
    assert_eq!(tail.lines(), [""; 0]);
    append(&path, "1\n");
    fs::rename(&path, &old).expect("renamed");
    assert_eq!(tail.lines(), ["1"]);
    // Its writer goes on with the old one for a while, also when there is a new one.
    append(&old, "2\n");
    append(&path, "");
    assert_eq!(tail.lines(), ["2"]);
    append(&old, "3\nno end");
    assert_eq!(tail.lines(), ["3"]);
    append(&path, "4\n");
    assert_eq!(tail.lines(), ["no end", "4"]);
    // In one step, and removed ones.
    append(&path, "5\n");
    append(&dir.join("next"), "6\n");
    fs::rename(dir.join("next"), &path).expect("renamed");
    assert_eq!(tail.lines(), ["5", "6"]);
    fs::remove_file(&path).expect("removed");
    assert_eq!(tail.lines(), [""; 0]);
    append(&path, "7\n");
    assert_eq!(tail.lines(), ["7"]);
}

#[test]
fn truncation() {
    let path = folder("truncate").join("log");
    append(&path, "one\ntwo\nthr");
    let mut tail = Tail::new(&path, From::Start);
    assert_eq!(tail.lines(), ["one", "two"]);
    File::create(&path).expect("truncated");
    append(&path, "1\n");
    assert_eq!(tail.lines(), ["thr", "1"]);
    File::create(&path).expect("truncated");
    assert_eq!(tail.lines(), [""; 0]);
    append(&path, "2\n");
    assert_eq!(tail.lines(), ["2"]);
}

/// Writes a file anew where it is, as what rotates logs by copying them does.
fn rewrite(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
}

#[test]
fn truncation_between_two_looks() {
    let path = folder("regrown").join("log");
    let numbered = |from: u32, to: u32| (from..to).map(|n| format!("line {n}\n")).collect::<String>();
    for (before, after) in [
        ("one\ntwo\n".to_owned(), "1\n2\n3\n4\n5\n6\n".to_owned()),
        // Of the same length; much longer; longer than what is kept in mind, and than a piece.
        ("one\ntwo\n".to_owned(), "two\none\n".to_owned()),
        ("one\n".to_owned(), numbered(0, 20_000)),
        (numbered(0, 20_000), numbered(20_000, 50_000)),
    ] {
        for from in [From::Start, From::Last(0), From::Last(2)] {
            rewrite(&path, &before);
            let mut tail = Tail::new(&path, from);
            tail.lines();
            rewrite(&path, &after);
            let lines: Vec<&str> = after.lines().collect();
            assert!(tail.lines() == lines, "{from:?}, {} bytes before", before.len());
            append(&path, "more\n");
            assert_eq!(tail.lines(), ["more"], "and it goes on from there");
        }
    }
    // The rest of a line is one of its own then.
    rewrite(&path, "one\ntw");
    let mut tail = Tail::new(&path, From::Start);
    assert_eq!(tail.lines(), ["one"]);
    rewrite(&path, "1\n2\n3\n4\n");
    assert_eq!(tail.lines(), ["tw", "1", "2", "3", "4"]);
}

#[test]
fn what_begins_with_all_that_was_read_has_grown() {
    let path = folder("same").join("log");
    rewrite(&path, "tick\ntick\n");
    let mut tail = Tail::new(&path, From::Start);
    assert_eq!(tail.lines(), ["tick", "tick"]);
    rewrite(&path, "tick\ntick\ntick\n");
    assert_eq!(tail.lines(), ["tick"]);
}

#[test]
fn a_file_that_is_not_there_yet() {
    let path = folder("missing").join("log");
    for from in [From::Last(0), From::Start] {
        let mut follower = Follower::new(path.clone(), from);
        assert!(matches!(follower.look(false), Ok(Found::Missing)));
        assert!(matches!(follower.look(true), Ok(Found::Nothing)));
    }
    let mut tail = Tail::new(&path, From::Last(0));
    assert_eq!(tail.lines(), [""; 0]);
    append(&path, "one\n");
    assert_eq!(tail.lines(), ["one"], "it is new, so it is read from its start");
}

#[test]
fn what_is_no_file() {
    let dir = folder("none");
    let kind = |path: PathBuf| Follower::new(path, From::Start).look(false).map(drop).map_err(|e| e.kind());
    assert_eq!(kind(dir.clone()), Err(io::ErrorKind::IsADirectory));
    assert_eq!(kind("/dev/null".into()), Err(io::ErrorKind::InvalidInput));
    append(&dir.join("file"), "");
    assert_eq!(kind(dir.join("file/log")), Err(io::ErrorKind::NotADirectory));
}
