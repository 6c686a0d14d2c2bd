//! A policy as the type of a handler's argument.

use std::{fmt, marker::PhantomData, ops::Deref};

use axum::extract::FromRequestParts;
use http::request::Parts;
use oauth_tower::resource::{Policy, ValidatedToken};

use crate::{Token, TokenRejection};

/// A policy as a type, for [`Authorized`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it asks of a token",
    note = "implement `RequiredPolicy` for it"
)]
pub trait RequiredPolicy {
    /// What is asked of a token. Made once, and kept: it is looked at for every
    /// request.
    fn policy() -> &'static Policy;
}

/// A [`Token`] that meets the policy `P`.
///
/// ```
/// use std::sync::LazyLock;
/// use oauth_axum_rs::{Authorized, RequiredPolicy};
/// use oauth_tower::resource::Policy;
///
/// struct Pay;
/// impl RequiredPolicy for Pay {
///     fn policy() -> &'static Policy {
///         static PAY: LazyLock<Policy> = LazyLock::new(|| Policy::new().scope("payments").acr(["mfa"]).max_age(300));
///         &PAY
///     }
/// }
///
/// async fn pay(token: Authorized<Pay>) -> String {
///     format!("paid by {}", token.subject())
/// }
/// # let _: axum::Router = axum::Router::new().route("/pay", axum::routing::post(pay));
/// ```
///
/// # Rejections
///
/// [`TokenRejection`]: as [`Policy`] says, and those of [`Token`].
pub struct Authorized<P> {
    token: Token,
    policy: PhantomData<fn() -> P>,
}

impl<P> Authorized<P> {
    /// The token.
    #[must_use]
    pub fn into_token(self) -> Token {
        self.token
    }
}

impl<P> Deref for Authorized<P> {
    type Target = ValidatedToken;

    fn deref(&self) -> &ValidatedToken {
        &self.token
    }
}

impl<S: Send + Sync, P: RequiredPolicy> FromRequestParts<S> for Authorized<P> {
    type Rejection = TokenRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, TokenRejection> {
        let token = <Token as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        token.require(P::policy())?;
        Ok(Self { token, policy: PhantomData })
    }
}

impl<P> fmt::Debug for Authorized<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorized").field(&self.token).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use axum::{Router, body::Body, routing::get};
    use http::{Request, StatusCode, header::WWW_AUTHENTICATE};
    use oauth_core::{
        claims::AccessTokenClaims,
        clock::{ManualClock, UnixTime},
        jwt::{self, Algorithm},
        keys::SigningKey,
    };
    use oauth_tower::resource::{Issuer, ResourceServer};
    use tower::ServiceExt;

    use super::*;

    struct Recent;

    impl RequiredPolicy for Recent {
        fn policy() -> &'static Policy {
            static RECENT: LazyLock<Policy> = LazyLock::new(|| Policy::new().scope("write").max_age(60));
            &RECENT
        }
    }

    const NOW: UnixTime = UnixTime(1_700_000_000);

    fn app(key: &SigningKey) -> Router {
        let issuer = Issuer::jwt("https://as.example").keys([key].into_iter().collect());
        let api = ResourceServer::builder("https://api.example").issuer(issuer).clock(ManualClock::new(NOW));
        let app =
            Router::new().route("/", get(async |token: Authorized<Recent>| token.into_token().subject().to_owned()));
        app.layer(api.build().unwrap().layer())
    }

    // spec: RS-36
    #[tokio::test]
    async fn a_policy_as_a_type_is_held_to_before_the_handler_runs() {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        for (age, scope, status, error) in [
            (60, "write", StatusCode::OK, None),
            (61, "write", StatusCode::UNAUTHORIZED, Some("insufficient_user_authentication")),
            (0, "read", StatusCode::FORBIDDEN, Some("insufficient_scope")),
        ] {
            let aud = ["https://api.example".to_owned()];
            let mut claims =
                AccessTokenClaims::new("https://as.example", aud, "ada", "app", "1", NOW, NOW.saturating_add(60));
            claims.scope = Some(scope.parse().unwrap());
            claims.auth_time = Some(UnixTime(NOW.0 - age));
            let token = jwt::sign(&key, "at+jwt", &claims).unwrap();
            let request = Request::get("/").header("authorization", format!("Bearer {token}"));
            let response = app(&key).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), status);
            let challenge = response.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap());
            assert_eq!(challenge.is_some(), error.is_some());
            if let (Some(challenge), Some(error)) = (challenge, error) {
                assert!(challenge.contains(&format!(r#"error="{error}""#)), "{challenge}");
            }
        }
    }
}
