//! A client whose requests leave by two doors, and somebody who has seen one of its tokens.

use oauth_core::token::TokenKind;

use crate::support::*;

/// `first` and `second` ask with the same token at the same moment.
async fn at_once(first: &World, second: &World, token: &str) -> [Tokens; 2] {
    let nodes = [first.clone(), second.clone()];
    let ask = |number: usize| {
        let (node, token) = (nodes[number].clone(), token.to_owned());
        async move { node.refresh(APP, &token).await.tokens() }
    };
    all_at_once(2, ask).await.try_into().unwrap()
}

/// A session that goes on by way of two nodes, and its refresh tokens so far.
async fn travelled(w: &World, other: &World) -> Vec<Tokens> {
    let mut had = vec![w.tokens(APP).await];
    for round in 0..10 {
        w.clock.advance(30);
        // Two doors, and then a button that was pressed twice.
        let nodes = if round % 2 == 0 { (w, other) } else { (other, other) };
        let [one, two] = at_once(nodes.0, nodes.1, had.last().unwrap().refresh.as_ref().unwrap()).await;
        assert_eq!(one, two, "both were given the same");
        assert!(w.lives(&one.access).await);
        had.push(one);
    }
    assert_eq!((w.events.count("refresh_retried"), w.events.count("refresh_reused")), (10, 0));
    had
}

// spec: TOK-28, TOK-29
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_that_refresh_at_once_and_a_double_submit_keep_the_session() {
    on_every_store(async |w| {
        let other = w.another(|builder| builder).await.unwrap();
        let had = travelled(&w, &other).await;
        w.refresh(APP, had.last().unwrap().refresh.as_ref().unwrap()).await.tokens();
    })
    .await;
}

// spec: TOK-27, TOK-28
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thief_outside_the_window_ends_the_session_and_the_event_says_why() {
    on_every_store(async |w| {
        let other = w.another(|builder| builder).await.unwrap();
        let had = travelled(&w, &other).await;
        let [.., stolen, last] = &had[..] else { panic!() };
        let stolen = stolen.refresh.as_ref().unwrap();
        // The client has not come again: the window alone decides.
        w.clock.advance(20);
        other.refresh(APP, stolen).await.is_refused(400, "invalid_grant");

        assert!(!w.lives(&last.access).await, "whatever the client calls");
        w.refresh(APP, last.refresh.as_ref().unwrap()).await.is_refused(400, "invalid_grant");
        let grant = World::codec().read(TokenKind::Refresh, stolen).unwrap().grant;
        let why: Vec<String> = w.events.all().into_iter().filter(|event| event.starts_with("refresh_reused")).collect();
        let [why] = &why[..] else { panic!("{why:?}") };
        assert!(why.contains(&format!("{grant:?}")) && why.contains("app"), "{why}");
        assert!(!why.contains("ort_"), "{why}");
    })
    .await;
}
