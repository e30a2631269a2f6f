//! Diagnostics as data: what is wrong, where, and what to do about it.
//!
//! A diagnostic names a code of the table in [`crate::codes`]; terminal, JSON and editor output only draw this data.
//! Not here: drawing (`render`), and which mistakes exist (each pass builds its own).

use crate::span::Span;

/// How bad it is. Only errors keep a program from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The program cannot run.
    Error,
    /// The program can run, though probably not as meant.
    Warning,
}

/// A marked place with a short remark, shown under the source line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What about it; lower case, no full stop, may be empty.
    pub text: String,
}

/// A replacement that would mend the mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The text to replace; empty to insert.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
}

/// One message about the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// Stable code, such as `E0203`.
    pub code: &'static str,
    /// One sentence: what is wrong.
    pub message: String,
    /// The first label is the place itself; others say where the expectation came from.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Vec<String>,
    /// A machine-applicable mend, where one exists.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// An error at `span`, with the remark `label` under it.
    pub fn error(
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            labels: vec![Label { span, text: label.into() }],
            help: Vec::new(),
            fix: None,
        }
    }

    /// Adds a second place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds advice.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Asks whether `name` was meant at `span`, and offers to write that.
    pub fn meant(self, span: Span, name: &str) -> Self {
        self.help(format!("Did you mean `{name}`?")).fix(span, name)
    }

    /// Adds a machine-applicable mend.
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into() });
        self
    }

    /// The place itself.
    pub fn span(&self) -> Span {
        self.labels[0].span
    }
}
