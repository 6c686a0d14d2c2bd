//! Nonces: demanded, handed out, the same on every node, and short-lived.

use oauth_core::{
    dpop::{DpopNonces, NonceCheck},
    secret::RootSecret,
};

use super::*;

fn nonces() -> DpopNonces {
    DpopNonces::from_bytes([7; 32])
}

fn bench() -> Bench {
    Bench::new(Dpop::optional().nonces(nonces()))
}

impl Bench {
    fn now(&self) -> UnixTime {
        oauth_core::clock::Clock::now(&self.clock)
    }

    fn request(&self, nonce: Value) -> Request<String> {
        let proof = self.claiming(json!({ "nonce": nonce }));
        let request = Request::get("/photos").header(AUTHORIZATION, format!("DPoP {}", self.token));
        request.header("dpop", proof).body(String::new()).unwrap()
    }

    /// The status, and the nonce that came along.
    async fn with_nonce(&self, nonce: Value) -> (u16, Option<String>) {
        let (response, served) = send(&self.server.layer(), self.request(nonce)).await;
        assert_eq!(served, response.status() == StatusCode::OK);
        let values: Vec<_> = response.headers().get_all("dpop-nonce").iter().collect();
        assert!(values.len() < 2);
        (response.status().as_u16(), values.first().map(|value| value.to_str().unwrap().to_owned()))
    }
}

// spec: RS-31
#[tokio::test]
async fn a_proof_without_a_nonce_of_this_server_gets_one_to_try_again_with() {
    let bench = bench();
    let foreign = DpopNonces::from_bytes([8; 32]).issue(UnixTime(NOW));
    let good = nonces().issue(UnixTime(NOW));
    let stale = nonces().issue(UnixTime(NOW - 2 * DpopNonces::DEFAULT_STEP));
    let ahead = nonces().issue(UnixTime(NOW + 2 * DpopNonces::DEFAULT_STEP));
    let padded = format!("{good}=");
    for nonce in [None, Some(&*foreign), Some(&stale), Some(&ahead), Some("x"), Some(&padded), Some(&good[1..])] {
        let outcome = bench.outcome(bench.request(json!(nonce))).await;
        assert_eq!(outcome, refused("use_dpop_nonce"), "{nonce:?}");
        let (status, fresh) = bench.with_nonce(json!(nonce)).await;
        assert_eq!((status, fresh.as_deref()), (401, Some(&*good)), "{nonce:?}");
        assert_eq!(bench.with_nonce(json!(fresh)).await, (200, None));
    }
}

// spec: RS-31
#[tokio::test]
async fn a_nonce_of_the_wrong_type_is_a_bad_proof_and_a_bad_proof_is_told_so_before_its_nonce_is_looked_at() {
    let bench = bench();
    for nonce in [json!(7), json!([]), json!(""), json!("x".repeat(2_000))] {
        assert_eq!(bench.outcome(bench.request(nonce.clone())).await, invalid_proof(), "{nonce}");
    }
    let wrong = bench.claiming(json!({ "htm": "PUT" }));
    assert_eq!(bench.send(&[&wrong]).await, invalid_proof());
    assert_eq!(bench.send(&[]).await, invalid_proof());
}

// spec: RS-31
#[tokio::test]
async fn a_node_takes_the_nonces_of_every_node_with_the_same_root_and_of_the_root_before() {
    let (old, new) = (RootSecret::new([1; 32]), RootSecret::new([2; 32]));
    let both = RootSecret::new([2; 32]).with_previous([1; 32]);
    let bench = Bench::new(Dpop::required().nonces(DpopNonces::new(&both)));
    assert_eq!(bench.with_nonce(json!(DpopNonces::new(&new).issue(UnixTime(NOW)))).await, (200, None));
    // Good still, and here is one of the new root.
    let (status, fresh) = bench.with_nonce(json!(DpopNonces::new(&old).issue(UnixTime(NOW)))).await;
    assert_eq!(status, 200);
    assert_eq!(DpopNonces::new(&new).check(&fresh.unwrap(), UnixTime(NOW)), NonceCheck::Current);
    let strange = DpopNonces::new(&RootSecret::new([3; 32])).issue(UnixTime(NOW));
    assert_eq!(bench.with_nonce(json!(strange)).await.0, 401);
}

// spec: RS-31
#[tokio::test]
async fn a_nonce_lives_for_one_to_two_steps_and_its_successor_comes_along_in_time() {
    let bench = bench();
    let nonce = nonces().issue(bench.now());
    let step = DpopNonces::DEFAULT_STEP;
    let rest = step - NOW % step;
    assert_eq!(bench.with_nonce(json!(nonce)).await, (200, None));
    bench.clock.advance(rest - 1);
    assert_eq!(bench.with_nonce(json!(nonce)).await, (200, None));
    bench.clock.advance(1);
    let (status, fresh) = bench.with_nonce(json!(nonce)).await;
    assert_eq!((status, fresh), (200, Some(nonces().issue(bench.now()))));
    bench.clock.advance(step - 1);
    assert_eq!(bench.with_nonce(json!(nonce)).await.0, 200);
    bench.clock.advance(1);
    let (status, fresh) = bench.with_nonce(json!(nonce)).await;
    assert_eq!((status, fresh), (401, Some(nonces().issue(bench.now()))));
}

#[tokio::test]
async fn where_no_nonce_is_demanded_none_is_looked_at_or_given() {
    let bench = Bench::new(Dpop::optional());
    for nonce in [json!(null), json!("anything")] {
        assert_eq!(bench.with_nonce(nonce).await, (200, None));
    }
}
