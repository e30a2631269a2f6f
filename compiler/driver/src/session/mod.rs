//! A session: entries typed one after the other, each seeing what those before it declared and bound.
//!
//! In: an entry's text. Out: a module that runs it, and what it would add; the session takes that when the run has ended well.
//! ```text
//! declarations before ─┐
//! values before ───────┼─▶ one main file ──▶ check ──▶ module, which keeps the values of the names that it binds
//! the entry ───────────┘
//! ```
//! Invariants: an entry that fails anywhere changes nothing; the declarations that an entry needs are checked again with it, so that
//! a redefinition reaches what uses the name; spans of older entries stay valid, for their texts stay sources. A `let` of a lambda, a
//! store or a topic is a declaration: it is evaluated again by each entry.
//! Not here: where values lie between entries (`core::kept`), the terminal (`cli`).

mod draft;

use self::draft::{Bound, Draft, Last, bound_by};
use crate::{Checked, Compiled, Read, Rejected, check_loaded, link, units};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use weir_abi::code::Module;
use weir_check::check_units;
use weir_check::typed::{self, Program};
use weir_syntax::ast::{Arg, Expr, ExprKind, File, Item, Name, Stmt, StmtKind};
use weir_syntax::diag::Diagnostic;
use weir_syntax::parser;
use weir_syntax::span::{FileId, Source, Sources, Span};

/// What diagnostics and stack traces call an entry.
const NAME: &str = "repl";
/// The name that the value of an entry which is an expression is kept under.
const IT: &str = "it";
/// What the variable of that value is called while the entry runs, which may use the value before: nobody can write it.
const NEW_IT: &str = "it ";
/// The most entries of a session: each is a source of its own.
const MAX_ENTRIES: usize = 60_000;
/// The code of a bracket that is not closed.
const UNCLOSED: &str = "E0102";
/// The code of a text that is not closed; one in three quotes may go on in the next line.
const UNCLOSED_TEXT: &str = "E0104";
/// The code of a stream at the top level.
const STREAM: &str = "E0313";
/// The code of a name that is used before it is bound.
const UNBOUND: &str = "E0205";
/// The functions that open what all scopes share.
const OPENERS: [&str; 2] = ["store", "topic"];

/// What the entries so far declared and bound.
#[derive(Default)]
pub struct Session {
    entries: Vec<String>,
    declared: Vec<Item>,
    bound: Vec<Binding>,
    lets: Vec<Again>,
    /// The next slot for a value.
    next: usize,
}

/// A name with a value.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The name.
    pub name: String,
    /// Its type, as the user would write it.
    pub ty: String,
    mutable: bool,
    slot: usize,
}

/// A `let` that each entry evaluates again: of a lambda, or of what is opened for all.
#[derive(Clone)]
struct Again {
    name: String,
    /// Its type, as the user would write it.
    ty: String,
    /// Where it stands.
    span: Span,
    value: Expr,
}

/// An entry that can run.
pub struct Entry {
    /// Warnings; never errors.
    pub warnings: Vec<Diagnostic>,
    /// What spans point into.
    pub sources: Arc<Sources>,
    module: Module,
    news: News,
}

/// What a session learns from an entry.
pub struct News {
    lost: Vec<String>,
    forgotten: Vec<String>,
    bound: Vec<Binding>,
    declared: Vec<Item>,
    lets: Vec<Again>,
    text: String,
}

impl Entry {
    /// What the session is to take once the module's main program has come to its end.
    pub fn into_parts(self) -> (News, Module) {
        (self.news, self.module)
    }
}

impl News {
    /// Names whose values cannot be kept: they hold functions, streams or handles.
    pub fn lost(&self) -> &[String] {
        &self.lost
    }

    /// Whether the entry opened something that lasts as long as somebody holds the version that did.
    pub fn opens(&self) -> bool {
        self.lets.iter().any(|again| opens(&again.value))
    }

