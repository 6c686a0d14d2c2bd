//! The same by the program's own means: for administrators, and when a backup is restored.

use std::fs;

use super::*;

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
    for wrong in ["{}", r#"{"client":"web","subject":"alice"}"#, r#"{"issued_before":99999999999}"#] {
        let (status, body) = ask(&address, "s3cret", wrong).await;
        assert!(status == 400 && body.contains("error"), "{body}");
    }
    assert!(is_live(&node, &tokens.access).await);
    let (status, lines) = ask(&address, "s3cret", r#"{"client":"web"}"#).await;
    assert_eq!(status, 200);
    assert!(lines.contains(r#""revoked":1"#) && lines.ends_with("{\"done\":true}\n"), "{lines}");
    assert!(!is_live(&node, &tokens.access).await);
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
