//! What a mock issuer was asked.

use std::fmt;

use bytes::Bytes;
use http::Request;

use super::{Endpoint, MockIssuer};

/// A request that came in. `Debug` shows neither headers nor body, which may
/// have credentials in them.
#[derive(Clone)]
pub struct ReceivedRequest {
    endpoint: Endpoint,
    request: Request<Bytes>,
}

impl ReceivedRequest {
    pub(super) const fn new(endpoint: Endpoint, request: Request<Bytes>) -> Self {
        Self { endpoint, request }
    }

    /// What it was for.
    #[must_use]
    pub const fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The request itself.
    #[must_use]
    pub const fn request(&self) -> &Request<Bytes> {
        &self.request
    }

    /// A parameter of its form body, if it has that one.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.request.body());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

impl MockIssuer {
    /// What was asked so far, the oldest first, answered or not.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.state().requests.clone()
    }

    /// How often `endpoint` was asked so far.
    #[must_use]
    pub fn calls(&self, endpoint: Endpoint) -> usize {
        self.state().requests.iter().filter(|request| request.endpoint() == endpoint).count()
    }

    /// Forgets what was asked so far.
    pub fn forget_requests(&self) {
        self.state().requests.clear();
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("endpoint", &self.endpoint)
            .field("method", self.request.method())
            .field("uri", self.request.uri())
            .finish_non_exhaustive()
    }
}
