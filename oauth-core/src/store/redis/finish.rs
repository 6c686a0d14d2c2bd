//! The end of an interaction: one step on two keys, the interaction and the
//! grant that it leads to, which a cluster keeps in two slots. It is decided
//! in the slot of the grant:
//!
//! 1. The interaction is *claimed*: it says for which grant, under a nonce.
//!    This ends nothing yet.
//! 2. The grant is inserted, and says from which claim, unless the claim has
//!    been voided. This is the moment at which it happens, or does not.
//! 3. The interaction is removed. Whoever finds it before that, or after a
//!    crash in between, looks at the grant and knows that it has ended.
//!
//! If nobody gets to step 2, because a node died or gave up, the next who ends
//! the interaction waits a moment, then *voids* the claim in the slot of its
//! grant, so that the second step can never follow, and claims the interaction
//! itself. So it happens once, and a crash at any point loses nothing.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    RedisStore,
    keyspace::encoded,
    request::{Reply, Request},
    row::{self, MARGIN, gone_at, time},
    script::{CLAIM, INSERT_GRANT, SETTLE, VOID},
};
use crate::{
    clock::{SystemRandom, UnixTime, random_bytes},
    secret::Digest,
    store::{FinishInteraction, Grant, StoreError},
    token::GrantId,
};

/// How often we look whether another's claim has led to its grant, before we
/// void it: for some hundred times what that should take.
const LOOKS: u32 = 20;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A grant that an interaction shall lead to.
#[derive(Clone)]
pub(super) struct Claim {
    grant: GrantId,
    nonce: String,
}

impl Claim {
    fn new(grant: &Grant) -> Result<Self, StoreError> {
        let nonce: [u8; 16] = random_bytes(&SystemRandom).map_err(StoreError::unavailable)?;
        Ok(Self { grant: grant.id, nonce: encoded(&nonce) })
    }

    pub(super) fn parse(text: &str) -> Result<Self, StoreError> {
        let parsed = text.split_once(' ').and_then(|(grant, nonce)| {
            let grant = URL_SAFE_NO_PAD.decode(grant).ok()?.try_into().ok()?;
            Some(Self { grant: GrantId::from_bytes(grant), nonce: nonce.to_owned() })
        });
        parsed.ok_or(StoreError::Corrupt("interaction"))
    }

    fn text(&self) -> String {
        format!("{} {}", encoded(self.grant.as_bytes()), self.nonce)
    }
}

/// What became of an attempt to claim an interaction.
enum Claimed {
    /// It is gone, expired or another browser's.
    Gone,
    /// It led to no grant, and is no more.
    Ended,
    /// It is ours, and would have ended then.
    Ours(UnixTime),
    /// It is another's, or nobody's where somebody's was expected.
    Others(Option<Claim>),
}

impl RedisStore {
    pub(super) async fn finish(&self, finish: FinishInteraction) -> Result<bool, StoreError> {
        let (mut voided, mut looks) = (None, 0);
        loop {
            let ours = finish.grant.as_ref().map(|grant| Claim::new(grant).map(|claim| (grant, claim))).transpose()?;
            let claim = ours.as_ref().map(|(_, claim)| claim);
            match (self.claim(&finish, voided.take().as_ref(), claim).await?, &ours) {
                (Claimed::Gone, _) => return Ok(false),
                (Claimed::Ended, _) => return Ok(true),
                (Claimed::Ours(until), Some((grant, claim))) => {
                    if self.lead(finish.id, claim, grant, until).await? {
                        return Ok(true);
                    }
                }
                (Claimed::Others(Some(other)), _) => {
                    if self.has_led(&other).await? {
                        self.settle(finish.id, &other, "end").await;
                        return Ok(false);
                    }
                    looks += 1;
                    if looks % LOOKS != 0 {
                        tokio::time::sleep(LOOK_EVERY).await;
                    } else if self.void(&other, finish.now).await? {
                        voided = Some(other);
                    }
                }
                (Claimed::Others(None), _) => {}
                (Claimed::Ours(_), None) => return Err(StoreError::Corrupt("interaction")),
            }
        }
    }

