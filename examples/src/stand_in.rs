//! What stands in for an authorization server where an example is about
//! something else: a key, and access tokens signed with it (RFC 9068).

use oauth_core::{
    claims::AccessTokenClaims,
    clock::{Clock, SystemClock},
    jwt::{self, Algorithm},
    keys::SigningKey,
};
use oauth_tower::resource::{Issuer, JwtIssuer};

/// Signs whatever it is told to.
#[derive(Debug)]
pub struct StandIn {
    url: &'static str,
    key: SigningKey,
}

impl StandIn {
    /// One of this name, with a key of its own.
    ///
    /// # Panics
    /// If no key can be made.
    #[expect(clippy::expect_used, reason = "an example without a key is none")]
    #[must_use]
    pub fn new(url: &'static str) -> Self {
        Self { url, key: SigningKey::generate(Algorithm::EdDSA).expect("a key") }
    }

    /// For a resource server that takes its tokens. In earnest,
    /// `Issuer::jwt(url)` is all: the keys are fetched.
    pub fn issuer(&self) -> JwtIssuer {
        Issuer::jwt(self.url).keys([&self.key].into_iter().collect())
    }

    /// A token for `audience`, good for an hour: that of ada, who uses the
    /// client `app`.
    #[must_use]
    pub fn token(&self, audience: &str, scope: &str) -> String {
        self.token_with(audience, scope, |_| ())
    }

    /// As [`StandIn::token`], with claims that are as `change` wants them.
    ///
    /// # Panics
    /// If `scope` is none.
    #[expect(clippy::expect_used, reason = "an example without a token is none")]
    #[must_use]
    pub fn token_with(&self, audience: &str, scope: &str, change: impl FnOnce(&mut AccessTokenClaims)) -> String {
        let now = SystemClock.now();
        let audience = [audience.to_owned()];
        let mut claims = AccessTokenClaims::new(self.url, audience, "ada", "app", "1", now, now.saturating_add(3600));
        claims.scope = Some(scope.parse().expect("a scope"));
        change(&mut claims);
        jwt::sign(&self.key, "at+jwt", &claims).expect("a token")
    }
}
