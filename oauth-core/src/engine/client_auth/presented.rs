//! What a request says about its client: at most one mechanism.

use http::Request;

use super::{super::fault::Failure, AuthFailure, ClientAuthentication, assertion::Assertion, basic::Basic, post::Post};
use crate::{
    client::{AuthMethod, Client, ClientId},
    error::OAuthError,
    mtls::ClientCertificate,
    params::{Params, decode},
    secret::Secret,
};

/// A client that is named, and what it shows for itself.
pub(super) struct Presented<'a> {
    pub(super) client: ClientId,
    pub(super) credential: Credential<'a>,
}

/// What it shows.
pub(super) enum Credential<'a> {
    Basic(Secret),
    Post(Secret),
    Assertion(Assertion<'a>),
    /// Nothing in the request. The connection may have a certificate, and whether
    /// that is to prove anything is for the registration to say.
    NameAlone(Option<ClientCertificate>),
}

/// Credentials that name no client. What it is can be said: it has nothing to do
/// with who is registered.
pub(super) struct Malformed {
    pub(super) why: AuthFailure,
    pub(super) description: &'static str,
}

impl<'a> Presented<'a> {
    /// Fails with `invalid_request` if it is not one mechanism, or two names.
    pub(super) fn read<B>(request: &Request<B>, params: &'a Params) -> Result<Result<Self, Malformed>, Failure> {
        refuse_secret_in_query(request.uri().query())?;
        let named = params.get("client_id");
        let basic = match Basic::read(request.headers())? {
            Some(Err(malformed)) => return Ok(Err(malformed)),
            Some(Ok(basic)) => Some(basic),
            None => None,
        };
        let (post, assertion) = (Post::read(params), Assertion::is_in(params));
        // OAuth 2.1 section 2.3: "MUST NOT use more than one authentication
        // method in each request".
        if usize::from(basic.is_some()) + usize::from(post.is_some()) + usize::from(assertion) > 1 {
            return Err(OAuthError::invalid_request("more than one client authentication mechanism is used").into());
        }
        if assertion {
            return Self::of_assertion(named, params);
        }
        let credential = match (basic, post) {
            (Some(basic), _) => {
                refuse_other_name(named, &basic.id)?;
                return Ok(Self::new(Some(&*basic.id), Credential::Basic(basic.secret)));
            }
            (None, Some(post)) => Credential::Post(post.secret),
            (None, None) => Credential::NameAlone(request.extensions().get::<ClientCertificate>().cloned()),
        };
        Ok(Self::new(named, credential))
    }

    /// RFC 7521 section 4.2: `client_id` is unnecessary, and if present "MUST
    /// identify the same client".
    fn of_assertion(named: Option<&str>, params: &'a Params) -> Result<Result<Self, Malformed>, Failure> {
        let assertion = match Assertion::read(params)? {
            Ok(assertion) => assertion,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let issuer = assertion.unverified_issuer();
        if let Some(issuer) = &issuer {
            refuse_other_name(named, issuer)?;
        }
        Ok(Self::new(issuer.as_deref().or(named), Credential::Assertion(assertion)))
    }

    fn new(name: Option<&str>, credential: Credential<'a>) -> Result<Self, Malformed> {
        let name = name
            .ok_or(Malformed { why: AuthFailure::NoClient, description: "no client is named: client_id is missing" })?;
        let unknown = |_| Malformed { why: AuthFailure::UnknownClient, description: "client authentication failed" };
        Ok(Self { client: ClientId::new(name).map_err(unknown)?, credential })
    }

    /// RFC 9700 section 2.5: only the registered method counts, so a public
    /// client must not send a secret and a confidential one must.
    pub(super) fn fits(&self, client: &Client, settings: &ClientAuthentication) -> Result<AuthMethod, AuthFailure> {
        let method = client.auth_method;
        let fits = match &self.credential {
            Credential::Basic(_) => method == AuthMethod::ClientSecretBasic,
            Credential::Post(_) => method == AuthMethod::ClientSecretPost,
            Credential::Assertion(_) => method.uses_assertion(),
            Credential::NameAlone(_) => method == AuthMethod::None || method.uses_certificate(),
        };
        match (fits, settings.methods.contains(&method)) {
            (true, true) => Ok(method),
            (false, _) => Err(AuthFailure::OtherMethod),
            (true, false) => Err(AuthFailure::MethodOff),
        }
    }
}

/// CAU-07: two names for one client.
fn refuse_other_name(named: Option<&str>, client: &str) -> Result<(), OAuthError> {
    match named {
        Some(named) if named != client => {
            Err(OAuthError::invalid_request("client_id differs from the authenticated client"))
        }
        _ => Ok(()),
    }
}

/// OAuth 2.1 section 2.3.1: secrets MUST NOT be in the request URI.
pub(crate) fn refuse_secret_in_query(query: Option<&str>) -> Result<(), OAuthError> {
    let names = query.unwrap_or_default().split('&').filter_map(|pair| pair.split('=').next());
    let mut secrets = names.filter(|name| matches!(decode(name).as_deref(), Ok("client_secret" | "client_assertion")));
    match secrets.next() {
        Some(_) => Err(OAuthError::invalid_request("client credentials must not be in the URI")),
        None => Ok(()),
    }
}
