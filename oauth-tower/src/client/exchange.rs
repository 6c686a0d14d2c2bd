//! One request to the server: authenticated, proven, and once more if a nonce
//! was wanted.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header::RETRY_AFTER};
use oauth_core::clock::Clock;

use super::{
    dpop::DpopProver,
    error::{TokenError, WireError},
};
use crate::outgoing::{ClientAuth, Endpoint, HttpClient};

#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) http: HttpClient,
    pub(super) auth: ClientAuth,
    pub(super) dpop: Option<DpopProver>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Exchange {
    /// Posts a form. If the server wants a nonce in the proof (RFC 9449 section
    /// 8), that is sent along, once.
    pub(super) async fn post(
        &self,
        endpoint: &Endpoint,
        fields: &[(&str, &str)],
    ) -> Result<Response<Bytes>, TokenError> {
        let response = self.http.send(self.request(endpoint, fields)?).await?;
        let Some(prover) = &self.dpop else { return Ok(response) };
        let learned = prover.learn(endpoint.uri(), response.headers());
        if !(learned && wants_nonce(&response)) {
            return Ok(response);
        }
        // Made anew: proofs and assertions are good for one use.
        let response = self.http.send(self.request(endpoint, fields)?).await?;
        prover.learn(endpoint.uri(), response.headers());
        Ok(response)
    }

    /// As [`Exchange::post`], and what is not a 200 is an error.
    pub(super) async fn post_for(
        &self,
        endpoint: &Endpoint,
        fields: &[(&str, &str)],
        good: &[StatusCode],
    ) -> Result<Bytes, TokenError> {
        let response = self.post(endpoint, fields).await?;
        if good.contains(&response.status()) { Ok(response.into_body()) } else { Err(failure(&response)) }
    }

    /// `client_id` for a form in which the authentication would not put it.
    pub(super) fn named(&self) -> Option<(&str, &str)> {
        match &self.auth {
            ClientAuth::Basic { id, .. } => Some(("client_id", id)),
            _ => None,
        }
    }

    fn request(&self, endpoint: &Endpoint, fields: &[(&str, &str)]) -> Result<Request<Bytes>, TokenError> {
        let now = self.clock.now();
        let mut request = self.auth.post(endpoint.uri(), fields, now)?;
        if let Some(prover) = &self.dpop {
            let proof = prover.proof(&Method::POST, endpoint.uri(), None, now)?;
            request.headers_mut().insert(DpopProver::HEADER, proof);
        }
        Ok(request)
    }
}

/// What a response says that is none of those wanted.
fn failure(response: &Response<Bytes>) -> TokenError {
    let status = response.status();
    match status {
        _ if is_temporary(status) => {
            TokenError::Unavailable { status, retry_after: seconds_to_wait(response.headers()) }
        }
        _ if status.is_client_error() => WireError::read(response).refused(status),
        _ => TokenError::Unexpected(status),
    }
}

fn is_temporary(status: StatusCode) -> bool {
    // RFC 8470 section 5.2, RFC 6585 section 4.
    let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || later.contains(&status)
}

/// RFC 9449 section 8: 400 `use_dpop_nonce`; there are servers that say 401.
fn wants_nonce(response: &Response<Bytes>) -> bool {
    matches!(response.status(), StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED)
        && WireError::read(response).code() == "use_dpop_nonce"
}

/// `Retry-After` in seconds. A date counts as silence: it would go by the
/// server's clock.
pub(crate) fn seconds_to_wait(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
}
