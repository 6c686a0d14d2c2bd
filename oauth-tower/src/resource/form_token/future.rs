//! [`FormTokenFuture`]: first the form, then the service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body;
use pin_project_lite::pin_project;
use tower::Service;

use super::{
    super::{EmptyBody, Refusal, Render},
    FormTokenLayer,
    read::{Reading, find},
};

pin_project! {
    /// The response of the service, or a refusal.
    pub struct FormTokenFuture<S, B, R = EmptyBody>
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
        Reading { reading: Reading, #[pin] body: B, waiting: Option<Waiting<S, R>> },
        Serving { #[pin] response: S::Future },
        Refused { refusal: Refusal, render: Arc<R> },
    }
}

/// Who waits for a form.
struct Waiting<S, R> {
    parts: Parts,
    /// Was polled ready.
    service: S,
    layer: Arc<FormTokenLayer<R>>,
}

impl<S: Service<Request<B>>, B, R> FormTokenFuture<S, B, R> {
    pub(super) const fn serving(response: S::Future) -> Self {
        Self { state: State::Serving { response } }
    }

    pub(super) const fn refused(refusal: Refusal, render: Arc<R>) -> Self {
        Self { state: State::Refused { refusal, render } }
    }

    pub(super) fn reading(reading: Reading, request: Request<B>, service: S, layer: Arc<FormTokenLayer<R>>) -> Self {
        let (parts, body) = request.into_parts();
        Self { state: State::Reading { reading, body, waiting: Some(Waiting { parts, service, layer }) } }
    }
}

impl<S, B, ResBody, R> Future for FormTokenFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    B: Body + From<Bytes>,
    R: Render<ResBody>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Serving { response } => return response.poll(cx),
                StateProjection::Refused { refusal, render } => return Poll::Ready(Ok(render.render(refusal))),
                StateProjection::Reading { reading, body, waiting } => {
                    let read = ready!(reading.poll(body, cx));
                    // Taken once: the state changes right after.
                    let Some(waiting) = waiting.take() else { return Poll::Pending };
                    match read {
                        Ok(form) => State::Serving { response: waiting.serve(form) },
                        Err(reason) => State::Refused {
                            refusal: waiting.layer.refuse(reason),
                            render: Arc::clone(&waiting.layer.render),
                        },
                    }
                }
            };
            state.set(next);
        }
    }
}

impl<S, R> Waiting<S, R> {
    fn serve<B: From<Bytes>>(mut self, form: Bytes) -> S::Future
    where
        S: Service<Request<B>>,
    {
        if let Some(found) = find(&form) {
            self.parts.extensions.insert(found);
        }
        self.service.call(Request::from_parts(self.parts, form.into()))
    }
}

impl<S: Service<Request<B>>, B, R> fmt::Debug for FormTokenFuture<S, B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormTokenFuture(..)")
    }
}
