//! Reading client metadata.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::error::ErrorCode;

fn read(document: &Value) -> Result<ClientMetadata, RegistrationError> {
    ClientMetadata::parse(document.to_string().as_bytes())
}

fn with(name: &str, value: &Value) -> Result<ClientMetadata, RegistrationError> {
    let mut document = json!({ "redirect_uris": ["https://app.example/cb"] });
    document[name] = value.clone();
    read(&document)
}

// spec: REG-14
#[test]
fn what_is_left_out_has_its_default() {
    for document in [json!({}), json!({ "grant_types": null, "client_name": null, "jwks": null })] {
        let metadata = read(&document).unwrap();
        assert_eq!(metadata.auth_method, AuthMethod::ClientSecretBasic);
        assert_eq!(metadata.grant_types, [GrantType::AUTHORIZATION_CODE]);
        assert_eq!((metadata.name, metadata.scope, metadata.keys), (None, None, None));
    }
}

// spec: REG-15
#[test]
fn members_that_are_not_known_are_ignored_whatever_they_are() {
    let deep = format!(r#"{{"x":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
    for document in [r#"{"client_name#ja":3,"x":{"y":[]},"client_id":7}"#, &deep] {
        let metadata = ClientMetadata::parse(document.as_bytes()).unwrap();
        assert_eq!(metadata, read(&json!({})).unwrap());
    }
}

// spec: REG-16
#[test]
fn a_member_of_the_wrong_type_or_length_is_refused_by_its_name() {
    let long = "x".repeat(ClientMetadata::MAX_TEXT + 1);
    for (name, value) in [
        ("client_name", json!(1)),
        ("client_name", json!(long)),
        ("client_name", json!("a\nb")),
        ("client_name", json!("a\u{202e}b")),
        ("client_name", json!(" ")),
        ("client_name", json!("\u{200b}\u{3164}")),
        ("client_name", json!(["a"])),
        ("client_uri", json!("javascript:alert(1)")),
        ("client_uri", json!("https://a..example/")),
        ("logo_uri", json!("https://-a.example/")),
        ("client_uri", json!("https://app%2eexample/")),
        ("client_uri", json!("https:app.example/")),
        ("client_uri", json!("https://2130706433/")),
        ("tos_uri", json!("https://m\u{fc}nchen.example/")),
        ("logo_uri", json!("data:image/png;base64,AA")),
        ("tos_uri", json!("//app.example/")),
        ("policy_uri", json!("https://bank.example@app.example/")),
        ("policy_uri", json!("https://app.example/\"onerror=x")),
        ("contacts", json!("ada@app.example")),
        ("contacts", json!([1])),
        ("contacts", json!(vec!["a"; 33])),
        ("software_id", json!({})),
        ("software_version", json!(1.5)),
        ("application_type", json!("desktop")),
        ("scope", json!(["a", "b"])),
        ("scope", json!("a  b")),
        ("grant_types", json!("authorization_code")),
        ("grant_types", json!([null])),
        ("response_types", json!([1])),
        ("token_endpoint_auth_method", json!("magic")),
        ("token_endpoint_auth_signing_alg", json!("none")),
        ("jwks", json!([])),
        ("jwks", json!({ "keys": [{ "kty": "oct", "k": "AA" }] })),
        ("jwks_uri", json!(true)),
        ("tls_client_auth_san_dns", json!("*.example")),
        ("software_statement", json!(1)),
    ] {
        let error = with(name, &value).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidClientMetadata, "{name}: {value}");
        assert!(error.to_string().starts_with(&format!("{name}: ")), "{name}: {error}");
    }
}

#[test]
fn a_document_that_can_be_read_in_two_ways_is_refused() {
    let deep = format!(r#"{{"x":{}}}"#, "[".repeat(4000));
    let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(ClientMetadata::MAX_BYTES));
    for document in [
        "",
        "[]",
        "null",
        "{} {}",
        r#"{"client_name":"a","client_name":"b"}"#,
        r#"{"client_name":"a","client\u005fname":"b"}"#,
        r#"{"jwks":{"keys":[],"keys":[]}}"#,
        r#"{"x":[{"y":{"z":1,"z":2}}]}"#,
        &deep,
        &long,
    ] {
        let error = ClientMetadata::parse(document.as_bytes()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidClientMetadata);
    }
    assert!(ClientMetadata::parse(b"{\"client_name\":\"\xff\"}").is_err());
}

