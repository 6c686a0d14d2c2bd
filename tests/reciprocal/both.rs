//! Both parties, from the first connection to both APIs.

use super::*;

/// B's worker: takes the next code to A, as the client that it is there.
async fn work(b_world: &World, a_world: &World) {
    let task = next(b_world).await.unwrap();
    let params = [("grant_type", "authorization_code"), ("code", task.code.expose())];
    let answer = a_world.token(B_AT_A, &params).await;
    answer.tokens();
    let tokens = TokenResponse::parse(answer.body.as_bytes()).unwrap();
    b(b_world).redeemed(&task, &tokens).await.unwrap();
}

// spec: TOK-47, TOK-48, TOK-49, TOK-53, TOK-54, TOK-56
#[tokio::test]
async fn a_user_who_has_connected_two_services_once_lets_each_call_the_other() {
    let asks = |builder: AuthorizationServerBuilder| {
        builder.client(peer(PEER)).reciprocal(|settings| settings.peer(PEER.client_id(), scope("read")))
    };
    let (a_world, b_world) = (World::at_with("https://a.example", party_a).await, on_memory_with(asks).await);

    // The first flow: A gets a token from B, and hears what B would like in turn.
    let connected = b_world.redeem(PEER, &b_world.code(PEER).await).await;
    let (access, said) = (connected.tokens().access, connected.member("reciprocal"));

    // A's user agrees to exactly that; A sends B the code.
    for (said, agreed) in [(said.as_str(), Scope::empty()), (None, scope("read write"))] {
        let request = a_world.server.reciprocal_request(&B_AT_A.client_id(), said, &agreed).await.unwrap();
        let shown = request.scope().clone();
        let code = a_world.server.reciprocal_code("anna", &B_AT_A.client_id(), &shown).await.unwrap();
        send(&b_world, PEER, code.expose(), &access).await.is_taken_in();
        work(&b_world, &a_world).await;

        // Each calls the other.
        let tokens = b(&b_world).tokens(&link(Some("alice"))).await.unwrap().unwrap();
        let there = a_world.server.validate_access(tokens.response.access_token.expose()).await.unwrap().unwrap();
        assert_eq!((&*there.claims.sub, &there.claims.scope), ("anna", &Some(shown)));
        let here = b_world.server.validate_access(&access).await.unwrap().unwrap();
        assert_eq!((&*here.claims.sub, &*here.claims.client_id), ("alice", PEER.id()));
    }
    let events =
        ["reciprocal_queued", "reciprocal_redeemed", "reciprocal_updated"].map(|name| b_world.events.count(name));
    assert_eq!(events, [2, 1, 1]);
}
