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

impl From<Token> for Arc<ValidatedToken> {
    fn from(token: Token) -> Self {
        token.0
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
        if !S::SCOPE.split(' ').all(|one| token.has_scope(one)) {
            // A scope that is none is nobody's fault but the program's.
            let required = S::SCOPE.parse().map_err(|_| Refusal::not_validated())?;
            token.require_scope(&required)?;
        }
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

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        routing::{any, get},
    };
    use http::{Request, Response, StatusCode, header::WWW_AUTHENTICATE};
    use oauth_core::{
        claims::AccessTokenClaims,
        clock::{Clock, SystemClock},
        jwt::{self, Algorithm},
        keys::SigningKey,
    };
    use oauth_tower::resource::{Issuer, ResourceLayer, ResourceServer};
    use tower::Service;

    use super::*;

    struct Write;

    impl RequiredScope for Write {
        const SCOPE: &'static str = "write audit";
    }

    fn router() -> Router {
        Router::new()
            .route("/token", get(async |token: Token| token.subject().to_owned()))
            .route("/maybe", get(async |token: Option<Token>| token.map_or("-".to_owned(), |t| t.subject().to_owned())))
            .route("/write", get(async |token: Scoped<Write>| token.into_token().subject().to_owned()))
    }

    /// A layer, and a token with this scope that it accepts.
    fn setup(scope: &str) -> (ResourceLayer, String) {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        let now = SystemClock.now();
        let aud = ["https://api.example".to_owned()];
        let mut claims =
            AccessTokenClaims::new("https://as.example", aud, "ada", "app", "1", now, now.saturating_add(60));
        claims.scope = Some(scope.parse().unwrap());
        let issuer = Issuer::jwt("https://as.example").keys([&key].into_iter().collect());
        let api = ResourceServer::builder("https://api.example").issuer(issuer).build().unwrap();
        (api.layer(), jwt::sign(&key, "at+jwt", &claims).unwrap())
    }

    async fn ask(mut app: Router, path: &str, token: Option<&str>) -> (StatusCode, String, Response<Body>) {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = app.call(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1000).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (parts.status, text, Response::from_parts(parts, Body::empty()))
    }

    #[tokio::test]
    async fn a_handler_gets_the_token_the_layer_accepted() {
        let (layer, token) = setup("audit write");
        for path in ["/token", "/maybe", "/write"] {
            let (status, body, _) = ask(router().layer(layer.clone()), path, Some(&token)).await;
            assert_eq!((status, body.as_str()), (StatusCode::OK, "ada"), "{path}");
            let (status, ..) = ask(router().route_layer(layer.clone()), path, None).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED);
        }
    }

    // spec: RS-09
    #[tokio::test]
    async fn a_scope_as_a_type_is_asked_for_whole() {
        let (layer, token) = setup("write");
        let (status, _, response) = ask(router().layer(layer), "/write", Some(&token)).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap();
        assert!(challenge.contains(r#"realm="https://api.example""#), "{challenge}");
        assert!(challenge.contains(r#"scope="write audit""#), "{challenge}");
    }

    // spec: RS-12
    #[tokio::test]
    async fn optional_is_anonymous_without_a_token_and_401_with_a_bad_one() {
        let (layer, _) = setup("");
        let app = router().layer(layer.optional());
        let (status, body, _) = ask(app.clone(), "/maybe", None).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "-"));
        assert_eq!(ask(app.clone(), "/maybe", Some("junk")).await.0, StatusCode::UNAUTHORIZED);
        let (status, _, response) = ask(app, "/token", None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[WWW_AUTHENTICATE], r#"Bearer realm="https://api.example""#);
    }

    // spec: RS-13
    #[tokio::test]
    async fn a_preflight_has_no_token_and_that_is_nobodys_fault() {
        for optional in [false, true] {
            let (layer, _) = setup("");
            let layer = if optional { layer.optional() } else { layer };
            let app = Router::new()
                .route("/token", any(async |_: Token| ""))
                .route("/maybe", any(async |token: Option<Token>| if token.is_some() { "somebody" } else { "nobody" }));
            let mut app = app.layer(layer);
            let preflight = |path: &str| {
                let request = Request::options(path).header("origin", "https://app.example");
                request.header("access-control-request-method", "GET").body(Body::empty()).unwrap()
            };
            assert_eq!(app.call(preflight("/token")).await.unwrap().status(), StatusCode::UNAUTHORIZED);
            let response = app.call(preflight("/maybe")).await.unwrap();
            assert_eq!(axum::body::to_bytes(response.into_body(), 100).await.unwrap(), "nobody");
        }
    }

    #[tokio::test]
    async fn without_a_layer_it_is_the_programs_fault() {
        let (_, token) = setup("audit write");
        for path in ["/token", "/maybe", "/write"] {
            let (status, body, response) = ask(router(), path, Some(&token)).await;
            assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
            assert!(body.contains("no ResourceServer layer"), "{body}");
            assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
        }
    }

    #[tokio::test]
    async fn a_path_that_is_not_there_stays_404_with_route_layer() {
        let (layer, _) = setup("");
        assert_eq!(ask(router().route_layer(layer), "/elsewhere", None).await.0, StatusCode::NOT_FOUND);
    }
}
