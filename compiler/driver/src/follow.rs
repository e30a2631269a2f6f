//! One message per mistake across the passes.
//!
//! In: what the parser reported and what the checker did. Out: the checker's diagnostics without those about a line that the
//! parser did not understand: it went on with a guess there, which names and types that do not fit say nothing about.
//! Not here: follow-ups inside one pass, which never come up.

use std::collections::HashSet;
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::{FileId, Sources};

/// The codes of mistakes behind which the rest of the line is a guess. Spellings that the parser replaces by ours are none.
const GUESSED: &[&str] = &["E0101", "E0104", "E0113", "E0121"];

/// Takes the consequences of what was `parsed` wrongly out of what was `found` later.
pub(crate) fn drop_consequences(parsed: &[Diagnostic], found: &mut Vec<Diagnostic>, sources: &Sources) {
    let line = |diagnostic: &Diagnostic| -> (FileId, u32) {
        let span = diagnostic.span();
        (span.file, sources.get(span.file).line_column(span.start).0)
    };
    let guessed: HashSet<(FileId, u32)> =
        parsed.iter().filter(|diagnostic| GUESSED.contains(&diagnostic.code)).map(line).collect();
    if !guessed.is_empty() {
        found.retain(|diagnostic| !guessed.contains(&line(diagnostic)));
    }
}