    /// Names whose values are of types that the entry declares anew.
    pub fn forgotten(&self) -> &[String] {
        &self.forgotten
    }
}

impl Session {
    /// The names that it knows, without those of the library.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let declared = self.declared.iter().filter_map(declared_name);
        let lets = self.lets.iter().map(|again| again.name.as_str());
        declared.chain(lets).chain(self.bound.iter().map(|binding| binding.name.as_str()))
    }

    /// The slots whose values it still needs.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        self.bound.iter().map(|binding| binding.slot)
    }

    /// What is bound, in order.
    pub fn bindings(&self) -> &[Binding] {
        &self.bound
    }

    /// Checks and compiles an entry.
    pub fn compile(&self, text: &str, read: Read<'_>) -> Result<Entry, Rejected> {
        let mut sources = Sources::new();
        for entry in &self.entries {
            sources.add(Source::new(NAME, entry.as_str()));
        }
        let id = sources.add(Source::new(NAME, text));
        let parsed = parser::parse(id, text);
        if self.entries.len() >= MAX_ENTRIES {
            let message = format!("a session has at most {MAX_ENTRIES} entries");
            let diagnostic = Diagnostic::error("E0101", message, Span::new(id, 0, 0), "start another one");
            return Err(Rejected { diagnostics: vec![diagnostic], sources: Arc::new(sources) });
        }
        let mut attempt = Attempt { text, id, parsed: &parsed.diagnostics, sources, read };
        let mut draft = self.draft(text, parsed.file, &mut attempt.sources);
        let ends_in_value = matches!(draft.statements.last(), Some(Stmt { kind: StmtKind::Expr(_), .. }));
        let last = if ends_in_value { Last::Kept } else { Last::Plain };
        let mut first = self.attempt(&mut attempt, &draft, last);
        if let Err(Refused::Wrong(rejected)) = &first
            && rejected.diagnostics.iter().any(|d| d.code == UNBOUND)
            && self.nest(&mut draft, &mut attempt)
        {
            first = self.attempt(&mut attempt, &draft, last);
        }
        let rejected = match first {
            Ok(entry) => return Ok(entry),
            Err(Refused::NoValue) => None,
            Err(Refused::Wrong(rejected)) => Some(rejected),
        };
        let is_stream = rejected.as_ref().is_some_and(|r| r.diagnostics.iter().any(|d| d.code == STREAM));
        let next = if is_stream { Last::Walked } else { Last::Plain };
        match (self.attempt(&mut attempt, &draft, next), rejected) {
            (Ok(entry), _) => Ok(entry),
            (Err(_), Some(rejected)) | (Err(Refused::Wrong(rejected)), None) => Err(rejected),
            (Err(Refused::NoValue), None) => unreachable!("a plain statement needs no value"),
        }
    }

    /// The entry with the statements that keep what it binds, without those of values that cannot be kept.
    fn attempt(&self, attempt: &mut Attempt<'_>, draft: &Draft, last: Last) -> Result<Entry, Refused> {
        let mut names = draft.names(last);
        let mut lost: Vec<String> = Vec::new();
        loop {
            let mut files = Vec::new();
            let mut ends = Vec::new();
            for (at, bound) in names.iter().enumerate() {
                let call = format!("repl.keep(kept, {})", self.next + at);
                files.push(attempt.calls(&call, &bound.inner, &mut ends));
                if bound.inner == NEW_IT {
                    attempt.calls("repl.show(kept)", &bound.inner, &mut ends);
                }
            }
            let file = draft.file(last, ends);
            match checked(&file, attempt) {
                Ok(checked) => {
                    let types = kept_types(&checked.program);
                    let ty = |at: usize| types.get(&(self.next + at)).cloned().unwrap_or_default();
                    if last == Last::Kept
                        && names.iter().enumerate().any(|(at, b)| b.inner == NEW_IT && !is_value(&ty(at)))
                    {
                        return Err(Refused::NoValue);
                    }
                    let bind = |(at, bound): (usize, Bound)| Binding {
                        ty: ty(at),
                        name: bound.name,
                        mutable: bound.mutable,
                        slot: self.next + at,
                    };
                    let bound = names.into_iter().enumerate().map(bind).collect();
                    let lets: Vec<Again> =
                        lost.iter().filter_map(|name| draft.again(name, &checked.program)).collect();
                    lost.retain(|name| lets.iter().all(|again| again.name != *name));
                    let declared = draft.declared.clone();
                    let Compiled { module, warnings, sources, .. } = link(checked);
                    let forgotten = self.forgotten(&declared);
                    let news =
                        News { lost, forgotten, bound, declared, lets, text: attempt.text.to_string() };
                    return Ok(Entry { warnings, sources, module, news });
                }
                Err(rejected) => {
                    let wrong: HashSet<FileId> = rejected.diagnostics.iter().map(|d| d.span().file).collect();
                    match files.iter().position(|file| wrong.contains(file)) {
                        // Only `it` is shown: whoever cannot be kept is not.
                        Some(at) if names[at].inner != NEW_IT => lost.push(names.remove(at).name),
                        _ => return Err(Refused::Wrong(rejected)),
                    }
                }
            }
        }
    }

    /// Takes what an entry declared and bound, once it has run to its end.
    pub fn accept(&mut self, news: News) {
        let News { bound, declared, lets, text, lost, forgotten } = news;
        let mut names: HashSet<&str> = bound.iter().map(|binding| binding.name.as_str()).collect();
        names.extend(lost.iter().map(String::as_str));
        names.extend(forgotten.iter().map(String::as_str));
        names.extend(declared.iter().filter_map(declared_name));
        names.extend(lets.iter().map(|again| again.name.as_str()));
        self.bound.retain(|binding| !names.contains(binding.name.as_str()));
        self.lets.retain(|again| !names.contains(again.name.as_str()));
        self.declared.retain(|item| declared_name(item).is_none_or(|name| !names.contains(name)));
        self.next = bound.iter().map(|binding| binding.slot + 1).max().unwrap_or(self.next).max(self.next);
        self.declared.extend(declared);
        self.lets.extend(lets);
        self.bound.extend(bound);
        self.entries.push(text);
    }

    /// The names of values whose types are declared anew.
    fn forgotten(&self, declared: &[Item]) -> Vec<String> {
        let types = declared.iter().filter(|item| matches!(item, Item::Type(_))).filter_map(declared_name);
        let types: Vec<&str> = types.collect();
        let is_old = |binding: &&Binding| types.iter().any(|name| has_word(&binding.ty, name));
        self.bound.iter().filter(is_old).map(|binding| binding.name.clone()).collect()
    }

    /// The parts of the main file that an entry comes to.
    fn draft(&self, text: &str, file: File, sources: &mut Sources) -> Draft {
        let (mut declared, mut statements) = (Vec::new(), Vec::new());
        for item in file.items {
            match item {
                Item::Stmt(stmt) => statements.push(stmt),
                item => declared.push(item),
            }
        }
        let mut own: HashSet<String> =
            declared.iter().filter_map(declared_name).map(str::to_string).collect();
        let assigned: Vec<(Name, bool)> = statements.iter().flat_map(bound_by).collect();
        own.extend(assigned.iter().map(|(name, _)| name.text.clone()));
        let carried =
            self.bound.iter().filter(|b| b.mutable && !own.contains(&b.name) && has_word(text, &b.name));
        let carried = carried.cloned().collect();
        own.extend(self.forgotten(&declared));
        let (before, values) = self.needed(text, &own, sources);
        Draft { before, values, carried, declared, statements, is_nested: false }
    }

    /// The declarations that an entry names, or what these name, and the statements that bind the values; none of these names.
    fn needed(&self, text: &str, except: &HashSet<String>, sources: &mut Sources) -> (Vec<Item>, Vec<Item>) {
        let is_needed = |texts: &[&str], name: &str| {
            !except.contains(name) && texts.iter().any(|text| has_word(text, name))
        };
        let (mut fns, others): (Vec<&Item>, Vec<&Item>) =
            self.declared.iter().partition(|item| matches!(item, Item::Fn(_)));
        let is_kept = |item: &&Item| declared_name(item).is_none_or(|name| !except.contains(name));
        let mut before: Vec<&Item> = others.into_iter().filter(is_kept).collect();
        let mut texts: Vec<&str> =
            before.iter().filter_map(|item| Some(self.text(item_span(item)?))).collect();
        texts.push(text);
        let mut lets: Vec<&Again> = self.lets.iter().collect();
        let mut again: Vec<&Again> = Vec::new();
        loop {
            if let Some(at) = fns.iter().position(|f| declared_name(f).is_some_and(|n| is_needed(&texts, n)))
            {
                let item = fns.remove(at);
                texts.extend(item_span(item).map(|span| self.text(span)));
                before.push(item);
            } else if let Some(at) = lets.iter().position(|l| is_needed(&texts, &l.name)) {
                let found = lets.remove(at);
                texts.push(self.text(found.span));
                again.push(found);
            } else {
                break;
            }
        }
        let mut values = Vec::new();
        for binding in self.bound.iter().filter(|binding| is_needed(&texts, &binding.name)) {
            values.extend(binding.read(sources));
        }
        while !again.is_empty() {
            // Behind those that it names; where they name each other, the first is told to be wrong.
            let names_none = |at: &usize| {
                let text = self.text(again[*at].span);
                again.iter().enumerate().all(|(other, l)| other == *at || !has_word(text, &l.name))
            };
            let at = (0..again.len()).find(names_none).unwrap_or(0);
            values.extend(again.remove(at).bind(sources));
        }
        (before.into_iter().cloned().collect(), values)
    }

    /// What stands there in an entry.
    fn text(&self, span: Span) -> &str {
        &self.entries[span.file.0 as usize][span.start as usize..span.end as usize]
    }

    /// Puts the statements of an entry into a block of their own, where they may use the values that they bind anew; whether
    /// there are any.
    fn nest(&self, draft: &mut Draft, attempt: &mut Attempt<'_>) -> bool {
        let own: HashSet<String> =
            draft.statements.iter().flat_map(bound_by).map(|(name, _)| name.text).collect();
        let bound =
            self.bound.iter().map(|binding| &binding.name).chain(self.lets.iter().map(|again| &again.name));
        draft.is_nested = bound.into_iter().any(|name| own.contains(name));
        if draft.is_nested {
            let except = self
                .forgotten(&draft.declared)
                .into_iter()
                .chain(draft.declared.iter().filter_map(declared_name).map(str::to_string))
                .collect();
            (draft.before, draft.values) = self.needed(attempt.text, &except, &mut attempt.sources);
        }
        draft.is_nested
    }
}

