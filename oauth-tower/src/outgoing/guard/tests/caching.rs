//! What is kept, for how long, and what is not.

use futures_util::{FutureExt, future::join_all};
use tokio::sync::Notify;

use super::*;

fn with(header: &str, number: usize) -> Reply {
    let body = format!("{{\"keys\":[],\"n\":{number}}}");
    Reply::of("200 OK", &["content-type: application/json", header], body)
}

/// For how many seconds a document with `header` is kept.
async fn kept_for(header: &'static str) -> u64 {
    let world = World::new(move |number| with(header, number)).await;
    let first = world.keys().await.unwrap();
    let lifetime = NOW.until(first.fresh_until);
    assert_eq!(first.asked, NOW);
    world.clock.advance(lifetime - 1);
    assert_eq!(world.keys().await.unwrap().body, first.body, "{header}");
    world.clock.advance(1);
    let second = world.keys().await.unwrap();
    assert_ne!(second.body, first.body, "{header}");
    assert_eq!((world.site.requests().len(), second.asked), (2, NOW.saturating_add(lifetime)));
    lifetime
}

// spec: REG-33
#[tokio::test]
async fn a_valid_document_is_kept_as_its_headers_say_within_bounds() {
    assert_eq!(kept_for("cache-control: max-age=600").await, 600);
    assert_eq!(kept_for("cache-control: max-age=61").await, 61);
    for short in ["cache-control: max-age=5", "cache-control: no-store", "cache-control: no-cache", "expires: 0"] {
        assert_eq!(kept_for(short).await, 60, "{short}");
    }
    for long in
        ["cache-control: max-age=3601", "cache-control: max-age=99999999999999999999", "cache-control: max-age=86400"]
    {
        assert_eq!(kept_for(long).await, 3_600, "{long}");
    }
    assert_eq!(kept_for("x: y").await, 300);
}

// spec: REG-33
#[tokio::test]
async fn the_bounds_are_the_owners_to_set() {
    let set = |builder: GuardedFetchBuilder| {
        let seconds = Duration::from_secs;
        builder.keep(seconds(100), seconds(200)).keep_usually(seconds(150))
    };
    for (header, lifetime) in [("x: y", 150), ("cache-control: max-age=1", 100), ("cache-control: max-age=999", 200)] {
        let world = World::with(move |number| with(header, number), set).await;
        assert_eq!(NOW.until(world.keys().await.unwrap().fresh_until), lifetime, "{header}");
    }
}

