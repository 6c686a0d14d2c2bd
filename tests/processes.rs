//! A token lives its whole life between two processes: `resource-server` in front of `authorization-server`.

use std::process::Command;

use axum::{Json, Router, routing};
use http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{
    ALBUMS, Answer, Ask, CALLBACK, JWT_ALBUMS, PASSWORD, Program, RESOURCE_SERVER, Reference, Remote, Tokens, Visitor,
    WEB, free_port, plain_client, program, redemption,
};

/// `resource-server` for the tokens that `reference` issues, listening with TLS.
struct Api {
    remote: Remote,
    _program: Program,
}

const INTROSPECTING: [&str; 7] =
    ["--introspect", "--client-id", "api", "--client-secret", "api-secret-1Lm8", "--cache-ttl", "0"];

impl Api {
    fn start(reference: &Reference, resource: &str, arguments: &[&str]) -> Self {
        let mut command = command(reference, resource, arguments);
        command.arg("--ca").arg(reference.authority.file("ca.pem"));
        Self::started_by(reference, command)
    }

    fn started_by(reference: &Reference, command: Command) -> Self {
        let program = Program::start(command);
        let address = program.says("listening on ");
        Self { remote: Remote::new(reference.authority.client(), format!("https://{address}")), _program: program }
    }

    async fn call(&self, token: &str) -> Answer {
        self.remote.call("/api/whoami", token).await
    }

    /// That the API accepts `token`, as one of alice's.
    async fn accepts(&self, token: &str) {
        let answer = self.call(token).await;
        assert_eq!((answer.status, answer.member("sub")), (StatusCode::OK, "alice".into()), "{answer}");
    }

