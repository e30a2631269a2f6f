//! Random typed programs: whatever the passes do to them, they print the same, leave nothing behind and touch nothing
//! that was freed.

use super::machine::Machine;
use crate::{Stage, borrow, count, ir, lower, opt, reuse, verify};
use weir_check::typed::{
    Arm, Expr, ExprKind, FnId, Function, Local, LocalId, Part, Pattern, Place, Prim, Program, Step, StepKind,
};
use weir_check::types::{Record, RecordId, Ty, TyKind, Types};
use weir_syntax::span::Span;

/// A small generator of numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// The types that random programs use.
struct Known {
    unit: Ty,
    int: Ty,
    bool: Ty,
    text: Ty,
    ints: Ty,
    texts: Ty,
    int_option: Ty,
    text_option: Ty,
    nested_option: Ty,
    record: Ty,
    records: Ty,
    pair: Ty,
    range: Ty,
    function: Ty,
    never: Ty,
}

impl Known {
    fn new(types: &mut Types) -> Self {
        let int = types.intern(TyKind::Int);
        let text = types.intern(TyKind::Text);
        let texts = types.intern(TyKind::List(text));
        let int_option = types.intern(TyKind::Option(int));
        let fields = [("a", text), ("b", texts), ("c", int_option), ("d", int)];
        let fields = fields.map(|(n, t)| (n.to_owned(), t)).to_vec();
        let id: RecordId = types.add_record(Record { name: "R".to_owned(), fields });
        let record = types.intern(TyKind::Record(id));
        Self {
            unit: types.intern(TyKind::Unit),
            int,
            bool: types.intern(TyKind::Bool),
            text,
            ints: types.intern(TyKind::List(int)),
            texts,
            int_option,
            text_option: types.intern(TyKind::Option(text)),
            nested_option: types.intern(TyKind::Option(int_option)),
            record,
            records: types.intern(TyKind::List(record)),
            pair: types.intern(TyKind::Tuple(vec![text, texts])),
            range: types.intern(TyKind::Range),
            function: types.intern(TyKind::Fn(vec![text], text)),
            never: types.intern(TyKind::Never),
        }
    }

    /// The type of a list's elements.
    fn item(&self, list: Ty) -> Option<Ty> {
        match () {
            () if list == self.ints => Some(self.int),
            () if list == self.texts => Some(self.text),
            () if list == self.records => Some(self.record),
            () => None,
        }
    }

    fn any(&self, dice: &mut Dice) -> Ty {
        let all = [
            self.int,
            self.bool,
            self.text,
            self.ints,
            self.texts,
            self.int_option,
            self.text_option,
            self.nested_option,
            self.record,
            self.records,
            self.pair,
            self.function,
        ];
        all[dice.below(all.len())]
    }
}

/// A function in the making.
#[derive(Default)]
struct Scope {
    locals: Vec<Local>,
    /// Those that may be named here, and whether they may be assigned.
    visible: Vec<(LocalId, bool)>,
    loops: u32,
    result: Option<Ty>,
}

struct Generator {
    dice: Dice,
    known: Known,
    functions: Vec<Function>,
    /// Finished functions that may be called.
    callable: Vec<FnId>,
    scope: Scope,
}

fn span() -> Span {
    Span::default()
}

fn expr(kind: ExprKind, ty: Ty) -> Expr {
    Expr { kind, ty, span: span() }
}

impl Generator {
    fn bind(&mut self, ty: Ty, mutable: bool) -> LocalId {
        let name = format!("v{}", self.scope.locals.len());
        self.scope.locals.push(Local { name, ty, span: span() });
        let id = LocalId(self.scope.locals.len() as u32 - 1);
        self.scope.visible.push((id, mutable));
        id
    }

    fn ty(&self, local: LocalId) -> Ty {
        self.scope.locals[local.0 as usize].ty
    }

    fn local(&mut self, ty: Ty) -> Option<Expr> {
        let of_type: Vec<_> =
            self.scope.visible.iter().filter(|(l, _)| self.ty(*l) == ty).map(|(l, _)| *l).collect();
        let n = of_type.len();
        (n > 0).then(|| expr(ExprKind::Local(of_type[self.dice.below(n)]), ty))
    }

    fn native(&mut self, name: &str, types: Vec<Ty>, args: Vec<Expr>, ty: Ty) -> Expr {
        expr(ExprKind::CallNative { name: name.to_owned(), types, args }, ty)
    }

