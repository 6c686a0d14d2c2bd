//! Tokens in the content of a form (OAuth 2.1 section 7.2.1.2).

mod content;

use futures_util::FutureExt;
use http::{Method, header::CONTENT_TYPE};

use self::content::Content;
use super::*;
use crate::resource::{Dpop, InvalidRequest, RefusalKind};

const FORM: &str = "application/x-www-form-urlencoded";

/// A resource server that takes tokens in forms.
fn taking(key: &Key) -> ResourceServer {
    builder(fixed(key)).form_tokens().build().unwrap()
}

fn form(content: impl Into<Content>) -> Request<Content> {
    typed(Method::POST, FORM, content)
}

fn typed(method: Method, kind: &str, content: impl Into<Content>) -> Request<Content> {
    Request::builder().method(method).uri("/notes").header(CONTENT_TYPE, kind).body(content.into()).unwrap()
}

/// Says which content it got, and from whom.
async fn echo(request: Request<Content>) -> Result<Response<String>, Infallible> {
    let token = request.extensions().get::<Arc<ValidatedToken>>().map(Arc::clone);
    let subject = token.map_or_else(|| "anonymous".to_owned(), |token| token.subject().to_owned());
    Ok(Response::new(format!("{subject}: {}", request.into_body().read().await)))
}

/// Both layers around a service that echoes.
async fn post(server: &ResourceServer, request: Request<Content>) -> Response<String> {
    let service = tower::ServiceBuilder::new().layer(server.form_token_layer()).layer(server.layer());
    service.service_fn(echo).oneshot(request).await.unwrap()
}

async fn status(server: &ResourceServer, request: Request<Content>) -> u16 {
    post(server, request).await.status().as_u16()
}

/// Refused with 400 `invalid_request`.
async fn is_invalid(server: &ResourceServer, request: Request<Content>) -> bool {
    let response = post(server, request).await;
    response.status() == StatusCode::BAD_REQUEST && challenge(&response).contains(r#"error="invalid_request""#)
}

// spec: RS-03
#[tokio::test]
async fn a_form_gives_its_token_by_any_method_that_gives_content_a_meaning() {
    let key = Key::es256();
    let (server, content) = (taking(&key), format!("a=b&access_token={}", key.good()));
    for method in ["POST", "PUT", "PATCH", "QUERY"] {
        let request = typed(method.parse().unwrap(), FORM, &*content);
        assert_eq!(post(&server, request).await.into_body(), format!("ada: {content}"), "{method}");
    }
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT"] {
        let request = typed(method.parse().unwrap(), FORM, &*content);
        assert_eq!(status(&server, request).await, 401, "{method}");
    }
}

// spec: RS-03
#[tokio::test]
async fn a_token_in_content_of_another_type_is_no_credential() {
    let key = Key::es256();
    let (server, content) = (taking(&key), format!("access_token={}", key.good()));
    let with = |kind: &str| typed(Method::POST, kind, &*content);
    let parameters = [format!("{FORM}; charset=UTF-8"), format!("{FORM} ;x=y")];
    for kind in [FORM, "Application/X-WWW-Form-Urlencoded", &parameters[0], &parameters[1]] {
        assert_eq!(status(&server, with(kind)).await, 200, "{kind}");
    }
    let plain = ["text/plain", "multipart/form-data; boundary=x", "application/json", ""];
    let nearly =
        [&format!("{FORM}2"), &format!("x{FORM}"), &format!("{FORM}, text/plain"), &format!("text/plain;{FORM}")];
    for kind in plain.into_iter().chain(nearly.map(|kind| &**kind)) {
        assert_eq!(status(&server, with(kind)).await, 401, "{kind}");
    }
    let mut twice = with(FORM);
    twice.headers_mut().append(CONTENT_TYPE, "text/plain".parse().unwrap());
    assert_eq!(status(&server, twice).await, 401);
    let mut none = with(FORM);
    none.headers_mut().remove(CONTENT_TYPE);
    assert_eq!(status(&server, none).await, 401);
}

// spec: RS-03
#[tokio::test]
async fn a_form_with_a_token_is_ascii_however_it_is_encoded() {
    let key = Key::es256();
    let (server, token) = (taking(&key), key.good());
    for name in ["é", "%C3%A9", "%ff"] {
        assert!(is_invalid(&server, form(format!("name={name}&access_token={token}"))).await, "{name}");
        assert!(is_invalid(&server, form(format!("access_token={token}&{name}"))).await, "{name}");
        // Without a token, it is none of our business.
        assert_eq!(status(&server, form(format!("name={name}"))).await, 401, "{name}");
    }
    // Names and values are encoded, and only then compared.
    let encoded = token.replace('.', "%2E");
    assert_eq!(status(&server, form(format!("%61ccess%5Ftoken={encoded}"))).await, 200);
}

