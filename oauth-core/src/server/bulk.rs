//! Revoking much at once: what a user, a device or a client was given, or whatever
//! is older than some time.

mod walk;

use std::fmt;

use self::walk::Walk;
use super::AuthorizationServer;
use crate::{
    client::{Client, ClientId},
    clock::UnixTime,
    engine::{fault::Fault, revocations::Revoked},
    event::Event,
    matrix::device_of,
    store::{Grant, disown},
};

/// What is to be revoked by [`AuthorizationServer::revoke_all`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selection {
    /// Everything that was given by a user, who also has to sign in anew.
    Subject(String),
    /// What was given by a user for one device: the grants whose scope
    /// [names](device_of) it.
    Device {
        /// The user.
        subject: String,
        /// The id of the device.
        device: String,
    },
    /// Everything that was given to a client.
    Client(ClientId),
    /// Whatever was granted before that time, and every token under it, however
    /// new.
    ///
    /// Part of restoring a backup, in which all that was revoked since it was made
    /// lives again: say the present, before anything is served, and everybody signs
    /// in anew. Codes, client assertions and DPoP proofs that were used since may
    /// be used once more, so wait for the minutes that those are good for.
    IssuedBefore(UnixTime),
}

/// No names of people in logs.
impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(_) => f.write_str("Subject(..)"),
            Self::Device { .. } => f.write_str("Device { .. }"),
            Self::Client(client) => f.debug_tuple("Client").field(client).finish(),
            Self::IssuedBefore(time) => f.debug_tuple("IssuedBefore").field(time).finish(),
        }
    }
}

/// Why something cannot be revoked in bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unselectable {
    /// The time is yet to come: until then, whatever is granted would be dead at
    /// once, and nobody could take that back.
    #[error("the time lies in the future")]
    Future,
}

/// How far a bulk revocation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many grants it has looked at; some of them twice, perhaps.
    pub examined: u64,
    /// How many of them it has revoked. Those that had ended before do not count.
    pub revoked: u64,
}

/// A revocation of many grants, step by step: see
/// [`AuthorizationServer::revoke_all`].
#[derive(Debug)]
#[must_use = "nothing is revoked until it is driven"]
pub struct BulkRevocation {
    server: AuthorizationServer,
    selection: Selection,
    /// Grants that are not older are left alone.
    before: UnixTime,
    walk: Option<Walk>,
    progress: Progress,
}

impl AuthorizationServer {
    /// Revokes many grants, and every token under them. Nothing happens until the
    /// returned handle is driven:
    ///
    /// ```
    /// use oauth_core::server::{AuthorizationServer, Selection};
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// # let server = AuthorizationServer::builder("https://auth.example").build().await?;
    /// let mut all = server.revoke_all(Selection::Subject("alice".to_owned()))?;
    /// while let Some(progress) = all.next().await {
    ///     let progress = progress?;
    ///     println!("{} of {} grants", progress.revoked, progress.examined);
    /// }
    /// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Each step is bounded: some hundred grants. Every grant that is revoked has
    /// its [event](Event::GrantRevoked) and goes over the bus. It may be dropped and
    /// begun again at any time: what was revoked stays so, and is passed over.
    ///
    /// **At once.** The first step ends all that was given to a client that is
    /// stored, or all that is older than some time, for every node that judges by
    /// the store: it writes one number, in the client's record or the store's
    /// [epoch](crate::store::Epoch). This node obeys when the step returns, the
    /// others when they hear of it over the bus; without one, the epoch after a
    /// second at most, and the client's at once. Verdicts that are remembered fall
    /// as they do for any revocation, [over the bus or with their time]. The steps
    /// that follow say in each grant that it was revoked: for the record, and for
    /// JWTs that were issued under it. For a user, a device, and a client that is
    /// configured or describes itself at a URL, those steps are all there is, and
    /// the list of a user's grants is short.
    ///
    /// **Those who sign in meanwhile.** A grant that is made after this call is left
    /// alone. Sessions at the built-in pages end with the first step, where a user or a
    /// time is meant; those of a host have to [ask](Self::sign_in_stands), or be ended
    /// first. One that was made before it and is
    /// stored during the walk is revoked: the walk begins anew until it finds
    /// nothing. What is stored after its end is not found, so a sign-in that was
    /// being approved in the very moment of the call may survive that of a user or a
    /// device. Nothing survives where there is a number, which holds for the rest of
    /// the second, too: what is granted to the client in this very second is dead.
    ///
    /// Registrations and signing keys stay, and so does what people have agreed to,
    /// unless it was before the time that is meant: then they are asked again.
    ///
    /// [over the bus or with their time]: crate::bus#what-may-be-relied-upon
    ///
    /// # Errors
    /// [`Unselectable`] for what cannot be meant.
    pub fn revoke_all(&self, selection: Selection) -> Result<BulkRevocation, Unselectable> {
        // What was made in this second was made before the call, as far as can be told.
        let next = self.now().saturating_add(1);
        let before = if let Selection::IssuedBefore(time) = selection { time } else { next };
        if before > next {
            return Err(Unselectable::Future);
        }
        let (server, progress) = (self.clone(), Progress::default());
        Ok(BulkRevocation { server, selection, before, walk: None, progress })
    }

