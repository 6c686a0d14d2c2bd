//! Party B's token endpoint: a code comes from party A.

use http::HeaderValue;
use oauth_core::{
    clock::{Clock, SystemRandom},
    dpop::DpopKey,
    jwt::Algorithm,
    mtls::ClientCertificate,
    token::TokenKind,
};

use super::*;

/// What a request must have; `client_id` is A's.
fn complete(access_token: &str) -> [(&str, &str); 4] {
    [("grant_type", URN), ("code", "a-code"), ("client_id", "peer-a"), ("access_token", access_token)]
}

/// That nothing of what was refused is there.
async fn nothing_is_kept(w: &World) {
    assert_eq!(b(w).queued().await.unwrap(), 0);
    assert!(next(w).await.is_none() && w.events.count("reciprocal_queued") == 0);
}

// spec: TOK-53
#[tokio::test]
async fn a_good_request_is_answered_with_an_empty_object_and_queued() {
    on_every_store_with(party_b, async |w| {
        let access = w.tokens(PEER).await.access;
        send(&w, PEER, "a-code", &access).await.is_taken_in();
        assert_eq!((b(&w).queued().await.unwrap(), w.events.count("reciprocal_queued")), (1, 1));
        let task = next(&w).await.unwrap();
        assert_eq!((task.link, task.code.expose(), task.attempts), (link(Some("alice")), "a-code", 1));
        assert!(w.lives(&access).await, "it is not used up");
        // The peer that proves itself in the body too.
        let other = w.tokens(OTHER_PEER).await.access;
        send(&w, OTHER_PEER, "x-code", &other).await.is_taken_in();
        assert_eq!(next(&w).await.unwrap().link.client, OTHER_PEER.client_id());
    })
    .await;
}

// spec: TOK-53
#[tokio::test]
async fn the_same_code_once_more_is_answered_alike_and_queued_once() {
    on_every_store_with(party_b, async |w| {
        let access = w.tokens(PEER).await.access;
        for _ in 0..2 {
            send(&w, PEER, "a-code", &access).await.is_taken_in();
        }
        assert_eq!((b(&w).queued().await.unwrap(), w.events.count("reciprocal_queued")), (1, 1));
    })
    .await;
}

// spec: TOK-51
#[tokio::test]
async fn whoever_does_not_prove_to_be_the_client_is_an_invalid_client_whatever_else_is_wrong() {
    let w = on_memory_with(party_b).await;
    let access = w.tokens(PEER).await.access;
    let wrong = Caller::Basic("peer-a", "wrong");
    let bad: [&[(&str, &str)]; 2] = [&complete(&access), &[("grant_type", URN)]];
    for params in bad {
        let answer = w.token(wrong, params).await;
        answer.is_refused(401, "invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Basic "));
    }
    w.token(Caller::Nobody, &complete(&access)).await.is_refused(401, "invalid_client");
    w.token(Caller::Public("peer-a"), &[("grant_type", URN)]).await.is_refused(401, "invalid_client");
    w.token(Caller::Nobody, &[("grant_type", URN)]).await.is_refused(401, "invalid_client");
    nothing_is_kept(&w).await;
}

// spec: TOK-51
#[tokio::test]
async fn a_public_client_or_one_that_is_no_peer_is_not_authorized() {
    let set = |builder: AuthorizationServerBuilder| {
        let public = Client::builder("public").redirect_uri(CALLBACK).scope("read").grant_type(GrantType::RECIPROCAL);
        let public = public.grant_type(GrantType::AUTHORIZATION_CODE).build().unwrap();
        let builder = builder.client(public).client(peer(Caller::Basic("no-peer", "no-peer-secret-1")));
        party_b_with(builder, |settings| {
            settings.peer(Caller::Public("public").client_id(), scope(WISH));
            settings.peer(WEB.client_id(), scope(WISH)); // which is not registered for it
        })
    };
    let w = on_memory_with(set).await;
    for caller in [Caller::Public("public"), Caller::Basic("no-peer", "no-peer-secret-1"), WEB, APP] {
        let access = w.tokens(caller).await.access;
        let named = [("grant_type", URN), ("code", "c"), ("access_token", &*access), ("client_id", caller.id())];
        let params = if matches!(caller, Caller::Public(_)) { &named[..3] } else { &named[..] };
        w.token(caller, params).await.is_refused(400, "unauthorized_client");
        // Even before it is asked what it brings.
        w.token(caller, &[("grant_type", URN)]).await.is_refused(400, "unauthorized_client");
    }
    nothing_is_kept(&w).await;
}

