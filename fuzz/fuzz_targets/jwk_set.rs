//! Foreign key sets: a key in use is public, asymmetric and meant for signatures.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core::jwk::JwkSet;
use oauth_core_fuzz::object;

fuzz_target!(|document: &[u8]| {
    let Ok(set) = JwkSet::parse(document) else { return };
    assert!(set.keys().len() <= JwkSet::MAX_KEYS);
    let document = object(document).expect("a set is an object");
    let all = document["keys"].as_array().expect("of keys");
    let unused: Vec<usize> = set.skipped().iter().map(|skipped| skipped.index).collect();
    let used = all.iter().take(JwkSet::MAX_KEYS).enumerate().filter(|(index, _)| !unused.contains(index));
    let used: Vec<_> = used.map(|(_, key)| key).collect();
    assert_eq!(used.len(), set.keys().len());
    for (raw, key) in used.into_iter().zip(set.keys()) {
        assert!(["RSA", "EC", "OKP"].map(Into::into).contains(&raw["kty"]));
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "priv", "k"] {
            assert!(raw.get(private).is_none());
        }
        assert!(raw.get("use").is_none_or(|r#use| r#use.is_null() || r#use == "sig"));
        assert!(raw.get("alg").is_none_or(|alg| key.algorithms().all(|own| *alg == own.as_str() || *alg == "Ed25519")));
        assert!(key.algorithms().count() > 0);
        assert_eq!(key.thumbprint().len(), 43);
        assert_eq!(key.kid(), raw.get("kid").and_then(|kid| kid.as_str()));
        for algorithm in key.algorithms() {
            assert!(set.candidates(key.kid(), algorithm).any(|other| other.thumbprint() == key.thumbprint()));
        }
    }
});
