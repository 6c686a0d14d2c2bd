//! The records a store keeps.
//!
//! What a step compares or changes has its own field, so that a backend can
//! give it a column; what never changes travels as one serialized whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    authorization_details::AuthorizationDetails,
    claims::{Actor, Confirmation},
    client::ClientId,
    clock::UnixTime,
    pkce::CodeChallenge,
    scope::Scope,
    secret::Digest,
    store::StatusPlace,
    token::{GrantId, TokenType},
};

/// One consent, or one issue of client credentials: the aggregate that every
/// code, access token and refresh token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its name.
    pub id: GrantId,
    /// Who granted what to whom: fixed once the grant exists.
    pub facts: GrantFacts,
    /// When it was made.
    pub created_at: UnixTime,
    /// Its end, whatever happens; nothing under it outlives it.
    pub expires_at: UnixTime,
    /// When it was revoked.
    pub revoked_at: Option<UnixTime>,
    /// The authorization code it began with; kept after redemption, so that a
    /// replay is recognized.
    pub code: Option<Code>,
    /// The live refresh token.
    pub refresh: Option<Refresh>,
}

/// What a grant says, fixed at consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantFacts {
    /// The client it was given to.
    pub client: ClientId,
    /// The user who gave it; `None` for the client-credentials grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it allows.
    pub scope: Scope,
    /// Where it allows it: resource identifiers (RFC 8707).
    pub resources: Vec<String>,
    /// When the user last proved who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<UnixTime>,
    /// How: the authentication context class reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// What it allows beyond the scope (RFC 9396).
    #[serde(default, skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// The thumbprint of the only key that may redeem its code (RFC 9449 section
    /// 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
}

/// An authorization code and all it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The digest of the code.
    pub digest: Digest,
    /// Where it was sent.
    pub redirect_uri: String,
    /// Whether the authorization request named the redirect URI, so that the
    /// token request must repeat it (OAuth 2.1 draft-01 section 4.1.3).
    pub redirect_uri_required: bool,
    /// What the verifier must answer.
    pub challenge: Option<CodeChallenge>,
    /// Its end.
    pub expires_at: UnixTime,
    /// When it was redeemed.
    pub redeemed_at: Option<UnixTime>,
}

impl Code {
    /// A code that one server sends to another (draft-ietf-oauth-reciprocal-04): no
    /// browser carries it, so there is no redirect URI, and nothing for a
    /// verifier to answer.
    pub(crate) const fn reciprocal(digest: Digest, expires_at: UnixTime) -> Self {
        let redirect_uri = String::new();
        Self { digest, redirect_uri, redirect_uri_required: false, challenge: None, expires_at, redeemed_at: None }
    }

    /// Whether it is one of those: every other authorization code has a redirect
    /// URI. (A device's code has none either, but that is another kind of token.)
    pub(crate) const fn is_reciprocal(&self) -> bool {
        self.redirect_uri.is_empty()
    }
}

/// The live refresh token of a grant. There is at most one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The digest of the token.
    pub digest: Digest,
    /// How many rotations led to it.
    pub generation: u64,
    /// When it, or under no rotation its last access token, was issued: the
    /// idle lifetime counts from here.
    pub used_at: UnixTime,
    /// What a retry with its predecessor gets.
    pub retry: Option<Retry>,
}

/// The way back for a client whose refresh response was lost.
#[derive(Clone, PartialEq, Eq)]
pub struct Retry {
    /// The digest of the predecessor.
    pub digest: Digest,
    /// The successor's token response, sealed under a key derived from the
    /// predecessor: of no use to the store.
    pub sealed: Vec<u8>,
    /// The end of the window.
    pub until: UnixTime,
    /// The access token of that response, where the window also ends when it is
    /// used: see [`Grants::confirm_refresh`](super::Grants::confirm_refresh).
    pub access: Option<Digest>,
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Retry {
    /// Its digest, and behind it that of the access token, if there is one: what
    /// the stores with rows keep in one column. A program that knows nothing of
    /// the second replaces and removes it with the first.
    pub(super) fn digests(&self) -> Vec<u8> {
        let access = self.access.as_ref().map_or(&[][..], |access| access.as_bytes());
        [self.digest.as_bytes(), access].concat()
    }
}

/// Reads [`Retry::digests`].
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) fn split_digests(digests: &[u8]) -> Option<(Digest, Option<Digest>)> {
    let (digest, access) = digests.split_first_chunk()?;
    let access = if access.is_empty() { None } else { Some(Digest::from_bytes(access.try_into().ok()?)) };
    Some((Digest::from_bytes(*digest), access))
}

