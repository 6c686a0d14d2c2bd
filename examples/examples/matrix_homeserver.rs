//! A homeserver that signs its users in itself: an authorization server with Matrix's
//! profile, its pages, and client-server endpoints that know their user and device.
//!
//!     cargo run -p examples --example matrix_homeserver
//!
//! A Matrix client that is told of http://127.0.0.1:8008 finds all it needs, registers
//! itself, and signs ada in with the password "analytical". The layer says
//! `M_MISSING_TOKEN`, `M_UNKNOWN_TOKEN` and the rest; a real homeserver brings its
//! accounts (`Accounts`), so that locked and suspended ones are refused too.

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use examples::say;
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Issuer, PeerExt, ResourceServer,
    matrix::{Cors, DeviceId, EveryAccount, Matrix, MatrixSession, unrecognized_method, unrecognized_path},
    oauth_core::profile,
    pages::{Pages, PasswordUsers},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const HERE: &str = "http://127.0.0.1:8008";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = app().await?;
    let listener = TcpListener::bind("127.0.0.1:8008").await?;
    say(format!("curl {HERE}/_matrix/client/v1/auth_metadata"));
    say(format!("curl -i {HERE}/_matrix/client/v3/account/whoami"));
    axum::serve(listener, app.into_make_service_with_peer()).await?;
    Ok(())
}

async fn app() -> Result<Router, Box<dyn std::error::Error>> {
    // In earnest: `.user("ada", "$argon2id$...")`, a store and a root secret that outlive the process.
    let users = PasswordUsers::default().insecure_plain("ada", "analytical");
    let server = AuthorizationServer::builder(HERE)
        .profile(profile::Matrix::new("localhost").account_page("/devices"))
        .subjects(users.clone())
        .insecure_development() // plain http, on this machine only
        .build()
        .await?;

    // In process: a session that was signed out is refused at once.
    let api = ResourceServer::builder(HERE).issuer(Issuer::local(server.clone())).build()?;
    let matrix = Matrix::builder(api, "localhost").accounts(EveryAccount).build()?;
    let endpoints = Router::new()
        .route("/_matrix/client/versions", get(versions))
        .route("/_matrix/client/v3/account/whoami", get(whoami).layer(matrix.layer().allow_guests().allow_suspended()))
        .route("/_matrix/client/v3/join/{room}", post(join).layer(matrix.layer()))
        .fallback(unrecognized_path)
        .method_not_allowed_fallback(unrecognized_method)
        .layer(Cors);
    // `auth_metadata` comes with the authorization server.
    Ok(endpoints.merge(server.router()).merge(Pages::new(&server, users).router()))
}

async fn versions() -> Json<Value> {
    Json(json!({ "versions": ["v1.19"] }))
}

async fn whoami(session: MatrixSession) -> Json<Value> {
    let device = session.device().map(DeviceId::as_str);
    Json(json!({ "user_id": session.user().as_str(), "device_id": device, "is_guest": session.is_guest() }))
}

async fn join(_session: MatrixSession, Path(room): Path<String>) -> Json<Value> {
    Json(json!({ "room_id": room }))
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Request, StatusCode},
    };
    use tower::ServiceExt;

    use super::*;

    async fn send(method: &str, path: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let response = app().await.unwrap().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let status = response.status();
        (status, serde_json::from_slice(&to_bytes(response.into_body(), 100_000).await.unwrap()).unwrap())
    }

    #[tokio::test]
    async fn a_client_finds_all_it_needs_and_registers_itself() {
        let (_, metadata) = send("GET", "/_matrix/client/v1/auth_metadata", "").await;
        assert_eq!(
            (&metadata["issuer"], &metadata["registration_endpoint"]),
            (&json!(HERE), &json!(format!("{HERE}/register")))
        );
        let client = json!({
            "client_name": "A Client", "client_uri": "https://client.example", "application_type": "native",
            "redirect_uris": ["http://127.0.0.1/callback"], "token_endpoint_auth_method": "none",
        });
        let (status, client) = send("POST", "/register", &client.to_string()).await;
        assert!(status == StatusCode::CREATED && client["client_id"].is_string(), "{status} {client}");
    }

    #[tokio::test]
    async fn nobody_is_anybody_without_a_token() {
        for (method, path, status, code) in [
            ("GET", "/_matrix/client/v3/account/whoami", 401, "M_MISSING_TOKEN"),
            ("POST", "/_matrix/client/v3/join/!a:localhost", 401, "M_MISSING_TOKEN"),
            ("DELETE", "/_matrix/client/v3/account/whoami", 405, "M_UNRECOGNIZED"),
            ("GET", "/_matrix/client/v3/sync", 404, "M_UNRECOGNIZED"),
        ] {
            let (found, answer) = send(method, path, "").await;
            assert_eq!((found.as_u16(), &answer["errcode"]), (status, &json!(code)), "{method} {path}");
        }
    }
}
