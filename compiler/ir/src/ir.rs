//! The intermediate representation: monomorphic functions of basic blocks over variables of one word each.
//!
//! ```text
//! fn fib(n: word) -> word {
//!   b0: %1 = const 2; %2 = lt n, %1; branch %2 b1 b2
//!   b1: return n
//!   b2: ...
//! }
//! ```
//! Before the counting pass (`count`) no `Dup` or `Drop` is there and each mention of a reference is a use of the value;
//! after it ownership is explicit: every owned reference is consumed exactly once on every path (`verify` checks it).
//!
//! Which operations consume a reference operand, and what they give, stands in [`Op::uses`] and [`Op::gives`] alone.
//! Variables may be assigned more than once (they become SSA values in code generation). Blocks are in no special order;
//! block 0 is the entry. Loops contain a `Stop` on every back-edge; `stop` checks at prologues are code generation's.

use weir_abi::json::JsonTable;
use weir_abi::layout::Shape;
use weir_abi::native::{Mode, NativeId};
use weir_abi::trap::TrapKind;
use weir_abi::types::{TypeDesc, TypeId};
pub use weir_check::typed::Prim;
pub use weir_syntax::span::Span;

/// A function of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FuncId(pub u32);

/// A variable of one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(pub u32);

/// A block of one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub u32);

/// A text literal of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextId(pub u32);

impl Module {
    /// The functions that the runtime calls with a request of its own.
    pub fn served(&self) -> impl Iterator<Item = FuncId> {
        self.handler.into_iter().chain(self.around).chain(self.routes.iter().map(|route| route.function))
    }

    /// The functions that the runtime calls.
    pub fn entries_mut(&mut self) -> impl Iterator<Item = &mut FuncId> {
        let served = self.handler.iter_mut().chain(&mut self.around);
        let routes = self.routes.iter_mut().map(|route| &mut route.function);
        std::iter::once(&mut self.main).chain(served).chain(routes).chain(&mut self.tests)
    }
}

/// A route.
#[derive(Clone, Debug)]
pub struct Route {
    /// Which requests it answers.
    pub pattern: weir_abi::route::Pattern,
    /// What answers.
    pub function: FuncId,
}

/// A module-level slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GlobalId(pub u32);

/// A call of one function that inlining replaced by what the callee does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SiteId(pub u32);

