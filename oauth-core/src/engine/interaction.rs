//! Interactions: a validated authorization request, parked until its person
//! has signed in and decided.
//!
//! The engine parks the request and sends the browser to the host's page with
//! `?id=`. The page calls [`AuthorizationServer::interaction`], which finds it
//! again only for the browser that started it; what the page may show and
//! decide is on [`Interaction`]. Login and consent belong to the host.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::fault::Fault;
use crate::{
    client::{Client, ClientId, GrantType},
    clock::{UnixTime, random_bytes},
    cookie,
    error::OAuthError,
    event::Event,
    params,
    pkce::CodeChallenge,
    scope::Scope,
    secret::{Digest, Secret},
    server::AuthorizationServer,
    store::{Code, FinishInteraction, Grant, GrantFacts, ParkedInteraction},
    token::{GrantId, TokenKind},
};

/// The cookie that binds interactions to a browser.
const BROWSER_COOKIE: &str = "oauth-browser";

/// An authorization request after every check, as it is parked.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ValidRequest {
    pub(crate) client: ClientId,
    pub(crate) redirect_uri: String,
    pub(crate) redirect_uri_required: bool,
    pub(crate) state: Option<String>,
    pub(crate) scope: Scope,
    pub(crate) resources: Vec<String>,
    pub(crate) challenge: CodeChallenge,
}

/// A parked request's id, and the cookie to set if the browser had none.
pub(crate) struct Parked {
    pub(crate) id: String,
    pub(crate) cookie: Option<HeaderValue>,
}

/// A request that waits for its person, in the hands of the host's page.
///
/// It holds validated facts only; the redirect URI is the registered one. It
/// can be decided once: [`Interaction::approve`] and [`Interaction::deny`]
/// consume it, here and in the store.
pub struct Interaction {
    server: AuthorizationServer,
    id: String,
    browser: Zeroizing<String>,
    client: std::sync::Arc<Client>,
    request: ValidRequest,
}

/// A person's yes.
#[derive(Clone, Debug)]
pub struct Approval {
    subject: String,
    auth_time: Option<UnixTime>,
    acr: Option<String>,
    scope: Option<Scope>,
}

impl Approval {
    /// Approval by the user `subject`: the host's stable identifier of them,
    /// which becomes the token's `sub`.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), auth_time: None, acr: None, scope: None }
    }

    /// Sets when the user last proved who they are.
    #[must_use]
    pub const fn auth_time(mut self, time: UnixTime) -> Self {
        self.auth_time = Some(time);
        self
    }

    /// Sets how well they did: an authentication context class reference.
    #[must_use]
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// Grants only these of the scopes that were asked for.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }
}

impl AuthorizationServer {
    /// The interaction `id`, if it was started by the browser that sent
    /// `headers` and still waits; `None` for everyone else.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn interaction(&self, id: &str, headers: &HeaderMap) -> Result<Option<Interaction>, Fault> {
        let Some(browser) = self.browser(headers) else { return Ok(None) };
        let parked = self.store().interaction(id_digest(id), browser_digest(browser), self.now()).await?;
        let request: Option<ValidRequest> = parked.and_then(|one| serde_json::from_slice(&one.request).ok());
        let Some(request) = request else { return Ok(None) };
        // A client that was deleted meanwhile gets nothing.
        let Some(client) = self.client(&request.client).await? else { return Ok(None) };
        let browser = Zeroizing::new(browser.to_owned());
        Ok(Some(Interaction { server: self.clone(), id: id.to_owned(), browser, client, request }))
    }

    /// Parks `request` for the browser that sent `headers`.
    pub(crate) async fn park(&self, request: &ValidRequest, headers: &HeaderMap) -> Result<Parked, Fault> {
        let id = URL_SAFE_NO_PAD.encode(random_bytes::<32>(self.random())?);
        let known = self.browser(headers).map(|browser| Zeroizing::new(browser.to_owned()));
        let fresh = known.is_none();
        let browser = match known {
            Some(browser) => browser,
            None => Zeroizing::new(URL_SAFE_NO_PAD.encode(random_bytes::<32>(self.random())?)),
        };
        let parked = ParkedInteraction {
            id: id_digest(&id),
            browser: browser_digest(&browser),
            request: serde_json::to_vec(request).map_err(|_| Fault::Internal("a request cannot be serialized"))?,
            expires_at: self.now().saturating_add(self.lifetimes().interaction),
        };
        self.store().park_interaction(parked).await?;
        let development = self.is_development();
        let cookie = fresh.then(|| cookie::write(BROWSER_COOKIE, &browser, None, development));
        Ok(Parked { id, cookie })
    }

    fn browser<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let value = cookie::read(headers, &cookie::name(BROWSER_COOKIE, self.is_development()))?;
        (value.len() == 43).then_some(value)
    }

    /// The URL that delivers `pairs` to the client, with `state` and `iss`
    /// (RFC 9207): appended to the query the redirect URI may have.
    pub(crate) fn redirect_to(&self, uri: &str, state: Option<&str>, pairs: &[(&'static str, &str)]) -> String {
        let given = pairs.iter().map(|(name, value)| (*name, Cow::Borrowed(*value)));
        let state = state.map(|state| ("state", Cow::Borrowed(state)));
        let query = params::encode(given.chain(state).chain([("iss", Cow::Borrowed(self.issuer()))]));
        let joint = match uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, existing)) if existing.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{uri}{joint}{query}")
    }

    pub(crate) fn error_redirect(&self, uri: &str, state: Option<&str>, error: &OAuthError) -> String {
        let pairs = [("error", error.code().as_str()), ("error_description", error.description())];
        self.redirect_to(uri, state, &pairs)
    }
}