    /// The first step: claims the interaction, if nobody has or `voided` had.
    async fn claim(
        &self,
        finish: &FinishInteraction,
        voided: Option<&Claim>,
        ours: Option<&Claim>,
    ) -> Result<Claimed, StoreError> {
        let text = |claim: Option<&Claim>| claim.map(Claim::text).unwrap_or_default();
        let script = Request::script(&CLAIM, [self.keys().interaction(finish.id)])
            .arg(*finish.browser.as_bytes())
            .arg(time(finish.now))
            .arg(text(voided))
            .arg(text(ours));
        let mut reply = Reply::new(self.ask(&script).await?, "interaction");
        match reply.text()?.as_str() {
            "gone" => Ok(Claimed::Gone),
            "ended" => Ok(Claimed::Ended),
            "ours" => Ok(Claimed::Ours(UnixTime(reply.text()?.parse().map_err(|_| reply.damaged())?))),
            "claimed" => {
                let other = Some(reply.text()?).filter(|claim| !claim.is_empty());
                Ok(Claimed::Others(other.as_deref().map(Claim::parse).transpose()?))
            }
            _ => Err(reply.damaged()),
        }
    }

    /// The second step, and the third: inserts the grant, unless the claim has
    /// been voided.
    async fn lead(&self, id: Digest, ours: &Claim, grant: &Grant, until: UnixTime) -> Result<bool, StoreError> {
        // The grant stays for as long as somebody may ask what became of the
        // interaction.
        let mut fields = row::fields(grant, gone_at(grant.expires_at.max(until)))?;
        fields.put("origin", ours.nonce.as_str());
        self.list(grant).await?;
        let mut keys = self.of_grant(grant.id, Digest::from_bytes([0; 32])).to_vec();
        keys.push(self.keys().void(grant.id, &ours.nonce));
        let insert = Request::script(&INSERT_GRANT, keys).arg(gone_at(grant.ends_at().max(until)));
        match self.insert(insert, grant, None, fields).await?.as_str() {
            "inserted" => {
                self.settle(id, ours, "end").await;
                Ok(true)
            }
            "conflict" => {
                self.settle(id, ours, "release").await;
                Err(StoreError::Conflict("grant"))
            }
            "void" => Ok(false),
            _ => Err(StoreError::Corrupt("grant")),
        }
    }

    /// Whether there is the grant of that claim.
    pub(super) async fn has_led(&self, claim: &Claim) -> Result<bool, StoreError> {
        let origin = self.ask(&Request::reads("HGET", self.keys().grant(claim.grant)).arg("origin")).await?;
        Ok(Reply::new(origin, "grant").optional_bytes()?.is_some_and(|origin| origin == claim.nonce.as_bytes()))
    }

    /// Sees to it that the claim leads to nothing; `false` if it already has.
    async fn void(&self, claim: &Claim, now: UnixTime) -> Result<bool, StoreError> {
        let keys = [self.keys().grant(claim.grant), self.keys().void(claim.grant, &claim.nonce)];
        let script = Request::script(&VOID, keys).arg(claim.nonce.as_str()).arg(gone_at(now.saturating_add(MARGIN)));
        let mut reply = Reply::new(self.ask(&script).await?, "grant");
        match reply.text()?.as_str() {
            "void" => Ok(true),
            "finished" => Ok(false),
            _ => Err(reply.damaged()),
        }
    }

    /// Tidies up. What fails here is found out by whoever asks next.
    async fn settle(&self, id: Digest, claim: &Claim, how: &str) {
        let settle = Request::script(&SETTLE, [self.keys().interaction(id)]).arg(claim.text()).arg(how);
        drop(self.ask(&settle).await);
    }
}
