//! Builds functions of the IR by hand.

use weir_abi::native::{Mode, NativeId};
use weir_ir::ir::{
    Block, BlockId, FuncId, Function, FunctionKind, Inst, Module, Op, Param, Repr, Terminator, Var, VarInfo,
};
use weir_syntax::span::Span;

/// A function under construction. The `n`th instruction of a function comes from offset `n` of its file, counting
/// from 1; terminators count too.
pub struct Fun {
    f: Function,
    at: usize,
    next_span: u32,
}

impl Fun {
    /// A function without parameters and with an empty entry block.
    pub fn new(name: &str) -> Self {
        let f = Function {
            name: name.into(),
            span: Span::default(),
            kind: FunctionKind::Direct,
            params: Vec::new(),
            result: Repr::Word,
            second: None,
            vars: Vec::new(),
            blocks: Vec::new(),
            sites: Vec::new(),
        };
        let mut fun = Self { f, at: 0, next_span: 1 };
        fun.block();
        fun
    }

    /// A variable that holds a word.
    pub fn word(&mut self) -> Var {
        self.var(Repr::Word, false)
    }

    /// A variable that holds a count.
    pub fn owned(&mut self) -> Var {
        self.var(Repr::Ref, true)
    }

    /// A variable that holds a reference without a count.
    pub fn borrowed(&mut self) -> Var {
        self.var(Repr::Ref, false)
    }

    pub fn var(&mut self, repr: Repr, owned: bool) -> Var {
        self.f.vars.push(VarInfo { name: String::new(), repr, owned });
        Var(self.f.vars.len() as u32 - 1)
    }

    /// A parameter.
    pub fn param(&mut self, repr: Repr, mode: Mode) -> Var {
        let var = self.var(repr, mode == Mode::Own);
        self.f.params.push(Param { var, mode });
        var
    }

    /// A parameter that is a word.
    pub fn word_param(&mut self) -> Var {
        self.param(Repr::Word, Mode::Word)
    }

    /// A new, empty block.
    pub fn block(&mut self) -> BlockId {
        let (end, span) = (Terminator::Unreachable, Span::default());
        self.f.blocks.push(Block { ops: Vec::new(), end, span, site: None });
        BlockId(self.f.blocks.len() as u32 - 1)
    }

    /// What follows goes there.
    pub fn at(&mut self, block: BlockId) -> &mut Self {
        self.at = block.0 as usize;
        self
    }

    pub fn op(&mut self, op: Op) -> &mut Self {
        let span = self.span();
        self.f.blocks[self.at].ops.push(Inst { op, span, site: None });
        self
    }

    /// Ends the block.
    pub fn end(&mut self, end: Terminator) -> &mut Self {
        let span = self.span();
        let block = &mut self.f.blocks[self.at];
        (block.end, block.span) = (end, span);
        self
    }

    pub fn constant(&mut self, word: i64) -> Var {
        let var = self.word();
        self.op(Op::Const(var, word));
        var
    }

    /// A call of a native by name.
    pub fn native(&mut self, dst: Var, name: &str, args: &[Var]) -> &mut Self {
        let native = NativeId::named(name).expect("it is in the table");
        let types = if native.row().types { vec![weir_abi::types::TypeId(5)] } else { Vec::new() };
        self.op(Op::CallNative { dst, native, types, args: args.to_vec() })
    }

    pub fn ret(&mut self, var: Var) -> &mut Self {
        self.end(Terminator::Return(var))
    }

    pub fn closure(mut self) -> Self {
        self.f.kind = FunctionKind::Closure;
        self
    }

    pub fn done(self) -> Function {
        self.f
    }

    fn span(&mut self) -> Span {
        let start = self.next_span;
        self.next_span += 1;
        Span { start, end: start + 1, ..Span::default() }
    }
}

/// A module of these functions; the first is `main`.
pub fn module(functions: Vec<Function>) -> Module {
    Module {
        functions,
        main: FuncId(0),
        handler: None,
        around: None,
        routes: Vec::new(),
        tests: Vec::new(),
        globals: Vec::new(),
        texts: Vec::new(),
        shapes: Vec::new(),
        types: Vec::new(),
        json: Default::default(),
    }
}