impl Binding {
    /// The statement that binds the value anew.
    fn read(&self, sources: &mut Sources) -> Vec<Item> {
        let word = if self.mutable { "var" } else { "let" };
        let line = format!("{word} {}: {} = repl.value({})", self.name, self.ty, self.slot);
        let id = sources.add(Source::new(NAME, line.as_str()));
        parser::parse(id, &line).file.items
    }
}

impl Again {
    /// The statement that evaluates it.
    fn bind(&self, sources: &mut Sources) -> Vec<Item> {
        let line = format!("let {}: {} = ()", self.name, self.ty);
        let id = sources.add(Source::new(NAME, line.as_str()));
        let mut items = parser::parse(id, &line).file.items;
        for item in &mut items {
            if let Item::Stmt(Stmt { kind: StmtKind::Let { value, .. }, span }) = item {
                (*value, *span) = (self.value.clone(), self.span);
            }
        }
        items
    }
}

/// An entry that is being compiled.
struct Attempt<'a> {
    text: &'a str,
    id: FileId,
    /// What was wrong with its syntax.
    parsed: &'a [Diagnostic],
    sources: Sources,
    read: Read<'a>,
}

impl Attempt<'_> {
    /// Adds a call with `name` in the place of `kept`; gives the source that it is written in.
    fn calls(&mut self, call: &str, name: &str, to: &mut Vec<Item>) -> FileId {
        let id = self.sources.add(Source::new(NAME, call));
        let mut items = parser::parse(id, call).file.items;
        if let Some(Item::Stmt(Stmt { kind: StmtKind::Expr(expr), .. })) = items.first_mut()
            && let ExprKind::Method { args, .. } = &mut expr.kind
            && let Some(Arg::Positional(Expr { kind: ExprKind::Name(kept), .. })) = args.first_mut()
        {
            kept.text = name.to_string();
        }
        to.extend(items);
        id
    }
}