    fn expr(&mut self, ty: Ty, depth: u32) -> Expr {
        if ty == self.known.unit {
            return expr(ExprKind::Unit, ty);
        }
        if self.dice.below(5) < 2
            && let Some(local) = self.local(ty)
        {
            return local;
        }
        if depth == 0 {
            return self.leaf(ty);
        }
        match self.dice.below(9) {
            0 => {
                let condition = self.expr(self.known.bool, depth - 1);
                let yes = self.block(ty, depth - 1);
                let no = self.block(ty, depth - 1);
                expr(ExprKind::If(Box::new(condition), Box::new(yes), Some(Box::new(no))), ty)
            }
            1 => self.block(ty, depth - 1),
            2 => self.matching(ty, depth - 1),
            3 => self.call(ty, depth - 1).unwrap_or_else(|| self.leaf(ty)),
            _ => self.construct(ty, depth - 1),
        }
    }

    fn leaf(&mut self, ty: Ty) -> Expr {
        let k = &self.known;
        if ty == k.int {
            return expr(ExprKind::Int(self.dice.below(7) as i64 - 2), ty);
        } else if ty == k.bool {
            return expr(ExprKind::Bool(self.dice.one_in(2)), ty);
        } else if ty == k.text {
            let texts = ["", "a", " bc", "17"];
            return expr(ExprKind::Text(texts[self.dice.below(4)].to_owned()), ty);
        } else if ty == k.ints || ty == k.texts {
            let item = if ty == k.ints { k.int } else { k.text };
            let items = (0..self.dice.below(3)).map(|_| self.leaf(item)).collect();
            return expr(ExprKind::List(items), ty);
        } else if ty == k.records {
            return expr(ExprKind::List(vec![]), ty);
        } else if ty == k.record || ty == k.pair || ty == k.function {
            return self.local(ty).unwrap_or_else(|| self.construct(ty, 0));
        }
        expr(ExprKind::None, ty)
    }

    fn construct(&mut self, ty: Ty, depth: u32) -> Expr {
        let (int, text, texts, ints) = (self.known.int, self.known.text, self.known.texts, self.known.ints);
        let pick = self.dice.below(4);
        if ty == int {
            let prims = [Prim::Add, Prim::Sub, Prim::Mul, Prim::Div];
            match pick {
                0 => {
                    let list = self.expr(texts, depth);
                    self.native("list-len", vec![text], vec![list], ty)
                }
                1 if self.dice.one_in(4) => {
                    let (list, index) = (self.expr(ints, depth), self.expr(int, depth));
                    expr(ExprKind::Index(Box::new(list), Box::new(index)), ty)
                }
                _ => {
                    let prim = prims[[0, 0, 0, 1, 1, 2, 2, 3][self.dice.below(8)]];
                    let operands = vec![self.expr(int, depth), self.expr(int, depth)];
                    expr(ExprKind::Prim(prim, operands), ty)
                }
            }
        } else if ty == self.known.bool {
            let (a, b) = (self.expr(ty, depth), self.expr(ty, depth));
            match pick {
                0 => expr(ExprKind::And(Box::new(a), Box::new(b)), ty),
                1 => expr(ExprKind::Or(Box::new(a), Box::new(b)), ty),
                2 => {
                    let args = vec![self.expr(text, depth), self.expr(text, depth)];
                    self.native("text-equal", vec![], args, ty)
                }
                _ => expr(ExprKind::Prim(Prim::Lt, vec![self.expr(int, depth), self.expr(int, depth)]), ty),
            }
        } else if ty == text {
            match pick {
                0 => {
                    let a = self.expr(text, depth);
                    let name = if self.dice.one_in(2) { "text-upper" } else { "text-trim" };
                    self.native(name, vec![], vec![a], ty)
                }
                1 => {
                    let function = self.expr(self.known.function, depth);
                    let arg = self.expr(text, depth);
                    expr(ExprKind::CallValue(Box::new(function), vec![arg]), ty)
                }
                2 => {
                    let record = self.expr(self.known.record, depth);
                    expr(ExprKind::Field(Box::new(record), 0), ty)
                }
                _ => {
                    let any = self.known.any(&mut self.dice);
                    let any = if any == self.known.function { text } else { any };
                    let parts = vec![
                        Part::Value(self.expr(text, depth)),
                        Part::Literal("-".to_owned()),
                        Part::Value(self.expr(any, depth)),
                    ];
                    expr(ExprKind::Interpolate(parts), ty)
                }
            }
        } else if let Some(item) = self.known.item(ty) {
            match pick {
                0 | 1 => {
                    let args = vec![self.expr(ty, depth), self.expr(item, depth)];
                    self.native("list-push", vec![item], args, ty)
                }
                2 => {
                    let args = vec![self.expr(ty, depth)];
                    self.native("list-reverse", vec![item], args, ty)
                }
                _ => {
                    let items = (0..self.dice.below(4)).map(|_| self.expr(item, depth)).collect();
                    expr(ExprKind::List(items), ty)
                }
            }
        } else if ty == self.known.record {
            // Often a copy of another one with some fields changed.
            let base = self.local(ty).filter(|_| pick > 0);
            let mut fields = Vec::new();
            for (at, t) in [text, texts, self.known.int_option, int].into_iter().enumerate() {
                fields.push(match &base {
                    Some(base) if self.dice.below(4) > 0 => {
                        expr(ExprKind::Field(Box::new(base.clone()), at as u32), t)
                    }
                    _ => self.expr(t, depth),
                });
            }
            expr(ExprKind::Record(fields), ty)
        } else if ty == self.known.pair {
            let parts = [text, texts].map(|t| self.expr(t, depth)).to_vec();
            expr(ExprKind::Record(parts), ty)
        } else if ty == self.known.function {
            self.lambda(depth)
        } else if pick == 0 {
            expr(ExprKind::None, ty)
        } else if pick == 1 && ty == self.known.text_option {
            let arg = self.expr(text, depth);
            self.native("env", vec![], vec![arg], ty)
        } else {
            let inner = match () {
                () if ty == self.known.int_option => int,
                () if ty == self.known.text_option => text,
                () => self.known.int_option,
            };
            expr(ExprKind::Some(Box::new(self.expr(inner, depth))), ty)
        }
    }

