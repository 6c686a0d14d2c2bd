//! The same by the program's own means: for administrators, and when a backup is restored.

use std::fs;

use super::*;
use crate::bus::until;

const CREDENTIALS: &[(&str, &str)] = &[("grant_type", "client_credentials")];

/// What an administrator is answered who asks for `json`.
async fn ask(address: &str, secret: &str, json: &str) -> (u16, String) {
    let request = reqwest::Client::new().post(format!("http://{address}/admin/revoke")).bearer_auth(secret);
    let answer = request.header("content-type", "application/json").body(json.to_owned()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn an_administrator_revokes_and_sees_how_far_it_has_come() {
    let (reference, port) = (Reference::in_development(""), free_port());
    let mut command = reference.command();
    let address = format!("127.0.0.1:{port}");
    command.args(["--admin", &address]).env("OAUTH_ADMIN_SECRET", "s3cret");
    let _program = reference.started_by(command);
    let node = Remote::new(plain_client(), reference.issuer.clone());
    let tokens = node.token(WEB, CREDENTIALS).await.tokens();
    assert_eq!(ask(&address, "guess", r#"{"client":"web"}"#).await.0, 401);
    for (wrong, named) in [
        ("{}", "give one of"),
        (r#"{"client":"web","subject":"alice"}"#, "give one of"),
        (r#"{"issued_before":99999999999}"#, "the future"),
        (r#"{"subject":""}"#, "subject: "),
        (r#"{"subject":"alice","device":null}"#, "device: "),
        (r#"{"clinet":"web"}"#, "clinet: "),
        (r#"{"client":"web""#, "the body must be"),
        ("[]", "the body must be"),
        ("", "the body must be"),
    ] {
        let (status, body) = ask(&address, "s3cret", wrong).await;
        let said: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert!(status == 400 && said["error"].as_str().unwrap().contains(named), "{wrong} {body}");
    }
    assert!(is_live(&node, &tokens.access).await);
    let (status, lines) = ask(&address, "s3cret", r#"{"client":"web"}"#).await;
    assert_eq!(status, 200);
    let said = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>();
    let [.., last, done] = &said[..] else { panic!("{lines}") };
    assert_eq!((&done["done"], &done["revoked"]), (&true.into(), &1.into()), "{lines}");
    assert!(last.get("done").is_none() && done["examined"] == last["examined"], "{lines}");
    assert!(!is_live(&node, &tokens.access).await);
}

#[test]
fn in_memory_there_is_nothing_to_revoke_and_nothing_to_back_up() {
    let reference = Reference::in_development("");
    on(&reference, "memory:");
    let copy = reference.authority.file("copy.db");
    for (arguments, why) in [
        (["--revoke-issued-before", "1"], "store: memory: holds nothing that could be revoked"),
        (["--backup", copy.to_str().unwrap()], "store: memory: has nothing to back up"),
    ] {
        let mut command = reference.command();
        command.args(arguments);
        let ended = Program::run(command);
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.starts_with(why), "{ended:?}");
    }
    assert!(!copy.exists());
}

/// Lets `reference` run on the store of this name.
fn on(reference: &Reference, store: &str) {
    let text = fs::read_to_string(reference.config()).unwrap();
    let line = text.lines().find(|line| line.starts_with("store = ")).unwrap().to_owned();
    fs::write(reference.config(), text.replace(&line, &format!("store = \"{store}\""))).unwrap();
}

/// Something is revoked after the store has been copied, and then the copy takes its place: `copy` says what it is
/// called.
async fn goes_back_to_a_copy(store: &str, copy: impl AsyncFnOnce() -> String) {
    println!("on {}", store.split(':').next().unwrap());
    let reference = Reference::in_development("");
    on(&reference, store);
    let program = reference.start();
    // Of each process its own connections.
    let node = || Remote::new(plain_client(), reference.issuer.clone());
    let (tokens, others) = (signed_in(&node()).await, node().token(WEB, CREDENTIALS).await.tokens());
    program.terminate();
    let copied = copy().await;
    let program = reference.start();
    node().revoke(APP, tokens.refresh.as_ref().unwrap()).await.is_revoked();
    assert!(!is_live(&node(), &tokens.access).await);
    program.terminate();

    on(&reference, &copied);
    let program = reference.start();
    assert!(is_live(&node(), &tokens.access).await, "a copy knows nothing of it");
    program.terminate();
    let time = later(1);
    // Of what is issued in this very second nothing is older.
    while now() < time {
        tokio::task::yield_now().await;
    }
    let mut command = reference.command();
    command.args(["--revoke-issued-before", &time.0.to_string()]);
    let ended = Program::run(command);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("revoked 2 of"), "{ended:?}");
    let _program = reference.start();
    for token in [&tokens.access, &others.access] {
        assert!(!is_live(&node(), token).await);
    }
    node().refresh(APP, tokens.refresh.as_ref().unwrap()).await.is_refused(400, "invalid_grant");
    assert!(is_live(&node(), &node().token(WEB, CREDENTIALS).await.tokens().access).await);
}

async fn signed_in(node: &Remote) -> Tokens {
    let ask = Ask::of(APP).with("scope", "albums:read");
    let page = Visitor::new(node.http.clone()).go(&format!("{}{}", node.url, ask.uri())).await;
    node.token(APP, &redemption(page.response(CALLBACK).get("code").unwrap())).await.tokens()
}

#[tokio::test]
async fn on_postgresql_and_redis_too_a_copy_that_takes_the_place_of_its_store_revives_nothing_then() {
    let database = new_database().await;
    let name = database.rsplit('/').next().unwrap();
    let copy = async || {
        let admin = raw(&shared_postgres().url("postgres")).await;
        // Connections of the program may take a moment to be gone.
        let copy = format!("CREATE DATABASE {name}_copy TEMPLATE {name}");
        until("it is copied", async || admin.batch_execute(&copy).await.is_ok()).await;
        format!("{database}_copy")
    };
    goes_back_to_a_copy(&database, copy).await;

    let (server, copied) = (Redis::start(""), Redis::start(""));
    let copy = async || {
        copied.say(&["REPLICAOF", "127.0.0.1", &server.port().to_string()]);
        copied.until("a copy", |copied| copied.say(&["INFO", "replication"]).contains("master_link_status:up"));
        copied.say(&["REPLICAOF", "NO", "ONE"]);
        copied.url()
    };
    goes_back_to_a_copy(&server.url(), copy).await;
}

#[tokio::test]
async fn what_was_revoked_since_a_backup_stays_so_when_it_is_restored() {
    let reference = Reference::in_development("");
    let program = reference.start();
    // Of each process its own connections.
    let node = || Remote::new(plain_client(), reference.issuer.clone());
    let tokens = node().token(WEB, CREDENTIALS).await.tokens();
    program.terminate();
    let file = reference.config().with_file_name("oauth.db");
    let copy = fs::read(&file).unwrap();
    let program = reference.start();
    node().revoke(WEB, &tokens.access).await.is_revoked();
    program.terminate();
    fs::write(&file, copy).unwrap();
    let mut command = reference.command();
    let time = later(1);
    command.args(["--revoke-issued-before", &time.0.to_string()]);
    // Of what is issued in this very second nothing is older.
    while now() < time {
        tokio::task::yield_now().await;
    }
    let ended = Program::run(command);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("revoked 1 of"), "{ended:?}");
    let _program = reference.start();
    assert!(!is_live(&node(), &tokens.access).await);
}
