//! Discovery, registration, and the authorization code grant.

use matrix_sdk::{
    Error,
    authentication::oauth::{
        OAuthError,
        error::{OAuthAuthorizationCodeError, OAuthDiscoveryError},
    },
};
use oauth_core::profile::Matrix;
use url::Url;

use crate::{
    house::House,
    session::{LISTENS, access_token, alice, decide, sign_in, verdict},
};

#[tokio::test]
async fn a_person_signs_in_on_our_pages() {
    let house = House::new().await;
    let client = house.client().await;
    let metadata = client.oauth().server_metadata().await.unwrap();
    assert_eq!(metadata.issuer, Url::parse(&house.remote.url).unwrap());
    assert!(metadata.registration_endpoint.is_some() && metadata.device_authorization_endpoint.is_some());
    sign_in(&house, &client, ("alice", Some("ABCDEFGHIJ"))).await;
    let session = client.oauth().user_session().unwrap();
    assert_eq!((session.meta.user_id.as_str(), session.meta.device_id.as_str()), ("@alice:example.org", "ABCDEFGHIJ"));
    let me = client.whoami().await.unwrap();
    assert_eq!((me.user_id, me.device_id), (session.meta.user_id, Some(session.meta.device_id)));
    assert!(session.tokens.access_token.starts_with("mat_") && session.tokens.refresh_token.is_some());
}

#[tokio::test]
async fn who_says_the_same_of_itself_is_the_same_client() {
    let house = House::new().await;
    let (first, second) = (alice(&house).await, alice(&house).await);
    assert_eq!(first.oauth().client_id(), second.oauth().client_id());
    assert_ne!(first.device_id(), second.device_id());
    for client in [first, second] {
        assert_eq!(verdict(client.whoami().await), None);
    }
}

#[tokio::test]
async fn a_person_says_no() {
    let house = House::new().await;
    let client = house.client().await;
    let page = decide(&house, &client, ("alice", None), "deny").await;
    let response = Url::parse(page.answer.location()).unwrap();
    assert!(response.as_str().starts_with(LISTENS), "{response}");
    let error = client.oauth().finish_login(response.into()).await.unwrap_err();
    let Error::OAuth(error) = error else { panic!("{error}") };
    assert!(matches!(*error, OAuthError::AuthorizationCode(OAuthAuthorizationCodeError::Cancelled)), "{error}");
}

// spec: MTX-13
#[tokio::test]
async fn a_device_that_signs_in_again_ends_what_it_had() {
    let house = House::new().await;
    let (first, second, other) = (house.client().await, house.client().await, alice(&house).await);
    sign_in(&house, &first, ("alice", Some("ABCDEFGHIJ"))).await;
    sign_in(&house, &second, ("alice", Some("ABCDEFGHIJ"))).await;
    assert_ne!(access_token(&first), access_token(&second));
    assert_eq!(verdict(first.whoami().await), Some(false));
    assert_eq!(verdict(second.whoami().await), None);
    assert_eq!(verdict(other.whoami().await), None);
}

#[tokio::test]
async fn a_homeserver_without_the_api_says_so() {
    let house = House::with_profile(Matrix::without_api).await;
    let error = house.client().await.oauth().server_metadata().await.unwrap_err();
    assert!(matches!(error, OAuthDiscoveryError::NotSupported), "{error}");
}
