//! The tests in the files of the standard library hold: each `test "name" { ... }` of `stdlib/*.weir` runs.

use std::sync::Arc;
use weir_core::{App, Limits};
use weir_driver::{MODULES, compile_library_tests};
use weir_syntax::render::render;

#[test]
fn the_tests_of_the_library_hold() {
    let mut failures = Vec::new();
    for (module, _) in MODULES.iter().filter(|(_, text)| text.contains("\ntest \"")) {
        let compiled = match compile_library_tests(module) {
            Ok(compiled) => compiled,
            Err(mistakes) => {
                failures.push(render(&mistakes.diagnostics, &mistakes.sources, false));
                continue;
            }
        };
        let app = App::start(Arc::new(compiled.module), Vec::new(), Limits::default());
        let app = app.unwrap_or_else(|failure| panic!("{module} does nothing before its tests: {failure}"));
        for (index, name) in compiled.tests.iter().enumerate() {
            if let Err(failure) = app.test(index) {
                failures.push(format!("{module}: {name}\n{failure}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
