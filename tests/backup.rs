//! A backup beside a running server, and what a restored one knows.

use std::{fs, path::Path};

use crate::support::{Ended, Program, Reference, Remote, WEB, is_live, plain_client};

/// `authorization-server --backup`.
fn back_up(reference: &Reference, to: &Path) -> Ended {
    let mut command = reference.command();
    command.arg("--backup").arg(to);
    Program::run(command)
}

async fn token(remote: &Remote) -> String {
    remote.token(WEB, &[("grant_type", "client_credentials")]).await.tokens().access
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_made_beside_a_running_server_and_can_be_restored() {
    let reference = Reference::in_development("");
    let server = reference.start();
    let remote = Remote::new(plain_client(), &reference.issuer);
    let before = token(&remote).await;
    let copy = reference.authority.file("copy.db");
    let ended = back_up(&reference, &copy);
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""), "{ended:?}");
    assert!(ended.stderr.contains("copied "), "{ended:?}");
    // It is whole, and the server has not noticed.
    let file = rusqlite::Connection::open(&copy).unwrap();
    let check: String = file.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    file.close().unwrap();
    let after = token(&remote).await;
    remote.revoke(WEB, &before).await;
    assert!(!is_live(&remote, &before).await && is_live(&remote, &after).await);

    assert_eq!(server.terminate().code, Some(0));
    let store = reference.authority.file("oauth.db");
    assert!(!store.with_extension("db-wal").exists());
    fs::rename(&copy, &store).unwrap();
    let server = reference.start();
    // It has forgotten what happened since: that is what the documentation warns of.
    assert!(is_live(&remote, &before).await && !is_live(&remote, &after).await);
    assert_eq!(server.terminate().code, Some(0));
}

#[test]
fn a_backup_that_cannot_be_made_is_an_error_and_overwrites_nothing() {
    let reference = Reference::in_development("");
    let (store, other) = (reference.authority.file("oauth.db"), reference.authority.file("other"));
    let refused = |to: &Path, why: &str| {
        let ended = back_up(&reference, to);
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.contains(why), "{ended:?}");
    };
    refused(&other, "oauth.db");
    refused(Path::new("-"), "stdout");
    assert!(!store.exists() && !other.exists(), "a backup makes no store");
    assert_eq!(reference.start().terminate().code, Some(0));
    fs::write(&other, "somebody's").unwrap();
    refused(&other, "exists");
    refused(&store, "exists");
    refused(&reference.authority.file("none/copy.db"), "cannot write");
    assert_eq!(fs::read(&other).unwrap(), b"somebody's");
    let config = fs::read_to_string(reference.config()).unwrap();
    fs::write(reference.config(), config.replace("sqlite:oauth.db", "memory:")).unwrap();
    refused(&reference.authority.file("new"), "store");
}
