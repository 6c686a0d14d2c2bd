//! Content as a network brings it, and what comes of it.

use std::{
    collections::VecDeque,
    future::{Ready, ready},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tower::{Layer, limit::ConcurrencyLimitLayer};

use super::*;
use crate::resource::{FormTokenLayer, Refusal};

/// Frames, and what comes after the last.
#[derive(Debug, Default)]
pub(super) struct Content {
    frames: VecDeque<Result<Frame<Bytes>, &'static str>>,
    stalls: bool,
    says: u64,
}

impl Content {
    pub(super) fn stalled() -> Self {
        Self { stalls: true, ..Self::default() }
    }

    fn of<'a>(frames: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let data = |data| Ok(Frame::data(Bytes::copy_from_slice(data)));
        Self { frames: frames.into_iter().map(data).collect(), ..Self::default() }
    }

    pub(super) async fn read(self) -> String {
        String::from_utf8(self.collect().await.unwrap().to_bytes().into()).unwrap()
    }
}

impl<T: AsRef<[u8]>> From<T> for Content {
    fn from(whole: T) -> Self {
        Self::of([whole.as_ref()])
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        match self.frames.pop_front() {
            None if self.stalls => Poll::Pending,
            next => Poll::Ready(next),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.says)
    }
}

/// The status that content gets from a layer that is as the program wants it,
/// and whether the service was called.
async fn arrives(layer: FormTokenLayer, request: Request<Content>) -> (u16, bool) {
    let calls = Arc::new(AtomicUsize::new(0));
    let service = layer.layer(service_fn(|_: Request<Content>| {
        calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok::<_, Infallible>(Response::new(String::new())))
    }));
    let response = tokio::time::timeout(Duration::from_secs(60), service.oneshot(request)).await;
    let status = response.expect("the content is not waited for").unwrap().status().as_u16();
    (status, calls.load(Ordering::SeqCst) > 0)
}

// spec: RS-04
#[tokio::test]
async fn the_service_sees_the_same_bytes_however_they_came() {
    let key = Key::es256();
    let server = taking(&key);
    let content = format!("a=%20+b&&access_token={}&x=\r\n", key.good());
    for size in [1, 7, content.len()] {
        let mut pieces = Content::of(content.as_bytes().chunks(size));
        pieces.frames.push_front(Ok(Frame::data(Bytes::new())));
        pieces.frames.push_back(Ok(Frame::trailers(HeaderMap::new())));
        assert_eq!(post(&server, form_of(pieces)).await.into_body(), format!("ada: {content}"));
    }
    // What has no token, and what is a form for nobody but the app.
    for bytes in [&b""[..], b"a=b", b"%%%&=&", &[0xff, 0, 0xfe]] {
        let request = form(bytes);
        let layer = server.form_token_layer().layer(service_fn(|request: Request<Content>| async {
            let collected = request.into_body().collect().await.unwrap();
            Ok::<_, Infallible>(Response::new(collected.to_bytes().to_vec()))
        }));
        assert_eq!(layer.oneshot(request).await.unwrap().into_body(), bytes);
    }
}

fn form_of(content: Content) -> Request<Content> {
    form("").map(|_| content)
}

// spec: RS-04
#[tokio::test]
async fn a_form_over_the_limit_is_413_and_the_service_is_not_called() {
    let server = taking(&Key::es256());
    let layer = || server.form_token_layer().limit(10);
    assert_eq!(arrives(layer(), form("0123456789")).await, (200, true));
    assert_eq!(arrives(layer(), form("0123456789a")).await, (413, false));
    let pieces = Content::of([&b"012345"[..], b"6789", b"a"]);
    assert_eq!(arrives(layer(), form_of(pieces)).await, (413, false));
    // It says so itself, and nothing is waited for.
    let long = Content { says: 11, ..Content::stalled() };
    assert_eq!(arrives(layer(), form_of(long)).await, (413, false));
    let usual = |length| form(vec![b'a'; length]);
    assert_eq!(arrives(server.form_token_layer(), usual(FormTokenLayer::DEFAULT_LIMIT)).await, (200, true));
    assert_eq!(arrives(server.form_token_layer(), usual(FormTokenLayer::DEFAULT_LIMIT + 1)).await, (413, false));
    // Only forms are limited.
    let other = typed(Method::POST, "text/plain", "0123456789a");
    assert_eq!(arrives(layer(), other).await, (200, true));
}

#[tokio::test(start_paused = true)]
async fn a_form_that_does_not_come_is_408_and_one_that_breaks_off_is_400() {
    let server = taking(&Key::es256());
    let begun = || Content { stalls: true, ..Content::of([&b"access_token="[..]]) };
    assert_eq!(arrives(server.form_token_layer(), form_of(begun())).await, (408, false));
    let mut waiting = pin!(arrives(server.form_token_layer().timeout(Duration::from_secs(3)), form_of(begun())));
    assert!(waiting.as_mut().now_or_never().is_none());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(waiting.as_mut().now_or_never().is_none());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(waiting.now_or_never(), Some((408, false)));
    let mut broken = begun();
    broken.frames.push_back(Err("reset"));
    assert_eq!(arrives(server.form_token_layer(), form_of(broken)).await, (400, false));
}

#[tokio::test]
async fn the_app_says_what_the_client_gets_for_a_form_that_cannot_be_read() {
    let server = taking(&Key::es256());
    let render = |refusal: &Refusal| refusal.response(refusal.to_string());
    let layer = server.form_token_layer().limit(0).render_with(render);
    let response = layer.layer(service_fn(echo)).oneshot(form("a")).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(response.body(), "the content is too long");
    // It is not about credentials.
    assert!(response.headers().is_empty());
}

// spec: RS-11
#[tokio::test]
async fn a_place_under_a_limit_is_given_back_when_the_form_is_refused_or_given_up() {
    let server = taking(&Key::es256());
    let layer = server.form_token_layer().limit(10);
    let mut one = layer.layer(ConcurrencyLimitLayer::new(1).layer(service_fn(echo)));
    let mut other = one.clone();
    for (request, is_given_up) in [(form("0123456789a"), false), (form_of(Content::stalled()), true)] {
        let response = one.ready().await.unwrap().call(request);
        if is_given_up {
            drop(response);
        } else {
            assert_eq!(response.await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
        }
        let ready = other.ready().now_or_never().expect("the place is taken");
        assert_eq!(ready.unwrap().call(form("a=b")).await.unwrap().status(), StatusCode::OK);
    }
}

// spec: RS-11
#[tokio::test]
async fn the_service_that_gets_the_form_is_the_one_that_was_polled_ready() {
    let server = taking(&Key::es256());
    let mut service = server.form_token_layer().layer(Strict(false));
    for request in [form("a=b"), typed(Method::GET, FORM, "a=b"), form(vec![b'a'; 70_000]), form("a=b")] {
        service.ready().await.unwrap().call(request).await.unwrap();
    }
}

/// Panics when it is called without having been polled ready; its clones are
/// not ready.
struct Strict(bool);

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self(false)
    }
}

impl Service<Request<Content>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0 = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Content>) -> Self::Future {
        assert!(std::mem::take(&mut self.0), "called without having been polled ready");
        ready(Ok(Response::default()))
    }
}
