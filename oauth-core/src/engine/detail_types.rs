//! The types of authorization details that a server knows, and what each demands
//! ([RFC 9396 section 5]).
//!
//! [RFC 9396 section 5]: https://www.rfc-editor.org/rfc/rfc9396#section-5

use std::{borrow::Cow, collections::BTreeMap, fmt, sync::Arc};

use crate::{
    authorization_details::{AuthorizationDetail, AuthorizationDetails},
    client::Client,
    error::{ErrorCode, OAuthError},
    params::Params,
};

/// A type of authorization details: what the API it belongs to makes of them.
///
/// ```
/// use oauth_core::{
///     authorization_details::AuthorizationDetail, engine::detail_types::{DetailType, InvalidDetail},
///     server::AuthorizationServer,
/// };
///
/// /// `{"type": "account", "actions": ["read"]}`
/// #[derive(Debug)]
/// struct Account;
///
/// impl DetailType for Account {
///     fn check(&self, detail: &AuthorizationDetail) -> Result<(), InvalidDetail> {
///         let known = |name: &String| ["type", "actions"].contains(&name.as_str());
///         let legal = !detail.texts("actions").is_empty() && detail.members().keys().all(known);
///         if legal { Ok(()) } else { Err(InvalidDetail::new("an account has actions and nothing else")) }
///     }
///
///     fn covers(&self, wider: &AuthorizationDetail, narrower: &AuthorizationDetail) -> bool {
///         narrower.texts("actions").iter().all(|action| wider.texts("actions").contains(action))
///     }
/// }
///
/// let builder = AuthorizationServer::builder("https://auth.example")
///     .authorization(|settings| settings.detail_type("account", Account));
/// # drop(builder);
/// ```
pub trait DetailType: fmt::Debug + Send + Sync + 'static {
    /// Whether `detail` is one of this type: a member that is unknown, missing or
    /// of the wrong kind must be refused (RFC 9396 section 5).
    ///
    /// # Errors
    /// [`InvalidDetail`] says what is wrong.
    fn check(&self, detail: &AuthorizationDetail) -> Result<(), InvalidDetail>;

    /// Whether all that `narrower` allows, `wider` allows too: what a token
    /// request, or a person, may make of what was asked for (section 6). By default
    /// only of equals.
    fn covers(&self, wider: &AuthorizationDetail, narrower: &AuthorizationDetail) -> bool {
        wider == narrower
    }
}

/// What is wrong with an authorization detail, for the developer of the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidDetail(Cow<'static, str>);

impl InvalidDetail {
    /// Says what is wrong: in English, and without repeating what was sent.
    pub fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self(what.into())
    }
}

/// The types that a server knows. Without any, it knows nothing of
/// `authorization_details`.
#[derive(Clone, Debug, Default)]
pub struct DetailTypes(BTreeMap<String, Arc<dyn DetailType>>);

impl DetailTypes {
    pub(crate) fn insert(&mut self, name: String, one: impl DetailType) {
        self.0.insert(name, Arc::new(one));
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is one of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The parameter, where it means something.
    pub(crate) fn parameter<'p>(&self, params: &'p Params) -> Option<&'p str> {
        params.get("authorization_details").filter(|_| !self.is_empty())
    }

    /// What `client` asks for at the start of a grant.
    pub(crate) fn requested(&self, params: &Params, client: &Client) -> Result<AuthorizationDetails, OAuthError> {
        let Some(text) = self.parameter(params) else { return Ok(AuthorizationDetails::default()) };
        let details = self.read(text)?;
        // RFC 9396 section 10: what the client has said that it will use.
        let allowed = |detail: &AuthorizationDetail| {
            client.tokens.authorization_details_types.iter().any(|own| own == detail.kind())
        };
        if !details.iter().all(allowed) {
            return Err(refused("the client may not use one of the types"));
        }
        Ok(details)
    }

    /// The part of `granted` that a token request wants: all, if it does not say.
    pub(crate) fn narrowed(
        &self,
        params: &Params,
        granted: &AuthorizationDetails,
    ) -> Result<AuthorizationDetails, OAuthError> {
        let Some(text) = self.parameter(params) else { return Ok(granted.clone()) };
        let details = self.read(text)?;
        if !details.iter().all(|detail| self.is_within(detail, granted)) {
            return Err(refused("an authorization detail exceeds what was granted"));
        }
        Ok(details)
    }

    /// Whether one of `granted` covers `detail`.
    pub(crate) fn is_within(&self, detail: &AuthorizationDetail, granted: &AuthorizationDetails) -> bool {
        let same_kind = |wider: &&AuthorizationDetail| wider.kind() == detail.kind();
        let Some(known) = self.0.get(detail.kind()) else { return false };
        known.check(detail).is_ok() && granted.iter().filter(same_kind).any(|wider| known.covers(wider, detail))
    }

    fn read(&self, text: &str) -> Result<AuthorizationDetails, OAuthError> {
        let details = AuthorizationDetails::parse(text).map_err(|error| refused(error.to_string()))?;
        details.iter().try_for_each(|detail| self.check(detail))?;
        Ok(details)
    }

    /// RFC 9396 section 5: "MUST refuse to process any unknown authorization details
    /// type".
    fn check(&self, detail: &AuthorizationDetail) -> Result<(), OAuthError> {
        let known = self.0.get(detail.kind()).ok_or_else(|| refused("one of the types is not known here"))?;
        known.check(detail).map_err(|InvalidDetail(what)| refused(what))
    }
}

fn refused(what: impl Into<Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidAuthorizationDetails, what)
}
