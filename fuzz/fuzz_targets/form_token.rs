//! Tokens in forms: `$TOKEN` stands for a good one. Lines: the content type, then the body.
#![no_main]

use std::{convert::Infallible, sync::LazyLock};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;
use oauth_core_fuzz::{access_token, form_server, two_lines, wait_for};
use oauth_tower::resource::ResourceServer;
use serde_json::json;
use tower::{Layer, ServiceExt, service_fn};

static SERVER: LazyLock<ResourceServer> = LazyLock::new(form_server);
static TOKEN: LazyLock<String> = LazyLock::new(|| access_token(&json!({})));

/// Something does pass.
fn control() {
    assert_eq!(status("application/x-www-form-urlencoded\naccess_token=$TOKEN"), StatusCode::OK);
}

fuzz_target!(init: control(), |text: &str| {
    status(text);
});

fn status(text: &str) -> StatusCode {
    let text = text.replace("$TOKEN", &TOKEN);
    let (content_type, body) = two_lines(&text);
    let request = Request::post("/notes").header("content-type", content_type);
    let Ok(request) = request.body(Full::new(Bytes::from(body.to_owned()))) else { return StatusCode::BAD_REQUEST };
    let echo = service_fn(|request: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::new(request.into_body().collect().await?.to_bytes())))
    });
    let service = SERVER.form_token_layer().limit(4_096).layer(SERVER.layer().layer(echo));
    let Ok(response) = wait_for(service.oneshot(request));
    if response.status() != StatusCode::OK {
        let refusals = [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::PAYLOAD_TOO_LARGE];
        assert!(refusals.contains(&response.status()), "{}", response.status());
        return response.status();
    }
    let Ok(seen) = wait_for(response.into_body().collect());
    assert_eq!(seen.to_bytes(), body.as_bytes(), "the service reads the same body");
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    assert!(essence.eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    let tokens: Vec<_> = form_urlencoded::parse(body.as_bytes()).filter(|(name, _)| name == "access_token").collect();
    assert!(matches!(&tokens[..], [(_, token)] if **token == **TOKEN) && body.is_ascii() && body.len() <= 4_096);
    StatusCode::OK
}
