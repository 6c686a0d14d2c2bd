//! Who sends a request, and whether they may.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Request, Uri, header::AUTHORIZATION, request::Parts};
use oauth_core::matrix::{DeviceId, UserId, device_of, has_api};

use super::{
    Account, AccountState, MatrixError, Session,
    appservice::digest,
    builder::{Homeserver, Service, UserIs},
    layer::Marks,
    session::Bearer,
};
use crate::resource::{
    Refusal, RefusalKind, Validated, ValidatedToken, credentials::Credentials, outage, validate::Failure,
};

/// A request that may pass.
pub(super) struct Admitted {
    /// `None`: anonymous, where the route permits it.
    pub(super) session: Option<Session>,
    /// For the response.
    pub(super) headers: HeaderMap,
}

/// Who is meant, before anybody has asked whether they exist.
struct Claimed {
    user: UserId,
    device: Option<DeviceId>,
    bearer: Bearer,
    headers: HeaderMap,
}

impl Homeserver {
    pub(super) async fn admit(&self, marks: &Marks, parts: &Parts) -> Result<Admitted, MatrixError> {
        let moved = self.query_token(parts)?;
        let parts = moved.as_ref().unwrap_or(parts);
        let claimed = match self.appservice(parts) {
            Some(service) => self.masquerade(service, marks, &parts.uri)?,
            None => match self.server.validate(parts).await {
                Ok(validated) => self.claimed(validated)?,
                Err(refusal) if marks.optional && *refusal.kind() == RefusalKind::MissingCredentials => {
                    return Ok(Admitted { session: None, headers: HeaderMap::new() });
                }
                Err(refusal) => return Err(self.json.error_for(&refusal, &parts.headers)),
            },
        };
        self.limit(&claimed)?;
        let account = self.account(&claimed).await?;
        marks.admit(&account)?;
        self.check_policy(marks, &claimed.bearer)?;
        let Claimed { user, device, bearer, headers } = claimed;
        let (state, is_guest) = (account.state, account.is_guest);
        Ok(Admitted { session: Some(Session { user, device, bearer, state, is_guest }), headers })
    }

    /// What the token of the header says, as an application service's.
    fn appservice(&self, parts: &Parts) -> Option<&Service> {
        if self.appservices.is_empty() {
            return None;
        }
        let Ok(Credentials::Bearer(token)) = Credentials::read(&parts.headers, parts.uri.query(), &[]) else {
            return None;
        };
        let token = digest(token);
        self.appservices.iter().find(|service| service.appservice.has(&token))
    }

    /// For whom an application service acts (application service API, "Identity
    /// assertion").
    fn masquerade(&self, service: &Service, marks: &Marks, uri: &Uri) -> Result<Claimed, MatrixError> {
        let wanted = |name| if marks.masquerade { only(uri, name) } else { Ok(None) };
        let user = match wanted("user_id")? {
            None => service.sender.clone(),
            Some(id) => {
                let user = UserId::parse(&id).ok().filter(|user| self.may_be(service, user));
                user.ok_or_else(|| MatrixError::forbidden("the application service may not act for this user"))?
            }
        };
        let device = wanted("device_id")?.map(|id| DeviceId::new(&id).map_err(|_| MatrixError::unknown_device()));
        let bearer = Bearer::Appservice(Arc::clone(service.appservice.id()));
        Ok(Claimed { user, device: device.transpose()?, bearer, headers: HeaderMap::new() })
    }

    fn may_be(&self, service: &Service, user: &UserId) -> bool {
        *user == service.sender || service.appservice.may_be(user, &self.name)
    }

    /// Whom a good token speaks for.
    fn claimed(&self, validated: Validated) -> Result<Claimed, MatrixError> {
        let headers = validated.response_headers();
        let token = validated.into_token();
        if !has_api(token.scope()) {
            return Err(MatrixError::forbidden("the access token is not for this API").with_headers(headers));
        }
        let user = self.user(&token)?;
        let device = device(&token).map_err(|reason| disagree(&token, reason))?;
        if device.is_none() && !self.device_optional {
            return Err(MatrixError::forbidden("the access token names no device").with_headers(headers));
        }
        Ok(Claimed { user, device, bearer: Bearer::Token(token), headers })
    }

    fn user(&self, token: &ValidatedToken) -> Result<UserId, MatrixError> {
        let localpart = match self.user_is {
            UserIs::Username => token.claim("username").and_then(|name| name.as_str()),
            // RFC 9700 section 4.15: a client that acts for itself must not be taken for a
            // user of the same name.
            UserIs::Subject if token.client_id() == Some(token.subject()) => {
                return Err(MatrixError::forbidden("the access token is no user's"));
            }
            UserIs::Subject => Some(token.subject()),
        };
        let user = localpart.and_then(|localpart| UserId::new(localpart, self.name.as_str()).ok());
        user.ok_or_else(|| disagree(token, "a token names no user"))
    }

    fn limit(&self, claimed: &Claimed) -> Result<(), MatrixError> {
        let Some(limit) = &self.limit else { return Ok(()) };
        let is_free = match &claimed.bearer {
            Bearer::Token(_) => false,
            Bearer::Appservice(id) => !self.is_rate_limited(id),
        };
        if is_free {
            return Ok(());
        }
        let taken = limit.take(claimed.user.clone(), self.now());
        taken.map(drop).map_err(MatrixError::limit_exceeded)
    }