    /// Stores a new client, which has nothing of what an earlier one of its
    /// identifier was given. `false`, and nothing is done, if there is one of that
    /// identifier.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn create_client(&self, mut client: Client) -> Result<bool, Fault> {
        if self.client(&client.id).await?.is_some() {
            return Ok(false);
        }
        client.grants_since = client.grants_since.max(self.now());
        self.store().put_client(client).await?;
        Ok(true)
    }
}

impl BulkRevocation {
    /// The next step, and how far it has come; `None` when all is done.
    ///
    /// If it fails, what it has done stays, and the next call goes on from there.
    ///
    /// # Errors
    /// [`Fault`] if the store fails.
    pub async fn next(&mut self) -> Option<Result<Progress, Fault>> {
        let step = match self.walk.take() {
            None => self.begin().await.map(|()| Walk::new(&self.selection)),
            Some(walk) if walk.is_done() => {
                self.walk = Some(walk);
                return None;
            }
            Some(walk) => self.go_on(walk).await,
        };
        match step {
            Ok(walk) => {
                if walk.is_done() {
                    let Progress { examined, revoked } = self.progress;
                    self.server.tell(&Event::RevokedInBulk { examined, revoked });
                }
                self.walk = Some(walk);
                Some(Ok(self.progress))
            }
            Err(fault) => Some(Err(fault)),
        }
    }

    /// Writes the one number that says it all, where there is one.
    async fn begin(&self) -> Result<(), Fault> {
        match &self.selection {
            Selection::IssuedBefore(time) => {
                let _told = self.server.announce(Revoked::Anything).intended();
                self.server.raise_epoch(*time).await.map(drop)
            }
            Selection::Client(id) => {
                let _told = self.server.announce(Revoked::Anything).intended();
                if disown(self.server.store(), id, self.before).await? {
                    return Ok(());
                }
                Err(Fault::Internal("a client is being replaced by many at once"))
            }
            Selection::Subject(subject) => self.server.end_sign_ins(subject).await,
            Selection::Device { .. } => Ok(()),
        }
    }

    /// Whether it is one of those to be revoked.
    fn selects(&self, grant: &Grant) -> bool {
        let (facts, is_of) = (&grant.facts, |subject| grant.facts.subject.as_ref() == Some(subject));
        let selected = match &self.selection {
            Selection::Subject(subject) => is_of(subject),
            Selection::Device { subject, device } => {
                // A scope of two devices is nobody's; let either end it.
                let names = |scope| device_of(scope).map_or(true, |one| one.is_some_and(|one| one.as_str() == device));
                is_of(subject) && names(&facts.scope)
            }
            Selection::Client(client) => facts.client == *client,
            Selection::IssuedBefore(_) => true,
        };
        selected && grant.created_at < self.before
    }
}
