//! The tower contract: readiness, bodies, errors, futures.

use std::{
    cell::Cell,
    future::{Ready, ready},
    task::{Context, Poll},
};

use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use serde_json::json;
use tower::{Layer, Service, ServiceExt, limit::ConcurrencyLimitLayer};

use super::*;
use crate::resource::{Refusal, Require};

/// Panics when it is called without having been polled ready; its clones are
/// not ready.
struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false }
    }
}

impl Service<Request<String>> for Strict {
    type Response = Response<String>;
    type Error = &'static str;
    type Future = Ready<Result<Response<String>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        assert!(self.ready, "called without having been polled ready");
        self.ready = false;
        ready(Ok(Response::default()))
    }
}

// spec: RS-11
#[tokio::test]
async fn the_service_that_is_called_is_the_one_that_was_polled_ready() {
    let key = Key::es256();
    let upstream = Upstream::new();
    upstream.json("https://as.example/jwks", &key.document());
    let issuer = Issuer::jwt(ISSUER).jwks_uri("https://as.example/jwks");
    let server = builder(issuer).http(upstream.client()).build().unwrap();
    let mut service = server.layer().layer(Require::scope("read").layer(Strict { ready: false }));
    // Keys have to be fetched, a miss, a hit, a refusal, and a hit again.
    for token in [key.good(), key.token(json!({ "jti": "2" })), key.good(), "junk".into(), key.good()] {
        service.ready().await.unwrap().call(request(&token)).await.unwrap();
    }
    assert_eq!(upstream.calls(), 1);
}

// spec: RS-11
#[tokio::test]
async fn a_refused_request_gives_its_place_under_a_limit_back() {
    let key = Key::es256();
    let limited = || ConcurrencyLimitLayer::new(1).layer(service(&Arc::default()));
    let layer = server(&key).layer();
    let weak = key.token(json!({ "scope": "nothing" }));
    // `one` lives on, and would sit on the only place.
    let one = layer.clone().require_scope("read").layer(limited());
    gives_its_place_back(one, &weak, &key.good()).await;
    let one = layer.layer(Require::scope("read").layer(limited()));
    gives_its_place_back(one, &weak, &key.good()).await;
}

async fn gives_its_place_back<S>(mut one: S, weak: &str, good: &str)
where
    S: Service<Request<String>, Response = Response<String>, Error = Infallible> + Clone,
{
    let mut other = one.clone();
    let refused = one.ready().await.unwrap().call(request(weak)).await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let ready = other.ready().now_or_never().expect("the place is taken");
    assert_eq!(ready.unwrap().call(request(good)).await.unwrap().status(), StatusCode::OK);
    drop(one);
}

#[tokio::test]
async fn a_service_that_is_not_ready_is_waited_for() {
    struct Never;
    impl Service<Request<String>> for Never {
        type Response = Response<String>;
        type Error = Infallible;
        type Future = Ready<Result<Response<String>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Pending
        }

        fn call(&mut self, _: Request<String>) -> Self::Future {
            unreachable!()
        }
    }
    impl Clone for Never {
        fn clone(&self) -> Self {
            Self
        }
    }
    let mut service = server(&Key::es256()).layer().layer(Never);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert!(service.poll_ready(&mut cx).is_pending());
}

/// A body that cannot be shared, made by nothing but a renderer.
struct Unshared(Cell<u8>);

#[tokio::test]
async fn bodies_need_neither_default_nor_sync() {
    let key = Key::es256();
    let echo = service_fn(|request: Request<Unshared>| async move {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let render = |refusal: &Refusal| refusal.response(Unshared(Cell::new(42)));
    let service = server(&key).layer().render_with(render).layer(echo);
    let request = |token: &str| request(token).map(|_| Unshared(Cell::new(7)));
    // Sent to another thread: the future is `Send` though the body is not `Sync`.
    let served = tokio::spawn(service.clone().oneshot(request(&key.good()))).await.unwrap().unwrap();
    assert_eq!(served.into_body().0.get(), 7);
    let refused = tokio::spawn(service.oneshot(request("junk"))).await.unwrap().unwrap();
    assert_eq!(refused.into_body().0.get(), 42);
}

#[tokio::test]
async fn the_error_stays_that_of_the_service() {
    let key = Key::es256();
    let failing = service_fn(|_: Request<String>| ready(Err::<Response<String>, _>("broken")));
    let outcome = server(&key).layer().layer(failing).oneshot(request(&key.good())).await;
    assert_eq!(outcome.unwrap_err(), "broken");
}

#[tokio::test]
async fn a_future_that_was_dropped_early_leaves_the_service_usable() {
    let key = Key::es256();
    let calls = Arc::new(AtomicUsize::new(0));
    let mut service = server(&key).layer().layer(service(&calls));
    drop(service.ready().await.unwrap().call(request(&key.good())));
    let response = service.ready().await.unwrap().call(request(&key.good())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[test]
fn a_token_whose_keys_are_at_hand_needs_no_runtime_and_no_second_poll() {
    let key = Key::es256();
    let calls = Arc::new(AtomicUsize::new(0));
    let mut service = server(&key).layer().layer(service(&calls));
    let token = key.good();
    for _ in 0..2 {
        assert!(service.call(request(&token)).now_or_never().is_some());
    }
}
