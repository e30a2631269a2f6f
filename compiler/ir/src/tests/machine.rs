//! An interpreter of IR over a heap with real reference counts.
//!
//! Runs counted and uncounted modules. In a counted one it panics where a freed object is touched, and tells what is left
//! at the end; it also tells how many lists were copied. Only the natives that tests need.

use crate::ir::{FuncId, Function, Module, Op, PartKind, Prim, Terminator, Var};
use weir_abi::layout::{BOX_VALUE, shape};
use weir_abi::types::{TypeDesc, TypeId};

#[derive(Clone, Debug)]
enum Payload {
    Text(String),
    List { refs: bool, items: Vec<i64> },
    Words { shape: u32, words: Vec<i64> },
}

#[derive(Clone, Debug)]
struct Object {
    count: u32,
    immortal: bool,
    payload: Payload,
}

/// What a run showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// What it printed, and the trap that ended it.
    pub(super) output: Vec<String>,
    pub(super) trapped: bool,
}

pub(super) struct Machine<'m> {
    module: &'m Module,
    counted: bool,
    heap: Vec<Option<Object>>,
    globals: Vec<i64>,
    output: Vec<String>,
    depth: u32,
    fuel: u64,
    /// What a call, or the function about to return, gives besides.
    second: i64,
    /// How many objects were made in the memory of others.
    pub(super) reuses: u32,
    /// How many objects were copied because somebody else held them.
    pub(super) copies: u32,
    /// Operations done, stops aside.
    pub(super) steps: u64,
}

type Stopped = String;

impl<'m> Machine<'m> {
    pub(super) fn new(module: &'m Module, counted: bool) -> Self {
        let globals = vec![0; module.globals.len()];
        Self {
            module,
            counted,
            heap: Vec::new(),
            globals,
            output: Vec::new(),
            depth: 0,
            fuel: 400_000,
            second: 0,
            reuses: 0,
            copies: 0,
            steps: 0,
        }
    }

    /// Runs `main` and, in a counted module, checks that nothing is left unless it trapped.
    pub(super) fn run(&mut self) -> Outcome {
        let result = self.call(self.module.main, Vec::new());
        let trapped = result.is_err();
        if let Err(why) = result {
            self.output.push(format!("trap: {why}"));
        } else if self.counted {
            for (i, global) in self.module.globals.iter().enumerate() {
                if global.repr.is_ref() {
                    self.drop(self.globals[i]);
                }
            }
            let left: Vec<_> = self.heap.iter().flatten().filter(|o| !o.immortal).collect();
            assert!(left.is_empty(), "left behind: {left:?}\n{}", crate::print(self.module));
        }
        Outcome { output: std::mem::take(&mut self.output), trapped }
    }

    fn object(&self, v: i64) -> &Object {
        assert!(v != 0 && v % 16 == 0, "{v} is no object");
        match &self.heap[(v / 16 - 1) as usize] {
            Some(object) => object,
            None => panic!("use of a freed object\n{}", crate::print(self.module)),
        }
    }

    fn object_mut(&mut self, v: i64) -> &mut Object {
        let _ = self.object(v);
        self.heap[(v / 16 - 1) as usize].as_mut().expect("just looked at")
    }

    fn alloc(&mut self, payload: Payload) -> i64 {
        self.heap.push(Some(Object { count: 1, immortal: false, payload }));
        self.heap.len() as i64 * 16
    }

    fn text(&mut self, text: impl Into<String>) -> i64 {
        self.alloc(Payload::Text(text.into()))
    }

    fn as_text(&self, v: i64) -> &str {
        match &self.object(v).payload {
            Payload::Text(text) => text,
            other => panic!("{other:?} is no text"),
        }
    }

    fn as_list(&self, v: i64) -> (bool, &[i64]) {
        match &self.object(v).payload {
            Payload::List { refs, items } => (*refs, items),
            other => panic!("{other:?} is no list"),
        }
    }

    fn dup(&mut self, v: i64) {
        if self.counted && v != 0 && !self.object(v).immortal {
            self.object_mut(v).count += 1;
        }
    }

