//! A service that moves: what it issued on one store is good on another.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Stdio,
};

use serde_json::Value;

use crate::support::*;

const CREDENTIALS: &[(&str, &str)] = &[("grant_type", "client_credentials")];

/// What clients hold when the service stops.
struct Held {
    opaque: String,
    jwt: String,
    /// Rotated: the one before, and what it was replaced by.
    former: String,
    current: Tokens,
    revoked: Tokens,
    keys: Vec<Value>,
}

impl Held {
    async fn of(node: &Remote) -> Self {
        let opaque = node.token(WEB, CREDENTIALS).await.tokens().access;
        let jwt = [CREDENTIALS, &[("resource", JWT_ALBUMS)]].concat();
        let jwt = node.token(WEB, &jwt).await.tokens().access;
        let former = signed_in(node).await.refresh.unwrap();
        let current = node.refresh(APP, &former).await.tokens();
        let revoked = signed_in(node).await;
        node.revoke(APP, revoked.refresh.as_ref().unwrap()).await.is_revoked();
        let keys = keys(node).await;
        Self { opaque, jwt, former, current, revoked, keys }
    }

    /// All is as it was, and goes on.
    async fn is_good_at(&self, node: &Remote) {
        assert_eq!(keys(node).await, self.keys);
        for token in [&self.opaque, &self.jwt, &self.current.access] {
            assert!(is_live(node, token).await);
        }
        node.introspect(RESOURCE_SERVER, &self.revoked.access).await.is_inactive();
        node.refresh(APP, self.revoked.refresh.as_ref().unwrap()).await.is_refused(400, "invalid_grant");
        // A response that was lost before the move is repeated after it.
        assert_eq!(node.refresh(APP, &self.former).await.tokens(), self.current);
        let next = node.refresh(APP, self.current.refresh.as_ref().unwrap()).await.tokens();
        assert!(is_live(node, &next.access).await);
        // Reuse is still recognized.
        node.refresh(APP, &self.former).await.is_refused(400, "invalid_grant");
        assert!(!is_live(node, &next.access).await);
        node.revoke(WEB, &self.opaque).await.is_revoked();
        assert!(!is_live(node, &self.opaque).await);
    }
}

/// A store may list them in any order.
async fn keys(node: &Remote) -> Vec<Value> {
    let jwks = node.get("/jwks").await.json();
    let mut keys = jwks["keys"].as_array().unwrap().clone();
    keys.sort_by_key(|key| key["kid"].to_string());
    keys
}

async fn signed_in(node: &Remote) -> Tokens {
    let ask = Ask::of(APP).with("scope", "albums:read");
    let page = Visitor::new(node.http.clone()).go(&format!("{}{}", node.url, ask.uri())).await;
    let response = response_at(CALLBACK, page.answer.location());
    node.token(APP, &redemption(response.get("code").unwrap())).await.tokens()
}

/// The same server with another store.
fn on(reference: &Reference, store: &str) {
    let text = fs::read_to_string(reference.config()).unwrap();
    let line = text.lines().find(|line| line.starts_with("store = ")).unwrap().to_owned();
    fs::write(reference.config(), text.replace(&line, &format!("store = \"{store}\""))).unwrap();
}

fn run(reference: &Reference, arguments: &[&str]) -> Ended {
    let mut command = reference.command();
    command.args(arguments).current_dir(reference.authority.folder.path());
    Program::run(command)
}

#[track_caller]
fn refused(reference: &Reference, arguments: &[&str], why: &str) {
    let ended = run(reference, arguments);
    assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{ended:?}");
    assert!(ended.stderr.contains(why), "{why}: {ended:?}");
}

fn node_of(reference: &Reference) -> Remote {
    Remote::new(plain_client(), &reference.issuer)
}

#[tokio::test]
async fn what_was_issued_before_a_move_is_good_after_it() {
    let reference = Reference::in_development("");
    let program = reference.start();
    let held = Held::of(&node_of(&reference)).await;
    assert_eq!(program.terminate().code, Some(0));
    let ended = run(&reference, &["--export", "moved.jsonl"]);
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""), "{ended:?}");
    assert!(ended.stderr.contains("exported: 0 clients, 2 signing keys, 4 grants, "), "{ended:?}");
    let file = reference.authority.file("moved.jsonl");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    has_no_secret(&file, &held);

    let (server, cluster) = (Redis::start(""), Cluster::start());
    let stores = [new_database().await, server.url(), cluster.urls().join(","), "sqlite:other.db".to_owned()];
    for store in stores {
        println!("on {}", store.split(':').next().unwrap());
        on(&reference, &store);
        let ended = run(&reference, &["--import", "moved.jsonl"]);
        assert_eq!((ended.code, &*ended.stdout), (Some(0), ""), "{ended:?}");
        let program = reference.start();
        held.is_good_at(&node_of(&reference)).await;
        assert_eq!(program.terminate().code, Some(0));
    }
}

