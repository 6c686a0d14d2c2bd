//! Client metadata, as clients send it to register ([RFC 7591] section 2).
//!
//! [RFC 7591]: https://www.rfc-editor.org/rfc/rfc7591

#[cfg(feature = "server")]
mod build;
mod error;
mod json;
mod member;
#[cfg(test)]
mod tests;
mod write;

use serde_json::{Map, Value};

pub use self::error::RegistrationError;
pub(crate) use self::json::{Unique, object};
pub(super) use self::member::check_lines;
#[cfg(feature = "server")]
pub(crate) use self::write::describe;
use super::{
    ApplicationType, AssertionAlgorithm, AuthMethod, ClientJwks, ClientKeys, ClientProfile, ClientRequests,
    ClientTokens, GrantType, RedirectRules, RedirectUri, TlsSubject, invalid::only,
};
use crate::scope::Scope;

/// What a client says of itself when it registers, read and bounded. Members
/// that are not known are ignored, and so are those in other languages
/// (`client_name#ja`).
///
/// ```
/// use oauth_core::client::{AuthMethod, metadata::ClientMetadata};
/// let metadata = ClientMetadata::parse(br#"{"redirect_uris": ["https://app.example/cb"], "shoe_size": 43}"#)?;
/// assert_eq!(metadata.auth_method, AuthMethod::ClientSecretBasic);
/// assert!(ClientMetadata::parse(br#"{"redirect_uris": ["https://app.example/*"]}"#).is_err());
/// # Ok::<_, oauth_core::client::metadata::RegistrationError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientMetadata {
    /// `redirect_uris`: at most [`ClientMetadata::MAX_REDIRECT_URIS`].
    pub redirect_uris: Vec<RedirectUri>,
    /// `token_endpoint_auth_method`: `client_secret_basic` if it was left out.
    pub auth_method: AuthMethod,
    /// `token_endpoint_auth_signing_alg`.
    pub signing_algorithm: Option<AssertionAlgorithm>,
    /// `jwks` or `jwks_uri`.
    pub keys: Option<ClientKeys>,
    /// One of the `tls_client_auth` members (RFC 8705 section 2.1.2).
    pub tls_subject: Option<TlsSubject>,
    /// `grant_types`: `authorization_code` if it was left out. `response_types`
    /// agree with it: `code` for that one, and nothing else.
    pub grant_types: Vec<GrantType>,
    /// `scope`.
    pub scope: Option<Scope>,
    /// `client_name`.
    pub name: Option<String>,
    /// How it sends its authorization requests.
    pub requests: ClientRequests,
    /// What kind of tokens it is to be given.
    pub tokens: ClientTokens,
    /// What else people may want to know.
    pub profile: ClientProfile,
    /// `software_statement`, as it came. What it claims has been put in its
    /// place already, where it could be verified.
    pub software_statement: Option<String>,
}

impl ClientMetadata {
    /// The longest document that is read, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// The most redirect URIs that one client may have.
    pub const MAX_REDIRECT_URIS: usize = 32;

    /// The longest text of any other member, in bytes.
    pub const MAX_TEXT: usize = 512;

    /// Reads a document. The keys are not fetched, and nothing of it is
    /// believed.
    ///
    /// # Errors
    /// [`RegistrationError`] names the member at fault.
    pub fn parse(document: &[u8]) -> Result<Self, RegistrationError> {
        Self::read(&object(document)?, false)
    }

    /// Reads the members of a document; `rules` say what redirect URIs there may be: `true` for
    /// those that begin with `http://localhost`.
    pub(crate) fn read(
        members: &Map<String, Value>,
        rules: impl Into<RedirectRules>,
    ) -> Result<Self, RegistrationError> {
        let profile = profile(members)?;
        let redirect_uris = redirect_uris(members, rules.into())?;
        check_application_type(profile.application_type, &redirect_uris)?;
        Ok(Self {
            redirect_uris,
            auth_method: member::parsed(members, "token_endpoint_auth_method", AuthMethod::parse)?
                .unwrap_or(AuthMethod::ClientSecretBasic),
            signing_algorithm: member::parsed(members, "token_endpoint_auth_signing_alg", |name| name.parse().ok())?,
            keys: keys(members)?,
            tls_subject: tls_subject(members)?,
            grant_types: grant_types(members)?,
            scope: member::parsed(members, "scope", |scope| scope.parse().ok())?,
            name: member::name(members, "client_name")?,
            requests: requests(members)?,
            tokens: tokens(members)?,
            profile,
            software_statement: member::long_text(members, "software_statement")?.map(str::to_owned),
        })
    }
}

fn profile(members: &Map<String, Value>) -> Result<ClientProfile, RegistrationError> {
    Ok(ClientProfile {
        client_uri: member::web_page(members, "client_uri")?,
        logo_uri: member::web_page(members, "logo_uri")?,
        tos_uri: member::web_page(members, "tos_uri")?,
        policy_uri: member::web_page(members, "policy_uri")?,
        contacts: member::texts(members, "contacts")?.unwrap_or_default(),
        software_id: member::text(members, "software_id")?,
        software_version: member::text(members, "software_version")?,
        application_type: member::parsed(members, "application_type", ApplicationType::parse)?,
    })
}

