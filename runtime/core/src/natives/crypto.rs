//! Natives of `crypto.weir`. Whatever is to stay secret comes from the system's generator.

use super::Flow;
use super::bytes::{hex, hex_of};
use crate::heap::{Full, Word};
use crate::scope::Scope;
use crate::steps::{Work, in_steps};
use crate::value::{Bytes, Gives, Own, Text};
use hmac::digest::{FixedOutput, Update};
use hmac::{Hmac, KeyInit};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConstantTimeEq};
use uuid::Uuid;
use weir_abi::trap::Trap;

/// How many bytes a step takes in: about a hundred microseconds of the slowest digest.
const PIECE: usize = if cfg!(feature = "stress") { 16 } else { 64 * 1024 };

/// Bytes that are being digested; whoever waits holds them.
struct Digesting<D> {
    digest: Option<D>,
    bytes: Bytes,
    at: usize,
}

impl<D: Update + FixedOutput> Work for Digesting<D> {
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        let rest = &self.bytes.as_bytes()[self.at..];
        let piece = &rest[..rest.len().min(PIECE)];
        if let Some(digest) = &mut self.digest {
            digest.update(piece);
        }
        self.at += piece.len();
        if piece.len() < rest.len() {
            return Ok(None);
        }
        let digest = self.digest.take().expect("work is done once").finalize_fixed();
        Ok(Some(hex(scope, &digest)?.into_word()))
    }
}

fn digest<D: Update + FixedOutput + 'static>(
    scope: &mut Scope,
    digest: D,
    bytes: Bytes,
) -> Result<Flow, Trap> {
    in_steps(scope, Digesting { digest: Some(digest), bytes, at: 0 })
}

/// The SHA-1 digest.
pub fn crypto_sha1(scope: &mut Scope, bytes: Bytes) -> Result<Flow, Trap> {
    digest(scope, Sha1::default(), bytes)
}

/// The SHA-256 digest.
pub fn crypto_sha256(scope: &mut Scope, bytes: Bytes) -> Result<Flow, Trap> {
    digest(scope, Sha256::default(), bytes)
}

/// The SHA-512 digest.
pub fn crypto_sha512(scope: &mut Scope, bytes: Bytes) -> Result<Flow, Trap> {
    digest(scope, Sha512::default(), bytes)
}

/// The HMAC with SHA-256.
pub fn crypto_hmac_sha256(scope: &mut Scope, key: Bytes, bytes: Bytes) -> Result<Flow, Trap> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    digest(scope, mac, bytes)
}

/// Whether they are the same, in a time that only their lengths tell.
pub fn crypto_equal(scope: &mut Scope, a: Bytes, b: Bytes) -> Result<Flow, Trap> {
    in_steps(scope, Comparing { a, b, at: 0, is_same: a.as_bytes().len().ct_eq(&b.as_bytes().len()) })
}

struct Comparing {
    a: Bytes,
    b: Bytes,
    at: usize,
    /// As far as they are compared.
    is_same: Choice,
}

impl Work for Comparing {
    fn step(&mut self, _: &mut Scope) -> Result<Option<Word>, Trap> {
        let (a, b) = (&self.a.as_bytes()[self.at..], &self.b.as_bytes()[self.at..]);
        let end = a.len().min(b.len()).min(PIECE);
        self.is_same &= a[..end].ct_eq(&b[..end]);
        self.at += end;
        Ok((end < PIECE).then(|| bool::from(self.is_same).into_word()))
    }
}

/// A random UUID.
pub fn crypto_uuid(scope: &mut Scope) -> Result<Own<Text>, Trap> {
    uuid(scope, Uuid::new_v4())
}

/// A UUID by time.
pub fn crypto_ordered_uuid(scope: &mut Scope) -> Result<Own<Text>, Trap> {
    uuid(scope, Uuid::now_v7())
}

fn uuid(scope: &mut Scope, uuid: Uuid) -> Result<Own<Text>, Trap> {
    Ok(scope.text(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()))?)
}

/// Random bytes in hexadecimal.
pub fn crypto_token(scope: &mut Scope, bytes: i64) -> Result<Own<Text>, Trap> {
    /// How many bytes are asked for at once.
    const PIECE: usize = 256;
    let Ok(count) = usize::try_from(bytes) else {
        return Err(Trap::native("the length of a token is negative"));
    };
    let len = count.checked_mul(2).ok_or(Full)?;
    let mut failure = None;
    let text = scope.text_with(len, |filler| {
        let mut piece = [0; PIECE];
        while filler.left() > 0 {
            let part = &mut piece[..PIECE.min(filler.left() / 2)];
            if let Err(error) = getrandom::fill(part) {
                failure = Some(error);
            }
            for byte in part {
                filler.push(&hex_of(*byte));
            }
        }
    })?;
    match failure {
        None => Ok(text),
        Some(error) => {
            scope.give_up(text);
            Err(Trap::native(format!("the system has no random numbers: {error}")))
        }
    }
}
