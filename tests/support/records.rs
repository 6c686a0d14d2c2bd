//! Records for a store, for tests that speak to it without a server. They go by the real time, as stores do that
//! remove by themselves what has ended.

use oauth_core::{
    authorization_details::AuthorizationDetails,
    client::ClientId,
    clock::{Clock, SystemClock, SystemRandom, UnixTime},
    pkce::CodeChallenge,
    secret::Digest,
    store::{
        AccessToken, Code, Consent, Grant, GrantFacts, NextRefresh, ParkedInteraction, PeerTokens, QueuedCode,
        ReciprocalLink, RedeemCode, Refresh, RotateRefresh,
    },
    token::GrantId,
};

const REDIRECT_URI: &str = "https://app.example/callback";

pub(crate) fn now() -> UnixTime {
    SystemClock.now()
}

pub(crate) fn later(seconds: u64) -> UnixTime {
    now().saturating_add(seconds)
}

pub(crate) fn fresh_digest() -> Digest {
    Digest::of(&[fresh_id().as_bytes()])
}

fn fresh_id() -> GrantId {
    GrantId::generate(&SystemRandom).unwrap()
}

/// A grant for an hour, with a code for a minute and a refresh token.
pub(crate) fn fresh_grant() -> Grant {
    let facts = GrantFacts {
        client: ClientId::new("app").unwrap(),
        subject: Some("alice".to_owned()),
        scope: "a b".parse().unwrap(),
        resources: Vec::new(),
        auth_time: None,
        acr: None,
        authorization_details: AuthorizationDetails::default(),
        dpop_jkt: None,
    };
    let code = Code {
        digest: fresh_digest(),
        redirect_uri: REDIRECT_URI.to_owned(),
        redirect_uri_required: true,
        challenge: Some(CodeChallenge::from_bytes([1; 32])),
        expires_at: later(60),
        redeemed_at: None,
    };
    let refresh = Refresh { digest: fresh_digest(), generation: 0, used_at: now(), retry: None };
    let (code, refresh) = (Some(code), Some(refresh));
    Grant { id: fresh_id(), facts, created_at: now(), expires_at: later(3_600), revoked_at: None, code, refresh }
}

/// A token for ten minutes.
pub(crate) fn fresh_access() -> AccessToken {
    let scope = "a".parse().unwrap();
    AccessToken {
        digest: fresh_digest(),
        scope,
        audience: Vec::new(),
        issued_at: now(),
        expires_at: later(600),
        authorization_details: AuthorizationDetails::default(),
        confirmation: None,
        exchanged: None,
        status: None,
    }
}

/// What redeems the code of `grant`.
pub(crate) fn redeeming(grant: &Grant) -> RedeemCode {
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
pub(crate) fn rotating(grant: &Grant) -> RotateRefresh {
    let refresh = grant.refresh.as_ref().unwrap();
    let retry = Some((vec![7; 300], later(30)));
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

/// The same, with a way back until what it leads to is used.
pub(crate) fn until_first_use(grant: &Grant) -> RotateRefresh {
    let (digest, sealed, until) = (fresh_digest(), vec![7; 300], later(3_600));
    RotateRefresh { next: NextRefresh::UntilFirstUse { digest, sealed, until }, ..rotating(grant) }
}

/// What replaces the token that `rotation` made.
pub(crate) fn following(rotation: &RotateRefresh) -> RotateRefresh {
    let NextRefresh::Successor { digest, .. } = &rotation.next else { panic!("there is no successor") };
    let next = NextRefresh::Successor { digest: fresh_digest(), retry: Some((vec![7; 300], later(30))) };
    let generation = rotation.generation + 1;
    RotateRefresh { digest: *digest, generation, next, access: fresh_access(), ..rotation.clone() }
}

/// A request that waits for ten minutes.
pub(crate) fn fresh_interaction() -> ParkedInteraction {
    let (id, browser) = (fresh_digest(), fresh_digest());
    ParkedInteraction { id, browser, request: vec![0, 255], expires_at: later(600) }
}

/// What somebody nobody else knows has agreed to, for a day.
pub(crate) fn fresh_consent() -> Consent {
    let consent = Consent::new(fresh_id().to_string(), ClientId::new("app").unwrap(), now());
    consent.with(&["https://api.example".to_owned()], &"a b".parse().unwrap(), now(), later(86_400)).unwrap()
}

/// A code that is due to be redeemed at another server, for ten minutes.
pub(crate) fn fresh_queued() -> QueuedCode {
    let link = ReciprocalLink::new(ClientId::new("app").unwrap(), Some(fresh_id().to_string()));
    let (id, sealed) = (fresh_digest(), vec![0, 255]);
    QueuedCode { id, link, sealed, attempts: 0, queued_at: now(), due_at: now(), expires_at: later(600) }
}

/// What that code brings, for a day.
pub(crate) fn fresh_tokens(code: &QueuedCode) -> PeerTokens {
    PeerTokens {
        link: code.link.clone(),
        id: code.id,
        sealed: vec![255, 0],
        scope: "a b".parse().unwrap(),
        obtained_at: now(),
        expires_at: Some(later(60)),
        ends_at: later(86_400),
        revision: 0,
    }
}