    fn lambda(&mut self, depth: u32) -> Expr {
        if self.dice.one_in(3)
            && let Some(named) = self.callable.iter().find(|f| {
                let f = &self.functions[f.0 as usize];
                f.result == self.known.text
                    && matches!(&f.params[..], [p] if f.locals[p.0 as usize].ty == self.known.text)
            })
        {
            return expr(ExprKind::Closure(*named, vec![]), self.known.function);
        }
        let outer = std::mem::take(&mut self.scope);
        let captured: Vec<LocalId> =
            outer.visible.iter().map(|(l, _)| *l).filter(|_| self.dice.one_in(3)).collect();
        let text = self.known.text;
        let param = self.bind(text, false);
        let captures = captured.iter().map(|c| self.bind(outer.locals[c.0 as usize].ty, false)).collect();
        let body = self.block(text, depth);
        let inner = std::mem::replace(&mut self.scope, outer);
        self.functions.push(Function {
            name: "lambda".to_owned(),
            span: span(),
            params: vec![param],
            captures,
            is_lambda: true,
            is_mutating: false,
            locals: inner.locals,
            result: text,
            body,
        });
        expr(ExprKind::Closure(FnId(self.functions.len() as u32 - 1), captured), self.known.function)
    }

    fn call(&mut self, ty: Ty, depth: u32) -> Option<Expr> {
        let fitting: Vec<FnId> =
            self.callable.iter().copied().filter(|f| self.functions[f.0 as usize].result == ty).collect();
        if fitting.is_empty() {
            return None;
        }
        let callee = fitting[self.dice.below(fitting.len())];
        let f = &self.functions[callee.0 as usize];
        let params: Vec<Ty> = f.params.iter().map(|p| f.locals[p.0 as usize].ty).collect();
        let args = params.into_iter().map(|p| self.expr(p, depth)).collect();
        Some(expr(ExprKind::Call(callee, args), ty))
    }

