//! Which metadata of an issuer are found, and believed.

use super::*;

/// A network where this document lies at this URL, and nothing else anywhere.
fn with(url: &'static str, document: impl Into<String>) -> (HttpClient, Sent) {
    let document = document.into();
    network(move |_, request| match request.uri() == url {
        true => reply(200, &[], document.clone()),
        false => reply(404, &[], "nothing here"),
    })
}

fn document(issuer: &str) -> String {
    format!(r#"{{"issuer":"{issuer}","token_endpoint":"https://as.example/token"}}"#)
}

fn asked(sent: &Sent) -> Vec<String> {
    sent.lock().unwrap().iter().map(|request| request.uri().to_string()).collect()
}

// spec: MCP-13
#[tokio::test]
async fn the_places_are_asked_in_their_order_until_there_is_a_document() {
    let (rfc, inserted, appended) = (
        "https://as.example/.well-known/oauth-authorization-server/t/1",
        "https://as.example/.well-known/openid-configuration/t/1",
        "https://as.example/t/1/.well-known/openid-configuration",
    );
    for (at, place) in [rfc, inserted, appended].into_iter().enumerate() {
        let (http, sent) = with(place, document("https://as.example/t/1"));
        let metadata = Discovery::new("https://as.example/t/1").fetch(&http).await.unwrap();
        assert_eq!(metadata.token_endpoint.as_deref(), Some("https://as.example/token"));
        assert_eq!(asked(&sent), [rfc, inserted, appended][..=at]);
    }
    let (rfc, openid) = (
        "https://as.example/.well-known/oauth-authorization-server",
        "https://as.example/.well-known/openid-configuration",
    );
    for (at, place) in [rfc, openid].into_iter().enumerate() {
        let (http, sent) = with(place, document("https://as.example"));
        assert!(Discovery::new("https://as.example").fetch(&http).await.is_ok());
        assert_eq!(asked(&sent), [rfc, openid][..=at]);
    }
    let (http, sent) = with("https://elsewhere.example/", "");
    let error = Discovery::new("https://as.example/t/1").fetch(&http).await.unwrap_err();
    assert!(matches!(error, DiscoveryError::NotFound));
    assert_eq!(sent.lock().unwrap().len(), 3);
}

// spec: MCP-14
#[tokio::test]
async fn a_document_of_another_issuer_is_not_used_and_no_other_is_looked_for() {
    let place = "https://as.example/.well-known/oauth-authorization-server";
    for issuer in ["https://as.example/", "https://AS.example", "http://as.example", "https://evil.example", ""] {
        let (http, sent) = with(place, document(issuer));
        let error = Discovery::new("https://as.example").fetch(&http).await.unwrap_err();
        assert!(matches!(error, DiscoveryError::Metadata(_)), "{issuer}: {error}");
        assert_eq!(sent.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_outage_is_no_reason_to_look_elsewhere() {
    for status in [500, 503, 429, 302] {
        let (http, sent) = network(move |_, _| reply(status, &[], ""));
        let error = Discovery::new("https://as.example").fetch(&http).await.unwrap_err();
        assert!(matches!(error, DiscoveryError::Status(seen) if seen == status), "{error}");
        assert_eq!(sent.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn only_an_https_issuer_is_asked() {
    let (http, sent) = network(|_, _| reply(200, &[], ""));
    for issuer in ["http://as.example", "http://127.0.0.1:1", "as.example", "https://a:b@as.example", "https://as?x"] {
        let error = Discovery::new(issuer).fetch(&http).await.unwrap_err();
        assert!(matches!(error, DiscoveryError::Url(_)), "{issuer}");
    }
    let error = Discovery::new("http://as.example").insecure_http().fetch(&http).await.unwrap_err();
    assert!(matches!(error, DiscoveryError::Url(UrlError::NotHttps)));
    assert!(sent.lock().unwrap().is_empty());
    let _outcome = Discovery::new("http://127.0.0.1:1").insecure_http().fetch(&http).await;
    assert!(!sent.lock().unwrap().is_empty());
}
