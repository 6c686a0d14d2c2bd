//! Records that checks are made with. Each has fresh names.

use super::context::{Broken, Context};
use crate::{
    authorization_details::AuthorizationDetails,
    claims::{Actor, Confirmation},
    client::ClientId,
    clock::{SystemRandom, UnixTime, random_bytes},
    pkce::{CodeChallenge, CodeVerifier},
    scope::Scope,
    secret::Digest,
    store::{
        AccessToken, Code, Consent, Exchanged, Grant, GrantFacts, NextRefresh, ParkedInteraction, PeerTokens,
        QueuedCode, ReciprocalLink, RedeemCode, Refresh, Retry, RotateRefresh, StatusPlace, StoreError,
    },
    token::GrantId,
};

pub(super) const HOUR: u64 = 3_600;
pub(super) const DAY: u64 = 24 * HOUR;
/// How long a sample code is good.
pub(super) const CODE: u64 = 60;
/// How long a sample refresh token may lie idle.
pub(super) const IDLE: u64 = 14 * DAY;
pub(super) const REDIRECT_URI: &str = "https://app.example/callback?a=b";

pub(super) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    random_bytes(&SystemRandom).map_err(StoreError::unavailable)
}

pub(super) fn digest() -> Result<Digest, StoreError> {
    Ok(Digest::from_bytes(random()?))
}

pub(super) fn id() -> Result<GrantId, StoreError> {
    Ok(GrantId::from_bytes(random()?))
}

pub(super) fn client(name: &str) -> Result<ClientId, StoreError> {
    ClientId::new(name).map_err(StoreError::unavailable)
}

pub(super) fn scope(tokens: &str) -> Result<Scope, StoreError> {
    tokens.parse().map_err(StoreError::unavailable)
}

pub(super) fn challenge(of: char) -> Option<CodeChallenge> {
    let verifier = String::from(of).repeat(43);
    CodeVerifier::parse(&verifier).map(|verifier| CodeChallenge::of(&verifier))
}

/// A grant to `app`, for 30 days, with nothing under it.
pub(super) fn grant(context: &Context<'_>) -> Result<Grant, Broken> {
    let facts = GrantFacts {
        client: client("app")?,
        subject: Some("alice".to_owned()),
        scope: scope("albums:read albums:write")?,
        resources: vec!["https://albums.example/".to_owned()],
        auth_time: Some(context.now),
        acr: Some("urn:example:gold".to_owned()),
        authorization_details: AuthorizationDetails::default(),
        dpop_jkt: None,
    };
    let expires_at = context.after(30 * DAY);
    Ok(Grant { id: id()?, facts, created_at: context.now, expires_at, revoked_at: None, code: None, refresh: None })
}

/// A grant that begins with a code.
pub(super) fn coded(context: &Context<'_>) -> Result<Grant, Broken> {
    let code = Code {
        digest: digest()?,
        redirect_uri: REDIRECT_URI.to_owned(),
        redirect_uri_required: true,
        challenge: challenge('v'),
        expires_at: context.after(CODE),
        redeemed_at: None,
    };
    Ok(Grant { code: Some(code), ..grant(context)? })
}

/// A grant with a refresh token.
pub(super) fn refreshable(context: &Context<'_>) -> Result<Grant, Broken> {
    let refresh = Refresh { digest: digest()?, generation: 0, used_at: context.now, retry: None };
    Ok(Grant { refresh: Some(refresh), ..grant(context)? })
}

/// A grant with something in every field.
pub(super) fn full(context: &Context<'_>) -> Result<Grant, Broken> {
    let retry =
        Retry { digest: digest()?, sealed: vec![0, 1, 255, 39, 0], until: context.after(30), access: Some(digest()?) };
    let refresh = Refresh { digest: digest()?, generation: 7, used_at: context.after(1), retry: Some(retry) };
    let mut grant = coded(context)?;
    grant.code.as_mut().into_iter().for_each(|code| code.redeemed_at = Some(context.now));
    let facts = GrantFacts {
        subject: Some("ål'ice \"\u{1F980}\"".to_owned()),
        authorization_details: details()?,
        dpop_jkt: Some(JKT.to_owned()),
        ..grant.facts
    };
    Ok(Grant { facts, refresh: Some(refresh), revoked_at: Some(context.after(2)), ..grant })
}

/// A token for one hour.
pub(super) fn access(context: &Context<'_>) -> Result<AccessToken, Broken> {
    Ok(AccessToken {
        digest: digest()?,
        scope: scope("albums:read")?,
        audience: vec!["https://albums.example/".to_owned()],
        issued_at: context.now,
        expires_at: context.after(HOUR),
        authorization_details: details()?,
        confirmation: Some(Confirmation::dpop(JKT)),
        exchanged: Some(Box::new(exchanged()?)),
        status: Some(StatusPlace::new(u64::from_be_bytes(random()?) >> 11, 1_048_575)),
    })
}

/// To another client than that of the grant, for which somebody acts.
fn exchanged() -> Result<Exchanged, Broken> {
    let text = r#"{"sub":"bätch '1'","act":{"sub":"carol","iss":"https://other.example"}}"#;
    let actor: Actor = serde_json::from_str(text).map_err(StoreError::unavailable)?;
    Ok(Exchanged { client: client("worker")?, actor: Some(actor) })
}

