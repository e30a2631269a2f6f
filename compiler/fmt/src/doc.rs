//! Documents: text with places where a line may break, and choosing the breaks.
//!
//! In: a [`Doc`] and a width. Out: lines that fit where they can. After Wadler, "A prettier printer", in the strict form of
//! Lindig, "Strictly Pretty": a group is set flat if it fits into the rest of the line, else all its own breaks are taken.
//! Invariant: no line of the output ends in blanks, except inside a [`Doc::Verbatim`].
//! Not here: what is to be set (`expr`, `item`).

/// A piece of output.
#[derive(Clone, Debug)]
pub enum Doc {
    /// Characters without a line end.
    Text(String),
    /// Characters that may hold line ends, put out as they are. Does not force groups around it to break.
    Verbatim(String),
    /// A space in a flat group, else a line end.
    Line,
    /// Nothing in a flat group, else a line end.
    Soft,
    /// A line end, which breaks every group around it.
    Hard,
    /// Nothing in a flat group, else these characters.
    IfBroken(&'static str),
    /// One after the other.
    Concat(Vec<Doc>),
    /// Two more spaces behind the line ends within.
    Indent(Box<Doc>),
    /// Flat or broken as a whole.
    Group {
        /// What is set.
        inner: Box<Doc>,
        /// Whether a `Hard` within makes it break.
        broken: bool,
    },
}

/// How far a level is indented.
const INDENT: usize = 2;

/// Characters.
pub fn text(text: impl Into<String>) -> Doc {
    Doc::Text(text.into())
}

/// One after the other.
pub fn concat(parts: impl Into<Vec<Doc>>) -> Doc {
    Doc::Concat(parts.into())
}

/// Indented by one level.
pub fn indent(inner: Doc) -> Doc {
    Doc::Indent(Box::new(inner))
}

/// Set flat if it fits.
pub fn group(inner: Doc) -> Doc {
    let broken = inner.has_hard();
    Doc::Group { inner: Box::new(inner), broken }
}

impl Doc {
    /// Whether it cannot be set on one line.
    pub fn has_hard(&self) -> bool {
        match self {
            Doc::Hard => true,
            Doc::Group { broken, .. } => *broken,
            Doc::Indent(inner) => inner.has_hard(),
            Doc::Concat(parts) => parts.iter().any(Doc::has_hard),
            _ => false,
        }
    }

    /// It on one line, or `None` when it has a line end.
    pub fn flat(&self) -> Option<String> {
        let mut out = String::new();
        self.push_flat(&mut out).then_some(out)
    }

    fn push_flat(&self, out: &mut String) -> bool {
        match self {
            Doc::Text(text) => out.push_str(text),
            Doc::Verbatim(text) if text.contains('\n') => return false,
            Doc::Verbatim(text) => out.push_str(text),
            Doc::Line => out.push(' '),
            Doc::Soft | Doc::IfBroken(_) => {}
            Doc::Hard => return false,
            Doc::Concat(parts) => return parts.iter().all(|part| part.push_flat(out)),
            Doc::Indent(inner) | Doc::Group { inner, .. } => return inner.push_flat(out),
        }
        true
    }

    /// Sets it in lines of at most `width` characters, where its breaks allow.
    pub fn set(&self, width: usize) -> String {
        let mut setter = Setter { out: String::new(), column: 0, pending: 0, width };
        setter.run(self);
        setter.out
    }
}

#[derive(Clone, Copy)]
struct Frame<'d> {
    indent: usize,
    flat: bool,
    doc: &'d Doc,
}

struct Setter {
    out: String,
    /// Characters on the current line, pending blanks among them.
    column: usize,
    /// Blanks of an indentation that is only put out when something follows.
    pending: usize,
    width: usize,
}

