//! What `tonic-build` would make of a `notes.proto`, written by hand so that
//! this example needs no `protoc`. Messages are plain text.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, BufMut};
use http::uri::PathAndQuery;
use tonic::{
    Request, Response, Status,
    body::Body,
    client,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::AsciiMetadataValue,
    server::{self, NamedService, UnaryService},
    transport::Channel,
};
use tower::Service;

type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;
type Answer = Result<Response<String>, Status>;

/// The two calls.
pub(crate) trait Notes: Send + Sync + 'static {
    fn read(&self, name: Request<String>) -> impl Future<Output = Answer> + Send;
    fn delete(&self, name: Request<String>) -> impl Future<Output = Answer> + Send;
}

pub(crate) struct NotesServer<T>(Arc<T>);

impl<T> NotesServer<T> {
    pub(crate) fn new(notes: T) -> Self {
        Self(Arc::new(notes))
    }
}

impl<T> Clone for NotesServer<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> NamedService for NotesServer<T> {
    const NAME: &'static str = "notes.Notes";
}

impl<T: Notes> Service<http::Request<Body>> for NotesServer<T> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let notes = Arc::clone(&self.0);
        Box::pin(async move {
            let deletes = match request.uri().path() {
                "/notes.Notes/Read" => false,
                "/notes.Notes/Delete" => true,
                _ => return Ok(Status::unimplemented("no such call").into_http()),
            };
            Ok(server::Grpc::new(Text).unary(Call { notes, deletes }, request).await)
        })
    }
}

struct Call<T> {
    notes: Arc<T>,
    deletes: bool,
}

impl<T: Notes> UnaryService<String> for Call<T> {
    type Response = String;
    type Future = BoxFuture<Response<String>, Status>;

    fn call(&mut self, name: Request<String>) -> Self::Future {
        let (notes, deletes) = (Arc::clone(&self.notes), self.deletes);
        Box::pin(async move { if deletes { notes.delete(name).await } else { notes.read(name).await } })
    }
}

pub(crate) struct NotesClient(client::Grpc<Channel>);

impl NotesClient {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, Box<dyn std::error::Error>> {
        let channel = Channel::from_shared(format!("http://{address}"))?.connect().await?;
        Ok(Self(client::Grpc::new(channel)))
    }

    pub(crate) async fn read(&mut self, token: Option<&str>, name: &str) -> Result<String, Status> {
        self.call(PathAndQuery::from_static("/notes.Notes/Read"), token, name).await
    }

    #[cfg(test)]
    pub(crate) async fn delete(&mut self, token: Option<&str>, name: &str) -> Result<String, Status> {
        self.call(PathAndQuery::from_static("/notes.Notes/Delete"), token, name).await
    }

    async fn call(&mut self, path: PathAndQuery, token: Option<&str>, name: &str) -> Result<String, Status> {
        self.0.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let mut request = Request::new(name.to_owned());
        if let Some(token) = token {
            let header = AsciiMetadataValue::try_from(format!("Bearer {token}"));
            let header = header.map_err(|_| Status::invalid_argument("no token"))?;
            request.metadata_mut().insert("authorization", header);
        }
        Ok(self.0.unary(request, path, Text).await?.into_inner())
    }
}

/// Messages as text, where one would else have protobuf.
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let text = String::from_utf8(bytes.into());
        text.map(Some).map_err(|_| Status::invalid_argument("not UTF-8"))
    }
}
