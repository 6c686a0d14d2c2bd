//! Where a program of yours is a client: it finds an authorization server, asks
//! a person for consent, gets tokens, refreshes and revokes them, and calls
//! APIs. No framework: the host keeps sessions and tokens, each under the
//! issuer they are of.
//!
//! * [`Discovery`] fetches the metadata of an issuer, and believes no other.
//! * [`AuthorizationRequest`] is where a person is sent; what must be kept until
//!   they come back is a [`PendingAuthorization`], and that checks the response.
//! * [`TokenClient`] asks the token endpoint, by any grant, and revokes.
//! * [`DpopProver`] proves that tokens are this client's; [`ApiClient`] sends
//!   requests with a token.
//!
//! ```no_run
//! use oauth_tower::{
//!     client::{AuthorizationRequest, Discovery, DpopProver, TokenClient},
//!     outgoing::{ClientAuth, HttpClient},
//! };
//! # async fn run(query: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let http = HttpClient::builder().build()?;
//! let metadata = Discovery::new("https://as.example").fetch(&http).await?;
//! let prover = DpopProver::generate()?;
//! let auth = ClientAuth::Basic { id: "app".into(), secret: "the client secret".into() };
//! let client = TokenClient::discovered(&metadata, auth).dpop(prover.clone()).build(http)?;
//!
//! // The browser is sent to `request.url()`; `pending` is kept in its session.
//! let request = AuthorizationRequest::builder(&metadata, "app", "https://app.example/callback")
//!     .scope("albums:read")
//!     .resource("https://api.example")
//!     .dpop(&prover)
//!     .build()?;
//! let pending = request.into_pending();
//!
//! // It comes back to the redirect URI with `query`:
//! let tokens = client.redeem(pending.check(query)?).await?;
//! // ... and when they have served:
//! client.revoke(tokens.access_token).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What to do about an error
//!
//! [`TokenError::is_temporary`] says whether the same request may succeed later:
//! a refresh token that got no answer, a 5xx or a 429 is to be kept and tried
//! again. [`TokenError::Refused`] is the server's decision. No error, and no
//! `Debug` output, has a token or a secret in it.

mod api;
mod authorization;
mod builder;
mod discovery;
mod dpop;
mod error;
mod exchange;
mod pending;
#[cfg(test)]
pub(crate) mod tests;
mod token;

pub use self::{
    api::{ApiClient, CallError},
    authorization::{AuthorizationRequest, AuthorizationRequestBuilder, InvalidRequest},
    builder::TokenClientBuilder,
    discovery::{Discovery, DiscoveryError},
    dpop::DpopProver,
    error::{RevokeError, TokenError},
    pending::{AuthorizationCode, PendingAuthorization, ResponseError},
    token::TokenClient,
};
#[cfg(feature = "server")]
pub(crate) use self::{error::WireError, exchange::seconds_to_wait};
