//! Party A: what its user is asked, the code, and its token endpoint.

use oauth_core::{
    client::ClientId,
    clock::Clock,
    engine::{interaction::Approval, reciprocal::ReciprocalError},
    store::{Clients, Grants},
    token::TokenKind,
};

use super::*;

/// A code for B: alice has agreed to `read`.
async fn mint(w: &World) -> String {
    let code = w.server.reciprocal_code("alice", &B_AT_A.client_id(), &scope("read")).await;
    code.unwrap().expose().to_owned()
}

/// What B sends to A.
fn redemption(code: &str) -> [(&'static str, &str); 2] {
    [("grant_type", "authorization_code"), ("code", code)]
}

async fn redeem(w: &World, caller: Caller, code: &str) -> Answer {
    w.token(caller, &redemption(code)).await
}

// spec: TOK-48
#[tokio::test]
async fn the_user_is_asked_for_exactly_the_scopes_that_were_said_or_else_for_those_agreed_on() {
    let w = on_memory_with(party_a).await;
    let asked = async |said| {
        let request = w.server.reciprocal_request(&B_AT_A.client_id(), said, &scope("write")).await.unwrap();
        assert_eq!(request.client().id, B_AT_A.client_id());
        assert_eq!(request.resources(), [API]);
        request.scope().clone()
    };
    assert_eq!(asked(Some("read")).await, scope("read"));
    assert_eq!(asked(Some("write read")).await, scope("read write"));
    for malformed in
        [None, Some(""), Some("\"read\""), Some("read  write"), Some(" read"), Some("re\u{e4}d"), Some("\\")]
    {
        assert_eq!(asked(malformed).await, scope("write"), "{malformed:?}");
    }
    // Well formed, and more than there is for B: nobody is asked for less without a word.
    let wide = w.server.reciprocal_request(&B_AT_A.client_id(), Some("read admin"), &scope("write")).await;
    assert!(matches!(wide, Err(ReciprocalError::Scope)));
}

// spec: TOK-48, TOK-49
#[tokio::test]
async fn the_user_may_give_less_and_never_more() {
    let w = on_memory_with(party_a).await;
    let approve = async |approval| {
        let request = w.server.reciprocal_request(&B_AT_A.client_id(), Some("read write"), &Scope::empty()).await;
        request.unwrap().approve(approval).await
    };
    let code = approve(Approval::new("alice").scope(scope("read admin"))).await.unwrap();
    assert_eq!(redeem(&w, B_AT_A, code.expose()).await.member("scope"), "read");
    let nothing = approve(Approval::new("alice").scope(scope("admin"))).await;
    assert!(matches!(nothing, Err(ReciprocalError::Scope)));
}

// spec: TOK-49
#[tokio::test]
async fn the_code_is_one_for_that_user_that_scope_and_that_client_without_redirect_uri_and_verifier() {
    on_every_store_with(party_a, async |w| {
        let answer = redeem(&w, B_AT_A, &mint(&w).await).await;
        assert_eq!((answer.member("scope"), answer.json().get("reciprocal")), ("read".into(), None));
        let tokens = answer.tokens();
        let known = w.introspect(AUDITOR, &tokens.access).await.json();
        let said = ["sub", "client_id", "scope", "aud"].map(|name| known[name].as_str().unwrap());
        assert_eq!(said, ["alice", B_AT_A.id(), "read", API]);
        w.refresh(B_AT_A, &tokens.refresh.unwrap()).await.tokens();
        assert_eq!(w.events.count("approved"), 1);
    })
    .await;
}

// spec: TOK-49
#[tokio::test]
async fn it_has_as_many_random_bits_as_any_code_and_is_stored_as_a_digest() {
    let w = on_memory_with(party_a).await;
    let (one, two) = (mint(&w).await, mint(&w).await);
    let ordinary = w.code(WEB).await;
    assert_eq!((one.len(), &one[..4]), (ordinary.len(), &ordinary[..4]));
    // 128 bits of the grant and 64 of the generation come before 256 of the secret.
    assert_ne!(one[37..80], two[37..80]);
    let read = World::codec().read(TokenKind::Code, &one).unwrap();
    let kept = w.store.grant(read.grant).await.unwrap().unwrap().code.unwrap();
    assert_eq!((kept.digest, kept.challenge, kept.redirect_uri_required), (read.digest, None, false));
    assert!(!w.store.shown().contains(&one[37..80]));
}

// spec: TOK-49, TOK-54
#[tokio::test]
async fn it_lives_ten_minutes_or_as_long_as_is_set() {
    let brief =
        |builder: AuthorizationServerBuilder| party_a(builder).reciprocal(|settings| settings.code_lifetime = 90);
    for (w, lifetime) in [(on_memory_with(party_a).await, 600), (on_memory_with(brief).await, 90)] {
        let (early, late) = (mint(&w).await, mint(&w).await);
        w.clock.advance(lifetime - 1);
        let tokens = redeem(&w, B_AT_A, &early).await.tokens();
        assert!(w.lives(&tokens.access).await, "at {}", w.clock.now().0);
        w.clock.advance(1);
        redeem(&w, B_AT_A, &late).await.is_refused(400, "invalid_grant");
    }
}

// spec: TOK-49
#[tokio::test]
async fn there_is_no_code_for_a_client_user_or_scope_that_cannot_have_one() {
    let gone = Gone::default();
    let set = |builder: AuthorizationServerBuilder| {
        let machine = Client::builder("machine").secret(secret_of(B_AT_A)).scope("read");
        let machine = machine.grant_type(GrantType::CLIENT_CREDENTIALS).build().unwrap();
        party_a(builder.subjects(gone.clone())).client(machine)
    };
    let w = on_memory_with(set).await;
    let ask = async |subject: &str, client: &str, wanted: &str| {
        w.server.reciprocal_code(subject, &ClientId::new(client).unwrap(), &scope(wanted)).await.unwrap_err()
    };
    let b = B_AT_A.id();
    assert!(matches!(ask("alice", "nobody", "read").await, ReciprocalError::UnknownClient));
    assert!(matches!(ask("alice", "app", "read").await, ReciprocalError::UnfitClient), "public");
    assert!(matches!(ask("alice", "machine", "read").await, ReciprocalError::UnfitClient), "has no codes");
    assert!(matches!(ask("alice", b, "").await, ReciprocalError::Scope), "nothing");
    assert!(matches!(ask("alice", b, "read admin").await, ReciprocalError::Scope), "not registered");
    assert!(matches!(ask("app", b, "read").await, ReciprocalError::Fault(Fault::SubjectIsClient)));
    gone.set(true);
    assert!(matches!(ask("alice", b, "read").await, ReciprocalError::Subject));
    let off = on_memory().await;
    let refused = off.server.reciprocal_code("alice", &WEB.client_id(), &scope("read")).await;
    assert!(matches!(refused, Err(ReciprocalError::Off)));
    assert!(w.events.all().is_empty() && off.events.all().is_empty());
    w.store.set_down(true);
    gone.set(false);
    assert!(matches!(ask("alice", b, "read").await, ReciprocalError::Fault(_)));
}

// spec: TOK-49
#[tokio::test]
async fn the_token_is_for_as_few_resources_as_the_scope_needs() {
    let wide = |builder: AuthorizationServerBuilder| {
        let client = Client::builder("wide").secret(secret_of(B_AT_A)).scope("read admin other").redirect_uri(CALLBACK);
        party_a(builder).client(client.build().unwrap())
    };
    let w = on_memory_with(wide).await;
    for (wanted, at) in [("read", vec![API]), ("admin", vec![OTHER_API]), ("read admin", vec![API, OTHER_API])] {
        let request = w.server.reciprocal_request(&ClientId::new("wide").unwrap(), Some(wanted), &Scope::empty()).await;
        assert_eq!(request.unwrap().resources(), at);
    }
    let anywhere = w.server.reciprocal_request(&ClientId::new("wide").unwrap(), Some("other"), &Scope::empty()).await;
    assert_eq!(anywhere.unwrap().resources(), [JWT_API], "which takes any");
}

// spec: TOK-55
#[tokio::test]
async fn only_the_client_it_is_for_redeems_it_and_only_when_it_proves_itself() {
    on_every_store_with(party_a, async |w| {
        let code = mint(&w).await;
        for other in [WEB, FORM, APP] {
            redeem(&w, other, &code).await.is_refused(400, "invalid_grant");
        }
        redeem(&w, Caller::Basic(B_AT_A.id(), "wrong"), &code).await.is_refused(401, "invalid_client");
        redeem(&w, Caller::Public(B_AT_A.id()), &code).await.is_refused(401, "invalid_client");
        redeem(&w, Caller::Nobody, &code).await.is_refused(401, "invalid_client");
        redeem(&w, B_AT_A, &code).await.tokens();
    })
    .await;
}

// spec: TOK-55
#[tokio::test]
async fn a_verifier_is_an_invalid_request_and_a_redirect_uri_is_none_that_it_was_bound_to() {
    on_every_store_with(party_a, async |w| {
        let code = mint(&w).await;
        let ask = async |more: &[(&str, &str)]| w.token(B_AT_A, &[&redemption(&code)[..], more].concat()).await;
        ask(&[("code_verifier", VERIFIER)]).await.is_refused(400, "invalid_request");
        ask(&[("code_verifier", "x")]).await.is_refused(400, "invalid_request");
        ask(&[("code_verifier", VERIFIER), ("redirect_uri", CALLBACK)]).await.is_refused(400, "invalid_request");
        ask(&[("redirect_uri", CALLBACK)]).await.is_refused(400, "invalid_grant");
        ask(&[("redirect_uri", "")]).await.tokens();
    })
    .await;
}

// spec: TOK-55
#[tokio::test]
async fn a_client_that_has_become_public_meanwhile_does_not_redeem_it() {
    let w = on_memory_with(|builder| builder.reciprocal(|_| ())).await;
    let client = |secret| {
        let client = Client::builder("stored").redirect_uri(CALLBACK).scope("read");
        if secret { client.secret(secret_of(B_AT_A)) } else { client }
    };
    w.store.put_client(client(true).build().unwrap()).await.unwrap();
    let code = w.server.reciprocal_code("alice", &ClientId::new("stored").unwrap(), &scope("read")).await.unwrap();
    w.store.delete_client(ClientId::new("stored").unwrap()).await.unwrap();
    w.store.put_client(client(false).build().unwrap()).await.unwrap();
    redeem(&w, Caller::Public("stored"), code.expose()).await.is_refused(400, "unauthorized_client");
}

// spec: TOK-55, TOK-18
#[tokio::test]
async fn a_second_use_ends_what_the_first_has_brought() {
    on_every_store_with(party_a, async |w| {
        let code = mint(&w).await;
        let tokens = redeem(&w, B_AT_A, &code).await.tokens();
        // A replay that would not have been good counts for nothing.
        redeem(&w, WEB, &code).await.is_refused(400, "invalid_grant");
        assert!(w.lives(&tokens.access).await);
        redeem(&w, B_AT_A, &code).await.is_refused(400, "invalid_grant");
        assert!(!w.lives(&tokens.access).await);
        w.refresh(B_AT_A, &tokens.refresh.unwrap()).await.is_refused(400, "invalid_grant");
        assert_eq!(w.events.count("code_replayed"), 1);
    })
    .await;
}

// spec: TOK-47
#[tokio::test]
async fn the_way_back_asks_for_nothing_in_turn() {
    // Both are peers of each other.
    let w = on_memory_with(party_b).await;
    let code = w.server.reciprocal_code("alice", &PEER.client_id(), &scope("read")).await.unwrap();
    let answer = redeem(&w, PEER, code.expose()).await;
    answer.tokens();
    assert_eq!(answer.json().get("reciprocal"), None);
}

// spec: TOK-55
#[tokio::test]
async fn an_ordinary_code_still_needs_its_redirect_uri_and_verifier() {
    let w = on_memory_with(party_a).await;
    let code = w.code(B_AT_A).await;
    redeem(&w, B_AT_A, &code).await.is_refused(400, "invalid_grant");
    let with_verifier = [&redemption(&code)[..], &[("code_verifier", VERIFIER)]].concat();
    w.token(B_AT_A, &with_verifier).await.is_refused(400, "invalid_grant");
    w.redeem(B_AT_A, &code).await.tokens();
}