#[tokio::test]
async fn a_token_that_was_revoked_after_a_move_stays_so_when_the_same_file_is_imported_once_more() {
    let reference = Reference::in_development("");
    let program = reference.start();
    let node = node_of(&reference);
    let (revoked, kept) = (signed_in(&node).await, signed_in(&node).await);
    // Of one grant: it is the token alone that is revoked.
    let sibling = node.refresh(APP, revoked.refresh.as_ref().unwrap()).await.tokens();
    program.terminate();
    assert_eq!(run(&reference, &["--export", "moved.jsonl"]).code, Some(0));
    let server = Redis::start("");
    for store in ["sqlite:other.db".to_owned(), new_database().await, server.url()] {
        println!("on {}", store.split(':').next().unwrap());
        on(&reference, &store);
        assert_eq!(run(&reference, &["--import", "moved.jsonl"]).code, Some(0));
        let (program, node) = (reference.start(), node_of(&reference));
        assert!(is_live(&node, &revoked.access).await);
        node.revoke(APP, &revoked.access).await.is_revoked();
        assert!(!is_live(&node, &revoked.access).await && is_live(&node, &sibling.access).await);
        program.terminate();
        let ended = run(&reference, &["--import", "moved.jsonl"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let (program, node) = (reference.start(), node_of(&reference));
        assert!(!is_live(&node, &revoked.access).await, "an import has revived a token");
        assert!(is_live(&node, &sibling.access).await && is_live(&node, &kept.access).await);
        program.terminate();
    }
}

fn has_no_secret(file: &Path, held: &Held) {
    let text = fs::read_to_string(file).unwrap();
    let (current, revoked) = (&held.current, &held.revoked);
    let refresh = [&held.former, current.refresh.as_ref().unwrap(), revoked.refresh.as_ref().unwrap()];
    for secret in [&held.opaque, &held.jwt, &current.access, &revoked.access].into_iter().chain(refresh) {
        assert!(!text.contains(secret));
        let body = secret.split(['_', '.']).max_by_key(|part| part.len()).unwrap();
        assert!(!text.contains(body));
    }
}

#[tokio::test]
async fn a_file_goes_through_a_pipe() {
    let reference = Reference::in_development("");
    let program = reference.start();
    let held = Held::of(&node_of(&reference)).await;
    program.terminate();
    let ended = run(&reference, &["--export", "-"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.lines().last().unwrap().starts_with(r#"{"end":"#), "{ended:?}");
    let file = reference.authority.file("piped");
    fs::write(&file, ended.stdout).unwrap();
    on(&reference, "sqlite:other.db");
    let mut command = reference.command();
    let output = command.args(["--import", "-"]).stdin(Stdio::from(File::open(file).unwrap())).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let _program = reference.start();
    held.is_good_at(&node_of(&reference)).await;
}

#[test]
fn a_move_that_cannot_be_right_is_refused() {
    let reference = Reference::in_development("");
    assert_eq!(reference.start().terminate().code, Some(0));
    assert_eq!(run(&reference, &["--export", "moved.jsonl"]).code, Some(0));
    refused(&reference, &["--export", "moved.jsonl"], "--export moved.jsonl: ");
    refused(&reference, &["--export", "nowhere/moved.jsonl"], "--export nowhere/moved.jsonl.partial: ");
    refused(&reference, &["--import", "nowhere"], "--import nowhere: ");
    refused(&reference, &["--import", "as.toml"], "line 1: is not the first line of an export; nothing was imported");
    refused(&reference, &["--import", "moved.jsonl", "--export", "x"], "cannot be used with");
    refused(&reference, &["--clients-only"], "--import");
    refused(&reference, &["--export", "x", "--clients-only"], "cannot be used with");

    let file = reference.authority.file("moved.jsonl");
    let whole = fs::read_to_string(&file).unwrap();
    let folder = reference.authority.folder.path();
    fs::write(folder.join("cut.jsonl"), &whole[..whole.rfind("{\"end\"").unwrap()]).unwrap();
    fs::write(folder.join("foreign.jsonl"), whole.replace(&reference.issuer, "https://other.example")).unwrap();
    fs::write(folder.join("damaged.jsonl"), whole.replace("\"active_from\":1", "\"active_from\":2")).unwrap();
    on(&reference, "sqlite:nowhere.db");
    refused(&reference, &["--export", "y"], "nowhere.db: there is no such file");
    assert!(!folder.join("nowhere.db").exists() && !folder.join("y").exists());
    on(&reference, "sqlite:other.db");
    refused(&reference, &["--import", "cut.jsonl"], "the file was cut off; nothing was imported");
    refused(&reference, &["--import", "damaged.jsonl"], "it was damaged or changed; nothing was imported");
    refused(&reference, &["--import", "foreign.jsonl"], "line 1: is of another issuer");

    on(&reference, "memory:");
    refused(&reference, &["--export", "memory.jsonl"], "store: ");
    on(&reference, "sqlite:third.db");
    fs::rename(folder.join("oauth.key"), folder.join("kept.key")).unwrap();
    refused(&reference, &["--import", "moved.jsonl"], "keys.secret_file: ");
    assert!(!folder.join("oauth.key").exists(), "a secret was made that nothing was issued under");
    fs::write(folder.join("oauth.key"), [9; 32]).unwrap();
    refused(&reference, &["--import", "moved.jsonl"], "line 1: was made under a root secret");
    // Nothing was imported: the store still knows no secret. Clients need none.
    let ended = run(&reference, &["--import", "moved.jsonl", "--clients-only"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(reference.start().terminate().code, Some(0));
    on(&reference, "sqlite:oauth.db");
    refused(&reference, &["--export", "third.jsonl"], "keys.secret_file: ");
    assert!(!folder.join("third.jsonl").exists());
}