fn requests(members: &Map<String, Value>) -> Result<ClientRequests, RegistrationError> {
    Ok(ClientRequests {
        require_pushed_authorization_requests: member::switch(members, "require_pushed_authorization_requests")?,
        require_signed_request_object: member::switch(members, "require_signed_request_object")?,
        request_object_signing_alg: member::parsed(members, "request_object_signing_alg", |name| name.parse().ok())?,
        request_uris: member::texts(members, "request_uris")?.unwrap_or_default(),
    })
}

fn tokens(members: &Map<String, Value>) -> Result<ClientTokens, RegistrationError> {
    const CERTIFICATE: &str = "tls_client_certificate_bound_access_tokens";
    const ANSWERS: &str = "introspection_signed_response_alg";
    Ok(ClientTokens {
        dpop_bound_access_tokens: member::switch(members, "dpop_bound_access_tokens")?,
        tls_client_certificate_bound_access_tokens: member::switch(members, CERTIFICATE)?,
        authorization_details_types: member::texts(members, "authorization_details_types")?.unwrap_or_default(),
        introspection_signed_response_alg: member::parsed(members, ANSWERS, |name| name.parse().ok())?,
    })
}

fn redirect_uris(members: &Map<String, Value>, rules: RedirectRules) -> Result<Vec<RedirectUri>, RegistrationError> {
    const NAME: &str = "redirect_uris";
    let wrong = |what: &dyn std::fmt::Display| RegistrationError::RedirectUri(format!("{NAME}: {what}"));
    let Some(value) = member::present(members, NAME) else { return Ok(Vec::new()) };
    let values = value.as_array().filter(|values| values.len() <= ClientMetadata::MAX_REDIRECT_URIS);
    let values = values.ok_or_else(|| wrong(&"must be a list, and not a long one"))?;
    let mut uris: Vec<RedirectUri> = Vec::with_capacity(values.len());
    for value in values {
        let uri = value.as_str().ok_or_else(|| wrong(&"must be a list of strings"))?;
        let uri = RedirectUri::check(uri, rules).map_err(|error| wrong(&error))?;
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    Ok(uris)
}

/// OpenID Connect Dynamic Client Registration section 2. What is left for
/// `native` is what any redirect URI must be.
fn check_application_type(
    application_type: Option<ApplicationType>,
    uris: &[RedirectUri],
) -> Result<(), RegistrationError> {
    let fits = |uri: &RedirectUri| uri.is_https() && !uri.is_on_this_machine();
    if application_type == Some(ApplicationType::Web) && !uris.iter().all(fits) {
        let text = "redirect_uris: with application_type web, each is https and leads to another machine";
        return Err(RegistrationError::RedirectUri(text.to_owned()));
    }
    Ok(())
}

fn keys(members: &Map<String, Value>) -> Result<Option<ClientKeys>, RegistrationError> {
    let uri = member::long_text(members, "jwks_uri")?.map(str::to_owned);
    match (member::present(members, "jwks"), uri) {
        (Some(_), Some(_)) => Err(super::InvalidClient::TwoKeySources.into()),
        (None, uri) => Ok(uri.map(ClientKeys::Uri)),
        (Some(jwks), None) => {
            let jwks = ClientJwks::parse(jwks.to_string().as_bytes()).map_err(super::InvalidClient::from)?;
            Ok(Some(ClientKeys::Inline(jwks)))
        }
    }
}

fn tls_subject(members: &Map<String, Value>) -> Result<Option<TlsSubject>, RegistrationError> {
    let mut subjects = Vec::new();
    for name in TlsSubject::MEMBERS {
        let Some(value) = member::long_text(members, name)? else { continue };
        subjects.extend(TlsSubject::parse(name, value).map_err(super::InvalidClient::from)?);
    }
    Ok(only(subjects)?)
}

/// RFC 7591 section 2.1: a server "SHOULD take steps to ensure that a client
/// cannot register itself into an inconsistent state".
fn grant_types(members: &Map<String, Value>) -> Result<Vec<GrantType>, RegistrationError> {
    let grants = member::texts(members, "grant_types")?;
    let responses = member::texts(members, "response_types")?;
    let has = |list: &Option<Vec<String>>, name: &str| list.as_ref().map(|list| list.iter().any(|one| one == name));
    let code = has(&grants, GrantType::AUTHORIZATION_CODE.as_str()).unwrap_or(true);
    if has(&responses, "code").is_some_and(|response| response != code) {
        let text = "response_types: has code if, and only if, grant_types has authorization_code";
        return Err(RegistrationError::ClientMetadata(text.to_owned()));
    }
    let Some(grants) = grants else { return Ok(vec![GrantType::AUTHORIZATION_CODE]) };
    let mut distinct: Vec<GrantType> = Vec::new();
    for grant in grants.iter().map(|name| GrantType::from(name.as_str())) {
        if !distinct.contains(&grant) {
            distinct.push(grant);
        }
    }
    Ok(distinct)
}
