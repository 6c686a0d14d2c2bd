//! What is said of all this (RFC 8414 section 2).

use oauth_core::client::AuthMethod;
use serde_json::{Value, json};

use crate::support::*;

const LISTS: [&str; 3] = ["token", "revocation", "introspection"];

async fn metadata(set: impl Fn(&mut Vec<AuthMethod>)) -> Value {
    let w = on_memory_with(|builder| builder.client_authentication(|how| set(&mut how.methods))).await;
    w.get("/.well-known/oauth-authorization-server").await.json()
}

// spec: MET-05, MET-06
#[tokio::test]
async fn methods_that_are_on_are_named_and_others_are_not_and_algorithms_go_with_those_that_need_them() {
    let base = ["client_secret_basic", "client_secret_post", "none"];
    let asymmetric = json!(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]);
    let symmetric = json!(["HS256", "HS384", "HS512"]);
    let both = Value::Array([asymmetric.as_array().unwrap().clone(), symmetric.as_array().unwrap().clone()].concat());
    for (more, algorithms) in [
        (&[][..], Value::Null),
        (&[AuthMethod::PrivateKeyJwt], asymmetric),
        (&[AuthMethod::ClientSecretJwt], symmetric),
        (&[AuthMethod::ClientSecretJwt, AuthMethod::PrivateKeyJwt], both),
        (&[AuthMethod::TlsClientAuth], Value::Null),
        (&[AuthMethod::SelfSignedTlsClientAuth, AuthMethod::TlsClientAuth], Value::Null),
    ] {
        let metadata = metadata(|methods| {
            methods.retain(|method| base.contains(&method.as_str()));
            methods.extend(more);
        })
        .await;
        for list in LISTS {
            let named = metadata[format!("{list}_endpoint_auth_methods_supported")].as_array().unwrap().clone();
            for method in AuthMethod::ALL {
                let on = base.contains(&method.as_str()) || more.contains(&method);
                let on = on && (list != "introspection" || method != AuthMethod::None);
                assert_eq!(named.contains(&method.as_str().into()), on, "{list} {method:?}");
            }
            let member = format!("{list}_endpoint_auth_signing_alg_values_supported");
            assert_eq!(metadata[member], algorithms, "{list} {more:?}");
        }
    }
}
