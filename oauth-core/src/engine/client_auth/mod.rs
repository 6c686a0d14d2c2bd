//! Client authentication (OAuth 2.1 section 2.3): who is calling, proven in
//! exactly the way that client registered.
//!
//! Each method is a file, which reads what a request presents and proves it
//! against what the client registered. What is presented to a client that does
//! not exist, or that has another method, is proven against nobody's credentials,
//! which takes as long and never succeeds.

mod assertion;
mod basic;
mod failure;
mod keys;
mod limit;
mod nobody;
mod none;
mod post;
mod presented;
mod private_key_jwt;
mod secret_jwt;
mod settings;
#[cfg(test)]
mod tests;
mod tls;

use std::sync::Arc;

use http::Request;

pub(crate) use self::presented::refuse_secret_in_query;
use self::presented::{Credential, Presented};
pub(crate) use self::{
    assertion::names_server,
    limit::{AuthLimit, Whose},
    nobody::Nobody,
};
pub use self::{
    failure::AuthFailure,
    settings::{AssertionAudience, ClientAuthentication},
};
use super::{
    client_documents::NoClient,
    fault::{Failure, Fault},
    remote_address::RemoteAddress,
};
use crate::{
    client::{AuthMethod, Client},
    error::OAuthError,
    event::Event,
    params::Params,
    server::AuthorizationServer,
};

/// Finds out which client sent `request`, and proves it.
///
/// Fails with `invalid_client` (401) if the proof is missing or wrong, with
/// `invalid_request` if there is more than one, and with 429 if there were too
/// many wrong ones.
pub(crate) async fn authenticate<B>(
    server: &AuthorizationServer,
    request: &Request<B>,
    params: &Params,
) -> Result<Arc<Client>, Failure> {
    let presented = match Presented::read(request, params)? {
        Ok(presented) => presented,
        Err(malformed) => {
            server.tell(&Event::ClientAuthenticationFailed { client: None, why: &malformed.why });
            return Err(unauthenticated(malformed.description));
        }
    };
    let limit = server.auth_limit();
    let attempt = server.begin_attempt(Whose::Client(&presented.client), RemoteAddress::of(request.extensions()))?;
    match prove(server, &presented).await {
        Ok(client) => {
            limit.take_back(&attempt);
            Ok(client)
        }
        Err(Unproven::Fault(fault)) => {
            limit.take_back(&attempt);
            Err(fault.into())
        }
        Err(Unproven::Refused { client, why }) => {
            let known = client.as_ref().map(|client| &client.id);
            server.tell(&Event::ClientAuthenticationFailed { client: known, why: &why });
            limit.failed(&attempt, server.store(), server.now()).await;
            // CAU-10: an unknown client and a wrong secret read the same.
            Err(unauthenticated("client authentication failed"))
        }
    }
}

/// What a request shows of its client, right or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Nothing,
    /// `client_id` alone.
    Name,
    Credentials,
}

/// A certificate of the connection is not looked at: it may be there for another
/// reason.
pub(crate) fn shown<B>(request: &Request<B>, params: &Params) -> Shown {
    let there = |name: &str| params.get(name).is_some() || params.is_repeated(name);
    let credentials = ["client_secret", "client_assertion", "client_assertion_type"].into_iter().any(there)
        || request.headers().contains_key(http::header::AUTHORIZATION)
        || refuse_secret_in_query(request.uri().query()).is_err();
    match (credentials, there("client_id")) {
        (true, _) => Shown::Credentials,
        (false, true) => Shown::Name,
        (false, false) => Shown::Nothing,
    }
}

/// Whether a request names no client and shows nothing of one.
pub(crate) fn names_nobody<B>(request: &Request<B>, params: &Params) -> bool {
    shown(request, params) == Shown::Nothing
}

/// Why nobody is authenticated.
enum Unproven {
    /// `client` is the one that was named, if there is one.
    Refused {
        client: Option<Arc<Client>>,
        why: AuthFailure,
    },
    Fault(Fault),
}

/// What a method says.
type Proof = Result<(), NotProven>;

/// Why it is not proven, or why that could not be found out.
#[derive(Debug)]
enum NotProven {
    Because(AuthFailure),
    Fault(Fault),
}

impl<F: Into<AuthFailure>> From<F> for NotProven {
    fn from(why: F) -> Self {
        Self::Because(why.into())
    }
}

async fn prove(server: &AuthorizationServer, presented: &Presented<'_>) -> Result<Arc<Client>, Unproven> {
    let (client, none) = match server.named_client(&presented.client).await {
        Ok(client) => (Some(client), AuthFailure::UnknownClient),
        Err(NoClient::Unknown(_)) => (None, AuthFailure::UnknownClient),
        Err(NoClient::Document(_)) => (None, AuthFailure::NoDocument),
        Err(NoClient::Fault(fault)) => return Err(Unproven::Fault(fault)),
    };
    let fits = match &client {
        None => Err(none),
        Some(client) => presented.fits(client, server.client_authentication()),
    };
    let outcome = match (&client, fits) {
        (Some(client), Ok(method)) => check(server, client, method, presented).await,
        (_, Err(why)) => Err(check_against_nobody(server, presented, why).await),
        (None, Ok(_)) => Err(AuthFailure::UnknownClient.into()),
    };
    match (client, outcome) {
        (Some(client), Ok(())) => Ok(client),
        (_, Err(NotProven::Fault(fault))) => Err(Unproven::Fault(fault)),
        (client, Err(NotProven::Because(why))) => Err(Unproven::Refused { client, why }),
        (None, Ok(())) => Err(Unproven::Refused { client: None, why: AuthFailure::UnknownClient }),
    }
}

/// The proof by `method`, which is the registered one. Those that may have to ask for keys are
/// boxed, so that the others need no room for what that takes.
async fn check(server: &AuthorizationServer, client: &Client, method: AuthMethod, presented: &Presented<'_>) -> Proof {
    match (method, &presented.credential) {
        (AuthMethod::None, Credential::NameAlone(_)) => none::prove(client),
        (AuthMethod::ClientSecretBasic, Credential::Basic(secret)) => basic::prove(server, client, secret),
        (AuthMethod::ClientSecretPost, Credential::Post(secret)) => post::prove(server, client, secret),
        (AuthMethod::ClientSecretJwt, Credential::Assertion(jwt)) => {
            Box::pin(secret_jwt::prove(server, client, jwt)).await
        }
        (AuthMethod::PrivateKeyJwt, Credential::Assertion(jwt)) => {
            Box::pin(private_key_jwt::prove(server, client, jwt)).await
        }
        (AuthMethod::TlsClientAuth, Credential::NameAlone(shown)) => tls::prove_subject(client, shown.as_ref()),
        (AuthMethod::SelfSignedTlsClientAuth, Credential::NameAlone(shown)) => {
            Box::pin(tls::prove_registered(server, client, shown.as_ref())).await
        }
        _ => Err(AuthFailure::OtherMethod.into()),
    }
}

/// The same work against credentials that nobody has, and then `why`.
async fn check_against_nobody(server: &AuthorizationServer, presented: &Presented<'_>, why: AuthFailure) -> NotProven {
    for (method, nobody) in server.nobody().with(&presented.credential) {
        let _never = std::hint::black_box(check(server, nobody, method, presented).await);
    }
    why.into()
}

fn unauthenticated(description: &'static str) -> Failure {
    Failure::Unauthenticated(OAuthError::invalid_client(description))
}
