//! Documents and challenges that the RFCs print: read as they stand, and written as they stand.

use http::Request;
use http_body_util::BodyExt;
use oauth_core::{
    challenge::Challenge,
    claims::Confirmation,
    error::ErrorCode,
    jwk::JwkSet,
    jwt::Algorithm,
    keys::SigningKey,
    metadata::{MetadataError, ProtectedResourceMetadata, protected_resource_url},
};
use oauth_tower::resource::{Issuer, MetadataService, ResourceServer};
use serde_json::{Value, json};
use tower::ServiceExt;

/// RFC 9728 section 3.2.
fn resource_document() -> Value {
    json!({
        "resource": "https://resource.example.com",
        "authorization_servers": ["https://as1.example.com", "https://as2.example.net"],
        "bearer_methods_supported": ["header", "body"],
        "scopes_supported": ["profile", "email", "phone"],
        "resource_documentation": "https://resource.example.com/resource_documentation.html",
    })
}

// spec: MET-16
#[test]
fn the_document_of_rfc_9728_section_3_2_is_read_for_its_own_resource_and_written_unchanged() {
    let text = resource_document().to_string();
    let read = ProtectedResourceMetadata::parse(text.as_bytes(), "https://resource.example.com").unwrap();
    assert_eq!(read.authorization_servers, ["https://as1.example.com", "https://as2.example.net"]);
    assert_eq!(read.bearer_methods_supported.as_deref(), Some(&["header".to_owned(), "body".to_owned()][..]));
    assert_eq!(serde_json::to_value(&read).unwrap(), resource_document());
    // Section 3.3: "MUST be identical".
    for other in
        ["https://resource.example.com/", "https://resource.example.com/resource1", "https://RESOURCE.example.com"]
    {
        let parsed = ProtectedResourceMetadata::parse(text.as_bytes(), other);
        assert_eq!(parsed.unwrap_err(), MetadataError::WrongResource, "{other}");
    }
}

// spec: MET-12
#[test]
fn the_requests_of_rfc_9728_section_3_1_go_where_it_says() {
    let url = |resource: &str| protected_resource_url(resource).unwrap();
    let root = "https://resource.example.com/.well-known/oauth-protected-resource";
    assert_eq!(url("https://resource.example.com"), root);
    assert_eq!(url("https://resource.example.com/resource1"), format!("{root}/resource1"));
}

// spec: MET-14
// spec: MET-15
#[tokio::test]
async fn a_resource_server_publishes_the_document_of_rfc_9728_and_challenges_as_in_section_5_1() {
    let keys: JwkSet = [&SigningKey::generate(Algorithm::ES256).unwrap()].into_iter().collect();
    let issuer = |name: &str| Issuer::jwt(name).keys(keys.clone());
    let server = ResourceServer::builder("https://resource.example.com")
        .issuer(issuer("https://as1.example.com"))
        .issuer(issuer("https://as2.example.net"))
        .scopes("profile email phone")
        .advertise_metadata()
        .build()
        .unwrap();
    let response = MetadataService::new(&server).oneshot(Request::new(())).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let published: Value = serde_json::from_slice(&body).unwrap();
    for member in ["resource", "authorization_servers"] {
        assert_eq!(published[member], resource_document()[member], "{member}");
    }
    assert_eq!(published["scopes_supported"].as_array().unwrap().len(), 3);
    let parts = Request::new(()).into_parts().0;
    let challenges = server.validate(&parts).await.unwrap_err().challenges();
    let [challenge] = &challenges[..] else { panic!("one scheme is served") };
    let named = r#"resource_metadata="https://resource.example.com/.well-known/oauth-protected-resource""#;
    assert!(challenge.to_string().contains(named), "{challenge}");
}

// spec: RS-10
#[test]
fn the_challenges_of_rfc_6750_section_3_read_as_printed() {
    assert_eq!(Challenge::bearer().realm("example").to_string(), r#"Bearer realm="example""#);
    let expired = Challenge::bearer().realm("example").error(&ErrorCode::InvalidToken);
    assert_eq!(
        expired.error_description("The access token expired").to_string(),
        r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#
    );
}

#[test]
fn the_challenges_of_rfc_9470_section_3_read_as_printed() {
    let weak = || Challenge::bearer().error(&ErrorCode::Other("insufficient_user_authentication".into()));
    assert_eq!(
        weak().error_description("A different authentication level is required").acr_values(["myACR"]).to_string(),
        "Bearer error=\"insufficient_user_authentication\", \
         error_description=\"A different authentication level is required\", acr_values=\"myACR\""
    );
    assert_eq!(
        weak().error_description("More recent authentication is required").max_age(5).to_string(),
        "Bearer error=\"insufficient_user_authentication\", \
         error_description=\"More recent authentication is required\", max_age=\"5\""
    );
}

// spec: RS-34
#[test]
fn the_confirmation_of_rfc_8705_section_3_1_is_read_and_written_unchanged() {
    let printed = json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" });
    let read: Confirmation = serde_json::from_value(printed.clone()).unwrap();
    assert_eq!(read, Confirmation::certificate("bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"));
    assert!(read.is_understood());
    assert_eq!(serde_json::to_value(&read).unwrap(), printed);
}

// spec: RS-30
#[test]
fn the_confirmation_of_rfc_9449_section_6_1_is_read_and_written_unchanged() {
    let printed = json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" });
    let read: Confirmation = serde_json::from_value(printed.clone()).unwrap();
    assert_eq!(read, Confirmation::dpop("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"));
    assert_eq!(serde_json::to_value(&read).unwrap(), printed);
}
