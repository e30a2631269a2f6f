//! Collecting diagnostics: where an error inside an instance was called from, and their final order.
//!
//! In: diagnostics as the rules build them. Out: one message per mistake, in source order.
//! Invariant: the first label of every diagnostic lies in a file of the program, so that users never read errors about code of
//! the standard library; a mistake within it shows the call.

use crate::draft::ChainId;
use crate::unify::{T, Terms};
use weir_syntax::diag::{Diagnostic, Label, Severity};
use weir_syntax::span::{FileId, Span};

/// One call on the way from the outermost function to the instance being inferred.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is called.
    pub name: String,
    /// The parameters whose types the call decided.
    pub params: Vec<(String, T)>,
    /// The call.
    pub span: Span,
    /// The call that the caller is inferred for.
    pub parent: Option<ChainId>,
}

/// A type with its article: an `Int`, a `Text`.
pub fn article(ty: &str) -> String {
    let an = ty.starts_with(['A', 'E', 'I', 'O']);
    format!("{} `{ty}`", if an { "an" } else { "a" })
}

/// A type that may have grown out of hand, cut to a length that can be read.
pub fn shortened(text: String) -> String {
    const LENGTH: usize = 60;
    if text.chars().count() <= LENGTH {
        return text;
    }
    text.chars().take(LENGTH).chain("...".chars()).collect()
}

/// How many calls of a chain a diagnostic shows.
const SHOWN_CALLS: usize = 3;

/// All diagnostics of one check.
pub struct Reports {
    /// How many files are the program's own: the first ones.
    own: usize,
    calls: Vec<Call>,
    found: Vec<(Diagnostic, Option<ChainId>)>,
    errors: usize,
}

impl Reports {
    /// None yet; the first `own` files are the program's.
    pub fn new(own: usize) -> Self {
        Self { own, calls: Vec::new(), found: Vec::new(), errors: 0 }
    }

    /// Notes a call whose callee is inferred for it.
    pub fn call(&mut self, call: Call) -> ChainId {
        self.calls.push(call);
        ChainId(self.calls.len() as u32 - 1)
    }

    /// Whether a file is one of the program's.
    pub fn is_own(&self, file: FileId) -> bool {
        usize::from(file.0) < self.own
    }

    /// How many errors were found so far.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Whether an error was found in the code under `span`.
    pub fn in_code(&self, span: Span) -> bool {
        let inside = |s: Span| s.file == span.file && span.start <= s.start && s.end <= span.end;
        self.found
            .iter()
            .any(|(d, _)| d.severity == Severity::Error && d.labels.iter().any(|l| inside(l.span)))
    }

    /// Adds a diagnostic found while the callee of `chain` was inferred.
    pub fn add(&mut self, mut diagnostic: Diagnostic, chain: Option<ChainId>, terms: &Terms) {
        if diagnostic.severity == Severity::Error {
            self.errors += 1;
        } else if chain.is_some() {
            // A warning is about the function as written; its unused check or first instance gives it once.
            self.found.push((diagnostic, None));
            return;
        }
        let mut at = chain;
        let mut shown = 0;
        while let Some(id) = at {
            let call = &self.calls[id.0 as usize];
            at = call.parent;
            // Once the user's own code shows, a few calls are enough; a recursive call is shown once.
            let seen = diagnostic.labels.iter().any(|l| l.span == call.span);
            if !seen && (shown < SHOWN_CALLS || !diagnostic.labels.iter().any(|l| self.is_own(l.span.file))) {
                shown += 1;
                diagnostic.labels.push(Label { span: call.span, text: call_label(call, terms) });
            }
        }
        if let Some(own) = diagnostic.labels.iter().position(|l| self.is_own(l.span.file))
            && own > 0
        {
            let label = diagnostic.labels.remove(own);
            diagnostic.labels.insert(0, label);
        }
        // What happens within the library is told by the label of the call.
        if diagnostic.labels.iter().any(|l| self.is_own(l.span.file)) {
            diagnostic.labels.retain(|l| usize::from(l.span.file.0) < self.own);
        }
        self.found.push((diagnostic, chain));
    }

    /// Every mistake once, in source order. Where the same place was reported with and without a call, the one without
    /// stays: then the call has no part in it.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.found
            .sort_by_key(|(d, chain)| (d.span().file, d.span().start, d.span().end, d.code, chain.is_some()));
        let mut out: Vec<Diagnostic> = Vec::new();
        for (diagnostic, _) in self.found {
            // Next to an error, a value that is not used is more often its consequence than a slip of its own.
            if self.errors > 0 && diagnostic.code == "E0318" {
                continue;
            }
            if !out.iter().rev().any(|d| d.code == diagnostic.code && d.span() == diagnostic.span()) {
                out.push(diagnostic);
            }
        }
        out
    }
}

fn call_label(call: &Call, terms: &Terms) -> String {
    let params: Vec<String> = call
        .params
        .iter()
        .map(|(name, ty)| format!("`{name}` is `{}`", shortened(terms.show(*ty))))
        .collect();
    match params.len() {
        0 => format!("in this call of `{}`", call.name),
        _ => format!("in this call of `{}`, where {}", call.name, params.join(" and ")),
    }
}