    async fn refuses(&self, token: &str) {
        let answer = self.call(token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{answer}");
    }

    /// RFC 7662 section 2.3 and RFC 9110 section 10.2.3: nothing is said about the token.
    async fn cannot_tell(&self, token: &str) {
        let answer = self.call(token).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{answer}");
        assert_eq!(answer.header("www-authenticate"), "");
    }
}

fn command(reference: &Reference, resource: &str, arguments: &[&str]) -> Command {
    let mut command = program("resource-server");
    command.args(["--listen", "127.0.0.1:0", "--resource", resource, "--issuer", &reference.issuer]);
    command.arg("--tls-certificate").arg(reference.authority.file("cert.pem"));
    command.arg("--tls-key").arg(reference.authority.file("key.pem"));
    command.args(arguments);
    command
}

fn remote(reference: &Reference) -> Remote {
    Remote::new(reference.authority.client(), &reference.issuer)
}

/// What alice allows on the pages, for `resource`.
async fn tokens(reference: &Reference, resource: &str) -> Tokens {
    let ask = Ask::of(WEB).with("resource", resource).with("scope", "albums:read");
    let url = format!("{}{}", reference.issuer, ask.uri());
    let mut visitor = Visitor::new(reference.authority.client());
    let response = visitor.decide(&url, ("alice", PASSWORD), "approve").await.response(CALLBACK);
    let answer = remote(reference).token(WEB, &redemption(response.get("code").unwrap())).await;
    answer.tokens()
}

// spec: REV-14
#[tokio::test]
async fn a_revoked_token_is_refused_by_the_next_process_that_asks() {
    let reference = Reference::new();
    let _server = reference.start();
    let api = Api::start(&reference, ALBUMS, &INTROSPECTING);
    let first = tokens(&reference, ALBUMS).await;
    api.accepts(&first.access).await;
    assert_eq!(api.remote.call("/api/albums", &first.access).await.status, StatusCode::OK);

    let second = remote(&reference).refresh(WEB, first.refresh.as_deref().unwrap()).await.tokens();
    api.accepts(&second.access).await;
    remote(&reference).revoke(WEB, second.refresh.as_deref().unwrap()).await.is_revoked();
    for token in [&first.access, &second.access] {
        api.refuses(token).await;
        remote(&reference).introspect(RESOURCE_SERVER, token).await.is_inactive();
    }
}

#[tokio::test]
async fn a_remembered_verdict_lasts_as_long_as_the_cache_and_no_longer() {
    let reference = Reference::new();
    let _server = reference.start();
    let lasting = [&INTROSPECTING[..6], &["3600"]].concat();
    let (remembers, asks) = (Api::start(&reference, ALBUMS, &lasting), Api::start(&reference, ALBUMS, &INTROSPECTING));
    let tokens = tokens(&reference, ALBUMS).await;
    remembers.accepts(&tokens.access).await;
    asks.accepts(&tokens.access).await;
    remote(&reference).revoke(WEB, &tokens.access).await.is_revoked();
    remembers.accepts(&tokens.access).await;
    asks.refuses(&tokens.access).await;
}

#[tokio::test]
async fn a_validator_of_jwts_alone_lives_by_the_issuers_keys_and_the_tokens_own_end() {
    let reference = Reference::new();
    let _server = reference.start();
    let by_jwt = Api::start(&reference, JWT_ALBUMS, &[]);
    let by_asking = Api::start(&reference, JWT_ALBUMS, &INTROSPECTING);
    let tokens = tokens(&reference, JWT_ALBUMS).await;
    by_jwt.accepts(&tokens.access).await;
    by_asking.accepts(&tokens.access).await;

    let (signed, signature) = tokens.access.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    by_jwt.refuses(&format!("{signed}.{other}{}", &signature[1..])).await;
    // One for the other resource.
    Api::start(&reference, ALBUMS, &[]).refuses(&tokens.access).await;

    remote(&reference).revoke(WEB, tokens.refresh.as_deref().unwrap()).await.is_revoked();
    by_asking.refuses(&tokens.access).await;
    by_jwt.accepts(&tokens.access).await;
}

// spec: MET-12, MET-15
#[tokio::test]
async fn an_api_says_where_its_tokens_come_from_and_its_challenges_say_where_it_says_so() {
    let reference = Reference::new();
    let api = Api::start(&reference, JWT_ALBUMS, &[]);
    let document = api.remote.get("/.well-known/oauth-protected-resource").await;
    assert_eq!((document.status, document.member("resource")), (StatusCode::OK, JWT_ALBUMS.into()), "{document}");
    assert_eq!(document.json()["authorization_servers"], serde_json::json!([reference.issuer]));
    let refused = api.remote.get("/api/whoami").await;
    let named = format!("resource_metadata=\"{JWT_ALBUMS}/.well-known/oauth-protected-resource\"");
    assert!(refused.header("www-authenticate").contains(&named), "{refused}");
}

// spec: RS-33
#[tokio::test]
async fn an_api_that_takes_bound_tokens_alone_offers_no_bearer_challenge_and_takes_no_bearer_token() {
    let reference = Reference::new();
    let _server = reference.start();
    let api = Api::start(&reference, JWT_ALBUMS, &["--dpop", "required"]);
    let challenge = api.remote.get("/api/whoami").await.header("www-authenticate").to_owned();
    assert!(
        challenge.starts_with("DPoP ") && challenge.contains("algs=\"") && !challenge.contains("Bearer"),
        "{challenge}"
    );
    api.refuses(&tokens(&reference, JWT_ALBUMS).await.access).await;
}

#[tokio::test]
async fn a_scope_that_the_whole_api_requires_is_asked_of_every_token() {
    let reference = Reference::new();
    let _server = reference.start();
    let tokens = tokens(&reference, ALBUMS).await;
    let writers = [&INTROSPECTING[..], &["--require-scope", "albums:write"]].concat();
    let answer = Api::start(&reference, ALBUMS, &writers).call(&tokens.access).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer}");
    assert!(answer.header("www-authenticate").contains("scope=\"albums:write\""), "{answer}");
}

// spec: INT-14
#[tokio::test]
async fn while_the_issuer_is_down_the_answer_is_503_and_when_it_is_back_200() {
    let reference = Reference::new();
    let server = reference.start();
    let (opaque, jwt) = (tokens(&reference, ALBUMS).await, tokens(&reference, JWT_ALBUMS).await);
    let unseen = tokens(&reference, ALBUMS).await;
    let before = Api::start(&reference, ALBUMS, &INTROSPECTING);
    before.accepts(&opaque.access).await;
    server.kill();
    before.cannot_tell(&opaque.access).await;
    // These start while it is down.
    let asking = Api::start(&reference, ALBUMS, &INTROSPECTING);
    let by_jwt = Api::start(&reference, JWT_ALBUMS, &[]);
    asking.cannot_tell(&opaque.access).await;
    by_jwt.cannot_tell(&jwt.access).await;

    let _server = reference.start();
    // For a moment nobody asks again about a token that could not be judged. This is another one.
    before.accepts(&unseen.access).await;
    Api::start(&reference, ALBUMS, &INTROSPECTING).accepts(&opaque.access).await;
    Api::start(&reference, JWT_ALBUMS, &[]).accepts(&jwt.access).await;
}