    fn drop(&mut self, v: i64) {
        if !self.counted || v == 0 || self.object(v).immortal {
            return;
        }
        let object = self.object_mut(v);
        object.count -= 1;
        if object.count > 0 {
            return;
        }
        let object = self.heap[(v / 16 - 1) as usize].take().expect("just looked at");
        self.refs(&object.payload).into_iter().for_each(|part| self.drop(part));
    }

    fn call(&mut self, id: FuncId, args: Vec<i64>) -> Result<i64, Stopped> {
        self.depth += 1;
        if self.depth > 60 {
            return Err("stack overflow".to_owned());
        }
        let f = &self.module.functions[id.0 as usize];
        let mut vars = vec![i64::MIN; f.vars.len()];
        for (p, arg) in f.params.iter().zip(args) {
            vars[p.var.0 as usize] = arg;
        }
        let mut block = &f.blocks[0];
        loop {
            for inst in &block.ops {
                self.op(&inst.op, &mut vars, f)?;
            }
            block = match &block.end {
                Terminator::Jump(to) => &f.blocks[to.0 as usize],
                Terminator::Branch(v, yes, no) => {
                    let to = if vars[v.0 as usize] != 0 { yes } else { no };
                    &f.blocks[to.0 as usize]
                }
                Terminator::Return(v) => {
                    self.depth -= 1;
                    return Ok(vars[v.0 as usize]);
                }
                Terminator::Trap(kind, ..) => return Err(format!("{kind:?}")),
                Terminator::Unreachable => panic!("reached the unreachable in {}", f.name),
            };
        }
    }

    fn joined(&self, parts: &[(PartKind, Var)], vars: &[i64]) -> String {
        let part = |(kind, v): &(PartKind, Var)| {
            let v = vars[v.0 as usize];
            match kind {
                PartKind::Text => self.as_text(v).to_owned(),
                PartKind::Int => v.to_string(),
                PartKind::Typed(ty) => self.show(v, *ty),
            }
        };
        parts.iter().map(part).collect()
    }

