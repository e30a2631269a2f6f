//! The ways out of a body that decide what its result is: `?`, `fail`, and `for`, which a stream may make fail.
//!
//! In: a body as written. Out: which of them it has, lambdas and forms within it left out: those leave themselves.

use weir_syntax::ast::{Arg, Block, Cond, Expr, ExprKind, FnBody, Stmt, StmtKind, TextPart};

/// What a body has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// `fail`
    pub fails: bool,
    /// `x?`
    pub tries: bool,
    /// `for`
    pub loops: bool,
}

/// The ways out of a function's body.
pub fn of_body(body: &FnBody) -> Ways {
    match body {
        FnBody::Block(block) => of_block(block),
        FnBody::Expr(expr) => of_expr(expr),
        FnBody::Native(_) => Ways::default(),
    }
}

/// The ways out of a block that is a body.
pub fn of_block(block: &Block) -> Ways {
    search(Vec::new(), vec![block])
}

/// The ways out of a lambda's body.
pub fn of_expr(expr: &Expr) -> Ways {
    search(vec![expr], Vec::new())
}

/// Takes no stack, however deep the expressions are.
fn search<'e>(mut exprs: Vec<&'e Expr>, mut blocks: Vec<&'e Block>) -> Ways {
    let mut ways = Ways::default();
    loop {
        if let Some(expr) = exprs.pop() {
            match &expr.kind {
                ExprKind::Try(_) => ways.tries = true,
                ExprKind::For { .. } => ways.loops = true,
                ExprKind::Leave(stmt) => {
                    ways.fails |= matches!(stmt.kind, StmtKind::Fail(_));
                    statement(stmt, &mut exprs, &mut blocks);
                }
                _ => {}
            }
            parts(expr, &mut exprs, &mut blocks);
        } else if let Some(block) = blocks.pop() {
            for stmt in &block.stmts {
                ways.fails |= matches!(stmt.kind, StmtKind::Fail(_));
                statement(stmt, &mut exprs, &mut blocks);
            }
        } else {
            return ways;
        }
    }
}

fn statement<'e>(stmt: &'e Stmt, exprs: &mut Vec<&'e Expr>, blocks: &mut Vec<&'e Block>) {
    match &stmt.kind {
        StmtKind::Let { value, otherwise, .. } => {
            exprs.push(value);
            blocks.extend(otherwise);
        }
        StmtKind::Assign { place, value } => exprs.extend([place, value]),
        StmtKind::Return(value) => exprs.extend(value),
        StmtKind::Fail(value)
        | StmtKind::Assert(value, _)
        | StmtKind::Yield(value)
        | StmtKind::Expr(value) => exprs.push(value),
        StmtKind::Break | StmtKind::Continue | StmtKind::Defer(_) | StmtKind::Error => {}
    }
}

fn condition<'e>(cond: &'e Cond, exprs: &mut Vec<&'e Expr>) {
    let (Cond::Expr(value) | Cond::Let(_, value)) = cond;
    exprs.push(value);
}

/// The direct parts of an expression; none of a lambda or form.
fn parts<'e>(expr: &'e Expr, exprs: &mut Vec<&'e Expr>, blocks: &mut Vec<&'e Block>) {
    let arg = |arg: &'e Arg| match arg {
        Arg::Positional(value) | Arg::Named(_, value) | Arg::Spread(value) => value,
    };
    match &expr.kind {
        ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Bool(_)
        | ExprKind::Duration(_)
        | ExprKind::Bytes(_)
        | ExprKind::Unit
        | ExprKind::Name(_)
        | ExprKind::Lambda { .. }
        | ExprKind::Form(..)
        | ExprKind::Leave(_)
        | ExprKind::Error => {}
        ExprKind::Text(texts) | ExprKind::Html(texts) => {
            exprs.extend(texts.iter().filter_map(|part| match part {
                TextPart::Expr(value, _) => Some(value),
                TextPart::Literal(_) => None,
            }));
        }
        ExprKind::List(items) | ExprKind::Tuple(items) => exprs.extend(items),
        ExprKind::Map(entries) => exprs.extend(entries.iter().flat_map(|(key, value)| [key, value])),
        ExprKind::Record(args) => exprs.extend(args.iter().map(arg)),
        ExprKind::Try(value) | ExprKind::Unary { operand: value, .. } => exprs.push(value),
        ExprKind::Call { callee, args } => {
            exprs.push(callee);
            exprs.extend(args.iter().map(arg));
        }
        ExprKind::Method { receiver, args, .. } => {
            exprs.push(receiver);
            exprs.extend(args.iter().map(arg));
        }
        ExprKind::Field { receiver, .. } => exprs.push(receiver),
        ExprKind::Index { receiver, index } => exprs.extend([&**receiver, &**index]),
        ExprKind::Binary { left, right, .. } => exprs.extend([&**left, &**right]),
        ExprKind::Range { low, high, .. } => exprs.extend(low.iter().chain(high).map(|end| &**end)),
        ExprKind::If { cond, then, otherwise } => {
            condition(cond, exprs);
            blocks.push(then);
            exprs.extend(otherwise.as_deref());
        }
        ExprKind::Match { subject, arms } => {
            exprs.push(subject);
            for arm in arms {
                exprs.extend(&arm.guard);
                exprs.push(&arm.body);
            }
        }
        ExprKind::Block(block) | ExprKind::Loop(block) => blocks.push(block),
        ExprKind::For { iterable, body, .. } => {
            exprs.push(iterable);
            blocks.push(body);
        }
        ExprKind::While { cond, body } => {
            condition(cond, exprs);
            blocks.push(body);
        }
    }
}
