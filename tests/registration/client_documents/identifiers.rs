//! Which identifiers are URLs of documents, and which document is whose.

use oauth_core::{client::Client, engine::interaction::Approval};

use super::*;

const ILLEGAL: [&str; 22] = [
    "https://app.example",
    "https://app.example?x=/",
    "https://ada@app.example/c",
    "https://ada:pw@app.example/c",
    "https://app.example/c#f",
    "https://app.example/c#",
    "https://app.example/./c",
    "https://app.example/a/../c",
    "https://app.example/a/..",
    "https://app.example/%2e%2e/c",
    "https://app.example/.%2E/c",
    "https://app.example\\c",
    "https://app.example:0/c",
    "https://app.example:99999/c",
    "https://app..example/c",
    "https:///c",
    "https://",
    "https://127.0.0.1/c",
    "https://[::1]/c",
    "https://0x7f.1/c",
    "https://localhost/c",
    "https://intranet/c",
];

/// Not even a URL of https.
const OTHERS: [&str; 6] = [
    "http://app.example/c",
    "http://127.0.0.1/c",
    "HTTPS://app.example/c",
    "ftp://app.example/c",
    "//app.example/c",
    "app.example/c",
];

// spec: REG-27
#[tokio::test]
async fn what_is_not_an_https_url_with_a_path_alone_is_an_unknown_client_and_nobody_is_asked() {
    let web = Web::default();
    let w = world(&web).await;
    for id in ILLEGAL.into_iter().chain(OTHERS) {
        web.put(id, &document_at(id).to_string());
        let page = w.get(&Ask::of(Caller::Public(id)).uri()).await;
        page.is_error_page();
        assert!(page.body.contains("client_id: ") || OTHERS.contains(&id), "{id}: which rule? {page}");
        let params = [("grant_type", "authorization_code"), ("code", "x")];
        w.token(Caller::Public(id), &params).await.is_refused(401, "invalid_client");
    }
    assert_eq!(web.asked(), 0, "{web:?}");
    // The same but legal.
    web.put(URL, &document().to_string());
    is_parked(&authorize(&w).await);
}

// spec: REG-27
#[tokio::test]
async fn a_query_is_taken_and_the_operator_is_warned_once() {
    let url = "https://app.example/c?v=2";
    let web = Web::default();
    web.put(url, &document_at(url).to_string());
    let w = world(&web).await;
    for _ in 0..2 {
        is_parked(&w.get(&Ask::of(Caller::Public(url)).uri()).await);
    }
    assert_eq!(w.events.count("client_id_has_query"), 1);
    web.put(URL, &document().to_string());
    is_parked(&authorize(&w).await);
    assert_eq!(w.events.count("client_id_has_query"), 1);
}

// spec: REG-29
#[tokio::test]
async fn two_spellings_of_one_url_are_two_clients() {
    let (plain, port) = ("https://app.example/c", "https://app.example:443/c");
    let web = Web::default();
    let w = world(&web).await;
    for spelling in [port, "https://APP.example/c", "https://app.example/c?", "https://app.example/c/"] {
        // The site answers the same to both.
        web.put(plain, &document_at(plain).to_string());
        web.put(spelling, &document_at(plain).to_string());
        is_parked(&w.get(&Ask::of(Caller::Public(plain)).uri()).await);
        let page = w.get(&Ask::of(Caller::Public(spelling)).uri()).await;
        page.is_error_page();
        assert!(page.body.contains("client_id: must be the URL of the document"), "{page}");
        // Each with its own document, neither has what the other was given.
        web.put(spelling, &document_at(spelling).to_string());
        let code = w.code(Caller::Public(plain)).await;
        w.redeem(Caller::Public(spelling), &code).await.is_refused(400, "invalid_grant");
        let refresh = w.redeem(Caller::Public(plain), &code).await.tokens().refresh.unwrap();
        w.refresh(Caller::Public(spelling), &refresh).await.is_refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_registered_client_with_such_an_identifier_is_the_one_that_was_registered() {
    let web = Web::with(&document_with("redirect_uris", json!(["https://evil.example/cb"])));
    let client = Client::builder(URL).redirect_uri(CALLBACK).scope("read").build().unwrap();
    let w = on_memory_with(|builder| {
        let builder = builder.fetch(web.clone()).registration(RegistrationSettings::client_id_metadata_documents);
        builder.client(client.clone())
    })
    .await;
    w.tokens(CLIENT).await;
    assert_eq!(web.asked(), 0);
}

#[tokio::test]
async fn no_user_has_an_identifier_that_may_be_of_such_a_client_and_nobody_is_asked_for_it() {
    let web = Web::default();
    let taking = world(&web).await;
    let others = on_memory().await;
    for subject in [URL, "https://idp.example/alice", "https://idp.example"] {
        for (w, refused) in [(&taking, true), (&others, false)] {
            let mut browser = Browser::new(w);
            let id = browser.begin(&Ask::of(APP)).await;
            let approved = browser.interaction(&id).await.unwrap().approve(Approval::new(subject)).await;
            assert_eq!(approved.is_err(), refused, "{subject}");
        }
    }
    let mut browser = Browser::new(&taking);
    let id = browser.begin(&Ask::of(APP)).await;
    let interaction = browser.interaction(&id).await.unwrap();
    assert!(interaction.approve(Approval::new("http://idp.example/alice")).await.is_ok(), "no client has this one");
    assert_eq!(web.asked(), 0);
}

#[tokio::test]
async fn in_development_this_machine_is_taken_over_plain_http() {
    let web = Web::default();
    let urls = ["http://127.0.0.1:8080/c", "http://localhost:8080/c"];
    urls.iter().for_each(|url| web.put(url, &document_at(url).to_string()));
    let w = on_memory_with(|builder| {
        let builder = builder.fetch(web.clone()).insecure_development();
        builder.registration(RegistrationSettings::client_id_metadata_documents)
    })
    .await;
    for url in urls {
        is_parked(&w.get(&Ask::of(Caller::Public(url)).uri()).await);
    }
    w.get(&Ask::of(Caller::Public("http://app.example/c")).uri()).await.is_error_page();
    assert_eq!(web.asked(), 2);
}
