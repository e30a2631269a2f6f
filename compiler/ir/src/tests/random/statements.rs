//! Random statements: blocks, assignments, changes of places, and loops.

use super::{Generator, expr, span};
use weir_check::typed::{Arm, Expr, ExprKind, FnId, LocalId, Pattern, Place, Step, StepKind};
use weir_check::types::Ty;

impl Generator {
    /// Statements, then a value.
    pub(super) fn block(&mut self, ty: Ty, depth: u32) -> Expr {
        let before = self.scope.visible.len();
        let statements = self.dice.below(4) + if depth > 4 { 12 } else { 0 };
        let mut all: Vec<Expr> = (0..statements).map(|_| self.statement(depth)).collect();
        all.push(self.expr(ty, depth));
        self.scope.visible.truncate(before);
        expr(ExprKind::Block(all), ty)
    }

    pub(super) fn statement(&mut self, depth: u32) -> Expr {
        let (unit, int) = (self.known.unit, self.known.int);
        let depth = depth.saturating_sub(1);
        match self.dice.below(14) {
            0..3 => {
                let ty = self.known.any(&mut self.dice);
                let init = self.expr(ty, depth);
                let mutable = self.dice.one_in(2);
                let local = self.bind(ty, mutable);
                expr(ExprKind::Let(local, Box::new(init)), unit)
            }
            3..6 => {
                let vars: Vec<LocalId> =
                    self.scope.visible.iter().filter(|(_, m)| *m).map(|(l, _)| *l).collect();
                if vars.is_empty() {
                    return expr(ExprKind::Unit, unit);
                }
                let local = vars[self.dice.below(vars.len())];
                let value = self.expr(self.ty(local), depth);
                expr(ExprKind::Assign(local, Box::new(value)), unit)
            }
            6 | 7 => self.change(depth),
            8..10 => {
                let ty = self.known.any(&mut self.dice);
                let ty = if ty == self.known.function { int } else { ty };
                let value = self.expr(ty, depth);
                self.native("print", vec![ty], vec![value], unit)
            }
            10 if depth > 0 => self.walk(depth),
            12 => self.take_apart(depth),
            11 => {
                let kind = match self.dice.below(3) {
                    0 if self.scope.loops > 0 => ExprKind::Break,
                    1 if self.scope.loops > 0 => ExprKind::Continue,
                    _ => match self.scope.result {
                        Some(ty) => ExprKind::Return(Box::new(self.expr(ty, depth))),
                        None => return expr(ExprKind::Unit, unit),
                    },
                };
                let condition = self.expr(self.known.bool, depth);
                let leave = expr(kind, self.known.never);
                expr(ExprKind::If(Box::new(condition), Box::new(leave), None), unit)
            }
            _ => {
                let ty = self.known.any(&mut self.dice);
                self.expr(ty, depth)
            }
        }
    }

    /// `let (a, b) = pair` or `var (a, b) = pair`
    pub(super) fn take_apart(&mut self, depth: u32) -> Expr {
        let pair = self.expr(self.known.pair, depth);
        let mutable = self.dice.one_in(2);
        let (a, b) = (self.bind(self.known.text, mutable), self.bind(self.known.texts, mutable));
        let pattern = Pattern::Tuple(vec![Pattern::Bind(a), Pattern::Bind(b)]);
        let arm = Arm { pattern, guard: None, body: expr(ExprKind::Unit, self.known.unit) };
        expr(ExprKind::Match(Box::new(pair), vec![arm]), self.known.unit)
    }