// spec: RS-04
#[tokio::test]
async fn one_field_with_one_token_it_is() {
    let key = Key::es256();
    let (server, token) = (taking(&key), key.good());
    for content in [
        format!("access_token={token}&access_token={token}"),
        format!("access_token={token}&a=b&%61ccess_token="),
        format!("access_token&access_token={token}"),
        "access_token=".into(),
        "access_token".into(),
        format!("access_token=+{token}"),
        format!("access_token={token}%0d%0a"),
        format!("access_token={token}%zz"),
        format!("access_token=Bearer%20{token}"),
    ] {
        assert!(is_invalid(&server, form(&*content)).await, "{content}");
    }
    for none in
        [format!("Access_Token={token}"), format!("access_token%00={token}"), format!("a={token}"), String::new()]
    {
        let response = post(&server, form(&*none)).await;
        assert_eq!(challenge(&response), r#"Bearer realm="https://api.example""#, "{none}");
    }
    let forged = format!("access_token={token}x");
    assert!(challenge(&post(&server, form(forged)).await).contains(r#"error="invalid_token""#));
}

// spec: RS-06
#[tokio::test]
async fn a_token_in_the_form_and_credentials_elsewhere_are_too_many() {
    let key = Key::es256();
    let (server, token) = (taking(&key), key.good());
    let with = |content: &str, authorization: &str| {
        let mut request = form(content);
        request.headers_mut().insert(AUTHORIZATION, authorization.parse().unwrap());
        request
    };
    let good = format!("access_token={token}");
    for authorization in [&*format!("Bearer {token}"), &format!("DPoP {token}"), "Bearer", "Basic YTpi"] {
        assert!(is_invalid(&server, with(&good, authorization)).await, "{authorization}");
    }
    assert!(is_invalid(&server, with("access_token", &format!("Bearer {token}"))).await);
    assert_eq!(status(&server, with("a=b", &format!("Bearer {token}"))).await, 200);
    let in_query = || {
        let mut request = form(&*good);
        *request.uri_mut() = "/notes?access_token=x".parse().unwrap();
        request
    };
    assert!(is_invalid(&server, in_query()).await);
    let ignoring = builder(fixed(&key)).form_tokens().ignore_query_tokens().build().unwrap();
    assert_eq!(status(&ignoring, in_query()).await, 200);
}

// spec: RS-03
#[tokio::test]
async fn unless_both_halves_are_there_a_token_in_a_form_is_no_credential() {
    let key = Key::es256();
    let content = format!("access_token={}", key.good());
    // Switched on, and the outer layer is missing.
    let layer = taking(&key).layer();
    let response = tower::Layer::layer(&layer, service_fn(echo)).oneshot(form(&*content)).await.unwrap();
    assert_eq!(challenge(&response), r#"Bearer realm="https://api.example""#);
    // The outer layer is there, and it is not switched on: nothing is even read.
    let server = server(&key);
    assert_eq!(status(&server, form(&*content)).await, 401);
    let mut request = form(Content::stalled());
    request.headers_mut().extend(headers(&key.good()));
    let layers = tower::ServiceBuilder::new().layer(server.form_token_layer()).layer(server.layer());
    let called = service_fn(|_: Request<Content>| async { Ok::<_, Infallible>(Response::new(String::new())) });
    assert_eq!(layers.service(called).oneshot(request).await.unwrap().status(), StatusCode::OK);
    // Another resource server's layer finds the token; this one does not want it.
    let layers = tower::ServiceBuilder::new().layer(taking(&key).form_token_layer()).layer(server.layer());
    let response = layers.service_fn(echo).oneshot(form(&*content)).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_one_form_said_is_not_believed_of_the_next_request() {
    let key = Key::es256();
    let server = taking(&key);
    // An app that keeps the extensions of a request and gives them to another.
    let replay = |request: Request<Content>| {
        let mut next = form("a=b");
        *next.extensions_mut() = request.extensions().clone();
        post(&server, next).map(Ok::<_, Infallible>)
    };
    let layer = server.form_token_layer();
    let first = form(format!("access_token={}", key.good()));
    let response = tower::Layer::layer(&layer, service_fn(replay)).oneshot(first).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn behind_an_optional_layer_a_bad_token_in_a_form_is_refused_all_the_same() {
    let key = Key::es256();
    let server = taking(&key);
    let layers = tower::ServiceBuilder::new().layer(server.form_token_layer()).layer(server.layer().optional());
    let service = layers.service_fn(echo);
    for (content, expected) in [("a=b", 200), ("access_token=junk", 401), ("access_token", 400)] {
        assert_eq!(service.clone().oneshot(form(content)).await.unwrap().status(), expected, "{content}");
    }
}

#[tokio::test]
async fn without_the_inner_layer_validate_judges_what_the_outer_one_found() {
    let key = Key::es256();
    let server = taking(&key);
    let judge = |request: Request<Content>| async {
        let verdict = server.validate(&request.into_parts().0).await.map_err(|refusal| refusal.kind().clone());
        Ok::<_, Infallible>(Response::new(verdict.map(|token| token.subject().to_owned())))
    };
    let layer = server.form_token_layer().render_with(|_: &_| unreachable!());
    let service = tower::Layer::layer(&layer, service_fn(judge));
    let mut request = form(format!("access_token={}", key.good()));
    assert_eq!(service.clone().oneshot(request).await.unwrap().into_body().unwrap(), "ada");
    request = form("access_token=a&access_token=b");
    let repeated = RefusalKind::InvalidRequest(InvalidRequest::RepeatedFormToken);
    assert_eq!(service.oneshot(request).await.unwrap().into_body().unwrap_err(), repeated);
}

// spec: MET-14
#[tokio::test]
async fn metadata_names_the_body_where_it_is_a_place_for_tokens() {
    let key = Key::es256();
    let methods = |server: &ResourceServer| server.metadata().bearer_methods_supported.unwrap();
    assert_eq!(methods(&taking(&key)), ["header", "body"]);
    // Where bearer tokens are not served, they are not in forms either.
    let bound = builder(fixed(&key)).form_tokens().dpop(Dpop::required()).build().unwrap();
    assert!(methods(&bound).is_empty());
    assert_eq!(status(&bound, form(format!("access_token={}", key.good()))).await, 401);
}
