//! What a grant answers.

use futures_util::TryFutureExt;
use serde_json::{Map, Value};

use super::{Failure, GrantFuture};
use crate::token::{Body, TokenResponse};

/// What a [`TokenGrant`](super::TokenGrant) answers with 200: tokens, or nothing at
/// all. A [`TokenResponse`] becomes one by `into`.
///
/// ```
/// use oauth_core::{grant::GrantAnswer, token::{TokenResponse, TokenType}};
/// let tokens = TokenResponse::new("t".into(), TokenType::Bearer, 300);
/// assert_eq!(GrantAnswer::from(tokens).to_json()["access_token"], "t");
/// assert!(GrantAnswer::nothing().to_json().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantAnswer(Option<TokenResponse>);

impl GrantAnswer {
    /// That all is well, and there are no tokens: the body is `{}`.
    #[must_use]
    pub const fn nothing() -> Self {
        Self(None)
    }

    /// The body.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        self.0.as_ref().map(TokenResponse::to_json).unwrap_or_default()
    }

    /// The body, to be written.
    pub(crate) fn body(&self) -> Body<'_> {
        self.0.as_ref().map(TokenResponse::body).unwrap_or_default()
    }

    /// The future of tokens.
    pub(super) fn tokens<'a>(
        issued: impl Future<Output = Result<TokenResponse, Failure>> + Send + 'a,
    ) -> GrantFuture<'a> {
        // No `async` block, which would have room for the future twice.
        Box::pin(issued.map_ok(Self::from))
    }
}

impl From<TokenResponse> for GrantAnswer {
    fn from(tokens: TokenResponse) -> Self {
        Self(Some(tokens))
    }
}
