//! An introspection endpoint that answers, and not to the question.

use super::{
    introspection::{ENDPOINT, active, issuer},
    *,
};
use crate::resource::{IssuerState, SignedAnswers};

struct Asked {
    server: ResourceServer,
    upstream: Upstream,
    clock: ManualClock,
}

impl Asked {
    fn new(issuer: impl Into<Issuer>) -> Self {
        let (upstream, clock) = (Upstream::new(), clock());
        let server = builder(issuer).http(upstream.client()).clock(clock.clone()).build().unwrap();
        Self { server, upstream, clock }
    }

    /// A token that nobody has seen.
    async fn ask(&self) -> u16 {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        present(&self.server, &format!("t{}", NEXT.fetch_add(1, Ordering::SeqCst))).await.0.as_u16()
    }

    async fn ask_so_often(&self, times: usize) -> u16 {
        for _ in 1..times {
            self.ask().await;
        }
        self.ask().await
    }

    fn state(&self) -> (IssuerState, Option<u64>) {
        let health = self.server.health().issuers.remove(0);
        (health.state, health.last_failure.map(|at| at.0 - NOW))
    }

    fn says(&self, status: u16, body: &str) {
        self.upstream.answer(ENDPOINT, status, &[], body);
    }
}

/// What no token should cause.
const OF_NO_USE: [(u16, &str); 8] = [
    (500, ""),
    (503, "busy"),
    (401, r#"{"error":"invalid_client"}"#),
    (403, ""),
    (404, ""),
    (302, ""),
    (200, "<html>"),
    (200, "[]"),
];

// spec: INT-14
#[tokio::test]
async fn an_endpoint_that_answers_to_no_use_shows_until_an_answer_is_of_use() {
    for (status, body) in OF_NO_USE {
        let asked = Asked::new(issuer());
        asked.says(status, body);
        assert_eq!(asked.state(), (IssuerState::Ready, None));
        assert_eq!(asked.ask().await, 503);
        assert_eq!(asked.state(), (IssuerState::Ready, Some(0)), "one is known, and decides nothing: {status}");
        asked.clock.advance(100);
        assert_eq!(asked.ask_so_often(4).await, 503);
        assert_eq!(asked.state(), (IssuerState::Failing, Some(100)), "{status} {body}");
        assert!(!asked.server.health().is_ready());
        let calls = asked.upstream.calls();
        assert_eq!(asked.ask_so_often(20).await, 503);
        assert_eq!(asked.upstream.calls(), calls + 20, "it is asked all the same");
        asked.says(200, r#"{"active":false}"#);
        assert_eq!(asked.ask().await, 401);
        assert_eq!(asked.state(), (IssuerState::Ready, Some(100)));
        asked.says(status, body);
        asked.ask_so_often(4).await;
        assert_eq!(asked.state().0, IssuerState::Ready, "it is counted from nought");
    }
}

#[tokio::test]
async fn whoever_gets_no_requests_while_failing_is_ready_again_in_time() {
    let asked = Asked::new(issuer());
    asked.says(401, "");
    asked.ask_so_often(5).await;
    asked.clock.advance(29);
    assert_eq!(asked.state(), (IssuerState::Failing, Some(0)));
    asked.clock.advance(1);
    assert_eq!(asked.state(), (IssuerState::Ready, Some(0)));
    asked.ask().await;
    assert_eq!(asked.state(), (IssuerState::Failing, Some(30)), "nothing has been of use since");
}

#[tokio::test]
async fn no_token_that_a_stranger_sends_makes_an_issuer_fail() {
    let asked = Asked::new(issuer());
    for (status, body, wanted, known) in [
        (200, r#"{"active":false}"#, 401, None),
        (200, "{}", 401, None),
        (400, r#"{"error":"unsupported_token_type"}"#, 401, None),
        (400, r#"{"error":"invalid_request"}"#, 503, Some(0)),
        (413, "", 503, Some(0)),
        (422, "", 503, Some(0)),
        (429, "", 503, Some(0)),
    ] {
        asked.says(status, body);
        assert_eq!(asked.ask_so_often(50).await, wanted);
        assert_eq!(asked.state(), (IssuerState::Ready, known), "{status} {body}");
    }
    // Nor do they make it well.
    asked.says(401, "");
    asked.ask_so_often(5).await;
    asked.says(429, "");
    asked.ask().await;
    assert_eq!(asked.state().0, IssuerState::Failing);
    asked.says(400, r#"{"error":"unsupported_token_type"}"#);
    asked.ask().await;
    assert_eq!(asked.state().0, IssuerState::Ready);
}

#[tokio::test]
async fn an_answer_without_its_signature_or_of_any_length_is_of_no_use() {
    let key = Key::es256();
    let signed = Asked::new(issuer().signed(SignedAnswers::keys(key.set())));
    signed.says(200, &active().to_string());
    assert_eq!(signed.ask_so_often(5).await, 503);
    assert_eq!(signed.state(), (IssuerState::Failing, Some(0)));
    let endless = Asked::new(issuer());
    endless.says(200, &format!(r#"{{"active":true,"more":"{}"}}"#, "x".repeat(2 << 20)));
    assert_eq!(endless.ask_so_often(5).await, 503);
    assert_eq!(endless.state(), (IssuerState::Failing, Some(0)));
}

#[cfg(feature = "metrics")]
#[tokio::test(start_paused = true)]
async fn the_time_of_a_question_is_recorded_by_what_the_answer_was_worth() {
    let unsigned = active().to_string();
    for (signed, status, body, outcome) in [
        (false, 200, &*unsigned, "ok"),
        (false, 200, r#"{"active":false}"#, "ok"),
        (false, 200, "<html>", "unusable"),
        (false, 200, "[]", "unusable"),
        (true, 200, &*unsigned, "unusable"),
        (false, 500, "", "status"),
        (false, 401, "", "status"),
        (false, 400, r#"{"error":"unsupported_token_type"}"#, "status"),
    ] {
        let (meter, upstream, key) = (meter::Meter::default(), Upstream::new(), Key::es256());
        upstream.answer(ENDPOINT, status, &[], body);
        let issuer = if signed { issuer().signed(SignedAnswers::keys(key.set())) } else { issuer() };
        let server = meter.build(builder(issuer).http(upstream.client()));
        present(&server, "t").await;
        let [(series, recorded)] = &*meter.times() else { panic!("once") };
        assert!(series.ends_with(&format!("what=introspection,outcome={outcome}}}")), "{series} {body}");
        assert_eq!(*recorded, [0.0]);
    }
}
