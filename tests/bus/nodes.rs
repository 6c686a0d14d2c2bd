//! Two nodes of one issuer, each with an API of its own beside it.

use std::time::Duration;

use oauth_core::{
    bus::{MemoryBus, Topic},
    engine::policy::TokenFormat,
};
use oauth_tower::resource::{Issuer, ResourceServer};

use super::{Place, on_every_bus, until};
use crate::support::*;

const HOUR: Duration = Duration::from_secs(3600);

/// An API beside `w` that asks its store once an hour.
fn api(w: &World) -> ResourceServer {
    let issuer = Issuer::local(w.server.clone()).cache_for(HOUR);
    ResourceServer::builder(API).issuer(issuer).clock(w.clock.clone()).build().unwrap()
}

async fn accepts(api: &ResourceServer, token: &str) -> bool {
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    api.validate_headers(&headers).await.is_ok()
}

// spec: REV-14
#[tokio::test]
async fn what_is_revoked_at_one_node_is_refused_beside_the_other_though_it_is_remembered_there() {
    on_every_bus(async |place: &Place| {
        let one = on_memory().await;
        let two = one.another(|builder| builder).await.unwrap();
        let _following = [(&one, 0), (&two, 3)].map(|(w, at)| tokio::spawn(w.server.follow(place.bus(at, HOUR))));
        place.until_listeners(2).await;
        let api = api(&two);
        for revokes_grant in [false, true] {
            let tokens = one.tokens(APP).await;
            assert!(accepts(&api, &tokens.access).await);
            let token = if revokes_grant { tokens.refresh.as_ref().unwrap() } else { &tokens.access };
            one.revoke(APP, token).await.is_revoked();
            until("it is refused", async || !accepts(&api, &tokens.access).await).await;
        }
        place.cut().await;
        until("both listen again", async || {
            let tokens = one.tokens(APP).await;
            accepts(&api, &tokens.access).await;
            one.revoke(APP, &tokens.access).await.is_revoked();
            tokio::time::sleep(Duration::from_millis(50)).await;
            !accepts(&api, &tokens.access).await
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn without_a_bus_the_other_node_remembers() {
    let one = on_memory().await;
    let two = one.another(|builder| builder).await.unwrap();
    let api = api(&two);
    let tokens = one.tokens(APP).await;
    assert!(accepts(&api, &tokens.access).await);
    one.revoke(APP, &tokens.access).await.is_revoked();
    assert!(accepts(&api, &tokens.access).await);
}

/// What the resource server of `audience` is told.
async fn told(bus: &MemoryBus, audience: &str) -> Box<dyn oauth_core::bus::Listening> {
    oauth_core::bus::Bus::listen(bus, vec![Topic::audience(ISSUER, audience)]).await.unwrap()
}

#[tokio::test]
async fn a_resource_server_hears_the_reference_that_introspection_gave_it_and_nothing_that_is_a_token() {
    let w = on_memory().await;
    assert!(w.server.resource(API).is_some_and(|api| api.format == TokenFormat::Opaque));
    let bus = MemoryBus::default();
    let mut ear = told(&bus, API).await;
    let _following = tokio::spawn(w.server.follow(bus.clone()));
    let tokens = w.tokens(APP).await;
    let answer = w.introspect(RESOURCE_SERVER, &tokens.access).await;
    let reference = answer.member("grant_ref").as_str().unwrap().to_owned();
    let jti = answer.member("jti").as_str().unwrap().to_owned();
    // A client that asks about its own token has no use for it.
    let own = w.introspect(WEB, &w.tokens(WEB).await.access).await;
    assert!(own.member("active") == true && own.member("grant_ref").is_null(), "{own}");
    w.revoke(APP, &tokens.access).await.is_revoked();
    let oauth_core::bus::Heard::Message(post) = ear.next().await.unwrap() else { panic!() };
    let text = String::from_utf8(post.bytes.clone()).unwrap();
    let oauth_core::bus::Notice::Revoked(revoked) = oauth_core::bus::Notice::read(&post.bytes).unwrap() else {
        panic!("{text}")
    };
    assert_eq!(revoked[0].grant, reference);
    assert_eq!(revoked[0].token, Some(oauth_core::bus::token_ref(API, &jti)));
    assert!(!text.contains(&jti) && !text.contains(&tokens.access), "{text}");
}