    fn op(&mut self, op: &Op, vars: &mut [i64], f: &Function) -> Result<(), Stopped> {
        self.fuel = self.fuel.checked_sub(1).ok_or("out of fuel")?;
        self.steps += u64::from(!matches!(op, Op::Stop));
        let get = |v: &Var| vars[v.0 as usize];
        let all = |vs: &[Var]| vs.iter().map(get).collect::<Vec<_>>();
        let value = match op {
            Op::Const(_, n) => *n,
            Op::Null(_) => 0,
            Op::Text(_, id) => {
                let text =
                    str::from_utf8(&self.module.texts[id.0 as usize]).expect("the machine has no Bytes");
                let v = self.text(text);
                self.object_mut(v).immortal = true;
                v
            }
            Op::Case(_, index) => {
                let v = self.alloc(Payload::Words { shape: shape::CASE, words: vec![i64::from(*index)] });
                self.object_mut(v).immortal = true;
                v
            }
            Op::Global(d, g) => {
                let v = self.globals[g.0 as usize];
                if f.vars[d.0 as usize].owned && self.module.globals[g.0 as usize].repr.is_ref() {
                    self.dup(v);
                }
                v
            }
            Op::SetGlobal(g, v) => {
                self.globals[g.0 as usize] = get(v);
                return Ok(());
            }
            Op::Move(_, s) | Op::Alias(_, s) => get(s),
            Op::Prim(prim, _, a, b) => prim_of(*prim, get(a), b.as_ref().map_or(0, get))?,
            Op::Step(_, v) => get(v).checked_add(1).expect("a step does not overflow"),
            Op::IsNull(_, v) => i64::from(get(v) == 0),
            Op::Call(_, callee, args) => self.call(*callee, all(args))?,
            Op::CallClosure(_, callee, args) => {
                let Payload::Words { words, .. } = &self.object(get(callee)).payload else {
                    panic!("no closure")
                };
                let code = FuncId(words[0] as u32);
                let mut passed = vec![get(callee)];
                passed.extend(all(args));
                self.call(code, passed)?
            }
            Op::CallNative { native, types, args, .. } => {
                self.native(native.row().name, types, &all(args))?
            }
            Op::Concat(_, parts) => {
                let text = self.joined(parts, vars);
                self.text(text)
            }
            Op::Append(_, first, parts) => {
                let text = format!("{}{}", self.as_text(get(first)), self.joined(parts, vars));
                self.drop(get(first));
                self.text(text)
            }
            Op::New(_, shape, _, words) => {
                let words = all(words);
                self.alloc(Payload::Words { shape: *shape, words })
            }
            Op::NewClosure(_, shape, _, code, words) => {
                let mut all_words = vec![i64::from(code.0)];
                all_words.extend(all(words));
                self.alloc(Payload::Words { shape: *shape, words: all_words })
            }
            Op::NewList(_, shape, words) => {
                let items = all(words);
                self.alloc(Payload::List { refs: *shape == shape::LIST_REF, items })
            }
            Op::Load(_, from, offset) => match &self.object(get(from)).payload {
                Payload::Text(text) => text.len() as i64,
                Payload::List { items, .. } => items.len() as i64,
                Payload::Words { words, .. } => words[*offset as usize / 8 - 1],
            },
            Op::ListGet(_, list, index) | Op::ListGetUnchecked(_, list, index) => {
                let (_, items) = self.as_list(get(list));
                let found = usize::try_from(get(index)).ok().and_then(|i| items.get(i).copied());
                assert!(found.is_some() || matches!(op, Op::ListGet(..)), "an unchecked index is outside");
                found.ok_or("index")?
            }
            Op::Unique(_, v) => self.unique(get(v)),
            Op::Take(_, v, offset) => std::mem::take(self.word(get(v), *offset)),
            Op::ListTake(_, list, index) => std::mem::take(self.element(get(list), get(index))),
            Op::Hollow(_, v, shape) => self.hollow(get(v), *shape),
            Op::NewIn(_, token, shape, _, words) => {
                let payload = Payload::Words { shape: *shape, words: all(words) };
                match get(token) {
                    0 => self.alloc(payload),
                    token => {
                        self.reuses += 1;
                        self.object_mut(token).payload = payload;
                        token
                    }
                }
            }
            Op::Second(_) => self.second,
            Op::Store(v, offset, word) => {
                let word = get(word);
                if let Payload::List { items, .. } = &mut self.object_mut(get(v)).payload {
                    // A list's length is the only word of it that is set so.
                    items.truncate(word as usize);
                } else {
                    *self.word(get(v), *offset) = word;
                }
                return Ok(());
            }
            Op::ListSet(list, index, word) => {
                *self.element(get(list), get(index)) = get(word);
                return Ok(());
            }
            Op::ListCheck(list, index) => {
                let len = self.as_list(get(list)).1.len();
                return usize::try_from(get(index)).ok().filter(|i| *i < len).map(drop).ok_or("index".into());
            }
            Op::GiveSecond(v) => {
                self.second = get(v);
                return Ok(());
            }
            Op::Stop => return Ok(()),
            Op::Dup(v) => {
                self.dup(get(v));
                return Ok(());
            }
            Op::Drop(v) => {
                self.drop(get(v));
                return Ok(());
            }
        };
        let d = op.result().expect("only operations with a result come here");
        vars[d.0 as usize] = value;
        Ok(())
    }

    /// Gives up a count; the object, with nothing in it, if that was the last one.
    fn hollow(&mut self, v: i64, wanted: u32) -> i64 {
        let fits = |o: &Object| {
            o.count == 1
                && !o.immortal
                && matches!(o.payload, Payload::Words { shape, .. } if shape == wanted)
        };
        if v == 0 || !fits(self.object(v)) {
            self.drop(v);
            return 0;
        }
        let payload = std::mem::replace(&mut self.object_mut(v).payload, Payload::Text(String::new()));
        self.refs(&payload).into_iter().for_each(|part| self.drop(part));
        v
    }

    /// A word of an object that may be changed.
    fn word(&mut self, v: i64, offset: i32) -> &mut i64 {
        self.is_alone(v);
        match &mut self.object_mut(v).payload {
            Payload::Words { words, .. } => &mut words[offset as usize / 8 - 1],
            other => panic!("{other:?} has no fields"),
        }
    }

