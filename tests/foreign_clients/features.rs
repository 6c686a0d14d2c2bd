//! What a library has nothing for.

use serde_json::{Value, json};

use crate::support::Library::{self, Authlib, Oauth4webapi, OpenidClient};

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
}

use Feature::{Device, Dpop, ErrorByPost, Jar, Par};

/// Everything else is shown of each library.
const LACKING: [(Library, &[Feature]); 3] =
    [(OpenidClient, &[]), (Oauth4webapi, &[]), (Authlib, &[Par, Jar, Dpop, Device, ErrorByPost])];

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