impl Setter {
    fn run(&mut self, doc: &Doc) {
        let mut stack = vec![Frame { indent: 0, flat: false, doc }];
        while let Some(frame) = stack.pop() {
            let Frame { indent, flat, doc } = frame;
            match doc {
                Doc::Text(text) => self.put(text),
                Doc::Verbatim(text) => self.put_verbatim(text),
                Doc::Line if flat => self.put(" "),
                Doc::Soft if flat => {}
                Doc::Line | Doc::Soft | Doc::Hard => self.end_line(indent),
                Doc::IfBroken(text) => {
                    if !flat {
                        self.put(text);
                    }
                }
                Doc::Concat(parts) => stack.extend(parts.iter().rev().map(|doc| Frame { doc, ..frame })),
                Doc::Indent(inner) => stack.push(Frame { indent: indent + INDENT, flat, doc: inner }),
                Doc::Group { inner, broken } => {
                    let frame = Frame { indent, flat: true, doc: inner };
                    let flat = flat || !broken && self.fits(frame, &stack);
                    stack.push(Frame { flat, ..frame });
                }
            }
        }
    }

    fn put(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.out.extend(std::iter::repeat_n(' ', std::mem::take(&mut self.pending)));
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn put_verbatim(&mut self, text: &str) {
        self.put(text);
        if let Some(newline) = text.rfind('\n') {
            self.column = text[newline + 1..].chars().count();
        }
    }

    fn end_line(&mut self, indent: usize) {
        let kept = self.out.trim_end_matches(' ').len();
        self.out.truncate(kept);
        self.out.push('\n');
        self.pending = indent;
        self.column = indent;
    }

    /// Whether `first`, set flat, and what follows it up to the next line end fit into the rest of the line.
    fn fits(&self, first: Frame, rest: &[Frame]) -> bool {
        let Some(mut room) = self.width.checked_sub(self.column) else { return false };
        let mut stack = vec![first];
        let mut rest = rest.iter().rev();
        loop {
            let Some(frame) = stack.pop().or_else(|| rest.next().copied()) else { return true };
            let text: &str = match frame.doc {
                Doc::Text(text) => text,
                Doc::Verbatim(text) => match text.split_once('\n') {
                    Some((line, _)) => return line.chars().count() <= room,
                    None => text,
                },
                Doc::Line if frame.flat => " ",
                Doc::Soft if frame.flat => "",
                Doc::Line | Doc::Soft | Doc::Hard => return true,
                Doc::IfBroken(text) => {
                    if frame.flat {
                        ""
                    } else {
                        text
                    }
                }
                Doc::Concat(parts) => {
                    stack.extend(parts.iter().rev().map(|doc| Frame { doc, ..frame }));
                    continue;
                }
                // What follows may break as soon as it can: it is measured in its own mode, groups as broken.
                Doc::Indent(inner) | Doc::Group { inner, .. } => {
                    stack.push(Frame { doc: inner, ..frame });
                    continue;
                }
            };
            match room.checked_sub(text.chars().count()) {
                Some(left) => room = left,
                None => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Doc, concat, group, indent, text};

    fn list(items: &[&str]) -> Doc {
        let mut inner = vec![Doc::Soft];
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                inner.extend([text(","), Doc::Line]);
            }
            inner.push(text(*item));
        }
        group(concat([text("["), indent(concat(inner)), Doc::IfBroken(","), Doc::Soft, text("]")]))
    }

    #[test]
    fn groups_break_when_they_do_not_fit() {
        assert_eq!(list(&["aa", "bb"]).set(8), "[aa, bb]");
        assert_eq!(list(&["aa", "bb"]).set(7), "[\n  aa,\n  bb,\n]");
        let outer = concat([list(&["a"]), text("; "), list(&["bbbb", "cc"])]);
        assert_eq!(outer.set(10), "[a]; [\n  bbbb,\n  cc,\n]");
    }

    #[test]
    fn hard_line_ends_break_what_is_around_them() {
        let doc = group(indent(concat([text("a"), Doc::Line, text("b"), Doc::Hard, Doc::Hard, text("c")])));
        assert_eq!(doc.set(80), "a\n  b\n\n  c");
        assert_eq!(doc.flat(), None);
        assert_eq!(list(&["x"]).flat().as_deref(), Some("[x]"));
    }

    #[test]
    fn verbatim_text_is_not_touched() {
        let doc = indent(concat([text("f("), Doc::Verbatim("\"\"\"\n  a \n\"\"\"".into()), text(")")]));
        assert_eq!(doc.set(10), "f(\"\"\"\n  a \n\"\"\")");
    }
}
