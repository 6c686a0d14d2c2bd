//! Request objects: an authorization request as a JWT that the client has signed
//! ([RFC 9101]).
//!
//! The object comes with the request (`request`), or lies where the client has
//! registered (`request_uri`). What it claims is the request; what stands beside
//! it is not read (section 5). Objects are signed, never only plain, and never
//! encrypted.
//!
//! [RFC 9101]: https://www.rfc-editor.org/rfc/rfc9101

mod claims;
mod settings;

pub use self::settings::RequestObjects;
use crate::{
    client::{Client, ClientJwks},
    engine::{
        client_documents::can_fetch,
        fault::{Failure, Fault},
    },
    error::{ErrorCode, OAuthError},
    fetch::{FetchRequest, Purpose},
    jwt::{self, Jws, JwtError},
    params::Params,
    server::AuthorizationServer,
};

/// Section 10.8 and RFC 8725 section 3.11. Without `typ`, it is what older clients
/// send.
const TYPES: [&str; 2] = ["JWT", "oauth-authz-req+jwt"];

/// The longest object, in bytes.
const MAX_BYTES: usize = Purpose::RequestObject.limit();

/// What `client` asks in the request object of `params`; `None` if there is no
/// object, and the parameters themselves are the request.
///
/// # Errors
/// Those of section 7, and one if the client or this server wants every request
/// to be signed.
pub(crate) async fn read(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params,
) -> Result<Option<Params>, Failure> {
    let settings = &server.authorization().request_objects;
    match (params.get("request"), params.get("request_uri")) {
        (None, None) if settings.required || client.requests.require_signed_request_object => {
            Err(OAuthError::invalid_request("the request must be a signed request object").into())
        }
        (None, None) => Ok(None),
        // OpenID Connect Core section 6.1: "request and request_uri parameters MUST
        // NOT be used together".
        (Some(_), Some(_)) => {
            Err(OAuthError::invalid_request("the parameters request and request_uri exclude each other").into())
        }
        (Some(_), None) if !settings.by_value => Err(unsupported(ErrorCode::RequestNotSupported)),
        (Some(object), None) => open(server, client, object).await.map(Some),
        (None, Some(_)) if !server.fetches_requests() => Err(unsupported(ErrorCode::RequestUriNotSupported)),
        (None, Some(uri)) => {
            let object = fetch(server, client, uri).await?;
            open(server, client, &object).await.map(Some)
        }
    }
}

impl AuthorizationServer {
    /// Whether request objects may lie elsewhere.
    pub(crate) fn fetches_requests(&self) -> bool {
        self.authorization().request_objects.by_reference && can_fetch(self.fetch())
    }
}

/// The object at `uri`, which the client has registered (sections 5.2 and 10.4).
async fn fetch(server: &AuthorizationServer, client: &Client, uri: &str) -> Result<String, Failure> {
    let wrong = |what: &'static str| OAuthError::new(ErrorCode::InvalidRequestUri, what);
    if !client.requests.request_uris.iter().any(|registered| registered == uri) {
        return Err(wrong("the request_uri is not one that the client registered").into());
    }
    let outcome = server.fetch().fetch(FetchRequest::new(uri, Purpose::RequestObject)).await;
    let fetched = outcome.map_err(|error| {
        server.tell_not_fetched(uri, Purpose::RequestObject, &error);
        // Section 7: it "returns an error or contains invalid data". Which of these
        // it is says how this server sees the network around it.
        wrong("the request object cannot be had from the request_uri")
    })?;
    let text = std::str::from_utf8(&fetched.body).map_err(|_| wrong("the request_uri leads to something else"))?;
    Ok(text.to_owned())
}

/// What `object` asks, if the client has signed it.
async fn open(server: &AuthorizationServer, client: &Client, object: &str) -> Result<Params, Failure> {
    if object.len() > MAX_BYTES {
        return Err(refused(&JwtError::TooLarge).into());
    }
    if object.split('.').count() == 5 {
        return Err(invalid("encrypted request objects are not supported").into());
    }
    let jws = Jws::parse(object).map_err(|why| refused(&why))?;
    check_header(server, client, &jws)?;
    let keys = keys(server, client, &jws).await?;
    let verified = keys.keys().candidates(jws.kid(), jws.alg()).find_map(|key| jws.verify(key).ok());
    let verified = verified.ok_or_else(|| invalid("no key of the client has signed the request object"))?;
    Ok(claims::read(server, client, verified.payload())?)
}

/// What the header may say, before any key is tried.
fn check_header(server: &AuthorizationServer, client: &Client, jws: &Jws<'_>) -> Result<(), OAuthError> {
    if jws.typ().is_some_and(|typ| !TYPES.iter().any(|known| jwt::is_same_media_type(typ, known))) {
        return Err(refused(&JwtError::WrongType));
    }
    // Section 6.2: "The algorithm MUST be one that is acceptable".
    let offered = server.authorization().request_objects.algorithms.contains(&jws.alg());
    if !offered || !client.requests.may_sign_with(jws.alg()) {
        return Err(refused(&JwtError::AlgorithmNotAllowed));
    }
    Ok(())
}

/// The keys that the client registered: no others count (RFC 8725 section 3.10).
async fn keys(server: &AuthorizationServer, client: &Client, jws: &Jws<'_>) -> Result<ClientJwks, Failure> {
    let location = client.keys.as_ref().ok_or_else(|| invalid("the client has registered no keys"))?;
    let fits = |jwks: &ClientJwks| jwks.keys().candidates(jws.kid(), jws.alg()).next().is_some();
    server.client_jwks(location, fits).await.map_err(|error| match error.is_outage() {
        // Nobody knows whether the signature is good.
        true => Failure::Fault(Fault::Fetch(error)),
        false => invalid("the keys of the client cannot be had").into(),
    })
}

fn invalid(what: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestObject, what)
}

fn refused(why: &JwtError) -> OAuthError {
    invalid(format!("the request object is refused: {why}"))
}

fn unsupported(code: ErrorCode) -> Failure {
    OAuthError::new(code, "not supported here").into()
}
