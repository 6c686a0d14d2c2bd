//! A store of your own behind an authorization server: everything in memory,
//! and every step a line in a file.
//!
//!     cargo run -p examples --example own_store
//!     cargo test -p examples --example own_store
//!
//! `store.rs` says what each verb does, `journal.rs` makes it last. That it is
//! a store is shown by the suite that every store passes, below.

mod journal;
mod reciprocals;
mod store;

use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Client, PeerExt, Resource, RootSecret,
    pages::{Pages, PasswordUsers},
};
use tokio::net::TcpListener;

use crate::{journal::Flush, store::JournalStore};

const ISSUER: &str = "http://127.0.0.1:9400";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::temp_dir().join("oauth-journal.jsonl");
    let users = PasswordUsers::default().insecure_plain("alice", "wonderland");
    let app = Client::builder("app").redirect_uri("http://127.0.0.1/callback").scope("notes:read").build()?;
    let server = AuthorizationServer::builder(ISSUER)
        .store(JournalStore::open(&file, Flush::Always)?)
        // In earnest: 32 random bytes from a file, apart from the store.
        .root_secret(RootSecret::new([7; 32]))
        .client(app)
        .resource(Resource::new("http://127.0.0.1:9400/notes").scopes("notes:read".parse()?))
        .subjects(users.clone())
        .insecure_development() // plain http, on this machine only
        .build()
        .await?;
    examples::say(format_args!("{ISSUER}/authorize; what it remembers is in {}", file.display()));
    let app = server.router().merge(Pages::new(&server, users).router());
    axum::serve(TcpListener::bind("127.0.0.1:9400").await?, app.into_make_service_with_peer()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use oauth_core::{
        authorization_details::AuthorizationDetails,
        client::ClientId,
        clock::{SystemRandom, UnixTime},
        pkce::CodeChallenge,
        secret::Digest,
        store::{Code, Grant, GrantFacts, Grants, Refresh, Retry, StoreError, Uses, conformance::Suite},
        token::GrantId,
    };

    use super::*;

    /// A file of this test's own; it goes with the handle.
    struct File(PathBuf);

    impl File {
        fn new() -> Self {
            let name = GrantId::generate(&SystemRandom).unwrap();
            Self(std::env::temp_dir().join(format!("own-store-{name}.jsonl")))
        }

        /// What is lost when the machine stops is not to be seen here.
        fn open(&self) -> JournalStore {
            JournalStore::open(&self.0, Flush::Never).unwrap()
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            drop(fs::remove_file(&self.0));
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn it_is_a_store_and_reads_back_what_it_wrote() {
        let file = File::new();
        let store = file.open();
        Suite::new(|| async { store.clone() }, |task| drop(tokio::spawn(task))).run().await;
        store.insert_grant(full(), None).await.unwrap();
        assert!(file.open().remembers_the_same_as(&store));
    }

    /// A grant with something in every field.
    fn full() -> Grant {
        let (scope, client) = ("a".parse().unwrap(), ClientId::new("app").unwrap());
        let (subject, acr) = (Some("alice".to_owned()), Some("gold".to_owned()));
        let facts = GrantFacts {
            client,
            subject,
            scope,
            resources: vec![],
            auth_time: Some(UnixTime(1)),
            acr,
            authorization_details: AuthorizationDetails::parse(r#"[{"type":"a"}]"#).unwrap(),
            dpop_jkt: Some("thumbprint".to_owned()),
        };
        let code = Code {
            digest: Digest::of(&[b"code"]),
            redirect_uri: "https://app.example/".to_owned(),
            redirect_uri_required: true,
            challenge: Some(CodeChallenge::from_bytes([1; 32])),
            expires_at: UnixTime(2),
            redeemed_at: Some(UnixTime(3)),
        };
        let retry = Retry { digest: Digest::of(&[b"before"]), sealed: vec![4], until: UnixTime(5), access: None };
        let refresh =
            Refresh { digest: Digest::of(&[b"now"]), generation: 6, used_at: UnixTime(7), retry: Some(retry) };
        let (id, created_at, expires_at) = (GrantId::from_bytes([8; 16]), UnixTime(9), UnixTime::MAX);
        let (revoked_at, code, refresh) = (Some(UnixTime(10)), Some(code), Some(refresh));
        Grant { id, facts, created_at, expires_at, revoked_at, code, refresh }
    }

    #[tokio::test]
    async fn a_step_that_was_cut_short_never_happened() {
        let file = File::new();
        let (first, second) = (Digest::of(&[b"first"]), Digest::of(&[b"second"]));
        let (until, now) = (UnixTime(60), UnixTime(0));
        for digest in [first, second] {
            assert!(file.open().first_use(digest, until, now).await.unwrap());
        }
        let written = fs::read(&file.0).unwrap();
        fs::write(&file.0, &written[..written.len() - 2]).unwrap();
        let store = file.open();
        assert!(!store.first_use(first, until, now).await.unwrap());
        assert!(store.first_use(second, until, now).await.unwrap());
        assert_eq!(fs::read(&file.0).unwrap(), written, "the half line is gone");
    }

    #[test]
    fn a_file_that_was_damaged_is_not_taken_for_another() {
        let file = File::new();
        fs::write(&file.0, "[]\nnonsense\n[]\n").unwrap();
        let opened = JournalStore::open(&file.0, Flush::Never);
        assert!(matches!(opened, Err(StoreError::Corrupt("journal"))), "{opened:?}");
    }

    #[tokio::test]
    async fn a_disk_that_fails_is_an_outage_from_then_on() {
        let store = JournalStore::open(std::path::Path::new("/dev/full"), Flush::Never);
        // Where there is such a device.
        let Ok(store) = store else { return };
        for _ in 0..2 {
            let used = store.first_use(Digest::of(&[b"a"]), UnixTime(60), UnixTime(0)).await;
            assert!(matches!(used, Err(StoreError::Unavailable(_))), "{used:?}");
        }
        let read = store.grant(GrantId::from_bytes([0; 16])).await;
        assert!(read.is_err(), "what is in memory may be less than what is on disk");
    }
}
