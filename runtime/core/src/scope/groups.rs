//! Groups: tasks that somebody waits for, whichever ends first, and that end with their handle.
//!
//! In: closures. Out: the indexes of those that ended, in the order in which they did, and their results.
//! Invariants: the handle's end cancels what still runs and gives up the results that nobody took, so that a call that runs
//! tasks (`par`, `race`, `timeout`) leaves nothing, however it ends; one task at a time waits for a group.

use super::tasks::Keeper;
use super::{Entry, Scope, TaskId};
use crate::heap::{Full, Word};
use crate::value::{Any, Closure, Gives, Own, Ref, Resource};
use std::collections::VecDeque;
use std::task::Waker;
use weir_abi::layout;
use weir_abi::trap::Trap;

/// What a task of a group counts as in the heap, until the group goes.
const MEMBER_SIZE: usize = size_of::<Member>();

enum Member {
    Running(TaskId),
    /// Its result, and whether that is a reference.
    Done(Word, bool),
    Taken,
}

/// Tasks that end with their handle.
#[derive(Default)]
pub struct Group {
    members: Vec<Member>,
    /// Those that ended and were not told yet.
    ended: VecDeque<u32>,
    waiter: Option<Waker>,
}

impl Scope {
    /// A handle of a group without tasks.
    pub(crate) fn group(&mut self) -> Result<Own<Resource>, Full> {
        self.resource(Entry::Group(Group::default()))
    }

    fn slot_of(group: Resource) -> u32 {
        group.object().get(layout::SLOT) as u32
    }

    fn group_in(&mut self, slot: u32) -> &mut Group {
        match &mut self.table.entries[slot as usize] {
            Entry::Group(group) => group,
            _ => unreachable!("a TaskGroup's slot holds its group"),
        }
    }

    /// Begins a task of the group. Its index: 0, 1, ...
    pub(crate) fn begin_member(
        &mut self,
        group: Resource,
        closure: Own<Closure>,
        is_ref: bool,
    ) -> Result<i64, Trap> {
        if let Err(full) = self.heap.charge(MEMBER_SIZE) {
            self.give_up(closure);
            return Err(full.into());
        }
        let slot = Self::slot_of(group);
        let at = self.group_in(slot).members.len();
        match self.begin_call(closure, Keeper::Group(slot, at as u32), is_ref) {
            Ok(id) => {
                self.group_in(slot).members.push(Member::Running(id));
                Ok(at as i64)
            }
            Err(trap) => {
                self.heap.uncharge(MEMBER_SIZE);
                Err(trap)
            }
        }
    }

    /// A task of the group in that slot has ended.
    pub(super) fn group_has(&mut self, slot: u32, at: u32, word: Word, is_ref: bool) {
        let group = self.group_in(slot);
        group.members[at as usize] = Member::Done(word, is_ref);
        group.ended.push_back(at);
        if let Some(waiter) = group.waiter.take() {
            waiter.wake();
        }
    }

    /// A task of the group in that slot was cancelled by somebody else: its scope ends.
    pub(super) fn group_lost(&mut self, slot: u32, at: u32) {
        self.group_in(slot).members[at as usize] = Member::Taken;
    }

    /// The index of the next task of the group that has ended; `None` when the waker will be woken.
    pub(crate) fn next_ended(&mut self, group: Resource, waker: &Waker) -> Option<u32> {
        let group = self.group_in(Self::slot_of(group));
        let next = group.ended.pop_front();
        if next.is_none() {
            group.waiter = Some(waker.clone());
        }
        next
    }

    /// The result of a task of the group that has ended; `take`n it is the caller's alone. Owned.
    pub(crate) fn member_result(&mut self, group: Resource, at: i64, take: bool) -> Result<Any, Trap> {
        let group = self.group_in(Self::slot_of(group));
        let member = usize::try_from(at).ok().and_then(|at| group.members.get_mut(at));
        let Some((member, Member::Done(word, is_ref))) = member.map(|member| {
            let state = std::mem::replace(member, Member::Taken);
            (member, state)
        }) else {
            return Err(Trap::native("the result of a task that has not ended, or was taken before"));
        };
        let value = crate::stream::as_any(word);
        if take {
            return Ok(value);
        }
        *member = Member::Done(value.into_word(), is_ref);
        Ok(self.dup_any(value, is_ref))
    }

    /// Cancels what still runs of a group, and gives up what nobody took.
    pub(super) fn close_group(&mut self, group: Group) {
        self.heap.uncharge(MEMBER_SIZE * group.members.len());
        for member in group.members {
            match member {
                // Its result has nowhere to go any more.
                Member::Running(id) => {
                    self.orphan(id);
                    self.cancel_task(id);
                }
                Member::Done(word, true) => {
                    // SAFETY: a result of a reference type, which nobody took.
                    unsafe { self.drop_word(word) };
                }
                Member::Done(_, false) | Member::Taken => {}
            }
        }
    }
}
