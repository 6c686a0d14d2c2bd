//! Objects that lie elsewhere: `request_uri` (RFC 9101 section 5.2).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use http::StatusCode;
use oauth_core::{
    client::Client,
    clock::UnixTime,
    engine::registration::RegistrationSettings,
    fetch::{Fetch, FetchError, FetchFuture, FetchRequest, Fetched, Purpose, Refusal, Stage},
};
use serde_json::json;

use super::{METADATA, NOW, SIGNER, Signer, bring, claims, get, is_parked, with};
use crate::support::*;

const URI: &str = "https://app.example/request?id=7";

/// What lies where, and who has asked for it.
#[derive(Clone, Debug, Default)]
struct Web(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    documents: HashMap<String, Result<Vec<u8>, FetchError>>,
    asked: Vec<(String, Purpose)>,
}

impl Web {
    fn put(&self, url: &str, document: Result<&[u8], FetchError>) {
        self.0.lock().unwrap().documents.insert(url.to_owned(), document.map(<[u8]>::to_vec));
    }

    fn asked(&self) -> Vec<(String, Purpose)> {
        self.0.lock().unwrap().asked.clone()
    }
}

impl Fetch for Web {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        let mut known = self.0.lock().unwrap();
        known.asked.push((request.url().to_owned(), request.purpose()));
        let found = known.documents.get(request.url()).cloned();
        let outcome = found.unwrap_or(Err(FetchError::Status(StatusCode::NOT_FOUND)));
        Box::pin(async move {
            let document = outcome?;
            request.check(&document)?;
            Ok(Fetched::new(document, UnixTime(NOW)))
        })
    }
}

/// A world with a web, where the client has registered [`URI`].
async fn world(signer: &Signer) -> (World, Web) {
    let web = Web::default();
    let client = signer.client().requests(|how| how.request_uris = vec![URI.to_owned()]);
    let w = on_memory_with(|builder| builder.client(client.clone().build().unwrap()).fetch(web.clone())).await;
    (w, web)
}

fn by(uri: &str) -> Ask {
    bring("").without("request").with("request_uri", uri)
}

// spec: AUZ-45, AUZ-42
#[tokio::test]
async fn an_object_is_read_from_where_the_client_registered() {
    let signer = Signer::new();
    let (w, web) = world(&signer).await;
    web.put(URI, Ok(signer.sign(&claims()).as_bytes()));
    let outside = by(URI).with("scope", "write").with("state", "outside");
    let response = response_at(CALLBACK, &Browser::new(&w).approve(&outside).await);
    assert_eq!(response.get("state"), Some("inside"));
    assert_eq!(w.redeem(SIGNER, response.get("code").unwrap()).await.member("scope"), "read");
    assert_eq!(web.asked(), [(URI.to_owned(), Purpose::RequestObject)]);
    let metadata = w.get(METADATA).await.json();
    for member in ["request_uri_parameter_supported", "require_request_uri_registration"] {
        assert_eq!(metadata[member], true, "{member}");
    }
}

// spec: AUZ-45, SEC-14
#[tokio::test]
async fn no_other_place_is_ever_asked() {
    let signer = Signer::new();
    let (w, web) = world(&signer).await;
    for other in [
        "https://app.example/request",
        "https://app.example/request?id=8",
        "https://app.example/request?id=7#x",
        "https://app.example:443/request?id=7",
        "https://APP.example/request?id=7",
        "http://app.example/request?id=7",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "urn:x",
        "x",
    ] {
        web.put(other, Ok(signer.sign(&claims()).as_bytes()));
        get(&w, &by(other)).await.is_error_redirect("invalid_request_uri");
        get(&w, &by(URI).with("client_id", "app").with("request_uri", other))
            .await
            .is_error_redirect("invalid_request_uri");
    }
    // Nor for another client than the one that registered it.
    get(&w, &by(URI).with("client_id", "app")).await.is_error_redirect("invalid_request_uri");
    assert_eq!(web.asked(), []);
    for bad in ["http://app.example/request", "https://a@app.example/", "https://app.example/#x", "urn:x", ""] {
        let client = Client::builder("x").redirect_uri(CALLBACK).requests(|how| how.request_uris = vec![bad.into()]);
        assert!(client.build().unwrap_err().to_string().starts_with("request_uris: "), "{bad}");
    }
    let many = |how: &mut oauth_core::client::ClientRequests| how.request_uris = vec![URI.into(); 33];
    assert!(Client::builder("x").redirect_uri(CALLBACK).requests(many).build().is_err());
}

