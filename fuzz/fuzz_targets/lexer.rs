//! Any text: the tokens come in order and, with the blanks between them, tile it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_syntax::lexer::lex;
use weir_syntax::span::FileId;

fuzz_target!(|text: &str| {
    let (tokens, _) = lex(FileId(0), text);
    let mut end = 0;
    for token in &tokens {
        let (start, stop) = (token.span.start as usize, token.span.end as usize);
        assert!(end <= start && start <= stop, "an overlap");
        assert!(is_blank(&text[end..start]), "a gap: {:?}", &text[end..start]);
        end = stop;
    }
    assert!(is_blank(&text[end..]), "the end is missing: {:?}", &text[end..]);
});

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\u{feff}'))
}
