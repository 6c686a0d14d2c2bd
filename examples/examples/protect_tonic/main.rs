//! A gRPC service behind the layer, with tonic, and a client that calls it.
//!
//!     cargo run -p examples --example protect_tonic
//!
//! One sees what the client gets: `UNAUTHENTICATED` without a token,
//! `PERMISSION_DENIED` without the scope, and the notes with it. A handler finds
//! the token in the extensions of its request.

mod notes;

use std::{net::SocketAddr, sync::Arc};

use examples::{say, stand_in::StandIn};
use oauth_tower::resource::{GrpcStatus, Policy, ResourceServer, ValidatedToken};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status, transport::Server, transport::server::TcpIncoming};

use self::notes::{Notes, NotesClient, NotesServer};

const API: &str = "https://notes.example";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = StandIn::new("https://as.example");
    let api = ResourceServer::builder(API).issuer(issuer.issuer()).build()?;
    let address = serve(api).await?;

    let mut client = NotesClient::connect(address).await?;
    let (weak, good) = (issuer.token(API, "other"), issuer.token(API, "notes:read"));
    for (what, token) in [("no token", None), ("no scope", Some(&*weak)), ("both", Some(&*good))] {
        match client.read(token, "todo").await {
            Ok(answer) => say(format!("{what}: {answer}")),
            Err(status) => say(format!("{what}: {:?}, {}", status.code(), status.message())),
        }
    }
    Ok(())
}

/// Serves the notes to those who have a good token.
async fn serve(api: ResourceServer) -> std::io::Result<SocketAddr> {
    let incoming = TcpIncoming::from(TcpListener::bind("127.0.0.1:0").await?);
    let address = incoming.local_addr()?;
    let server = Server::builder()
        // What is refused is a gRPC status, not an HTTP one.
        .layer(api.layer().require_scope("notes:read").render_with(GrpcStatus))
        .add_service(NotesServer::new(Shelf));
    tokio::spawn(server.serve_with_incoming(incoming));
    Ok(address)
}

/// The service, as one writes it for tonic.
struct Shelf;

impl Notes for Shelf {
    async fn read(&self, request: Request<String>) -> Result<Response<String>, Status> {
        let token = token(&request)?;
        Ok(Response::new(format!("{} of {}", request.get_ref(), token.subject())))
    }

    async fn delete(&self, request: Request<String>) -> Result<Response<String>, Status> {
        // More than the layer asks for. The metadata of the status says what.
        let required = Policy::new().scope("notes:delete");
        token(&request)?.require(&required).map_err(|refusal| {
            Status::from_header_map(&GrpcStatus.headers(&refusal)).unwrap_or_else(|| Status::internal("no status"))
        })?;
        Ok(Response::new(format!("{} is gone", request.get_ref())))
    }
}

fn token<T>(request: &Request<T>) -> Result<&Arc<ValidatedToken>, Status> {
    request.extensions().get().ok_or_else(|| Status::internal("the layer is missing"))
}

#[cfg(test)]
mod tests {
    use oauth_tower::{outgoing::HttpClient, resource::Issuer};
    use tonic::{Code, body::Body};
    use tower::service_fn;

    use super::*;

    async fn connect(api: ResourceServer) -> NotesClient {
        NotesClient::connect(serve(api).await.unwrap()).await.unwrap()
    }

    fn challenge(status: &Status) -> &str {
        status.metadata().get("www-authenticate").unwrap().to_str().unwrap()
    }

    #[tokio::test]
    async fn a_client_of_tonics_gets_the_status_that_says_why() {
        let issuer = StandIn::new("https://as.example");
        let api = ResourceServer::builder(API).issuer(issuer.issuer()).build().unwrap();
        let mut client = connect(api).await;
        for token in [None, Some("junk"), Some("a b")] {
            let status = client.read(token, "todo").await.unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated);
            assert!(challenge(&status).starts_with(r#"Bearer realm="https://notes.example""#));
        }
        let weak = issuer.token(API, "other");
        let status = client.read(Some(&weak), "todo").await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "the access token lacks a scope"));
        assert!(challenge(&status).contains(r#"scope="notes:read""#));
        let good = issuer.token(API, "notes:read");
        assert_eq!(client.read(Some(&good), "todo").await.unwrap(), "todo of ada");
        let status = client.delete(Some(&good), "todo").await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
        assert!(challenge(&status).contains(r#"scope="notes:delete""#));
        let strong = issuer.token(API, "notes:read notes:delete");
        assert_eq!(client.delete(Some(&strong), "todo").await.unwrap(), "todo is gone");
    }

    #[tokio::test]
    async fn an_outage_is_unavailable_and_no_denial() {
        let down = service_fn(async |_| Err::<http::Response<Body>, _>(std::io::Error::other("down")));
        let issuer = Issuer::introspection("https://as.example", "https://as.example/introspect");
        let issuer = issuer.client_basic("notes", "secret");
        let api = ResourceServer::builder(API).issuer(issuer).http(HttpClient::new(down)).build().unwrap();
        let status = connect(api).await.read(Some("opaque"), "todo").await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.metadata().contains_key("grpc-retry-pushback-ms"));
    }
}