#[tokio::test]
async fn keys_that_were_fetched_outlive_the_issuers_process() {
    let reference = Reference::new();
    let server = reference.start();
    let by_jwt = Api::start(&reference, JWT_ALBUMS, &[]);
    let (first, second) = (tokens(&reference, JWT_ALBUMS).await, tokens(&reference, JWT_ALBUMS).await);
    by_jwt.accepts(&first.access).await;
    server.kill();
    by_jwt.accepts(&second.access).await;
    // The same keys sign after a restart.
    let _server = reference.start();
    by_jwt.accepts(&tokens(&reference, JWT_ALBUMS).await.access).await;
}

// spec: SEC-05
#[tokio::test]
async fn an_issuer_whose_certificate_nobody_vouches_for_is_not_asked() {
    let reference = Reference::new();
    let _server = reference.start();
    for (resource, arguments) in [(ALBUMS, &INTROSPECTING[..]), (JWT_ALBUMS, &[])] {
        let tokens = tokens(&reference, resource).await;
        let distrusting = Api::started_by(&reference, command(&reference, resource, arguments));
        distrusting.cannot_tell(&tokens.access).await;
        Api::start(&reference, resource, arguments).accepts(&tokens.access).await;
    }
}

// spec: INT-14
#[tokio::test]
async fn a_resource_server_with_a_wrong_secret_knows_nothing_about_tokens() {
    let reference = Reference::new();
    let _server = reference.start();
    let tokens = tokens(&reference, ALBUMS).await;
    let wrong = ["--introspect", "--client-id", "api", "--client-secret", "wrong", "--cache-ttl", "0"];
    Api::start(&reference, ALBUMS, &wrong).cannot_tell(&tokens.access).await;
}

/// `resource-server` on plain http, for this machine alone.
fn in_development(port: u16, issuer: &str, arguments: &[&str]) -> (Program, Remote) {
    let (address, resource) = (format!("127.0.0.1:{port}"), format!("http://localhost:{port}/api"));
    let mut command = program("resource-server");
    command.args(["--development", "--listen", &address, "--resource", &resource, "--issuer", issuer]);
    command.args(arguments);
    let program = Program::start(command);
    program.says("listening on ");
    (program, Remote::new(plain_client(), format!("http://{address}")))
}

/// RFC 9728 sections 3.2 and 5.1.
#[tokio::test]
async fn in_development_the_metadata_of_an_api_on_this_machine_is_published_and_challenges_name_it() {
    let port = free_port();
    let (_program, api) = in_development(port, "http://127.0.0.1:1", &[]);
    let document = api.get("/.well-known/oauth-protected-resource/api").await;
    assert_eq!((document.status, document.member("resource")), (StatusCode::OK, api_name(port).into()), "{document}");
    let challenge = api.get("/api/whoami").await;
    assert_eq!(challenge.status, StatusCode::UNAUTHORIZED);
    let address = format!("resource_metadata=\"http://localhost:{port}/.well-known/oauth-protected-resource/api\"");
    assert!(challenge.header("www-authenticate").contains(&address), "{challenge}");
}

fn api_name(port: u16) -> String {
    format!("http://localhost:{port}/api")
}

/// RFC 7662 section 2.2: `sub` is optional, and a client that acts for itself may have none.
#[tokio::test]
async fn an_active_answer_without_a_subject_is_about_its_client() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let port = free_port();
    let metadata = json!({
        "issuer": issuer,
        "introspection_endpoint": format!("{issuer}/introspect"),
        "response_types_supported": ["code"],
    });
    let answer = json!({ "active": true, "client_id": "web", "aud": api_name(port), "iss": issuer });
    let foreign = Router::new()
        .route("/.well-known/oauth-authorization-server", routing::get(async || Json(metadata)))
        .route("/introspect", routing::post(async || Json(answer)));
    tokio::spawn(async { axum::serve(listener, foreign).await });
    let (_program, api) = in_development(port, &issuer, &INTROSPECTING);
    let answer = api.call("/api/whoami", "opaque").await;
    assert_eq!((answer.status, answer.member("sub")), (StatusCode::OK, "web".into()), "{answer}");
}
