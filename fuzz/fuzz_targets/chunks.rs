//! Any bytes as a chunked body: pieces decode to the same as the whole, no more comes out than went in, and what is framed anew
//! decodes to the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_http::proto::chunk::{ChunkDecoder, ChunkError, LAST_CHUNK, size_line};

/// The body, how many bytes it took, and whether it ended.
type Decoded = Result<(Vec<u8>, usize, bool), ChunkError>;

fn decode(input: &[u8], lengths: &[u8]) -> Decoded {
    let (mut decoder, mut out, mut used) = (ChunkDecoder::default(), Vec::new(), 0);
    let mut lengths = lengths.iter().cycle();
    while used < input.len() && !decoder.is_done() {
        let length = lengths.next().map_or(input.len(), |length| usize::from(*length % 32) + 1);
        let end = (used + length).min(input.len());
        used += decoder.decode(&input[used..end], &mut out)?;
    }
    Ok((out, used, decoder.is_done()))
}

fuzz_target!(|input: (&[u8], &[u8])| {
    let (lengths, input) = input;
    let whole = decode(input, &[]);
    assert_eq!(whole, decode(input, lengths), "in pieces");
    let Ok((body, used, is_done)) = whole else { return };
    assert!(body.len() <= used && used <= input.len());
    assert!(is_done || used == input.len(), "all of an unfinished body is used");
    let mut framed = Vec::new();
    for item in body.chunks(100) {
        size_line(&mut framed, item.len());
        framed.extend_from_slice(item);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(LAST_CHUNK);
    assert_eq!(decode(&framed, lengths), Ok((body, framed.len(), true)), "framed anew");
});