    /// A slot of some `var`, with its type; most often one that is not the variable itself.
    pub(super) fn place(&mut self, depth: u32) -> Option<(Place, Ty)> {
        let vars: Vec<LocalId> = self.scope.visible.iter().filter(|(_, m)| *m).map(|(l, _)| *l).collect();
        if vars.is_empty() {
            return None;
        }
        let root = vars[self.dice.below(vars.len())];
        let (mut ty, mut steps) = (self.ty(root), Vec::new());
        while !self.dice.one_in(5) {
            let kind = if ty == self.known.record {
                let at = self.dice.below(4);
                let k = &self.known;
                ty = [k.text, k.texts, k.int_option, k.int][at];
                StepKind::Field(at as u32)
            } else if let Some(item) = self.known.item(ty) {
                ty = item;
                // Small indexes, so that many are inside.
                let index = match self.dice.one_in(8) {
                    true => self.expr(self.known.int, depth),
                    false => expr(ExprKind::Int(0), self.known.int),
                };
                StepKind::Element(Box::new(index))
            } else {
                break;
            };
            steps.push(Step { kind, ty, span: span() });
        }
        Some((Place { root, steps }, ty))
    }

    /// A slot that is set, a list that something is put into or taken out of, or a call of a mutating function.
    pub(super) fn change(&mut self, depth: u32) -> Expr {
        let unit = self.known.unit;
        let Some((place, ty)) = self.place(depth) else { return expr(ExprKind::Unit, unit) };
        let mutating: Vec<FnId> = (0..self.functions.len() as u32).map(FnId).collect();
        let fitting = mutating.into_iter().find(|f| {
            let f = &self.functions[f.0 as usize];
            f.is_mutating && f.locals[f.params[0].0 as usize].ty == ty
        });
        let target = |place| expr(ExprKind::Place(place), ty);
        if let Some(callee) = fitting.filter(|_| self.dice.one_in(2)) {
            let f = &self.functions[callee.0 as usize];
            let result = f.result;
            let types: Vec<Ty> = f.params[1..].iter().map(|p| f.locals[p.0 as usize].ty).collect();
            let mut args = vec![target(place)];
            args.extend(types.into_iter().map(|ty| self.expr(ty, depth)));
            return expr(ExprKind::Call(callee, args), result);
        }
        if let Some(item) = self.known.item(ty)
            && self.dice.below(3) < 2
        {
            return match self.dice.below(5) {
                0 => {
                    let other = self.expr(ty, depth);
                    self.native("list-append", vec![item], vec![target(place), other], unit)
                }
                1 if self.dice.one_in(4) => {
                    self.native("list-take-last", vec![item], vec![target(place)], item)
                }
                2 if self.dice.one_in(6) => {
                    let index = expr(ExprKind::Int(0), self.known.int);
                    self.native("list-remove", vec![item], vec![target(place), index], item)
                }
                _ => {
                    let new = self.expr(item, depth);
                    self.native("list-push", vec![item], vec![target(place), new], unit)
                }
            };
        }
        let value = self.expr(ty, depth);
        match place.steps.is_empty() {
            true => expr(ExprKind::Assign(place.root, Box::new(value)), unit),
            false => expr(ExprKind::Put(place, Box::new(value)), unit),
        }
    }

    pub(super) fn walk(&mut self, depth: u32) -> Expr {
        let (item, over) = match self.dice.below(4) {
            0 => {
                let (low, high) = (self.expr(self.known.int, 0), expr(ExprKind::Int(3), self.known.int));
                let range = ExprKind::Range {
                    low: Box::new(low),
                    high: Box::new(high),
                    inclusive: self.dice.one_in(2),
                };
                let range = expr(range, self.known.range);
                let by_value = self.dice.one_in(2);
                let block = ExprKind::Block(vec![range.clone()]);
                (self.known.int, if by_value { expr(block, self.known.range) } else { range })
            }
            1 => (self.known.int, self.expr(self.known.ints, depth)),
            2 => (self.known.record, self.expr(self.known.records, depth)),
            _ => (self.known.text, self.expr(self.known.texts, depth)),
        };
        let before = self.scope.visible.len();
        let local = self.bind(item, false);
        self.scope.loops += 1;
        let body = self.block(self.known.unit, depth);
        self.scope.loops -= 1;
        self.scope.visible.truncate(before);
        expr(ExprKind::For(local, Box::new(over), Box::new(body)), self.known.unit)
    }
}
