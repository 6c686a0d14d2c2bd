//! The host's own word.

use std::sync::{Arc, Mutex};

use http::Method;
use oauth_core::{
    client::{Client, GrantType, metadata::RegistrationError},
    engine::{
        fault::Fault,
        policy::HostFuture,
        registration::{Management, RegistrationPolicy, RegistrationRequest, RegistrationSettings, Terms},
    },
};
use serde_json::json;

use super::{app, app_with, is_refused, open_world, post_json, registered, request, that};
use crate::support::*;

/// Decides by the name of the client, and remembers what it was asked.
#[derive(Clone, Debug, Default)]
struct ByName(Arc<Mutex<Vec<String>>>);

impl RegistrationPolicy for ByName {
    fn decide<'a>(
        &'a self,
        request: &'a RegistrationRequest<'a>,
        mut terms: Terms,
    ) -> HostFuture<'a, Result<Terms, RegistrationError>> {
        let name = terms.metadata.name.clone().unwrap_or_default();
        let asked = format!("{:?} for {name:?}, known: {}", request.origin, request.client.is_some());
        self.0.lock().unwrap().push(asked);
        Box::pin(async move {
            match name.as_str() {
                "refused" => return Ok(Err(RegistrationError::ClientMetadata("client_name: is taken".into()))),
                "unapproved" => return Ok(Err(RegistrationError::UnapprovedSoftwareStatement("not you".into()))),
                "outage" => return Err(Fault::Host("the policy is away".into())),
                "narrow" => {
                    terms.scope = "read".parse().unwrap();
                    terms.metadata.scope = Some(terms.scope.clone());
                }
                "machine" => terms.metadata.grant_types = vec![GrantType::CLIENT_CREDENTIALS],
                "broken" => terms.metadata.redirect_uris.clear(),
                _ => {}
            }
            Ok(Ok(terms))
        })
    }

    fn may_manage<'a>(&'a self, client: &'a Client, action: Management) -> HostFuture<'a, bool> {
        let fixed = client.name.as_deref() == Some("fixed");
        Box::pin(async move { Ok(!fixed || action == Management::Read) })
    }
}

fn named(name: &str) -> serde_json::Value {
    app_with("client_name", name)
}

// spec: REG-02, REG-15, REG-16
#[tokio::test]
async fn a_policy_changes_or_refuses_what_is_registered() {
    let policy = ByName::default();
    let w = that(|it| it.open().manageable().per_minute(0).policy(policy.clone())).await;
    assert_eq!(registered(&w, &named("narrow")).await.0["scope"], "read");
    let machine = registered(&w, &named("machine")).await;
    assert_eq!(machine.0["grant_types"], json!(["client_credentials"]));
    w.token(machine.caller(), &[("grant_type", "client_credentials")]).await.tokens();
    is_refused(&post_json(&w, &named("refused")).await, "invalid_client_metadata");
    is_refused(&post_json(&w, &named("unapproved")).await, "unapproved_software_statement");
    // What it says is checked once more.
    is_refused(&post_json(&w, &named("broken")).await, "invalid_redirect_uri");
    post_json(&w, &named("outage")).await.is_unavailable();
    assert_eq!(w.events.count("client_registered"), 2);
    // It has a say when a registration is replaced, and sees by whom.
    let client = registered(&w, &named("plain")).await;
    let mut body = client.replacement();
    body["client_name"] = "refused".into();
    is_refused(&client.put(&w, &body).await, "invalid_client_metadata");
    let asked = policy.0.lock().unwrap().clone();
    assert_eq!(asked[0], "Open for \"narrow\", known: false");
    assert_eq!(asked.last().unwrap(), "Management for \"refused\", known: true");
}

// spec: REG-26
#[tokio::test]
async fn a_known_client_without_permission_hears_403() {
    let w = that(|it| it.open().manageable().policy(ByName::default())).await;
    let client = registered(&w, &named("fixed")).await;
    assert_eq!(client.manage(&w, Method::GET, "").await.status, 200);
    for method in [Method::PUT, Method::DELETE] {
        let answer = client.manage(&w, method, &client.replacement().to_string()).await;
        answer.is_refused(403, "access_denied");
    }
    assert_eq!(client.manage(&w, Method::GET, "").await.member("client_name"), "fixed");
    let stranger = w.send(request(Method::DELETE, client.path(), Some("x"), "")).await;
    super::is_unauthorized(&stranger, true);
}

#[tokio::test]
async fn a_host_registers_clients_in_its_own_name() {
    let w = that(RegistrationSettings::manageable).await;
    let metadata = oauth_core::client::metadata::ClientMetadata::parse(app().to_string().as_bytes()).unwrap();
    let registered = w.server.register(metadata.clone()).await.unwrap();
    let (id, secret) = (registered.client.id.to_string().leak(), registered.secret.unwrap());
    let caller = Caller::Basic(id, secret.expose().to_owned().leak());
    assert_eq!(w.introspect(caller, "oat_x").await.status, 200);
    assert!(registered.uri.unwrap().ends_with(&*id));
    drop(open_world().await.server.register(metadata.clone()).await.unwrap());
    on_memory().await.server.register(metadata).await.unwrap_err();
}