/// Why an attempt gave no entry.
enum Refused {
    /// Its last expression has nothing to show.
    NoValue,
    Wrong(Rejected),
}

/// The types of what is kept, as the user would write them, by slot.
fn kept_types(program: &Program) -> HashMap<usize, String> {
    let mut types = HashMap::new();
    let mut rest = vec![&program.functions[program.main.0 as usize].body];
    while let Some(expr) = rest.pop() {
        if let typed::ExprKind::CallNative { name, types: of, args } = &expr.kind
            && name == "repl-keep"
            && let [_, slot] = &args[..]
            && let typed::ExprKind::Int(slot) = slot.kind
        {
            types.insert(slot as usize, program.types.show(of[0]));
        }
        weir_check::parts(expr, &mut |part| rest.push(part));
    }
    types
}

/// Whether a name may stand in a text; not as a part of a longer one, unless that is behind a hyphen.
fn has_word(text: &str, name: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(name).any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + name.len()..]);
        !is_part(before.chars().next_back()) && !is_part(behind.chars().next())
    })
}

/// Whether values of a type are worth showing.
fn is_value(ty: &str) -> bool {
    !matches!(ty, "()" | "Never")
}

/// Whether it opens what all scopes share.
fn opens(value: &Expr) -> bool {
    let ExprKind::Call { callee, .. } = &value.kind else { return false };
    matches!(&callee.kind, ExprKind::Name(name) if OPENERS.contains(&name.text.as_str()))
}