    /// An element of a list that may be changed.
    fn element(&mut self, v: i64, index: i64) -> &mut i64 {
        self.is_alone(v);
        match &mut self.object_mut(v).payload {
            Payload::List { items, .. } => &mut items[index as usize],
            other => panic!("{other:?} is no list"),
        }
    }

    fn is_alone(&self, v: i64) {
        let object = self.object(v);
        assert!(object.count == 1 && !object.immortal, "changed in place while others hold it");
    }

    /// The object as one that only the caller holds.
    fn unique(&mut self, v: i64) -> i64 {
        if self.counted && self.object(v).count == 1 && !self.object(v).immortal {
            return v;
        }
        self.copies += 1;
        let payload = self.object(v).payload.clone();
        self.refs(&payload).into_iter().for_each(|part| self.dup(part));
        let copy = self.alloc(payload);
        self.drop(v);
        copy
    }

    /// The references that an object holds.
    fn refs(&self, payload: &Payload) -> Vec<i64> {
        match payload {
            Payload::Text(_) | Payload::List { refs: false, .. } => vec![],
            Payload::List { items, .. } => items.clone(),
            Payload::Words { shape, words } => {
                let offsets: Vec<u32> = match *shape {
                    shape::BOX_REF => vec![BOX_VALUE as u32],
                    shape::RESPONSE => vec![24, 32],
                    shape::BOX_WORD | shape::RANGE => vec![],
                    own => self.module.shapes[(own - shape::FIRST_OF_MODULE) as usize].refs.to_vec(),
                };
                offsets.into_iter().map(|offset| words[offset as usize / 8 - 1]).collect()
            }
        }
    }

    fn native(&mut self, name: &str, types: &[TypeId], args: &[i64]) -> Result<i64, Stopped> {
        Ok(match name {
            "print" => {
                let text = self.show(args[0], types[0]);
                self.output.push(text);
                0
            }
            "panic" => return Err(format!("panic: {}", self.as_text(args[0]))),
            "text-equal" => i64::from(self.as_text(args[0]) == self.as_text(args[1])),
            "value-equal" => i64::from(self.show(args[0], types[0]) == self.show(args[1], types[0])),
            "text-upper" => self.text(self.as_text(args[0]).to_uppercase()),
            "text-trim" => {
                let text = self.as_text(args[0]).trim().to_owned();
                self.drop(args[0]);
                self.text(text)
            }
            "env" if self.as_text(args[0]).len().is_multiple_of(2) => 0,
            "env" => self.text(format!("value of {}", self.as_text(args[0]))),
            "text-to-int" => match self.as_text(args[0]).parse() {
                Ok(n) => self.alloc(Payload::Words { shape: shape::BOX_WORD, words: vec![n] }),
                Err(_) => 0,
            },
            "list-push" => {
                let list = self.unique(args[0]);
                let Payload::List { items, .. } = &mut self.object_mut(list).payload else {
                    panic!("no list")
                };
                items.push(args[1]);
                list
            }
            "list-slice" => {
                let (refs, items) = self.as_list(args[0]);
                let items = items[args[1] as usize..args[2] as usize].to_vec();
                if refs {
                    items.iter().for_each(|item| self.dup(*item));
                }
                self.drop(args[0]);
                self.alloc(Payload::List { refs, items })
            }
            "list-sum" => self.as_list(args[0]).1.iter().sum(),
            "list-append" => {
                let list = self.unique(args[0]);
                let (refs, added) = self.as_list(args[1]);
                let added = added.to_vec();
                if refs {
                    added.iter().for_each(|item| self.dup(*item));
                }
                let Payload::List { items, .. } = &mut self.object_mut(list).payload else {
                    panic!("no list")
                };
                items.extend(added);
                self.drop(args[1]);
                list
            }
            "list-remove" => {
                let list = self.unique(args[0]);
                let Payload::List { items, .. } = &mut self.object_mut(list).payload else {
                    panic!("no list")
                };
                let index = usize::try_from(args[1]).ok().filter(|i| *i < items.len()).ok_or("index")?;
                self.second = items.remove(index);
                list
            }
            "list-reverse" => {
                let list = self.unique(args[0]);
                let Payload::List { items, .. } = &mut self.object_mut(list).payload else {
                    panic!("no list")
                };
                items.reverse();
                list
            }
            "list-join" => {
                let (_, items) = self.as_list(args[0]);
                let texts: Vec<_> = items.iter().map(|i| self.as_text(*i)).collect();
                let text = texts.join(self.as_text(args[1]));
                self.text(text)
            }
            "respond-text" => {
                self.alloc(Payload::Words { shape: shape::RESPONSE, words: vec![200, 1, 0, args[0]] })
            }
            "respond-empty" => {
                self.alloc(Payload::Words { shape: shape::RESPONSE, words: vec![args[0], 0, 0, 0] })
            }
            other => panic!("the machine has no native {other}"),
        })
    }

