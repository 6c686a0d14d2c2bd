//! Every claim is there, of its type, and fits the request.

use super::*;
use oauth_core::dpop::ProofWindow;

// spec: RS-24
#[tokio::test]
async fn a_proof_without_one_of_its_claims_or_with_one_of_another_type_is_refused() {
    let bench = Bench::new(Dpop::optional());
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        bench.refuses(name, &bench.claiming(json!({ name: null }))).await;
        for value in [json!(true), json!([]), json!({}), json!([URL]), json!("")] {
            bench.refuses(&format!("{name}: {value}"), &bench.claiming(json!({ name: value }))).await;
        }
        let claims = bench.claims();
        for member in [format!(r#""{name}":null"#), format!(r#""{name}":{}"#, claims[name])] {
            let twice = claims.to_string().replacen('{', &format!("{{{member},"), 1);
            let proof = bench.wallet.forge(&bench.header().to_string(), &twice).unwrap();
            bench.refuses(&format!("{name} twice"), &proof).await;
        }
    }
    for (name, value) in [("jti", json!(7)), ("iat", json!(NOW.to_string())), ("iat", json!(-1)), ("iat", json!(1e300))]
    {
        bench.refuses(&format!("{name}: {value}"), &bench.claiming(json!({ name: value }))).await;
    }
    for payload in ["[]", "null", "7", "{", "{} {}", &"[".repeat(5_000)] {
        let proof = bench.wallet.forge(&bench.header().to_string(), payload).unwrap();
        bench.refuses(&format!("payload {payload:.10}"), &proof).await;
    }
}

// spec: RS-25
#[tokio::test]
async fn the_method_is_that_of_the_request_and_compared_by_case() {
    let bench = Bench::new(Dpop::optional());
    for htm in ["get", "Get", "POST", "HEAD", "GET ", "GETS", "*"] {
        bench.refuses(htm, &bench.claiming(json!({ "htm": htm }))).await;
    }
    for method in ["POST", "PUT", "OPTIONS", "get", "PROPFIND"] {
        let method: Method = method.parse().unwrap();
        let proof = bench.claiming(json!({ "htm": method.as_str() }));
        assert_eq!(bench.send_as(method.clone(), "/photos", &[&proof]).await, served(), "{method}");
        assert_eq!(bench.send_as(method, "/photos", &[&bench.good()]).await, invalid_proof());
    }
}

// spec: RS-27
#[tokio::test]
async fn a_proof_is_good_from_ten_seconds_before_its_time_until_sixty_after() {
    let bench = Bench::new(Dpop::optional());
    for (iat, good) in [(NOW + 10, true), (NOW + 11, false), (NOW - 60, true), (NOW - 61, false), (0, false)] {
        let expected = if good { served() } else { invalid_proof() };
        assert_eq!(bench.send(&[&bench.claiming(json!({ "iat": iat }))]).await, expected, "{iat}");
    }
    // The same proof, kept until it is too old.
    let (early, late) = (bench.good(), bench.good());
    bench.clock.advance(60);
    assert_eq!(bench.send(&[&early]).await, served());
    bench.clock.advance(1);
    assert_eq!(bench.send(&[&late]).await, invalid_proof());
    let narrow = Bench::new(Dpop::optional().window(ProofWindow::new(5, 0).unwrap()));
    for (iat, good) in [(NOW + 1, false), (NOW, true), (NOW - 5, true), (NOW - 6, false)] {
        let expected = if good { served() } else { invalid_proof() };
        assert_eq!(narrow.send(&[&narrow.claiming(json!({ "iat": iat }))]).await, expected, "{iat}");
    }
}

// spec: RS-29
#[tokio::test]
async fn the_hash_is_that_of_the_very_token() {
    let bench = Bench::new(Dpop::optional());
    let good = hash(&bench.token);
    let hex: String =
        Digest::of(&[bench.token.as_bytes()]).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    for ath in [
        hash("another token"),
        hash(""),
        hash(&format!("DPoP {}", bench.token)),
        bench.token.clone(),
        format!("{good}="),
        good.to_lowercase(),
        good[..42].to_owned(),
        hex,
    ] {
        bench.refuses(&ath, &bench.claiming(json!({ "ath": ath }))).await;
    }
}