/// RFC 9449 section 6.1.
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn details() -> Result<AuthorizationDetails, Broken> {
    let text = r#"[{"type":"account","actions":["read"],"limit":7.5,"to":"ål'ice \\ \"\""}]"#;
    Ok(AuthorizationDetails::parse(text).map_err(StoreError::unavailable)?)
}

/// What redeems the code of `grant`.
pub(super) fn redemption(context: &Context<'_>, grant: &Grant) -> Result<RedeemCode, Broken> {
    Ok(RedeemCode {
        grant: grant.id,
        digest: grant.code.as_ref().map_or(digest()?, |code| code.digest),
        client: grant.facts.client.clone(),
        redirect_uri: Some(REDIRECT_URI.to_owned()),
        challenge: challenge('v'),
        now: context.now,
        refresh: Some(digest()?),
        access: access(context)?,
    })
}

/// What replaces the refresh token of `grant` strictly: without a way back.
pub(super) fn rotation(context: &Context<'_>, grant: &Grant) -> Result<RotateRefresh, Broken> {
    let (digest_now, generation) = match &grant.refresh {
        Some(refresh) => (refresh.digest, refresh.generation),
        None => (digest()?, 0),
    };
    Ok(RotateRefresh {
        grant: grant.id,
        digest: digest_now,
        generation,
        client: grant.facts.client.clone(),
        now: context.now,
        idle_lifetime: IDLE,
        next: NextRefresh::Successor { digest: digest()?, retry: None },
        access: access(context)?,
    })
}

/// The same, and until `until` a retry gets `sealed`.
pub(super) fn rotation_with_retry(
    context: &Context<'_>,
    grant: &Grant,
    sealed: &[u8],
    until: UnixTime,
) -> Result<RotateRefresh, Broken> {
    let next = NextRefresh::Successor { digest: digest()?, retry: Some((sealed.to_owned(), until)) };
    Ok(RotateRefresh { next, ..rotation(context, grant)? })
}

/// The same, until the successor or its access token is used.
pub(super) fn rotation_until_first_use(
    context: &Context<'_>,
    grant: &Grant,
    sealed: &[u8],
) -> Result<RotateRefresh, Broken> {
    let next =
        NextRefresh::UntilFirstUse { digest: digest()?, sealed: sealed.to_owned(), until: context.after(30 * DAY) };
    Ok(RotateRefresh { next, ..rotation(context, grant)? })
}

/// What uses the successor that `rotation` made.
pub(super) fn following(context: &Context<'_>, rotation: &RotateRefresh) -> Result<RotateRefresh, Broken> {
    let successor = match &rotation.next {
        NextRefresh::Successor { digest, .. } | NextRefresh::UntilFirstUse { digest, .. } => *digest,
        NextRefresh::Same => rotation.digest,
    };
    Ok(RotateRefresh {
        digest: successor,
        generation: rotation.generation + 1,
        next: NextRefresh::Successor { digest: digest()?, retry: None },
        access: access(context)?,
        ..rotation.clone()
    })
}

/// What somebody nobody else knows has agreed to, for a day.
pub(super) fn consent(context: &Context<'_>) -> Result<Consent, Broken> {
    let client = client(&format!("client {}", id()?))?;
    let consent = Consent::new(format!("ål'ice \"\u{1F980}\" {}", id()?), client, context.now);
    agreeing(context, &consent, "albums:read albums:write")
}

/// The same, with one more scope.
pub(super) fn agreeing(context: &Context<'_>, before: &Consent, tokens: &str) -> Result<Consent, Broken> {
    let resources = ["https://albums.example/".to_owned(), "urn:é:'\"".to_owned()];
    let consent = before.clone().with(&resources, &scope(tokens)?, context.now, context.after(DAY));
    let Some(mut consent) = consent else { return Err(Broken::new("a sample holds too much".to_owned())) };
    // Any 64 bits will do.
    consent.revision = u64::from_be_bytes(random()?);
    Ok(consent)
}

/// A request that waits for ten minutes.
pub(super) fn parked(context: &Context<'_>) -> Result<ParkedInteraction, Broken> {
    let request = b"{\"scope\":\"a'b\"}\0\xff".to_vec();
    Ok(ParkedInteraction { id: digest()?, browser: digest()?, request, expires_at: context.after(600) })
}

/// A link that nobody else knows.
pub(super) fn link() -> Result<ReciprocalLink, Broken> {
    let client = client(&format!("client {}", id()?))?;
    Ok(ReciprocalLink::new(client, Some(format!("ål'ice \"\0\u{1F980}\" {}", id()?))))
}

/// A code that is due, for ten minutes.
pub(super) fn queued(context: &Context<'_>) -> Result<QueuedCode, Broken> {
    Ok(QueuedCode {
        id: digest()?,
        link: link()?,
        sealed: vec![0, 1, 255, 39, 0],
        attempts: 0,
        queued_at: context.now.saturating_sub(1),
        due_at: context.now,
        expires_at: context.after(600),
    })
}

/// What that code brings, for 30 days.
pub(super) fn peer_tokens(context: &Context<'_>, code: &QueuedCode) -> Result<PeerTokens, Broken> {
    Ok(PeerTokens {
        link: code.link.clone(),
        id: code.id,
        sealed: vec![0, 255, 39, 92, 0],
        scope: scope("albums:read albums:write")?,
        obtained_at: context.now,
        expires_at: Some(context.after(HOUR)),
        ends_at: context.after(30 * DAY),
        revision: 3,
    })
}
