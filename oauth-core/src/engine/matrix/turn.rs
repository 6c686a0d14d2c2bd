//! A new grant for a device ends the older ones ("Relationship between access tokens and
//! devices").
//!
//! Whoever redeems a code takes a number first. Then of two that meet, each knows which
//! came later: it stays, and the other ends, by whichever of the two comes to it first.
//! Nothing but the numbers is shared, so it holds on every store and between nodes.

use super::NewDevice;
use crate::{
    client::Client,
    engine::fault::Fault,
    matrix::{DeviceId, device_of},
    secret::Digest,
    server::AuthorizationServer,
    store::{Code, Grant},
    token::GrantId,
};

/// For how long marks are kept, in seconds: longer than any two redemptions can meet.
const MARKS_LAST: u64 = 3600;

/// A grant's turn to have its device.
pub(crate) struct Turn {
    subject: String,
    device: DeviceId,
    number: u64,
}

impl AuthorizationServer {
    /// What comes before a code is redeemed; `None` for what is not about a device.
    /// `answers`: whether the request has all that the code is bound to.
    pub(crate) async fn take_turn(
        &self,
        client: &Client,
        grant: &Grant,
        answers: impl Fn(&Code) -> bool,
    ) -> Result<Option<Turn>, Fault> {
        let Some(settings) = self.matrix() else { return Ok(None) };
        let (Some(subject), Ok(Some(device))) = (grant.facts.subject.clone(), device_of(&grant.facts.scope)) else {
            return Ok(None);
        };
        // A code that is spent makes no device, nor one that somebody has seen who has not its
        // verifier: nothing would ever take it away.
        let redeemable = self.is_redeemable(grant) && grant.code.as_ref().is_some_and(answers);
        if let Some(homeserver) = settings.homeserver.as_ref().filter(|_| redeemable) {
            let user = settings.user(&subject).ok_or(Fault::Internal("a subject is no localpart of Matrix"))?;
            homeserver.upsert(NewDevice { user: &user, device: &device, name: client.name.as_deref() }).await?;
        }
        let now = self.now();
        // The count begins anew after this time. Two that meet in that very moment could end each other.
        let until = now.saturating_add(self.lifetimes().refresh.max(MARKS_LAST));
        let number = self.store().count_use(counter(&subject, &device), until, now).await?;
        let turn = Turn { subject, device, number };
        let _mark = self.store().count_use(mark(grant.id, number), now.saturating_add(MARKS_LAST), now).await?;
        Ok(Some(turn))
    }

    fn is_redeemable(&self, grant: &Grant) -> bool {
        let now = self.now();
        let fresh = grant.code.as_ref().is_some_and(|code| code.redeemed_at.is_none() && now < code.expires_at);
        fresh && grant.is_live(now)
    }

    /// What comes after: ends the older grants for the device. `false` if a newer one has
    /// ended this one.
    pub(crate) async fn end_older(&self, turn: &Turn, own: GrantId) -> Result<bool, Fault> {
        let others = self.redeemed(turn, own).await?;
        let last = self.store().uses(counter(&turn.subject, &turn.device), self.now()).await?;
        for other in others {
            if self.is_later(other.id, turn.number, last).await? {
                self.revoke_grant(own).await?;
                return Ok(false);
            }
            self.end_grant(&other).await?;
        }
        Ok(true)
    }

    /// The other live grants for the device whose codes were redeemed.
    async fn redeemed(&self, turn: &Turn, own: GrantId) -> Result<Vec<Grant>, Fault> {
        let is_other = |grant: &Grant| {
            let redeemed = grant.code.as_ref().is_none_or(|code| code.redeemed_at.is_some()) || grant.refresh.is_some();
            let same = device_of(&grant.facts.scope).is_ok_and(|device| device.as_ref() == Some(&turn.device));
            grant.id != own && redeemed && same && grant.is_live(self.now())
        };
        let all = self.grants_of_user(&turn.subject).await?;
        Ok(all.into_iter().filter(is_other).collect())
    }

    /// Whether `other` has a number after `number`.
    async fn is_later(&self, other: GrantId, number: u64, last: u64) -> Result<bool, Fault> {
        for later in number.saturating_add(1)..=last {
            if self.store().uses(mark(other, later), self.now()).await? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn counter(subject: &str, device: &DeviceId) -> Digest {
    Digest::of(&[b"matrix device\n", device.as_str().as_bytes(), b"\n", subject.as_bytes()])
}

fn mark(grant: GrantId, number: u64) -> Digest {
    Digest::of(&[b"matrix turn\n", grant.as_bytes(), &number.to_be_bytes()])
}
