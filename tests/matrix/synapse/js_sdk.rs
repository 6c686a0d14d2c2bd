//! npm's `matrix-js-sdk` at Synapse.

use serde_json::json;

use super::{super::js_sdk::Person, process::Both};
use crate::support::*;

#[tokio::test]
async fn case_60_matrix_js_sdk_signs_in_refreshes_and_signs_out_at_synapse() {
    let both = Both::shared().await;
    let sdk = MatrixJsSdk::at(&both.synapse.remote.url, None);
    let mut erin = Person::new(sdk, Visitor::new(plain_client()), ("erin", PASSWORD));
    assert_eq!(erin.sdk.does(json!({ "do": "discover" })).await["issuer"], both.service.url());
    let first = erin.sign_in("a", "ERINSPHONE").await;
    // The library refreshes because Synapse does not know the token; the first answer is lost.
    erin.resume("a", "b", json!({ "accessToken": "mat_unknown" })).await;
    let lost = erin.sdk.ask(json!({ "do": "whoami", "name": "b", "loses": 1 })).await.unwrap_err();
    assert_eq!(lost["kind"], "TokenRefreshError", "{lost}");
    erin.has("b", "ERINSPHONE").await;
    assert_ne!(erin.known("b").await["refreshToken"], first["refresh_token"]);
    erin.signs_out("b").await;
    erin.is_without("b").await;
    // The same device, once more.
    erin.sign_in("c", "ERINSPHONE").await;
    erin.has("c", "ERINSPHONE").await;
}
