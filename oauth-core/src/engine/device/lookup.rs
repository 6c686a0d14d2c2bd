//! What somebody's code leads to.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Asked, Devices, Guesser, UserCode, guesses::WINDOW_SECONDS, no_browser};
use crate::{
    authorization_details::AuthorizationDetails,
    client::{Client, ClientId, GrantType},
    clock::UnixTime,
    engine::{
        authorization::{SignInReason, Wanted},
        client_documents::NoClient,
        fault::Fault,
    },
    params,
    scope::Scope,
    secret::Digest,
    server::AuthorizationServer,
};

/// What a code that somebody typed leads to.
#[derive(Debug)]
#[non_exhaustive]
pub enum DeviceLookup {
    /// The request of a device that waits.
    Found(Box<DeviceRequest>),
    /// No device waits for this code: it is mistyped, was used, or has expired.
    Unknown,
    /// Too many codes were wrong, and nothing was looked up: 429.
    Limited {
        /// When to try again, in seconds.
        retry_after: u64,
    },
}

/// What a device wants, in the hands of the host's page.
///
/// It can be decided once: [`approve`](Self::approve) and [`deny`](Self::deny)
/// consume it, here and in the store.
pub struct DeviceRequest {
    pub(super) server: AuthorizationServer,
    pub(super) client: Arc<Client>,
    pub(super) row: Digest,
    pub(super) asked: Asked,
    code: UserCode,
}

impl AuthorizationServer {
    /// What the code that somebody `typed` leads to, in whatever case and with
    /// whatever punctuation. Wrong ones are counted for who typed them.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn device(&self, typed: &str, by: Guesser<'_>) -> Result<DeviceLookup, Fault> {
        let Some(devices) = self.devices() else { return Ok(DeviceLookup::Unknown) };
        let Some(guess) = devices.guesses.begin(self, by).await? else {
            return Ok(DeviceLookup::Limited { retry_after: WINDOW_SECONDS });
        };
        let found = match UserCode::parse(typed) {
            Some(code) => self.device_of(devices, code).await?,
            None => None,
        };
        if let Some(found) = found {
            return Ok(DeviceLookup::Found(Box::new(found)));
        }
        guess.failed(self).await?;
        Ok(DeviceLookup::Unknown)
    }

    /// The request that a [`ticket`](DeviceRequest::ticket) for `session` names, if
    /// it still waits. It is no guess, and not counted as one.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn device_by_ticket(&self, ticket: &str, session: &str) -> Result<Option<DeviceRequest>, Fault> {
        let Some(devices) = self.devices() else { return Ok(None) };
        let opened = URL_SAFE_NO_PAD.decode(ticket).ok();
        let opened = opened.and_then(|sealed| devices.tickets.open(&self.ticket_context(session), &sealed));
        let Some((letters, grant)) = opened.as_deref().and_then(|opened| opened.split_first_chunk::<8>()) else {
            return Ok(None);
        };
        let Some(code) = std::str::from_utf8(letters).ok().and_then(UserCode::parse) else { return Ok(None) };
        // Another device may have got the same code since.
        Ok(self.device_of(devices, code).await?.filter(|found| found.asked.grant == *grant))
    }

    /// The absolute URL of the page where codes are typed (`verification_uri`), with
    /// `user_code` filled in if there is one; `None` where no device may ask.
    #[must_use]
    pub fn device_url(&self, user_code: Option<&str>) -> Option<String> {
        let path = &self.devices()?.settings.verification_path;
        let query = user_code.map(|code| format!("?{}", params::encode([("user_code", code.into())])));
        Some(format!("{}{path}{}", self.issuer(), query.unwrap_or_default()))
    }

    /// The path of that page, which says nothing of the host that a browser sees.
    #[must_use]
    pub fn device_path(&self) -> Option<String> {
        Some(format!("{}{}", self.issuer_path(), self.devices()?.settings.verification_path))
    }

    async fn device_of(&self, devices: &Devices, code: UserCode) -> Result<Option<DeviceRequest>, Fault> {
        for row in devices.rows(code) {
            let parked = self.store().interaction(row, no_browser(), self.now()).await?;
            let Some(asked) = parked.and_then(|parked| serde_json::from_slice::<Asked>(&parked.request).ok()) else {
                continue;
            };
            let client = self.client_of_device(&asked.device_client).await?;
            return Ok(client.map(|client| DeviceRequest { server: self.clone(), client, row, asked, code }));
        }
        Ok(None)
    }

    /// The client, if it still may ask.
    async fn client_of_device(&self, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        match self.named_client(id).await {
            Ok(client) => Ok(Some(client).filter(|client| client.may_use(&GrantType::DEVICE_CODE))),
            Err(NoClient::Unknown(_) | NoClient::Document(_)) => Ok(None),
            Err(NoClient::Fault(fault)) => Err(fault),
        }
    }

    fn ticket_context(&self, session: &str) -> Vec<u8> {
        [self.issuer(), "\n", session].concat().into_bytes()
    }
}

impl DeviceRequest {
    /// Who asks.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The host of the document that describes the client, if nobody has registered
    /// it: all that is known for certain of such a client.
    #[must_use]
    pub fn client_host(&self) -> Option<String> {
        self.client.document_host()
    }

    /// What it asks for.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.asked.scope
    }

    /// What it asks for beyond the scope (RFC 9396): everything in it comes from the
    /// client, so escape what you show.
    #[must_use]
    pub const fn authorization_details(&self) -> &AuthorizationDetails {
        &self.asked.authorization_details
    }

    /// Where: resource identifiers.
    #[must_use]
    pub fn resources(&self) -> &[String] {
        &self.asked.resources
    }

    /// The code, as the device shows it. Show it to the person, who then compares
    /// the two (RFC 8628 section 3.3.1).
    #[must_use]
    pub fn user_code(&self) -> String {
        self.code.text()
    }

    /// When the device asked, by this server's clock.
    #[must_use]
    pub const fn asked_at(&self) -> UnixTime {
        self.asked.asked_at
    }

    /// A name for this request in one browser session, for forms and addresses:
    /// [`AuthorizationServer::device_by_ticket`] finds it again. It is sealed, and of
    /// use with the same `session` alone, which must be secret: the value of a
    /// cookie, say.
    ///
    /// # Errors
    /// [`Fault`] if the source of randomness fails.
    pub fn ticket(&self, session: &str) -> Result<String, Fault> {
        let devices = self.server.devices().ok_or(Fault::Internal("no device may ask"))?;
        let plain = [self.code.letters().as_slice(), &self.asked.grant].concat();
        let context = self.server.ticket_context(session);
        let sealed = devices.tickets.seal(&context, &plain, self.server.random())?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Why somebody who is signed in since `auth_time`, in the way `acr`, has to
    /// sign in once more; `None` if they need not.
    #[must_use]
    pub fn needs_sign_in(&self, auth_time: Option<UnixTime>, acr: Option<&str>) -> Option<SignInReason> {
        let settings = self.server.authorization();
        let (asked_at, max_age) = (self.asked.asked_at, settings.default_max_age);
        let wanted = Wanted { asked_at, max_age, ..Wanted::default() };
        wanted.missing(settings, auth_time, acr, self.server.now())
    }
}

impl fmt::Debug for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceRequest").field("client", &self.client.id).finish_non_exhaustive()
    }
}
