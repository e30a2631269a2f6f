//! Random expressions: values of a type, from variables, operations, calls, lambdas and matches.

use super::{Generator, expr, span};
use weir_check::typed::{Arm, Expr, ExprKind, FnId, Function, LocalId, Part, Pattern, Prim};
use weir_check::types::Ty;

impl Generator {
    pub(super) fn expr(&mut self, ty: Ty, depth: u32) -> Expr {
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

    pub(super) fn leaf(&mut self, ty: Ty) -> Expr {
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

    pub(super) fn construct(&mut self, ty: Ty, depth: u32) -> Expr {
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

    pub(super) fn lambda(&mut self, depth: u32) -> Expr {
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

    pub(super) fn call(&mut self, ty: Ty, depth: u32) -> Option<Expr> {
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

    pub(super) fn matching(&mut self, ty: Ty, depth: u32) -> Expr {
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
}