    fn show(&self, v: i64, ty: TypeId) -> String {
        match &self.module.types[ty.0 as usize] {
            TypeDesc::Unit => "()".to_owned(),
            TypeDesc::Bool => (v != 0).to_string(),
            TypeDesc::Text => self.as_text(v).to_owned(),
            TypeDesc::List(item) => {
                let items: Vec<_> = self.as_list(v).1.iter().map(|i| self.show(*i, *item)).collect();
                format!("[{}]", items.join(", "))
            }
            TypeDesc::Option(_) if v == 0 => "None".to_owned(),
            TypeDesc::Option(inner) => {
                let direct = self.module.types[inner.0 as usize].is_nullable_inside_option();
                let payload = match &self.object(v).payload {
                    Payload::Words { words, .. } if !direct => words[0],
                    _ => v,
                };
                format!("Some({})", self.show(payload, *inner))
            }
            TypeDesc::Tuple(parts) => {
                let Payload::Words { words, .. } = &self.object(v).payload else { panic!("no tuple") };
                let parts: Vec<_> = words.iter().zip(parts).map(|(w, ty)| self.show(*w, *ty)).collect();
                format!("({})", parts.join(", "))
            }
            TypeDesc::Record(name, fields) => {
                let Payload::Words { words, .. } = &self.object(v).payload else { panic!("no record") };
                let fields: Vec<_> =
                    words.iter().zip(fields).map(|(w, (_, ty))| self.show(*w, *ty)).collect();
                format!("{name}({})", fields.join(", "))
            }
            TypeDesc::Native(_) => match &self.object(v).payload {
                Payload::Words { words, .. } if words[3] != 0 => {
                    format!("{} {}", words[0], self.as_text(words[3]))
                }
                Payload::Words { words, .. } => words[0].to_string(),
                other => panic!("{other:?} is no response"),
            },
            _ => v.to_string(),
        }
    }
}

fn prim_of(prim: Prim, a: i64, b: i64) -> Result<i64, Stopped> {
    let float = f64::from_bits;
    let (x, y) = (float(a as u64), float(b as u64));
    let word = |value: f64| Some(value.to_bits() as i64);
    let checked = match prim {
        Prim::FloatAdd => word(x + y),
        Prim::FloatSub => word(x - y),
        Prim::FloatMul => word(x * y),
        Prim::FloatDiv => word(x / y),
        Prim::FloatNeg => word(-x),
        Prim::FloatEq => Some(i64::from(x == y)),
        Prim::FloatNe => Some(i64::from(x != y)),
        Prim::FloatLt => Some(i64::from(x < y)),
        Prim::FloatLe => Some(i64::from(x <= y)),
        Prim::FloatGt => Some(i64::from(x > y)),
        Prim::FloatGe => Some(i64::from(x >= y)),
        Prim::Add => a.checked_add(b),
        Prim::Sub => a.checked_sub(b),
        Prim::Mul => a.checked_mul(b),
        Prim::Div => a.checked_div(b),
        Prim::Rem => a.checked_rem(b),
        Prim::Neg => a.checked_neg(),
        Prim::Not => Some(1 - a),
        Prim::Eq => Some(i64::from(a == b)),
        Prim::Ne => Some(i64::from(a != b)),
        Prim::Lt => Some(i64::from(a < b)),
        Prim::Le => Some(i64::from(a <= b)),
        Prim::Gt => Some(i64::from(a > b)),
        Prim::Ge => Some(i64::from(a >= b)),
    };
    checked.ok_or_else(|| "arithmetic".to_owned())
}
