//! Neither codes nor access tokens are where others can read them.

use super::*;

// spec: TOK-57
#[tokio::test]
async fn neither_code_nor_access_token_is_in_an_event_an_answer_debug_output_or_the_store() {
    let host = Host::default();
    host.fails.store(true, Ordering::Relaxed);
    let set =
        |builder: AuthorizationServerBuilder| party_b_with(party_a(builder), |settings| settings.tokens(host.clone()));
    on_every_store_with(set, async |w| {
        let (code, access, other) = ("code-XyZzY-1234", w.tokens(PEER).await.access, w.tokens(WEB).await.access);
        let mut shown = Vec::new();
        // Everything that is refused, and everything that fails.
        for (caller, token) in [(PEER, &other), (WEB, &access), (Caller::Basic("peer-a", "wrong"), &access)] {
            shown.push(send(&w, caller, code, token).await.to_string());
        }
        for grant_type in ["urn%3reciprocal", "urn:other"] {
            let mut request = post("/token", PEER, &[]);
            *request.body_mut() = format!("grant_type={grant_type}&code={code}&access_token={access}").into();
            shown.push(w.send(request).await.to_string());
        }
        w.store.set_down(true);
        shown.push(send(&w, PEER, code, &access).await.to_string());
        w.store.set_down(false);
        // A whole life.
        shown.push(send(&w, PEER, code, &access).await.to_string());
        let task = next(&w).await.unwrap();
        b(&w).failed(&task).await.unwrap();
        w.clock.advance(30);
        let task = next(&w).await.unwrap();
        let tokens = granted("access-PlUgH-5678");
        let first = b(&w).redeemed(&task, &tokens).await.unwrap();
        queued(&w, "code-bAd-1").await;
        let bad = next(&w).await.unwrap();
        b(&w).refused(&bad).await.unwrap();
        let held = b(&w).tokens(&link(Some("alice"))).await.unwrap();
        let minted = w.server.reciprocal_code("alice", &B_AT_A.client_id(), &scope("read")).await.unwrap();
        let request = w.server.reciprocal_request(&B_AT_A.client_id(), None, &scope("read")).await.unwrap();
        shown.push(format!("{task:?}{bad:?}{first:?}{held:?}{minted:?}{request:?}{:?}{:?}", b(&w), w.server));
        shown.extend([w.store.shown(), w.events.all().join("\n")]);
        assert!(w.events.count("reciprocal_abandoned") == 1 && w.events.count("reciprocal_deferred") == 1);
        assert!(w.events.count("fault") > 1, "the store's and the host's");
        let secrets = [code, "code-bAd-1", &access, &other, "access-PlUgH-5678", minted.expose()];
        if let Some(folder) = &w.folder {
            let files =
                std::fs::read_dir(folder.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
            shown.push(String::from_utf8_lossy(&files.collect::<Vec<_>>().concat()).into_owned());
            assert!(shown.last().unwrap().contains("peer-a"), "not the store that was used");
        }
        for text in &shown {
            for secret in secrets {
                assert_eq!(text.find(secret), None, "{secret}");
            }
        }
    })
    .await;
}
