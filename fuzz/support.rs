//! What several targets need.

use std::{
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
};

use oauth_core::{dpop::DpopKey, jwk::JwkSet, jwt::Algorithm, keys::SigningKey};
use serde_json::Value;

/// The key that signs what a target has written, so that the checks behind the signature are reached.
pub static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::EdDSA).expect("the library makes a key"));

/// [`KEY`], able to sign any header and payload.
pub static FORGER: LazyLock<DpopKey> = LazyLock::new(|| DpopKey::from(KEY.clone()));

/// The public half of [`KEY`], and two strangers.
pub static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    let others = [Algorithm::ES256, Algorithm::ES384].map(|algorithm| SigningKey::generate(algorithm).expect("a key"));
    [&*KEY].into_iter().chain(&others).collect()
});

/// The text up to the first line feed, and the rest.
pub fn two_lines(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// `text` as a JSON object, read as a whole. `None` also where only something in a member that is not known, and so is
/// skipped, is wrong: bytes that are no text, a number that no machine holds.
pub fn object(text: &[u8]) -> Option<serde_json::Map<String, Value>> {
    match serde_json::from_slice(text) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// Drives a future that waits for nobody.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}
