//! A user's devices, for the page where they are managed ("Account management").

use crate::{
    clock::UnixTime,
    engine::fault::Fault,
    matrix::{DeviceId, device_of},
    server::AuthorizationServer,
    store::Grant,
    token::GrantId,
};

/// For how many seconds a session is not over that has ended by time alone: another node's clock
/// may be behind, and a step that has begun is committed a moment later.
const LATE: u64 = 300;

/// One device of a user: a live session of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserDevice {
    /// Its id.
    pub id: DeviceId,
    /// What its client calls itself, or its identifier.
    pub client: String,
    /// Since when it is signed in.
    pub since: UnixTime,
    /// When it last got tokens.
    pub last_refresh: UnixTime,
}

/// A sign-in on a device, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceSession {
    /// The device, which may have had others.
    pub device: DeviceId,
    /// The grant behind it.
    pub grant: GrantId,
    /// How it stands.
    pub state: SessionState,
}

/// How the session of a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// Its code waits to be redeemed: the homeserver may know the device already.
    Begins,
    /// It has tokens.
    Lives,
    /// It had tokens: it was revoked, or nobody used it for too long, or its time is over.
    Ended,
}

impl AuthorizationServer {
    /// The devices of `subject` whose sessions live, the latest sign-in first.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn devices_of(&self, subject: &str) -> Result<Vec<UserDevice>, Fault> {
        let mut devices: Vec<UserDevice> = Vec::new();
        let mut grants = self.grants_of_user(subject).await?;
        grants.sort_by_key(|grant| std::cmp::Reverse(grant.created_at));
        for grant in grants {
            let Ok(Some(id)) = device_of(&grant.facts.scope) else { continue };
            if devices.iter().any(|known| known.id == id) || !self.has_session(&grant).await? {
                continue;
            }
            devices.push(self.user_device(grant, id).await?);
        }
        Ok(devices)
    }

    /// Every session on a device of `subject` that the store knows: those that have ended too, until
    /// their grants would have ended anyway. A code that nobody redeemed began none.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn device_sessions_of(&self, subject: &str) -> Result<Vec<DeviceSession>, Fault> {
        let mut sessions = Vec::new();
        for grant in self.grants_of_user(subject).await? {
            let Ok(Some(device)) = device_of(&grant.facts.scope) else { continue };
            if let Some(state) = self.session_state(&grant).await? {
                sessions.push(DeviceSession { device, grant: grant.id, state });
            }
        }
        Ok(sessions)
    }

    async fn session_state(&self, grant: &Grant) -> Result<Option<SessionState>, Fault> {
        let lives = self.lives(grant).await?;
        let ago = |end: UnixTime| self.now() >= end.saturating_add(LATE);
        let state = |over| if over || !lives { SessionState::Ended } else { SessionState::Lives };
        let idle = self.lifetimes().refresh_idle;
        Ok(match (&grant.refresh, &grant.code) {
            (Some(refresh), _) => Some(state(ago(refresh.used_at.saturating_add(idle)))),
            (None, Some(code)) if code.redeemed_at.is_some() => Some(state(false)),
            (None, Some(code)) => (lives && !ago(code.expires_at)).then_some(SessionState::Begins),
            // No homeserver was told of it.
            (None, None) => lives.then_some(SessionState::Lives),
        })
    }

    /// Every grant of a user that the store has.
    pub(super) async fn grants_of_user(&self, subject: &str) -> Result<Vec<Grant>, Fault> {
        const PAGE: usize = 100;
        let mut all: Vec<Grant> = Vec::new();
        loop {
            let after = all.last().map(|last| last.id);
            let page = self.store().grants_of(subject.to_owned(), after, PAGE).await?;
            let done = page.len() < PAGE;
            all.extend(page);
            if done {
                return Ok(all);
            }
        }
    }

    /// Whether its tokens were fetched, and can be fetched again.
    async fn has_session(&self, grant: &Grant) -> Result<bool, Fault> {
        let idle = self.lifetimes().refresh_idle;
        let refreshable = grant.refresh.as_ref().is_some_and(|it| self.now() < it.used_at.saturating_add(idle));
        Ok(refreshable && self.lives(grant).await?)
    }

    async fn user_device(&self, grant: Grant, id: DeviceId) -> Result<UserDevice, Fault> {
        let client = self.client(&grant.facts.client).await?;
        let name = client.and_then(|client| client.name.clone());
        Ok(UserDevice {
            id,
            client: name.unwrap_or_else(|| grant.facts.client.to_string()),
            since: grant.created_at,
            last_refresh: grant.refresh.as_ref().map_or(grant.created_at, |refresh| refresh.used_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authorization_details::AuthorizationDetails,
        client::Client,
        clock::ManualClock,
        profile::Matrix,
        secret::Digest,
        store::{Code, GrantFacts, Refresh},
    };

    const NOW: UnixTime = UnixTime(1_800_000_000);
    const MONTH: u64 = 30 * 86_400;

    fn code() -> Code {
        Code {
            digest: Digest::of(&[b"code"]),
            redirect_uri: "https://element.example/".to_owned(),
            redirect_uri_required: true,
            challenge: None,
            expires_at: NOW.saturating_add(60),
            redeemed_at: None,
        }
    }

    /// One of alice, on the device `D`, whose code waits.
    fn grant() -> Grant {
        let facts = GrantFacts {
            client: "element".parse().unwrap(),
            subject: Some("alice".to_owned()),
            scope: "urn:matrix:client:api:* urn:matrix:client:device:D".parse().unwrap(),
            resources: Vec::new(),
            auth_time: None,
            acr: None,
            authorization_details: AuthorizationDetails::default(),
            dpop_jkt: None,
        };
        let (id, expires_at) = (GrantId::from_bytes([1; 16]), NOW.saturating_add(MONTH));
        Grant { id, facts, created_at: NOW, expires_at, revoked_at: None, code: Some(code()), refresh: None }
    }

    fn redeemed() -> Grant {
        let code = Code { redeemed_at: Some(NOW), ..code() };
        let refresh = Refresh { digest: Digest::of(&[b"refresh"]), generation: 0, used_at: NOW, retry: None };
        Grant { code: Some(code), refresh: Some(refresh), ..grant() }
    }

    /// What is said of `grant` after as many seconds.
    async fn after(seconds: u64, grant: Grant) -> Option<SessionState> {
        let clock = ManualClock::new(NOW);
        let builder = AuthorizationServer::builder("https://as.example").profile(Matrix::new("example.org"));
        let element = Client::builder("element").redirect_uri("https://element.example/").build().unwrap();
        let server = builder.client(element).clock(clock.clone()).build().await.unwrap();
        server.store().insert_grant(grant, None).await.unwrap();
        clock.advance(seconds);
        let sessions = server.device_sessions_of("alice").await.unwrap();
        assert!(sessions.iter().all(|session| session.device.as_str() == "D") && sessions.len() < 2);
        sessions.first().map(|session| session.state)
    }

    #[tokio::test]
    async fn a_session_begins_with_a_code_that_waits_and_for_a_while_may_have_been_redeemed() {
        use SessionState::Begins;
        assert_eq!(after(0, grant()).await, Some(Begins));
        assert_eq!(after(60 + LATE - 1, grant()).await, Some(Begins));
        assert_eq!(after(60 + LATE, grant()).await, None);
        assert_eq!(after(0, Grant { revoked_at: Some(NOW), ..grant() }).await, None);
    }

    #[tokio::test]
    async fn a_session_ends_by_revocation_by_idleness_and_at_its_time() {
        use SessionState::{Ended, Lives};
        const IDLE: u64 = 7 * 86_400;
        assert_eq!(after(0, redeemed()).await, Some(Lives));
        assert_eq!(after(0, Grant { revoked_at: Some(NOW), ..redeemed() }).await, Some(Ended));
        assert_eq!(after(IDLE + LATE - 1, redeemed()).await, Some(Lives));
        assert_eq!(after(IDLE + LATE, redeemed()).await, Some(Ended));
        let brief = |grant| Grant { expires_at: NOW.saturating_add(3600), ..grant };
        assert_eq!(after(3599, brief(redeemed())).await, Some(Lives));
        assert_eq!(after(3600, brief(redeemed())).await, Some(Ended));
        // One that cannot be refreshed lives for as long as its grant.
        let alone = Grant { refresh: None, ..redeemed() };
        assert_eq!(after(3599, brief(alone.clone())).await, Some(Lives));
        assert_eq!(after(3600, brief(alone)).await, Some(Ended));
    }

    #[tokio::test]
    async fn what_began_without_a_code_keeps_its_device_and_takes_none_away() {
        let other = Grant { code: None, ..grant() };
        assert_eq!(after(0, other.clone()).await, Some(SessionState::Lives));
        assert_eq!(after(0, Grant { revoked_at: Some(NOW), ..other }).await, None);
    }
}
