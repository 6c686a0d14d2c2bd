//! One header, one compact JWS, of the right type, signed by the key in it.

use super::*;
use crate::resource::{InvalidToken, RefusalKind};

// spec: RS-22
#[tokio::test]
async fn there_is_exactly_one_header_with_exactly_one_proof() {
    let bench = Bench::new(Dpop::optional());
    assert_eq!(bench.send(&[]).await, invalid_proof());
    assert_eq!(bench.send(&[&bench.good(), &bench.good()]).await, invalid_proof());
    let same = bench.good();
    assert_eq!(bench.send(&[&same, &same]).await, invalid_proof());
    assert_eq!(bench.send(&[&same, ""]).await, invalid_proof());
    let (one, other) = (bench.good(), bench.good());
    for text in [
        "".into(),
        "a".into(),
        "..".into(),
        "a.b.c".into(),
        format!("{one},{other}"),
        format!("{one}, {other}"),
        format!("{one} {other}"),
        format!("DPoP {one}"),
        format!("\"{one}\""),
        format!("{one}=="),
        format!("{one}.AA"),
        one[..one.rfind('.').unwrap()].to_owned(),
        one[..=one.rfind('.').unwrap()].to_owned(),
        "é".to_owned(),
    ] {
        bench.refuses(&text, &text).await;
    }
}

// spec: RS-23
#[tokio::test]
async fn the_type_is_dpop_jwt() {
    let bench = Bench::new(Dpop::optional());
    for typ in [json!("JWT"), json!("at+jwt"), json!("DPOP+JWT"), json!("dpop"), json!(""), json!(7), json!(null)] {
        bench.refuses(&typ.to_string(), &bench.headed(json!({ "typ": typ }))).await;
    }
    bench.refuses("the token itself", &bench.token.clone()).await;
}

// spec: RS-23
#[tokio::test]
async fn the_algorithm_is_asymmetric_and_one_of_those_that_the_challenge_lists() {
    let bench = Bench::new(Dpop::optional());
    for alg in [json!("none"), json!("None"), json!("HS256"), json!("es256"), json!("ES512"), json!(""), json!(null)] {
        bench.refuses(&alg.to_string(), &bench.headed(json!({ "alg": alg }))).await;
    }
    let (head, claims) = (changed(bench.header(), json!({ "alg": "none" })), bench.claims());
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for signature in ["", ".", ".AA"] {
        bench.refuses("unsigned", &format!("{}.{}{signature}", part(&head), part(&claims))).await;
    }
    // HMAC under the public key that stands in the header.
    let head = changed(bench.header(), json!({ "alg": "HS256" }));
    let input = format!("{}.{}", part(&head), part(&bench.claims()));
    let secret = EncodingKey::from_secret(&serde_json::to_vec(bench.wallet.public_jwk()).unwrap());
    let tag = jsonwebtoken::crypto::sign(input.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
    bench.refuses("HMAC", &format!("{input}.{tag}")).await;
    for (listed, status) in [(Algorithm::ES256, 200), (Algorithm::PS256, 401)] {
        let picky = Bench::with(Dpop::optional().algorithms([listed]), bench.wallet.clone());
        assert_eq!(picky.send(&[&picky.good()]).await.status, status, "{listed}");
    }
    let other = Bench::with(Dpop::optional(), DpopKey::generate(Algorithm::EdDSA).unwrap());
    assert_eq!(other.send(&[&other.good()]).await, served());
}

// spec: RS-23
#[tokio::test]
async fn the_key_is_there_public_asymmetric_and_fit_for_the_algorithm() {
    let bench = Bench::new(Dpop::optional());
    let own = serde_json::to_value(bench.wallet.public_jwk()).unwrap();
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "priv", "k"] {
        for value in [json!("AAAA"), json!(null), json!([])] {
            let mut jwk = own.clone();
            jwk[member] = value;
            bench.refuses(member, &bench.headed(json!({ "jwk": jwk }))).await;
        }
    }
    for jwk in [
        json!(null),
        json!({}),
        json!([own]),
        json!("jwk"),
        json!({ "kty": "oct", "k": "AAAA" }),
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA" }),
        json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xC3; 64]), "e": "AQAB" }),
        changed(own.clone(), json!({ "crv": "P-384" })),
        changed(own.clone(), json!({ "crv": "secp256k1" })),
        changed(own.clone(), json!({ "y": null })),
        changed(own.clone(), json!({ "x": own["y"], "y": own["x"] })),
        changed(own.clone(), json!({ "alg": "ES384" })),
        changed(own.clone(), json!({ "use": "enc" })),
        changed(own.clone(), json!({ "key_ops": ["sign"] })),
    ] {
        bench.refuses(&jwk.to_string(), &bench.headed(json!({ "jwk": jwk }))).await;
    }
    let twice = bench.header().to_string().replacen(r#""crv":"#, r#""crv":"P-256","crv":"#, 1);
    let proof = bench.wallet.forge(&twice, &bench.claims().to_string()).unwrap();
    bench.refuses("crv twice", &proof).await;
    // Where a key could be found instead.
    let lure = json!({ "jwk": null, "kid": bench.wallet.jkt(), "jku": "https://evil.example", "x5c": ["MIIB"] });
    bench.refuses("kid only", &bench.headed(lure)).await;
}

