//! The authorization request (OAuth 2.1 section 4.1.1).

use std::{borrow::Cow, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    clock::{Random, RandomError, SystemRandom},
    metadata::AuthorizationServerMetadata,
    params,
    pkce::{CodeChallenge, CodeVerifier},
    secret::Secret,
};

use super::{dpop::DpopProver, pending::PendingAuthorization};
use crate::outgoing::{Endpoint, Transport, UrlError};

/// A request to a person, through their browser. Made for one attempt: its
/// `state` and its PKCE verifier are drawn for it alone.
///
/// ```
/// use oauth_core::metadata::AuthorizationServerMetadata;
/// use oauth_tower::client::AuthorizationRequest;
/// let mut metadata = AuthorizationServerMetadata::new("https://as.example");
/// metadata.authorization_endpoint = Some("https://as.example/authorize".into());
/// metadata.code_challenge_methods_supported = vec!["S256".into()];
///
/// let request = AuthorizationRequest::builder(&metadata, "app", "https://app.example/callback")
///     .scope("albums:read")
///     .parameter("prompt", "consent")
///     .build()?;
/// assert!(request.url().starts_with("https://as.example/authorize?response_type=code&client_id=app&"));
/// // To be kept with the browser's session until it comes back.
/// let pending = request.into_pending();
/// # drop(pending);
/// # Ok::<_, oauth_tower::client::InvalidRequest>(())
/// ```
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    endpoint: String,
    client_id: String,
    /// All but the `client_id`.
    parameters: Vec<(String, String)>,
    pending: PendingAuthorization,
}

/// Collects what an [`AuthorizationRequest`] asks.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthorizationRequestBuilder {
    endpoint: Option<String>,
    issuer: String,
    client_id: String,
    redirect_uri: String,
    is_iss_promised: bool,
    has_pkce: bool,
    resources: Vec<String>,
    dpop_jkt: Option<String>,
    parameters: Vec<(String, String)>,
    random: Arc<dyn Random>,
    transport: Transport,
}

/// Why there is no authorization request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// The metadata have no authorization endpoint.
    #[error("the server has no authorization endpoint")]
    NoEndpoint,
    /// The authorization endpoint is no URL that a person may be sent to.
    #[error("the authorization endpoint is {0}")]
    Url(#[from] UrlError),
    /// The metadata do not say that the server does PKCE with `S256`; one that
    /// does not ignores the challenge (RFC 9700 section 2.1.1).
    #[error("the server does not say that it supports PKCE with S256: see assume_pkce")]
    NoPkce,
    /// A parameter that the builder sets itself.
    #[error("the parameter {0} has a method of its own")]
    Reserved(String),
    /// The source of randomness failed.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// What [`AuthorizationRequestBuilder::parameter`] does not take.
const RESERVED: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "dpop_jkt",
    "request",
    "request_uri",
    "client_secret",
];

impl AuthorizationRequest {
    /// A request of the client `client_id` to the server that `metadata` are of,
    /// to be answered at `redirect_uri`. A client of several servers has a
    /// redirect URI for each (RFC 9700 section 4.4.2).
    pub fn builder(
        metadata: &AuthorizationServerMetadata,
        client_id: impl Into<String>,
        redirect_uri: impl Into<String>,
    ) -> AuthorizationRequestBuilder {
        AuthorizationRequestBuilder {
            endpoint: metadata.authorization_endpoint.clone(),
            issuer: metadata.issuer.clone(),
            client_id: client_id.into(),
            redirect_uri: redirect_uri.into(),
            is_iss_promised: metadata.authorization_response_iss_parameter_supported,
            has_pkce: metadata.code_challenge_methods_supported.iter().any(|method| method == "S256"),
            resources: Vec::new(),
            dpop_jkt: None,
            parameters: Vec::new(),
            random: Arc::new(SystemRandom),
            transport: Transport::Https,
        }
    }

    /// Where to send the browser. A server that wants requests pushed
    /// (`require_pushed_authorization_requests`) gets them by
    /// [`TokenClient::push`](super::TokenClient::push).
    #[must_use]
    pub fn url(&self) -> String {
        self.with(self.parameters())
    }

