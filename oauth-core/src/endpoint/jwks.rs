//! `GET /jwks`: the public signing keys ([RFC 7517 section 5]).
//!
//! [RFC 7517 section 5]: https://www.rfc-editor.org/rfc/rfc7517#section-5

use bytes::Bytes;
use http::{Request, Response};

use super::{is_read, metadata::public_json, method_not_allowed};
use crate::server::AuthorizationServer;

/// Answers with the JWK Set: public keys only.
pub async fn handle(server: &AuthorizationServer, request: &Request<Bytes>) -> Response<Bytes> {
    if !is_read(request) {
        return method_not_allowed("GET, HEAD");
    }
    public_json(&server.keys().document())
}
