//! The same layer and the same server on bare hyper: all they need is tower.
//!
//!     cargo run -p examples --example hyper_without_axum
//!     TOKEN=$(curl -s -u robot:a-long-and-random-secret -d grant_type=client_credentials \
//!       http://127.0.0.1:9400/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
//!     curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:9400/hello

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use oauth_core::{
    client::{Client, ClientSecret, GrantType},
    server::AuthorizationServer,
};
use oauth_tower::{
    resource::{Issuer, ResourceServer, ValidatedToken},
    server::AuthorizationServerService,
};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn as tower_fn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let robot = Client::builder("robot")
        .secret(ClientSecret::new(&"a-long-and-random-secret".into()))
        .grant_type(GrantType::CLIENT_CREDENTIALS)
        .build()?;
    let issuer = "http://127.0.0.1:9400";
    let server = AuthorizationServer::builder(issuer).client(robot).insecure_development().build().await?;

    // Two tower services: one that answers OAuth's endpoints ...
    let endpoints = AuthorizationServerService::new(server.clone());
    // ... and one of ours behind the layer.
    let api = ResourceServer::builder(issuer).issuer(Issuer::local(server)).build()?;
    let hello = api.layer().layer(tower_fn(hello));

    let listener = TcpListener::bind("127.0.0.1:9400").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (endpoints, hello) = (endpoints.clone(), hello.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (endpoints, hello) = (endpoints.clone(), hello.clone());
            async move {
                match request.uri().path() {
                    "/hello" => hello.oneshot(request).await,
                    _ => endpoints.oneshot(request).await,
                }
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// The layer leaves the token in the request's extensions.
async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let token = request.extensions().get::<Arc<ValidatedToken>>();
    Ok(Response::new(format!("hello {}\n", token.map_or("nobody", |token| token.subject())).into()))
}