    fn matching(&mut self, ty: Ty, depth: u32) -> Expr {
        let (int, text) = (self.known.int, self.known.text);
        let arm = |pattern, guard, body| Arm { pattern, guard, body };
        let some = |p| Pattern::Some(Box::new(p));
        let before = self.scope.visible.len();
        let (subject, arms) = match self.dice.below(7) {
            0 => {
                let subject = self.expr(int, depth);
                let low = arm(Pattern::IntRange(-1, 1), None, self.expr(ty, depth));
                let or = Pattern::Or(vec![Pattern::Int(2), Pattern::Int(4)]);
                let guard = Some(self.expr(self.known.bool, depth));
                let middle = arm(or, guard, self.expr(ty, depth));
                (subject, vec![low, middle, arm(Pattern::Wildcard, None, self.expr(ty, depth))])
            }
            1 => {
                let subject = self.expr(text, depth);
                let first = arm(Pattern::Text("a".to_owned()), None, self.expr(ty, depth));
                let bound = self.bind(text, false);
                let guard = Some(self.expr(self.known.bool, depth));
                let second = arm(Pattern::Bind(bound), guard, self.expr(ty, depth));
                self.scope.visible.truncate(before);
                (subject, vec![first, second, arm(Pattern::Wildcard, None, self.expr(ty, depth))])
            }
            2 => {
                let subject = self.expr(self.known.nested_option, depth);
                let bound = self.bind(int, false);
                let first = arm(some(some(Pattern::Bind(bound))), None, self.expr(ty, depth));
                self.scope.visible.truncate(before);
                let second = arm(some(Pattern::None), None, self.expr(ty, depth));
                (subject, vec![first, second, arm(Pattern::None, None, self.expr(ty, depth))])
            }
            3 => {
                let subject = self.expr(self.known.pair, depth);
                let (head, rest) = (self.bind(text, false), self.bind(self.known.texts, false));
                let list = Pattern::List(vec![Pattern::Bind(head)], Some(Box::new(Pattern::Bind(rest))));
                let known = Pattern::Text("a".to_owned());
                let guard = self.dice.one_in(2).then(|| self.expr(self.known.bool, depth));
                let first = arm(Pattern::Tuple(vec![known, list]), guard, self.expr(ty, depth));
                self.scope.visible.truncate(before);
                let (a, b) = (self.bind(text, false), self.bind(self.known.texts, false));
                let all = Pattern::Tuple(vec![Pattern::Bind(a), Pattern::Bind(b)]);
                let second = arm(all, None, self.expr(ty, depth));
                self.scope.visible.truncate(before);
                (subject, vec![first, second])
            }
            4 => {
                let subject = self.expr(self.known.texts, depth);
                let (first, rest) = (self.bind(text, false), self.bind(self.known.texts, false));
                let more = Pattern::List(vec![Pattern::Bind(first)], Some(Box::new(Pattern::Bind(rest))));
                let more = arm(more, None, self.expr(ty, depth));
                self.scope.visible.truncate(before);
                let empty = Pattern::List(vec![], None);
                (subject, vec![more, arm(empty, None, self.expr(ty, depth))])
            }
            5 => {
                let names: std::rc::Rc<[String]> = ["a", "b", "c", "d"].map(str::to_owned).into();
                let subject = self.expr(self.known.record, depth);
                let (a, c) = (self.bind(text, false), self.bind(int, false));
                let two = Pattern::List(vec![Pattern::Wildcard, Pattern::Bind(a)], None);
                let parts = vec![Pattern::Wildcard, two, some(Pattern::Bind(c)), Pattern::Wildcard];
                let first = arm(Pattern::Record(names, parts), None, self.expr(ty, depth));
                self.scope.visible.truncate(before);
                (subject, vec![first, arm(Pattern::Wildcard, None, self.expr(ty, depth))])
            }
            _ => {
                let subject = self.expr(self.known.text_option, depth);
                let bound = self.bind(text, false);
                let first = arm(some(Pattern::Bind(bound)), None, self.expr(ty, depth));
                self.scope.visible.truncate(before);
                (subject, vec![first, arm(Pattern::None, None, self.expr(ty, depth))])
            }
        };
        expr(ExprKind::Match(Box::new(subject), arms), ty)
    }

    /// Statements, then a value.
    fn block(&mut self, ty: Ty, depth: u32) -> Expr {
        let before = self.scope.visible.len();
        let statements = self.dice.below(4) + if depth > 4 { 12 } else { 0 };
        let mut all: Vec<Expr> = (0..statements).map(|_| self.statement(depth)).collect();
        all.push(self.expr(ty, depth));
        self.scope.visible.truncate(before);
        expr(ExprKind::Block(all), ty)
    }

