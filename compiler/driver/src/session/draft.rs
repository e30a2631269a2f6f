//! The main file that an entry of a session comes to, in its parts.
//!
//! In: what the entry and those before it declare, bind and do. Out: one file, whose last expression is shown and kept, or walked, or
//! left as it is. Invariant: all that it holds has spans in the sources of the attempt.

use super::{Again, Binding, IT, NEW_IT, opens};
use weir_check::bound_names;
use weir_check::typed::Program;
use weir_syntax::ast::{Arg, Block, Expr, ExprKind, File, Item, Name, Pattern, PatternKind, Stmt, StmtKind};

/// What becomes of an expression at the end of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// It is shown and kept under [`IT`].
    Kept,
    /// It is a stream: its items are shown as they come.
    Walked,
    /// It is a statement like others.
    Plain,
}

/// A name that an entry binds.
pub(super) struct Bound {
    pub(super) name: String,
    /// What the variable is called in the file that is checked.
    pub(super) inner: String,
    pub(super) mutable: bool,
}

/// The parts of the main file that runs an entry.
pub(super) struct Draft {
    /// What earlier entries declared.
    pub(super) before: Vec<Item>,
    /// Statements that bind earlier values.
    pub(super) values: Vec<Item>,
    /// Variables of earlier entries that this one may change.
    pub(super) carried: Vec<Binding>,
    /// What the entry declares.
    pub(super) declared: Vec<Item>,
    /// What it does.
    pub(super) statements: Vec<Stmt>,
    /// In a block of its own.
    pub(super) is_nested: bool,
}

impl Draft {
    /// The whole file.
    pub(super) fn file(&self, last: Last, ends: Vec<Item>) -> File {
        let mut statements = self.statements.clone();
        if let Some(stmt) = statements.last_mut()
            && let StmtKind::Expr(value) = &stmt.kind
        {
            let span = stmt.span;
            match last {
                Last::Kept => stmt.kind = let_(Name { text: NEW_IT.to_string(), span }, value.clone()),
                Last::Walked => stmt.kind = StmtKind::Expr(walk(value)),
                Last::Plain => {}
            }
        }
        let mut items = self.before.clone();
        items.extend(self.declared.iter().cloned());
        items.extend(self.values.iter().cloned());
        let done = statements.into_iter().map(Item::Stmt).chain(ends);
        if self.is_nested {
            let stmts: Vec<Stmt> =
                done.filter_map(|item| if let Item::Stmt(stmt) = item { Some(stmt) } else { None }).collect();
            let span = self.statements.first().expect("what binds a name").span;
            let block = Expr { kind: ExprKind::Block(Block { stmts, span }), span };
            items.push(Item::Stmt(Stmt { kind: StmtKind::Expr(block), span }));
        } else {
            items.extend(done);
        }
        File { items }
    }

    /// The binding of a name, where it is one that each entry can evaluate again.
    pub(super) fn again(&self, name: &str, program: &Program) -> Option<Again> {
        let stmt = self
            .statements
            .iter()
            .rfind(|stmt| bound_by(stmt).iter().any(|(bound, _)| bound.text == name))?;
        let StmtKind::Let { mutable: false, pattern, value, .. } = &stmt.kind else { return None };
        let is_again = matches!(value.kind, ExprKind::Lambda { .. }) || opens(value);
        if !is_again || !matches!(pattern.kind, PatternKind::Bind(_)) {
            return None;
        }
        let locals = &program.functions[program.main.0 as usize].locals;
        let local = locals.iter().rfind(|local| local.name == name).map(|local| local.ty);
        let ty = local.or_else(|| Some(program.globals.iter().rfind(|global| global.name == name)?.ty))?;
        let ty = program.types.show(ty);
        Some(Again { name: name.to_string(), ty, span: stmt.span, value: value.clone() })
    }

    /// What is to be kept: what it binds, and the variables of earlier entries that it may have changed.
    pub(super) fn names(&self, last: Last) -> Vec<Bound> {
        let mut names: Vec<Bound> = Vec::new();
        let mut add = |name: String, inner: String, mutable| {
            if !names.iter().any(|bound| bound.name == name) {
                names.push(Bound { name, inner, mutable });
            }
        };
        for (name, mutable) in self.statements.iter().flat_map(bound_by) {
            add(name.text.clone(), name.text, mutable);
        }
        for binding in &self.carried {
            add(binding.name.clone(), binding.name.clone(), true);
        }
        if last == Last::Kept {
            add(IT.to_string(), NEW_IT.to_string(), false);
        }
        names
    }
}

/// `for item in value { repl.show(item) }`
fn walk(value: &Expr) -> Expr {
    let span = value.span;
    let name = |text: &str| Name { text: text.to_string(), span };
    let expr = |kind| Expr { kind, span };
    let item = expr(ExprKind::Name(name("item")));
    let show = expr(ExprKind::Method {
        receiver: Box::new(expr(ExprKind::Name(name("repl")))),
        name: name("show"),
        args: vec![Arg::Positional(item)],
    });
    let body = Block { stmts: vec![Stmt { kind: StmtKind::Expr(show), span }], span };
    let pattern = Pattern { kind: PatternKind::Bind(name("item")), span };
    expr(ExprKind::For { pattern, iterable: Box::new(value.clone()), body })
}

fn let_(name: Name, value: Expr) -> StmtKind {
    StmtKind::Let {
        public: false,
        mutable: false,
        pattern: Pattern { span: name.span, kind: PatternKind::Bind(name) },
        ty: None,
        value,
        otherwise: None,
    }
}

/// The names that a statement binds, and whether by `var`.
pub(super) fn bound_by(stmt: &Stmt) -> Vec<(Name, bool)> {
    let StmtKind::Let { pattern, mutable, .. } = &stmt.kind else { return Vec::new() };
    bound_names(pattern).into_iter().map(|name| (name.clone(), *mutable)).collect()
}
