//! [`ResponseFuture`]: nothing boxed unless somebody has to be asked.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::{FutureExt, future::BoxFuture};
use http::{HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower::Service;

use super::{
    EmptyBody, Refusal, RefusalKind, Render, ResourceLayer, fetched::Refresh, refusal::DPOP_NONCE, sender::Proof,
    validate::Judged,
};

pin_project! {
    /// The response of the service, or a refusal.
    pub struct ResponseFuture<S, B, R = EmptyBody>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, R>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, R>
    where
        S: Service<Request<B>>,
    {
        Judging { verdict: BoxFuture<'static, Result<Judged, RefusalKind>>, waiting: Option<Waiting<S, B, R>> },
        Serving { #[pin] response: S::Future, refresh: Option<Refresh>, nonce: Option<Box<HeaderValue>> },
        Refused { refusal: Refusal, render: Arc<R> },
    }
}

/// Who waits for a verdict.
struct Waiting<S, B, R> {
    request: Request<B>,
    /// Was polled ready.
    service: S,
    layer: Arc<ResourceLayer<R>>,
}

impl<S: Service<Request<B>>, B, R> ResponseFuture<S, B, R> {
    pub(super) const fn serving(response: S::Future, refresh: Option<Refresh>) -> Self {
        Self { state: State::Serving { response, refresh, nonce: None } }
    }

    pub(super) const fn refused(refusal: Refusal, render: Arc<R>) -> Self {
        Self { state: State::Refused { refusal, render } }
    }

    pub(super) const fn judging(
        verdict: BoxFuture<'static, Result<Judged, RefusalKind>>,
        request: Request<B>,
        service: S,
        layer: Arc<ResourceLayer<R>>,
    ) -> Self {
        Self { state: State::Judging { verdict, waiting: Some(Waiting { request, service, layer }) } }
    }
}

impl<S, B, ResBody, R> Future for ResponseFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    R: Render<ResBody>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Serving { response, refresh, nonce } => {
                    drive(refresh, cx);
                    let mut polled = response.poll(cx);
                    if let (Some(nonce), Poll::Ready(Ok(response))) = (nonce, &mut polled) {
                        response.headers_mut().insert(DPOP_NONCE, HeaderValue::clone(nonce));
                    }
                    return polled;
                }
                StateProjection::Refused { refusal, render } => return Poll::Ready(Ok(render.render(refusal))),
                StateProjection::Judging { verdict, waiting } => {
                    let verdict = ready!(verdict.poll_unpin(cx));
                    // Taken once: the state changes right after.
                    let Some(waiting) = waiting.take() else { return Poll::Pending };
                    waiting.judged(verdict)
                }
            };
            state.set(next);
        }
    }
}

impl<S: Service<Request<B>>, B, R> Waiting<S, B, R> {
    fn judged(mut self, verdict: Result<Judged, RefusalKind>) -> State<S, B, R> {
        let (found, proof, nonce) = match verdict {
            Ok(Judged { token, proof, fresh_nonce }) => (Ok(Some(token)), proof, fresh_nonce),
            Err(kind) => (Err(kind), Proof::None, None),
        };
        match self.layer.admit(found, proof, &mut self.request) {
            Ok(()) => State::Serving { response: self.service.call(self.request), refresh: None, nonce },
            Err(refusal) => State::Refused { refusal, render: Arc::clone(self.layer.render()) },
        }
    }
}

/// Pushes a fetch of keys on while the response is waited for, and never waits
/// for it.
fn drive(refresh: &mut Option<Refresh>, cx: &mut Context<'_>) {
    if refresh.as_mut().is_some_and(|refresh| refresh.poll_unpin(cx).is_ready()) {
        *refresh = None;
    }
}

impl<S: Service<Request<B>>, B, R> fmt::Debug for ResponseFuture<S, B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture(..)")
    }
}
