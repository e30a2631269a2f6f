//! Any text: checking ends, with a program or with diagnostics whose places lie in the sources.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let none = |_: &std::path::Path| Err("there are no files here".to_string());
    if let Err(rejected) = weir_driver::check("fuzz.weir", text, &none) {
        assert!(!rejected.diagnostics.is_empty(), "rejected for no reason");
        weir_syntax::render::render(&rejected.diagnostics, &rejected.sources, false);
    }
});
