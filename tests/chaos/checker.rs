//! What watches over the others sees what it must: each fault is planted in what a client was told.

use http::StatusCode;

use super::CLIENTS;
use crate::support::*;

/// Lives as clients at a good server remember them.
async fn lives() -> (Reference, Vec<Node>, Load, Vec<Life>) {
    let (reference, nodes) = nodes("memory:", 1, |text| text);
    let load = Load::new(vec![nodes[0].remote.clone()], CLIENTS, Memory::Everything, drop);
    let clients = load.start();
    load.progress(40).await;
    load.stop();
    let lives = clients.join_all().await.into_iter().flatten().collect();
    (reference, nodes, load, lives)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_loss_is_seen_and_nothing_else() {
    let (_reference, _nodes, load, mut lives) = lives().await;
    let mut take = |fits: &dyn Fn(&Life) -> bool| lives.swap_remove(lives.iter().position(fits).unwrap());
    let chain = |life: &Life| life.ended == Some(false) && life.issued.len() > 1 && life.revoked.is_empty();

    let mut token = take(&|life| life.ended == Some(true) && life.issued.len() > 1);
    token.ended = Some(false);
    let mut revocation = take(&chain);
    revocation.revoked.push(revocation.issued[0].access.clone());
    let mut end = take(&chain);
    end.ended = Some(true);
    let mut rotation = take(&chain);
    rotation.issued.last_mut().unwrap().refresh = take(&chain).issued[0].refresh.clone();
    let mut redemption = take(&chain);
    redemption.code = Some(fresh_code(&load).await);
    let planted = [
        (token, "a token is lost"),
        (revocation, "a revocation is lost"),
        (end, "the end of a grant is lost"),
        (rotation, "a rotation is lost"),
        (redemption, "a redemption is lost"),
    ];
    for (life, kind) in planted {
        let lost = load.lost(vec![life]).await;
        assert!(lost.iter().any(|lost| lost.starts_with(kind)), "{kind} is not seen: {lost:#?}");
    }
    assert!(lives.len() > CLIENTS && load.lost(lives).await.is_empty());
    assert!(load.tally().complaints().is_empty());
}

/// A code that nobody has redeemed.
async fn fresh_code(load: &Load) -> String {
    let node = &load.nodes()[0];
    let ask = Ask::of(APP).with("resource", ALBUMS);
    let page = Visitor::new(node.http.clone()).go(&format!("{}{}", node.url, ask.uri())).await;
    page.response(CALLBACK).get("code").unwrap().to_owned()
}

/// A server that is wrong in one way.
async fn wrong(answer: &'static str) -> Vec<String> {
    let app = axum::Router::new().fallback(move || async move {
        let (status, body) = answer.split_once(' ').unwrap();
        let status: StatusCode = status.parse().unwrap();
        (status, [("content-type", "application/json")], body)
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let load = Load::new(vec![Remote::new(plain_client(), url)], 4, Memory::Nothing, drop);
    let mut clients = load.start();
    while load.tally().complaints().is_empty() {
        tokio::task::yield_now().await;
    }
    clients.abort_all();
    server.abort();
    load.tally().complaints()
}

#[tokio::test]
async fn an_answer_that_is_neither_the_right_one_nor_503_is_told() {
    for answer in ["500 {}", "401 {}", r#"400 {"error":"invalid_grant"}"#] {
        let complaints = wrong(answer).await;
        assert!(complaints[0].contains(answer.split_once(' ').unwrap().0), "{complaints:#?}");
    }
    let complaints = wrong("503 {}").await;
    assert!(complaints[0].starts_with("503 without Retry-After"), "{complaints:#?}");
}
