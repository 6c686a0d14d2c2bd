//! One session for a device, and none for who is gone: cases 25 and 47.

use oauth_core::store::sqlite::SqliteStore;

use super::*;

// spec: MTX-13
#[tokio::test]
async fn case_47_a_new_sign_in_on_a_device_ends_the_older_ones() {
    let w = world().await;
    let home = home(&w).await;
    let other = sign_in(&w, &ask(ELEMENT).with("scope", &scope_of("KLMNOPQRST"))).await;
    let bobs = w.redeem(ELEMENT, &code_of(&w, &ask(ELEMENT), "bob").await).await.tokens();
    let mut last = sign_in(&w, &ask(ELEMENT)).await;
    // All in one second, and under either name of the scope.
    let unstable = "urn:matrix:org.matrix.msc2967.client:api:* urn:matrix:org.matrix.msc2967.client:device:ABCDEFGHIJ";
    for scope in [SCOPE, unstable, SCOPE, unstable] {
        let new = sign_in(&w, &ask(ELEMENT).with("scope", scope)).await;
        is_unknown(&home.get(WHOAMI, &last.access).await, false);
        is_dead(&w, &last).await;
        is_user(&home.get(WHOAMI, &new.access).await, "@alice:example.org");
        last = new;
    }
    assert!(is_live(&w, &other.access).await && is_live(&w, &bobs.access).await);
}

/// Exactly one of them, whichever store keeps them.
// spec: MTX-13
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sign_ins_that_race_for_a_device_exactly_one_survives() {
    let folder = Folder::new();
    race(World::opaque(MemoryStore::default(), matrix).await).await;
    race(World::opaque(SqliteStore::open(folder.file()).await.unwrap(), matrix).await).await;
    race(World::opaque(store_at(&new_database().await).await, matrix).await).await;
}

async fn race(w: World) {
    for _ in 0..10 {
        let mut codes = Vec::new();
        for _ in 0..4 {
            codes.push(w.code_for(&ask(ELEMENT)).await);
        }
        let (world, codes) = (w.clone(), std::sync::Arc::new(codes));
        let answers = all_at_once(4, move |number| {
            let (w, codes) = (world.clone(), std::sync::Arc::clone(&codes));
            async move { w.redeem(ELEMENT, &codes[number]).await }
        })
        .await;
        let mut alive = 0;
        for answer in answers {
            match answer.status.as_u16() {
                200 => alive += usize::from(is_live(&w, &answer.tokens().access).await),
                _ => answer.is_refused(400, "invalid_grant"),
            }
        }
        assert_eq!(alive, 1);
        assert_eq!(w.server.devices_of("alice").await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn case_25_who_was_deactivated_has_no_tokens() {
    use oauth_core::engine::policy::{HostFuture, Subjects};
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };
    #[derive(Clone, Debug)]
    struct Gone(Arc<AtomicBool>);
    impl Subjects for Gone {
        fn is_active<'a>(&'a self, _: &'a str) -> HostFuture<'a, bool> {
            Box::pin(std::future::ready(Ok(!self.0.load(Ordering::SeqCst))))
        }
    }
    let gone = Gone(Arc::default());
    let w = world_with(|builder| builder.subjects(gone.clone())).await;
    let home = home(&w).await;
    let tokens = sign_in(&w, &ask(ELEMENT)).await;
    is_user(&home.get(WHOAMI, &tokens.access).await, "@alice:example.org");
    home.change("alice", |user| user.deactivated = true);
    gone.0.store(true, Ordering::SeqCst);
    is_unknown(&home.get(WHOAMI, &tokens.access).await, false);
    w.refresh(ELEMENT, tokens.refresh.as_ref().unwrap()).await.is_refused(400, "invalid_grant");
}
