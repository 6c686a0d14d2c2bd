//! Request objects, behind a good signature: whatever they claim, nobody is sent anywhere but to the client's one redirect
//! URI, and what reaches a person was for this server and from this client.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use http::{Request, Response, header::LOCATION};
use libfuzzer_sys::fuzz_target;
use oauth_core::{
    client::{Client, ClientJwks},
    endpoint::authorize,
    server::AuthorizationServer,
};
use oauth_core_fuzz::{CLOCK, FORGER, KEY, NOW, block_on, object, two_lines, wait_for};
use serde_json::Value;

const CALLBACK: &str = "https://app.example/cb";

static SERVER: LazyLock<AuthorizationServer> = LazyLock::new(|| {
    let client = Client::builder("app").redirect_uri(CALLBACK).scope("read").jwks(ClientJwks::of([&*KEY]));
    let server = AuthorizationServer::builder("https://as.example").clock(CLOCK());
    wait_for(server.client(client.build().expect("a client")).build()).expect("a server")
});

/// What the browser that brings this hears.
fn ask(object: &str) -> Response<Bytes> {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", "app")
        .append_pair("request", object)
        .finish();
    let request = Request::get(format!("/authorize?{query}")).body(Bytes::new()).expect("a request");
    block_on(authorize::handle(&SERVER, &request))
}

fn location(response: &Response<Bytes>) -> &str {
    response.headers().get(LOCATION).map_or("", |value| value.to_str().expect("a URI"))
}

fuzz_target!(|text: &str| {
    // What nobody signed is never parked.
    assert!(!location(&ask(text)).starts_with("/interaction"));
    let (header, payload) = two_lines(text);
    let response = ask(&FORGER.forge(header, payload).expect("the key signs"));
    if response.status() == 400 {
        assert_eq!(location(&response), "");
        return;
    }
    assert_eq!(response.status(), 303);
    let location = location(&response);
    if !location.starts_with("/interaction?id=") {
        assert!(location.starts_with(&format!("{CALLBACK}?error=")), "{location}");
        return;
    }
    let claims = object(payload.as_bytes()).expect("what was parked is an object");
    assert!(claims["iss"] == "app" && claims["client_id"] == "app" && claims["response_type"] == "code");
    let own = |audience: &Value| audience == "https://as.example";
    assert!(own(&claims["aud"]) || claims["aud"].as_array().is_some_and(|all| all.iter().any(own)));
    assert!(claims.get("exp").is_none_or(|end| end.as_f64().is_some_and(|end| end >= NOW.0 as f64)));
    assert!(!["request", "request_uri"].iter().any(|name| claims.contains_key(*name)));
    assert!(claims.get("sub").is_none_or(|subject| subject != "app"));
});
