//! The state of emitting one function, and the small steps that all operations are made of.

use crate::facts::Facts;
use crate::held::Held;
use crate::literals::Literals;
use crate::stubs::{self, Stub};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self as clif, Block, FuncRef, InstBuilder, MemFlagsData, SigRef, Type, Value, types,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, Variable};
use std::collections::HashMap;
use weir_abi::code::Place;
use weir_ir::ir::{FuncId, Function, Module, Repr, SiteId, Span, Var, VarInfo};

/// What all functions of a module share.
pub(crate) struct Env<'a> {
    pub(crate) module: &'a Module,
    pub(crate) literals: &'a Literals,
    /// By function.
    pub(crate) facts: Vec<Facts>,
    pub(crate) call_conv: CallConv,
}

/// The type of every word.
pub(crate) const WORD: Type = types::I64;

/// Accesses to objects and to the `Ctx`: always aligned, always mapped.
pub(crate) const TRUSTED: MemFlagsData = MemFlagsData::trusted();

/// A function that is being emitted.
pub(crate) struct Emitter<'a> {
    pub(crate) env: &'a Env<'a>,
    pub(crate) function: &'a Function,
    pub(crate) build: FunctionBuilder<'a>,
    pub(crate) held: Held,
    /// What the last call gave besides its result, or what the function is about to give.
    pub(crate) second: Option<Value>,
    /// By variable of the IR.
    names: Vec<Name>,
    /// Places, and the inlined calls they came with, by the number their instructions carry as source location.
    pub(crate) places: Vec<(Place, Option<SiteId>)>,
    /// By number of words passed and of those given less 1.
    signatures: [Vec<Option<SigRef>>; 2],
    /// By namespace and number.
    callees: HashMap<(u32, u32), FuncRef>,
    /// Where owned references are written down for stack maps.
    held_slot: WordSlots,
    /// Where the parts of a joined text are passed.
    part_slot: WordSlots,
}

/// How a variable of the IR is kept.
#[derive(Clone, Copy)]
enum Name {
    /// Set at one place, which comes before all others on every path: its value, once that place is emitted.
    Once(Option<Value>),
    /// Set at several. Cranelift keeps a table of blocks for each of these, so they are not made without need: in a long
    /// function the tables of all variables would take memory by the square of its length.
    Often(Variable),
}

/// A stack slot that grows to what its biggest user needs.
#[derive(Default)]
struct WordSlots(Option<clif::StackSlot>);

impl WordSlots {
    fn at_least(&mut self, build: &mut FunctionBuilder<'_>, words: u32) -> clif::StackSlot {
        let kind = clif::StackSlotKind::ExplicitSlot;
        let slot = *self
            .0
            .get_or_insert_with(|| build.create_sized_stack_slot(clif::StackSlotData::new(kind, 0, 3)));
        let size = &mut build.func.sized_stack_slots[slot].size;
        *size = (*size).max(8 * words);
        slot
    }
}

impl<'a> Emitter<'a> {
    /// Starts a function.
    pub(crate) fn new(env: &'a Env<'a>, function: &'a Function, mut build: FunctionBuilder<'a>) -> Self {
        let mut sets = vec![0u32; function.vars.len()];
        let results = function.blocks.iter().flat_map(|block| &block.ops).filter_map(|inst| inst.op.result());
        for var in function.params.iter().map(|param| param.var).chain(results) {
            sets[var.0 as usize] += 1;
        }
        let name = |(&sets, info): (&u32, &VarInfo)| {
            let ty = if info.repr == Repr::Float { types::F64 } else { WORD };
            if sets > 1 { Name::Often(build.declare_var(ty)) } else { Name::Once(None) }
        };
        let names = sets.iter().zip(&function.vars).map(name).collect();
        Self {
            env,
            function,
            build,
            held: Held::default(),
            second: None,
            names,
            places: Vec::new(),
            signatures: [Vec::new(), Vec::new()],
            callees: HashMap::new(),
            held_slot: WordSlots::default(),
            part_slot: WordSlots::default(),
        }
    }