// spec: REG-33
#[tokio::test]
async fn errors_and_invalid_documents_are_not_kept_and_not_asked_for_again_at_once() {
    let long = "cache-control: max-age=600";
    let json = "content-type: application/json";
    let bad = [
        Reply::of("404", &[json, long], "{\"keys\":[]}"),
        Reply::of("200 OK", &["content-type: text/html", long], KEYS),
        Reply::of("200 OK", &[json, long], "{\"keys\":1}"),
        Reply::of("200 OK", &[json, long], "{"),
        Reply::of("200 OK", &[json, long], r#"{"keys":[{"kty":"oct","k":"AA"}]}"#),
        Reply::of("200 OK", &[json, long, "content-encoding: gzip"], KEYS),
        Reply::of("200 OK", &[json, long], " ".repeat(Purpose::JwkSet.limit() + 1)),
        Reply::raw("nonsense"),
    ];
    for reply in bad {
        let shown = format!("{reply:?}").chars().take(80).collect::<String>();
        let world = World::new(move |number| if number == 0 { reply.clone() } else { Reply::json(KEYS) }).await;
        assert!(world.keys().await.is_err(), "{shown}");
        // Somebody who repeats the question does not make it be asked.
        world.clock.advance(9);
        assert_eq!([retry_after(&world.keys().await), retry_after(&world.keys().await)], [Some(1), Some(1)], "{shown}");
        assert_eq!(world.site.connections(), 1);
        world.clock.advance(1);
        assert_eq!(&*world.keys().await.unwrap().body, KEYS.as_bytes(), "{shown}: the error is forgotten");
    }
}

// spec: REG-33
#[tokio::test]
async fn a_document_that_its_reader_refuses_is_not_kept() {
    let world = World::new(|number| with("cache-control: max-age=600", number)).await;
    let request = keys_at(URL).valid_if(|_, document| match document.ends_with(b":0}") {
        true => Err("is the first".to_owned()),
        false => Ok(()),
    });
    assert!(
        matches!(world.fetch.fetch(request.clone()).await, Err(FetchError::Invalid { why: Some(why) }) if &*why == "is the first")
    );
    world.clock.advance(10);
    assert!(world.fetch.fetch(request.clone()).await.is_ok());
    assert!(world.fetch.fetch(request).await.is_ok());
    assert_eq!(world.site.requests().len(), 2);
}

// spec: CAU-19
#[tokio::test]
async fn whoever_wants_a_newer_document_gets_it_no_oftener_than_the_interval_allows() {
    let world = World::new(|number| with("cache-control: max-age=600", number)).await;
    let first = world.keys().await.unwrap();
    let newer = || keys_at(URL).asked_since(world.clock.now());
    assert_eq!(world.fetch.fetch(newer()).await.unwrap().body, first.body, "it is of this very second");
    world.clock.advance(5);
    assert_eq!(retry_after(&world.fetch.fetch(newer()).await), Some(5));
    assert_eq!(world.keys().await.unwrap().body, first.body, "the old one is kept for whom it will do");
    world.clock.advance(5);
    let second = world.fetch.fetch(newer()).await.unwrap();
    assert_ne!(second.body, first.body);
    assert_eq!(world.keys().await.unwrap().body, second.body);
    for _ in 0..20 {
        assert!(world.fetch.fetch(newer()).await.is_ok());
    }
    assert_eq!(world.site.requests().len(), 2);
}

#[tokio::test]
async fn purposes_and_limits_do_not_share_what_they_must_not() {
    let world = World::new(|number| with("cache-control: max-age=600", number)).await;
    world.keys().await.unwrap();
    let small = keys_at(URL).with_limit(5);
    assert!(world.fetch.fetch(small).await.is_err(), "kept for others, too long for this one");
    world.clock.advance(10);
    assert!(world.fetch.fetch(FetchRequest::new(URL, Purpose::ClientMetadata)).await.is_ok());
    assert_eq!(world.site.requests().len(), 2);
}

#[tokio::test]
async fn those_who_ask_together_cause_one_request() {
    let world = World::new(|_| Reply::json(KEYS)).await;
    let outcomes = join_all((0..50).map(|_| world.keys())).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!((world.site.connections(), world.names.asked().len()), (1, 1));
    // An error is shared as well.
    let world = World::new(|_| Reply::of("500", &[], "")).await;
    let outcomes = join_all((0..50).map(|_| world.keys())).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(FetchError::Status(_)))));
    assert_eq!(world.site.connections(), 1);
}

/// Answers when it is told to.
#[derive(Debug)]
struct Gate(Arc<Notify>);

impl Resolve for Gate {
    fn resolve<'a>(&'a self, _: &'a str) -> ResolveFuture<'a> {
        Box::pin(async {
            self.0.notified().await;
            Ok(vec![ip(PUBLIC)])
        })
    }
}

// spec: CAU-19
#[tokio::test]
async fn a_document_that_was_asked_for_before_is_not_passed_off_as_newer() {
    let gate = Arc::<Notify>::default();
    let world = World::with(|_| Reply::json(KEYS), |builder| builder.resolver(Gate(Arc::clone(&gate)))).await;
    let mut before = Box::pin(world.keys());
    assert!(before.as_mut().now_or_never().is_none());
    world.clock.advance(5);
    let after = world.fetch.fetch(keys_at(URL).asked_since(world.clock.now()));
    gate.notify_one();
    let (before, after) = tokio::join!(before, after);
    assert_eq!(before.unwrap().asked, NOW);
    assert!(retry_after(&after).is_some(), "{after:?}");
    assert_eq!(world.site.connections(), 1);
}

#[tokio::test]
async fn a_fetch_that_all_have_left_is_given_up_and_keeps_nobody_from_asking() {
    let world = World::new(|number| if number == 0 { Reply::raw("").hang() } else { Reply::json(KEYS) }).await;
    let mut left = Box::pin(world.keys());
    while world.site.requests().is_empty() {
        assert!(left.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    drop(left);
    world.site.is_left().await;
    assert_eq!(world.fetch.guard.flights.len(), 0);
    assert!(world.keys().await.is_ok());
    assert!(world.keys().now_or_never().unwrap().is_ok(), "what is kept is there at once");
}

#[tokio::test]
async fn what_is_kept_takes_bounded_room() {
    let body = format!("{KEYS}{}", " ".repeat(60_000));
    let set = |builder: GuardedFetchBuilder| {
        let much = Duration::from_secs(1);
        builder.cache_bytes(300_000).per_host(1_000, much).overall(1_000, much)
    };
    let world = World::with(move |_| Reply::json(&body), set).await;
    for number in 0..20 {
        world.fetch.fetch(keys_at(&format!("https://app.example/{number}"))).await.unwrap();
    }
    let documents = &world.fetch.guard.documents;
    assert!(documents.bytes() <= 300_000 && documents.bytes() > 60_000, "{}", documents.bytes());
}
