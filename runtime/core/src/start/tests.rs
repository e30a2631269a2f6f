//! Main programs: their globals freeze, their failures come out.

use super::*;
use crate::heap::Word;
use crate::testing::{self, make_text, native, take_text};
use weir_abi::context::Ctx;
use weir_abi::layout::{self, shape};

/// `let n = 5`, `let name = "a global"`, `let names = [name]`, a list that no global keeps, and a nap.
extern "C" fn main(ctx: *mut Ctx) -> Word {
    let name = make_text(ctx, "a global");
    let names = native(ctx, "list-new", &[shape::LIST_REF as u64, 1]);
    // SAFETY: a fresh list with room for one element; the second count of `name` is the list's.
    unsafe {
        (name as *mut u32).write(2);
        ((names + layout::LIST_DATA as u64) as *mut u64).write(name);
        ((names + layout::LEN as u64) as *mut u64).write(1);
    }
    let lost = native(ctx, "list-new", &[shape::LIST_WORD as u64, 3]);
    // SAFETY: as above.
    unsafe { (lost as *mut u32).write(0) };
    native(ctx, "free", &[lost]);
    native(ctx, "sleep", &[1_000_000]);
    // SAFETY: the module has four global slots.
    unsafe {
        let globals = (*ctx).globals;
        globals.write(5);
        globals.add(1).write(name);
        globals.add(2).write(names);
    }
    0
}

/// The global text, as a Text of its own.
extern "C" fn upper_global(ctx: *mut Ctx) -> Word {
    // SAFETY: as above; the slots are frozen.
    let name = unsafe { (*ctx).globals.add(1).read() };
    native(ctx, "text-upper", &[name])
}

extern "C" fn panics(ctx: *mut Ctx) -> Word {
    let why = make_text(ctx, "no such luck");
    native(ctx, "panic", &[why])
}

#[test]
fn globals_are_frozen_and_shared_by_threads() {
    let app =
        App::start(Arc::new(testing::module(main, None)), Vec::new(), Limits::default()).expect("no trap");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let app = Arc::clone(&app);
            std::thread::spawn(move || {
                let mut scope = testing::scope_of(Pinned::new(app));
                for _ in 0..100 {
                    let mut run = Run::new(&scope, upper_global as *const u8, &[]).expect("a stack");
                    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                    let std::task::Poll::Ready(Ok(word)) = run.poll(&mut scope, &mut cx) else {
                        panic!("it returns")
                    };
                    assert_eq!(take_text(&mut scope, word), "A GLOBAL");
                }
                scope.free_all_late();
                assert_eq!(scope.heap().live(), 0);
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
}

#[test]
fn a_trap_of_the_program_is_its_failure() {
    let failure = App::start(Arc::new(testing::module(panics, None)), Vec::new(), Limits::default())
        .expect_err("a trap");
    assert_eq!((failure.status, failure.to_string().as_str()), (500, "no such luck"));
}