/// What [`SiteId`] stands for: with it a stack trace shows the calls that are no more.
#[derive(Clone, Debug)]
pub struct Site {
    /// What stack traces call the callee.
    pub callee: String,
    /// The call.
    pub call: Span,
    /// The site that the call came from, when it came with a callee itself.
    pub within: Option<SiteId>,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repr {
    /// Not a reference: never counted.
    Word,
    /// A Float, a word at every boundary of a function: never counted.
    Float,
    /// A reference, never 0.
    Ref,
    /// A reference or 0.
    NullableRef,
}

impl Repr {
    /// Whether it is counted.
    pub fn is_ref(self) -> bool {
        matches!(self, Repr::Ref | Repr::NullableRef)
    }
}

/// All of one script version.
#[derive(Clone, Debug)]
pub struct Module {
    /// All functions.
    pub functions: Vec<Function>,
    /// The main file's statements; no parameters, gives unit.
    pub main: FuncId,
    /// `handle`: an owned Request in, an owned Response out.
    pub handler: Option<FuncId>,
    /// What stands around the routes and the handler; of the same form.
    pub around: Option<FuncId>,
    /// Routes; each of the form of the handler.
    pub routes: Vec<Route>,
    /// Tests; no parameters, unit.
    pub tests: Vec<FuncId>,
    /// Slots of top-level `let`s.
    pub globals: Vec<Global>,
    /// The bytes of Text and Bytes literals.
    pub texts: Vec<Vec<u8>>,
    /// Shapes of records, cases and closures; number `i` is shape `FIRST_OF_MODULE + i`.
    pub shapes: Vec<Shape>,
    /// Types by [`TypeId`]; the same indexes as the checker's `Ty`s.
    pub types: Vec<TypeDesc>,
    /// What JSON needs of those types.
    pub json: JsonTable,
}

/// A module-level slot.
#[derive(Clone, Debug)]
pub struct Global {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub repr: Repr,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// By `Call`; each parameter is passed by its mode.
    Direct,
    /// By `CallClosure` or the runtime: the first parameter is the closure itself (borrowed), the others are owned.
    Closure,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// What stack traces call it.
    pub name: String,
    /// The declaration.
    pub span: Span,
    /// How it is called.
    pub kind: FunctionKind,
    /// Its parameters.
    pub params: Vec<Param>,
    /// What it gives; references are given owned. For a function that changes its first parameter, the new value of that.
    pub result: Repr,
    /// What a function that changes its first parameter gives besides, when that is not unit; see [`Op::GiveSecond`].
    pub second: Option<Repr>,
    /// All variables.
    pub vars: Vec<VarInfo>,
    /// All blocks; the first is the entry.
    pub blocks: Vec<Block>,
    /// The calls that were inlined into it.
    pub sites: Vec<Site>,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// The variable it arrives in.
    pub var: Var,
    /// `Own` or `Borrow` for references, `Word` for others.
    pub mode: Mode,
}

/// A variable.
#[derive(Clone, Debug)]
pub struct VarInfo {
    /// The source's name, empty for temporaries.
    pub name: String,
    /// What it holds.
    pub repr: Repr,
    /// For references, set by the counting pass: whether the variable is responsible for a count (`true`) or borrows
    /// from another that outlives it (`false`). Owned variables go into stack maps.
    pub owned: bool,
}

/// A basic block.
#[derive(Clone, Debug)]
pub struct Block {
    /// What happens, in order.
    pub ops: Vec<Inst>,
    /// Where it goes.
    pub end: Terminator,
    /// The place of `end`.
    pub span: Span,
    /// The inlined call that `end` came with.
    pub site: Option<SiteId>,
}

/// An operation and the source it comes from.
#[derive(Clone, Debug)]
pub struct Inst {
    /// What to do.
    pub op: Op,
    /// For stack traces.
    pub span: Span,
    /// The inlined call that it came with.
    pub site: Option<SiteId>,
}

/// What a piece of a joined text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// A Text.
    Text,
    /// An Int.
    Int,
    /// Any other type, by its description.
    Typed(TypeId),
}

