//! A user's devices, for the page where they are managed ("Account management").

use crate::{
    clock::UnixTime,
    engine::fault::Fault,
    matrix::{DeviceId, device_of},
    server::AuthorizationServer,
    store::Grant,
};

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
