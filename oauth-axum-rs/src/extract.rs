//! The token as an argument of a handler.

use std::{fmt, marker::PhantomData, ops::Deref, sync::Arc};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use oauth_tower::resource::{Anonymous, Refusal, ValidatedToken};

use crate::TokenRejection;

/// The access token that the layer accepted.
///
/// It needs a [`ResourceLayer`](oauth_tower::resource::ResourceLayer) around
/// the route. `Option<Token>` is `None` where the layer is optional and the
/// request had no credentials; a bad token never gets this far.
///
/// ```
/// use oauth_axum_rs::Token;
///
/// async fn notes(token: Token) -> String {
///     format!("notes of {}", token.subject())
/// }
///
/// async fn front_page(token: Option<Token>) -> String {
///     token.map_or("hello stranger".into(), |token| format!("hello {}", token.subject()))
/// }
/// # let _: axum::Router =
/// #     axum::Router::new().route("/notes", axum::routing::get(notes)).route("/", axum::routing::get(front_page));
/// ```
///
/// # Rejections
///
/// [`TokenRejection`]: 500 where no layer has seen the request, 401 where an
/// optional layer let it pass without credentials.
#[derive(Clone, Debug)]
pub struct Token(Arc<ValidatedToken>);

impl Token {
    /// The token, shared.
    #[must_use]
    pub fn into_inner(self) -> Arc<ValidatedToken> {
        self.0
    }

    fn find(parts: &Parts) -> Option<Self> {
        parts.extensions.get::<Arc<ValidatedToken>>().map(|token| Self(Arc::clone(token)))
    }
}

impl Deref for Token {
    type Target = ValidatedToken;

    fn deref(&self) -> &ValidatedToken {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Token {
    type Rejection = TokenRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, TokenRejection> {
        Self::find(parts).ok_or_else(|| absent(parts).into())
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Token {
    type Rejection = TokenRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, TokenRejection> {
        match Self::find(parts) {
            Some(token) => Ok(Some(token)),
            // Without a layer, `None` would pass a bad token off as no token.
            None if parts.extensions.get::<Anonymous>().is_some() => Ok(None),
            None => Err(Refusal::not_validated().into()),
        }
    }
}

/// A scope as a type, for [`Scoped`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which scope it asks for",
    note = "implement `RequiredScope` for it: `const SCOPE: &'static str = \"albums:write\";`"
)]
pub trait RequiredScope {
    /// The scope tokens, separated by spaces: all of them are needed.
    const SCOPE: &'static str;
}

/// A [`Token`] that has the scope `S` asks for.
///
/// ```
/// use oauth_axum_rs::{RequiredScope, Scoped};
///
/// struct Write;
/// impl RequiredScope for Write {
///     const SCOPE: &'static str = "albums:write";
/// }
///
/// async fn add_album(token: Scoped<Write>) -> String {
///     format!("added for {}", token.subject())
/// }
/// # let _: axum::Router = axum::Router::new().route("/albums", axum::routing::post(add_album));
/// ```
///
/// # Rejections
///
/// [`TokenRejection`]: 403 `insufficient_scope` with a challenge that lists the
/// scope, and those of [`Token`].
pub struct Scoped<S> {
    token: Token,
    scope: PhantomData<fn() -> S>,
}

impl<S> Scoped<S> {
    /// The token.
    #[must_use]
    pub fn into_token(self) -> Token {
        self.token
    }
}

impl<S> Deref for Scoped<S> {
    type Target = ValidatedToken;

    fn deref(&self) -> &ValidatedToken {
        &self.token
    }
}

impl<State: Send + Sync, S: RequiredScope> FromRequestParts<State> for Scoped<S> {
    type Rejection = TokenRejection;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, TokenRejection> {
        let token = <Token as FromRequestParts<State>>::from_request_parts(parts, state).await?;
        // A scope that is none is nobody's fault but the program's.
        let required = S::SCOPE.parse().map_err(|_| Refusal::not_validated())?;
        token.require(&required)?;
        Ok(Self { token, scope: PhantomData })
    }
}

impl<S> fmt::Debug for Scoped<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scoped").field(&self.token).finish()
    }
}

fn absent(parts: &Parts) -> Refusal {
    parts.extensions.get::<Anonymous>().map_or_else(Refusal::not_validated, Anonymous::refusal)
}
