//! The files of a program: the main one, and those it uses, directly or through others.
//!
//! In: the main file's name and text, and a way to read others. Out: trees in the order in which they are evaluated, with
//! where each `use` leads; what is wrong with a `use` is said by the checker.
//! Invariant: a file is parsed once, however often it is used; the program's files have the first file ids.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use weir_check::{Unit, Unusable};
use weir_syntax::ast::{File, Item};
use weir_syntax::diag::Diagnostic;
use weir_syntax::parser;
use weir_syntax::span::{FileId, Source, Sources};

/// Reads a file that a script uses: its text, or what is wrong with it.
pub type Read<'r> = &'r dyn Fn(&Path) -> Result<String, String>;

/// The most files of one program.
const MAX_FILES: usize = 10_000;

/// A parsed file.
struct Parsed {
    name: String,
    source: FileId,
    tree: File,
    uses: Vec<Result<usize, Unusable>>,
}

/// The files of a program; the main one is the first.
pub struct Loaded {
    files: Vec<Parsed>,
    /// All but the main file, each behind those it uses.
    order: Vec<usize>,
}

impl Loaded {
    /// The files as the checker takes them.
    pub fn units(&self) -> Vec<Unit<'_>> {
        let order: Vec<usize> = std::iter::once(0).chain(self.order.iter().copied()).collect();
        let mut place = vec![0; self.files.len()];
        for (at, file) in order.iter().enumerate() {
            place[*file] = at;
        }
        let unit = |file: &usize| {
            let file = &self.files[*file];
            let uses = file.uses.iter().map(|to| to.clone().map(|to| place[to])).collect();
            Unit { name: file.name.clone(), file: &file.tree, uses }
        };
        order.iter().map(unit).collect()
    }
}

/// Parses a program's files. Gives them with the mistakes of their syntax.
pub fn load(name: &str, text: &str, read: Read<'_>, sources: &mut Sources) -> (Loaded, Vec<Diagnostic>) {
    let id = sources.add(Source::new(name, text));
    let parsed = parser::parse(id, text);
    let (loaded, mut diagnostics) = load_behind(name, (id, parsed.file), read, sources);
    diagnostics.splice(..0, parsed.diagnostics);
    (loaded, diagnostics)
}

/// As [`load`], of a main file that was parsed.
pub fn load_behind(
    name: &str,
    main: (FileId, File),
    read: Read<'_>,
    sources: &mut Sources,
) -> (Loaded, Vec<Diagnostic>) {
    let mut loader = Loader {
        read,
        sources,
        known: HashMap::new(),
        open: Vec::new(),
        loaded: Loaded { files: Vec::new(), order: Vec::new() },
        diagnostics: Vec::new(),
    };
    let path = resolved(Path::new(""), name);
    loader.known.insert(path.clone(), 0);
    loader.add(path, String::new(), main);
    (loader.loaded, loader.diagnostics)
}

struct Loader<'l> {
    read: Read<'l>,
    sources: &'l mut Sources,
    /// Files by their paths.
    known: HashMap<PathBuf, usize>,
    /// The files whose `use`s are being followed, each used by the one before it.
    open: Vec<usize>,
    loaded: Loaded,
    diagnostics: Vec<Diagnostic>,
}