// spec: RS-23
// spec: RS-30
#[tokio::test]
async fn the_signature_is_by_the_key_in_the_header_and_that_is_the_tokens() {
    let bench = Bench::new(Dpop::optional());
    let thief = DpopKey::generate(Algorithm::ES256).unwrap();
    let stolen = thief.forge(&bench.header().to_string(), &bench.claims().to_string()).unwrap();
    bench.refuses("signed by another key", &stolen).await;
    let good = bench.good();
    let (input, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = input.split_once('.').unwrap();
    let other = URL_SAFE_NO_PAD.encode(bench.claims().to_string());
    bench.refuses("other claims", &format!("{head}.{other}.{signature}")).await;
    for bytes in [vec![0; 64], vec![0xFF; 64], vec![0; 63], vec![0; 65], vec![0x30, 6, 2, 1, 1, 2, 1, 1]] {
        bench.refuses("made up", &format!("{input}.{}", URL_SAFE_NO_PAD.encode(bytes))).await;
    }
    // A good proof, of the thief's own key: it is the token that is not good.
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": thief.public_jwk() });
    let own = thief.forge(&header.to_string(), &bench.claims().to_string()).unwrap();
    assert_eq!(bench.send(&[&own]).await, refused("invalid_token"));
}

// spec: RS-23
#[tokio::test]
async fn a_header_that_demands_an_extension_repeats_a_member_or_is_huge_is_refused() {
    let bench = Bench::new(Dpop::optional());
    for changes in [
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
        json!({ "b64": false, "crit": ["b64"] }),
        json!({ "x": "a".repeat(5_000) }),
    ] {
        bench.refuses(&changes.to_string(), &bench.headed(changes)).await;
    }
    let header = bench.header().to_string();
    for member in [r#""jwk":{}"#, r#""j\u0077k":{}"#, r#""typ":"dpop+jwt""#, r#""alg":"none""#] {
        let twice = header.replacen('{', &format!("{{{member},"), 1);
        let proof = bench.wallet.forge(&twice, &bench.claims().to_string()).unwrap();
        bench.refuses(member, &proof).await;
    }
    for size in [10_000, 60_000] {
        bench.refuses("huge", &bench.claiming(json!({ "x": "a".repeat(size) }))).await;
    }
}

// spec: RS-32
#[tokio::test]
async fn a_proof_makes_no_bearer_token_of_a_bound_one_nor_the_other_way_round() {
    let bench = Bench::new(Dpop::optional());
    let sent = |scheme: &str, token: &str, proof: &str| {
        let request = Request::get("/photos").header(AUTHORIZATION, format!("{scheme} {token}")).header("dpop", proof);
        request.body(String::new()).unwrap()
    };
    for scheme in ["Bearer", "bearer"] {
        let outcome = bench.outcome(sent(scheme, &bench.token, &bench.good())).await;
        assert_eq!((outcome.status, outcome.served), (401, false), "{scheme}");
    }
    let key = Key::es256();
    let server = builder(fixed(&key)).dpop(Dpop::optional()).build().unwrap();
    let plain = Bench { server, token: key.good(), wallet: bench.wallet.clone(), clock: clock() };
    assert_eq!(plain.send(&[&plain.good()]).await, refused("invalid_token"));
    // A bearer token is one whatever stands beside it.
    assert_eq!(plain.outcome(sent("Bearer", &plain.token, "junk")).await, served());
    // Bound to a certificate alone, it is no DPoP token; bound to both, it needs both.
    for (cnf, reason) in [
        (json!({ "x5t#S256": "x" }), InvalidToken::NotBound),
        (json!({ "x5t#S256": "x", "jkt": plain.wallet.jkt() }), InvalidToken::WrongCertificate),
        (json!({ "jkt": plain.wallet.jkt(), "kid": "x" }), InvalidToken::Bound),
    ] {
        let server = builder(fixed(&key)).dpop(Dpop::optional()).mutual_tls().build().unwrap();
        let token = key.token(json!({ "cnf": cnf }));
        let bound = Bench { server, token, wallet: plain.wallet.clone(), clock: clock() };
        assert_eq!(bound.send(&[&bound.good()]).await, refused("invalid_token"), "{cnf}");
        let parts = sent("DPoP", &bound.token, &bound.good()).into_parts().0;
        let refusal = bound.server.validate(&parts).await.unwrap_err();
        assert_eq!(*refusal.kind(), RefusalKind::InvalidToken(reason));
    }
}
