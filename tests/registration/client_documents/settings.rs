//! What the operator decides.

use oauth_core::{
    client::{AuthMethod, metadata::RegistrationError},
    engine::{
        policy::HostFuture,
        registration::{RegistrationOrigin, RegistrationPolicy, RegistrationRequest, RegistrationSettings, Terms},
    },
    server::{AuthorizationServer, BuildError},
};

use super::*;

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

// spec: MET-06
#[tokio::test]
async fn documents_are_taken_and_advertised_only_where_the_operator_says_so() {
    let web = Web::with(&document());
    let off = on_memory_with(|builder| builder.fetch(web.clone()).registration(RegistrationSettings::open)).await;
    let on = world(&web).await;
    assert_eq!(on.get(WELL_KNOWN).await.member("client_id_metadata_document_supported"), true);
    let metadata = off.get(WELL_KNOWN).await.json();
    assert_eq!(metadata.get("client_id_metadata_document_supported"), None);
    authorize(&off).await.is_error_page();
    off.redeem(CLIENT, "x").await.is_refused(401, "invalid_client");
    assert_eq!(web.asked(), 0);
}

// spec: MET-06
#[tokio::test]
async fn the_registration_endpoint_is_advertised_only_where_somebody_can_register() {
    let web = Web::default();
    let advertised = async |set: fn(RegistrationSettings) -> RegistrationSettings| {
        let w = on_memory_with(|builder| builder.fetch(web.clone()).registration(set)).await;
        w.get(WELL_KNOWN).await.json().get("registration_endpoint").is_some()
    };
    assert!(advertised(RegistrationSettings::open).await);
    assert!(advertised(|it| it.initial_access_token(&"a-token".into())).await);
    assert!(advertised(|it| it.open().manageable()).await);
    assert!(!advertised(|it| it).await);
    assert!(!advertised(RegistrationSettings::manageable).await);
    assert!(!advertised(RegistrationSettings::client_id_metadata_documents).await);
}

// spec: REG-26
#[tokio::test]
async fn a_client_with_a_document_has_no_registration_to_manage() {
    let w = world_with(&Web::with(&document()), RegistrationSettings::manageable).await;
    let path = format!("/register/{}", form_urlencoded::byte_serialize(URL.as_bytes()).collect::<String>());
    for method in [http::Method::GET, http::Method::DELETE] {
        let answer = w.send(super::super::request(method, &path, Some("x"), "")).await;
        assert_eq!(answer.status, 401, "{answer}");
    }
}

#[tokio::test]
async fn a_server_that_takes_documents_and_can_fetch_none_is_not_built() {
    let builder = AuthorizationServer::builder(ISSUER).registration(RegistrationSettings::client_id_metadata_documents);
    let error = builder.build().await.unwrap_err();
    assert!(matches!(error, BuildError::NothingFetched));
    assert!(error.to_string().starts_with("registration.client_id_metadata_documents: "));
}

#[tokio::test]
async fn the_limits_of_who_registers_hold_for_who_has_a_document() {
    let web = Web::with(&document());
    let w = world_with(&web, |it| it.allow_scope("read".parse().unwrap()).auth_methods([AuthMethod::None])).await;
    let code = w.code_for(&Ask::of(CLIENT).with("scope", "read write admin")).await;
    assert_eq!(w.redeem(CLIENT, &code).await.member("scope"), "read");
    // Silently, so that the error is not held back for a person to see first.
    let too_much = Ask::of(CLIENT).with("scope", "write").with("prompt", "none");
    w.get(&too_much.uri()).await.is_error_redirect("invalid_scope");
    w.token(CLIENT, &[("grant_type", "client_credentials")]).await.is_refused(400, "unauthorized_client");
    let mut keyed = document_with("token_endpoint_auth_method", "private_key_jwt");
    keyed["jwks_uri"] = json!("https://app.example/jwks");
    web.put(URL, &keyed.to_string());
    let page = authorize(&w).await;
    page.is_error_page();
    assert!(page.body.contains("token_endpoint_auth_method: is not offered here"), "{page}");
    // What it may ask for where it does not say is what the document says.
    web.put(URL, &document_with("scope", "read openid").to_string());
    let code = w.code_for(&Ask::of(CLIENT)).await;
    assert_eq!(w.redeem(CLIENT, &code).await.member("scope"), "read");
}

#[tokio::test]
async fn localhost_is_a_redirect_uri_only_where_it_is_allowed() {
    let local = "http://localhost:3000/cb";
    let web = Web::with(&document_with("redirect_uris", json!([CALLBACK, local])));
    let ask = Ask::of(CLIENT).with("redirect_uri", local);
    world(&web).await.get(&ask.uri()).await.is_error_page();
    is_parked(&world_with(&web, RegistrationSettings::allow_localhost).await.get(&ask.uri()).await);
}

/// Takes clients of one host, and fails when told to.
#[derive(Clone, Debug, Default)]
struct OfOneHost {
    fails: Arc<Mutex<bool>>,
}

impl RegistrationPolicy for OfOneHost {
    fn decide<'a>(
        &'a self,
        request: &'a RegistrationRequest<'a>,
        mut terms: Terms,
    ) -> HostFuture<'a, Result<Terms, RegistrationError>> {
        Box::pin(async move {
            if *self.fails.lock().unwrap() {
                return Err(oauth_core::engine::fault::Fault::Host("the directory is away".into()));
            }
            let RegistrationOrigin::MetadataDocument { client } = request.origin else {
                return Ok(Err(RegistrationError::ClientMetadata("is none".into())));
            };
            if !client.as_str().starts_with("https://app.example/") {
                return Ok(Err(RegistrationError::ClientMetadata("client_id: not from there".into())));
            }
            terms.metadata.name = Some("Known to us".into());
            Ok(Ok(terms))
        })
    }
}

#[tokio::test]
async fn the_policy_of_the_host_has_the_last_word_each_time() {
    let other = "https://other.example/c";
    let (web, policy) = (Web::with(&document()), OfOneHost::default());
    web.put(other, &document_at(other).to_string());
    let w = world_with(&web, |it| it.policy(policy.clone())).await;
    let (_, page) = Browser::new(&w).consent(&Ask::of(CLIENT)).await;
    assert!(page.body.contains("Known to us"), "{page}");
    let page = w.get(&Ask::of(Caller::Public(other)).uri()).await;
    page.is_error_page();
    assert!(page.body.contains("not from there"), "{page}");
    let refresh = w.tokens(CLIENT).await.refresh.unwrap();
    *policy.fails.lock().unwrap() = true;
    w.refresh(CLIENT, &refresh).await.is_unavailable();
    is_unavailable_page(&authorize(&w).await);
    *policy.fails.lock().unwrap() = false;
    w.refresh(CLIENT, &refresh).await.tokens();
}

#[tokio::test]
async fn the_program_takes_documents_where_its_file_says_so() {
    let reference = Reference::with("[registration]\nclient_id_metadata_documents = true\n");
    let _program = reference.start();
    let remote = Remote::new(reference.authority.client(), &reference.issuer);
    let metadata = remote.get(WELL_KNOWN).await.json();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
    assert_eq!(metadata.get("registration_endpoint"), None);
    for (id, rule) in [("https://127.0.0.1/c", "public name"), ("https://app.example", "without a path")] {
        let page = remote.get(&Ask::of(Caller::Public(id)).uri()).await;
        page.is_error_page();
        assert!(page.body.contains(rule), "{page}");
    }
}
