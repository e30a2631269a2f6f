//! Every example script checks without a word.

mod support;

#[test]
fn examples_check() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    for folder in ["examples", "bench"] {
        let entries =
            std::fs::read_dir(format!("{root}/{folder}")).expect("the folder is part of the repository");
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.extension().is_none_or(|e| e != "weir") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let (program, diagnostics) = support::check(&text);
            assert!(diagnostics.is_empty(), "{}:\n{}", path.display(), support::show(&text, &diagnostics));
            let program = program.expect("there are no errors");
            if std::env::var_os("SHOW_TYPED").is_some() {
                println!("== {}\n{}", path.display(), weir_check::print::program(&program));
            }
        }
    }
}
