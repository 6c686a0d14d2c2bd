//! What clients may register: cases 32 to 38.

use super::*;

// spec: MTX-06, MTX-07, MTX-08
#[tokio::test]
async fn case_32_each_valid_redirect_uri_is_taken_and_each_invalid_one_refused() {
    let w = world().await;
    for (kind, good) in [
        ("web", "https://example.com/callback"),
        ("web", "https://app.example.com/callback"),
        ("web", "https://example.com:5173/?query=value"),
        ("native", "https://app.example.com/callback"),
        ("native", "com.example.app:/callback"),
        ("native", "com.example:/"),
        ("native", "com.example:callback"),
        ("native", "http://localhost/callback"),
        ("native", "http://127.0.0.1/callback"),
        ("native", "http://[::1]/callback"),
    ] {
        let answer = register(&w, &metadata(kind, &[good], json!({}))).await;
        assert_eq!(answer.status, 201, "{good}: {answer}");
        assert_eq!(answer.member("redirect_uris"), json!([good]));
    }
    for (kind, bad) in [
        ("web", "https://example.com/callback#fragment"),
        ("web", "http://example.com/callback"),
        ("web", "http://localhost/"),
        ("web", "com.example.app:/callback"),
        ("web", "https://user@example.com/callback"),
        ("web", "https://app.com/callback"),
        ("native", "example:/callback"),
        ("native", "com.example.app://callback"),
        ("native", "https://localhost/callback"),
        ("native", "http://localhost:1234/callback"),
        ("native", "http://127.0.0.1:80/callback"),
        ("native", "http://example.com/callback"),
        ("web", "https://.example.com/callback"),
        ("web", "https://a..example.com/callback"),
        ("native", "https://-a.example.com/callback"),
        ("native", "https://a-.example.com/callback"),
    ] {
        register(&w, &metadata(kind, &[bad], json!({}))).await.is_refused(400, "invalid_redirect_uri");
    }
}

// spec: MTX-04
#[tokio::test]
async fn case_33_a_client_has_a_page_of_its_own() {
    let w = world().await;
    let none = metadata("native", &["http://127.0.0.1/cb"], json!({ "client_uri": null }));
    register(&w, &none).await.is_refused(400, "invalid_client_metadata");
    let hosts = ["https://.example.com/", "https://a..example.com/", "https://-a.example.com/"];
    for bad in ["http://example.com/", "https://user@example.com/", "https://com/", "https://co.uk/", "no url"]
        .into_iter()
        .chain(hosts)
    {
        let body = metadata("native", &["http://127.0.0.1/cb"], json!({ "client_uri": bad }));
        register(&w, &body).await.is_refused(400, "invalid_client_metadata");
    }
}

