//! Random numbers of a scope.
//!
//! In: a seed, or nothing. Out: numbers that nobody can guess without the seed, from a generator whose output for a seed
//! never changes.
//! Not here: secrets; those come from the system (`natives::crypto`).

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

/// A generator. Boxed: most scopes need none.
pub struct Random(Box<ChaCha8Rng>);

impl Random {
    /// Seeded by the system.
    pub fn from_system() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self(Box::new(ChaCha8Rng::from_seed(seed))))
    }

    /// What follows from `number`.
    pub fn seeded(number: u64) -> Self {
        Self(Box::new(ChaCha8Rng::seed_from_u64(number)))
    }

    /// A number from 0 to `last`, both included.
    pub fn up_to(&mut self, last: u64) -> u64 {
        self.0.random_range(0..=last)
    }

    /// From 0 up to 1, with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}
