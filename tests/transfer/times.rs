//! The numbers by which much is revoked at once: the epoch of a store, and since when a client has been given anything.

use oauth_core::store::{Clients, Epoch, Grants};

use super::*;

const TIMES: [UnixTime; 3] = [UnixTime(1_000), UnixTime(2_000), UnixTime(3_000)];

fn client(since: UnixTime) -> Client {
    Client::builder("app").redirect_uri("https://app.example/cb").grants_since(since).build().unwrap()
}

async fn since(store: &(impl Clients + ?Sized)) -> UnixTime {
    store.client(ClientId::new("app").unwrap()).await.unwrap().unwrap().grants_since
}

/// Runs `test` with an empty store of each kind.
async fn on_each(test: impl AsyncFn(&dyn Both)) {
    let (folder, server, cluster) = (Folder::new(), Redis::start(""), Cluster::start());
    test(&MemoryStore::default()).await;
    test(&SqliteStore::open(folder.file()).await.unwrap()).await;
    test(&store_at(&new_database().await).await).await;
    test(&patient_redis([server.url()]).build().await.unwrap()).await;
    test(&patient_redis(cluster.urls()).build().await.unwrap()).await;
}

/// What can be written to, and listed.
trait Both: Store + Transfer {}

impl<S: Store + Transfer> Both for S {}

async fn import(
    file: &[u8],
    to: &dyn Both,
) -> Result<oauth_core::transfer::Imported, oauth_core::transfer::ImportError> {
    Import::new(ISSUER, &RootSecret::new([7; 32])).run(to, file, |_| {}).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_epoch_comes_along_before_anything_else_and_the_later_of_two_stays() {
    on_each(async |store| {
        let [earlier, own, later] = TIMES;
        let old = MemoryStore::default();
        old.insert_grant(fresh_grant(), None).await.unwrap();
        let before = file_of(&old, 7).await;
        import(&before, store).await.unwrap();
        assert_eq!(store.epoch().await.unwrap(), UnixTime(0), "the file has none");
        old.raise_epoch(own).await.unwrap();
        let file = file_of(&old, 7).await;
        // Clients alone may be another issuer's.
        Import::clients_only().run(store, file.as_slice(), |_| {}).await.unwrap();
        assert_eq!(store.epoch().await.unwrap(), UnixTime(0));
        let first = file.iter().position(|byte| *byte == b'\n').unwrap();
        import(&file[..=first], store).await.unwrap_err();
        assert_eq!(store.epoch().await.unwrap(), own, "what follows may have ended by it");
        import(&file, store).await.unwrap();
        // As it goes out, it comes in at the next.
        let next = MemoryStore::default();
        import(&file_of(store, 7).await, &next).await.unwrap();
        assert_eq!(next.epoch().await.unwrap(), own);
        for (there, expected) in [(earlier, own), (later, later)] {
            store.raise_epoch(there).await.unwrap();
            import(&file, store).await.unwrap();
            assert_eq!(store.epoch().await.unwrap(), expected);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn since_when_a_client_was_given_anything_comes_along_and_the_later_of_two_stays() {
    on_each(async |store| {
        let old = MemoryStore::default();
        let [earlier, own, later] = TIMES;
        old.put_client(client(own)).await.unwrap();
        let file = file_of(&old, 7).await;
        import(&file, store).await.unwrap();
        assert_eq!(since(store).await, own);
        let next = MemoryStore::default();
        import(&file_of(store, 7).await, &next).await.unwrap();
        assert_eq!(since(&next).await, own);
        for (there, expected) in [(later, later), (earlier, own)] {
            let mut present = client(there);
            (present.name, present.revision) = (Some("Another".to_owned()), 7);
            store.put_client(present.clone()).await.unwrap();
            // Clients alone may be another issuer's.
            Import::clients_only().run(store, file.as_slice(), |_| {}).await.unwrap();
            assert_eq!(since(store).await, there);
            let done = import(&file, store).await.unwrap();
            assert_eq!((done.inserted.clients, done.left.clients), (0, 1));
            let found = store.client(present.id.clone()).await.unwrap().unwrap();
            // Whoever has read the former record is not to bring it back.
            present.revision = if expected == there { 7 } else { 8 };
            present.grants_since = expected;
            assert_eq!(*found, present, "the rest stays as it was");
        }
    })
    .await;
}