#[tokio::test]
async fn a_developer_reads_what_is_wrong_and_what_would_be_right() {
    let w = world().await;
    let page = |uri: &str| metadata("native", &["http://127.0.0.1/cb"], json!({ "client_uri": uri }));
    for (body, said) in [
        (page("https://m\u{fc}nchen.example/"), "client_uri: must be ASCII: a host of other letters as xn--..."),
        (page("http://localhost/"), "client_uri: must be https, whatever its host: "),
        (page("https://localhost/"), "client_uri: must have a host of the client's own, as in app.example.org"),
        (page("https://a..example.com/"), "client_uri: has a host that is none: its labels are of letters, digits"),
        (
            metadata("web", &["https://example.org/cb"], json!({})),
            "redirect_uris: `https://example.org/cb` must be https",
        ),
        (metadata("native", &["com.example.app://cb"], json!({})), "a private-use scheme is a reversed domain name"),
    ] {
        let answer = register(&w, &body).await;
        let description = answer.member("error_description");
        let description = description.as_str().unwrap();
        assert!(answer.status == 400 && description.contains(said), "{answer}");
        // RFC 6749 section 5.2.
        assert!(description.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{answer}");
    }
    let long = ask(ELEMENT).with("scope", &scope_of(&"X".repeat(256)));
    let refused = w.get(&long.uri()).await.is_error_redirect("invalid_scope");
    let description = refused.get("error_description").unwrap();
    assert!(description.contains("a device id is 1 to 255 printable ASCII characters"), "{description}");
}

// spec: MTX-05
#[tokio::test]
async fn case_34_other_pages_are_at_its_host_or_below() {
    let w = world().await;
    for name in ["logo_uri", "tos_uri", "policy_uri"] {
        for (uri, good) in [
            ("https://example.com/x", true),
            ("https://cdn.example.com/x", true),
            ("https://example.org/x", false),
            ("https://evilexample.com/x", false),
            ("http://example.com/x", false),
        ] {
            let answer = register(&w, &metadata("web", &["https://example.com/cb"], json!({ name: uri }))).await;
            match good {
                true => assert_eq!(answer.status, 201, "{name} {uri}: {answer}"),
                false => answer.is_refused(400, "invalid_client_metadata"),
            }
        }
    }
}

// spec: MTX-07
#[tokio::test]
async fn case_35_a_scheme_is_the_whole_host_and_not_its_beginning() {
    let body = metadata("native", &["com.examplevil:/x"], json!({}));
    register(&world().await, &body).await.is_refused(400, "invalid_redirect_uri");
}

// spec: MTX-09
#[tokio::test]
async fn case_36_grant_types_that_are_not_known_are_left_out() {
    let grants = ["authorization_code", "refresh_token", "urn:example:unknown", "implicit"];
    let body = metadata(
        "web",
        &["https://example.com/cb"],
        json!({ "grant_types": grants, "response_types": ["code", "x y"] }),
    );
    let answer = register(&world().await, &body).await;
    assert_eq!(answer.status, 201, "{answer}");
    assert_eq!(answer.member("grant_types"), json!(["authorization_code", "refresh_token"]));
    assert_eq!(answer.member("response_types"), json!(["code"]));
    assert_eq!(answer.member("token_endpoint_auth_method"), "none");
    assert!(answer.member("client_secret").is_null());
}

// spec: MTX-10
#[tokio::test]
async fn case_37_who_says_the_same_is_the_same_client() {
    let w = world().await;
    let first = r#"{"client_name":"A","client_uri":"https://example.com/","redirect_uris":["https://example.com/cb"],
        "token_endpoint_auth_method":"none"}"#;
    let again = r#"{"token_endpoint_auth_method":"none","redirect_uris":["https://example.com/cb"],
        "client_uri":"https://example.com/","client_name":"A"}"#;
    let register = async |body: &str| {
        let request = Request::post("/register").header(header::CONTENT_TYPE, "application/json");
        let answer = w.send(request.body(Bytes::from(body.to_owned())).unwrap()).await;
        assert_eq!(answer.status, 201, "{answer}");
        answer.member("client_id")
    };
    let id = register(first).await;
    w.clock.advance(60);
    assert_eq!(register(again).await, id);
    assert_ne!(register(&again.replace("\"A\"", "\"B\"")).await, id);
}

// spec: MTX-10
#[tokio::test]
async fn a_client_that_registers_again_keeps_its_sessions() {
    let w = world().await;
    let body = metadata("web", &[CALLBACK], json!({ "client_uri": "https://app.example/" }));
    let id: &'static str = register(&w, &body).await.member("client_id").as_str().unwrap().to_owned().leak();
    let code = w.code_for(&ask(Caller::Public(id))).await;
    let tokens = w.redeem(Caller::Public(id), &code).await.tokens();
    w.clock.advance(60);
    assert_eq!(register(&w, &body).await.member("client_id"), id);
    assert!(is_live(&w, &tokens.access).await);
}

// spec: MTX-09
#[tokio::test]
async fn case_38_members_in_other_languages_are_no_mistake_and_web_is_the_default() {
    let w = world().await;
    let localized =
        json!({ "client_name#fr": "Exemple", "tos_uri#fr": "https://example.com/fr", "application_type": null });
    let answer = register(&w, &metadata("web", &["https://example.com/cb"], localized.clone())).await;
    assert_eq!(answer.status, 201, "{answer}");
    assert_eq!((answer.member("client_name"), answer.member("application_type")), (json!("Example"), json!("web")));
    assert!([Value::Null, json!("Exemple")].contains(&answer.member("client_name#fr")));
    let native = metadata("web", &["http://127.0.0.1/cb"], localized);
    register(&w, &native).await.is_refused(400, "invalid_redirect_uri");
}