// spec: REG-17
#[test]
fn grant_types_and_response_types_agree() {
    let grants = |grants: Value, responses: Value| {
        let read = read(&json!({ "grant_types": grants, "response_types": responses }));
        read.map(|metadata| metadata.grant_types.iter().map(|grant| grant.as_str().to_owned()).collect::<Vec<_>>())
    };
    let code = "authorization_code";
    assert_eq!(grants(json!([code, "refresh_token", code]), json!(["code"])).unwrap(), [code, "refresh_token"]);
    assert_eq!(grants(json!(["client_credentials"]), json!([])).unwrap(), ["client_credentials"]);
    assert_eq!(grants(json!(["client_credentials"]), json!(null)).unwrap(), ["client_credentials"]);
    assert_eq!(grants(json!(null), json!(["code", "token"])).unwrap(), [code]);
    for (wrong, responses) in [
        (json!([code]), json!([])),
        (json!([code]), json!(["token"])),
        (json!([]), json!(["code"])),
        (json!(["client_credentials"]), json!(["code"])),
        (json!(["implicit"]), json!(["code", "token"])),
        (json!(null), json!(["token"])),
        (json!(null), json!([])),
    ] {
        let error = grants(wrong.clone(), responses.clone()).unwrap_err();
        assert!(error.to_string().starts_with("response_types: "), "{wrong} {responses}");
    }
}

// spec: REG-12
#[test]
fn the_application_type_decides_where_codes_may_go() {
    let read = |uri: &str, kind: Value| {
        let document = json!({ "redirect_uris": [uri], "application_type": kind });
        ClientMetadata::read(document.as_object().unwrap(), true)
    };
    let everywhere = ["https://app.example/cb", "https://localhost/cb", "http://127.0.0.1/cb", "http://localhost/cb"];
    let elsewhere = ["https://127.0.0.1/cb", "https://[::1]/cb", "https://a.localhost/cb", "com.example.app:/cb"];
    for uri in everywhere.into_iter().chain(elsewhere) {
        for kind in [json!(null), json!("native")] {
            read(uri, kind).unwrap();
        }
        let web = read(uri, json!("web"));
        match uri {
            "https://app.example/cb" => assert_eq!(web.unwrap().profile.application_type, Some(ApplicationType::Web)),
            _ => assert_eq!(web.unwrap_err().code(), ErrorCode::InvalidRedirectUri, "{uri}"),
        }
    }
}

/// Any JSON, with names that mean something now and then.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        "https?://[a-z.:@%*\\[\\]]{0,12}/[a-z./%#]{0,9}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(".{0,8}", inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Those that are read.
const KNOWN: &[&str] = &[
    "redirect_uris",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "grant_types",
    "response_types",
    "client_name",
    "client_uri",
    "scope",
    "contacts",
    "jwks",
    "jwks_uri",
    "application_type",
    "tls_client_auth_subject_dn",
    "software_statement",
];

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(KNOWN).prop_map(str::to_owned), 1 => ".*"]
}

proptest! {
    #[test]
    fn any_document_is_read_or_refused(members in prop::collection::hash_map(any_name(), any_json(), 0..6)) {
        let document = Value::Object(members.into_iter().collect());
        if let Ok(metadata) = read(&document) {
            prop_assert!(metadata.redirect_uris.len() <= ClientMetadata::MAX_REDIRECT_URIS);
            prop_assert!(metadata.name.is_none_or(|name| name.len() <= ClientMetadata::MAX_TEXT));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _never_panics = ClientMetadata::parse(&bytes);
    }

    #[test]
    fn an_accepted_redirect_uri_is_read_alike_by_everyone(uri in "(https?|com\\.example\\.app|[a-z.]{1,8}):/{0,3}[!-&(-~]{0,40}") {
        if let Ok(accepted) = RedirectUri::parse(&uri) {
            let parsed = url::Url::parse(&uri).unwrap();
            prop_assert_eq!(accepted.as_str(), uri.as_str());
            prop_assert!(parsed.fragment().is_none() && parsed.username().is_empty() && parsed.password().is_none());
            // What a browser makes of it differs in the case of scheme and host, and in a default port, at most.
            let path = format!("{}{}", parsed.path(), parsed.query().map_or(String::new(), |query| format!("?{query}")));
            prop_assert!(uri.ends_with(&path), "{} became {}", uri, parsed);
        }
    }
}