// spec: TOK-51
#[tokio::test]
async fn a_parameter_that_is_missing_or_empty_or_no_code_is_an_invalid_request() {
    let w = on_memory_with(party_b).await;
    let access = w.tokens(PEER).await.access;
    let all = complete(&access);
    for (left_out, _) in all {
        let rest: Vec<_> = all.into_iter().filter(|(name, _)| *name != left_out).collect();
        w.token(PEER, &rest).await.is_refused(400, "invalid_request");
        let empty: Vec<_> = rest.iter().copied().chain([(left_out, "")]).collect();
        w.token(PEER, &empty).await.is_refused(400, "invalid_request");
        let twice: Vec<_> = all.into_iter().chain(all.into_iter().filter(|(name, _)| *name == left_out)).collect();
        w.token(PEER, &twice).await.is_refused(400, "invalid_request");
    }
    for code in ["\u{e9}", "a\nb", "a\0b", &"c".repeat(4097)] {
        send(&w, PEER, code, &access).await.is_refused(400, "invalid_request");
    }
    nothing_is_kept(&w).await;
    send(&w, PEER, &"c".repeat(4096), &access).await.is_taken_in();
}

// spec: TOK-52, TOK-53
#[tokio::test]
async fn an_access_token_that_is_not_good_is_refused_in_one_way_whatever_the_matter_is() {
    on_every_store_with(party_b, async |w| {
        let (good, expired, revoked) = (w.tokens(PEER).await, w.tokens(PEER).await.access, w.tokens(PEER).await.access);
        let (foreign, others) = (w.tokens(WEB).await.access, w.tokens(OTHER_PEER).await.access);
        let others_jwt = [("grant_type", "client_credentials"), ("resource", JWT_API)];
        let others_jwt = w.token(WEB, &others_jwt).await.tokens().access;
        w.revoke(PEER, &revoked).await.is_revoked();
        let code = w.code(PEER).await;
        let refresh = good.refresh.unwrap();
        let bent = format!("{}x", good.access);
        let made = World::codec().mint(TokenKind::Access, fresh_grant().id, 0, &SystemRandom).unwrap().text;
        let bad = ["x", "e30.e30.e30", &revoked, &foreign, &others, &others_jwt, &refresh, &code, &bent, made.expose()];
        let mut bodies = Vec::new();
        for token in bad {
            let answer = send(&w, PEER, "a-code", token).await;
            answer.is_refused(400, "invalid_grant");
            bodies.push(answer.body);
        }
        w.clock.advance(300);
        let answer = send(&w, PEER, "a-code", &expired).await;
        answer.is_refused(400, "invalid_grant");
        assert!(bodies.iter().all(|body| *body == answer.body), "{bodies:?}");
        nothing_is_kept(&w).await;
    })
    .await;
}

// spec: TOK-52, TOK-53
#[tokio::test]
async fn the_client_that_is_named_must_be_the_one_that_proves_itself() {
    let w = on_memory_with(party_b).await;
    let (own, others) = (w.tokens(PEER).await.access, w.tokens(OTHER_PEER).await.access);
    for access in [own, others] {
        let params = [("grant_type", URN), ("code", "c"), ("access_token", &*access), ("client_id", "peer-x")];
        let answer = w.token(PEER, &params).await;
        assert_eq!(answer.status, 400, "{answer}");
    }
    nothing_is_kept(&w).await;
}

// spec: TOK-52
#[tokio::test]
async fn a_jwt_of_this_server_is_as_good_as_an_opaque_token() {
    let w = on_memory_with(party_b).await;
    let ask = Ask::of(PEER).with("resource", JWT_API);
    let jwt = w.redeem(PEER, &w.code_for(&ask).await).await.tokens().access;
    assert_eq!(jwt.split('.').count(), 3);
    send(&w, PEER, "a-code", &jwt).await.is_taken_in();
    assert_eq!(next(&w).await.unwrap().link, link(Some("alice")));
    w.revoke(PEER, &jwt).await.is_revoked();
    send(&w, PEER, "b-code", &jwt).await.is_refused(400, "invalid_grant");
}

// spec: TOK-52
#[tokio::test]
async fn a_token_of_client_credentials_links_the_client_and_no_user() {
    on_every_store_with(party_b, async |w| {
        let access = w.token(PEER, &[("grant_type", "client_credentials")]).await.tokens().access;
        send(&w, PEER, "a-code", &access).await.is_taken_in();
        assert_eq!(next(&w).await.unwrap().link, link(None));
    })
    .await;
}

// spec: TOK-52
#[tokio::test]
async fn a_token_that_is_bound_to_a_key_needs_a_proof_of_that_key() {
    let w = on_memory_with(party_b).await;
    let [own, other] = [(); 2].map(|()| DpopKey::generate(Algorithm::ES256).unwrap());
    let ask = async |params: &[(&str, &str)], key: Option<&DpopKey>| {
        let mut request = post("/token", PEER, params);
        let proof =
            key.map(|key| key.proof("POST", &format!("{ISSUER}/token"), None, None, w.clock.now(), &SystemRandom));
        if let Some(proof) = proof {
            request.headers_mut().insert("dpop", HeaderValue::from_str(&proof.unwrap()).unwrap());
        }
        w.send(request).await
    };
    let code = w.code(PEER).await;
    let bound = ask(&redemption(&code), Some(&own)).await.tokens().access;
    let unknown = ask(&complete("x"), None).await;
    for key in [None, Some(&other)] {
        let answer = ask(&complete(&bound), key).await;
        answer.is_refused(400, "invalid_grant");
        assert_eq!(answer.body, unknown.body);
    }
    nothing_is_kept(&w).await;
    ask(&complete(&bound), Some(&own)).await.is_taken_in();
    // And a proof does not hurt where the token is a bearer's.
    let bearer = w.tokens(PEER).await.access;
    ask(&complete(&bearer), Some(&other)).await.is_taken_in();
}

