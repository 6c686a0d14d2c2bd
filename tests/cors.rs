//! Scripts of other origins: what they may call, and what not.

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use oauth_tower::server::{AuthorizationServerService, Cors};
use tower::ServiceExt;

use crate::support::*;

const APP_ORIGIN: &str = "https://app.example";
const METADATA: &str = "/.well-known/oauth-authorization-server";

/// Every endpoint, with `cors`.
fn service(w: &World, cors: Option<Cors>) -> AuthorizationServerService {
    cors.into_iter().fold(AuthorizationServerService::new(w.server.clone()), AuthorizationServerService::cors)
}

fn apps() -> Option<Cors> {
    Some(Cors::origins([APP_ORIGIN]).unwrap())
}

async fn send(service: &AuthorizationServerService, request: Request<Bytes>) -> Answer {
    let response = service.clone().oneshot(request.map(Full::new)).await.unwrap();
    let (head, body) = response.into_parts();
    Answer::new(Response::from_parts(head, body.collect().await.unwrap().to_bytes()))
}

/// What a browser asks before a script of `origin` may send its request.
fn preflight(path: &str, origin: &str) -> Request<Bytes> {
    Request::builder()
        .method(Method::OPTIONS)
        .uri(path)
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization,dpop")
        .body(Bytes::new())
        .unwrap()
}

fn from(origin: &str, mut request: Request<Bytes>) -> Request<Bytes> {
    request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
    request
}

fn get(uri: &str) -> Request<Bytes> {
    Request::get(uri).body(Bytes::new()).unwrap()
}

fn says_anything(answer: &Answer) -> bool {
    answer.headers.keys().any(|name| name.as_str().starts_with("access-control-"))
}

// spec: TOK-11
#[tokio::test]
async fn a_preflight_is_answered_without_client_authentication_for_origins_that_are_named() {
    let w = on_memory().await;
    let service = service(&w, apps());
    for path in ["/token", "/revoke", "/introspect", "/par", "/register"] {
        let answer = send(&service, preflight(path, APP_ORIGIN)).await;
        assert_eq!(answer.status, 200, "{path}: {answer}");
        assert_eq!(answer.header("access-control-allow-origin"), APP_ORIGIN, "{path}");
        let allowed = answer.header("access-control-allow-headers");
        assert!(["authorization", "content-type", "dpop"].iter().all(|one| allowed.contains(one)), "{allowed}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
        let stranger = send(&service, preflight(path, "https://evil.example")).await;
        assert_eq!(stranger.header("access-control-allow-origin"), "", "{path}");
    }
}

// spec: TOK-11
#[tokio::test]
async fn a_script_reads_the_answer_its_challenge_and_the_next_nonce() {
    let w = on_memory_with(|builder| builder.dpop(|dpop| dpop.nonces = true)).await;
    let service = service(&w, apps());
    let params = [("grant_type", "client_credentials")];
    for (caller, status) in [(WEB, 200), (Caller::Basic("web", "wrong"), 401)] {
        let answer = send(&service, from(APP_ORIGIN, post("/token", caller, &params))).await;
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (status, APP_ORIGIN));
        let exposed = answer.header("access-control-expose-headers");
        let all = ["dpop-nonce", "www-authenticate", "retry-after"];
        assert!(all.iter().all(|one| exposed.contains(one)), "{exposed}");
        assert!(answer.header("vary").contains("origin"), "{answer}");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    let endless = Request::post("/token").body(vec![b'x'; 70_000].into()).unwrap();
    let refused = send(&service, from(APP_ORIGIN, endless)).await;
    assert_eq!((refused.status.as_u16(), refused.header("access-control-allow-origin")), (413, APP_ORIGIN));
    // Nobody else's script; the request itself is an ordinary one.
    let foreign = send(&service, from("https://evil.example", post("/token", WEB, &params))).await;
    assert_eq!((foreign.status.as_u16(), foreign.header("access-control-allow-origin")), (200, ""));
}

// spec: TOK-11, AUZ-24
#[tokio::test]
async fn no_script_calls_the_authorization_endpoint_whoever_is_allowed_elsewhere() {
    let w = on_memory().await;
    for cors in [None, apps(), Some(Cors::any_origin())] {
        let service = service(&w, cors);
        for request in [preflight("/authorize", APP_ORIGIN), from(APP_ORIGIN, get(&Ask::of(APP).uri()))] {
            assert!(!says_anything(&send(&service, request).await));
        }
    }
}

// spec: TOK-11
#[tokio::test]
async fn without_the_setting_only_public_documents_are_for_scripts_and_with_a_star_all() {
    let w = on_memory().await;
    let nobody = service(&w, None);
    assert!(!says_anything(&send(&nobody, preflight("/token", APP_ORIGIN)).await));
    let token = post("/token", WEB, &[("grant_type", "client_credentials")]);
    assert!(!says_anything(&send(&nobody, from(APP_ORIGIN, token)).await));
    for path in [METADATA, "/jwks"] {
        let asked = preflight(path, APP_ORIGIN);
        let answers = [send(&nobody, asked).await, send(&nobody, from(APP_ORIGIN, get(path))).await];
        for answer in answers {
            assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, "*"), "{answer}");
            assert_eq!(answer.headers.get_all("access-control-allow-origin").iter().count(), 1);
        }
    }
    let all = service(&w, Some(Cors::any_origin()));
    assert_eq!(send(&all, preflight("/token", "https://any.example")).await.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn the_file_of_the_program_names_the_origins() {
    let reference = Reference::with("[cors]\norigins = [\"https://app.example\"]\n");
    let _program = reference.start();
    let remote = Remote::new(reference.authority.client(), &reference.issuer);
    let answer = remote.send(preflight("/token", APP_ORIGIN)).await;
    assert_eq!(answer.header("access-control-allow-origin"), APP_ORIGIN, "{answer}");
    let refused = remote.send(from(APP_ORIGIN, get("/api/whoami"))).await;
    assert_eq!((refused.status.as_u16(), refused.header("access-control-allow-origin")), (401, APP_ORIGIN));
    let wrong = Reference::with("[cors]\norigins = [\"https://app.example/\", \"*\"]\n");
    let mut command = wrong.command();
    command.arg("--check");
    let ended = Program::run(command);
    assert_eq!((ended.code, &*ended.stderr), (Some(2), "cors.origins: `*` is all there are\n"));
}
