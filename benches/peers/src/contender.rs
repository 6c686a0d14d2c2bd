//! A service, bare and protected, asked in turns.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    marker::PhantomData,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use futures_util::FutureExt;
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use rustix::time::{ClockId, clock_gettime};
use tower::Service;

/// The bare service: it does nothing. `B` is the body that a peer insists on.
pub struct Bare<B = Body>(PhantomData<fn() -> B>);

impl<B> Bare<B> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<B> Clone for Bare<B> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<B: Default> Service<Request<Body>> for Bare<B> {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        black_box(request);
        ready(Ok(Response::new(B::default())))
    }
}

/// One row of the table.
pub struct Contender {
    pub name: &'static str,
    /// Whether every request must bring a token that was not seen before.
    pub fresh: bool,
    bare: Box<dyn FnMut(&HeaderValue)>,
    protected: Box<dyn FnMut(&HeaderValue)>,
    times: [Vec<f64>; 2],
}

impl Contender {
    /// `protected` is a [`Bare`] of the same body behind the peer's layer.
    pub fn new<S, B>(name: &'static str, fresh: bool, mut protected: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + 'static,
        B: Default + 'static,
    {
        let mut bare = Bare::<B>::new();
        Self {
            name,
            fresh,
            bare: Box::new(move |header| exchange(&mut bare, header)),
            protected: Box::new(move |header| exchange(&mut protected, header)),
            times: Default::default(),
        }
    }

    /// One request, to see that it works and to warm up.
    pub fn warm(&mut self, header: &HeaderValue) {
        (self.protected)(header);
    }

    /// One round of both, of so many calls.
    pub fn round(&mut self, calls: usize, headers: &[HeaderValue]) {
        for (side, times) in [&mut self.bare, &mut self.protected].into_iter().zip(&mut self.times) {
            times.push(per_call(calls, |call| side(&headers[call % headers.len()])));
        }
    }

    /// Nanoseconds for one request, bare and protected.
    pub fn nanoseconds(&mut self) -> [f64; 2] {
        let [bare, protected] = &mut self.times;
        [lower_quartile(bare), lower_quartile(protected)]
    }
}

/// Nanoseconds of the processor for one of `calls` calls.
pub fn per_call(calls: usize, mut one: impl FnMut(usize)) -> f64 {
    let before = thread_time();
    for call in 0..calls {
        one(call);
    }
    (thread_time() - before).as_nanos() as f64 / calls as f64
}

/// The processor's time that this thread has used: what else the machine does is
/// then in nobody's figure.
pub fn thread_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("a time")
}

/// What a quarter of the rounds stay below: whatever else the machine does only
/// ever adds.
pub fn lower_quartile(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 4]
}

fn exchange<S, B>(service: &mut S, header: &HeaderValue)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    let mut request = Request::new(Body::empty());
    request.headers_mut().insert(AUTHORIZATION, header.clone());
    // Nothing here waits for anybody: keys are at hand.
    let Some(Ok(response)) = service.call(request).now_or_never() else { panic!("not at once") };
    assert!(response.status().is_success(), "{}", response.status());
    black_box(response);
}
