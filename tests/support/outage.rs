//! What two programs on one store, and one program without its store, are to do, whatever server the store is on.

use std::fs;

use super::{Postgres, Program, RESOURCE_SERVER, Redis, Reference, WEB, is_live, two_nodes};

const CREDENTIALS: &[(&str, &str)] = &[("grant_type", "client_credentials")];

/// A real server that can go away, and come back with what it has acknowledged.
pub(crate) trait StoreServer {
    /// The signals that end it: one that lets it tidy up, and a crash.
    const ENDS: [&str; 2];

    async fn new_store(&self) -> String;
    fn stop(&mut self, signal: &str);
    fn start_again(&mut self);
}

impl StoreServer for Postgres {
    const ENDS: [&str; 2] = ["INT", "QUIT"];

    async fn new_store(&self) -> String {
        self.database().await
    }

    fn stop(&mut self, signal: &str) {
        self.end(signal);
    }

    fn start_again(&mut self) {
        self.resume();
    }
}

impl StoreServer for Redis {
    const ENDS: [&str; 2] = ["TERM", "KILL"];

    async fn new_store(&self) -> String {
        self.url()
    }

    fn stop(&mut self, signal: &str) {
        self.signal(signal);
    }

    fn start_again(&mut self) {
        self.resume();
    }
}

/// Two programs on `store` are one service.
pub(crate) async fn what_one_program_does_the_other_knows(store: &str) {
    let (_reference, [(first_program, first), (_second_program, second)]) = two_nodes(store);
    let tokens = first.token(WEB, CREDENTIALS).await.tokens();
    assert!(is_live(&second, &tokens.access).await);
    second.revoke(WEB, &tokens.access).await.is_revoked();
    assert!(!is_live(&first, &tokens.access).await);
    let kept = first.token(WEB, CREDENTIALS).await.tokens();
    first_program.kill();
    assert!(is_live(&second, &kept.access).await);
}

/// An outage is 503, and then all is as it was.
pub(crate) async fn a_store_that_is_away_is_503_until_it_is_back<S: StoreServer>(mut server: S) {
    let (_reference, [(_program, node), _]) = two_nodes(&server.new_store().await);
    let tokens = node.token(WEB, CREDENTIALS).await.tokens();
    for signal in S::ENDS {
        server.stop(signal);
        assert_eq!(node.token(WEB, CREDENTIALS).await.status, 503, "{signal}");
        assert_eq!(node.introspect(RESOURCE_SERVER, &tokens.access).await.status, 503, "{signal}");
        assert_eq!(node.revoke(WEB, &tokens.access).await.status, 503, "{signal}");
        server.start_again();
        assert!(is_live(&node, &tokens.access).await, "{signal}");
        node.token(WEB, CREDENTIALS).await.tokens();
    }
    let [_, crash] = S::ENDS;
    node.revoke(WEB, &tokens.access).await.is_revoked();
    server.stop(crash);
    server.start_again();
    assert!(!is_live(&node, &tokens.access).await, "an acknowledged revocation was lost");
}

/// A program whose store is at `nowhere`, in whose URL there is `password`.
pub(crate) fn a_program_without_its_store_says_so_and_shows_no_password(nowhere: &str, password: &str) {
    let reference = Reference::in_development("");
    let text = fs::read_to_string(reference.config()).unwrap();
    fs::write(reference.config(), text.replace("sqlite:oauth.db", nowhere)).unwrap();
    let ended = Program::run(reference.command());
    assert_ne!(ended.code, Some(0));
    assert!(nowhere.contains(password) && ended.stderr.contains("store: "), "{ended:?}");
    assert!(!ended.stderr.contains(password), "{ended:?}");
}
