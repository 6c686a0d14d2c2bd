//! What two programs refuse, and that nothing comes of it.

use serde_json::{Value, json};

use super::{pair::Pair, *};

/// Not one that A sends codes to.
const NO_PEER: Caller = Caller::Basic("no-peer", "no-peer-secret-2Hs6");

fn request(access_token: &str) -> [(&str, &str); 4] {
    [("grant_type", URN), ("code", "a-code"), ("client_id", "peer-a"), ("access_token", access_token)]
}

// spec: TOK-51, TOK-52, TOK-53, TOK-57
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_a_request_nothing_of_it_is_stored() {
    let mut pair = Pair::new().await;
    let (tokens, _) = pair.first_flow().await;
    let (foreign, gone) = (pair.redeemed_by(NO_PEER).await.tokens(), pair.redeemed_by(PEER).await.tokens());
    pair.b.remote.revoke(PEER, &gone.access).await.is_revoked();
    let b = &pair.b.remote;
    let good = request(&tokens.access);

    for caller in [Caller::Basic("peer-a", "wrong"), Caller::Nobody] {
        b.token(caller, &good).await.is_refused(401, "invalid_client");
    }
    let public = [("grant_type", URN), ("code", "c"), ("access_token", &*tokens.access)];
    b.token(Caller::Public("app"), &public).await.is_refused(400, "unauthorized_client");
    let mut other = request(&foreign.access);
    other[2].1 = "no-peer";
    b.token(NO_PEER, &other).await.is_refused(400, "unauthorized_client");
    for (left_out, _) in good {
        let rest: Vec<_> = good.into_iter().filter(|(name, _)| *name != left_out).collect();
        b.token(PEER, &rest).await.is_refused(400, "invalid_request");
    }
    let refresh = tokens.refresh.as_deref().unwrap();
    let bad = ["x", &*gone.access, &*foreign.access, refresh];
    let mut bodies = Vec::new();
    for token in bad {
        let answer = b.token(PEER, &request(token)).await;
        answer.is_refused(400, "invalid_grant");
        bodies.push(answer.body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    let mut named = good;
    named[2].1 = "no-peer";
    assert_eq!(b.token(PEER, &named).await.status, 400);
    // The draft's misprint is a bad escape; so spelled, it is another grant.
    let misprinted = misprinted(&pair, &tokens.access).await;
    misprinted.is_refused(400, "invalid_request");

    // A itself takes no codes.
    pair.a.remote.token(WEB, &[("grant_type", URN)]).await.is_refused(400, "unsupported_grant_type");
    let metadata = pair.a.remote.get("/.well-known/oauth-authorization-server").await.json();
    assert!(!metadata["grant_types_supported"].to_string().contains(URN), "{metadata}");
    let metadata = pair.b.remote.get("/.well-known/oauth-authorization-server").await.json();
    assert!(metadata["grant_types_supported"].to_string().contains(URN), "{metadata}");

    assert_eq!(pair.b.held().await, json!({ "tokens": [], "queued": 0 }));
    assert_eq!((pair.b.count("reciprocal_queued").await, pair.before_a.seen().len()), (0, 0));
    // And what is good is still good.
    pair.connect(&tokens.access, "albums:read").await;
    pair.b.comes_to_hold("albums:read").await;
    pair.end_in_silence(&[&tokens.access, refresh, &gone.access, &foreign.access]);
}

async fn misprinted(pair: &Pair, access: &str) -> Answer {
    let mut request = post("/token", PEER, &[]);
    let body = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3reciprocal&code=c&client_id=peer-a&access_token={access}"
    );
    *request.body_mut() = body.into();
    pair.b.remote.send(request).await
}

// spec: TOK-49
#[tokio::test(flavor = "multi_thread")]
async fn what_the_administrator_may_not_ask_for_never_reaches_the_other_party() {
    let mut pair = Pair::new().await;
    let (tokens, _) = pair.first_flow().await;
    let good = json!({ "user": "alice", "peer": "music", "scope": "albums:read", "access_token": tokens.access });
    let with = |name: &str, value: Value| {
        let mut ask = good.clone();
        ask[name] = value;
        ask
    };
    let bad = [
        (with("peer", "nobody".into()), 404),
        (with("user", "mallory".into()), 404),
        (with("user", "app".into()), 404),
        (with("scope", "admin".into()), 400),
        (with("scope", "".into()), 400),
        (with("scope", "a\"b".into()), 400),
        (with("access_token", "".into()), 400),
        (json!({ "user": "alice" }), 422),
    ];
    for (ask, status) in bad {
        let answer = pair.a.ask(&ask).await;
        assert_eq!(answer.status, status, "{ask}: {answer}");
        assert!(answer.member("error").is_string(), "{answer}");
    }
    let no_scope = pair.a.ask(&with("scope", "a  b".into())).await;
    assert!(no_scope.status == 400 && no_scope.body.contains("separated by single spaces"), "{no_scope}");
    // Nor does whoever has not the secret.
    assert_eq!(pair.a.admin.get("/admin/reciprocal").await.status, 401);
    assert_eq!(pair.a.admin.call("/admin/reciprocal", "wrong").await.status, 401);
    assert!(pair.before_b.seen().is_empty());
    // What B says is passed on as it is.
    let refused = pair.a.ask(&with("access_token", "junk".into())).await;
    assert_eq!(refused.body, r#"{"status":400}"#);
    assert_eq!(pair.before_b.fields("client_id"), ["peer-a"]);
    assert_eq!(pair.before_b.fields("grant_type"), [URN]);
    pair.connect(&tokens.access, "albums:read").await;
    pair.b.comes_to_hold("albums:read").await;
    pair.end_in_silence(&[&tokens.access]);
}

// spec: TOK-49, TOK-55
#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_for_the_party_it_was_made_for_once_and_without_a_verifier() {
    let mut pair = Pair::new().await;
    let (tokens, _) = pair.first_flow().await;
    pair.before_b.swallow(true);
    pair.connect(&tokens.access, "albums:read").await;
    let code = pair.before_b.fields("code").pop().unwrap();
    let a = &pair.a.remote;
    let plain = [("grant_type", "authorization_code"), ("code", &*code)];
    a.token(WEB, &plain).await.is_refused(400, "invalid_grant");
    a.token(Caller::Basic("b-at-a", "wrong"), &plain).await.is_refused(401, "invalid_client");
    let verified = [plain[0], plain[1], ("code_verifier", VERIFIER)];
    a.token(B_AT_A, &verified).await.is_refused(400, "invalid_request");
    let granted = a.token(B_AT_A, &plain).await.tokens();
    assert_eq!(pair.a.albums("GET", &granted.access).await, 200);
    a.token(B_AT_A, &plain).await.is_refused(400, "invalid_grant");
    pair.a.albums_come_to("GET", &granted.access, 401).await;
    // B, which has heard of none of it, holds nothing.
    assert_eq!(pair.b.held().await, json!({ "tokens": [], "queued": 0 }));
    pair.end_in_silence(&[&tokens.access, &code, &granted.access]);
}
