//! What a signature costs, and nothing else.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair},
};

use super::{forms::Form, server::Round};
use crate::contender::thread_time;

/// About as long as what is signed in a token.
const MESSAGE: [u8; 480] = [b'a'; 480];

/// A key that is at hand, parsed, as it is for a server.
pub struct Limit(Box<dyn FnMut() + Send>);

impl Limit {
    pub fn of(form: Form) -> Self {
        let random = SystemRandom::new();
        match form {
            Form::Rs256 => {
                let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
                let mut signature = vec![0; key.public_modulus_len()];
                Self(Box::new(move || {
                    key.sign(&signature::RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature).expect("a signature");
                    black_box(&signature);
                }))
            }
            Form::Es256 => {
                let key = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
                Self(Box::new(move || {
                    black_box(key.sign(&random, &MESSAGE).expect("a signature"));
                }))
            }
            Form::EdDsa => {
                let key = Ed25519KeyPair::generate().expect("a key");
                Self(Box::new(move || {
                    black_box(key.sign(&MESSAGE));
                }))
            }
            Form::Opaque => unreachable!("it is not signed"),
        }
    }

    /// Signs again and again for so long.
    pub fn round(&mut self, duration: Duration) -> Round {
        let (before, started, mut done) = (thread_time(), Instant::now(), 0);
        while started.elapsed() < duration {
            (self.0)();
            done += 1;
        }
        Round { done, used: thread_time() - before, wall: started.elapsed(), swept: Duration::ZERO }
    }
}
