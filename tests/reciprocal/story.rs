//! From the first connection to both APIs, and two updates: two programs, over sockets. And the example that does the
//! same.

use super::{pair::Pair, *};

/// All of it, on these stores.
async fn the_whole_story(stores: [Option<&str>; 2]) {
    let mut pair = Pair::asleep(stores, "");
    pair.before_a.open().await;
    pair.start().await;

    let (tokens, wish) = pair.first_flow().await;
    assert_eq!(wish, "albums:read");
    assert_eq!(pair.b.held().await.to_string(), r#"{"queued":0,"tokens":[]}"#);
    pair.connect(&tokens.access, "albums:read").await;
    let held = pair.b.comes_to_hold("albums:read").await;
    let first = pair.token_of_b();
    let one = &held["tokens"][0];
    assert_eq!((&one["user"], &one["peer"]), (&"alice".into(), &"peer-a".into()));
    assert!(one["expires_at"].is_u64() && one.as_object().unwrap().len() == 4, "{held}");

    // Each calls the other.
    assert_eq!(pair.b.albums("GET", &tokens.access).await, 200);
    assert_eq!([pair.a.albums("GET", &first).await, pair.a.albums("POST", &first).await], [200, 403]);
    assert_eq!(pair.a.albums("GET", &tokens.access).await, 401);

    // More: the tokens before are revoked once the new ones are there.
    pair.connect(&tokens.access, "albums:read albums:write").await;
    pair.b.comes_to_hold("albums:read albums:write").await;
    let more = pair.token_of_b();
    assert_eq!([pair.a.albums("GET", &more).await, pair.a.albums("POST", &more).await], [200, 200]);
    pair.a.albums_come_to("GET", &first, 401).await;
    let revoked = pair.before_a.seen().into_iter().filter(|seen| seen.path == "/revoke").collect::<Vec<_>>();
    assert!(!revoked.is_empty() && revoked.iter().all(|seen| seen.status == 200), "{revoked:?}");
    let paths: Vec<_> = pair.before_a.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths[..3], ["/token", "/token", "/revoke"]);

    // Fewer.
    pair.connect(&tokens.access, "albums:write").await;
    pair.b.comes_to_hold("albums:write").await;
    let fewer = pair.token_of_b();
    assert_eq!([pair.a.albums("GET", &fewer).await, pair.a.albums("POST", &fewer).await], [403, 200]);
    pair.a.albums_come_to("GET", &more, 401).await;
    assert_eq!(pair.b.held().await["tokens"].as_array().unwrap().len(), 1);
    let events = [pair.b.count("reciprocal_redeemed").await, pair.b.count("reciprocal_updated").await];
    assert_eq!(events, [1, 2]);
    pair.end_in_silence(&[&tokens.access, tokens.refresh.as_deref().unwrap(), &first, &more, &fewer]);
}

// spec: TOK-47, TOK-49, TOK-50, TOK-53, TOK-54, TOK-56, TOK-57
#[tokio::test(flavor = "multi_thread")]
async fn two_programs_call_each_other_and_a_later_grant_replaces_the_one_before() {
    the_whole_story([None, None]).await;
}

// spec: TOK-54, TOK-56
#[tokio::test(flavor = "multi_thread")]
async fn they_may_be_on_postgresql() {
    let stores = [new_database().await, new_database().await];
    the_whole_story([Some(&stores[0]), Some(&stores[1])]).await;
}

// spec: TOK-52
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_client_credentials_links_the_client() {
    let mut pair = Pair::new().await;
    let own = pair.b.remote.token(PEER, &[("grant_type", "client_credentials")]).await.tokens().access;
    pair.connect(&own, "albums:read").await;
    let held = pair.b.comes_to_hold("albums:read").await;
    assert_eq!(held["tokens"][0]["user"], "peer-a");
    pair.end_in_silence(&[&own]);
}

// spec: TOK-48, TOK-50, TOK-54, TOK-56
#[test]
fn the_example_with_two_services_does_all_that_it_says() {
    let ended = Program::run(program("reciprocal"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.ends_with("Every step did what it says.\n"), "{ended:?}");
    let steps = ended.stdout.lines().filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()));
    assert_eq!(steps.count(), 15, "{ended:?}");
    for part in ["The assistant is process", "The music is process", "200 OK favorites", "200 OK announced"] {
        assert!(ended.stdout.contains(part), "{part}: {ended:?}");
    }
    let mut help = program("reciprocal");
    help.arg("--help");
    let help = Program::run(help);
    assert!(help.code == Some(0) && help.stdout.contains("voice assistant"), "{help:?}");
}