// spec: TOK-52
#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_needs_that_certificate() {
    let certificate = || {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        ClientCertificate::from_der(made.der().as_ref()).unwrap()
    };
    const BOUND: Caller = Caller::Basic("peer-m", "peer-m-secret-2Qw7");
    let set = |builder: AuthorizationServerBuilder| {
        let mut client = peer(BOUND);
        client.tokens.tls_client_certificate_bound_access_tokens = true;
        let builder = party_b_with(builder.client(client), |settings| settings.peer(BOUND.client_id(), scope(WISH)));
        builder.certificate_bound_access_tokens()
    };
    let w = on_memory_with(set).await;
    let ask = async |params: &[(&str, &str)], shown: &ClientCertificate| {
        let mut request = post("/token", BOUND, params);
        request.extensions_mut().insert(shown.clone());
        w.send(request).await
    };
    let (own, other) = (certificate(), certificate());
    let code = w.code(BOUND).await;
    let bound = ask(&redemption(&code), &own).await.tokens().access;
    let params = [("grant_type", URN), ("code", "c"), ("client_id", BOUND.id()), ("access_token", &*bound)];
    ask(&params, &other).await.is_refused(400, "invalid_grant");
    nothing_is_kept(&w).await;
    ask(&params, &own).await.is_taken_in();
}

// spec: TOK-52
#[tokio::test]
async fn a_user_who_may_not_act_any_more_is_linked_to_nothing() {
    let gone = Gone::default();
    let w = on_memory_with(|builder| party_b(builder.subjects(gone.clone()))).await;
    let access = w.tokens(PEER).await.access;
    gone.set(true);
    send(&w, PEER, "a-code", &access).await.is_refused(400, "invalid_grant");
    gone.set(false);
    nothing_is_kept(&w).await;
}

// spec: TOK-53
#[tokio::test]
async fn a_store_that_is_down_is_503_and_never_200() {
    on_every_store_with(party_b, async |w| {
        let access = w.tokens(PEER).await.access;
        w.store.set_down(true);
        send(&w, PEER, "a-code", &access).await.is_unavailable();
        w.store.set_down(false);
        nothing_is_kept(&w).await;
        // It was queued, and nobody can know: the same again does no harm.
        w.store.lose_the_answer_of("queue_code");
        send(&w, PEER, "a-code", &access).await.is_unavailable();
        send(&w, PEER, "a-code", &access).await.is_taken_in();
        assert_eq!(b(&w).queued().await.unwrap(), 1);
    })
    .await;
}

// spec: TOK-57
#[tokio::test]
async fn a_grant_type_in_percent_escapes_works_and_one_with_a_broken_escape_is_an_invalid_request() {
    let w = on_memory_with(party_b).await;
    let access = w.tokens(PEER).await.access;
    let send = async |grant_type: &str| {
        let mut request = post("/token", PEER, &[]);
        *request.body_mut() =
            format!("grant_type={grant_type}&code=a-code&client_id=peer-a&access_token={access}").into();
        w.send(request).await
    };
    // As draft-ietf-oauth-reciprocal-04 section 2.2.2 prints it.
    send("urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3reciprocal").await.is_refused(400, "invalid_request");
    nothing_is_kept(&w).await;
    for good in [
        "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Areciprocal",
        "urn%3aietf%3aparams%3aoauth%3agrant-type%3areciprocal",
        URN,
    ] {
        send(good).await.is_taken_in();
    }
}

// spec: TOK-57
#[tokio::test]
async fn it_is_off_unless_there_are_peers_and_the_metadata_tell() {
    let metadata =
        async |w: &World| w.get("/.well-known/oauth-authorization-server").await.member("grant_types_supported");
    let registered = |builder: AuthorizationServerBuilder| builder.client(peer(PEER));
    let off = on_memory_with(registered).await;
    let a_alone = on_memory_with(|builder| registered(party_a(builder))).await;
    for w in [off, a_alone] {
        let access = w.tokens(PEER).await.access;
        send(&w, PEER, "a-code", &access).await.is_refused(400, "unsupported_grant_type");
        assert!(!metadata(&w).await.to_string().contains(URN));
    }
    let on = on_memory_with(party_b).await;
    assert!(metadata(&on).await.as_array().unwrap().contains(&URN.into()));
}
