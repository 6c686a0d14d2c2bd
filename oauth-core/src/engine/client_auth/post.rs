//! `client_secret_post`: the secret in the body ([OAuth 2.1 section 2.3.1]).
//!
//! [OAuth 2.1 section 2.3.1]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-01#section-2.3.1

use super::{Proof, basic};
use crate::{client::Client, params::Params, secret::Secret, server::AuthorizationServer};

/// As for Basic: only the way here is another.
pub(super) fn prove(server: &AuthorizationServer, client: &Client, secret: &Secret) -> Proof {
    basic::prove(server, client, secret)
}

/// `client_secret`.
pub(super) struct Post {
    pub(super) secret: Secret,
}

impl Post {
    pub(super) fn read(params: &Params) -> Option<Self> {
        params.get("client_secret").map(|secret| Self { secret: secret.into() })
    }
}
