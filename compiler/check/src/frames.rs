//! Bodies under inference and inferred ones: how a frame is opened, filled and left.
//!
//! ```text
//! Frames::open(Frame) -> FrameId       inside(id)   sees what is visible where it stands
//!                                      apart(id)    sees nothing yet
//!                                         |
//!                                      fill(here, infer)   infers the body from there, and comes back
//! ```
//! Invariant: ids are given in order and none is taken back, so that the frames behind a number are those that came since.
//! Not here: what a frame holds (`scope`).

use crate::draft::{ChainId, Draft, FrameId};
use crate::infer::{Checker, Here};
use crate::modules::ModuleId;
use crate::scope::Frame;
use std::ops::{Index, IndexMut};

/// All frames of a check, by [`FrameId`].
#[derive(Debug)]
pub struct Frames<'a>(Vec<Frame<'a>>);

impl<'a> Frames<'a> {
    /// The frame of the main file's statements.
    pub const MAIN: FrameId = FrameId(0);

    /// With main's.
    pub fn new(main: Frame<'a>) -> Self {
        Self(vec![main])
    }

    /// Takes in one more.
    pub fn open(&mut self, frame: Frame<'a>) -> FrameId {
        self.0.push(frame);
        FrameId(self.0.len() as u32 - 1)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Those that came since there were so many.
    pub fn since(&self, count: usize) -> &[Frame<'a>] {
        &self.0[count..]
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Frame<'a>> {
        self.0.iter()
    }
}

impl<'a> Index<FrameId> for Frames<'a> {
    type Output = Frame<'a>;

    fn index(&self, id: FrameId) -> &Frame<'a> {
        &self.0[id.0 as usize]
    }
}

impl<'a> IndexMut<FrameId> for Frames<'a> {
    fn index_mut(&mut self, id: FrameId) -> &mut Frame<'a> {
        &mut self.0[id.0 as usize]
    }
}

impl<'a> Checker<'a> {
    /// The frame being inferred.
    pub fn frame(&mut self) -> &mut Frame<'a> {
        &mut self.frames[self.here.frame]
    }

    /// The beginning of a frame that was written within this one: what is visible here is visible there.
    pub fn inside(&mut self, frame: FrameId) -> Here<'a> {
        self.blocks += 1;
        Here { frame, block: self.blocks, loops: 0, ..self.here.clone() }
    }

    /// The beginning of a frame of a file, which calls led to: nothing is visible yet.
    pub fn apart(&mut self, frame: FrameId, module: ModuleId, chain: Option<ChainId>) -> Here<'a> {
        self.blocks += 1;
        Here { frame, module, scope: Vec::new(), block: self.blocks, loops: 0, chain }
    }

    /// Infers the body of the frame that `here` stands in.
    pub fn fill(&mut self, here: Here<'a>, infer: impl FnOnce(&mut Self) -> Draft) {
        let outside = std::mem::replace(&mut self.here, here);
        let body = infer(self);
        self.frame().body = Some(body);
        self.here = outside;
    }
}
