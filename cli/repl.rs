//! `weir` alone: a session, entry by entry.
//!
//! At a terminal with line editing, history, completion and several lines where brackets are open; else the lines of standard
//! input are the entries and nothing is prompted for. Ctrl-C ends what an entry does and changes nothing of the session.
//! Not here: what an entry sees of those before it (`driver::session`).

use crate::script::{FAILED, fail, read_used, rejected, show};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Context, Editor, Helper};
use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use weir_core::{App, Limits};
use weir_driver::{MODULES, Session, is_complete};

const PROMPT: &str = "weir> ";
const HISTORY: usize = 10_000;
const HELP: &str = "\
An entry is an expression, a statement or a declaration; its names are there for the entries behind it,
and the value of an expression is also called `it`. Several lines: leave a bracket open.
  :names        what was declared and bound
  :load FILE    run a file as an entry
  :reset        forget everything
  :help         this text
  :quit         end (or Ctrl-D)";

/// Runs the session until its input ends.
pub fn run() -> Result<(), u8> {
    attend_interrupts().map_err(|e| fail(FAILED, &format!("cannot attend to signals: {e}")))?;
    let mut repl = Repl { session: Session::default(), opened: Vec::new() };
    if std::io::stdin().is_terminal() { repl.at_terminal() } else { repl.piped() }
}

/// Ctrl-C while an entry runs; while a line is edited it is a key.
fn attend_interrupts() -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            weir_core::interrupt();
        }
    })?;
    Ok(())
}

struct Repl {
    session: Session,
    /// Versions that opened a store or a topic, which last as long as these.
    opened: Vec<Arc<App>>,
}

impl Repl {
    fn at_terminal(&mut self) -> Result<(), u8> {
        let broken = |error: ReadlineError| fail(FAILED, &format!("the terminal cannot be used: {error}"));
        let config =
            Config::builder().max_history_size(HISTORY).map_err(broken)?.auto_add_history(true).build();
        let mut editor: Editor<Help, DefaultHistory> = Editor::with_config(config).map_err(broken)?;
        let history = history_file();
        if let Some(file) = &history {
            // The first session has none.
            let _ = editor.load_history(file);
        }
        println!("Weir {}; :help says what there is, Ctrl-D ends.", env!("CARGO_PKG_VERSION"));
        loop {
            editor.set_helper(Some(Help::of(&self.session)));
            match editor.readline(PROMPT) {
                Ok(line) if line.trim() == ":quit" => break,
                Ok(line) => self.entry(&line),
                // Ctrl-C drops the line.
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(broken(error)),
            }
        }
        if let Some(file) = &history {
            let saved = file.parent().map_or(Ok(()), std::fs::create_dir_all);
            if let Err(error) = saved.map_err(ReadlineError::from).and_then(|()| editor.save_history(file)) {
                eprintln!("weir: the history cannot be kept in {}: {error}", file.display());
            }
        }
        Ok(())
    }

    /// Entries from a pipe or a file: as many lines each as its brackets ask for.
    fn piped(&mut self) -> Result<(), u8> {
        let mut entry = String::new();
        loop {
            // Not locked for longer: an entry may read standard input itself.
            let read = std::io::stdin().read_line(&mut entry);
            if read.map_err(|error| fail(FAILED, &format!("cannot read standard input: {error}")))? == 0 {
                break;
            }
            if entry.trim() == ":quit" {
                return Ok(());
            }
            if is_complete(&entry) {
                self.entry(&std::mem::take(&mut entry));
            }
        }
        self.entry(&entry);
        Ok(())
    }

    fn entry(&mut self, text: &str) {
        let line = text.trim();
        match line.split_once(char::is_whitespace).unwrap_or((line, "")) {
            ("", _) => {}
            (":help", _) => println!("{HELP}"),
            (":reset", _) => {
                self.session = Session::default();
                self.opened.clear();
                weir_core::keep_only([]);
            }
            (":names", _) => {
                for binding in self.session.bindings() {
                    println!("{}: {}", binding.name, binding.ty);
                }
                let bound = self.session.bindings().len();
                let declared = self.session.names().count() - bound;
                self.session.names().take(declared).for_each(|name| println!("{name}"));
            }
            (":load", file) => match read_used(&PathBuf::from(file.trim())) {
                Ok(text) => self.run(&text),
                Err(why) => eprintln!("{} cannot be loaded: {why}", file.trim()),
            },
            (command, _) if command.starts_with(':') => {
                eprintln!("there is no command `{command}`; :help lists them");
            }
            _ => self.run(text),
        }
        // Both may be pipes, which nobody flushes by the line.
        let _ = std::io::stdout().flush();
    }

    /// Compiles an entry and runs it; the session takes it when it came to its end.
    fn run(&mut self, text: &str) {
        let entry = match self.session.compile(text, &read_used) {
            Ok(entry) => entry,
            Err(why) => {
                rejected(&why);
                return;
            }
        };
        show(&entry.warnings, &entry.sources);
        let (entry, module) = entry.into_parts();
        weir_core::forget_interrupt();
        match App::perform(Arc::new(module), Vec::new(), Limits::of_program()) {
            Ok(app) => {
                for name in entry.lost() {
                    eprintln!(
                        "`{name}` is not kept: it holds a function, a stream or a handle; declare a function with `fn`"
                    );
                }
                if entry.opens() {
                    self.opened.push(app);
                }
                for name in entry.forgotten() {
                    eprintln!("`{name}` is forgotten: its type was declared anew");
                }
                self.session.accept(entry);
            }
            Err(failure) if failure.trace.is_some() => eprintln!("trap: {failure}"),
            Err(failure) => eprintln!("error: {failure}"),
        }
        weir_core::keep_only(self.session.slots());
    }
}

/// `$XDG_STATE_HOME/weir/history`, or the same below the home folder.
fn history_file() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(state.join("weir/history"))
}

/// What the line editor asks.
struct Help {
    words: Vec<String>,
}

impl Help {
    /// Completes what the session knows, the prelude's functions and the library's modules.
    fn of(session: &Session) -> Self {
        let mut words: Vec<String> = session.names().map(str::to_owned).collect();
        for (module, text) in MODULES {
            let functions = text.lines().filter_map(|line| line.strip_prefix("pub fn "));
            let names = functions.map(|rest| rest.split(['(', '[']).next().unwrap_or(rest));
            match *module {
                "prelude" => words.extend(names.map(str::to_owned)),
                module => words.extend(names.map(|name| format!("{module}.{name}"))),
            }
        }
        words.extend([":help", ":load", ":names", ":quit", ":reset"].map(str::to_owned));
        words.sort();
        words.dedup();
        Self { words }
    }
}

impl Completer for Help {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | ':');
        let start = line[..at]
            .rfind(|c| !is_word(c))
            .map_or(0, |i| i + line[i..].chars().next().map_or(1, char::len_utf8));
        let begun = &line[start..at];
        let fits = self.words.iter().filter(|word| !begun.is_empty() && word.starts_with(begun));
        let pairs = fits.map(|word| Pair { display: word.clone(), replacement: word.clone() });
        Ok((start, pairs.collect()))
    }
}

impl Validator for Help {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        // A second Enter sends an entry all the same, to see what is wrong with it.
        let sends = is_complete(text) || text.ends_with('\n') || text.trim_start().starts_with(':');
        Ok(if sends { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Help {
    type Hint = String;
}

impl Highlighter for Help {}

impl Helper for Help {}
