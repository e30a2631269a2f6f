//! Any bytes to a connection, in any pieces: every answer can be read, each request gets at most one, splitting changes nothing,
//! and the connection ends.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../runtime/http/tests/support/hostile.rs"]
mod hostile;

fuzz_target!(|input: &[u8]| {
    // The first byte says how many lengths of pieces follow.
    let Some((count, rest)) = input.split_first() else { return };
    let (lengths, input) = rest.split_at(usize::from(*count % 8).min(rest.len()));
    let pieces: Vec<usize> = lengths.iter().map(|length| usize::from(*length) + 1).collect();
    hostile::check(input, &pieces);
});
