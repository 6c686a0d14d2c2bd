//! What party B says to its peers in its answers: `reciprocal`.

use oauth_core::params::Params;

use super::*;

// spec: TOK-47
#[tokio::test]
async fn the_token_response_of_a_peer_says_what_is_asked_of_it_in_turn() {
    let w = on_memory_with(party_b).await;
    let by_code = w.redeem(PEER, &w.code(PEER).await).await;
    assert_eq!(by_code.member("reciprocal"), WISH);
    let by_itself = w.token(PEER, &[("grant_type", "client_credentials")]).await;
    assert_eq!(by_itself.member("reciprocal"), WISH);
    // A refresh connects nobody.
    let again = w.refresh(PEER, &by_code.tokens().refresh.unwrap()).await;
    assert_eq!(again.json().get("reciprocal"), None);
    let client = TokenResponse::parse(by_code.body.as_bytes()).unwrap();
    assert_eq!(client.reciprocal, Some(scope(WISH)));
}

// spec: TOK-47
#[tokio::test]
async fn nobody_else_is_asked_for_anything_nor_a_peer_that_has_agreed_beforehand() {
    let w = on_memory_with(party_b).await;
    for caller in [APP, WEB, OTHER_PEER] {
        let answer = w.redeem(caller, &w.code(caller).await).await;
        answer.tokens();
        assert_eq!(answer.json().get("reciprocal"), None, "{caller:?}");
        let location = Browser::new(&w).approve(&Ask::of(caller)).await;
        assert_eq!(response_at(CALLBACK, &location).get("reciprocal"), None, "{caller:?}");
    }
    let own = w.token(WEB, &[("grant_type", "client_credentials")]).await;
    own.tokens();
    assert_eq!(own.json().get("reciprocal"), None);
}

// spec: TOK-47
#[tokio::test]
async fn a_peer_that_could_not_give_it_is_not_asked() {
    // Not registered for the grant type, or public.
    let set = |builder: AuthorizationServerBuilder| {
        builder.reciprocal(|settings| [WEB, APP].iter().for_each(|one| settings.peer(one.client_id(), scope(WISH))))
    };
    let w = on_memory_with(set).await;
    for caller in [APP, WEB] {
        assert_eq!(w.redeem(caller, &w.code(caller).await).await.json().get("reciprocal"), None);
    }
}

// spec: TOK-47
#[tokio::test]
async fn the_authorization_response_says_the_same_in_its_query_and_nowhere_else() {
    let w = on_memory_with(party_b).await;
    for (mode, joint, said) in [("query", '?', Some(WISH)), ("fragment", '#', None)] {
        let location = Browser::new(&w).approve(&Ask::of(PEER).with("response_mode", mode)).await;
        let params = location.strip_prefix(CALLBACK).and_then(|rest| rest.strip_prefix(joint)).unwrap();
        let params = Params::parse(params).unwrap();
        assert!(params.get("code").is_some() && params.get("iss").is_some(), "{location}");
        assert_eq!(params.get("reciprocal"), said, "{mode}");
    }
    let form = Browser::new(&w).press(&Ask::of(PEER).with("response_mode", "form_post"), "approve").await;
    assert!(form.body.contains("name=\"code\"") && !form.body.contains("reciprocal"), "{form}");
    let denied = Browser::new(&on_memory_with(party_b).await).press(&Ask::of(PEER), "deny").await;
    assert_eq!(denied.is_error_redirect("access_denied").get("reciprocal"), None);
}