/// Whoever could tell these apart would learn how the network looks from here.
// spec: AUZ-45, SEC-14
#[tokio::test]
async fn whatever_goes_wrong_there_the_client_hears_the_same() {
    let signer = Signer::new();
    let (w, web) = world(&signer).await;
    let heard = async || {
        let answer = get(&w, &by(URI)).await;
        answer.is_error_redirect("invalid_request_uri");
        answer.header("location").to_owned()
    };
    let first = heard().await;
    for error in [
        FetchError::Status(StatusCode::FOUND),
        FetchError::Status(StatusCode::INTERNAL_SERVER_ERROR),
        FetchError::Refused(Refusal::Address("169.254.169.254".parse().unwrap())),
        FetchError::Refused(Refusal::Port(22)),
        FetchError::TimedOut,
        FetchError::TooLarge,
        FetchError::MediaType,
        FetchError::Limited { retry_after: 7 },
        FetchError::unavailable(Stage::Connect, "refused"),
    ] {
        web.put(URI, Err(error));
        assert_eq!(heard().await, first);
    }
    for document in [&b""[..], b"two words", b"\xff\xfe"] {
        web.put(URI, Ok(document));
        assert_eq!(heard().await, first);
    }
    assert_eq!(w.events.count("fetch_failed"), 13);
    assert!(w.events.all().iter().all(|event| !event.contains("id=7")));
    // One that is there is judged like any other.
    web.put(URI, Ok(signer.sign(&with(claims(), &json!({ "aud": "x" }))).as_bytes()));
    get(&w, &by(URI)).await.is_error_redirect("invalid_request_object");
    web.put(URI, Ok(Signer::new().sign(&claims()).as_bytes()));
    get(&w, &by(URI)).await.is_error_redirect("invalid_request_object");
}

// spec: AUZ-42
#[tokio::test]
async fn keys_may_lie_elsewhere_too_and_their_outage_says_nothing_of_the_object() {
    let signer = Signer::new();
    let (web, jwks) = (Web::default(), "https://app.example/jwks");
    let client = Client::builder("signer").redirect_uri(CALLBACK).scope("read").jwks_uri(jwks).build().unwrap();
    let w = on_memory_with(|builder| builder.client(client.clone()).fetch(web.clone())).await;
    let object = bring(&signer.sign(&claims()));
    web.put(jwks, Err(FetchError::TimedOut));
    get(&w, &object).await.is_error_redirect("temporarily_unavailable");
    web.put(jwks, Err(FetchError::TooLarge));
    get(&w, &object).await.is_error_redirect("invalid_request_object");
    let document = oauth_core::client::ClientJwks::of([&signer.0]).document().to_string();
    web.put(jwks, Ok(document.as_bytes()));
    is_parked(&get(&w, &object).await);
}

// spec: AUZ-43
#[tokio::test]
async fn without_a_fetcher_no_reference_is_taken() {
    let signer = Signer::new();
    let client = signer.client().requests(|how| how.request_uris = vec![URI.to_owned()]).build().unwrap();
    let w = on_memory_with(|builder| builder.client(client.clone())).await;
    get(&w, &by(URI)).await.is_error_redirect("request_uri_not_supported");
}

// spec: AUZ-45, SEC-14
#[tokio::test]
async fn a_place_that_would_never_be_asked_is_not_registered() {
    let open = |builder: oauth_core::server::AuthorizationServerBuilder| {
        builder.registration(RegistrationSettings::open).fetch(Web::default())
    };
    let w = on_memory_with(open).await;
    let register = async |uri: &str| {
        let body = json!({ "redirect_uris": [CALLBACK], "request_uris": [URI, uri] });
        let request = http::Request::post("/register").header("content-type", "application/json");
        w.send(request.body(body.to_string().into()).unwrap()).await
    };
    assert_eq!(register("https://app.example/other").await.status, 201);
    for bad in
        ["https://127.0.0.1/request", "https://localhost/request", "https://[::1]/r", "https://app.example/a/../r"]
    {
        let answer = register(bad).await;
        answer.is_refused(400, "invalid_client_metadata");
        assert!(answer.member("error_description").as_str().unwrap().starts_with("request_uris"), "{answer}");
    }
}
