//! The reference server, as its file sets it.

use crate::support::*;

/// A token of `web`'s own, from the program.
async fn own_token(remote: &Remote) -> String {
    let asked = [("grant_type", "client_credentials"), ("scope", "albums:read")];
    remote.token(WEB, &asked).await.tokens().access
}

async fn lives(remote: &Remote, token: &str) -> bool {
    remote.introspect(RESOURCE_SERVER, token).await.member("active") == true
}

// spec: REV-24
#[tokio::test]
async fn no_log_has_a_token_that_came_in_a_url_however_much_it_says() {
    let reference = Reference::with("[revocation]\njsonp = true\n");
    let mut command = reference.command();
    command.env("RUST_LOG", "trace");
    let program = reference.started_by(command);
    let remote = Remote::new(reference.authority.client(), &reference.issuer);
    let token = own_token(&remote).await;
    let answer = remote.get(&format!("/revoke?token={token}&client_id=app&callback=someFunction")).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, r#"/**/someFunction({"error":"invalid_grant"});"#));
    let ended = program.terminate();
    assert!(ended.stderr.contains("/revoke"), "it says which path was asked for");
    for secret in [&*token, &token[10..40], "someFunction", "callback="] {
        assert!(!ended.stderr.contains(secret), "{secret}");
    }
}

// spec: REV-20
#[test]
fn jsonp_in_the_mode_of_matrix_is_refused_at_start_by_the_name_of_its_key() {
    let reference = Reference::with("[revocation]\nmode = \"matrix\"\njsonp = true\n");
    for check in [true, false] {
        let mut command = reference.command();
        command.args(check.then_some("--check"));
        let ended = Program::run(command);
        assert_eq!((ended.code, &*ended.stderr), (Some(2), "revocation.jsonp: contradicts the mode\n"));
    }
}

// spec: REV-05, REV-09, REV-25
#[tokio::test]
async fn the_file_sets_the_mode_and_who_is_privileged() {
    let matrix = Reference::with("[revocation]\nmode = \"matrix\"\n");
    let _program = matrix.start();
    let remote = Remote::new(matrix.authority.client(), &matrix.issuer);
    let token = own_token(&remote).await;
    let answer = remote.revoke(Caller::Nobody, &token).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, "{}"));
    assert!(!lives(&remote, &token).await);
    let sections =
        "[revocation]\nmode = \"draft2011\"\nprivileged = [\"api\"]\n[limits]\nrevocation_misses_per_minute = 2\n";
    let draft = Reference::with(sections);
    let _program = draft.start();
    let remote = Remote::new(draft.authority.client(), &draft.issuer);
    let token = own_token(&remote).await;
    remote.revoke(Caller::Nobody, &token).await.is_refused(401, "invalid_client");
    remote.revoke(APP, &token).await.is_refused(403, "unauthorized_client");
    remote.revoke(RESOURCE_SERVER, &token).await.is_revoked();
    assert!(!lives(&remote, &token).await);
    remote.revoke(APP, "unknown").await.is_refused(400, "invalid_token");
    assert_eq!(remote.revoke(APP, "unknown").await.status, 429);
}
