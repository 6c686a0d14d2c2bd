//! Signing in with the SDK, and what it then has.

use matrix_sdk::{
    Client, HttpError, RefreshTokenError,
    authentication::oauth::{
        ClientRegistrationData, OAuthError,
        error::OAuthRequestError,
        registration::{ApplicationType, ClientMetadata, Localized, OAuthGrantType, language_tags::LanguageTag},
    },
    ruma::{OwnedDeviceId, api::error::ErrorKind, serde::Raw},
};
use url::Url;

use crate::{
    house::House,
    support::{PASSWORD, Page, Visitor},
};

/// Where it listens: on a port that it registered nothing of.
pub(crate) const LISTENS: &str = "http://127.0.0.1:49152/callback";

/// What a program for the desktop says of itself.
pub(crate) fn registration() -> ClientRegistrationData {
    let url = |text: &str| Url::parse(text).unwrap();
    let code = OAuthGrantType::AuthorizationCode { redirect_uris: vec![url("http://127.0.0.1/callback")] };
    let french = LanguageTag::parse("fr").unwrap();
    let metadata = ClientMetadata {
        client_name: Some(Localized::new("Chat".to_owned(), [(french.clone(), "Bavardage".to_owned())])),
        logo_uri: Some(Localized::new(url("https://chat.example.com/logo.png"), [])),
        policy_uri: Some(Localized::new(
            url("https://www.chat.example.com/policy"),
            [(french, url("https://www.chat.example.com/fr/policy"))],
        )),
        ..ClientMetadata::new(ApplicationType::Native, vec![code], Localized::new(url("https://chat.example.com/"), []))
    };
    Raw::new(&metadata).unwrap().into()
}

/// What our pages answer once a user has pressed `button`; the device is the SDK's choice if it is `None`.
pub(crate) async fn decide(house: &House, client: &Client, who: (&str, Option<&str>), button: &str) -> Page {
    decide_at(house.visitor(), client, who, button).await
}

/// The same, wherever that is.
pub(crate) async fn decide_at(
    mut visitor: Visitor,
    client: &Client,
    (user, device): (&str, Option<&str>),
    button: &str,
) -> Page {
    let device = device.map(OwnedDeviceId::from);
    let asked = client.oauth().login(Url::parse(LISTENS).unwrap(), device, Some(registration()), None);
    let asked = asked.build().await.unwrap();
    visitor.decide(asked.url.as_str(), (user, PASSWORD), button).await
}

/// Signs a user in.
pub(crate) async fn sign_in(house: &House, client: &Client, who: (&str, Option<&str>)) {
    finish(client, &decide(house, client, who, "approve").await).await;
}

/// What the client does with the answer.
pub(crate) async fn finish(client: &Client, page: &Page) {
    let response = Url::parse(page.answer.location()).unwrap();
    client.oauth().finish_login(response.into()).await.unwrap();
}

/// Alice, with a device of the SDK's choice.
pub(crate) async fn alice(house: &House) -> Client {
    let client = house.client().await;
    sign_in(house, &client, ("alice", None)).await;
    client
}

pub(crate) fn access_token(client: &Client) -> String {
    client.session_tokens().unwrap().access_token
}

pub(crate) fn refresh_token(client: &Client) -> String {
    client.session_tokens().unwrap().refresh_token.unwrap()
}

/// What the homeserver says of the session: `None` if all is well, else whether the client keeps what it has
/// ("Soft logout").
#[track_caller]
pub(crate) fn verdict<T>(answer: Result<T, HttpError>) -> Option<bool> {
    let error = answer.err()?;
    match error.client_api_error_kind() {
        Some(ErrorKind::UnknownToken(data)) => Some(data.soft_logout),
        _ => panic!("{error}"),
    }
}

/// The authorization server has no session any more: `invalid_grant`, which the SDK takes for the end.
pub(crate) async fn is_over(client: &Client) {
    let Err(RefreshTokenError::OAuth(error)) = client.oauth().refresh_access_token().await else {
        panic!("there still is a session")
    };
    let OAuthError::RefreshToken(OAuthRequestError::ServerResponse(response)) = &*error else { panic!("{error}") };
    assert_eq!(response.error().as_ref(), "invalid_grant");
}
