//! The mock issuer as a tower service.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use oauth_core::{dpop::DEFAULT_ALGORITHMS, jwk::JwkDocument, metadata::AuthorizationServerMetadata};
use serde::Serialize;
use serde_json::Value;
use tower::Service;

use super::{Endpoint, MockIssuer, Outage, ReceivedRequest, token::set};

/// The body of a response: whole, or a connection that breaks.
#[derive(Debug)]
pub struct MockBody(Option<Result<Bytes, ConnectionLost>>);

/// The connection broke, since [`Outage::Down`] was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mock issuer is down")]
pub struct ConnectionLost;

impl<B> Service<Request<B>> for MockIssuer
where
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<MockBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let issuer = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            // What broke off is no request.
            let body = body.collect().await.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
            Ok(issuer.exchange(Request::from_parts(head, body)).await)
        })
    }
}

impl MockIssuer {
    async fn exchange(&self, request: Request<Bytes>) -> Response<MockBody> {
        let endpoint = self.inner.locations.endpoint(request.uri());
        self.state().requests.push(ReceivedRequest::new(endpoint, request.clone()));
        // Nobody answers in the same instant: let others come in meanwhile.
        tokio::task::yield_now().await;
        match self.outage_at(endpoint).await {
            None => self.answer(endpoint, &request),
            Some(Outage::Down | Outage::Slow) => Response::new(MockBody(Some(Err(ConnectionLost)))),
            Some(Outage::Garbage) => Response::new(MockBody::of("<html>\u{1f4a5}")),
            Some(Outage::Status(status)) => empty(status),
        }
    }

    /// The outage at `endpoint`, once it is another than slowness.
    async fn outage_at(&self, endpoint: Endpoint) -> Option<Outage> {
        let mut outages = self.inner.outages.subscribe();
        let settled = outages.wait_for(|outages| outages.at(endpoint) != Some(Outage::Slow)).await;
        // The sender lives as long as `self`.
        settled.ok().and_then(|outages| outages.at(endpoint))
    }

    fn answer(&self, endpoint: Endpoint, request: &Request<Bytes>) -> Response<MockBody> {
        match (endpoint, request.method()) {
            (Endpoint::Metadata, &Method::GET) => self.fresh_for_a_while(&self.metadata()),
            (Endpoint::Jwks, &Method::GET) => {
                let keys = JwkDocument::of(self.state().keys.published());
                self.fresh_for_a_while(&keys)
            }
            (Endpoint::Introspection, &Method::POST) => self.introspect(request),
            (Endpoint::Elsewhere, _) => empty(StatusCode::NOT_FOUND),
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    fn metadata(&self) -> Value {
        let mut metadata = AuthorizationServerMetadata::new(self.url());
        metadata.jwks_uri = Some(self.jwks_uri());
        metadata.introspection_endpoint = Some(self.introspection_endpoint());
        let methods = ["client_secret_basic", "client_secret_post"].map(Into::into);
        metadata.introspection_endpoint_auth_methods_supported = methods.into();
        metadata.response_types_supported = vec!["code".into()];
        metadata.dpop_signing_alg_values_supported = DEFAULT_ALGORITHMS.iter().map(ToString::to_string).collect();
        metadata.tls_client_certificate_bound_access_tokens = true;
        let mut document = serde_json::to_value(metadata).unwrap_or_default();
        if let Some(members) = document.as_object_mut() {
            for (name, value) in &self.inner.metadata {
                set(members, name.clone(), value.clone());
            }
        }
        document
    }

    fn fresh_for_a_while(&self, document: &impl Serialize) -> Response<MockBody> {
        let mut response = json(document);
        response.headers_mut().insert(CACHE_CONTROL, self.inner.cache_control.clone());
        response
    }
}

pub(super) fn json(document: &impl Serialize) -> Response<MockBody> {
    let body = serde_json::to_vec(document).unwrap_or_default();
    typed(body, "application/json")
}

pub(super) fn typed(body: impl Into<Bytes>, media_type: &'static str) -> Response<MockBody> {
    let mut response = Response::new(MockBody::of(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

pub(super) fn empty(status: StatusCode) -> Response<MockBody> {
    let mut response = Response::new(MockBody(None));
    *response.status_mut() = status;
    response
}

impl MockBody {
    fn of(bytes: impl Into<Bytes>) -> Self {
        Self(Some(Ok(bytes.into())))
    }
}

impl Body for MockBody {
    type Data = Bytes;
    type Error = ConnectionLost;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ConnectionLost>>> {
        Poll::Ready(self.0.take().map(|part| part.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            None => SizeHint::with_exact(0),
            Some(Ok(bytes)) => SizeHint::with_exact(bytes.len() as u64),
            // One that will never come to its end.
            Some(Err(_)) => SizeHint::default(),
        }
    }
}
