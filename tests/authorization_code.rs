//! `grant_type=authorization_code`: a code is good once, for whom and what it was made.

use oauth_core::{
    client::{Client, GrantType},
    clock::SystemRandom,
    server::AuthorizationServer,
    store::Grants,
    token::{GrantId, TokenKind},
};

use crate::support::*;

/// The grant that a code names.
fn grant_of(code: &str) -> GrantId {
    World::codec().read(TokenKind::Code, code).unwrap().grant
}

/// [`redemption`] with `name` set to `value`, or left out.
fn redemption_with<'a>(code: &'a str, name: &'static str, value: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    let mut params = redemption(code).to_vec();
    params.retain(|(own, _)| *own != name);
    params.extend(value.map(|value| (name, value)));
    params
}

/// A code as another server of the same family may have stored it.
async fn code_without_challenge(w: &World) -> String {
    let mut grant = w.store.grant(grant_of(&w.code(APP).await)).await.unwrap().unwrap();
    grant.id = GrantId::generate(&SystemRandom).unwrap();
    let minted = World::codec().mint(TokenKind::Code, grant.id, 0, &SystemRandom).unwrap();
    let code = grant.code.as_mut().unwrap();
    (code.digest, code.challenge) = (minted.digest, None);
    w.store.insert_grant(grant, None).await.unwrap();
    minted.text.expose().to_owned()
}

// spec: TOK-12
#[tokio::test]
async fn a_code_must_be_there_and_known() {
    let w = on_memory().await;
    let code = w.code(APP).await;
    w.token(APP, &redemption_with(&code, "code", None)).await.is_refused(400, "invalid_request");
    let bent = code.replace("oac_", "oac_7");
    for bad in ["x", "oac_", &code[1..], &code[..code.len() - 1], &bent, "\u{0}", &"x".repeat(8000)] {
        w.redeem(APP, bad).await.is_refused(400, "invalid_grant");
    }
    w.redeem(APP, &code).await.tokens();
}

// spec: TOK-12, AUZ-29
#[tokio::test]
async fn a_code_lives_for_a_minute() {
    on_every_store(async |w| {
        let (one, two) = (w.code(APP).await, w.code(APP).await);
        w.clock.advance(59);
        w.redeem(APP, &one).await.tokens();
        w.clock.advance(1);
        w.redeem(APP, &two).await.is_refused(400, "invalid_grant");
    })
    .await;
}

// spec: AUZ-29
#[tokio::test]
async fn a_code_lifetime_over_ten_minutes_is_refused_at_start_up() {
    let with = |seconds| AuthorizationServer::builder(ISSUER).lifetimes(move |set| set.code = seconds).build();
    with(600).await.unwrap();
    with(601).await.unwrap_err();
}

// spec: TOK-13, AUZ-29
#[tokio::test]
async fn a_code_is_good_for_its_client_alone() {
    on_every_store(async |w| {
        for (owner, thief) in [(APP, OTHER_APP), (APP, WEB), (WEB, APP), (WEB, FORM)] {
            let code = w.code(owner).await;
            w.redeem(thief, &code).await.is_refused(400, "invalid_grant");
            let tokens = w.redeem(owner, &code).await.tokens();
            w.redeem(thief, &code).await.is_refused(400, "invalid_grant");
            assert!(w.lives(&tokens.access).await, "a stranger's replay revokes nothing");
        }
    })
    .await;
}

// spec: TOK-14, AUZ-29
#[tokio::test]
async fn the_redirect_uri_is_repeated_identically() {
    on_every_store(async |w| {
        let code = w.code(APP).await;
        let others = ["https://app.example/cb/", "https://app.example:443/cb", "https://APP.example/cb", CHALLENGE];
        for other in others.map(Some).into_iter().chain([None]) {
            let params = redemption_with(&code, "redirect_uri", other);
            w.token(APP, &params).await.is_refused(400, "invalid_grant");
        }
        w.redeem(APP, &code).await.tokens();
    })
    .await;
}

// spec: TOK-14
#[tokio::test]
async fn a_redirect_uri_that_was_not_sent_need_not_be_repeated_but_must_match() {
    on_every_store(async |w| {
        let code = w.code_for(&Ask::of(APP).without("redirect_uri")).await;
        let wrong = redemption_with(&code, "redirect_uri", Some("https://evil.example/"));
        w.token(APP, &wrong).await.is_refused(400, "invalid_grant");
        w.token(APP, &redemption_with(&code, "redirect_uri", None)).await.tokens();
        let code = w.code_for(&Ask::of(APP).without("redirect_uri")).await;
        w.redeem(APP, &code).await.tokens();
    })
    .await;
}

