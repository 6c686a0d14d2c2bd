//! What a device hears that asks for its tokens.

use oauth_core::{
    clock::Clock,
    dpop::DpopKey,
    jwt::Algorithm,
    store::Grants,
    token::{TokenCodec, TokenKind},
};

use super::*;

async fn deny(w: &World, codes: &Codes) {
    assert_eq!(found(w, codes).await.unwrap().deny().await.unwrap(), DeviceDecision::Decided);
}

// spec: TOK-37, TOK-38
#[tokio::test]
async fn a_device_waits_for_its_person_and_is_then_given_its_tokens_once() {
    on_every_store_with(devices, async |w| {
        for (caller, refreshes) in [(TV, true), (RADIO, false), (KIOSK, false)] {
            let codes = begin(&w, caller).await;
            poll(&w, caller, &codes).await.is_refused(400, "authorization_pending");
            assert_eq!(approve(&w, &codes).await, DeviceDecision::Decided);
            // The person has decided: nothing is pending, and nothing is too soon.
            let answer = poll(&w, caller, &codes).await;
            let tokens = answer.tokens();
            assert_eq!((answer.member("scope"), tokens.refresh.is_some()), ("read".into(), refreshes));
            assert!(w.lives(&tokens.access).await);
            let told = w.introspect(AUDITOR, &tokens.access).await.json();
            assert_eq!((&told["sub"], &told["client_id"]), (&"alice".into(), &caller.id().into()));
            if let Some(refresh) = &tokens.refresh {
                w.refresh(caller, refresh).await.tokens();
            }
            // Again: somebody else may have it, so that all of it ends.
            poll(&w, caller, &codes).await.is_refused(400, "invalid_grant");
            assert!(!w.lives(&tokens.access).await);
        }
        assert_eq!((w.events.count("approved"), w.events.count("code_replayed")), (3, 3));
    })
    .await;
}

// spec: TOK-37
#[tokio::test]
async fn a_no_is_access_denied_from_then_on() {
    on_every_store_with(devices, async |w| {
        let codes = begin(&w, TV).await;
        poll(&w, TV, &codes).await.is_refused(400, "authorization_pending");
        deny(&w, &codes).await;
        for _ in 0..2 {
            poll(&w, TV, &codes).await.is_refused(400, "access_denied");
        }
        assert!(found(&w, &codes).await.is_none());
        w.clock.advance(600);
        poll(&w, TV, &codes).await.is_refused(400, "expired_token");
        assert_eq!((w.events.count("denied"), w.events.count("approved")), (1, 0));
    })
    .await;
}

// spec: TOK-37
#[tokio::test]
async fn whoever_asks_past_the_lifetime_hears_that_it_has_expired() {
    on_every_store_with(devices, async |w| {
        let (undecided, decided) = (begin(&w, TV).await, begin(&w, TV).await);
        let held = found(&w, &undecided).await.unwrap();
        w.clock.advance(599);
        poll(&w, TV, &undecided).await.is_refused(400, "authorization_pending");
        assert_eq!(approve(&w, &decided).await, DeviceDecision::Decided);
        w.clock.advance(1);
        for codes in [&undecided, &decided] {
            poll(&w, TV, codes).await.is_refused(400, "expired_token");
            assert!(found(&w, codes).await.is_none());
        }
        assert_eq!(held.approve(Approval::new("alice")).await.unwrap(), DeviceDecision::Ended);
        w.server.maintain().await.unwrap();
        poll(&w, TV, &undecided).await.is_refused(400, "expired_token");
    })
    .await;
}

// spec: TOK-37
#[tokio::test]
async fn each_request_that_comes_too_soon_adds_five_seconds_which_stay_on_every_node() {
    on_every_store_with(devices, async |w| {
        let another = w.another(devices).await.unwrap();
        let (codes, unhurried) = (begin(&w, TV).await, begin(&w, TV).await);
        let mut nodes = [&w, &another].into_iter().cycle();
        let mut hears = async |after: u64, code: &str| {
            w.clock.advance(after);
            poll(nodes.next().unwrap(), TV, &codes).await.is_refused(400, code);
        };
        hears(0, "authorization_pending").await;
        hears(5, "authorization_pending").await;
        hears(4, "slow_down").await; // 10 from now on
        hears(9, "slow_down").await; // 15
        hears(14, "slow_down").await; // 20
        hears(20, "authorization_pending").await;
        hears(20, "authorization_pending").await;
        hears(19, "slow_down").await; // 25
        hears(25, "authorization_pending").await;
        // It is this device's own.
        for wait in [0, 5, 5] {
            w.clock.advance(wait);
            poll(&another, TV, &unhurried).await.is_refused(400, "authorization_pending");
        }
        approve(&w, &codes).await;
        poll(&w, TV, &codes).await.tokens();
    })
    .await;
}

