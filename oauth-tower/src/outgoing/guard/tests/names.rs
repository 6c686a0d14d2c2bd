//! Names that change their mind, and who is asked in the end.

use futures_util::FutureExt;

use super::*;

// spec: REG-32, SEC-14
#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    // Public when it is looked at, private ever after.
    let rebinding = Names::answering(&[&[PUBLIC], &["127.0.0.1"]]);
    let world = World::of(Site::start(|_| Reply::json(KEYS)).await, rebinding, |builder| builder);
    assert_eq!(&*world.keys().await.unwrap().body, KEYS.as_bytes());
    assert_eq!(world.names.asked(), [HOST], "it is looked up once");
    assert_eq!(world.detour.dialed(), [format!("{PUBLIC}:443")]);
    // Then it is looked up anew: no connection from before is used.
    world.clock.advance(3_601);
    let outcome = world.keys().await;
    assert!(matches!(outcome, Err(FetchError::Refused(Refusal::Address(bad))) if bad == ip("127.0.0.1")));
    assert_eq!((world.names.asked().len(), world.site.connections()), (2, 1));
}

// spec: REG-32
#[tokio::test]
async fn a_name_with_a_public_and_a_private_address_is_not_asked() {
    for answer in [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::ffff:10.0.0.1"], [PUBLIC, "fe80::1"]] {
        let site = Site::start(|_| Reply::json(KEYS)).await;
        let world = World::of(site, Names::answering(&[&answer]), |builder| builder);
        let outcome = world.keys().await;
        assert!(matches!(outcome, Err(FetchError::Refused(Refusal::Address(_)))), "{answer:?}");
        assert!(world.detour.dialed().is_empty());
    }
}

// spec: SEC-14, AUZ-45
#[tokio::test]
async fn a_url_that_policy_refuses_causes_no_look_up() {
    let world = World::with(|_| Reply::json(KEYS), |builder| builder.ports([443])).await;
    let refused = [
        "http://app.example/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://0x7f.1/",
        "https://localhost/",
        "https://intranet/",
        "https://ada@app.example/",
        "https://app.example/../x",
        "https://app.example:8443/",
    ];
    for url in refused {
        for purpose in [Purpose::JwkSet, Purpose::ClientMetadata, Purpose::RequestObject] {
            let outcome = world.fetch.fetch(FetchRequest::new(url, purpose)).await;
            assert!(matches!(outcome, Err(FetchError::Refused(_))), "{url}");
        }
        assert!(matches!(world.fetch.check(url), Err(FetchError::Refused(_))), "{url}");
    }
    assert!(world.fetch.check(URL).is_ok());
    assert!(world.names.asked().is_empty() && world.site.connections() == 0);
}

#[tokio::test]
async fn the_site_hears_its_name_and_nothing_of_this_server() {
    let world = World::new(|_| Reply::json(KEYS)).await;
    world.fetch.fetch(keys_at("https://App.Example:8443/keys?x=1")).await.unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let request = format!(
        "GET /keys?x=1 HTTP/1.1\r\nhost: app.example:8443\r\n\
         accept: application/jwk-set+json, application/json\r\naccept-encoding: identity\r\n\
         user-agent: oauth-tower/{version}\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(world.site.requests(), [request]);
    assert_eq!(world.detour.dialed(), [format!("{PUBLIC}:8443")]);
}

// spec: SEC-14
#[tokio::test]
async fn a_site_that_cannot_prove_its_name_is_sent_nothing() {
    let impostor = Site::of(&["evil.example"], true, |_| Reply::json(KEYS)).await;
    let world = World::of(impostor, Names::answering(&[&[PUBLIC]]), |builder| builder);
    assert!(is_unavailable(&world.keys().await, Stage::Tls));
    assert!(world.site.requests().is_empty());
    // Its certificate is in order, and nobody vouches for it.
    let mut unknown = Site::start(|_| Reply::json(KEYS)).await;
    unknown.certificate = Site::start(|_| Reply::json(KEYS)).await.certificate;
    let world = World::of(unknown, Names::answering(&[&[PUBLIC]]), |builder| builder);
    assert!(is_unavailable(&world.keys().await, Stage::Tls));
    assert!(world.site.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_has_no_address_is_an_outage() {
    for names in [Names::answering(&[]), Names::answering(&[&[]])] {
        let world = World::of(Site::start(|_| Reply::json(KEYS)).await, names, |builder| builder);
        let outcome = world.keys().await;
        assert!(is_unavailable(&outcome, Stage::Resolve) && outcome.unwrap_err().is_outage());
    }
}

#[tokio::test]
async fn the_system_is_asked_for_complete_names_and_by_a_bounded_number_of_threads() {
    let resolver = SystemResolver::default();
    let name = resolver.look_up(HOST, |name| Err(io::Error::other(name.to_owned()))).await.unwrap_err();
    assert_eq!(name.to_string(), "app.example.", "nobody's search list completes it");
    // Sixteen look-ups that nobody waits for any more, and that do not end.
    let (block, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Arc::new(Mutex::new(blocked));
    for _ in 0..16 {
        let blocked = Arc::clone(&blocked);
        let mut look_up = Box::pin(resolver.look_up(HOST, move |_| {
            assert!(blocked.lock().unwrap().recv().is_err(), "it ends when the test drops the other end");
            Ok(Vec::new())
        }));
        assert!(look_up.as_mut().now_or_never().is_none());
    }
    assert_eq!(resolver.places.available_permits(), 0);
    let mut next = Box::pin(resolver.look_up(HOST, |_| Ok(vec![ip(PUBLIC)])));
    assert!(next.as_mut().now_or_never().is_none());
    assert!(resolver.clone().look_up(HOST, |_| Ok(Vec::new())).now_or_never().is_none(), "clones share the limit");
    drop(block);
    assert_eq!(next.await.unwrap(), [ip(PUBLIC)]);
}