// spec: TOK-15, TOK-16
#[tokio::test]
async fn only_the_verifier_of_the_challenge_redeems_and_a_wrong_one_burns_nothing() {
    on_every_store(async |w| {
        let code = w.code(APP).await;
        let (short, long) = (&VERIFIER[1..], VERIFIER.repeat(3));
        let wrong = VERIFIER.replace('d', "e");
        for bad in [short, &long, &wrong, CHALLENGE, &format!("{VERIFIER}="), &format!("{VERIFIER} "), "\u{e9}"] {
            let params = redemption_with(&code, "code_verifier", Some(bad));
            w.token(APP, &params).await.is_refused(400, "invalid_grant");
        }
        w.token(APP, &redemption_with(&code, "code_verifier", None)).await.is_refused(400, "invalid_grant");
        w.redeem(APP, &code).await.tokens();
    })
    .await;
}

// spec: TOK-16
#[tokio::test]
async fn a_small_number_of_wrong_verifiers_voids_the_code() {
    on_every_store(async |w| {
        for (client, guesses) in [(APP, 4), (APP, 5), (WEB, 5)] {
            let code = w.code(client).await;
            let ask = |number| {
                let (w, code, wrong) = (w.clone(), code.clone(), format!("{}{number:03}", &VERIFIER[3..]));
                async move { w.token(client, &redemption_with(&code, "code_verifier", Some(&wrong))).await }
            };
            for answer in all_at_once(guesses, ask).await {
                answer.is_refused(400, "invalid_grant");
            }
            let answer = w.redeem(client, &code).await;
            if guesses < 5 { drop(answer.tokens()) } else { answer.is_refused(400, "invalid_grant") }
        }
        assert_eq!(w.events.count("code_voided"), 2);
    })
    .await;
}

// spec: TOK-16
#[tokio::test]
async fn wrong_verifiers_of_a_stranger_or_for_a_used_code_end_nothing() {
    on_every_store(async |w| {
        let code = w.code(APP).await;
        let wrong = redemption_with(&code, "code_verifier", Some(CHALLENGE));
        for _ in 0..6 {
            w.token(OTHER_APP, &wrong).await.is_refused(400, "invalid_grant");
            // Of the same grant, but not the code that was given out.
            let other = World::codec().mint(TokenKind::Code, grant_of(&code), 0, &SystemRandom).unwrap();
            let other = redemption_with(other.text.expose(), "code_verifier", Some(CHALLENGE));
            w.token(APP, &other).await.is_refused(400, "invalid_grant");
        }
        let tokens = w.redeem(APP, &code).await.tokens();
        for _ in 0..6 {
            w.token(APP, &wrong).await.is_refused(400, "invalid_grant");
        }
        assert!(w.lives(&tokens.access).await);
        assert_eq!(w.events.count("code_voided"), 0);
    })
    .await;
}

// spec: TOK-15
#[tokio::test]
async fn a_verifier_without_a_challenge_is_refused() {
    // Ours always demand a challenge; the grants of an earlier or another server may lack one.
    on_every_store(async |w| {
        let code = code_without_challenge(&w).await;
        w.redeem(APP, &code).await.is_refused(400, "invalid_request");
        w.token(APP, &redemption_with(&code, "code_verifier", None)).await.tokens();
    })
    .await;
}

// spec: TOK-17
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_is_redeemed_once_however_many_ask_at_once() {
    on_every_store(async |w| {
        let code = w.code(APP).await;
        let ask = |_| {
            let (w, code) = (w.clone(), code.clone());
            async move { w.redeem(APP, &code).await }
        };
        let answers = all_at_once(100, ask).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((good.len(), bad.len()), (1, 99));
        bad.iter().for_each(|answer| answer.is_refused(400, "invalid_grant"));
        // The others were valid too, so that nobody knows who the client is (OAuth 2.1 section 4.1.2).
        let tokens = good[0].tokens();
        assert!(!w.lives(&tokens.access).await);
        w.refresh(APP, &tokens.refresh.unwrap()).await.is_refused(400, "invalid_grant");
    })
    .await;
}

