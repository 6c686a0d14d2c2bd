//! The tower contract of what stands further inside, or beside the layer.

use std::{
    future::{Future, Ready, ready},
    marker::PhantomPinned,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::FutureExt;
use http_body_util::BodyExt;
use tower::{Layer, limit::ConcurrencyLimitLayer};

use super::*;
use crate::resource::{MetadataService, Require};

/// Ready after it was polled twice, and only once for each time.
#[derive(Default)]
struct Slow {
    polls: usize,
}

impl Clone for Slow {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request<String>> for Slow {
    type Response = Response<String>;
    type Error = &'static str;
    type Future = Ready<Result<Response<String>, &'static str>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.polls += 1;
        if self.polls > 1 {
            return Poll::Ready(Ok(()));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        assert!(std::mem::take(&mut self.polls) > 1, "called without being ready");
        ready(Ok(Response::default()))
    }
}

// spec: RS-11
#[tokio::test]
async fn backpressure_comes_through_both_layers_and_clones_start_anew() {
    let key = Key::es256();
    let mut service = server(&key).layer().layer(Require::scope("read").layer(Slow::default()));
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert!(service.poll_ready(&mut cx).is_pending());
    let mut clone = service.clone();
    assert!(service.poll_ready(&mut cx).is_ready());
    assert!(clone.poll_ready(&mut cx).is_pending(), "readiness is not cloned");
    // A good token, one without the scope, one that is none: each gives the
    // readiness back or uses it, and never another's.
    for token in [key.good(), key.token(json!({ "scope": "other" })), "junk".into(), key.good()] {
        service.ready().await.unwrap().call(request(&token)).await.unwrap();
        clone.ready().await.unwrap().call(request(&token)).await.unwrap();
    }
}

#[tokio::test]
async fn an_error_of_readiness_is_passed_on_by_both_layers() {
    #[derive(Clone)]
    struct Broken;
    impl Service<Request<String>> for Broken {
        type Response = Response<String>;
        type Error = &'static str;
        type Future = Ready<Result<Response<String>, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            Poll::Ready(Err("closed"))
        }

        fn call(&mut self, _: Request<String>) -> Self::Future {
            unreachable!("never ready")
        }
    }
    let key = Key::es256();
    let mut service = server(&key).layer().layer(Require::scope("read").layer(Broken));
    assert_eq!(service.ready().await.err(), Some("closed"));
}

// spec: RS-11
#[tokio::test]
async fn a_place_is_given_back_by_whoever_was_refused_after_waiting_for_the_verdict() {
    let (key, upstream) = (Key::es256(), Upstream::new());
    upstream.json("https://as.example/jwks", &key.document()).close();
    let issuer = Issuer::jwt(ISSUER).jwks_uri("https://as.example/jwks");
    let server = builder(issuer).http(upstream.client()).build().unwrap();
    let limited = ConcurrencyLimitLayer::new(1).layer(service(&Arc::default()));
    let mut one = server.layer().layer(limited);
    let mut other = one.clone();
    let refused = one.ready().await.unwrap().call(request(&Key::es256().good()));
    futures_util::pin_mut!(refused);
    assert!(refused.as_mut().now_or_never().is_none());
    assert!(other.ready().now_or_never().is_none(), "the verdict may be that it passes");
    upstream.open();
    assert_eq!(refused.await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let ready = other.ready().now_or_never().expect("the place is taken");
    assert_eq!(ready.unwrap().call(request(&key.good())).await.unwrap().status(), StatusCode::OK);
    drop(one);
}

/// A future that is neither `Sync` nor `Unpin`.
struct Stubborn {
    polls: std::cell::Cell<usize>,
    _pinned: PhantomPinned,
}

impl Future for Stubborn {
    type Output = Result<Response<String>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.polls.set(self.polls.get() + 1);
        if self.polls.get() < 3 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn a_future_need_be_neither_sync_nor_unpin_and_is_send_if_the_services_is() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let key = Key::es256();
    let stubborn = service_fn(|_: Request<String>| Stubborn { polls: 0.into(), _pinned: PhantomPinned });
    let service = server(&key).layer().layer(Require::scope("read").layer(stubborn));
    for token in [key.good(), key.good(), "junk".into()] {
        let answer = is_send(service.clone().oneshot(request(&token)));
        tokio::spawn(answer).await.unwrap().unwrap();
    }
}

// spec: MET-12
#[tokio::test]
async fn the_metadata_service_is_always_ready_and_asks_nothing_of_a_body() {
    struct NoBody;
    let server = server(&Key::es256());
    let mut service = MetadataService::new(&server);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    for _ in 0..3 {
        let ready = Service::<Request<NoBody>>::poll_ready(&mut service, &mut cx);
        assert!(ready.is_ready());
        // Like every service, also when its clone is called.
        for service in [&mut service.clone(), &mut service] {
            let response = service.call(Request::new(NoBody)).now_or_never().unwrap().unwrap();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let document: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(document["resource"], RESOURCE);
        }
    }
}