/// What a declaration is known by; cases of an enum go with their type.
fn declared_name(item: &Item) -> Option<&str> {
    match item {
        Item::Fn(decl) => Some(&decl.name.text),
        Item::Type(decl) => Some(&decl.name.text),
        Item::Use(decl) => Some(&decl.path.text),
        Item::Route(_) | Item::Test(_) | Item::Stmt(_) => None,
    }
}

/// Where a declaration stands that may name others.
fn item_span(item: &Item) -> Option<Span> {
    match item {
        Item::Fn(decl) => Some(decl.span),
        Item::Type(decl) => Some(decl.span),
        Item::Test(decl) => Some(decl.span),
        Item::Route(decl) => Some(decl.span),
        Item::Use(_) | Item::Stmt(_) => None,
    }
}

/// Checks an entry's file.
fn checked(file: &File, attempt: &Attempt<'_>) -> Result<Checked, Rejected> {
    let mut sources = attempt.sources.clone();
    let main = (attempt.id, file.clone());
    let (loaded, found) = units::load_behind(NAME, main, attempt.read, &mut sources);
    let diagnostics = attempt.parsed.iter().cloned().chain(found).collect();
    check_loaded(loaded, diagnostics, sources, check_units)
}

/// Whether a text can be an entry: nothing is open at its end.
pub fn is_complete(text: &str) -> bool {
    let end = text.trim_end().len() as u32;
    let goes_on = |diagnostic: &Diagnostic| match diagnostic.code {
        UNCLOSED_TEXT => text.contains("\"\"\""),
        UNCLOSED => true,
        _ => diagnostic.span().start >= end,
    };
    !parser::parse(FileId(0), text).diagnostics.iter().any(goes_on)
}