// spec: TOK-18
#[tokio::test]
async fn the_second_valid_use_of_a_code_revokes_all_that_came_of_it() {
    on_every_store(async |w| {
        let code = w.code(APP).await;
        let first = w.redeem(APP, &code).await.tokens();
        let second = w.refresh(APP, &first.refresh.unwrap()).await.tokens();
        // Long after the code has expired.
        w.clock.advance(100);
        w.redeem(APP, &code).await.is_refused(400, "invalid_grant");
        assert!(!w.lives(&first.access).await && !w.lives(&second.access).await);
        w.refresh(APP, &second.refresh.unwrap()).await.is_refused(400, "invalid_grant");
        assert_eq!(w.events.count("code_replayed"), 1);
    })
    .await;
}

// spec: TOK-18
#[tokio::test]
async fn a_replay_that_would_have_been_refused_revokes_nothing() {
    on_every_store(async |w| {
        let code = w.code(APP).await;
        let tokens = w.redeem(APP, &code).await.tokens();
        for (name, value) in [("code_verifier", CHALLENGE), ("redirect_uri", "https://evil.example/")] {
            w.token(APP, &redemption_with(&code, name, Some(value))).await.is_refused(400, "invalid_grant");
            w.token(APP, &redemption_with(&code, name, None)).await.is_refused(400, "invalid_grant");
        }
        w.redeem(OTHER_APP, &code).await.is_refused(400, "invalid_grant");
        assert!(w.lives(&tokens.access).await);
        w.refresh(APP, &tokens.refresh.unwrap()).await.tokens();
        assert_eq!(w.events.count("code_replayed"), 0);
    })
    .await;
}

// spec: TOK-19
#[tokio::test]
async fn a_client_without_the_grant_type_gets_no_refresh_token() {
    let w = on_memory().await;
    assert_eq!(w.tokens(BRIEF).await.refresh, None);
    assert!(w.tokens(APP).await.refresh.is_some());
    let brief = Client::builder("x").redirect_uri(CALLBACK).build().unwrap();
    assert!(!brief.may_use(&GrantType::REFRESH_TOKEN));
}

// spec: AUZ-29, TOK-25
#[tokio::test]
async fn a_code_carries_its_user_scope_and_resources() {
    on_every_store(async |w| {
        let ask = Ask::of(APP).with("scope", "admin read").and("resource", OTHER_API).and("resource", API);
        let code = w.code_for(&ask).await;
        let stranger = redemption_with(&code, "resource", Some(JWT_API));
        w.token(APP, &stranger).await.is_refused(400, "invalid_target");
        let access = w.redeem(APP, &code).await.tokens().access;
        let known = w.introspect(AUDITOR, &access).await.json();
        assert_eq!((&known["sub"], &known["client_id"]), (&"alice".into(), &"app".into()));
        assert_eq!((&known["scope"], &known["aud"]), (&"admin read".into(), &serde_json::json!([OTHER_API, API])));
    })
    .await;
}

// spec: TOK-17, TOK-31
#[tokio::test]
async fn a_grant_revoked_between_the_check_and_the_redemption_issues_nothing() {
    on_every_store(async |w| {
        let code = w.code(APP).await;
        let (server, grant) = (w.server.clone(), grant_of(&code));
        w.store.just_before("redeem_code", async move { assert!(server.revoke_grant(grant).await.is_ok()) });
        w.redeem(APP, &code).await.is_refused(400, "invalid_grant");
        assert_eq!(w.events.count("tokens_issued"), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_that_races_a_redemption_leaves_no_live_token() {
    on_every_store(async |w| {
        let mut codes = Vec::new();
        for _ in 0..50 {
            codes.push(w.code(APP).await);
        }
        let ask = |number: usize| {
            let (w, code) = (w.clone(), codes[number / 2].clone());
            async move {
                if number.is_multiple_of(2) {
                    return Some(w.redeem(APP, &code).await);
                }
                w.server.revoke_grant(grant_of(&code)).await.unwrap();
                None
            }
        };
        for answer in all_at_once(100, ask).await.into_iter().flatten() {
            if answer.status == 200 {
                assert!(!w.lives(&answer.tokens().access).await);
            } else {
                answer.is_refused(400, "invalid_grant");
            }
        }
    })
    .await;
}