    /// What checks the response. Keep it, bound to this browser.
    #[must_use]
    pub const fn pending(&self) -> &PendingAuthorization {
        &self.pending
    }

    /// As [`AuthorizationRequest::pending`].
    #[must_use]
    pub fn into_pending(self) -> PendingAuthorization {
        self.pending
    }

    pub(super) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The URL of a request that was pushed (RFC 9126 section 4).
    pub(super) fn by_reference(&self, request_uri: &str) -> String {
        self.with([("request_uri", request_uri)])
    }

    fn with<'a>(&'a self, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let mut all: Vec<_> = parameters.into_iter().collect();
        // After `response_type`, if that is there.
        all.insert(usize::from(all.len() > 1), ("client_id", &self.client_id));
        let query = params::encode(all.into_iter().map(|(name, value)| (name, Cow::Borrowed(value))));
        // OAuth 2.1 section 3.1: a query of the endpoint's own is kept.
        let joint = if self.endpoint.contains('?') { '&' } else { '?' };
        format!("{}{joint}{query}", self.endpoint)
    }
}

impl AuthorizationRequestBuilder {
    /// What to ask for: scope tokens, separated by spaces.
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.parameter("scope", scope)
    }

    /// The API that the tokens are for (RFC 8707 section 2), here and when the
    /// code is redeemed. Called again, for that one too.
    pub fn resource(mut self, uri: impl Into<String>) -> Self {
        self.resources.push(uri.into());
        self
    }

    /// Binds the code to this key (RFC 9449 section 10).
    pub fn dpop(mut self, prover: &DpopProver) -> Self {
        self.dpop_jkt = Some(prover.jkt().into());
        self
    }

    /// Any other parameter: `prompt`, `response_mode`, `authorization_details`.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Takes it that the server does PKCE with `S256` although its metadata do
    /// not say so: its documentation does, say (RFC 9700 section 2.1.1).
    pub const fn assume_pkce(mut self) -> Self {
        self.has_pkce = true;
        self
    }

    /// Draws `state` and verifier from here.
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Permits plain http to loopback addresses, for development.
    pub const fn insecure_http(mut self) -> Self {
        self.transport = Transport::HttpsOrLoopback;
        self
    }

    /// The request, with a fresh `state` and a fresh verifier.
    ///
    /// # Errors
    /// [`InvalidRequest`].
    pub fn build(self) -> Result<AuthorizationRequest, InvalidRequest> {
        let endpoint = self.endpoint.ok_or(InvalidRequest::NoEndpoint)?;
        Endpoint::parse(&endpoint, self.transport)?;
        if !self.has_pkce {
            return Err(InvalidRequest::NoPkce);
        }
        if let Some((name, _)) = self.parameters.iter().find(|(name, _)| RESERVED.contains(&name.as_str())) {
            return Err(InvalidRequest::Reserved(name.clone()));
        }
        let (state, verifier) = (draw(&*self.random)?, draw(&*self.random)?);
        let challenge = CodeVerifier::parse(verifier.expose()).map(|verifier| CodeChallenge::of(&verifier));
        let challenge = URL_SAFE_NO_PAD.encode(challenge.ok_or(RandomError)?.as_bytes());
        let mut parameters: Vec<(String, String)> = [
            ("response_type", "code"),
            ("redirect_uri", &self.redirect_uri),
            ("state", state.expose()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        parameters.extend(self.resources.iter().map(|resource| ("resource".to_owned(), resource.clone())));
        parameters.extend(self.dpop_jkt.map(|jkt| ("dpop_jkt".to_owned(), jkt)));
        parameters.extend(self.parameters);
        let pending = PendingAuthorization {
            issuer: self.issuer,
            state,
            verifier,
            redirect_uri: self.redirect_uri,
            resources: self.resources,
            is_iss_promised: self.is_iss_promised,
        };
        Ok(AuthorizationRequest { endpoint, client_id: self.client_id, parameters, pending })
    }
}

/// 256 random bits in 43 characters, which RFC 7636 section 4.1 recommends for a
/// verifier.
fn draw(random: &dyn Random) -> Result<Secret, RandomError> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    random.fill(&mut *bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(*bytes).into())
}