impl std::fmt::Debug for Retry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Retry").field("until", &self.until).finish_non_exhaustive()
    }
}

/// An access token: all a store knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// Of the opaque token, or of a JWT's `jti`. Stored as the row's key.
    #[serde(skip, default = "no_digest")]
    pub digest: Digest,
    /// What it allows; never more than the grant.
    pub scope: Scope,
    /// Where: its audience.
    pub audience: Vec<String>,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// Its end.
    pub expires_at: UnixTime,
    /// What it allows beyond the scope; never more than the grant.
    #[serde(default, skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// The key it is bound to; none for a bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// To whom it was given for another token, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchanged: Option<Box<Exchanged>>,
    /// Where others look up whether it was revoked, if it says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusPlace>,
}

/// What sets a token apart that came of an exchange (RFC 8693) from the others
/// of its grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// The client that it was given to. It may be another than that of the grant.
    pub client: ClientId,
    /// Who acts for the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
}

fn no_digest() -> Digest {
    Digest::from_bytes([0; 32])
}

impl AccessToken {
    /// How it is presented: with a proof, if it is bound to a DPoP key (RFC 9449
    /// section 5).
    #[must_use]
    pub fn token_type(&self) -> TokenType {
        let has_key = self.confirmation.as_ref().is_some_and(|cnf| cnf.jkt.is_some());
        if has_key { TokenType::Dpop } else { TokenType::Bearer }
    }

    /// The client that it was given to; `grant` is its grant.
    #[must_use]
    pub fn client<'a>(&'a self, grant: &'a Grant) -> &'a ClientId {
        self.exchanged.as_ref().map_or(&grant.facts.client, |exchanged| &exchanged.client)
    }

    /// Whether it has not expired at `now`. Its grant must live too.
    #[must_use]
    pub fn is_live(&self, now: UnixTime) -> bool {
        now < self.expires_at
    }
}

/// A validated authorization request that waits for its person.
#[derive(Clone, PartialEq, Eq)]
pub struct ParkedInteraction {
    /// The digest of its id.
    pub id: Digest,
    /// The digest of the browser's cookie: nobody else may see or end it.
    pub browser: Digest,
    /// The request, serialized by the engine.
    pub request: Vec<u8>,
    /// When it is given up.
    pub expires_at: UnixTime,
}

impl std::fmt::Debug for ParkedInteraction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParkedInteraction").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The end of an interaction.
#[derive(Clone, Debug)]
pub struct FinishInteraction {
    /// The digest of its id.
    pub id: Digest,
    /// The digest of the browser's cookie.
    pub browser: Digest,
    /// The time.
    pub now: UnixTime,
    /// What it led to; `None` when the person said no.
    pub grant: Option<Grant>,
}

/// What one person has agreed to for one client, so that they need not be
/// asked again.
///
/// It is made by [`Consent::new`] and changed by [`Consent::with`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Who agreed.
    pub subject: String,
    /// To what client.
    pub client: ClientId,
    /// To what scope at which resource (RFC 8707). What was agreed to where no
    /// resource was named is under the empty name.
    pub granted: BTreeMap<String, Scope>,
    /// When the oldest part of it was agreed to. For a client that was
    /// registered later it does not count, whatever its identifier: see
    /// [`Consent::is_for`].
    pub given_at: UnixTime,
    /// Its end: from then on it counts for nothing.
    pub expires_at: UnixTime,
    /// What tells it from the one before and the one after: a store compares
    /// it and knows no more of it.
    pub revision: u64,
}

/// A signing key at rest.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Its RFC 7638 thumbprint.
    pub kid: String,
    /// The `alg` it signs with.
    pub algorithm: String,
    /// The PKCS#8 document, sealed under the root secret.
    pub sealed: Vec<u8>,
    /// From when on it signs; before, it is only published.
    pub active_from: UnixTime,
}

impl std::fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .field("active_from", &self.active_from)
            .finish_non_exhaustive()
    }
}
