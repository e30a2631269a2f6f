//! Random typed programs: whatever the passes do to them, they print the same, leave nothing behind and touch nothing
//! that was freed.

mod statements;
mod values;

use super::machine::Machine;
use crate::{Stage, borrow, count, ir, lower, opt, reuse, verify};
use weir_check::typed::{Expr, ExprKind, FnId, Function, Local, LocalId, Program};
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
