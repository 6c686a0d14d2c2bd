//! A proof is good once.

use futures_util::future::join_all;

use super::*;

fn request(bench: &Bench, proof: &str) -> Request<String> {
    let request = Request::get("/photos").header(AUTHORIZATION, format!("DPoP {}", bench.token));
    request.header("dpop", proof).body(String::new()).unwrap()
}

// spec: RS-28
#[tokio::test]
async fn a_proof_that_comes_again_is_refused_as_long_as_it_would_be_good() {
    let bench = Bench::new(Dpop::optional());
    let (proof, early) = (bench.good(), bench.claiming(json!({ "iat": NOW + 10 })));
    assert_eq!(bench.send(&[&proof]).await, served());
    assert_eq!(bench.send(&[&early]).await, served());
    for advance in [0, 1, 58, 1, 1, 9, 1, 3_600] {
        bench.clock.advance(advance);
        if bench.clock_is_before_exp() {
            assert_eq!(bench.send(&[&proof]).await, invalid_proof());
            assert_eq!(bench.send(&[&early]).await, invalid_proof());
        }
    }
}

// spec: RS-28
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_a_hundred_that_come_at_once_with_the_same_proof_passes() {
    for round in 0..5 {
        let bench = Bench::new(Dpop::optional());
        let proof = bench.good();
        if round % 2 == 0 {
            // The token is known already, so that nothing but the proof is judged.
            assert_eq!(bench.send(&[&bench.good()]).await, served());
        }
        let layer = bench.server.layer();
        let tasks = (0..100).map(|_| {
            let (layer, request) = (layer.clone(), request(&bench, &proof));
            tokio::spawn(async move { send(&layer, request).await.1 })
        });
        let passed = join_all(tasks).await.into_iter().filter(|served| *served.as_ref().unwrap()).count();
        assert_eq!(passed, 1);
    }
}

// spec: RS-28
#[tokio::test]
async fn a_jti_is_used_up_for_its_key_and_target_alone() {
    let bench = Bench::new(Dpop::optional());
    let again = |changes: Value| bench.claiming(changed(json!({ "jti": "the same" }), changes));
    assert_eq!(bench.send(&[&again(json!({}))]).await, served());
    // Other bytes, the same claims that count.
    assert_eq!(bench.send(&[&again(json!({ "iat": NOW - 1 }))]).await, invalid_proof());
    assert_eq!(bench.send(&[&again(json!({ "htu": "HTTPS://API.example:443/photos?x" }))]).await, invalid_proof());
    let elsewhere = again(json!({ "htu": "https://api.example/other" }));
    assert_eq!(bench.send_as(Method::GET, "/other", &[&elsewhere]).await, served());
    // Whoever else chooses that jti is not in the way.
    let other = Bench { wallet: DpopKey::generate(Algorithm::ES256).unwrap(), ..bench };
    assert_eq!(other.send(&[&other.claiming(json!({ "jti": "the same" }))]).await, refused("invalid_token"));
}

// spec: RS-28
#[tokio::test]
async fn two_nodes_that_share_what_they_remember_let_a_proof_pass_once() {
    let clock = clock();
    let shared = Arc::new(oauth_core::dpop::MemoryReplayCache::new(Arc::new(clock.clone()), 1_000));
    let (key, wallet) = (Key::es256(), DpopKey::generate(Algorithm::ES256).unwrap());
    let token = key.token(json!({ "cnf": { "jkt": wallet.jkt() } }));
    let node = || {
        let dpop = Dpop::required().replay(Arc::clone(&shared));
        let server = builder(fixed(&key)).clock(clock.clone()).dpop(dpop).build().unwrap();
        Bench { server, wallet: wallet.clone(), token: token.clone(), clock: clock.clone() }
    };
    let (one, other) = (node(), node());
    let proof = one.good();
    assert_eq!(one.send(&[&proof]).await, served());
    assert_eq!(other.send(&[&proof]).await, invalid_proof());
    assert_eq!(other.send(&[&other.good()]).await, served());
}

#[tokio::test]
async fn a_refused_request_uses_no_proof_up() {
    let bench = Bench::new(Dpop::optional());
    let proof = bench.good();
    assert_eq!(bench.send_as(Method::POST, "/photos", &[&proof]).await, invalid_proof());
    assert_eq!(bench.send_as(Method::GET, "/other", &[&proof]).await, invalid_proof());
    assert_eq!(bench.send(&[&proof, &proof]).await, invalid_proof());
    assert_eq!(bench.send(&[&proof]).await, served());
}

impl Bench {
    /// Whether the token is still good, so that a refusal is the proof's.
    fn clock_is_before_exp(&self) -> bool {
        oauth_core::clock::Clock::now(&self.clock) < UnixTime(NOW + 300)
    }
}
