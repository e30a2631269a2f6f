//! The machine that code is made for: this one, with the features it has.
//!
//! Built once per process: detection and the flag table cost more than compiling a small function.

use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use std::sync::{Arc, OnceLock};

/// What compiled code relies on: the pinned register holds the `Ctx`, the frame pointer chain is whole (frames are
/// walked by it), and nothing is resolved by name (so no libcalls, stack probes or unwind tables).
const FLAGS: &[(&str, &str)] = &[
    ("opt_level", "speed"),
    ("enable_pinned_reg", "true"),
    ("preserve_frame_pointers", "true"),
    ("unwind_info", "false"),
    ("enable_probestack", "false"),
    ("use_colocated_libcalls", "false"),
    ("is_pic", "false"),
    ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
];

/// The host's instruction set.
///
/// # Panics
/// On a machine that Cranelift has no back end for.
pub(crate) fn host() -> OwnedTargetIsa {
    static HOST: OnceLock<OwnedTargetIsa> = OnceLock::new();
    Arc::clone(HOST.get_or_init(|| {
        let mut flags = settings::builder();
        for (name, value) in FLAGS {
            flags.set(name, value).expect("the flag and its value exist in this Cranelift");
        }
        cranelift_native::builder()
            .unwrap_or_else(|why| panic!("this machine is not supported: {why}"))
            .finish(settings::Flags::new(flags))
            .expect("the host's features go together")
    }))
}
