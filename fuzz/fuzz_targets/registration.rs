//! Bodies of registration requests: what is registered is legal, is read back as it was shown, and can be sent again.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use http::{
    Method, Request,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use libfuzzer_sys::fuzz_target;
use oauth_core::{
    client::{RedirectUri, metadata::ClientMetadata},
    endpoint::{client_configuration, register},
    server::AuthorizationServer,
};
use oauth_core_fuzz::{CLOCK, block_on, object, wait_for};
use serde_json::{Map, Value};

static SERVER: LazyLock<AuthorizationServer> = LazyLock::new(|| {
    let server = AuthorizationServer::builder("https://as.example").clock(CLOCK());
    let server = server.registration(|registration| registration.open().manageable().per_minute(0));
    wait_for(server.build()).expect("a server")
});

/// What a server says to this, and its body.
fn ask(method: Method, uri: &str, token: &str, body: &[u8]) -> (u16, Option<Map<String, Value>>) {
    let request = Request::builder().method(method).uri(uri).header(CONTENT_TYPE, "application/json");
    let request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    let request = request.body(Bytes::copy_from_slice(body)).expect("a request");
    let response = match uri {
        "/register" => block_on(register::handle(&SERVER, &request)),
        _ => block_on(client_configuration::handle(&SERVER, &request)),
    };
    (response.status().as_u16(), object(response.body()))
}

fuzz_target!(|body: &[u8]| {
    let read = ClientMetadata::parse(body);
    let (status, answer) = ask(Method::POST, "/register", "none", body);
    let answer = answer.expect("every answer is JSON");
    if status != 201 {
        assert_eq!(status, 400, "{answer:?}");
        let codes = ["invalid_redirect_uri", "invalid_client_metadata", "unapproved_software_statement"];
        assert!(codes.into_iter().chain(["invalid_software_statement"]).any(|code| answer["error"] == code));
        return;
    }
    read.expect("what is registered can be read");
    let text = |name: &str| answer[name].as_str().unwrap_or_default();
    for uri in answer["redirect_uris"].as_array().expect("a list") {
        RedirectUri::parse(uri.as_str().expect("a string")).expect("a legal redirect URI");
    }
    for grant in answer["grant_types"].as_array().expect("a list") {
        assert!(grant == "authorization_code" || grant == "refresh_token");
    }
    assert!(text("client_id").starts_with("dyn-") && !answer.keys().any(|name| name.contains('#')));
    let path = text("registration_client_uri").strip_prefix("https://as.example").expect("under the issuer");
    let (status, shown) = ask(Method::GET, path, text("registration_access_token"), b"");
    let mut shown = shown.expect("JSON");
    assert_eq!(status, 200);
    let own =
        ["registration_access_token", "registration_client_uri", "client_id_issued_at", "client_secret_expires_at"];
    let mut before = shown.clone();
    shown.retain(|name, _| !own.contains(&name.as_str()));
    let again = serde_json::to_vec(&shown).expect("JSON");
    let (status, replaced) = ask(Method::PUT, path, text("registration_access_token"), &again);
    let mut replaced = replaced.expect("JSON");
    // JSON numbers are not kept to the letter.
    [&mut before, &mut replaced].into_iter().for_each(|members| drop(members.remove("jwks")));
    assert_eq!((status, replaced), (200, before));
    assert_eq!(ask(Method::DELETE, path, text("registration_access_token"), b"").0, 204);
});