impl Interaction {
    /// Its id, as in the page's URL.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who asks.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The host that the code will be sent to, to be shown; the scheme of an
    /// app's private-use URI.
    #[must_use]
    pub fn redirect_host(&self) -> String {
        let url = url::Url::parse(&self.request.redirect_uri).ok();
        let host = url.as_ref().and_then(|url| url.host_str());
        host.or(url.as_ref().map(url::Url::scheme)).unwrap_or_default().to_owned()
    }

    /// The origin of the redirect URI, or its scheme and a colon, for the
    /// `form-action` of the page: browsers apply it to the redirect after the
    /// POST.
    #[must_use]
    pub fn redirect_origin(&self) -> String {
        let Ok(url) = url::Url::parse(&self.request.redirect_uri) else { return String::new() };
        match url.origin() {
            origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
            url::Origin::Opaque(_) => format!("{}:", url.scheme()),
        }
    }

    /// What it asks for.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.request.scope
    }

    /// Where: resource identifiers.
    #[must_use]
    pub fn resources(&self) -> &[String] {
        &self.request.resources
    }

    /// A token for the page's forms, good for this interaction in this browser
    /// alone (OAuth 2.1 section 9.15).
    #[must_use]
    pub fn csrf_token(&self) -> String {
        self.csrf_tokens().next().unwrap_or_default()
    }

    /// Whether `presented` is [`Interaction::csrf_token`], in constant time.
    #[must_use]
    pub fn csrf_matches(&self, presented: &str) -> bool {
        let presented = presented.as_bytes();
        self.csrf_tokens().any(|token| !token.is_empty() && bool::from(token.as_bytes().ct_eq(presented)))
    }

    /// One per root secret, the current one first: a page that was shown before
    /// a rotation is still good.
    fn csrf_tokens(&self) -> impl Iterator<Item = String> {
        let tags = self.server.csrf_tags(&[self.id.as_bytes(), self.browser.as_bytes()]);
        tags.into_iter().map(|tag| URL_SAFE_NO_PAD.encode(tag))
    }

    /// Ends it with a yes: makes the grant and its code in one step. Returns
    /// where to send the browser (303); `None` if it had been decided before.
    ///
    /// # Errors
    /// [`Fault`] if the store or the source of randomness fails, or if the
    /// subject has the identifier of a client; nothing was decided then.
    pub async fn approve(self, approval: Approval) -> Result<Option<String>, Fault> {
        if let Ok(namesake) = ClientId::new(&approval.subject)
            && self.server.client(&namesake).await?.is_some()
        {
            return Err(Fault::SubjectIsClient);
        }
        let id = GrantId::generate(self.server.random())?;
        let code = self.server.codec().mint(TokenKind::Code, id, 0, self.server.random())?;
        let grant = self.grant(id, code.digest, approval);
        if !self.finish(Some(grant)).await? {
            return Ok(None);
        }
        self.server.tell(&Event::Approved { grant: id, client: &self.client.id });
        Ok(Some(self.redirect_with_code(&code.text)))
    }

    /// Ends it with a no: `access_denied` goes to the client. Returns where to
    /// send the browser (303); `None` if it had been decided before.
    ///
    /// # Errors
    /// [`Fault`] if the store fails; nothing was decided then.
    pub async fn deny(self) -> Result<Option<String>, Fault> {
        if !self.finish(None).await? {
            return Ok(None);
        }
        self.server.tell(&Event::Denied { client: &self.client.id });
        let error = OAuthError::new(crate::error::ErrorCode::AccessDenied, "the request was denied");
        let state = self.request.state.as_deref();
        Ok(Some(self.server.error_redirect(&self.request.redirect_uri, state, &error)))
    }

    async fn finish(&self, grant: Option<Grant>) -> Result<bool, Fault> {
        let (id, browser) = (id_digest(&self.id), browser_digest(&self.browser));
        let finish = FinishInteraction { id, browser, now: self.server.now(), grant };
        Ok(self.server.store().finish_interaction(finish).await?)
    }

    fn redirect_with_code(&self, code: &Secret) -> String {
        let state = self.request.state.as_deref();
        self.server.redirect_to(&self.request.redirect_uri, state, &[("code", code.expose())])
    }

    fn grant(&self, id: GrantId, digest: Digest, approval: Approval) -> Grant {
        let now = self.server.now();
        let lifetimes = self.server.lifetimes();
        let code_ends = now.saturating_add(lifetimes.code);
        let lives_on = self.client.may_use(&GrantType::REFRESH_TOKEN);
        let lasts = if lives_on { now.saturating_add(lifetimes.refresh) } else { code_ends };
        let asked = &self.request.scope;
        let facts = GrantFacts {
            client: self.client.id.clone(),
            subject: Some(approval.subject),
            // The person may give less than was asked for, never more.
            scope: approval.scope.map_or_else(|| asked.clone(), |given| asked.intersection(&given)),
            resources: self.request.resources.clone(),
            auth_time: approval.auth_time,
            acr: approval.acr,
        };
        Grant {
            id,
            facts,
            created_at: now,
            expires_at: lasts.max(code_ends.saturating_add(lifetimes.access)),
            revoked_at: None,
            code: Some(Code {
                digest,
                redirect_uri: self.request.redirect_uri.clone(),
                redirect_uri_required: self.request.redirect_uri_required,
                challenge: Some(self.request.challenge),
                expires_at: code_ends,
                redeemed_at: None,
            }),
            refresh: None,
        }
    }
}

impl std::fmt::Debug for Interaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interaction").field("client", &self.client.id).finish_non_exhaustive()
    }
}

fn id_digest(id: &str) -> Digest {
    Digest::of(&[b"interaction", id.as_bytes()])
}

fn browser_digest(browser: &str) -> Digest {
    Digest::of(&[b"browser", browser.as_bytes()])
}
