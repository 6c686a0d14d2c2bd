//! Client authentication (OAuth 2.1 section 2.3): who is calling, proven in
//! exactly the way that client registered.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, Request, header::AUTHORIZATION};
use zeroize::Zeroizing;

use super::fault::Failure;
use crate::{
    client::{AuthMethod, Client, ClientId, ClientSecret},
    error::OAuthError,
    event::Event,
    params::{Params, decode},
    secret::Secret,
    server::AuthorizationServer,
};

/// Finds out which client sent `request`, and proves it.
///
/// Fails with `invalid_client` (401) if the proof is missing or wrong, and
/// with `invalid_request` if there is more than one.
pub(crate) async fn authenticate<B>(
    server: &AuthorizationServer,
    request: &Request<B>,
    params: &Params,
) -> Result<Arc<Client>, Failure> {
    let presented = Presented::read(request, params)?;
    let found = server.client(&presented.client).await?;
    match found {
        Some(client) if presented.proves(&client, server) => Ok(client),
        found => {
            if found.is_none() {
                presented.compare_with_nothing(server);
            }
            let known = found.as_ref().map(|client| &client.id);
            server.tell(&Event::ClientAuthenticationFailed { client: known });
            // CAU-10: an unknown client and a wrong secret read the same.
            Err(unauthenticated("client authentication failed"))
        }
    }
}

/// What a request says about its client.
struct Presented {
    client: ClientId,
    method: AuthMethod,
    secret: Option<Secret>,
}

impl Presented {
    fn read<B>(request: &Request<B>, params: &Params) -> Result<Self, Failure> {
        refuse_secret_in_query(request.uri().query())?;
        let named = params.get("client_id");
        let secret = params.get("client_secret");
        let basic = Basic::read(request.headers())?;
        // Not implemented, and all the same a mechanism of its own.
        let assertion = params.get("client_assertion").or_else(|| params.get("client_assertion_type"));
        if usize::from(basic.is_some()) + usize::from(secret.is_some()) + usize::from(assertion.is_some()) > 1 {
            return Err(OAuthError::invalid_request("more than one client authentication mechanism is used").into());
        }
        if assertion.is_some() {
            return Err(unauthenticated("client assertions are not supported"));
        }
        match (basic, secret) {
            (Some(basic), _) if named.is_some_and(|named| named != basic.id.as_str()) => {
                Err(OAuthError::invalid_request("client_id differs from the authenticated client").into())
            }
            (Some(basic), _) => Self::new(&basic.id, AuthMethod::ClientSecretBasic, Some(basic.secret)),
            (None, secret) => {
                let named = named.ok_or_else(|| unauthenticated("no client is named: client_id is missing"))?;
                let method = secret.map_or(AuthMethod::None, |_| AuthMethod::ClientSecretPost);
                Self::new(named, method, secret.map(Secret::from))
            }
        }
    }

    fn new(id: &str, method: AuthMethod, secret: Option<Secret>) -> Result<Self, Failure> {
        let client = ClientId::new(id).map_err(|_| unauthenticated("client authentication failed"))?;
        Ok(Self { client, method, secret })
    }

    /// RFC 9700 section 2.5: only the registered method counts, so a public
    /// client must not send a secret and a confidential one must.
    fn proves(&self, client: &Client, server: &AuthorizationServer) -> bool {
        let proven = match &self.secret {
            Some(secret) => client.has_secret(secret, server.now()),
            None => client.is_public(),
        };
        proven & (client.auth_method == self.method)
    }

    /// Takes the time that comparing with a real secret takes.
    fn compare_with_nothing(&self, server: &AuthorizationServer) {
        if let Some(secret) = &self.secret {
            let client = Client::builder("nobody").secret(ClientSecret::new(&Secret::new(""))).build();
            let _never = std::hint::black_box(client.map(|client| client.has_secret(secret, server.now())));
        }
    }
}

/// OAuth 2.1 section 2.3.1: secrets MUST NOT be in the request URI.
fn refuse_secret_in_query(query: Option<&str>) -> Result<(), OAuthError> {
    let names = query.unwrap_or_default().split('&').filter_map(|pair| pair.split('=').next());
    let mut secrets = names.filter(|name| matches!(decode(name).as_deref(), Ok("client_secret" | "client_assertion")));
    match secrets.next() {
        Some(_) => Err(OAuthError::invalid_request("client credentials must not be in the URI")),
        None => Ok(()),
    }
}

struct Basic {
    id: Zeroizing<String>,
    secret: Secret,
}

impl Basic {
    fn read(headers: &HeaderMap) -> Result<Option<Self>, Failure> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(OAuthError::invalid_request("more than one Authorization header").into());
        }
        let parsed = value.to_str().ok().and_then(Self::parse);
        parsed.map(Some).ok_or_else(|| unauthenticated("the Authorization header is not well-formed Basic credentials"))
    }

    /// RFC 7617 section 2, with both halves form-encoded (OAuth 2.1 section
    /// 2.3.1).
    fn parse(value: &str) -> Option<Self> {
        let (scheme, credentials) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = Zeroizing::new(STANDARD.decode(credentials.trim_matches(' ')).ok()?);
        let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some(Self { id: Zeroizing::new(decode(id).ok()?), secret: decode(secret).ok()?.into() })
    }
}

fn unauthenticated(description: &'static str) -> Failure {
    Failure::Unauthenticated(OAuthError::invalid_client(description))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(pair: &str) -> Option<(String, String)> {
        let read = Basic::parse(&format!("bAsIc {}", STANDARD.encode(pair)))?;
        Some((read.id.to_string(), read.secret.expose().to_owned()))
    }

    // spec: CAU-03, CAU-04
    #[test]
    fn basic_credentials_are_split_at_the_first_colon_and_then_form_decoded() {
        assert_eq!(basic("a%3Ab:p%2Bq+%25"), Some(("a:b".into(), "p+q %".into())));
        assert_eq!(basic("a:b:c"), Some(("a".into(), "b:c".into())));
        for bad in ["no colon", "a:%zz", "a:%ff"] {
            assert_eq!(basic(bad), None, "{bad}");
        }
        assert!(Basic::parse("Basic !").is_none());
        assert!(Basic::parse("Bearer YTpi").is_none());
    }

    // spec: CAU-05
    #[test]
    fn a_secret_in_the_query_is_refused_however_it_is_spelled() {
        assert!(refuse_secret_in_query(Some("a=1&client_id=x")).is_ok());
        for bad in ["client_secret=x", "a=1&client_secret", "client%5Fsecret=x", "client_assertion=x"] {
            refuse_secret_in_query(Some(bad)).unwrap_err();
        }
    }
}
