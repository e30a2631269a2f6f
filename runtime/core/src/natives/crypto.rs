//! Natives of `crypto.weir`. Whatever is to stay secret comes from the system's generator.

use super::bytes::{hex, hex_of};
use crate::heap::Full;
use crate::scope::Scope;
use crate::value::{Bytes, Own, Text};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use weir_abi::trap::Trap;

/// The SHA-1 digest.
pub fn crypto_sha1(scope: &mut Scope, bytes: Bytes) -> Result<Own<Text>, Trap> {
    hex(scope, &Sha1::digest(bytes.as_bytes()))
}

/// The SHA-256 digest.
pub fn crypto_sha256(scope: &mut Scope, bytes: Bytes) -> Result<Own<Text>, Trap> {
    hex(scope, &Sha256::digest(bytes.as_bytes()))
}

/// The SHA-512 digest.
pub fn crypto_sha512(scope: &mut Scope, bytes: Bytes) -> Result<Own<Text>, Trap> {
    hex(scope, &Sha512::digest(bytes.as_bytes()))
}

/// The HMAC with SHA-256.
pub fn crypto_hmac_sha256(scope: &mut Scope, key: Bytes, bytes: Bytes) -> Result<Own<Text>, Trap> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(bytes.as_bytes());
    hex(scope, &mac.finalize().into_bytes())
}

/// Whether they are the same, in a time that only their lengths tell.
pub fn crypto_equal(_: &mut Scope, a: Bytes, b: Bytes) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
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
