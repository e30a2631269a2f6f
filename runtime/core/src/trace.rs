//! Stack traces: walks the frames of a suspended fiber.
//!
//! In: where compiled code was left, and its module. Out: lines `at fib (app.weir:3:7)`, innermost first; runs of the same
//! frames, as deep recursion leaves them, are told once with their number.
//! Invariant: every address read lies on the fiber's stack.

use crate::fiber::{Exit, Fiber};
use std::fmt;
use std::ops::Range;
use weir_abi::code::{FrameInfo, Module};

/// How many lines a trace shows.
const LINES: usize = 20;
/// The longest cycle of calls that is recognised as recursion.
const CYCLE: usize = 4;

/// A frame of compiled code.
pub struct Frame<'m> {
    /// Its function.
    pub info: &'m FrameInfo,
    /// Return address of the call it is in.
    pub pc: usize,
    /// Stack pointer at that call.
    pub sp: usize,
}

/// The frames of a suspended fiber, innermost first.
pub fn frames<'a>(fiber: &'a Fiber, module: &'a Module) -> impl Iterator<Item = Frame<'a>> {
    walk(fiber.exit(), |address| fiber.holds(address), module)
}

/// The frames from where compiled code was left, on a stack with the addresses that `holds` names.
fn walk<'m>(
    exit: Exit,
    holds: impl Fn(usize) -> bool,
    module: &'m Module,
) -> impl Iterator<Item = Frame<'m>> {
    let Exit { mut fp, mut pc, mut sp } = exit;
    std::iter::from_fn(move || {
        let info = module.frame(pc)?;
        let frame = Frame { info, pc, sp };
        if fp.is_multiple_of(8) && holds(fp) && holds(fp + 8) {
            // SAFETY: both words lie on the fiber's stack: the caller's frame pointer and the return address into it.
            let (caller, back) = unsafe { (*(fp as *const usize), *((fp + 8) as *const usize)) };
            (sp, pc) = (fp + 16, back);
            // Stacks grow downwards: a caller's frame is above.
            if caller > fp {
                fp = caller;
            } else {
                fp = 0;
            }
        } else {
            pc = 0;
        }
        Some(frame)
    })
}

/// The place in the program's own files where the innermost call was made from which compiled code was left; empty when
/// there is none.
pub fn own_place(exit: Exit, stack: Range<usize>, module: &Module) -> String {
    let mut places =
        walk(exit, |address| stack.contains(&address), module).filter_map(|f| f.info.place(f.pc));
    let own = places.find(|place| !(module.is_library)(place.file));
    own.map(|place| (module.show_place)(place)).unwrap_or_default()
}

/// A stack trace, ready to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    lines: Vec<String>,
    /// How often the last line was repeated by other fibers, which is told behind it.
    repeated: usize,
}

impl Trace {
    /// The trace of a suspended fiber.
    pub fn of(fiber: &Fiber, module: &Module) -> Self {
        let mut calls: Vec<(&FrameInfo, usize)> = Vec::new();
        let mut lines = Vec::new();
        let mut frames =
            frames(fiber, module).map(|f| (f.info, f.pc)).filter(|(f, pc)| f.place(*pc).is_some()).peekable();
        while let Some(call) = frames.next() {
            lines.extend(lines_of(module, call));
            calls.push(call);
            if lines.len() >= LINES {
                if frames.peek().is_some() {
                    lines.push("...".to_owned());
                }
                break;
            }
            for cycle in 1..=CYCLE {
                let Some(start) = calls.len().checked_sub(2 * cycle) else { break };
                if !same(&calls[start..start + cycle], &calls[start + cycle..]) {
                    continue;
                }
                let mut repeated = 0;
                let last = calls[start + cycle..].to_vec();
                while frames.peek().is_some_and(|call| is_same(call, &last[repeated % cycle])) {
                    frames.next();
                    repeated += 1;
                }
                if repeated > 0 {
                    lines.push(repetition(repeated));
                    calls.clear();
                }
                break;
            }
        }
        Self { lines, repeated: 0 }
    }

    /// It, with the calls behind it that led there from another fiber. A generator that walks over one of its own function
    /// recurs from fiber to fiber.
    pub fn called_from(mut self, outer: Self) -> Self {
        let told = self.lines.len() - usize::from(self.repeated > 0);
        if let ([first, second], [line]) = (&self.lines[told.saturating_sub(2)..told], &outer.lines[..])
            && first == second
            && second == line
        {
            self.repeated += 1;
            self.lines.truncate(told);
            self.lines.push(repetition(self.repeated));
        } else if told < LINES {
            self.lines.extend(outer.lines);
            self.repeated = 0;
        }
        self
    }

    /// Its lines, without indentation.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

fn repetition(times: usize) -> String {
    format!("... {times} more of these")
}

fn is_same(a: &(&FrameInfo, usize), b: &(&FrameInfo, usize)) -> bool {
    std::ptr::eq(a.0, b.0) && a.1 == b.1
}

fn same(a: &[(&FrameInfo, usize)], b: &[(&FrameInfo, usize)]) -> bool {
    a.iter().zip(b).all(|(a, b)| is_same(a, b))
}

fn lines_of(module: &Module, (info, pc): (&FrameInfo, usize)) -> impl Iterator<Item = String> {
    info.calls(pc).into_iter().map(|(name, place)| format!("at {name} ({})", (module.show_place)(place)))
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}