// spec: TOK-38
#[tokio::test]
async fn a_device_code_is_good_for_its_client_alone_whatever_has_become_of_it() {
    on_every_store_with(devices, async |w| {
        let (waits, denied, approved) = (begin(&w, TV).await, begin(&w, TV).await, begin(&w, TV).await);
        deny(&w, &denied).await;
        approve(&w, &approved).await;
        for codes in [&waits, &denied, &approved] {
            for other in [RADIO, KIOSK] {
                poll(&w, other, codes).await.is_refused(400, "invalid_grant");
            }
        }
        // None of it was a use, or a question.
        poll(&w, TV, &waits).await.is_refused(400, "authorization_pending");
        poll(&w, TV, &approved).await.tokens();
        w.clock.advance(600);
        poll(&w, RADIO, &waits).await.is_refused(400, "invalid_grant");
    })
    .await;
}

// spec: TOK-38
#[tokio::test]
async fn a_code_of_another_kind_or_of_another_maker_is_none() {
    let w = on_memory_with(devices).await;
    let codes = begin(&w, TV).await;
    let grant = World::codec().read(TokenKind::Device, &codes.device).unwrap().grant;
    let random = oauth_core::clock::SystemRandom;
    for kind in [TokenKind::Code, TokenKind::Refresh, TokenKind::Access] {
        let device = World::codec().mint(kind, grant, 0, &random).unwrap().text.expose().to_owned();
        poll(&w, TV, &Codes { device, ..codes.clone() }).await.is_refused(400, "invalid_grant");
    }
    let foreign = TokenCodec::new(&oauth_core::secret::RootSecret::new([1; 32]), ISSUER, Default::default());
    let device = foreign.mint(TokenKind::Device, grant, u64::MAX, &random).unwrap().text.expose().to_owned();
    poll(&w, TV, &Codes { device, ..codes.clone() }).await.is_refused(400, "invalid_grant");
    w.token(TV, &[("grant_type", GRANT)]).await.is_refused(400, "invalid_request");
    // Nor is it a code of the other grant, a token, or something to revoke.
    w.introspect(AUDITOR, &codes.device).await.is_inactive();
    w.revoke(TV, &codes.device).await.is_revoked();
    approve(&w, &codes).await;
    w.revoke(TV, &codes.device).await.is_revoked();
    poll(&w, TV, &codes).await.tokens();
}

// spec: TOK-38
#[tokio::test]
async fn what_was_approved_can_be_revoked_before_it_is_fetched() {
    on_every_store_with(devices, async |w| {
        let codes = begin(&w, TV).await;
        approve(&w, &codes).await;
        let grant = World::codec().read(TokenKind::Device, &codes.device).unwrap().grant;
        w.server.revoke_grant(grant).await.unwrap();
        poll(&w, TV, &codes).await.is_refused(400, "invalid_grant");
        let (asked, now) = (w.store.grant(grant).await.unwrap().unwrap(), w.clock.now());
        assert!(!asked.is_live(now) && asked.refresh.is_none());
    })
    .await;
}

#[tokio::test]
async fn the_tokens_are_bound_to_the_key_that_asks_for_them() {
    let w = on_memory_with(devices).await;
    let key = DpopKey::generate(Algorithm::ES256).unwrap();
    let codes = begin(&w, TV).await;
    approve(&w, &codes).await;
    let proof =
        key.proof("POST", "https://as.example/token", None, None, w.clock.now(), &oauth_core::clock::SystemRandom);
    let mut request = post("/token", TV, &[("grant_type", GRANT), ("device_code", &codes.device)]);
    request.headers_mut().insert("dpop", proof.unwrap().parse().unwrap());
    let answer = w.send(request).await;
    assert_eq!(answer.member("token_type"), "DPoP");
    // A public client's refresh token too.
    w.refresh(TV, &answer.tokens().refresh.unwrap()).await.is_refused(400, "invalid_grant");
}

#[tokio::test]
async fn an_outage_is_no_answer_to_a_device() {
    let w = on_memory_with(devices).await;
    let codes = begin(&w, TV).await;
    approve(&w, &codes).await;
    w.store.set_down(true);
    poll(&w, TV, &codes).await.is_unavailable();
    w.store.set_down(false);
    poll(&w, TV, &codes).await.tokens();
}

/// Both roots are known while the secret is changed.
#[tokio::test]
async fn a_root_secret_that_changes_meanwhile_changes_nothing_for_the_device() {
    let w = on_sqlite_devices().await;
    let codes = begin(&w, TV).await;
    let changed = |builder: AuthorizationServerBuilder| {
        devices(builder).root_secret(oauth_core::secret::RootSecret::new([9; 32]).with_previous([7; 32]))
    };
    let after = w.another(changed).await.unwrap();
    poll(&after, TV, &codes).await.is_refused(400, "authorization_pending");
    assert_eq!(approve(&after, &codes).await, DeviceDecision::Decided);
    poll(&after, TV, &codes).await.tokens();
}

async fn on_sqlite_devices() -> World {
    on_sqlite().await.another(devices).await.unwrap()
}