    fn is_rate_limited(&self, id: &Arc<str>) -> bool {
        let mut own = self.appservices.iter().filter(|service| Arc::ptr_eq(service.appservice.id(), id));
        own.any(|service| service.appservice.rate_limited)
    }

    async fn account(&self, claimed: &Claimed) -> Result<Account, MatrixError> {
        let found = self.accounts.account(&claimed.user, claimed.device.as_ref()).await;
        let found = found.map_err(|error| {
            outage::report(self.name.as_str(), &format!("accounts: {}", outage::chain(&*error)));
            MatrixError::unavailable(Failure::MEMORY)
        })?;
        match (&claimed.bearer, found) {
            (Bearer::Appservice(_), Some(account)) if account.lacks_device => Err(MatrixError::unknown_device()),
            (Bearer::Token(_), Some(account)) if account.lacks_device => Err(MatrixError::unknown_token()),
            (_, Some(account)) => Ok(account),
            (Bearer::Token(token), None) => Err(disagree(token, "a token is of a user that does not exist")),
            (Bearer::Appservice(_), None) => self.sender(claimed),
        }
    }

    /// The sender need not have been registered, and has no devices then.
    fn sender(&self, claimed: &Claimed) -> Result<Account, MatrixError> {
        if !self.appservices.iter().any(|service| service.sender == claimed.user) {
            return Err(MatrixError::forbidden("the user is not registered"));
        }
        if claimed.device.is_some() { Err(MatrixError::unknown_device()) } else { Ok(Account::default()) }
    }

    fn check_policy(&self, marks: &Marks, bearer: &Bearer) -> Result<(), MatrixError> {
        if marks.appservices_only && matches!(bearer, Bearer::Token(_)) {
            return Err(MatrixError::forbidden("this is not for the OAuth 2.0 API"));
        }
        let Some(policy) = &marks.policy else { return Ok(()) };
        let refused = |refusal: Refusal| self.json.error(&refusal);
        match bearer {
            Bearer::Token(token) => token.require(policy).map_err(refused),
            // It has no scope that could be enough.
            Bearer::Appservice(_) => Err(MatrixError::forbidden("this is not for application services")),
        }
    }

    /// A request with the token where it belongs, if it came in the query and that
    /// is permitted.
    fn query_token(&self, parts: &Parts) -> Result<Option<Parts>, MatrixError> {
        if !self.query_tokens || parts.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        let Some(token) = only(&parts.uri, "access_token").map_err(|_| MatrixError::missing_token())? else {
            return Ok(None);
        };
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| MatrixError::unknown_token())?;
        value.set_sensitive(true);
        let (mut moved, ()) = Request::new(()).into_parts();
        moved.method = parts.method.clone();
        moved.uri = without_token(&parts.uri)?;
        moved.headers = parts.headers.clone();
        moved.headers.insert(AUTHORIZATION, value);
        moved.extensions = parts.extensions.clone();
        Ok(Some(moved))
    }
}

impl Marks {
    /// Whether an account in this state gets through here.
    fn admit(&self, account: &Account) -> Result<(), MatrixError> {
        match account.state {
            AccountState::Deactivated => return Err(MatrixError::unknown_token()),
            // "Account locking": "on all Client-Server APIs except" the two that sign out.
            AccountState::Locked if !self.locked => return Err(MatrixError::user_locked()),
            AccountState::Suspended if !self.suspended => return Err(MatrixError::user_suspended()),
            _ => {}
        }
        if account.is_guest && !self.guests { Err(MatrixError::guest_access_forbidden()) } else { Ok(()) }
    }
}

/// The one device of a token: as its issuer says, or as its scope does.
fn device(token: &ValidatedToken) -> Result<Option<DeviceId>, &'static str> {
    let in_scope = device_of(token.scope()).map_err(|_| "a token names two devices")?;
    let said = match token.claim("device_id") {
        None | Some(serde_json::Value::Null) => return Ok(in_scope),
        Some(said) => said.as_str().and_then(|id| DeviceId::new(id).ok()).ok_or("the device of a token is none")?,
    };
    if in_scope.is_some_and(|device| device != said) { Err("a token names two devices") } else { Ok(Some(said)) }
}

/// What no client can help.
fn disagree(token: &ValidatedToken, reason: &str) -> MatrixError {
    outage::report(token.issuer(), reason);
    MatrixError::internal()
}

/// The one parameter of this name.
fn only(uri: &Uri, name: &str) -> Result<Option<String>, MatrixError> {
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut values = query.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    match (values.next(), values.next()) {
        (_, Some(_)) => {
            Err(MatrixError::new(http::StatusCode::BAD_REQUEST, "M_INVALID_PARAM", format!("{name} is there twice")))
        }
        (value, None) => Ok(value),
    }
}

/// The same without the parameter `access_token`.
fn without_token(uri: &Uri) -> Result<Uri, MatrixError> {
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let rest = query.filter(|(name, _)| name != "access_token");
    let rest = form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
    format!("{}?{rest}", uri.path()).parse().map_err(|_| MatrixError::internal())
}
