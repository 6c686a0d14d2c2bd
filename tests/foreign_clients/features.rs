//! What a library has nothing for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{exchange::EXCHANGE, jwt_bearer::BEARER};
use crate::support::{
    Library::{self, Authlib, Oauth4webapi, OpenidClient},
    Reference, Remote,
};

/// What a client may do beside asking in the plain way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Feature {
    /// Pushing requests (RFC 9126).
    Par,
    /// Signing requests (RFC 9101).
    Jar,
    /// Proving keys (RFC 9449).
    Dpop,
    /// Asking without a browser (RFC 8628): Authlib has only the server's side.
    Device,
    /// Telling which error has come by `response_mode=form_post`.
    ErrorByPost,
    /// Asking for signed introspection responses (RFC 9701), and verifying them.
    SignedAnswers,
}

use Feature::{Device, Dpop, ErrorByPost, Jar, Par, SignedAnswers};

/// Everything else is shown of each library.
const LACKING: [(Library, &[Feature]); 3] =
    [(OpenidClient, &[]), (Oauth4webapi, &[]), (Authlib, &[Par, Jar, Dpop, Device, ErrorByPost, SignedAnswers])];

impl Feature {
    pub(super) fn is_in(self, library: Library) -> bool {
        !LACKING.iter().any(|(lacking, what)| *lacking == library && what.contains(&self))
    }

    /// Does the same with each library that has it, at the same time.
    pub(super) async fn each(self, act: impl AsyncFn(Library)) {
        Library::each(async |library| {
            if self.is_in(library) {
                act(library).await;
            }
        })
        .await;
    }
}

/// Which grant is driven by whom, and where. No library has a function for exchange and assertions but the one for any
/// grant, except Authlib's `AssertionSession`; and none can ask for a reciprocal code: that party is no client.
const GRANTS: [(&str, &[&str], &str); 6] = [
    ("authorization_code", &["openid-client", "oauth4webapi", "Authlib", "oauth2"], "all files here"),
    ("refresh_token", &["openid-client", "oauth4webapi", "Authlib", "oauth2"], "all files here"),
    (
        "client_credentials",
        &["openid-client", "oauth4webapi", "Authlib", "oauth2"],
        "authentication.rs, rust_oauth2.rs",
    ),
    ("urn:ietf:params:oauth:grant-type:device_code", &["openid-client", "oauth4webapi", "oauth2"], "device.rs"),
    (EXCHANGE, &["openid-client", "oauth4webapi", "Authlib"], "exchange.rs"),
    (BEARER, &["openid-client", "oauth4webapi", "Authlib"], "jwt_bearer.rs"),
];

/// The list is that of the server that has everything on.
#[tokio::test]
async fn every_grant_that_the_server_advertises_is_driven_by_somebody() {
    let issuer = "[[jwt_bearer.issuers]]\nissuer = \"https://idp.example\"\njwks_uri = \"https://idp.example/jwks\"\n";
    let sections = "[device]\nenabled = true\n[token_exchange]\nenabled = true\n[jwt_bearer]\nenabled = true\n";
    let server = Reference::with(&format!("{sections}{issuer}"));
    let _program = server.start();
    let remote = Remote::new(server.authority.client(), &server.issuer);
    let metadata = remote.get("/.well-known/oauth-authorization-server").await.json();
    let advertised: BTreeSet<_> =
        metadata["grant_types_supported"].as_array().unwrap().iter().flat_map(Value::as_str).collect();
    assert_eq!(advertised, GRANTS.iter().map(|(grant, ..)| *grant).collect());
    assert!(GRANTS.iter().all(|(_, by, files)| by.len() >= 3 && !files.is_empty()));
}

/// If this fails, there is something new to show.
#[tokio::test]
async fn what_authlib_lacks_is_still_lacking() {
    let for_servers = json!(["AuthorizationServerMetadata", "ClientMetadataClaims", "JWTAuthenticationRequest"]);
    for (feature, module, names) in
        [(Par, "rfc9126", Value::Null), (Dpop, "rfc9449", Value::Null), (Jar, "rfc9101", for_servers)]
    {
        assert!(!feature.is_in(Authlib));
        let asked = json!({ "do": "names", "module": format!("authlib.oauth2.{module}") });
        assert_eq!(Authlib.ask(asked).await.granted(), names, "{module}");
    }
}