impl Loader<'_> {
    /// Adds a parsed file and those it uses.
    fn add(&mut self, path: PathBuf, name: String, (source, tree): (FileId, File)) {
        let at = self.loaded.files.len();
        let paths: Vec<String> = tree
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Use(decl) => Some(decl.path.text.clone()),
                _ => None,
            })
            .collect();
        self.loaded.files.push(Parsed { name, source, tree, uses: Vec::new() });
        self.open.push(at);
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        for used in paths {
            let target = self.follow(&folder, &used);
            self.loaded.files[at].uses.push(target);
        }
        self.open.pop();
        if at > 0 {
            self.loaded.order.push(at);
        }
    }

    fn follow(&mut self, folder: &Path, used: &str) -> Result<usize, Unusable> {
        if !used.ends_with(".weir") {
            let why = format!("`{used}` is no Weir file");
            let help = format!("Write the file's whole name, such as `use \"{used}.weir\"`.");
            return Err(Unusable::File(why, help));
        }
        let path = resolved(folder, used);
        if let Some(&known) = self.known.get(&path) {
            return match self.open.iter().position(|file| *file == known) {
                Some(from) => Err(Unusable::Cycle(self.way(from))),
                None => Ok(known),
            };
        }
        if self.loaded.files.len() >= MAX_FILES {
            let why = format!("This program has more than {MAX_FILES} files");
            return Err(Unusable::File(why, "Join some of them.".to_string()));
        }
        let text = (self.read)(&path).map_err(|why| {
            let help = "The path is taken from the folder of the file that it stands in.";
            Unusable::File(format!("`{}` cannot be read: {why}", path.display()), help.to_string())
        })?;
        let at = self.loaded.files.len();
        self.known.insert(path.clone(), at);
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let id = self.sources.add(Source::new(path.display().to_string(), text.as_str()));
        let parsed = parser::parse(id, &text);
        self.diagnostics.extend(parsed.diagnostics);
        self.add(path, name, (id, parsed.file));
        Ok(at)
    }

    /// The names of the open files from `from` on, and the first once more.
    fn way(&self, from: usize) -> Vec<String> {
        let ids = self.open[from..].iter().chain([&self.open[from]]);
        ids.map(|file| self.sources.get(self.loaded.files[*file].source).name.clone()).collect()
    }
}

/// `path` as seen from `folder`, without `.` and `..` where that can be told without looking.
fn resolved(folder: &Path, path: &str) -> PathBuf {
    let mut out = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            _ => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading<'r>(files: &'r [(&'r str, &'r str)]) -> impl Fn(&Path) -> Result<String, String> + 'r {
        move |path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| (*text).to_string()).ok_or_else(|| "no such file".to_string())
        }
    }

    fn names(files: &[(&str, &str)], main: &str) -> Vec<(String, Vec<Result<usize, Unusable>>)> {
        let mut sources = Sources::new();
        let (loaded, diagnostics) = load("app/main.weir", main, &reading(files), &mut sources);
        assert_eq!(diagnostics, []);
        loaded.units().into_iter().map(|u| (u.name, u.uses)).collect()
    }

    #[test]
    fn files_come_behind_those_they_use() {
        let files = [
            ("app/a.weir", "use \"lib/b.weir\"\n"),
            ("app/lib/b.weir", "pub fn one() = 1\n"),
            ("app/c.weir", "use \"./lib/../lib/b.weir\"\n"),
        ];
        let units = names(&files, "use \"a.weir\"\nuse \"c.weir\"\n");
        let expected = [("", vec![Ok(2), Ok(3)]), ("b", vec![]), ("a", vec![Ok(1)]), ("c", vec![Ok(1)])];
        assert_eq!(units, expected.map(|(name, uses)| (name.to_string(), uses)));
    }

    #[test]
    fn a_cycle_is_told_with_its_way() {
        let files = [("app/a.weir", "use \"b.weir\"\n"), ("app/b.weir", "use \"a.weir\"\n")];
        let units = names(&files, "use \"a.weir\"\n");
        let way = ["app/a.weir", "app/b.weir", "app/a.weir"].map(String::from).to_vec();
        assert_eq!(units[1].1, [Err(Unusable::Cycle(way))]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let units = names(&[], "use \"none.weir\"\nuse \"none\"\n");
        let [Err(Unusable::File(missing, _)), Err(Unusable::File(other, _))] = &units[0].1[..] else {
            panic!("{units:?}")
        };
        assert_eq!(missing, "`app/none.weir` cannot be read: no such file");
        assert_eq!(other, "`none` is no Weir file");
    }
}
