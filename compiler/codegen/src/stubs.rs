//! Ways out of compiled code: a few instructions per native and per trap, placed beside the functions of the module.
//!
//! A call is then a near one. The address of a native as a constant would be worth a register to Cranelift, which takes
//! constants out of loops, cold calls' among them; so would the numbers that a trap is told.
//!
//! Not here: what the natives do.

use crate::memory::Code;
use crate::natives::KNOWN;
use cranelift_module::{ModuleReloc, ModuleRelocTarget};
use std::collections::BTreeMap;
use weir_abi::native::{NATIVES, NativeId};
use weir_abi::trap::TrapKind;

/// The namespace of stubs in names of functions; the module's own have 0.
pub(crate) const NAMESPACE: u32 = 1;

/// A way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stub {
    /// Calls a native: all registers as they are.
    Native(NativeId),
    /// Traps; both words of detail are 0.
    Trap(TrapKind),
    /// Traps with the first two words that it is passed as details.
    TrapWith(TrapKind),
}

impl Stub {
    /// Its number in [`NAMESPACE`].
    pub(crate) fn number(self) -> u32 {
        let natives = NATIVES.len() as u32;
        match self {
            Stub::Native(id) => u32::from(id.0),
            Stub::Trap(kind) => natives + 2 * kind as u32,
            Stub::TrapWith(kind) => natives + 2 * kind as u32 + 1,
        }
    }

    fn from_number(number: u32) -> Self {
        let Some(trap) = number.checked_sub(NATIVES.len() as u32) else {
            return Stub::Native(NativeId(number as u16));
        };
        let kind = TrapKind::from_number(u64::from(trap / 2)).expect("stubs are numbered by kind");
        if trap.is_multiple_of(2) { Stub::Trap(kind) } else { Stub::TrapWith(kind) }
    }

    fn code(self, address: impl Fn(NativeId) -> *const u8) -> Code {
        let (before, native) = match self {
            Stub::Native(id) => (Vec::new(), id),
            Stub::Trap(kind) => (before_trap(kind as u8, false), KNOWN.trap),
            Stub::TrapWith(kind) => (before_trap(kind as u8, true), KNOWN.trap),
        };
        Code { bytes: jump(before, address(native) as u64), align: 16, relocs: Vec::new() }
    }
}

/// Adds the stubs that the functions refer to behind them, and makes their names those of functions.
pub(crate) fn add(functions: &mut Vec<Code>, address: &dyn Fn(NativeId) -> *const u8) {
    let mut indexes = BTreeMap::new();
    for number in functions.iter_mut().flat_map(|f| &mut f.relocs).filter_map(stub_of) {
        indexes.insert(*number.1, 0);
    }
    for (at, (_, index)) in indexes.iter_mut().enumerate() {
        *index = (functions.len() + at) as u32;
    }
    for (namespace, number) in functions.iter_mut().flat_map(|f| &mut f.relocs).filter_map(stub_of) {
        (*namespace, *number) = (0, indexes[number]);
    }
    functions.extend(indexes.keys().map(|&number| Stub::from_number(number).code(address)));
}

fn stub_of(reloc: &mut ModuleReloc) -> Option<(&mut u32, &mut u32)> {
    match &mut reloc.name {
        ModuleRelocTarget::User { namespace, index } if *namespace == NAMESPACE => Some((namespace, index)),
        _ => None,
    }
}

/// Sets the arguments of `trap`: the `Ctx` from the pinned register, the kind, two words.
#[cfg(target_arch = "x86_64")]
fn before_trap(kind: u8, with: bool) -> Vec<u8> {
    let details: &[u8] = if with {
        &[0x48, 0x89, 0xf1, 0x48, 0x89, 0xfa] // mov rcx, rsi; mov rdx, rdi
    } else {
        &[0x31, 0xd2, 0x31, 0xc9] // xor edx, edx; xor ecx, ecx
    };
    let rest = [0xbe, kind, 0, 0, 0, 0x4c, 0x89, 0xff]; // mov esi, kind; mov rdi, r15
    [details, &rest].concat()
}

/// Behind the instructions `before`, goes on at the address.
#[cfg(target_arch = "x86_64")]
fn jump(mut before: Vec<u8>, address: u64) -> Vec<u8> {
    before.extend([0xff, 0x25, 0, 0, 0, 0]); // jmp [rip]
    before.extend(address.to_le_bytes());
    before
}

/// As above.
#[cfg(target_arch = "aarch64")]
fn before_trap(kind: u8, with: bool) -> Vec<u8> {
    let details: [u32; 2] = if with {
        [0xaa01_03e3, 0xaa00_03e2] // mov x3, x1; mov x2, x0
    } else {
        [0xd280_0002, 0xd280_0003] // mov x2, #0; mov x3, #0
    };
    let rest = [0xd280_0001 | u32::from(kind) << 5, 0xaa15_03e0]; // mov x1, #kind; mov x0, x21
    details.into_iter().chain(rest).flat_map(u32::to_le_bytes).collect()
}

/// As above.
#[cfg(target_arch = "aarch64")]
fn jump(mut before: Vec<u8>, address: u64) -> Vec<u8> {
    before.extend([0x5800_0050u32, 0xd61f_0200].into_iter().flat_map(u32::to_le_bytes)); // ldr x16, #8; br x16
    before.extend(address.to_le_bytes());
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back() {
        let kinds = (1..=9).filter_map(TrapKind::from_number);
        let traps = kinds.flat_map(|kind| [Stub::Trap(kind), Stub::TrapWith(kind)]);
        let natives = (0..NATIVES.len()).map(|at| Stub::Native(NativeId(at as u16)));
        for stub in natives.chain(traps) {
            assert_eq!(Stub::from_number(stub.number()), stub);
        }
    }

    #[test]
    fn stubs_stand_behind_the_functions_and_are_named_so() {
        let reloc = |number| ModuleReloc {
            offset: 0,
            kind: cranelift_codegen::binemit::Reloc::X86CallPCRel4,
            name: ModuleRelocTarget::user(NAMESPACE, number),
            addend: 0,
        };
        let (trap, native) = (Stub::Trap(TrapKind::Overflow), Stub::Native(KNOWN.stop));
        let relocs = vec![reloc(trap.number()), reloc(native.number()), reloc(trap.number())];
        let mut functions = vec![Code { bytes: Vec::new(), align: 1, relocs }];
        add(&mut functions, &|_| std::ptr::null());
        assert_eq!(functions.len(), 3);
        let named = functions[0].relocs.iter().map(|r| match r.name {
            ModuleRelocTarget::User { namespace, index } => (namespace, index),
            _ => panic!("it names a function"),
        });
        assert_eq!(named.collect::<Vec<_>>(), [(0, 2), (0, 1), (0, 2)]);
    }
}
