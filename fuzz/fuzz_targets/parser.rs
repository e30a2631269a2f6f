//! Any text: the parser gives a tree and never panics; what it takes can be formatted, and what was formatted stays so.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_syntax::span::FileId;

fuzz_target!(|text: &str| {
    let parsed = weir_syntax::parse(FileId(0), text);
    if parsed.diagnostics.is_empty() {
        let once = weir_fmt::format(text).expect("what parses can be formatted");
        let twice = weir_fmt::format(&once).expect("what was formatted parses");
        assert_eq!(once, twice, "formatting is idempotent");
    }
});