    fn statement(&mut self, depth: u32) -> Expr {
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
    fn take_apart(&mut self, depth: u32) -> Expr {
        let pair = self.expr(self.known.pair, depth);
        let mutable = self.dice.one_in(2);
        let (a, b) = (self.bind(self.known.text, mutable), self.bind(self.known.texts, mutable));
        let pattern = Pattern::Tuple(vec![Pattern::Bind(a), Pattern::Bind(b)]);
        let arm = Arm { pattern, guard: None, body: expr(ExprKind::Unit, self.known.unit) };
        expr(ExprKind::Match(Box::new(pair), vec![arm]), self.known.unit)
    }

    /// A slot of some `var`, with its type; most often one that is not the variable itself.
    fn place(&mut self, depth: u32) -> Option<(Place, Ty)> {
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
    fn change(&mut self, depth: u32) -> Expr {
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

    fn walk(&mut self, depth: u32) -> Expr {
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

    fn function(&mut self, params: usize, result: Ty, depth: u32, is_mutating: bool) -> FnId {
        self.scope = Scope { result: Some(result), ..Scope::default() };
        let params: Vec<LocalId> = (0..params)
            .map(|_| {
                let ty = self.known.any(&mut self.dice);
                self.bind(ty, false)
            })
            .collect();
        if is_mutating {
            self.scope.visible[0].1 = true;
        }
        let body = self.block(result, depth);
        let locals = std::mem::take(&mut self.scope).locals;
        self.functions.push(Function {
            name: format!("f{}", self.functions.len()),
            span: span(),
            params,
            captures: vec![],
            is_lambda: false,
            is_mutating,
            locals,
            result,
            body,
        });
        let id = FnId(self.functions.len() as u32 - 1);
        if !is_mutating {
            self.callable.push(id);
        }
        id
    }
}

fn program(seed: u64) -> Program {
    let mut types = Types::new();
    let known = Known::new(&mut types);
    let dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut g = Generator { dice, known, functions: vec![], callable: vec![], scope: Scope::default() };
    for i in 0..4 {
        let result = if i == 0 { g.known.text } else { g.known.any(&mut g.dice) };
        g.function(1 + i % 3, result, 3, false);
        let result = if g.dice.one_in(2) { g.known.unit } else { g.known.any(&mut g.dice) };
        g.function(1 + i % 2, result, 3, true);
    }
    let main = g.function(0, g.known.unit, 6, false);
    Program {
        types,
        functions: g.functions,
        globals: vec![],
        main,
        handler: None,
        around: None,
        routes: vec![],
        tests: vec![],
    }
}

fn well_formed(module: &ir::Module, stage: Stage, seed: u64) {
    if let Err(bug) = verify(module, stage) {
        panic!("seed {seed}: {bug}");
    }
}

fn counted(mut module: ir::Module, seed: u64) -> ir::Module {
    well_formed(&module, Stage::Uncounted, seed);
    borrow::infer(&mut module);
    count(&mut module);
    well_formed(&module, Stage::Counted, seed);
    module
}

#[test]
fn random_programs_survive_every_pass() {
    let (mut trapped, mut reuses) = (0, 0);
    let mut lines = 0;
    let seeds = std::env::var("WEIR_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(150);
    for seed in 1..=seeds {
        let program = program(seed);
        let plain = lower(&program);
        let expected = Machine::new(&plain, false).run();
        if expected.output.last().is_some_and(|l| l == "trap: out of fuel") {
            continue;
        }
        trapped += u32::from(expected.trapped);
        lines += expected.output.len();
        let unoptimised = counted(plain.clone(), seed);
        assert_eq!(Machine::new(&unoptimised, true).run(), expected, "seed {seed}, not optimised");
        let mut better = plain;
        opt::optimise(&mut better);
        assert_eq!(Machine::new(&better, false).run(), expected, "seed {seed}, optimised, not counted");
        let better = counted(better, seed);
        assert_eq!(Machine::new(&better, true).run(), expected, "seed {seed}, optimised");
        for mut reusing in [unoptimised, better] {
            reuse(&mut reusing);
            well_formed(&reusing, Stage::Counted, seed);
            let mut machine = Machine::new(&reusing, true);
            assert_eq!(machine.run(), expected, "seed {seed}, reusing");
            reuses += machine.reuses;
        }
    }
    assert!(u64::from(trapped) < seeds / 2, "{trapped} programs trap: they show too little");
    assert!(u64::from(reuses) > seeds / 50, "{reuses} objects reused: the programs show too little");
    assert!(lines as u64 > seeds, "{lines} lines printed: the programs show too little");
}