    /// The instructions that follow come from there.
    pub(crate) fn at(&mut self, span: Span, site: Option<SiteId>) {
        let place = (place_of(span), site);
        if self.places.last() != Some(&place) {
            self.places.push(place);
        }
        self.build.set_srcloc(clif::SourceLoc::new(self.places.len() as u32 - 1));
    }

    /// The instruction that follows is a return, from the place told last.
    pub(crate) fn at_return(&mut self) {
        let place = self.build.srcloc().bits();
        self.build.set_srcloc(clif::SourceLoc::new(place | RETURN));
    }

    /// A variable's value as a word.
    pub(crate) fn get(&mut self, var: Var) -> Value {
        let value = self.value(var);
        if self.repr(var) != Repr::Float {
            return value;
        }
        self.build.ins().bitcast(WORD, MemFlagsData::new(), value)
    }

    /// The value of a variable that holds a Float.
    pub(crate) fn get_float(&mut self, var: Var) -> Value {
        self.value(var)
    }

    fn value(&mut self, var: Var) -> Value {
        match self.names[var.0 as usize] {
            Name::Once(value) => value.expect("a variable is set before it is read"),
            Name::Often(variable) => self.build.use_var(variable),
        }
    }

    /// Sets a variable that holds a Float.
    pub(crate) fn set_float(&mut self, var: Var, value: Value) {
        self.name(var, value);
    }

    /// Sets a variable to a word.
    pub(crate) fn set(&mut self, var: Var, value: Value) {
        let value = match self.repr(var) {
            Repr::Float => self.build.ins().bitcast(types::F64, MemFlagsData::new(), value),
            _ => value,
        };
        self.name(var, value);
    }

    fn name(&mut self, var: Var, value: Value) {
        match &mut self.names[var.0 as usize] {
            Name::Once(known) => *known = Some(value),
            Name::Often(variable) => self.build.def_var(*variable, value),
        }
    }

    /// What a variable holds.
    pub(crate) fn repr(&self, var: Var) -> Repr {
        self.function.vars[var.0 as usize].repr
    }

    /// A word known now.
    pub(crate) fn word(&mut self, word: i64) -> Value {
        self.build.ins().iconst(WORD, word)
    }

    /// The word that a value is, when it is known now.
    pub(crate) fn known(&self, value: Value) -> Option<i64> {
        let dfg = &self.build.func.dfg;
        let inst = dfg.value_def(dfg.resolve_aliases(value)).inst()?;
        match dfg.insts[inst] {
            clif::InstructionData::UnaryImm { opcode: clif::Opcode::Iconst, imm } => Some(imm.bits()),
            _ => None,
        }
    }

    /// The address of the `Ctx`.
    pub(crate) fn ctx(&mut self) -> Value {
        self.build.ins().get_pinned_reg(WORD)
    }

    /// The word at an offset of an address.
    pub(crate) fn load(&mut self, address: Value, offset: i32) -> Value {
        self.build.ins().load(WORD, TRUSTED, address, offset)
    }

    /// Writes the word at an offset of an address.
    pub(crate) fn store(&mut self, value: Value, address: Value, offset: i32) {
        self.build.ins().store(TRUSTED, value, address, offset);
    }

    /// 1 when the comparison holds, else 0.
    pub(crate) fn compare(&mut self, cc: IntCC, a: Value, b: Value) -> Value {
        let flag = self.build.ins().icmp(cc, a, b);
        self.build.ins().uextend(WORD, flag)
    }

    /// Goes on in `then` when the condition is not 0, else in `or`; both are complete but for this edge.
    pub(crate) fn branch(&mut self, condition: Value, then: Block, or: Block) {
        self.build.ins().brif(condition, then, &[], or, &[]);
    }

    /// Goes on there.
    pub(crate) fn jump(&mut self, to: Block) {
        self.build.ins().jump(to, &[]);
    }

    /// A new block on the common path.
    pub(crate) fn block(&mut self) -> Block {
        self.build.create_block()
    }

    /// A new block that is laid out behind all others.
    pub(crate) fn cold_block(&mut self) -> Block {
        let block = self.build.create_block();
        self.build.set_cold_block(block);
        block
    }

    /// Emission goes on in a block that all its predecessors already jump to.
    pub(crate) fn enter(&mut self, block: Block) {
        self.build.seal_block(block);
        self.build.switch_to_block(block);
    }