/// An operation. The first variable is the result's.
#[derive(Clone, Debug)]
pub enum Op {
    /// A word.
    Const(Var, i64),
    /// `None` of a nullable reference: 0.
    Null(Var),
    /// A Text or Bytes literal (immortal).
    Text(Var, TextId),
    /// The object of the case with that index, which has no fields (immortal).
    Case(Var, u32),
    /// A slot's value; a reference is given owned, or borrowed from the slot to a variable that owns nothing.
    Global(Var, GlobalId),
    /// Sets a slot for the first and only time; consumes.
    SetGlobal(GlobalId, Var),
    /// The same value under another name; consumes.
    Move(Var, Var),
    /// The same value under another name, as a borrow of the second; only after the counting pass.
    Alias(Var, Var),
    /// An operation on words; the second operand is absent for `Neg` and `Not`.
    Prim(Prim, Var, Var, Option<Var>),
    /// The second plus 1, which is known not to overflow: a loop's counter that is below the loop's end.
    Step(Var, Var),
    /// 1 when the reference is 0, else 0; borrows.
    IsNull(Var, Var),
    /// A direct call; arguments by the callee's modes. Of a function of closure kind when the closure is known: it is the
    /// first argument.
    Call(Var, FuncId, Vec<Var>),
    /// A call of a closure: callee borrowed, arguments consumed.
    CallClosure(Var, Var, Vec<Var>),
    /// A call of a native; arguments by its row's modes.
    CallNative {
        /// The result.
        dst: Var,
        /// Which.
        native: NativeId,
        /// What its type variables stand for; empty when the row takes none.
        types: Vec<TypeId>,
        /// Its arguments.
        args: Vec<Var>,
    },
    /// Joins texts and text forms; borrows all.
    Concat(Var, Vec<(PartKind, Var)>),
    /// The first text with texts and text forms behind it, in place when nobody else holds it; consumes it and borrows the
    /// others.
    Append(Var, Var, Vec<(PartKind, Var)>),
    /// A new object: shape number, size in bytes, the words behind the header; consumes the references among them.
    New(Var, u32, u32, Vec<Var>),
    /// A new closure object: shape number, size, its function, its captures (consumed).
    NewClosure(Var, u32, u32, FuncId, Vec<Var>),
    /// A new list with these elements (consumed); the shape is LIST_WORD or LIST_REF.
    NewList(Var, u32, Vec<Var>),
    /// The word at a byte offset of an object; a reference is given as a borrow of the object.
    Load(Var, Var, i32),
    /// The element of a list at an index; traps outside it; a reference is given as a borrow of the list.
    ListGet(Var, Var, Var),
    /// The same for an index that is known to be inside.
    ListGetUnchecked(Var, Var, Var),
    /// The object as one that nobody else holds: itself when its count is 1, else a copy of its words, whose references get
    /// counts of their own. Consumes. The operations below change such an object in place, so no variable but the one they
    /// name may stand for it.
    Unique(Var, Var),
    /// The reference at a byte offset of a unique object, moved out of it: 0 stays behind.
    Take(Var, Var, i32),
    /// Sets the word at a byte offset of a unique object; consumes it. What was there is no reference, or has been taken.
    Store(Var, i32, Var),
    /// Traps when the list has no element at the index.
    ListCheck(Var, Var),
    /// The reference at an index of a unique list, which is known to be inside, moved out of it: 0 stays behind.
    ListTake(Var, Var, Var),
    /// Sets the element at an index of a unique list, which is known to be inside: list, index, word; consumes the word. What
    /// was there is no reference, or has been taken.
    ListSet(Var, Var, Var),
    /// What the call before it gives besides its result: of a function with [`Function::second`], or of a native with
    /// `Gives::ChangedAnd`. Only operations on counts and moves stand between the call and this.
    Second(Var),
    /// What the function gives besides its result; consumes. Only operations on counts and moves stand between this and the
    /// `Return`.
    GiveSecond(Var),
    /// A stop check.
    Stop,
    /// Gives up a count, perhaps of 0. The object, when that was its last and it is of the shape with that number, with all
    /// references in it given up and 0 in their place; else 0. Only after the counting pass.
    Hollow(Var, Var, u32),
    /// As `New`, in place of a hollow object of the same shape if the second variable is not 0; consumes it. Only after the
    /// counting pass.
    NewIn(Var, Var, u32, u32, Vec<Var>),
    /// One more count; only after the counting pass.
    Dup(Var),
    /// One count less, freeing at 0; only after the counting pass.
    Drop(Var),
}

/// What an operation does with an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Takes the count over.
    Consume,
    /// Looks at it.
    Borrow,
}

/// What an operation's result is, when it is a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Result {
    /// Nothing.
    None,
    /// A variable that now holds a count of its own.
    Owned(Var),
    /// A variable that borrows from the other one.
    Borrowed(Var, Var),
}

/// The end of a block.
#[derive(Clone, Debug)]
pub enum Terminator {
    /// Goes on there.
    Jump(BlockId),
    /// The first when the word is not 0, else the second.
    Branch(Var, BlockId, BlockId),
    /// Gives the value; consumes.
    Return(Var),
    /// A fault with two words of detail.
    Trap(TrapKind, Option<Var>, Option<Var>),
    /// Behind a call that does not return.
    Unreachable,
}

impl Terminator {
    /// The blocks it may go to.
    pub fn successors(&self) -> impl Iterator<Item = BlockId> + use<> {
        let (a, b) = match self {
            Terminator::Jump(to) => (Some(*to), None),
            Terminator::Branch(_, yes, no) => (Some(*yes), Some(*no)),
            Terminator::Return(_) | Terminator::Trap(..) | Terminator::Unreachable => (None, None),
        };
        a.into_iter().chain(b)
    }
}
