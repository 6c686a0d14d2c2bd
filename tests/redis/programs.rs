//! Two authorization servers, processes of their own, on one server or one cluster.

use std::fs;

use crate::support::*;

const CREDENTIALS: &[(&str, &str)] = &[("grant_type", "client_credentials")];

// spec: SEC-20
#[tokio::test]
async fn what_one_process_does_the_other_knows() {
    let cluster = Cluster::start();
    let (_reference, [(first_program, first), (_second_program, second)]) = two_nodes(&cluster.urls().join(","));
    let tokens = first.token(WEB, CREDENTIALS).await.tokens();
    assert!(is_live(&second, &tokens.access).await);
    second.revoke(WEB, &tokens.access).await.is_revoked();
    assert!(!is_live(&first, &tokens.access).await);
    let kept = first.token(WEB, CREDENTIALS).await.tokens();
    first_program.kill();
    assert!(is_live(&second, &kept.access).await);
}

#[tokio::test]
async fn a_server_that_is_away_is_503_until_it_is_back() {
    let mut server = Redis::start("");
    let (_reference, [(_program, node), _]) = two_nodes(&server.url());
    let tokens = node.token(WEB, CREDENTIALS).await.tokens();
    for signal in ["TERM", "KILL"] {
        server.signal(signal);
        assert_eq!(node.token(WEB, CREDENTIALS).await.status, 503);
        assert_eq!(node.introspect(RESOURCE_SERVER, &tokens.access).await.status, 503);
        assert_eq!(node.revoke(WEB, &tokens.access).await.status, 503);
        server.resume();
        assert!(is_live(&node, &tokens.access).await);
        node.token(WEB, CREDENTIALS).await.tokens();
    }
    node.revoke(WEB, &tokens.access).await.is_revoked();
    server.signal("KILL");
    server.resume();
    assert!(!is_live(&node, &tokens.access).await, "an acknowledged revocation was lost");
}

#[test]
fn a_program_without_its_server_says_so_and_shows_no_password() {
    let reference = Reference::in_development("");
    let text = fs::read_to_string(reference.config()).unwrap();
    fs::write(reference.config(), text.replace("sqlite:oauth.db", &redis_url_at(free_port()))).unwrap();
    let ended = Program::run(reference.command());
    assert_ne!(ended.code, Some(0));
    assert!(ended.stderr.contains("store: ") && !ended.stderr.contains(REDIS_PASSWORD), "{ended:?}");
}
