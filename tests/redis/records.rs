//! Records for a store that goes by the real time: its servers remove what has ended.

use oauth_core::{
    client::ClientId,
    clock::{Clock, SystemClock, SystemRandom, UnixTime},
    pkce::CodeChallenge,
    secret::Digest,
    store::{AccessToken, Code, Grant, GrantFacts, NextRefresh, ParkedInteraction, RedeemCode, Refresh, RotateRefresh},
    token::GrantId,
};

pub(super) fn now() -> UnixTime {
    SystemClock.now()
}

pub(super) fn fresh_digest() -> Digest {
    Digest::of(&[fresh_id().as_bytes()])
}

fn fresh_id() -> GrantId {
    GrantId::generate(&SystemRandom).unwrap()
}

/// A grant for two hours, with a code for a minute and a refresh token.
pub(super) fn fresh_grant() -> Grant {
    let facts = GrantFacts {
        client: ClientId::new("app").unwrap(),
        subject: Some("alice".to_owned()),
        scope: "a b".parse().unwrap(),
        resources: Vec::new(),
        auth_time: None,
        acr: None,
    };
    let code = Code {
        digest: fresh_digest(),
        redirect_uri: "https://app.example/callback".to_owned(),
        redirect_uri_required: true,
        challenge: Some(CodeChallenge::from_bytes([1; 32])),
        expires_at: now().saturating_add(60),
        redeemed_at: None,
    };
    let refresh = Refresh { digest: fresh_digest(), generation: 0, used_at: now(), retry: None };
    let (code, refresh, expires_at) = (Some(code), Some(refresh), now().saturating_add(7200));
    Grant { id: fresh_id(), facts, created_at: now(), expires_at, revoked_at: None, code, refresh }
}

/// A token for ten minutes.
pub(super) fn fresh_access() -> AccessToken {
    let scope = "a".parse().unwrap();
    let expires_at = now().saturating_add(600);
    AccessToken { digest: fresh_digest(), scope, audience: Vec::new(), issued_at: now(), expires_at }
}

/// What redeems the code of `grant`.
pub(super) fn redeeming(grant: &Grant) -> RedeemCode {
    let code = grant.code.as_ref().unwrap();
    RedeemCode {
        grant: grant.id,
        digest: code.digest,
        client: grant.facts.client.clone(),
        redirect_uri: Some(code.redirect_uri.clone()),
        challenge: code.challenge,
        now: now(),
        refresh: Some(fresh_digest()),
        access: fresh_access(),
    }
}

/// What replaces the refresh token of `grant`, with a way back for half a minute.
pub(super) fn rotating(grant: &Grant) -> RotateRefresh {
    let refresh = grant.refresh.as_ref().unwrap();
    let retry = Some((vec![7; 300], now().saturating_add(30)));
    RotateRefresh {
        grant: grant.id,
        digest: refresh.digest,
        generation: refresh.generation,
        client: grant.facts.client.clone(),
        now: now(),
        idle_lifetime: 3_600,
        next: NextRefresh::Successor { digest: fresh_digest(), retry },
        access: fresh_access(),
    }
}

/// A request that waits for ten minutes.
pub(super) fn fresh_interaction() -> ParkedInteraction {
    let expires_at = now().saturating_add(600);
    ParkedInteraction { id: fresh_digest(), browser: fresh_digest(), request: vec![0, 255], expires_at }
}
