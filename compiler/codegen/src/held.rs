//! Which counts a frame holds at each point, and which of them are written down in its stack slots.
//!
//! In: the operations' uses and results, in order. Out: at a call that may suspend, what to store into which slot and what
//! its stack map lists. Values stay in registers: objects never move, so a slot is written before such a call and never
//! read by compiled code. A slot that is current stays so until the count is given away.
//!
//! Not here: the instructions (`emitter`), the finished maps (`frames`).

use weir_ir::ir::Var;

/// The counts that are held; a variable appears once per count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held(Vec<Count>);

/// One count.
#[derive(Clone, Copy, Debug)]
struct Count {
    var: Var,
    /// The slot that holds the reference, when it was stored.
    slot: Option<u32>,
}

/// A store that a suspending call needs first.
pub(crate) type Spill = (Var, u32);

impl Held {
    /// A count is taken by a variable.
    pub(crate) fn take(&mut self, var: Var) {
        self.0.push(Count { var, slot: None });
    }

    /// A variable's count is given away; nothing happens when it holds none.
    pub(crate) fn give(&mut self, var: Var) {
        if let Some(at) = self.0.iter().rposition(|c| c.var == var) {
            self.0.remove(at);
        }
    }

    /// What a suspending call has to store, and all slots of its map. `kept`: the stores are on the only path onward, so
    /// later calls need not repeat them.
    pub(crate) fn spill(&mut self, kept: bool) -> (Vec<Spill>, Vec<u32>) {
        let mut used: Vec<u32> = self.0.iter().filter_map(|c| c.slot).collect();
        let mut stores = Vec::new();
        let mut next = 0;
        for count in self.0.iter_mut().filter(|c| c.slot.is_none()) {
            while used.contains(&next) {
                next += 1;
            }
            used.push(next);
            stores.push((count.var, next));
            if kept {
                count.slot = Some(next);
            }
        }
        (stores, used)
    }

    /// What is held at the start of a block with one predecessor.
    pub(crate) fn inherit(&self) -> Self {
        self.clone()
    }

    /// What is held where paths meet: what each of them holds, stored nowhere.
    pub(crate) fn meet(&mut self, other: &Self) {
        let mut others: Vec<Var> = other.0.iter().map(|c| c.var).collect();
        self.0.retain(|c| {
            let at = others.iter().position(|&o| o == c.var);
            at.map(|at| others.swap_remove(at)).is_some()
        });
        self.forget();
    }

    /// No slot is current any more.
    pub(crate) fn forget(&mut self) {
        self.0.iter_mut().for_each(|c| c.slot = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_stored_once_and_reused() {
        let mut held = Held::default();
        held.take(Var(1));
        held.take(Var(2));
        assert_eq!(held.spill(true), (vec![(Var(1), 0), (Var(2), 1)], vec![0, 1]));
        assert_eq!(held.spill(true), (vec![], vec![0, 1]));
        held.give(Var(1));
        held.take(Var(3));
        assert_eq!(held.spill(false), (vec![(Var(3), 0)], vec![1, 0]));
        assert_eq!(held.spill(true), (vec![(Var(3), 0)], vec![1, 0]));
    }

    #[test]
    fn two_counts_of_one_variable_have_two_slots() {
        let mut held = Held::default();
        held.take(Var(7));
        held.take(Var(7));
        assert_eq!(held.spill(true).1, [0, 1]);
        held.give(Var(7));
        assert_eq!(held.spill(true), (vec![], vec![0]));
        held.give(Var(9));
        assert_eq!(held.spill(true).1, [0]);
    }

    #[test]
    fn paths_meet_in_what_both_hold() {
        let (mut a, mut b) = (Held::default(), Held::default());
        for var in [1, 2, 2] {
            a.take(Var(var));
        }
        for var in [2, 3, 2, 2] {
            b.take(Var(var));
        }
        a.spill(true);
        a.meet(&b);
        assert_eq!(a.spill(false), (vec![(Var(2), 0), (Var(2), 1)], vec![0, 1]));
    }
}
