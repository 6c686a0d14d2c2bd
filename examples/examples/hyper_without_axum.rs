//! The same layer and the same server on bare hyper: all they need is tower.
//!
//!     cargo run -p examples --example hyper_without_axum
//!     TOKEN=$(curl -s -u robot:a-long-and-random-secret -d grant_type=client_credentials \
//!       http://127.0.0.1:9400/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
//!     curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:9400/hello
//!
//! One sees "hello robot"; without a token, 401 with a challenge.

use std::{convert::Infallible, error::Error, sync::Arc};

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

const ISSUER: &str = "http://127.0.0.1:9400";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    serve(TcpListener::bind("127.0.0.1:9400").await?).await
}

async fn serve(listener: TcpListener) -> Result<(), Box<dyn Error>> {
    let robot = Client::builder("robot")
        .secret(ClientSecret::new(&"a-long-and-random-secret".into()))
        .grant_type(GrantType::CLIENT_CREDENTIALS)
        .build()?;
    let server = AuthorizationServer::builder(ISSUER).client(robot).insecure_development().build().await?;

    // Two tower services: one that answers OAuth's endpoints ...
    let endpoints = AuthorizationServerService::new(server.clone());
    // ... and one of ours behind the layer.
    let api = ResourceServer::builder(ISSUER).issuer(Issuer::local(server)).build()?;
    let hello = api.layer().layer(tower_fn(hello));

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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;

    /// What comes back over a connection of its own.
    async fn send(address: std::net::SocketAddr, request: String) -> String {
        let (mut stream, mut answer) = (TcpStream::connect(address).await.unwrap(), String::new());
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_token_of_the_one_service_is_good_at_the_other() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asking = async {
            let common = "HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n";
            let answer = send(address, format!("GET /hello {common}\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("www-authenticate: Bearer "), "{answer}");
            let basic = "authorization: Basic cm9ib3Q6YS1sb25nLWFuZC1yYW5kb20tc2VjcmV0\r\n";
            let form = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 29\r\n";
            let grant = "grant_type=client_credentials";
            let answer = send(address, format!("POST /token {common}{basic}{form}\r\n{grant}")).await;
            let token = answer.split_once(r#""access_token":""#).unwrap().1.split('"').next().unwrap();
            let answer = send(address, format!("GET /hello {common}authorization: Bearer {token}\r\n\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello robot\n"), "{answer}");
        };
        tokio::select! {
            () = asking => {}
            served = serve(listener) => served.unwrap(),
        }
    }
}
