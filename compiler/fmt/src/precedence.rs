//! How tightly expressions bind, and where that calls for parentheses.

use weir_syntax::ast::{BinaryOp, Expr, ExprKind, Stmt, StmtKind, UnaryOp};

/// The levels, loosest first, as the grammar has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `x => y`, `x ?? return y`: takes all that follows.
    Lambda,
    /// `or`
    Or,
    /// `and`
    And,
    /// `not`
    Not,
    /// `==` and its like, which do not chain.
    Comparison,
    /// `??`
    Coalesce,
    /// `..`
    Range,
    /// `+`, `-`
    Sum,
    /// `*`, `/`, `%`
    Product,
    /// `-x`
    Negation,
    /// `x.y`, `x(y)`, `x[y]`, and what needs no operator.
    Postfix,
}

/// The level of a binary operator.
pub fn of_binary(op: BinaryOp) -> Level {
    match op {
        BinaryOp::Or => Level::Or,
        BinaryOp::And => Level::And,
        BinaryOp::Eq
        | BinaryOp::Ne
        | BinaryOp::Lt
        | BinaryOp::Le
        | BinaryOp::Gt
        | BinaryOp::Ge
        | BinaryOp::In => Level::Comparison,
        BinaryOp::Coalesce => Level::Coalesce,
        BinaryOp::Add | BinaryOp::Sub => Level::Sum,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => Level::Product,
    }
}

/// The level of an expression.
pub fn of(expr: &Expr) -> Level {
    match &expr.kind {
        _ if ends_in_leave(expr) => Level::Lambda,
        ExprKind::Lambda { .. } => Level::Lambda,
        ExprKind::Binary { op, .. } => of_binary(*op),
        ExprKind::Unary { op: UnaryOp::Not, .. } => Level::Not,
        ExprKind::Unary { op: UnaryOp::Neg, .. } => Level::Negation,
        ExprKind::Range { .. } => Level::Range,
        _ => Level::Postfix,
    }
}

/// What the left and the right operand must bind as tightly as.
pub fn of_operands(op: BinaryOp) -> (Level, Level) {
    match of_binary(op) {
        Level::Or => (Level::Or, Level::And),
        Level::And => (Level::And, Level::Not),
        Level::Comparison => (Level::Coalesce, Level::Coalesce),
        Level::Coalesce => (Level::Range, Level::Coalesce),
        Level::Sum => (Level::Sum, Level::Product),
        _ => (Level::Product, Level::Negation),
    }
}

/// Whether an expression is a way out of the function or loop, or has one behind its last `??`.
pub fn ends_in_leave(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Leave(_) => true,
        ExprKind::Binary { op: BinaryOp::Coalesce, right, .. } => ends_in_leave(right),
        _ => false,
    }
}

/// Whether an expression starts with a `{`, which in a head would be taken for the block.
pub fn starts_with_brace(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Block(_) | ExprKind::Record(_) => true,
        ExprKind::Binary { op, left, .. } => of(left) >= of_operands(*op).0 && starts_with_brace(left),
        ExprKind::Range { low: Some(low), .. } => of(low) > Level::Range && starts_with_brace(low),
        ExprKind::Call { callee, .. } => starts_with_brace(callee),
        ExprKind::Method { receiver, .. }
        | ExprKind::Field { receiver, .. }
        | ExprKind::Index { receiver, .. }
        | ExprKind::Try(receiver) => starts_with_brace(receiver),
        _ => false,
    }
}

/// Whether a form such as `stream { }` stands in an expression outside of any brackets: in a head its word would be a name.
pub fn has_bare_form(expr: &Expr) -> bool {
    let leaves = |stmt: &Stmt| match &stmt.kind {
        StmtKind::Return(Some(value)) | StmtKind::Fail(value) | StmtKind::Yield(value) => {
            has_bare_form(value)
        }
        _ => false,
    };
    match &expr.kind {
        ExprKind::Form(..) => true,
        ExprKind::Binary { left, right, .. } => has_bare_form(left) || has_bare_form(right),
        ExprKind::Range { low, high, .. } => [low, high].into_iter().flatten().any(|end| has_bare_form(end)),
        ExprKind::Unary { operand, .. } => has_bare_form(operand),
        ExprKind::Call { callee, .. } => has_bare_form(callee),
        ExprKind::Method { receiver, .. }
        | ExprKind::Field { receiver, .. }
        | ExprKind::Index { receiver, .. }
        | ExprKind::Try(receiver) => has_bare_form(receiver),
        ExprKind::Leave(stmt) => leaves(stmt),
        _ => false,
    }
}