    /// The signature that takes so many words and gives one.
    pub(crate) fn signature(&mut self, words: usize) -> SigRef {
        self.signature_of(words, 1)
    }

    /// The signature that takes so many words and gives `results`, 1 or 2.
    fn signature_of(&mut self, words: usize, results: usize) -> SigRef {
        let known = &mut self.signatures[results - 1];
        if known.len() <= words {
            known.resize(words + 1, None);
        }
        if let Some(signature) = known[words] {
            return signature;
        }
        let signature = words_signature(self.env.call_conv, words, results);
        *known[words].insert(self.build.import_signature(signature))
    }

    /// A function of the same module.
    pub(crate) fn callee(&mut self, id: FuncId) -> FuncRef {
        let function = &self.env.module.functions[id.0 as usize];
        let signature = self.signature_of(function.params.len(), results(function));
        self.named((0, id.0), signature)
    }

    /// A way out of compiled code, with the signature that it is called by.
    pub(crate) fn stub(&mut self, stub: Stub, signature: impl FnOnce(&mut Self) -> SigRef) -> FuncRef {
        let name = (stubs::NAMESPACE, stub.number());
        match self.callees.get(&name) {
            Some(&callee) => callee,
            None => {
                let signature = signature(self);
                self.named(name, signature)
            }
        }
    }

    fn named(&mut self, name: (u32, u32), signature: SigRef) -> FuncRef {
        if let Some(&callee) = self.callees.get(&name) {
            return callee;
        }
        let external = clif::UserExternalName { namespace: name.0, index: name.1 };
        let external = clif::ExternalName::user(self.build.func.declare_imported_user_function(external));
        let callee = self.build.import_function(clif::ExtFuncData {
            name: external,
            signature,
            colocated: true,
            patchable: false,
        });
        self.callees.insert(name, callee);
        callee
    }

    /// The address of that many words of the frame, shared by all users of this function.
    pub(crate) fn part_words(&mut self, words: u32) -> Value {
        let slot = self.part_slot.at_least(&mut self.build, words);
        self.build.ins().stack_addr(WORD, slot, 0)
    }

    /// Writes down what is held, so that the call that `suspend` emits may suspend. `kept`: see [`Held::spill`].
    pub(crate) fn suspending(
        &mut self,
        kept: bool,
        call: impl FnOnce(&mut Self) -> clif::Inst,
    ) -> clif::Inst {
        let (stores, slots) = self.held.spill(kept);
        let words = slots.iter().max().map_or(0, |&last| last + 1);
        if words == 0 {
            return call(self);
        }
        let slot = self.held_slot.at_least(&mut self.build, words);
        for (var, index) in stores {
            let value = self.get(var);
            let address = self.build.ins().stack_addr(WORD, slot, 8 * index as i32);
            self.store(value, address, 0);
        }
        let inst = call(self);
        for index in slots {
            let entry = clif::UserStackMapEntry { ty: WORD, slot, offset: 8 * index };
            self.build.func.dfg.append_user_stack_map_entry(inst, entry);
        }
        inst
    }
}

/// Where a span starts.
pub(crate) fn place_of(span: Span) -> Place {
    Place { file: span.file.0, start: span.start }
}

/// Set in the source locations of returns.
const RETURN: u32 = 1 << 31;

/// The number of the place that a source location stands for; none for made-up code.
pub(crate) fn place_number(loc: clif::SourceLoc) -> Option<usize> {
    (!loc.is_default()).then(|| (loc.bits() & !RETURN) as usize)
}

/// Whether a source location marks a return.
pub(crate) fn is_return(loc: clif::SourceLoc) -> bool {
    !loc.is_default() && loc.bits() & RETURN != 0
}

/// How many words a function gives.
pub(crate) fn results(function: &Function) -> usize {
    1 + usize::from(function.second.is_some())
}

/// The signature that takes so many words and gives `results`.
pub(crate) fn words_signature(call_conv: CallConv, words: usize, results: usize) -> clif::Signature {
    let mut signature = clif::Signature::new(call_conv);
    signature.params.resize(words, clif::AbiParam::new(WORD));
    signature.returns.resize(results, clif::AbiParam::new(WORD));
    signature
}
