//! What goes on between the resource server and an issuer.

use http::StatusCode;

#[cfg(feature = "metrics")]
use super::times::Times;
use crate::outgoing::HttpError;

/// What is fetched or asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resource) enum What {
    Keys,
    Metadata,
    Introspection,
    StatusList,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resource) enum Outcome {
    Ok,
    /// An answer of another status than 200.
    Status,
    /// No whole answer came in time.
    Timeout,
    /// No connection, or one that broke.
    Unreachable,
    /// An answer that makes no sense.
    Unusable,
    /// Nobody waited for the answer any more, or several requests took too long
    /// together.
    Abandoned,
}

impl What {
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Metadata => "metadata",
            Self::Introspection => "introspection",
            Self::StatusList => "status_list",
        }
    }
}

impl Outcome {
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Status => "status",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Unusable => "unusable",
            Self::Abandoned => "abandoned",
        }
    }

    pub(in crate::resource) const fn of_error(error: &HttpError) -> Self {
        match error {
            HttpError::Timeout => Self::Timeout,
            HttpError::TooLarge => Self::Unusable,
            HttpError::Setup(_) | HttpError::Transport(_) => Self::Unreachable,
        }
    }

    /// Of an answer that is of use, or of none.
    pub(in crate::resource) fn of_answer(status: StatusCode, usable: bool) -> Self {
        match (status, usable) {
            (StatusCode::OK, true) => Self::Ok,
            (StatusCode::OK, false) => Self::Unusable,
            _ => Self::Status,
        }
    }
}

/// Watches one kind of call to one issuer.
#[derive(Clone, Debug)]
pub(in crate::resource) struct Upstream {
    #[cfg(feature = "tracing")]
    issuer: std::sync::Arc<str>,
    #[cfg(feature = "tracing")]
    what: What,
    #[cfg(feature = "metrics")]
    times: Times,
}

impl Upstream {
    pub(in crate::resource) fn new(issuer: &str, what: What) -> Self {
        let _ = (issuer, what);
        Self {
            #[cfg(feature = "tracing")]
            issuer: issuer.into(),
            #[cfg(feature = "tracing")]
            what,
            #[cfg(feature = "metrics")]
            times: Times::new(issuer, what),
        }
    }

    /// Drives `call` in a span, and notes how it ended and how long it took:
    /// once, also if it is dropped before its end.
    pub(in crate::resource) async fn watch<T>(
        &self,
        call: impl Future<Output = T>,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> T {
        let (ended, watch) = self.drive(call).await;
        watch.end(outcome(&ended));
        ended
    }

    /// Likewise, where it takes another look to say how it ended.
    pub(in crate::resource) async fn drive<T>(&self, call: impl Future<Output = T>) -> (T, Watch<'_>) {
        let mut watch = Watch::begin(self);
        #[cfg(feature = "tracing")]
        let call = tracing::Instrument::instrument(call, watch.span.clone());
        let ended = call.await;
        watch.stop();
        (ended, watch)
    }
}

/// One call, until it is known what became of it.
pub(in crate::resource) struct Watch<'a> {
    outcome: Outcome,
    #[cfg(feature = "metrics")]
    times: &'a Times,
    #[cfg(feature = "metrics")]
    began: tokio::time::Instant,
    #[cfg(feature = "metrics")]
    took: Option<std::time::Duration>,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
    upstream: std::marker::PhantomData<&'a Upstream>,
}

impl<'a> Watch<'a> {
    fn begin(upstream: &'a Upstream) -> Self {
        let _ = upstream;
        Self {
            outcome: Outcome::Abandoned,
            #[cfg(feature = "metrics")]
            times: &upstream.times,
            #[cfg(feature = "metrics")]
            began: tokio::time::Instant::now(),
            #[cfg(feature = "metrics")]
            took: None,
            #[cfg(feature = "tracing")]
            span: tracing::debug_span!(
                "upstream",
                issuer = &*upstream.issuer,
                what = upstream.what.as_str(),
                outcome = tracing::field::Empty
            ),
            upstream: std::marker::PhantomData,
        }
    }

    /// What is done with the answer takes no time of the call's.
    #[cfg_attr(not(feature = "metrics"), expect(clippy::unused_self, clippy::needless_pass_by_ref_mut))]
    fn stop(&mut self) {
        #[cfg(feature = "metrics")]
        {
            self.took = Some(self.began.elapsed());
        }
    }

    /// How it ended.
    pub(in crate::resource) fn end(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        self.times.record(self.outcome, self.took.unwrap_or_else(|| self.began.elapsed()));
        #[cfg(feature = "tracing")]
        self.span.record("outcome", self.outcome.as_str());
        let _ = self.outcome;
    }
}
